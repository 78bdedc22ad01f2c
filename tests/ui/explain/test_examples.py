"""Finished examples: of every figure, of the pictures that are chosen at first; and when they show."""

from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from nst_core import images
from nst_core.analysis.figure import Moment, Part
from nst_core.analysis.figures.catalogue import FIGURES, FIRST
from nst_core.analysis.poster.description import plain_values
from nst_core.ui.explain.enlarged import look
from nst_core.ui.explain.examples import ADDRESS, CONTENT, FOLDER, ROUTE, example_of
from nst_core.ui.explain.exhibit import exhibit
from nst_core.ui.explain.session import Board
from tests.benchmarks.figures import WITHOUT, material, told
from tests.runs import CPU
from tests.ui.instant.test_picture import props

SHOWN = [name for name in FIGURES if name not in WITHOUT]  # whose example comes along
MOST_BYTES = 1_700_000


@pytest.fixture
def client():
    return TestClient(Starlette(routes=[ROUTE]))


@pytest.mark.parametrize("name", SHOWN)
def test_an_example_is_of_the_figure_s_own_settings_on_lite_and_of_the_pictures_chosen_first(name):
    example, figure = example_of(name), FIGURES[name]
    assert example.settings == plain_values(figure.settings({"backbone": "lite"}))
    places = [(part.row, part.column) for part in example.moment.parts]
    assert len(set(places)) == len(places) == len(example.files)
    with_photo = {"content", "formula", "gram", "grid", "step"}
    if name in with_photo:
        photo = example.part((0, 0)).image
        expected = images.resize(images.load(CONTENT), images.size_of(photo))
        assert float((photo - expected).abs().mean()) < 0.04


@pytest.mark.parametrize("name", SHOWN)
def test_an_example_has_the_rows_and_columns_that_the_figure_has_now(name, figure_weights):
    figure, example = FIGURES[name], example_of(name)
    settings = {"backbone": "lite", "size": 64 if name == "compose" else 32}
    making = figure.make(material(figure), figure.settings(settings), CPU)
    for moment in making:
        if moment.columns and len(moment.rows) == len(example.moment.rows):
            break
    making.close()
    assert (moment.rows[:4], moment.columns) == (example.moment.rows[:4], example.moment.columns)


@pytest.mark.parametrize("name", SHOWN)
def test_every_picture_of_an_example_is_served_as_a_file(name, client):
    example = example_of(name)
    value = example.shows()
    shown = [part for row in value["rows"] for part in row if part]
    assert len(shown) == len(example.moment.parts) and "A finished example" in value["example"] and not value["busy"]
    for part in shown:
        answer = client.get(part["picture"])
        assert answer.status_code == 200 and answer.headers["content-type"] == "image/webp"
        assert "max-age" in answer.headers["cache-control"]
    assert not value["charts"] or "polyline" in value["charts"]
    for place, (height, width) in example.sizes.items():
        with Image.open(example.files[place]) as picture:
            assert picture.size == (width, height) and picture.format == "WEBP"


def test_nothing_else_is_served_there(client):
    for path in ("nothing/0-0.webp", "step/figure.json", "step/..%2Ffigure.json", "..%2Fphotos/x", "step/9-9.webp"):
        assert client.get(f"{ADDRESS}/{path}").status_code == 404


def test_all_examples_together_are_small_and_hold_no_file_that_is_not_shown():
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES
    shown = {path for name in SHOWN for path in example_of(name).files.values()}
    assert {path for path in files if path.suffix == ".webp"} == shown
    assert {path.parent.name for path in files} == set(SHOWN)


def test_what_is_told_of_a_figure_is_read_again(tmp_path, monkeypatch):
    image = torch.rand(1, 3, 20, 30)
    moment = Moment(("a", "b"), ("c",), (Part(0, 0, "x", image, "one\ntwo"), Part(1, 0, "y", image)), findings=("f",))
    folder = tmp_path / "grid"
    folder.mkdir()
    values = told(FIGURES["grid"], FIGURES["grid"].settings({}), moment, folder)
    assert [part["file"] for part in values["parts"]] == ["0-0.webp"] * 2  # the same picture is one file
    assert (values["rows"], values["columns"], values["findings"]) == (("a", "b"), ("c",), ("f",))


# What the stage shows


def own(name: str) -> Board:
    """A page on which a figure was made."""
    board = Board()
    board.figure, board.example, board.covered = FIGURES[name], None, False
    board.moment = Moment(("",), ("",), (Part(0, 0, "mine", torch.rand(1, 3, 20, 20), done=True),))
    return board


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_that_was_not_made_shows_its_example(name):
    board = own("content" if name != "content" else "style")
    shown = exhibit(board, name)
    assert shown["figure"] == (example_of(name).shows() if name in SHOWN else None)
    assert not any(props(shown[hidden])["visible"] for hidden in ("go_on", "enlarged"))
    assert props(shown["after"])["visible"] == (name in SHOWN)
    found = board.part((0, 0))
    assert found is None or found.label != "mine"


def test_a_figure_that_was_made_here_comes_back_with_what_can_be_done_with_it():
    board = own("grid")
    exhibit(board, "style")
    shown = exhibit(board, "grid")
    assert shown["figure"] == board.views.shows(board.moment, busy=False) and "example" not in shown["figure"]
    assert props(shown["after"])["visible"] and not props(shown["go_on"])["visible"]
    board.making = iter(())
    assert props(exhibit(board, "grid")["go_on"])["visible"]
    assert board.part((0, 0)).label == "mine"


def test_a_figure_that_grows_is_not_covered_by_an_example():
    board = own("grid")
    board.job.busy = True
    assert exhibit(board, "style") == {} and board.part((0, 0)).label == "mine"


def test_a_page_opens_with_the_first_figure_s_example_whose_parts_can_be_enlarged():
    board = Board()
    assert board.example is example_of(FIRST)
    shown = look(board, SimpleNamespace(row=0, column=1))
    assert props(shown["area"])["visible"] and not props(shown["send"])["visible"]
    assert 'src="data:image/jpeg' in shown["picture"]


def test_a_figure_that_is_begun_takes_the_example_s_place(monkeypatch):
    board = Board()
    figure = SimpleNamespace(name="grid", pictures=(), make=lambda *args: iter(()))
    board.begin(figure, {}, board.pictures)
    assert board.example is None and board.part((0, 0)) is None
