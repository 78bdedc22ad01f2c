"""Keeps the page as gradio made it, compressed: 6.31 makes it anew for every visitor, in a tenth of a second."""

import gzip
from collections import OrderedDict
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST = 8  # addresses under which the page is kept; the one unused for longest gives way
# what gradio reads of a request for the address of the page, which it writes into it
ORIGIN = ("host", "x-forwarded-host", "x-forwarded-proto", "x-gradio-server")
ANOTHER_PAGE = {"page", "deep_link", "all_endpoints"}  # parts of a query by which it makes another one


class KeptPage:
    """Answers who asks for the page with the one that was made for the first who asked under the same address.

    It is the same for all: what is a visitor's own comes by events. All else goes on to gradio, and so does who takes
    nothing compressed, or asks from a page of another site.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.kept: OrderedDict[tuple[str, ...], list[Message]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _asks_for_page(scope):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        address = (scope["scheme"], scope.get("root_path", ""), *(headers.get(name, "") for name in ORIGIN))
        if address not in self.kept:
            made: list[Message] = []

            async def keep(message: Message) -> None:
                made.append(message)

            await self.app(scope, receive, keep)
            if made[0]["status"] != 200 or "set-cookie" in Headers(raw=made[0]["headers"]):
                for message in made:
                    await send(message)
                return
            self.kept[address] = await run_in_threadpool(_compressed, made)
            while len(self.kept) > MOST:
                self.kept.popitem(last=False)
        self.kept.move_to_end(address)
        for message in self.kept[address]:
            await send({**message, "headers": list(message["headers"])} if "headers" in message else message)


def _asks_for_page(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
        return False
    if parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True).keys() & ANOTHER_PAGE:
        return False
    headers = Headers(scope=scope)
    return "gzip" in headers.get("accept-encoding", "") and "origin" not in headers


def _compressed(answer: list[Message]) -> list[Message]:
    """Compress the body of an answer, and say so in its head."""
    body = gzip.compress(b"".join(message.get("body", b"") for message in answer), mtime=0)
    headers = MutableHeaders(raw=list(answer[0]["headers"]))
    headers["Content-Encoding"], headers["Vary"] = "gzip", "Accept-Encoding"
    headers["Content-Length"] = str(len(body))
    return [{**answer[0], "headers": headers.raw}, {"type": "http.response.body", "body": body}]
