"""A part of a figure, enlarged, and on its way to the studio, without a browser."""

import json
import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
import torch

from nst_core import images
from nst_core.analysis.figure import Moment, Part
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.ui.explain.enlarged import enlarged_html, look, send, sources
from nst_core.ui.explain.session import Board, Pictures
from nst_core.ui.studio.controls_and_config import config_of
from nst_core.ui.studio.preset_menu import show_preset_of
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.shared_components import PAINTED_WITH
from nst_core.ui.studio.uploads import UPLOADS
from nst_core.ui.stylize.tab import build
from tests.ui.explain.test_run import made, pictures_in, scripted_classifier
from tests.ui.instant.test_picture import props
from tests.ui.shown import update_of

SKIP = gr.skip()
PAINTINGS = [name for name in FIGURES if name not in ("step", "position")]  # whose pictures the studio paints, too


@pytest.fixture(scope="module")
def boards(tmp_path_factory, random_weights_folder) -> dict[str, Board]:
    """Every figure, made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NST_WEIGHTS", str(random_weights_folder))
        patch.setenv("NST_DEVICE", "cpu")
        patch.setenv("NST_PRECISION", "fp32")
        scripted_classifier(patch)
        pictures = pictures_in(tmp_path_factory.mktemp("pictures"))
        return {name: made(name, pictures) for name in FIGURES}


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path) -> Path:
    """gradio's files go to a folder of this test's."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    return tmp_path / "gradio"


def paintings(board: Board) -> list[Part]:
    found = [part for part in board.parts if part.config]
    assert found
    return found


def clicked(part: Part) -> Any:
    return SimpleNamespace(row=part.row, column=part.column)


def sent(board: Board, part: Part, session: Session) -> list[Any]:
    """What the studio gets of a part."""
    look(board, clicked(part))
    return send(board, session)


# Enlarging


@pytest.mark.parametrize("name", FIGURES)
def test_a_click_on_a_part_enlarges_it_and_paintings_can_go_to_the_studio(boards, name):
    board = boards[name]
    for part in board.parts:
        shown = look(board, clicked(part))
        assert board.looked_at == (part.row, part.column)
        assert props(shown["area"])["visible"] is True
        assert props(shown["send"])["visible"] is (part.record is not None)
        height, width = images.size_of(part.image)
        assert f"{width}×{height} pixels" in shown["picture"] and 'src="data:image/jpeg;base64,' in shown["picture"]
        assert all(line in unescape(shown["picture"]) for line in (part.label, *part.caption.split("\n")))


@pytest.mark.parametrize("part", [Part(0, 0, "waits", None), Part(3, 3, "elsewhere", torch.zeros(1, 3, 20, 20))])
def test_a_place_without_a_picture_enlarges_nothing(part):
    board = Board()
    board.example = None
    assert look(board, clicked(part)) == {}
    board.covered = False
    board.moment = Moment(("",), ("",), (Part(0, 0, "waits", None),))
    assert look(board, clicked(part)) == {}


def test_a_part_says_how_it_was_made():
    image = torch.zeros(1, 3, 20, 30)
    told = re.search("<pre>(.*)</pre>", enlarged_html(Part(0, 0, "a", image, facts={"x": "<α>"})), re.DOTALL)[1]
    assert json.loads(unescape(told)) == {"x": "<α>"} and "<α>" not in told
    assert "<details>" not in enlarged_html(Part(0, 0, "a", image))


def test_a_painting_says_its_whole_record(boards):
    part = paintings(boards["grid"])[0]
    told = re.search("<pre>(.*)</pre>", enlarged_html(part), re.DOTALL)[1]
    assert json.loads(unescape(told)) == json.loads(part.record.to_json())


def test_text_of_a_part_is_escaped():
    shown = enlarged_html(Part(0, 0, '<b>"a"</b>', torch.zeros(1, 3, 20, 30), "<i>b</i>\n2 < 3"))
    assert "<b>&lt;b&gt;" in shown and 'alt="&lt;b&gt;&quot;a&quot;' in shown
    assert "&lt;i&gt;b&lt;/i&gt;\n2 &lt; 3" in shown


# To the studio


@pytest.mark.parametrize("name", PAINTINGS)
def test_settings_arrive_in_the_studio_as_they_were(boards, name):
    for part in paintings(boards[name]):
        session = Session()
        shown = sent(boards[name], part, session)
        assert props(shown["tabs"])["selected"] == "stylize"
        assert part.label in unescape(shown["status"]) and "press Paint" in shown["status"]
        config = config_of(session.base, shown)
        assert config == session.base == part.config.changed(last_step=0)
        assert update_of(shown["preset"]) == update_of(show_preset_of(config)) and shown["about"]


@pytest.mark.parametrize("name", PAINTINGS)
def test_pictures_arrive_that_the_part_was_painted_of(boards, name):
    """Painted again of what arrives, a picture has the size and shape that it had."""
    for part in paintings(boards[name]):
        shown = sent(boards[name], part, Session())
        content, style = shown["content"], shown["style"]
        size = images.fitted_size(images.size_of(images.load(content)), part.config.size, part.config.size_rule)
        assert size == images.size_of(part.image) and images.load(style).shape[1] == 3


def test_the_studio_has_a_place_for_everything_that_is_sent(boards):
    with gr.Blocks(), gr.Tabs() as tabs, gr.Tab():
        form = build().form | {"tabs": tabs}
    for board in (boards[name] for name in PAINTINGS):
        shown = sent(board, paintings(board)[0], Session())
        assert len(form.updates(shown)) == len(form.parts) and set(PAINTED_WITH) - set(UPLOADS) <= shown.keys()


def test_of_a_sheet_row_and_column_say_which_pictures(boards):
    board = boards["sheet"]
    contents, styles = board.pictures.contents, board.pictures.styles
    found = {(part.row, part.column): sources(board, part) for part in paintings(board)}
    assert found == {
        (row, column): (str(content), str(style))
        for row, content in enumerate(contents, 1)
        for column, style in enumerate(styles, 1)
    }
    for part in paintings(board):
        assert Path(found[part.row, part.column][0]).stem.replace("_", " ") in part.label


def test_a_texture_has_the_style_as_its_content_too(boards):
    board = boards["style"]
    style = str(board.pictures.style)
    assert {sources(board, part) for part in paintings(board)} == {(style, style)}
    board = boards["content"]
    content = str(board.pictures.content)
    assert {sources(board, part) for part in paintings(board)} == {(content, content)}


@pytest.mark.parametrize("name", ["grid", "gram", "start", "classify", "formula"])
def test_most_figures_are_made_of_the_two_pictures(boards, name):
    pictures = boards[name].pictures
    expected = {(str(pictures.content), str(pictures.style))}
    assert {sources(boards[name], part) for part in paintings(boards[name])} == expected


def test_a_composed_painting_takes_its_own_composition_along(boards, cache):
    board = boards["compose"]
    pasted, blended = (board.part((0, column)).image for column in (0, 1))
    paths = [sources(board, part) for part in paintings(board)]
    assert len({content for content, _ in paths}) == 2 and {style for _, style in paths} == {str(board.pictures.style)}
    for (content, _), composed in zip(paths, (pasted, blended), strict=True):
        assert cache in Path(content).parents
        assert (images.load(content) - composed).abs().max() < 1 / 255


def test_a_figure_of_pictures_given_together_goes_to_the_studio_too(boards):
    board = Board()
    whole = boards["grid"]
    board.figure, board.moment = whole.figure, whole.moment
    together = Pictures(more_contents=[str(whole.pictures.content)], more_styles=[str(whole.pictures.style)])
    board.pictures = together
    assert sources(board, paintings(board)[0]) == (str(whole.pictures.content), str(whole.pictures.style))


def test_a_picture_that_is_gone_is_not_sent(boards, tmp_path):
    board, whole = Board(), boards["grid"]
    board.figure, board.moment = whole.figure, whole.moment
    board.pictures = Pictures(content=tmp_path / "deleted.png", style=whole.pictures.style)
    assert sources(board, paintings(board)[0]) == (None, str(whole.pictures.style))


@pytest.mark.parametrize("name", ["none", "a picture", "an empty place"])
def test_without_an_enlarged_painting_nothing_is_sent(boards, name):
    board, session = Board(), Session()
    board.covered = False
    if name != "none":
        board.figure, board.moment = boards["sheet"].figure, boards["sheet"].moment
        board.looked_at = (0, 0) if name == "an empty place" else (0, 1)
    with pytest.raises(gr.Error, match="no painting is enlarged; click one in the figure"):
        send(board, session)
    assert session.base is None
