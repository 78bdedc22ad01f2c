"""What can be kept of a figure on the page: the poster, its parts and a link."""

import zipfile
from pathlib import Path
from urllib.parse import parse_qsl

import gradio as gr
import pytest
from pptx import Presentation
from starlette.requests import Request

from nst_core import images
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.poster import language as spoken
from nst_core.analysis.poster.lettering import Lettering
from nst_core.analysis.poster.save import read_poster
from nst_core.errors import ImageError
from nst_core.transfer.record import read_record
from nst_core.ui.explain import save as module
from nst_core.ui.explain.examples import KNOWN
from nst_core.ui.explain.exhibit import exhibit
from nst_core.ui.explain.links import LessonLink, read_link
from nst_core.ui.explain.save import LessonAddress, address_of, parts_file, pdf_file, poster_file, pptx_file
from nst_core.ui.explain.session import Board, Pictures
from nst_core.ui.studio.links import EXAMPLES
from tests.ui.explain.test_run import made, pictures_in
from tests.ui.instant.test_picture import props
from tests.ui.words.catalogue import catalogue

CONTENT, STYLE = EXAMPLES["content"] / "chelsea_cat.jpg", EXAMPLES["style"] / "dawn_window.jpg"


def asking(language: str) -> gr.Request:
    """The request of a browser that asks for a language."""
    return gr.Request(Request({"type": "http", "headers": [(b"accept-language", language.encode())]}))


ENGLISH = "en", asking("de")  # chosen on the page of a German browser


@pytest.fixture(scope="module")
def board(tmp_path_factory, random_weights_folder) -> Board:
    """A small grid."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NST_WEIGHTS", str(random_weights_folder))
        patch.setenv("NST_DEVICE", "cpu")
        patch.setenv("NST_PRECISION", "fp32")
        return made("grid", pictures_in(tmp_path_factory.mktemp("pictures")))


@pytest.fixture(autouse=True)
def toasts(monkeypatch, tmp_path) -> list[str]:
    """What the page would show as toasts; gradio's files go to a folder of this test's."""
    shown = []
    monkeypatch.setattr(gr, "Info", lambda text, **_: shown.append(text))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    return shown


def showing(name: str) -> Board:
    """A page that shows a figure's finished example, if it has one."""
    board = Board()
    exhibit(board, name)
    return board


def with_pictures(name: str, pictures: Pictures, **given) -> Board:
    """A page with a figure, for which nothing is made."""
    board = Board()
    board.figure, board.pictures, board.covered = FIGURES[name], pictures, False
    board.settings = board.figure.settings(given)
    return board


# Files


def test_the_poster_of_a_figure_remembers_it(board, tmp_path):
    path = Path(props(poster_file(board, *ENGLISH))["value"])
    assert path.name == "photo_style_grid.png" and tmp_path / "gradio" in path.parents
    name, settings = read_poster(path)
    assert name == "grid" and FIGURES["grid"].settings(settings) == board.settings


def test_the_parts_of_a_figure_are_a_zip_of_files_with_their_records(board, tmp_path):
    path = Path(props(parts_file(board))["value"])
    assert path.name == "photo_style_grid_parts.zip" and tmp_path / "gradio" in path.parents
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "parts")
    files = sorted((tmp_path / "parts" / "grid").glob("*.png"))
    assert len(files) == len(board.parts) and (tmp_path / "parts" / "grid" / "figure.json").is_file()
    for file, part in zip(files, sorted(board.parts, key=lambda part: (part.row, part.column)), strict=True):
        if part.record:
            assert read_record(file) == part.record
        assert (images.load(file) - part.image.clamp(0, 1)).abs().max() < 1 / 255


@pytest.mark.parametrize(("keep", "ending"), [(pptx_file, "pptx"), (pdf_file, "pdf")])
def test_a_figure_is_kept_as_slides(board, tmp_path, keep, ending):
    path = Path(props(keep(board, *ENGLISH))["value"])
    assert path.name == f"photo_style_grid_slides.{ending}" and tmp_path / "gradio" in path.parents
    assert path.read_bytes()[:4] == {"pptx": b"PK\x03\x04", "pdf": b"%PDF"}[ending]


@pytest.mark.parametrize(("chosen", "language"), [("de", "de"), ("", "fr"), ("zz", "fr")])
def test_what_is_kept_speaks_the_pages_language_else_the_browsers(board, chosen, language):
    deck = Presentation(props(pptx_file(board, chosen, asking("fr-CA")))["value"])
    titles = {page.shapes.title.text for page in deck.slides}
    assert catalogue(language)[board.figure.title] in titles and board.figure.title not in titles
    pdf = Path(props(pdf_file(board, chosen, asking("fr-CA")))["value"]).read_bytes()
    assert f"/Lang ({language})".encode() in pdf


def test_letters_that_are_not_here_are_told(board, toasts, monkeypatch):
    pptx_file(board, "de", asking("en"))
    assert toasts == []
    monkeypatch.setattr(spoken, "lettering_for", lambda name: None if name == "zh" else Lettering())
    for keep in (poster_file, pdf_file, pptx_file):
        keep(board, "zh", asking("en"))
    parts_file(board, "zh", asking("en"))
    assert len(toasts) == 3 and set(toasts) == {module.NO_LETTERS}


def test_a_figure_that_is_kept_twice_is_two_files(board):
    first, second = (props(parts_file(board))["value"] for _ in range(2))
    assert first != second and Path(first).exists() and Path(second).exists()


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("keep", [poster_file, parts_file])
def test_without_a_figure_there_is_nothing_to_keep(keep, begun):
    board = with_pictures("grid", Pictures()) if begun else showing("classify")
    with pytest.raises(gr.Error, match="there is no figure yet; press Make the figure"):
        keep(board, *ENGLISH)


@pytest.mark.parametrize("keep", ["poster_file", "parts_file"])
def test_what_cannot_be_written_is_said(board, monkeypatch, keep):
    def full(*_) -> None:
        raise ImageError("the disk is full; make room")

    for name in ("save_poster", "parts_zip"):
        monkeypatch.setattr(module, name, full)
    with pytest.raises(gr.Error, match="the disk is full"):
        getattr(module, keep)(board, *ENGLISH)


@pytest.mark.parametrize(("keep", "ending"), [(pptx_file, "pptx"), (pdf_file, "pdf")])
def test_a_finished_example_is_kept_as_a_figure_made_here(keep, ending):
    path = Path(props(keep(showing("gram"), *ENGLISH))["value"])
    assert (
        path.name.startswith("china-temple_dawn-window_gram")
        and path.suffix == f".{ending}"
        and path.stat().st_size > 20_000
    )


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_finished_example_is_kept_with_all_its_pictures_and_its_settings(name, tmp_path, toasts):
    board = showing(name)
    with zipfile.ZipFile(props(parts_file(board))["value"]) as archive:
        pictures = [entry for entry in archive.namelist() if entry.endswith(".png")]
    assert len(pictures) == len(board.example.files)
    link = read_link(dict(parse_qsl(address_of(board)[1:])))
    assert (link.figure.name, link.settings) == (name, FIGURES[name].settings(board.example.settings))
    assert toasts == []


def test_of_a_figure_made_here_what_is_shown_is_kept(board):
    made_here = board.covered, board.example
    try:
        exhibit(board, "gram")
        assert "gram" in Path(props(parts_file(board))["value"]).name
        assert props(exhibit(board, "grid")["after"])["visible"] and "grid" in props(parts_file(board))["value"]
        assert not props(exhibit(board, "classify")["after"])["visible"]
    finally:
        board.covered, board.example = made_here


# The link


def test_a_link_leads_to_the_same_figure_with_the_same_settings_and_examples(toasts):
    board = with_pictures("grid", Pictures(CONTENT, STYLE), size=96, ratios="1e-3, 0.5", sets=["A-C"])
    link = read_link(dict(parse_qsl(address_of(board)[1:])))
    assert (link.figure, link.settings, toasts) == (board.figure, board.settings, [])
    assert {key: path.name for key, path in link.pictures.items()} == {"content": CONTENT.name, "style": STYLE.name}


def test_a_link_can_be_had_of_a_figure_that_has_only_begun():
    assert address_of(with_pictures("content", Pictures(CONTENT))) == "?figure=content&content=chelsea_cat"


@pytest.mark.parametrize("name", FIGURES)
def test_pictures_that_a_figure_does_not_want_are_not_in_its_link(name, toasts):
    address = address_of(with_pictures(name, Pictures(CONTENT, STYLE)))
    kinds = FIGURES[name].pictures
    wanted = {key for key in EXAMPLES if any(kind.startswith(key) for kind in kinds)}
    assert dict(parse_qsl(address[1:])).keys() == {"figure"} | wanted and toasts == []


def test_pictures_of_ones_own_do_not_travel_and_it_is_said(tmp_path, toasts):
    own = tmp_path / "holiday in Rome.jpg"
    own.write_bytes(CONTENT.read_bytes())
    assert address_of(with_pictures("gram", Pictures(own, STYLE))) == "?figure=gram&style=dawn_window"
    assert len(toasts) == 1 and "of your own do not travel" in toasts[0]
    assert address_of(with_pictures("gram", Pictures(own))) == "?figure=gram" and len(toasts) == 2


def test_the_first_of_pictures_given_together_is_in_the_link(toasts):
    others = {
        key: str(next(path for path in folder.glob("*.jpg") if path not in (CONTENT, STYLE)))
        for key, folder in EXAMPLES.items()
    }
    together = Pictures(None, STYLE, [str(CONTENT), others["content"]], [others["style"]])
    assert address_of(with_pictures("sheet", together)) == "?figure=sheet&content=chelsea_cat&style=dawn_window"
    assert len(toasts) == 1 and "nor more than one of a kind" in toasts[0]
    cut = Pictures(CONTENT, STYLE, cutout=CONTENT)
    assert address_of(with_pictures("compose", cut)) and len(toasts) == 2


def test_a_link_and_the_lesson_that_it_came_from_are_the_same(toasts):
    lesson = LessonLink(
        figure=FIGURES["start"],
        settings=FIGURES["start"].settings({"starts": ["noise"], "steps": 20}),
        pictures={"content": CONTENT, "style": STYLE},
    )
    arrived = read_link(dict(parse_qsl(lesson.query()[1:])))
    board = with_pictures("start", Pictures(arrived.pictures["content"], arrived.pictures["style"]))
    board.settings = arrived.settings
    assert address_of(board) == lesson.query() and toasts == []


def test_without_a_figure_there_is_no_link():
    with pytest.raises(gr.Error, match="there is no figure yet"):
        address_of(showing("classify"))


def test_an_address_takes_the_end_of_a_link_or_nothing():
    assert LessonAddress("?figure=grid").value == "?figure=grid" and LessonAddress().value is None
