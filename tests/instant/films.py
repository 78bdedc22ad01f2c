"""Films as people have them, made by code: of any container, codec, colours, fields and sound."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from nst_core import images
from nst_core.instant.video import paint_video

HEIGHT, WIDTH, RATE, SOUND_RATE = 48, 64, 25, 48000


def ramp(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A picture of many colours and greys, black and white among them, without an edge, (height, width, 3) uint8."""
    rows, columns = np.linspace(0, 1, height)[:, None], np.linspace(0, 1, width)[None]
    coloured = np.stack([columns + 0 * rows, 1 - rows + 0 * columns, (rows + 1 - columns) / 2], axis=-1)
    grey = np.repeat((columns + 0 * rows)[..., None], 3, axis=-1)
    share = np.clip(rows * 3 - 1, 0, 1)[..., None]  # colours above, greys below
    return ((coloured * (1 - share) + grey * share) * 255).round().astype(np.uint8)


def frame_of(pixels: np.ndarray, kind: str, matrix: int = 1, full: bool = False) -> av.VideoFrame:
    """(H, W, 3) uint8 or uint16, or (H, W, 4) uint8, as a frame of a pixel format."""
    source = "rgba" if pixels.shape[2] == 4 else "rgb48le" if pixels.dtype == np.uint16 else "rgb24"
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), source)
    return frame.reformat(format=kind, dst_colorspace=matrix, src_color_range=2, dst_color_range=2 if full else 1)


def write(
    path: Path,
    frames: Sequence[av.VideoFrame],
    codec: str,
    *,
    container: str | None = None,
    container_options: dict[str, str] | None = None,
    times: Sequence[int] | None = None,  # milliseconds
    options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    sound: str | None = None,
    sound_options: dict[str, str] | None = None,
    clicks: Iterable[float] = (),
    sound_rate: int = SOUND_RATE,
    layout: str = "mono",
    sound_from: float = 0.0,
    **context_settings: object,
) -> Path:
    """Write frames, and, if a sound codec is named, silence with clicks at such seconds, as long as they last."""
    with av.open(str(path), "w", container, container_options=container_options or {}) as target:
        base = Fraction(1, 1000) if times else Fraction(1, RATE)
        first = frames[0]
        stream = target.add_stream(
            codec, rate=RATE, width=first.width, height=first.height, pix_fmt=first.format.name, time_base=base
        )
        stream.options = options or {}
        stream.metadata.update(metadata or {})
        for name, value in context_settings.items():
            setattr(stream.codec_context, name, value)
        audio = target.add_stream(sound, rate=sound_rate, layout=layout, options=sound_options) if sound else None
        pieces = click_frames(clicks, len(frames) / RATE, sound_rate, sound_from) if audio else []
        for index, frame in enumerate(frames):
            frame.pts, frame.time_base = times[index] if times else index, base
            target.mux(stream.encode(frame))
            while pieces and pieces[0].time < (index + 1) / RATE:
                target.mux(audio.encode(pieces.pop(0)))
        target.mux(stream.encode(None))
        for piece in [*pieces, None] if audio else []:
            target.mux(audio.encode(piece))
    return path


def click_frames(clicks: Iterable[float], seconds: float, rate: int, begin: float = 0.0) -> list[av.AudioFrame]:
    """Silence from `begin` to `seconds` with short tones in it, in pieces of 20 ms."""
    wave = np.random.default_rng(0).normal(0, 20, round(seconds * rate))
    tone = 20000 * np.sin(np.arange(rate // 50) * 2 * np.pi * 1000 / rate)
    for click in clicks:
        wave[round(click * rate) : round(click * rate) + len(tone)] = tone
    pieces = []
    for first in range(round(begin * rate), len(wave), rate // 50):
        piece = av.AudioFrame.from_ndarray(wave[None, first : first + rate // 50].astype(np.int16), "s16", "mono")
        piece.sample_rate, piece.pts, piece.time_base = rate, first, Fraction(1, rate)
        pieces.append(piece)
    return pieces


def click_times(path: Path) -> list[float]:
    """When short tones begin, in seconds of the file's own time."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    loud, times = [], []
    for frame in frames:
        samples = frame.to_ndarray().astype(float)
        channels = 1 if frame.format.is_planar else frame.layout.nb_channels
        samples = samples.reshape(-1, channels).T if channels > 1 else samples
        loud.append(np.abs(samples).max(axis=0))
        begin = frame.pts * frame.time_base if frame.pts is not None else times[-1][-1]  # one that goes on
        times.append(float(begin) + np.arange(samples.shape[1]) / frame.sample_rate)
    loud, times = np.concatenate(loud), np.concatenate(times)
    places = np.flatnonzero(loud > 0.4 * loud.max())
    return [float(times[place]) for place in places[np.diff(places, prepend=-(10**9)) > 2000]]


def decoded(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def seen(source: Path, output: Path, **settings) -> tuple[list[np.ndarray], list[str]]:
    """The frames that are painted, each (H, W, 3) of whole numbers to 255, and what was noted."""
    frames, notes = [], []
    for progress in paint_video(source, output, lambda image: frames.append(image) or image, **settings):
        notes += [progress.note] if progress.note else []
    return [images.to_bytes(frame).astype(int) for frame in frames], notes


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """Mean, of 255."""
    return float(np.abs(first.astype(int) - second.astype(int)).mean())
