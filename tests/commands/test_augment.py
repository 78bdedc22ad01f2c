"""`augment` on the command line: what it paints by which means, and what it refuses."""

import argparse
import csv

import pytest
import torch

from nst_core import images
from nst_core.commands import augment as command
from nst_core.commands.augment import add_options, run
from nst_core.errors import ConfigError, ImageError, NSTError
from nst_core.instant.catalogue import open_styles
from nst_core.instant.network import PHOTO, TransformationNetwork
from nst_core.instant.styles import StyleFile, save_styles
from nst_core.transfer.presets import PRESETS
from tests.runs import CPU, result


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A file of two styles that nobody has trained."""
    path = tmp_path_factory.mktemp("trained") / "two.safetensors"
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        save_styles(StyleFile(TransformationNetwork(["waves", "stars", PHOTO], 4)), path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two classes of a picture each and a style picture, on the CPU."""
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setenv("NST_PRECISION", "fp32")
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("photos/cat/a", "photos/dog/a", "ink", "oil")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        picture = torch.rand(1, 3, 40, 56, generator=torch.Generator().manual_seed(seed))
        images.save_png(picture, tmp_path / f"{name}.png")
    return tmp_path


@pytest.fixture
def augment(folder):
    def type_in(*words: str) -> None:
        parser = argparse.ArgumentParser()
        add_options(parser)
        run(parser.parse_args(["photos", "-o", "out", *words]))

    return type_in


@pytest.fixture
def instant(augment, trained):
    return lambda *words: augment("--styles", str(trained), *words)


def index():
    with open("out/labels.csv", newline="") as lines:
        return list(csv.DictReader(lines))


def painted(name):
    return images.load(f"out/{name}.png")


def close(name, expected):
    torch.testing.assert_close(painted(name), expected, atol=0.5 / 255 + 1e-3, rtol=0)


def test_in_one_pass_with_all_styles_at_half_and_full_strength(instant, trained, capsys):
    instant()
    painter = open_styles(trained).painter(CPU)
    image = images.load("photos/cat/a.png")
    for strength, text in {0.5: "0.5", 1.0: "1"}.items():
        close(f"cat/a-{text}", painter.paint(image, {painter.styles[0]: 1.0}, strength=strength))
    assert {row["label"] for row in index()} == {"cat", "dog"} and len(index()) == 4
    out, err = capsys.readouterr()
    assert out == "painted 4, kept 0 that were there: out/labels.csv\n" and "4/4" in err


def test_named_styles_strengths_and_size_are_used(instant, trained):
    instant("--style", "stars", "--strength", "0.3", "--size", "28")
    assert [(row["file"], row["style"]) for row in index()] == [("cat/a-0.3.png", "stars"), ("dog/a-0.3.png", "stars")]
    image = images.fit(images.load("photos/dog/a.png"), 28)
    close("dog/a-0.3", open_styles(trained).painter(CPU).paint(image, {"stars": 1.0}, strength=0.3))


def test_without_a_file_of_styles_it_paints_in_those_that_come_along(augment):
    augment("--strength", "1")
    assert index()[0]["style"] == next(iter(open_styles().styles))


def test_a_style_picture_is_painted_by_the_optimizer_with_what_is_set(augment, narrow_weights):
    words = ("--preset", "gatys", "--backbone", "lite", "--size", "32", "--steps", "2", "--seed", "5")
    augment("--style-image", "ink.png", "--strength", "1", *words)
    config = PRESETS["gatys"].config.on("lite").changed(size=32, steps=2, seed=5)
    close("cat/a-1", result((images.load("photos/cat/a.png"), images.load("ink.png")), config).clamp(0, 1))
    assert {row["style"] for row in index()} == {"ink"}


def test_what_is_there_is_kept(instant, capsys):
    instant("--strength", "0.5")
    capsys.readouterr()
    instant("--strength", "0.5", "1")
    assert capsys.readouterr().out.startswith("painted 2, kept 2 ")


def test_what_is_skipped_is_said_on_standard_error_once(instant, folder, capsys):
    (folder / "photos/bird").mkdir()
    (folder / "photos/cat/notes.txt").write_text("Dear reader")
    instant()
    out, err = capsys.readouterr()
    assert err.count("photos/bird has no pictures in it") == 1
    assert err.count("cat/notes.txt is skipped") == 1
    assert "Traceback" not in err and out.startswith("painted 4")


@pytest.mark.parametrize(
    "words, error, said",
    [
        (["--by", "optimizer"], ConfigError, "name one by --style-image"),
        (
            ["--by", "instant", "--style-image", "ink.png"],
            ConfigError,
            "--style-image says nothing to painting by inst",
        ),
        (["--steps", "5"], ConfigError, "--steps says nothing"),
        (["--seed", "0"], ConfigError, "--seed says nothing"),
        (["--style-image", "ink.png", "--style", "waves"], ConfigError, "--style says nothing to painting by optim"),
        (["--style", "suns"], ConfigError, "no style 'suns'"),
        (["--strength", "1.5"], ConfigError, "strength is 1.5; give a number from 0 to 1"),
        (["--style-image", "absent.png"], ImageError, "absent.png does not exist"),
        (["--style-image", "ink.png", "./ink.png"], ConfigError, "one name"),
        (["-o", "photos/out"], ConfigError, "inside of photos"),
        (["--style-image", "ink.png", "--size", "5"], NSTError, "size"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_painted(augment, folder, narrow_weights, words, error, said):
    with pytest.raises(error, match=said):
        augment(*words)
    assert not (folder / "out").exists()


def test_every_means_of_painting_can_be_chosen():
    parser = argparse.ArgumentParser()
    add_options(parser)
    for name in command.BRUSHES:
        assert parser.parse_args(["in", "-o", "out", "--by", name]).by == name
