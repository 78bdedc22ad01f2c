"""Reads numbers that a person types."""

from nst_core.errors import ConfigError, said


def whole_number(name: str, value: object, most: int) -> int:
    """Read a whole number from a field.

    Args:
        name: what the number is, as a sentence about it calls it.
        value: what the field holds; None: nothing.
        most: the largest that there may be.

    Raises:
        ConfigError: nothing, or no whole number from 1 to the largest.
    """
    if value is None:
        raise ConfigError(f"the {name} is empty; give a whole number from 1 to {most}")
    if not isinstance(value, int | float) or value != value // 1 or not 1 <= value <= most:
        raise ConfigError(f"the {name} is {said(value)}; give a whole number from 1 to {most}")
    return int(value)
