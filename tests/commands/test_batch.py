"""`batch` on the command line: pairs and tables by either means, what it leaves out, and what it refuses."""

import csv
import json
import os
import signal

import pytest
import torch

from nst_core import images
from nst_core.__main__ import main
from nst_core.batch import on_cluster
from nst_core.instant.catalogue import open_styles
from nst_core.instant.network import PHOTO, TransformationNetwork
from nst_core.instant.styles import StyleFile, save_styles
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS
from nst_core.transfer.record import read_record
from nst_core.transfer.run import Run
from tests.machines import painted_by_one
from tests.runs import CPU

QUICK = ("--backbone", "lite", "--size", "32", "--steps", "2")


@pytest.fixture
def folder(tmp_path, narrow_weights, monkeypatch):
    """A folder of two pictures and one that is none, two style pictures, and a file of trained styles."""
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setenv("NST_PRECISION", "fp32")
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("photos/ant", "photos/bee", "ink", "oil")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        picture = torch.rand(1, 3, 40, 56, generator=torch.Generator().manual_seed(seed))
        images.save_png(picture, tmp_path / f"{name}.png")
    (tmp_path / "photos" / "notes.png").write_text("no picture")
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        save_styles(StyleFile(TransformationNetwork(["waves", "stars", PHOTO], 4)), tmp_path / "two.safetensors")
    return tmp_path


def batch(*words: str) -> int:
    return main(["batch", "-o", "out", *words])


def report() -> list[dict[str, str]]:
    with open("out/report.csv", newline="") as file:
        return list(csv.DictReader(file))


def painted() -> dict[tuple[str, str], str]:
    """(content, style) -> file."""
    return {(row["content"], row["style"]): f"out/{row['file']}" for row in report() if row["outcome"] == "painted"}


def error(capsys, *words: str) -> str:
    assert batch(*words) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("error: ")
    return last


def test_every_pair_is_painted_by_the_optimizer_and_what_is_no_picture_is_named(folder, capsys):
    words = ("photos", "--styles", "ink.png", "oil.png", *QUICK, "--preset", "gatys", "--alpha", "3")
    assert "2 of 6 could not be painted" in error(capsys, *words)
    assert len(painted()) == 4 and {row["content"] for row in report() if row["reason"]} == {"photos/notes.png"}
    record = read_record(painted()["photos/bee.png", "oil.png"])
    assert (record.steps, record.config.content_weight, record.config.style_loss) == (2, 3.0, "gram")
    before = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    assert batch(*words) == 1 and "painted 0, kept 4 that were there, failed 2" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (folder / "out").iterdir()} == before


def test_every_pair_is_painted_in_one_pass(folder, capsys):
    os.remove("photos/notes.png")
    words = ("--by", "instant", "--trained", "two.safetensors", "--strength", "0.5", "--size", "48", "--jpeg")
    assert batch("photos", "photos/ant.png", "--styles", "waves", "stars", *words) == 0
    assert "painted 4, kept 0 that were there, failed 0: out/report.csv" in capsys.readouterr().err
    painter = open_styles(folder / "two.safetensors").painter(CPU)
    expected = painter.paint(images.fit(images.load("photos/bee.png"), 48), {"stars": 1.0}, strength=0.5)
    found = images.load(painted()["photos/bee.png", "stars"])
    assert (found - expected).abs().mean() < 0.05 and images.is_jpeg(painted()["photos/bee.png", "stars"])


def test_a_table_says_of_each_row_how_it_is_painted(folder, capsys):
    rows = [
        {"steps": 1},
        {"preset": "luo", "style-layers": ["conv1_1"], "alpha": "5"},
    ]
    (folder / "lists").mkdir()
    beside = [{**row, "content": "../photos/ant.png", "style": "../ink.png"} for row in rows]
    (folder / "lists" / "list.json").write_text(json.dumps(beside))
    assert batch("--list", "lists/list.json", *QUICK) == 0
    first, second = (read_record(f"out/{row['file']}") for row in report())
    assert (first.config.steps, first.config.style_loss) == (1, PRESETS[DEFAULT_PRESET].config.style_loss)
    assert (second.config.style_layers, second.config.content_weight) == (("conv1_1",), 5.0)
    (folder / "list.csv").write_text("content,style,strength\nphotos/bee.png,waves,0\nphotos/bee.png,stars,\n")
    assert batch("--list", "list.csv", "--by", "instant", "--trained", "two.safetensors") == 0
    torch.testing.assert_close(images.load(painted()["photos/bee.png", "waves"]), images.load("photos/bee.png"))


def test_an_interrupt_keeps_whole_paintings_alone_and_the_rest_is_painted_next_time(folder, monkeypatch):
    step, sent = Run.__next__, []

    def interrupted(run):
        if not sent and len(painted()) == 1:  # in the middle of the second, whichever was first
            sent.append(os.kill(os.getpid(), signal.SIGTERM))
        return step(run)

    words = ("photos/ant.png", "photos/bee.png", "--styles", "ink.png", *QUICK)
    with monkeypatch.context() as patch:
        patch.setattr(Run, "__next__", interrupted)
        assert batch(*words) == 143
    assert len(painted()) == 1 and len(os.listdir("out")) == 2
    assert batch(*words) == 0 and len(painted()) == 2
    assert all(read_record(file).steps == 2 for file in painted().values())


REFUSED = {
    "nothing to paint": ("photos",),
    "leave out one": ("photos", "--styles", "ink.png", "--list", "list.csv"),
    "name a .csv or .json": ("--list", "ink.png"),
    "starts from content, style, noise or quick": ("photos", "--styles", "ink.png", "--init", "oil.png"),
    "say something to --by instant": ("photos", "--styles", "ink.png", "--strength", "1"),
    "says nothing to --by instant": ("photos", "--styles", "waves", "--by", "instant", "--alpha", "1"),
    "there is no style 'oil', nor a picture": ("photos", "--styles", "oil", "--by", "instant"),
    "strength is 2": ("photos", "--styles", "waves", "--by", "instant", "--strength", "2"),
    "there is no setting 'colour'; the columns are content, style, preset, ": ("--list", "list.csv"),
    "line 2: preset is 'oil'": ("--list", "preset.csv"),
    "would be overwritten": ("photos", "--styles", "ink.png", "-o", "taken"),
}


def test_what_makes_no_sense_is_refused_before_the_work(folder, capsys):
    (folder / "list.csv").write_text("content,style,colour\na,b,c\n")
    (folder / "preset.csv").write_text("content,style,preset\na,b,oil\n")
    (folder / "taken").mkdir()
    (folder / "taken" / "report.csv").write_text("my own")
    for words, options in REFUSED.items():
        assert words in error(capsys, *options), options
    assert not (folder / "out").exists() and os.listdir("taken") == ["report.csv"]


@pytest.mark.parametrize("means", [QUICK, ("--by", "instant", "--trained", "two.safetensors", "--size", "32")])
def test_on_a_cluster_the_folder_is_the_same(folder, monkeypatch, capsys, means):
    styles = ["ink.png", "oil.png"] if means is QUICK else ["waves"]
    made = []
    for cluster in ("", "there"):
        monkeypatch.setenv("NST_CLUSTER", cluster)
        monkeypatch.setattr(on_cluster, "_painted_by_ray", painted_by_one)
        assert batch("photos", "--styles", *styles, "-o", f"out{cluster}", *means) == 1
        files = sorted((folder / f"out{cluster}").iterdir())
        made.append([(file.name, file.suffix == ".png" and images.load(file).tolist()) for file in files])
        assert "1 of 3" in (err := capsys.readouterr().err) or "2 of 6" in err
    assert made[0] == made[1] and len(made[0]) > 2
    assert (folder / "out" / "report.csv").read_text() == (folder / "outthere" / "report.csv").read_text()
