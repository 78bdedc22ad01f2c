"""Converts colours of films of high dynamic range and of wide gamuts to those of BT.709, by ffmpeg."""

from fractions import Fraction
from functools import cache

import av
import numpy as np

from nst_core.pictures.light import (
    BT709,
    BT2020,
    COMMON_GAMMA,
    HLG,
    LINEAR,
    PQ,
    PRIMARIES,
    SCREEN_GAMMA,
    Colours,
    bt709_light,
    compressed,
)

LEVEL = 8  # of the table: 64 colours along an edge, in a picture of 512×512


def colours_of(frame: av.VideoFrame, *, common: bool = False) -> Colours | None:
    """Tell what has to be converted; None where the RGB is BT.709's.

    Args:
        common: in PQ or HLG there is but what was put there from the common range.
    """
    transfer, primaries = frame.color_trc, frame.color_primaries
    if primaries not in PRIMARIES:
        primaries = BT2020 if transfer in (PQ, HLG) else BT709
    if primaries == BT709 and transfer not in (LINEAR, PQ, HLG):
        return None
    return Colours(transfer, primaries, common and transfer in (PQ, HLG))


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
    if colours.common:
        return bt709_light(signal, colours).clip(0, 1) ** (1 / COMMON_GAMMA)
    return compressed(bt709_light(signal, colours)) ** (1 / SCREEN_GAMMA)
