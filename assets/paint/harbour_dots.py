"""Boats on a sunset harbour, built from dots of pure colour that mix in the eye."""

import numpy as np
from PIL import Image, ImageDraw

from . import canvas, noise, palette

SKY = ["#35499c", "#4f6fbe", "#7f8fce", "#c69bc0", "#f2a58f", "#fbb65f", "#ffd76a", "#fff0ae"]
WATER = ["#1d2f7a", "#25559c", "#2f82a8", "#5fb0ae", "#e9b98a", "#ffcf62", "#fff2b4"]
HILLS = ["#3b3a8c", "#5a4f9f", "#8a63a8", "#b97aa0"]
SHORE = ["#15233f", "#1e4a4e", "#2f6f4c", "#6f9a3f", "#c9c24f"]
BLOOMS = ["#c21f4f", "#e8472f", "#f78f3a", "#f2a8c0", "#fff0d0"]
SAILS = ["#b4413c", "#e4633a", "#f7a04b", "#ffe9c0"]
HULL = ["#1b1638", "#46204a"]
SPARKS = ["#e8452c", "#1f9aa8", "#f7d23e", "#7a3fa0", "#2f63c4", "#f08fb0", "#3fa35b"]  # pure touches
SUN_AT = (0.40, 0.315)  # parts of the picture's width
HORIZON = 0.385


def sky_and_sea(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fill the air with light around the sun, and lay its broken path on the water."""
    right, down = x - SUN_AT[0], y - SUN_AT[1]
    distance = np.hypot(right, down * 1.25)
    bands = 0.07 * noise.clouds(x.shape, 4, rng, 3) + 0.09 * np.sin(y * 48 + 2.5 * np.sin(x * 6))
    sky = palette.ramp(SKY, 1.02 - distance * 1.75 + bands * np.clip(distance * 6, 0.2, 1))
    sky[distance < 0.052] = palette.rgb("#fffbe0")
    near = np.clip(y - HORIZON, 1e-3, None)
    ripple = np.sin(120 * near**0.62 + 3 * np.sin(x * 11 + near * 30) + noise.clouds(x.shape, 7, rng, 2))
    path = np.exp(-((right / (0.05 + 0.42 * near)) ** 2))
    sea = palette.ramp(WATER, 0.27 + 0.50 * path * (0.65 + 0.35 * ripple) + 0.13 * ripple - 0.15 * near)
    return np.where((y > HORIZON)[..., None], sea, sky)


def land(scene: np.ndarray, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> None:
    """Put violet headlands far off and a wooded bank with tall poplars to the right."""
    edge = HORIZON - 0.055 * np.exp(-(((x - 0.95) / 0.30) ** 2)) - 0.045 * np.exp(-(((x - 0.05) / 0.18) ** 2))
    edge = edge + 0.004 * noise.clouds(x.shape, 20, rng, 2)
    hills = (y > edge - 0.004) & (y <= HORIZON)
    scene[hills] = palette.ramp(HILLS, 0.9 - (y - edge) * 12 + 0.2 * np.sin(x * 30))[hills]
    bank = y > 0.66 - 0.20 * np.clip((x - 0.50) / 0.5, 0, 1) ** 1.5 + 0.008 * np.sin(x * 50)
    tone = 0.42 + 0.22 * noise.clouds(x.shape, 16, rng, 4) + 0.10 * np.sin(y * 130 + 3 * np.sin(x * 21))
    scene[bank] = palette.ramp(SHORE, tone)[bank]
    blooms = bank & (noise.clouds(x.shape, 34, rng, 2) > 1.15)
    scene[blooms] = palette.ramp(BLOOMS, 0.5 + 0.35 * noise.clouds(x.shape, 9, rng, 1))[blooms]
    for place, top, wide in [(0.80, 0.10, 0.028), (0.865, 0.045, 0.034), (0.94, 0.085, 0.032), (0.735, 0.20, 0.02)]:
        up = np.clip((0.60 - y) / (0.60 - top), 0, 1)
        half = wide * np.sin(np.pi * np.clip(up, 0.0, 1) ** 0.8 * 0.96 + 0.1) + 0.003
        side = (x - place) / half
        tree = (np.abs(side) < 1 + 0.15 * np.sin(y * 160)) & (up > 0) & (up < 1)
        light = 0.45 - 0.38 * side + 0.14 * np.sin(y * 120 + side * 3)
        scene[tree] = palette.ramp(SHORE, light)[tree]


def boat(scene: np.ndarray, x: np.ndarray, y: np.ndarray, place: float, foot: float, tall: float) -> None:
    """Sail one boat across, with its reflection trembling below."""
    up = foot - y
    for sign, strength in ((1, 1.0), (-1, 0.55)):
        rise = up * sign
        wobble = 0 if sign == 1 else 0.006 * np.sin(y * 260)
        right = x - place + wobble
        slope = 1 - rise / tall
        main = (rise > 0.10 * tall) & (rise < tall) & (right > 0.012 * tall)
        main &= right < 0.46 * tall * np.clip(slope, 0, 1) ** 0.8
        jib = (rise > 0.14 * tall) & (rise < 0.86 * tall) & (right < -0.05 * tall)
        jib &= right > -0.36 * tall * (1 - rise / (0.86 * tall))
        hull = (rise > -0.02 * tall) & (rise < 0.10 * tall) & (np.abs(right) < 0.42 * tall + rise * 0.8)
        for part, colours, tone in ((main, SAILS, slope * 0.9), (jib, SAILS[1:], slope), (hull, HULL, 0 * x + 0.5)):
            colour = palette.ramp(colours, tone)
            scene[part] = scene[part] * (1 - strength) + colour[part] * strength


def dot_layer(panel: Image.Image, scene: np.ndarray, spacing: float, radius: float, odd: float, rng) -> None:
    """Scatter dots over the panel: most near the true colour, some pushed warm or cool, a few pure and opposed."""
    sheet, pen = panel.size, ImageDraw.Draw(panel)
    across, down = np.meshgrid(np.arange(0, sheet[0], spacing), np.arange(0, sheet[1], spacing))
    spots = np.stack([across.ravel(), down.ravel()], axis=-1) + rng.uniform(0, spacing, (across.size, 2))
    spots = rng.permutation(spots)
    scale = scene.shape[1] / sheet[0]
    row = np.clip(spots[:, 1] * scale, 0, scene.shape[0] - 1).astype(int)
    column = np.clip(spots[:, 0] * scale, 0, scene.shape[1] - 1).astype(int)
    true = scene[row, column]
    grey = true.mean(axis=1, keepdims=True)
    vivid = grey + (true - grey) * rng.uniform(1.0, 1.7, (len(true), 1))
    colours = palette.vary(vivid, 0.06, rng)
    sparks = palette.swatches(SPARKS)[rng.integers(0, len(SPARKS), len(true))]
    sparks = sparks - sparks.mean(axis=1, keepdims=True) + grey  # the same light, another hue
    colours = np.where(rng.random((len(true), 1)) < odd, sparks, colours)
    sizes = radius * rng.uniform(0.7, 1.15, len(true))
    for (left, top), colour, size in zip(spots.tolist(), colours, sizes.tolist(), strict=True):
        pen.ellipse((left - size, top - size, left + size, top + size), fill=palette.ink(colour))


def paint(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Compose in flat colour first, then forget it under four layers of dots."""
    sheet = canvas.enlarged(size)
    x, y = canvas.places(size)
    scene = sky_and_sea(x, y, rng)
    land(scene, x, y, rng)
    for place, foot, tall in [(0.17, 0.47, 0.15), (0.30, 0.425, 0.07), (0.56, 0.505, 0.23), (0.68, 0.415, 0.05)]:
        boat(scene, x, y, place, foot, tall)
    unit = sheet[0] / 1000
    panel = Image.new("RGB", sheet, "#e9d6b8")
    for spacing, radius, odd in [(11, 9.0, 0.25), (9, 6.6, 0.22), (7.5, 5.2, 0.16), (7.2, 4.0, 0.12)]:
        dot_layer(panel, scene, spacing * unit, radius * unit, odd, rng)
    return canvas.finish(panel, size)
