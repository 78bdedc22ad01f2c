"""The live picture's channel: what a browser that asks is sent."""

import asyncio
import io
import json
import threading
import time

import pytest
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from nst_core.ui.page.slow_animations import FIRST, CalmPages
from nst_core.ui.widgets import channel as module
from nst_core.ui.widgets.channel import MOST_FRAMES, PREFIX, ROUTE, Channel

client = TestClient(Starlette(routes=[ROUTE]))


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(module, "FRAME_SECONDS", 0.0)


def grey(value: float) -> torch.Tensor:
    return torch.full((1, 3, 16, 24), value)


def frames_in(body: bytes) -> list[tuple[int, dict[str, str], int | None]]:
    """(version, words, grey level of the picture, None without one) of each frame."""
    found = []
    while body:
        version, _, words, picture = PREFIX.unpack_from(body)
        start, end = PREFIX.size + words, PREFIX.size + words + picture
        level = grey_level(body[start:end]) if picture else None
        found.append((version, json.loads(body[PREFIX.size : start]), level))
        body = body[end:]
    return found


def grey_level(picture: bytes) -> int:
    image = Image.open(io.BytesIO(picture))
    assert image.size == (24, 16)
    return image.getpixel((3, 3))[0]


def ask(preview: Channel, seen: int, most: int = 1):
    return client.get(f"/preview/{preview.token}", params={"seen": seen, "most": most})


def test_a_browser_gets_the_newest_frame_once_and_none_in_between():
    preview = Channel()
    for value in (0.1, 0.2, 0.9):
        preview.put(grey(value), {"status": f"at {value}"})
    ((version, words, level),) = frames_in(ask(preview, 0).content)
    assert (version, words) == (3, {"status": "at 0.9"})
    assert level == pytest.approx(0.9 * 255, abs=2)
    assert ask(preview, 3).content == b""


def test_words_alone_are_sent_before_the_first_picture_and_between_two():
    preview = Channel()
    preview.put(None, {"status": "2 before you"})
    assert frames_in(ask(preview, 0).content) == [(1, {"status": "2 before you"}, None)]
    preview.put(grey(0.5), {"status": "step 1"})
    preview.put(None, {"status": "resting"})
    assert frames_in(ask(preview, 2).content) == [(3, {"status": "resting"}, None)]  # it has the picture


def test_who_has_not_seen_a_picture_gets_it_though_only_words_came_since():
    preview = Channel()
    preview.put(grey(0.5), {"status": "step 1"})
    preview.put(None, {"status": "resting"})
    for seen in (0, 1):
        ((version, words, level),) = frames_in(ask(preview, seen).content)
        assert (version, words) == (2, {"status": "resting"})
        assert level == (pytest.approx(127, abs=2) if seen == 0 else None)


def test_a_frame_tells_how_long_after_the_first_it_was_sent(monkeypatch):
    monkeypatch.setattr(module, "FRAME_SECONDS", 0.05)
    preview = Channel()

    async def watch() -> list[int]:
        ages = []
        preview.put(grey(0.0), {})
        async for frame in preview.frames(0, most=3):
            ages.append(PREFIX.unpack_from(frame)[1])
            preview.put(grey(0.5), {})
        return ages

    first, second, third = asyncio.run(watch())
    assert first < second < third


def test_one_answer_holds_the_frames_that_come_while_it_is_given():
    preview = Channel()

    async def watch() -> list[bytes]:
        sent = []
        preview.put(grey(0.0), {})
        async for frame in preview.frames(0, most=3):
            sent.append(frame)
            preview.put(grey(len(sent) / 4), {})
        return sent

    sent = asyncio.run(watch())
    assert [version for version, _, _ in frames_in(b"".join(sent))] == [1, 2, 3]


@pytest.mark.parametrize("at_once", [False, True])
def test_a_frame_that_is_waited_for_does_not_wait_for_its_turn(monkeypatch, at_once):
    monkeypatch.setattr(module, "FRAME_SECONDS", 0.5)
    preview = Channel()

    async def watch() -> float:
        preview.put(grey(0.0), {})
        moments = []
        async for _ in preview.frames(0, most=2):
            moments.append(time.monotonic())
            preview.put(grey(0.5), {}, at_once=at_once)
        return moments[1] - moments[0]

    assert (asyncio.run(watch()) < 0.4) == at_once


def test_no_browser_gets_more_frames_in_one_answer_than_is_good_for_others(monkeypatch):
    asked = []

    async def frames(self, seen, most):
        asked.append(most)
        yield b""

    monkeypatch.setattr(Channel, "frames", frames)
    ask(Channel(), 0, most=10**9)
    assert asked == [MOST_FRAMES]


def test_the_last_frame_is_sent_after_the_end_and_then_nothing():
    preview = Channel()
    preview.put(grey(0.5), {})
    preview.close()
    assert len(frames_in(ask(preview, 0, most=5).content)) == 1
    over = ask(preview, 1)
    assert (over.status_code, over.headers["run-state"]) == (204, "over")


def test_what_is_over_is_kept_for_a_browser_that_is_late_and_then_no_more(monkeypatch):
    monkeypatch.setattr(module, "KEEP_SECONDS", 0.0)
    others, preview = threading.enumerate(), Channel()
    preview.close()
    for timer in [thread for thread in threading.enumerate() if thread not in others]:
        timer.join(10)
    assert preview.token not in Channel.live


def test_an_answer_ends_in_time_though_nothing_is_painted():
    assert ask(Channel(), 0, most=5).content == b""


def test_a_guessed_token_shows_nothing():
    Channel().put(grey(0.5), {})
    unknown = client.get("/preview/guess?seen=0&most=1")
    assert (unknown.status_code, unknown.headers["run-state"]) == (404, "over")


@pytest.mark.parametrize("query", ["", "?seen=-1&most=1", "?seen=0&most=x", "?seen=0"])
def test_a_senseless_question_shows_nothing(query):
    preview = Channel()
    preview.put(grey(0.5), {})
    assert client.get(f"/preview/{preview.token}{query}").status_code == 404


def test_tokens_cannot_be_guessed():
    tokens = {Channel().token for _ in range(50)}
    assert len(tokens) == 50
    assert min(map(len, tokens)) >= 20


def test_pages_are_calmed_before_any_other_script_and_nothing_else_is_touched():
    page, data = "<html><head><script>first()</script></head></html>", {"html": "<head>"}
    app = Starlette(
        routes=[Route("/", lambda request: HTMLResponse(page)), Route("/data", lambda request: JSONResponse(data))],
        middleware=[Middleware(CalmPages)],
    )
    assert TestClient(app).get("/").text == page.replace("<head>", "<head>" + FIRST)
    assert TestClient(app).get("/data").json() == data
