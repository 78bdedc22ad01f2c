"""One law for many values: a single test that says of all values for which it does not hold."""

import functools
import inspect
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest


def every(**values: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a test go through all combinations of its arguments' values; what else it asks for are fixtures.

    Where thousands of values take a millisecond each, this is sooner done than as a test each.
    """
    combinations = [dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())]
    assert combinations, f"there is nothing to try of {', '.join(values)}"

    def one_test(law: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(law)
        def test(**fixtures: Any) -> None:
            broken = []
            for given in combinations:
                try:
                    law(**fixtures, **given)
                except (Exception, pytest.fail.Exception) as error:
                    case = ", ".join(f"{name}={value!r:.80}" for name, value in given.items())
                    broken.append(f"{case}: {type(error).__name__}: {error}")
            assert not broken, f"{len(broken)} of {len(combinations)}:\n" + "\n".join(broken)

        asked = inspect.signature(law)
        wanted = [parameter for name, parameter in asked.parameters.items() if name not in values]
        test.__signature__ = asked.replace(parameters=wanted)  # type: ignore[attr-defined]
        return test

    return one_test
