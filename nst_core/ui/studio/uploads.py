"""Reads what a person puts on the page to be painted: files, and a brush's strokes."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count, zip_longest
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, TypeVar

import gradio as gr
import torch
from gradio.events import Dependency
from PIL import Image
from torch import Tensor

from nst_core import images
from nst_core.engine.worker import Material
from nst_core.errors import ImageError, NSTError
from nst_core.files import writing
from nst_core.transfer.config import MAX_STYLES
from nst_core.transfer.masks import mask_of
from nst_core.ui.page.downloads import new_file
from nst_core.ui.page.events import INSTANT, QUEUED, Update
from nst_core.ui.page.form import Updates
from nst_core.ui.page.toasts import Toast, noting, warn
from nst_core.ui.widgets.pictures import PictureInput, with_alpha

MORE_STYLES = tuple(f"style_{number}" for number in range(2, MAX_STYLES + 1))  # to blend with the first
# By name, as the page has them: three pictures, further styles, what a brush painted, and a switch.
UPLOADS = ("content", "style", "start_image", *MORE_STYLES, "mask", "keep_transparency")

SHAPE_TOLERANCE = 0.05  # of a mask's aspect ratio
Made = TypeVar("Made")
NOT_SHOWN = frozenset({*images.TIFF_ENDINGS, ".heic", ".heif", ".hif", ".exr", ".jp2"})  # by most browsers


class Drawn(TypedDict, total=False):
    """A brush's drawing, as the page's editor gives it."""

    background: Image.Image | None
    layers: list[Image.Image | None]
    composite: Image.Image | None


class DrawnFiles(TypedDict):
    """The same drawing as files."""

    background: Path | None
    layers: list[Path]
    composite: Path | None


class Uploads(NamedTuple):
    """Holds the page's pictures, as files and drawings."""

    content: Path | None = None
    style: Path | None = None
    start: Path | None = None
    more_styles: Sequence[Path | None] = ()
    mask: Drawn | None = None
    kept_mask: DrawnFiles | None = None  # the mask's files, once they are kept
    keep_transparency: bool = True  # the content's

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> "Uploads":
        """Take the uploads out of what the page shows, by the names of UPLOADS."""
        further = tuple(shown[name] for name in MORE_STYLES)
        keep = shown["keep_transparency"] is not False
        return cls(
            shown["content"], shown["style"], shown["start_image"], further, shown["mask"], keep_transparency=keep
        )

    def kept(self) -> "Uploads":
        """Keep the brush's strokes as files, so that the uploads can be kept for long."""
        return self._replace(mask=None, kept_mask=_saved(self.mask) if self.mask and _is_painted(self.mask) else None)

    def there(self) -> Updates:
        """Find those that still exist, by the names of UPLOADS, None for what is gone or never was."""
        further = dict(zip_longest(MORE_STYLES, self.more_styles))
        paths = {"content": self.content, "style": self.style, "start_image": self.start, **further}
        mask = self.kept_mask if self.kept_mask and all(path.exists() for path in self.kept_mask["layers"]) else None
        there = {name: str(path) if path and path.exists() else None for name, path in paths.items()}
        return {**there, "mask": mask and _as_text(mask), "keep_transparency": self.keep_transparency}

    @property
    def styles(self) -> list[Path]:
        """Every style picture there is, the first one first."""
        return [path for path in (self.style, *self.more_styles) if path]

    def read(self, *, with_start: bool, size: int = 0) -> Material:
        """Read the files' pictures.

        Args:
            with_start: whether the start picture, if any, is wanted.
            size: of the result, pixels.

        Raises:
            ImageError: a picture that is missing or cannot be used; a mask that was painted over another one.
        """
        content, _ = _given(self.content, "content"), _given(self.style, "style")
        side = images.read_side(size)
        content_image = images.load(content, max_side=side, keep_transparency=self.keep_transparency)
        masks = masks_of(self.mask)
        check_shape(masks, content_image, "press Paint on my photo under Where to paint, and paint over that")
        return Material(
            content_image,
            [images.load(style, max_side=side) for style in self.styles],
            images.load(self.start, max_side=side) if with_start and self.start else None,
            masks,
        )


def _given(path: Path | None, name: str) -> Path:
    if path is None:
        raise ImageError(f"there is no {name} picture; drop one or click an example")
    return path


def _layers(drawn: Drawn | None) -> list[Image.Image]:
    """List what the brush painted; nothing where it painted nothing."""
    return [layer for layer in drawn.get("layers", ()) if layer is not None] if drawn else []


def _is_painted(drawn: Drawn) -> bool:
    return any(layer.convert("RGBA").getchannel("A").getbbox() for layer in _layers(drawn))


def _saved(drawn: Drawn) -> DrawnFiles:
    """Write the editor's value into files."""

    def file_of(picture: Image.Image) -> Path:
        path = new_file("mask.png")
        with writing(path) as aside:
            picture.save(aside, "PNG")
        return path

    ground, whole = drawn.get("background"), drawn.get("composite")
    return {
        "background": file_of(ground) if ground else None,
        "layers": [file_of(layer) for layer in _layers(drawn)],
        "composite": file_of(whole) if whole else None,
    }


def _as_text(mask: DrawnFiles) -> Update:
    """Give files of a mask as the editor takes them."""
    ground, whole = mask["background"], mask["composite"]
    return {
        "background": str(ground) if ground else None,
        "composite": str(whole) if whole else None,
        "layers": list(map(str, mask["layers"])),
    }


def masks_of(drawn: Drawn | None) -> list[Tensor]:
    """Read what was painted in the page's editor, if anything: a mask, (1, 1, H, W)."""
    layers = [mask_of(with_alpha(layer)) for layer in _layers(drawn)]
    painted = torch.stack(layers).amax(0) if layers else None
    return [] if painted is None or not painted.any() else [painted]


def check_shape(masks: Sequence[Tensor], image: Tensor, remedy: str) -> None:
    """Refuse a mask that was painted over a picture of another shape than the image's.

    Args:
        masks: (1, 1, any, any).
        image: (1, 3, H, W).
        remedy: what to do where it was not.

    Raises:
        ImageError: another shape.
    """
    height, width = images.size_of(image)
    for mask in masks:
        mask_height, mask_width = images.size_of(mask)
        if abs(mask_width * height / (mask_height * width) - 1) > SHAPE_TOLERANCE:
            raise ImageError(
                f"the mask was painted over {mask_width}×{mask_height} pixels, the photo is {width}×{height}; {remedy}"
            )


_NUMBERS = count(1)


class Instead(NamedTuple):
    """What a place shows instead of an upload.

    Attributes:
        number: another one each time, as the same file may be put there again.
        upload: which is not touched if another has its place by now.
        file: what there is of one that is cut short; None: nothing, which makes room for another.
    """

    number: int = 0
    upload: Path | None = None
    file: Path | None = None

    @classmethod
    def of(cls, upload: Path, file: Path | None = None) -> "Instead":
        """Have a file shown instead of an upload, or nothing."""
        return cls(next(_NUMBERS), upload, file)


def checked(picture: PictureInput) -> Dependency:
    """Have what is put into a place looked at at once; give the event by which the place shows something else.

    A usable upload changes nothing on the page: gradio 6.31 keeps a timer running at every frame for each picture that
    an event writes to while it is shown, which costs the machine that paints.
    """
    instead, shown = instead_of(picture)
    picture.upload(check_upload, picture, instead, trigger_mode="always_last", **QUEUED)
    return shown


def instead_of(place: PictureInput | gr.File) -> tuple[gr.State, Dependency]:
    """Make an output of handlers that looked at an upload, an Instead, and the event by which its place shows that."""
    instead = gr.State(Instead())
    return instead, instead.change(shown_instead, [instead, place], place, **INSTANT)


def shown_instead(instead: Instead, there: str | Path | None) -> Update:
    """Give what a place shows instead of an upload, if that is there still."""
    return instead.file if there and Path(there) == instead.upload else gr.skip()


def check_upload(path: Path | None) -> Instead | Update:
    """Say at once if an upload is no picture, is cut short, or is one that browsers do not show.

    What there is of one that is cut short is to be seen in every browser, and to be painted.
    """
    if path is None:
        return gr.skip()
    try:
        images.check(path)
        if whole := _whole(path):
            return Instead.of(path, whole)
    except NSTError as error:
        warn(error, "This picture cannot be used")
        return Instead.of(path)
    if (ending := Path(path).suffix.lower()) in NOT_SHOWN:
        warn(f"most browsers do not show a {ending[1:].upper()}; it is read all the same", "No preview", 6)
    return gr.skip()


def is_usable(path: Path, *, whole: bool = False) -> bool:
    """Tell whether a file is a picture that can be painted at one size or another; it is decoded for that.

    Args:
        path: the file.
        whole: whether one that is cut short is not.
    """
    try:
        images.check(path)
        return not (images.is_cut_short(path, images.READ_SIDE) and whole)
    except ImageError:
        return False


def _whole(path: Path) -> Path | None:
    """Make a whole picture of what there is of one that is cut short, and tell so; None: it is not."""
    if not images.is_cut_short(path, images.READ_SIDE):
        return None
    image = images.load(path, max_side=_side_of(path), keep_transparency=True)  # which tells so
    whole = new_file(f"{Path(path).stem}.png")
    with writing(whole) as aside:
        images.to_pil(image).save(aside, "PNG")
    return whole


def _side_of(path: Path) -> int:
    """Choose how large a picture is read: as it is, if there is memory for that."""
    try:
        images.check(path, max_side=images.MAX_SIDE)
    except ImageError:
        return images.READ_SIDE
    return images.MAX_SIDE


def read_upload(path: Path, read: Callable[[Path], Made]) -> tuple[Made, Path]:
    """Read an upload that is used at once; what is made of it, and the file: of one that is cut short, what there is.

    Raises:
        NSTError: as `read` does.
    """
    told: list[Toast] = []
    with noting(told):
        made = read(path)
    for toast in told:
        warn(*toast)
    with noting([]):  # as it is told
        return made, (told and _whole(path)) or path
