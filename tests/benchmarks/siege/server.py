"""The besieged: `app.py` in a process of its own, what it holds, and what it wrote into its log."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx
import psutil

from nst_core.assets import ASSETS
from tests.benchmarks.siege.talk import Talk

ROOT = ASSETS.parent
START_SECONDS = 120.0
QUIET_SHARE = 0.1  # of one core, below which a server is at rest
QUIET_SECONDS = 50.0  # a closed page is kept for 30, a round of housekeeping comes every 15
MOST_QUIET_SECONDS = 90.0

# A class behind one address: all of its pages may wait at once, nobody keeps the device for long while others wait.
# Files are kept for long enough to wait in such a queue, and go while the siege lasts.
CLASS = {
    "NST_WAITING": "256",
    "NST_WAITING_PER_ADDRESS": "256",
    "NST_MAX_SECONDS": "20",
    "NST_KEEP_SECONDS": "300",
}


class Held(NamedTuple):
    """What a server's process holds."""

    megabytes: float  # resident
    files: int  # descriptors: files, sockets, pipes
    threads: int


class Server:
    """Runs until it is closed.

    Args:
        folder: for its uploads and results, its cache and its log.
        more: variables of its environment.
    """

    def __init__(self, folder: Path, **more: str):
        self.uploads, self.log = folder / "uploads", folder / "log.txt"
        self.uploads.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        own = {name: value for name, value in os.environ.items() if not name.startswith(("NST_", "GRADIO_", "SPACE_"))}
        environment = {
            **own,
            **CLASS,
            "NST_CACHE": str(folder / "cache"),
            "GRADIO_TEMP_DIR": str(self.uploads),
            "GRADIO_SERVER_PORT": str(self.port),
            "CUDA_VISIBLE_DEVICES": "",
            **more,
        }
        with self.log.open("w") as log:
            command = [sys.executable, "app.py"]
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        self._sight = psutil.Process(self._process.pid)

    async def start(self) -> None:
        """Wait until it answers."""
        began = time.monotonic()
        async with httpx.AsyncClient(trust_env=False) as client:
            while time.monotonic() - began < START_SECONDS:
                if self._process.poll() is not None:
                    break
                try:
                    await client.get(f"{self.url}/config")
                    return
                except httpx.TransportError:
                    await asyncio.sleep(0.3)
        raise RuntimeError(f"the server did not start: {self.log.read_text()[-2000:]}")

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def held(self) -> Held:
        """What it holds now."""
        with self._sight.oneshot():
            return Held(
                self._sight.memory_info().rss / 1e6,
                self._sight.num_fds(),
                self._sight.num_threads(),
            )

    async def rest(self, seconds: float = QUIET_SECONDS) -> float | None:
        """Wait for that long, and then until it does nothing; how long that took, None if it never comes to rest."""
        began = time.monotonic()
        await asyncio.sleep(seconds)
        while time.monotonic() - began < max(MOST_QUIET_SECONDS, seconds):
            before = sum(self._sight.cpu_times()[:2])
            await asyncio.sleep(2)
            if sum(self._sight.cpu_times()[:2]) - before < 2 * QUIET_SHARE:
                return time.monotonic() - began
        return None

    def left(self) -> tuple[int, int, float]:
        """Files among its uploads and results but the examples, those that should be gone by now, megabytes of all."""
        examples = {path.name for path in (ROOT / "assets").rglob("*")}
        files = [path for path in self.uploads.rglob("*") if path.name not in examples]
        status = [path.lstat() for path in files if not path.is_dir()]
        oldest = time.time() - float(CLASS["NST_KEEP_SECONDS"]) - 30  # two rounds of housekeeping
        old = sum(one.st_ctime < oldest for one in status)
        return len(status), old, sum(one.st_size for one in status) / 1e6

    def tracebacks(self) -> Counter[str]:
        """How often each one stands in the log: its last place in a file, and what was wrong."""
        found: Counter[str] = Counter()
        for text in self.log.read_text(errors="replace").split("Traceback (most recent call last):")[1:]:
            lines = text.splitlines()
            end = next((at for at, line in enumerate(lines) if line and not line.startswith(" ")), len(lines) - 1)
            places = [line.strip() for line in lines[:end] if line.startswith('  File "')]
            ours = [re.sub(r'File ".*?((?:nst_core|gradio|site-packages)/[^"]*)"', r"\1", place) for place in places]
            found[f"{lines[end][:160]} | {' < '.join(reversed(ours[-3:]))}"] += 1
        return found

    def close(self) -> float:
        """End it by a signal; how long that took, seconds."""
        began = time.monotonic()
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return time.monotonic() - began


@asynccontextmanager
async def serving(**more: str) -> AsyncIterator[tuple[Server, Talk]]:
    """A server in a folder of its own, until this ends, and the connection to it; `more` as of Server."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), **more)
        talk = Talk(server.url)
        try:
            await server.start()
            await talk.read_config()
            yield server, talk
        finally:
            await talk.http.aclose()
            server.close()
