"""Shows a painting whose steps are made on another machine as a Run: watched, steered, stopped, kept, gone on with."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nst_core.devices import Compute
from nst_core.engine.devices import Elsewhere
from nst_core.engine.parcels import packed, unpacked
from nst_core.engine.worker import Material, Moment, Passing, noted
from nst_core.errors import DeviceError, NSTError, OutputError
from nst_core.features import weights
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.json_values import is_text
from nst_core.transfer.kept import restored
from nst_core.transfer.optimize import Frame
from nst_core.transfer.run import Run
from nst_core.transfer.state import State, flaws_told, read, write
from nst_core.transfer.steering import Steering

AHEAD = 2  # moments that a machine is asked for at a time, so that it does not wait for what comes and goes
NONE = 0  # the number of no painting: those of a machine begin with 1
MOST_LOST = 4  # machines in a row that may be lost before any has made a step


class Lost(Exception):
    """A machine died, or cannot be reached; its text is the machine's name."""


class Machine(Protocol):
    """A place on a machine, for one painting."""

    name: str

    def start(self, method: str, *given: Any) -> Callable[[], Any]:
        """Call a method of its Worker; what is given waits, and raises Lost, or whatever NSTError the method raises."""

    def leave(self) -> None:
        """Give the place up."""


class Machines(Protocol):
    """Machines of a cluster."""

    def choose(self) -> Machine:
        """Give a place on the machine that has the fewest paintings; raises NoDeviceError if there is none."""

    def count(self) -> int:
        """Count the workers that there may be; raises as `choose`."""


@dataclass(frozen=True, kw_only=True)
class ElsewhereCompute(Compute):
    """A device of another machine; pictures that came from there are on this one's CPU."""

    told: str = "the cluster"

    @property
    def name(self) -> str:
        """The device, and whose it is."""
        return self.told


def begin_remotely(
    machines: Machines, material: Material, config: StyleTransferConfig, steering: Steering | None
) -> "RemoteRun":
    """Begin a painting on a machine, by whose device and memory it is checked; errors are those of `stylize`."""
    sha256 = weights.require(config.backbone).sha256()
    for _ in range(MOST_LOST):
        machine = machines.choose()
        try:
            parcel = machine.start("prepare", material, config.to_dict(), sha256)()
            return RemoteRun(unpacked(parcel), machines, steering)
        except Lost:
            continue
        finally:
            machine.leave()
    raise DeviceError(f"{MOST_LOST} machines were lost as this painting began; choose a smaller size, or look at them")


def resume_remotely(machines: Machines, folder: Path, steering: Steering | None) -> "RemoteRun":
    """Give the run that is kept in a folder, to go on elsewhere; errors are those of `restored`."""
    with flaws_told(folder):
        state, _ = read(folder)
        return RemoteRun(state, machines, steering)


class RemoteRun(Run, Elsewhere):
    """A painting whose steps are made elsewhere; here are its pictures, its last frame and, in a folder, its state.

    It asks a machine for a moment's steps at a time, and is one ahead of what is shown. A state comes every few seconds
    of computing, and at the end; if the machine is lost meanwhile, another goes on from the last that came, up to where
    it was, and then shows frames again. So it ends only where its state is that of its last frame.

    Args:
        state: where it is.
        machines: that it may be painted on.
        steering: to stop and to steer it; None: as it was kept.
    """

    def __init__(self, state: State, machines: Machines, steering: Steering | None = None):
        self._passing = Passing()
        self._store = self._passing.path
        self._stored = write(state, self._store)
        compute = ElsewhereCompute(device="cpu", precision=state.fact("precision", is_text))
        run = restored(self._store, compute=compute, steering=steering)
        super().__init__(run.painting, run.steering)
        self.take_state(*read(self._store))
        self.machines = machines
        self._machine: Machine | None = None
        self._number = NONE  # by which the machine knows it
        self._lost = 0  # machines in a row
        self._moments: deque[Callable[[], Moment]] = deque()  # that the machine makes
        self._asked, self._over = 0, False  # moments since it was taken up; it makes no more steps there
        self._steered: tuple[StyleTransferConfig | None, bool] = (None, False)  # what the machine was told
        self._note, self._own_notes = "", tuple[str, ...]()
        self._at = -1  # the step at which the machine is
        self._kept_step = self.last_frame.step if self.last_frame else -1

    def __next__(self) -> Frame:
        self._resting = False
        while self._machine or not self._has_ended():
            try:
                if frame := self._advance():
                    return frame
            except Lost as lost:
                self._lose(str(lost))
            except NSTError:
                self._drop()
                raise
        raise StopIteration

    def _has_ended(self) -> bool:
        """Whether no more steps are wanted, and it can go on from what is here."""
        return self._needs_no_step() and self._kept_step >= self.newest.step

    def _needs_no_step(self) -> bool:
        last = self.last_frame
        return last is not None and (self.broken or self.steering.stop.is_set() or last.step >= self.steps)

    def _advance(self) -> Frame | None:
        """Have some steps made; the frame after them, if there is a new one to show."""
        if self._machine is None:
            self._take_up()
        self._steer()
        if not self._moments and self._needs_no_step() and self._at >= self.newest.step:
            self._put_down()
            return None
        moment = self._next_moment()
        shown = self.last_frame.step if self.last_frame else -1
        self._take(moment)
        if moment.error:
            raise moment.error
        return noted(self.newest, moment.note, self._said()) if self.newest.step > shown else None

    def _said(self) -> str:
        """Give what is to be told with a frame, once."""
        note, self._note = self._note, ""
        return note

    def _steer(self) -> None:
        """Tell the machine what is wanted, if that is new; a stop not before it is where it was."""
        stop = self.steering.stop.is_set() and self.last_frame is not None and self._at >= self.newest.step
        wanted = self.steering.wanted
        if (wanted, stop) != self._steered:
            self._at_machine.start("steer", self._number, wanted and wanted.to_dict(), stop)()
            self._steered = wanted, stop

    def _next_moment(self) -> Moment:
        """Wait for the moment that was asked for first; the machine has the next ones to make meanwhile."""
        while not self._moments or len(self._moments) < AHEAD and not (self._over or self._steered[1]):
            self._moments.append(self._at_machine.start("paint", self._number, self._asked, [*self._stored.files]))
            self._asked += 1
        moment = self._moments.popleft()()
        self._lost, self._over = 0, moment.over
        return moment

    @property
    def _at_machine(self) -> Machine:
        if self._machine is None:
            raise Lost("no machine")
        return self._machine

    def _take_up(self) -> None:
        self._machine = machine = self.machines.choose()
        self._number = NONE  # until it is taken up there: by the number that it had, another's would be dropped
        state = self.state()
        self._number, device = machine.start("take_up", packed(state))()
        self._at, self._asked, self._over, self._steered = self._kept_step, 0, False, (None, False)
        precision = self.compute.precision
        self.compute = ElsewhereCompute(device="cpu", precision=precision, told=f"{device} on {machine.name}")
        self.painting.compute = self.compute

    def _put_down(self) -> None:
        state = unpacked(self._at_machine.start("put_down", self._number, [*self._stored.files])(), self._known())
        self._leave()
        self._keep_state(state)

    def _take(self, moment: Moment) -> None:
        state = unpacked(moment.parcel, self._known() if moment.whole else None)
        frame = state.facts["frame"]
        self._at = frame["step"] if frame else -1
        if moment.whole:
            try:
                self._keep_state(state)
            except OutputError as error:  # it goes on all the same
                self._note = f"not kept for the loss of a machine: {error}"
        if self.last_frame and self._at <= self.newest.step and not (moment.over or moment.error):
            return  # it makes again what was shown, or was stopped
        config = StyleTransferConfig.from_dict(state.facts["config"])
        if config != self.config:
            self.painting.config = config
        self.take_news(state)
        self.notes += self._own_notes

    def _keep_state(self, state: State) -> None:
        self._stored = write(state, self._store, self._stored)
        frame = state.facts["frame"]
        self._kept_step = frame["step"] if frame else -1

    def _known(self) -> State:
        return read(self._store)[0]

    def state(self) -> State:
        """Give the last state that came, with colours and an end that were chosen since."""
        with flaws_told(self._store):
            state = self._known()
        return state | State({"config": state.facts["config"] | {"color": self.config.color}, "steps": self.steps})

    def _lose(self, name: str) -> None:
        self._leave()
        self._lost += 1
        if self._lost >= MOST_LOST:
            raise DeviceError(
                f"{self._lost} machines were lost at the same step; choose a smaller size, or look at them"
            )
        if self.last_frame:
            self._note = f"{name} was lost at step {self.newest.step}: painted on from step {max(0, self._kept_step)}"
            self._own_notes += (self._note,)

    def _drop(self) -> None:
        if self._machine:
            self._machine.start("drop", self._number)
        self._leave()

    def _leave(self) -> None:
        if self._machine:
            self._machine.leave()
        self._machine = None
        self._moments.clear()

    def close(self) -> None:
        """End the run and free what it holds here and elsewhere; the last frame and the record stay."""
        self._drop()
        super().close()
        self._passing.delete()
