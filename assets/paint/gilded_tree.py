"""A golden tree whose boughs roll up into spirals, hung with eyes, leaves and jewels."""

import numpy as np
from PIL import Image, ImageDraw

from . import canvas, light, noise, palette
from .brush import Panel, Passage, Scene

GOLD = ["#5f3a14", "#8f5f1f", "#b8842a", "#d6a53a", "#ecc75a", "#f8e29a"]
MEADOW = ["#123a3a", "#1f5a4f", "#2f7a5f", "#6f9f4a", "#b8b44a"]
BARK = ["#3a1d10", "#6f4120", "#a87432", "#d9a94a"]
JEWELS = ["#b3202a", "#1f5f9f", "#0f7f6f", "#e8e0d0", "#1a1420", "#d95f2a", "#6f3a8f", "#e0a0b0", "#2fa08f"]
EDGE = "#24120c"
ROOTS = [  # where a bough leaves the trunk, its heading in radians, its length, which way it curls
    ((0.452, 0.66), -2.45, 1.05, -1),
    ((0.548, 0.66), -0.69, 1.05, 1),
    ((0.470, 0.60), -2.25, 1.30, 1),
    ((0.530, 0.60), -0.89, 1.30, -1),
    ((0.488, 0.58), -1.85, 1.25, -1),
    ((0.512, 0.58), -1.29, 1.25, 1),
]


class Sheet:
    """Gold leaf being drawn on: colours on one picture, raised line on another."""

    def __init__(self, panel: Panel):
        """Take over a painted panel."""
        self.unit = panel.sheet[0]
        self.image, self.height = panel.paint, panel.height
        self.pens = ((ImageDraw.Draw(self.image), True), (ImageDraw.Draw(self.height), False))

    def disc(self, centre: np.ndarray, radius: float, colour: str, level: int) -> None:
        """Lay one round spot, raised to a level of the pixel range (0 to 255)."""
        box = [*((centre - radius) * self.unit), *((centre + radius) * self.unit)]
        for pen, coloured in self.pens:
            pen.ellipse(box, fill=colour if coloured else level)

    def shape(self, points: np.ndarray, colour: str, level: int) -> None:
        """Lay one flat shape."""
        corners = [tuple(point) for point in (points * self.unit).tolist()]
        for pen, coloured in self.pens:
            pen.polygon(corners, fill=colour if coloured else level)

    def ribbon(self, path: np.ndarray, widths: np.ndarray, colour: str, level: int) -> None:
        """Lay a line that swells and thins."""
        for start, end, width in zip(path[:-1] * self.unit, path[1:] * self.unit, widths * self.unit, strict=False):
            half = width / 2
            for pen, coloured in self.pens:
                fill = colour if coloured else level
                pen.line((*start, *end), fill=fill, width=max(1, int(width)))
                pen.ellipse((*(start - half), *(start + half)), fill=fill)


def curl(start: np.ndarray, heading: float, length: float, sense: float, turns: float) -> np.ndarray:
    """Draw a line that bends ever more tightly until it has rolled itself up."""
    s = np.linspace(0, 1, 110)
    bend = heading + sense * turns * 2 * np.pi * (0.12 * s + 0.88 * s**2.6)
    pace = (1 - 0.72 * s) * length / len(s)
    steps = np.stack([np.cos(bend), np.sin(bend)], axis=1) * pace[:, None]
    return start + np.cumsum(steps, axis=0)


def boughs(start, heading: float, length: float, width: float, sense: float, depth: int, rng) -> list:
    """Grow one bough and the smaller ones that leave it, each curling the other way."""
    path = curl(np.array(start), heading, length, sense, rng.uniform(1.75, 2.2))
    grown = []
    if depth:
        for place in np.linspace(14, 62, 4 if depth > 1 else 3).astype(int):
            ahead = path[place + 1] - path[place]
            away = -sense * rng.uniform(0.35, 0.75)
            size = length * rng.uniform(0.42, 0.60) * (1 - 0.004 * place)
            heading = np.arctan2(ahead[1], ahead[0]) + away
            grown += boughs(path[place], heading, size, width * 0.58, -sense, depth - 1, rng)
    return [*grown, (path, width * np.linspace(1.0, 0.30, len(path)), sense)]


def draw_bough(sheet: Sheet, path: np.ndarray, widths: np.ndarray, rng: np.random.Generator) -> None:
    """Outline a bough darkly, gild it, and bind it with small bands."""
    sheet.ribbon(path, widths + 0.0055, EDGE, 120)
    sheet.ribbon(path, widths, BARK[int(rng.integers(1, 3))], 200)
    sheet.ribbon(path, widths * 0.42, BARK[3], 250)
    forward = np.gradient(path, axis=0)
    forward /= np.linalg.norm(forward, axis=1, keepdims=True) + 1e-9
    for place in range(4, len(path) - 30, 7):
        across = np.array([-forward[place, 1], forward[place, 0]]) * widths[place] * 0.5
        band = np.stack([path[place] - across, path[place] + across])
        sheet.ribbon(band, np.full(2, 0.0022), EDGE, 150)


def ornament(sheet: Sheet, centre: np.ndarray, size: float, rng: np.random.Generator, eyes: float = 0.06) -> None:
    """Hang one jewel: an eye, a ringed disc, a leaf or a pair of triangles."""
    kind, turn = rng.choice(4, p=[eyes, 0.54 - eyes, 0.30, 0.16]), rng.uniform(0, 2 * np.pi)
    first, second, third = rng.choice(JEWELS, 3, replace=False)
    ring = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rotate = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    if kind == 0:
        lens = np.stack([np.cos(ring) * 1.5, np.sin(ring) * np.abs(np.sin(ring)) * 0.85], axis=1) @ rotate
        sheet.shape(centre + lens * size * 1.15, EDGE, 130)
        sheet.shape(centre + lens * size, JEWELS[3], 230)
        for part, colour in ((0.56, first), (0.32, EDGE), (0.12, JEWELS[3])):
            sheet.disc(centre, size * part, colour, 200)
    elif kind == 1:
        for part, colour in ((1.12, EDGE), (1.0, first), (0.74, GOLD[4]), (0.56, second), (0.28, GOLD[5])):
            sheet.disc(centre, size * part, colour, int(150 + 70 * part))
    elif kind == 2:
        leaf = np.stack([np.cos(ring) * 1.25, np.sin(ring) * 0.5 * (1.2 + np.cos(ring))], axis=1) @ rotate
        for part, colour in ((1.12, EDGE), (1.0, first), (0.55, second), (0.25, GOLD[5])):
            sheet.shape(centre + leaf * size * part, colour, int(230 - 60 * part))
    else:
        corner = np.array([(-1, 0.75), (1, 0.75), (0, -0.95)])
        for part, colour in ((1.2, EDGE), (1.0, first), (0.55, third)):
            sheet.shape(centre + corner @ rotate * size * part, colour, int(230 - 60 * part))


def ground(size: tuple[int, int], rng: np.random.Generator) -> Panel:
    """Beat gold leaf over the sheet in small curling touches, and a dark meadow below."""
    x, y = canvas.places(size)
    swirl = np.arctan2(x - 0.5, 0.55 - y) + 0.5 * noise.clouds(x.shape, 4, rng, 2)
    glow = 0.76 - 0.6 * ((x - 0.5) ** 2 + (y - 0.42) ** 2) + 0.17 * noise.clouds(x.shape, 7, rng)
    gold = Passage(np.ones_like(x, dtype=bool), GOLD, glow, swirl)
    edge = 0.845 + 0.02 * np.sin(x * 8 + 1)
    grass = Passage(y > edge, MEADOW, 0.5 + 0.25 * noise.clouds(x.shape, 12, rng), -1.2 + 0.5 * swirl)
    scene = Scene([gold, grass])
    sheet = canvas.enlarged(size)
    panel = Panel(sheet, GOLD[2])
    panel.cover(scene, sheet[0] / 60, sheet[0] / 62, sheet[0] / 22, rng, scatter=0.8)
    panel.cover(scene, sheet[0] / 95, sheet[0] / 120, sheet[0] / 42, rng, scatter=0.9)
    return panel


def strand(path: np.ndarray, heading: float) -> np.ndarray:
    """Lead a bough down into the meadow, so that all of them together make the trunk."""
    start = path[0]
    root = np.array([0.5 + (start[0] - 0.5) * 2.3, 0.93])
    bend = start - 0.20 * np.array([np.cos(heading), np.sin(heading)])
    t = np.linspace(0, 1, 40)[:, None]
    return np.concatenate([(1 - t) ** 2 * root + 2 * (1 - t) * t * bend + t**2 * start, path])


def paint(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Gild the ground, grow the tree, hang the jewels, and let light glance off the leaf."""
    panel = ground(size, rng)
    sheet = Sheet(panel)
    for _ in range(70):
        ornament(sheet, rng.uniform((0, 0), (1, 0.84)), rng.uniform(0.008, 0.014), rng)
    grown = []
    for start, heading, length, sense in ROOTS:
        *twigs, (path, widths, _) = boughs(start, heading, length, 0.030, sense, 2, rng)
        grown += [*twigs, (strand(path, heading), np.concatenate([np.linspace(1.3, 1, 40) * widths[0], widths]), sense)]
    grown.sort(key=lambda bough: bough[1][0])
    for path, widths, _ in grown:
        draw_bough(sheet, path, widths, rng)
    for path, widths, _ in grown[::2]:
        if widths[0] < 0.03:
            ornament(sheet, path[int(rng.integers(20, 100))], rng.uniform(0.010, 0.018), rng)
    for _ in range(300):
        spot = np.array([rng.uniform(0, 1), rng.uniform(0.865, 1.0)])
        ornament(sheet, spot, 0.004 + 0.11 * (spot[1] - 0.84), rng, eyes=0)
    x, y = canvas.places(panel.sheet)
    lit = panel.lit(6.0, shine=0.35) * light.vignette(x, y, 0.20)
    lit = lit * (1 + 0.04 * noise.grain(x.shape, rng))[..., None]
    return canvas.finish(canvas.to_image(lit * palette.rgb("#fff6e6")), size)
