"""Training a network that paints in one pass: on random networks and few pictures, what training promises."""

import pytest
import torch

from nst_core import images
from nst_core.devices import Compute
from nst_core.errors import ConfigError, ImageError, OutputError, WeightsError
from nst_core.features.photographs import HELD_OUT
from nst_core.instant import trainer as module
from nst_core.instant.network import PHOTO
from nst_core.instant.perceptual import TrainingRecipe
from nst_core.instant.styles import load_styles
from nst_core.instant.train import train
from nst_core.instant.trainer import Trainer
from nst_core.transfer.steering import Steering
from tests.stand_ins import DEVICES

QUICK = {"width": 4, "steps": 6, "batch": 2, "crop": 64, "style_size": 64}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photographs, of which one is broken."""
    made = tmp_path_factory.mktemp("photographs")
    for number in range(HELD_OUT + 4):
        image = torch.rand(1, 3, 9, 10, generator=torch.Generator().manual_seed(number))
        images.save_png(images.resize(image, (72, 80)), made / f"{number:02}.png")
    (made / "broken.jpg").write_text("Dear reader")
    return made


@pytest.fixture
def styles():
    generator = torch.Generator().manual_seed(3)
    return {name: torch.rand(1, 3, 70, 64, generator=generator) for name in ("waves", "stars")}


def compute(device: str = "cpu", precision: str = "fp32") -> Compute:
    return Compute(device=device, precision=precision)


@pytest.fixture(autouse=True)
def often(small_thumbnails, monkeypatch):
    monkeypatch.setattr(module, "CHECKPOINT_STEPS", 2)
    monkeypatch.setattr(module, "PREVIEW_STEPS", 1)
    monkeypatch.setattr(module, "LEAST_PREVIEW_STEPS", 1)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_writes_a_network_of_all_styles_and_says_how_it_goes(
    narrow_weights, folder, styles, tmp_path, device, precision
):
    output = tmp_path / "styles.safetensors"
    told = list(train(styles, folder, output, TrainingRecipe(**QUICK), compute(device, precision)))
    assert any("skipped broken.jpg" in progress.text for progress in told)
    shown = [progress for progress in told if progress.preview is not None]
    assert [progress.step for progress in shown] == [3, 6]
    assert set(shown[0].losses) == {"content", "style", "total variation", "photo", "saturation"}
    assert all(loss == loss and loss < float("inf") for progress in shown for loss in progress.losses.values())
    assert shown[0].preview.shape[3] == 3 * 80  # each style and the photo
    network = load_styles(output).network
    assert network.styles == ("waves", "stars", PHOTO)
    assert not output.with_name(output.name + ".partial").exists()


def test_training_lowers_its_loss(narrow_weights, folder, styles, tmp_path):
    recipe = TrainingRecipe(**{**QUICK, "steps": 20, "step_size": 5e-3})
    told = [
        progress for progress in train(styles, folder, tmp_path / "a.safetensors", recipe, compute()) if progress.losses
    ]
    first, last = (sum(sum(p.losses.values()) for p in part) for part in (told[:4], told[-4:]))
    assert last < 0.8 * first


def test_a_training_that_was_interrupted_comes_to_the_same_network(narrow_weights, folder, styles, tmp_path):
    whole, pieces = tmp_path / "whole.safetensors", tmp_path / "pieces.safetensors"
    list(train(styles, folder, whole, TrainingRecipe(**QUICK), compute()))
    for progress in train(styles, folder, pieces, TrainingRecipe(**QUICK), compute()):
        if progress.step == 3:  # the last checkpoint is of step 2
            break
    told = [progress.text for progress in train(styles, folder, pieces, TrainingRecipe(**QUICK), compute())]
    assert any("going on from" in text for text in told)
    one, other = (load_styles(path).network.state_dict() for path in (whole, pieces))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("change", ["recipe", "style", "file"])
def test_going_on_with_another_training_is_refused(narrow_weights, folder, styles, tmp_path, change):
    output = tmp_path / "styles.safetensors"
    for progress in train(styles, folder, output, TrainingRecipe(**QUICK), compute()):
        if progress.step == 3:
            break
    partial = output.with_name(output.name + ".partial")
    assert partial.is_file()
    recipe = TrainingRecipe(**{**QUICK, "style_weight": 3.0} if change == "recipe" else QUICK)
    if change == "style":
        styles["waves"] = styles["waves"].flip(3)
    if change == "file":
        partial.write_bytes(b"damaged")
    with pytest.raises(WeightsError, match="delete it to begin anew"):
        list(train(styles, folder, output, recipe, compute()))


def test_what_cannot_be_trained_is_refused_before_it_begins(narrow_weights, folder, styles, tmp_path):
    with pytest.raises(OutputError, match="name a .safetensors file"):
        list(train(styles, folder, tmp_path / "styles.pt", TrainingRecipe(**QUICK), compute()))
    output = tmp_path / "styles.safetensors"
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="at least 20 are needed"):
        list(train(styles, tmp_path / "empty", output, TrainingRecipe(**QUICK), compute()))
    with pytest.raises(ConfigError, match="'photo'"):
        list(train({PHOTO: styles["waves"]}, folder, output, TrainingRecipe(**QUICK), compute()))
    with pytest.raises(ConfigError, match="no style 'wave' to give a factor"):
        list(train(styles, folder, output, TrainingRecipe(**QUICK, style_factors=(("wave", 2.0),)), compute()))


@pytest.mark.parametrize(
    "change",
    [
        {"batch": 0},
        {"steps": 1.5},
        {"step_size": -1.0},
        {"style_weight": float("nan")},
        {"photo_share": 1.1},
        {"style_factors": (("waves", -1.0),)},
    ],
)
def test_a_recipe_without_a_sense_is_refused(change):
    with pytest.raises(ConfigError, match="; give (a )?(whole )?number"):
        TrainingRecipe(**change)


def test_the_photo_is_what_a_crop_without_a_style_is_to_become(narrow_weights, styles):
    trainer = Trainer(styles, TrainingRecipe(**QUICK), compute())
    crops = torch.rand(2, 3, 64, 64)
    terms = trainer.loss(crops, crops, torch.tensor([0, 1]), torch.zeros(2))
    assert all(term.item() < 1e-6 for term in terms.values())
    styled = trainer.loss(crops, crops, torch.tensor([0, 1]), torch.ones(2))
    assert styled["style"] > 0 and styled["content"].item() < 1e-6 and styled["photo"] == 0


def test_the_style_term_is_least_for_the_style_itself(narrow_weights, styles):
    trainer = Trainer(styles, TrainingRecipe(**QUICK), compute())
    waves, stars = (images.fit(image, 64) for image in styles.values())
    own = trainer.loss(waves, waves, torch.tensor([0]), torch.ones(1))["style"]
    other = trainer.loss(stars, waves, torch.tensor([0]), torch.ones(1))["style"]
    assert own < 1e-6 < other


def test_a_blot_is_moved_by_a_term_of_its_own_where_tanh_is_flat(narrow_weights, styles):
    trainer = Trainer(styles, TrainingRecipe(**QUICK), compute())
    assert trainer.loss.saturation(torch.linspace(-2, 2, 9)) == 0
    blot = torch.tensor([-20.0, 12.0, 0.0], requires_grad=True)
    trainer.painter.finished(blot).sum().backward()
    assert blot.grad[:2].abs().max() < 1e-8
    blot.grad = None
    trainer.loss.saturation(blot).backward()
    assert blot.grad[0] < -1 and blot.grad[1] > 1 and blot.grad[2] == 0


def test_half_a_style_is_pulled_both_ways_and_a_factor_weighs_its_style(narrow_weights, styles):
    crops, painted = torch.rand(2, 1, 3, 64, 64)
    trainer = Trainer(styles, TrainingRecipe(**QUICK, style_factors=(("stars", 3.0),)), compute())
    plain = Trainer(styles, TrainingRecipe(**QUICK), compute())

    def terms(trainer, number, strength):
        return trainer.loss(painted, crops, torch.tensor([number]), torch.tensor([strength]))

    whole, half = terms(trainer, 0, 1.0), terms(trainer, 0, 0.5)
    torch.testing.assert_close(half["style"], whole["style"] / 2)
    assert whole["photo"] == 0 < half["photo"] and whole["content"] == half["content"]
    torch.testing.assert_close(terms(trainer, 1, 1.0)["style"], 3 * terms(plain, 1, 1.0)["style"])
    torch.testing.assert_close(terms(trainer, 0, 1.0)["style"], terms(plain, 0, 1.0)["style"])


def test_a_training_that_is_stopped_writes_what_it_has_learned(narrow_weights, folder, styles, tmp_path):
    steering, output = Steering(), tmp_path / "styles.safetensors"
    for progress in train(styles, folder, output, TrainingRecipe(**QUICK), compute(), steering):
        if progress.step == 3:
            steering.stop.set()
    assert progress.step == 3 and load_styles(output).header["steps"] == "3"
    assert not output.with_name(output.name + ".partial").exists()


def test_a_file_says_how_it_was_made_and_shows_its_styles(narrow_weights, folder, styles, tmp_path):
    output = tmp_path / "styles.safetensors"
    list(train(styles, folder, output, TrainingRecipe(**QUICK), compute()))
    file = load_styles(output)
    assert file.network.styles == ("waves", "stars", PHOTO)
    assert file.thumbnails.keys() == styles.keys()
    assert "24 pictures" in file.header["images"] and '"batch": 2' in file.header["recipe"]
