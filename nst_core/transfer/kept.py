"""Goes on with a painting that was kept in a folder, whoever kept it: the same frames come as if it had never ended."""

from pathlib import Path
from typing import Any

from nst_core.devices import PRECISIONS, Compute, choose_compute
from nst_core.errors import ConfigError
from nst_core.features import weights
from nst_core.features.checkpoint import Flaw
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.json_values import is_switch
from nst_core.transfer.objective import normalized
from nst_core.transfer.painting import Painting
from nst_core.transfer.run import Run
from nst_core.transfer.sources import kept_sources
from nst_core.transfer.state import Kept, State, check_weights, flaws_told, read
from nst_core.transfer.steering import Steering


def restored(folder: str | Path, *, compute: Compute | None = None, steering: Steering | None = None) -> Run:
    """Give the run that `Run.keep` kept: its last picture and record are there at once, its next frames on demand.

    On the same machine and in the same precision they are those of the run itself, bit for bit. Until the first is
    asked for it rests in the folder, as after `Run.rest`, and takes little memory. If it is kept there again, only what
    is new is written.

    Args:
        folder: where it was kept; every file in it is checked.
        compute: device and precision; chosen for this machine if None, in the precision that it was painted in.
        steering: to stop and to steer it from here on; None: one that is stopped if the run was, and wants what was
            wanted of it.

    Raises:
        ImageError: there is none, it is damaged, or of another version.
        WeightsError: no weights for its backbone, or others than it was begun with.
        DeviceError: the device is absent.
    """
    folder = Path(folder)
    with flaws_told(folder):
        state, kept = read(folder)
        for tensors in state.lasting.values():  # so that what is damaged is found here
            tensors()
        return _run(state, kept, compute, steering)


def _run(state: State, kept: Kept, compute: Compute | None, steering: Steering | None) -> Run:
    config = _config(state, "config")
    precision = state.fact("precision", lambda value: isinstance(value, str) and value in PRECISIONS)
    compute, checkpoint = compute or choose_compute(precision=precision), weights.require(config.backbone)
    check_weights(checkpoint, state)
    made = kept_sources(state, config)
    try:
        normalized(config.blend, len(made.styles))
    except ConfigError as error:
        raise Flaw(str(error)) from None
    run = Run(Painting(made, config, checkpoint=checkpoint, compute=compute), steering or _steering(state))
    run.take_state(state, kept)
    return run


def _steering(state: State) -> Steering:
    steering = Steering(wanted=None if state.fact("wanted", _is_maybe_table) is None else _config(state, "wanted"))
    if state.fact("stopped", is_switch):
        steering.stop.set()
    return steering


def _config(state: State, name: str) -> StyleTransferConfig:
    try:
        return StyleTransferConfig.from_dict(state.fact(name, _is_maybe_table))
    except (ConfigError, TypeError, ValueError) as error:
        raise Flaw(f"of its settings, {error}") from None


def _is_maybe_table(value: Any) -> bool:
    return value is None or isinstance(value, dict)
