"""The method in one sitting: the same losses and the same picture as `stylize`."""

from itertools import islice

import pytest
import torch
from torch import Tensor

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import choose_compute
from nst_core.transfer import gatys
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.optimize import Frame
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.stylize import stylize

CODE = PRESETS["gatys_code"].config.changed(size_rule="longest side")


def paintings(config: StyleTransferConfig) -> tuple[Tensor, list[Frame], list[tuple[Tensor, dict[str, float]]]]:
    """The photograph, and what `stylize` and the plain loop make of it."""
    paths = ASSETS / "photos" / "china_temple.jpg", ASSETS / "styles" / "starlit_valley.jpg"
    content, style = (images.fit(images.load(path), config.size) for path in paths)
    frames = list(stylize(content, style, config, compute=choose_compute(device="cpu", precision="fp32")))
    return content, frames, list(islice(gatys.paint(content, style), config.steps + 1))


@pytest.mark.weights
def test_it_paints_what_the_preset_paints():
    """L-BFGS makes much of a gradient's last digits: what is the same to six digits at first is to two in the end."""
    content, frames, plain = paintings(CODE.changed(size=48, steps=20))
    for frame, (image, losses) in zip(frames[:8], plain[:8], strict=True):
        assert losses == pytest.approx(frame.losses, rel=1e-4)
        assert (image - frame.image).abs().max() < 1e-5
    (image, losses), last = plain[-1], frames[-1]
    assert sum(losses.values()) == pytest.approx(last.total, rel=0.03) and last.total < frames[0].total / 10
    assert (image - last.image).abs().mean() < 1 / 255 < (image - content).abs().mean() / 10


def test_it_is_the_same_loop_on_any_network(narrow_weights):
    """Features so many times as large are weights by their square and, for Gram matrices, by their fourth power."""
    scaled = CODE.changed(
        feature_scale="as trained",
        content_weight=gatys.CONTENT_WEIGHT * gatys.CAFFE**2,
        style_weight=gatys.STYLE_WEIGHT * gatys.CAFFE**4,
        size=48,
        steps=3,
    )
    content, frames, plain = paintings(scaled)
    for frame, (image, losses) in zip(frames, plain, strict=True):
        assert losses == pytest.approx(frame.losses, rel=0.01)
        assert (image - frame.image).abs().mean() < 1e-3
    assert (frames[-1].image - content).abs().mean() > 0.01


def test_its_gram_matrix_says_which_maps_answer_together():
    maps = torch.tensor([[[[1.0, 0.0, 2.0, 0.0]], [[0.0, 3.0, 2.0, 0.0]]]])  # (1, 2, 1, 4)
    assert gatys.gram(maps).tolist() == [[5 / 4, 4 / 4], [4 / 4, 13 / 4]]


def test_it_can_be_read_in_one_sitting():
    text = (ASSETS.parent / "nst_core" / "transfer" / "gatys.py").read_text()
    assert len(text.splitlines()) <= 90
    assert [line for line in text.splitlines() if "nst_core" in line] == ["from nst_core.features import weights"]
