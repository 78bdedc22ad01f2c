"""What came of a siege: who was served, what the hostile heard, what the server holds; and which bounds are broken."""

import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from tests.benchmarks.siege.honest import Painting
from tests.benchmarks.siege.server import Held

LONGEST_GAP = 3.0  # seconds between two frames of the painting that goes on all the while
MOST_GROWTH = 0.03  # of resident memory, up or down
MORE_FILES = 10  # open at the end than after the warm-up
MORE_THREADS = 64  # pools grow to their size, and no further
MOST_REASONS = 8  # that are printed


@dataclass
class Tally:
    """Counts while the siege lasts."""

    done: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)  # refusals in words, after which a client came again
    never: Counter[str] = field(default_factory=Counter)  # who was still told to wait when it was over
    failed: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # seconds of those who were done
    heard: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # by the hostile
    broke: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # the server, by the hostile
    not_begun: int = 0
    broken: list[str] = field(default_factory=list)  # bounds

    def bound(self, holds: bool, text: str) -> None:
        """Print a line, and note whether what it tells is as it must be."""
        print(f"{'  ' if holds else '✗ '}{text}")
        if not holds:
            self.broken.append(text)

    def report_honest(self) -> None:
        """Who came to paint."""
        print(f"\n{'honest':34} {'done':>5} {'waits':>6} {'never':>6} {'failed':>7} {'median':>8} {'longest':>8}")
        for name in sorted({*self.done, *self.waits, *self.never, *self.failed}):
            took, failed = self.took.get(name) or [0.0], sum(self.failed.get(name, Counter()).values())
            counts = f"{self.done[name]:5} {self.waits[name]:6} {self.never[name]:6} {failed:7}"
            self.bound(not failed, f"{name:32} {counts} {statistics.median(took):6.1f} s {max(took):6.1f} s")
            self._reasons(self.failed.get(name, Counter()))
        if self.not_begun:
            print(f"  {self.not_begun} jobs were not begun within the time")

    def report_hostile(self) -> None:
        """Who came to break it."""
        print(f"\n{'hostile':34} {'jobs':>5} {'broke':>6}  what was answered")
        for name in sorted({*self.heard, *self.broke}):
            broke, heard = self.broke.get(name, Counter()), self.heard.get(name, Counter())
            answers = ", ".join(f"{count}× {answer}" for answer, count in heard.most_common(3))
            more = f" and {len(heard) - 3} others" if len(heard) > 3 else ""
            jobs = sum(heard.values()) + sum(broke.values())
            self.bound(not broke, f"{name:32} {jobs:5} {sum(broke.values()):6}  {answers}{more}")
            self._reasons(broke)

    def _reasons(self, reasons: Counter[str]) -> None:
        for reason, count in reasons.most_common(MOST_REASONS):
            print(f"      {count}× {reason}")

    def report_painting(self, painting: Painting) -> None:
        """The painting that went on all the while."""
        gap, usual = max(painting.gaps, default=0.0), statistics.median(painting.gaps or [0.0])
        print()
        counts = f"{painting.done} paintings, {painting.frames} frames, {painting.waits} waits"
        self.bound(
            bool(painting.gaps) and gap < LONGEST_GAP,
            f"between two frames: at most {gap:.2f} s (the bound is {LONGEST_GAP:.0f}), median {usual:.2f} s; {counts}",
        )
        self.bound(not painting.failed, f"paintings that failed: {len(painting.failed)}")
        self._reasons(Counter(painting.failed))

    def report_server(self, warm: Held, early: Held, late: Held, jobs: int) -> None:
        """What the server holds."""
        ratio = late.megabytes / early.megabytes
        self.bound(
            abs(ratio - 1) <= MOST_GROWTH,
            f"resident at rest: {warm.megabytes:.0f} MB warm, {early.megabytes:.0f} after {jobs} jobs, "
            f"{late.megabytes:.0f} at the end: {ratio:.3f} times",
        )
        self.bound(
            late.files <= warm.files + MORE_FILES,
            f"open files: {warm.files} warm, {early.files}, {late.files} at the end",
        )
        self.bound(
            late.threads <= warm.threads + MORE_THREADS,
            f"threads: {warm.threads} warm, {early.threads}, {late.threads} at the end",
        )

    def report_log(self, tracebacks: Counter[str]) -> None:
        """What the server wrote of itself."""
        self.bound(not tracebacks, f"tracebacks in the log: {sum(tracebacks.values())}")
        self._reasons(tracebacks)
