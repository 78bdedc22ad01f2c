"""The fleet that `tests/benchmarks/fleet.py` simulates shares its devices as the engine does, and loses no work."""

import numpy as np
import pytest

from nst_core.engine.device_thread import HEAD_START
from tests.benchmarks.fleet import PAGE_SECONDS, WORKS, Work, arrivals, fleet, simulate


@pytest.mark.parametrize("work", WORKS)
def test_a_painting_alone_takes_its_own_time(work):
    (painting,), busy = simulate([5.0], work.turns, 1)
    assert painting.first == 5 + work.turns[0]
    assert painting.end - 5 == pytest.approx(work.seconds) and busy == pytest.approx(work.seconds)


@pytest.mark.parametrize("devices", [1, 3])
def test_no_work_is_lost_or_done_twice_and_no_device_idles_while_some_waits(devices):
    times = arrivals(200, 3.0, np.random.default_rng(0))
    turns = [0.02, *[0.1] * 9]
    painted, busy = simulate(times, turns, devices)
    assert sorted(one.arrived for one in painted) == sorted(times)
    assert busy == pytest.approx(200 * sum(turns)) and all(one.account.seconds == sum(turns) for one in painted)
    if devices == 1:  # as long as it was ever busy: the longest of what is left after each arrival
        end = 0.0
        for moment in times:
            end = max(end, moment) + sum(turns)
        assert max(one.end for one in painted) == pytest.approx(end)


def test_those_that_come_together_see_something_in_turn_and_then_share_equally():
    turns = [0.1] * 20
    painted, _ = simulate([0.0] * 5, turns, 1)
    assert sorted(one.first for one in painted) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert max(one.end for one in painted) - min(one.end for one in painted) <= 5 * 0.1


def test_who_comes_later_sees_something_at_once_and_has_a_head_start_and_no_more():
    turns = [0.1] * 100
    painted, _ = simulate([0.0, 5.0], turns, 1)
    early, late = sorted(painted, key=lambda one: one.arrived)
    assert late.first - late.arrived <= 0.2
    assert early.end < late.end
    # after its head start they share: the early one needs five seconds more, and gets half of the time
    assert early.end == pytest.approx(late.arrived + HEAD_START + 2 * (sum(turns) - 5.0), abs=0.3)


def test_more_devices_serve_no_slower_and_an_idle_one_is_the_page_alone():
    work = Work("quick", 0.01, 50, "for this test")
    slow, fast = (fleet(6000, work, devices, 8, 0, count=400) for devices in (2, 6))
    assert fast.used < slow.used and fast.end[1] < slow.end[1] and fast.first[1] <= slow.first[1]
    idle = fleet(1, work, 1, 1, 0, count=100)
    assert idle.first[0] == pytest.approx(PAGE_SECONDS + 0.02) and idle.end[0] == pytest.approx(PAGE_SECONDS + 0.5)
