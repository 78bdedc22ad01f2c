"""What the figures show of photographs and paintings with the network that they were drawn for."""

import pytest

from nst_core import images
from tests.analysis.figures.test_laws import made
from tests.benchmarks.material import pictures as photographs

pytestmark = pytest.mark.weights
SIDE = 48  # pixels
QUICK = {"backbone": "vgg19", "size": SIDE, "steps": 20}


def test_the_deeper_the_layer_the_less_of_the_pixels_is_kept():
    photo, _ = photographs(SIDE, SIDE)
    last = made("content", (photo,), start="noise", **QUICK)
    original, *rebuilt = last.parts
    errors = [float((part.image - original.image).abs().mean()) for part in rebuilt]
    assert errors == sorted(errors) and errors[0] < 0.05 < 2 * errors[0] < errors[-1]


def test_the_more_the_content_counts_the_nearer_it_is_and_the_further_the_style():
    photo, painting = photographs(SIDE, SIDE)
    last = made("grid", (photo,), (painting,), sets="A-C", ratios="1e-4, 1e-2, 1", **QUICK)
    content, style = [], []
    for part in (part for part in last.parts if part.record):
        losses, config = part.record.losses, part.config
        content.append(losses["content conv4_2"] / config.content_weight)
        style.append(sum(value for name, value in losses.items() if name.startswith("style")) / config.style_weight)
    assert content == sorted(content, reverse=True) and style == sorted(style)
    assert content[0] > 2 * content[-1] and style[-1] > 2 * style[0]


def test_a_texture_of_noise_comes_near_the_style_with_any_set_of_layers():
    _, painting = photographs(SIDE, SIDE)
    last = made("style", (), (painting,), sets="A, A-C, A-E", seeds="0", **QUICK)
    for line in last.charts[0].lines.values():
        assert line[-1][1] < 0.1 * line[0][1]
    assert images.size_of(last.parts[-1].image) == (SIDE, SIDE)
