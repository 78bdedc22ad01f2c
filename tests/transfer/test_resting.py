"""A run rests on disk between two frames, takes little there, and goes on as if it never had; see test_kept, too."""

import pytest
import torch

from nst_core.errors import ImageError
from nst_core.transfer.stylize import stylize
from tests.runs import CPU, LADDER, small


def test_a_run_that_rests_after_every_frame_is_the_run_itself(narrow_weights, pictures, tmp_path):
    config = small(**LADDER | {"steps": 8})
    expected = [frame.image for frame in stylize(*pictures, config, compute=CPU)]
    run = stylize(*pictures, config, compute=CPU)
    run.rest(tmp_path)
    assert not run.rests  # as there is nothing of it yet
    for image in expected:
        assert torch.equal(next(run).image, image)
        run.rest(tmp_path)
        assert run.rests and run.painting.stage is None and torch.equal(run.newest.image, image)


def test_a_run_whose_resting_place_is_another_paintings_says_so_and_is_over(narrow_weights, pictures, tmp_path):
    run, other = (stylize(*pictures, small(seed=seed, start="noise"), compute=CPU) for seed in (1, 2))
    next(run), next(other)
    run.rest(tmp_path)
    other.keep(tmp_path)
    with pytest.raises(ImageError):
        next(run)
    assert run.broken and run.remaining == 0
