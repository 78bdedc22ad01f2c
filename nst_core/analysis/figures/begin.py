"""Begins figures where they are made: on a device of this computer, or on a machine of a cluster."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nst_core.analysis.figure import Figure, FigureMaterial, Moment
from nst_core.analysis.parcels import MomentReader, made_on, packed_material
from nst_core.devices import choose_compute
from nst_core.engine.cluster import machines
from nst_core.engine.devices import DEVICES, Closable, Elsewhere
from nst_core.engine.errands import networks_here
from nst_core.engine.remote_errand import Order, RemoteErrand
from nst_core.engine.remote_run import Machines
from nst_core.features.checkpoint import CLASSIFIER
from nst_core.transfer.state import State


def begin_figure(figure: Figure, material: FigureMaterial, settings: dict[str, Any]) -> Closable[Moment]:
    """Begin a figure; everything that can be wrong with the input is found here.

    Not on a device's thread, as it waits for one.

    Args:
        figure: one of FIGURES.
        material: the pictures.
        settings: name -> value of every option.

    Raises:
        NSTError: as of the figure's `make`; no cluster, or none that can compute.
    """
    if cluster := machines():
        return RemoteFigure(cluster, figure, material, settings)
    return DEVICES.submit(lambda: figure.make(material, settings, choose_compute())).result()


class RemoteFigure(Elsewhere):
    """A figure that is made elsewhere, as its moments.

    If its machine is lost, it is made again on another; what was there is shown until it has come as far.

    Args:
        machines: that it may be made on.
        figure, material, settings: as for `begin_figure`.
    """

    def __init__(self, machines: Machines, figure: Figure, material: FigureMaterial, settings: Mapping[str, Any]):
        networks = [settings["backbone"]] if "backbone" in settings else []
        networks += [CLASSIFIER] * (figure.name == "classify")
        order = State({"figure": figure.name, "settings": dict(settings)}) | packed_material(material)
        self._errand = RemoteErrand(machines, Order("figure", order, networks_here(*networks)))
        self._reader = MomentReader()
        self._shown: Moment | None = None
        self._behind = False  # it is made again, and not yet as far as what is shown
        self._notes: tuple[str, ...] = ()
        self._errand.begin()
        self._errand.lost.clear()  # before there was anything to lose

    def __iter__(self) -> "RemoteFigure":
        return self

    def __next__(self) -> Moment:
        """Wait for the next moment."""
        while True:
            state = next(self._errand)
            for name in self._errand.lost:
                self._lose(name)
            self._errand.lost.clear()
            if state:
                return self._taken(state)

    def _lose(self, name: str) -> None:
        if self._shown:
            self._behind = True
            self._notes += (f"{name} was lost at {100 * self._shown.share:.0f} %: made again on another machine",)

    def _taken(self, state: State) -> Moment:
        moment = made_on(self._reader.unpacked(state), self._errand.machine)
        self._behind = self._behind and self._shown is not None and moment.share < self._shown.share
        if self._behind and self._shown:
            return replace(self._shown, text=moment.text, notes=self._shown.notes + self._notes)
        self._shown = moment
        return replace(moment, notes=moment.notes + self._notes)

    def close(self) -> None:
        """Free what it holds elsewhere; the last moment stays."""
        self._errand.close()
