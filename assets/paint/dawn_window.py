"""A stained-glass window of a sunrise over hills and a river, with red tulips in front."""

import numpy as np
from PIL import Image

from . import canvas, cells, light, noise, palette

SUN_AT = (0.50, 0.40)  # parts of the picture's width
RAYS = [
    ["#fff1a0", "#ffd23f", "#ff9f1c", "#f2643d", "#c8386b", "#7a2f8f", "#3b2f9e", "#1f3fa8"],
    ["#fff7c8", "#ffe066", "#ffb84a", "#ff7f5a", "#e0558a", "#9a4fb5", "#4f5fd0", "#2f7fd0"],
]
HILLS = [
    ["#1f4f98", "#2f7fb0", "#3fa0a0"],
    ["#0f6f5f", "#1f9a5f", "#5fc05a"],
    ["#0f5f3f", "#2f8f3f", "#9fc83f", "#e0d84a"],
]
RIVER = ["#0f4fa8", "#1f8fd0", "#5fd0e0", "#ffe9a0", "#ffb85a"]
PETALS = ["#a80f2f", "#e01f3a", "#ff4f3a", "#ff8f4a"]
LEAVES = ["#0f6f4f", "#1fa85f", "#6fd05a"]
LEAD = "#17141c"


class Window:
    """The cartoon for a window: which piece lies where, and the colour of the glass there."""

    def __init__(self, x: np.ndarray, y: np.ndarray):
        """Start with one empty pane."""
        self.x, self.y = x, y
        self.piece = np.zeros(x.shape, dtype=np.int32)
        self.glass = np.zeros((*x.shape, 3), dtype=np.float32)

    def fit(self, mask: np.ndarray, pieces: np.ndarray, colours: list[str], tone: np.ndarray, rng) -> None:
        """Cut glass of one palette for an area; each piece gets the mean tone of its place, give or take."""
        local = cells.renumber(np.broadcast_to(pieces, mask.shape)[mask])
        tones = cells.gather(local, np.broadcast_to(tone, mask.shape)[mask])
        tones = tones + rng.normal(0, 0.07, len(tones))
        chosen = palette.vary(palette.ramp(colours, tones), 0.03, rng)
        self.glass[mask] = chosen[local]
        self.piece[mask] = local + self.piece.max() + 1


def sky(window: Window, rng: np.random.Generator) -> None:
    """Send curved rays out from the sun, cut across by rings that widen."""
    right, down = window.x - SUN_AT[0], window.y - SUN_AT[1]
    distance, bearing = np.hypot(right, down), np.arctan2(down, right)
    ray = np.floor((bearing + 0.55 * distance + np.pi) / (2 * np.pi) * 26).astype(int)
    uneven = distance + 0.028 * np.sin(ray * 2.4) * (distance > 0.14)
    ring = np.floor(np.clip(uneven - 0.14, 0, None) ** 0.8 * 9).astype(int) + 1
    for parity in (0, 1):
        area = (ray % 2 == parity) & (distance > 0.105)
        window.fit(area, ray * 100 + ring, RAYS[parity], (distance - 0.10) * 1.8, rng)
    disc = distance <= 0.105
    slices = np.where(distance < 0.052, -1, np.floor((bearing + np.pi) / (2 * np.pi) * 9)).astype(int)
    window.fit(disc, slices, ["#fffbe0", "#ffe98a", "#ffc52f"], distance * 8, rng)


def near_hill(x: np.ndarray) -> np.ndarray:
    """Give the height of the nearest hill's edge, which also hides the river's source."""
    return 0.62 + 0.18 * np.abs(x - 0.47) * np.cos(x * 4 + 0.4)


def hills(window: Window, rng: np.random.Generator) -> None:
    """Overlap three ranges of hills, each of long pieces that lie along its slope."""
    x, y = window.x, window.y
    edges = [
        0.48 + 0.04 * np.sin(x * 7 + 1) + 0.02 * np.sin(x * 15),
        0.54 + 0.06 * np.cos(x * 5.5 - 0.3),
        near_hill(x),
    ]
    for edge, colours, count in zip(edges, HILLS, (22, 26, 40), strict=True):
        mask = y > edge
        along, depth = x[mask], (y - edge)[mask] * 2.3  # stretched: pieces lie along the slope
        sites = cells.relaxed(along, depth, count, rng)
        pieces = np.zeros(x.shape, dtype=np.int32)
        pieces[mask] = cells.nearest(along, depth, sites)
        window.fit(mask, pieces, colours, 0.95 - (y - edge) * 4 + 0.2 * np.sin(x * 17), rng)


def river(window: Window, rng: np.random.Generator) -> None:
    """Wind a river down from the hills, in wavy bands that catch the sun."""
    x, y = window.x, window.y
    near = y - 0.575
    middle = 0.50 + 0.12 * np.sin(near * 13) * np.clip(near * 5, 0, 1)
    half = 0.024 + 0.62 * np.clip(near, 0, None) ** 1.25
    side = (x - middle) / half
    band = np.floor(22 * np.clip(near, 0, None) ** 0.65 + 0.35 * np.sin(side * 4)).astype(int)
    cut = np.floor((side + 0.37 * np.sin(band * 5.0)) * 1.6).astype(int)
    mask = (np.abs(side) < 1) & (y > near_hill(x))
    window.fit(mask, band * 10 + cut, RIVER, 0.72 - 0.75 * np.abs(side) + 0.25 * np.sin(band * 2.1), rng)


def tulip(window: Window, place: float, top: float, scale: float, lean: float, rng: np.random.Generator) -> None:
    """Plant one tulip: stem, two long leaves, and a cup of five petals."""
    x, y = window.x, window.y
    up = np.clip((y - top) / (1 - top), 0, 1)
    stem_x = place + lean * (1 - up) ** 2
    stem = (np.abs(x - stem_x) < 0.010 * scale) & (y > top)
    window.fit(stem, np.floor(up * 5).astype(int), LEAVES, 0.8 - up, rng)
    for sense in (-1, 1):
        rise = np.clip((1.02 - y) / (0.34 * scale + 0.02 * sense), 0, 1)
        spine = place + sense * scale * (0.012 + 0.075 * np.sin(rise * 2.2))
        blade = np.abs(x - spine) < 0.030 * scale * np.sin(3.1 * rise) ** 0.7
        blade &= rise < 1
        window.fit(blade, np.floor(rise * 3).astype(int) * 2 + (x > spine), LEAVES, rise, rng)
    right, down = (x - place - lean) / scale, (y - top) / scale
    for centre, tilt, wide, tone in [(-0.034, -0.30, 0.030, 0.1), (0.034, 0.30, 0.030, 0.35), (0.0, 0.0, 0.032, 0.75)]:
        across = (right - centre) * np.cos(tilt) - (down + 0.005) * np.sin(tilt) * -1
        length = (down + 0.005) * np.cos(tilt) - (right - centre) * np.sin(tilt) * 1
        body = np.clip((length + 0.085) / 0.135, 0, 1)
        petal = np.abs(across) < wide * np.sin(np.pi * body**0.75) * 1.05
        petal &= (body > 0) & (body < 1)
        window.fit(petal, (body > 0.55).astype(int), PETALS, tone + 0.5 * (1 - body), rng)


def paint(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Cut the glass, streak it, set it in lead, and hold the window to the light."""
    sheet = canvas.enlarged(size)
    x, y = canvas.places(sheet)
    window = Window(x, y)
    for step in (sky, hills, river):
        step(window, rng)
    flowers = [(0.10, 0.66, 0.95, 0.02), (0.235, 0.77, 0.85, -0.02), (0.90, 0.63, 1.0, -0.02), (0.775, 0.76, 0.9, 0.02)]
    for place, top, scale, lean in [*flowers, (0.985, 0.80, 0.8, 0.0), (0.02, 0.82, 0.8, 0.0)]:
        tulip(window, place, top, scale, lean, rng)
    lead = cells.seams(window.piece, int(sheet[0] / 310), rounding=4.0)
    glow = 1 - light.soften(lead, sheet[0] / 90)  # pieces shine most in their middle
    streaks = noise.clouds((sheet[1], sheet[0] // 4), 16, rng, 3)
    streaks = noise.stretch(streaks, lead.shape) + 0.5 * noise.clouds(lead.shape, 60, rng, 2)
    distance = np.hypot(x - SUN_AT[0], y - SUN_AT[1])
    shine = (0.60 + 0.62 * glow + 0.10 * streaks) * (1.15 - 0.25 * distance)
    glass = window.glass**1.35 * shine[..., None]
    glass = glass + (np.clip(shine - 0.95, 0, 1) * 0.35)[..., None]
    ripples = 0.5 + 0.05 * noise.clouds(lead.shape, 90, rng, 2)
    glass = light.relief(np.clip(glass, 0, 1), ripples * 255, 0.02)
    came = light.relief(np.ones_like(glass) * palette.rgb(LEAD), light.soften(lead, 4) * 255, 0.03, shine=0.2)
    return canvas.finish(canvas.to_image(glass + (came - glass) * lead[..., None]), size)
