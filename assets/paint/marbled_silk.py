"""Marbled paper: drops of ink floated on water, then drawn through with combs and a stylus."""

import numpy as np
from PIL import Image

from . import canvas, noise, palette

INKS = [
    "#0e2148",
    "#16477a",
    "#1f8a93",
    "#7cc4b0",
    "#f6ead0",
    "#f1b24a",
    "#e0663a",
    "#b3263e",
    "#5c1638",
]
BATH = "#f2e3c4"


class Drop:
    """One drop of ink: it pushes everything before it outwards."""

    def __init__(self, centre: np.ndarray, radius: float, ink: int):
        """Remember where the drop falls, how wide it spreads and which ink it is."""
        self.centre, self.radius, self.ink = centre, radius, ink

    def undo(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move places back to where they were before the drop; also tell how deep each lies in the drop."""
        centre_x, centre_y = (np.float32(part) for part in self.centre)
        right, down = x - centre_x, y - centre_y
        depth = (right * right + down * down + np.float32(1e-9)) / np.float32(self.radius**2)
        shrink = np.sqrt(np.maximum(1 - 1 / depth, 0))
        return centre_x + right * shrink, centre_y + down * shrink, depth


class Comb:
    """Teeth drawn through the bath in one direction, each dragging the ink near it."""

    def __init__(self, angle: float, spacing: float, pull: float, sharp: float, sway: float = 0.0, turn: bool = False):
        """Set direction, distance between teeth, length and sharpness of the pull; `turn`: every other tooth back."""
        self.angle, self.spacing, self.pull, self.sharp = angle, spacing, pull, sharp
        self.sway, self.turn = sway, turn

    def undo(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Move places back to where they were before the comb passed."""
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        along, across = x * cosine + y * sine, y * cosine - x * sine
        bent = across + self.sway * np.sin(along * 9)
        tooth = np.floor(bent / self.spacing)
        reach = np.abs(bent / self.spacing - tooth - 0.5)  # 0 at the tooth, 0.5 half way to the next
        pull = self.pull * self.sharp ** (reach * 2)
        if self.turn:
            pull = np.where(tooth % 2 == 0, pull, -pull)
        along = along - pull
        return along * cosine - across * sine, along * sine + across * cosine


class Whirl:
    """A stylus stirred in a circle."""

    def __init__(self, centre: tuple[float, float], radius: float, turn: float):
        """Set the middle, the reach and the turn in radians."""
        self.centre, self.radius, self.turn = centre, radius, turn

    def undo(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Turn places back, most of all near the middle."""
        right, down = x - self.centre[0], y - self.centre[1]
        turn = -self.turn * np.exp(-np.hypot(right, down) / self.radius * 1.6)
        cosine, sine = np.cos(turn), np.sin(turn)
        return self.centre[0] + right * cosine - down * sine, self.centre[1] + right * sine + down * cosine


def sprinkle(rng: np.random.Generator, tall: float) -> list[Drop]:
    """Let large drops fall first and ever smaller ones into them."""
    drops = []
    for count, low, high in [(90, 0.07, 0.12), (100, 0.045, 0.075), (80, 0.025, 0.04)]:
        for _ in range(count):
            centre = rng.uniform((-0.3, -0.3), (1.3, tall + 0.3))
            drops.append(Drop(centre, rng.uniform(low, high), int(rng.integers(len(INKS)))))
    return drops


def paint(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Follow each place on the paper back through every comb to the drop it came from."""
    sheet = canvas.enlarged(size, times=3)  # the combs leave hair-thin lines
    x, y = canvas.places(sheet)
    tall = sheet[1] / sheet[0]
    strokes = [
        Comb(np.pi / 2, 0.16, 0.18, 0.08, turn=True),
        Comb(0.0, 0.083, 0.13, 0.06, sway=0.01, turn=True),
        Comb(np.pi / 2, 0.042, 0.06, 0.10, sway=0.012),
        Whirl((0.27, 0.30 * tall), 0.20, 3.4),
        Whirl((0.73, 0.62 * tall), 0.24, -3.8),
        Whirl((0.80, 0.16 * tall), 0.13, 3.0),
        Whirl((0.22, 0.82 * tall), 0.16, -3.0),
    ]
    for stroke in reversed(strokes):
        x, y = stroke.undo(x, y)
    x, y = x.astype(np.float32), y.astype(np.float32)
    colours = np.ones((x.size, 3), dtype=np.float32) * palette.rgb(BATH)
    open_water, x, y = np.arange(x.size), x.ravel(), y.ravel()  # the places not yet traced to a drop
    inks = palette.swatches(INKS)
    for drop in reversed(sprinkle(rng, tall)):
        x, y, depth = drop.undo(x, y)
        inside = depth < 1
        pale = (0.90 + 0.16 * (1 - depth[inside]) - 0.10 * depth[inside] ** 6)[:, None]  # ink gathers at the rim
        colours[open_water[inside]] = inks[drop.ink] * pale
        open_water, x, y = open_water[~inside], x[~inside], y[~inside]
    colours = colours.reshape(sheet[1], sheet[0], 3)
    mottle = noise.tooth(colours.shape[:2], rng) + 0.02 * noise.clouds(colours.shape[:2], 90, rng, 3)
    return canvas.finish(canvas.to_image(colours * mottle[..., None]), size)
