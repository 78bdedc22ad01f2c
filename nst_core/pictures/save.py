"""Writes pictures as PNG and JPEG, whole or not at all."""

import io
from contextlib import nullcontext
from pathlib import Path
from typing import IO

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from nst_core.errors import OutputError
from nst_core.files import writing
from nst_core.pictures.jpeg_text import exif_of
from nst_core.pictures.pixels import shrunk, strips

JPEG_QUALITY = 95  # of a result
MAX_SHOWN = 4096  # pixels, of a JPEG that is sent somewhere


def over_white(image: Tensor) -> Tensor:
    """A picture (1, 3 or 4, H, W) as it looks on white, (1, 3, H, W)."""
    return image if image.shape[1] == 3 else image[:, :3] * image[:, 3:] + 1 - image[:, 3:]


def to_pil(image: Tensor) -> Image.Image:
    """image (1, 3 or 4, H, W), clipped to [0, 1], as a picture of Pillow's, made some rows at a time."""
    _, channels, height, width = image.shape
    picture = Image.new("RGB" if channels == 3 else "RGBA", (width, height))
    for top, strip in strips(image):
        if len(strip) == height:
            return Image.fromarray(strip)
        picture.paste(Image.fromarray(strip), (0, top))
    return picture


def encode_jpeg(image: Tensor, *, quality: int = 85, max_side: int = MAX_SHOWN) -> bytes:
    """Encode image (1, 3 or 4, H, W) over white as a JPEG of at most max_side pixels, a twentieth of a PNG's work."""
    picture = to_pil(over_white(shrunk(image, max_side)))
    if max(picture.size) > max_side:
        picture.thumbnail((max_side, max_side), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def save_png(
    image: Tensor, path: str | Path | IO[bytes], text: dict[str, str] | None = None, *, dpi: float | None = None
) -> None:
    """Write image (1, 3 or 4, H, W) as PNG that says it is sRGB, with `text` as its text chunks.

    Args:
        path: of the file; or an open one, as an entry of a ZIP.
        dpi: pixels an inch, for print.

    Raises:
        OutputError: the file cannot be written.
    """
    info = PngInfo()
    info.add(b"sRGB", b"\0")  # else printers' programs ask or guess
    for key, value in (text or {}).items():
        info.add_itxt(key, value)
    with writing(path) if isinstance(path, str | Path) else nullcontext(path) as aside:
        to_pil(image).save(aside, "PNG", pnginfo=info, **_print_size(dpi))


def save_jpeg(
    image: Tensor, path: str | Path | IO[bytes], text: dict[str, str] | None = None, *, dpi: float | None = None
) -> None:
    """Write image (1, 3 or 4, H, W) over white as JPEG of JPEG_QUALITY, with `text` in its EXIF; else as `save_png`.

    Raises:
        OutputError: the file cannot be written, or the text is longer than a JPEG takes.
    """
    exif = exif_of(text or {})
    if exif is None:
        raise OutputError("the record is longer than a JPEG takes; keep the PNG, which holds it")
    buffer = io.BytesIO()  # Pillow does not notice that a full disk takes a part only
    picture = to_pil(over_white(image))
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0, exif=exif, **_print_size(dpi))
    with writing(path) if isinstance(path, str | Path) else nullcontext(path) as aside:
        aside.write_bytes(buffer.getvalue()) if isinstance(aside, Path) else aside.write(buffer.getvalue())


def _print_size(dpi: float | None) -> dict[str, tuple[float, float]]:
    return {} if dpi is None else {"dpi": (dpi, dpi)}
