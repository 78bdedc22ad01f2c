"""Machines are found and chosen fairly, lost ones avoided, and what is wrong with a cluster is said in a line."""

import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from nst_core.engine import cluster
from nst_core.engine.cluster import CPUS, MOST_TRIES, Cluster
from nst_core.engine.ray_link import Link
from nst_core.engine.remote_run import Lost
from nst_core.engine.worker import About, own_versions
from nst_core.errors import ConfigError, DeviceError, OutputError


def node(name: str, *, alive: bool = True, **resources: float) -> dict:
    return {"NodeID": name, "NodeManagerHostname": f"host of {name}", "Alive": alive, "Resources": resources}


@pytest.fixture
def nodes(monkeypatch) -> list[dict]:
    """A cluster without Ray: what it says of its machines, whose workers answer."""
    found: list[dict] = []
    fake = SimpleNamespace(nodes=lambda: found, is_initialized=lambda: True, kill=lambda actor: None)
    monkeypatch.setitem(sys.modules, "ray", fake)
    monkeypatch.delenv("NST_DEVICE", raising=False)
    monkeypatch.setattr(cluster, "_begun", lambda place: object())
    answer(monkeypatch, lambda machine: own_versions())
    return found


def answer(monkeypatch, versions) -> None:
    def start(machine, method, *given, seconds=None):
        return lambda: About(machine.name, versions(machine))

    monkeypatch.setattr(cluster._RayMachine, "start", start)


def chosen(made: Cluster, count: int) -> list[str]:
    return [made.choose().place.node for _ in range(count)]


def test_nothing_is_asked_where_no_cluster_is_named(monkeypatch):
    monkeypatch.delenv("NST_CLUSTER", raising=False)
    assert cluster.machines() is None
    monkeypatch.setenv("NST_CLUSTER", " ")
    assert cluster.machines() is None


def test_without_ray_it_is_said_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setenv("NST_CLUSTER", "nowhere:1")
    with pytest.raises(ConfigError, match="requirements-ray.txt"):
        cluster.machines().choose()


@pytest.mark.parametrize("address", ["localhost", "localhost:none", "[::1:6379", "127.0.0.1:{free}"])
def test_an_address_at_which_nobody_listens_is_refused(address, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        named = address.format(free=free.getsockname()[1])
        with pytest.raises(DeviceError, match="ray start --head") as told:
            Cluster(named).choose()
    assert repr(named) in str(told.value) and "\n" not in str(told.value)


def test_what_ray_says_of_a_cluster_is_said_in_a_line_and_signals_stay(monkeypatch):
    def init(**given):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise ConnectionError("no cluster\nand more")

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False, init=init))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(DeviceError, match=r"\(no cluster\)$"):
        Cluster("auto").choose()
    assert signal.getsignal(signal.SIGTERM) is before


def test_many_who_begin_at_once_join_once(monkeypatch):
    joined, is_joined = [], threading.Event()

    def init(address, **given):
        joined.append(address)
        threading.Event().wait(0.05)  # in which the others come
        is_joined.set()

    fake = SimpleNamespace(is_initialized=is_joined.is_set, init=init)
    monkeypatch.setitem(sys.modules, "ray", fake)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(cluster.connect, ["auto"] * 8))
    assert joined == ["auto"]


def test_every_gpu_is_a_place_and_where_there_are_none_every_few_cpus(nodes, monkeypatch):
    nodes += [node("small", CPU=CPUS - 1), node("large", CPU=2 * CPUS + 1), node("dead", alive=False, CPU=64)]
    assert sorted(chosen(Cluster("a"), 6)) == ["large"] * 4 + ["small"] * 2
    nodes.append(node("fast", CPU=8, GPU=2))
    made = Cluster("a")
    places = [made.choose().place for _ in range(4)]
    assert {place.node for place in places} == {"fast"} and len(set(places)) == 2 and places[0].gpu
    monkeypatch.setenv("NST_DEVICE", "cpu")
    assert set(chosen(made, 6)) == {"small", "large", "fast"}


def test_places_are_not_counted_once_the_first_machine_is_gone(nodes, monkeypatch):
    nodes.append(node("one", CPU=CPUS))
    assert Cluster("a").count() == 1
    link = Link("a")
    link.gone.set()
    monkeypatch.setattr(cluster, "connect", lambda address: link)
    with pytest.raises(DeviceError, match="first machine of the cluster 'a' is gone"):
        Cluster("a").count()


def test_a_link_that_another_thread_left_as_it_joined_anew_is_given_up_for_the_new_one(nodes, monkeypatch):
    nodes.append(node("one", CPU=CPUS))
    left, joined = Link("a"), Link("a")
    left.gone.set()
    for use in (lambda made: made.choose().link is joined, Cluster.count):
        links = iter([left, joined])
        monkeypatch.setattr(cluster, "connect", lambda address, links=links: next(links))
        assert use(Cluster("a"))


def test_paintings_are_spread_and_machines_that_are_there_come_first(nodes):
    nodes += [node("one", CPU=1), node("two", CPU=1)]
    made = Cluster("a")
    first = made.choose()
    first.leave(), first.leave()
    again = made.choose()
    assert again.place is first.place and made.choose().place is not first.place
    nodes.append(node("three", CPU=1))
    assert made.choose().place.node == "three"


def test_a_machine_that_was_lost_is_chosen_last(nodes):
    nodes += [node("one", CPU=1), node("two", CPU=1)]
    made = Cluster("a")
    lost = made.choose()
    made.lose(lost.place, lost.actor)
    lost.leave()
    assert lost.place.actor is None
    other = {"one": "two", "two": "one"}[lost.place.node]
    assert chosen(made, 2) == [other, other]
    nodes[:] = [one for one in nodes if one["NodeID"] == lost.place.node]
    assert chosen(made, 1) == [lost.place.node]


def test_where_no_machine_answers_it_is_said(nodes, monkeypatch):
    nodes.append(node("one", CPU=1))
    tries = []

    def lost(machine):
        tries.append(machine)
        raise Lost("one")

    answer(monkeypatch, lost)
    with pytest.raises(DeviceError, match="ray status"):
        Cluster("a").choose()
    assert len(tries) == MOST_TRIES and {machine.place.paintings for machine in tries} == {0}


def test_a_place_at_which_no_worker_can_begin_has_no_painting_for_that(nodes, monkeypatch):
    nodes += [node("one", CPU=1), node("two", CPU=1)]
    made = Cluster("a")
    with monkeypatch.context() as patch, pytest.raises(DeviceError, match="no room"):
        patch.setattr(cluster, "_begun", Mock(side_effect=DeviceError("no room")))
        made.choose()
    assert sorted(chosen(made, 2)) == ["one", "two"] and {place.paintings for place in made.places()} == {1}


def test_other_versions_are_refused(nodes, monkeypatch):
    nodes.append(node("one", CPU=1))
    answer(monkeypatch, lambda machine: own_versions() | {"torch": "0.4"})
    with pytest.raises(DeviceError, match=r"host of one has torch 0\.4, and this computer .*; install the same"):
        Cluster("a").choose()


def test_a_cluster_without_what_is_asked_for_is_refused(nodes, monkeypatch):
    with pytest.raises(DeviceError, match="no machine with CPUs"):
        Cluster("a").choose()
    nodes.append(node("one", CPU=1))
    monkeypatch.setenv("NST_DEVICE", "cuda:1")
    with pytest.raises(DeviceError, match="no GPU; add a machine with one"):
        Cluster("a").choose()


def test_what_went_wrong_there_says_where():
    machine = cluster._RayMachine(Cluster("a"), Link("a"), cluster.Place("n", "host", False, 1), object())
    assert str(machine._told(OutputError("the disk is full"))) == "on host: the disk is full"
    same = ConfigError("size")
    assert machine._told(same) is same and "went wrong" in str(machine._told(ZeroDivisionError()))
