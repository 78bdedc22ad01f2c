"""Paints pictures and a camera's frames on the machine that hosts it, for a page on another."""

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import torch

from nst_core import images
from nst_core.devices import choose_compute
from nst_core.engine.devices import DEVICES
from nst_core.instant.any_style import Paints
from nst_core.instant.palette import Palette, Strokes
from nst_core.instant.pieces import as_image
from nst_core.steps import Steps

MOST_PAINTERS = 16  # that are kept, the newest; of a network 7 MB
MOST_CAMERAS = 256  # whose newest frame is known


class Turn(NamedTuple):
    """Which of a camera's frames one is."""

    camera: str
    number: int


class Answer(NamedTuple):
    """What became of an image.

    Attributes:
        image: the painted one, as it was sent; None: it was not painted.
        unknown: as its styles are not here.
        overtaken: as a newer frame of its camera is painted, or was.
    """

    image: np.ndarray | None = None
    unknown: bool = False
    overtaken: bool = False


class Easel:
    """Paints images on the machine that hosts it, which asks for styles once."""

    def __init__(self) -> None:
        self._painters: OrderedDict[str, Paints] = OrderedDict()  # on the device's thread alone, as all here
        self._newest: OrderedDict[str, int] = OrderedDict()  # camera -> number

    def about(self) -> None:
        """Tell that it is there."""

    def frame(self, key: str, palette: Palette | None, strokes: Strokes, pixels: np.ndarray, turn: Turn) -> Answer:
        """Paint a camera's frame (H, W, 3) uint8, if there was no newer one.

        Args:
            key: of the palette.
            palette: None where it was sent before.
            strokes: how it is painted.
            pixels: of the frame.
            turn: which frame it is.
        """

        def steps() -> Steps[Answer]:
            if self._newest.get(turn.camera, 0) > turn.number:
                return Answer(overtaken=True)
            if not (painter := self._painter(key, palette)):
                return Answer(unknown=True)
            self._newest[turn.camera] = turn.number
            self._newest.move_to_end(turn.camera)
            while len(self._newest) > MOST_CAMERAS:
                self._newest.popitem(last=False)
            return Answer(images.to_bytes((yield from strokes.paint(painter, as_image(pixels)))))

        return DEVICES.run_steps(steps()).result()

    def picture(
        self, key: str, palette: Palette | None, strokes: Strokes, image: np.ndarray, painted: np.ndarray | None
    ) -> Answer:
        """Paint a picture (1, 3, H, W) float32 or, given what was painted of it, refine that, if there is a way."""

        def steps() -> Steps[Answer]:
            if not (painter := self._painter(key, palette)):
                return Answer(unknown=True)
            content = torch.tensor(image)
            if painted is None:
                return Answer((yield from strokes.paint(painter, content)).cpu().numpy())
            quick = torch.tensor(painted)
            made = yield from strokes.refine(painter, content, quick, choose_compute())
            return Answer(None if made is quick else made.cpu().numpy())

        return DEVICES.run_steps(steps()).result()

    def _painter(self, key: str, palette: Palette | None) -> Paints | None:
        if key not in self._painters:
            if palette is None:
                return None
            self._painters[key] = palette.painter(choose_compute())
        self._painters.move_to_end(key)
        while len(self._painters) > MOST_PAINTERS:
            self._painters.popitem(last=False)
        return self._painters[key]

    def close(self) -> None:
        """Forget all styles."""
        DEVICES.submit(self._painters.clear).result()
