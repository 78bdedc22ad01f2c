"""The memory there is: the computer's, or less where a container's limits say so."""

import re
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from nst_core import devices, host_memory
from nst_core.host_memory import available_memory, total_memory

GB = 10**9
CORE = Path(host_memory.__file__).parent


@pytest.fixture(autouse=True)
def host(monkeypatch):
    """A computer of 64 GB, 40 of them free."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=64 * GB, available=40 * GB))


@pytest.fixture
def tree(tmp_path):
    """Write files of control groups; returns what total_memory and available_memory are given."""

    def make(own_groups: str | None, files: dict[str, object]) -> tuple[Path, Path]:
        for name, text in files.items():
            (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "groups" / name).write_text(f"{text}\n")
        if own_groups is not None:
            (tmp_path / "cgroup").write_text(own_groups)
        return tmp_path / "groups", tmp_path / "cgroup"

    return make


def both(places: tuple[Path, Path]) -> tuple[float, float]:
    """(total, available) in GB."""
    return total_memory(*places) / GB, available_memory(*places) / GB


def test_without_control_groups_the_memory_is_the_computers(tree):
    assert both(tree(None, {})) == (64, 40)
    assert both(tree("", {})) == (64, 40)


def test_a_containers_limit_is_all_the_memory_there_is(tree):
    files = {"memory.max": 2 * GB, "memory.current": GB // 2, "memory.stat": "anon 1\ninactive_file 0"}
    assert both(tree("0::/\n", files)) == (2, 1.5)


def test_files_kept_for_later_reading_count_as_free(tree):
    stat = f"anon 5\nfile 9\ninactive_file {GB // 4}\nactive_file 7"
    files = {"memory.max": 2 * GB, "memory.current": GB, "memory.stat": stat}
    assert both(tree("0::/\n", files)) == (2, 1.25)


def test_the_limit_of_any_group_above_holds(tree):
    files = {
        "a/memory.max": 8 * GB,
        "a/memory.current": 7 * GB,
        "a/b/memory.max": "max",
        "a/b/memory.current": 3 * GB,
        "a/b/c/memory.max": 6 * GB,
        "a/b/c/memory.current": 2 * GB,
        "a/b/c/d/memory.max": GB,  # below this process's own
    }
    assert both(tree("0::/a/b/c\n", files)) == (6, 1)


def test_where_a_group_is_slowed_down_it_is_full(tree):
    files = {"memory.max": 8 * GB, "memory.high": 3 * GB, "memory.current": GB}
    assert both(tree("0::/\n", files)) == (3, 2)


def test_the_first_version_of_control_groups_holds_too(tree):
    lines = "12:cpu,cpuacct:/docker/x\n5:hugetlb,memory:/docker/x\n0::/\n"
    inside = {
        "memory/docker/x/memory.limit_in_bytes": 4 * GB,
        "memory/docker/x/memory.usage_in_bytes": 2 * GB,
        "memory/docker/x/memory.stat": f"inactive_file 7\ntotal_inactive_file {GB}",
        "memory/memory.limit_in_bytes": 9223372036854771712,
    }
    assert both(tree(lines, inside)) == (4, 3)


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("4:memory:/docker/x", {"memory/memory.limit_in_bytes": 2 * GB, "memory/memory.usage_in_bytes": GB}),
        ("0::/docker/x", {"memory.max": 2 * GB, "memory.current": GB}),
        ("0::/../..", {"memory.max": 2 * GB, "memory.current": GB}),
    ],
)
def test_a_path_told_as_from_the_host_leads_to_the_containers_own_root(tree, line, files):
    assert both(tree(line, files)) == (2, 1)


@pytest.mark.parametrize("odd", ["max", "", "lots", "-1", "9223372036854771712", "0", "1e9", "\0\udcff"])
def test_files_that_are_odd_limit_nothing(tree, odd):
    places = tree("0::/\n", {})
    places[0].mkdir(exist_ok=True)
    (places[0] / "memory.max").write_bytes(odd.encode("utf-8", "surrogateescape"))
    assert both(places) == (64, 40)


@pytest.mark.parametrize("lines", ["nonsense", "0:", ":::", "1:memory", "\0", "x:memory:relative/path"])
def test_a_list_of_groups_that_is_odd_limits_nothing(tree, lines):
    assert both(tree(lines, {})) == (64, 40)


def test_a_limit_without_its_use_is_what_is_available(tree):
    assert both(tree("0::/\n", {"memory.max": 2 * GB})) == (2, 2)


def test_a_group_beyond_its_limit_has_nothing_left(tree):
    assert both(tree("0::/\n", {"memory.max": GB, "memory.current": 2 * GB})) == (1, 0)


def test_a_computer_with_less_than_the_limit_is_no_larger_for_it(tree):
    assert both(tree("0::/\n", {"memory.max": 100 * GB, "memory.current": GB})) == (64, 40)


def test_what_a_run_can_take_is_what_the_container_has_left(monkeypatch):
    monkeypatch.setattr(devices, "available_memory", lambda: 12345)
    assert devices.free_memory("cpu") == 12345


def test_nothing_else_asks_the_system_for_its_memory():
    asking = re.compile(r"virtual_memory|swap_memory|SC_PHYS_PAGES|SC_AVPHYS_PAGES|/proc/meminfo")
    found = {file.name for file in CORE.rglob("*.py") if asking.search(file.read_text(encoding="utf-8"))}
    assert found == {"host_memory.py"}
