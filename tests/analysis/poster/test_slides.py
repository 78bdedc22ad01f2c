"""A figure as slides: all that it says and shows is on one of them, in order, and stays within it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from pptx import Presentation
from pptx.util import Inches, Pt

from nst_core.analysis.figure import Moment, Part, Table
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.poster.chart import colors_of
from nst_core.analysis.poster.deck import HEIGHT, SMALL, WIDTH, save_pptx
from nst_core.analysis.poster.lettering import best_lettering
from nst_core.analysis.poster.placed import Line, lines_on
from nst_core.analysis.poster.slide_pictures import draw_slide, save_pdf
from nst_core.analysis.poster.slides import Slide, pages_of_table, slides_of
from nst_core.errors import OutputError
from nst_core.ui.explain.examples import example_of

NAMES = ("gram", "formula", "sheet")  # many rows, many tables, no labels
SETTINGS = {name: FIGURES[name].settings({"backbone": "lite"}) for name in NAMES}


@pytest.fixture(scope="module", params=NAMES)
def named(request) -> tuple[str, Moment]:
    """A figure's name and how it came out, with its pictures."""
    example = example_of(request.param)
    parts = (example.part((part.row, part.column)) for part in example.moment.parts)
    return request.param, replace(example.moment, parts=tuple(parts))


@pytest.fixture(scope="module")
def slides(named) -> tuple[Slide, ...]:
    name, moment = named
    return slides_of(FIGURES[name], SETTINGS[name], moment)


@pytest.fixture(scope="module")
def deck(named, tmp_path_factory):
    """The slides of the PPTX, read again."""
    name, moment = named
    path = tmp_path_factory.mktemp("slides") / "slides.pptx"
    save_pptx(FIGURES[name], SETTINGS[name], moment, path)
    return list(Presentation(str(path)).slides)


def texts(page) -> list[str]:
    """All that stands on a page of a deck as text."""
    found = [shape.text_frame.text for shape in page.shapes if shape.has_text_frame]
    cells = [cell.text for shape in page.shapes if shape.has_table for row in shape.table.rows for cell in row.cells]
    return found + cells


def pictures(page) -> list:
    return [shape for shape in page.shapes if shape.shape_type == 13]


def test_every_picture_and_row_of_a_table_is_on_one_slide_in_their_order(named, slides):
    _, moment = named
    shown = [part.label for slide in slides if slide.pictures for part in slide.pictures.parts]
    assert sorted(shown) == sorted(part.label for part in moment.parts)
    labels = [label for slide in slides if slide.pictures for label in slide.pictures.rows]
    assert labels == list(moment.rows)
    rows = [row for slide in slides if slide.table for row in slide.table.rows]
    assert rows == [row for table in moment.tables for row in table.rows]


def test_the_question_comes_before_the_pictures_and_the_answer_after_what_came_out(named, slides):
    question = FIGURES[named[0]].question
    right = f"{'ABCD'[question.right]}: {question.answers[question.right]}"
    asked, told = (
        next(n for n, slide in enumerate(slides) if wanted in slide.texts) for wanted in (question.text, question.why)
    )
    shown = [number for number, slide in enumerate(slides) if slide.pictures or slide.charts]
    assert asked < min(shown) and told > max(shown)
    assert right in slides[asked].texts and right in slides[told].texts


def test_a_deck_has_all_words_as_text_and_all_pictures_in_their_shape_and_with_words(named, slides, deck):
    moment, figure = named[1], FIGURES[named[0]]
    written = "\n".join(text for page in deck for text in texts(page))
    wanted = [figure.title, figure.see, figure.question.text, *figure.question.answers, figure.question.why]
    wanted += [*moment.findings, *filter(None, moment.rows), *filter(None, moment.columns)]
    wanted += [cell for table in moment.tables for row in table.rows for cell in row]
    wanted += [line for part in moment.parts for line in part.caption.splitlines()]
    assert [text for text in wanted if text not in written] == []
    assert len(deck) == len(slides) and all(page.shapes.title.text for page in deck)
    shown = [picture for page in deck for picture in pictures(page)]
    assert len(shown) == len(moment.parts) + len(moment.charts)
    words = {picture._element.nvPicPr.cNvPr.get("descr") for picture in shown}
    assert words == {part.label for part in moment.parts} | {chart.title for chart in moment.charts}
    for picture in shown:
        wide, high = picture.image.size
        assert picture.width / picture.height == pytest.approx(wide / high, rel=0.01)


def test_nothing_of_a_deck_lies_beyond_its_slide_and_nothing_over_a_picture(deck):
    for page in deck:
        for shape in page.shapes:
            assert shape.left >= 0 and shape.top >= 0
            assert shape.left + shape.width <= Inches(WIDTH) + 2 and shape.top + shape.height <= Inches(HEIGHT) + 2
        words = [one for one in page.shapes if one.has_text_frame and one != page.shapes.title]
        shown = [*pictures(page), *(words if pictures(page) else [])]
        boxes = [(one.left, one.top, one.left + one.width - 9, one.top + one.height - 9) for one in shown]
        for number, (left, top, right, bottom) in enumerate(boxes):
            for other in boxes[number + 1 :]:
                assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


def too_long(page) -> list[str]:
    """The texts of a page of a deck that are higher than their boxes, in letters as wide as any that may stand in."""
    letters, found = best_lettering(), []
    for shape in page.shapes:
        if not shape.has_text_frame or shape == page.shapes.title:
            continue
        high = 0.0
        for line in shape.text_frame.paragraphs:
            size = max((run.font.size.pt for run in line.runs), default=0)
            count = len(letters.wrapped(line.text, round(size), int(shape.width / Pt(1))))
            high += count * size * 1.2 + (line.space_after.pt if line.space_after else 0)
        if high > shape.height / Pt(1) + 4:
            found.append(shape.text_frame.text)
    return found


def test_every_text_of_a_deck_has_room_in_its_box_and_can_be_read_from_the_back(deck):
    assert [found for page in deck for found in too_long(page)] == []
    sizes = {run.font.size.pt for page in deck for line in lines_of_deck(page) for run in line.runs}
    assert min(sizes - {SMALL}) >= 14


def lines_of_deck(page) -> list:
    return [line for shape in page.shapes if shape.has_text_frame for line in shape.text_frame.paragraphs]


def wrong_lines(page: Image.Image, least: int) -> list[Line]:
    """What is written on a page in letters smaller than these, or beyond its edges."""
    return [
        line
        for line in lines_on(page)
        if line.size < least or line.x < 0 or line.x + line.width > page.width or not line.size < line.y < page.height
    ]


def test_no_letter_of_a_pdf_is_too_small_to_be_read_and_none_is_cut(named, slides):
    colors = colors_of(named[1].charts)
    for slide in [*(slide for slide in slides if not slide.table), *(slide for slide in slides if slide.table)][:10]:
        assert wrong_lines(draw_slide(slide, colors, best_lettering()), 18 if slide.formula else 22) == []


@pytest.mark.parametrize(("height", "width"), [(4, 120), (120, 4)])
def test_pictures_of_any_shape_stay_on_their_slides(height, width, tmp_path):
    parts = tuple(
        Part(row, column, "it", torch.full((1, 3, height, width), 0.5), "what is said of it\nin two lines")
        for row in range(7)
        for column in range(3)
    )
    moment = Moment(("a row with a long name",) * 7, ("x", "a head of several words", "z"), parts)
    figure = FIGURES["gram"]
    for slide in slides_of(figure, SETTINGS["gram"], moment):
        assert wrong_lines(draw_slide(slide, {}, best_lettering()), 18 if slide.formula else 20) == []
    save_pptx(figure, SETTINGS["gram"], moment, tmp_path / "x.pptx")
    pages = list(Presentation(str(tmp_path / "x.pptx")).slides)
    assert [found for page in pages for found in too_long(page)] == []
    test_nothing_of_a_deck_lies_beyond_its_slide_and_nothing_over_a_picture(pages)


def test_an_index_of_a_formula_stands_lower(tmp_path):
    moment = Moment(("",), ("",), ())
    save_pptx(FIGURES["content"], FIGURES["content"].settings({}), moment, tmp_path / "x.pptx")
    pages = Presentation(str(tmp_path / "x.pptx")).slides
    runs = [
        run
        for page in pages
        for shape in page.shapes
        if shape.has_text_frame
        for line in shape.text_frame.paragraphs
        for run in line.runs
    ]
    assert [run.text for run in runs if run.font._element.get("baseline") == "-25000"] == ["content"]


def test_a_pdf_has_a_page_for_each_slide(named, slides, tmp_path):
    name, moment = named
    save_pdf(FIGURES[name], SETTINGS[name], moment, tmp_path / "x.pdf")
    written = (tmp_path / "x.pdf").read_bytes()
    assert written.startswith(b"%PDF") and len(re.findall(rb"/Type /Page[^s]", written)) == len(slides)
    assert set(re.findall(rb"/MediaBox [^]]*.", written)) == {b"/MediaBox [0 0 960 540]"}


def test_rows_of_a_table_share_a_slide_as_long_as_there_is_room():
    table = Table("Words", ("one", "two"), tuple((str(number), "x" * 20) for number in range(40)))
    pages = list(pages_of_table(table))
    assert [row for page in pages for row in page.rows] == list(table.rows)
    assert len({len(page.rows) for page in pages[:-1]}) == 1 and len(pages) < 5
    assert all(len(page.lines) == len(page.rows) for page in pages)


@pytest.mark.parametrize("save", [save_pptx, save_pdf])
def test_a_file_that_cannot_be_written_is_told(save, tmp_path):
    figure = FIGURES["content"]
    with pytest.raises(OutputError):
        save(figure, figure.settings({}), Moment((), (), ()), Path(tmp_path / "nowhere" / "x"))
