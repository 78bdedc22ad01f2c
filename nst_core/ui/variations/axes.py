"""Lists what a sheet of variations may vary, in the page's words, and values to begin with."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nst_core.features.vgg import nearest_layer
from nst_core.transfer.config import SETTINGS, StyleTransferConfig
from nst_core.transfer.presets import DEFAULT_PRESET
from nst_core.transfer.schema import Setting
from nst_core.transfer.variations import PRESET, RATIO, Axis, SheetCell, cells, parse_axis, shown

NOTHING = "nothing"  # in the menu of columns: one setting is enough

# First in the menus: what people compare most.
FAVOURITES = (
    RATIO,
    "style_weight",
    PRESET,
    "style_loss",
    "seed",
    "start",
    "size",
    "tv_weight",
    "style_scale",
    "color",
    "content_weight",
)


def menu(table: Mapping[str, Setting]) -> dict[str, str]:
    """List what can be varied -> its name in the menus; nothing that has no effect on a sheet's cells."""
    titles = {RATIO: "α/β: content against style", PRESET: "Preset"}
    for name, one in table.items():
        if one.compared is not None:
            titles[name] = f"{one.symbol}: {one.about}" if len(one.symbol) == 1 else one.label
    return {name: titles[name] for name in (*FAVOURITES, *titles)}


MENU = menu(SETTINGS)

# Values around a setting that is 0 on the page.
FROM_NOTHING = {
    "content_weight": "0, 1, 10",
    "style_weight": "1e6, 1e7, 1e8",
    "tv_weight": "0, 1e2, 1e4",
    "noise_deviation": "0, 0.1, 0.25",
    "smallest_scale": "0, 64",
    "scale_falloff": "0, 1, 2",
    "averaging": "0, 0.9, 0.99",
    "tolerance": "0, 0.01, 0.05",
}


class SheetPlan(NamedTuple):
    """A sheet before it is painted."""

    rows: Axis
    columns: Axis | None
    cells: list[SheetCell]

    @property
    def steps(self) -> int:
        """Count the steps of all cells."""
        return sum(cell.config.steps for cell in self.cells)


def default_values(name: str, config: StyleTransferConfig) -> str:
    """Choose values to compare, as a person would type them: about the page's own.

    Args:
        name: one of MENU.
        config: of the sheet's cells.
    """
    if name == PRESET:
        return f"{DEFAULT_PRESET}, gatys, crowson"
    one = SETTINGS.get(name)
    if one and one.compared:
        return one.compared
    if one and one.choices is not None:
        own = getattr(config, name)
        return ", ".join([own, *(choice for choice in one.choices if choice != own)][:5])
    if one and isinstance(one.default, bool):
        return "off" if name == "clamp" and config.optimizer == "lbfgs" else "off, on"
    if name in ("style_layers", "content_layers", "layer_weights"):
        return ", ".join(" ".join(map(shown, value)) for value in _sequences(name, config))
    return _around(name, config)


def _around(name: str, config: StyleTransferConfig) -> str:
    """Choose values about a number: weights ÷ 10, × 1 and × 10; others ÷ 2, × 1 and × 2."""
    if name == RATIO:
        ratio = config.content_weight / config.style_weight if config.style_weight else 0.0
        return ", ".join(shown(factor * (ratio or 1e-3)) for factor in (0.1, 1.0, 10.0))
    value = getattr(config, name)
    if not value:
        return FROM_NOTHING.get(name, "0, 1, 2")
    low, high = SETTINGS[name].extent or (-math.inf, math.inf)
    factors = (0.1, 1.0, 10.0) if name.endswith("_weight") else (0.5, 1.0, 2.0)
    near = [min(max(factor * value, low), high) for factor in factors]
    values = [round(number) if isinstance(value, int) else float(f"{number:.6g}") for number in near]
    return ", ".join(shown(number) for number in dict.fromkeys(values))


def _sequences(name: str, config: StyleTransferConfig) -> Sequence[tuple[str | int, ...]]:
    """Style layers from the shallowest on, as in Gatys et al.'s figures; one content layer; weights of the layers."""
    layers = config.style_layers or (nearest_layer(config.backbone, "conv1_1"),)
    if name == "style_layers":
        return [layers[:count] for count in range(1, len(layers) + 1)][-5:]
    if name == "content_layers":
        near = [nearest_layer(config.backbone, layer) for layer in ("conv2_2", "conv3_2", "conv4_2")]
        return [(layer,) for layer in dict.fromkeys(near)]
    rising = tuple(range(1, len(layers) + 1))
    return list(dict.fromkeys([(1,) * len(layers), rising, rising[::-1]]))


def planned(base: StyleTransferConfig, rows: str, row_values: str, columns: str, column_values: str) -> SheetPlan:
    """Plan the sheet that a person chose.

    Args:
        base: of all cells.
        rows, columns: one of MENU; columns may be NOTHING.
        row_values, column_values: as typed.

    Raises:
        ConfigError: a value that is wrong, too many of them, or two that do not go together.
    """
    row_axis = parse_axis(rows, row_values, base)
    column_axis = parse_axis(columns, column_values, base) if columns != NOTHING else None
    return SheetPlan(row_axis, column_axis, cells(base, row_axis, column_axis))


def extent(plan: SheetPlan) -> str:
    """Write how much there is to paint: "9 cells × 100 steps = 900 steps"."""
    count, each = len(plan.cells), {cell.config.steps for cell in plan.cells}
    many = f"{count} cell{'s' * (count != 1)}"
    total = f"{plan.steps} step{'s' * (plan.steps != 1)}"
    return f"{many} × {each.pop()} steps = {total}" if len(each) == 1 else f"{many}, {total} in all"


def advice(plan: SheetPlan) -> str:
    """Write a word on a sheet whose cells would look the same, else ""."""
    varied = {plan.rows.name, plan.columns.name if plan.columns else NOTHING}
    if "seed" in varied and all(cell.config.start != "noise" for cell in plan.cells):
        return "The seed matters only where chance does: when starting from noise, or for style losses that sample."
    return ""
