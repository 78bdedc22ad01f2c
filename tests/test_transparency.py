"""Transparent pictures stay so: what is painted of a cut-out is a cut-out, wherever it is painted."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from nst_core import images
from nst_core.__main__ import main
from nst_core.augment.brushes import Brush
from nst_core.augment.folder import augment
from nst_core.devices import Compute
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.masks import mask_of_file
from nst_core.transfer.record import save_result
from nst_core.transfer.stylize import stylize

CPU = Compute(device="cpu", precision="fp32")


def disc(height: int, width: int) -> np.ndarray:
    """(H, W) of 0..255: opaque in the middle, with a soft edge, nothing outside."""
    rows, columns = np.mgrid[:height, :width]
    away = np.hypot((rows - height / 2) / height, (columns - width / 2) / width)
    return ((0.45 - away) * 20).clip(0, 1) * 255


def cut_out(path, size: tuple[int, int] = (48, 64)):
    """A file of a disc of noise on nothing, the nothing being green where it could be seen."""
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    alpha = disc(*size).astype(np.uint8)
    pixels[alpha == 0] = 0, 255, 0
    Image.fromarray(np.dstack([pixels, alpha])).save(path)
    return path


@pytest.fixture
def source(tmp_path):
    return cut_out(tmp_path / "cut-out.png")


@pytest.fixture
def opaque(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (40, 40, 4), np.uint8)
    pixels[..., 3] = 255  # a channel that says nothing
    Image.fromarray(pixels).save(tmp_path / "opaque.png")
    return tmp_path / "opaque.png"


def alpha_of(path) -> np.ndarray | None:
    with Image.open(path) as picture:
        return np.asarray(picture.getchannel("A")).astype(float) if picture.mode == "RGBA" else None


# What is read and put together


def test_only_what_is_transparent_anywhere_is_read_with_a_fourth_channel(source, opaque):
    assert images.load(source, keep_transparency=True).shape == (1, 4, 48, 64)
    assert images.load(source).shape == (1, 3, 48, 64)
    for kept in (images.load(opaque, keep_transparency=True), images.over_white(images.load(opaque))):
        assert kept.shape == (1, 3, 40, 40) and kept.is_contiguous()
        assert torch.equal(kept, images.load(opaque))


def test_over_white_is_what_is_read_without_transparency(source):
    kept = images.load(source, keep_transparency=True)
    torch.testing.assert_close(images.over_white(kept), images.load(source), atol=1 / 255, rtol=0)


@pytest.mark.parametrize("size", [(48, 64), (31, 41), (96, 128), (32, 32)])
def test_a_painting_is_as_transparent_as_its_source_whatever_its_size(source, size):
    kept = images.load(source, keep_transparency=True)
    result = images.as_transparent_as(torch.rand(1, 3, *size), kept)
    assert result.shape == (1, 4, *size)
    expected = images.cover(kept[:, 3:], size)
    torch.testing.assert_close(result[:, 3:], expected)
    assert torch.equal(images.as_transparent_as(torch.ones(1, 3, *size), images.load(source)), torch.ones(1, 3, *size))


def test_a_jpeg_of_what_is_transparent_is_over_white(source):
    kept = images.load(source, keep_transparency=True)
    seen = images.load(io.BytesIO(images.encode_jpeg(kept, quality=95)))
    assert (seen - images.over_white(kept)).abs().mean() < 0.15  # it is of noise
    assert seen[..., 0, 0].min() > 0.95


# What is painted


def painted(content, config: StyleTransferConfig):
    style = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    run = stylize(content, style, config, compute=CPU)
    for _ in run:
        pass
    return run


@pytest.mark.parametrize("changes", [{}, {"size_rule": "exact"}, {"wrap": True}, {"smallest_scale": 32}], ids=str)
def test_a_run_keeps_the_transparency_of_its_content(narrow_weights, source, tmp_path, changes):
    config = StyleTransferConfig(backbone="vgg16", size=48, steps=1).changed(**changes)
    run = painted(images.load(source, keep_transparency=True), config)
    assert run.newest.image.shape[1] == 3
    result = run.result
    assert result.shape == (1, 4, *images.size_of(run.newest.image))
    assert torch.equal(result[:, :3], run.newest.image)
    middle = [length // 2 for length in images.size_of(result)]
    assert result[0, 3, middle[0], middle[1]] > 0.99 and result[0, 3, 0, 0] < 0.01
    save_result(result, run.record(), tmp_path / "out.png")
    torch.testing.assert_close(images.load_transparent(tmp_path / "out.png"), result.clamp(0, 1), atol=0.003, rtol=0)
    plain = painted(images.over_white(images.load(source, keep_transparency=True)), config)
    assert torch.equal(plain.result, run.newest.image)  # the painting itself knows nothing of it


@pytest.mark.parametrize("keep", [True, False])
def test_an_augmented_folder_keeps_transparency_if_asked(tmp_path, keep):
    for name in ("in/cat", "in/dog"):
        (tmp_path / name).mkdir(parents=True)
    cut_out(tmp_path / "in/cat/a.png")
    given = []

    def paint(image, style, strength):
        given.append(image)
        yield 1.0, 1 - image

    list(augment(tmp_path / "in", tmp_path / "out", Brush(("one",), paint), keep_transparency=keep))
    alpha = alpha_of(tmp_path / "out/cat/a-1.png")
    assert (alpha is not None) == keep and given[0].shape == (1, 3, 48, 64)
    if keep:
        np.testing.assert_allclose(alpha, disc(48, 64), atol=1.01)


@pytest.mark.parametrize("keep", [True, False])
def test_commands_keep_transparency_unless_told_otherwise(narrow_weights, source, tmp_path, monkeypatch, keep):
    monkeypatch.setenv("NST_DEVICE", "cpu")
    words = [] if keep else ["--no-keep-transparency"]
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 40, 3), np.uint8)).save(tmp_path / "style.png")
    shared = ["--size", "48", *words]
    style = ["--backbone", "vgg16", "--steps", "1", "--preset", "gatys_code"]
    files = [str(source), str(tmp_path / "style.png"), "-o", str(tmp_path / "one.png")]
    assert main(["stylize", *files, *style, *shared]) == 0
    assert main(["instant", str(source), "-o", str(tmp_path / "two.png"), "--style", "starry_night", *shared]) == 0
    assert main(["instant", str(source), "-o", str(tmp_path / "two.jpg"), "--style", "starry_night", *shared]) == 0
    for name in ("one.png", "two.png"):
        alpha = alpha_of(tmp_path / name)
        assert (alpha is not None) == keep
        if keep:
            expected = images.cover(torch.from_numpy(disc(48, 64))[None, None].float() / 255, alpha.shape) * 255
            np.testing.assert_allclose(alpha, expected[0, 0], atol=3)
    assert images.load(tmp_path / "two.jpg")[..., 0, 0].min() > 0  # there is such a file


# Masks


def test_a_mask_file_means_where_it_is_white_and_opaque(tmp_path):
    pixels = np.zeros((32, 64, 4), np.uint8)
    pixels[:, :16] = 255, 255, 255, 255  # white strokes
    pixels[:, 16:32] = 255, 255, 255, 0  # white that cannot be seen
    pixels[:, 32:48] = 0, 0, 0, 255
    pixels[:, 48:] = 255, 255, 255, 128
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    mask = mask_of_file(tmp_path / "mask.png")
    assert mask.shape == (1, 1, 32, 64)
    expected = np.repeat([1, 0, 0, 128 / 255], 16)
    np.testing.assert_allclose(mask[0, 0, 0], expected, atol=1e-5)
    Image.fromarray(pixels[..., :3]).save(tmp_path / "opaque.png")
    np.testing.assert_allclose(mask_of_file(tmp_path / "opaque.png")[0, 0, 0], np.repeat([1, 1, 0, 1], 16), atol=1e-5)
