"""A night sky turning over a sleeping valley, in thick strokes of blue and gold."""

import numpy as np
from PIL import Image

from . import canvas, noise
from .brush import Panel, Passage, Scene

SKY = ["#0b1a4a", "#12307a", "#1d4ea3", "#2f72c4", "#4f9bd6", "#8cc7dd", "#cfe6d2"]
GLOW = ["#3d86b8", "#6fb7a8", "#b9d27a", "#f2d34b", "#f9b62c", "#fdf0a8"]
FAR_HILLS = ["#101f45", "#1b3563", "#2a5480", "#3f7a94"]
FIELDS = ["#0d2a33", "#164a45", "#2f6f4c", "#6b9a4a", "#a9b95a"]
CYPRESS = ["#050f14", "#0d2420", "#1c3a24", "#3d5426", "#6f5a2a"]
WALLS = ["#243a5c", "#3d5c7f", "#6f87a0"]
ROOFS = ["#3a1e2b", "#6b2f2a", "#a84a2c"]
WINDOWS = ["#f7a823", "#ffd85a", "#fff0a0"]
STARS = [  # x, y, radius: parts of the picture's width
    (0.82, 0.13, 0.125),
    (0.60, 0.075, 0.058),
    (0.44, 0.14, 0.05),
    (0.30, 0.07, 0.055),
    (0.67, 0.24, 0.045),
    (0.92, 0.33, 0.055),
    (0.055, 0.13, 0.05),
    (0.36, 0.30, 0.042),
    (0.09, 0.33, 0.045),
]
WHIRLS = [(0.50, 0.245, 0.15, 1.0), (0.27, 0.20, 0.10, -1.0), (0.74, 0.36, 0.08, 1.0)]  # x, y, radius, sense


def sky(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> Passage:
    """Let a wind blow across the sky and curl into whirls, with light caught in their arms."""
    wind_x = np.ones_like(x)
    wind_y = 0.5 * np.cos(x * 9 + 1) + 0.25 * noise.clouds(x.shape, 3, rng, 2)
    tone = 0.34 + 0.12 * noise.clouds(x.shape, 5, rng) + 0.12 * np.sin(y * 60 + 3 * np.sin(x * 9 + 1))
    for centre_x, centre_y, radius, sense in WHIRLS:
        right, down = x - centre_x, y - centre_y
        distance = np.hypot(right, down) + 1e-4
        pull = 5 * np.exp(-((distance / radius) ** 2))
        wind_x += sense * -down / distance * pull - 0.25 * pull * right / distance
        wind_y += sense * right / distance * pull - 0.25 * pull * down / distance
        arms = np.cos(sense * np.arctan2(down, right) * 2 - 7 * np.log(distance / radius))
        tone += (0.10 + 0.30 * arms) * np.exp(-((distance / radius) ** 4))
    for centre_x, centre_y, radius in STARS:
        right, down = x - centre_x, y - centre_y
        distance = np.hypot(right, down) + 1e-4
        pull = 6 * np.exp(-((distance / (1.5 * radius)) ** 4))
        wind_x, wind_y = wind_x - down / distance * pull, wind_y + right / distance * pull
        tone += 0.22 * np.exp(-((distance / (1.9 * radius)) ** 2))
    return Passage(np.ones_like(x, dtype=bool), SKY, tone, np.arctan2(wind_y, wind_x))


def glows(x: np.ndarray, y: np.ndarray) -> list[Passage]:
    """Ring each star, and the moon, with circling light that pales towards the middle."""
    passages = []
    for centre_x, centre_y, radius in STARS:
        right, down = x - centre_x, y - centre_y
        distance = np.hypot(right, down)
        tone = 1.0 - distance / radius + 0.10 * np.cos(distance / radius * 18)
        passages.append(Passage(distance < radius, GLOW, tone, np.arctan2(right, -down)))
    return passages


def land(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> list[Passage]:
    """Roll the hills towards us, each edge guiding the strokes beneath it."""
    passages = []
    edges = [
        (0.50 + 0.05 * np.sin(x * 5.2 + 0.6) + 0.025 * np.sin(x * 13 + 2), FAR_HILLS),
        (0.575 + 0.025 * np.sin(x * 7 + 3.6) + 0.012 * np.sin(x * 17), FAR_HILLS[1:] + FIELDS[2:4]),
        (0.635 + 0.02 * np.sin(x * 6 + 1.2), FIELDS),
        (0.70 + 0.022 * np.sin(x * 5 + 4.4), FIELDS),
    ]
    for edge, colours in edges:
        depth = y - edge
        tone = 0.8 - 6 * depth + 0.16 * noise.clouds(x.shape, 9, rng, 3) + 0.14 * np.sin(depth * 190)
        angle = np.arctan(np.gradient(edge[0], x[0, 1] - x[0, 0]))[None].repeat(len(x), 0) + depth * 2
        passages.append(Passage(depth > 0, colours, tone, angle))
    return passages


def village(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> list[Passage]:
    """Huddle small houses around a church, with lamps in the windows."""
    passages = []
    for place in sorted(rng.uniform(0.34, 0.9, 13), key=lambda place: abs(place - 0.6), reverse=True):
        foot = 0.665 + rng.uniform(-0.012, 0.022)
        wide, tall = rng.uniform(0.018, 0.03), rng.uniform(0.018, 0.032)
        right, up = np.abs(x - place), foot - y
        shade = np.where(x > place, 0.75, 0.25)
        upright, slope = np.full_like(x, np.pi / 2), np.where(x > place, 0.7, -0.7)
        passages.append(Passage((right < wide) & (up > 0) & (up < tall), WALLS, shade, upright))
        roof = (up >= tall) & (up < tall + (wide * 1.15 - right) * 0.9)
        passages.append(Passage(roof, ROOFS, shade, slope))
        for pane in (-0.45, 0.45):
            lamp = (np.abs(x - place - pane * wide) < 0.0055) & (np.abs(up - tall * 0.5) < 0.007)
            passages.append(Passage(lamp, WINDOWS, shade, upright))
    right, up = np.abs(x - 0.6), 0.668 - y
    passages.append(Passage((right < 0.011) & (up > 0) & (up < 0.085), WALLS, np.full_like(x, 0.6), upright))
    spire = (up >= 0.085) & (right < (0.175 - up) * 0.13)
    passages.append(Passage(spire, ROOFS + WALLS[:1], np.full_like(x, 0.5), upright))
    return passages


def cypress(x: np.ndarray, y: np.ndarray) -> list[Passage]:
    """Raise dark flames of cypress in the foreground, their edges licking upwards."""
    passages = []
    for trunk, top, foot, wide in [(0.205, 0.34, 0.80, 0.035), (0.145, 0.15, 0.80, 0.062)]:
        up = np.clip((foot - y) / (foot - top), 0, 1)
        middle = trunk + 0.010 * np.sin(up * 9)
        body = wide * np.sqrt(np.sin(np.pi * np.clip(up * 0.86 + 0.13, 0, 1)))
        body = body * (1 - 0.5 * up) * (1 + 0.20 * np.sin(up * 46 + np.sign(x - middle) * 1.5))
        side = (x - middle) / (wide + 1e-6)
        tone = 0.42 + 0.35 * side + 0.25 * np.sin(side * 9 + up * 16)
        angle = -np.pi / 2 + 0.45 * np.sin(up * 20 + side * 2) - 0.25 * side
        passages.append(Passage((np.abs(x - middle) < body) & (up > 0) & (up < 1), CYPRESS, tone, angle))
    return passages


def paint(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Block in broadly, then go over it with ever finer strokes."""
    sheet = canvas.enlarged(size)
    x, y = canvas.places(size)
    heavens = [sky(x, y, rng), *glows(x, y)]
    ground = land(x, y, rng)
    scene = Scene([*heavens, *ground, *village(x, y, rng), *cypress(x, y)])
    unit = sheet[0] / 1000
    panel = Panel(sheet, SKY[1])
    panel.cover(scene, 20 * unit, 26 * unit, 110 * unit, rng)
    panel.cover(scene, 13 * unit, 13 * unit, 62 * unit, rng)
    small = list(range(1, len(scene.palettes)))
    panel.cover(scene, 8 * unit, 7 * unit, 30 * unit, rng, scatter=0.5, only=small)
    tiny = list(range(len(heavens) + len(ground), len(scene.palettes) - 2))
    panel.cover(scene, 3.5 * unit, 4 * unit, 12 * unit, rng, scatter=0.4, only=tiny)
    return canvas.finish(canvas.to_image(panel.lit()), size)
