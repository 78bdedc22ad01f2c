"""Downloads bytes from a server: in parts, resumed after a cut, given up in time, with news while they flow."""

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import get_session
from huggingface_hub.errors import HTTPError  # of httpx or of httpx2, whichever its session is made of

from nst_core.features.checkpoint import Flaw

ANSWER_SECONDS = 4.0  # from asking to the first byte: two silent sources in turn must be given up within 10 s
STALL_SECONDS = 20.0  # without a byte, once bytes flow; half-way through, the connection is made anew
REPORT_SECONDS = 0.15  # between two values of DownloadProgress
PAUSE_SECONDS = 0.4  # before asking again
ATTEMPTS = 3  # per part of a file
MAX_HEADER = 1 << 24  # bytes; a safetensors header of VGG has 5,000

PLAIN_WORDS = {
    "ConnectError": "no connection",
    "ConnectTimeout": "no answer",
    "ReadTimeout": "no answer",
    "ReadError": "the connection was cut",
    "RemoteProtocolError": "the connection was cut",
}


class Abandoned(Exception):
    """Nobody waits for this download any more."""


class _Again(Exception):
    """A failure that may pass."""


@dataclass(frozen=True)
class DownloadProgress:
    """Tells how far a download is."""

    done_bytes: int
    total_bytes: int
    source: str  # the server's name; "" while there is none
    note: str  # what is going on, in a few words


class Meter:
    """Passes on, between threads, how far a download is, and that nobody waits for it any more."""

    def __init__(self, source: str, total: int, note: str):
        self.source, self.note = source, note
        self.done, self.total = 0, total  # bytes
        self.patience = ANSWER_SECONDS
        self.moved_at = time.monotonic()
        self.abandoned = False

    def start(self, total: int) -> None:
        """Begin to count `total` bytes."""
        self.done, self.total, self.note = 0, total, "fetching"

    def add(self, count: int) -> None:
        """Count bytes that have come."""
        self.stop_if_abandoned()
        self.done, self.patience, self.moved_at = self.done + count, STALL_SECONDS, time.monotonic()

    def no_more_bytes(self, note: str) -> None:
        """Say that what follows happens on this computer and may take its time."""
        self.stop_if_abandoned()
        self.patience, self.note = float("inf"), note

    def stop_if_abandoned(self) -> None:
        if self.abandoned:
            raise Abandoned

    def progress(self) -> DownloadProgress:
        return DownloadProgress(min(self.done, self.total), self.total, self.source, self.note)


def watch(job: Callable[[Meter], None], meter: Meter) -> Iterator[DownloadProgress]:
    """Run a download on a thread of its own, and tell how far it is until it ends, also while nothing moves.

    A thread, because looking up a server's name and connecting to it can neither be timed nor interrupted.

    Raises:
        Flaw: the source is silent for too long; and whatever `job` raises, an OSError under HF_HUB_OFFLINE.
    """
    ended: Future[None] = Future()
    threading.Thread(target=_run, args=(job, meter, ended), name=f"download {meter.source}", daemon=True).start()
    try:
        yield meter.progress()
        while not wait([ended], timeout=REPORT_SECONDS).done:
            if time.monotonic() - meter.moved_at > meter.patience:
                raise Flaw(f"no answer for {meter.patience:g} s")
            yield meter.progress()
        ended.result()
    finally:
        meter.abandoned = True
        wait([ended], timeout=REPORT_SECONDS)  # so that its files are closed before the caller deletes them


def _run(job: Callable[[Meter], None], meter: Meter, ended: Future[None]) -> None:
    try:
        job(meter)
        ended.set_result(None)
    except Exception as error:  # handed to the thread that watches
        ended.set_exception(error)


def fetch_file(url: str, path: Path, sha256: str, meter: Meter) -> None:
    """Write a server's file to `path`.

    Args:
        sha256: hexadecimal; its first digits will do.

    Raises:
        Flaw: out of reach, or not the file with that sha256.
    """
    digest = hashlib.sha256()
    with path.open("wb") as file:

        def write(chunk: bytes) -> None:
            digest.update(chunk)
            file.write(chunk)

        _read(url, {}, 0, None, write, meter)
    if not digest.hexdigest().startswith(sha256):
        raise Flaw(f"sent another file (sha256 {digest.hexdigest()[:8]}…, not {sha256}…)")


def fetch_tensors(
    url: str,
    headers: dict[str, str],
    choose: Callable[[dict[str, tuple]], Collection[str]],
    path: Path,
    metadata: dict[str, str],
    meter: Meter,
) -> None:
    """Write some tensors of a safetensors file on a server as a smaller safetensors file, and fetch only their bytes.

    Args:
        choose: from name -> shape of all tensors, the names of those to fetch; raises Flaw where they do not suit.
        metadata: what the new file says of itself.

    Raises:
        Flaw: out of reach, not a safetensors file, or the server cannot send a part of a file.

    Source: https://huggingface.co/docs/safetensors/index#format
    """
    header, base = _read_header(url, headers, meter)
    names = choose({name: tuple(entry["shape"]) for name, entry in header.items()})
    parts: list[list[int]] = []  # [start, stop]; neighbours are asked for together
    contents: dict[str, dict] = {"__metadata__": metadata}
    size = 0
    for name in sorted(names, key=lambda name: header[name]["data_offsets"]):
        start, stop = header[name]["data_offsets"]
        if parts and parts[-1][1] == start:
            parts[-1][1] = stop
        else:
            parts.append([start, stop])
        contents[name] = {**header[name], "data_offsets": [size, size + stop - start]}
        size += stop - start
    text = json.dumps(contents).encode()
    text += b" " * (-len(text) % 8)  # the format wants numbers to start at a multiple of 8
    meter.start(size)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for start, stop in parts:
            _read(url, headers, base + start, base + stop, file.write, meter)


def _read_header(url: str, headers: dict[str, str], meter: Meter) -> tuple[dict[str, dict], int]:
    """Contents of a safetensors file: name -> dtype, shape, data_offsets; and the byte that offsets count from."""
    buffer = bytearray()
    _read(url, headers, 0, 8, buffer.extend, meter)
    length = int.from_bytes(buffer, "little")
    if not 2 <= length <= MAX_HEADER:
        raise Flaw("is not a safetensors file")
    buffer.clear()
    _read(url, headers, 8, 8 + length, buffer.extend, meter)
    try:
        header = json.loads(bytes(buffer))
        header.pop("__metadata__", None)
        for entry in header.values():
            start, stop = (int(offset) for offset in entry["data_offsets"])
            entry["shape"] = [int(side) for side in entry["shape"]]
            if not 0 <= start <= stop:
                raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Flaw("is not a safetensors file") from None
    return header, 8 + length


def _read(
    url: str, headers: dict, start: int, stop: int | None, write: Callable[[bytes], object], meter: Meter
) -> None:
    """Hand the bytes from start to stop (None: to the end) to `write`, asking again from where a connection was cut."""
    position, reason, whole = start, "", stop is None
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE_SECONDS if attempt else 0)
        meter.stop_if_abandoned()
        # A compressed answer would have other bytes to count.
        part = {"Range": f"bytes={position}-{'' if stop is None else stop - 1}", "Accept-Encoding": "identity"}
        silence = STALL_SECONDS / 2
        timeout = (ANSWER_SECONDS, silence, silence, silence)  # to connect; read, write, queue
        try:
            with get_session().stream(
                "GET", url, headers={**headers, **part}, timeout=timeout, follow_redirects=True
            ) as response:
                stop = _end_of_answer(response, position, stop)
                if whole and stop and position == start:
                    meter.start(stop)
                for chunk in response.iter_bytes():  # as they come: a fixed size would make a slow line look dead
                    meter.add(len(chunk))
                    write(chunk)
                    position += len(chunk)
            if stop in (None, position):
                return
            reason = "the connection was cut"
        except (HTTPError, _Again) as error:
            reason = _in_plain_words(error)
    raise Flaw(reason)


def _in_plain_words(error: Exception) -> str:
    if "CERTIFICATE_VERIFY" in str(error):
        return "its certificate is not trusted on this computer"
    return PLAIN_WORDS.get(type(error).__name__) or str(error) or type(error).__name__


def _end_of_answer(response: Any, position: int, stop: int | None) -> int | None:
    """Find where the answer's bytes end in the file, once it is sure that they are those asked for."""
    status = f"answered {response.status_code} {response.reason_phrase}".strip()
    if response.status_code == 429 or response.status_code >= 500:
        raise _Again(status)
    if response.status_code >= 400:
        raise Flaw(status)
    if response.headers.get("content-type", "").startswith("text/html"):
        raise Flaw("answered with a web page instead of the file")
    if response.status_code == 206:
        match = re.fullmatch(r"bytes (\d+)-(\d+)/.+", response.headers.get("content-range", ""))
        if not match or int(match[1]) != position or stop not in (None, int(match[2]) + 1):
            raise Flaw("sent other bytes than those asked for")
        return int(match[2]) + 1
    if response.status_code != 200 or position or stop is not None:
        raise Flaw("cannot send a part of a file")
    length = response.headers.get("content-length", "")
    return int(length) if length.isdigit() else None
