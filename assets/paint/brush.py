"""Thick paint: strokes of many bristles that follow a field of directions, and the relief they leave."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from . import light, palette
from .canvas import to_array


@dataclass
class Passage:
    """One part of a scene: where it lies, its colours from dark to light, its tones, which way the brush goes."""

    mask: np.ndarray
    colours: list[str]
    tone: np.ndarray
    angle: np.ndarray


class Scene:
    """Passages laid over each other, the later in front, ready to be asked what lies at a place."""

    def __init__(self, passages: list[Passage]):
        """Stack the passages into one map of parts, one of tones and one of directions."""
        shape = passages[0].tone.shape
        self.palettes = [passage.colours for passage in passages]
        self.part = np.zeros(shape, dtype=np.int16)
        self.tone = np.zeros(shape, dtype=np.float32)
        self.angle = np.zeros(shape, dtype=np.float32)
        for number, passage in enumerate(passages):
            inside = np.broadcast_to(passage.mask, shape)
            self.part[inside] = number
            self.tone[inside] = np.broadcast_to(passage.tone, shape)[inside]
            self.angle[inside] = np.broadcast_to(passage.angle, shape)[inside]

    def cells(self, points: np.ndarray, sheet: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Find the rows and columns of the maps for points on the working sheet."""
        rows, columns = self.part.shape
        column = np.clip(points[..., 0] * columns / sheet[0], 0, columns - 1).astype(int)
        row = np.clip(points[..., 1] * rows / sheet[1], 0, rows - 1).astype(int)
        return row, column

    def colours(self, points: np.ndarray, sheet: tuple[int, int], scatter: float, rng) -> np.ndarray:
        """Pick a palette colour for each point."""
        at = self.cells(points, sheet)
        part, tone = self.part[at], self.tone[at]
        picked = np.zeros((len(points), 3), dtype=np.float32)
        for number, colours in enumerate(self.palettes):
            here = part == number
            picked[here] = palette.broken(colours, tone[here], scatter, rng)
        return picked


def follow(scene: Scene, seeds: np.ndarray, sheet: tuple[int, int], length: float, steps: int) -> list[np.ndarray]:
    """Walk from each seed along the scene's directions, stopping where another part of it begins."""
    home = scene.part[scene.cells(seeds, sheet)]
    points, alive = [seeds], [np.ones(len(seeds), dtype=bool)]
    for _ in range(steps):
        angle = scene.angle[scene.cells(points[-1], sheet)]
        ahead = points[-1] + (length / steps) * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        alive.append(alive[-1] & (scene.part[scene.cells(ahead, sheet)] == home))
        points.append(ahead)
    paths, counts = np.stack(points, axis=1), np.stack(alive, axis=1).sum(axis=1)
    return [path[: max(2, count)] for path, count in zip(paths, counts, strict=True)]


class Panel:
    """A panel of wet paint: what colour lies on top, and how high it stands."""

    def __init__(self, sheet: tuple[int, int], ground: str, knife: bool = False):
        """Prime the panel with one ground colour, and choose a brush or a palette knife for it."""
        self.sheet = sheet
        self.knife = knife
        self.paint = Image.new("RGB", sheet, ground)
        self.height = Image.new("L", sheet, 90)
        self._paint_pen = ImageDraw.Draw(self.paint)
        self._height_pen = ImageDraw.Draw(self.height)

    def stroke(self, path: np.ndarray, width: float, colour: np.ndarray, rng, streak: float) -> None:
        """Drag one loaded brush along a path: each bristle leaves its own streak, the edges stand proud."""
        count = int(np.clip(width / 3.2, 3, 26))  # about three pixels for a bristle
        forward = np.gradient(path, axis=0)
        forward /= np.linalg.norm(forward, axis=1, keepdims=True) + 1e-6
        sideways = np.stack([-forward[:, 1], forward[:, 0]], axis=1)
        along = np.linspace(0, 1, len(path))[:, None]
        swell = 0.72 + 0.28 * np.sin(np.pi * np.clip(along * 1.15, 0, 1))  # presses down, then lifts
        colours = palette.vary(np.repeat(colour[None], count, axis=0), streak, rng)
        thickness = int(width / count) + 2
        across = np.linspace(-0.5, 0.5, count)
        if self.knife:  # a blade leaves a smooth film, tilted, with a cut edge
            heights = np.linspace(*rng.permutation([60, 190]), count)
            reach = rng.uniform(0, 0.10 * width, (count, 2))
        else:
            heights = rng.integers(80, 180, count)
            heights[[0, -1]] = 210  # paint pushed out to the sides
            reach = rng.uniform(0, 0.18 * width, (count, 2)) + 0.45 * width * np.sqrt(1 - (1.9 * across[:, None]) ** 2)
        for bristle, offset in enumerate(across * width):
            line = path + sideways * offset * swell
            line[0] -= forward[0] * reach[bristle, 0]
            line[-1] += forward[-1] * reach[bristle, 1]
            points = [tuple(point) for point in line.tolist()]
            self._paint_pen.line(points, palette.ink(colours[bristle]), thickness, joint="curve")
            self._height_pen.line(points, int(heights[bristle]), thickness)

    def cover(self, scene: Scene, spacing: float, width: float, length: float, rng, scatter=0.6, only=None) -> None:
        """Work over the whole scene, or some of its parts, with strokes set about `spacing` pixels apart."""
        right, bottom = self.sheet
        across, down = np.meshgrid(np.arange(-length, right + length, spacing), np.arange(-width, bottom, spacing))
        seeds = np.stack([across.ravel(), down.ravel()], axis=-1) + rng.uniform(0, spacing, (across.size, 2))
        if only is not None:
            seeds = seeds[np.isin(scene.part[scene.cells(seeds, self.sheet)], only)]
        seeds = rng.permutation(seeds)
        colours = scene.colours(seeds, self.sheet, scatter, rng)
        paths = follow(scene, seeds, self.sheet, length, steps=8)
        widths = width * rng.uniform(0.7, 1.25, len(seeds))
        for path, colour, this_width in zip(paths, colours, widths, strict=True):
            self.stroke(path, this_width, colour, rng, streak=0.022 if self.knife else 0.05)

    def lit(self, strength: float = 5.0, shine: float = 0.1) -> np.ndarray:
        """Give the colours of the panel with light raking over the ridges of paint."""
        return light.relief(to_array(self.paint), to_array(self.height), strength, shine)
