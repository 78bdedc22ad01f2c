"""Chance made smooth: the cloudy fields that bend strokes and vary tones."""

import numpy as np
from PIL import Image


def stretch(field: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Enlarge a small field smoothly to the given rows and columns."""
    enlarged = Image.fromarray(field.astype(np.float32)).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(enlarged)


def clouds(shape: tuple[int, int], cells: float, rng: np.random.Generator, octaves: int = 4) -> np.ndarray:
    """Pile up ever finer, ever fainter patches; the sum has mean 0 and a spread of about 1."""
    rows, columns = shape
    total = np.zeros(shape, dtype=np.float32)
    for octave in range(octaves):
        across = cells * 2**octave
        patches = rng.normal(size=(int(across * rows / columns) + 3, int(across) + 3))
        total += stretch(patches, shape) * 0.5**octave
    return (total - total.mean()) / (total.std() + 1e-6)


def tooth(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Give the light and shade of rough paper, as a factor near 1 for each pixel."""
    return 1 + 0.022 * grain(shape, rng, 3) + 0.010 * grain(shape, rng, 6)


def grain(shape: tuple[int, int], rng: np.random.Generator, size: int = 2) -> np.ndarray:
    """Scatter fine speckle, `size` pixels across, with mean 0 and a spread of about 1."""
    speckle = rng.normal(size=(shape[0] // size + 1, shape[1] // size + 1))
    return stretch(speckle, shape)
