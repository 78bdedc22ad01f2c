"""Lists the styles there are: those of this program, and those of files that people trained."""

from dataclasses import dataclass
from pathlib import Path

from nst_core.assets import ASSETS
from nst_core.devices import Compute
from nst_core.errors import ConfigError, WeightsError, listed, named, said
from nst_core.instant.network import PHOTO, TransformationNetwork, gather, same_convolutions
from nst_core.instant.painter import Painter
from nst_core.instant.styles import StyleFile, load_styles

BUNDLED = ASSETS / "instant"
BUNDLED_ORIGIN = "part of this program"
MOST_NETWORKS = 8  # of a catalogue; each of Johnson's width takes 7 MB, one as wide as may be 380 MB


@dataclass(frozen=True)
class Style:
    """A style that can be painted in.

    Attributes:
        name: of the style, once in a catalogue.
        origin: where it is from, in words.
        thumbnail: a small JPEG that shows it; None if its file holds none.
    """

    name: str
    origin: str
    thumbnail: bytes | None


class Catalogue:
    """Styles by name, and the networks that hold them: one for all that have the same convolutions."""

    def __init__(self) -> None:
        self.networks: list[TransformationNetwork] = []
        self.styles: dict[str, Style] = {}

    def copy(self) -> "Catalogue":
        """Copy the catalogue, so that more styles can be added to the copy alone."""
        copied = Catalogue()
        copied.networks, copied.styles = list(self.networks), dict(self.styles)
        return copied

    def add(self, file: StyleFile, origin: str) -> list[str]:
        """Take in a file's styles; those that can be blended with others' share a network with them.

        Returns:
            their names.

        Raises:
            ConfigError: a name that is taken; too many styles or networks.
        """
        names = [name for name in file.network.styles if name != PHOTO]
        if taken := [name for name in names if name in self.styles]:
            raise ConfigError(f"there is a style {said(taken[0])} already; give the new one another name")
        for number, network in enumerate(self.networks):
            if same_convolutions(network, file.network):
                own = [(network, name) for name in network.styles if name != PHOTO]
                merged = [*own, *((file.network, name) for name in names), (network, PHOTO)]
                self.networks[number] = gather(merged)
                break
        else:
            if len(self.networks) == MOST_NETWORKS:
                raise ConfigError(f"there are styles of {MOST_NETWORKS} networks already; begin anew for more")
            self.networks.append(file.network)
        self.styles |= {name: Style(name, origin, file.thumbnails.get(name)) for name in names}
        return names

    def extract(self, name: str) -> StyleFile:
        """Take out one style, as a file's content.

        Raises:
            ConfigError: there is no such style.
        """
        if name not in self.styles:
            raise ConfigError(f"there is no style {said(name)}; choose of {listed(self.styles)}")
        network = next(network for network in self.networks if name in network.styles)
        small = self.styles[name].thumbnail
        return StyleFile(gather([(network, name), (network, PHOTO)]), {name: small} if small else {})

    def painter(self, compute: Compute) -> Painter:
        """Put all styles on a device, ready to paint."""
        return Painter(self.networks, compute)


def open_styles(path: Path | None = None) -> Catalogue:
    """Open the styles of a file, or for None those of this program.

    Raises:
        WeightsError: no such file, or a damaged one.
    """
    catalogue = Catalogue()
    for file in [path] if path else sorted(BUNDLED.glob("*.safetensors")):
        catalogue.add(load_styles(file), named(file) if path else BUNDLED_ORIGIN)
    if not catalogue.styles:
        raise WeightsError(f"there are no styles in {BUNDLED}; get this program anew, or name a file of styles")
    return catalogue
