"""Laws of how threads share a CPU's cores."""

import subprocess
import sys
import threading
from itertools import pairwise

import pytest
import torch

from nst_core import cores
from nst_core.cores import CALM, CROWDED, LEAST_ASLEEP, LOOK_SECONDS, MOST_ASLEEP, Team, allowed_cores

# A program of four cores: on how many its own thread computes, the device's, and one that comes later; and how many
# threads there are in the end beside those that it began with, once those are gone that have ended. Then the same with
# a team that does nothing, where the system shows six cores, and after it.
PROGRAM = """
import os, threading, time, torch
from nst_core import cores
from nst_core.engine.devices import DEVICES
def computed():
    torch.ones(10**6).add_(1)
    return torch.get_num_threads()
def more(number):
    ends = time.monotonic() + 10
    while (found := len(os.listdir("/proc/self/task")) - before) != number and time.monotonic() < ends:
        time.sleep(0.001)
    return found
torch.set_num_threads(4)
before = len(os.listdir("/proc/self/task"))
cores.compute_on_one_core()
print(computed(), DEVICES.submit(computed).result())
later = threading.Thread(target=lambda: print(computed()))
later.start(); later.join()
print(more(1 + 3), cores.threads())
cores._shown_cores = lambda: 6
ends = cores._idle_team(4)
print(more(1 + 3 + 1 + 3))
ends.set()
print(more(1 + 3))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads as Linux shows them")
def test_the_devices_thread_has_all_cores_and_the_only_team_but_for_one_that_does_nothing():
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["1 4", "1", "4 4", "8", "4"]


@pytest.fixture
def team(monkeypatch):
    """A team of two that was made at 0, and whose idle companion is only noted."""
    monkeypatch.setattr(cores, "threads", lambda: 2)
    monkeypatch.setattr(cores, "_all_threads", 2)
    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)
    monkeypatch.setattr(cores.time, "monotonic", lambda: 0.0)
    monkeypatch.setattr(cores, "_waited", dict)
    monkeypatch.setattr(cores, "_idle_team", lambda beside: threading.Event())
    return Team()


def test_a_team_waits_asleep_as_long_as_cores_are_crowded(team):
    moments = [(1, CALM), (2, CROWDED + 0.1), (4, CROWDED), (6, (CALM + CROWDED) / 2), (20, CALM - 0.1), (22, 0.0)]
    states = []
    for now, waiting in moments:
        team.decide(waiting, now)
        states.append(team.is_asleep)
    assert states == [False, True, True, True, False, False]


def test_what_seems_calm_only_while_it_sleeps_is_tried_less_and_less_often(team):
    began, now = [], 0.0
    for _ in range(400):
        was = team.is_asleep
        team.decide(0.0 if was else 1.0, now)
        if team.is_asleep and not was:
            began.append(now)
        now += LOOK_SECONDS
    pauses = [later - earlier for earlier, later in pairwise(began)]
    assert pauses[0] < 4 * LEAST_ASLEEP and pauses == sorted(pauses) and MOST_ASLEEP <= pauses[-1] < 2 * MOST_ASLEEP


def test_it_looks_now_and_then_while_something_is_computed(team, monkeypatch):
    looked, waited = [], iter([{"1": 3.0, "2": 1.0}, {"1": 3.5, "3": 0.1}, {}])
    monkeypatch.setattr(cores, "_waited", lambda: next(waited))
    monkeypatch.setattr(team, "decide", lambda waiting, now: looked.append((round(waiting, 6), now)))
    for now in (0.4, 1.0, 1.9, 2.0, 9.0, 9.5):
        monkeypatch.setattr(cores.time, "monotonic", lambda now=now: now)
        team.look()
    assert looked == [(4.0, 1.0), (0.6, 2.0)]  # by 9 nothing was computed for long


def test_what_the_system_tells_of_waiting_is_read_or_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(cores, "TASKS", tmp_path)
    assert cores._waited() == {}
    for name, text in (("1", "7 2000000000 3"), ("2", ""), ("3", "0 0 0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "schedstat").write_text(text)
    assert cores._waited() == {"1": 2.0, "3": 0.0}


GROUPS = {
    "none": ("", {}, None),
    "version 2": ("0::/a\n", {"cpu.max": "max 100000", "a/cpu.max": "200000 100000"}, 2),
    "the least of all": ("0::/a\n", {"cpu.max": "100000 100000", "a/cpu.max": "300000 100000"}, 1),
    "part of a core": ("0::/\n", {"cpu.max": "20000 100000"}, 1),
    "nearly three": ("0::/\n", {"cpu.max": "270000 100000"}, 3),
    "version 1": ("3:cpu,cpuacct:/a\n", {"cpu/a/cpu.cfs_quota_us": "150000", "cpu/a/cpu.cfs_period_us": "50000"}, 3),
    "version 1, unlimited": ("3:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
    "what is no number": ("0::/\n", {"cpu.max": "all"}, None),
    "no time at all": ("0::/\n", {"cpu.max": "5 0"}, None),
}


@pytest.mark.parametrize(("own", "files", "allowed"), GROUPS.values(), ids=GROUPS)
def test_a_container_s_limit_is_all_the_cores_there_are(tmp_path, monkeypatch, own, files, allowed):
    monkeypatch.setattr(cores.os, "cpu_count", lambda: 16)
    (tmp_path / "own").write_text(own)
    for name, text in files.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(f"{text}\n")
    assert allowed_cores(tmp_path / "groups", tmp_path / "own") == (allowed or 16)


@pytest.mark.parametrize(("own", "wanted"), [({}, 2), ({"OMP_NUM_THREADS": "5"}, 5)])
def test_what_somebody_chose_goes_before_a_limit(monkeypatch, own, wanted):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(cores, "_all_threads", None)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 5)
    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)
    monkeypatch.setattr(cores, "allowed_cores", lambda: 2)
    cores.compute_on_one_core()
    assert cores.threads() == wanted
