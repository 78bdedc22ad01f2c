"""Files as they are written: whatever ends it, the old one or the new one is whole, and nothing else is left."""

import ast
import errno
import inspect
import os
import resource
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from safetensors import SafetensorError

from nst_core import files, images
from nst_core.analysis.figure import Chart
from nst_core.analysis.poster import save as poster
from nst_core.augment import labels
from nst_core.commands import instant
from nst_core.errors import OutputError
from nst_core.features import compress
from nst_core.features.distill import Student
from nst_core.files import append, check_writable, make_folder, writing
from nst_core.instant.network import PHOTO, TransformationNetwork
from nst_core.instant.styles import StyleFile, save_styles
from nst_core.instant.trainer import Trainer
from nst_core.instant.video import paint_video
from nst_core.transfer.timelapse import Timelapse
from tests.every import every
from tests.instant.test_video import film
from tests.test_structure import ROOT, SOURCES, room_of

LIMIT = 4096  # bytes


@contextmanager
def no_room():
    """Files of this process take LIMIT bytes and no more, as on a disk that fills up."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# What a full disk leaves


NOISE = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))


def png(path: Path) -> None:
    images.save_png(NOISE, path)


def jpeg(path: Path) -> None:
    images.save_png(NOISE, path.parent / "in.png")
    yield
    options = SimpleNamespace(size=None, keep_transparency=False, strength=1.0, color="style")
    brush = SimpleNamespace(picture=lambda image: image, weights={"waves": 1.0})
    instant._paint_picture(path.parent / "in.png", path, brush, options)


def timelapse(path: Path) -> None:
    lapse = Timelapse()
    for step in range(3):
        lapse.add(NOISE.roll(step, 1), step)
    lapse.save(path)


def styles(path: Path) -> None:
    save_styles(StyleFile(TransformationNetwork(["waves", PHOTO], 8)), path)


def student(path: Path) -> None:
    compress._save({"a": NOISE}, {"made by": "us"}, path)


def training(path: Path) -> None:
    adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)])
    Trainer.save(SimpleNamespace(step=1, painter=torch.nn.Linear(90, 90), adam=adam), path, {})


def compression(path: Path) -> None:
    adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)])
    Student.save(SimpleNamespace(taps={}, state=lambda: {"a": NOISE}, adam=adam), path, 1, {})


def video(path: Path) -> None:
    film(path.parent / "in.mov", sound=None)
    yield
    for _ in paint_video(path.parent / "in.mov", path, torch.rand_like):
        pass


def index(path: Path) -> None:
    labels.add_to_index(path.parent, labels.Entry("a" * LIMIT, "cat", "cat/a.jpg", "waves", "1"))


def chart(path: Path) -> None:
    poster._save_chart(Chart("loss", "step", {"a": [(step, step / 7) for step in range(1000)]}), path)


WRITERS = {
    "out.png": png,
    "out.jpg": jpeg,
    "run.webp": timelapse,
    "styles.safetensors": styles,
    "lite.safetensors": student,
    "styles.partial": training,
    "lite.partial": compression,
    "out.mp4": video,
    labels.INDEX: index,
    "chart.csv": chart,
}


def prepared(name: str, path: Path) -> Callable[[], object]:
    """What writes the file, once all that it needs is there."""
    if not inspect.isgeneratorfunction(WRITERS[name]):
        return lambda: WRITERS[name](path)
    running = WRITERS[name](path)
    next(running)
    return lambda: next(running, None)


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_the_old_file_whole_and_nothing_new(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"old")
    write = prepared(name, path)
    before = names(tmp_path)
    with no_room(), pytest.raises(OutputError) as raised:
        write()
    assert str(raised.value) == (
        f"{name} could not be written: it is larger than files may be there; make it smaller, or write elsewhere"
    )
    assert path.read_bytes() == b"old" and names(tmp_path) == before


@pytest.mark.parametrize("name", WRITERS)
def test_with_room_each_is_written_and_nothing_else(tmp_path, name):
    path = tmp_path / name
    write = prepared(name, path)
    before = set(names(tmp_path))
    write()
    assert set(names(tmp_path)) == before | {name} and path.stat().st_size > len(b"old")


def test_an_index_takes_a_line_whole_or_not_at_all(tmp_path):
    path = tmp_path / labels.INDEX
    path.write_bytes(b"-" * (LIMIT - 10))
    with no_room(), pytest.raises(OutputError, match="labels.csv could not be written"):
        append(path, b"twenty bytes of text")  # ten of which find room
    assert path.read_bytes() == b"-" * (LIMIT - 10)
    append(path, b"now")
    assert path.read_bytes().endswith(b"--now")


# By which words


REASONS = {
    errno.ENOSPC: "the disk is full; make room, or write elsewhere",
    errno.EDQUOT: "your share of the disk is used up; make room",
    errno.EROFS: "the file system is read-only; write elsewhere",
    errno.EACCES: "writing there is not permitted; write elsewhere",
}


@pytest.mark.parametrize("number", REASONS)
def test_what_is_wrong_is_said_in_plain_words(tmp_path, number):
    with pytest.raises(OutputError, match=f"^out.png could not be written: {REASONS[number]}"), writing("out.png"):
        raise OSError(number, os.strerror(number))


def test_what_encoders_raise_in_place_of_it_is_understood():
    with pytest.raises(OutputError, match="the disk is full"), writing("a"):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
    with pytest.raises(OutputError, match="encoder error -2; make room"), writing("a"):
        raise OSError("encoder error -2")


def test_mistakes_are_no_matter_of_the_disk(tmp_path):
    for error in (RuntimeError("a size is wrong"), ValueError("no"), MemoryError(), torch.OutOfMemoryError("no")):
        with pytest.raises(type(error)) as raised, writing(tmp_path / "a"):
            raise error
        assert raised.value is error
    assert not names(tmp_path)


def test_a_place_where_nothing_can_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for place, words in {
        "none/out.png": "out.png could not be written: its folder does not exist; make it",
        "file/out.png": "its folder is a file",
        "folder": "folder is a folder; name a file in it",
        "x" * 256: "its name is too long; give it a shorter one",
    }.items():
        with pytest.raises(OutputError, match=words), writing(tmp_path / place):
            pytest.fail("nothing can be written there")
        with pytest.raises(OutputError):
            check_writable(tmp_path / place)
    with pytest.raises(OutputError, match="cannot be made: a file is in its place; write elsewhere"):
        make_folder(tmp_path / "file")
    assert names(tmp_path) == ["file", "folder"]


def test_a_device_is_no_file():
    with pytest.raises(OutputError, match="is no ordinary file"), writing("/dev/null"):
        pytest.fail("a device would be replaced")


# What is kept


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, SystemExit, ValueError])
def test_whatever_ends_it_early_nothing_half_written_stays(tmp_path, error):
    path = tmp_path / "out.png"
    for before in ([], ["out.png"]):
        with pytest.raises(error), writing(path) as aside:
            aside.write_bytes(b"half")
            raise error
        assert names(tmp_path) == before
        path.write_bytes(b"old")
    assert path.read_bytes() == b"old"


def test_only_at_its_end_it_takes_the_name(tmp_path):
    path = tmp_path / "out.png"
    path.write_bytes(b"old")
    with writing(str(path)) as aside:
        aside.write_bytes(b"new")
        assert path.read_bytes() == b"old" and aside.parent == tmp_path and aside.name.startswith(".")
    assert path.read_bytes() == b"new" and names(tmp_path) == ["out.png"]


def test_it_is_on_the_disk_before_it_takes_the_name(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (done.append(stat.S_IFMT(os.fstat(file).st_mode)), fsync(file)))
    monkeypatch.setattr(os, "replace", lambda *names: (done.append("replace"), replace(*names)))
    with writing(tmp_path / "a") as aside:
        aside.write_bytes(b"new")
    assert done == [stat.S_IFREG, "replace", stat.S_IFDIR]


@pytest.mark.parametrize("name", ["a" * 255, "ä" * 127, "a" * 250 + ".png", "." + "x" * 254, " odd\n*[name]?.png"])
def test_names_of_any_length_can_be_written(tmp_path, name):
    for _ in range(2):
        with writing(tmp_path / name) as aside:
            aside.write_bytes(b"new")
    assert names(tmp_path) == [name]


def test_permissions_are_those_of_any_new_file_or_of_the_old_one(tmp_path):
    plain, path = tmp_path / "plain", tmp_path / "styles.safetensors"
    plain.touch()
    styles(path)
    assert path.stat().st_mode == plain.stat().st_mode
    path.chmod(0o640)
    styles(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "real.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to("far/real.png")
    with writing(tmp_path / "link.png") as aside:
        aside.write_bytes(b"new")
    assert (tmp_path / "link.png").is_symlink() and (tmp_path / "far" / "real.png").read_bytes() == b"new"
    assert names(tmp_path / "far") == ["real.png"]


def test_a_zip_takes_a_picture_as_an_entry(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive, archive.open("a.png", "w") as entry:
        images.save_png(NOISE, entry)
    with zipfile.ZipFile(tmp_path / "all.zip") as archive, archive.open("a.png") as entry, Image.open(entry) as picture:
        assert picture.size == (96, 96)


# Several processes


WRITER = """
import sys, types
package = sys.modules["nst_core"] = types.ModuleType("nst_core")  # without all that it imports to paint
package.__path__ = ["nst_core"]
from nst_core.files import writing
with writing(sys.argv[1]) as aside:
    aside.write_bytes(sys.argv[2].encode() * 100_000)
    print(aside.name, flush=True)
    sys.stdin.readline()
    aside.write_bytes(sys.argv[2].encode() * 200_000)
"""


@contextmanager
def writers(path: Path, letters: str):
    """A process for each letter, in the midst of writing the file full of it; (process, name of its file aside)."""
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, letter], stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
        for letter in letters
    ]
    try:
        yield [(process, process.stdout.readline().strip()) for process in running]
    finally:
        for process in running:
            process.kill()
            process.communicate()


def test_of_two_processes_that_write_one_file_each_leaves_it_whole(tmp_path):
    path = tmp_path / "out.bin"
    with writers(path, "ab") as ((first, one), (second, other)):
        assert one != other
        with writing(path) as aside:  # a third one takes nothing away from them
            aside.write_bytes(b"c")
        assert names(tmp_path) == sorted([one, other, "out.bin"])
        for process, letter in ((second, b"b"), (first, b"a")):
            process.communicate("\n")
            assert process.returncode == 0 and path.read_bytes() == letter * 200_000
    assert names(tmp_path) == ["out.bin"]


def test_a_killed_process_leaves_the_old_file_and_the_next_one_clears_up(tmp_path):
    path = tmp_path / "out.bin"
    path.write_bytes(b"old")
    foreign = [f"{files.MARK}.{'0' * 6}-1-{'0' * 8}-0", f"{files.MARK}-notes"]  # another computer's, and a person's
    for name in foreign:
        (tmp_path / name).touch()
    with writers(path, "a") as ((process, aside),):
        process.kill()
        process.wait()
        assert path.read_bytes() == b"old" and names(tmp_path) == sorted([*foreign, aside, "out.bin"])
        with writing(tmp_path / "other.bin") as other:
            assert sorted([*foreign, "out.bin", other.name]) == names(tmp_path)
    assert path.read_bytes() == b"old"


def test_left_overs_of_an_earlier_process_of_this_number_are_told_apart(tmp_path):
    """In a container, every run may have number 1."""
    (tmp_path / f"{files.MARK}.{files.COMPUTER}-{os.getpid()}-{'0' * 8}-0").touch()
    with writing(tmp_path / "first"), writing(tmp_path / "second"):
        assert len(names(tmp_path)) == 2


# Everywhere


# Fetched into a folder aside, which is checked first.
ASIDE = {"nst_core.features.remote", "nst_core.features.download"}
MODES = set("wax+")
OF_NEW_FILE = {"self._file.path", "aside.path"}


def writes(call: ast.Call) -> bool:
    """Whether a call writes a file: `path.open("w")`, `write_text`, `torch.save`, Pillow's `save(…, "PNG")`."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    words = [value.value for value in call.args if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    words += [word.value.value for word in call.keywords if word.arg == "mode" and isinstance(word.value, ast.Constant)]
    if name == "open":
        return any(len(word) <= 3 and MODES & set(word) for word in words)
    if name == "save":
        module = getattr(getattr(call.func, "value", None), "id", "")
        into_memory = isinstance(call.args[0], ast.Name) and call.args[0].id == "buffer" if call.args else False
        return module == "torch" or bool(words) and not into_memory
    return name in ("write_bytes", "write_text", "save_file", "replace_file")


def aside(node: ast.With) -> bool:
    opened = [inner for item in node.items for inner in ast.walk(item.context_expr) if isinstance(inner, ast.Call)]
    return any(getattr(call.func, "id", "") == "writing" for call in opened)


@every(module=sorted(SOURCES))
def test_the_core_writes_files_in_one_way(module):
    if module in ASIDE | {"nst_core.files", "app"} or room_of(module) == "ui":  # the page writes for itself alone
        return
    tree = ast.parse(SOURCES[module].read_text())
    within = [node for node in ast.walk(tree) if isinstance(node, ast.With) and aside(node)]
    safe = {id(inner) for node in within for inner in ast.walk(node)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    unsafe = [
        call.lineno
        for call in calls
        if writes(call) and id(call) not in safe and not OF_NEW_FILE & {ast.unparse(word) for word in ast.walk(call)}
    ]
    assert not unsafe, f"{module} writes without `writing` at lines {unsafe}"
    assert not [call for call in calls if ast.unparse(call.func) in ("os.replace", "os.rename", "shutil.move")]
