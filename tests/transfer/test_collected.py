import pytest
import torch

from nst_core.features.strips import Place
from nst_core.losses.samples import all_samples, draw
from nst_core.losses.style import STYLE_LOSSES
from nst_core.transfer.collected import Drawn, Sums

FEATURES = torch.rand(1, 5, 17, 8, generator=torch.Generator().manual_seed(0))
TAP = torch.rand(7, 5, generator=torch.Generator().manual_seed(1))
PLACES = [Place(first, min(first + 4, 17), (17, 8)) for first in range(0, 17, 4)]
MASK = torch.zeros(1, 1, 17, 8)
MASK[:, :, 5:7, 2:] = 1 / 12


def added(one, features=FEATURES):
    for place in PLACES:
        one.add(place.of(features), place)
    return one


@pytest.mark.parametrize("share", [None, MASK], ids=["all", "region"])
def test_sums_of_strips_are_what_the_loss_remembers_of_the_whole(share):
    loss = STYLE_LOSSES["wasserstein"]
    torch.testing.assert_close(added(Sums(loss, TAP, share)).memory, loss.statistics(FEATURES, TAP, share))


def test_what_is_drawn_of_strips_is_what_is_drawn_of_the_whole():
    vectors, shares, _ = all_samples(FEATURES, TAP)
    found = added(Drawn(shares, 50, torch.Generator().manual_seed(2), TAP))
    torch.testing.assert_close(found.memory, draw((vectors, shares, TAP), 50, torch.Generator().manual_seed(2)))
    raw = added(Drawn(shares, 50, torch.Generator().manual_seed(2), TAP, raw=True)).memory
    torch.testing.assert_close(draw(raw, 50, None), found.memory)


@pytest.mark.parametrize("kind", ["sums", "drawn"])
def test_what_a_strip_pulls_is_the_gradient_there(kind):
    def one():
        shares = MASK.flatten()
        return Sums(STYLE_LOSSES["gram"], TAP, MASK) if kind == "sums" else Drawn(shares, 50, None, TAP)

    leaf = FEATURES.clone().requires_grad_(True)
    whole = added(one(), leaf)
    slopes = [torch.rand(part.shape, generator=torch.Generator().manual_seed(4)) for part in whole.leaves()]
    (expected,) = torch.autograd.grad(
        [(part * slope).sum() for part, slope in zip(whole.leaves(), slopes, strict=True)], leaf
    )
    for place in PLACES:
        part = place.of(FEATURES).clone().requires_grad_(True)
        pulled = whole.pull(part, place, slopes)
        has_a_say = place.first < 7 and place.end > 5
        assert (pulled is not None) == has_a_say
        if pulled is not None:
            torch.testing.assert_close(torch.autograd.grad(pulled, part)[0], place.of(expected))
