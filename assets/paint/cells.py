"""Cutting a picture into pieces: cells around points, their edges, and values gathered by piece."""

import numpy as np
from PIL import Image, ImageFilter


def nearest(x: np.ndarray, y: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Number each place by the site nearest to it."""
    best = np.full(x.shape, np.inf, dtype=np.float32)
    owner = np.zeros(x.shape, dtype=np.int32)
    for number, (site_x, site_y) in enumerate(sites.astype(np.float32)):
        distance = (x - site_x) ** 2 + (y - site_y) ** 2
        closer = distance < best
        best[closer] = distance[closer]
        owner[closer] = number
    return owner


def relaxed(x: np.ndarray, y: np.ndarray, count: int, rng: np.random.Generator, rounds: int = 3) -> np.ndarray:
    """Drop sites at random on the given places, then let them push each other apart."""
    few = rng.permutation(len(x))[: max(60 * count, 2000)]  # enough places to weigh each cell
    x, y = x[few], y[few]
    sites = np.stack([x[:count], y[:count]], axis=1)
    for _ in range(rounds):
        owner = nearest(x, y, sites)
        weight = np.maximum(np.bincount(owner, minlength=len(sites)), 1)
        middles = [np.bincount(owner, part, minlength=len(sites)) / weight for part in (x, y)]
        sites = np.stack(middles, axis=1)
    return sites


def gather(pieces: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Average a field over each numbered piece."""
    weight = np.maximum(np.bincount(pieces.ravel()), 1)
    return np.bincount(pieces.ravel(), values.ravel()) / weight


def renumber(pieces: np.ndarray) -> np.ndarray:
    """Number the pieces 0, 1, 2 ... without gaps."""
    return np.unique(pieces, return_inverse=True)[1].reshape(pieces.shape)


def seams(pieces: np.ndarray, pixels: int, rounding: float = 2.0) -> np.ndarray:
    """Draw the lines between pieces, `pixels` to each side, with rounded corners: 1 on the line, 0 off it."""
    line = np.zeros(pieces.shape, dtype=np.uint8)
    line[:-1] |= pieces[:-1] != pieces[1:]
    line[:, :-1] |= pieces[:, :-1] != pieces[:, 1:]
    thick = Image.fromarray(line * 255).filter(ImageFilter.MaxFilter(2 * pixels + 1))
    smooth = np.asarray(thick.filter(ImageFilter.GaussianBlur(rounding)), dtype=np.float32) / 255
    return np.clip((smooth - 0.5) * 2 * rounding + 0.5, 0, 1)  # an edge about one pixel soft
