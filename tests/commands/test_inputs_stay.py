"""No command writes over anything that it reads, by whatever name or link, and each says so before it works."""

import shutil
from pathlib import Path

import pytest
import torch

from nst_core import images
from nst_core.__main__ import main
from nst_core.features import weights
from nst_core.instant.network import PHOTO, TransformationNetwork
from nst_core.instant.styles import StyleFile, save_styles

PICTURES = ("content.png", "style.png", "other.png", "photos/one.png", "photos/inner/two.png", "styles/waves.png")
STYLIZE = ["stylize", "content.png", "style.png", "--steps", "1", "-o", "OUT"]
TRAIN = ["train", "--styles", "styles", "other.png", "--images", "photos", "-o"]
COMPRESS = ["compress", "--images", "photos", "-o", "OUT"]
EXPLAIN = ["explain", "compose", "--content", "content.png", "--style", "style.png", "--cutout", "other.png"]

# What is typed, with OUT for where it goes -> the files that OUT must not be, and its ending.
CASES = {
    "stylize": (STYLIZE, ["content.png", "style.png"], ".png"),
    "stylize, more": ([*STYLIZE, "--more-styles", "other.png"], ["other.png"], ".png"),
    "stylize, mask": ([*STYLIZE, "--mask", "other.png"], ["other.png"], ".png"),
    "stylize, start": ([*STYLIZE, "--init", "other.png"], ["other.png"], ".png"),
    "time-lapse": ([*STYLIZE[:-1], "new.png", "--timelapse", "OUT"], ["content.png", "style.png"], ".webp"),
    "instant": (
        ["instant", "content.png", "--style", "waves", "--styles", "s.safetensors", "-o", "OUT"],
        ["content.png", "s.safetensors"],
        ".png",
    ),
    "explain": ([*EXPLAIN, "-o", "OUT"], ["content.png", "style.png", "other.png"], ".png"),
    "train": ([*TRAIN, "OUT"], [*PICTURES[2:], "vgg19.safetensors"], ".safetensors"),
    "preview": ([*TRAIN, "n.safetensors", "--preview", "OUT"], PICTURES[2:], ".png"),
    "add a style": (
        ["train", "--add-style", "style.png", "--to", "s.safetensors", "--preview", "OUT"],
        ["style.png", "s.safetensors"],
        ".png",
    ),
    "compress": (COMPRESS, ["photos/one.png", "photos/inner/two.png", "vgg19.safetensors"], ".safetensors"),
}
GIVEN = [(name, source) for name, (_, sources, _) in CASES.items() for source in sources]


@pytest.fixture(scope="module")
def styles(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("styles") / "s.safetensors"
    save_styles(StyleFile(TransformationNetwork(["waves", PHOTO], 4)), path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch, styles, random_weights_folder):
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(PICTURES):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        images.save_png(torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(seed)), name)
    shutil.copy(styles, tmp_path)
    Path("vgg19.safetensors").hardlink_to(random_weights_folder / weights._file_name("vgg19"))
    monkeypatch.setenv("NST_WEIGHTS", str(tmp_path / "vgg19.safetensors"))
    monkeypatch.setenv("NST_DEVICE", "cpu")
    return tmp_path


def ways(folder: Path, source: str, ending: str) -> list[str]:
    """Names of an ending by which a file is meant."""
    (folder / f"soft{ending}").symlink_to(source)
    (folder / f"hard{ending}").hardlink_to(folder / source)
    (folder / "round").symlink_to(folder)
    found = [f"soft{ending}", f"./soft{ending}", f"hard{ending}", f"round/hard{ending}"]
    return found + [source, f"./{source}", f"round/{source}", str(folder / source)] * source.endswith(ending)


def sums(path: Path) -> tuple[int, bytes]:
    """A file's length and beginning."""
    with path.open("rb") as file:
        return path.stat().st_size, file.read(4096)


@pytest.mark.parametrize(("name", "source"), GIVEN)
def test_nothing_that_is_read_is_written_over(folder, capsys, name, source):
    typed, _, ending = CASES[name]
    if typed[0] in ("train", "compress") and "--add-style" not in typed:
        typed = [*typed, "--backbone" if typed[0] == "train" else "--teacher", "vgg19"]
    before = sums(folder / source)
    for output in ways(folder, source, ending):
        assert main([output if word == "OUT" else word for word in typed]) == 1, output
        out, err = capsys.readouterr()
        line = err.splitlines()[-1]
        assert "would be overwritten; write elsewhere" in line or "are one file" in line, (output, line)
        assert out == "" and "Traceback" not in err
        assert sums(folder / source) == before and (folder / f"soft{ending}").is_symlink()


@pytest.mark.parametrize("source", ["content.png", "style.png", "other.png"])
@pytest.mark.parametrize("part", ["1-1-photo.png", "chart-loss.csv", "figure.json"])
def test_parts_of_a_figure_go_over_nothing_that_is_read(folder, capsys, source, part):
    Path("parts").mkdir()
    for link in (Path.symlink_to, Path.hardlink_to):
        link(Path("parts") / part, folder / source)
        assert main([*EXPLAIN, "--parts", "parts"]) == 1
        assert f"parts/{part} is painted from" in capsys.readouterr().err.splitlines()[-1]
        (Path("parts") / part).unlink()


def test_a_page_and_the_parts_of_a_figure_do_not_go_over_each_other(folder, capsys):
    Path("parts").mkdir()
    Path("page.png").symlink_to("parts/1-1-photo.png")
    for output in ("parts/1-1-photo.png", "page.png"):
        assert main([*EXPLAIN, "--parts", "parts", "-o", output]) == 1
        assert "could be the name of a part, too" in capsys.readouterr().err


def test_two_outputs_of_one_command_are_two_files(folder, capsys):
    Path("run.webp").symlink_to("new.png")
    assert main([*STYLIZE[:-1], "new.png", "--timelapse", "run.webp"]) == 1
    assert "new.png and run.webp are one file" in capsys.readouterr().err
    assert not Path("new.png").exists()


LONG = "x" * 300


@pytest.mark.parametrize(
    "typed",
    [
        ["stylize", LONG, "style.png", "-o", "new.png"],
        ["stylize", "content.png", "style.png", "-o", f"{LONG}.png"],
        ["instant", LONG, "--style", "waves", "-o", "new.png"],
        ["instant", "content.png", "--style", "waves", "-o", f"{LONG}.png"],
        ["instant", "content.png", "--style", "waves", "-o", LONG],
        ["explain", "start", "--content", LONG, "-o", "new.png"],
        ["explain", "start", "-o", f"{LONG}.png"],
        ["explain", "start", "--parts", LONG],
        ["augment", LONG, "-o", "out"],
        ["augment", "styles", "-o", LONG],
        ["train", "--styles", LONG, "--images", "photos", "-o", "n.safetensors"],
        ["train", "--styles", "styles", "--images", LONG, "-o", "n.safetensors"],
        ["train", "--styles", "styles", "--images", "photos", "-o", f"{LONG}.safetensors"],
        ["compress", "--images", LONG, "-o", "n.safetensors"],
        ["compress", "--images", "photos", "-o", LONG],
    ],
    ids=lambda typed: " ".join(typed).replace(LONG, "LONG"),
)
def test_a_name_longer_than_any_file_has_is_one_sentence(folder, capsys, typed):
    assert main(typed) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ") and "Traceback" not in line, line
