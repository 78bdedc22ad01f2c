"""Tests of what runs on a GPU, held on one that is pretended: nothing mixes devices, and what a step costs is known."""

import json
import weakref
from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest
import torch

from nst_core import images
from nst_core.devices import PRECISIONS, Compute
from nst_core.errors import DeviceError
from nst_core.features import strips
from nst_core.features.photographs import Photographs
from nst_core.features.vgg import VGG
from nst_core.instant.painter import Painter
from nst_core.instant.perceptual import TrainingRecipe
from nst_core.instant.strips import steps_in_strips
from nst_core.instant.trainer import Trainer
from nst_core.losses.style import STYLE_LOSSES
from nst_core.steps import finish
from nst_core.transfer import sources
from nst_core.transfer.color import COLORS
from nst_core.transfer.kept import restored
from nst_core.transfer.memory import Way
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.run import Run
from nst_core.transfer.starts import STARTS
from nst_core.transfer.stylize import stylize
from tests.benchmarks import gpu
from tests.instant.test_painter import network_of
from tests.pretend_gpu import NAME, pretend_gpu
from tests.runs import CPU, LADDER, left_half, small

GPU = {precision: Compute(device=NAME, precision=precision) for precision in PRECISIONS}
# Kernels of a step, counted on random weights; Gram matrices of larger pictures are added up of a few more pieces.
MOST = {("lite", "lab"): 285, ("lite", "studio"): 690, ("vgg19", "lab"): 263, ("vgg19", "studio"): 652}


@pytest.fixture
def log(monkeypatch):
    with pretend_gpu(monkeypatch) as log:
        yield log


def paints_alike(monkeypatch, pictures, configs: dict, **given) -> None:
    """Each config loses on the device what it loses on the CPU, but for other roots of matrices."""
    wrong = {}
    by_scale = sorted(configs.items(), key=lambda one: one[1].feature_scale)  # as few networks stay loaded
    for name, config in by_scale:
        with pretend_gpu(monkeypatch):
            there = [frame.total for frame in stylize(*pictures, config, compute=GPU["fp32"], **given)]
        here = [frame.total for frame in stylize(*pictures, config, compute=CPU, **given)]
        draws = STYLE_LOSSES[config.style_loss].points > 0  # by other numbers on another device
        rounder = "wasserstein" in config.style_loss  # of clouds with a little ridge, which these flat ones see
        if there != pytest.approx(here, rel=0.2 if draws else 0.06 if rounder else 0.02):
            wrong[name] = there, here
    assert not wrong


def test_every_preset_paints_as_on_the_cpu(monkeypatch, narrow_weights, pictures):
    few = {"size": 32, "steps": 1, "tolerance": 0}
    painted = {name: preset.config.on("lite").changed(**few) for name, preset in PRESETS.items() if not preset.printed}
    paints_alike(monkeypatch, pictures, painted)


def test_every_choice_of_a_run_is_painted_as_on_the_cpu(monkeypatch, narrow_weights, pictures):
    choices = {name: small(style_loss=name) for name in STYLE_LOSSES if "wasserstein" not in name}
    choices |= {name: small(color=name) for name in COLORS} | {
        name: small(start=name) for name in STARTS if name != "quick"
    }
    choices |= {"tile": small(wrap=True), "scales": small(**LADDER)}
    choices["adam"] = small(optimizer="adam", step_size=0.02, clamp=True, averaging=0.9, tv_weight=1.0)
    for padding in ("replicate", "reflect"):
        choices[padding] = small(padding=padding, pooling="average", total_variation="nine point", tv_weight=1.0)
    paints_alike(monkeypatch, pictures, choices, start_image=pictures[1])


def test_clouds_and_a_quick_start_are_painted_as_on_the_cpu(monkeypatch, random_weights, pictures):
    """By networks as wide as they are: a narrow one's clouds are flatter, and no decoder goes with it."""
    choices = {name: small(style_loss=name) for name in STYLE_LOSSES if "wasserstein" in name}
    paints_alike(monkeypatch, pictures, choices | {"quick": small(start="quick")})


def test_masks_and_blends_are_painted_as_on_the_cpu(monkeypatch, narrow_weights, pictures):
    content, style = pictures
    two = {name: small(keep_unpainted=name == "masks", mask_softness=0.1) for name in ("masks", "blend")}
    paints_alike(monkeypatch, (content, [style, content]), {"blend": two["blend"].changed(blend=(1, 3))})
    paints_alike(monkeypatch, (content, [style]), {"masks": two["masks"]}, masks=[left_half()])


def test_a_painting_in_strips_is_painted_as_on_the_cpu(monkeypatch, narrow_weights, pictures):
    monkeypatch.setattr(sources, "way_of", lambda content, styles, config, compute: Way(config, 0, "in strips"))
    monkeypatch.setattr(strips, "STRIP_NUMBERS", 1)
    few = {"backbone": "lite", "steps": 1, "tv_weight": 1.0}
    losses = ("gram and wasserstein", "sliced wasserstein")
    choices = {name: small(style_loss=name, padding="reflect", **few) for name in losses}
    paints_alike(monkeypatch, pictures, choices | {"tile": small(wrap=True, **few)})
    content, style = pictures
    masked = {name: small(style_loss=name, **few) for name in ("gram", "mmd gaussian")}
    paints_alike(monkeypatch, (content, [style]), masked, masks=[left_half()])


@pytest.mark.parametrize(("backbone", "preset"), MOST)
def test_a_step_launches_and_waits_no_more_than_it_did(log, narrow_weights, pictures, backbone, preset):
    """While the device has the next steps already, what is waited for are the losses of the one that is shown."""
    config = PRESETS[preset].config.on(backbone).changed(size=32, smallest_scale=0, steps=8, history=3, tolerance=0)
    steps = [log.clear() for _ in islice(stylize(*pictures, config, compute=GPU["bf16"]), 6)]
    counted = steps[5]  # once L-BFGS remembers all that it can
    launches, waits, looks = (sum(kind.values()) for kind in (counted.launches, counted.waits, counted.looks))
    assert launches <= MOST[backbone, preset] and not waits and looks == 1, counted.waits


def test_an_instant_pass_and_strips_of_one_paint_as_on_the_cpu(log, pictures):
    painter, network = Painter([network_of("waves", "stars")], GPU["fp32"]), network_of("waves", "stars")
    here = Painter([network], CPU)
    for strength in (1.0, 0.5):
        painted = (one.paint(pictures[0], {"waves": 1.0}, strength=strength) for one in (painter, here))
        torch.testing.assert_close(*painted)
    placed, shares = painter.recipe({"waves": 1.0})
    in_strips = finish(steps_in_strips(placed, pictures[0], shares))
    torch.testing.assert_close(in_strips, network(pictures[0], shares), atol=1e-4, rtol=1e-3)


def test_a_training_learns_as_on_the_cpu(monkeypatch, narrow_weights, pictures):
    recipe = TrainingRecipe(width=4, steps=4, batch=2, crop=64, style_size=64)
    crops = tuple((255 * torch.rand(1, 3, 72, 80, generator=torch.Generator().manual_seed(3))).byte() for _ in range(3))
    photographs = Photographs(crops, crops, (), "random")

    def losses(compute: Compute) -> list[dict[str, float]]:
        trainer = Trainer({"waves": pictures[1]}, recipe, compute)
        return [trainer.update(photographs) for _ in range(2)]

    here = losses(CPU)
    with pretend_gpu(monkeypatch):
        there = losses(GPU["fp32"])
    for one, other in zip(here, there, strict=True):
        assert other == pytest.approx(one, rel=1e-3)


def test_a_run_that_filled_the_memory_holds_none_and_the_next_paints(log, narrow_weights, pictures, monkeypatch):
    run, held = stylize(*pictures, small(), compute=GPU["fp32"]), []
    next(run)

    def full(network, *_, **__):
        activations = torch.zeros(9)
        held.append(weakref.ref(activations))
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch, pytest.raises(DeviceError, match="Pretend GPU ran out of memory") as caught:
        patch.setattr(VGG, "forward", full)
        next(run)
    assert caught.value and held[0]() is None and run.broken and run.painting.stage is None
    assert [frame.step for frame in stylize(*pictures, small(steps=1), compute=GPU["fp32"])] == [0, 1]


def test_a_run_that_is_kept_while_the_device_is_ahead_goes_on_bit_for_bit(log, narrow_weights, pictures, tmp_path):
    """Through its end, and on from there; steered where it is kept."""

    def rest(run: Run) -> list[tuple[dict[str, float], bytes]]:
        frames = list(run)
        run.more(3)
        return [(frame.losses, frame.image.cpu().numpy().tobytes()) for frame in (*frames, *run)]

    run = stylize(*pictures, small(steps=8, tolerance=1e-9), compute=GPU["fp32"])
    while next(run).step < 4:
        pass
    run.steering.wanted = run.config.changed(style_weight=3e5)
    next(run)
    assert len(run.painting.stage.ahead) == 2
    run.keep(tmp_path)
    again = restored(tmp_path, compute=GPU["fp32"])
    found, expected = rest(again), rest(run)
    assert found == expected and len(found) == 6
    assert [frame.step for frame in restored(tmp_path, compute=CPU)] == [6, 7, 8]  # on another device, too


def test_the_content_is_fitted_once_a_scale_to_frames_in_its_colours(narrow_weights, pictures, monkeypatch):
    fitted, resize = [], images.resize

    def noted(image, size, **named):
        fitted.append((images.size_of(image), tuple(size)))
        return resize(image, size, **named)

    run = stylize(*pictures, small(**LADDER, color="content"), compute=CPU)
    monkeypatch.setattr(images, "resize", noted)
    whole = images.size_of(run.content_image)
    coarse = {images.size_of(frame.image) for frame in run} - {whole}
    assert Counter(size for own, size in fitted if own == whole != size) == Counter(coarse)


def test_the_gpus_benchmark_measures_each_part_on_whatever_device_there_is(random_weights):
    told: list[str] = []
    plan = replace(gpu.SMALL, cold_steps=2)
    found = gpu.measure(plan, CPU, 600, told.append)
    assert json.loads(json.dumps(found)) == found and len(told) == len(found["rows"])
    named = ["step", "step", "cold", "instant", "any style", "camera", "memory"]
    assert [name.partition(",")[0] for name in found["rows"]] == named
    for name, row in found["rows"].items():
        assert not {"failed", "left out"} & row.keys(), (name, row)
        assert all(value is None or value > 0 for value in row.values())
    late = gpu.measure(plan, CPU, -1, told.append)["rows"]
    assert all(row == {"left out": "the time was up"} for row in late.values())
