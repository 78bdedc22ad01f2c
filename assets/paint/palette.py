"""Mixing colours from short lists of hand-picked hex values."""

from collections.abc import Sequence

import numpy as np


def rgb(hex_colour: str) -> np.ndarray:
    """Turn one hex value such as '#1b3a6b' into three parts of the pixel range (0 to 1)."""
    digits = hex_colour.lstrip("#")
    return np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)], dtype=np.float32) / 255


def swatches(hex_colours: Sequence[str]) -> np.ndarray:
    """Lay several hex values out as the rows of one palette."""
    return np.stack([rgb(colour) for colour in hex_colours])


def ramp(hex_colours: Sequence[str], tone: np.ndarray) -> np.ndarray:
    """Blend smoothly through the palette: tone 0 is its first colour, tone 1 its last."""
    colours = swatches(hex_colours)
    place = np.clip(tone, 0, 1) * (len(colours) - 1)
    stops = np.arange(len(colours))
    return np.stack([np.interp(place, stops, colours[:, c]) for c in range(3)], axis=-1).astype(np.float32)


def broken(hex_colours: Sequence[str], tone: np.ndarray, scatter: float, rng: np.random.Generator) -> np.ndarray:
    """Pick one palette colour for each touch, near its tone but not always the nearest, as broken colour."""
    colours = swatches(hex_colours)
    place = np.clip(tone, 0, 1) * (len(colours) - 1) + rng.normal(0, scatter, np.shape(tone))
    return colours[np.clip(np.rint(place), 0, len(colours) - 1).astype(int)]


def vary(colours: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Warm, cool, lighten or darken each colour by a small chance amount (of the pixel range)."""
    light = rng.normal(0, amount, colours.shape[:-1] + (1,))
    tint = rng.normal(0, amount * 0.4, colours.shape)
    return np.clip(colours + light + tint, 0, 1)


def ink(colour: np.ndarray) -> tuple[int, int, int]:
    """Give Pillow the three whole numbers it draws with."""
    red, green, blue = (int(part * 255 + 0.5) for part in np.clip(colour, 0, 1))
    return red, green, blue
