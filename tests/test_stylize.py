import copy
import dataclasses
import importlib.util
import os
import time
from pathlib import Path

import pytest
import torch

from nst_core import images
from nst_core.devices import Compute
from nst_core.errors import ConfigError, DeviceError, WeightsError
from nst_core.losses import STYLE_LOSSES, StyleLoss
from nst_core.transfer import stylize as module
from nst_core.transfer.config import CHOICES, StyleTransferConfig
from nst_core.transfer.optimize import Controls
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.stylize import BYTES_PER_PIXEL, stylize
from tests.benchmarks.lite import measured
from tests.conftest import DEVICES

ASSETS = Path(__file__).resolve().parents[1] / "assets"

CPU = Compute(device="cpu", precision="fp32")
SHALLOW = {
    "content_layers": ("conv2_1",),
    "style_layers": ("conv1_1", "conv2_1"),
    "style_weight": 1e5,
    "steps": 3,
    "size": 32,
}


def small(**settings) -> StyleTransferConfig:
    """A run of a moment."""
    return StyleTransferConfig(**SHALLOW | settings)


def result(pictures, config, **given) -> torch.Tensor:
    """The last picture of a run."""
    return [frame.image for frame in stylize(*pictures, config, **{"compute": CPU} | given)][-1]


# What is found before the first frame


def test_wrong_input_is_refused_before_the_first_frame(random_weights, pictures):
    content_image, style_image = pictures
    ribbon = torch.rand(1, 3, 16, 160)
    with pytest.raises(ConfigError, match="start is 'image'.*give one"):
        stylize(content_image, style_image, small(start="image"), compute=CPU)
    for pair in ((ribbon, style_image), (content_image, ribbon)):
        with pytest.raises(ConfigError, match="160×16"):
            stylize(*pair, small(), compute=CPU)


def test_missing_weights_are_found_before_the_first_frame(tmp_path, pictures, monkeypatch):
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("NST_WEIGHTS", raising=False)
    for backbone, name in (("vgg19", "VGG-19"), ("vgg16", "VGG-16")):
        with pytest.raises(WeightsError, match=name):
            stylize(*pictures, small(backbone=backbone), compute=CPU)


def test_an_absent_device_is_found_before_the_first_frame(random_weights, pictures, monkeypatch):
    monkeypatch.setenv("NST_DEVICE", "cuda:99")
    with pytest.raises(DeviceError, match="cuda:99"):
        stylize(*pictures, small())


@pytest.mark.parametrize("backbone", CHOICES["backbone"])
@pytest.mark.parametrize("precision", BYTES_PER_PIXEL)
def test_a_size_beyond_the_memory_is_refused_and_the_one_proposed_is_not(
    random_weights, pictures, monkeypatch, precision, backbone
):
    monkeypatch.setattr(module, "free_memory", lambda device: 10**9)
    compute = Compute(device="cpu", precision=precision)
    with pytest.raises(DeviceError) as raised:
        stylize(*pictures, small(size=4096, backbone=backbone), compute=compute)
    text = str(raised.value)
    assert "4096×3072" in text and "0.9 GB free" in text and "CPU" in text
    proposed = int(text.split("at most ")[1].split()[0])
    assert 300 < proposed < 4096
    stylize(*pictures, small(size=proposed, backbone=backbone), compute=compute)
    with pytest.raises(DeviceError):
        stylize(*pictures, small(size=proposed + 32, backbone=backbone), compute=compute)


def test_a_style_picture_beyond_the_memory_is_refused_too(random_weights, monkeypatch):
    monkeypatch.setattr(module, "free_memory", lambda device: 64 * 64 * BYTES_PER_PIXEL["fp32"] * 2)
    square, panorama = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 4096)
    stylize(square, square, small(size=64, size_rule="shortest side"), compute=CPU)
    with pytest.raises(DeviceError):
        stylize(square, panorama, small(size=64, size_rule="shortest side"), compute=CPU)


def test_no_size_is_proposed_that_cannot_be_chosen(random_weights, pictures, monkeypatch):
    monkeypatch.setattr(module, "free_memory", lambda device: 1000)
    with pytest.raises(DeviceError) as raised:
        stylize(*pictures, small(), compute=CPU)
    assert "at most 0" not in str(raised.value)


def test_running_out_of_memory_midway_is_said_in_plain_words(random_weights, pictures, monkeypatch):
    for error in (
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ):
        run = stylize(*pictures, small(), compute=CPU)
        first = next(run)

        def broken(*_, error=error, **__):
            raise error
            yield

        run._frames = broken()
        with pytest.raises(DeviceError, match="ran out of memory; choose a smaller size"):
            next(run)
        assert run.last_frame is first and run.record().steps == 0


# What comes


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_paints(random_weights, pictures, name):
    config = PRESETS[name].config.changed(size=48, steps=2)
    run = stylize(*pictures, config, compute=CPU)
    frames = list(run)
    assert [frame.step for frame in frames] == [0, 1, 2]
    shape = (48, 48) if config.size_rule == "exact" else images.size_of(images.fit(pictures[0], 48, config.size_rule))
    assert all(images.size_of(frame.image) == shape for frame in frames)
    assert frames[-1].total < frames[0].total
    assert not torch.equal(frames[-1].image, frames[0].image)
    assert run.record().config == config and not run.record().stopped
    assert not run.notes


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_settings_paint_the_same_picture(random_weights, pictures, device, precision):
    compute = Compute(device=device, precision=precision)
    for settings in ({"start": "noise"}, {"optimizer": "adam", "step_size": 0.02}):
        first, second = (result(pictures, small(**settings), compute=compute) for _ in range(2))
        assert torch.equal(first, second)
        assert first.device.type == device and first.dtype == torch.float32


def test_bf16_paints_nearly_the_picture_of_float32(random_weights, pictures):
    config = small(steps=10)
    exact = result(pictures, config)
    close = result(pictures, config, compute=Compute(device="cpu", precision="bf16"))
    start = images.fit(pictures[0], 32)
    assert (close - exact).abs().mean() < 0.25 * (exact - start).abs().mean()


# Setting -> (settings that let it count, another value).
COUNTS = {
    "backbone": ({"content_layers": ("conv4_1",), "start": "noise"}, "vgg16"),
    "pooling": ({}, "average"),
    "padding": ({}, "replicate"),
    "normalization": ({}, "none"),
    "content_layers": ({}, ("conv1_1",)),
    "style_layers": ({}, ("conv1_1",)),
    "layer_weights": ({}, (1.0, 0.1)),
    "content_weight": ({}, 5.0),
    "style_weight": ({}, 1e3),
    "tv_weight": ({}, 1e4),
    "content_normalization": ({}, "mean"),
    "style_loss": ({}, "another"),
    "style_normalization": ({}, "mean"),
    "total_variation": ({"tv_weight": 1e4}, "absolute"),
    "start": ({}, "noise"),
    "noise_deviation": ({"start": "noise"}, 0.1),
    "optimizer": ({}, "adam"),
    "steps": ({}, 2),
    "step_size": ({}, 0.5),
    "history": ({"steps": 6}, 1),
    "adam_betas": ({"optimizer": "adam", "step_size": 0.1}, (0.5, 0.9)),
    "clamp": ({"optimizer": "adam", "step_size": 0.5}, True),
    "size": ({}, 40),
    "size_rule": ({}, "height"),
    "seed": ({"start": "noise"}, 1),
}


def test_the_table_of_what_counts_has_every_setting():
    assert COUNTS.keys() == {field.name for field in dataclasses.fields(StyleTransferConfig)}


@pytest.mark.parametrize("name", COUNTS)
def test_every_setting_changes_the_picture(random_weights, pictures, monkeypatch, name):
    other = StyleLoss(
        statistics=lambda features, tap: features.float().mean((2, 3)), distance=lambda a, b: (a - b).abs().sum()
    )
    monkeypatch.setitem(STYLE_LOSSES, "another", other)
    monkeypatch.setitem(CHOICES, "style_loss", ("gram", "another"))
    needed, value = COUNTS[name]
    config = small(**needed)
    assert getattr(config, name) != value
    before, after = result(pictures, config), result(pictures, dataclasses.replace(config, **{name: value}))
    assert before.shape != after.shape or (before - after).abs().mean() > 1e-5


@pytest.mark.parametrize("start", CHOICES["start"])
def test_a_run_starts_where_it_is_told(random_weights, pictures, start):
    own = torch.rand(1, 3, 90, 30)
    first = next(stylize(*pictures, small(start=start), start_image=own, compute=CPU))
    content_image = images.fit(pictures[0], 32)
    expected = {
        "content": content_image,
        "style": images.cover(images.fit(pictures[1], 32), (24, 32)),
        "image": images.cover(own, (24, 32)),
    }
    assert first.step == 0 and first.image.shape == content_image.shape
    if start in expected:
        torch.testing.assert_close(first.image, expected[start])
    assert all(torch.equal(first.image, image) == (start == name) for name, image in expected.items())


@pytest.mark.parametrize("shape", [(56, 40), (32, 160), (160, 32), (48, 64)])
def test_a_style_picture_of_any_aspect_keeps_it(random_weights, pictures, shape):
    run = stylize(pictures[0], torch.rand(1, 3, *shape), small(size=80), compute=CPU)
    frames = list(run)
    assert images.size_of(frames[-1].image) == run.record().content_size == (60, 80)
    height, width = run.record().style_size
    assert max(height, width) == 80 and height / width == pytest.approx(shape[0] / shape[1], rel=0.05)


def test_no_picture_of_the_callers_is_modified(random_weights, pictures):
    own = torch.rand(1, 3, 24, 32)
    given = (*(images.fit(picture, 32) for picture in pictures), own)  # of the size to be painted: nothing to resize
    before = [copy.deepcopy(image) for image in given]
    for start in CHOICES["start"]:
        list(stylize(*given[:2], small(start=start), start_image=own, compute=CPU))
    assert all(torch.equal(image, old) for image, old in zip(given, before, strict=True))


# Runs and records


def test_a_record_says_what_was_run(random_weights, pictures):
    config = small(seed=5, tv_weight=1.0)
    run = stylize(*pictures, config, compute=CPU)
    with pytest.raises(ValueError, match="first frame"):
        run.record()
    began = time.perf_counter()
    frames = list(run)
    took = time.perf_counter() - began
    record = run.record()
    assert record.config == config
    assert (record.steps, record.stopped) == (3, False)
    assert record.losses == frames[-1].losses and set(record.losses) >= {"total variation", "content conv2_1"}
    assert 0 < record.seconds <= took + 0.001
    assert record.content_size == (24, 32) and record.style_size == (32, 23)
    assert (record.device, record.precision) == (CPU.name, "fp32")
    assert record.weights_file == "vgg19_features.safetensors" and record.weights_origin == "NST_WEIGHTS"
    assert len(record.weights_sha256) == 64
    assert torch.__version__.startswith(record.versions["torch"]) and record.notes == ()


def test_seconds_do_not_count_the_wait_between_frames(random_weights, pictures):
    run = stylize(*pictures, small(), compute=CPU)
    next(run)
    before = run.seconds
    time.sleep(0.2)
    assert run.seconds == before
    list(run)
    assert run.seconds > before


def test_a_stopped_run_says_so_and_keeps_its_last_picture(random_weights, pictures):
    controls = Controls()
    run = stylize(*pictures, small(steps=50), compute=CPU, controls=controls)
    for frame in run:
        if frame.step == 2:
            controls.stop.set()
    assert run.last_frame is frame and frame.step == 2
    assert run.record().stopped and run.record().steps == 2


def test_a_closed_run_gives_no_more_frames_and_keeps_its_record(random_weights, pictures):
    unstarted = stylize(*pictures, small(), compute=CPU)
    unstarted.close()
    assert list(unstarted) == []
    run = stylize(*pictures, small(), compute=CPU)
    next(run)
    second = next(run)
    run.close()
    run.close()
    assert list(run) == []
    assert run.last_frame is second and run.record().steps == 1 and run.record().stopped


def test_notes_of_the_frames_are_in_the_record(random_weights, pictures, monkeypatch):
    plain = module.optimize

    def noting(*given, **named):
        for frame in plain(*given, **named):
            yield dataclasses.replace(frame, note=f"note {frame.step}" if frame.step % 2 else "")

    monkeypatch.setattr(module, "optimize", noting)
    run = stylize(*pictures, small(), compute=CPU)
    list(run)
    assert run.record().notes == ("note 1", "note 3")


# Parity with the reference, on real pictures


@pytest.fixture(scope="module")
def studio():
    """Beside NST_WEIGHTS: a tool that scores pictures, and photographs and paintings to score it with."""
    folder = Path(os.environ.get("NST_WEIGHTS", "nowhere")).resolve()
    folder = (folder if folder.is_dir() else folder.parent).parent
    content = folder / "images" / "photos" / "tuebingen_neckarfront.jpg"
    style = folder / "images" / "paintings" / "starry_night_van_gogh_1889.jpg"
    tool = folder / "tools" / "score.py"
    for path in (content, style, tool):
        if not path.exists():
            pytest.skip(f"needs {path.name} beside the weights")
    spec = importlib.util.spec_from_file_location("score", tool)
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    return content, style, score


@pytest.mark.weights
@pytest.mark.parametrize(
    ("style_weight", "content", "style"),
    [(8e4, (0.39, 0.04), (0.17, 0.03)), (1e7, (1.37, 0.15), (0.052, 0.015))],
    ids=["luo", "luo with much style"],
)
def test_150_steps_score_as_the_reference_does(studio, tmp_path, style_weight, content, style):
    content_path, style_path, score = studio
    config = PRESETS["luo"].config.changed(size=320, steps=150, style_weight=style_weight, start="content")
    run = stylize(images.load(content_path), images.load(style_path), config)
    for frame in run:
        last = frame
    images.save_png(last.image, tmp_path / "result.png")
    scores = score.score(score.network(), tmp_path / "result.png", content_path, style_path)
    assert scores["size"][0] == 320
    assert scores["content"] == pytest.approx(content[0], abs=content[1]), scores
    assert scores["style"] == pytest.approx(style[0], abs=style[1]), scores


@pytest.mark.weights
def test_lite_paints_nearly_what_vgg19_paints_with_the_same_settings():
    content, style = images.load(ASSETS / "photos/china_temple.jpg"), images.load(ASSETS / "styles/starlit_valley.jpg")
    errors = {}
    for backbone in ("vgg19", "lite"):
        config = PRESETS["lab"].config.on(backbone).changed(size=192, steps=80)
        *_, last = stylize(content, style, config)
        errors[backbone] = measured(last.image, content, style)  # by VGG-19 itself
    (content_error, style_error), (lites_content_error, lites_style_error) = errors.values()
    assert lites_content_error == pytest.approx(content_error, rel=0.2)
    assert lites_style_error <= 2 * style_error
