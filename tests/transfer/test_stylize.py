import copy
import dataclasses
import importlib.util
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torchvision.models.vgg import cfgs, make_layers

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import Compute
from nst_core.errors import ConfigError, DeviceError, ImageError, WeightsError
from nst_core.losses.style import STYLE_LOSSES, StyleLoss
from nst_core.transfer.color import with_colors_of
from nst_core.transfer.config import SETTINGS, StyleTransferConfig
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.stylize import MAX_STYLES, stylize
from tests.benchmarks.lite import measured
from tests.runs import CPU, LADDER, left_half, result, small
from tests.stand_ins import DEVICES

# What is found before the first frame


def test_wrong_input_is_refused_before_the_first_frame(narrow_weights, pictures):
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


def test_an_absent_device_is_found_before_the_first_frame(narrow_weights, pictures, monkeypatch):
    monkeypatch.setenv("NST_DEVICE", "cuda:99")
    with pytest.raises(DeviceError, match="cuda:99"):
        stylize(*pictures, small())


# What comes


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_paints(narrow_weights, pictures, name):
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
def test_the_same_settings_paint_the_same_picture(narrow_weights, pictures, device, precision):
    compute = Compute(device=device, precision=precision)
    for settings in ({"start": "noise"}, {"optimizer": "adam", "step_size": 0.02}):
        first, second = (result(pictures, small(**settings), compute=compute) for _ in range(2))
        assert torch.equal(first, second)
        assert first.device.type == device and first.dtype == torch.float32


def test_bf16_paints_nearly_the_picture_of_float32(narrow_weights, pictures):
    config = small(steps=10)
    exact = result(pictures, config)
    close = result(pictures, config, compute=Compute(device="cpu", precision="bf16"))
    start = images.fit(pictures[0], 32)
    assert (close - exact).abs().mean() < 0.25 * (exact - start).abs().mean()


# What a run is given besides settings that lets one count.
TWO_STYLES = {"styles": 2}
MASKED = {"masks": 1}

# Setting -> (what lets it count, another value).
COUNTS = {
    "backbone": ({"content_layers": ("conv4_1",), "start": "noise"}, "vgg16"),
    "pooling": ({}, "average"),
    "padding": ({}, "replicate"),
    "normalization": ({}, "none"),
    "feature_scale": ({}, "caffe"),
    "content_layers": ({}, ("conv1_1",)),
    "style_layers": ({}, ("conv1_1",)),
    "layer_weights": ({}, (1.0, 0.1)),
    "content_weight": ({}, 5.0),
    "style_weight": ({}, 1e3),
    "tv_weight": ({}, 1e4),
    "content_normalization": ({}, "mean"),
    "style_loss": ({}, "another"),
    "column_share": ({}, 0.5),
    "style_normalization": ({}, "mean"),
    "total_variation": ({"tv_weight": 1e4}, "absolute"),
    "start": ({}, "noise"),
    "noise_deviation": ({"start": "noise"}, 0.1),
    "optimizer": ({}, "adam"),
    "steps": ({}, 2),
    "step_size": ({}, 0.5),
    "history": ({"steps": 6}, 1),
    "history_precision": ({"steps": 6}, "bf16"),
    "adam_betas": ({"optimizer": "adam", "step_size": 0.1}, (0.5, 0.9)),
    "clamp": ({"optimizer": "adam", "step_size": 0.5}, True),
    "size": ({}, 40),
    "size_rule": ({}, "height"),
    "seed": ({"start": "noise"}, 1),
    "smallest_scale": ({"size": 48}, 24),
    "scale_falloff": ({"size": 48, "smallest_scale": 24, "steps": 9}, 3.0),
    "content_boost": ({}, 1.0),
    "averaging": ({}, 0.9),
    "tolerance": ({"steps": 30, "size": 24, "optimizer": "adam", "step_size": 0.01}, 0.5),
    "last_step": ({}, 1),
    "style_scale": ({}, 2.0),
    "color": ({}, "content"),
    "blend": (TWO_STYLES, (1.0, 4.0)),
    "mask_softness": (MASKED, 0.2),
    "wrap": ({}, True),
    "keep_unpainted": ({**MASKED, "content_weight": 0}, True),
}


def test_the_table_of_what_counts_has_every_setting():
    assert COUNTS.keys() == {field.name for field in dataclasses.fields(StyleTransferConfig)}


@pytest.mark.parametrize("name", COUNTS)
def test_every_setting_changes_the_picture(narrow_weights, pictures, monkeypatch, name):
    other = StyleLoss(
        title="Another",
        source="",
        statistics=lambda features, tap=None, share=None: features.float().mean((2, 3)),
        distance=lambda memory, target, generator=None: (memory - target).abs().sum(),
    )
    monkeypatch.setitem(STYLE_LOSSES, "another", other)
    losses = {"gram": "", "another": ""}
    monkeypatch.setitem(SETTINGS, "style_loss", dataclasses.replace(SETTINGS["style_loss"], choices=losses))
    needed, value = COUNTS[name]
    needed = dict(needed)
    content_image, style_image = pictures
    styles = [style_image, style_image.flip(1) / 2][: needed.pop("styles", 1)]
    given = {"masks": [left_half()]} if needed.pop("masks", 0) else {}
    config = small(**needed)
    assert getattr(config, name) != value
    before = result((content_image, styles), config, **given)
    after = result((content_image, styles), dataclasses.replace(config, **{name: value}), **given)
    assert before.shape != after.shape or (before - after).abs().mean() > 1e-5


@pytest.mark.parametrize("start", SETTINGS["start"].choices)
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
def test_a_style_picture_of_any_aspect_keeps_it(narrow_weights, pictures, shape):
    run = stylize(pictures[0], torch.rand(1, 3, *shape), small(size=80), compute=CPU)
    frames = list(run)
    assert images.size_of(frames[-1].image) == run.record().content_size == (60, 80)
    height, width = run.record().style_size
    assert max(height, width) == 80 and height / width == pytest.approx(shape[0] / shape[1], rel=0.05)


def test_no_picture_of_the_callers_is_modified(random_weights, pictures):
    own = torch.rand(1, 3, 24, 32)
    given = (*(images.fit(picture, 32) for picture in pictures), own)  # of the size to be painted: nothing to resize
    before = [copy.deepcopy(image) for image in given]
    for start in SETTINGS["start"].choices:
        list(stylize(*given[:2], small(start=start), start_image=own, compute=CPU))
    assert all(torch.equal(image, old) for image, old in zip(given, before, strict=True))


# Several styles


def test_one_style_is_the_same_alone_in_a_list_or_twice(narrow_weights, pictures):
    content_image, style_image = pictures
    alone = result(pictures, small())
    assert torch.equal(result((content_image, [style_image]), small()), alone)
    for styles, blend in (
        ([style_image, style_image], ()),
        ([style_image] * 4, (0.1, 0.2, 0.3, 0.4)),
        ([style_image, 1 - style_image], (1.0, 0.0)),
        ([1 - style_image, style_image], (0.0, 1.0)),
    ):
        torch.testing.assert_close(result((content_image, styles), small(blend=blend)), alone, atol=1e-3, rtol=0)
    mixed = result((content_image, [style_image, style_image / 3]), small())
    assert (mixed - alone).abs().mean() > 1e-3


def test_no_style_and_too_many_are_refused_and_so_are_other_numbers_of_shares(narrow_weights, pictures):
    content_image, style_image = pictures
    for count in (0, MAX_STYLES + 1):
        with pytest.raises(ConfigError, match=f"{count} style pictures; give 1 to {MAX_STYLES}"):
            stylize(content_image, [style_image] * count, small(), compute=CPU)
    for count, blend in ((1, (1.0, 1.0)), (2, (1.0,)), (2, (1.0, 1.0, 1.0))):
        with pytest.raises(ConfigError, match="shares"):
            stylize(content_image, [style_image] * count, small(blend=blend), compute=CPU)


# Masks


@pytest.mark.parametrize("settings", [{}, LADDER, {"color": "content"}], ids=str)
def test_what_is_not_painted_is_the_contents_own(narrow_weights, pictures, settings):
    config = small(**settings, keep_unpainted=True, start="noise")
    run = stylize(*pictures, config, masks=[left_half()], compute=CPU)
    for frame in run:
        width = frame.image.shape[3]
        content_image = images.resize(run.content_image, images.size_of(frame.image))
        right = slice(width // 2 + 4, None)  # beside the edge, the mask's own resizing is soft
        torch.testing.assert_close(frame.image[..., right], content_image[..., right], atol=2 / 255, rtol=0)
    assert torch.equal(frame.image[..., right], run.content_image[..., right])
    assert (frame.image - run.content_image)[..., : width // 2 - 4].abs().mean() > 0.01


def test_where_the_last_style_gets_the_rest_nothing_is_unpainted(narrow_weights, pictures):
    content_image, style_image = pictures
    styles, given = [style_image, style_image / 3], {"masks": [left_half()]}
    free, kept = (result((content_image, styles), small(keep_unpainted=kept), **given) for kept in (False, True))
    torch.testing.assert_close(free, kept)


def test_two_regions_meet_without_a_seam_of_content(narrow_weights, pictures):
    content_image, style_image = pictures
    masks = [left_half(), 1 - left_half()]
    config = small(mask_softness=0.2, steps=2)
    free, kept = (
        result(
            (content_image, [style_image, style_image / 3]),
            dataclasses.replace(config, keep_unpainted=kept),
            masks=masks,
        )
        for kept in (False, True)
    )
    torch.testing.assert_close(free, kept)


def test_two_regions_have_two_styles(narrow_weights, pictures):
    content_image, _ = pictures
    dark, light = torch.rand(1, 3, 40, 40) * 0.2, 0.8 + torch.rand(1, 3, 40, 40) * 0.2
    config = small(steps=20, content_weight=0, start="noise", style_layers=("conv1_1",), style_normalization="relative")
    shown = result((content_image, [dark, light]), config, masks=[left_half()])
    swapped = result((content_image, [light, dark]), config, masks=[left_half()])
    for image, sign in ((shown, 1), (swapped, -1)):
        assert sign * (image[..., 20:].mean() - image[..., :12].mean()) > 0.1


def test_an_empty_mask_and_a_wrong_number_of_masks_are_refused(narrow_weights, pictures):
    content_image, style_image = pictures
    mask, speck = torch.ones(1, 1, 20, 30), torch.zeros(1, 1, 2000, 2000)
    speck[..., 1000, 1000] = 1
    for empty in (torch.zeros(1, 1, 20, 30), mask * float("nan"), speck):  # a speck that nobody can see at this size
        with pytest.raises(ImageError, match="mask is empty"):
            stylize(*pictures, small(), masks=[empty], compute=CPU)
    for styles, masks in ((1, 2), (3, 1), (2, 3)):
        with pytest.raises(ConfigError, match=f"{masks} masks for {styles} styles"):
            stylize(content_image, [style_image] * styles, small(), masks=[mask] * masks, compute=CPU)


def test_a_mask_of_all_is_no_mask(narrow_weights, pictures):
    masked = result(pictures, small(keep_unpainted=True), masks=[torch.ones(1, 1, 9, 9)])
    torch.testing.assert_close(masked, result(pictures, small()), atol=1e-3, rtol=0)


# Colours


def test_the_contents_colours_can_be_chosen_after_the_run_without_painting(narrow_weights, pictures):
    expected = result(pictures, small(color="content"))
    run = stylize(*pictures, small(), compute=CPU)
    plain = list(run)[-1].image
    seconds = run.seconds
    assert torch.equal(run.recolored("content"), expected) and not torch.equal(expected, plain)
    assert torch.equal(run.last_frame.image, expected) and run.seconds == seconds
    assert run.record().config == small(color="content")
    assert torch.equal(run.recolored("style"), plain) and run.record().config == small()


def test_other_colours_in_the_midst_of_a_run_change_nothing_of_the_painting(narrow_weights, pictures):
    plain = list(stylize(*pictures, small(), compute=CPU))
    run = stylize(*pictures, small(), compute=CPU)
    next(run)
    run.recolored("content")
    shown = list(run)
    assert all(
        torch.equal(frame.image, with_colors_of(one.image, run.content_image))
        for frame, one in zip(shown, plain[1:], strict=True)
    )
    assert torch.equal(run.recolored("style"), plain[-1].image)


def test_colours_that_have_to_be_painted_are_refused_afterwards(narrow_weights, pictures):
    swappable = {"style", "content"}
    for painted in SETTINGS["color"].choices:
        run = stylize(*pictures, small(steps=1, color=painted), compute=CPU)
        before = list(run)[-1]
        for color in SETTINGS["color"].choices:
            if color == painted or {color, painted} == swappable:
                run.recolored(color)
                run.recolored(painted)
            else:
                with pytest.raises(ConfigError, match=f"colours '{color}' have to be painted"):
                    run.recolored(color)
        assert torch.equal(run.last_frame.image, before.image) and run.config == small(steps=1, color=painted)
        with pytest.raises(ConfigError, match="color is 'pink'; choose one of"):
            run.recolored("pink")


@pytest.mark.parametrize("color", SETTINGS["color"].choices)
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_grey_pictures_can_be_painted_in_every_colour_mode(narrow_weights, pictures, color, value):
    plain, greys = torch.full((1, 3, 40, 40), value), pictures[0].mean(1, keepdim=True).expand(1, 3, 48, 64)
    for content_image, style_image in ((plain, pictures[1]), (pictures[0], plain), (plain, plain), (greys, greys)):
        for frame in stylize(content_image, style_image, small(color=color, steps=2), compute=CPU):
            assert frame.image.isfinite().all()


# Every style loss


@pytest.mark.parametrize("style_loss", STYLE_LOSSES)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("optimizer", SETTINGS["optimizer"].choices)
def test_every_style_loss_paints_from_two_styles_within_a_mask(
    narrow_weights, pictures, style_loss, precision, optimizer
):
    content_image, style_image = pictures
    config = small(style_loss=style_loss, style_normalization="relative", style_weight=1.0, content_weight=0, steps=5)
    # from noise, L-BFGS without line search leaps onto the plateau of "mmd gaussian" and stays there
    config = config.changed(optimizer=optimizer, size=24, start="content")
    styles, compute = [style_image, style_image * 0.7], Compute(device="cpu", precision=precision)
    for given in ({}, {"masks": [left_half()]}):
        first, *_, last = stylize(content_image, styles, config, compute=compute, **given)
        assert last.image.isfinite().all() and not last.note
        assert last.total < 0.9 * first.total


@pytest.mark.parametrize("style_loss", STYLE_LOSSES)
def test_a_grey_picture_can_be_painted_with_every_style_loss(narrow_weights, pictures, style_loss):
    plain = torch.full((1, 3, 32, 32), 0.5)
    for content_image, style_image in ((plain, pictures[1]), (pictures[0], plain), (plain, plain)):
        config = small(style_loss=style_loss, style_normalization="relative", style_weight=1.0, steps=3)
        for frame in stylize(content_image, style_image, config, compute=CPU):
            assert frame.image.isfinite().all()


# Parity with the reference, on real pictures


@pytest.fixture(scope="module")
def studio():
    """Beside NST_WEIGHTS: a tool that scores pictures, with its network, and a photograph and a painting to score."""
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
    # its convolutions are read from the file, and of a classifier behind them there would be 124 million random numbers
    score.vgg19 = lambda weights: SimpleNamespace(features=make_layers(cfgs["E"]))
    return content, style, score, score.network()


@pytest.mark.weights
@pytest.mark.parametrize(
    ("style_weight", "content", "style"),
    [(8e4, (0.984, 0.1), (0.087, 0.014)), (1e7, (1.444, 0.15), (0.074, 0.014))],
    ids=["luo", "luo with much style"],
)
def test_50_steps_score_as_an_independent_loop_does(studio, tmp_path, style_weight, content, style):
    """The printed formula by torch's own L-BFGS with a strong-Wolfe line search; 320 pixels are the benchmarks'."""
    content_path, style_path, score, network = studio
    config = PRESETS["luo_printed"].config.changed(size=112, steps=50, style_weight=style_weight, start="content")
    *_, last = stylize(images.load(content_path), images.load(style_path), config)
    images.save_png(last.image, tmp_path / "result.png")
    scores = score.score(network, tmp_path / "result.png", content_path, style_path)
    assert scores["size"][0] == 112
    assert scores["content"] == pytest.approx(content[0], abs=content[1]), scores
    assert scores["style"] == pytest.approx(style[0], abs=style[1]), scores


@pytest.mark.weights
def test_lite_paints_nearly_what_vgg19_paints_with_the_same_settings():
    content, style = images.load(ASSETS / "photos/china_temple.jpg"), images.load(ASSETS / "styles/starlit_valley.jpg")
    errors = {}
    for backbone in ("vgg19", "lite"):
        config = PRESETS["lab"].config.on(backbone).changed(size=96, steps=15)
        *_, last = stylize(content, style, config)
        errors[backbone] = measured(last.image, content, style)  # by VGG-19 itself
    (content_error, style_error), (lites_content_error, lites_style_error) = errors.values()
    assert lites_content_error == pytest.approx(content_error, rel=0.2)
    assert lites_style_error <= 2 * style_error
