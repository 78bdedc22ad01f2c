"""What is asked before a figure: a question of four answers, the right one of which the finished example shows."""

import re

import numpy as np
import pytest
import torch
from torch import Tensor

from nst_core import images
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.features.classifier import categories
from nst_core.ui.explain.examples import FigureExample, example_of
from nst_core.ui.explain.predict import asked
from nst_core.ui.explain.tab import choose


def last(example: FigureExample, line: str, chart: int = 0) -> float:
    """The last value of a line of a chart."""
    return example.moment.charts[chart].lines[line][-1][1]


def picture(example: FigureExample, row: int, column: int, size: tuple[int, int] = (64, 96)) -> Tensor:
    return images.resize(example.part((row, column)).image, size)


def apart(one: Tensor, other: Tensor) -> float:
    """The mean difference of two pictures, of the pixel range."""
    return float((one - other).abs().mean())


def alike(one: Tensor, other: Tensor) -> float:
    """How well light and dark of two pictures, a few pixels smoothed away, lie in the same places: 1 everywhere."""
    grey = [torch.nn.functional.avg_pool2d(image.mean(1, keepdim=True), 5).flatten().numpy() for image in (one, other)]
    return float(np.corrcoef(*grey)[0, 1])


def edges(image: Tensor) -> Tensor:
    """Where a picture has outlines, whatever their colours, (1, 1, H, W)."""
    grey = image.mean(1, keepdim=True)
    return (grey.diff(dim=2)[..., :-1].abs() + grey.diff(dim=3)[:, :, :-1].abs()) / 2


# What each figure's example shows: its docstring is the right answer.


def content(example):
    """What is where, in other colours and textures"""
    photo, shallow, deep = (picture(example, 0, column) for column in (0, 1, 3))
    assert apart(shallow, photo) < 0.03 and apart(deep, photo) > 0.15  # other colours and textures
    assert alike(deep, photo) > 0.4  # in the same places


def style(example):
    """They are two pictures of one texture"""
    one, other = (picture(example, row, 5, (96, 96)) for row in (0, 1))
    assert apart(one, other) > 0.2 and abs(alike(one, other)) < 0.4
    losses = [last(example, f"A-E, seed {seed}") for seed in (0, 1)]
    assert max(losses) < 0.01 and max(losses) < 1.2 * min(losses)


def grid(example):
    """Like a texture of the style, the photo gone"""
    photo = picture(example, 0, 0)
    assert [example.moment.columns[column].split()[-1] for column in (1, 5)] == ["1e-5", "1e-1"]
    for row in range(5):
        assert alike(picture(example, row, 5), photo) > 0.5 > 0.1 > alike(picture(example, row, 1), photo)


def step(example):
    """The content loss rises, the style loss falls by more"""
    before, after = (
        {name: line[place][1] for name, line in example.moment.charts[0].lines.items()} for place in (0, 1)
    )
    assert before["content"] == 0 < after["content"] < before["style"] - after["style"]


def start(example):
    """Three different paintings with nearly the same loss"""
    finals = {name: line[-1][1] for name, line in example.moment.charts[0].lines.items()}
    assert len(finals) == 6 and max(finals.values()) < 1.1 * min(finals.values())
    ends = [picture(example, row, 4) for row in (0, 2, 4)]  # by L-BFGS
    assert all(apart(one, other) > 0.1 for one, other in zip(ends, [*ends[1:], ends[0]], strict=True))


def gram(example):
    """Its matrix is nearly the style's, though the photo's shapes can still be seen"""
    photo, painted = (example.part((2, column)).facts["distance"] for column in (0, 2))
    assert painted < 0.01 < 0.5 < photo
    assert alike(edges(picture(example, 0, 2)), edges(picture(example, 0, 0))) > 0.2


def jump(example):
    """The optimiser, by far"""
    jumped, walked = (last(example, line) for line in example.moment.rows)
    assert 5 * walked < jumped


def position(example):
    """About 70 pixels"""
    assert example.settings["layer"] == "conv4_1" and example.part((0, 0)).facts["side"] == 68


def classify(example):
    """One of its 1000 names all the same"""
    assert example is None  # but among what the network can name there is no painting
    assert len(categories()) == 1000 and not {"painting", "picture"} & set(categories())


def sheet(example):
    """The style's colours and strokes, while each keeps its own shapes"""
    photos = [picture(example, row, 0) for row in (1, 2)]
    for column in (1, 2):
        painted = [picture(example, row, column) for row in (1, 2)]
        own = [alike(one, photo) for one, photo in zip(painted, photos, strict=True)]
        others = [alike(one, photo) for one, photo in zip(painted, reversed(photos), strict=True)]
        assert min(own) > 0.6 > 0.4 > max(others)


def compose(example):
    """It is painted, too, and stays to be seen"""
    pasted, blended = (
        float(share) for share in re.findall(r"([\d.]+)% in (?:the painting|that)", example.moment.findings[1])
    )
    assert pasted > 2 * blended


def formula(example):
    """Less than a hundredth"""
    finals = {name: line[-1][1] for name, line in example.moment.charts[0].lines.items()}
    assert 0 < finals["total variation"] < 0.01 * sum(finals.values())
    assert finals["total variation"] < 0.1 * min(value for name, value in finals.items() if name != "total variation")


SHOWN_BY = {
    check.__name__: check
    for check in (position, content, style, grid, step, start, gram, jump, classify, sheet, compose, formula)
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_finished_example_shows_the_answer_that_is_right(name):
    question, shows = FIGURES[name].question, SHOWN_BY[name]
    assert question.answers[question.right] == shows.__doc__
    shows(example_of(name))


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_asks_one_question_of_four_different_answers_one_of_which_is_right(name):
    question = FIGURES[name].question
    assert question.text.endswith("?") and len(set(question.answers)) == len(question.answers) == 4
    assert 0 <= question.right < 4 and question.answers[question.right]
    assert question.why.count(".") == 1 and question.why.endswith(".")  # a sentence
    assert len(question.text) <= 180 and max(map(len, question.answers)) <= 80  # as a slide has room for


def test_right_answers_stand_at_every_place():
    places = [figure.question.right for figure in FIGURES.values()]
    assert set(places) == {0, 1, 2, 3} and max(map(places.count, places)) <= 4


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_that_is_chosen_brings_its_question(name):
    value = choose(name)["predict"]
    assert value == asked(name) and value["figure"] == name and value["right"] == FIGURES[name].question.right
    assert "<" not in value["text"] + value["why"] + "".join(value["answers"])  # written into the page as it is
