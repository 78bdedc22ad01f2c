"""Which folders limit a process, as Linux tells it."""

from pathlib import Path

import pytest

from nst_core.control_groups import limiting

ROOT = Path("groups")
CASES = {
    "version 2": ("0::/a/b\n", [(2, "a/b"), (2, "a"), (2, ".")]),
    "version 1": ("4:cpu,cpuacct:/a\n3:memory:/x\n", [(1, "cpu/a"), (1, "cpu")]),
    "both": ("4:cpu:/\n0::/\n", [(1, "cpu"), (2, ".")]),
    "another one's": ("3:memory:/x\n", []),
    "above what is shown": ("0::/../x\n", [(2, ".")]),
}


@pytest.mark.parametrize(("lines", "folders"), CASES.values(), ids=CASES)
def test_a_group_and_all_above_it_limit_a_process(tmp_path, lines, folders):
    (tmp_path / "own").write_text(lines)
    assert list(limiting("cpu", ROOT, tmp_path / "own")) == [(version, ROOT / path) for version, path in folders]


def test_other_systems_have_none(tmp_path):
    assert list(limiting("cpu", ROOT, tmp_path / "none")) == []
