"""How pictures become frames: settings travel in with the next step, and what is shown is what is painted."""

import dataclasses

import pytest
import torch

from nst_core.devices import choose_compute
from nst_core.transfer.color import COLORS
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.painting import Painting
from nst_core.transfer.stylize import stylize

CPU = choose_compute(device="cpu", precision="fp32")
CONFIG = StyleTransferConfig(backbone="vgg16", size=32, steps=6, smallest_scale=20)


@pytest.fixture
def painting(narrow_weights, pictures) -> Painting:
    return stylize(*pictures, CONFIG, compute=CPU).painting


def test_nothing_is_computed_before_the_first_settings_are_sent(painting):
    frames = painting.frames()
    assert next(frames) is None and painting.optimizer is None
    first = frames.send(CONFIG)
    assert first.step == 0 and first.scale == (1, 2) and painting.optimizer


def test_settings_that_are_sent_weigh_the_very_next_frame(painting):
    frames = painting.frames()
    next(frames)
    before, wanted = frames.send(CONFIG), dataclasses.replace(CONFIG, content_weight=0.0)
    after = frames.send(wanted)
    assert any(name.startswith("content") for name in before.losses)
    assert not any(name.startswith("content") for name in after.losses) and painting.config is wanted
    scales = [frames.send(wanted).scale[0] for _ in range(4)]
    assert scales[-1] == 2 and painting.config is wanted


def test_a_frame_is_shown_in_its_colours_and_keeps_what_is_painted(narrow_weights, pictures):
    config = dataclasses.replace(CONFIG, color="content", smallest_scale=0)
    painting = stylize(*pictures, config, compute=CPU).painting
    frames = painting.frames()
    next(frames)
    frames.send(config)
    frame = frames.send(config)
    expected = COLORS["content"].after(frame.pixels, painting.content_image)
    painting.recolor("style")  # what came before stays as it was, though nobody looked at it yet
    assert frames.send(painting.config).finish is None and torch.equal(frame.image, expected)
    assert not torch.equal(frame.image, frame.pixels)
