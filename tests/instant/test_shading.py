"""Crops as a training shows them to a network."""

import pytest
import torch

from nst_core.instant.painter import GRAIN
from nst_core.instant.shading import LIGHTEST, grained, shaded


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_a_shadow_darkens_one_part_and_leaves_another(generator):
    crops = torch.full((32, 3, 48, 40), 0.8)
    before = crops.clone()
    made = shaded(crops, 1.0, generator)
    assert torch.equal(crops, before) and (made <= 0.8 + 1e-6).all() and (made >= 0).all()
    light = made[:, 0] / 0.8
    assert (light.amin((1, 2)) < LIGHTEST + 0.1).all() and (light.amax((1, 2)) > 0.9).all()
    dark = [(crop < 0.5).float().mean().item() for crop in light]
    assert min(dark) > 0.1 and max(dark) < 0.9 and max(dark) - min(dark) > 0.2


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_crops_gets_a_shadow(generator, share):
    crops = torch.rand(200, 3, 8, 8)
    changed = (shaded(crops, share, generator) != crops).flatten(1).any(1).float().mean().item()
    assert changed == pytest.approx(share, abs=0.1)


def test_every_crop_has_grain_of_its_own_as_what_is_painted_has(generator):
    crops = torch.zeros(2, 3, 64, 64)
    made = grained(crops, generator)
    assert made.std().item() == pytest.approx(GRAIN, rel=0.05) and abs(made.mean().item()) < GRAIN / 10
    assert not torch.equal(made[0], made[1])
