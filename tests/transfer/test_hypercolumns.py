"""Hypercolumns: maps of any block, as long as the others."""

import pytest
import torch
from torch.nn import functional as F

from nst_core.transfer.hypercolumns import doubled


@pytest.mark.parametrize("wrap", [False, True])
def test_doubled_maps_are_those_of_linear_interpolation(wrap):
    maps = torch.randn(1, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    beyond = F.pad(maps, (1, 1, 1, 1), mode="circular" if wrap else "replicate")
    expected = F.interpolate(beyond, scale_factor=2, mode="bilinear")[..., 2:-2, 2:-2]
    torch.testing.assert_close(doubled(doubled(maps, 2, wrap=wrap), 3, wrap=wrap), expected)
