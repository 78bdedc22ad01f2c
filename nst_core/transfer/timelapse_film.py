"""Writes pictures as a film, H.264 in an MP4, which phones, browsers and messengers play."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from PIL import Image

from nst_core.files import plain_errors, writing

OPTIONS = {"crf": "18", "bf": "0"}  # strokes stay sharp, and files know when the last picture ends
BASE = Fraction(1, 1000)  # seconds: durations are in milliseconds


def write_film(pictures: Sequence[Image.Image], durations: Sequence[int], path: Path) -> None:
    """Write RGB pictures of one size, each for its time; an odd last row or column is left out, as H.264 needs it.

    Args:
        pictures: one or more.
        durations: of each, in milliseconds.
        path: of the file, whatever its ending.

    Raises:
        OutputError: it cannot be written.
    """
    width, height = (side // 2 * 2 for side in pictures[0].size)
    with (
        writing(path) as aside,
        plain_errors(path, av.FFmpegError),
        av.open(str(aside), "w", "mp4", options={"movflags": "+faststart"}) as film,
    ):
        looks: dict[str, Any] = {"width": width, "height": height, "pix_fmt": "yuv420p", "time_base": BASE}
        stream = film.add_stream("libx264", Fraction(1000, min(durations)), OPTIONS, **looks)
        context = stream.codec_context
        context.flags |= Flags.frame_duration
        context.colorspace, context.color_range = int(Colorspace.ITU709), int(ColorRange.MPEG)
        context.color_primaries, context.color_trc = int(ColorPrimaries.BT709), int(ColorTrc.BT709)
        scaler, begin = VideoReformatter(), 0
        # the last one again, a moment before it ends: of the last frame of all, players know no length
        shown = [*zip(pictures, durations, strict=True), (pictures[-1], 1)]
        for picture, duration in shown:
            rgb = av.VideoFrame.from_ndarray(np.asarray(picture)[:height, :width], "rgb24")
            frame = scaler.reformat(
                rgb,
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
                interpolation=Interpolation.BICUBIC,
            )
            frame.pts, frame.duration, frame.time_base = begin, duration, BASE
            begin += duration
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
