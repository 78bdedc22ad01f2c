"""The pictures that a painting is made from, at its scales, and as they are kept."""

import dataclasses

import pytest
import torch

from nst_core.features.checkpoint import Flaw
from nst_core.transfer.sources import Sources, kept_sources, packed, sources, unpacked
from nst_core.transfer.state import State
from tests.runs import CPU, LADDER, left_half, small

CONFIG = small(**LADDER)


@pytest.fixture
def made(pictures) -> Sources:
    opaque, style = (picture.mul(255).round() / 255 for picture in pictures)  # as files have them
    content = torch.cat([opaque, torch.rand(1, 1, 48, 64)], 1)
    return sources(content, [style], CONFIG, start_image=style, masks=[left_half()], compute=CPU)


def same(one, other) -> bool:
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


@pytest.mark.parametrize("for_last", [False, True])
def test_what_is_kept_makes_the_same_pictures(made, for_last):
    sizes = [scale.size for scale in made.scales]
    at_sizes = {size: (made.content_at(size), made.styles_at(size)) for size in sizes}
    if for_last:
        made.free(for_last=True)
        assert made.styles[0] is made.style_image  # once in memory
        sizes = sizes[-1:]
    again = kept_sources(made.state(), CONFIG)
    for field in dataclasses.fields(Sources):
        assert same(getattr(again, field.name), getattr(made, field.name)), field.name
    for size in sizes:
        assert same(again.content_at(size), at_sizes[size][0]) and same(again.styles_at(size), at_sizes[size][1])


def test_bytes_are_kept_as_bytes_and_all_else_as_it_is():
    whole = torch.arange(256).float().div(255).view(1, 1, 16, 16)
    assert packed(whole).dtype == torch.uint8 and torch.equal(unpacked(packed(whole)), whole)
    for odd in (whole * 0.999, whole + 1e-6, whole * 2 - 0.5, whole.where(whole > 0, torch.nan)):
        assert packed(odd) is odd


@pytest.mark.parametrize("name", ["content", "style 0", "content image", "style image", "region 0", "alpha"])
def test_pictures_that_are_missing_or_none_are_refused(made, name):
    state = made.state()
    (kept,) = state.lasting
    tensors = state.lasting[kept]()
    for junk in (torch.rand(3), torch.rand(1, 2, 20, 20), torch.rand(1, 3, 0, 20), None):
        other = {key: value for key, value in tensors.items() if key != name} | ({} if junk is None else {name: junk})
        if junk is not None or name not in ("alpha", "region 0"):
            with pytest.raises(Flaw):
                kept_sources(State(state.facts, {}, {kept: lambda other=other: other}), CONFIG)
    with pytest.raises(Flaw, match="scales"):
        kept_sources(state, dataclasses.replace(CONFIG, size=49))
