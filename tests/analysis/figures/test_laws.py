"""What each figure of paintings shows: of content, style, ratios, starts and pairs."""

from itertools import pairwise

import pytest
import torch

from nst_core import images
from nst_core.analysis.figure import MOST_PICTURES, FigureMaterial, Moment
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.figures.grid import CONTENT_FACTOR
from nst_core.analysis.figures.start import marks_of
from nst_core.analysis.painting import painters
from nst_core.errors import ConfigError, ImageError
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.stylize import stylize
from tests.runs import CPU


def made(name, contents, styles=(), *, names=(), **given) -> Moment:
    """The last moment of a figure."""
    material = FigureMaterial(contents=tuple(contents), styles=tuple(styles), content_names=names)
    known = {option.name for option in FIGURES[name].options}
    usual = {option: value for option, value in {"size": 32, "steps": 3}.items() if option in known}
    settings = FIGURES[name].settings({**usual, **given})
    return list(FIGURES[name].make(material, settings, CPU))[-1]


def at(moment: Moment) -> dict:
    """(row, column) -> part."""
    return {(part.row, part.column): part for part in moment.parts}


# Content


@pytest.mark.parametrize("backbone", ["lite", "vgg19"])
@pytest.mark.parametrize("start", ["content", "noise, content"])
def test_from_the_picture_itself_the_loss_is_exactly_0_at_every_step(narrow_weights, pictures, backbone, start):
    last = made("content", pictures[:1], start=start, backbone=backbone)
    original, rebuilt = last.parts[0], [part for part in last.parts if part.record]
    for part in (part for part in rebuilt if part.config.start == "content"):
        assert part.record.losses == {f"content {part.config.content_layers[0]}": 0.0}
        assert torch.equal(part.image, original.image)
    assert last.findings == ("From the picture itself the loss is 0, and stays exactly 0 for all 3 steps.",)
    assert all((line == []) == ("itself" in name) for name, line in last.charts[0].lines.items())


def test_from_noise_the_loss_falls_and_the_picture_comes_nearer(narrow_weights, pictures):
    last = made("content", pictures[:1], start="noise", layers="conv1_1", steps=8)
    original, rebuilt = last.parts
    ((_, line),) = last.charts[0].lines.items()
    assert line[-1][1] < 0.2 * line[0][1] and last.findings == ()
    assert rebuilt.caption == f"loss {line[-1][1]:.2g}"
    apart = [
        float((image - original.image).abs().mean()) for image in (rebuilt.image, torch.full_like(rebuilt.image, 0.45))
    ]
    assert apart[0] < apart[1]


def test_layers_are_named_by_number_as_by_name(narrow_weights, pictures):
    one, other = (made("content", pictures[:1], layers=layer, start="noise") for layer in ("conv4", "conv2_2"))
    assert one.columns == other.columns == ("the picture", "conv2_2")
    assert torch.equal(one.parts[1].image, other.parts[1].image)


def test_a_usual_layer_that_lite_lacks_has_a_stand_in_and_a_chosen_one_has_none(narrow_weights, pictures):
    last = made("content", pictures[:1], start="noise", steps=1)
    assert last.columns == ("the picture", "conv1_2", "conv3_2", "conv5_1")
    assert last.notes == ("VGG-19 Lite has no conv5_2: conv5_1 stands in for it.",)
    assert made("content", pictures[:1], start="noise", steps=1, backbone="vgg19").notes == ()
    with pytest.raises(ConfigError, match="conv5_2"):
        made("content", pictures[:1], layers="conv5_2")


# Style


def test_the_same_seed_gives_the_same_picture_and_another_another(narrow_weights, pictures):
    first, again = (made("style", (), pictures[1:], sets="A-B", seeds="3, 4", steps=5) for _ in range(2))
    for place, part in at(first).items():
        assert torch.equal(part.image, at(again)[place].image)
    assert float((at(first)[0, 1].image - at(first)[1, 1].image).abs().mean()) > 0.01
    assert "Two seeds, two pictures" in first.findings[0]
    assert made("style", (), pictures[1:], sets="A", seeds="3", steps=1).findings == ()


def test_a_texture_s_loss_falls(narrow_weights, pictures):
    last = made("style", (), pictures[1:], sets="A, conv2_1", seeds="0", steps=10)
    assert [part.config.style_layers for part in last.parts[1:]] == [("conv1_1",), ("conv2_1",)]
    assert all(line[-1][1] < line[0][1] / 2 for line in last.charts[0].lines.values())


# Ratio × layers


def test_each_cell_has_its_ratio_and_its_set(narrow_weights, pictures):
    last = made("grid", pictures[:1], pictures[1:], ratios="1e-5, 1e-3, 2", sets="A, A-C", steps=1)
    shown = at(last)
    cells = {(row, column - 1): part for (row, column), part in shown.items() if column}
    assert len(cells) == 6 and last.columns == ("the pictures", "α/β 1e-5", "α/β 1e-3", "α/β 2")
    for place, picture in zip(((0, 0), (1, 0)), pictures, strict=True):
        assert torch.equal(shown[place].image, images.fit(picture, 32))
    assert {part.config.content_weight for part in cells.values()} == {CONTENT_FACTOR}
    assert {part.config.feature_scale for part in cells.values()} == {"mean activation 1"}
    for (row, column), part in cells.items():
        assert part.config.style_layers == (("conv1_1",), ("conv1_1", "conv2_1", "conv3_1"))[row]
        assert part.config.style_weight * (1e-5, 1e-3, 2)[column] == pytest.approx(1)
        for layer in part.config.style_layers:
            assert part.config.weight_of_layer(layer) == pytest.approx(1 / len(part.config.style_layers))


def test_a_row_of_the_grid_passes_the_network_together_and_is_what_each_is_alone(narrow_weights, pictures, monkeypatch):
    passes, terms_together = [], painters.terms_together
    monkeypatch.setattr(painters, "terms_together", lambda *a: (passes.append(len(a[0])), terms_together(*a))[1])
    last = made("grid", pictures[:1], pictures[1:], ratios="0.1, 1, 10", sets="A, A-B", start="content")
    assert passes.count(3) == 2 * 4  # one that leapt goes back by itself
    for part in (part for part in last.parts if part.config):
        alone = [frame.image for frame in stylize(*pictures, part.config, compute=CPU)][-1]
        assert float((alone - part.image).abs().mean()) < 3e-4


def test_a_grid_of_one_set_shows_both_pictures_too(narrow_weights, pictures):
    last = made("grid", pictures[:1], pictures[1:], ratios="1", sets="A", steps=1)
    assert sorted(at(last)) == [(0, 0), (0, 1), (1, 0)] and len(last.rows) == 2


# Start and optimiser


@pytest.mark.parametrize("steps", [1, 2, 4, 7, 100, 500, 100_000])
def test_marks_lead_to_the_last_step_and_none_comes_twice(steps):
    marks = marks_of(steps)
    assert marks[-1] == steps and marks[0] >= 1 and len(marks) == min(5, steps)
    assert all(one < other for one, other in pairwise(marks))
    assert marks_of(500) == (100, 200, 300, 400, 500)


def test_a_start_s_pictures_are_those_of_its_steps(narrow_weights, pictures):
    last, again = (made("start", pictures[:1], pictures[1:], steps=5, starts="noise, style") for _ in range(2))
    for row, part in ((part.row, part) for part in last.parts if part.record):
        frames = [frame.image for frame in stylize(*pictures, part.config, compute=CPU)]
        for column in range(5):
            shown = at(last)[row, column]
            assert torch.equal(shown.image, frames[column + 1]) and shown.facts["step"] == column + 1
            assert torch.equal(shown.image, at(again)[row, column].image)
        assert shown.config == part.config and shown.config.start in last.rows[row]


def test_losses_by_step_and_by_time_are_the_same_losses(narrow_weights, pictures):
    by_step, by_time = made("start", pictures[:1], pictures[1:], optimizers="adam", steps=6).charts
    assert (by_step.x, by_time.x) == ("step", "seconds")
    for name, line in by_step.lines.items():
        assert [x for x, _ in line] == list(range(7))
        assert [y for _, y in line] == [y for _, y in by_time.lines[name]]
        seconds = [x for x, _ in by_time.lines[name]]
        assert seconds[0] == 0 and all(one < other for one, other in pairwise(seconds))


def test_pictures_with_nothing_to_lower_can_be_compared_too(narrow_weights, pictures):
    last = made("start", pictures[:1], pictures[:1], steps=2)
    assert last.share == 1 and "The lowest loss after 2 steps is that of content" in last.findings[0]
    assert all(loss > 0 for chart in last.charts for line in chart.lines.values() for _, loss in line)


def test_a_start_that_fails_is_over_and_says_why(narrow_weights, pictures):
    spoilt = pictures[1].clone()
    spoilt[..., 20:30, 20:30] = torch.inf
    last = made("start", pictures[:1], (spoilt,), starts="content", steps=2)
    assert all(part.done and "not a finite number" in part.caption for part in last.parts) and len(last.notes) == 2


# Contents × styles


def test_every_content_meets_every_style(narrow_weights, pictures):
    content, style = pictures
    contents, styles = (content, content.flip(3)), (style, style.flip(2), style.flip(3))
    last = made("sheet", contents, styles, names=("cat", "dog"), preset="lab", steps=2)
    cells = at(last)
    assert sorted(cells) == [(row, column) for row in range(3) for column in range(4) if row or column]
    for (row, column), part in cells.items():
        if row == 0 or column == 0:
            assert part.done and part.image is (styles[column - 1] if row == 0 else contents[row - 1])
            continue
        assert part.label == f"{('cat', 'dog')[row - 1]} in the style of picture {column}"
        alone = [frame.image for frame in stylize(contents[row - 1], styles[column - 1], part.config, compute=CPU)][-1]
        assert float((alone - part.image).abs().mean()) < 1e-3
    assert len({part.config for part in cells.values() if part.record}) == 1


def test_several_presets_stand_side_by_side_under_their_names(narrow_weights, pictures):
    styles = (pictures[1], pictures[1].flip(2))
    last = made("sheet", pictures[:1], styles, preset="lab,gatys_code", steps=2)
    cells, titles = at(last), [PRESETS[name].title for name in ("lab", "gatys_code")]
    assert last.columns == ("", *titles, *titles)
    assert [cells[0, column].image is style for column, style in ((1, styles[0]), (3, styles[1]))] == [True, True]
    assert (0, 2) not in cells and [cells[1, column].label.rpartition(", ")[2] for column in range(1, 5)] == titles * 2
    assert len({cells[1, column].config for column in (1, 2)}) == 2 and cells[1, 1].config == cells[1, 3].config


@pytest.mark.parametrize("contents, styles, told", [(7, 1, "7 contents"), (1, 7, "7 styles")])
def test_more_pictures_than_a_sheet_shows_are_refused(narrow_weights, pictures, contents, styles, told):
    with pytest.raises(ImageError, match=f"there are {told}; choose at most {MOST_PICTURES}"):
        made("sheet", pictures[:1] * contents, pictures[1:] * styles)
