"""The sheet to paint on: drawn twice as large as wanted, then reduced for smooth edges."""

import numpy as np
from PIL import Image

ENLARGED = 2  # times the finished size


def enlarged(size: tuple[int, int], times: int = ENLARGED) -> tuple[int, int]:
    """Give the width and height of the working sheet."""
    return size[0] * times, size[1] * times


def places(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Give x and y for each pixel in parts of the picture's width, x to the right and y down."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return (x + 0.5) / width, (y + 0.5) / width


def to_image(colours: np.ndarray) -> Image.Image:
    """Turn an array of parts of the pixel range into a picture."""
    return Image.fromarray((np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8))


def to_array(image: Image.Image) -> np.ndarray:
    """Turn a picture into an array of parts of the pixel range."""
    return np.asarray(image, dtype=np.float32) / 255


def finish(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Reduce the working sheet to the wanted size."""
    return image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
