"""An etching: a lighthouse over a wild sea, drawn in nothing but hatched lines."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from . import canvas, noise, palette

PAPER, INK = "#f0e3c8", "#1d1712"
LAMP = (0.665, 0.168)  # parts of the picture's width
SEA = 0.555
STEPS = 9  # of each hatched line


class Plate:
    """What the needle must follow: how dark each place is, and which way its lines run."""

    def __init__(self, x: np.ndarray, y: np.ndarray):
        """Start with an untouched plate."""
        self.x, self.y = x, y
        self.dark = np.zeros_like(x)
        self.angle = np.zeros_like(x)
        self.area = np.zeros(x.shape, dtype=np.int32)

    def lay(self, mask: np.ndarray, dark: np.ndarray, angle: np.ndarray) -> None:
        """Set darkness (0 paper, 1 full ink) and line direction of one area."""
        self.dark[mask] = np.broadcast_to(dark, mask.shape)[mask]
        self.angle[mask] = np.broadcast_to(angle, mask.shape)[mask]
        self.area[mask] = self.area.max() + 1


def sky(plate: Plate, rng: np.random.Generator) -> None:
    """Roll storm clouds over each other and cut two beams of light through them."""
    x, y = plate.x, plate.y
    drift = 0.10 + 0.06 * noise.clouds(x.shape, 3, rng, 3)
    billow = noise.clouds(x.shape, 4, rng, 4)
    down, right = np.gradient(billow)
    rim = np.clip((right * 0.6 - down) * x.shape[1] * 0.028, -1, 1)
    dark = 0.50 + 0.14 * billow - 0.26 * rim - 0.18 * np.clip((y - 0.30) / 0.25, 0, 1)
    curl = np.arctan2(right, -down)
    angle = np.arctan2(np.sin(curl * 2), np.cos(curl * 2) + 0.5) / 2  # round the billows, yet mostly level
    bearing = np.arctan2(y - LAMP[1], x - LAMP[0])
    distance = np.hypot(x - LAMP[0], y - LAMP[1])
    for aim, spread in ((np.pi - 0.16, 0.085), (0.24, 0.10)):
        turn = np.abs(np.arctan2(np.sin(bearing - aim), np.cos(bearing - aim)))
        dark = dark - np.clip(1.6 - turn / spread, 0, 1) * np.exp(-distance * 0.45)
    dark = dark - 0.55 * np.exp(-((distance / 0.07) ** 2)) + drift
    plate.lay(np.ones_like(x, dtype=bool), dark, angle)


def sea(plate: Plate, rng: np.random.Generator) -> None:
    """Heave the water into rows of peaked waves, larger towards us, each pale at the crest and dark beneath it."""
    x, y = plate.x, plate.y
    plate.lay(y > SEA, 0.45, 0.0)
    for row in range(9):
        depth = (row / 8) ** 1.5
        tall = 0.007 + 0.062 * depth
        swing = x * (26 - 17 * depth) + rng.uniform(0, 6) + 0.5 * np.sin(x * 5 + row)
        peaks = (1 - np.abs(np.sin(swing / 2))) ** 1.5  # pointed crests, wide troughs
        edge = SEA + 0.012 + 0.185 * depth - tall * peaks + 0.10 * tall * noise.clouds(x.shape, 20, rng, 3)
        below = (y - edge) / tall
        rough = 0.10 * noise.clouds(x.shape, 34, rng, 2)
        dark = 0.98 - 0.42 * below + 0.25 * np.cos(swing + 0.9) + rough
        foam = below < 0.10 + 0.30 * peaks + 0.7 * rough
        slide = np.arctan2(np.gradient(edge, axis=1), x[0, 1] - x[0, 0])
        plate.lay(below > 0, np.where(foam, 0.02, dark), slide + 0.35 * np.sin(swing))


def cliff(plate: Plate, rng: np.random.Generator) -> None:
    """Stack the rock beneath the tower, its facets lit from the left."""
    x, y = plate.x, plate.y
    top = 0.462 + 1.1 * np.abs(x - 0.69) ** 2.0 - 0.05 * np.exp(-(((x - 0.92) / 0.12) ** 2))
    top = top + 0.014 * noise.clouds(x.shape, 16, rng, 3)
    foot = 0.63 + 0.03 * np.sin(x * 23) + 0.02 * noise.clouds(x.shape, 12, rng, 2)
    rough = noise.clouds(x.shape, 11, rng, 4)
    facet = np.round(rough * 1.6) / 1.6
    dark = 0.62 + 0.24 * facet + 0.3 * (x - 0.67) - 0.25 * np.clip((y - foot + 0.05) / 0.05, 0, 1)
    plate.lay((y > top) & (y < foot) & (x > 0.30), dark, 1.25 + 0.5 * facet)


def tower(plate: Plate) -> None:
    """Build the lighthouse: banded shaft, gallery, lantern and cap, with the keeper's house beside it."""
    x, y = plate.x, plate.y
    right = x - LAMP[0]
    up = 0.475 - y
    half = 0.024 + 0.016 * (1 - up / 0.28)
    shaft = (np.abs(right) < half) & (up > 0) & (up < 0.28)
    band = np.floor(up / 0.056).astype(int) % 2
    plate.lay(shaft, 0.02 + 0.50 * band + 0.45 * np.clip(right / half + 0.1, 0, 1), 1.48)
    plate.lay(shaft & (np.abs(np.abs(right) - half) < 0.0025), 1.0, np.pi / 2)
    plate.lay((np.abs(right) < 0.036) & (up >= 0.278) & (up < 0.290), 0.85, 0.0)
    plate.lay((np.abs(right) < 0.020) & (up >= 0.290) & (up < 0.325), 0.0, 0.0)
    for bar in (-0.019, -0.007, 0.007, 0.019):
        plate.lay((np.abs(right - bar) < 0.0016) & (up >= 0.290) & (up < 0.325), 1.0, np.pi / 2)
    plate.lay((np.abs(right) < 0.026 * (0.365 - up) / 0.040) & (up >= 0.325) & (up < 0.365), 0.9, 0.5)
    for window in (0.05, 0.13, 0.21):
        plate.lay((np.abs(right + 0.004) < 0.005) & (np.abs(up - window) < 0.010), 1.0, np.pi / 2)
    house = (x > 0.735) & (x < 0.85) & (y > 0.425) & (y < 0.49)
    plate.lay(house, 0.18 + 0.35 * (x > 0.80), np.where(x > 0.80, 1.2, 0.05))
    roof = (y > 0.385 + 0.7 * np.abs(x - 0.79) * 0.85) & (y <= 0.428) & (x > 0.725) & (x < 0.86)
    plate.lay(roof, 0.80, np.where(x > 0.79, 0.6, -0.6))
    for place in (0.752, 0.782, 0.825):
        plate.lay((np.abs(x - place) < 0.006) & (np.abs(y - 0.455) < 0.011), 1.0, np.pi / 2)


@dataclass
class Hatching:
    """One pass of the needle: gap and length of its lines, their turn from the form, the least dark it touches."""

    spacing: float  # thousandths of the picture's width, as is the length
    length: float
    turn: float  # radians
    least: float


def trace(plate: Plate, sheet: tuple[int, int], strokes: Hatching, rng) -> tuple[np.ndarray, np.ndarray]:
    """Let lines run over the whole plate; return their points, and how dark it is along them."""
    unit = sheet[0] / 1000
    gap, length = strokes.spacing * unit, strokes.length * unit
    across, down = np.meshgrid(np.arange(-length, sheet[0] + length, gap), np.arange(0, sheet[1], gap))
    points = np.stack([across.ravel(), down.ravel()], axis=-1) + rng.uniform(0, gap, (across.size, 2))
    rows, columns = plate.dark.shape
    path, darks, areas = [points], [], []
    for _ in range(STEPS):
        column = np.clip(points[:, 0] * columns / sheet[0], 0, columns - 1).astype(int)
        row = np.clip(points[:, 1] * rows / sheet[1], 0, rows - 1).astype(int)
        angle = plate.angle[row, column] + strokes.turn
        darks.append(plate.dark[row, column])
        areas.append(plate.area[row, column])
        points = points + length / STEPS * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        path.append(points)
    paths, darks, areas = (np.stack(each, axis=1) for each in (path, darks, areas))
    darks[areas != areas[:, :1]] = 0  # lift the needle where another shape begins
    return paths, darks


def hatch(pen: ImageDraw.ImageDraw, plate: Plate, sheet: tuple[int, int], strokes: Hatching, rng) -> None:
    """Draw one pass wherever the plate is dark enough for it; the darker, the wider the line."""
    paths, darks = trace(plate, sheet, strokes, rng)
    ink = palette.ink(palette.rgb(INK))
    for line in np.nonzero(darks[:, 0] > strokes.least)[0]:
        wobble = rng.normal(0, 0.5, paths[line].shape)  # pixels
        points = (paths[line] + wobble).tolist()
        for step in range(STEPS):
            over = darks[line, step] - strokes.least
            if over <= 0:
                break
            width = int(np.clip(1.2 + 3.6 * over * np.sin(np.pi * (step + 1) / (STEPS + 1)), 1, 4))  # pixels
            pen.line((*points[step], *points[step + 1]), fill=ink, width=width)


PASSES = [
    Hatching(7.5, 42, 0.0, 0.08),
    Hatching(7.5, 32, 0.0, 0.32),
    Hatching(8.0, 24, 0.9, 0.52),
    Hatching(7.5, 20, -0.8, 0.70),
    Hatching(6.0, 14, 1.5, 0.85),
]


def paint(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Bite the plate with ever denser hatching, then print it on warm paper with a film of ink."""
    sheet = canvas.enlarged(size)
    x, y = canvas.places(size)
    plate = Plate(x, y)
    sky(plate, rng)
    cliff(plate, rng)
    sea(plate, rng)
    tower(plate)
    print_ = Image.new("RGB", sheet, "white")
    pen = ImageDraw.Draw(print_)
    for strokes in PASSES:
        hatch(pen, plate, sheet, strokes, rng)
    lines = canvas.to_array(print_)
    film = noise.clouds(lines.shape[:2], 3, rng, 4)
    big_x, big_y = canvas.places(sheet)
    glow = np.exp(-np.hypot(big_x - LAMP[0], big_y - LAMP[1]) * 2.2)
    paper = palette.rgb(PAPER) * (0.90 + 0.03 * film + 0.12 * glow)[..., None]
    paper = paper * noise.tooth(lines.shape[:2], rng)[..., None]
    return canvas.finish(canvas.to_image(palette.rgb(INK) + (paper - palette.rgb(INK)) * lines), size)
