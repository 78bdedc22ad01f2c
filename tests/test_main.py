"""The command line as a whole: what is understood, and by which exit code it ends."""

import pytest

from nst_core import __main__ as command_line
from nst_core.__main__ import COMMANDS, main
from nst_core.errors import ConfigError, WeightsError
from nst_core.transfer.config import CHOICES
from nst_core.transfer.presets import PRESETS


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["paint"], ["stylize"], ["stylize", "content.png", "style.png"],
        ["stylize", "content.png", "style.png", "-o", "out.png", "--preset", "picasso"],
        ["stylize", "content.png", "style.png", "-o", "out.png", "--optimizer", "sgd"],
        ["stylize", "content.png", "style.png", "-o", "out.png", "--steps", "many"],
        ["weights", "--backbone", "alexnet"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_command_that_is_not_understood_exits_with_2(capsys, arguments):
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and "usage: " in err and "Traceback" not in err
    if "picasso" in arguments:
        assert all(name in err for name in PRESETS)
    if "sgd" in arguments:
        assert all(name in err for name in CHOICES["optimizer"])


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


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ConfigError("size is 3; give more"), 1, "error: size is 3; give more\n"),
        (WeightsError("no weights; fetch them"), 1, "error: no weights; fetch them\n"),
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
