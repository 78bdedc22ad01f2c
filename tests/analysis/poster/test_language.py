"""Figures in other languages: all that is drawn of them is in the catalogues, and none of it stays English."""

import re
from dataclasses import replace
from functools import cache

import pytest
from pptx import Presentation

from nst_core.analysis.figure import Chart, Moment, Part, Table
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.poster import language as module
from nst_core.analysis.poster import save
from nst_core.analysis.poster.blocks import draw_formula
from nst_core.analysis.poster.deck import save_pptx
from nst_core.analysis.poster.language import ENGLISH, Language
from nst_core.analysis.poster.lettering import Lettering
from nst_core.analysis.poster.placed import lines_on
from nst_core.analysis.poster.save import poster, read_poster, save_poster
from nst_core.analysis.poster.slides import Slide, slides_of
from nst_core.analysis.written.code import program
from nst_core.analysis.written.differences import description_of
from nst_core.transfer.presets import PRESETS
from nst_core.ui.explain.examples import example_of
from nst_core.ui.studio.page_language import language_named
from nst_core.ui.words.letters import has_word
from tests.ui.words.catalogue import LANGUAGES, catalogue, is_made_of

LOUD = Language("loud", str.upper)
# Names of layers and people, and formulas: they are the same in all languages.
UNSPOKEN = re.compile(r"(?:[A-E](?:-[A-E])?: )?conv\d_\d(?:(?:, | … )conv\d_\d)*|.*[Σ‖²].*|Luo|Cheng|Gordić")
ENGLISH_WORDS = re.compile(r"\b(?:[Nn]ote|and|from|of|steps|the|where|with)\b")


@cache
def moment_of(name: str) -> Moment:
    """How a figure came out, without pictures."""
    example = example_of(name)
    return example.moment if example else Moment((), (), ())


def said_of(name: str) -> list[str]:
    """All that a poster or a slide of a figure says, in English."""
    heard: list[str] = []

    def hear(text: str) -> str:
        heard.append(text)
        return text

    listener = Language("heard", hear)
    figure, moment = FIGURES[name], moment_of(name)
    slides_of(figure, figure.settings({}), moment, listener)
    listener.moment(moment)
    return heard


@pytest.mark.parametrize("name", FIGURES)
def test_every_sentence_that_is_drawn_is_in_the_catalogues_or_a_name(name):
    keys = catalogue("de")
    said = language_named("de").say
    unknown = [
        line
        for text in said_of(name)
        for line in text.split("\n")
        if has_word(line) and line == said(line) and said(text) == text and not is_made_of(line, keys)
    ]
    assert [line for line in unknown if not UNSPOKEN.fullmatch(line)] == []


def test_every_part_of_what_tells_presets_apart_is_in_the_catalogues():
    parts = {part for preset in PRESETS.values() for part in description_of(preset.config) if has_word(part)}
    said, names = language_named("de").say, {"VGG-19", "VGG-16"}
    assert len(parts) > 80 and {part for part in parts if said(part) == part} <= names


def words_of(slides: tuple[Slide, ...]) -> str:
    texts = [text for slide in slides for text in (slide.title, *slide.texts, *slide.findings)]
    shown = [slide.pictures for slide in slides if slide.pictures]
    texts += [text for moment in shown for text in (*moment.rows, *moment.columns, *(p.caption for p in moment.parts))]
    tables = [slide.table for slide in slides if slide.table]
    texts += [
        text
        for table in tables
        for row in (table.heads, *table.rows)
        for at, text in enumerate(row)
        if not table.is_code(at)
    ]
    return "\n".join(texts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FIGURES)
def test_no_sentence_of_the_catalogue_is_left_in_english(name, language):
    figure = FIGURES[name]
    written = words_of(slides_of(figure, figure.settings({}), moment_of(name), language_named(language)))
    sentences = [key for key in catalogue(language) if re.search(r"[a-z]+ [a-z]+ [a-z]+ [a-z]+", key)]
    assert len(sentences) > 500 and [key for key in sentences if key in written] == []
    assert figure.title not in written.splitlines() and len(written) > 200
    assert ENGLISH_WORDS.findall(written) == []  # nor a part of one
    plain = "\n".join(line for line in written.splitlines() if "mean(" not in line)
    assert language == "zh" or re.findall(r"\d\.\d(?!\d\d)", plain) == []


@pytest.fixture
def small() -> Moment:
    """A figure of everything, none of it large."""
    lines = {"content": [(0.0, 1.5), (1.0, 0.5)], "style": [(0.0, 2.0), (1.0, 1.25)]}
    table = Table(
        "what is said", ("term", "a file.py"), (("content", "content = 0.5"), ("style", "x")), ("content", "")
    )
    part = Part(0, 0, "a label", None, "photo\nL = 1.5")
    return Moment(("row",), ("column",), (part,), (Chart("loss", "step", lines),), (table,), notes=("it is small",))


def drawn_of(moment: Moment, language: Language, monkeypatch) -> list[str]:
    """The lines on a poster, cut where they are."""
    monkeypatch.setattr(module, "lettering_for", lambda name: Lettering())
    figure = FIGURES["content"]
    return [line.text for line in lines_on(poster(figure, figure.settings({}), moment, language))]


def test_a_poster_says_all_of_a_figure_but_its_formula_its_code_and_its_settings(small, monkeypatch):
    drawn = drawn_of(small, LOUD, monkeypatch)
    quiet = [line for line in drawn if re.search(r"[a-z]", line)]
    formula = {line.text for line in lines_on(draw_formula(FIGURES["content"].equation, 2000, 50, Lettering()))}
    settings = [line for line in quiet if re.search(r"\w=\w", line)]
    assert set(quiet) - formula - set(settings) == {"content = 0.5", "x"}
    assert {"CONTENT: 0.5", "LOSS", "STEP", "IT IS SMALL", "ROW", "COLUMN", "PHOTO", "A FILE.PY"} <= set(drawn)


def test_numbers_of_a_chart_are_written_as_the_language_does(small, monkeypatch):
    drawn = drawn_of(small, language_named("de"), monkeypatch)
    assert {"Inhalt: 0,5", "Stil: 1,25", "L = 1,5"} <= set(drawn) and "Inhalt: 0.5" not in drawn


def test_a_line_of_a_chart_and_its_row_keep_their_colour(small):
    said = LOUD.moment(small)
    assert list(said.charts[0].lines) == ["CONTENT", "STYLE"] and said.tables[0].lines == ("CONTENT", "")


def test_two_lines_that_would_be_alike_stay_apart(small):
    same = Language("same", lambda text: "one" if text in ("content", "style") else text)
    assert same.moment(small).charts[0].lines.keys() == {"content", "style"}


def test_a_program_is_the_same_in_every_language():
    table = language_named("de").moment(Moment((), (), (), tables=(program(),))).tables[0]
    assert [row[0] for row in table.rows] == [row[0] for row in program().rows]
    assert [row[2] for row in table.rows] != [row[2] for row in program().rows]


@pytest.mark.parametrize("letters", [None, Lettering()], ids=["without", "with"])
def test_what_cannot_be_drawn_is_drawn_in_english_and_slides_are_written_all_the_same(
    letters, small, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "lettering_for", lambda name: letters if name == "loud" else Lettering())
    assert LOUD.drawn == (LOUD if letters else ENGLISH)
    figure = FIGURES["content"]
    drawn = [line.text for line in lines_on(poster(figure, figure.settings({}), small, LOUD))]
    assert ("LOSS" in drawn) == ("loss" not in drawn) == bool(letters)
    save_pptx(figure, figure.settings({}), small, tmp_path / "x.pptx", LOUD)
    titles = [page.shapes.title.text for page in Presentation(str(tmp_path / "x.pptx")).slides]
    assert f"{figure.title}: the answer".upper() in titles


def test_what_programs_read_of_a_poster_stays_english(small, tmp_path):
    figure = FIGURES["content"]
    settings = figure.settings({})
    save_poster(figure, settings, replace(small, notes=()), tmp_path / "x.png", language_named("de"))
    name, values = read_poster(tmp_path / "x.png")
    assert name == "content" and figure.settings(values) == settings
    told = save.images.read_text(tmp_path / "x.png")
    assert figure.title in told[save.POSTER_KEY] and told["Title"] == catalogue("de")[figure.title]
