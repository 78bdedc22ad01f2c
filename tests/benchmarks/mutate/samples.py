"""Small files of every kind that the program reads, whole ones, several variants of each, made by code."""

import io
import json
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageCms, PngImagePlugin
from safetensors.torch import save

from nst_core.features.checkpoint import expected_shapes, scale_shapes
from nst_core.instant.network import TransformationNetwork
from nst_core.instant.styles import StyleFile, save_styles
from nst_core.pictures.jpeg_text import exif_of
from nst_core.pictures.opening import known_formats
from nst_core.transfer.record import TEXT_KEY
from tests import picture_files
from tests.instant import films
from tests.pictures import plain_tiffs

SIDES = 40, 32  # pixels
RECORD = json.dumps({"config": {"steps": 3}, "steps": 3, "notes": ["small"]})
# A backbone as small as can be, in the place of VGG-16, so that a file of it is read in no time.
SMALL_VGG = (1, 1, "M", 1, 1, "M", 1, 1, 1, "M", 2, 2, 2, "M", 2, 2, 2, "M")


def pixels(mode: str = "RGB", *, sides: tuple[int, int] = SIDES, seed: int = 0) -> Image.Image:
    """A picture of soft colours and some noise, of any of Pillow's modes."""
    width, height = sides
    noise = np.random.default_rng(seed).integers(0, 40, (height, width, 3))
    rgb = Image.fromarray((films.ramp(height, width) // 1.2 + noise).clip(0, 255).astype(np.uint8))
    if mode in ("P", "PA"):
        return rgb.quantize(32)
    if mode.startswith("I;16"):
        deep = (np.asarray(rgb.convert("L")).astype(np.uint16) * 257).astype(">u2" if mode == "I;16B" else "<u2")
        return Image.frombytes(mode, rgb.size, deep.tobytes())
    if mode == "LAB":
        return ImageCms.profileToProfile(
            rgb, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    if mode in ("RGBA", "LA"):
        made = rgb.convert(mode)
        made.putalpha(rgb.getchannel("R"))
        return made
    return rgb.convert(mode)


def saved(mode: str, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    pixels(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def turned(orientation: int = 6) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "maker"
    return exif.tobytes()


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def jpeg() -> Iterator[bytes]:
    for options in ({}, {"progressive": True}, {"subsampling": 0, "quality": 95}, {"restart_marker_rows": 1}):
        yield saved("RGB", "JPEG", **options)
    yield saved("RGB", "JPEG", exif=turned(), icc_profile=profile(), comment=b"small")
    yield saved("L", "JPEG", exif=turned(3))
    yield saved("CMYK", "JPEG")
    yield saved("RGB", "JPEG", exif=exif_of({TEXT_KEY: RECORD}))
    yield saved("RGB", "MPO", save_all=True, append_images=[pixels(seed=1)])


def png() -> Iterator[bytes]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        yield saved(mode, "PNG")
    yield saved("P", "PNG", transparency=3, bits=8)
    yield saved("RGB", "PNG", transparency=(9, 9, 9), icc_profile=profile(), exif=turned())
    yield picture_files.interlaced(np.asarray(pixels()))
    yield saved("RGBA", "PNG", save_all=True, append_images=[pixels("RGBA", seed=1)], duration=40)
    info = PngImagePlugin.PngInfo()
    info.add_itxt(TEXT_KEY, RECORD, zip=True)
    info.add_text("Title", "small")
    info.add(b"gAMA", struct.pack(">I", 100_000))
    info.add(b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))
    yield saved("RGB", "PNG", pnginfo=info)
    colours = PngImagePlugin.PngInfo()
    colours.add(b"cICP", bytes([9, 16, 0, 1]))
    yield saved("L", "PNG", pnginfo=colours)


def webp() -> Iterator[bytes]:
    for options in ({}, {"lossless": True}, {"exif": turned(), "icc_profile": profile()}):
        yield saved("RGB", "WEBP", **options)
    yield saved("RGBA", "WEBP")
    yield saved("RGBA", "WEBP", lossless=True, exact=True)
    yield saved("RGBA", "WEBP", save_all=True, append_images=[pixels("RGBA", seed=1)], duration=40)


def gif() -> Iterator[bytes]:
    for options in ({}, {"interlace": 0}, {"transparency": 2}, {"comment": b"small"}):
        yield saved("P", "GIF", **options)
    yield saved("L", "GIF")
    for disposal in (1, 2, 3):
        more = [pixels("P", seed=number) for number in (1, 2)]
        yield saved("P", "GIF", save_all=True, append_images=more, duration=40, disposal=disposal, loop=0)


def tiff() -> Iterator[bytes]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I;16B", "I", "F", "LAB"):
        yield saved(mode, "TIFF")
    for packing in ("tiff_lzw", "tiff_deflate", "packbits", "jpeg"):
        yield saved("RGB", "TIFF", compression=packing, tiffinfo={278: 8, 274: 6})
    for packing in ("group3", "group4"):
        yield saved("1", "TIFF", compression=packing)
    yield saved("YCbCr", "TIFF", compression="jpeg")
    yield saved("RGB", "TIFF", icc_profile=profile(), tiffinfo={274: 5})
    yield saved("RGB", "TIFF", save_all=True, append_images=[pixels("L")])
    yield saved("RGB", "TIFF", big_tiff=True)
    for layout in (
        {"planes": True},
        {"planes": True, "tile": True},
        {"packed": True, "differences": True, "big": True},
    ):
        for bits, samples in ((16, 4), (12, 2), (32, 3)):
            numbers = np.arange(20 * 24 * samples).reshape(20, 24, samples) % 2**bits
            yield plain_tiffs.tiff(
                numbers, bits, 1 if samples == 2 else 2, ">", more={338: [1], 274: [6]}, **dict.fromkeys(layout, True)
            )
    yield picture_files.one_tile(32)


def light(kind: str, channels: int) -> np.ndarray:
    """From black to twice white, (H, W, channels)."""
    width, height = SIDES
    return np.linspace(0, 2, height * width * channels).reshape(height, width, channels).astype(kind)


def float_tiff() -> Iterator[bytes]:
    for kind in ("f2", "f4", "f8"):
        yield picture_files.float_tiff(light(kind, 1)[..., 0])
        for order in "<>":
            yield picture_files.float_tiff(light(kind, 3), order, {34675: profile(), 274: b"\6"})
            yield picture_files.float_tiff(light(kind, 4), order, {338: b"\1"})
    for packing, predictor in ((5, 1), (8, 3), (32773, 1)):
        told = [cv2.IMWRITE_TIFF_COMPRESSION, packing, cv2.IMWRITE_TIFF_PREDICTOR, predictor]
        yield cv2.imencode(".tif", light("f4", 3), told)[1].tobytes()


def exr() -> Iterator[bytes]:
    for kind in ("<f2", "<f4"):
        for names in ("Y", "RGB", "RGBA"):
            values = light(kind, len(names))
            yield picture_files.exr({name: values[..., number] for number, name in enumerate(names)})
    for packing in ("rle", "zip1", "zip16"):
        for kind in ("half", "float"):
            yield picture_files.packed_exr(light("f4", 3), packing, kind)


def heic() -> Iterator[bytes]:
    import pillow_heif  # which not every computer has

    known_formats()
    for mode in ("RGB", "RGBA", "L"):
        yield saved(mode, "HEIF", quality=60)
    yield saved("RGB", "HEIF", quality=60, exif=turned(), icc_profile=profile())
    yield saved("RGB", "HEIF", quality=60, save_all=True, append_images=[pixels(seed=1)])
    buffer = io.BytesIO()
    deep = np.asarray(pixels()).astype(np.uint16) * 257
    pillow_heif.from_bytes(mode="RGB;16", size=SIDES, data=deep.tobytes()).save(buffer, quality=60)
    yield buffer.getvalue()


def avif() -> Iterator[bytes]:
    for mode in ("RGB", "RGBA"):
        yield saved(mode, "AVIF", quality=60, exif=turned(), icc_profile=profile())
    yield saved("RGB", "AVIF", quality=60, save_all=True, append_images=[pixels(seed=1)], duration=40)


def jpeg2000() -> Iterator[bytes]:
    for mode in ("RGB", "RGBA", "L"):
        yield saved(mode, "JPEG2000")
    yield saved("RGB", "JPEG2000", tile_size=(16, 16), num_resolutions=3, irreversible=True)
    yield saved("RGB", "JPEG2000", no_jp2=True)


def bmp() -> Iterator[bytes]:
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        yield saved(mode, "BMP")


def ico() -> Iterator[bytes]:
    for kind in ("png", "bmp"):
        yield saved("RGBA", "ICO", sizes=[(16, 16), (32, 32)], bitmap_format=kind)


def tga() -> Iterator[bytes]:
    for mode in ("L", "P", "RGB", "RGBA"):
        yield saved(mode, "TGA")
        yield saved(mode, "TGA", compression="tga_rle")


def moving() -> list[np.ndarray]:
    return [np.roll(films.ramp(48, 64), 3 * number, axis=1) for number in range(6)]


def film() -> Iterator[bytes]:
    """In containers other than MP4."""
    for container, codec, kind, sound in (
        ("matroska", "libx264", "yuv420p", "flac"),
        ("webm", "libvpx", "yuv420p", "libopus"),
        ("avi", "mjpeg", "yuvj420p", "pcm_s16le"),
        ("mpegts", "mpeg2video", "yuv420p", "mp2"),
        ("vob", "mpeg2video", "yuv420p", "ac3"),
        ("flv", "flv", "yuv420p", None),
        ("asf", "wmv2", "yuv420p", "libmp3lame"),
        ("ogv", "libvpx", "yuv420p", "libopus"),
    ):
        with tempfile.TemporaryDirectory() as folder:
            pictures = [films.frame_of(frame, kind, full=kind == "yuvj420p") for frame in moving()]
            path = Path(folder) / "film"
            yield films.write(path, pictures, codec, container=container, sound=sound).read_bytes()


def mp4() -> Iterator[bytes]:
    fragments = {"movflags": "frag_keyframe+empty_moov"}
    for codec, kind, options in (
        ("libx264", "yuv420p", {"sound": "aac"}),
        ("libx264", "yuv420p", {"sound": "aac", "options": {"flags": "+ildct+ilme", "x264-params": "tff=1"}}),
        ("mpeg4", "yuv420p", {"sound": "mp3"}),
        ("libx265", "yuv420p10le", {"options": {"x265-params": "log-level=none"}, "color_trc": 18}),
        ("libvpx-vp9", "yuv420p", {"sound": "libopus"}),
        ("mjpeg", "yuvj420p", {"metadata": {"rotate": "90"}}),
        ("libx264", "yuv420p", {"container": "mp4", "sound": "aac", "container_options": fragments}),
    ):
        with tempfile.TemporaryDirectory() as folder:
            pictures = [films.frame_of(frame, kind, full=kind == "yuvj420p") for frame in moving()]
            yield films.write(Path(folder) / "film.mp4", pictures, codec, **options).read_bytes()


def safetensors() -> Iterator[bytes]:
    """Weights of a backbone, with and without what rescales its features."""
    generator = torch.Generator().manual_seed(0)
    for extra in ({}, scale_shapes("vgg16")):
        state = {
            name: torch.rand(shape, generator=generator) for name, shape in (expected_shapes("vgg16") | extra).items()
        }
        yield save(state, {"made by": "a test"})
    yield save({name: tensor.half() for name, tensor in state.items()})


def checkpoint() -> Iterator[bytes]:
    """The same as torch writes it, in its own two ways."""
    state = {name: torch.rand(shape) for name, shape in expected_shapes("vgg16").items()}
    for zipped in (True, False):
        buffer = io.BytesIO()
        torch.save(state, buffer, _use_new_zipfile_serialization=zipped)
        yield buffer.getvalue()


def styles() -> Iterator[bytes]:
    torch.manual_seed(0)
    small = saved("RGB", "JPEG")
    for names, width in ((("waves",), 1), (("waves", "stars", "a b"), 2)):
        network = TransformationNetwork([*names, "photo"], width)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "styles.safetensors"
            save_styles(StyleFile(network, {names[0]: small}, {"images": "some", "steps": "12"}), path)
            yield path.read_bytes()


def packed_folders() -> Iterator[bytes]:
    picture, odd = saved("RGB", "PNG"), saved("P", "GIF")
    for names, packing in (
        (("cat/a.png", "cat/b.png", "dog/a.png"), zipfile.ZIP_STORED),
        (("cat/a.png", "dog/b.png", "notes.txt", "dog/.hidden.png"), zipfile.ZIP_DEFLATED),
        (("a/b/c/cat/ä.png", "a/b/c/dog/日本.png", "__MACOSX/a/._x.png", "a/b/c/dog/"), zipfile.ZIP_DEFLATED),
        (("cat/no ending", "cat/a.b.c.png", "dog/" + "x" * 150 + ".png"), zipfile.ZIP_STORED),
    ):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", packing) as archive:
            for number, name in enumerate(names):
                archive.writestr(name, b"" if name.endswith("/") else odd if number == 1 else picture)
            archive.comment = b"small"
        yield buffer.getvalue()


# Format -> (what makes its files, their ending).
FORMATS: dict[str, tuple[Callable[[], Iterator[bytes]], str]] = {
    "jpeg": (jpeg, ".jpg"),
    "png": (png, ".png"),
    "webp": (webp, ".webp"),
    "gif": (gif, ".gif"),
    "tiff": (tiff, ".tif"),
    "float tiff": (float_tiff, ".tif"),
    "exr": (exr, ".exr"),
    "heic": (heic, ".heic"),
    "avif": (avif, ".avif"),
    "jpeg2000": (jpeg2000, ".jp2"),
    "bmp": (bmp, ".bmp"),
    "ico": (ico, ".ico"),
    "tga": (tga, ".tga"),
    "backbone": (safetensors, ".safetensors"),
    "checkpoint": (checkpoint, ".pth"),
    "styles": (styles, ".safetensors"),
    "mp4": (mp4, ".mp4"),
    "film": (film, ".mkv"),
    "zip": (packed_folders, ".zip"),
}


@cache
def samples(name: str) -> list[bytes]:
    """All whole files of a format."""
    return list(FORMATS[name][0]())
