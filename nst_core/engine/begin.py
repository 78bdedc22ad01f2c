"""Begins paintings where they are computed: on a device of this computer, a GPU lent by ZeroGPU, or a cluster."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from nst_core.devices import Compute
from nst_core.engine.cluster import machines, named
from nst_core.engine.devices import DEVICES, Closable, Elsewhere
from nst_core.engine.remote_run import Machines, begin_remotely, resume_remotely
from nst_core.engine.worker import Material
from nst_core.engine.zero import HERE, in_pieces, painting_compute
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.kept import restored
from nst_core.transfer.run import Run
from nst_core.transfer.steering import Steering

Yielded = TypeVar("Yielded")


def begin(material: Material, config: StyleTransferConfig, steering: Steering | None = None) -> Run:
    """Begin a painting; everything that can be wrong with the input is found here.

    Not on a device's thread, as it waits for one.

    Args:
        material: the pictures.
        config: all settings.
        steering: to stop and to steer the run.

    Raises:
        NSTError: as of `stylize`; no cluster, or none that can paint.
    """
    if cluster := machines():
        return begin_remotely(cluster, material, config, steering)

    def begun() -> Run:  # on the device's thread, which chooses its own device
        return material.begun(config, steering, painting_compute())

    return in_pieces(DEVICES.submit(begun).result())


def resume(folder: Path, steering: Steering | None = None) -> Run:
    """Give the run that is kept in a folder; arguments and errors as of `restored`. Not on a device's thread."""
    if cluster := machines():
        return resume_remotely(cluster, folder, steering)
    return in_pieces(DEVICES.submit(restored, folder, steering=steering).result())


def moved(material: Material) -> Callable[[Run], Run]:
    """Give what moves a run that `stylize` began of some pictures to where it is to be painted."""
    cluster = machines()
    if not cluster:
        return in_pieces

    def to_cluster(run: Run) -> Run:
        run.close()
        return begin_remotely(cluster, material, run.config, run.steering)

    return to_cluster


def is_elsewhere() -> bool:
    """Whether paintings are computed on ZeroGPU or a cluster, rather than by this computer's devices."""
    return HERE or bool(named())


def count_places() -> int:
    """Count the paintings that are computed side by side: one a worker of a cluster; on this computer they take turns.

    Raises:
        NSTError: no cluster, or none that can paint.
    """
    cluster = machines()
    return cluster.count() if cluster else 1


def waited_for(steps: Closable[Yielded]) -> Closable[Yielded]:
    """Give steps that paint runs which were begun or `moved` elsewhere: there they wait Elsewhere, else themselves."""
    return _Waiting(steps) if is_elsewhere() else steps


def made_at(where: Compute | Machines, steps: Closable[Yielded]) -> Closable[Yielded]:
    """Give steps that are made somewhere: for those of machines no device's thread waits."""
    return steps if isinstance(where, Compute) else _Waiting(steps)


class _Waiting(Elsewhere, Generic[Yielded]):
    def __init__(self, steps: Closable[Yielded]):
        self._steps = steps

    def __iter__(self) -> Iterator[Yielded]:
        return self

    def __next__(self) -> Yielded:
        return next(self._steps)

    def close(self) -> None:
        """Free what they hold."""
        self._steps.close()
