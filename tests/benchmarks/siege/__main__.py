"""Lays siege to the page: 200 clients on this computer, half of whose jobs are hostile, and counts what comes of it.

    python -m tests.benchmarks.siege [--minutes 15 --clients 200 --jobs 2000 --seed 0 --log FILE]

`app.py` runs in a process of its own, with the limits that a class behind one address wants (`server.CLASS`). The
time is that of the siege; starting, warming up and two quiet moments, in which all clients leave and the server tidies
up, come on top (four minutes). Resident memory is compared between those two moments. Exit code 1: a bound is broken.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.siege import files, honest, hostile
from tests.benchmarks.siege.attack import Attack, Trap
from tests.benchmarks.siege.server import Held, Server
from tests.benchmarks.siege.talk import Refused, Talk, Wait, Wrong
from tests.benchmarks.siege.tally import Tally

EARLY_JOBS = 200  # after which memory is measured first; a fifth of all, if that is less
HONEST_SECONDS, HOSTILE_SECONDS = 240.0, 180.0  # for one job, all of its waiting in the queue included
RELEASED = 0.9  # of the time, over which jobs begin
WARM_SECONDS = 12.0  # of the painting that goes on all the while, to warm up
NUMBERS = 10**6  # of an honest job that warms up


class Job(NamedTuple):
    """One visit."""

    number: int
    act: Callable[[Any], Awaitable[Any]]
    is_hostile: bool
    seed: int


def drawn(count: int, seed: int) -> list[Job]:
    """Half of them hostile, in the order in which they come."""
    chance, jobs = random.Random(seed), []
    for number in range(count):
        kinds: dict[Any, int] = hostile.KINDS if number % 2 else honest.KINDS
        act = chance.choices(list(kinds), list(kinds.values()))[0]
        jobs.append(Job(number, act, bool(number % 2), chance.getrandbits(32)))
    chance.shuffle(jobs)
    return jobs


class Siege:
    """The clients and what they have seen.

    Args:
        server: the besieged.
        clients: how many at a time.
    """

    def __init__(self, server: Server, clients: int, trap: Trap):
        self.server, self.clients, self.trap, self.tally = server, clients, trap, Tally()
        # no honest client shares a connection with a hostile one
        self.good, self.bad, self.eye = (Talk(server.url) for _ in range(3))
        self.painting = honest.Painting(self.eye)

    async def open(self) -> None:
        """Learn what the page consists of."""
        for talk in (self.good, self.bad, self.eye):
            await talk.read_config()

    async def close(self) -> None:
        """Hang up."""
        for talk in (self.good, self.bad, self.eye):
            await talk.http.aclose()

    async def warm_up(self) -> None:
        """One of each, so that what is loaded when it is first used is no growth. Their failures count like others."""
        acts = [(act, False) for act in honest.KINDS]
        acts += [(act, True) for act in hostile.KINDS if act not in hostile.SLOW]
        jobs = [Job(NUMBERS + number, *one, number) for number, one in enumerate(acts)]
        await self.lay(jobs, 1, 60, patience=60)

    async def lay(self, jobs: list[Job], seconds: float, most: float, patience: float) -> None:
        """Have jobs done, beginning evenly over some seconds, beside the painting.

        Args:
            jobs: in the order in which they come.
            seconds: over which they begin.
            most: after which no job begins any more.
            patience: seconds more that honest clients come again for, if they are told to wait.
        """
        began = time.monotonic()
        coming = ((began + at * seconds / len(jobs), job) for at, job in enumerate(jobs))
        watching = asyncio.create_task(self.painting.run())

        async def client() -> None:
            for moment, job in coming:
                await asyncio.sleep(max(0, moment - time.monotonic()))
                if time.monotonic() - began > most:
                    self.tally.not_begun += 1
                elif job.is_hostile:
                    await self._hostile(job)
                else:
                    await self._honest(job, began + most + patience)

        try:
            await asyncio.gather(*(client() for _ in range(self.clients)))
            await asyncio.sleep(max(0, WARM_SECONDS - (time.monotonic() - began)))
        finally:
            watching.cancel()
            await asyncio.wait([watching])

    async def _honest(self, job: Job, until: float) -> None:
        name, tally, chance = job.act.__name__, self.tally, random.Random(job.seed)
        while True:
            began = time.monotonic()
            try:
                async with asyncio.timeout(HONEST_SECONDS):
                    await job.act(honest.Ask(job.number, self.good, chance))
            except Wait:
                tally.waits[name] += 1
                if time.monotonic() > until:
                    tally.never[name] += 1
                    return
                await asyncio.sleep(chance.uniform(2, 6))
                continue
            except TimeoutError:
                tally.failed[name][f"no end within {HONEST_SECONDS:.0f} s"] += 1
            except Exception as error:
                tally.failed[name][_told(error)] += 1
            else:
                tally.done[name] += 1
                tally.took[name].append(time.monotonic() - began)
            return

    async def _hostile(self, job: Job) -> None:
        name, tally = job.act.__name__, self.tally
        try:
            async with asyncio.timeout(HOSTILE_SECONDS):
                answer = await job.act(Attack(self.bad, random.Random(job.seed), self.trap))
        except (Wait, Refused) as error:
            tally.heard[name][str(error)[:60]] += 1
        except TimeoutError:
            tally.broke[name][f"no answer within {HOSTILE_SECONDS:.0f} s"] += 1
        except Exception as error:
            tally.broke[name][_told(error)] += 1
        else:
            tally.heard[name][answer] += 1


def _told(error: Exception) -> str:
    return str(error)[:240] if isinstance(error, Wrong | Refused) else f"{type(error).__name__}: {error}"[:240]


async def besiege(server: Server, given: argparse.Namespace) -> Tally:
    """From the first visit to the report."""
    await server.start()
    async with Trap() as trap:
        siege = Siege(server, given.clients, trap)
        await siege.open()
        await siege.warm_up()
        await server.rest(5)
        warm = server.held()
        siege.painting.gaps.clear()
        _say(f"warm: {_words(warm)}")
        jobs, early_jobs = drawn(given.jobs, given.seed), min(EARLY_JOBS, max(1, given.jobs // 5))
        seconds = 60 * given.minutes
        held = [warm]
        for some in (jobs[:early_jobs], jobs[early_jobs:]):
            share, began = seconds * len(some) / len(jobs), time.monotonic()
            await siege.lay(some, RELEASED * share, share, patience=min(60, share))
            took, rested = time.monotonic() - began, await server.rest()
            held.append(server.held())
            told = "never at rest" if rested is None else f"at rest {rested:.0f} s later"
            siege.tally.bound(rested is not None, f"{len(some)} jobs in {took:.0f} s, {told}: {_words(held[-1])}")
        await siege.close()
    _report(siege, server, held, early_jobs)
    return siege.tally


def _report(siege: Siege, server: Server, held: list[Held], early_jobs: int) -> None:
    tally = siege.tally
    tally.report_honest()
    tally.report_hostile()
    tally.report_painting(siege.painting)
    tally.report_server(*held, early_jobs)
    tally.bound(server.lives, "the server lives" if server.lives else "the server is dead")
    tally.bound(not siege.trap.caught, f"addresses that the server was talked into asking: {siege.trap.caught}")
    left, old, megabytes = server.left()
    tally.bound(not old, f"files of uploads and results left: {left} ({megabytes:.0f} MB), {old} of them too old")
    took = server.close()
    tally.bound(took < 6, f"from the signal to the end of the process: {took:.1f} s")
    tally.report_log(server.tracebacks())


def _words(held: Held) -> str:
    return f"{held.megabytes:.0f} MB, {held.files} open files, {held.threads} threads"


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.siege", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=15, help="that the siege lasts")
    parser.add_argument("--clients", type=int, default=200, help="at a time")
    parser.add_argument("--jobs", type=int, default=2000, help="half of them hostile")
    parser.add_argument("--seed", type=int, default=0, help="of who does what")
    parser.add_argument("--log", type=Path, help="where to keep the server's log")
    given = parser.parse_args()
    files.prepare()
    with tempfile.TemporaryDirectory(prefix="nst-siege-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder))
        try:
            tally = asyncio.run(besiege(server, given))
        finally:
            if server.lives:
                server.close()
            if given.log:
                shutil.copy(server.log, given.log)
    print(f"\n{len(tally.broken)} bounds are broken" if tally.broken else "\nall bounds hold")
    return bool(tally.broken)


if __name__ == "__main__":
    sys.exit(main())
