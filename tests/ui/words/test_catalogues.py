"""The catalogues: complete in every language, with the marks and fields of the English, and nothing that is dead."""

import ast
import json
import re
from dataclasses import fields

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from nst_core.errors import NSTError
from nst_core.transfer.config import StyleTransferConfig
from nst_core.ui.page.words import as_on_page
from nst_core.ui.words import served
from tests.ui.words.catalogue import LANGUAGES, all_units, catalogue, is_made_of, missing
from tests.ui.words.units import ROOT, texts_of, units_in

MARK = re.compile(r"\{\d+\}|</?\d+/?>")
FORMS = {"de": {"one", "other"}, "es": {"one", "other"}, "fr": {"one", "other"}}  # Chinese has but one


def forms_of(value: str | dict[str, str]) -> list[str]:
    return list(value.values()) if isinstance(value, dict) else [value]


def test_every_sentence_of_the_source_is_in_every_catalogue():
    lacking = missing()
    assert not lacking, json.dumps(lacking, ensure_ascii=False, indent=0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_catalogue_holds_what_the_source_has_no_more(language):
    assert not catalogue(language).keys() - all_units().keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_fields_and_marks_of_the_english(language):
    wrong = {
        key: value
        for key, value in catalogue(language).items()
        for text in forms_of(value)
        if sorted(MARK.findall(text)) != sorted(MARK.findall(key)) or not text.strip()
    }
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_of_several_lines_have_as_many_in_translation(language):
    figures = (ast.parse(file.read_text()) for file in (ROOT / "nst_core/analysis/figures").glob("*.py"))
    captions = [text for figure in figures for text in texts_of(figure, False) if "\n" in text and "{" in text]
    lines = {unit: text.count("\n") for text in captions for unit in units_in(text)}
    assert len(lines) >= 8
    assert {unit: catalogue(language)[unit].count("\n") for unit in lines} == lines


@pytest.mark.parametrize("language", LANGUAGES)
def test_marks_close_in_the_order_in_which_they_open(language):
    for value in catalogue(language).values():
        for text in forms_of(value):
            open_marks = []
            for end, number, single in re.findall(r"<(/?)(\d+)(/?)>", text):
                if end:
                    assert open_marks.pop() == number, text
                elif not single:
                    open_marks.append(number)
            assert not open_marks, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_the_forms_of_their_language(language):
    plurals = [value for value in catalogue(language).values() if isinstance(value, dict)]
    assert all(value.keys() == FORMS.get(language) for value in plurals)


@pytest.mark.parametrize("language", LANGUAGES)
def test_most_of_a_catalogue_is_not_english(language):
    entries = catalogue(language)
    same = [key for key, value in entries.items() if key == value and re.search(r"[a-z]+ [a-z]+ [a-z]+", key)]
    assert len(same) < len(entries) / 100


def test_what_a_wrong_setting_is_refused_with_is_in_the_catalogues():
    keys = catalogue("de")
    for field in fields(StyleTransferConfig):
        with pytest.raises(NSTError) as refused:
            StyleTransferConfig().changed(**{field.name: "xyz"})
        assert is_made_of(as_on_page(str(refused.value)), keys)


def test_the_server_gives_the_script_and_each_catalogue_and_nothing_else():
    client = TestClient(Starlette(routes=[served.ROUTE]))
    for language in LANGUAGES:
        for encoding in ("gzip", "identity"):
            answer = client.get(f"/words/{language}.json", headers={"Accept-Encoding": encoding})
            assert answer.json() == catalogue(language)
            assert (answer.headers.get("content-encoding") == "gzip") == (encoding == "gzip")
    assert all(name in client.get("/words/script.js").text for name in served.languages().values())
    for name in ("en.json", "served.py", "de", "..%2Fserved.json", ".json"):
        assert client.get(f"/words/{name}").status_code == 404


def test_the_script_may_stand_within_a_page():
    assert "</script" not in served.script() and "<!--" not in served.script()
