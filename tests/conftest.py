"""What tests share: the rule for tests that need VGG-19. Fixtures stand in `stand_ins`."""

import gc
import os
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same values each time, on however slow a machine; what once failed is to be a test of its own.
settings.register_profile(
    "laws",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("laws")


def pytest_configure(config):
    """Who only hands tests to workers needs no fixtures, nor torch, for which they all would wait."""
    if config.getoption("dist", "no") == "no":
        gc.disable()  # until all is imported, of which nothing is garbage
        config.pluginmanager.import_plugin("tests.stand_ins")


def pytest_ignore_collect(collection_path, config):
    """Tests of the browser are not read where they are not asked for."""
    return (collection_path.name == "e2e" and "not e2e" in config.option.markexpr) or None


def pytest_collection(session):
    """Each worker begins to import all tests at another place, as what others compiled need not be compiled again."""
    worker, tests = getattr(session.config, "workerinput", None), Path(__file__).parent
    if worker is None or session.config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    files = sorted(file for file in tests.rglob("test_*.py") if file.parent.name != "e2e")
    begin = len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
    for file in files[begin:]:
        with suppress(Exception, pytest.skip.Exception):  # which is told of where it is collected
            import_module(".".join(file.relative_to(tests.parent).with_suffix("").parts))


def pytest_collection_modifyitems(items):
    """Browser tests last, as Playwright keeps an event loop running; no real weights, no tests that need them."""
    items.sort(key=lambda item: "e2e" in item.keywords)
    if os.environ.get("NST_WEIGHTS"):
        return
    skip = pytest.mark.skip(reason="needs VGG-19's weights: set NST_WEIGHTS to a folder that has them")
    for item in items:
        if "weights" in item.keywords:
            item.add_marker(skip)


def pytest_collection_finish():
    """Garbage is searched for among what tests make, not in all that was imported, each time anew."""
    gc.collect()
    gc.freeze()
    gc.enable()
