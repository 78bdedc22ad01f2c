"""What a hostile job has at hand: connections, chance, a trap, and the questions that all of them ask."""

import asyncio
import io
import random
from contextlib import aclosing
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from tests.benchmarks.siege.talk import FINE, Refused, Talk, Wrong, picture

STYLE = "starry_night"


class Attack(NamedTuple):
    """One hostile job."""

    talk: Talk
    chance: random.Random
    trap: "Trap"

    async def instant(self, content: Any, *, size: int | None = 128, may_succeed: bool = True) -> str:
        """Have a picture painted in one pass."""
        try:
            result = await self.talk.result("instant", [content, STYLE, 1, size, "style"])
        except Refused as error:
            return _short(error)
        if not may_succeed:
            raise Wrong(f"what should be refused was painted: {str(content)[:80]} → {str(result)[:80]}")
        return "painted"

    async def upload(self, content: bytes, name: str) -> Any:
        """A file on the server, as an input."""
        return picture(await self.talk.upload(content, name))

    async def post(self, path: str, body: bytes | str, **headers: str) -> str:
        """The status that a raw body is answered with, and what becomes of the job if it became one."""
        answer = await self.talk.http.post(path, content=body, headers={"Content-Type": "application/json", **headers})
        if answer.status_code >= 500 and answer.status_code not in FINE:
            # what does not wait in the queue tells of a handler's failure in this way
            raise Wrong(f"{path} was answered {answer.status_code}: {answer.text[:80]}")
        if answer.status_code != 200 or "event_id" not in answer.text:
            return str(answer.status_code)
        name, event = path.rsplit("/", 1)[1], answer.json()["event_id"]
        if name == "join":
            return "200, queued"
        try:
            async with aclosing(self.talk.heard(name, event)) as views:
                async for _ in views:
                    pass
        except Refused as error:
            return _short(error)
        return "done"

    async def asked(self, function: dict[str, Any], data: list[Any], event_data: Any = None) -> str:
        """Have a function of the page called."""
        try:
            await self.talk.joined(function, data, event_data=event_data)
        except Refused as error:
            return _short(error)
        return "done"

    async def status(self, path: str, **headers: str) -> int:
        """What a page is answered."""
        answer = await self.talk.http.get(path, headers=headers)
        if answer.status_code >= 500 and answer.status_code not in FINE:
            raise Wrong(f"{path[:60]} was answered {answer.status_code}")
        return answer.status_code


class Trap:
    """A server that no one has a reason to ask: it counts who does."""

    def __init__(self) -> None:
        self.caught = 0

    async def __aenter__(self) -> "Trap":
        self._server = await asyncio.start_server(self._catch, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._server.close()

    async def _catch(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.caught += 1
        writer.close()


def _short(error: Exception) -> str:
    text = str(error)
    return text if len(text) <= 60 else f"{text[:57]}…"


@cache
def photo(kind: str, side: int = 160) -> bytes:
    """A small picture with some detail, as a file."""
    values = np.random.default_rng(1).integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).resize((side, side)).save(file, kind)
    return file.getvalue()
