"""`compress` on the command line."""

from pathlib import Path

import pytest

from nst_core.__main__ import main
from nst_core.commands import compress as command
from nst_core.features.distill import CompressionProgress


def test_compress_hands_on_what_it_is_told(narrow_weights, monkeypatch, tmp_path, capsys):
    told = []

    def compress(teacher, images, output, recipe, compute):
        told.append((teacher.backbone, images, output, recipe.steps, recipe.seed))
        yield CompressionProgress(3, 3, {"conv1_1": 0.004}, "fine-tuning")

    monkeypatch.setattr(command, "compress", compress)
    arguments = ["compress", "--images", str(tmp_path), "-o", "lite.safetensors", "--steps", "3", "--seed", "7"]
    assert main(arguments) == 0
    assert told == [("vgg19", tmp_path, Path("lite.safetensors"), 3, 7)]
    assert "step 3: fine-tuning conv1_1 0.0040" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--images", "nowhere", "-o", "x.safetensors"], "nowhere is not a folder"),
        (["--images", ".", "-o", "x.pt"], "name a .safetensors file"),
        (["--images", ".", "-o", "x.safetensors", "--steps", "-1"], "steps is -1"),
    ],
)
def test_compress_refuses_in_one_line_what_cannot_work(narrow_weights, tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert main(["compress", *arguments]) == 1
    assert words in capsys.readouterr().err


def test_a_name_that_cannot_be_written_is_refused_before_a_photograph_is_looked_at(
    narrow_weights, monkeypatch, tmp_path
):
    looked_at = []

    def pictures_below(folder):
        looked_at.append(folder)
        yield folder / "photo.jpg"

    monkeypatch.setattr(command, "pictures_below", pictures_below)
    for name in ("x.pt", "nowhere/x.safetensors"):
        assert main(["compress", "--images", str(tmp_path), "-o", str(tmp_path / name)]) == 1
    assert not looked_at
