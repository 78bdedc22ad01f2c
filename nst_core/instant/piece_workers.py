"""Paints the pieces of a film side by side, each by a process or another machine, and joins them in order."""

import os
import pickle  # nosec B403  # nothing is read by it here
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from itertools import cycle
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import torch

from nst_core.cores import threads
from nst_core.devices import all_devices, choose_on_this_thread, keep_freed_memory
from nst_core.errors import ConfigError, DeviceError, said
from nst_core.files import NewFile, plain_errors
from nst_core.instant.pieces import FilmJob, Moment, Piece, PiecePainter, painted_length

WAIT_SECONDS = 0.25  # for a painted frame, before who waits has a look at other things
END_SECONDS = 5.0  # that a process has to end


class Share(NamedTuple):
    """What of the computer one process has: threads, and a device as of Compute."""

    threads: int
    device: str


class PaintsPieces(Protocol):
    """Paints pieces of one film, as PiecePainter does."""

    def frames(self, piece: Piece) -> Iterator[np.ndarray]:
        """Give a piece's frames that are kept, (height, width, 3) uint8."""

    def close(self) -> None:
        """Free what it holds."""


class Task(NamedTuple):
    """A piece to paint, the path of the NewFile for its pixels, and the film that is made, for words about it."""

    piece: Piece
    path: Path
    output: Path


def check_workers(workers: int) -> int:
    """Refuse a number of processes that this computer has no cores for; else give it.

    Raises:
        ConfigError: it is none, or too many.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(workers, bool) or not isinstance(workers, int) or not 1 <= workers <= cores:
        raise ConfigError(
            f"workers is {said(workers)}; give a whole number from 1 to {cores}, the cores of this computer"
        )
    return workers


def waiting_frames(job: FilmJob, workers: int) -> int:
    """Tell how many painted frames wait at most, on the disk, for those before them."""
    return (workers + 1) * painted_length(job, workers)


def shares_of(workers: int) -> list[Share]:
    """Share this process's threads and all devices among so many; not on a device's thread, which has one device."""
    each, devices = max(1, threads() // workers), cycle(all_devices())
    return [Share(each, next(devices)) for _ in range(workers)]


def serve(connection: Connection, job: FilmJob, share: Share) -> None:
    """Paint what pieces come, until nobody sends any more; the work of a process.

    Sends, after each frame that stands in its piece's file, True, and after a piece False; an error as it is. What
    paints may send lines for a person between.
    """
    for name in ("SIGINT", "SIGHUP", "SIGTERM"):  # who gets them, too, as the group does, ends its processes itself
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    keep_freed_memory()
    torch.set_num_threads(share.threads)
    cv2.setNumThreads(share.threads)
    choose_on_this_thread(share.device)
    paint_pieces(connection, partial(PiecePainter, job))


def paint_pieces(connection: Connection, make_painter: Callable[[], PaintsPieces]) -> None:
    """Do what `serve` says on this thread, in whatever process, by what paints pieces."""
    with connection, suppress(EOFError, ConnectionError):  # who sends is gone
        try:
            with closing(make_painter()) as painter:
                while True:
                    _paint(painter, connection.recv(), connection)
        except (EOFError, ConnectionError):
            raise
        except Exception as error:  # whatever it is, it is told where it is waited for
            connection.send(_told(error))


def _paint(painter: PaintsPieces, aside: Task, connection: Connection) -> None:
    """Paint a piece into the file aside that was made for it."""
    with plain_errors(aside.output), aside.path.open("r+b") as file:
        for pixels in painter.frames(aside.piece):
            file.write(pixels.tobytes())
            file.flush()
            connection.send(True)
    connection.send(False)


def _told(error: Exception) -> Exception:
    """An error as another process can be told of it."""
    try:
        pickle.loads(pickle.dumps(error))  # nosec B301  # its own words
    except Exception:  # whatever an error of somebody else's is made of
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


class Waiting:
    """A piece that is being painted, or waits to be joined.

    Attributes:
        painted, joined: frames of it.
        over: nobody writes into its file any more.
    """

    def __init__(self, piece: Piece, moments: list[Moment], output: Path, size: tuple[int, int, int]):
        self.piece, self.moments, self._size = piece, moments, size
        self.file = NewFile(output)
        self.painted = self.joined = 0
        self.over = False

    def next(self) -> tuple[np.ndarray, Moment]:
        """Read the next frame."""
        count = self._size[0] * self._size[1] * self._size[2]
        pixels = np.fromfile(self.file.path, np.uint8, count, offset=count * self.joined)
        self.joined += 1
        return pixels.reshape(self._size), self.moments[self.joined - 1]


class PieceWorker(Protocol):
    """Whoever is handed pieces over its connection, and answers as `serve` does.

    Attributes:
        at: the piece that it paints.
    """

    connection: Connection
    at: Waiting | None

    def end(self) -> None:
        """End it, whatever it does."""

    def why_gone(self) -> DeviceError:
        """Say that it is no more."""


class ProcessWorker:
    """A process of this computer that paints pieces."""

    def __init__(self, job: FilmJob, share: Share):
        # begun anew rather than forked: threads and GPUs do not survive that
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, job, share), daemon=True)
        self._process.start()
        theirs.close()
        self.at: Waiting | None = None

    def end(self) -> None:
        """End it, whatever it does."""
        self.connection.close()
        self._process.kill()  # it has nothing of its own to tidy: files aside are dropped here
        self._process.join()

    def why_gone(self) -> DeviceError:
        """Say that it is no more."""
        self._process.join(END_SECONDS)
        code = self._process.exitcode
        how = signal.Signals(-code).name if code and code < 0 else f"code {code}"
        return DeviceError(
            f"a process that painted the video was ended ({how}), perhaps for want of memory; nothing is kept: paint "
            "it again, with fewer workers or at a smaller size"
        )


class PieceWorkers:
    """Workers that paint pieces of one film; `close` ends them.

    Args:
        job: whose pieces.
        begin: begins each worker.
        output: the film that is made, beside which painted pixels wait.
    """

    def __init__(self, job: FilmJob, begin: Sequence[Callable[[], PieceWorker]], output: Path):
        self._job, self._output = job, output
        self._length, self._room = painted_length(job, len(begin)), waiting_frames(job, len(begin))
        self._waiting: deque[Waiting] = deque()
        self._told: deque[str] = deque()  # lines that are still to be given
        self._workers: list[PieceWorker] = []
        try:
            for each in begin:
                self._workers.append(each())
        except BaseException:
            self.close()
            raise

    def joined(self, pieces: Iterator[tuple[Piece, list[Moment]]]) -> Iterator[tuple[np.ndarray, Moment] | str | None]:
        """Give painted frames (height, width, 3) uint8 in order, and None every moment in which there is none yet.

        Between them come lines for a person, as they are heard.

        Raises:
            DeviceError: a worker was ended; what else went wrong in one is raised as it was.
        """
        while True:
            self._hand_out(pieces)
            while self._told:
                yield self._told.popleft()
            if not self._waiting:
                return
            first = self._waiting[0]
            if first.joined < first.painted:
                yield first.next()
            elif first.over:
                self._waiting.popleft().file.drop()
            elif not self._hear():
                yield None

    def _hand_out(self, pieces: Iterator[tuple[Piece, list[Moment]]]) -> None:
        """Give whoever does nothing a piece, as long as not too much waits."""
        for worker in self._workers:
            on_disk = sum(one.piece.frames for one in self._waiting)
            if worker.at is None and on_disk + self._length <= self._room and (cut := next(pieces, None)):
                worker.at = Waiting(*cut, self._output, self._job.frame_size)
                self._waiting.append(worker.at)
                with suppress(ConnectionError):  # which is told where it is heard
                    worker.connection.send(Task(cut[0], worker.at.file.path, self._output))

    def _hear(self) -> bool:
        """Wait for news; whether there were any."""
        by = {worker.connection: worker for worker in self._workers}
        heard = wait(list(by), WAIT_SECONDS)
        for connection in heard:
            worker = next(worker for each, worker in by.items() if each is connection)
            try:
                news = worker.connection.recv()
            except (EOFError, OSError):
                raise worker.why_gone() from None
            if isinstance(news, Exception):
                raise news
            if isinstance(news, str):
                self._told.append(news)
            elif worker.at and news:
                worker.at.painted += 1
            elif worker.at:
                worker.at.over, worker.at = True, None
        return bool(heard)

    def close(self) -> None:
        """End all workers, and leave nothing of theirs."""
        for worker in self._workers:  # all are told before any is waited for
            worker.connection.close()
        for worker in self._workers:
            worker.end()
        for one in self._waiting:
            one.file.drop()
