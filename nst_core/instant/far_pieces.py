"""Paints pieces of a film on another machine of a cluster, which gets the film's file once."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from multiprocessing import Pipe
from pathlib import Path
from tempfile import gettempdir
from typing import NamedTuple

import numpy as np

from nst_core.engine.device_thread import Account
from nst_core.engine.devices import DEVICES
from nst_core.engine.errands import Turns
from nst_core.engine.hosted import Hosted
from nst_core.engine.remote_run import MOST_LOST, Lost, Machines
from nst_core.errors import ConfigError, DeviceError, NSTError, said
from nst_core.files import NewFile, plain_errors
from nst_core.instant.piece_workers import END_SECONDS, Waiting, paint_pieces
from nst_core.instant.pieces import FilmJob, Piece, PiecePainter
from nst_core.outputs import check_room

PART_BYTES = 2**24  # of a film's file, sent at a time
MOMENT_SECONDS = 0.25  # of painting, after which what is painted is sent
MOMENT_BYTES = 2**23  # of painted frames, after which they are sent
AHEAD = 2  # moments that are asked for at a time, so that the machine does not wait for what comes and goes

MOST_WORKERS = 8  # that one film has of itself: more would paint faster than it is read and encoded here


def far_workers(asked: int | None, machines: Machines) -> int:
    """Tell how many workers of a cluster paint a film.

    Args:
        asked: so many; None: all up to MOST_WORKERS.
        machines: of the cluster.

    Raises:
        ConfigError: more than there are, or a number that is none; DeviceError: there is no cluster.
    """
    count = machines.count()
    if asked is None:
        return min(count, MOST_WORKERS)
    if isinstance(asked, bool) or not isinstance(asked, int) or not 1 <= asked <= count:
        raise ConfigError(f"workers is {said(asked)}; give a whole number from 1 to {count}, those of the cluster")
    return asked


class Painted(NamedTuple):
    """Some frames of a piece, (N, height, width, 3) uint8; over: they are its last."""

    frames: np.ndarray
    over: bool


class HostedFilm:
    """A film on the machine that paints it: its file, and the piece at hand. Its methods are asked for from elsewhere.

    Args:
        job: of the film, whose path is that of the machine that asks.
        size: bytes of its file.

    Raises:
        OutputError: no room for it on this machine's disk.
    """

    def __init__(self, job: FilmJob, size: int):
        folder = Path(gettempdir())
        check_room(folder, size, called="the disk")
        self._file = NewFile(folder / "film")  # one that a killed process left goes as the next is made
        self._job, self._account = replace(job, source=self._file.path), Account()
        self._painter: PiecePainter | None = None
        self._frames: Iterator[np.ndarray] = iter(())
        self._turns = Turns()

    def take(self, part: bytes) -> None:
        """Write the next part of the film's file."""
        with plain_errors("the film"), self._file.path.open("ab") as file:
            file.write(part)

    def begin(self, piece: Piece) -> None:
        """Paint a piece from now on, in place of the one before."""
        with DEVICES.own_job(self._account):
            DEVICES.submit(self._begin, piece).result()

    def _begin(self, piece: Piece) -> None:
        self._painter = self._painter or PiecePainter(self._job)
        self._frames, self._turns = self._painter.frames(piece), Turns()

    def paint(self, moment: int) -> Painted:
        """Paint the frames of a moment, in turns with all else here, when those before are painted.

        Args:
            moment: how many were asked for before, since the piece was begun.

        Raises:
            NSTError: whatever making the paint, reading or painting does.
        """
        with self._turns.turn(moment):
            return self._painted()

    def _painted(self) -> Painted:
        began, frames = time.monotonic(), list[np.ndarray]()
        with DEVICES.own_job(self._account):
            while (frame := DEVICES.next_of(self._frames)) is not None:
                frames.append(frame)
                if time.monotonic() - began >= MOMENT_SECONDS or sum(each.nbytes for each in frames) >= MOMENT_BYTES:
                    return Painted(np.stack(frames), over=False)
        return Painted(np.stack(frames) if frames else np.empty((0, *self._job.frame_size), np.uint8), over=True)

    def close(self) -> None:
        """Forget the film, and delete its file."""
        DEVICES.submit(self._end).result()
        self._file.drop()

    def _end(self) -> None:
        self._frames = iter(())  # for whoever paints a moment of it
        if self._painter:
            self._painter.close()


class FarPainter:
    """Paints pieces of one film as PiecePainter does, by a machine of a cluster or, if that is lost, by another.

    Args:
        job: whose pieces they are.
        machines: of the cluster; one is chosen when there is something to paint, and kept.
        tell: called with a line for a person when a machine is lost.
    """

    def __init__(self, job: FilmJob, machines: Machines, tell: Callable[[str], object] = lambda line: None):
        self._job, self._machines, self._tell = job, machines, tell
        self._film: Hosted | None = None

    def frames(self, piece: Piece) -> Iterator[np.ndarray]:
        """Paint a piece; gives the frames that are kept, (height, width, 3) uint8: those of any machine, once each.

        Raises:
            NSTError: as of PiecePainter; no machine, or many were lost.
        """
        lost = 0
        while piece.frames:
            try:
                for frame in self._fetched(piece):
                    yield frame
                    piece, lost = piece._replace(first=piece.first + 1), 0
            except Lost as machine:
                self._leave()
                lost += 1
                if lost >= MOST_LOST:
                    raise DeviceError(
                        f"{lost} machines were lost at the same frame; choose a smaller size, or look at them"
                    ) from None
                self._tell(f"{machine} was lost: another machine goes on from frame {piece.first + 1}")

    def _fetched(self, piece: Piece) -> Iterator[np.ndarray]:
        """Paint a piece on the machine at hand."""
        film = self._film or self._sent()
        film.ask("begin", piece)
        coming: deque[Callable[[], Painted]] = deque()
        asked, over = 0, False
        while not over:
            while len(coming) < AHEAD:
                coming.append(film.start("paint", asked))
                asked += 1
            frames, over = coming.popleft()()
            yield from frames
        for answer in coming:  # which are empty
            answer()

    def _sent(self) -> Hosted:
        """Choose a machine, and send it the film."""
        source = self._job.source
        with source.open("rb") as file:
            self._film = film = Hosted(self._machines, partial(HostedFilm, self._job, source.stat().st_size))
            while part := file.read(PART_BYTES):
                film.ask("take", part)
        return film

    def _leave(self) -> None:
        if self._film:
            self._film.leave()
        self._film = None

    def close(self) -> None:
        """Let the machine forget the film."""
        if self._film:
            with suppress(Lost, NSTError):
                self._film.dismiss()()
        self._film = None


class FarWorker:
    """One machine of a cluster, and the piece at which it is; as a process is one of this computer's.

    Args:
        job, machines: as of FarPainter.
    """

    def __init__(self, job: FilmJob, machines: Machines):
        self.connection, theirs = Pipe()
        self.at: Waiting | None = None
        make = partial(FarPainter, job, machines, theirs.send)
        self._thread = threading.Thread(target=paint_pieces, args=(theirs, make), name="elsewhere", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Have it end after the moment at hand; a machine that does not answer is not waited for."""
        self.connection.close()
        self._thread.join(END_SECONDS)

    def why_gone(self) -> DeviceError:
        """Say that it is no more."""
        return DeviceError("a machine that painted the video is gone; nothing is kept: paint it again")
