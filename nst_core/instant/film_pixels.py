"""Makes images of decoded frames: upright, in square pixels, over white, in the colours of BT.709."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from PIL import Image
from torch import Tensor

from nst_core import images
from nst_core.instant.hdr import Conversion, colours_of
from nst_core.pictures.light import BT2020, Colours

# ffmpeg's number of a frame's colour matrix -> swscale's; where it says none, players take BT.709 from HD_ROWS on.
MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
HD_ROWS = 720
STRIP_PIXELS = 2**16  # laid over white at a time
SCALER = Interpolation.LANCZOS | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
NEAREST = Interpolation.POINT | Interpolation.ACCURATE_RND


# EXIF's orientation, from 1 on -> as `turn_of`.
ORIENTATIONS = (
    *((1, 0, 0, 1), (-1, 0, 0, 1), (-1, 0, 0, -1), (1, 0, 0, -1)),
    *((0, 1, 1, 0), (0, 1, -1, 0), (0, -1, -1, 0), (0, -1, 1, 0)),
)


class FilmPixels:
    """Makes images of all frames of a film: with a scaler for each, as is PyAV's default, memory goes up.

    Args:
        opaque: what may look like transparency is none.
        common: as `colours_of`.
    """

    def __init__(self, *, opaque: bool, common: bool) -> None:
        self._opaque, self._common = opaque, common
        self._scaler, self._transparent_scaler = VideoReformatter(), VideoReformatter()
        self._conversions: dict[Colours, Conversion] = {}

    def image(self, frame: av.VideoFrame, size: tuple[int, int], turn: tuple[int, int, int, int]) -> Tensor:
        """Make an image (1, 3, H, W) of a frame, upright; of an odd size, the last row or column is left out.

        Args:
            size: (height, width), upright.
            turn: as `turn_of`.
        """
        a, b, c, d = turn
        height, width = reversed(size) if b else size
        pixels = self._over_white(frame, width, height) if self._has_alpha(frame) else self._rgb(frame, width, height)
        if b:
            pixels, a, d = pixels.transpose(1, 0, 2), c, b
        pixels = pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
        pixels = pixels[: size[0] // 2 * 2, : size[1] // 2 * 2]
        return images.from_pil(Image.fromarray(np.ascontiguousarray(pixels)))

    def _rgb(self, frame: av.VideoFrame, width: int, height: int) -> np.ndarray:
        """Read a frame without transparency as (height, width, 3) uint8."""
        colours = colours_of(frame, common=self._common)
        made = reformatted(self._scaler, frame, width, height, "rgb48le" if colours else "rgb24")
        return self._converted(made, colours) if colours else made

    def _over_white(self, frame: av.VideoFrame, width: int, height: int) -> np.ndarray:
        """Read a frame with transparency so; scaled at last, lest hidden colours seep out at edges.

        For the same reason, each pixel has the colour of its own block where several share one.
        """
        colours = colours_of(frame, common=self._common)
        kind = "rgba64le" if colours else "rgba"
        made = reformatted(self._transparent_scaler, frame, frame.width, frame.height, kind, NEAREST)
        laid = _laid_over_white(self._converted(made[..., :3], colours) if colours else made[..., :3], made[..., 3:])
        return reformatted(self._scaler, av.VideoFrame.from_ndarray(laid, "rgb24"), width, height, "rgb24")

    def _has_alpha(self, frame: av.VideoFrame) -> bool:
        alpha = frame.format.has_palette or any(component.is_alpha for component in frame.format.components)
        return alpha and not self._opaque

    def _converted(self, pixels: np.ndarray, colours: Colours) -> np.ndarray:
        if colours not in self._conversions:
            self._conversions[colours] = Conversion(colours)
        return ((self._conversions[colours](pixels) + np.uint32(128)) // 257).astype(np.uint8)


def _laid_over_white(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lay (H, W, 3) uint8 over white by (H, W, 1) uint8 or uint16, some rows at a time, lest large frames take much."""
    laid = np.empty(rgb.shape, np.uint8)
    opaque, rows = np.iinfo(alpha.dtype).max, max(1, STRIP_PIXELS // rgb.shape[1])
    for top in range(0, len(rgb), rows):
        strip = slice(top, top + rows)
        laid[strip] = rgb[strip]
        if alpha[strip].min() < opaque:
            laid[strip] = (255 + (rgb[strip] - np.float32(255)) * (alpha[strip] / np.float32(opaque))).round()
    return laid


def reformatted(
    scaler: VideoReformatter,
    frame: av.VideoFrame,
    width: int,
    height: int,
    kind: str,
    interpolation: Interpolation = SCALER,
) -> np.ndarray:
    """Scale a frame to (height, width, channels) of full range, by the matrix that the frame names or players take."""
    colours = colours_of(frame)
    if colours and colours.primaries == BT2020:
        guess = Colorspace.BT2020
    else:
        guess = Colorspace.ITU709 if frame.height >= HD_ROWS else Colorspace.ITU601
    return scaler.reformat(
        frame,
        width,
        height,
        kind,
        src_colorspace=MATRICES.get(frame.colorspace, guess),
        dst_color_range=ColorRange.JPEG,
        interpolation=interpolation,
    ).to_ndarray()


def turn_of(frame: av.VideoFrame, orientation: int) -> tuple[int, int, int, int]:
    """Tell where a stored pixel (p, q) is shown, (a p + c q, b p + d q), by a, b, c, d: phones film on their side.

    Args:
        orientation: of EXIF, for a film of JPEGs that have any.

    Asked of one frame only: a frame that was asked for its side data waits for the garbage collector, picture and all.
    """
    try:
        beside: Mapping[str, Any] = frame.side_data  # PyAV's stubs know no more than one kind
    except ValueError:  # nor does PyAV know all: EXIF in films of JPEGs is one that hides the others
        return ORIENTATIONS[orientation - 1]
    matrix = beside.get("DISPLAYMATRIX")
    if matrix is None:
        return 1, 0, 0, 1
    a, b, _, c, d = (int(value) for value in np.frombuffer(matrix, np.int32)[:5])
    return (0, b, c, 0) if abs(b) > abs(a) else (a, 0, 0, d)


def upright_size(frame: av.VideoFrame, aspect: Fraction, turn: tuple[int, int, int, int]) -> tuple[int, int]:
    """Compute (height, width), upright, in square pixels; aspect is a stored pixel's width by its height."""
    height, width = frame.height, round(frame.width * aspect)
    return (width, height) if turn[1] else (height, width)
