"""Koi circling a lotus pond, set in small tiles of glass that follow every contour."""

import numpy as np
from PIL import Image

from . import canvas, cells, light, noise, palette

WATER = ["#062a4a", "#0b4a6f", "#0f7088", "#1f9a9a", "#5fc4b0", "#b5e6c8"]
KOI = [
    ["#fff6e4", "#f9e4c4", "#ffe9d0", "#f2d2a8"],  # white scales
    ["#c22a12", "#ea4d16", "#fb7420", "#ffa03a"],  # orange patches
    ["#f7a51e", "#ffc440", "#ffe07a", "#e88a14"],  # golden fins
]
PAD = ["#0f4a2f", "#1f7a3f", "#5fa83f", "#a8cf4a"]
LOTUS = ["#a81f6a", "#e0559a", "#f792bc", "#ffd6e4", "#ffe98a"]
GROUT = "#2a2522"
BODY = [0.016, 0.020, 0.052, 0.078, 0.078, 0.066, 0.042, 0.0]  # half widths from tail to nose, parts of the picture's
TILE = 0.0165  # parts of the picture's width
FISH = [  # spine from tail to nose, as the four points of a Bezier curve
    [(0.12, 0.40), (0.25, 0.10), (0.52, 0.10), (0.68, 0.28)],
    [(0.90, 0.38), (0.98, 0.72), (0.72, 0.95), (0.48, 0.84)],
    [(0.50, 0.62), (0.36, 0.42), (0.16, 0.55), (0.10, 0.80)],
]
PADS = [(0.88, 0.13, 0.105), (0.08, 0.10, 0.075), (0.62, 0.545, 0.06), (0.30, 0.93, 0.085), (0.955, 0.93, 0.06)]


class Cartoon:
    """The drawing the tiles are laid over: colour, the way rows run, and areas no tile may straddle."""

    def __init__(self, x: np.ndarray, y: np.ndarray):
        """Start with nothing drawn, everything infinitely far away."""
        self.x, self.y = x, y
        self.colour = np.zeros((*x.shape, 3), dtype=np.float32)
        self.angle = np.zeros_like(x)
        self.area = np.zeros(x.shape, dtype=np.int32)
        self.away = np.full_like(x, 9.0)

    def draw(self, mask: np.ndarray, colours: list[str], tone: np.ndarray, angle: np.ndarray) -> None:
        """Lay one shape over what is there."""
        self.colour[mask] = palette.ramp(colours, tone)[mask]
        self.angle[mask] = angle[mask]
        self.area[mask] = self.area.max() + 1


def along_spine(x: np.ndarray, y: np.ndarray, points: list) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tell for each place how far along a curve it lies (0 to 1), how far to its side, and the curve's direction."""
    t = np.linspace(0, 1, 70)[:, None]
    a, b, c, d = np.array(points)
    curve = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
    heading = np.gradient(curve, axis=0)
    owner = cells.nearest(x, y, curve)
    direction = np.arctan2(heading[owner, 1], heading[owner, 0])
    side = (y - curve[owner, 1]) * np.cos(direction) - (x - curve[owner, 0]) * np.sin(direction)
    ahead = (x - curve[owner, 0]) * np.cos(direction) + (y - curve[owner, 1]) * np.sin(direction)
    return owner / 69 + ahead / 0.55, side, direction


def koi(cartoon: Cartoon, points: list, rng: np.random.Generator) -> None:
    """Draw one fish, head at the end of its spine: fins first, then body, patches and eyes."""
    x, y = cartoon.x, cartoon.y
    along, side, direction = along_spine(x, y, points)
    body = 1e-4 + np.interp(along, [0.0, 0.1, 0.3, 0.55, 0.75, 0.9, 1.0, 1.05], BODY)
    inside = (along > 0.10) & (along < 1.05) & (np.abs(side) < body)
    reach = np.clip((0.22 - along) / 0.30, 0, 1)
    tail = (along < 0.22) & (along > -0.10) & (np.abs(side) < 0.012 + 0.10 * reach)
    tail &= np.abs(side) > 0.055 * np.clip((0.02 - along) / 0.12, 0, 1)
    fins = np.zeros_like(inside)
    for root, length, wide in [(0.76, 0.19, 0.165), (0.42, 0.12, 0.115)]:
        back = (root - along) / length
        rounded = (1 - (1 - np.clip(back, 0, 1)) ** 2.2) ** 0.6
        fins |= (back > 0) & (back < 1) & (np.abs(side) < wide * rounded * (1.0 - 0.35 * back))
    sweep = direction + np.sign(side) * 0.75
    cartoon.draw((tail | fins) & ~inside, KOI[2], 0.5 + 0.5 * np.sin(side * 260), sweep)
    tone = 0.5 - 0.45 * side / body
    cartoon.draw(inside, KOI[0], tone, direction)
    patches = noise.clouds(x.shape, 8, rng, 2) + 0.7 * np.cos(along * 15) > 0.15
    cartoon.draw(inside & patches, KOI[1], 0.5 - 0.5 * side / body + 0.1 * np.sin(along * 70), direction)
    for sense in (-1, 1):
        eye = np.hypot((along - 0.90) * 0.55, side - sense * 0.040) < 0.009
        cartoon.draw(eye, ["#0a0a14", "#1a1420"], tone, direction)
    cartoon.away = np.minimum(cartoon.away, np.maximum(np.abs(side) - body, np.abs(along - 0.5) * 0.55 - 0.28))


def lily(cartoon: Cartoon, place: tuple[float, float, float], flower: bool) -> None:
    """Float one notched pad, with or without a flower open on it."""
    right, down = cartoon.x - place[0], cartoon.y - place[1]
    distance, bearing = np.hypot(right, down), np.arctan2(down, right)
    radius = place[2] * (1 + 0.04 * np.sin(bearing * 7))
    notch = np.abs(np.mod(bearing - place[0] * 9 + np.pi, 2 * np.pi) - np.pi) < 0.22
    ring = bearing + np.pi / 2
    mask = (distance < radius) & ~notch
    cartoon.draw(mask, PAD, 0.25 + 0.45 * distance / radius + 0.3 * np.cos(bearing * 9), ring)
    cartoon.away = np.minimum(cartoon.away, distance - radius)
    if flower:
        for turn, scale in ((0.0, 0.86), (0.35, 0.58)):
            petal = distance < radius * scale * (0.55 + 0.45 * np.abs(np.cos((bearing + turn) * 4)))
            cartoon.draw(petal, LOTUS[:4], distance / radius / scale, bearing)
        cartoon.draw(distance < radius * 0.2, LOTUS[4:] + KOI[2], 0.5 + right * 0, ring)


def pond(cartoon: Cartoon, rng: np.random.Generator) -> None:
    """Fill what is left with water whose rows of tiles ripple away from fish and pads."""
    empty = cartoon.area == 0
    ripple = light.soften(cartoon.away, cartoon.x.shape[1] / 40) + 0.02 * noise.clouds(cartoon.x.shape, 4, rng, 2)
    down, right = np.gradient(ripple)
    tone = 0.45 + 0.32 * np.sin(ripple * 85) + 0.12 * noise.clouds(cartoon.x.shape, 5, rng, 3)
    cartoon.draw(empty, WATER, tone, np.arctan2(right, -down))


def set_tiles(cartoon: Cartoon, rng: np.random.Generator, rounds: int = 9) -> np.ndarray:
    """Let square tiles jostle until each fills its own place in line with the rows; return a tile number per pixel."""
    rows, columns = cartoon.x.shape
    step = TILE * columns
    across, down = np.meshgrid(np.arange(step / 2, columns, step), np.arange(step / 2, rows, step))
    sites = np.stack([across.ravel(), down.ravel()], axis=1) + rng.uniform(-0.3, 0.3, (across.size, 2)) * step
    span = int(step * 1.6)
    for _ in range(rounds):
        owner = lay(cartoon, sites, span)
        taken = owner >= 0
        weight = np.bincount(owner[taken], minlength=len(sites))
        y, x = np.nonzero(taken)
        middles = [np.bincount(owner[taken], part, minlength=len(sites)) / np.maximum(weight, 1) for part in (x, y)]
        sites = np.where(weight[:, None] > 0, np.stack(middles, axis=1), sites)
    return lay(cartoon, sites, span)


def lay(cartoon: Cartoon, sites: np.ndarray, span: int) -> np.ndarray:
    """Give each pixel to the nearest tile of its own area, nearness measured square to the tile."""
    rows, columns = cartoon.x.shape
    best = np.full((rows, columns), np.inf, dtype=np.float32)
    owner = np.full((rows, columns), -1, dtype=np.int32)
    for number, (column, row) in enumerate(sites.astype(int)):
        column, row = min(max(column, 0), columns - 1), min(max(row, 0), rows - 1)
        window = np.s_[max(row - span, 0) : row + span, max(column - span, 0) : column + span]
        y = np.arange(window[0].start, min(window[0].stop, rows))[:, None] - row
        x = np.arange(window[1].start, min(window[1].stop, columns))[None] - column
        cosine, sine = np.cos(cartoon.angle[row, column]), np.sin(cartoon.angle[row, column])
        away = np.maximum(np.abs(x * cosine + y * sine), np.abs(y * cosine - x * sine)).astype(np.float32)
        closer = (away < best[window]) & (cartoon.area[window] == cartoon.area[row, column])
        best[window][closer] = away[closer]
        owner[window][closer] = number
    return owner


def paint(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Draw the cartoon, set the tiles in it, tilt each a little, and rake light across."""
    sheet = canvas.enlarged(size)
    x, y = canvas.places(sheet)
    cartoon = Cartoon(x, y)
    for number, place in enumerate(PADS):
        lily(cartoon, place, flower=number in (0, 2, 3))
    for points in FISH:
        koi(cartoon, points, rng)
    pond(cartoon, rng)
    tiles = cells.renumber(set_tiles(cartoon, rng))
    glaze = np.stack([cells.gather(tiles, cartoon.colour[..., c]) for c in range(3)], axis=-1)
    glaze = palette.vary(glaze, 0.055, rng)
    tilt = rng.normal(0, 1, (len(glaze), 2))
    slope = tilt[tiles, 0] * (x - cells.gather(tiles, x)[tiles]) + tilt[tiles, 1] * (y - cells.gather(tiles, y)[tiles])
    colours = glaze[tiles] * (1 + 6 * slope + 0.03 * noise.clouds(x.shape, 90, rng, 2))[..., None]
    joint = cells.seams(tiles, 1, rounding=1.2)
    colours = light.relief(np.clip(colours, 0, 1), (1 - light.soften(joint, 3)) * 255, 0.022, shine=0.1)
    mortar = palette.rgb(GROUT) * (1 + 0.15 * noise.grain(x.shape, rng))[..., None]
    return canvas.finish(canvas.to_image(colours + (mortar - colours) * joint[..., None]), size)
