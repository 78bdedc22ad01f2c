"""Lists the kinds of file that a painted video is written to, by the ending of its name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import av


@dataclass(frozen=True)
class Kind:
    """Says how a kind of file is written by ffmpeg.

    Attributes:
        rate: bytes that a pixel of a painting took about, of films that move, measured at 320×240.
        time_base: seconds, the unit of its times; None for the film's own.
        least: how many of them a frame lasts at least; browsers show one that says less for far longer.
        sound: whether it holds any.
    """

    container: str
    codec: str
    pixels: str
    rate: float
    options: Mapping[str, str] = field(default_factory=dict)
    container_options: Mapping[str, str] = field(default_factory=dict)
    time_base: Fraction | None = None
    least: int = 0
    sound: bool = False


# 20: strokes look as they were painted. No frames that refer to later ones (bf), though the file would be smaller, as
# they are stored in another order than shown: durations would go to other frames, the last one's too.
H264 = {"crf": "20", "preset": "fast", "bf": "0"}
FOR_EVER = {"loop": "0"}  # as GIF and WebP call it

KINDS = {
    ".mp4": Kind("mp4", "libx264", "yuv420p", 0.1, H264, {"movflags": "+faststart"}, sound=True),
    ".gif": Kind("gif", "gif", "pal8", 1.1, {}, FOR_EVER, Fraction(1, 100), 2),
    ".webp": Kind("webp", "libwebp_anim", "bgra", 0.5, {"quality": "90"}, FOR_EVER, Fraction(1, 1000), 11),
    ".png": Kind("apng", "apng", "rgb24", 2.5, {}, {"plays": "0"}, Fraction(1, 1000), 11),
}


class Palette:
    """Puts pictures into 256 colours of each one's own choice (ffmpeg's palettegen and paletteuse)."""

    def __init__(self) -> None:
        self._graph: av.filter.Graph | None = None

    def __call__(self, rgb: av.VideoFrame) -> av.VideoFrame:
        """Turn rgb24 into pal8, of one size all the time."""
        if self._graph is None:
            self._graph = graph = av.filter.Graph()
            size = f"{rgb.width}x{rgb.height}"
            entry = graph.add("buffer", video_size=size, pix_fmt="rgb24", time_base="1")
            split, use = graph.add("split"), graph.add("paletteuse", "new=1")
            chosen = graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
            entry.link_to(split)
            split.link_to(use, 0, 0)
            split.link_to(chosen, 1, 0)
            chosen.link_to(use, 0, 1)
            use.link_to(graph.add("buffersink"))
            graph.configure()
            self._count = 0
        rgb.pts, rgb.time_base = self._count, Fraction(1)
        self._count += 1
        self._graph.vpush(rgb)
        return self._graph.vpull()
