"""Colours of films beyond BT.709: each made from a picture by the standards' formulas, and compared with it."""

from pathlib import Path

import numpy as np
import pytest

from nst_core.instant.film import HIGH_RANGE, PUT_INTO_HIGH_RANGE
from nst_core.instant.hdr import Conversion, to_bt709
from nst_core.pictures.light import (
    BT2020,
    DCI_P3,
    DISPLAY_P3,
    HLG,
    KNEE,
    LINEAR,
    NTSC,
    PAL,
    PQ,
    SCREEN_GAMMA,
    Colours,
)
from tests.instant.films import decoded, difference, frame_of, ramp, seen, write

SDR_2020, SRGB = 14, 13
# From BT.709's light to those primaries', as BT.2087 and SMPTE EG 432-1 print them, or of BT.601.
FROM_709 = {
    BT2020: np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]),
    DISPLAY_P3: np.array([[0.8225, 0.1774, 0.0], [0.0332, 0.9669, 0.0], [0.0171, 0.0724, 0.9108]]),
    PAL: np.array([[0.9578, 0.0422, 0.0], [0.0, 1.0, 0.0], [0.0, -0.0119, 1.0119]]),
    NTSC: np.array([[1.0654, -0.0554, -0.0100], [-0.0196, 1.0364, -0.0167], [0.0016, 0.0044, 0.9940]]),
}
FROM_709[DCI_P3] = FROM_709[DISPLAY_P3]  # but for its white
CURVES = {
    "sRGB": lambda v: np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4),
    "BT.1886": lambda v: v**2.4,
}


def encoded(light: np.ndarray, transfer: int) -> np.ndarray:
    """Light (…, 3), of which 1 is white at 203 cd/m², as a signal."""
    if transfer == PQ:
        power = (light * 203 / 10000) ** 0.1593017578125
        return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    if transfer == HLG:
        light = light * 0.203
        luminance = (light @ [0.2627, 0.678, 0.0593])[..., None].clip(1e-9)
        scene = light * luminance ** (1 / 1.2 - 1)
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log((12 * scene - b).clip(1e-9)) + c)
    return (
        light if transfer == LINEAR else np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    )


def put_into(picture: np.ndarray, transfer: int, white: float) -> np.ndarray:
    """A picture (H, W, 3) uint8 as ffmpeg's zscale puts it into such a film, white at so many cd/m², uint16."""
    light = (CURVES["BT.1886"](picture / 255) @ FROM_709[BT2020].T).clip(0, 1) * white
    if transfer == HLG:  # whose power is taken of each colour for itself; `encoded` takes back that of the luminance
        scene = (light / 1000) ** (1 / 1.2)
        light = 1000 * scene * (scene @ [0.2627, 0.678, 0.0593])[..., None] ** 0.2
    return (encoded(light / 203, transfer) * 65535).round().astype(np.uint16)


def signals(picture: np.ndarray, transfer: int, primaries: int, curve: str = "sRGB") -> np.ndarray:
    """A picture (H, W, 3) uint8 as such a film has it, uint16."""
    light = CURVES[curve](picture / 255) @ FROM_709[primaries].T
    return (encoded(light.clip(0, 1), transfer) * 65535).round().astype(np.uint16)


def film(
    path: Path,
    transfer: int,
    primaries: int,
    *,
    matrix: int = 9,
    kind: str = "yuv444p10le",
    curve: str = "sRGB",
    full: bool = False,
    codec: str = "ffv1",
) -> Path:
    """The ramp as such a film."""
    frame = frame_of(signals(ramp(), transfer, primaries, curve), kind, matrix, full)
    tags = {"color_trc": transfer, "color_primaries": primaries, "colorspace": matrix}
    return write(path, [frame] * 2, codec, color_range=2 if full else 1, **tags)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("transfer", [HLG, PQ])
def test_high_range_made_from_a_picture_looks_as_the_picture_and_is_told(tmp_path, transfer, curve):
    source = film(tmp_path / "high.mkv", transfer, BT2020, curve=curve)
    frames, notes = seen(source, tmp_path / "o.mp4")
    assert difference(frames[0], ramp()) < 6 and notes == [HIGH_RANGE]


def high(path: Path, pictures: list[np.ndarray], transfer: int) -> Path:
    """Signals (H, W, 3) uint16 as a film of high range."""
    frames = [frame_of(each, "yuv444p10le", 9) for each in pictures]
    return write(path, frames, "ffv1", color_range=1, color_trc=transfer, color_primaries=BT2020, colorspace=9)


@pytest.mark.parametrize("transfer", [HLG, PQ])
def test_a_common_film_put_into_high_range_with_its_own_white_looks_as_it_was_and_is_told(tmp_path, transfer):
    source = high(tmp_path / "a.mkv", [put_into(ramp(), transfer, white=100)] * 2, transfer)
    frames, notes = seen(source, tmp_path / "o.mp4")
    assert difference(frames[0], ramp()) < 2 and notes == [PUT_INTO_HIGH_RANGE]


@pytest.mark.parametrize("transfer", [HLG, PQ])
def test_a_night_stays_dark_whether_a_lamp_is_lit_later_or_not(tmp_path, transfer):
    """Nothing in it is as bright as white, or once in a later frame something is that no common film can hold."""
    night, dim = (put_into(ramp(), transfer, white) for white in (100, 60))
    lamp = night.copy()
    lamp[:2, :4] = encoded(np.full(3, 500 / 203), transfer) * 65535
    for pictures in ([dim] * 2, [night] * 30 + [lamp] * 10):
        frames, notes = seen(high(tmp_path / "a.mkv", pictures, transfer), tmp_path / "o.mp4")
        assert notes == [HIGH_RANGE] and frames[0].max() < 200


@pytest.mark.parametrize(
    "primaries, transfer",
    [(PAL, SDR_2020), (NTSC, SDR_2020), (BT2020, SDR_2020), (DISPLAY_P3, SRGB), (DCI_P3, SRGB), (BT2020, LINEAR)],
)
def test_wide_primaries_made_from_a_picture_look_as_the_picture(tmp_path, primaries, transfer):
    frames, notes = seen(film(tmp_path / "wide.mkv", transfer, primaries, kind="yuv444p12le"), tmp_path / "o.mp4")
    assert difference(frames[0], ramp()) < 2 and not notes


@pytest.mark.parametrize(
    "matrix, full, kind", [(1, False, "yuv444p"), (5, False, "yuv420p10le"), (9, True, "yuv420p10le")]
)
def test_the_matrix_is_another_matter_than_the_primaries(tmp_path, matrix, full, kind):
    source = film(tmp_path / "high.mkv", HLG, BT2020, matrix=matrix, full=full, kind=kind)
    assert difference(seen(source, tmp_path / "o.mp4")[0][0], ramp()) < 6


def test_high_range_without_a_matrix_or_primaries_is_bt2020(tmp_path):
    frame = frame_of(signals(ramp(), PQ, BT2020), "yuv444p10le", 9)
    source = write(tmp_path / "bare.mkv", [frame] * 2, "ffv1", color_trc=PQ, color_range=1)
    assert difference(seen(source, tmp_path / "o.mp4")[0][0], ramp()) < 3.5


def test_what_is_written_is_bt709_and_says_so(tmp_path):
    source = film(tmp_path / "phone.mov", HLG, BT2020, kind="yuv420p10le", codec="libx265")
    seen(source, tmp_path / "o.mp4")
    frame = decoded(tmp_path / "o.mp4")[0]
    assert (frame.colorspace, frame.color_trc, frame.color_primaries, frame.color_range) == (1, 1, 1, 1)
    shown = frame.to_ndarray(format="rgb24", src_colorspace=1, dst_color_range=2)
    assert difference(shown, ramp()) < 7  # 4:2:0 and the encoders' loss on top


def test_common_colours_are_not_touched(tmp_path, monkeypatch):
    monkeypatch.setattr(Conversion, "__call__", lambda *given: pytest.fail("converted"))
    for primaries, transfer in ((1, 1), (2, 2), (2, 6), (1, 6), (1, 13)):
        frame = frame_of(ramp(), "yuv444p", 1)
        source = write(
            tmp_path / "plain.mkv", [frame] * 2, "ffv1", color_trc=transfer, color_primaries=primaries, colorspace=1
        )
        assert difference(seen(source, tmp_path / "o.mp4")[0][0], ramp()) < 1.5


@pytest.mark.parametrize("transfer", [HLG, PQ])
def test_highlights_keep_their_order_and_hue_and_end_in_white(transfer):
    nits = np.array([50.0, 203 * KNEE, 203.0, 400.0, 1000.0])
    grey = encoded(np.repeat(nits[:, None], 3, axis=1) / 203, transfer).clip(0, 1)
    shown = to_bt709(grey, Colours(transfer, BT2020))
    np.testing.assert_allclose(shown, shown[:, :1].repeat(3, axis=1), atol=2e-4)  # grey stays grey
    assert (np.diff(shown[:, 0]) > 0).all() and shown[-1, 0] > 0.985
    np.testing.assert_allclose(
        shown[:2, 0], (nits[:2] / 203) ** (1 / SCREEN_GAMMA), atol=1e-3
    )  # below the knee, as it is
    red = to_bt709(encoded(np.array([4.0, 0.4, 0.4]) @ FROM_709[BT2020].T, transfer)[None], Colours(transfer, BT2020))
    assert red[0, 1] / red[0, 0] == pytest.approx(0.1 ** (1 / SCREEN_GAMMA), abs=0.02)


@pytest.mark.parametrize(
    "colours", [Colours(PQ, BT2020), Colours(HLG, BT2020), Colours(SRGB, DISPLAY_P3), Colours(SRGB, DCI_P3)]
)
def test_the_table_is_the_formula(colours):
    picture = signals(ramp(), colours.transfer, colours.primaries)
    conversion = Conversion(colours)
    for _ in range(2):
        found = conversion(picture) / 257
    wanted = to_bt709(picture / 65535, colours) * 255
    assert np.abs(found - wanted).mean() < 0.6 and np.percentile(np.abs(found - wanted), 95) < 3
    assert conversion(picture[:20, :30]).shape == (20, 30, 3)  # of another size in between


def test_transparency_and_wide_colours_go_together(tmp_path):
    rgba = np.dstack([ramp(), np.full((48, 64), 255, np.uint8)])
    rgba[:, :20, 3] = 0
    frame = frame_of(rgba, "yuva444p12le", 9)
    source = write(tmp_path / "t.mkv", [frame] * 2, "ffv1", colorspace=9, color_primaries=DISPLAY_P3, color_trc=SRGB)
    shown = seen(source, tmp_path / "o.mp4")[0][0]
    opaque = to_bt709(ramp()[:, 24:] / 255, Colours(SRGB, DISPLAY_P3)) * 255
    assert (shown[:, 2:18] >= 253).all() and difference(shown[:, 24:], opaque) < 3
