"""A low sun over a ripe field with poppies, in short strokes that circle the light."""

import numpy as np
from PIL import Image

from . import canvas, noise
from .brush import Panel, Passage, Scene

SKY = ["#fff6b8", "#ffe46b", "#fccb3c", "#f4a73a", "#e98f5a", "#b9a98a", "#6fb3a6", "#3f98a6", "#2b7a9b"]
SUN = ["#f7b42c", "#ffd23f", "#ffe566", "#fff7c2"]
HILLS = ["#3a2f6b", "#5a4790", "#7b63a8", "#a384b5", "#d79aa0"]
TREES = ["#141d3d", "#1d3a52", "#2b5d5a", "#5c8a4e"]
WHEAT = ["#4a2a5e", "#8a4a3c", "#c4742a", "#e59f2c", "#f6c343", "#fce07a"]
POPPIES = ["#7a0f2b", "#b8162c", "#e0301e", "#f75a2a"]
STEMS = ["#16324a", "#1f5a4e", "#4a8a3f"]
SUN_AT = (0.655, 0.265)  # parts of the picture's width
HORIZON = 0.415


def sky(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> list[Passage]:
    """Ring the sun with strokes that go from gold to turquoise as they leave it."""
    right, down = x - SUN_AT[0], y - SUN_AT[1]
    distance = np.hypot(right, down)
    tone = distance * 1.42 - 0.06 + 0.05 * noise.clouds(x.shape, 6, rng) + 0.05 * np.sin(distance * 95)
    angle = np.arctan2(right, -down) + 0.22 * noise.clouds(x.shape, 4, rng, 2)
    disc = Passage(distance < 0.085, SUN, 1.05 - distance * 9, np.arctan2(right, -down))
    return [Passage(np.ones_like(x, dtype=bool), SKY, tone, angle), disc]


def distance_hills(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> list[Passage]:
    """Lay violet hills along the horizon and a few dark trees before them."""
    edge = HORIZON - 0.045 - 0.03 * np.sin(x * 6 + 0.5) - 0.012 * np.sin(x * 15)
    tone = 0.85 - (y - edge) * 9 + 0.15 * noise.clouds(x.shape, 10, rng)
    angle = -np.arctan(0.18 * np.cos(x * 6 + 0.5)) + 0.2
    passages = [Passage(y > edge, HILLS, tone, angle)]
    for place, radius in [(0.06, 0.05), (0.13, 0.075), (0.20, 0.055), (0.90, 0.045), (0.96, 0.06), (0.42, 0.022)]:
        right, down = x - place, (y - HORIZON + radius * 0.9) / 1.25
        ragged = radius * (1 + 0.10 * noise.clouds(x.shape, 30, rng, 2))
        light = 0.45 + (right * 0.6 - down) / radius * 0.4
        flame = -np.pi / 2 + right / radius * 0.9 + 0.5 * noise.clouds(x.shape, 9, rng, 2)
        passages.append(Passage(np.hypot(right, down) < ragged, TREES, light, flame))
    return passages


def field(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> list[Passage]:
    """Run the rows of wheat towards one far point, waving, with poppies along them."""
    near = y - HORIZON
    sway = 0.10 * noise.clouds(x.shape, 5, rng, 2)
    bearing = np.arctan2(near + 0.02, x - 0.60) + sway
    furrow = np.cos(bearing * 26)
    tone = 0.60 + 0.26 * furrow + 0.13 * noise.clouds(x.shape, 14, rng, 3) - 0.25 * near
    lean = np.arctan2(near + 0.05, x - 0.60) + 0.35 * noise.clouds(x.shape, 7, rng, 2)
    passages = [Passage(near > 0, WHEAT, tone, lean)]
    path = np.abs(x - 0.60 + near * 0.55 + 0.05 * np.sin(near * 18)) < 0.006 + near * 0.20
    passages.append(Passage(path & (near > 0), WHEAT[:3] + STEMS[1:], 0.55 + 0.4 * np.sin(near * 120), 0 * x + 0.15))
    for _ in range(130):
        depth = 0.012 + 0.34 * rng.random() ** 1.4
        place, radius = rng.uniform(0, 1), 0.004 + 0.046 * depth
        right, down = x - place, (y - HORIZON - depth) * rng.uniform(1.2, 1.9)
        down = down + right * rng.normal(0, 0.25)
        if rng.random() < 0.35:
            stem = (np.abs(right + down * 0.2) < radius * 0.35) & (down > 0) & (down < radius * 4)
            passages.append(Passage(stem, STEMS, 0.6 + 0 * x, 0 * x + 1.75))
        tone = 0.55 - (right + down) / radius * 0.35
        petals = np.hypot(right, down) < radius * rng.uniform(0.7, 1.3)
        passages.append(Passage(petals, POPPIES, tone, np.arctan2(right, -down) + rng.uniform(-1.2, 1.2)))
    return passages


def paint(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Block in broadly, then go over it with ever finer strokes, the poppies last."""
    sheet = canvas.enlarged(size)
    x, y = canvas.places(size)
    heavens = sky(x, y, rng) + distance_hills(x, y, rng)
    scene = Scene(heavens + field(x, y, rng))
    unit = sheet[0] / 1000
    panel = Panel(sheet, WHEAT[1])
    panel.cover(scene, 20 * unit, 24 * unit, 80 * unit, rng)
    panel.cover(scene, 11 * unit, 13 * unit, 40 * unit, rng)
    small = list(range(1, len(scene.palettes)))
    panel.cover(scene, 8 * unit, 8 * unit, 26 * unit, rng, only=small)
    flowers = list(range(len(heavens) + 2, len(scene.palettes)))
    panel.cover(scene, 4.5 * unit, 6 * unit, 9 * unit, rng, only=flowers)
    return canvas.finish(canvas.to_image(panel.lit()), size)
