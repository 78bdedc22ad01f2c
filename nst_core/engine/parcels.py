"""Packs a painting's state for another machine: plain values and numpy arrays, which Ray sends without a copy."""

import json
from collections.abc import Collection
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from nst_core.transfer.json_values import read_json
from nst_core.transfer.state import State, Tensors

Arrays = dict[str, np.ndarray]


class Parcel(NamedTuple):
    """A State on its way; of what is lasting, None stands for what the receiver has."""

    facts: str  # as JSON
    arrays: Arrays
    lasting: dict[str, Arrays | None]

    @property
    def size(self) -> int:
        """Bytes of its arrays."""
        every = [self.arrays, *filter(None, self.lasting.values())]
        return sum(array.nbytes for arrays in every for array in arrays.values())


def packed(state: State, known: Collection[str] = ()) -> Parcel:
    """Pack a state, without what is lasting and known to the receiver."""
    lasting = {name: None if name in known else _arrays(tensors()) for name, tensors in state.lasting.items()}
    return Parcel(json.dumps(state.facts, allow_nan=False), _arrays(state.tensors), lasting)


def unpacked(parcel: Parcel, known: State | None = None) -> State:
    """Undo `packed`, with tensors of this process' own.

    Args:
        parcel: as it came.
        known: has what is lasting and was not sent.
    """
    before = known.lasting if known else {}
    lasting = {
        name: before[name] if arrays is None else partial(_tensors, arrays) for name, arrays in parcel.lasting.items()
    }
    return State(read_json(parcel.facts), _tensors(parcel.arrays), lasting)


def _arrays(tensors: Tensors) -> Arrays:
    return {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in tensors.items()}


def _tensors(arrays: Arrays) -> Tensors:
    return {name: torch.tensor(array) for name, array in arrays.items()}
