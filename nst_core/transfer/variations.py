"""Varies two settings over one pair of pictures: paints every combination, one after another."""

import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from nst_core.devices import Compute, choose_compute
from nst_core.errors import ConfigError, DeviceError, NSTError, WeightsError, listed, said, seen
from nst_core.transfer.config import SETTINGS, StyleTransferConfig
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import RunRecord
from nst_core.transfer.run import Run
from nst_core.transfer.schema import Setting
from nst_core.transfer.steering import Steering
from nst_core.transfer.stylize import stylize

RATIO = "alpha/beta ratio"  # α stays, β follows
PRESET = "preset"
KEPT = ("size", "steps", "seed")  # of the base config, under any preset, as is the network


def variable(table: Mapping[str, Setting]) -> dict[str, str]:
    """List what an axis may vary -> how labels call it: whole presets, the papers' ratio, and every setting.

    A setting by its letter, or else as the page does, in whose languages that is known.
    """
    titles = {name: one.symbol if len(one.symbol) == 1 else one.label or one.short for name, one in table.items()}
    return {PRESET: "", RATIO: "α/β", **titles}


VARIABLE = variable(SETTINGS)

MAX_VALUES = 8  # of an axis
PROGRESS_SECONDS = 0.25  # at least, between two looks at a cell that is being painted


@dataclass(frozen=True)
class Axis:
    """One setting and the values that it takes along a sheet's side.

    Attributes:
        name: one of VARIABLE.
        values: 1 to MAX_VALUES, all different, as `parse_axis` gives them.

    Raises:
        ConfigError: an unknown setting, or too many values, none, or one twice.
    """

    name: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if self.name not in VARIABLE:
            raise ConfigError(f"{said(self.name)} cannot be varied; choose one of {', '.join(VARIABLE)}")
        if not 1 <= len(self.values) <= MAX_VALUES:
            raise ConfigError(f"{self.name} has {len(self.values)} values; give 1 to {MAX_VALUES}, separated by commas")
        if len(set(self.values)) < len(self.values):
            raise ConfigError(f"{self.name} is {listed(map(shown, self.values))}; name each value once")

    @property
    def labels(self) -> tuple[str, ...]:
        """Each value with its setting, in the field's words: "β 1e7", "Style loss: Gram matrices"."""
        return tuple(_label(self.name, value) for value in self.values)


@dataclass(frozen=True)
class SheetCell:
    """One place of the sheet and what is painted there."""

    row: int
    column: int
    label: str
    config: StyleTransferConfig


@dataclass(frozen=True)
class CellResult:
    """A painted cell; if the sheet was stopped meanwhile, its record says so.

    Attributes:
        image: (1, 3, H, W), on the CPU.
    """

    cell: SheetCell
    image: Tensor
    record: RunRecord


@dataclass(frozen=True)
class SheetProgress:
    """One moment of painting a sheet.

    Attributes:
        cell: being painted, or just done.
        index: its place in the order of painting, from 0.
        count: of all cells.
        step: of its run.
        image: (1, 3, H, W) of its run, on the run's device; None if the cell failed before its first frame.
        results: of all cells done so far.
        notes: the cells that could not be painted, and why.
    """

    cell: SheetCell
    index: int
    count: int
    step: int
    image: Tensor | None
    results: tuple[CellResult, ...]
    notes: tuple[str, ...]


def parse_axis(name: str, text: str, base_config: StyleTransferConfig) -> Axis:
    """Read the axis that a person typed: "1e5, 1e6, 1e7", "gram, wasserstein", "conv1_1 conv2_1, conv3_1".

    Args:
        name: one of VARIABLE.
        text: values separated by commas; a value's parts, of those that have several, by spaces.
        base_config: what every value must go with.

    Raises:
        ConfigError: an unknown setting, an invalid value (the text says which are valid), or too many.
    """
    typed = Axis(name, tuple(part.strip() for part in text.split(",") if part.strip()))
    return Axis(name, tuple(_value(name, part, base_config) for part in typed.values))


def _value(name: str, text: str, base_config: StyleTransferConfig) -> Any:
    """Read a value as the config has it: "1e3" steps are 1000."""
    kind = SETTINGS.get(name) or Setting(default=1.0 if name == RATIO else "")
    value = kind.read(text)
    return getattr(_config(base_config, {name: value}), name, value)


def cells(base: StyleTransferConfig, rows: Axis, columns: Axis | None = None) -> list[SheetCell]:
    """List every combination of two settings, row by row; all else is the base's.

    What hangs together changes together, as `StyleTransferConfig.changed` has it. A preset brings all of its settings
    but KEPT and the network.

    Raises:
        ConfigError: both axes vary the same thing, or two values do not go together.
    """
    names = {rows.name, columns.name} if columns else {rows.name}
    if columns and (len(names) == 1 or names == {RATIO, "style_weight"}):
        raise ConfigError(f"rows vary {rows.name} and columns {columns.name}, which is one thing; choose another")
    made = []
    for (row, column), label in cell_labels(rows, columns).items():
        values = {rows.name: rows.values[row]} | ({columns.name: columns.values[column]} if columns else {})
        made.append(SheetCell(row, column, label, _config(base, values)))
    return made


def _config(base: StyleTransferConfig, values: dict[str, Any]) -> StyleTransferConfig:
    """Change the base to the axes' values; in an order in which none undoes another."""
    base = base.changed(last_step=0)  # where one run ended says nothing of another's
    single = {name: value for name, value in values.items() if name not in (PRESET, RATIO, "backbone")}
    try:
        config = _preset_config(base, values[PRESET]) if PRESET in values else base
        if "backbone" in values:
            config = config.on(values["backbone"])
        config = config.changed(**single)
        return config.changed(style_weight=_style_weight(config, values[RATIO])) if RATIO in values else config
    except ConfigError as error:
        if any(str(error).startswith(f"{name} is") for name in values):
            raise
        raise ConfigError(
            f"{', '.join(f'{name} {seen(shown(value))}' for name, value in values.items())}: {error}"
        ) from None


def _preset_config(base: StyleTransferConfig, preset: Any) -> StyleTransferConfig:
    if preset not in PRESETS:
        raise ConfigError(f"{PRESET} is {said(preset)}; choose one of {', '.join(PRESETS)}")
    return PRESETS[preset].config.on(base.backbone).changed(**{name: getattr(base, name) for name in KEPT})


def _style_weight(config: StyleTransferConfig, ratio: Any) -> float:
    """β for a ratio α/β."""
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not (math.isfinite(ratio) and ratio > 0):
        raise ConfigError(f"{RATIO} is {said(ratio)}; give a number above 0, such as 1e-3")
    if config.content_weight == 0:
        raise ConfigError(f"{RATIO} is {seen(shown(ratio))}, but α is 0; raise α, or vary style_weight")
    return config.content_weight / ratio


def _label(name: str, value: Any) -> str:
    if name == PRESET and value in PRESETS:
        return PRESETS[value].title
    choices = SETTINGS[name].choices if name in SETTINGS else None
    if choices and value in choices:
        return f"{VARIABLE[name]}: {choices[value]}"
    worded = isinstance(value, bool) or (isinstance(value, tuple) and any(isinstance(part, str) for part in value))
    return f"{VARIABLE[name]}{': ' if worded else ' '}{shown(value)}".strip()


def cell_labels(rows: Axis, columns: Axis | None) -> dict[tuple[int, int], str]:
    """(row, column) -> what the cell shows, row by row."""
    heads = [f" · {label}" for label in columns.labels] if columns else [""]
    return {(r, c): side + head for r, side in enumerate(rows.labels) for c, head in enumerate(heads)}


def shown(value: Any) -> str:
    """Write a value as papers print it: 1e7, 0.5, on; at most one line of it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return " ".join(map(shown, value))
    if not isinstance(value, float):
        return str(value)[:80]
    mantissa, _, exponent = f"{value:.9e}".partition("e")
    scientific = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}" if exponent else mantissa  # inf has none
    return min(f"{value:.10g}", scientific, key=len)


def paint_sheet(
    content_image: Tensor,
    style_image: Tensor | Sequence[Tensor],
    cells: Sequence[SheetCell],
    compute: Compute | None = None,
    steering: Steering | None = None,
    *,
    start_image: Tensor | None = None,
    masks: Sequence[Tensor] = (),
    begun: Callable[[Run], Run] = lambda run: run,
) -> Generator[SheetProgress, None, None]:
    """Paint the cells one after another.

    A cell whose loss is not finite stays empty, and the notes say why: at a sheet's corners that is a finding.

    Args:
        content_image, style_image, start_image, masks, compute: as for `stylize`.
        cells: as `cells` gives them.
        steering: its stop ends the sheet after the step at hand; what is painted stays, an unfinished cell too.
        begun: gives a cell's run where it is to be painted.

    Yields:
        progress every PROGRESS_SECONDS or more and at each cell's first frame; then, with its result, at its end.

    Raises:
        ConfigError, WeightsError, DeviceError: of any cell, before the first is painted.
    """
    compute, steering = compute or choose_compute(), steering or Steering()

    def run_of(config: StyleTransferConfig) -> Run:
        # stop alone: whatever else may change in a run would make a cell something else than its label says
        own = Steering(stop=steering.stop)
        return stylize(
            content_image, style_image, config, start_image=start_image, masks=masks, compute=compute, steering=own
        )

    for cell in cells:
        run_of(cell.config).close()
    return _painted(cells, lambda config: begun(run_of(config)), steering)


def _painted(
    cells: Sequence[SheetCell], run_of: Callable[[StyleTransferConfig], Run], steering: Steering
) -> Generator[SheetProgress, None, None]:
    results: tuple[CellResult, ...] = ()
    notes: tuple[str, ...] = ()
    for index, cell in enumerate(cells):
        if steering.stop.is_set():
            return
        run, told = run_of(cell.config), -math.inf
        try:
            for frame in run:
                if time.monotonic() - told >= PROGRESS_SECONDS:
                    told = time.monotonic()
                    yield SheetProgress(cell, index, len(cells), frame.step, frame.image, results, notes)
            if run.newest.step > 0:
                results += (CellResult(cell, run.newest.image.cpu(), run.record()),)
        except (ConfigError, DeviceError, WeightsError):
            raise  # the other cells would fare no better
        except NSTError as error:
            notes += (f"{cell.label}: {error}",)
        finally:
            run.close()
        step, image = (run.last_frame.step, run.last_frame.image) if run.last_frame else (0, None)
        yield SheetProgress(cell, index, len(cells), step, image, results, notes)
