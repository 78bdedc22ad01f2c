"""`train` on the command line: what it hands on, says, keeps and refuses."""

import argparse

import pytest
import torch

from nst_core import images
from nst_core.__main__ import main
from nst_core.commands import train as command
from nst_core.errors import ConfigError, ImageError, WeightsError
from nst_core.features.photographs import HELD_OUT
from nst_core.instant import trainer as core
from nst_core.instant.perceptual import TrainingRecipe
from nst_core.instant.styles import load_styles
from nst_core.instant.trainer import TrainingProgress
from tests.machines import Room

QUICK = ["--width", "4", "--steps", "4", "--batch", "2", "--crop", "64", "--style-size", "64"]


def picture(seed: int, height: int = 72, width: int = 80) -> torch.Tensor:
    return images.resize(torch.rand(1, 3, 9, 10, generator=torch.Generator().manual_seed(seed)), (height, width))


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    made = tmp_path_factory.mktemp("photographs")
    for number in range(HELD_OUT):
        images.save_png(picture(number), made / f"{number:02}.png")
    return made


@pytest.fixture
def folder(tmp_path, narrow_weights, monkeypatch):
    """A folder with styles and a broken one, random weights, and the CPU to train on."""
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setenv("NST_PRECISION", "fp32")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "styles").mkdir()
    for seed, name in enumerate(("waves", "stars")):
        images.save_png(picture(seed), tmp_path / "styles" / f"{name}.png")
    (tmp_path / "styles" / "broken.jpg").write_text("Dear reader")
    (tmp_path / "styles" / "notes.txt").write_text("Dear reader")
    return tmp_path


@pytest.fixture
def told(monkeypatch) -> list:
    """What the core would have been told."""
    told = []

    def train(*given):
        told.append(given)
        yield TrainingProgress(0, 2, {}, None, "reading the pictures")
        yield TrainingProgress(2, 2, {"content": 0.5, "style": 1.25}, picture(5), "training")
        yield TrainingProgress(2, 2, {}, None, "wrote it")

    monkeypatch.setattr(command, "train", train)
    return told


def train(
    *options: object, styles: str = "styles", images: object = "photographs", output: str = "s.safetensors"
) -> int:
    return main([str(word) for word in ("train", "--styles", styles, "--images", images, "-o", output, *options)])


def refused(capsys, *options: str, **names: object) -> str:
    """The one line on standard error with which the command is refused."""
    assert train(*options, **names) == 1
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert out == "" and line.startswith("error: ")
    return line


def test_training_writes_a_file_that_paints_in_the_styles_of_the_folder(folder, photographs, capsys):
    assert train(*QUICK, "--preview", "now.png", images=photographs) == 0
    assert main(["instant", "--list", "--styles", "s.safetensors"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["stars", "waves"]
    assert "4/4" in err and "VGG-19 Lite, CPU" in err and "style=" in err and "content=" in err
    assert "skipped: broken.jpg cannot be read" in err and "skipped: notes.txt cannot be read" in err
    assert "wrote s.safetensors" in err and "Traceback" not in err
    assert images.size_of(images.load("now.png")) == (72, 3 * 80)  # both styles and the photo
    assert {path.name for path in folder.iterdir()} == {"styles", "s.safetensors", "now.png"}


def test_machines_of_a_cluster_train_and_what_they_learned_is_written_here(folder, photographs, capsys, monkeypatch):
    room = Room(lambda call, method: call == 4)
    monkeypatch.setattr(command, "machines", lambda: room)
    assert train(*QUICK, "--preview", "now.png", images=photographs) == 0
    err = capsys.readouterr().err
    assert "4/4" in err and "was lost at step 0: another machine goes on from the start" in err and "style=" in err
    assert load_styles(folder / "s.safetensors").network.styles == ("stars", "waves", "photo")
    assert images.size_of(images.load("now.png")) == (72, 3 * 80) and room.chosen == room.left == 2


# Option -> (what is typed, the setting, its value).
OPTIONS = {
    "backbone": (["--backbone", "vgg16"], "backbone", "vgg16"),
    "steps": (["--steps", "7"], "steps", 7),
    "batch": (["--batch", "3"], "batch", 3),
    "crop": (["--crop", "128"], "crop", 128),
    "width": (["--width", "8"], "width", 8),
    "style size": (["--style-size", "500"], "style_size", 500),
    "content weight": (["--content-weight", "2.5"], "content_weight", 2.5),
    "style weight": (["--style-weight", "0"], "style_weight", 0.0),
    "tv": (["--tv", "1e-3"], "tv_weight", 1e-3),
    "seed": (["--seed", "9"], "seed", 9),
    "style factor": (
        ["--style-factor", "waves=0.5", "--style-factor", "stars=3"],
        "style_factors",
        (("waves", 0.5), ("stars", 3.0)),
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_sets_what_it_is_called_and_nothing_else(folder, told, name):
    typed, setting, value = OPTIONS[name]
    assert train(*typed) == 0
    ((style_images, photographs, output, recipe, compute),) = told
    assert recipe == TrainingRecipe(**{setting: value}) != TrainingRecipe()
    assert list(style_images) == ["stars", "waves"] and compute.device == "cpu"
    assert (str(photographs), str(output)) == ("photographs", "s.safetensors")


def test_every_setting_of_a_recipe_that_is_a_persons_has_its_option():
    ours = {"step_size", "photo_share", "faint_share", "shade_share"}
    assert {setting for _, setting, _ in OPTIONS.values()} == set(TrainingRecipe.__dataclass_fields__) - ours


def test_without_options_the_recipe_is_the_cores(folder, told):
    assert train() == 0
    assert told[0][3] == TrainingRecipe()


def test_pictures_can_be_named_one_by_one(folder, told):
    assert (
        main(["train", "--styles", "styles/waves.png", "styles/stars.png", "--images", "p", "-o", "s.safetensors"]) == 0
    )
    style_images = told[0][0]
    assert list(style_images) == ["waves", "stars"]
    torch.testing.assert_close(style_images["waves"], images.load("styles/waves.png"))


def test_what_the_core_says_and_the_losses_are_shown(folder, told, capsys):
    assert train() == 0
    lines = capsys.readouterr().err
    assert "reading the pictures" in lines and "wrote it" in lines
    assert "content=0.5" in lines and "style=1.25" in lines


def test_a_preview_that_cannot_be_written_does_not_end_a_training(folder, told, capsys, full_disk):
    assert train("--preview", "now.png") == 0
    err = capsys.readouterr().err
    assert "now.png could not be written" in err and "wrote it" in err


# What is refused


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--steps", "0"], "steps is 0; give a whole number from 1"),
        (["--crop", "8"], "crop is 8"),
        (["--style-weight", "-1"], "style_weight is -1.0"),
        (["--content-weight", "nan"], "content_weight is nan"),
        (["--tv", "inf"], "tv_weight is inf"),
        (["--seed", "-1"], "seed is -1"),
        (["--style-factor", "wave=2"], "no style 'wave' to give a factor; choose of stars, waves"),
        (["--preview", "now.jpg"], "preview is 'now.jpg'; name a .png file"),
        (["--preview", "nowhere/now.png"], "nowhere does not exist"),
    ],
)
def test_a_bad_value_is_refused_in_one_line(folder, told, capsys, options, words):
    assert words in refused(capsys, *options)
    assert not told


@pytest.mark.parametrize("text", ["waves", "waves=", "=2", "waves=0", "waves=-1", "waves=nan", "waves=inf", "waves=x"])
def test_a_factor_that_is_none_is_not_understood(folder, capsys, text):
    with pytest.raises(SystemExit):
        train("--style-factor", text)
    assert f"{text!r} is not NAME=NUMBER" in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_refused_before_a_picture_is_read(folder, told, capsys):
    assert "name a .safetensors file" in refused(capsys, output="s.pt", styles="gone")
    assert "does not exist" in refused(capsys, output="nowhere/s.safetensors", styles="gone")


def test_outputs_are_refused_by_name_before_a_folder_is_gone_through(folder, told, capsys, monkeypatch):
    gone_through = []
    monkeypatch.setattr(command, "pictures_below", lambda folder: gone_through.append(folder) or [])
    assert "name a .safetensors file" in refused(capsys, output="s.pt")
    assert "name a .png file" in refused(capsys, "--preview", "now.jpg")
    assert not gone_through


def test_style_pictures_of_no_use_are_refused(folder, told, capsys):
    assert "gone.png does not exist" in refused(capsys, styles="gone.png")
    assert "broken.jpg cannot be read" in refused(capsys, styles="styles/broken.jpg")
    (folder / "empty").mkdir()
    assert "empty has no usable style picture; put one there" in refused(capsys, styles="empty")
    (folder / "styles" / "broken.jpg").rename(folder / "empty" / "broken.jpg")
    assert "empty has no usable style picture (broken.jpg cannot be read" in refused(capsys, styles="empty")
    images.save_png(picture(3), folder / "styles" / "waves.jpg")
    assert "two style pictures are called 'waves'; rename" in refused(capsys)
    assert not told


def test_what_the_core_refuses_is_said_in_one_line(folder, capsys):
    assert train(images="nowhere") == 1
    assert "error: nowhere is not a folder" in capsys.readouterr().err.splitlines()[-1]


def test_weights_that_are_missing_are_fetched_first(folder, told, monkeypatch):
    fetched = []
    monkeypatch.setattr(command, "fetch", lambda backbone: fetched.append((backbone, bool(told))))
    assert train("--backbone", "vgg19") == 0
    assert fetched == [("vgg19", False)]


def test_decoders_are_trained_with_settings_that_are_theirs(folder, photographs, capsys):
    words = ["train", "--decoders", "--images", str(photographs), "-o", "d.safetensors", "--batch", "2", "--crop", "64"]
    assert main([*words, "--steps", "1", "--width", "4"]) == 1
    assert "--width says nothing about decoders; leave it out" in capsys.readouterr().err
    assert main([*words[:2], *words[4:], "--steps", "1"]) == 1
    assert "no photographs are named" in capsys.readouterr().err


# Ways to train


def way(**given: object):
    return command._way_of(argparse.Namespace(**given))


def test_each_way_wants_its_own_output():
    assert way(styles=["s"], output="o") is command.WAYS["--styles"].train
    assert way(add_style="a", to="t") is command.WAYS["--add-style"].train
    assert way(decoders=True, output="o") is command.WAYS["--decoders"].train


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "nothing is to be trained; give --styles PICTURE --output FILE or --add-style PICTURE --to FILE or --dec"),
        ({"decoders": True}, "--decoders is given without --output"),
        ({"decoders": True, "output": "o", "to": "t"}, "--to is given without --add-style; leave it out"),
        ({"decoders": True, "styles": ["s"], "output": "o"}, "--styles and --decoders is to be trained"),
        ({"styles": ["s"], "add_style": "a", "output": "o"}, "--styles and --add-style is to be trained"),
        ({"styles": ["s"]}, "--styles is given without --output"),
        ({"styles": ["s"], "to": "t"}, "--styles is given without --output"),
        ({"styles": ["s"], "output": "o", "to": "t"}, "--to is given without --add-style; leave it out"),
        ({"styles": ["s"], "output": "o", "again": True}, "--again is given without --add-style; leave it out"),
        ({"add_style": "a", "to": "t", "output": "o"}, "--output is given without --styles; leave it out"),
    ],
)
def test_ways_are_not_mixed(given, words):
    with pytest.raises(ConfigError, match=words):
        way(**given)


def test_without_styles_or_an_output_nothing_is_trained(folder, capsys):
    assert main(["train", "--images", "p"]) == 1
    assert "nothing is to be trained; give --styles PICTURE --output FILE or" in capsys.readouterr().err
    assert main(["train", "--images", "p", "--styles", "styles"]) == 1
    assert "--styles is given without --output" in capsys.readouterr().err
    assert main(["train", "--styles", "styles", "-o", "s.safetensors"]) == 1
    assert "no photographs are named to train with; name a folder" in capsys.readouterr().err


def add(*options: object, picture: str = "styles/waves.png", to: str = "s.safetensors") -> int:
    return main([str(word) for word in ("train", "--add-style", picture, "--to", to, *options)])


def test_a_style_is_added_to_the_file_that_is_named(folder, photographs, capsys):
    assert train(*QUICK, images=photographs) == 0
    images.save_png(picture(9), folder / "rain.png")
    few = (
        "--steps",
        3,
        "--batch",
        2,
        "--crop",
        64,
        "--style-size",
        64,
        "--images",
        photographs,
        "--preview",
        "now.png",
    )
    assert add(*few, "--preview", "now.png", picture="rain.png") == 0
    assert "wrote s.safetensors" in capsys.readouterr().err and (folder / "now.png").exists()
    assert load_styles(folder / "s.safetensors").network.styles == ("stars", "waves", "rain", "photo")
    assert add(*few, picture="rain.png") == 1
    assert "'rain'; give it a name that is not empty and not taken" in capsys.readouterr().err


def test_what_cannot_be_added_is_refused(folder, capsys):
    for wrong, words in (
        ({"to": "none.safetensors"}, "there is no file none.safetensors"),
        ({"to": "s.pt"}, "name a .safetensors file"),
        ({"picture": "styles"}, "styles holds 2 pictures; name one to be learned"),
        ({"picture": "styles/broken.jpg"}, "broken.jpg cannot be read"),
    ):
        assert add(**wrong) == 1
        assert words in capsys.readouterr().err


# Ending early


def test_an_interrupt_says_where_the_same_command_goes_on(folder, photographs, capsys, monkeypatch):
    monkeypatch.setattr(core, "CHECKPOINT_STEPS", 2)
    monkeypatch.setattr(core, "LEAST_PREVIEW_STEPS", 1)
    monkeypatch.setattr(core, "PREVIEW_STEPS", 1)
    plain = core.Trainer.update

    def interrupted(trainer, *given):
        if trainer.step == 3:
            raise KeyboardInterrupt
        return plain(trainer, *given)

    monkeypatch.setattr(core.Trainer, "update", interrupted)
    assert train(*QUICK, images=photographs) == 130
    err = capsys.readouterr().err
    assert "interrupted at step 3; the same command goes on from s.safetensors.partial" in err
    assert "Traceback" not in err
    monkeypatch.setattr(core.Trainer, "update", plain)
    assert train(*QUICK, images=photographs) == 0
    assert "going on from s.safetensors.partial" in capsys.readouterr().err


def test_an_interrupt_before_anything_is_kept_promises_nothing(folder, capsys, monkeypatch):
    def train_briefly(*_):
        yield TrainingProgress(0, 2, {}, None, "reading the pictures")
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "train", train_briefly)
    assert train() == 130
    assert "the same command begins anew, as nothing was kept yet" in capsys.readouterr().err


def test_a_training_that_ends_is_closed(folder, monkeypatch):
    closed = []

    def failing(*_):
        try:
            yield TrainingProgress(0, 2, {}, None, "reading the pictures")
            yield TrainingProgress(1, 2, {"style": 1.0}, picture(1), "training")
        finally:
            closed.append(True)

    monkeypatch.setattr(command, "train", failing)
    monkeypatch.setattr(command, "_show", lambda *_: (_ for _ in ()).throw(WeightsError("no")))
    assert train() == 1
    assert closed == [True]


def test_reading_styles_keeps_the_folders_order_by_name(folder):
    styles, skipped = command.read_styles([folder / "styles"])
    assert list(styles) == ["stars", "waves"] and len(skipped) == 2
    with pytest.raises(ImageError):
        command.read_styles([folder / "styles" / "broken.jpg"])
