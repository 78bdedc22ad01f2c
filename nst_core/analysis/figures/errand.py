"""Makes a figure on a machine of a cluster, for a program on another that shows it."""

from nst_core.analysis.figure import Moment
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.parcels import MomentWriter, unpacked_material
from nst_core.devices import Compute, release_freed_memory
from nst_core.features.classifier import forget_classifier
from nst_core.transfer.state import State


class FigureErrand:
    """A figure in the making; all as of `engine.errands.Errand` and Beginner.

    It gives nothing to go on from: figures are short, and begin anew.
    """

    def __init__(self, order: State, pieces: list[State], kept: State | None, compute: Compute):
        figure = FIGURES[order.facts["figure"]]
        settings = figure.settings(order.facts["settings"])
        self._moments = figure.make(unpacked_material(order), settings, compute)
        self._writer = MomentWriter()
        self._newest: Moment | None = None  # that was not sent

    def __iter__(self) -> "FigureErrand":
        return self

    def __next__(self) -> Moment:
        """Give the figure after a step."""
        self._newest = next(self._moments)
        return self._newest

    def news(self) -> State | None:
        """Give the newest moment."""
        moment, self._newest = self._newest, None
        return self._writer.packed(moment) if moment else None

    def kept(self) -> None:
        """Give nothing."""

    def stop(self) -> None:
        """End with the step at hand, as each is asked for."""

    def close(self) -> None:
        """Free all."""
        self._moments.close()
        self._newest, self._writer = None, MomentWriter()
        forget_classifier()
        release_freed_memory()
