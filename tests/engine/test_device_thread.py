"""Tests of the thread that computes: order, turns, results and errors."""

import gc
import threading
import time
import weakref
from contextvars import ContextVar, copy_context

import pytest

from nst_core.engine.device_thread import (
    ACCOUNT,
    HEAD_START,
    MOST_HURRIED,
    MOST_UNSEEN,
    QUICK_SECONDS,
    Account,
    DeviceThread,
)


@pytest.fixture
def device():
    return DeviceThread("device of a test")


def test_all_is_called_on_one_thread_in_the_order_in_which_it_came(device):
    threads, order = set(), []

    def call(number):
        threads.add(threading.current_thread().name)
        order.append(number)
        return number

    assert [future.result(10) for future in [device.submit(call, number) for number in range(20)]] == list(range(20))
    assert order == list(range(20)) and threads == {"device of a test"}


def counted(order, name, steps):
    for step in range(steps):
        order.append((name, step))
        yield
    return name


def test_work_in_steps_takes_turns_with_other_work(device):
    gate, order = threading.Event(), []
    device.submit(gate.wait)
    long = device.run_steps(counted(order, "long", 3))
    short = device.submit(order.append, ("short", 0))
    other = device.run_steps(counted(order, "other", 2))
    gate.set()
    assert long.result(10) == "long" and other.result(10) == "other" and short.done()
    assert order == [("long", 0), ("short", 0), ("other", 0), ("long", 1), ("other", 1), ("long", 2)]


def test_an_error_is_its_callers_and_the_thread_goes_on(device):
    def failing():
        yield
        raise KeyboardInterrupt("of the work")

    with pytest.raises(KeyboardInterrupt, match="of the work"):
        device.run_steps(failing()).result(10)
    with pytest.raises(ZeroDivisionError):
        device.submit(lambda: 1 / 0).result(10)
    assert device.submit(int).result(10) == 0


def test_what_was_cancelled_before_its_turn_is_never_called(device):
    gate, called = threading.Event(), []
    device.submit(gate.wait)
    future = device.submit(called.append, 1)
    assert future.cancel()
    gate.set()
    device.submit(int).result(10)
    assert called == []


class Picture:
    """Something that takes memory."""


def test_nothing_is_kept_of_what_is_over(device):
    def ends(picture):
        yield picture

    def fails(picture):
        yield picture
        raise ZeroDivisionError

    kept = []
    for steps in (ends, fails):
        kept.append(weakref.ref(picture := Picture()))
        future = device.run_steps(steps(picture))
        future.exception(10)
        del future, picture
    device.submit(int).result(10)  # and what came before is put away
    gc.collect()
    assert [one() for one in kept] == [None, None]


def test_a_function_may_return_a_generator(device):
    assert list(device.submit(lambda: (number for number in range(3))).result(10)) == [0, 1, 2]


def test_what_is_called_finds_the_context_of_who_handed_it_over(device):
    page = ContextVar("page", default="none")

    def steps():
        first = page.get()
        yield
        return first, page.get()

    page.set("mine")
    mine = device.run_steps(steps())
    page.set("yours")
    yours = device.submit(page.get)
    assert mine.result(10) == ("mine", "mine") and yours.result(10) == "yours"


class Jobs:
    """Jobs that compute one step after another until all are made, with a clock of their own."""

    def __init__(self, device, monkeypatch):
        self.device, self.now, self.order = device, 0.0, []
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)
        self.gate = threading.Event()
        device.submit(self.gate.wait)

    def begin(self, name, seconds, steps, account=None, at=None):
        def work():
            for step in range(steps):
                (at or {}).get(step, int)()
                self.now += seconds
                self.order.append(name)
                yield

        account = account or Account()
        context = copy_context()
        context.run(ACCOUNT.set, account)
        return context.run(self.device.run_steps, work()), account


@pytest.fixture
def jobs(device, monkeypatch):
    return Jobs(device, monkeypatch)


def test_jobs_that_begin_together_have_the_same_time_whatever_their_steps_take(jobs):
    futures = [jobs.begin(name, seconds, steps)[0] for name, seconds, steps in (("short", 1, 40), ("long", 4, 10))]
    jobs.gate.set()
    [future.result(10) for future in futures]
    for end in range(5, 50, 5):
        so_far = jobs.order[:end]
        assert abs(so_far.count("short") - 4 * so_far.count("long")) <= 5


def test_who_comes_later_has_a_head_start_and_catches_up_with_nobody(jobs):
    def newcomer():
        jobs.later, late = jobs.begin("later", 0.1, 30)
        jobs.head_start = account.had - late.had

    account = Account()
    first, _ = jobs.begin("first", 0.1, 100, account, at={50: newcomer})
    jobs.gate.set()
    first.result(10), jobs.later.result(10)
    assert jobs.head_start == pytest.approx(HEAD_START, abs=0.11)
    after = jobs.order[jobs.order.index("later") :][:30]
    assert 15 <= after.count("later") <= 20


def test_a_hurried_job_is_next_but_not_for_long(jobs):
    hasty = Account()
    one, _ = jobs.begin("one", 0.5, 40)

    def hurrying():
        for _ in range(40):
            jobs.now += 0.5
            jobs.order.append("hasty")
            hasty.hurried = True
            yield

    context = copy_context()
    context.run(ACCOUNT.set, hasty)
    other = context.run(jobs.device.run_steps, hurrying())
    jobs.gate.set()
    one.result(10), other.result(10)
    ahead = [jobs.order[:end].count("hasty") - jobs.order[:end].count("one") for end in range(1, 60)]
    assert 2 <= 0.5 * max(ahead) <= MOST_HURRIED + 0.5


def test_what_a_hurried_job_computes_in_parts_is_hurried_to_its_end_and_no_longer(jobs):
    hasty, order = Account(), jobs.order

    class Search:
        """Something whose first needs three parts before it, and its second none."""

        def __init__(self):
            self.parts, self.made = 3, 0

        def prepare(self):
            if not self.parts:
                return None
            self.parts -= 1
            jobs.now += 0.1
            order.append("part")
            return 0.0

        def __iter__(self):
            return self

        def __next__(self):
            jobs.now += 0.1
            self.made += 1
            order.append(f"made {self.made}")
            return self.made

    search, context = Search(), copy_context()
    context.run(ACCOUNT.set, hasty)
    hasty.hurried, hasty.had = True, 1.0  # behind the other, but for that
    other, _ = jobs.begin("other", 0.1, 8)
    mine = threading.Thread(target=lambda: context.run(lambda: [jobs.device.next_of(search) for _ in range(2)]))
    mine.start()
    while all(work.account is not hasty for work in jobs.device._waiting):
        mine.join(0.01)
    jobs.gate.set()
    other.result(10), mine.join(10)
    begun = order[order.index("part") :]
    assert begun[:4] == ["part"] * 3 + ["made 1"] and not hasty.hurried
    assert "other" in begun[: begun.index("made 2")]  # which has its turn


def test_a_class_sees_its_first_pictures_one_after_the_other_and_before_others_go_on(jobs):
    """Each needs a step to begin, which takes longer for the first, and one to its picture."""
    seen = []

    def pupil(name, account):
        def work():
            jobs.now += 1.5 if name == 0 else 0.2
            yield
            jobs.now += 0.2
            account.unseen = False
            seen.append(name)
            for _ in range(10):
                yield
                jobs.now += 0.2
                jobs.order.append(name)

        context = copy_context()
        context.run(ACCOUNT.set, account)
        return context.run(jobs.device.run_steps, work())

    futures = [pupil(name, Account(unseen=True)) for name in range(5)]
    jobs.gate.set()
    [future.result(10) for future in futures]
    assert seen == [0, 1, 2, 3, 4] and jobs.order[:4] != [0] * 4


def test_who_is_unseen_for_long_waits_as_others_do(jobs):
    slow = Account(unseen=True)
    one, _ = jobs.begin("seen", 0.5, 20)
    other, _ = jobs.begin("slow", 0.5, 20, slow)
    jobs.gate.set()
    one.result(10), other.result(10)
    first = jobs.order.index("seen")
    assert first == MOST_UNSEEN / 0.5 and jobs.order[first : first + 6].count("slow") <= 1


def test_quick_work_goes_first_and_starves_no_job(device, monkeypatch):
    now, order, gate = [0.0], [], threading.Event()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    device.submit(gate.wait)

    def quick():
        for _ in range(100):
            now[0] += 0.1
            order.append("quick")
            yield

    def job():
        for _ in range(5):
            order.append("job")
            yield

    context = copy_context()
    context.run(ACCOUNT.set, Account())
    long = context.run(device.run_steps, job())
    short = device.run_steps(quick())
    gate.set()
    long.result(10), short.result(10)
    between = "".join(name[0] for name in order).split("j")
    assert between[0].startswith("q") and all(len(part) <= QUICK_SECONDS / 0.1 + 1 for part in between[:5])
    assert between[5]  # it goes on when the job is done


def test_what_a_job_computed_is_counted(jobs):
    future, account = jobs.begin("one", 0.5, 6)
    jobs.gate.set()
    future.result(10)
    assert account.seconds == pytest.approx(3.0)


def test_what_an_iterator_does_before_its_next_has_turns_of_its_own():
    """So that a camera's frame does not wait for all of it."""
    thread, order = DeviceThread("preparing"), []

    class Slow:
        parts = 3

        def __iter__(self):
            return self

        def prepare(self) -> float | None:
            if not self.parts:
                return None
            self.parts -= 1
            order.append("part")
            if self.parts == 2:
                thread.submit(order.append, "quick")
            return 1 - self.parts / 3

        def __next__(self) -> str:
            order.append("next")
            return "frame"

    assert thread.next_of(Slow()) == "frame"
    assert order.index("quick") < order.index("next") and order.count("part") == 3
