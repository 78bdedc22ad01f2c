"""Borders in which features are mirrored: torch's own, and its gradient, in the layout that convolutions like."""

import pytest
import torch
from torch.nn import functional as F

from nst_core.features.borders import reflected


@pytest.mark.parametrize("border", [1, 4])
def test_a_border_and_its_gradient_are_torchs(border):
    features = torch.randn(2, 3, 7, 6, requires_grad=True)
    ours, theirs = reflected(features, border), F.pad(features, (border,) * 4, mode="reflect")
    assert torch.equal(ours, theirs) and ours.is_contiguous(memory_format=torch.channels_last)
    towards = torch.randn_like(theirs)
    one, other = (torch.autograd.grad((made * towards).sum(), features)[0] for made in (ours, theirs))
    torch.testing.assert_close(one, other)
