"""Paints a video by several workers side by side, in pieces that are joined without a seam."""

from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from pathlib import Path

from nst_core.engine.remote_run import Machines
from nst_core.instant.cuts import SceneCuts
from nst_core.instant.far_pieces import FarWorker, far_workers
from nst_core.instant.film import Film
from nst_core.instant.piece_workers import (
    PieceWorker,
    PieceWorkers,
    ProcessWorker,
    check_workers,
    shares_of,
    waiting_frames,
)
from nst_core.instant.pieces import FilmJob, Paint, as_image, cut_film, painted_length
from nst_core.instant.video import Next, VideoProgress, checked_plan, painting, room
from nst_core.outputs import check_room
from nst_core.transfer.steering import Steering


def paint_video_by_many(
    source: str | Path,
    output: str | Path,
    make_paint: Callable[[], Paint],
    *,
    workers: int | None = None,
    machines: Machines | None = None,
    steady: bool = False,
    size: int | None = None,
    steering: Steering | None = None,
) -> Generator[VideoProgress, None, None]:
    """Paint a video as `paint_video` does, each worker a piece at a time; progress is told while none is ready, too.

    Without `steady`, and with it where a piece begins with a scene, frames are those that one worker paints. Elsewhere
    twelve frames lead into a piece and are dropped, and its first differ a little; see the room's README. Painted
    frames wait for their turn in hidden files beside the output, for which there must be room. A worker that fails ends
    all, and leaves no file; so does a process that is ended, but what a machine was at that is lost another paints.

    Workers are processes that import the program's main module anew; a script of one's own begins with
    `if __name__ == "__main__":`.

    Args:
        source, output, steady, size, steering: as of `paint_video`.
        make_paint: called by each worker, makes what `paint_video` takes as `paint`; it is pickled.
        workers: processes, at most one for each of this computer's cores, None for one; of a cluster, its workers, None
            for all up to MOST_WORKERS.
        machines: of a cluster, to which the video's file is sent; None: processes of this computer paint.

    Raises:
        as `paint_video`; ConfigError: a number of workers that cannot be; DeviceError: one was ended, or there is no
        cluster.
    """
    workers = check_workers(1 if workers is None else workers) if machines is None else far_workers(workers, machines)
    source, output = Path(source), Path(output)
    job = FilmJob(source.absolute(), checked_plan(source, output, size), make_paint, steady)
    height, width, channels = job.frame_size
    begin = _begin(job, workers, machines)
    waiting = waiting_frames(job, workers) * height * width * channels
    check_room(output.parent, room(job.plan, source, output) + waiting, called="the disk")

    def frames(film: Film) -> Generator[Next, None, None]:
        is_cut = SceneCuts(film, job.plan) if steady else lambda frame: False
        pieces = cut_film(film.frames(), painted_length(job, workers), job.lead, is_cut)
        with closing(PieceWorkers(job, begin, output)) as crew:
            for one in crew.joined(pieces):
                yield (partial(as_image, one[0]), one[1]) if isinstance(one, tuple) else one

    return painting(source, output, job.plan, frames, steering or Steering())


def _begin(job: FilmJob, workers: int, machines: Machines | None) -> list[Callable[[], PieceWorker]]:
    """Give what begins each worker."""
    if machines is None:
        return [partial(ProcessWorker, job, share) for share in shares_of(workers)]
    return [partial(FarWorker, job, machines)] * workers
