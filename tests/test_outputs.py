"""What is refused before work begins: an output that cannot be written, or that is read."""

import os
import shutil
from collections import namedtuple

import pytest

from nst_core import outputs
from nst_core.errors import ConfigError, OutputError
from nst_core.outputs import check_apart, check_distinct, check_folder, check_network, check_output, check_room


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "source.png"
    path.write_bytes(b"precious")
    return path


def ways_to(source) -> list:
    """Every way by which one file is meant."""
    (source.parent / "inner").mkdir()
    (source.parent / "soft.png").symlink_to(source.name)
    (source.parent / "twice.png").symlink_to("soft.png")
    (source.parent / "hard.png").hardlink_to(source)
    (source.parent / "folder").symlink_to(source.parent)
    names = ("source.png", "./source.png", "inner/../source.png", "soft.png", "twice.png", "hard.png")
    return [source, *(type(source)(name) for name in names), type(source)("folder/source.png")]


def test_what_is_read_is_not_written_by_whatever_way(source):
    for way in ways_to(source):
        for output, read in ((way, source), (source, way)):
            with pytest.raises(OutputError, match="is painted from and would be overwritten; write elsewhere"):
                check_output(output, [".png"], [source.parent / "gone.png", read])
    check_output(source.parent / "new.png", [".png"], [source])
    assert source.read_bytes() == b"precious"


def test_where_capitals_are_not_told_apart_a_file_is_known_by_its_number(source, monkeypatch):
    """As on Windows and macOS, where SOURCE.PNG is source.png."""
    plain = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **given: plain(str(path).replace("SOURCE.PNG", "source.png"), **given))
    with pytest.raises(OutputError, match="would be overwritten"):
        check_apart([source.with_name("SOURCE.PNG")], [source])


def test_two_outputs_are_two_files(source):
    ways = ways_to(source)
    for way in ways[1:]:
        with pytest.raises(OutputError, match="are one file; name another"):
            check_distinct([source, way])
    (source.parent / "link.webp").symlink_to("new.png")
    with pytest.raises(OutputError, match="new.png and link.webp are one file"):
        check_distinct([source.parent / "new.png", source.parent / "link.webp"])
    check_distinct([source, source.parent / "new.png"])


def test_the_ending_is_the_kinds(source):
    with pytest.raises(ConfigError, match=r"timelapse is 'a.gif'; name a .webp or .png file, small"):
        check_output(source.parent / "a.gif", [".webp", ".png"], called="timelapse", hint=", small")
    check_output(source.parent / "A.PNG", [".png"])


def test_a_network_and_what_stands_in_for_it_are_no_sources(source):
    partial = source.parent / "mine.safetensors.partial"
    partial.symlink_to(source.name)
    with pytest.raises(OutputError, match="mine.safetensors.partial is painted from"):
        check_network(source.parent / "mine.safetensors", [source])
    with pytest.raises(OutputError, match="its name is too long"):
        check_network(source.parent / f"{'x' * 240}.safetensors")
    with pytest.raises(OutputError, match="name a .safetensors file"):
        check_network(source.parent / "mine.SAFETENSORS")


def test_a_folder_need_not_exist_but_has_to_be_possible(source):
    check_folder(source.parent / "a" / "b")
    for place in ("source.png", "source.png/inner"):
        with pytest.raises(OutputError, match="cannot be written; write elsewhere"):
            check_folder(source.parent / place)


def test_a_disk_without_room_is_told_before_the_work(source, monkeypatch):
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(10**9, 10**9, 1_000_000))
    words = "has room for 1 MB, and about 2 MB are to be written; make room, or write elsewhere"
    with pytest.raises(OutputError, match=words):
        check_output(source.parent / "new.png", [".png"])
    with pytest.raises(OutputError, match=words):
        check_folder(source.parent / "not" / "yet")
    check_room(source.parent, outputs.LEAST_ROOM // 2)
