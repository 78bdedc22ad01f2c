"""Decoders in closed form: what they give back without any training."""

import torch

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import Compute
from nst_core.features.loading import load_network
from nst_core.universal.decoders import LEVELS
from nst_core.universal.inverse import inverted

CPU = Compute(device="cpu", precision="fp32")


def test_decoders_give_back_what_they_were_fitted_on_and_shallow_ones_any_photograph():
    network, _ = load_network("lite", CPU)
    photos = [images.load(path) for path in sorted((ASSETS / "photos").glob("*.jpg"))]
    crops = torch.cat([images.cover(photo, (64, 64)) for photo in photos])
    decoders = inverted(network, crops[:4])
    for level, some, most in zip(
        LEVELS, (crops[:4], crops[:4], crops[4:], crops[4:]), (0.1, 0.1, 0.5, 0.01), strict=True
    ):
        made = decoders(level, network(some, [level], padding="reflect")[level])
        assert (made - some).square().mean() < most * some.var(), level
