"""A painting in company: long work beside short, hands on one while others paint, memory over thousands of jobs.

    python -m tests.benchmarks.company [--others 10 --size 256 --long 1024 --jobs 2000 --only many]

`app.py` runs in a process of its own, in fp32, with real clients. Three parts, each in ratios of one run: how much
longer short paintings take beside each other and one of 100,000 steps than alone; how long steering and Stop take,
alone and beside others; what the server holds after every 200 of many jobs of five steps. Exit code 1: a short one took
too long, or somebody was not served.
"""

import argparse
import asyncio
import re
import sys
import time
from typing import Any

from tests.benchmarks.crowd import failures, files, program
from tests.benchmarks.siege.server import Server, serving
from tests.benchmarks.siege.talk import Talk, new_session
from tests.benchmarks.siege.visitor import Visitor

LONG = 100_000  # steps
SHORT = 40
WAVE = 200  # programs that ask at once
HANDS = 3  # times that a control is moved


class Page:
    """A page that is open until it is closed."""

    def __init__(self, talk: Talk):
        self.visitor = Visitor(talk, new_session())
        self._staying = asyncio.create_task(talk.stay(self.visitor.session))

    async def begin(self, **settings: Any) -> str:
        """Open it and press Paint; the preview's token."""
        await self.visitor.open()
        return await self.visitor.begin(*files(), init="noise", tolerance=0, **settings)

    async def end(self) -> None:
        """Stop what it paints, and close it."""
        await self.visitor.stop()
        self._staying.cancel()

    async def watched(self, token: str, until: str = "") -> float:
        """Seconds until the words that belong to a picture say this; "": until it is over."""
        began = time.monotonic()
        async for _, words in self.visitor.watch(token):
            if until and re.search(until, "".join(words.values())):
                break
        return time.monotonic() - began


async def beside_long(server: Server, talk: Talk, options: argparse.Namespace) -> bool:
    """Short paintings alone, then side by side and beside a long and large one; whether none took too long."""

    async def short(seed: int) -> float:
        page, began = Page(talk), time.monotonic()
        await page.watched(await page.begin(size=options.size, steps=SHORT, seed=seed))
        took = time.monotonic() - began
        await page.end()
        return took

    await short(99)  # to load what is loaded once
    alone = min([await short(number) for number in range(2)])
    large = Page(talk)
    token = await large.begin(size=options.long, steps=LONG)
    await large.watched(token, "Step [1-9]")
    took = await asyncio.gather(*(short(number) for number in range(options.others)))
    await large.end()
    bound = options.others + 2
    ratio = max(took) / alone
    print(f"{options.others} short ones of {alone:.1f} s alone, beside {LONG} steps at {options.long} px:", end=" ")
    print(f"at most {ratio:.1f} times as long; {bound} is the bound")
    return ratio <= bound


async def with_hands(server: Server, talk: Talk, options: argparse.Namespace) -> bool:
    """How long a moved control and Stop take until the page sees it, alone and beside others; always well."""
    for others in (0, options.others):
        pages = [Page(talk) for _ in range(others + 1)]
        tokens = [await page.begin(size=options.size, steps=LONG, seed=seed) for seed, page in enumerate(pages)]
        for page, token in zip(pages, tokens, strict=True):
            await page.watched(token, "Step [2-9]")
        mine, seen = pages[0], []
        for number in range(HANDS):
            weight, tells = ((0, "loss: style"), (1, "loss: content"))[number % 2]
            began = time.monotonic()
            await mine.visitor.steer(alpha=weight)
            await mine.watched(tokens[0], tells)
            seen.append(time.monotonic() - began)
        began = time.monotonic()
        await mine.visitor.stop()
        await mine.watched(tokens[0])
        stopped = time.monotonic() - began
        for page in pages[1:]:
            await page.end()
        print(f"beside {others}: steered pictures after {seconds(seen)} s, stopped after {stopped:.2f} s", flush=True)
    return True


async def many(server: Server, talk: Talk, options: argparse.Namespace) -> bool:
    """What the server holds after each wave; whether all were served."""
    wrong: list[BaseException] = []
    for first in range(0, options.jobs, WAVE):
        wrong += (await failures([program(talk, first + number) for number in range(WAVE)]))[1]
        held = server.held()
        print(f"{first + WAVE:5} jobs: {held.megabytes:.0f} MB, {held.threads} threads, {held.files} files", flush=True)
    await server.rest()
    held = server.held()
    print(f"at rest: {held.megabytes:.0f} MB, {held.threads} threads, {held.files} files; {len(wrong)} not served")
    return not wrong


PARTS = {"beside long": beside_long, "with hands": with_hands, "many": many}


def seconds(values: list[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("others", 10), ("size", 256), ("long", 1024), ("jobs", 2000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--only", choices=PARTS, help="one part")
    options = parser.parse_args()

    async def run() -> bool:
        async with serving(NST_PRECISION="fp32", NST_MAX_SECONDS="inf") as (server, talk):
            return all([await PARTS[name](server, talk, options) for name in PARTS if options.only in (None, name)])

    return 0 if asyncio.run(run()) else 1


if __name__ == "__main__":
    sys.exit(main())
