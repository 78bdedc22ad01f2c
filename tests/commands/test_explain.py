"""`explain` on the command line: what it writes, what it refuses, what it keeps when it ends early."""

import json

import pytest
import torch
from PIL import Image

from nst_core import images
from nst_core.__main__ import main
from nst_core.analysis.figures import begin
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.painting import side_by_side
from nst_core.analysis.poster import save
from nst_core.analysis.poster.save import INDEX, read_poster
from nst_core.commands import explain as command
from nst_core.features import weights
from nst_core.transfer.record import read_record
from tests.machines import Room

PICTURES = {
    "content": ["--content", "content.png"],
    "style": ["--style", "style.png"],
    "cutout": ["--cutout", "cut.png"],
}
QUICK = {
    "position": ["size=32", "maps=2"],
    "content": ["layers=conv1_2", "size=32", "steps=2"],
    "style": ["sets=A", "size=32", "steps=2"],
    "grid": ["sets=A", "ratios=1e-3,0.01", "size=32", "steps=2"],
    "step": ["size=32", "steps=2"],
    "start": ["starts=content", "size=32", "steps=2"],
    "jump": ["size=32", "steps=2"],
    "gram": ["layer=conv1_1", "maps=2", "pairs=1", "size=32", "steps=2"],
    "sheet": ["size=32", "steps=2", "preset=lab"],
    "compose": ["size=32", "steps=2", "preset=lab", "scale=0.5"],
    "formula": ["size=32", "steps=2", "preset=lab"],
}


@pytest.fixture
def folder(tmp_path, random_weights, pictures, quick_png, monkeypatch):
    """A folder with a content, a style and a cut-out, random weights, and the CPU to paint on."""
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setenv("NST_PRECISION", "fp32")
    monkeypatch.chdir(tmp_path)
    for name, picture in zip(("content", "style"), pictures, strict=True):
        images.save_png(picture, tmp_path / f"{name}.png")
    cutout = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    cutout.paste((200, 30, 30, 255), (5, 5, 35, 35))
    cutout.save(tmp_path / "cut.png")
    return tmp_path


def explain(figure: str, *options: str, to: tuple[str, ...] = ("-o", "out.png")) -> int:
    named = [word for kind in FIGURES[figure].pictures for word in PICTURES[kind.removesuffix("s")]]
    quick = [word for text in QUICK[figure] for word in ("--set", text)]
    return main(["explain", figure, *named, *quick, *to, *options])


def refused(capsys, *words: str) -> str:
    """The line on standard error with which a command is refused; nothing is written."""
    assert main(["explain", *words]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "Traceback" not in err
    *_, line = err.splitlines()
    assert line.startswith("error: ")
    return line


def test_machines_of_a_cluster_make_the_same_figure(folder, capsys, monkeypatch):
    assert explain("content", to=("--parts", "here")) == 0
    room = Room()
    monkeypatch.setattr(begin, "machines", lambda: room)
    assert explain("content", to=("--parts", "there")) == 0
    here, there = ({path.name: path for path in (folder / name).glob("*.png")} for name in ("here", "there"))
    assert here and here.keys() == there.keys() and room.chosen == room.left == 1
    assert all(torch.equal(images.load(here[name]), images.load(there[name])) for name in here)
    assert "Traceback" not in capsys.readouterr().err


# Making figures


@pytest.mark.parametrize("name", QUICK)
def test_every_figure_is_a_page_and_a_folder(folder, name, capsys, monkeypatch):
    monkeypatch.setattr(save, "PRINT_WIDTH", 1240)
    assert explain(name, "--parts", "parts") == 0
    figure = FIGURES[name]
    with Image.open("out.png") as page:
        assert page.width == save.PRINT_WIDTH
    told, settings = read_poster("out.png")
    assert told == name and figure.settings(settings) == settings
    values = json.loads((folder / "parts" / INDEX).read_text(encoding="utf-8"))
    assert values["settings"] == json.loads(json.dumps(settings)) and values["parts"]
    assert all((folder / "parts" / part["file"]).is_file() for part in values["parts"])
    painted = [part for part in values["parts"] if part["record"]]
    assert (painted or name in ("step", "position")) and all(
        read_record(folder / "parts" / part["file"]).steps == 2 for part in painted
    )
    out, err = capsys.readouterr()
    assert out.splitlines() == values["findings"] and "100%" in err


def test_all_figures_but_the_classifiers_are_held_here():
    assert {*QUICK, "classify"} == {*FIGURES}


def test_the_classifier_is_asked_for_in_plain_words(folder, capsys):
    assert "548 MB" in refused(capsys, "classify", "--content", "content.png", "--style", "style.png", "-o", "out.png")
    assert not (folder / "out.png").exists()


def test_a_folder_needs_no_page_and_a_page_no_folder(folder):
    before = set(folder.iterdir())
    assert explain("content", to=("--parts", "new/parts")) == 0
    assert set(folder.iterdir()) - before == {folder / "new"} and (folder / "new" / "parts" / INDEX).is_file()
    assert explain("content") == 0
    assert set(folder.iterdir()) - before == {folder / "new", folder / "out.png"}


def test_settings_are_those_that_are_named(folder):
    assert explain("grid", "--set", "ratios=0.5, 2", "--set", "seed = 7") == 0
    settings = read_poster("out.png")[1]
    assert (settings["ratios"], settings["seed"], settings["start"]) == ((0.5, 2.0), 7, "noise")


def test_without_pictures_the_examples_are_shown_and_named(folder, capsys):
    assert main(["explain", "sheet", "--set", "size=32", "--set", "steps=1", "--parts", "parts"]) == 0
    err = capsys.readouterr().err
    values = json.loads((folder / "parts" / INDEX).read_text(encoding="utf-8"))
    for kind in ("content", "style"):
        for name in command.EXAMPLES[kind]:
            file = command.ASSETS / name
            assert file.name in err
            assert any(part["label"] == f"{kind}: {file.stem}" for part in values["parts"])


def test_every_example_came_along():
    for names in command.EXAMPLES.values():
        assert all((command.ASSETS / name).is_file() for name in names)


def test_the_list_names_every_figure_and_setting_with_its_default(capsys):
    assert main(["explain", "--list"]) == 0
    out = capsys.readouterr().out
    for figure in FIGURES.values():
        assert f"{figure.name}: {figure.title}" in out
        for option in figure.options:
            (line,) = [line for line in _listed(out, figure.name) if line.strip().startswith(f"{option.name}=")]
            value = line.split("=", 1)[1].split("    ")[0]
            assert option.parse(value) == option.parse(option.default)
            assert all(choice in line for choice in option.choices)
    assert main(["explain", "gram", "--list"]) == 0
    assert len(_listed(capsys.readouterr().out, "gram")) == len(FIGURES["gram"].options)


def _listed(out: str, name: str) -> list[str]:
    """The lines of a figure's settings."""
    lines = out.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(f"{name}:"))
    found = []
    for line in lines[begin + 1 :]:
        if not line.startswith(" "):
            break
        found.append(line)
    return found


def test_missing_weights_are_fetched(folder, monkeypatch):
    fetched = []
    monkeypatch.setattr(command, "fetch", fetched.append)
    assert explain("content", "--set", "backbone=vgg16") == 0
    assert fetched == ["vgg16"]


# What is refused


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["content", "--set", "colour=red", "-o", "out.png"], ["'colour'", "layers", "steps"]),
        (["content", "--set", "steps=many", "-o", "out.png"], ["Steps is 'many'", "a whole number"]),
        (["content", "--set", "steps", "-o", "out.png"], ["'steps'", "NAME=VALUE"]),
        (["content", "--set", "layers=conv9_9", "-o", "out.png"], ["conv9_9"]),
        (["content", "--set", "layers=conv5_4", "-o", "out.png"], ["conv5_4", "Lite"]),
        (["grid", "--set", "ratios=0", "-o", "out.png"], ["Ratios"]),
        (["content"], ["-o OUT.png", "--parts"]),
        ([], ["content", "formula", "--list"]),
        (["content", "-o", "out.jpg"], ["out.jpg", ".png"]),
        (["content", "-o", "nowhere/out.png"], ["nowhere"]),
        (["content", "-o", "folder.png"], ["folder.png is a folder"]),
        (
            ["content", "--content", "content.png", "-o", "content.png"],
            ["content.png is painted from", "write elsewhere"],
        ),
        (["content", "--parts", "content.png"], ["content.png", "write elsewhere"]),
        (["content", "--parts", "content.png/deeper"], ["write elsewhere"]),
        (["content", "--style", "style.png", "-o", "out.png"], ["no style"]),
        (["grid", "--content", "content.png", "style.png", "-o", "out.png"], ["one content", "2"]),
        (["grid", "--cutout", "cut.png", "-o", "out.png"], ["no cutout"]),
        (["compose", "--cutout", "content.png", "-o", "out.png"], ["content.png has no transparent parts"]),
        (["content", "--content", "gone.png", "-o", "out.png"], ["gone.png does not exist"]),
        (["content", "--set", "size=4", "-o", "out.png"], ["Size", "16"]),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else None,
)
def test_what_is_wrong_is_said_in_one_line_before_anything_is_written(folder, capsys, words, said):
    (folder / "folder.png").mkdir()
    before = set(folder.rglob("*"))
    line = refused(capsys, *words)
    assert all(word in line for word in said), line
    assert set(folder.rglob("*")) == before


def test_weights_that_are_nowhere_are_refused(folder, capsys, monkeypatch):
    monkeypatch.setenv("NST_WEIGHTS", str(folder / "nowhere"))
    assert "nowhere" in refused(capsys, "content", "--content", "content.png", "-o", "out.png")


def test_a_disk_that_takes_no_more_is_said_in_one_line(folder, capsys, full_disk):
    assert explain("content", to=("--parts", "parts")) == 1
    err = capsys.readouterr().err
    assert "Traceback" not in err and "the disk is full; make room" in err.splitlines()[-1]


# Ending early


def interrupted(monkeypatch, after: int, error: BaseException) -> None:
    """Figures of paintings end after some moments."""
    plain = side_by_side.paint_cells

    def cut_off(*given, **named):
        growing = plain(*given, **named)

        def grown():
            for number, growths in enumerate(growing, 1):
                yield growths
                if number == after:
                    growing.close()
                    raise error

        return grown()

    monkeypatch.setattr(side_by_side, "paint_cells", cut_off)
    monkeypatch.setattr(side_by_side, "MOMENT_SECONDS", 0)


def test_an_interrupt_keeps_what_is_made_by_then(folder, capsys, monkeypatch):
    interrupted(monkeypatch, 2, KeyboardInterrupt())
    assert explain("content", "--set", "steps=50", "--parts", "parts") == 130
    values = json.loads((folder / "parts" / INDEX).read_text(encoding="utf-8"))
    assert {part["done"] for part in values["parts"]} == {True, False}
    assert read_poster("out.png")[1]["steps"] == 50
    assert "Traceback" not in capsys.readouterr().err


def test_an_interrupt_before_the_first_moment_writes_nothing(folder, monkeypatch):
    monkeypatch.setattr(weights, "require", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    before = set(folder.iterdir())
    assert explain("content", "--parts", "parts") == 130
    assert set(folder.iterdir()) == before
