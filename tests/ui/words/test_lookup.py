"""The server's lookup: by the rules of the page's script, with which `tests/e2e/test_languages.py` compares it."""

import json

import pytest

from nst_core.transfer.config import SETTINGS
from nst_core.transfer.variations import VARIABLE, Axis
from nst_core.ui.words.lookup import Catalogue
from tests.ui.words.catalogue import LANGUAGES, catalogue

ENTRIES = {
    "Seed": "Startwert",
    "Stopped": "Angehalten",
    "Step {0} of {1}": "Schritt {0} von {1}",
    "{0} steps": {"one": "{0} Schritt", "other": "{0} Schritte"},
    "photo": "Foto",
    "the loss falls": "der Verlust fällt",
    "largest: {0} grey: {1}": "größtes: {0} grau: {1}",
    "what is long": "was lang ist",
    "Style {0}": "Stil {0}",
    "Style loss": "Stilverlust",
    "{0}; across: {1}": "{0}; waagerecht: {1}",
    "photo, seen": "Foto, gesehen",
}
GERMAN = Catalogue("de", ENTRIES)


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("Seed", "Startwert"),
        ("Seed 3", "Startwert 3"),
        ("Photo", "Foto"),
        ("“photo”", "„Foto“"),
        ("Step 1,250.5 of 3", "Schritt 1.250,5 von 3"),
        ("1 steps", "1 Schritt"),
        ("2 steps", "2 Schritte"),
        ("Stopped: 2 steps", "Angehalten: 2 Schritte"),
        ("photo · Seed 0.5", "Foto · Startwert 0,5"),
        ("The loss falls.", "Der Verlust fällt."),
        ("Stopped. The loss falls.", "Angehalten. Der Verlust fällt."),
        ("largest: 0.5\ngrey: 1", "größtes: 0,5 grau: 1"),
        ("photo\nunheard of", "Foto\nunheard of"),
        ("0.25 × 2,000", "0,25 × 2.000"),
        ("(1, 64, 8)", "(1, 64, 8)"),
        ("Style 2", "Stil 2"),
        ("Style loss: photo", "Stilverlust: Foto"),
        ("Style loss: conv1_1 conv2_1", "Stilverlust: conv1_1 conv2_1"),
        ("photo, seen; across: Seed", "Foto, gesehen; waagerecht: Startwert"),
        ("my photo.jpg what is long", "my photo.jpg was lang ist"),
        ("my photo.jpg unheard of", "my photo.jpg unheard of"),
        ("unheard of", "unheard of"),
        ("", ""),
        ("; ".join(["what is long"] * 60 + ["w = 0.5"]), "; ".join(["was lang ist"] * 60 + ["w = 0,5"])),
    ],
)
def test_what_is_said_is_looked_up_in_parts(english, german):
    assert GERMAN.said(english) == german


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "1.250,50 y 0,5 y 3,8e-05"),
        ("fr", "1\u202f250,50 y 0,5 y 3,8e-05"),
        ("zh", "1,250.50 y 0.5 y 3.8e-05"),
    ],
)
def test_numbers_are_written_as_the_language_does(language, text):
    assert Catalogue(language, {}).numbers("1,250.50 y 0.5 y 3.8e-05") == text
    one = "1.5" if language == "zh" else "1,5"
    assert Catalogue(language, {}).numbers("Σ(F − P)²/1.5 y a/1.5") == f"Σ(F − P)²/{one} y a/1.5"


@pytest.mark.parametrize(("language", "form"), [("de", "other"), ("es", "other"), ("fr", "one"), ("zh", "other")])
def test_none_of_a_thing_is_one_in_french(language, form):
    entries = {"{0} steps": {"one": "one", "other": "other"}}
    assert Catalogue(language, entries).said("0 steps") == form


def test_chinese_has_its_own_stops():
    chinese = Catalogue("zh", {"photo": "照片", "style": "风格", "It stops": "停止"})
    assert chinese.said("photo, style") == "照片，风格"
    assert chinese.said("It stops.") == "停止。"


def test_chinese_words_stand_without_a_space_between_them():
    chinese = Catalogue("zh", {"style": "风格", "loss": "损失", "{0} of {1}": "{1} {0}", "painted by {0}": "作者 {0}"})
    assert chinese.said("style loss") == "风格损失" and chinese.said("style 3") == "风格 3"
    assert chinese.said("loss of style") == "风格损失" and chinese.said("loss of Adam") == "Adam 损失"
    assert chinese.said("painted by 王 小明") == "作者 王 小明"  # who is called so


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sheet_s_labels_say_every_setting_and_what_it_may_be(language):
    words = Catalogue(language, catalogue(language))
    colon = words.joints.get(": ", ": ")
    for name, setting in SETTINGS.items():
        for choice, title in (setting.choices or {}).items():
            (label,) = Axis(name, (choice,)).labels
            assert words.said(label) == words.said(VARIABLE[name]) + colon + words.said(title)
    assert "Blend" not in words.said("Blend 1 0.5") and words.said("Clamp: on") != "Clamp: on"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_is_found_as_it_is(language):
    entries = {key: value for key, value in catalogue(language).items() if isinstance(value, str) and "{" not in key}
    found = Catalogue(language, json.loads(json.dumps(catalogue(language))))
    assert {key: found.looked(key) for key in entries} == entries
