"""Does with a file what the program does with one of its kind, from the first look to the painting."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor

from nst_core import images
from nst_core.augment.folder import augment
from nst_core.augment.labels import read_index
from nst_core.errors import ImageError, NSTError
from nst_core.features import weights
from nst_core.features.checkpoint import MEANS
from nst_core.features.loading import load_network
from nst_core.features.scale import UNIT, rescaled
from nst_core.features.vgg import VGG, layer_names
from nst_core.images import PictureWarning as PictureWarning
from nst_core.instant.catalogue import open_styles
from nst_core.instant.kinds import PICTURE, kind_of
from nst_core.instant.video import paint_video
from nst_core.transfer.record import read_record
from nst_core.ui.folders.class_folders import unpack
from tests.runs import CPU

FULL = "takes more memory than there is"  # which here is less than there is
FILM_SIDE = 64  # pixels, at which frames are painted; they are decoded at their own


def read_picture(path: Path, room: Path) -> None:
    """A photo or style: checked when it is dropped, asked for its record, read; an animation painted."""
    with suppress(NSTError):
        read_record(path)
    allowed = _passes(lambda: images.check(path))
    with suppress(NSTError):
        if kind_of(path) is not PICTURE:
            read_film(path, room)
    _check_image(images.load(path, keep_transparency=True))
    _check_image(images.load(path))
    if not allowed:
        raise ValueError("what is refused at the door is read inside")


def _passes(look: Callable[[], None]) -> bool:
    try:
        look()
    except NSTError:
        return False
    return True


def _check_image(image: Tensor) -> None:
    if not (image.ndim == 4 and image.shape[1] in (3, 4) and 0 <= image.min() <= image.max() <= 1):
        raise ValueError(f"an image {tuple(image.shape)} from {image.min()} to {image.max()}")


def read_film(path: Path, room: Path) -> None:
    """A film or animation: looked into, then painted with its sound."""
    kind = kind_of(path)
    if kind is PICTURE:
        raise ImageError("it is a picture")
    output = room / f"painted{kind.endings[0]}"
    for progress in paint_video(path, output, lambda image: image, size=FILM_SIDE):
        if progress.image is not None:
            _check_image(progress.image)
    if not output.is_file():
        raise ValueError("nothing was painted, and nothing said")


def read_weights(path: Path, room: Path) -> None:
    """Weights of a backbone, by NST_WEIGHTS: found, loaded, rescaled, looked through."""
    os.environ["NST_WEIGHTS"] = str(path)
    if weights.find("vgg16") is None or os.environ["NST_WEIGHTS"] != str(weights.require("vgg16").path):
        raise ImageError("it is passed over")
    network, checkpoint = load_network("vgg16", CPU)
    state = weights.load(checkpoint)
    if any(name.startswith(MEANS) for name in state):
        network = VGG("vgg16", rescaled(state, "vgg16", UNIT))
    network(torch.full((1, 3, 16, 16), 0.5), layer_names("vgg16")[-1:])


def read_styles(path: Path, room: Path) -> None:
    """A file of styles: taken in, each style taken out, a picture painted."""
    catalogue = open_styles(path)
    painter = catalogue.painter(CPU)
    for name in list(catalogue.styles)[:2]:
        catalogue.extract(name)
        images.to_bytes(painter.paint(torch.rand(1, 3, 16, 16), {name: 1.0}, strength=0.5))


class _Plain:
    """A brush that paints nothing."""

    styles = ("plain",)

    def paint(self, image: Tensor, style: str, strength: float) -> Iterator[tuple[float, Tensor]]:
        yield 1.0, image


def read_zip(path: Path, room: Path) -> None:
    """A ZIP of class folders: unpacked, painted, its index read."""
    folder, beside = room / "pictures", set(room.iterdir())
    try:
        unpack(path, folder)
    except NSTError:
        if folder.exists():
            raise ValueError("a refused ZIP leaves files behind") from None
        raise
    if set(room.iterdir()) != beside | {folder}:
        raise ValueError("a ZIP was unpacked beside its folder")
    for _ in augment(folder, room / "painted", _Plain()):
        pass
    read_index(room / "painted")


# Format -> what is done with a file and a folder that is empty.
READERS: dict[str, Callable[[Path, Path], None]] = {
    **dict.fromkeys(("jpeg", "png", "webp", "gif", "tiff", "float tiff", "exr", "heic", "avif"), read_picture),
    **dict.fromkeys(("jpeg2000", "bmp", "ico", "tga"), read_picture),
    "backbone": read_weights,
    "checkpoint": read_weights,
    "styles": read_styles,
    "mp4": read_film,
    "film": read_film,
    "zip": read_zip,
}


def read(name: str, path: Path, room: Path) -> bool:
    """Do with a file of a format what the program does; tell whether it was opened, else it was refused.

    Raises:
        anything but NSTError: the program is wrong.
    """
    room.mkdir(exist_ok=True)
    try:
        READERS[name](path, room)
    except NSTError as error:
        if not str(error) or not str(error).isprintable() or len(str(error)) > 1000:
            raise ValueError(f"no sentence: {str(error)!r}") from error
        if FULL in str(error):
            raise ValueError("more memory than a file may take was asked for") from error
        return False
    finally:
        shutil.rmtree(room)
    return True
