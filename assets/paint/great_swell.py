"""A woodblock print: curling waves under a red sun, in a few flat blues on grained paper."""

import numpy as np
from PIL import Image, ImageDraw

from . import canvas, noise, palette

PAPER = "#f3e4c3"
SKY = ["#24457a", "#5f8db0", "#b9cfc0", "#f3e0b4", "#f6c795", "#ee9f7c"]
BLUES = ["#12264f", "#1f4a86", "#f3ead2", "#3f7fb0", "#163469", "#8fbccb", "#1f4a86", "#f3ead2", "#2c64a0", "#12264f"]
SCALES = ["#14305f", "#efe3c6", "#2d659c", "#efe3c6", "#5f9cbc"]
OUTLINE, FOAM, FOAM_SHADE, SUN, CLOUD = "#0e1b3a", "#f9f1dc", "#a9cbd0", "#cf3a2a", "#f8dcc0"
TIP = (-0.70, 0.66)  # where the back and the hollow of a wave meet; heights of the wave, foot at 0
BACK = [(2.1, -0.30), (1.25, 0.12), (0.80, 0.42), (0.45, 0.82), (0.10, 1.06), (-0.28, 1.08), (-0.58, 0.90), TIP]
HOLLOW = [(-1.5, -0.30), (-0.75, -0.04), (-0.22, 0.10), (0.06, 0.34), (0.06, 0.60), (-0.12, 0.78), (-0.40, 0.80), TIP]
WAVES = [  # x and y of the foot, size, sense: parts of the picture's width; far ones first
    (0.60, 0.485, 0.10, 1),
    (0.30, 0.50, 0.12, -1),
    (0.86, 0.57, 0.20, 1),
    (0.34, 0.66, 0.44, -1),
    (0.80, 0.76, 0.25, 1),
    (0.08, 0.80, 0.17, -1),
    (0.52, 0.81, 0.15, 1),
]


def smooth(points: list[tuple[float, float]], count: int = 90) -> np.ndarray:
    """Pass one supple line through the given points."""
    knots = np.array(points)
    ends = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    place = np.linspace(0, len(knots) - 1.0001, count)
    i, t = place.astype(int), (place % 1)[:, None]
    a, b, c, d = ends[i], ends[i + 1], ends[i + 2], ends[i + 3]
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)


class Block:
    """The carved blocks, printed one over the other on a sheet."""

    def __init__(self, sheet: tuple[int, int], ground: Image.Image):
        """Take a sheet that already carries the sky."""
        self.image, self.unit = ground, sheet[0]
        self.pen = ImageDraw.Draw(ground)
        self.line = max(2, int(sheet[0] / 420))  # pixels

    def area(self, points: np.ndarray, colour: str) -> None:
        """Print one flat area."""
        self.pen.polygon([tuple(point) for point in (points * self.unit).tolist()], fill=colour)

    def contour(self, points: np.ndarray, colour: str = OUTLINE, weight: float = 1.0) -> None:
        """Print one line."""
        ends = [tuple(point) for point in (points * self.unit).tolist()]
        self.pen.line(ends, fill=colour, width=max(1, int(self.line * weight)), joint="curve")

    def disc(self, centre: np.ndarray, radius: float, colour: str) -> None:
        """Print one round spot."""
        left, top = (np.asarray(centre) - radius) * self.unit
        right, bottom = (np.asarray(centre) + radius) * self.unit
        self.pen.ellipse((left, top, right, bottom), fill=colour)

    def scallops(self, centres: list[np.ndarray], radii: list[float], shaded: bool = True) -> None:
        """Print a bank of foam: round lobes that share one outline, each with a shaded under-side."""
        border = 1.3 * self.line / self.unit
        for centre, radius in zip(centres, radii, strict=True):
            self.disc(centre, radius + border, OUTLINE)
        for centre, radius in zip(centres, radii, strict=True):
            self.disc(centre, radius, FOAM)
        for centre, radius in zip(centres, radii, strict=True) if shaded else ():
            self.disc(centre + radius * 0.16, radius * 0.62, FOAM_SHADE)
            self.disc(centre - radius * 0.02, radius * 0.58, FOAM)


def sky(sheet: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Wipe the sky block from indigo to peach, then print sun, clouds and a far mountain."""
    x, y = canvas.places(sheet)
    tone = y / 0.47 + 0.03 * noise.clouds(x.shape, 3, rng, 2)
    block = Block(sheet, canvas.to_image(palette.ramp(SKY, tone)))
    block.disc((0.68, 0.20), 0.118, SUN)
    for height, start, end, thick in [
        (0.10, 0.02, 0.34, 0.015),
        (0.135, 0.12, 0.46, 0.012),
        (0.235, 0.50, 0.80, 0.011),
        (0.265, 0.60, 0.98, 0.013),
        (0.33, 0.02, 0.30, 0.010),
        (0.065, 0.78, 1.05, 0.014),
        (0.385, 0.62, 1.0, 0.009),
        (0.03, 0.40, 0.62, 0.011),
    ]:
        run = np.linspace(start, end, 60)
        swell = thick * np.clip(np.sin(np.pi * np.linspace(0, 1, 60)), 0, 1) ** 0.3
        swell = swell * (1 + 0.35 * np.sin(run * 40 + height * 90))
        edge = np.concatenate([np.stack([run, height - swell], 1), np.stack([run, height + swell * 0.5], 1)[::-1]])
        block.area(edge, CLOUD)
        block.contour(edge[:60], "#c98a78", 0.6)
    slope = [(0.30, 0.47), (0.40, 0.41), (0.455, 0.335), (0.475, 0.33), (0.495, 0.335), (0.56, 0.41), (0.68, 0.47)]
    slope = np.array(slope)
    block.area(slope, "#2f5a8c")
    snow = [(0.43, 0.37), (0.455, 0.335), (0.475, 0.33), (0.495, 0.335), (0.52, 0.37), (0.505, 0.36), (0.49, 0.385)]
    block.area(np.array([*snow, (0.475, 0.36), (0.46, 0.38), (0.447, 0.36)]), FOAM)
    block.contour(slope, weight=0.8)
    return block.image


def scaled_row(block: Block, height: float, size: float, odd: bool) -> None:
    """Print one row of fans of rings across the sea; the next row will overlap it."""
    for column in range(-1, int(1 / (2 * size)) + 3):
        place = (column + 0.5 * odd) * 2 * size
        centre = np.array([place, height + size + 0.35 * size * np.sin(place * 9 + height * 30)])
        block.disc(centre, size * 1.05, OUTLINE)
        for ring, colour in enumerate(SCALES):
            block.disc(centre, size * (0.98 - 0.19 * ring), colour)


def finger(block: Block, root: np.ndarray, size: float, sense: int, rng: np.random.Generator) -> None:
    """Let one claw of foam hook forward and down from the crest."""
    steps = np.linspace(0, 1, 30)
    heading = rng.uniform(0.2, 0.9) + steps * rng.uniform(1.2, 2.0)
    pace = size * rng.uniform(0.0055, 0.0085)
    reach = np.cumsum(np.stack([-sense * np.cos(heading), np.sin(heading)], 1), axis=0) * pace
    radii = size * (0.034 * (1 - steps) + 0.008)
    block.scallops(list(root + reach), list(radii), shaded=False)
    for centre, radius in zip(root + reach, radii, strict=True):
        block.disc(centre + (sense * radius * 0.45, 0), radius * 0.35, FOAM_SHADE)


def wave(block: Block, foot: tuple[float, float], size: float, sense: int, rng: np.random.Generator) -> None:
    """Print one wave: striped body between its back and its hollow, then foam and claws along the crest."""
    flip = np.array([sense, -1.0]) * size
    back, hollow = smooth(BACK) * flip + foot, smooth(HOLLOW) * flip + foot
    skirt = np.array([hollow[0] + (0, size), back[0] + (0, size)])
    block.area(np.concatenate([back, hollow[::-1], skirt]), BLUES[0])
    cuts = np.linspace(0, 1, len(BLUES) * 2 + 1)
    for band in range(len(cuts) - 1):
        bend = 0.012 * np.sin(np.linspace(0, 9, 90) + band)[:, None]
        outer = back + (hollow - back) * (cuts[band] + bend)
        inner = back + (hollow - back) * (cuts[band + 1] + bend)
        block.area(np.concatenate([outer, inner[::-1]]), BLUES[band % len(BLUES)])
        block.contour(inner, weight=0.5)
    block.contour(back, weight=1.6)
    block.contour(hollow, weight=1.6)
    crest = [*back[46:], *hollow[62:][::-1]]
    lip = [crest[i] + rng.normal(0, 0.012, 2) * size for i in range(0, len(crest), 2)]
    block.scallops(lip, list(size * rng.uniform(0.035, 0.075, len(lip))))
    for root in [*back[76::4], *hollow[64::2]]:
        finger(block, root + rng.normal(0, 0.02, 2) * size, size * rng.uniform(0.8, 1.6), sense, rng)
    for _ in range(int(26 * size / 0.3)):
        away = np.array([-sense * rng.uniform(0.5, 1.15), -rng.uniform(0.55, 1.25)]) * size
        spot, radius = np.array(foot) + away, size * rng.uniform(0.005, 0.014)
        block.disc(spot, radius + 1.0 / block.unit * block.line, OUTLINE)
        block.disc(spot, radius, FOAM)


def surf(block: Block, height: float, size: float, rng: np.random.Generator) -> None:
    """Roll one bank of foam across the sheet."""
    places = np.arange(-0.02, 1.04, size * 0.8)
    rise = height + size * (1.0 * np.sin(places * 8 + height * 40) + 0.5 * np.sin(places * 23))
    centres = [np.array(spot) for spot in zip(places, rise, strict=True)]
    block.scallops(centres, list(size * rng.uniform(0.55, 1.0, len(places))))


def paint(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Print sky, sea and waves from far to near, then let grain and paper show through."""
    sheet = canvas.enlarged(size)
    block = Block(sheet, sky(sheet, rng))
    waiting = sorted(WAVES, key=lambda each: each[1])
    height, odd = 0.445, False
    while height < sheet[1] / sheet[0]:
        while waiting and waiting[0][1] < height:
            across, down, tall, sense = waiting.pop(0)
            wave(block, np.array([across, down]), tall, sense, rng)
        fan = 0.020 + 0.13 * (height - 0.445)
        scaled_row(block, height, fan, odd)
        height, odd = height + 0.42 * fan, not odd
    surf(block, 0.735, 0.018, rng)
    colours = canvas.to_array(block.image)
    rows, columns = colours.shape[:2]
    rings = noise.stretch(noise.clouds((rows, columns // 12), 3, rng, 5), (rows, columns))
    wood = 0.030 * np.sin(rings * 22) + 0.012 * noise.clouds((rows, columns), 110, rng, 2)
    worn = np.clip(noise.clouds((rows, columns), 170, rng, 2) - 2.2, 0, 1)[..., None] * 0.5  # paper shows through
    colours = colours + (palette.rgb(PAPER) - colours) * worn
    colours = colours * (palette.rgb(PAPER) * 0.25 + 0.76) + wood[..., None]
    return canvas.finish(canvas.to_image(colours * noise.tooth((rows, columns), rng)[..., None]), size)
