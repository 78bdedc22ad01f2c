"""The guided tour: every station leads somewhere, and its pages can be turned."""

import re
from html import unescape
from urllib.parse import parse_qsl

import gradio as gr
import pytest

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.ui.explain.controls import shown_value
from nst_core.ui.explain.tab import choose, fill
from nst_core.ui.explain.tour import TOUR, Station, build_tour, page, turn
from nst_core.ui.studio.links import CONTENT_KEY, STYLE_KEY
from tests.ui.instant.test_picture import props

SKIP = gr.skip()
PLACES = range(len(TOUR))


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """gradio's files go to a folder of this test's."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))


def wanted(station: Station) -> set[str]:
    """The pictures that a station's figure wants."""
    kinds = FIGURES[station.query["figure"]].pictures
    return {key for key in (CONTENT_KEY, STYLE_KEY) if any(kind.startswith(key) for kind in kinds)}


@pytest.mark.parametrize("place", PLACES)
def test_every_station_is_a_lesson_with_all_the_pictures_that_it_wants(place):
    station = TOUR[place]
    link = station.link()
    assert link.figure is FIGURES[station.query["figure"]] and link.pictures.keys() == wanted(station)
    assert all(path.is_file() for path in link.pictures.values())
    known = {"figure", *link.pictures, *(option.name for option in link.figure.options)}
    assert station.query.keys() <= known  # a link leaves what it does not know


@pytest.mark.parametrize("place", PLACES)
def test_a_station_is_the_link_that_it_would_be(place):
    assert dict(parse_qsl(TOUR[place].link().query()[1:])) == TOUR[place].query


def test_no_two_stations_show_the_same_figure():
    assert len({station.query["figure"] for station in TOUR}) == len(TOUR) == 5


@pytest.mark.parametrize("place", PLACES)
def test_showing_a_station_sets_figure_pictures_and_every_setting(place):
    link = TOUR[place].link()
    shown = dict(fill(link))
    name = shown.pop("figure")
    assert name == link.figure.name and link.figure.title in shown["words"]
    pictures = {key: shown.pop(key) for key in (CONTENT_KEY, STYLE_KEY) if key in shown}
    assert pictures == {key: str(path) for key, path in link.pictures.items()}
    areas = {area: shown.pop(area) for area in choose(name)}
    seen = [other for other in FIGURES if props(areas[f"options of {other}"])["visible"]]
    assert seen == [name]
    assert shown == {
        f"{name}.{option.name}": shown_value(option, link.settings[option.name]) for option in link.figure.options
    }


@pytest.mark.parametrize("place", PLACES)
def test_a_page_says_where_it_is_and_all_its_words(place):
    shown, station = page(place), TOUR[place]
    assert f"Tour, step {place + 1} of 5" in shown and station.title in shown
    words = re.search("<p>(.*)</p>", shown)[1]
    assert unescape(re.sub("<[^>]*>", "", words)) == station.words.replace("*", "") and "*" not in shown
    assert set(re.findall("</?(\\w+)", shown)) <= {"div", "h2", "p", "em"}


def test_the_two_words_of_the_subject_are_stressed_where_they_are_explained():
    assert "<em>content</em>" in page(0) and "<em>style</em>" in page(1)


def turned(place: int, move: int) -> tuple[int, str, bool, bool]:
    shown = turn(move)(place)
    return shown["place"], shown["words"], props(shown["back"])["interactive"], props(shown["forward"])["interactive"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("move", [-1, 1])
def test_pages_are_turned_one_by_one_and_end_at_either_end(place, move):
    there, last = min(max(place + move, 0), len(TOUR) - 1), len(TOUR) - 1
    assert turned(place, move) == (there, page(there), there > 0, there < last)


def test_the_tour_begins_at_its_first_page_from_which_there_is_no_way_back():
    with gr.Blocks():
        tour = build_tour()
    assert tour.place.value == 0 and tour.words.value == page(0)
    assert (tour.back.interactive, tour.show.interactive, tour.forward.interactive) == (False, True, True)
