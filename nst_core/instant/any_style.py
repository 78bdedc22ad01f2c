"""Chooses who paints in the styles that a person names: the trained networks, or pictures of styles."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from torch import Tensor

from nst_core import images
from nst_core.devices import Compute
from nst_core.errors import ConfigError, listed, said
from nst_core.file_names import Names
from nst_core.instant.catalogue import Catalogue
from nst_core.instant.network import LONGEST_NAME
from nst_core.instant.styles import PAINTED_SIDE, SHOWN, THUMBNAIL_SIDE
from nst_core.steps import Steps
from nst_core.universal.painter import UniversalPainter, style_picture


class Paints(Protocol):
    """Paints in styles that it knows by name."""

    def recipe(self, weights: Mapping[str, float], strength: float = 1.0) -> object:
        """Refuse weights or a strength that cannot be painted."""
        ...

    def paint(self, image: Tensor, weights: Mapping[str, float], *, strength: float = 1.0) -> Tensor:
        """Paint an image at once."""
        ...

    def steps(self, image: Tensor, weights: Mapping[str, float], *, strength: float = 1.0) -> Steps[Tensor]:
        """Paint an image in steps."""
        ...


def pictures_among(styles: Mapping[str, float], catalogue: Catalogue) -> list[Path]:
    """List those of the styles that are no trained ones, but files.

    Raises:
        ConfigError: one that is neither; or one of each kind, which cannot be blended.
    """
    paths = [Path(style) for style in styles if style not in catalogue.styles]
    for path in paths:
        if not path.is_file():
            raise ConfigError(
                f"there is no style {said(str(path))}, nor a picture of that name; choose of "
                f"{listed(catalogue.styles)}, or name a picture"
            )
    if paths and len(paths) < len(styles):
        trained = next(style for style in styles if style in catalogue.styles)
        raise unlike(paths[0].name, trained)
    return paths


def unlike(picture: str, trained: str) -> ConfigError:
    """Make the error about a blend of a picture and a trained style."""
    return ConfigError(
        f"{said(picture)} is a picture and {said(trained)} was trained, which cannot be blended; choose two of one kind"
    )


def painter_of(styles: Mapping[str, float], catalogue: Catalogue, compute: Compute) -> tuple[Paints, dict[str, float]]:
    """Make who paints in some styles, and say how much of each there is, by the names that it knows them by.

    Args:
        styles: names of trained styles, or paths of pictures -> how much of each.
        catalogue: the trained styles.
        compute: device and precision.

    Raises:
        ConfigError: as `pictures_among`.
        ImageError: a file that is no picture.
    """
    paths = pictures_among(styles, catalogue)
    if not paths:
        return catalogue.painter(compute), dict(styles)
    names = Names(LONGEST_NAME)
    named = {names.free(Path(style).stem): style for style in styles}  # as it was typed, "./a.jpg"
    pictures = {name: style_picture(images.load(style)) for name, style in named.items()}
    return UniversalPainter(pictures, compute), {name: styles[style] for name, style in named.items()}


def thumbnail(painter: UniversalPainter, name: str) -> bytes:
    """Paint the photograph that shows every style, as a small JPEG."""
    photo = images.cover(images.load(SHOWN), (PAINTED_SIDE, PAINTED_SIDE))
    return images.encode_jpeg(painter.paint(photo, {name: 1.0}), quality=80, max_side=THUMBNAIL_SIDE)
