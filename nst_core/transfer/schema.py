"""Defines a setting of a run; checks, page, command line, programs and sheets are made of the definitions."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from nst_core.errors import ConfigError, said

SWITCHES = {"on": True, "true": True, "off": False, "false": False}  # as people type them


@dataclass(frozen=True)
class Control:
    """The control that a setting has on the page.

    Attributes:
        kind: "logarithmic", "number", "slider", "switch", "menu" or "radio".
        group: one of GROUPS.
        hint: beside it, "" if the label says it.
        ends: of a slider, if not the extent; of a logarithmic one, exponents of ten.
        wide: whether it has a row of its own.
    """

    kind: str
    group: str
    hint: str = ""
    ends: tuple[float, float] | None = None
    wide: bool = False


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting: what it is, what it may be, and how people meet it.

    Attributes:
        name: of the config's field.
        default: what it is where nothing is said; its type is that of its values.
        label: as the page and sheets call it.
        about: what it does, in a line, for the command line, programs and the reference.
        symbol: in the papers, "" if it has none.
        option: its name on the command line and for programs; "": its own.
        unit: what it is counted in.
        extent: smallest and largest number; of a tuple's numbers, the latter is not reached.
        choices: what a text may be -> how menus have it.
        page: how the page has it; None: not, or as several controls.
        steered: whether it acts on a picture that is being painted.
        compared: values that a sheet of variations begins with, as typed; "": some about its own. None: it has no
            effect on a sheet.
        typed: what stands for its value in the command line's help.
    """

    name: str = ""
    default: Any = None
    label: str = ""
    about: str = ""
    symbol: str = ""
    option: str = ""
    unit: str = ""
    extent: tuple[float, float] | None = None
    choices: Mapping[str, str] | None = None
    page: Control | None = None
    steered: bool = False
    compared: str | None = ""
    typed: str | None = None

    @property
    def short(self) -> str:
        """Name the setting where there is little room: by its symbol, if it has one."""
        return self.symbol or self.name.replace("_", " ")

    @property
    def asked(self) -> str:
        """Its name on the command line and for programs, with underscores."""
        return self.option or self.name

    @property
    def dashed(self) -> str:
        """Name it with dashes, for the command line and the page's addresses."""
        return self.asked.replace("_", "-")

    @property
    def numeric(self) -> bool:
        """Whether its values are single numbers."""
        return isinstance(self.default, int | float) and not isinstance(self.default, bool)

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return self.numeric and isinstance(self.default, int)

    def check(self, value: Any) -> None:
        """Refuse an invalid value; layers are the network's to refuse.

        Raises:
            ConfigError: it says which values are valid.
        """
        if self.choices is not None:
            if not isinstance(value, str) or value not in self.choices:
                raise ConfigError(f"{self.name} is {said(value)}; choose one of {', '.join(self.choices)}")
        elif isinstance(self.default, bool):
            if not isinstance(value, bool):
                raise ConfigError(f"{self.name} is {said(value)}; give True or False")
        elif isinstance(self.default, tuple):
            self._check_numbers(value)
        else:
            self._check_number(value)

    def _check_number(self, value: Any) -> None:
        low, high = self.extent or (-math.inf, math.inf)
        if not is_number(value) or (self.whole and not isinstance(value, int)) or not low <= value <= high:
            what, unit = "a whole number" if self.whole else "a number", self.unit and f" {self.unit}"
            raise ConfigError(f"{self.name} is {said(value)}; give {what} from {low:g} to {high:g}{unit}")

    def _check_numbers(self, values: Any) -> None:
        if self.extent is None:
            return
        low, high = self.extent
        if not isinstance(values, tuple) or not all(is_number(value) and low <= value < high for value in values):
            raise ConfigError(f"{self.name} is {said(values)}; give a tuple of numbers from 0 to below {high:g}")

    def read(self, text: str) -> Any:
        """Read a value that a person typed, "1e3" steps being 1000; others stay text, for `check` to refuse.

        Args:
            text: parts of a value that has several are separated by spaces.
        """
        if isinstance(self.default, bool):
            return SWITCHES.get(text.lower(), text)
        if isinstance(self.default, tuple):
            return tuple(text.split()) if self.extent is None else tuple(_number(part, float) for part in text.split())
        if self.whole:
            return _number(text, int, float)
        return _number(text, float) if isinstance(self.default, float) else text


# Groups of the page's controls, in its order -> their heading; the first is always in sight.
GROUPS = {
    "main": "Papers and programs: α and β, layers, start, steps",
    "strokes": "Brush strokes and more styles",
    "place": "Where to paint",
    "layers": "More layers",
    "machinery": "Network and optimiser",
}


def setting(default: Any, label: str, about: str, **says: Any) -> Any:
    """Make a field of a config, with what its setting says of itself beside its default."""
    return field(default=default, metadata={"setting": Setting(default=default, label=label, about=about, **says)})


_TABLES: dict[type, Mapping[str, Setting]] = {}


def table_of(config: type) -> Mapping[str, Setting]:
    """List every setting of a config by its name, in the order of its fields."""
    if config not in _TABLES:
        _TABLES[config] = {one.name: replace(one.metadata["setting"], name=one.name) for one in fields(config)}
    return _TABLES[config]


def steered(table: Mapping[str, Setting]) -> tuple[str, ...]:
    """Names of the settings that act on a picture that is being painted."""
    return tuple(name for name, one in table.items() if one.steered)


def plainly_shown(table: Mapping[str, Setting]) -> tuple[str, ...]:
    """Names of the settings that have one control on the page, in the page's order."""
    return tuple(name for group in GROUPS for name, one in table.items() if one.page and one.page.group == group)


def reference(table: Mapping[str, Setting]) -> str:
    """Write all settings into a table of Markdown."""
    lines = ["| setting | on the command line | default | may be | what it does |", "|---|---|---|---|---|"]
    for name, one in table.items():
        symbol = f" ({one.symbol})" if one.symbol and not one.symbol.isascii() else ""
        cells = f"`{name}`{symbol}", f"`--{one.dashed}`", _shown_default(one), _values(one), one.about
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _shown_default(one: Setting) -> str:
    if isinstance(one.default, bool):
        return "on" if one.default else "off"
    if isinstance(one.default, tuple):
        return " ".join(map(str, one.default)) or "none"
    return f"{one.default:g}" if one.numeric else one.default


def _values(one: Setting) -> str:
    if one.choices is not None:
        return ", ".join(one.choices)
    if isinstance(one.default, bool):
        return "on, off"
    if one.extent is None:
        return "layers"
    low, high = one.extent
    several = "numbers" if isinstance(one.default, tuple) else ""
    return " ".join(filter(None, (several, f"{low:g} … {high:g}", one.unit)))


def is_number(value: object) -> bool:
    """Whether a value is a finite number, which True is not."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def _number(text: str, *kinds: Callable[[str], int | float]) -> int | float | str:
    for kind in kinds:
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def titled(names: Iterable[str], titles: Sequence[str] = ()) -> dict[str, str]:
    """Give choices their titles: those beside the names, or the names themselves."""
    names = tuple(names)
    return dict(zip(names, titles or names, strict=True))
