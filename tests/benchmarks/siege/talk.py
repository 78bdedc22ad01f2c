"""What a browser or a program says to the server, in as few words as can be, so that one process can be 200 clients."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx

API = "/gradio_api"
FINE = (503, 507)  # of all 5xx: the server is full, and says so
# Refusals that say nothing but "later".
LATER = ("jobs wait", "job waits", "jobs of this page wait", "jobs from your address wait", "wait already")
FAULT = "something went wrong"  # a fault of the program's, in its own words


class Wait(Exception):
    """The server has no place now and says so in words: an honest client comes again."""


class Refused(Exception):
    """The server said no, in words."""


class Wrong(Exception):
    """Nothing that a client should ever see."""


def check(answer: httpx.Response) -> httpx.Response:
    """An answer with a status that may be.

    Raises:
        Wait: no place now.
        Refused: the request is not one that is answered.
        Wrong: the server broke.
    """
    status = answer.status_code
    if status in (429, *FINE):
        raise Wait(str(status))
    if status >= 500:
        raise Wrong(f"{answer.request.method} {answer.request.url.path[:60]} was answered {status}")
    if status >= 400:
        raise Refused(str(status))
    return answer


def judged(words: Any) -> Exception:
    """What a job's last word means, if it was no success."""
    text = words.get("error") if isinstance(words, dict) else words
    if not isinstance(text, str) or not text:
        return Wrong(f"a job failed without a word: {str(words)[:100]}")
    if any(later in text for later in LATER):
        return Wait(text)
    return Wrong(f"a job failed: {text[:200]}") if FAULT in text else Refused(text)


def picture(path: str) -> dict[str, Any]:
    """A file on the server as an input."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


class Talk:
    """One crowd's connections to one server.

    Args:
        url: the server's.
    """

    def __init__(self, url: str):
        self.url = url
        self.http = httpx.AsyncClient(
            base_url=url,
            trust_env=False,
            timeout=httpx.Timeout(120, pool=None),
            # the server closes what is idle for 5 s: what is taken up again must be younger
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=50, keepalive_expiry=2),
        )
        self.config: dict[str, Any] = {}

    async def read_config(self) -> None:
        """Learn what a page learns when it is opened."""
        self.config = check(await self.http.get("/config")).json()
        self._components = {one["id"]: one["props"] for one in self.config["components"]}

    def function(self, name: str) -> dict[str, Any]:
        """The function of that name in programs."""
        return next(one for one in self.config["dependencies"] if one["api_name"] == name)

    def clicked(self, elem_id: str, event: str = "click") -> dict[str, Any]:
        """The function behind an event of the page."""
        for one in self.config["dependencies"]:
            if any(self._name(target) == elem_id and what == event for target, what in one["targets"]):
                return one
        raise LookupError(f"the page has no {elem_id} to {event}")

    def after(self, function: dict[str, Any]) -> dict[str, Any]:
        """The queued function that follows."""
        found = (one for one in self.config["dependencies"] if one["trigger_after"] == function["id"] and one["queue"])
        return next(found)

    def inputs(self, function: dict[str, Any], **given: Any) -> list[Any]:
        """What the page would send: what it shows at first, but for what is given, by elem_id with _ for -."""
        given = {name.replace("_", "-"): value for name, value in given.items()}
        names = [(self._name(one), self._components[one].get("value")) for one in function["inputs"]]
        return [given.get(name, value) if name else None for name, value in names]

    def _name(self, component: int | None) -> str | None:
        return self._components.get(component, {}).get("elem_id")

    def label(self, component: int) -> str:
        """What an input is called."""
        return str(self._components.get(component, {}).get("label"))

    async def upload(self, content: bytes, name: str) -> str:
        """Put a file on the server; its path there."""
        answer = await self.http.post(f"{API}/upload", files={"files": (name, content)})
        return check(answer).json()[0]

    async def fetch(self, path: str) -> bytes:
        """A file of the server's."""
        return check(await self.http.get(f"{API}/file={path}")).content

    async def call(self, name: str, data: list[Any]) -> str:
        """Ask for a job, as a program does; its event."""
        return check(await self.http.post(f"{API}/call/{name}", json={"data": data})).json()["event_id"]

    async def heard(self, name: str, event: str) -> AsyncIterator[Any]:
        """What a called job yields; its result comes twice, as its last view and as its end.

        Raises:
            Wait, Refused, Wrong: it failed.
        """
        async with self.http.stream("GET", f"{API}/call/{name}/{event}") as answer:
            check(answer)
            kind = ""
            async for line in answer.aiter_lines():
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: ") and kind in ("generating", "complete"):
                    yield json.loads(line[6:])
                    if kind == "complete":
                        return
                elif line.startswith("data: ") and kind == "error":
                    raise judged(json.loads(line[6:]))
        raise Wrong("a job's news ended before the job")

    async def result(self, name: str, data: list[Any]) -> Any:
        """What a called job yields last."""
        last = None
        async with aclosing(self.heard(name, await self.call(name, data))) as views:
            async for view in views:
                last = view or last
        return last

    async def join(self, function: dict[str, Any], data: list[Any], session: str, event_data: Any = None) -> str:
        """Ask for a job, as a page does; its event."""
        body = {"data": data, "fn_index": function["id"], "session_hash": session, "event_data": event_data}
        return check(await self.http.post(f"{API}/queue/join", json=body)).json()["event_id"]

    async def news(self, session: str) -> AsyncIterator[dict[str, Any]]:
        """What a page hears of its jobs, until none is left."""
        async with self.http.stream("GET", f"{API}/queue/data", params={"session_hash": session}) as answer:
            check(answer)
            async for line in answer.aiter_lines():
                if not line.startswith("data: "):
                    continue
                message = json.loads(line[6:])
                if message["msg"] == "close_stream":
                    return
                if message["msg"] == "unexpected_error":
                    raise Wrong(f"the news ended: {message.get('message')}")
                yield message

    async def joined(self, function: dict[str, Any], data: list[Any], event_data: Any = None) -> Any:
        """What a job of a page of its own ends with."""
        session = new_session()
        await self.join(function, data, session, event_data)
        async with aclosing(self.news(session)) as news:
            async for message in news:
                if message["msg"] == "process_completed":
                    if not message["success"]:
                        raise judged(message["output"])
                    return message["output"].get("data")
        raise Wrong("a job's news ended before the job")

    async def at_once(self, function: dict[str, Any], data: list[Any], session: str) -> Any:
        """What a function of the page answers that passes no queue."""
        body = {"data": data, "fn_index": function["id"], "session_hash": session}
        return check(await self.http.post(f"{API}/run/predict", json=body)).json()

    async def cancel(self, function: int, event: str, session: str) -> None:
        """Take a job back."""
        body = {"session_hash": session, "fn_index": function, "event_id": event}
        check(await self.http.post(f"{API}/cancel", json=body))

    async def stay(self, session: str) -> None:
        """Keep a page open, until this is cancelled."""
        async with self.http.stream("GET", f"{API}/heartbeat/{session}", timeout=None) as answer:
            async for _ in check(answer).aiter_lines():
                pass
        raise Wrong("a heartbeat ended")


def new_session() -> str:
    """A page's name of itself."""
    return secrets.token_hex(6)
