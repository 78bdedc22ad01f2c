"""Keeps numbers that are noted step by step, few enough to be drawn however long a painting goes on."""

import math
from collections.abc import Mapping
from typing import Any

MOST_POINTS = 100  # of each line, and the last


class Series:
    """Lines that grow: every step while there are few, then every second, every fourth, and always the last."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, dict[str, float]]] = []
        self._last: tuple[int, dict[str, float]] | None = None
        self._every = 1

    def note(self, step: int, values: Mapping[str, float]) -> None:
        """Keep a step's values, each by the name of its line."""
        self._last = step, dict(values)
        if step % self._every == 0:
            self._kept.append(self._last)
        while len(self._kept) > MOST_POINTS:
            self._every *= 2
            self._kept = [kept for kept in self._kept if kept[0] % self._every == 0]

    def to_dict(self) -> dict[str, Any]:
        """Give what was noted as plain values, for `take`."""
        return {"kept": self._kept, "last": self._last, "every": self._every}

    def take(self, noted: dict[str, Any]) -> None:
        """Go on from what another series noted."""
        self._kept = [(int(step), dict(values)) for step, values in noted["kept"]]
        self._last = noted["last"] and (int(noted["last"][0]), dict(noted["last"][1]))
        self._every = max(1, int(noted["every"]))

    @property
    def lines(self) -> dict[str, tuple[tuple[int, float], ...]]:
        """name -> (step, value), without those that a logarithmic axis has no place for: 0, and what is not finite."""
        steps = self._kept
        if self._last and self._last not in self._kept[-1:]:
            steps = [*self._kept, self._last]
        names = dict.fromkeys(name for _, values in steps for name in values)
        return {
            name: tuple((step, values[name]) for step, values in steps if 0 < values.get(name, 0) < math.inf)
            for name in names
        }
