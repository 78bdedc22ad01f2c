"""Checks every request before gradio sees it: the host it names, how much it sends; and notes who listens."""

import asyncio
import ipaddress
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

import gradio as gr
from gradio.route_utils import FnIndexInferError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nst_core.engine.limits import limits
from nst_core.errors import seen
from nst_core.ui.page.node_search import PROGRAM
from nst_core.ui.serving.audience import AUDIENCE

LONGEST_ADDRESS = 16_384  # bytes of a path and its query
MOST_UPLOADED = 10**9  # bytes of one request
DISK_RESERVE = 10**9  # bytes that stay free
BODY_SECONDS = 30.0  # for a body other than an upload; of an upload, between two parts of it

UPLOAD = "/gradio_api/upload"
DRAWING = "/gradio_api/component_server"  # what a brush painted, as it comes from the browser
AGENTS = "/gradio_api/mcp"  # whose pictures may be in what they ask for
MOST_DRAWN = 16_000_000  # bytes
CANCEL = "/gradio_api/cancel"
FILES = "/gradio_api/file="
# Answers that are read while they are written, if their length is not told: news, and the frames of a preview.
STREAMED = ("text/event-stream", "application/octet-stream")
FRAMES = re.compile(r"/live/[^/]+$")  # which count their bytes themselves
# gradio's programs and styles: their names have a hash of what is in them, so that a new one has another name
NAMED_BY_HASH = re.compile(r"^[\w/-]*/assets/[^/]+-[\w-]{8,9}\.\w+$")
# A picture that was uploaded or comes with the page: gradio names its folder by the hash of what is in it.
FOLDER_BY_HASH = re.compile(r"/gradio_api/file=.*/[0-9a-f]{64}/[^/]+$")
FOR_GOOD, FOR_A_DAY = "public, max-age=31536000, immutable", "public, max-age=86400"
# Connections by which a page or a program hears of its jobs; the name is its session's, or the event's.
HEARTBEAT = re.compile(r"/gradio_api/heartbeat/(?P<name>[^/]+)$")
NEWS_OF_EVENT = re.compile(r"/gradio_api/call/(?:v2/)?[^/]+/(?P<name>[^/]+)$")
NEWS = "/gradio_api/queue/data"
BESIDE_QUEUE = re.compile(r"/gradio_api/(?:run|api)/[^/]+/?$")

# gradio's page consists of inline scripts and styles, and makes functions of text.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors {ancestors}"
)
# What somebody uploaded is shown, and nothing in it acts, should it be opened by itself.
FILE_POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox allow-downloads"
ANCESTORS = "'self' https://huggingface.co https://*.hf.space"  # a Space is shown in a frame of these

log = logging.getLogger(__name__)


class Guard:
    """Refuses early what no page of ours sends, and notes who is connected."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(scope, receive)
        answer = _Answer(scope, send, body)
        if refusal := refused(scope):
            await refusal(scope, receive, answer.send)
            return
        try:
            with _present(scope):
                await self.app(scope, body.receive, answer.send)
        except _TooMuch:
            await answer.refuse(413, "That is more than this server takes in one request.")
        except TimeoutError:
            await answer.refuse(408, "The rest of the request did not come in time.")
        except (LookupError, ValueError, TypeError, AttributeError, FnIndexInferError) as error:
            if scope["method"] != "POST" or answer.begun:
                raise
            # a request that no page of ours makes: gradio looks for what it names, and finds nothing
            log.warning("refused %s %s: %s", scope["method"], seen(scope["path"]), type(error).__name__)
            await answer.refuse(400, "This page does not know such a request; reload it.")


def refused(scope: Scope) -> PlainTextResponse | None:
    """Answer a request that its head alone rules out; None if it may come in."""
    headers, path = Headers(scope=scope), scope["path"]
    host = headers.get("host", "")
    if not is_known(host, scope):
        text = f"This server does not go by the name {seen(host)!r}; whoever runs it sets NST_HOSTS to that name."
        return PlainTextResponse(text, 421)
    if len(scope.get("raw_path") or path) + len(scope.get("query_string", b"")) > LONGEST_ADDRESS:
        return PlainTextResponse("The address is too long.", 414)
    length = headers.get("content-length", "0")
    size = int(length) if length.isdecimal() else 0
    if size > _most(path):
        return PlainTextResponse("That is more than this server takes in one request.", 413)
    if path.endswith(UPLOAD) and shutil.disk_usage(_disk()).free - size < DISK_RESERVE:
        return PlainTextResponse("The disk of this server is full; try again later, or tell who runs it.", 507)
    return None


def is_known(host: str, scope: Scope | None = None) -> bool:
    """Whether a page under that name may be this server's own.

    A page of a stranger whose name was made to lead here (DNS rebinding) comes with the stranger's name. A number
    cannot be made to lead elsewhere.
    """
    name = re.sub(r":\d+$", "", host.strip().lower()).strip("[]")
    try:
        ipaddress.ip_address(name)
        return True
    except ValueError:
        pass
    known = {"localhost", os.environ.get("SPACE_HOST", ""), os.environ.get("GRADIO_SERVER_NAME", "")}
    known |= set(re.split(r"[\s,]+", os.environ.get("NST_HOSTS", "").lower()))
    blocks = getattr(scope["app"], "blocks", None) if scope and "app" in scope else None
    known |= {str(getattr(blocks, "server_name", "") or "").lower()}
    known |= {re.sub(r"^https?://", "", str(getattr(blocks, "share_url", "") or "")).strip("/")}
    ours = (".localhost", *((".hf.space",) if os.environ.get("SPACE_ID") else ()))
    return bool(name) and ("*" in known or name in known - {""} or name.endswith(ours))


def _most(path: str) -> float:
    """Tell how many bytes a body may have."""
    if path.endswith(UPLOAD):
        return MOST_UPLOADED
    if path.rstrip("/").endswith((DRAWING, AGENTS)):
        return MOST_DRAWN
    return max(limits().body, 2**20) if FRAMES.search(path) else limits().body


def _disk() -> str:
    folder = gr.utils.get_upload_folder()
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder) or "/"
    return folder


@contextmanager
def _present(scope: Scope) -> Iterator[None]:
    """Count a connection as listening while its answer is sent, if it is one that carries news or a heartbeat."""
    name, path = "", scope["path"]
    if scope["method"] == "GET":
        if path.endswith(NEWS):
            query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
            name = query.get("session_hash", [""])[0]
        elif found := HEARTBEAT.search(path) or NEWS_OF_EVENT.search(path):
            name = found["name"]
    if not name:
        yield
        return
    beats = bool(HEARTBEAT.search(path))
    AUDIENCE.enters(name, beats=beats)
    try:
        yield
    finally:
        if AUDIENCE.leaves(name, beats=beats):
            asyncio.get_running_loop().run_in_executor(None, AUDIENCE.tell_left, name)


class _TooMuch(Exception):
    """A body is longer than it may be."""


# What a body is refused for -> what is answered; whoever reads bodies may make something else of it on the way.
REFUSALS = {_TooMuch: 413, TimeoutError: 408}


class _Body:
    """A body as it comes: counted, and not waited for without end."""

    def __init__(self, scope: Scope, receive: Receive):
        self._receive, self._path = receive, scope["path"]
        self._most, self._is_upload = _most(self._path), self._path.endswith(UPLOAD)
        self._size, self._whole, self._kept = 0, False, b""
        self.refused: int | None = None  # for what is wrong with it: a status of HTTP
        self._until = asyncio.get_running_loop().time() + BODY_SECONDS

    async def receive(self) -> Message:
        try:
            return await self._next()
        except tuple(REFUSALS) as error:
            self.refused = REFUSALS[type(error)]
            raise

    async def _next(self) -> Message:
        if self._whole:  # what is waited for now is the client's leaving
            return await self._receive()
        now = asyncio.get_running_loop().time()
        message = await asyncio.wait_for(self._receive(), BODY_SECONDS if self._is_upload else self._until - now)
        if message["type"] != "http.request":
            return message
        self._size += len(message.get("body", b""))
        if self._size > self._most:
            raise _TooMuch
        self._whole = not message.get("more_body", False)
        if self._path.endswith(CANCEL):
            self._kept += message.get("body", b"")
            if self._whole:
                _take_back(self._kept)
        return message


def _take_back(body: bytes) -> None:
    """Cancel a job for its client: gradio itself cannot end one that is in the middle of a step."""
    try:
        event = json.loads(body)["event_id"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return
    if isinstance(event, str):
        AUDIENCE.cancel(event[:100])


class _Answer:
    """An answer with the headers that keep a browser from doing more with it than to show it, and proxies from less."""

    def __init__(self, scope: Scope, send: Send, body: _Body):
        self._scope, self._send, self._body, self.begun = scope, send, body, False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            if self._body.refused:
                message["status"] = self._body.refused
            elif message["status"] == 500 and BESIDE_QUEUE.search(self._scope["path"]):
                message["status"] = 422  # as a handler refused it in words, which gradio calls a fault of the server's
            headers = MutableHeaders(raw=message["headers"])
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "same-origin")
            headers.setdefault("Content-Security-Policy", policy(self._scope["path"]))
            if headers.get("content-type", "").startswith(STREAMED) and "content-length" not in headers:
                headers["X-Accel-Buffering"] = "no"  # nginx and others pass each part on as it comes
                headers["Cache-Control"] = "no-store, no-transform"
            elif message["status"] == 200 and (kept := caching(self._scope)):
                headers["Cache-Control"] = kept  # or each visit asks for all of them
            message["headers"] = headers.raw
        await self._send(message)

    async def refuse(self, status: int, text: str) -> None:
        """Answer in a sentence, if nothing was answered yet."""
        if not self.begun:
            response = PlainTextResponse(text, status, headers={"Connection": "close"})
            await response(self._scope, _nothing, self.send)


def caching(scope: Scope) -> str:
    """Say how long a browser keeps what is answered at an address without asking again; "" if nothing is known."""
    path = scope["path"]
    if FILES in path:
        return "private, max-age=3600, immutable" if FOLDER_BY_HASH.search(path) else ""
    if PROGRAM.search(path) or "/static/fonts/" in path or path.endswith("/theme.css"):
        return FOR_A_DAY  # the first is changed here, the last by another version under the same name
    return FOR_GOOD if NAMED_BY_HASH.search(path) else ""


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def policy(path: str) -> str:
    """Say what a browser may do with what is answered at a path."""
    if FILES in path:
        return FILE_POLICY
    more = " ".join(re.findall(r"https?://[\w.*:-]+", os.environ.get("NST_FRAMES", "")))
    return PAGE_POLICY.format(ancestors=f"{ANCESTORS} {more}".strip())
