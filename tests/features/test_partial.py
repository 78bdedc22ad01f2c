"""Trainings that are put aside: what comes back, and what is refused."""

import pytest
import torch

from nst_core.errors import WeightsError
from nst_core.features.partial import put_aside, take_up


def test_what_is_put_aside_comes_back_where_all_it_depends_on_is_the_same(tmp_path):
    path, weights = tmp_path / "x.partial", {"w": torch.rand(2, 3)}
    put_aside(path, {"recipe": "a", "images": "b"}, 7, state=weights)
    kept = take_up(path, {"recipe": "a", "images": "b"})
    assert kept["step"] == 7 and torch.equal(kept["state"]["w"], weights["w"])
    with pytest.raises(WeightsError, match=r"other settings \(images: b, now c\); use the same, or delete it"):
        take_up(path, {"recipe": "a", "images": "c"})


@pytest.mark.parametrize("content", [b"", b"Dear reader", None])
def test_a_damaged_file_is_told_from_one_of_another_training(tmp_path, content):
    path = tmp_path / "x.partial"
    if content is None:
        torch.save([1, 2], path)
    else:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match="cannot be read to go on from; delete it to begin anew"):
        take_up(path, {})
