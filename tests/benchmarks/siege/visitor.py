"""Somebody with a browser who paints on the page: what the page says to the server, and when there is what to see."""

import json
import re
import struct
import time
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from tests.benchmarks.siege.talk import Talk, Wait, Wrong, check, picture

FRAME = struct.Struct(">IIII")  # see `nst_core.ui.widgets.channel.PREFIX`


class Painted(NamedTuple):
    """A painting as its visitor saw it grow."""

    png: bytes
    first: float  # seconds until there was a picture
    seconds: float  # until there was the result
    frames: int


class Visitor:
    """A page of a browser of its own.

    Args:
        talk: the connection.
        session: the page's name of itself.
    """

    def __init__(self, talk: Talk, session: str):
        self.talk, self.session = talk, session

    async def open(self) -> None:
        """Open the page, which is told what its browser left: nothing."""
        functions = self.talk.config["dependencies"]
        loads = [one for one in functions if not one["queue"] and any(what == "load" for _, what in one["targets"])]
        back = max(loads, key=lambda one: len(one["outputs"]))
        await self.talk.at_once(back, self.talk.inputs(back), self.session)

    async def paint(self, content: tuple[bytes, str], style: tuple[bytes, str], **settings: Any) -> Painted:
        """Paint, and watch until there is the result.

        Args:
            content, style: files and their names.
            settings: what the page shows, by elem_id with _ for -.
        """
        talk, began = self.talk, time.monotonic()
        token = await self.begin(content, style, **settings)
        first, frames = 0.0, 0
        async for has_picture, _ in self.watch(token):
            frames += has_picture
            first = first or has_picture * (time.monotonic() - began)
        over = talk.clicked("preview", "over")
        told = str(await talk.at_once(over, talk.inputs(over), self.session))
        seconds = time.monotonic() - began
        path = re.search(r"'path': '([^']+\.png)'", told)
        if not path:
            words = re.search(r"class=.?.status[^>]*>(.{0,200})", told)
            raise Wrong(f"a painting ended without a result: {words and words[1]}")
        return Painted(await talk.fetch(path[1]), first, seconds, frames)

    async def begin(self, content: tuple[bytes, str], style: tuple[bytes, str], **settings: Any) -> str:
        """Press Paint; the preview's token. Arguments as of `paint`."""
        talk = self.talk
        files = [picture(await talk.upload(*file)) for file in (content, style)]
        self.shown = {"content": files[0], "style": files[1], **settings}
        run = talk.clicked("run")
        pressed = str(await talk.at_once(run, talk.inputs(run, **self.shown), self.session))
        token = re.search(r'data-run=\\*"([\w-]{22})', pressed)
        if not token:
            raise Wait(pressed[:200]) if "wait" in pressed else Wrong(f"no painting was begun: {pressed[:300]}")
        return token[1]

    async def steer(self, **settings: Any) -> None:
        """Move controls while it paints; names as of `paint`."""
        self.shown |= settings
        moved = self.talk.clicked(next(iter(settings)).replace("_", "-"), "input")
        await self.talk.join(moved, self.talk.inputs(moved, **self.shown), self.session)

    async def stop(self) -> None:
        """Press Stop."""
        stop = self.talk.clicked("stop")
        await self.talk.at_once(stop, self.talk.inputs(stop), self.session)

    async def watch(self, token: str) -> AsyncIterator[tuple[bool, dict[str, str]]]:
        """Follow the preview as the page does; whether each frame brings a picture, and its words."""
        seen = 0
        while True:
            params = {"seen": seen, "most": 20}
            async with self.talk.http.stream("GET", f"/preview/{token}", params=params) as answer:
                if answer.status_code in (204, 404):
                    return
                held = b""
                async for part in check(answer).aiter_bytes():
                    held += part
                    while len(held) >= FRAME.size:
                        seen_now, _, words, image = FRAME.unpack_from(held)
                        if len(held) < FRAME.size + words + image:
                            break
                        said, held = held[FRAME.size : FRAME.size + words], held[FRAME.size + words + image :]
                        seen = seen_now
                        yield image > 0, json.loads(said)
