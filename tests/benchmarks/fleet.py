"""How many devices serve so many paintings an hour: a simulation, fed with times that were measured or counted.

    python -m tests.benchmarks.fleet [--rates 10 1000 100000 --seed 0]

Devices share their time as `engine/device_thread.py` has it, by its own order of turns and its own numbers: newcomers
have a head start, and a painting of which nothing was seen goes first. A server has one device or eight; its lane lets
48 paintings to work, and gives each to the device with the fewest. Visitors are bound to a server at random, as a
balancer binds sessions. For each rate the fewest devices are sought with which the first picture of 95 of 100
paintings is there within a second, in the busiest hour of the day.

Arrivals: gaps of a Gamma distribution of shape 0.5, more uneven than chance's 1: what BurstGPT's generator draws by
default (github.com/HPMLL/BurstGPT, example/src/burstgpt/config.py; Wang et al. 2024, arXiv 2401.17644, 10 million
requests). Over a day the rate is a sine whose trough is half its peak, as "a constant baseline of roughly 50 % of the
invocations" has it (Shahrad et al., "Serverless in the Wild", USENIX ATC 2020, section 3.3), so the busiest hour has
4/3 of the day's mean, which is what is called paintings an hour here.

Exit code 1: nonsense, such as work that is lost, or a device that is busy for longer than there is time.
"""

import argparse
import heapq
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from nst_core.engine.device_thread import AWAY_SECONDS, HEAD_START, Account, _rank
from nst_core.engine.lane import MOST_AT_WORK

GAMMA_SHAPE = 0.5  # of the gaps between arrivals: BurstGPT
PEAK = 4 / 3  # of the day's mean: Shahrad et al.
PAGE_SECONDS = 0.3  # from the click to a first picture of a page alone, of which a step is a part: benchmarks/README.md
WANTED_SECONDS = 1.0  # of the first picture, of 95 of 100
PAINTINGS = 4000  # simulated at each try
WARM = 0.1  # of these, which come first and are not counted
TURN_STEPS = 4  # that are simulated as one, but for the first
FIRST_STEPS = 2  # that the first picture takes, with what is measured beforehand: a crowd's first pictures


@dataclass(frozen=True)
class Work:
    """A painting on a kind of device.

    Attributes:
        step: seconds.
        steps: how many.
        source: of these numbers.
    """

    name: str
    step: float
    steps: int
    source: str

    @property
    def turns(self) -> list[float]:
        """Seconds of each turn."""
        rest = self.steps - FIRST_STEPS
        turns = [FIRST_STEPS, *[TURN_STEPS] * (rest // TURN_STEPS), rest % TURN_STEPS]
        return [self.step * steps for steps in turns if steps]

    @property
    def seconds(self) -> float:
        """Seconds of a device."""
        return self.step * self.steps


WORKS = (
    Work("GPU", 0.0051, 160, "studio on Lite at 512, an H100: counted, not measured"),
    Work("2 cores", 8.6 / 80, 80, "studio on Lite at 256, 2 cores, fp32: measured, python -m tests.benchmarks.crowd"),
)


@dataclass(eq=False)
class Painting:
    """A painting that waits, or is at work."""

    arrived: float
    turns: list[float]
    account: Account = field(default_factory=lambda: Account(unseen=True))
    at: int = 0  # its next turn
    first: float = 0.0  # when its first picture was there
    end: float = 0.0


class Device:
    """Shares its time among paintings as a DeviceThread does."""

    def __init__(self) -> None:
        self.waiting: list[Painting] = []
        self.busy = 0.0  # seconds
        self.jobs = 0
        self._seen: dict[Account, float] = {}

    def put(self, painting: Painting, now: float) -> None:
        """As DeviceThread._take_up has it."""
        account = painting.account
        self._seen = {one: seen for one, seen in self._seen.items() if now - seen < AWAY_SECONDS}
        if account not in self._seen and self._seen:
            account.had = max(account.had, min(one.had for one in self._seen) - HEAD_START)
        self._seen[account] = now
        self.waiting.append(painting)

    def take(self) -> Painting:
        """Whose turn it is, as DeviceThread._next has it."""
        least = min(one.account.had for one in self.waiting)
        ranks = [(*_rank(one.account, least), number) for number, one in enumerate(self.waiting)]
        painting = self.waiting.pop(min(ranks)[-1])
        self.busy += painting.turns[painting.at]
        return painting


def simulate(arrivals: Iterable[float], turns: list[float], devices: int) -> tuple[list[Painting], float]:
    """One server: its paintings, all done, and the seconds that its devices were busy."""
    own, queue, done = [Device() for _ in range(devices)], [], []
    events: list[tuple[float, int, Device | None, Painting]] = []
    for number, moment in enumerate(arrivals):
        events.append((moment, number, None, Painting(moment, turns)))
    heapq.heapify(events)
    count, at_work = len(events), 0
    while events:
        now, _, device, painting = heapq.heappop(events)
        begun: set[Device] = set()  # that were idle
        if device is None:
            queue.append(painting)
        else:
            _turn_over(painting, now)
            if painting.at < len(painting.turns):
                device.put(painting, now)
            else:
                done.append(painting)
                device.jobs -= 1
                at_work -= 1
            begun.add(device)
        while queue and at_work < MOST_AT_WORK:
            fewest = min(own, key=lambda one: one.jobs)
            if not fewest.jobs:
                begun.add(fewest)
            fewest.jobs += 1
            at_work += 1
            fewest.put(queue.pop(0), now)
        for one in begun:
            if one.waiting:
                next_up = one.take()
                heapq.heappush(events, (now + next_up.turns[next_up.at], count, one, next_up))
                count += 1
    return done, sum(one.busy for one in own)


def _turn_over(painting: Painting, now: float) -> None:
    """Count a turn that ends now."""
    seconds = painting.turns[painting.at]
    painting.account.seconds += seconds
    painting.account.had += seconds
    if painting.at == 0:
        painting.first, painting.account.unseen = now, False
    painting.at += 1
    painting.end = now


def arrivals(count: int, rate: float, random: np.random.Generator) -> np.ndarray:
    """Times of so many arrivals, seconds; rate: a second."""
    return random.gamma(GAMMA_SHAPE, 1 / (GAMMA_SHAPE * rate), count).cumsum()


@dataclass(frozen=True)
class Outcome:
    """What became of a fleet's paintings: seconds after the click of the first picture and of the end, 50, 95, 99 %."""

    used: float  # of its devices' time
    first: tuple[float, ...]
    end: tuple[float, ...]


def fleet(rate: float, work: Work, devices: int, of_server: int, seed: int, count: int = PAINTINGS) -> Outcome:
    """So many devices on servers of so many, in the busiest hour; rate: paintings an hour over the day.

    Raises:
        ArithmeticError: nonsense.
    """
    random = np.random.default_rng(seed)
    servers = -(-devices // of_server)
    times = arrivals(count, rate * PEAK / 3600, random)
    bound = random.integers(0, servers, count)
    shares = [devices // servers + (number < devices % servers) for number in range(servers)]
    painted, busy = [], 0.0
    for number in range(servers):
        done, spent = simulate(times[bound == number], work.turns, shares[number])
        painted, busy = painted + done, busy + spent
    if len(painted) != count or abs(busy / (count * work.seconds) - 1) > 1e-9:
        raise ArithmeticError(f"{len(painted)} of {count} paintings took {busy} s of {count * work.seconds}")
    whole = max(one.end for one in painted) - times[0]
    painted = [one for one in painted if one.arrived >= times[round(WARM * count)]]
    first = np.array([one.first - one.arrived for one in painted]) + PAGE_SECONDS
    end = np.array([one.end - one.arrived for one in painted]) + PAGE_SECONDS
    used = busy / devices / whole
    if not (0 < used <= 1 and (first <= end).all() and end.min() >= work.seconds):
        raise ArithmeticError(f"{devices} devices are used by {used}, and paintings take {end.min()} s at least")
    return Outcome(used, tuple(np.percentile(first, (50, 95, 99))), tuple(np.percentile(end, (50, 95, 99))))


def fewest(rate: float, work: Work, of_server: int, seed: int) -> tuple[int, Outcome]:
    """The fewest devices that are enough, within 3 %."""
    low = max(0, int(rate * PEAK / 3600 * work.seconds))  # with which work only grows
    high = max(1, round(1.2 * low))
    while (found := fleet(rate, work, high, of_server, seed)).first[1] >= WANTED_SECONDS:
        low, high = high, round(1.3 * high) + 1
    while high - low > max(1, 0.03 * high):
        middle = (low + high) // 2
        tried = fleet(rate, work, middle, of_server, seed)
        if tried.first[1] < WANTED_SECONDS:
            high, found = middle, tried
        else:
            low = middle
    return high, found


def rows(rates: Iterable[float], seed: int) -> Iterator[str]:
    """The table's lines."""
    yield "| paintings an hour | device | a server's | devices | used at the peak, in all | first 50, 95, 99 % | end |"
    yield "|---|---|---|---|---|---|---|"
    for work in WORKS:
        for rate in rates:
            for of_server in (1, 8):
                devices, out = fewest(rate, work, of_server, seed)
                first, end = ((f"{seconds:.1f}" for seconds in each) for each in (out.first, out.end))
                yield (
                    f"| {rate:,.0f} | {work.name} | {of_server} | {devices} | {out.used:.0%}, {out.used / PEAK:.0%} "
                    f"| {', '.join(first)} s | {', '.join(end)} s |"
                )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", type=float, nargs="+", default=[10, 1000, 100_000])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.monotonic()
    try:
        for line in rows(options.rates, options.seed):
            print(line, flush=True)
    except ArithmeticError as error:
        print(f"nonsense: {error}")
        return 1
    for work in WORKS:
        print(f"{work.name}: {work.seconds:.2f} s a painting, {work.source}")
    print(f"simulated in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
