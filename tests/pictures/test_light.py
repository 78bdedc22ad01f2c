"""Pictures of light beyond white, OpenEXR and TIFFs of floats, against the formulas that they are shown by."""

import io
import struct

import cv2
import numpy as np
import pytest

from nst_core import images
from nst_core.errors import ImageError
from nst_core.pictures import cost
from tests import picture_files as files
from tests.pictures.test_color_space import coded

ALPHA = 0.25


def light(kind: str = "<f4") -> np.ndarray:
    """From black to eight times white, in many hues, (24, 40, 3)."""
    ramp = np.geomspace(0.001, 8, 40)
    hues = np.stack([np.linspace(1, 0.2, 24), np.linspace(0.1, 1, 24), np.full(24, 0.5)], -1)
    return (hues[:, None] * ramp[:, None]).astype(kind)


def shown(linear: np.ndarray) -> np.ndarray:
    """Below nine tenths of white as it is; above, the brightest colour goes ever more slowly to white."""
    linear = linear.astype(np.float64)
    brightest = linear.max(-1, keepdims=True)
    over = (brightest - 0.9).clip(0) / 0.1
    target = np.where(over > 0, 0.9 + 0.1 * over / (1 + over), brightest)
    return coded(linear * target / brightest) * 255


def seen(data: bytes, read=images.load) -> np.ndarray:
    return read(io.BytesIO(data))[0].permute(1, 2, 0).numpy() * 255


def exr(pixels: np.ndarray, *more: tuple[str, str, bytes], **options) -> bytes:
    names = {1: "Y", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
    return files.exr({name: pixels[..., number] for number, name in enumerate(names)}, more, **options)


def with_alpha(pixels: np.ndarray) -> np.ndarray:
    return np.dstack([pixels, np.full(pixels.shape[:2], ALPHA, pixels.dtype)])


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_numbers_that_are_not_finite_are_refused_in_a_sentence(odd):
    for kind in ("<f2", "<f4"):
        pixels = with_alpha(light(kind))
        for channel in (0, 3):
            broken = pixels.copy()
            broken[3, 7, channel] = odd
            for data in (
                exr(broken),
                files.float_tiff(broken, tags={338: b"\2"}),
                files.float_tiff(broken[..., channel]),
            ):
                with pytest.raises(ImageError, match=r"^the file holds numbers that are infinite or none \(NaN\)"):
                    images.load(io.BytesIO(data))


@pytest.mark.parametrize("make", [exr, files.float_tiff, lambda pixels: files.packed_exr(pixels, "zip16")])
def test_a_file_that_is_cut_short_is_refused(make, capfd):
    data = make(light())
    for length in range(len(data) - 1, 0, -len(data) // 40):
        with pytest.raises(ImageError, match="damaged, cut short"):
            images.load(io.BytesIO(data[:length]))
    assert capfd.readouterr() == ("", "")


def test_sizes_are_told_by_the_header_before_anything_is_decoded(monkeypatch):
    made = [exr(light()), files.float_tiff(light())]
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    monkeypatch.setattr("nst_core.pictures.openexr._decoded", lambda *_: pytest.fail("decoded"))
    window = struct.pack("<4i", 0, 0, 39, 23)
    with pytest.raises(ImageError, match=r"12000×10000, more than 100,000,000 pixels"):
        images.load(io.BytesIO(made[0].replace(window, struct.pack("<4i", 0, 0, 11999, 9999))))
    for data in made:
        images.check(io.BytesIO(data))
        monkeypatch.setenv(cost.BUDGET_NAME, "1000")
        with pytest.raises(ImageError, match="40×24 pixels, and reading it takes about"):
            images.load(io.BytesIO(data))
        monkeypatch.delenv(cost.BUDGET_NAME)
