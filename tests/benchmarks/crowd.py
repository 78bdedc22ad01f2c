"""A class that presses Run at once: when everybody sees something, when all are done, and whether each has its own.

    python -m tests.benchmarks.crowd [--pages 30 --size 256 --steps 160 --alone 3 --programs 200]

`app.py` runs in a process of its own, in fp32. The pages paint `studio` on Lite, side by side; some of them are
painted again one after the other, on the same server, to compare pixels and time. Then programs ask `/stylize` for five
steps each. Exit code 1: somebody was not served, or got another's picture.
"""

import argparse
import asyncio
import io
import sys
import time
from collections.abc import Coroutine
from typing import Any

from PIL import Image

from tests.benchmarks.material import ASSETS
from tests.benchmarks.siege.server import Server, serving
from tests.benchmarks.siege.talk import Talk, new_session, picture
from tests.benchmarks.siege.visitor import Painted, Visitor

CONTENT, STYLE = ASSETS / "photos" / "china_temple.jpg", ASSETS / "styles" / "harvest_sun.jpg"


def files() -> list[tuple[bytes, str]]:
    """The pictures that everybody paints; each has a seed of its own."""
    return [(path.read_bytes(), path.name) for path in (CONTENT, STYLE)]


async def page(talk: Talk, number: int, size: int, steps: int) -> Painted:
    """One page from its opening to its result."""
    visitor = Visitor(talk, new_session())
    staying = asyncio.create_task(talk.stay(visitor.session))
    try:
        await visitor.open()
        return await visitor.paint(*files(), size=size, steps=steps, seed=number, init="noise", tolerance=0)
    finally:
        staying.cancel()


async def program(talk: Talk, number: int) -> float:
    """One program's painting of five steps; seconds until it has it."""
    began = time.monotonic()
    uploads = [picture(await talk.upload(*file)) for file in files()]
    named = {"steps": 5, "size": 96, "seed": number}
    stylize = talk.function("stylize")
    names = [talk.label(one) for one in stylize["inputs"]]
    given = [*uploads, "lab", *(named.get(name) for name in names[3:-1]), True]
    await talk.joined(stylize, given)
    return time.monotonic() - began


async def failures(jobs: list[Coroutine[Any, Any, Any]]) -> tuple[list[Any], list[BaseException]]:
    """What came of them, and what went wrong."""
    made = await asyncio.gather(*jobs, return_exceptions=True)
    wrong = [one for one in made if isinstance(one, BaseException)]
    return [one for one in made if not isinstance(one, BaseException)], wrong


async def crowd(options: argparse.Namespace, server: Server, talk: Talk) -> bool:
    """The whole of it; whether all is well."""
    await page(talk, 10**6, options.size, 3)  # to load what is loaded once
    began = time.monotonic()
    pages = [page(talk, number, options.size, options.steps) for number in range(options.pages)]
    painted, wrong = await failures(pages)
    together, pictures = time.monotonic() - began, len({pixels(one.png) for one in painted})
    print(f"{len(painted)} of {options.pages} pages painted in {together:.1f} s: {pictures} different pictures")
    first = sorted(one.first for one in painted) or [0.0]
    print(
        f"first picture: median {first[len(first) // 2]:.1f} s, last {first[-1]:.1f} s; 1/20 is {together / 20:.1f} s"
    )
    alone, same = 0.0, 0
    for number in range(options.alone):
        again = await page(talk, number, options.size, options.steps)
        alone += again.seconds / options.alone
        same += not wrong and pixels(again.png) == pixels(painted[number].png)
    share = together / max(1e-9, options.pages * alone)
    print(f"alone {alone:.1f} s each: together {share:.2f} of that; {same} of {options.alone} the same pixels")
    before, began = server.held(), time.monotonic()
    served, refused = await failures([program(talk, number) for number in range(options.programs)])
    now, seconds = server.held(), time.monotonic() - began
    print(
        f"{len(served)} of {options.programs} programs served in {seconds:.1f} s; memory {before.megabytes:.0f} -> "
        f"{now.megabytes:.0f} MB, threads {before.threads} -> {now.threads}"
    )
    for error in [*wrong, *refused][:10]:
        print(f"wrong: {type(error).__name__}: {error}")
    return not wrong and not refused and same == options.alone


def pixels(png: bytes) -> bytes:
    """A PNG's picture without its record, in which seconds differ."""
    return Image.open(io.BytesIO(png)).tobytes()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("pages", 30), ("size", 256), ("steps", 160), ("alone", 3), ("programs", 200)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()

    async def run() -> bool:
        async with serving(NST_PRECISION="fp32") as (server, talk):
            return await crowd(options, server, talk)

    return 0 if asyncio.run(run()) else 1


if __name__ == "__main__":
    sys.exit(main())
