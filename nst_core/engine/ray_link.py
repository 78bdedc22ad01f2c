"""Joins a Ray cluster, and leaves it when its first machine is gone, before Ray ends this program for that."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from nst_core.errors import ConfigError, NoDeviceError, said

VARIABLE = "NST_CLUSTER"
CONNECT_SECONDS = 5.0
INSTALL = "install it (pip install -r nst_core/engine/requirements-ray.txt)"
WATCH_SECONDS = 2.0  # from one look at the first machine to the next; Ray itself gives up after 60
SILENT_SECONDS = 20.0  # that it may not answer at all; one that refuses is gone at the second look
LEAVE_SECONDS = 10.0  # that calls may take to return before the cluster is left all the same

log = logging.getLogger(__name__)
_CONNECTING = threading.Lock()  # as many paintings may begin at once
_links: list["Link"] = []  # the newest alone


class Link:
    """This program's part in a cluster.

    Args:
        address: as NST_CLUSTER has it.
        first: host:port of the first machine; "": unknown, it is not watched.
    """

    def __init__(self, address: str, first: str = ""):
        self.address, self.first = address, first
        self.gone = threading.Event()
        self._held: socket.socket | None = None  # which ends with the process that took it
        self._holding = threading.Lock()
        self._calls = 0
        self._returned = threading.Condition()

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Surround a short call of Ray's.

        Raises:
            NoDeviceError: the first machine is gone.
        """
        with self._returned:
            if self.gone.is_set():
                self.complain()
            self._calls += 1
        try:
            yield
        finally:
            with self._returned:
                self._calls -= 1
                self._returned.notify_all()

    def check(self) -> None:
        """Ask the first machine at once.

        Raises:
            NoDeviceError: it is gone.
        """
        if self.gone.is_set() or self._has_hung_up() or self.first and not reachable(self.first):
            self.complain()

    def is_another(self) -> bool:
        """Whether the first machine was started again, which nothing that was joined before survives."""
        return self._has_hung_up() and reachable(self.first)

    def _has_hung_up(self) -> bool:
        """Whether the process that took the connection at hand has ended, even if another listens there now."""
        with self._holding:
            return self._held is not None and _is_closed(self._held)

    def _hold(self, connection: socket.socket | None) -> None:
        """Keep a connection in place of the one before; young ones, as Ray closes those that say nothing for long."""
        with self._holding:
            if self._held:
                self._held.close()
            self._held = connection

    def complain(self) -> NoReturn:
        """Say that the first machine is gone, and what to do; raises NoDeviceError."""
        raise NoDeviceError(
            f"the first machine of the cluster {said(self.address)} is gone; what is made is kept. Start Ray on its "
            f"machines again and go on, or start this program without {VARIABLE}"
        )

    def watch(self) -> None:
        """Look after the first machine, on a thread of its own, and leave the cluster when it is gone."""
        if self.first:
            with suppress(OSError, ValueError):
                self._hold(_connected(self.first))
            threading.Thread(target=self._watch, name="cluster", daemon=True).start()

    def _watch(self) -> None:
        try:
            if self._outlived():
                log.warning("the first machine of the cluster %s is gone", self.address)
                self.leave()
        finally:
            self._hold(None)

    def _outlived(self) -> bool:
        """Wait until the first machine is gone; False: it was left by whoever saw that first."""
        refused, answered = 0, time.monotonic()
        while refused < 2 and time.monotonic() - answered < SILENT_SECONDS:
            if self.gone.wait(WATCH_SECONDS):
                return False
            if self._has_hung_up():
                break
            try:
                self._hold(_connected(self.first))
                refused, answered = 0, time.monotonic()
            except ConnectionRefusedError:
                refused += 1
            except (OSError, ValueError):
                refused = 0
        return True

    def leave(self) -> None:
        """Leave the cluster when the calls at hand have returned; no other is begun."""
        with self._returned:
            self.gone.set()
            self._returned.wait_for(lambda: not self._calls, LEAVE_SECONDS)
        with _CONNECTING:
            if self in _links:
                import ray

                _links.clear()
                ray.shutdown()


def named() -> str:
    """Give what NST_CLUSTER names, "" if that is nothing; nothing is asked of it."""
    return os.environ.get(VARIABLE, "").strip()


def connect(address: str) -> Link:
    """Join a cluster of which this machine is a part, once.

    Raises:
        ConfigError: Ray is not installed here.
        NoDeviceError: there is no such cluster, or its first machine is gone.
    """
    try:
        import ray
    except ImportError:
        raise ConfigError(f"{VARIABLE} is set, and Ray is not installed; {INSTALL}, or unset it") from None
    for before in [*_links]:
        if before.is_another():
            before.leave()
    with _CONNECTING:
        if not ray.is_initialized():
            _check_reachable(address)
            os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what matters of it comes as an error, too
            _links[:] = [_joined(address)]
            _links[0].watch()
        elif not _links:
            _links.append(Link(address))
        link = _links[0]
    link.check()
    return link


def _joined(address: str) -> Link:
    import ray

    try:
        with _own_signals():
            context = ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise NoDeviceError(f"{_none_at(address)} ({reason})") from None
    return Link(address, str(getattr(context, "address_info", {}).get("gcs_address") or ""))


def _none_at(address: str) -> str:
    return (
        f"{VARIABLE} is {said(address)}, and this computer finds no such cluster; start Ray on the first machine "
        "(ray start --head) and on this one (ray start --address=FIRST:6379), or unset it"
    )


def _check_reachable(address: str) -> None:
    """Refuse an address at which nobody listens, which Ray would try for a minute."""
    if address != "auto" and not reachable(address):
        raise NoDeviceError(_none_at(address))


def reachable(address: str) -> bool:
    """Whether anybody listens at host:port."""
    with suppress(OSError, ValueError):
        _connected(address).close()
        return True
    return False


def _connected(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS)


def _is_closed(connection: socket.socket) -> bool:
    """Whether the other side has ended a connection; what it said meanwhile is dropped."""
    connection.setblocking(False)
    try:
        while connection.recv(2**12):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep Ray from taking SIGTERM over."""
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if is_main else None
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
