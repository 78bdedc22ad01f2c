"""A narrower network in closed form: the laws of choosing and fitting."""

import pytest
import torch

from nst_core.features.checkpoint import plan
from nst_core.features.refit import choose_channels, least_squares, refit
from nst_core.features.vgg import VGG
from tests.stand_ins import random_state


def moment(features: torch.Tensor) -> torch.Tensor:
    return features @ features.T / features.shape[1]


def unexplained(features: torch.Tensor, chosen: list[int]) -> float:
    """What is left of all channels (C, M) after regression on the chosen ones."""
    basis = features[chosen].T
    return float((features.T - basis @ torch.linalg.lstsq(basis, features.T).solution).square().sum())


@pytest.fixture
def features():
    generator = torch.Generator().manual_seed(0)
    mixed = torch.randn(12, 5, generator=generator) @ torch.randn(5, 400, generator=generator)
    return (mixed + 0.1 * torch.randn(12, 400, generator=generator)).double()


def test_each_channel_chosen_explains_more_than_any_other_would(features):
    chosen = choose_channels(moment(features), 4)
    for count in range(1, 5):
        kept = chosen[: count - 1]
        rest = [channel for channel in range(12) if channel not in kept]
        best = min(unexplained(features, [*kept, channel]) for channel in rest)
        assert unexplained(features, chosen[:count]) == pytest.approx(best, rel=1e-6)


def test_a_copy_of_a_channel_is_not_chosen_twice(features):
    doubled = torch.cat([features, features])
    chosen = choose_channels(moment(doubled), 12)
    assert len({channel % 12 for channel in chosen}) == 12
    assert len(set(choose_channels(moment(doubled), 20))) == 20  # more than there are to explain anything with


def test_all_channels_keep_their_order(features):
    assert choose_channels(moment(features), 12) == list(range(12))


def test_least_squares_finds_what_made_the_data():
    generator = torch.Generator().manual_seed(0)
    inputs, solution = (
        torch.randn(500, 7, generator=generator).double(),
        torch.randn(7, 3, generator=generator).double(),
    )
    found = least_squares(inputs.T @ inputs, inputs.T @ inputs @ solution)
    torch.testing.assert_close(found, solution, rtol=1e-3, atol=1e-3)


@pytest.fixture(scope="module")
def teacher():
    return VGG("vgg19", random_state("vgg19"))


def test_a_student_as_wide_as_its_teacher_sees_the_same(teacher):
    crops = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    widths = {name: channels for name, _, channels in plan("vgg19") if name in ("conv1_1", "conv1_2")}
    for made in refit(teacher, widths, crops):
        own = teacher.get_buffer(f"{made.layer}_weight")
        assert (made.weight - own).norm() < 0.02 * own.norm()
        assert (made.tap - torch.eye(len(made.tap))).norm() < 0.02 * len(made.tap) ** 0.5


def test_a_narrower_student_explains_more_than_the_first_channels_would(teacher):
    crops = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    made = list(refit(teacher, {"conv1_1": 16, "conv1_2": 24, "conv2_1": 32}, crops))
    assert [layer.layer for layer in made] == ["conv1_1", "conv1_2", "conv2_1"]
    assert [tuple(layer.weight.shape) for layer in made] == [(16, 3, 3, 3), (24, 16, 3, 3), (32, 24, 3, 3)]
    assert [tuple(layer.tap.shape) for layer in made] == [(64, 16), (64, 24), (128, 32)]
    padded = teacher.enter(crops, "zeros", "imagenet")
    seen = torch.nn.functional.conv2d(padded, made[0].weight, made[0].bias).relu()
    read = torch.einsum("ck,bkhw->bchw", made[0].tap, seen)
    wanted = teacher(crops, ["conv1_1"])["conv1_1"]
    first = wanted.movedim(1, 0).flatten(1)[:16]  # of the teacher's own channels
    everything = wanted.movedim(1, 0).flatten(1)
    rest = unexplained(torch.cat([first, everything]).double(), list(range(16)))
    assert (read - wanted).square().sum() < rest < wanted.square().sum()
