"""A sheet of small paintings: one picture pair, two settings varied, every combination painted."""

import json
import math
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps
from torch import Tensor

from nst_core import images
from nst_core.devices import Compute, choose_compute
from nst_core.errors import ConfigError, DeviceError, ImageError, NSTError, WeightsError
from nst_core.features.vgg import BACKBONES
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.controls import Controls
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import RunRecord
from nst_core.transfer.stylize import Run, stylize

RATIO = "alpha/beta ratio"  # α stays, β follows
PRESET = "preset"
KEPT = ("size", "steps", "seed")  # of the base config, under any preset, as is the network

SYMBOLS = {"content_weight": "α", "style_weight": "β", "tv_weight": "TV"}

# What an axis may vary -> how labels call it: whole presets, the papers' ratio, and every setting.
SETTINGS: dict[str, str] = {
    PRESET: "",
    RATIO: "α/β",
    **{field.name: SYMBOLS.get(field.name, field.name.replace("_", " ")) for field in fields(StyleTransferConfig)},
}

MAX_VALUES = 8  # of an axis
PROGRESS_SECONDS = 0.25  # at least, between two looks at a cell that is being painted
CELL_SIDES = (64, 512)  # pixels of a cell in the composed sheet; 8 × 8 of the largest are one of MAX_SIDE
SMALLEST_FONT = 12  # pixels
LIGHT_GREY = (225, 225, 225)
SHEET_KEY = "neural-style-lab-sheet"  # of the PNG's text chunk that holds the cells' records as JSON


@dataclass(frozen=True)
class Axis:
    """One setting and the values that it takes along a sheet's side.

    Attributes:
        name: one of SETTINGS.
        values: 1 to MAX_VALUES, all different, as `parse_axis` gives them.

    Raises:
        ConfigError: an unknown setting, or too many values, none, or one twice.
    """

    name: str
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if self.name not in SETTINGS:
            raise ConfigError(f"{str(self.name)[:40]!r} cannot be varied; choose one of {', '.join(SETTINGS)}")
        if not 1 <= len(self.values) <= MAX_VALUES:
            raise ConfigError(f"{self.name} has {len(self.values)} values; give 1 to {MAX_VALUES}, separated by commas")
        if len(set(self.values)) < len(self.values):
            raise ConfigError(f"{self.name} is {', '.join(map(_shown, self.values))}; name each value once")

    @property
    def labels(self) -> tuple[str, ...]:
        """Each value with its setting, in the field's words: "β 1e7", "style loss gram"."""
        return tuple(_label(self.name, value) for value in self.values)


@dataclass(frozen=True)
class Cell:
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

    cell: Cell
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

    cell: Cell
    index: int
    count: int
    step: int
    image: Tensor | None
    results: tuple[CellResult, ...]
    notes: tuple[str, ...]


def parse_axis(name: str, text: str, base_config: StyleTransferConfig) -> Axis:
    """The axis that a person typed: "1e5, 1e6, 1e7", "gram, wasserstein", "conv1_1 conv2_1, conv3_1".

    Args:
        name: one of SETTINGS.
        text: values separated by commas; a value's parts, of those that have several, by spaces.
        base_config: what every value must go with.

    Raises:
        ConfigError: an unknown setting, an invalid value (the text says which are valid), or too many.
    """
    typed = Axis(name, tuple(part.strip() for part in text.split(",") if part.strip()))
    return Axis(name, tuple(_value(name, part, base_config) for part in typed.values))


def _value(name: str, text: str, base_config: StyleTransferConfig) -> Any:
    """A value as the config has it: "1e3" steps are 1000."""
    like = getattr(StyleTransferConfig, name, 1.0 if name == RATIO else "")  # the default tells the kind
    if isinstance(like, bool):
        value = {"on": True, "true": True, "off": False, "false": False}.get(text.lower(), text)
    elif isinstance(like, tuple):
        value = tuple(_number(part, float) for part in text.split())
    else:
        value = text if isinstance(like, str) else _number(text, *(int, float) if isinstance(like, int) else (float,))
    return getattr(_config(base_config, {name: value}), name, value)


def _number(text: str, *kinds: type) -> int | float | str:
    """The number that the text is, else the text, for the config to refuse."""
    for kind in kinds:
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def cells(base: StyleTransferConfig, rows: Axis, columns: Axis | None = None) -> list[Cell]:
    """Every combination of two settings, row by row; all else is the base's.

    What hangs together changes together, as `StyleTransferConfig.changed` has it. A preset brings all of its settings
    but KEPT and the network.

    Raises:
        ConfigError: both axes vary the same thing, or two values do not go together.
    """
    names = {rows.name, columns.name} if columns else {rows.name}
    if columns and (len(names) == 1 or names == {RATIO, "style_weight"}):
        raise ConfigError(f"rows vary {rows.name} and columns {columns.name}, which is one thing; choose another")
    made = []
    for (row, column), label in _cell_labels(rows, columns).items():
        values = {rows.name: rows.values[row]} | ({columns.name: columns.values[column]} if columns else {})
        made.append(Cell(row, column, label, _config(base, values)))
    return made


def _config(base: StyleTransferConfig, values: dict[str, Any]) -> StyleTransferConfig:
    """The base with the axes' values; in an order in which none undoes another."""
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
            f"{', '.join(f'{name} {_shown(value)}' for name, value in values.items())}: {error}"
        ) from None


def _preset_config(base: StyleTransferConfig, preset: Any) -> StyleTransferConfig:
    if preset not in PRESETS:
        raise ConfigError(f"{PRESET} is {preset!r}; choose one of {', '.join(PRESETS)}")
    return PRESETS[preset].config.on(base.backbone).changed(**{name: getattr(base, name) for name in KEPT})


def _style_weight(config: StyleTransferConfig, ratio: Any) -> float:
    """β for a ratio α/β."""
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not (math.isfinite(ratio) and ratio > 0):
        raise ConfigError(f"{RATIO} is {repr(ratio)[:40]}; give a number above 0, such as 1e-3")
    if config.content_weight == 0:
        raise ConfigError(f"{RATIO} is {_shown(ratio)}, but α is 0; raise α, or vary style_weight")
    return config.content_weight / ratio


def _label(name: str, value: Any) -> str:
    if name == PRESET and value in PRESETS:
        return PRESETS[value].title
    return f"{SETTINGS[name]} {BACKBONES.get(value, value) if name == 'backbone' else _shown(value)}".strip()


def _cell_labels(rows: Axis, columns: Axis | None) -> dict[tuple[int, int], str]:
    """(row, column) -> what the cell shows, row by row."""
    heads = [f" · {label}" for label in columns.labels] if columns else [""]
    return {(r, c): side + head for r, side in enumerate(rows.labels) for c, head in enumerate(heads)}


def _shown(value: Any) -> str:
    """A value as papers print it: 1e7, 0.5, on; at most one line of it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return " ".join(map(_shown, value))
    if not isinstance(value, float):
        return str(value)[:80]
    mantissa, _, exponent = f"{value:.9e}".partition("e")
    scientific = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}" if exponent else mantissa  # inf has none
    return min(f"{value:.10g}", scientific, key=len)


def paint_sheet(
    content_image: Tensor,
    style_image: Tensor,
    cells: Sequence[Cell],
    compute: Compute | None = None,
    controls: Controls | None = None,
    *,
    start_image: Tensor | None = None,
) -> Iterator[SheetProgress]:
    """Paint the cells one after another.

    A cell whose loss is not finite stays empty, and the notes say why: at a sheet's corners that is a finding.

    Args:
        content_image, style_image, start_image, compute: as for `stylize`.
        cells: as `cells` gives them.
        controls: its stop ends the sheet after the step at hand; what is painted stays, an unfinished cell too.

    Yields:
        progress every PROGRESS_SECONDS or more and at each cell's first frame; then, with its result, at its end.

    Raises:
        ConfigError, WeightsError, DeviceError: of any cell, before the first is painted.
    """
    compute, controls = compute or choose_compute(), controls or Controls()

    def run_of(config: StyleTransferConfig) -> Run:
        # stop alone: whatever else may change in a run would make a cell something else than its label says
        own = Controls(stop=controls.stop)
        return stylize(content_image, style_image, config, start_image=start_image, compute=compute, controls=own)

    for cell in cells:
        run_of(cell.config).close()
    return _painted(cells, run_of, controls)


def _painted(
    cells: Sequence[Cell], run_of: Callable[[StyleTransferConfig], Run], controls: Controls
) -> Iterator[SheetProgress]:
    results: tuple[CellResult, ...] = ()
    notes: tuple[str, ...] = ()
    for index, cell in enumerate(cells):
        if controls.stop.is_set():
            return
        run, told = run_of(cell.config), -math.inf
        try:
            for frame in run:
                if time.monotonic() - told >= PROGRESS_SECONDS:
                    told = time.monotonic()
                    yield SheetProgress(cell, index, len(cells), frame.step, frame.image, results, notes)
            if run.last_frame.step > 0:
                results += (CellResult(cell, run.last_frame.image.cpu(), run.record()),)
        except (ConfigError, DeviceError, WeightsError):
            raise  # the other cells would fare no better
        except NSTError as error:
            notes += (f"{cell.label}: {error}",)
        finally:
            run.close()
        step, image = (run.last_frame.step, run.last_frame.image) if run.last_frame else (0, None)
        yield SheetProgress(cell, index, len(cells), step, image, results, notes)


def compose_sheet(
    results: Sequence[CellResult], rows: Axis, columns: Axis | None = None, cell_side: int = 256
) -> Image.Image:
    """All cells in one labelled picture, on white; a cell that is not painted is light grey.

    Args:
        results: of cells(base, rows, columns), any of them.
        cell_side: longest side of a painting in it, pixels.

    Raises:
        ConfigError: cell_side out of range.
        ValueError: results of another sheet.
    """
    low, high = CELL_SIDES
    if type(cell_side) is not int or not low <= cell_side <= high:
        raise ConfigError(f"cell_side is {repr(cell_side)[:40]}; give a whole number from {low} to {high} pixels")
    labels = _cell_labels(rows, columns)
    for cell in (result.cell for result in results):
        if labels.get((cell.row, cell.column)) != cell.label:
            raise ValueError(f"the cell {cell.label!r} is not of these rows and columns")
    font = ImageFont.load_default(size=max(SMALLEST_FONT, cell_side // 14))
    pictures = {(result.cell.row, result.cell.column): _picture(result, cell_side, font) for result in results}
    return _laid_out(
        pictures,
        [_wrapped(label, font, cell_side) for label in rows.labels],
        [_wrapped(label, font, cell_side) for label in columns.labels] if columns else [""],
        font,
        cell_side,
    )


def _laid_out(
    pictures: dict[tuple[int, int], Image.Image],
    sides: list[str],
    heads: list[str],
    font: ImageFont.FreeTypeFont,
    cell_side: int,
) -> Image.Image:
    """Pictures by (row, column) in equal cells, row labels at their left, column labels above."""
    picture_sizes = [picture.size for picture in pictures.values()] or [(cell_side, cell_side)]
    head_sizes, side_sizes = ([_text_size(text, font) for text in texts] for texts in (heads, sides))
    gap = int(font.size) // 2
    width = max(size[0] for size in picture_sizes + head_sizes)  # of every cell
    height = max(size[1] for size in picture_sizes + side_sizes)
    left = max(size[0] for size in side_sizes) + 2 * gap
    top = max(size[1] for size in head_sizes) + 2 * gap
    sheet = Image.new("RGB", (left + len(heads) * (width + gap), top + len(sides) * (height + gap)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, side in enumerate(sides):
        y = top + row * (height + gap)
        draw.multiline_text((left - gap, y + height // 2), side, "black", font, anchor="rm", align="right")
        for column, head in enumerate(heads):
            x = left + column * (width + gap)
            if row == 0:
                draw.multiline_text((x + width // 2, top // 2), head, "black", font, anchor="mm", align="center")
            if picture := pictures.get((row, column)):
                sheet.paste(picture, (x + (width - picture.width) // 2, y + (height - picture.height) // 2))
            else:
                draw.rectangle((x, y, x + width - 1, y + height - 1), LIGHT_GREY)
    return sheet


def _picture(result: CellResult, side: int, font: ImageFont.FreeTypeFont) -> Image.Image:
    """A painting as the sheet shows it; one that was stopped says so."""
    picture = ImageOps.contain(images.to_pil(result.image), (side, side), Image.Resampling.LANCZOS)
    if result.record.stopped:
        text = _wrapped(f"stopped at step {result.record.steps}", font, picture.width)
        draw, height = ImageDraw.Draw(picture), _text_size(text, font)[1]
        draw.rectangle((0, picture.height - height, picture.width, picture.height), "white")
        draw.multiline_text((0, picture.height - height), text, "black", font)
    return picture


def _wrapped(label: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """A label in lines of a width, in the letters of Pillow's own font: it is everywhere, but has neither α nor ć."""
    plain = label.replace("α", "alpha").replace("β", "beta")
    words = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().split()
    lines = words[:1]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        lines[-1:] = [longer] if font.getlength(longer) <= width else [lines[-1], word]
    return "\n".join(lines)


def _text_size(text: str, font: ImageFont.FreeTypeFont) -> tuple[int, int]:
    """(width, height), pixels."""
    right, bottom = ImageDraw.Draw(Image.new("RGB", (1, 1))).multiline_textbbox((0, 0), text, font)[2:]
    return math.ceil(right), math.ceil(bottom)


def save_sheet(sheet: Image.Image, results: Sequence[CellResult], path: str | Path) -> None:
    """Write a composed sheet as a PNG that remembers how each of its cells was made."""
    records = [result.record.to_dict() for result in results]
    images.save_png(
        images.from_pil(sheet), path, {"Software": "Neural Style Lab", SHEET_KEY: json.dumps(records, allow_nan=False)}
    )


def read_sheet(path: str | Path) -> list[RunRecord]:
    """The records of a sheet's cells, in the order in which they were painted.

    Raises:
        ImageError: not a PNG, or one without such records.
        ConfigError: their settings are none of this version's.
    """
    text = images.read_text(path).get(SHEET_KEY)
    if text is None:
        raise ImageError(f"{Path(path).name} carries no records; only sheets saved by Neural Style Lab do")
    try:
        return [RunRecord.from_json(json.dumps(values)) for values in json.loads(text)]
    except (ValueError, TypeError, RecursionError):
        raise ImageError(f"the records of {Path(path).name} are damaged; they cannot be read") from None
