"""The figure of the Gram matrix: its drawings, its order of channels, and its painting."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nst_core.analysis.figure import FigureMaterial
from nst_core.analysis.figures import gram
from nst_core.analysis.layer_view.channels import channel_order, cosines, most_active, strongest_pairs
from nst_core.analysis.layer_view.comparison import MAPS, MATRIX, PAIRS, PICTURE, Comparison, Seen, distance, strong
from nst_core.analysis.layer_view.heat import GAP, SIDE, bars, feature_sheet, heat, heat_map, overlay, peak
from nst_core.analysis.series import MOST_POINTS, Series
from nst_core.errors import ConfigError, ImageError
from nst_core.features.loading import load_network
from tests.runs import CPU


def gram_of(features: torch.Tensor) -> torch.Tensor:
    """(C, M) -> (C, C)."""
    return features @ features.T / features.shape[1]


@pytest.fixture
def blocks():
    """Three groups of channels that never occur together, shuffled, and each channel's group."""
    generator = torch.Generator().manual_seed(3)
    groups = torch.arange(3).repeat_interleave(5)[torch.randperm(15, generator=generator)]
    features = torch.zeros(15, 300)
    for group in range(3):
        own = torch.rand(100, generator=generator) * torch.rand(5, 1, generator=generator) * 9
        features[groups == group, group * 100 : group * 100 + 100] = own
    return gram_of(features + 0.01 * torch.rand(15, 300, generator=generator)), groups.tolist()


# The channels


def test_channels_that_occur_together_stand_side_by_side(blocks):
    matrix, groups = blocks
    order = channel_order(matrix)
    assert sorted(order) == list(range(15))
    row = [groups[channel] for channel in order]
    assert sum(left != right for left, right in zip(row, row[1:], strict=False)) == 2


def test_groups_are_turned_so_that_their_likest_ends_meet():
    """Channels like windows along a strip, each of which overlaps with its two neighbours alone."""
    features = torch.zeros(12, 100)
    for channel in range(12):
        features[channel, channel * 8 : channel * 8 + 12 + channel % 3] = 1
    shuffle = torch.randperm(12, generator=torch.Generator().manual_seed(4))
    row = shuffle[torch.from_numpy(channel_order(gram_of(features[shuffle])))].tolist()
    assert row in (list(range(12)), list(range(12))[::-1])


def test_an_order_does_not_depend_on_how_strong_a_channel_is(blocks):
    matrix, _ = blocks
    strength = torch.logspace(-1, 1, 15)
    assert channel_order(matrix).tolist() == channel_order(matrix * strength * strength[:, None]).tolist()


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_few_channels_and_silent_ones_have_an_order_too(channels):
    for matrix in (torch.zeros(channels, channels), torch.ones(channels, channels)):
        assert sorted(channel_order(matrix)) == list(range(channels))


def test_cosines_of_centred_maps_are_their_correlations():
    features = torch.rand(4, 50)
    centred = features - features.mean(1, keepdim=True)
    np.testing.assert_allclose(cosines(gram_of(centred)), np.corrcoef(features.numpy()), atol=1e-5)


def test_a_silent_channel_occurs_with_none():
    features = torch.rand(4, 50)
    features[2] = 0
    assert cosines(gram_of(features))[2].tolist() == [0, 0, 1, 0]


def test_the_most_active_channels_are_those_of_the_diagonal():
    assert most_active(torch.diag(torch.tensor([1.0, 5, 3, 5])) + 0.1, 3) == [1, 3, 2]
    assert most_active(torch.eye(2), 9) == [0, 1]


def test_the_strongest_pair_is_not_that_of_the_most_active_channels():
    """0 and 1 are strong and occur together now and then; 2 and 3 are weaker and always do; 4 and 5 hardly answer."""
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(8, 400, generator=generator)
    features[:2] *= 10
    features[3] = features[2] * 0.9
    features[4:] *= 0.01
    features[5] = features[4]
    matrix = gram_of(features)
    beside = matrix - torch.diag(matrix.diagonal())
    assert divmod(int(beside.argmax()), 8) == (0, 1)
    assert strongest_pairs(matrix, 1) == [(2, 3)]


def test_no_channel_is_in_two_pairs(blocks):
    pairs = strongest_pairs(blocks[0], 9)
    members = [channel for pair in pairs for channel in pair]
    assert pairs and len(set(members)) == len(members)
    assert strongest_pairs(torch.ones(1, 1), 3) == strongest_pairs(blocks[0], 0) == []


# The drawings


def luma(image: torch.Tensor) -> torch.Tensor:
    return (image * torch.tensor([0.2126, 0.7152, 0.0722]).view(1, 3, 1, 1)).sum(1)[0]


def test_stronger_is_brighter_in_even_steps():
    colors = heat(np.linspace(0, 1, 101))
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
    lightness = 116 * np.cbrt(linear) - 16  # CIE L*, what looks equal
    steps = np.diff(lightness)
    assert steps.min() > 0.4 and steps.max() < 1.3
    np.testing.assert_array_equal(heat(np.array([-1, 2, np.nan])), colors[[0, -1, 0]])


def test_a_heat_map_shows_the_entries_in_their_order():
    matrix, order = torch.rand(8, 8, generator=torch.Generator().manual_seed(0)), [3, 1, 0, 2, 7, 6, 5, 4]
    drawn = luma(heat_map(matrix, order, top=1.0))
    cell = drawn.shape[0] // 8
    assert drawn.shape == (SIDE, SIDE)
    cells = drawn[cell // 2 :: cell, cell // 2 :: cell].flatten()
    ordered = matrix[order][:, order].flatten()
    assert (cells.argsort() == ordered.argsort()).all()
    assert torch.equal(heat_map(-matrix, order, 1.0), heat_map(matrix, order, 1.0))


def test_heat_maps_of_one_scale_compare():
    weak, strong = torch.full((4, 4), 0.1), torch.full((4, 4), 1.0)
    together = [heat_map(matrix, range(4), peak(strong)) for matrix in (weak, strong)]
    assert luma(together[0]).max() < luma(together[1]).min()
    assert torch.equal(heat_map(weak, range(4)), heat_map(strong, range(4)))
    assert heat_map(torch.zeros(4, 4), range(4)).isfinite().all()


@pytest.mark.parametrize("channels", [1, 32, 64, 144, 256, 512])
def test_a_heat_map_is_small_whatever_the_channels(channels):
    drawn = heat_map(torch.eye(channels), range(channels))
    assert drawn.shape[0] == 1 and drawn.shape[1] == 3 and 200 <= drawn.shape[2] == drawn.shape[3] <= 300
    assert drawn.dtype == torch.float32 and drawn.min() >= 0 and drawn.max() <= 1


def test_feature_maps_stand_in_the_order_asked_for():
    features = torch.zeros(5, 6, 8)
    features[3], features[4] = 0.5, 1.0
    drawn = luma(feature_sheet(features, [4, 0, 3, 1], tops=[1.0] * 4))
    middle, right = slice(20, 60), slice(SIDE // 2 + 20, SIDE // 2 + 60)
    low = slice(drawn.shape[0] // 2 + 20, drawn.shape[0] // 2 + 60)
    four, none, three, one = drawn[middle, middle], drawn[middle, right], drawn[low, middle], drawn[low, right]
    assert four.min() > three.max() > none.max() == one.max()
    assert drawn.shape == (2 * 94 + GAP, 2 * 126 + GAP)


def test_maps_that_lie_over_each_other_are_white_where_both_answer():
    first, second = torch.zeros(4, 4), torch.full((4, 4), -1.0)
    first[:2], second[:, :2] = 1, 3
    drawn = overlay(first, second)[0]
    corner = {(y, x): drawn[:, y * 255, x * 255].tolist() for y in (0, 1) for x in (0, 1)}
    assert corner == {(0, 0): [1, 1, 1], (0, 1): [1, 0, 1], (1, 0): [0, 1, 0], (1, 1): [0, 0, 0]}
    assert overlay(torch.zeros(3, 7), torch.zeros(3, 7)).shape == (1, 3, 110, SIDE)


def test_bars_are_as_high_as_their_numbers():
    drawn = bars([1.0, 0.5, 0.0])[0]
    width, height = drawn.shape[2] // 3, drawn.shape[1]
    filled = [int((drawn[1, :, number * width + 9] > 0.5).sum()) for number in range(3)]
    assert filled == [pytest.approx(height, abs=3), pytest.approx(height / 2, abs=3), 0]


def test_marks_stand_at_their_own_heights():
    drawn = bars([0.5, 0.25], marks=[0.25, 1.0], top=1.0)[0]
    yellow = (drawn[0] > 0.9) & (drawn[2] < 0.3)
    heights = [SIDE // 2 - yellow[:, x].nonzero().float().mean().item() for x in (20, 150)]
    assert heights == [pytest.approx(SIDE / 8, abs=3), pytest.approx(SIDE / 2, abs=3)]


# What stands beside each other


def test_a_picture_is_no_distance_from_itself_and_one_from_nothing():
    matrix = gram_of(torch.rand(6, 40))
    assert distance(matrix, matrix) == 0
    assert distance(torch.zeros_like(matrix), matrix) == pytest.approx(1)
    assert distance(2 * matrix, matrix) == pytest.approx(1)


def test_findings_count_the_channels_in_common():
    def seen(active: range) -> Seen:
        features = torch.full((40, 4, 4), 0.1)
        features[list(active)] = 1.0
        return Seen(features, gram_of(features.flatten(1)))

    comparison = Comparison("conv1_1", seen(range(12, 28)), seen(range(16)), maps=3, pairs=0)
    (found,) = comparison.findings(seen(range(1, 17)))
    assert found == "15 of the style's 16 most active channels are among the result's, 4 among the content's."


def test_what_is_strong_in_a_large_picture_is_told_by_some_of_it():
    features = torch.rand(64, 600, 600, generator=torch.Generator().manual_seed(0)) * torch.arange(64.0).view(64, 1, 1)
    torch.testing.assert_close(strong(features), 0.99 * torch.arange(64.0), rtol=0.02, atol=0)


# The figure


def moments(pictures, **given):
    material = FigureMaterial(contents=pictures[:1], styles=pictures[1:])
    settings = {"size": 32, "steps": 4, "layer": "conv2_1", **given}
    return gram.FIGURE.make(material, gram.FIGURE.settings(settings), CPU)


@pytest.fixture
def every(narrow_weights, pictures):
    return list(moments(pictures, maps=5, pairs=2))


def test_content_and_style_are_drawn_once(every):
    *_, last = every
    fixed = {(part.row, part.column): part for part in last.parts if part.column < 2}
    assert len(fixed) == 2 * len(last.rows)
    for moment in every:
        for part in moment.parts:
            if part.column < 2:
                assert part is fixed[part.row, part.column] and part.done


def test_every_place_is_filled_in_the_end_and_none_twice(every):
    *_, last = every
    places = [(part.row, part.column) for part in last.parts]
    assert sorted(places) == [(row, column) for row in range(len(last.rows)) for column in range(3)]
    assert all(part.done and part.image.ndim == 4 for part in last.parts)
    assert (last.share, len(last.rows)) == (1, PAIRS + 2)
    shares = [moment.share for moment in every]
    assert shares == sorted(shares) and shares[-2] < 1


def test_the_distance_that_is_drawn_is_that_of_the_pictures(every):
    parts = {(part.row, part.column): part for part in every[-1].parts}
    network, _ = load_network("lite", CPU)
    matrices = []
    for column in (1, 2):
        with torch.no_grad():
            features = network(parts[PICTURE, column].image, ("conv2_1",), padding="reflect")["conv2_1"]
        flat = features.flatten(2)[0].double().numpy()
        matrices.append(flat @ flat.T / flat.shape[1])
    style, result = matrices
    expected = ((result - style) ** 2).sum() / (style**2).sum()
    line = every[-1].charts[0].lines["conv2_1"]
    assert line[-1] == (4, pytest.approx(expected, rel=1e-3))
    assert parts[MATRIX, 2].facts["distance"] == pytest.approx(expected, rel=1e-3)
    assert line[-1][1] < line[0][1]


def test_the_same_channels_are_drawn_of_all_three(every):
    for row in (MAPS, PAIRS, PAIRS + 1):
        channels = [part.facts["channels"] for part in every[-1].parts if part.row == row]
        assert len(channels) == 3 and channels[0] == channels[1] == channels[2]


def test_how_much_a_pair_occurs_together_is_its_maps_cosine(every):
    network, _ = load_network("lite", CPU)
    parts = {(part.row, part.column): part for part in every[-1].parts}
    for column in range(3):
        with torch.no_grad():
            seen = network(parts[PICTURE, column].image, ("conv2_1",), padding="reflect")["conv2_1"][0].flatten(1)
        a, b = seen[parts[PAIRS, column].facts["channels"]]
        expected = torch.cosine_similarity(a, b, dim=0).item()
        assert parts[PAIRS, column].facts["cosine"] == pytest.approx(expected, abs=1e-4)
        assert f"together {expected:.2f}" in parts[PAIRS, column].caption


def test_the_painting_can_be_painted_again(every):
    (painting,) = (part for part in every[-1].parts if (part.row, part.column) == (PICTURE, 2))
    assert painting.record.steps == 4 and painting.config.style_layers == ("conv1_1", "conv2_1")
    assert not any(part.record for moment in every[:-1] for part in moment.parts)


def test_a_network_with_mixed_channels_says_so(narrow_weights, pictures):
    assert "VGG-19's 24" in list(moments(pictures, steps=1))[-1].findings[-1]
    last = list(moments(pictures, steps=1, backbone="vgg19"))[-1]
    assert not any("mixes" in found for found in last.findings)


def test_a_layer_alone_is_painted_by_itself(narrow_weights, pictures):
    last = list(moments(pictures, steps=1, above=False, layer="4", start="noise"))[-1]
    assert list(last.charts[0].lines) == ["conv2_2"]


@pytest.mark.parametrize("shade", [0.0, 0.5])
def test_plain_and_tiny_pictures_have_a_figure_too(narrow_weights, shade):
    plain = torch.full((1, 3, 20, 24), shade)
    last = list(moments((plain, plain), layer="conv5_1", size=24, steps=2))[-1]
    assert last.share == 1 and all(part.image.isfinite().all() for part in last.parts)


def test_it_is_drawn_in_half_precision_too(narrow_weights, pictures):
    settings = gram.FIGURE.settings({"size": 32, "steps": 2, "layer": "conv2_1"})
    material = FigureMaterial(contents=pictures[:1], styles=pictures[1:])
    *_, last = gram.make(material, settings, replace(CPU, precision="bf16"))
    away = {part.column: part.facts["distance"] for part in last.parts if part.row == MATRIX}
    assert away[1] == 0 and away[2] == pytest.approx(last.charts[0].lines["conv2_1"][-1][1], rel=0.05)


def test_what_is_wrong_is_found_before_the_first_moment(narrow_weights, pictures):
    for given, word in (
        ({"layer": "conv5_4"}, "conv5_1"),
        ({"layer": "99"}, "1 to 16"),
        ({"layer": "relu"}, "conv1_1"),
    ):
        with pytest.raises(ConfigError, match=word):
            moments(pictures, **given)
    with pytest.raises(ImageError, match="no style picture"):
        gram.make(FigureMaterial(contents=pictures[:1]), gram.FIGURE.settings({}), CPU)


def test_nothing_stays_behind_when_it_is_left(narrow_weights, pictures, monkeypatch):
    closed = []
    close = gram.Run.close
    monkeypatch.setattr(gram.Run, "close", lambda run: (closed.append(run), close(run)))
    left = moments(pictures, steps=100)
    for _ in range(4):
        next(left)
        assert torch.is_grad_enabled()
    left.close()
    assert len(closed) == 1 and closed[0].last_frame.step < 100


# Lines


@pytest.mark.parametrize("steps", [1, 99, 100, 101, 257, 1000])
def test_a_line_stays_short_and_keeps_its_ends(steps):
    series = Series()
    for step in range(steps + 1):
        series.note(step, {"a": step + 1.0, "none": 0.0})
    line = series.lines["a"]
    assert line[0] == (0, 1) and line[-1] == (steps, steps + 1) and len(line) <= MOST_POINTS + 1
    assert all(y == x + 1 for x, y in line) and len({x for x, _ in line}) == len(line)
    assert len(line) >= min(steps, MOST_POINTS // 2) and series.lines["none"] == ()
    assert Series().lines == {}
