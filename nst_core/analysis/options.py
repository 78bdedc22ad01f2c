"""Defines the options of a figure, from which the page's controls, the command's options and links are made."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nst_core.errors import ConfigError, said, seen
from nst_core.features.vgg import BACKBONES, BUNDLED_BACKBONE, layer_names
from nst_core.images import MIN_SIDE, READ_SIDE
from nst_core.transfer.settings import MAX_STEPS
from nst_core.transfer.variations import shown

MOST_VALUES = 8  # of an option that takes several
NOISE = 0.05  # of the pixel range, that figures start from: faint, since what no layer minds of it stays


@dataclass(frozen=True)
class Option:
    """One setting of a figure; its default's type is the type of its values.

    Attributes:
        name: as links and the command line have it.
        label: as the page has it.
        default: a number, a text, True or False; a tuple of these for an option that takes several.
        about: in a few words, "" if the label says it.
        choices: what a text may be; empty: anything that `check` lets pass.
        extent: (smallest, largest) of a number.
        check: a value of it -> what it becomes; raises ConfigError.
        fixed: whether only choices are valid, rather than being suggestions.
    """

    name: str
    label: str
    default: Any
    about: str = ""
    choices: Sequence[str] = ()
    extent: tuple[float, float] = (-math.inf, math.inf)
    check: Callable[[Any], Any] | None = None
    fixed: bool = True

    @property
    def several(self) -> bool:
        """Whether the option takes several values."""
        return isinstance(self.default, tuple)

    @property
    def kind(self) -> type:
        """Tell the type of a value: bool, int, float or str."""
        return type(self.default[0]) if self.several else type(self.default)

    def parse(self, given: Any) -> Any:
        """Read the value that a person gave, as text or as the page has it.

        Raises:
            ConfigError: it is missing or invalid; says which values are valid.
        """
        if not self.several:
            return self._single(given)
        parts = given.replace(";", ",").split(",") if isinstance(given, str) else given
        if not isinstance(parts, list | tuple):
            parts = () if parts is None else (parts,)
        values = tuple(self._single(part) for part in parts if not isinstance(part, str) or part.strip())
        if not 1 <= len(values) <= MOST_VALUES:
            raise ConfigError(f"{self.label} has {len(values)} values; choose 1 to {MOST_VALUES}")
        if len(set(values)) < len(values):
            raise ConfigError(f"{self.label} is {seen(self.text(values))}; name each value once")
        return values

    def _single(self, given: Any) -> Any:
        value = given.strip() if isinstance(given, str) else given
        if self.kind is bool:
            value = {"on": True, "off": False, "true": True, "false": False}.get(str(value).lower())
            if value is None:
                raise ConfigError(f"{self.label} is {said(given)}; give on or off")
        elif self.kind in (int, float):
            value = self._number(value)
        elif not isinstance(value, str):
            raise ConfigError(f"{self.label} is empty; fill it in")
        elif self.choices and self.fixed and value not in self.choices:
            raise ConfigError(f"{self.label} is {said(value)}; choose one of {', '.join(self.choices)}")
        return self.check(value) if self.check else value

    def _number(self, value: Any) -> int | float:
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        low, high = self.extent
        whole = self.kind is int
        if isinstance(value, bool) or not low <= number <= high or not math.isfinite(number) or (whole and number % 1):
            what = "a whole number" if whole else "a number"
            given = "empty" if value in (None, "") else said(value)
            raise ConfigError(f"{self.label} is {given}; give {what} from {low:g} to {high:g}")
        return int(number) if whole else number

    def text(self, value: Any) -> str:
        """Write a value as `parse` reads it again, and as people write it."""
        if isinstance(value, tuple):
            return ", ".join(map(self.text, value))
        if isinstance(value, str):
            return value
        text = shown(value)
        return text if not isinstance(value, float) or float(text) == value else repr(value)


def parse_all(options: Sequence[Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """Read the values of all options, name -> value; the default where nothing is given.

    Raises:
        ConfigError: an unknown option, or an invalid value.
    """
    known = {option.name: option for option in options}
    for name in given:
        if name not in known:
            raise ConfigError(f"{said(name)} is no setting of this figure; it has {', '.join(known) or 'none'}")
    return {name: option.parse(given.get(name, option.default)) for name, option in known.items()}


def backbone_option() -> Option:
    """Make the option for the network that looks at the pictures."""
    return Option(
        "backbone",
        "Network",
        BUNDLED_BACKBONE,
        "Lite is part of the program and two to three times faster",
        tuple(BACKBONES),
    )


def size_option(default: int = 160, most: int = READ_SIDE) -> Option:
    """Make the option for the longer side of each picture."""
    return Option("size", "Size, pixels", default, "of each picture's longer side", extent=(MIN_SIDE, most))


def steps_option(default: int) -> Option:
    """Make the option for the number of updates of each picture."""
    return Option("steps", "Steps", default, extent=(1, MAX_STEPS))


def seed_option() -> Option:
    """Make the option for the seed of the noise that pictures start from."""
    return Option("seed", "Seed", 0, "of the noise", extent=(0, 2**32 - 1))


def layer_named(text: str) -> str:
    """Find a layer by its name, or by its number among VGG-19's convolutions, as Cheng counts: "conv4", "4" is conv2_2.

    Raises:
        ConfigError: a number that VGG-19 lacks. Names are checked by the network.
    """
    known, number = layer_names("vgg19"), text.strip().lower().removeprefix("conv")
    if not number.isdecimal():
        return text
    if len(number) > 3 or not 1 <= int(number) <= len(known):
        raise ConfigError(f"layer is {said(text)}; VGG-19 counts its convolutions from 1 to {len(known)}")
    return known[int(number) - 1]
