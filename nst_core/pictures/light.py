"""Brings light of high dynamic range and of wide gamuts to that of BT.709, which pictures and screens have.

One way for films and pictures: what is darker than KNEE is shown as it is, highlights are compressed towards white.
A clip at white, as viewers of OpenEXR begin with, would leave flat patches of a wrong hue, which are painted as such.

Source: ITU-R BT.2100 (HLG and PQ), BT.2408 (white at 203 cd/m²), BT.601, BT.709, BT.2020, SMPTE EG 432-1 (P3),
IEC 61966-2-1.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

# Numbers of transfer characteristics and of primaries, of ITU-T H.273 and ffmpeg.
LINEAR, PQ, HLG = 8, 16, 18
BT709, PAL, NTSC, SMPTE_240M, BT2020, DCI_P3, DISPLAY_P3 = 1, 5, 6, 7, 9, 11, 12

P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
SMPTE_C = ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
PRIMARIES = {  # (x, y) of red, green and blue
    BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    PAL: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    NTSC: SMPTE_C,
    SMPTE_240M: SMPTE_C,
    BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    DCI_P3: P3,
    DISPLAY_P3: P3,
}
D65 = (0.3127, 0.3290)  # white, of all of them: DCI's own, of the cinema, would be greenish on a screen

REFERENCE_WHITE = 203  # cd/m²; BT.2408: what is as bright as paper
COMMON_WHITE = 100  # cd/m²; of screens of the common range, which some programs keep
COMMON_GAMMA = 2.4  # BT.1886
HLG_PEAK = 1000  # cd/m² of the screen that HLG is shown on, for which its gamma is 1.2
LUMINANCE = np.array((0.2627, 0.6780, 0.0593))  # of BT.2020's red, green and blue
KNEE = 0.9  # of white; above, highlights are compressed, so that what is white elsewhere stays within 6 of 255 of it
SCREEN_GAMMA = 2.25  # within 6 of 255 both of sRGB's curve and of BT.1886's 2.4, by which such films are made
STRIP_PIXELS = 2**16  # encoded at a time
BRIGHTEST = 1e9  # times white; no more is told apart, nor does it overflow

Curve = Callable[[np.ndarray], np.ndarray]


class NotFinite(ValueError):
    """A picture holds numbers that are infinite or none."""


class Colours(NamedTuple):
    """Says how RGB is meant.

    Attributes:
        transfer: by H.273's number.
        primaries: by H.273's number.
        common: PQ or HLG, in which there is but what was put there from the common range; see `common_light`.
    """

    transfer: int
    primaries: int
    common: bool = False


class HighRange:
    """Brings pictures of Pillow's of high dynamic range to sRGB, as a profile's transform does."""

    def __init__(self, colours: Colours):
        self._colours = colours

    def apply(self, picture: Image.Image) -> Image.Image:
        """Convert a picture of mode RGB or L to RGB."""
        pixels = np.asarray(picture.convert("RGB"))
        return Image.fromarray(_shown(pixels, lambda strip: bt709_light(strip / np.float32(255), self._colours)))


def bt709_light(signal: np.ndarray, colours: Colours) -> np.ndarray:
    """Compute the light of BT.709's primaries of signals (…, 3) in [0, 1]; white is 1, and there is brighter."""
    light = (common_light if colours.common else linear_light)(signal, colours.transfer)
    return light @ (np.linalg.inv(_to_xyz(BT709)) @ _to_xyz(colours.primaries)).T


def compressed(light: np.ndarray) -> np.ndarray:
    """Bring light (…, 3) to [0, 1]: hues and the order of highlights stay, which end in white."""
    brightest = light.max(axis=-1, keepdims=True).clip(1e-6)
    over = (brightest - KNEE).clip(0) / (1 - KNEE)
    return (light * (np.where(over, KNEE + (1 - KNEE) * over / (1 + over), brightest) / brightest)).clip(0, 1)


def srgb_signal(light: np.ndarray) -> np.ndarray:
    """Encode light in [0, 1] by sRGB's curve."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def srgb_light(signal: np.ndarray) -> np.ndarray:
    """Decode signals in [0, 1] by sRGB's curve."""
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def shown_light(
    pixels: np.ndarray, matrix: np.ndarray | None = None, *, curve: Curve | None = None, associated: bool = False
) -> np.ndarray:
    """Compress and encode a picture of light, (H, W, 3 or 4), of floats of any size, as (H, W, 3 or 4) uint8.

    Args:
        pixels: light, 1 is white, and how opaque it is.
        matrix: (3, 3), to light of BT.709's primaries; None where it is of them.
        curve: what makes light of the numbers; None where they are light.
        associated: whether the light is multiplied by how opaque it is.

    Raises:
        NotFinite: a number is infinite or none.
    """

    def light_of(strip: np.ndarray) -> np.ndarray:
        strip = strip.astype(np.float32)
        light, opaque = strip[..., :3], strip[..., 3:]
        if associated and opaque.size:
            light = light / np.where(opaque > 0, opaque, 1)
        light = light if curve is None else curve(light)
        light = light if matrix is None else light @ matrix.T.astype(np.float32)
        if not (np.isfinite(light).all() and np.isfinite(opaque).all()):
            raise NotFinite
        return np.concatenate([light.clip(-BRIGHTEST, BRIGHTEST), opaque], axis=-1)

    return _shown(pixels, light_of)


def _shown(pixels: np.ndarray, light_of: Curve) -> np.ndarray:
    """Compress and encode the light of pixels (H, W, 3 or 4), some rows at a time, as uint8 of that shape."""
    shown = np.empty(pixels.shape, np.uint8)
    rows = max(1, STRIP_PIXELS // pixels.shape[1])
    for top in range(0, len(pixels), rows):
        light, strip = light_of(pixels[top : top + rows]), shown[top : top + rows]
        strip[..., :3] = (srgb_signal(compressed(light[..., :3])) * 255).round()
        strip[..., 3:] = (light[..., 3:].clip(0, 1) * 255).round()
    return shown


def linear_light(signal: np.ndarray, transfer: int) -> np.ndarray:
    """Compute the light of a screen that shows signals (…, 3) in [0, 1]; white is 1."""
    if transfer == LINEAR:
        return signal
    if transfer == PQ:
        return _pq_light(signal) / REFERENCE_WHITE
    if transfer == HLG:
        scene = _hlg_scene(signal)
        return HLG_PEAK / REFERENCE_WHITE * scene * (scene @ LUMINANCE)[..., None] ** 0.2
    return signal**SCREEN_GAMMA


def common_light(signal: np.ndarray, transfer: int) -> np.ndarray:
    """Compute the light, of which 1 is white, of signals of PQ or HLG made of the common range with white at 100 cd/m².

    ffmpeg's zscale does that if nobody names another white. Of HLG it takes the power of 1.2 of red, green and blue,
    each for itself, where BT.2100 multiplies all by a power of the luminance.
    """
    if transfer == PQ:
        return _pq_light(signal) / COMMON_WHITE
    return HLG_PEAK / COMMON_WHITE * _hlg_scene(signal) ** 1.2


def _pq_light(signal: np.ndarray) -> np.ndarray:
    """BT.2100, table 4: cd/m²."""
    root = signal ** (32 / 2523)
    return 10000 * ((root - 0.8359375).clip(0) / (18.8515625 - 18.6875 * root)) ** (8192 / 1305)


def _hlg_scene(signal: np.ndarray) -> np.ndarray:
    """BT.2100, table 5: light before the camera, up to 1."""
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12)


def _to_xyz(primaries: int) -> np.ndarray:
    """Compute the matrix (3, 3) from light of these primaries to XYZ; their sum is white."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in (*PRIMARIES[primaries], D65)]).T  # (3, 4)
    return columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])
