"""Tidies up while the server runs, and when it starts: old files, closed pages, connections that say nothing."""

import asyncio
import logging
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import gradio as gr
from gradio.routes import App
from gradio.state_holder import StateHolder

from nst_core.devices import release_freed_memory
from nst_core.engine.jobs import stop_long_ones
from nst_core.engine.limits import limits
from nst_core.ui.page.downloads import FOLDERS, IN_USE, PAINTINGS
from nst_core.ui.serving.audience import AUDIENCE

ROUND_SECONDS = 5.0  # from one round to the next
# That a page or program which nobody has open is kept, as it may only be about to listen. Each takes most of a
# megabyte, little of which Python gives back: what counts is how many there are at a time.
CLOSED_SECONDS = 5.0
GAP_SECONDS = 60.0  # that a page's is kept, which may only have lost its connection
MUTE_SECONDS = 20.0  # for a connection to say what it wants

EVERY_ROUND: list[Callable[[], None]] = []  # what others have done in every round

log = logging.getLogger(__name__)


class Connection(Protocol):
    """A connection of the server's, as uvicorn has it for each kind of protocol."""

    cycle: Any  # the request that it is at, or the last one; None: it made none
    transport: asyncio.Transport


@asynccontextmanager
async def housekeeping(app: App) -> AsyncIterator[None]:
    """Tidy up while a server runs: at the start, then every ROUND_SECONDS; at the end nothing is left behind."""
    task = asyncio.create_task(_rounds(app))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        leave_nothing()


async def _rounds(app: App) -> None:
    mute: dict[Connection, float] = {}
    while True:
        try:
            uploads = Path(gr.utils.get_upload_folder())
            keep = kept_files(app) | set(IN_USE) | {uploads / PAINTINGS}  # which have a time of their own
            stop_long_ones(limits().seconds)
            for done in EVERY_ROUND:
                done()
            await asyncio.to_thread(sweep, uploads, limits().kept, keep=keep)
            FOLDERS.intersection_update([folder for folder in list(FOLDERS) if folder.exists()])
            if forget_closed_pages(app.state_holder):
                await asyncio.to_thread(release_freed_memory)
            server = getattr(app.blocks, "server", None)
            if server is not None:
                mute = close_mute(server.server_state.connections, mute)
        except Exception:  # the next round may do better
            log.exception("a round of housekeeping failed")
        await asyncio.sleep(ROUND_SECONDS)


def kept_files(app: App) -> set[Path]:
    """Files that belong to the page itself, such as its examples."""
    blocks = app.blocks.blocks.values() if app.blocks else ()
    return {Path(path) for block in blocks for path in getattr(block, "keep_in_cache", ())}


def sweep(folder: Path, seconds: float, *, keep: Iterable[Path] = (), now: float | None = None) -> int:
    """Delete uploads and results that have been there for long, whoever left them, and empty folders.

    Args:
        folder: of uploads and results.
        seconds: that a file may have been there.
        keep: files that stay, and folders with all that is in them.
        now: the time, seconds since the epoch.

    Returns:
        how many files were deleted.
    """
    now, keep, deleted = time.time() if now is None else now, set(keep), 0
    for path in sorted(folder.rglob("*"), key=lambda path: len(path.parts), reverse=True):
        with suppress(OSError):  # somebody else deletes, or writes into the folder
            status = path.lstat()  # the time of change: that of modification may be the photograph's own
            if now - status.st_ctime <= seconds or keep.intersection((path, *path.parents)):
                continue
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()
                deleted += 1
    return deleted


def leave_nothing() -> None:
    """Delete what this program made for its pages; gradio deletes what was uploaded."""
    for folder in list(FOLDERS):
        shutil.rmtree(folder, ignore_errors=True)
    FOLDERS.clear()


def forget_closed_pages(holder: StateHolder, now: float | None = None) -> int:
    """Free what gradio keeps of pages and programs that nobody listens for any more.

    Args:
        holder: gradio's, of its sessions.
        now: the time, seconds since the epoch.

    Returns:
        of how many.
    """
    now, forgotten = time.time() if now is None else now, 0
    for name, used in list(holder.time_last_used.items()):
        is_old = now - used.timestamp() > CLOSED_SECONDS and not AUDIENCE.listens(name)
        if is_old and not (AUDIENCE.is_page(name) and AUDIENCE.silence(name) < GAP_SECONDS):
            with holder.lock:
                holder.session_data.pop(name, None)
                holder.time_last_used.pop(name, None)
            forgotten += 1
    return forgotten


def close_mute(
    connections: Iterable[Connection], mute: dict[Connection, float], now: float | None = None
) -> dict[Connection, float]:
    """Close connections that have had time enough to make a request, and did not.

    Args:
        connections: the server's.
        mute: those that had none before, and since when; monotonic seconds.
        now: the time; monotonic seconds.

    Returns:
        those that have none now, and since when.
    """
    now, still = time.monotonic() if now is None else now, {}
    for connection in list(connections):
        if connection.cycle is not None and not connection.cycle.response_complete:
            continue
        since = mute.get(connection, now)
        if now - since > MUTE_SECONDS:
            connection.transport.close()
        else:
            still[connection] = since
    return still
