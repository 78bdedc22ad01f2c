"""Reads animated WebP and AVIF, of which ffmpeg knows none or no transparency, frame by frame as films."""

import io
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from nst_core import images
from nst_core.instant.film_stream import FilmFacts
from nst_core.pictures.color_space import profile_of
from nst_core.pictures.opening import DECODER_ERRORS, admit, header_of
from nst_core.pictures.srgb import in_srgb, is_grey

FORMATS = ("WEBP", "AVIF")
MILLISECOND = Fraction(1, 1000)
LEAST_MILLISECONDS, PLAIN_MILLISECONDS = 11, 100  # browsers show a frame that says less than the one for the other


def is_animated(path: Path) -> bool:
    """Tell whether a file says at its beginning that it is a WebP or AVIF with several frames."""
    try:
        with path.open("rb") as file:
            head = file.read(21).ljust(21)
    except OSError:
        return False
    return head[4:12] == b"ftypavis" or (_is_webp(head) and head[12:16] == b"VP8X" and bool(head[20] & 2))


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


class AnimatedPicture:
    """Reads an animated picture as `FilmStream` does a film.

    Raises:
        ImageError: not even its first frame can be read, or it is too large.
    """

    def __init__(self, path: Path):
        content = path.read_bytes()
        self._content, whole = _whole_frames(content) if _is_webp(content) else (content, True)
        self.damaged = not whole
        self.notes: tuple[str, ...] = ()
        self.orientation = 1  # as stored
        with header_of(path if whole else io.BytesIO(self._content)) as (picture, file, name):
            admit(picture, file, name, images.READ_SIDE, channels=4)
            self._count = getattr(picture, "n_frames", 1)
        self.facts = FilmFacts(MILLISECOND, frames=self._count)

    def frames(self) -> Iterator[av.VideoFrame]:
        """Give every frame that can be read, with its transparency."""
        begin = 0
        with Image.open(io.BytesIO(self._content), formats=FORMATS) as picture:
            for index in range(self._count):
                try:
                    picture.seek(index)
                    pixels = np.asarray(in_srgb(picture, "RGBA", profile_of(picture, is_grey(picture))))
                except DECODER_ERRORS:
                    self.damaged = True
                    return
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgba")
                length = round(picture.info.get("duration") or 0)
                length = length if length >= LEAST_MILLISECONDS else PLAIN_MILLISECONDS
                frame.pts, frame.duration, frame.time_base = begin, length, MILLISECOND
                begin += length
                yield frame

    def close(self) -> None:
        """Do nothing, as no file is open between frames."""


def _whole_frames(content: bytes) -> tuple[bytes, bool]:
    """Take a WebP up to where it is cut short, as Pillow reads none that is; and tell whether it is whole."""
    end = 12  # of RIFF, its size and WEBP
    while end + 8 <= len(content):
        following = end + 8 + (struct.unpack_from("<I", content, end + 4)[0] + 1) // 2 * 2
        if following > len(content):
            break
        end = following
    told = 8 + struct.unpack_from("<I", content, 4)[0]
    if told <= len(content):
        return content, True
    return content[:4] + struct.pack("<I", end - 8) + content[8:end], False
