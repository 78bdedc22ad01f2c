"""The camera's channel: what a browser that posts a frame is answered."""

import asyncio
import base64
import gc
import io
import threading
import weakref
from concurrent.futures import Future

import gradio as gr
import httpx
import numpy as np
import pytest
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from nst_core import images
from nst_core.errors import ConfigError, ImageError
from nst_core.instant.easel import Answer, Turn
from nst_core.instant.nearby import Asked
from nst_core.ui.instant.camera_view import SIZES, TEMPLATE
from nst_core.ui.studio import camera as module
from nst_core.ui.studio.camera import LANES, MAX_BYTES, MAX_SIDE, ROUTE, Live, taken

APP = Starlette(routes=[ROUTE])
client = TestClient(APP)


def frame(value: float = 0.25, width: int = 32, height: int = 24, kind: str = "JPEG") -> bytes:
    """A grey frame as a file's bytes."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (round(255 * value),) * 3).save(buffer, kind)
    return buffer.getvalue()


def post(live: Live, body: bytes = frame()) -> httpx.Response:
    return client.post(f"/live/{live.token}", content=body)


def level(answer: httpx.Response) -> float:
    """The grey of a painted frame."""
    with Image.open(io.BytesIO(answer.content)) as picture:
        return picture.getpixel((3, 3))[0] / 255


def painting(paint=lambda image: 1 - image) -> Live:
    """A page whose style is chosen: the negative, unless said otherwise."""
    live = Live()
    live.paint = paint
    return live


@pytest.mark.parametrize("size", [(32, 24), (24, 32), (33, 17), tuple(map(int, SIZES[0].split("×")))])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
def test_a_frame_comes_back_painted_and_as_large_as_it_was(size, kind):
    live = painting()
    answer = post(live, frame(0.25, *size, kind))
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", size)
    assert level(answer) == pytest.approx(0.75, abs=0.02)


def test_each_request_paints_one_frame():
    live = painting()
    for count in range(1, 4):
        post(live)
        assert live.frames == count
    assert live.seconds > 0


def test_what_paints_may_change_between_two_frames_and_the_page_is_told():
    live = painting()
    first = post(live)
    live.paint = lambda image: image
    second = post(live)
    assert [level(first), level(second)] == pytest.approx([0.75, 0.25], abs=0.02)
    assert [int(answer.headers["style-version"]) for answer in (first, second)] == [live.version - 1, live.version]


def test_a_style_that_is_chosen_while_a_frame_waits_paints_it():
    live = painting()
    gate, came = threading.Event(), threading.Event()
    module.DEVICES.submit(gate.wait)
    load = images.load

    def watched(source):
        came.set()
        return load(source)

    answers = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "load", watched)
        posting = threading.Thread(target=lambda: answers.append(post(live)))
        posting.start()
        came.wait(5)
        live.paint = lambda image: image
        gate.set()
        posting.join(5)
    assert level(answers[0]) == pytest.approx(0.25, abs=0.02)


def test_frames_are_painted_on_the_thread_of_the_device_without_gradients():
    weight, seen = torch.ones(1, requires_grad=True), []

    def paint(image):
        painted = image * weight
        seen.append((threading.current_thread().name, painted.requires_grad))
        return painted

    post(painting(paint))
    [(thread, gradients)] = seen
    assert thread.startswith("device") and not gradients


class Asking:
    """Paint that asks a worker, which answers that."""

    def __init__(self, answer: Answer | None):
        self.turns, self.late, self.answer = [], [], Future()
        if answer is not LATE:
            self.answer.set_result(answer)

    def asked(self, image, turn):
        self.turns.append(turn)
        return Asked(self.answer, self)

    def is_late(self, answer):
        self.late.append(answer)

    def __call__(self, image):
        return 1 - image


LATE = object()


def test_what_a_worker_near_by_paints_is_answered():
    paint = Asking(Answer(np.full((24, 32, 3), 204, np.uint8)))
    live = painting(paint)
    assert [level(post(live)) for _ in range(2)] == pytest.approx([0.8, 0.8], abs=0.02) and live.frames == 2
    assert paint.turns == [Turn(live.token, 1), Turn(live.token, 2)] and not paint.late


@pytest.mark.parametrize("answer", [None, LATE, "no worker"])
def test_where_no_worker_answers_in_time_the_frame_is_painted_here(answer, monkeypatch):
    paint = Asking(None if answer == "no worker" else answer)
    if answer is LATE:
        monkeypatch.setattr(module, "PATIENCE", 0.0)
    if answer == "no worker":
        paint.asked = lambda image, turn: None
    assert level(post(painting(paint))) == pytest.approx(0.75, abs=0.02)
    assert paint.late == [paint.answer] * (answer is LATE)


def test_a_frame_is_not_painted_once_a_newer_one_is():
    live = painting(Asking(Answer(overtaken=True)))
    assert (post(live).status_code, post(live).content, live.frames) == (204, b"", 0)
    live = painting()
    live.newest = 7  # as if it had come before six others, and was longer read
    assert post(live).status_code == 204 and live.frames == 0
    live.came = 7
    assert post(live).status_code == 200 and live.newest == 8


def test_what_a_worker_refuses_is_told():
    paint = Asking(LATE)
    paint.answer.set_exception(ConfigError("no such style"))
    answer = post(painting(paint))
    assert (answer.status_code, answer.text) == (422, "no such style")


def test_pages_are_painted_by_their_own_styles():
    one, other = painting(), painting(lambda image: image)
    assert [level(post(live)) for live in (one, other, one)] == pytest.approx([0.75, 0.25, 0.75], abs=0.02)
    assert (one.frames, other.frames) == (2, 1)


def test_nothing_is_painted_before_a_style_is_chosen():
    answer = post(Live())
    assert answer.status_code == 409 and answer.text.startswith("Choose a style")


def test_a_style_that_was_dropped_while_a_frame_waited_paints_it_not(monkeypatch):
    live = painting()
    load = images.load

    def dropping(source):
        live.paint = None
        return load(source)

    monkeypatch.setattr(images, "load", dropping)
    assert post(live).status_code == 409 and live.frames == 0


def test_what_the_style_says_is_told():
    def paint(image):
        raise ConfigError("strength is 7; give a number from 0 to 1")

    live = painting(paint)
    answer = post(live)
    assert (answer.status_code, answer.text) == (422, "strength is 7; give a number from 0 to 1")
    assert (live.frames, live.in_flight) == (0, 0)


def test_a_style_that_breaks_leaves_the_page_usable():
    def paint(image):
        raise ZeroDivisionError

    live = painting(paint)
    careless = TestClient(APP, raise_server_exceptions=False)
    for _ in range(LANES + 1):
        assert careless.post(f"/live/{live.token}", content=frame()).status_code == 500
    live.paint = lambda image: image
    assert post(live).status_code == 200


@pytest.mark.parametrize("body", [b"", b"no picture", frame()[:60], frame(0.5, 4, 4)])
def test_what_is_no_picture_is_refused_in_words(body):
    answer = post(painting(), body)
    assert answer.status_code == 400 and answer.headers["content-type"].startswith("text/plain")
    assert answer.text


@pytest.mark.parametrize("body", [bytes(MAX_BYTES + 1), frame(0.5, MAX_SIDE + 1, 32)], ids=["bytes", "sides"])
def test_what_is_too_large_is_refused_unpainted(body):
    live = painting()
    answer = post(live, body)
    assert answer.status_code == 413 and f"{MAX_SIDE} pixels" in answer.text
    assert (live.frames, live.in_flight) == (0, 0)


def test_a_large_body_is_not_read_to_its_end():
    live, read = painting(), []

    async def endless():
        for _ in range(1000):
            read.append(1)
            yield bytes(MAX_BYTES // 4)

    async def send():
        messages = endless()

        async def receive():
            return {"type": "http.request", "body": await anext(messages), "more_body": True}

        sent = []

        async def keep(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": f"/live/{live.token}", "headers": [], "query_string": b""}
        await APP(scope, receive, keep)
        return sent[0]["status"]

    assert asyncio.run(send()) == 413
    assert len(read) <= 5


def test_a_page_cannot_have_more_frames_on_their_way_than_it_should():
    gate = threading.Event()

    def paint(image):
        gate.wait(5)
        return image

    live, other = painting(paint), painting()

    async def send():
        transport = httpx.ASGITransport(APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as browser:
            frames = []
            for number in range(1, LANES + 1):  # each opened before the next comes, which would overtake it
                frames.append(asyncio.create_task(browser.post(f"/live/{live.token}", content=frame())))
                while live.newest < number:
                    assert not [one.result().text for one in frames if one.done()]
                    await asyncio.sleep(0.01)
            assert live.in_flight == LANES
            refused = await browser.post(f"/live/{live.token}", content=frame())
            waiting = asyncio.create_task(browser.post(f"/live/{other.token}", content=frame()))
            gate.set()
            return refused, [answer.status_code for answer in await asyncio.gather(*frames, waiting)]

    refused, painted = asyncio.run(send())
    assert refused.status_code == 429
    assert painted == [200] * (LANES + 1)
    assert live.in_flight == other.in_flight == 0


def test_a_guessed_token_paints_nothing():
    live = painting()
    assert client.post("/live/guess", content=frame()).status_code == 404
    assert client.get(f"/live/{live.token}").status_code == 405
    assert live.frames == 0


def test_tokens_cannot_be_guessed():
    pages = [Live() for _ in range(50)]
    assert len({live.token for live in pages}) == 50
    assert min(len(live.token) for live in pages) >= 20


def test_after_the_end_nothing_is_painted_or_kept():
    class Style:
        def __call__(self, image):
            return image

    style = Style()
    gone, live = weakref.ref(style), painting(style)
    assert post(live).status_code == 200
    live.close()
    live.close()
    del style
    gc.collect()
    assert gone() is None
    assert post(live).status_code == 404


def test_a_page_that_nobody_holds_is_forgotten():
    live = painting()
    token = live.token
    del live
    gc.collect()
    assert token not in Live.open


def test_a_frame_that_is_taken_is_a_picture():
    uri = "data:image/jpeg;base64," + base64.b64encode(frame(0.5)).decode()
    image = taken(gr.EventData(None, {"picture": uri, "mirrored": False}))
    assert image.shape == (1, 3, 24, 32)
    assert image.mean().item() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    "data", [None, {}, {"picture": None}, {"picture": "data:,x"}, {"picture": "data:;base64,AA=="}]
)
def test_a_taken_frame_that_is_none_is_refused_in_words(data):
    with pytest.raises(ImageError):
        taken(gr.EventData(None, data and {"mirrored": True, **data}))


def test_every_size_can_be_chosen_and_is_not_too_large():
    for size in SIZES:
        assert f"<option>{size}</option>" in TEMPLATE
        assert max(map(int, size.split("×"))) <= MAX_SIDE


def test_cameras_beyond_what_is_painted_at_once_wait_in_words(monkeypatch):
    monkeypatch.setattr(module, "MOST_AT_ONCE", 2)
    pages = [painting() for _ in range(3)]
    pages[0].in_flight, pages[1].in_flight = 1, 1
    answer = post(pages[2])
    assert answer.status_code == 503 and "as soon as there is room" in answer.text
    pages[0].in_flight = 0
    assert post(pages[2]).status_code == 200
