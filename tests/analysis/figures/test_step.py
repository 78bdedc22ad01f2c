"""Single steps: what is shown as the gradient is the loss's, the step goes down it, and the loss falls."""

import math

import pytest
import torch

from nst_core import images
from nst_core.analysis.figures import step as module
from nst_core.analysis.figures.start import STYLE_WEIGHT
from nst_core.analysis.figures.step import SEEN, descend, full_colour, gradient_picture
from nst_core.features.loading import load_network
from tests.analysis.figures.test_laws import made
from tests.runs import CPU


@pytest.fixture
def steps(narrow_weights, pictures, monkeypatch):
    """A function that makes the figure and gives its steps, as it computed them, and the last moment."""

    def make(**given):
        found, real = [], module.descend
        monkeypatch.setattr(module, "descend", lambda *args: (found.append(real(*args)), found[-1])[1])
        return found, made("step", pictures[:1], pictures[1:], **given)

    return make


def paper_loss(pictures, size: int):
    """The figure's loss, written out: image -> ½Σ(F − P)²/½ΣP² + 8 Σ_l ⅕ Σ(G − A)²/ΣA², of eq. 1, 4, 5 and 7."""
    network, _ = load_network("lite", CPU)
    layers = "conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"

    def seen(image):
        return network(image, (*layers, "conv4_2"), padding="reflect")

    def gram(features):
        flat = features[0].flatten(1)
        return flat @ flat.T / flat.shape[1]

    content, style = (images.fit(picture, size) for picture in pictures)
    with torch.no_grad():
        wanted, kept = seen(style), seen(content)["conv4_2"]
        targets = {layer: gram(wanted[layer]) for layer in layers}

    def loss(image):
        features = seen(image)
        total = (features["conv4_2"] - kept).square().sum() / kept.square().sum()
        for layer, target in targets.items():
            total = total + STYLE_WEIGHT / 5 * (gram(features[layer]) - target).square().sum() / target.square().sum()
        return total

    return loss


@pytest.mark.parametrize("start", ["content", "noise"])
def test_the_step_goes_down_the_gradient_of_the_paper_s_loss(steps, pictures, start):
    found, last = steps(start=start, backbone="lite", steps=2)
    loss = paper_loss(pictures, 32)
    assert len(found) == 2
    for number, step in enumerate(found):
        canvas = step.before.clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(loss(canvas), canvas)
        assert float((step.gradient - gradient).abs().max()) < 1e-3 * float(gradient.abs().max())
        torch.testing.assert_close(step.after, step.before - step.length * step.gradient)
        row = [part for part in last.parts if part.row == number]
        assert torch.equal(row[0].image, step.before) and torch.equal(row[2].image, step.after)
        assert torch.equal(row[1].image, gradient_picture(step.gradient))
        assert f"largest |∂L/∂x|: {float(gradient.abs().max()):.2g}" in row[1].caption
        assert math.fsum(step.losses.values()) == pytest.approx(float(loss(step.before).detach()), rel=1e-3)
    assert torch.equal(found[0].after, found[1].before)


def test_the_loss_falls_with_every_step_and_is_told_before_and_after(steps):
    found, last = steps(start="noise", steps=4)
    along = [math.fsum(found[0].losses.values()), *(math.fsum(step.next_losses.values()) for step in found)]
    assert all(after < before for before, after in zip(along, along[1:], strict=False))
    assert [y for _, y in last.charts[0].lines["total"]] == along
    captions = {(part.row, part.column): part.caption for part in last.parts}
    for row in range(4):
        assert captions[row, 0].startswith(f"L = {along[row]:.3g}\n")
        assert captions[row, 2].startswith(f"L = {along[row + 1]:.3g}\n")
    assert last.findings[0].startswith(f"4 steps lower the loss from {along[0]:.3g} to {along[4]:.3g}.")


def test_a_step_is_halved_for_as_long_as_that_lowers_the_loss():
    def parabola(image):
        return {"style conv1_1": 4 * image.square().sum()}  # least at t = 1/8

    image = torch.full((1, 3, 2, 2), 0.5)
    step = descend(parabola, image, change=0.5 * 8 * 1.2)  # t = 1.2 at first, then 0.6, 0.3, 0.15, 0.075
    assert step.length == pytest.approx(0.15) and step.largest == 4
    torch.testing.assert_close(step.after, image - 0.15 * 8 * image)


def test_where_no_step_lowers_the_loss_none_is_made(steps, pictures):
    def flat(image):
        return {"content conv4_2": 0 * image.sum() + 1}

    step = descend(flat, pictures[0], 0.1)
    assert step.length == 0 and torch.equal(step.after, pictures[0]) and step.losses == step.next_losses
    assert torch.equal(gradient_picture(step.gradient), torch.full_like(pictures[0], 0.5))


def test_a_gradient_is_grey_where_it_is_0_and_full_where_few_are_more():
    gradient = torch.zeros(1, 3, 10, 10)
    gradient[0, 0, 0, :4], gradient[0, 1, 0, 0] = torch.tensor([1.0, -1.0, 2.0, -8.0]), 0.5
    gradient[0, 2] = torch.linspace(-1, 1, 100).view(10, 10)
    shown, top = gradient_picture(gradient), full_colour(gradient)
    share = float((gradient.abs() > top).float().mean())
    assert 0 < share <= 1 - SEEN + 1e-6 and shown[0, 0, 5, 5] == 0.5
    assert shown[0, 0, 0, 2] == 1 and shown[0, 0, 0, 3] == 0
    assert float(shown[0, 1, 0, 0]) == pytest.approx(0.5 + 0.25 / top)
