"""In which language what is drawn is answered: the page's, else the browser's, else English."""

import pytest

from nst_core.analysis.poster.language import ENGLISH
from nst_core.ui.studio.page_language import accepted, known, language_named, language_of
from tests.ui.words.catalogue import LANGUAGES, catalogue


@pytest.mark.parametrize(
    ("chosen", "accepts", "language"),
    [
        ("de", "fr", "de"),
        ("en", "fr", "en"),
        ("", "fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        (None, "en;q=0.1, es;q=0.5", "es"),
        ("xx", "it, zh-CN", "zh"),
        ("../de", "", "en"),
        (["de"], "*", "en"),
        ("", "zh-TW, zh-Hant", "en"),
        ("", "de;q=0", "en"),
        ("", "de;q=much;;,", "en"),
        ("", "", "en"),
    ],
)
def test_the_pages_choice_comes_before_the_browsers_and_english_last(chosen, accepts, language):
    assert language_of(chosen, {"accept-language": accepts}).name == language


def test_a_request_that_asks_for_nothing_is_answered_in_english():
    assert language_of(None, {}) is ENGLISH and ENGLISH.say("Paint") == "Paint"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_speaks_by_its_catalogue(language):
    assert language_named(language).say("Paint") == catalogue(language)["Paint"]
    assert language_named(language) is language_named(language)


def test_tags_are_listed_by_what_is_wanted_most():
    assert accepted("en;q=0.5, de-AT, fr;q=0.7") == ["de-AT", "fr", "en"]
    assert known("de-AT") == "de" and known("zh_Hans") == "zh" and known("zh-Hant-TW") is None
