"""Holds one open page's figure: the pictures it is made of, how far it is, and how it can go on."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from nst_core import images
from nst_core.analysis.cutouts.cutout import cutout_of, visible_part
from nst_core.analysis.figure import Figure, FigureMaterial, Moment, Part, check_counts
from nst_core.analysis.figures.begin import begin_figure
from nst_core.analysis.figures.catalogue import FIRST
from nst_core.devices import release_freed_memory
from nst_core.engine.devices import DEVICES, Closable
from nst_core.errors import named
from nst_core.features.classifier import forget_classifier
from nst_core.ui.explain.examples import FigureExample, example_of
from nst_core.ui.explain.figure_table import Figures
from nst_core.ui.serving.jobs import Job
from nst_core.ui.serving.page_state import PageState
from nst_core.ui.studio.uploads import Drawn, check_shape, masks_of


class Pictures(NamedTuple):
    """The tab's pictures as files."""

    content: Path | None = None
    style: Path | None = None
    more_contents: Sequence[str] | None = None
    more_styles: Sequence[str] | None = None
    cutout: Path | None = None
    brush: Drawn | None = None  # painted over what is to be cut out

    @property
    def contents(self) -> list[Path]:
        """Every content picture, the first one first."""
        return [Path(path) for path in (self.content, *(self.more_contents or ())) if path]

    @property
    def styles(self) -> list[Path]:
        """Every style picture, the first one first."""
        return [Path(path) for path in (self.style, *(self.more_styles or ())) if path]

    def read(self, wanted: Sequence[str]) -> FigureMaterial:
        """Read the pictures that a figure wants; those of the single kinds are the first of their kind.

        Raises:
            ImageError: one that cannot be used, or too many.
        """
        contents = self.contents if "contents" in wanted else self.contents[:1] if "content" in wanted else []
        styles = self.styles if "styles" in wanted else self.styles[:1] if "style" in wanted else []
        check_counts(contents, styles)
        return FigureMaterial(
            contents=tuple(map(images.load, contents)),
            styles=tuple(map(images.load, styles)),
            content_names=tuple(map(_title, contents)),
            style_names=tuple(map(_title, styles)),
            cutout=self.read_cutout() if "cutout" in wanted else None,
        )

    def read_cutout(self) -> Tensor | None:
        """Read the cut-out, (1, 4, H, W), if there is one; raises ImageError as `cut_out`."""
        return cut_out(self.cutout, self.brush) if self.cutout else None


def cut_out(path: Path, brush: Drawn | None, compute: Callable[..., Any] = lambda what, *given: what(*given)) -> Tensor:
    """Read a cut-out, (1, 4, H, W): what the brush painted over, or what its file leaves transparent.

    Args:
        path: the file.
        brush: what was painted over it.
        compute: calls what computes; files are read where this is called.

    Raises:
        ImageError: it cannot be used.
    """
    painted = compute(masks_of, brush)
    if not painted:
        return compute(visible_part, images.load_transparent(path), named(path))
    picture = images.load(path)
    check_shape(painted, picture, "press Take the picture under Cut out with a brush, and paint over that")
    return compute(cutout_of, picture, painted[0])


def _title(path: Path) -> str:
    return path.stem.replace("_", " ")


class Board(PageState):
    """Holds one open page's figure: how it is made, and how far it is."""

    def __init__(self) -> None:
        self.job = Job()
        self.left = False  # the page was closed
        self.making: Closable[Moment] | None = None  # kept while it may go on
        self.figure: Figure | None = None
        self.settings: dict[str, Any] = {}
        self.pictures = Pictures()
        self.moment: Moment | None = None
        self.views = Figures()
        self.covered = True  # another figure is shown than the one that was made, by its example if it has one
        self.example: FigureExample | None = example_of(FIRST)
        self.looked_at: tuple[int, int] | None = None  # the part that is enlarged

    def begin(self, figure: Figure, settings: dict[str, Any], pictures: Pictures) -> Closable[Moment]:
        """Begin another figure, which is checked before the last one is given up. Not on the device's thread."""
        material = DEVICES.submit(pictures.read, figure.pictures).result()
        making = begin_figure(figure, material, settings)
        DEVICES.submit(self.drop).result()
        self.making, self.figure, self.settings, self.pictures = making, figure, settings, pictures
        self.moment, self.views, self.looked_at = None, Figures(), None
        self.covered, self.example = False, None
        return making

    def leave(self) -> None:
        """End the figure of a page that was closed after its present step, and free it."""
        self.left = True
        self.job.steering.stop.set()
        if not self.job.busy:
            with suppress(RuntimeError):  # the server is going down
                DEVICES.submit(self.drop)

    def drop(self) -> None:
        """Free what the figure still holds to go on with; its last moment stays. On the device's thread."""
        if self.making:
            self.making.close()
        self.making = None
        forget_classifier()
        release_freed_memory()

    def part(self, place: tuple[int, int] | None) -> Part | None:
        """Find the part at a place of what is shown, if there is one."""
        if self.covered:
            return self.example.part(place) if self.example else None
        return next((part for part in self.parts if (part.row, part.column) == place), None)

    @property
    def parts(self) -> tuple[Part, ...]:
        """List the parts of the last moment."""
        return self.moment.parts if self.moment else ()
