"""What JSON may hold: each kind is told from what is nearly one."""

import pytest

from nst_core.transfer import json_values
from nst_core.transfer.json_values import MOST_COUNTED, MOST_LETTERS, read_json

RIGHT = {
    "is_text": ["", "a" * MOST_LETTERS],
    "is_count": [0, MOST_COUNTED],
    "is_number": [0, -1.5, 1e300],
    "is_duration": [0, 1.5],
    "is_size": [[1, 2]],
    "is_switch": [True, False],
    "are_texts": [[], ["a"]],
    "are_numbers": [[], [1, 2.5]],
    "are_losses": [{}, {"a": 1.5}],
}
WRONG = {
    "is_text": [None, 1, "a" * (MOST_LETTERS + 1), ["a"]],
    "is_count": [-1, 1.0, True, MOST_COUNTED + 1, "1", None],
    "is_number": [True, "1", None, float("inf"), float("nan"), []],
    "is_duration": [-1, 1e30],
    "is_size": [[1], [1, 2, 3], [0, 1], [1.5, 2], "12", None],
    "is_switch": [0, 1, None, "true"],
    "are_texts": ["ab", [1], None, {}],
    "are_numbers": [["a"], None, {}, [True]],
    "are_losses": [[], {"a": "b"}, {"a": float("nan")}, None],
}


@pytest.mark.parametrize("kind", RIGHT)
def test_each_kind_is_told_from_what_is_nearly_one(kind):
    is_one = getattr(json_values, kind)
    assert all(map(is_one, RIGHT[kind])) and not any(map(is_one, WRONG[kind]))


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "NaN", "[Infinity]", "{", ""])
def test_what_readers_would_disagree_on_is_refused(text):
    with pytest.raises(ValueError):
        read_json(text)
