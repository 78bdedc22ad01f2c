"""Makes frames of interlaced films whole, whose odd and even rows are of two moments."""

from collections.abc import Iterator
from fractions import Fraction

import av

# What a container says of fields (ffmpeg's numbers) -> which comes first, as ffmpeg's filters name them.
ORDERS = {2: "tff", 3: "bff", 4: "bff", 5: "tff"}
MARKLESS = {"mjpeg", "png", "huffyuv", "ffvhuff", "utvideo", "qtrle", "jpeg2000"}  # codecs whose frames never tell


def order_of(stream: av.VideoStream) -> str | None:
    """Tell which field comes first by the container, where frames do not say that there are any; else None."""
    context = stream.codec_context
    return ORDERS.get(context.field_order) if context.name in MARKLESS else None


class Fields:
    """Interpolates frames of two fields (bwdif), one for one; films without any pass untouched.

    Args:
        order: of fields in every frame, as `order_of`; None: frames tell.
    """

    def __init__(self, order: str | None):
        self._order = order
        self._graph: av.filter.Graph | None = None
        self._kind: tuple[object, ...] = ()
        self._before: av.VideoFrame | None = None  # the last one without fields, for the first one of two to compare
        self._alone: av.VideoFrame | None = None  # the only one that the filter was given
        self._left_out = 0  # frames that the filter still gives, of those that were given already

    def __call__(self, frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """Take a frame; give what is ready, from the first one of two fields on a frame later."""
        if self._graph is None and not (frame.interlaced_frame or self._order):
            self._before = frame
            yield frame
            return
        kind = _kind_of(frame)
        if kind != self._kind:
            yield from self.flush()
            self._kind, self._alone = kind, frame
            self._graph = self._opened(frame, "bwdif=mode=send_frame:deint=interlaced")
            if self._before is not None and _kind_of(self._before) == kind:
                self._graph.vpush(self._before)
                self._left_out, self._alone = 1, None
            self._before = None
        else:
            self._alone = None
        yield from self._through(frame)

    def flush(self) -> Iterator[av.VideoFrame]:
        """Give what is left."""
        if self._graph is None:
            return
        if self._alone is not None:  # which cannot be compared with another: by its own rows
            self._graph = self._opened(self._alone, "estdif=mode=frame:deint=interlaced")
            yield from self._through(self._alone)
            self._alone = None
        yield from self._through(None)

    def _opened(self, frame: av.VideoFrame, filtered: str) -> av.filter.Graph:
        graph = av.filter.Graph()
        self._base = frame.time_base or Fraction(1, av.time_base)
        picture = {"video_size": f"{frame.width}x{frame.height}", "pix_fmt": frame.format.name}
        colours = {"colorspace": str(frame.colorspace), "range": str(frame.color_range)}
        nodes = [graph.add("buffer", time_base=str(self._base), **picture, **colours)]
        if self._order:
            nodes.append(graph.add("setfield", self._order))
        nodes += [graph.add(*filtered.split("=", 1)), graph.add("buffersink")]
        graph.link_nodes(*nodes).configure()
        return graph

    def _through(self, frame: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        if self._graph is None:
            return
        self._graph.vpush(frame)
        while True:
            try:
                made = self._graph.vpull()
            except (BlockingIOError, EOFError):
                return
            if self._left_out:
                self._left_out -= 1
                continue
            scale = (made.time_base or self._base) / self._base  # bwdif counts in halves
            made.pts = None if made.pts is None else round(made.pts * scale)
            made.duration, made.time_base = round(made.duration * scale), self._base
            yield made


def _kind_of(frame: av.VideoFrame) -> tuple[object, ...]:
    return frame.width, frame.height, frame.format.name, frame.time_base
