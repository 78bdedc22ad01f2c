"""Plans of lessons: they last as long as they say, and every link opens what it names."""

import re
from html import unescape
from urllib.parse import parse_qsl

import pytest

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.ui.classroom.plan import LESSONS, PROJECTOR, LessonStep, _steps, plan_page
from nst_core.ui.explain.examples import example_of
from nst_core.ui.explain.links import read_link
from nst_core.ui.studio.links import read_start

LINK = re.compile(r'href="\./\?([^"]*)"')


@pytest.mark.parametrize("title", LESSONS)
def test_a_lesson_lasts_as_long_as_it_says(title):
    minutes = int(re.search(r"\d+", title)[0])
    assert sum(step.minutes for step in LESSONS[title]) == minutes
    assert f"– {minutes} min" in _steps(LESSONS[title])


@pytest.mark.parametrize("title", LESSONS)
def test_every_link_opens_a_figure_with_an_example_or_the_studio(title):
    links = [dict(parse_qsl(unescape(link))) for link in LINK.findall(_steps(LESSONS[title]))]
    assert len(links) >= len(LESSONS[title])
    for query in links:
        if "figure" in query:
            assert read_link(query).figure is FIGURES[query["figure"]] and example_of(query["figure"])
        else:
            assert read_start(query) is not None
    assert sum(query.items() >= PROJECTOR.items() for query in links) == sum(
        "figure" in step.query for step in LESSONS[title]
    )


def test_all_words_are_there_and_escaped():
    step = LessonStep(3, "<a>", "1 < 2 & 3", 'say "no"', {"figure": "grid"})
    written = _steps((step, LessonStep(2, "b", "c")))
    assert (
        "&lt;a&gt;" in written and "1 &lt; 2 &amp; 3" in written and "0 – 3 min" in written and "3 – 5 min" in written
    )
    assert written.count("<li>") == 2 and written.count("links") == 1


def test_anybody_may_read_the_plans_whether_there_is_a_class_or_not(stranger, monkeypatch):
    for key in ("a password", ""):
        monkeypatch.setenv("NST_CLASS_KEY", key)
        answer = stranger.get("/lesson")
        assert answer.status_code == 200 and "Plans of lessons" in answer.text
        assert "script-src 'nonce-" in answer.headers["content-security-policy"]


def test_a_printed_link_is_the_address_that_its_code_has(stranger):
    written = stranger.get("http://school.example/lesson").text
    assert 'data-address="http://school.example/?figure=grid&amp;view=projector"' in written
    assert written.count("data-address=") == len(LINK.findall(written)) > 10


def test_the_plans_say_where_their_codes_lead_nowhere_else(stranger):
    assert "this very computer only" in stranger.get("http://127.0.0.1/lesson").text
    assert "this very computer only" not in stranger.get("http://school.example/lesson").text


def test_the_page_has_all_lessons_and_only_links_beside_itself():
    page = plan_page("nonce")
    assert all(f"<h2>{title}</h2>" in page for title in LESSONS) and "$" not in page
    assert all(href.startswith("./?") for href in re.findall('href="([^"]*)"', page))
