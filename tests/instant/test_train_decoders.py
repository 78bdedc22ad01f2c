"""Training decoders: that it helps, goes on where it was, and comes to an end when asked."""

from dataclasses import replace

import pytest
import torch

from nst_core import images
from nst_core.devices import Compute
from nst_core.errors import ConfigError, WeightsError
from nst_core.features.photographs import HELD_OUT, Photographs
from nst_core.instant import decoder_trainer as trainer_module
from nst_core.instant import train_decoders as module
from nst_core.instant.decoder_trainer import DecoderRecipe, DecoderTrainer
from nst_core.instant.train_decoders import train_decoders
from nst_core.transfer.steering import Steering
from nst_core.universal.decoders import LEVELS, Decoders, load_decoders
from tests.stand_ins import DEVICES

SMALL = DecoderRecipe(fitted_crops=2, steps=4, batch=2, crop=48)
CPU = Compute(device="cpu", precision="fp32")


def picture(seed: int) -> torch.Tensor:
    drawn = torch.rand(1, 3, 12, 14, generator=torch.Generator().manual_seed(seed))
    return images.resize(drawn, (70, 75))


@pytest.fixture(scope="module")
def photographs() -> Photographs:
    pictures = tuple((picture(seed) * 255).to(torch.uint8) for seed in range(6))
    return Photographs(pictures, pictures[:1], (), "six")


@pytest.fixture
def unfitted(monkeypatch):
    """No closed form, which is tested by itself: it takes seconds."""

    def inverted(network, crops, seed):
        torch.manual_seed(seed)
        return Decoders()

    monkeypatch.setattr(trainer_module, "inverted", inverted)


@pytest.fixture
def folder(tmp_path, unfitted, monkeypatch):
    (tmp_path / "photos").mkdir()
    for number in range(HELD_OUT):
        images.save_png(picture(number), tmp_path / "photos" / f"{number:02}.png")
    monkeypatch.setattr(module, "OWN_PAINTINGS", tmp_path / "photos")  # these are small
    return tmp_path / "photos"


@pytest.mark.parametrize("device", DEVICES)
def test_training_makes_every_level_better_in_every_precision(device, photographs):
    pictures = tuple(picture[..., :48, :48] for picture in photographs.training[:1])  # the same crop again and again
    photographs = replace(photographs, training=pictures)
    for precision in ("fp32", "bf16"):
        recipe = DecoderRecipe(fitted_crops=2, steps=100, batch=2, crop=48, painted=0.0, noisy=0.0)
        trainer = DecoderTrainer(recipe, Compute(device=device, precision=precision))
        losses = [trainer.update(photographs, photographs) for _ in range(8)]
        assert losses[0].keys() == set(LEVELS)
        for level in LEVELS:
            first, last = (sum(loss[level] for loss in some) for some in (losses[:2], losses[-2:]))
            assert 0 < last < first, (precision, level)


def test_an_interrupted_training_comes_to_the_same_decoders(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHECKPOINT_STEPS", 2)
    whole, pieces = tmp_path / "whole.safetensors", tmp_path / "pieces.safetensors"
    last = list(train_decoders(folder, whole, SMALL, CPU))[-1]
    assert last.step == 4 and last.text == f"wrote {whole}"
    training = train_decoders(folder, pieces, SMALL, CPU)
    for progress in training:
        if progress.step == 3:
            break
    training.close()
    with pytest.raises(WeightsError, match="made with other settings .recipe"):
        list(train_decoders(folder, pieces, replace(SMALL, steps=5), CPU))
    texts = [progress.text for progress in train_decoders(folder, pieces, SMALL, CPU)]
    assert any(text.startswith("going on from") for text in texts)
    assert not list(tmp_path.glob("*.partial"))
    one, other = (load_decoders(path).state_dict() for path in (whole, pieces))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_stopped_training_writes_what_there_is(folder, tmp_path):
    steering, output = Steering(), tmp_path / "d.safetensors"
    for progress in train_decoders(folder, output, SMALL, CPU, steering):
        if progress.step == 1:
            steering.stop.set()
    assert progress.step == 1 and load_decoders(output)


@pytest.mark.parametrize("wrong", [{"batch": 1}, {"crop": 100}, {"crop": 40}, {"steps": 0}, {"steps": 2.5}])
def test_a_recipe_that_would_fail_later_is_refused(wrong):
    with pytest.raises(ConfigError, match=f"{min(wrong)} is {min(wrong.values())}; give a"):
        DecoderRecipe(**wrong)
