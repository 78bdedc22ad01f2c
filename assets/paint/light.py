"""Light on the surface: relief of thick paint, paper, and the slow fall-off towards the corners."""

import numpy as np
from PIL import Image


def soften(field: np.ndarray, radius: float) -> np.ndarray:
    """Blur a field of parts of the pixel range by a radius in pixels."""
    # Eight bits would show as terraces in the relief, so the blur is built from shrinking and enlarging floats.
    picture = Image.fromarray(field.astype(np.float32))
    if radius < 3:  # pixels; below this a box of neighbours is nearer to the wanted blur
        padded = np.pad(field, 1, mode="edge")
        rows = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        return (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4
    small = picture.resize(
        (max(2, int(picture.width / radius)), max(2, int(picture.height / radius))), Image.Resampling.BOX
    )
    return np.asarray(small.resize(picture.size, Image.Resampling.BICUBIC))


def relief(colours: np.ndarray, height: np.ndarray, strength: float, shine: float = 0.0) -> np.ndarray:
    """Light a raised surface from the upper left: facing slopes brighten, far slopes darken."""
    surface = soften(height, 1)
    down, right = np.gradient(surface)
    slope = np.clip(-(down + right) * strength, -1, 1)[..., None]  # minus: rising towards the light is bright
    lit = colours * (1 - 0.55 * np.clip(slope, -1, 0) * -1)
    lit = lit + (1 - lit) * 0.32 * np.clip(slope, 0, 1)
    gleam = np.clip(slope - 0.6, 0, 1) * shine
    return np.clip(lit + gleam, 0, 1)


def vignette(x: np.ndarray, y: np.ndarray, depth: float) -> np.ndarray:
    """Darken slowly towards the corners, by `depth` of the light at the very corner."""
    middle = y.max() / 2
    distance = ((x - 0.5) ** 2 + (y - middle) ** 2) / (0.25 + middle**2)
    return (1 - depth * distance)[..., None]
