"""What /health tells of the server, and what it does not."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from nst_core.engine.devices import DEVICES, Devices
from nst_core.engine.lane import Client, Lane
from nst_core.engine.limits import limits
from nst_core.host_memory import total_memory
from nst_core.ui.studio import health
from nst_core.ui.studio.session import Session
from nst_core.version import __version__

FIELDS = {"version", "devices", "memory_total", "memory_available", "jobs_at_work", "jobs_waiting", "paintings"}
CLIENT = TestClient(Starlette(routes=[health.ROUTE]))


@pytest.fixture
def told(browsers):
    return lambda: CLIENT.get("/health").json()


def test_it_counts_jobs_and_paintings_and_measures_memory(told, browsers, monkeypatch):
    lane = Lane(1)
    monkeypatch.setattr(health, "DEVICE_LANE", lane)
    for _ in range(3):
        lane.enter(Client(), limits())
    browsers["a key"] = Session()
    now = told()
    assert set(now) == FIELDS and now["version"] == __version__
    assert (now["jobs_at_work"], now["jobs_waiting"], now["paintings"]) == (1, 2, 1)
    assert now["memory_total"] == total_memory() and 0 < now["memory_available"] <= now["memory_total"]


def test_it_begins_no_device_and_names_those_that_are_begun(told, monkeypatch):
    monkeypatch.setenv("NST_DEVICE", "cpu")
    fresh = Devices()
    monkeypatch.setattr(health, "DEVICES", fresh)
    assert told()["devices"] == [] and fresh.begun == []
    fresh.submit(int).result(10)
    assert [name[:3] for name in told()["devices"]] == ["CPU"]


def test_where_no_device_can_compute_it_says_so_by_naming_none(told, monkeypatch):
    DEVICES.submit(int).result(10)
    monkeypatch.setenv("NST_DEVICE", "abacus")
    assert told()["devices"] == []


def test_it_names_nobody(told, browsers):
    session = Session()
    session.key, session.name = "the-key-of-a-browser", "Ada"
    browsers[session.key] = session
    answer = CLIENT.get("/health")
    assert not [word for word in (session.key, session.name, session.view) if word in answer.text]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
