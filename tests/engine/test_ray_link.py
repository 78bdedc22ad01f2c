"""A cluster whose first machine is gone is left in time, told of in a line, and joined again when it is back."""

import socket
import sys
import threading
from types import SimpleNamespace

import pytest

from nst_core.engine import cluster, ray_link
from nst_core.engine.cluster import Cluster, Place
from nst_core.engine.ray_link import Link, connect
from nst_core.errors import DeviceError, OutputError

SECONDS = 30  # that a test waits at most for what another thread does


class FirstMachine:
    """Listens as a cluster's first machine does, until it is gone."""

    def __init__(self, port: int = 0):
        self.socket = socket.create_server(("127.0.0.1", port))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def die(self) -> None:
        self.socket.close()


@pytest.fixture
def first() -> FirstMachine:
    made = FirstMachine()
    yield made
    made.die()


@pytest.fixture
def ray(first, monkeypatch) -> SimpleNamespace:
    """Ray that joins whatever it is told to; what was called of it."""
    fake = SimpleNamespace(calls=[], joined=False, left=threading.Event(), first=first.address)

    def init(**given) -> SimpleNamespace:
        fake.calls.append("init")
        fake.joined = True
        return SimpleNamespace(address_info={"gcs_address": fake.first})

    def shutdown() -> None:
        fake.calls.append("shutdown")
        fake.joined = False
        fake.left.set()

    fake.init, fake.shutdown, fake.is_initialized = init, shutdown, lambda: fake.joined
    monkeypatch.setitem(sys.modules, "ray", fake)
    monkeypatch.setattr(ray_link, "WATCH_SECONDS", 0.001)
    monkeypatch.setattr(ray_link, "_links", [])
    return fake


def test_a_first_machine_that_lives_is_stayed_with(ray, first):
    link = connect(first.address)
    assert connect(first.address) is link and ray.calls == ["init"] and not link.gone.is_set()
    with link.calling():
        link.check()


def test_one_that_is_gone_is_left_once_the_calls_at_hand_returned_and_it_is_said(ray, first):
    link = connect(first.address)
    with link.calling():
        first.die()
        with pytest.raises(DeviceError, match="is gone; what is made is kept. Start Ray on its machines"):
            link.check()
        assert link.gone.wait(SECONDS) and not ray.left.is_set()
        with pytest.raises(DeviceError, match="is gone"), link.calling():
            pytest.fail("a call was begun")
    assert ray.left.wait(SECONDS) and ray.calls == ["init", "shutdown"]


def test_a_call_that_does_not_return_keeps_nobody_in_it(ray, first, monkeypatch):
    monkeypatch.setattr(ray_link, "LEAVE_SECONDS", 0.001)
    link = connect(first.address)
    with link.calling():
        first.die()
        assert ray.left.wait(SECONDS)


def test_one_that_is_back_is_joined_again_and_what_watched_the_last_leaves_it_alone(ray, first):
    before = connect(first.address)
    first.die()
    assert ray.left.wait(SECONDS)
    with pytest.raises(DeviceError, match="ray start --head"):
        connect(first.address)
    back = FirstMachine(int(first.address.rpartition(":")[2]))
    link = connect(first.address)
    assert link is not before and ray.calls == ["init", "shutdown", "init"]
    before.leave()
    assert ray.joined and not link.gone.is_set()
    back.die()


def test_one_that_was_started_again_before_anybody_looked_is_joined_anew(ray, first, monkeypatch):
    monkeypatch.setattr(ray_link, "WATCH_SECONDS", SECONDS)
    before = connect(first.address)
    first.die()
    with pytest.raises(DeviceError, match="is gone"):
        connect(first.address)
    back = FirstMachine(int(first.address.rpartition(":")[2]))
    with pytest.raises(DeviceError, match="is gone"):
        before.check()
    link = connect(first.address)
    assert link is not before and before.gone.is_set() and ray.calls == ["init", "shutdown", "init"]
    assert connect(first.address) is link
    back.die()


class RayError(Exception):
    pass


class NoAnswer(RayError):
    pass


class FullError(RayError):
    pass


@pytest.fixture
def machine(ray, first, monkeypatch) -> cluster._RayMachine:
    """A machine of that cluster, whose worker is asked and never heard of."""
    names = "GetTimeoutError", "ObjectStoreFullError", "OutOfDiskError", "RayError", "RayTaskError"
    errors = dict(zip(names, (NoAnswer, FullError, FullError, RayError, ZeroDivisionError), strict=True))
    monkeypatch.setitem(sys.modules, "ray.exceptions", SimpleNamespace(**errors))
    place = Place("n", "host", False, 1)
    actor = SimpleNamespace(paint=SimpleNamespace(remote=lambda *given: ray.calls.append("paint")))
    return cluster._RayMachine(Cluster("a"), connect(first.address), place, actor)


def test_whoever_waits_for_an_answer_hears_of_it_and_calls_nothing_more(ray, first, machine):
    waited = []

    def get(coming, timeout):
        waited.append(timeout)
        if len(waited) == 1:
            first.die()
        raise NoAnswer

    ray.get = get
    with pytest.raises(DeviceError, match="first machine .* is gone"):
        machine.start("paint")()
    count = len(waited)
    with pytest.raises(DeviceError, match="first machine .* is gone"):
        machine.start("paint")()
    assert len(waited) == count and waited[0] == cluster.ANSWER_SECONDS and ray.calls.count("paint") == 1


def test_a_worker_without_room_for_what_is_sent_stays_and_says_where_to_make_some(ray, machine):
    def get(coming, timeout):
        raise FullError("a trace\nof many lines")

    ray.get, ray.kill = get, lambda actor: pytest.fail("it was given up")
    with pytest.raises(OutputError, match="^memory or disk of host is full, by what Ray says; make room there$"):
        machine.start("paint")()


def test_an_unknown_first_machine_is_not_watched(ray):
    ray.joined = True
    assert connect("auto").first == "" and not ray.calls
    Link("auto").check()
