"""What a painting costs a server beside its device: bytes over the network, bytes kept, seconds of the page's process.

    python -m tests.benchmarks.traffic [--size 512 --steps 3 24 --pages 2]

`app.py` runs in a process of its own; visitors say what the page says, and every byte of bodies is counted, up and
down. What two numbers of steps differ by is the device's and the stream's; the rest is the page's. Exit code 1:
somebody was not served.
"""

import argparse
import asyncio
import sys
from collections import Counter

import httpx
import psutil

from tests.benchmarks.crowd import failures, files
from tests.benchmarks.siege.server import Server, serving
from tests.benchmarks.siege.talk import Talk, new_session
from tests.benchmarks.siege.visitor import Visitor

PARTS = {"/preview/": "stream", "/file=": "result", "/upload": "upload", "/run/": "clicks"}


class Bytes:
    """Counts bodies by what they are part of; `total` when all answers are read."""

    def __init__(self, talk: Talk):
        self._answers: list[httpx.Response] = []
        self._up: Counter[str] = Counter()
        talk.http.event_hooks = {"request": [self._asked], "response": [self._answered]}

    async def _asked(self, request: httpx.Request) -> None:
        self._up[self._part(request.url.path)] += int(request.headers.get("content-length", 0))

    async def _answered(self, answer: httpx.Response) -> None:
        self._answers.append(answer)

    def _part(self, path: str) -> str:
        return next((part for words, part in PARTS.items() if words in path), "page")

    def total(self) -> dict[str, tuple[int, int]]:
        """Part -> bytes up and down."""
        down: Counter[str] = Counter()
        for answer in self._answers:
            down[self._part(answer.request.url.path)] += answer.num_bytes_downloaded
        return {part: (self._up[part], down[part]) for part in sorted(self._up | down)}


def busy(server: Server) -> float:
    """Seconds of processors that the server has had."""
    times = psutil.Process(server._process.pid).cpu_times()
    return float(times.user + times.system)


def kept(server: Server) -> int:
    """Bytes on the server's disk, links counted once."""
    folders = (server.uploads, server.uploads.parent / "cache")
    found = {path.stat().st_ino: path.stat().st_size for each in folders for path in each.rglob("*") if path.is_file()}
    return sum(found.values())


async def paint(talk: Talk, size: int, steps: int, seed: int) -> int:
    """One page from its opening to its result; frames that it saw."""
    visitor = Visitor(talk, new_session())
    staying = asyncio.create_task(talk.stay(visitor.session))
    try:
        await visitor.open()
        painted = await visitor.paint(*files(), size=size, steps=steps, seed=seed, init="noise", tolerance=0)
        return painted.frames
    finally:
        staying.cancel()


async def measure(options: argparse.Namespace, server: Server, talk: Talk) -> bool:
    """Print what paintings of each number of steps cost; whether all were served."""
    await paint(talk, options.size, 2, 10**6)  # to load what is loaded once
    uploaded = sum(len(content) for content, _ in files())
    page = await talk.http.get("/")
    print(f"the page {len(page.content):,} bytes, as sent {page.num_bytes_downloaded:,}; two pictures {uploaded:,}")
    fine = True
    for steps in options.steps:
        counted, before, disk = Bytes(talk), busy(server), kept(server)
        seen, wrong = await failures([paint(talk, options.size, steps, seed) for seed in range(options.pages)])
        fine &= not wrong
        for error in wrong:
            print(f"wrong: {error}")
        each = {part: (up // options.pages, down // options.pages) for part, (up, down) in counted.total().items()}
        said = ", ".join(f"{part} {up:,} up {down:,} down" for part, (up, down) in each.items())
        print(f"{steps} steps of {options.size}: {sum(seen) / options.pages:.1f} frames; bytes: {said}")
        print(
            f"   processors {(busy(server) - before) / options.pages:.2f} s; "
            f"kept {(kept(server) - disk) / options.pages:,.0f} bytes",
            flush=True,
        )
    return fine


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, nargs="+", default=[3, 24])
    for name, default in (("size", 512), ("pages", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()

    async def run() -> bool:
        async with serving() as (server, talk):
            return await measure(options, server, talk)

    return 0 if asyncio.run(run()) else 1


if __name__ == "__main__":
    sys.exit(main())
