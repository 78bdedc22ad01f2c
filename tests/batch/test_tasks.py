"""Tests of what a batch paints: pairs, tables, and names that stay the same."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from nst_core.batch.tasks import Task, pairs, read_table
from nst_core.errors import ConfigError, ImageError
from nst_core.file_names import is_portable


@dataclass(frozen=True)
class Plain:
    """A way that has one setting."""

    text: str = ""
    title = "plain"

    def settings(self):
        return {"text": self.text}


def way_of(row) -> Plain:
    if set(row) - {"text"}:
        raise ConfigError("no such setting")
    return Plain(row.get("text", ""))


def read(path: Path, text: str) -> list[Task]:
    path.write_text(text, encoding="utf-8")
    return read_table(path, way_of, path.parent)


def test_every_content_is_paired_with_every_style_under_a_name_of_its_own(tmp_path):
    contents = [Path("a/cat.jpg"), Path("b/cat.jpg"), Path("b/cat.png"), Path("b/CAT.png"), Path("b/ça?\n*.png")]
    tasks = pairs(contents, ["s/waves.jpg", "t/waves.png", "stars"], Plain(), tmp_path)
    assert [(task.content, task.style) for task in tasks[:4]] == [
        (contents[0], "s/waves.jpg"),
        (contents[0], "t/waves.png"),
        (contents[0], "stars"),
        (contents[1], "s/waves.jpg"),
    ]
    names = [task.file for task in tasks]
    assert len({name.casefold() for name in names}) == 15 and all(map(is_portable, names))
    assert names[0].startswith("cat_waves_plain-") and names[0].endswith(".png")


def test_names_stay_whatever_else_is_painted_and_say_how(tmp_path):
    (one,) = pairs([Path("a/cat.jpg")], ["waves"], Plain(), tmp_path)
    more = pairs([Path("a/ant.jpg"), Path("a/cat.jpg")], ["stars", "waves"], Plain(), tmp_path)
    assert one.file == more[3].file
    assert one.file != pairs([Path("a/cat.jpg")], ["waves"], Plain("other"), tmp_path)[0].file
    elsewhere = pairs([Path("/moved/a/cat.jpg")], ["waves"], Plain(), tmp_path)
    assert one.file == elsewhere[0].file


def test_a_pair_that_is_named_twice_is_painted_once(tmp_path):
    assert len(pairs([Path("cat.jpg")] * 2, ["waves"], Plain(), tmp_path)) == 1


def test_a_table_names_pictures_beside_it_and_settings(tmp_path):
    csv = '\ufeffStyle, content ,text\nwaves.png,cat.jpg,one\n\n,,\n/stars.png,"a, b.jpg",\n'
    rows = [{"content": "cat.jpg", "style": "waves.png", "text": "one"}, {"content": "a, b.jpg", "style": "/stars.png"}]
    told = read(tmp_path / "list.csv", csv)
    assert [(task.content, task.style, task.way) for task in told] == [
        (tmp_path / "cat.jpg", str(tmp_path / "waves.png"), Plain("one")),
        (tmp_path / "a, b.jpg", "/stars.png", Plain()),
    ]
    named = read_table(tmp_path / "list.csv", way_of, tmp_path, names={"waves.png"})
    assert [task.style for task in named] == ["waves.png", "/stars.png"]
    assert read(tmp_path / "list.json", json.dumps(rows)) == told


def test_values_of_json_are_read_as_people_type_them(tmp_path):
    values = {"true": True, "list": [1, 2.5], "none": None, "number": 3, "words": " a "}
    texts = {"true": "on", "list": "1 2.5", "number": "3", "words": "a"}
    for name, value in values.items():
        told = read(tmp_path / "l.json", json.dumps([{"content": "a", "style": "b", "text": value}]))
        assert told[0].way.text == texts.get(name, "")


BAD = {
    "content,style\ncat.jpg\n": "line 2 names no style",
    "content,style\n": "has no rows",
    "content,text\ncat.jpg,one\n": "begin it with content,style",
    "content,style,style\na,b,c\n": "begin it with content,style",
    "content,style,size\na,b,1\na,b,2\n": "line 2: no such setting",
    "content,style\na,b,c\n": "line 2 has 3 cells",
    "": "begin it with content,style",
}
BAD_JSON = {
    "{": "is no JSON",
    "{}": "write a list",
    "[1]": "entry 1 is 1",
    '[{"content": "a"}]': "entry 1 names no style",
    '[{"content": "a", "style": {}}]': "entry 1: style",
    "[]": "has no rows",
    "[" * 100_000: "is no JSON",
}


def test_a_table_that_makes_no_sense_is_refused_by_its_place(tmp_path):
    for name, texts in (("list.csv", BAD), ("list.json", BAD_JSON)):
        for text, words in texts.items():
            with pytest.raises(ConfigError, match=words):
                read(tmp_path / name, text)


def test_a_table_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "latin.csv").write_bytes("content,style\nÄ,b".encode("latin-1"))
    for name, words in (("none.csv", "cannot be read"), ("latin.csv", "no text in UTF-8"), ("", "cannot be read")):
        with pytest.raises(ConfigError, match=words):
            read_table(tmp_path / name, way_of, tmp_path)


def test_nothing_is_no_batch(tmp_path):
    with pytest.raises(ImageError, match="nothing to paint"):
        pairs([], ["waves"], Plain(), tmp_path)
