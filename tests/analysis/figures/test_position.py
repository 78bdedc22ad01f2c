"""What a position sees: the pixels that move its answer, and no others; the channels that answer most."""

import itertools
import re

import pytest
import torch

from nst_core import images
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.layer_view.receptive import Window, framed, lit, pull_of, receptive
from nst_core.features.loading import load_network
from nst_core.features.vgg import layer_names
from tests.analysis.figures.test_laws import made
from tests.runs import CPU


@pytest.mark.parametrize("backbone", ["lite", "vgg19"])
@pytest.mark.parametrize("layer", ["conv1_1", "conv2_2", "conv3_3", "conv4_1"])
def test_what_moves_an_answer_lies_within_the_window_and_reaches_its_edges(narrow_weights, backbone, layer):
    network, _ = load_network(backbone, CPU)
    photo = torch.rand(1, 3, 96, 128, generator=torch.Generator().manual_seed(3))
    field = receptive(network, layer)
    place = (48 // field.step, 64 // field.step)
    window = field.window(*place, (96, 128))
    assert window.area == field.side**2
    maps, pull = pull_of(network, photo, layer, place)
    rows, columns = (pull[0, 0].sum(axis).nonzero().flatten() for axis in (1, 0))
    assert float(maps[(slice(None), *place)].max()) > 0
    found = [int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1]
    assert all(wide <= near for wide, near in zip((window.top, window.left), found[::2], strict=True))
    assert all(wide >= near for wide, near in zip((window.bottom, window.right), found[1::2], strict=True))
    assert (found[1] - found[0]) * (found[3] - found[2]) > 0.6 * window.area  # as maxima leave some of it out


def test_fields_grow_with_the_layers_and_are_the_literatures(narrow_weights):
    network, _ = load_network("vgg19", CPU)
    sides = [receptive(network, layer).side for layer in layer_names("vgg19")]
    assert sides == sorted(sides) and sides[:4] == [3, 5, 10, 14] and sides[-1] == 252
    assert receptive(network, "conv5_4").step == 16


def test_a_window_at_a_corner_ends_where_the_photo_does(narrow_weights):
    network, _ = load_network("lite", CPU)
    field = receptive(network, "conv4_1")
    assert field.window(0, 0, (64, 96)) == (0, 38, 0, 38)
    corner = field.window(7, 11, (64, 96))
    assert (corner.bottom, corner.right) == (64, 96) and corner.top == 7 * 8 - 30


def test_the_figure_shows_the_chosen_position_and_its_strongest_channels(narrow_weights, pictures):
    last = made("position", pictures[:1], layer="conv3_1", x=0.9, y=0.1, maps=5)
    photo = images.fit(pictures[0], 32)
    shown, piece, pull, *maps = last.parts
    top, bottom, left, right = shown.facts["window"]
    assert torch.equal(piece.image, photo[..., top:bottom, left:right]) and left > 8 and top == 0
    answers = [part.facts["answer"] for part in maps]
    assert len(maps) == 5 and answers == sorted(answers, reverse=True)
    assert 0 < pull.facts["half"] < pull.facts["of"]


def test_drawings_leave_the_photo_as_it_was():
    photo = torch.rand(1, 3, 40, 48)
    before = photo.clone()
    window = (4, 20, 6, 30)
    drawn = framed(photo, Window(*window))
    assert torch.equal(photo, before) and drawn[..., 30:, :].max() < 0.46
    assert torch.equal(drawn[..., 6:18, 8:28], photo[..., 6:18, 8:28])


def test_what_matters_is_drawn_in_grey_by_how_much_it_matters_alone():
    weights = torch.rand(1, 1, 40, 48, generator=torch.Generator().manual_seed(1)).square()
    drawn = lit(weights)
    assert drawn.shape == (1, 3, 40, 48) and torch.equal(drawn[:, :1], drawn[:, 1:2])
    in_order = drawn[0, 0].flatten()[weights.flatten().argsort()]
    assert (in_order.diff() >= 0).all() and in_order[-1] == 1
    assert torch.allclose(lit(7 * weights), drawn)
    assert lit(torch.zeros(1, 1, 40, 48)).max() == 0


def test_the_answer_s_sum_is_what_the_network_s_layers_add_up_to(narrow_weights):
    told = re.search(r"(1 \+ [^=]*) = (\d+)", FIGURES["position"].question.why)
    numbers = [int(number) for number in re.findall(r"\d+", told[1])]
    network, _ = load_network("vgg19", CPU)
    assert sum(numbers) == int(told[2]) == receptive(network, "conv4_1").side
    sides = [receptive(network, name).side for name, _ in network.plan]
    assert list(itertools.accumulate(numbers))[1:] == sides[: len(numbers) - 1]
