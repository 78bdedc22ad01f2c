"""Converts colours of high dynamic range and of wide gamuts to those of BT.709, which pictures and screens have.

Source: ITU-R BT.2100 (HLG and PQ), BT.2408 (white at 203 cd/m²), BT.709, BT.2020, SMPTE EG 432-1 (P3).
"""

from fractions import Fraction
from functools import cache
from typing import NamedTuple

import av
import numpy as np

# ffmpeg's numbers of transfer characteristics and of primaries, which are those of ISO/IEC 23091-2.
LINEAR, PQ, HLG = 8, 16, 18
BT709, BT2020, DCI_P3, DISPLAY_P3 = 1, 9, 11, 12

P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
PRIMARIES = {  # (x, y) of red, green and blue
    BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    DCI_P3: P3,
    DISPLAY_P3: P3,
}
D65 = (0.3127, 0.3290)  # white, of all of them: DCI's own, of the cinema, would be greenish on a screen

REFERENCE_WHITE = 203  # cd/m²; BT.2408: what is as bright as paper
HLG_PEAK = 1000  # cd/m² of the screen that HLG is shown on, for which its gamma is 1.2
LUMINANCE = np.array((0.2627, 0.6780, 0.0593))  # of BT.2020's red, green and blue
KNEE = 0.9  # of white; above, highlights are compressed, so that what is white elsewhere stays within 6 of 255 of it
SCREEN_GAMMA = 2.25  # within 6 of 255 both of sRGB's curve and of BT.1886's 2.4, by which such films are made
LEVEL = 8  # of the table: 64 colours along an edge, in a picture of 512×512


class Colours(NamedTuple):
    """Says how a film's RGB is meant, by ffmpeg's numbers."""

    transfer: int
    primaries: int


def colours_of(frame: av.VideoFrame) -> Colours | None:
    """Tell what has to be converted; None where the RGB is BT.709's, or so near it that players show it as such."""
    transfer, primaries = frame.color_trc, frame.color_primaries
    if primaries not in PRIMARIES:
        primaries = BT2020 if transfer in (PQ, HLG) else BT709
    if primaries == BT709 and transfer not in (LINEAR, PQ, HLG):
        return None
    return Colours(transfer, primaries)


class Conversion:
    """Converts RGB of such colours to that of BT.709, by a table in three dimensions (ffmpeg's haldclut)."""

    def __init__(self, colours: Colours):
        self._table, self._count, self._size = _table(colours), 0, (0, 0)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Convert pixels (H, W, 3), uint16, as the film has them, to (H, W, 3), uint16."""
        if pixels.shape[:2] != self._size:
            self._size = pixels.shape[:2]
            self._open()
        self._entry.push(_frame(np.ascontiguousarray(pixels), self._count))
        self._count += 1
        return self._graph.vpull().to_ndarray()

    def _open(self) -> None:
        self._graph = av.filter.Graph()
        sizes = (self._size, self._table.shape[:2])
        film, table = (
            self._graph.add("buffer", video_size=f"{width}x{height}", pix_fmt="rgb48le", time_base="1")
            for height, width in sizes
        )
        haldclut, sink = self._graph.add("haldclut"), self._graph.add("buffersink")
        film.link_to(haldclut, 0, 0)
        table.link_to(haldclut, 0, 1)
        haldclut.link_to(sink)
        self._graph.configure()
        self._entry = film
        table.push(_frame(self._table, 0))
        table.push(None)  # it stays the last


def _frame(pixels: np.ndarray, number: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(pixels, "rgb48le")
    frame.pts, frame.time_base = number, Fraction(1)
    return frame


@cache
def _table(colours: Colours) -> np.ndarray:
    """Lay the table out as a picture, red fastest, (LEVEL³, LEVEL³, 3) uint16."""
    levels = np.linspace(0, 1, LEVEL**2)
    blue, green, red = np.meshgrid(levels, levels, levels, indexing="ij")
    shown = to_bt709(np.stack((red, green, blue), axis=-1), colours)
    return (shown * 65535).round().astype(np.uint16).reshape(LEVEL**3, LEVEL**3, 3)


def to_bt709(signal: np.ndarray, colours: Colours) -> np.ndarray:
    """Convert signals (…, 3) in [0, 1] to BT.709's of the same look, (…, 3) in [0, 1]; highlights end in white."""
    light = linear_light(signal, colours.transfer)
    light = light @ (np.linalg.inv(_to_xyz(BT709)) @ _to_xyz(colours.primaries)).T
    brightest = light.max(axis=-1, keepdims=True).clip(1e-6)
    over = (brightest - KNEE).clip(0) / (1 - KNEE)
    light *= np.where(over, KNEE + (1 - KNEE) * over / (1 + over), brightest) / brightest
    return light.clip(0, 1) ** (1 / SCREEN_GAMMA)


def linear_light(signal: np.ndarray, transfer: int) -> np.ndarray:
    """Compute the light of a screen that shows signals (…, 3) in [0, 1]; white is 1."""
    if transfer == LINEAR:
        return signal
    if transfer == PQ:  # BT.2100, table 4
        root = signal ** (32 / 2523)
        return 10000 / REFERENCE_WHITE * ((root - 0.8359375).clip(0) / (18.8515625 - 18.6875 * root)) ** (8192 / 1305)
    if transfer == HLG:  # BT.2100, table 5
        scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12)
        return HLG_PEAK / REFERENCE_WHITE * scene * (scene @ LUMINANCE)[..., None] ** 0.2
    return signal**SCREEN_GAMMA


def _to_xyz(primaries: int) -> np.ndarray:
    """Compute the matrix (3, 3) from light of these primaries to XYZ; their sum is white."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in (*PRIMARIES[primaries], D65)]).T  # (3, 4)
    return columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])
