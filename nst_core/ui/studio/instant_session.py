"""Holds one open page's instant painting: its styles, which of them are chosen, and the network that paints."""

import base64
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, cached_property
from html import escape
from pathlib import Path
from typing import IO, Any, NamedTuple

import gradio as gr
from torch import Tensor

from nst_core import images
from nst_core.devices import choose_compute
from nst_core.engine.devices import DEVICES
from nst_core.errors import ConfigError, NSTError, said
from nst_core.file_names import Names, named_after, portable
from nst_core.instant.any_style import Paints, thumbnail, unlike
from nst_core.instant.catalogue import Catalogue, Style, open_styles
from nst_core.instant.easel import Turn
from nst_core.instant.nearby import Asked, Nearby, nearby
from nst_core.instant.network import LONGEST_NAME
from nst_core.instant.painted_picture import save_painted
from nst_core.instant.painter import Painter
from nst_core.instant.palette import PlainRecipe, Strokes, plain_recipe
from nst_core.instant.styles import StyleFile
from nst_core.steps import Steps, finish
from nst_core.ui.serving.jobs import Job
from nst_core.ui.serving.page_state import PageState
from nst_core.ui.studio.camera import NO_STYLE, Live
from nst_core.ui.widgets.thumbnail_strip import StripValue, Thumbnail
from nst_core.universal.painter import UniversalPainter, style_picture

NO_BLEND = "nothing"
MOST_OWN = 12  # pictures that a page keeps as styles; one takes up to 3 MB
OWN_ORIGIN = "a picture of yours"


class Mix(NamedTuple):
    """Holds all that a person sets beside the style; its controls have the same names."""

    strength: float = 1.0  # 0 … 1
    second: str = NO_BLEND  # another style, or NO_BLEND
    share: float = 0.5  # of the second style
    color: str = "style"  # or "content": of COLORS, those for which nothing is done before painting

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> "Mix":
        """Take the mix out of what the page shows."""
        return cls(**{name: shown[name] for name in cls._fields})


AsPainted = tuple[str, Mix, Path | None, float | None, bool]  # style, mix, picture, size, whether transparency is kept


class Brush:
    """Paints images, (1, 3, H, W) in [0, 1], as it was set when it was made.

    Args:
        painter: who paints.
        weights: style -> how much of it.
        mix: strength and colours.
    """

    def __init__(self, painter: Paints, weights: Mapping[str, float], mix: Mix):
        self._painter, self._weights, self._mix = painter, weights, mix
        self._strokes = Strokes(dict(weights), mix.strength, mix.color)

    def file_name(self, thing: str, ending: str) -> str:
        """Name a file after what is painted, and in which styles."""
        return named_after(thing, *self._weights, ending=ending)

    def save(self, image: Tensor, file: Path | IO[bytes], *, jpeg: bool | None = None) -> None:
        """Write what it painted, as `save_painted`."""
        mix = self._mix
        save_painted(image, file, self._weights, strength=mix.strength, color=mix.color, jpeg=jpeg)

    def __call__(self, image: Tensor) -> Tensor:
        """Paint an image at once."""
        return finish(self.steps(image))

    def steps(self, image: Tensor) -> Steps[Tensor]:
        """Paint an image in steps, for DEVICES to take turns with others."""
        return (yield from self._strokes.paint(self._painter, image))

    def refine(self, image: Tensor, painted: Tensor) -> Steps[Tensor]:
        """Go on from a painting in steps, see `refined`; gives the painting itself where there is nothing to refine."""
        return (yield from self._strokes.refine(self._painter, image, painted, choose_compute()))

    @cached_property
    def recipe(self) -> PlainRecipe:
        """Write it down for other machines."""
        return plain_recipe(self._painter, self._strokes)

    @cached_property
    def nearby(self) -> Nearby | None:
        """Who paints by it elsewhere; None: nobody does."""
        return nearby()

    def asked(self, image: Tensor, turn: Turn) -> Asked | None:
        """Ask whoever is near by for a camera's frame; None: paint it here."""
        return self.nearby.frame(self.recipe, image, turn) if self.nearby else None


@cache
def bundled() -> Catalogue:
    """Open the styles that come along; none where their file is missing, as a person is told when painting."""
    try:
        return open_styles()
    except NSTError:
        return Catalogue()


@cache
def _bundled_painter() -> Painter:
    return bundled().painter(choose_compute())


class InstantSession(PageState):
    """Holds the styles that a page can choose of, and what is chosen.

    They are its own, each of a picture that it was given, and those of trained networks.
    """

    def __init__(self) -> None:
        self.catalogue = bundled()
        self.own: dict[str, Style] = {}
        self.chosen = next(iter(self.catalogue.styles), "")
        self.picked = 0.0  # when a style was clicked last, by the page's clock
        self.mix = Mix()
        self.live = Live()
        self.video, self.batch, self.lesson = Job(), Job(), Job()
        self.painting: Path | None = None  # the picture that is, until it is put away
        self.source: Path | None = None  # of the last painted picture
        self.result: Path | None = None
        self.painted: AsPainted | None = None  # as shown
        self.found: AsPainted | None = None  # as a page shows it that was opened without one of its styles
        self.told = ""  # of what is painted
        self.key = ""  # by which its browser finds what it left; "": it has none
        self.pictures: dict[str, Path] = {}  # style -> the picture that it was learned from, where this page has it
        self.files: dict[str, Path] = {}  # first style of a file that this page added -> the file
        self._painter: Painter | None = None  # of a catalogue of this page's own
        self._own_painter: UniversalPainter | None = None

    def leave(self) -> None:
        """End what goes on for a page that was closed: its film, its pictures, its lesson and its camera."""
        for job in (self.video, self.batch, self.lesson):
            job.steering.stop.set()
        self.live.close()

    @property
    def names(self) -> list[str]:
        """List the names of all styles."""
        return list(self.styles)

    @property
    def styles(self) -> dict[str, Style]:
        """All styles by name: its own first, the newest before all."""
        return {**dict(reversed(self.own.items())), **self.catalogue.styles}

    @property
    def blends(self) -> list[tuple[str, str]]:
        """List the menu of second styles, (title, name)."""
        return [(NO_BLEND, NO_BLEND), *((title_of(name), name) for name in self.names)]

    def still_second(self) -> str:
        """Tell which style is blended with the chosen one: the one that was, where both are of one kind."""
        second = self.mix.second
        return second if (second in self.own) == (self.chosen in self.own) else NO_BLEND

    def add(self, file: StyleFile, origin: str) -> list[str]:
        """Take in a file's styles and choose the first of them; return their names.

        Raises:
            ConfigError: a name that is taken.
        """
        if taken := [name for name in file.network.styles if name in self.own]:
            raise ConfigError(f"there is a style {said(taken[0])} already, a picture of yours; rename the new one")
        catalogue = self.catalogue.copy()
        names = catalogue.add(file, origin)
        self._painter, self.catalogue = None, catalogue
        self.chosen = names[0]
        return names

    def add_picture(self, path: Path) -> str:
        """Take a picture as a style, choose it, and return its name. Not on DEVICES.

        The oldest of MOST_OWN goes for it.

        Raises:
            ImageError: not a picture, or too large or small a one.
            DeviceError: no memory for it.
        """
        picture = style_picture(images.load(path))
        free = Names(LONGEST_NAME)
        for known in self.names:
            free.free(known)
        name = free.free(portable(path.stem.replace(" ", "_")) or "picture")
        pictures = {} if self._own_painter is None else self._own_painter.pictures
        kept = dict(list(pictures.items())[-MOST_OWN + 1 :])

        def ready() -> tuple[UniversalPainter, bytes]:
            painter = UniversalPainter({**kept, name: picture}, choose_compute())
            return painter, thumbnail(painter, name)

        self._own_painter, small = DEVICES.submit(ready).result()
        self.own = {known: self.own[known] for known in kept} | {name: Style(name, OWN_ORIGIN, small)}
        self.pictures[name], self.chosen = path, name
        return name

    def take_back(self, own: Mapping[str, tuple[Path, bytes]]) -> None:
        """Have pictures as styles again, name -> file and thumbnail, the newest last. Not on DEVICES.

        Raises:
            ImageError, DeviceError: as `add_picture`.
        """
        pictures = {name: style_picture(images.load(path)) for name, (path, _) in own.items()}
        if pictures:
            self._own_painter = DEVICES.submit(UniversalPainter, pictures, choose_compute()).result()
        self.own = {name: Style(name, OWN_ORIGIN, small) for name, (_, small) in own.items()}
        self.pictures |= {name: path for name, (path, _) in own.items()}

    def brush(self) -> "Brush":
        """Make the brush for what is set now. Not on DEVICES, on which the brush is called.

        Raises:
            ConfigError: no style is there or chosen, or two that cannot be blended.
        """
        if not self.names:
            raise ConfigError("this program came without its file of styles; get it anew, or load a file of your own")
        if not self.chosen:  # as what was chosen is gone
            raise ConfigError(NO_STYLE)
        mix, weights = self.mix, {self.chosen: 1.0}
        if mix.second not in (NO_BLEND, self.chosen):
            weights = {self.chosen: 1 - mix.share, mix.second: mix.share}
        painter = self._painter_of(weights)
        painter.recipe(weights, mix.strength)  # what is wrong is said now
        return Brush(painter, weights, mix)

    def point_camera(self) -> None:
        """Let the camera's next frame be painted as it is set now.

        A setting that cannot be painted leaves it as it is; painting the picture, which follows every choice, says why.
        """
        with suppress(NSTError):
            self.live.paint = self.brush()

    def _painter_of(self, weights: Mapping[str, float]) -> Paints:
        own = [name for name in weights if name in self.own]
        if self._own_painter and len(own) == len(weights):
            return self._own_painter
        if own:
            trained = next(name for name in weights if name not in self.own)
            raise unlike(title_of(own[0]), title_of(trained))
        return self._ready_painter()

    def _ready_painter(self) -> Painter:
        if self.catalogue is bundled():
            return DEVICES.submit(_bundled_painter).result()
        if self._painter is None:
            self._painter = DEVICES.submit(lambda: self.catalogue.painter(choose_compute())).result()
        return self._painter

    def said(self) -> str:
        """Write the chosen styles in words: "starry night", "half starry night, half koi mosaic"."""
        mix, first = self.mix, title_of(self.chosen)
        if mix.second in (NO_BLEND, self.chosen):
            return first
        return f"{first} with {mix.share:.0%} {title_of(mix.second)}"

    def strip_value(self) -> StripValue:
        """List what the strip of styles shows."""
        items = []
        for number, style in enumerate(self.styles.values(), 1):
            name, small = title_of(style.name), base64.b64encode(style.thumbnail or b"").decode()
            item: Thumbnail = {
                "number": number,
                "thumbnail": f"data:image/jpeg;base64,{small}",
                "name": escape(f"{name}, {style.origin}"),
                "caption": escape(name),
            }
            items.append(item)
        chosen = self.names.index(self.chosen) + 1 if self.chosen else 0
        return {"items": items, "chosen": chosen, "label": "Styles", "empty": "There are no styles here."}

    def choose(self, number: int) -> None:
        """Take the style of that number in the strip; an unknown one changes nothing."""
        if 1 <= number <= len(self.names):
            self.chosen = self.names[number - 1]


def title_of(name: str) -> str:
    """Write a style's name for people: "starry_night" -> "starry night"."""
    return name.replace("_", " ")


def shown_styles(session: InstantSession) -> dict[str, Any]:
    """Show a page's styles in the "strip" and in the menu of the "second" one, which stays where it can be blended."""
    return {"strip": session.strip_value(), "second": gr.Dropdown(session.blends, value=session.still_second())}
