"""White birches in a burning autumn wood, laid on in flat slabs with a palette knife."""

import numpy as np
from PIL import Image

from . import canvas, noise, palette
from .brush import Panel, Passage, Scene

LEAVES = ["#2a1233", "#5c1430", "#9c1f2a", "#d23f1f", "#f06f1a", "#fa9f1e", "#ffcf45", "#ffeb9a"]
GLADE = ["#2f7f8f", "#5fb0b0", "#a9d6c0", "#f2ecb8", "#fff6d0"]
FLOOR = ["#1c1338", "#3b1f55", "#6a2450", "#a8323a", "#d9602a", "#f39a35"]
POND = ["#0f1f4a", "#1b3f74", "#2b6f98", "#59a5b5", "#f0a550", "#ffd98a"]
BARK = ["#2c2f5c", "#6a6f9c", "#a8b4cf", "#dfe4e6", "#fbf6ea", "#fff3d6"]
SCARS = ["#0d0b1a", "#241c33", "#4a3048"]
FLOOR_AT, POND_AT = 0.70, 0.80  # parts of the picture's width


def wood(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> list[Passage]:
    """Let the leaves glow brightest around a glade in the middle, and darken to the sides and floor."""
    glow = np.exp(-(((x - 0.54) / 0.27) ** 2) - ((y - 0.36) / 0.33) ** 2)
    clumps = noise.clouds(x.shape, 6, rng, 4)
    tone = 0.24 + 0.58 * glow + 0.16 * clumps
    turn = 1.4 * noise.clouds(x.shape, 9, rng, 2)
    passages = [Passage(np.ones_like(x, dtype=bool), LEAVES, tone, turn)]
    gaps = glow + 0.16 * noise.clouds(x.shape, 11, rng, 3) > 0.92
    passages.append(Passage(gaps, GLADE, 0.2 + 0.7 * glow, turn))
    edge = FLOOR_AT + 0.015 * np.sin(x * 9) + 0.012 * noise.clouds(x.shape, 8, rng, 2)
    tone = 0.25 + 0.45 * glow.max(axis=0) + 0.2 * noise.clouds(x.shape, 12, rng, 3)
    passages.append(Passage(y > edge, FLOOR, tone, 0.15 * clumps))
    return passages


def pond(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> Passage:
    """Mirror the glade in still water, broken into level slabs."""
    shore = POND_AT + 0.05 * (x - 0.5) ** 2 * 4 + 0.012 * np.sin(x * 14 + 1)
    glow = np.exp(-(((x - 0.54) / 0.20) ** 2))
    tone = 0.12 + 0.75 * glow - 0.9 * (y - shore) + 0.17 * noise.clouds(x.shape, 10, rng, 3)
    return Passage(y > shore, POND, tone, np.zeros_like(x))


def trunk(x: np.ndarray, y: np.ndarray, place: float, wide: float, foot: float, rng) -> list[Passage]:
    """Stand one birch: lit on the side of the glade, scarred with dark eyes and bands."""
    middle = place + 0.012 * np.sin(y * rng.uniform(3, 6) + rng.uniform(0, 6)) + (foot - y) * rng.uniform(-0.05, 0.05)
    half = wide * (0.72 + 0.28 * y / foot) * (1 + 0.5 * np.clip((y - foot + 0.03) / 0.03, 0, 1))
    side = (x - middle) / half
    facing = np.where(place < 0.54, side, -side)
    tone = 0.58 + 0.42 * facing + 0.05 * noise.clouds(x.shape, 14, rng, 2)
    body = (np.abs(side) < 1) & (y < foot)
    passages = [Passage(body, BARK, tone, np.full_like(x, 0.12))]
    for _ in range(int(9 + 160 * wide)):
        height, reach = rng.uniform(0, foot), rng.uniform(0.3, 1.3)
        start = rng.choice([-1.0, 1.0])
        scar = (np.abs(side - start) < reach) & (np.abs(y - height) < wide * rng.uniform(0.05, 0.22))
        passages.append(Passage(body & scar, SCARS, np.full_like(x, 0.4), np.full_like(x, 0.1)))
    below = y - POND_AT - 0.035
    sway = (x - middle) / wide + 0.35 * np.sin(y * 70 + place * 40)
    image = (np.abs(sway) < 0.95 - 2.5 * below) & (below > 0) & (np.sin(y * 150 + place * 30) > -0.45)
    passages.append(Passage(image, BARK[:5], 0.55 + 0.3 * sway, np.zeros_like(x)))
    return passages


def birches(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> list[Passage]:
    """Set thin trunks far off and stout ones near."""
    passages = []
    for place in (0.33, 0.42, 0.61, 0.68, 0.48, 0.76, 0.27):
        passages += trunk(x, y, place, rng.uniform(0.006, 0.011), FLOOR_AT + rng.uniform(0.005, 0.03), rng)
    for place, wide, foot in [(0.13, 0.030, 0.79), (0.235, 0.019, 0.755), (0.80, 0.024, 0.77), (0.92, 0.036, 0.82)]:
        passages += trunk(x, y, place, wide, foot, rng)
    return passages


def loose_leaves(panel: Panel, rng: np.random.Generator, unit: float) -> None:
    """Flick single leaves over the trunks and the water."""
    rough = noise.clouds((100, 100), 7, rng, 3)
    for _ in range(2600):
        spot = rng.uniform(0, 1, 2) * panel.sheet
        high = spot[1] / panel.sheet[1]
        row, column = int(high * 99), int(spot[0] / panel.sheet[0] * 99)
        if rough[row, column] < (0.2 if high < 0.6 else 0.9):
            continue
        turn = rng.uniform(0, np.pi) if high < POND_AT else rng.normal(0, 0.15)
        reach = rng.uniform(7, 15) * unit * np.array([np.cos(turn), np.sin(turn)])
        path = spot + np.linspace(0, 1, 4)[:, None] * reach
        colour = palette.rgb(LEAVES[rng.integers(2, len(LEAVES))])
        panel.stroke(path, rng.uniform(6, 11) * unit, colour, rng, streak=0.03)


def paint(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Spread the wood broadly, cut the trunks over it, and finish with loose leaves."""
    sheet = canvas.enlarged(size)
    x, y = canvas.places(size)
    ground = [*wood(x, y, rng), pond(x, y, rng)]
    scene = Scene(ground + birches(x, y, rng))
    unit = sheet[0] / 1000
    panel = Panel(sheet, LEAVES[1], knife=True)
    panel.cover(Scene(ground), 24 * unit, 36 * unit, 60 * unit, rng, scatter=0.8)
    panel.cover(scene, 14 * unit, 18 * unit, 30 * unit, rng, scatter=0.8)
    trees = list(range(len(ground), len(scene.palettes)))
    panel.cover(scene, 7 * unit, 9 * unit, 26 * unit, rng, scatter=0.5, only=trees)
    panel.cover(scene, 4.5 * unit, 5 * unit, 16 * unit, rng, scatter=0.4, only=trees)
    loose_leaves(panel, rng, unit)
    return canvas.finish(canvas.to_image(panel.lit()), size)
