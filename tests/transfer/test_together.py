"""Paintings that pass the network together have the losses that each has by itself."""

import pytest
import torch

from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.together import look_of, terms_together
from tests.runs import small


def three_objectives(network, pictures) -> list[StyleTransferObjective]:
    """Three that look alike, with other pictures and weights."""
    content, style = pictures
    configs = [small(tv_weight=3.0), small(style_weight=7e4, content_weight=2.0), small(style_weight=1.0)]
    contents = [content, content.flip(3), content.flip(2)]
    styles = [style, style.flip(2), style[..., :20]]
    return [
        StyleTransferObjective(network, image, [seen], config)
        for image, seen, config in zip(contents, styles, configs, strict=True)
    ]


@pytest.mark.parametrize("backbone", ["vgg19", "lite"])
def test_together_or_alone_losses_and_gradients_are_the_same(random_vgg, pictures, backbone):
    objectives = three_objectives(random_vgg[backbone], pictures)
    canvases = [torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(n)) for n in range(3)]
    canvases = [canvas.requires_grad_(True) for canvas in canvases]
    together = terms_together(objectives, canvases)
    sum(value for own in together for value in own.values()).backward()
    for objective, canvas, own in zip(objectives, canvases, together, strict=True):
        gradient, canvas.grad = canvas.grad, None
        alone = objective(canvas)
        assert alone.keys() == own.keys()
        for name in alone:
            torch.testing.assert_close(own[name], alone[name], rtol=1e-4, atol=0)
        sum(alone.values()).backward()
        torch.testing.assert_close(gradient, canvas.grad, rtol=1e-3, atol=1e-4 * float(canvas.grad.abs().max()))


def test_a_picture_that_is_its_own_content_has_no_content_loss_and_no_gradient(random_vgg, pictures):
    content = pictures[0].clone().requires_grad_(True)
    config = small(style_weight=0.0)
    objectives = [StyleTransferObjective(random_vgg["lite"], pictures[0], [pictures[1]], config)] * 2
    terms = terms_together(objectives, [content, content.detach()])
    (value,) = terms[0].values()
    value.backward()
    assert float(value.detach()) < 1e-6 and float(content.grad.abs().max()) < 1e-6


@pytest.mark.parametrize(
    "setting",
    [
        {"pooling": "average"},
        {"content_layers": ("conv1_2",)},
        {"style_layers": ("conv1_1",)},
        {"normalization": "none"},
        {"backbone": "vgg16"},
        {"steps": 5},
        {"content_weight": 0.0},
    ],
)
def test_what_looks_otherwise_does_not_pass_together(setting):
    assert look_of(small(**setting)) != look_of(small())


@pytest.mark.parametrize(
    "setting",
    [
        {"style_loss": "moments"},
        {"smallest_scale": 16},
        {"averaging": 0.5},
        {"tolerance": 0.1},
        {"color": "content"},
        {"last_step": 2},
    ],
)
def test_what_is_more_than_one_scale_of_gram_matrices_passes_alone(setting):
    assert look_of(small(**setting)) is None


def test_weights_seeds_and_starts_may_differ():
    assert look_of(small(style_weight=1.0, seed=4, start="noise", tv_weight=2.0)) == look_of(small())
