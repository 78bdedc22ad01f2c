"""Tests of what a server allows: where the numbers come from, and when strangers are meant."""

import math
from dataclasses import fields
from pathlib import Path

import pytest

from nst_core.engine import limits as module
from nst_core.engine.limits import Limits, is_public, limits
from nst_core.errors import ConfigError

VARIABLES = [one.metadata["variable"] for one in fields(Limits)]
ABOUT = Path(module.__file__).parents[1] / "ui" / "README.md"


@pytest.mark.parametrize(
    ("environment", "public"),
    [
        ({}, False),
        ({"GRADIO_SERVER_NAME": "127.0.0.1"}, False),
        ({"GRADIO_SERVER_NAME": "localhost"}, False),
        ({"GRADIO_SERVER_NAME": "[::1]"}, False),
        ({"GRADIO_SERVER_NAME": "0.0.0.0"}, True),
        ({"GRADIO_SERVER_NAME": "lab.example.org"}, True),
        ({"SPACE_ID": "somebody/lab"}, True),
    ],
)
def test_work_and_time_are_bounded_where_strangers_may_come(environment, public):
    assert is_public(environment) is public
    allowed = limits(environment)
    assert math.isfinite(allowed.work) is public and math.isfinite(allowed.seconds) is public


@pytest.mark.parametrize("one", fields(Limits), ids=lambda one: one.name)
def test_each_number_is_set_by_its_variable(one):
    variable = one.metadata["variable"]
    assert getattr(limits({variable: "7"}), one.name) == 7
    assert getattr(limits({variable: "inf", "SPACE_ID": "x"}), one.name) == math.inf
    assert getattr(limits({variable: ""}), one.name) == one.default
    for wrong in ("none", "-1", "0", "nan", "1 000"):
        with pytest.raises(ConfigError, match=variable):
            limits({variable: wrong})


@pytest.mark.parametrize("one", fields(Limits), ids=lambda one: one.name)
def test_the_list_of_limits_tells_of_each_with_its_default(one):
    rows = [line for line in ABOUT.read_text().splitlines() if line.startswith(f"| `{one.metadata['variable']}`")]
    assert rows and all(f"{value:g}" in rows[0] for value in {one.default, one.metadata["public"]} - {math.inf})
