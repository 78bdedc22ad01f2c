"""Paints a video frame by frame, with its sound, in bounded memory."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import av
from torch import Tensor

from nst_core.errors import ConfigError, said
from nst_core.files import check_writable
from nst_core.instant.film import Film, FilmPlan, plan_of
from nst_core.instant.painted_kinds import KINDS
from nst_core.instant.painted_video import PaintedVideo
from nst_core.instant.pieces import Paint, Timed, painted_frame
from nst_core.instant.steady import Steady
from nst_core.outputs import LEAST_ROOM, check_room
from nst_core.transfer.steering import Steering

LEAST_BYTES = 8  # of a frame in a file
DAMAGED = "a part of the video is damaged; what can be read of it is painted"
ENDS_EARLY = "the video ends early: {} of about {} frames are there"
PARTS_LEFT = "{} of about {} frames of the video could be read"

# What paints the next frame, or fetches it painted, and the frame's times; or a note; None: it is not there yet.
Next = tuple[Callable[[], Tensor], Timed] | str | None


@dataclass(frozen=True)
class VideoProgress:
    """Tells how far a video is.

    Attributes:
        frame: frames painted so far.
        frames: how many there will be, by what the file says of itself; None where it says nothing.
        image: the newest painted frame (1, 3, H, W); None before the first.
        seconds: since the start.
        note: once, what a person should know: a part is damaged, the end is missing, the sound cannot come along, a
            machine was lost.
    """

    frame: int
    frames: int | None
    image: Tensor | None
    seconds: float
    note: str | None = None

    @property
    def text(self) -> str:
        """Put it into words: "frame 12 of 300, 3.1 a second"."""
        of = f" of {self.frames}" if self.frames and self.frames >= self.frame else ""
        rate = f", {self.frame / self.seconds:.1f} a second" if self.frame and self.seconds else ""
        return f"frame {self.frame}{of}{rate}"


def paint_video(
    source: str | Path,
    output: str | Path,
    paint: Paint,
    *,
    steady: bool = False,
    size: int | None = None,
    steering: Steering | None = None,
) -> Generator[VideoProgress, None, None]:
    """Paint every frame of a video; its times stay, and its sound, which is copied as it is where MP4 can hold it.

    All that can be wrong beforehand is raised by this call, before anything is painted. Then it is a generator. The
    file appears, whole, when that ends; stopped by `steering`, closed or interrupted, it holds the frames painted so
    far and their sound; if it fails, there is none.

    Args:
        source: a video file. Its frames are painted as a player shows them, upright and of square pixels; the last row
            or column of an odd size is left out, as H.264 with 4:2:0 cannot hold it.
        output: the file to write, an MP4 (H.264); or an animated GIF, WebP or PNG, without sound.
        paint: image (1, 3, H, W) in [0, 1] on the CPU -> painted image of that size, on any device.
        steady: less shimmer; see Steady.
        size: longest side in pixels, never enlarged; None as it is, up to images.READ_SIDE.
        steering: whose `stop` ends the video after the frame at hand.

    Raises:
        ImageError: source is no video or has no pictures, too small or too large ones.
        ConfigError: size is no number of pixels or too small, or output is none of KINDS.
        OutputError: output cannot be written, or the disk has no room for it, by about how many bytes such films take.
    """
    source, output = Path(source), Path(output)
    plan = checked_plan(source, output, size)

    check_room(output.parent, room(plan, source, output), called="the disk")

    def frames(film: Film) -> Generator[Next, None, None]:
        steadied = Steady() if steady else None

        def painted(frame: av.VideoFrame) -> Tensor:
            return painted_frame(paint, steadied, film.image(frame, plan))

        for frame in film.frames():
            yield partial(painted, frame), frame

    return painting(source, output, plan, frames, steering or Steering())


def checked_plan(source: Path, output: Path, size: int | None) -> FilmPlan:
    """Look at a video before it is painted; raises as `paint_video`, but for the disk's room."""
    _check_output(output, source)
    return plan_of(source, size)


def _check_output(path: Path, source: Path) -> None:
    """Refuse an output that cannot be written before an hour of painting, not after it."""
    if path.suffix.lower() not in KINDS:
        *others, last = KINDS
        raise ConfigError(f"output is {said(path.name)}; name an {', '.join(others)} or {last} file")
    if path.exists() and source.exists() and path.samefile(source):
        raise ConfigError(f"output is {said(path.name)}, the video itself; name another file")
    check_writable(path)


def room(plan: FilmPlan, source: Path, output: Path) -> int:
    """Reckon about how many bytes the painted video takes; more frames than its file can hold are none."""
    height, width = plan.size
    frames = min(plan.facts.frames or 0, source.stat().st_size // LEAST_BYTES)
    return max(LEAST_ROOM, round(frames * height * width * KINDS[output.suffix.lower()].rate))


def painting(
    source: Path,
    output: Path,
    plan: FilmPlan,
    frames: Callable[[Film], Generator[Next, None, None]],
    steering: Steering,
) -> Generator[VideoProgress, None, None]:
    """Write a video of frames that somebody paints; the generator behind `paint_video`.

    Args:
        plan: as `checked_plan` gives it.
        frames: all frames of the opened film, in order; if they come from elsewhere, None now and then, and notes.
    """
    began, done, whole = time.monotonic(), 0, True
    painted, damage_told, count = None, False, plan.facts.frames

    def progress(note: str | None = None) -> VideoProgress:
        return VideoProgress(done, count, painted, time.monotonic() - began if done else 0.0, note)

    with closing(Film(source, common=plan.common)) as filmed, closing(PaintedVideo(output, source, plan)) as target:
        for note in filmed.notes + target.notes or (None,):
            yield progress(note)
        try:
            with closing(frames(filmed)) as coming:
                for one in coming:
                    if steering.stop.is_set():
                        whole = False
                        break
                    if isinstance(one, str):
                        yield progress(one)
                        continue
                    if one:
                        paint, frame = one
                        painted = paint()
                        target.add(painted, frame)
                        done += 1
                    note = DAMAGED if filmed.damaged and not damage_told else None
                    damage_told |= filmed.damaged
                    yield progress(note)
        except (GeneratorExit, KeyboardInterrupt):
            target.finish(whole=False)
            raise
        target.finish(whole=whole)
        if filmed.damaged and not damage_told:
            yield progress(DAMAGED)
        if whole and filmed.ends_early(target.sound_end):
            yield progress((PARTS_LEFT if filmed.damaged else ENDS_EARLY).format(done, count))
