"""Keeps the catalogues: `python -m tests.ui.words.catalogue missing|units|merge FILE`.

missing     the English that the source has and a catalogue lacks, as JSON: [{"id", "en", "where"}, …]
units       all of it, in the same form
merge FILE  puts {English or id: {"de": …, "es": …, "fr": …, "zh": …}} into the catalogues, and drops what the
            source no longer has
merge de=FILE zh=FILE   the same of files of one language each: {English or id: translation}
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from nst_core.transfer.config import SETTINGS
from nst_core.ui import words
from tests.ui.words.marked import is_said, renumbered, tidy
from tests.ui.words.silent import NAMES
from tests.ui.words.units import words_of_page, words_of_source

FOLDER = Path(words.__file__).parent
LANGUAGES = ("de", "es", "fr", "zh")
FIELD = re.compile(r"\{(\d+)\}")


def id_of(unit: str) -> str:
    """A short name of a sentence, for tables of translations."""
    return hashlib.sha1(unit.encode(), usedforsecurity=False).hexdigest()[:8]


@cache
def all_units() -> dict[str, str]:
    """Every unit -> where it is."""
    found = dict(words_of_source())
    for place, units in (("the page", words_of_page()), ("nst_core/transfer/settings.py", words_of_sheets())):
        for unit in units:
            if not is_made_of(unit, found):
                found[unit] = place
    return found


def words_of_sheets() -> Iterator[str]:
    """What the labels of a sheet say: settings, and what they may be."""
    for setting in SETTINGS.values():
        said = (setting.label, *(setting.choices or {}).values())
        yield from (text for text in said if is_said(text) and text not in NAMES)


def is_made_of(text: str, keys: "dict[str, Any]") -> bool:
    """Whether the page's script would find a text by these keys."""
    if text in keys or renumbered(re.sub(r"\d+(?:\.\d+)?", "{0}", text)) in keys:
        return True
    if piece := re.fullmatch(r"\d+\. (.*)|[αβγw]: (.*)|w conv\d_\d", text):
        return piece.lastindex is None or piece[piece.lastindex] in keys
    return any(pattern.fullmatch(text) for pattern in _patterns(tuple(keys)))


@cache
def _patterns(keys: tuple[str, ...]) -> list[re.Pattern[str]]:
    strong = [key for key in keys if FIELD.search(key) and len(re.sub(r"\{\d+\}|\W", "", key)) > 5]
    return [re.compile(".+".join(map(re.escape, re.split(r"\{\d+\}", key)))) for key in strong]


def catalogue(language: str) -> dict[str, Any]:
    """The catalogue of a language, as it is kept."""
    file = FOLDER / f"{language}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def save(language: str, entries: dict[str, Any]) -> None:
    """Keep a catalogue, sorted by its keys."""
    text = json.dumps(dict(sorted(entries.items())), ensure_ascii=False, indent=0)
    (FOLDER / f"{language}.json").write_text(text + "\n", encoding="utf-8")


def missing() -> list[dict[str, str]]:
    """What a catalogue lacks."""
    kept = [catalogue(language) for language in LANGUAGES]
    units = all_units().items()
    return [_row(unit, place) for unit, place in units if not all(unit in entries for entries in kept)]


def _row(unit: str, place: str) -> dict[str, str]:
    return {"id": id_of(unit), "en": unit, "where": place}


def merge(given: dict[str, dict[str, Any]]) -> None:
    """Put translations, language -> {English or id: text}, into the catalogues; dead ones go."""
    by_id = {id_of(unit): unit for unit in all_units()}
    for language, entries in given.items():
        told = {by_id.get(key, key): value for key, value in entries.items()}
        kept = catalogue(language) | {tidy(key): value for key, value in told.items()}
        save(language, {key: value for key, value in kept.items() if key in all_units()})


def main(what: str, *files: str) -> None:
    """See the module."""
    if what == "merge" and "=" in files[0]:
        merge({name: json.loads(Path(path).read_text()) for name, path in (file.split("=") for file in files)})
    elif what == "merge":
        table = json.loads(Path(files[0]).read_text())
        merge(
            {language: {key: row[language] for key, row in table.items() if language in row} for language in LANGUAGES}
        )
    else:
        rows = missing() if what == "missing" else [_row(*item) for item in all_units().items()]
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, indent=0) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
