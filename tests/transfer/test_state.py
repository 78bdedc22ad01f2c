"""States in folders: whole or not there, at every moment; what never changes is written once; damage is found."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from nst_core import files
from nst_core.errors import ImageError, OutputError
from nst_core.features.checkpoint import Flaw
from nst_core.transfer.state import STATE, Kept, State, flaws_told, read, write


def state_of(number: int) -> State:
    """A state that remembers the last three pairs, and pictures."""
    pair = torch.arange(6.0)
    lasting = {f"pair-{one}": lambda one=one: {"step": pair + one} for one in range(max(0, number - 3), number)}
    tensors = {
        "canvas": torch.full((1, 3, 4, 4), float(number)),
        "t": torch.tensor(0.1),
        "chance": torch.ones(3).byte(),
    }
    return State(
        {"number": number, "note": "ü", "none": None}, tensors, lasting | {"pictures": lambda: {"a": pair, "b": pair}}
    )


def number_in(folder: Path) -> int:
    """Which state is in a folder, wholly."""
    found, _ = read(folder)
    expected = state_of(found.facts["number"])
    assert found.facts == expected.facts and found.lasting.keys() == expected.lasting.keys()
    groups = [(found.tensors, expected.tensors)]
    groups += [(found.lasting[name](), expected.lasting[name]()) for name in expected.lasting]
    for one, other in groups:
        assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in other)
    return found.facts["number"]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(files.MARK)}


@pytest.fixture
def kept(tmp_path) -> Kept:
    return write(state_of(4), tmp_path / "kept")


def test_what_was_written_is_read(kept):
    assert number_in(kept.folder) == 4 and read(kept.folder)[1].checksum == kept.checksum
    assert kept.seconds > 0 and kept.size == sum(path.stat().st_size for path in kept.folder.iterdir())


def test_whenever_it_is_killed_the_last_whole_state_is_there(kept, tmp_path, monkeypatch):
    moments: list[Path] = []

    def looking(change: Callable) -> Callable:
        def changed(*given, **named):
            moments.append(shutil.copytree(kept.folder, tmp_path / f"moment {len(moments)}"))
            change(*given, **named)
            moments.append(shutil.copytree(kept.folder, tmp_path / f"moment {len(moments)}"))

        return changed

    with monkeypatch.context() as patch:
        patch.setattr(files, "put_in_place", looking(files.put_in_place))
        patch.setattr(Path, "unlink", looking(Path.unlink))
        write(state_of(6), kept.folder, kept)
    found = [number_in(moment) for moment in moments]
    assert found == sorted(found) and found.count(4) > 4 < found.count(6)
    for moment in moments:
        after = write(state_of(7), moment, read(moment)[1])
        assert number_in(moment) == 7 and names(moment) == {STATE, *(file for file, _ in after.files.values())}


def test_what_is_lasting_is_written_once(kept):
    def asked() -> dict:
        raise AssertionError("asked for again")

    same = State(state_of(4).facts, state_of(4).tensors, dict.fromkeys(state_of(4).lasting, asked))
    again = write(same, kept.folder, kept)
    assert again.files == kept.files and again.size < kept.size and number_in(kept.folder) == 4
    later = write(state_of(6), kept.folder, again)
    assert {name for name, file in later.files.items() if kept.files.get(name) == file} == {"pictures", "pair-3"}
    (kept.folder / later.files["pictures"][0]).unlink()  # somebody deleted it
    assert (
        write(state_of(6), kept.folder, later).files["pictures"] != later.files["pictures"]
        and number_in(kept.folder) == 6
    )
    elsewhere = kept.folder.with_name("elsewhere")
    write(state_of(6), elsewhere, later)
    assert number_in(elsewhere) == 6


def test_another_paintings_state_takes_the_place_wholly_and_foreign_files_stay(kept):
    (kept.folder / "notes.txt").write_text("mine")
    (kept.folder / "styles.safetensors").write_bytes(b"mine")
    other = write(state_of(2), kept.folder)
    assert number_in(kept.folder) == 2
    assert names(kept.folder) == {STATE, "notes.txt", "styles.safetensors", *(file for file, _ in other.files.values())}


def test_where_nothing_can_be_written_the_state_before_stays(kept, tmp_path, full_disk):
    before = names(kept.folder)
    with pytest.raises(OutputError, match="disk is full"):
        write(state_of(6), kept.folder, kept)
    assert number_in(kept.folder) == 4 and names(kept.folder) == before and full_disk
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be made"):
        write(state_of(6), tmp_path / "file" / "kept")


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) * 2 // 3],
    "longer": lambda data: data + b"0",
    "zeros": lambda data: bytes(len(data)),
    "of another kind": lambda data: b"hello",
    "its last byte": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "its first byte": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "a name": lambda data: data.replace(b"canvas", b"Canvas").replace(b'"step"', b'"Step"').replace(b'"a":', b'"A":'),
    "a fact": lambda data: (
        data.replace(b"number", b"Number").replace(b"pair-", b"Pair-").replace(b"pictures", b"Pictures")
    ),
    "its format": lambda data: data.replace(b"neural-style-lab painting", b"neural-style-lab somewhat"),
    "its version": lambda data: data.replace(b'"version":"2"', b'"version":"1"'),
}


def read_all(folder: Path) -> None:
    for tensors in read(folder)[0].lasting.values():
        tensors()


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_of_any_file_is_found(kept, damage):
    for name in names(kept.folder):
        path = kept.folder / name
        whole = path.read_bytes()
        assert (data := DAMAGES[damage](whole)) != whole
        path.write_bytes(data)
        with pytest.raises(Flaw, match=name):
            read_all(kept.folder)
        path.write_bytes(whole)
    read_all(kept.folder)


def test_files_that_are_missing_or_change_places_are_found(kept):
    one, other = (kept.folder / kept.files[name][0] for name in ("pair-2", "pair-3"))
    whole = other.read_bytes()
    other.write_bytes(one.read_bytes())
    with pytest.raises(Flaw, match="another than was kept"):
        read_all(kept.folder)
    other.write_bytes(whole)
    for name in names(kept.folder):
        path = kept.folder / name
        whole = path.read_bytes()
        path.unlink()
        with pytest.raises(Flaw, match="is missing"):
            read_all(kept.folder)
        path.write_bytes(whole)


def test_what_is_wrong_is_told_with_what_to_do(kept):
    with (
        pytest.raises(ImageError, match="the painting kept in kept cannot go on: its t is; start another"),
        flaws_told(kept.folder),
    ):
        raise Flaw("its t is")
    with pytest.raises(ImageError, match="is gone from nowhere"), flaws_told(kept.folder / "nowhere"):
        read(kept.folder / "nowhere")


def test_a_fact_and_a_tensor_are_what_is_asked_for_or_refused():
    state = state_of(3)
    assert state.fact("number", lambda value: value == 3) == 3 and state.picture("canvas").shape == (1, 3, 4, 4)
    for ask in (
        lambda: state.fact("number", lambda value: value == 4),
        lambda: state.fact("absent", lambda value: True),
        lambda: state.tensor("canvas", (1, 3, 4, 5)),
        lambda: state.tensor("chance", (3,)),
        lambda: state.picture("t"),
        lambda: state.lasting_tensors("pair-9"),
    ):
        with pytest.raises(Flaw):
            ask()
