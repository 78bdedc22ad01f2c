"""The command line as a whole: what is understood, and by which exit code it ends."""

import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time

import pytest
import torch

from nst_core import __main__ as command_line
from nst_core import images
from nst_core.__main__ import COMMANDS, main
from nst_core.commands import stylize
from nst_core.errors import ConfigError, OutputError, WeightsError
from nst_core.transfer.config import SETTINGS
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import read_record
from nst_core.transfer.run import Run
from tests.test_structure import ROOT


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["paint"],
        ["stylize"],
        ["stylize", "content.png", "style.png"],
        ["stylize", "content.png", "style.png", "-o", "out.png", "--preset", "picasso"],
        ["stylize", "content.png", "style.png", "-o", "out.png", "--optimizer", "sgd"],
        ["stylize", "content.png", "style.png", "-o", "out.png", "--steps", "many"],
        ["weights", "--backbone", "alexnet"],
    ],
    ids=" ".join,
)
def test_a_command_that_is_not_understood_exits_with_2(capsys, arguments):
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and "usage: " in err and "Traceback" not in err
    if "picasso" in arguments:
        assert all(name in err for name in PRESETS)
    if "sgd" in arguments:
        assert all(name in err for name in SETTINGS["optimizer"].choices)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_is_for(name, capsys):
    with pytest.raises(SystemExit) as raised:
        main(["--help"])
    assert raised.value.code == 0
    assert f" {name} {COMMANDS[name].HELP} " in " ".join(capsys.readouterr().out.split()) + " "
    with pytest.raises(SystemExit) as raised:
        main([name, "--help"])
    assert raised.value.code == 0
    assert f"usage: python -m nst_core {name}" in capsys.readouterr().out


NO_MEMORY = "this takes more memory than there is; choose a smaller size, or close other programs"


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ConfigError("size is 3; give more"), 1, "error: size is 3; give more\n"),
        (WeightsError("no weights; fetch them"), 1, "error: no weights; fetch them\n"),
        (OutputError("a.png: full; make room"), 1, "error: a.png: full; make room\n"),
        (MemoryError(), 1, f"error: {NO_MEMORY}\n"),
        (torch.OutOfMemoryError("CUDA"), 1, f"error: {NO_MEMORY}\n"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), 1, f"error: {NO_MEMORY}\n"),
        (KeyboardInterrupt(), 130, ""),
        (None, 0, ""),
    ],
)
def test_how_a_command_ends_is_the_exit_code(monkeypatch, capsys, error, code, words):
    def run(options):
        if error:
            raise error

    monkeypatch.setattr(command_line.presets, "run", run)
    assert main(["presets"]) == code
    assert capsys.readouterr() == ("", words)


def test_a_mistake_of_ours_is_not_hidden(monkeypatch):
    monkeypatch.setattr(command_line.presets, "run", lambda options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["presets"])


# Signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_signal_ends_every_command_by_its_own_exit_code(monkeypatch, capsys, name, number, code):
    before, kept = signal.getsignal(number), []

    def run(options):
        try:
            os.kill(os.getpid(), number)
            time.sleep(10)
        except KeyboardInterrupt:  # as what is painted is kept at Ctrl-C
            kept.append(name)
            raise

    monkeypatch.setattr(COMMANDS[name], "run", run)
    monkeypatch.setattr(command_line, "keep_freed_memory", lambda: None)
    needed = {
        "stylize": ["a", "b", "-o", "c.png"],
        "augment": ["a", "-o", "b"],
        "batch": ["a", "-o", "b"],
        "compress": ["--images", "a", "-o", "b"],
    }
    assert main([name, *needed.get(name, [])]) == code
    assert kept == [name] and capsys.readouterr() == ("", "")
    assert signal.getsignal(number) == before


WORDS = "stylize content.png style.png -o out.png --timelapse out.webp --json --backbone lite --size 32 --steps 10000"


def pictures_in(folder) -> None:
    for seed, name in enumerate(("content", "style")):
        picture = torch.rand(1, 3, 40, 56, generator=torch.Generator().manual_seed(seed))
        images.save_png(picture, folder / f"{name}.png")


def until_it_paints(descriptor: int) -> None:
    """Read until the first progress."""
    text = b""
    while not re.search(rb" [1-9]\d*/10000", text):
        read = os.read(descriptor, 4096)
        assert read, text.decode()
        text += read


def assert_kept(folder) -> None:
    record = read_record(folder / "out.png")
    assert record.stopped and 1 <= record.steps < 10_000
    assert images.size_of(images.load(folder / "out.png")) == (23, 32)
    assert images.load(folder / "out.webp") is not None
    assert {path.name for path in folder.iterdir()} == {"content.png", "style.png", "out.png", "out.webp"}


def test_a_polite_kill_keeps_the_painting_with_its_record(tmp_path, monkeypatch, capsys):
    step, save, sent = Run.__next__, stylize.save_result, []

    def kill(when: str) -> None:
        sent.append(when)
        os.kill(os.getpid(), signal.SIGTERM)

    def painting(run):
        frame = step(run)
        if frame.step == 3 and not sent:
            kill("paints")
        return frame

    def saving(*given, **named):
        kill("saves")  # in a hurry
        return save(*given, **named)

    pictures_in(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setattr(command_line, "keep_freed_memory", lambda: None)
    monkeypatch.setattr(Run, "__next__", painting)
    monkeypatch.setattr(stylize, "save_result", saving)
    assert main(WORDS.split()) == 143 and sent == ["paints", "saves"]
    assert "Traceback" not in capsys.readouterr().err
    assert_kept(tmp_path)


def test_a_terminal_that_closes_keeps_the_painting_with_its_record(tmp_path):
    ours, its_own = pty.openpty()
    termios.tcsetwinsize(ours, (24, 80))  # without, there is no room for a progress bar

    def take_terminal():
        fcntl.ioctl(its_own, termios.TIOCSCTTY, 0)

    pictures_in(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-m", "nst_core", *WORDS.split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NST_DEVICE": "cpu", "OMP_NUM_THREADS": "1"},
        start_new_session=True,
        preexec_fn=take_terminal,
        pass_fds=[its_own],
        **dict.fromkeys(("stdin", "stdout", "stderr"), its_own),
    ) as process:
        os.close(its_own)
        until_it_paints(ours)
        os.close(ours)
        assert process.wait(timeout=60) == 129
    assert_kept(tmp_path)
