"""A state that was sent is the state, with memory of its own; what the receiver has is not sent again."""

import pickle

import torch

from nst_core.engine.parcels import packed, unpacked
from nst_core.transfer.state import State


def test_what_was_sent_is_the_same_and_nobody_elses():
    lasting = {"pair": torch.rand(2, 3)}
    state = State(
        {"step": 3, "loss": 0.1, "size": (1, 2)}, {"canvas": torch.rand(1, 3, 4, 5)}, {"pair-1": lambda: lasting}
    )
    parcel = packed(state)
    assert parcel.size == 4 * (60 + 6)
    came = unpacked(pickle.loads(pickle.dumps(parcel)))
    assert came.facts == {"step": 3, "loss": 0.1, "size": [1, 2]}
    assert torch.equal(came.tensors["canvas"], state.tensors["canvas"])
    assert torch.equal(came.lasting["pair-1"]()["pair"], lasting["pair"])
    came.tensors["canvas"].zero_()
    assert unpacked(parcel).tensors["canvas"].any() and state.tensors["canvas"].any()


def test_what_is_known_is_taken_from_what_there_is():
    known = State(lasting={"pair-1": lambda: {"pair": torch.ones(2)}})
    state = State(lasting={"pair-1": lambda: {"pair": torch.zeros(2)}, "pair-2": lambda: {"pair": torch.zeros(2)}})
    parcel = packed(state, known.lasting)
    assert parcel.lasting["pair-1"] is None and parcel.size == 8
    came = unpacked(parcel, known)
    assert came.lasting["pair-1"]()["pair"].all() and not came.lasting["pair-2"]()["pair"].any()
