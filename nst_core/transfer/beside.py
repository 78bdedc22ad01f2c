"""Computes terms of an objective beside the rest of a step, on a GPU: each begins as soon as what it measures is there.

A term is computed with its slopes in what it measures, so that all that follows, the way back through the network too,
is the main stream's.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from nst_core.graphs import SideStreams


class TermsBeside:
    """Computes terms on streams of their own.

    Args:
        device: "cuda:N".
    """

    def __init__(self, device: torch.device):
        self._streams = SideStreams(device)
        self._measured: dict[str, Sequence[Tensor]] = {}

    def begin(self, name: str, term: Callable[[Sequence[Tensor]], Tensor], measured: Sequence[Tensor]) -> None:
        """Begin a term.

        Args:
            name: of the term.
            term: what it measures -> a scalar.
            measured: by the main stream.
        """

        def value_and_slopes(*given: Tensor) -> tuple[Tensor, Sequence[Tensor]]:
            own = [one.detach().requires_grad_() for one in given]
            with torch.enable_grad():
                value = term(own)
            return value.detach(), torch.autograd.grad(value, own)

        self._measured[name] = measured
        self._streams.begin(name, value_and_slopes, *measured)

    def join(self) -> dict[str, Tensor]:
        """Give all terms that were begun, by name, with their gradient."""
        measured, self._measured = self._measured, {}
        return {name: _Known.apply(found, *measured[name]) for name, found in self._streams.join().items()}


class _Known(torch.autograd.Function):
    """A value (a scalar) whose slopes in some tensors are known."""

    @staticmethod
    def forward(context: Any, found: tuple[Tensor, Sequence[Tensor]], *measured: Tensor) -> Tensor:
        value, context.slopes = found
        return value

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return None, *(gradient * slope for slope in context.slopes)
