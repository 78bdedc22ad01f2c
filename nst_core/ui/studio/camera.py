"""Paints the camera live: the browser posts a frame, the answer is that frame painted.

A browser has at most LANES frames on their way and always sends the newest that its camera has: what comes faster than
it is painted is dropped there, so what is shown is never older than those. Frames pass by gradio's queue and its cache
of files; nothing is kept of them.
"""

import asyncio
import base64
import binascii
import io
import secrets
import time
from collections.abc import Callable
from typing import ClassVar, Protocol, runtime_checkable
from weakref import WeakValueDictionary

import gradio as gr
import torch
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from torch import Tensor

from nst_core import images
from nst_core.engine.devices import DEVICES
from nst_core.errors import ImageError, NSTError
from nst_core.instant.easel import Turn
from nst_core.instant.nearby import PATIENCE, Asked
from nst_core.instant.pieces import as_image

LANES = 2  # frames on their way at a time: one is painted while another is captured, sent or shown
MAX_BYTES = 2**20  # of a frame as it comes; a camera's are a tenth of it
MAX_SIDE = 720  # pixels; of a frame
MOST_AT_ONCE = 8  # frames of all cameras, painted or waiting for it: a painting beside them has its turn after them
QUALITY = 85  # of the JPEG that goes back
NO_STYLE = "Choose a style: nothing is painted without one."

Paint = Callable[[Tensor], Tensor]  # image (1, 3, H, W) in [0, 1] -> the same


class Overtaken(Exception):
    """A newer frame of the same camera is painted, or was."""


@runtime_checkable
class ByWorker(Protocol):
    """Paints images here, and asks a worker near by for them."""

    def asked(self, image: Tensor, turn: Turn) -> Asked | None:
        """Ask for a frame; None: paint it here."""


class Live:
    """Paints one page's camera. The page sends its frames under a secret token, which nobody can guess.

    Lives as long as somebody holds it, which the page's session should; after `close` it paints no more.
    """

    open: ClassVar[WeakValueDictionary[str, "Live"]] = WeakValueDictionary()  # by token

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(16)
        self.frames = 0  # painted so far
        self.seconds = 0.0  # that painting the last of them took
        self.in_flight = 0  # frames that came and are not answered
        self.came = self.newest = 0  # numbers of the frame that came last, and of the last that was begun
        self._chosen: tuple[int, Paint | None] = (0, None)  # in one, as another thread reads them
        Live.open[self.token] = self

    @property
    def paint(self) -> Paint | None:
        """The function that paints from the next frame on, on DEVICES; None while no style is chosen."""
        return self._chosen[1]

    @paint.setter
    def paint(self, paint: Paint | None) -> None:
        self._chosen = (self.version + 1, paint)

    @property
    def version(self) -> int:
        """Count how often `paint` was set; the page is told with each frame."""
        return self._chosen[0]

    def close(self) -> None:
        """Forget `paint`; frames that still come are refused."""
        Live.open.pop(self.token, None)
        self.paint = None

    def painted(self, image: Tensor) -> tuple[int, Tensor | None]:
        """Paint image (1, 3, H, W); return the version of `paint`, and the result on the CPU, None without `paint`."""
        version, paint = self._chosen
        if paint is None:
            return version, None
        began = time.perf_counter()
        with torch.no_grad():
            image = paint(image).cpu()
        self.frames, self.seconds = self.frames + 1, time.perf_counter() - began
        return version, image


async def answer(request: Request) -> Response:
    """Answer a posted frame with that frame painted.

    Path: the token. Body: a JPEG or any other picture.

    Returns:
        200 and a JPEG of the same size, with `Live.version` as header "style-version"; 204 if a newer frame of the page
        is painted, or was; else a text for the page and 400 if the body is no picture, 404 if there is no such token,
        409 if nothing paints, 413 if the frame is too large, 422 with the words of what paints, 429 if LANES others are
        on their way, 503 if MOST_AT_ONCE are in all.
    """
    live = Live.open.get(request.path_params["token"])
    if live is None:
        return PlainTextResponse("The server does not know this page any more: reload it.", 404)
    if live.paint is None:
        return _nothing_paints()
    if live.in_flight >= LANES:
        return PlainTextResponse("Too many frames at a time.", 429)
    if sum(one.in_flight for one in list(Live.open.values())) >= MOST_AT_ONCE:
        return PlainTextResponse("Many cameras are painted now; yours goes on as soon as there is room.", 503)
    live.in_flight += 1
    live.came += 1
    number = live.came
    try:
        body = await _body(request)
        return _too_large() if body is None else await _painted(live, number, body)
    except ClientDisconnect:
        return Response(status_code=400)  # which nobody reads
    finally:
        live.in_flight -= 1


def _nothing_paints() -> Response:
    return PlainTextResponse(NO_STYLE, 409)


def _too_large() -> Response:
    return PlainTextResponse(f"A frame may have {MAX_BYTES:,} bytes and sides of {MAX_SIDE} pixels.", 413)


async def _body(request: Request) -> bytes | None:
    """Read what was posted; None if it is more than MAX_BYTES."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            return None
    return bytes(body)


async def _painted(live: Live, number: int, body: bytes) -> Response:
    try:
        image = await asyncio.to_thread(images.load, io.BytesIO(body))  # 1 to 5 ms, as is encoding
    except ImageError as error:
        return PlainTextResponse(str(error), 400)
    if max(images.size_of(image)) > MAX_SIDE:
        return _too_large()
    if number < live.newest:
        return _overtaken()
    live.newest = number
    try:
        version, painted = await _by_worker(live, number, image)
        if painted is None:
            version, painted = await asyncio.wrap_future(DEVICES.submit(live.painted, image))
    except Overtaken:
        return _overtaken()
    except NSTError as error:
        return PlainTextResponse(str(error), 422)
    if painted is None:  # since it came
        return _nothing_paints()
    picture = await asyncio.to_thread(images.encode_jpeg, painted, quality=QUALITY)
    headers = {"Cache-Control": "no-store", "Style-Version": str(version)}
    return Response(picture, media_type="image/jpeg", headers=headers)


async def _by_worker(live: Live, number: int, image: Tensor) -> tuple[int, Tensor | None]:
    """Have a worker near by paint a frame: the version of `paint`, and the result; None: it is to be painted here.

    Raises:
        Overtaken: it paints a newer one, or did.
    """
    version, paint = live.version, live.paint
    asked = paint.asked(image, Turn(live.token, number)) if isinstance(paint, ByWorker) else None
    if asked is None:
        return version, None
    began = time.perf_counter()
    try:
        answer = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(asked.answer)), PATIENCE)
    except TimeoutError:
        asked.of.is_late(asked.answer)
        return version, None
    if answer and answer.overtaken:
        raise Overtaken
    if not answer or answer.image is None:
        return version, None
    live.frames, live.seconds = live.frames + 1, time.perf_counter() - began
    return version, as_image(answer.image)


def _overtaken() -> Response:
    return Response(status_code=204)


ROUTE = Route("/live/{token}", answer, methods=["POST"])  # beside gradio's own


def taken(event: gr.EventData) -> Tensor:
    """Read the frame that `live_area`'s event "take" brings: unpainted, and as others see who stands before the camera.

    Raises:
        ImageError: it brings none.
    """
    try:
        picture = base64.b64decode(str(event._data["picture"]).partition(",")[2])
        mirrored = event._data["mirrored"] is True
    except (TypeError, KeyError, binascii.Error):
        raise ImageError("no picture came from the camera; take another") from None
    image = images.load(io.BytesIO(picture))
    return image.flip(3) if mirrored else image
