"""Plans a batch of the page: what is painted in which styles and how, and whether this server takes it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nst_core.batch.ways import Instant, Optimized
from nst_core.devices import Compute, choose_compute
from nst_core.engine import cluster
from nst_core.engine.limits import check_work
from nst_core.engine.zero import painting_compute
from nst_core.errors import ConfigError, ImageError, NSTError
from nst_core.images import JPEG_ENDINGS
from nst_core.instant.painter import MAX_SIDE
from nst_core.transfer.config import SETTINGS, StyleTransferConfig
from nst_core.transfer.presets import PLAIN_PRESET, PRESETS
from nst_core.ui.folders.photos import Shape, shapes_of
from nst_core.ui.page.status import MINUTE
from nst_core.ui.studio.controls_and_config import config_of, default_config
from nst_core.ui.studio.session import Session

ENDINGS = {"PNG": ".png", "JPEG": JPEG_ENDINGS[0]}
BY = {"optimizer": "the studio, as set above", "instant": "one pass, far sooner"}
MOST_PAINTINGS = 400  # of a batch, all of which are cards on the page
PASS_STEPS = 10  # of the studio, that one pass takes as long as; measured with Lite on a CPU, at 512 pixels
FEWER = "take fewer photos or styles, fewer steps, or a smaller size"
OWN_COLORS = ("style", "content")  # that one pass can give

# Estimates the seconds of a run: of a config, for a content of a shape, on a device; None: it is not known yet.
Estimate = Callable[[StyleTransferConfig, Shape, Compute], float | None]
# Device and precision -> seconds that one pass over a million pixels took here, lately.
PASSES: dict[Compute, float] = {}


@dataclass(frozen=True)
class BatchPlan:
    """Says what is painted.

    Attributes:
        sources: photos and ZIPs, as they were dropped.
        shapes: of every photo, as far as they are known, (height, width).
        styles: pictures.
        way: how all are painted.
        ending: of the paintings' names, by which they are of a kind of ENDINGS.
    """

    sources: tuple[Path, ...]
    shapes: tuple[Shape, ...]
    styles: tuple[Path, ...]
    way: Optimized | Instant
    ending: str = ENDINGS["PNG"]

    @property
    def count(self) -> int:
        """Count the paintings."""
        return len(self.shapes) * len(self.styles)

    def as_wished(self) -> dict[str, Any]:
        """Give what the page shows of such a batch, by the names of BatchWish; files that are gone are left out."""
        sources, styles = ([str(path) for path in paths if path.is_file()] for paths in (self.sources, self.styles))
        way = self.way
        by, size = ("optimizer", way.config.size) if isinstance(way, Optimized) else ("instant", way.size)
        kind = next(kind for kind, ending in ENDINGS.items() if ending == self.ending)
        return {"photos": sources or None, "styles": styles or None, "by": by, "batch_size": size, "batch_kind": kind}

    def check(self) -> None:
        """Refuse what this server does not take; raises ConfigError."""
        if self.count > MOST_PAINTINGS:
            raise ConfigError(
                f"these are {self.text()}, and the page paints {MOST_PAINTINGS} at a time; "
                "take fewer, or the command `batch`"
            )
        if isinstance(self.way, Optimized):
            check_work(self.way.config.steps * self.count, self.way.config.size**2, FEWER)
        else:
            check_work(PASS_STEPS * len(self.styles), self._passed_pixels(), FEWER)

    def _passed_pixels(self) -> int:
        """Count the pixels of all photos as one pass would have them."""
        own = self.way.size if isinstance(self.way, Instant) else None
        scales = [(own or min(max(shape), MAX_SIDE)) / max(shape) for shape in self.shapes]
        return round(sum(height * width * scale**2 for (height, width), scale in zip(self.shapes, scales, strict=True)))

    def bytes(self) -> int:
        """Estimate the bytes that the paintings and their ZIP take."""
        if isinstance(self.way, Optimized):
            return 6 * self.count * self.way.config.size**2
        return 6 * len(self.styles) * self._passed_pixels()

    def seconds(self, estimate: Estimate) -> float | None:
        """Estimate how long it takes; None while nothing of the kind was painted here, or where a cluster paints."""
        total = 0.0
        if isinstance(self.way, Instant):
            compute = choose_compute()
            if compute in PASSES:
                return PASSES[compute] * self._passed_pixels() / 1e6 * len(self.styles)
        elif cluster.named():
            return None
        else:
            compute = painting_compute()
        for shape, times in Counter(self.shapes).items():
            try:
                seconds = estimate(self._config(shape), shape, compute)
            except NSTError:  # of a photo that cannot be painted so, as painting says
                continue
            if seconds is None:
                return None
            total += seconds * times
        return total * len(self.styles)

    def _config(self, shape: Shape) -> StyleTransferConfig:
        """Give the studio's settings; for one pass, those by which it would take as long."""
        if isinstance(self.way, Optimized):
            return self.way.config
        size = self.way.size or min(max(shape), MAX_SIDE)
        return default_config(PLAIN_PRESET).changed(size=size, steps=PASS_STEPS, smallest_scale=0)

    def text(self) -> str:
        """ "12 photos in 2 styles, 24 paintings"."""
        photos, styles = counted(len(self.shapes), "photo"), counted(len(self.styles), "style")
        return f"{photos} in {styles}" + (f", {self.count} paintings" if len(self.styles) > 1 else "")

    def told(self, estimate: Estimate) -> str:
        """Write all of it, with about how long it takes."""
        way = self.way
        if isinstance(way, Optimized):
            title = PRESETS[way.title].title if way.title in PRESETS else "own settings"
            how = f"{title}, {way.config.size} pixels, {counted(way.config.steps, 'step')} at most"
        else:
            how = f"one pass, {f'{way.size} pixels' if way.size else 'as large as the photos'}"
            how += ", in the photos' colours" if way.color == "content" else ""
        seconds = None
        with suppress(NSTError):  # of the device, as painting says
            seconds = self.seconds(estimate)
        about = f" · about {roughly(seconds)}" if seconds is not None else ""
        return f"{self.text()} · {how}{about}"


class BatchWish(NamedTuple):
    """Holds what a person wants to be painted."""

    photos: Sequence[str] | None  # files that were uploaded, pictures and ZIPs
    styles: Sequence[str] | None  # pictures; none: the page's
    by: str  # of BY
    batch_size: float | None  # pixels
    batch_kind: str  # of ENDINGS
    settings: Mapping[str, Any]  # what the page shows: "preset", "style", "keep_transparency" and the controls

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> "BatchWish":
        """Take it out of what the page shows."""
        return cls(**{name: shown[name] for name in cls._fields[:-1]}, settings=shown)

    def plan(self, session: Session) -> BatchPlan:
        """Plan the batch.

        Args:
            session: the page's, whose settings the studio takes.

        Raises:
            ConfigError, ImageError: what is missing, or wrong.
        """
        if missing := self.missing():
            raise ImageError(missing)
        sources, styles = (tuple(map(Path, dict.fromkeys(paths))) for paths in (self.photos or (), self._styles))
        way = self._instant() if self.by == "instant" else self._optimized(session)
        plan = BatchPlan(sources, tuple(shapes_of(sources, MOST_PAINTINGS)), styles, way, ENDINGS[self.batch_kind])
        plan.check()
        return plan

    def missing(self) -> str:
        """Say what is not there yet; "": nothing."""
        if not self.photos:
            return "there are no photos; drop some, or a ZIP of them"
        return "" if self._styles else "there is no style; drop style pictures here, or choose one above"

    @property
    def _styles(self) -> list[str]:
        own = self.settings["style"]
        return list(self.styles or ([str(own)] if own else []))

    @property
    def _size(self) -> int | None:
        size = self.batch_size
        return int(size) if size is not None and size == size // 1 else size  # type: ignore[return-value]

    def _optimized(self, session: Session) -> Optimized:
        config = config_of(session.base or self.settings["preset"], self.settings).changed(blend=(), last_step=0)
        if config.start == "image":
            raise ConfigError("start is 'image', and the photos of a batch have no such picture; choose another")
        if self._size is not None:
            config = config.changed(size=self._size)
        return Optimized(self.settings["preset"] or "settings", config, self._keeps_transparency)

    def _instant(self) -> Instant:
        if self._size is not None:
            SETTINGS["size"].check(self._size)
        color = self.settings["color"]
        color = color if color in OWN_COLORS else OWN_COLORS[0]
        return Instant(color=color, size=self._size, keep_transparency=self._keeps_transparency)

    @property
    def _keeps_transparency(self) -> bool:
        return self.settings["keep_transparency"] is not False


def counted(number: int, thing: str) -> str:
    """ "1 photo", "12 photos"."""
    return f"{number} {thing}{'s' * (number != 1)}"


def roughly(seconds: float) -> str:
    """Write seconds as people guess them: "half a minute", "4 min", "2 h 10 min"."""
    if seconds < 0.75 * MINUTE:
        return "half a minute" if seconds > 20 else f"{max(1, round(seconds))} s"
    minutes = max(1, round(seconds / MINUTE))
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
