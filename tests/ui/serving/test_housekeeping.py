"""Tests of what a server tidies up: old files, closed pages, connections that say nothing."""

import asyncio
import datetime
import os
import socket
import threading
import time
from types import SimpleNamespace

import gradio as gr
import pytest
import uvicorn
from gradio.state_holder import StateHolder

from nst_core.ui.serving import housekeeping as module
from nst_core.ui.serving.audience import Audience
from nst_core.ui.serving.housekeeping import close_mute, forget_closed_pages, kept_files, sweep


def test_old_files_go_whoever_left_them_and_young_ones_and_the_pages_own_stay(tmp_path):
    """The time of change counts: a photograph's own date may be years ago."""
    paths = {name: tmp_path / name / f"{name}.png" for name in ("mask", "example")}
    for path in paths.values():
        path.parent.mkdir()
        path.write_bytes(b"ink")
        os.utime(path, (0, 0))
    assert sweep(tmp_path, 3600) == 0
    later = time.time() + 3700
    assert sweep(tmp_path, 3600, keep=[paths["example"]], now=later) == 1
    assert not paths["mask"].parent.exists() and paths["example"].exists()
    assert sweep(tmp_path / "nowhere", 3600) == 0


def test_what_links_lead_to_is_not_followed(tmp_path):
    folder, outside = tmp_path / "uploads", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "mine.png").write_bytes(b"ink")
    (folder / "link").symlink_to(outside)
    sweep(folder, 3600, now=time.time() + 3700)
    assert (outside / "mine.png").exists() and not (folder / "link").exists()


def test_examples_are_the_pages_own():
    with gr.Blocks() as demo:
        picture = gr.Image()
    picture.keep_in_cache.add("/tmp/gradio/x/example.jpg")
    assert [str(path) for path in kept_files(SimpleNamespace(blocks=demo))] == ["/tmp/gradio/x/example.jpg"]


@pytest.fixture
def holder() -> StateHolder:
    with gr.Blocks() as demo:
        gr.Textbox("a word")
    made = StateHolder()
    made.set_blocks(demo)
    return made


def test_pages_that_nobody_has_open_are_forgotten_and_open_ones_are_not(holder, monkeypatch):
    audience = Audience()
    monkeypatch.setattr(module, "AUDIENCE", audience)
    for name in ("open", "closed", "fresh"):
        assert holder[name]
    audience.enters("open")
    old = datetime.datetime.now() - datetime.timedelta(seconds=module.CLOSED_SECONDS + 1)
    holder.time_last_used |= {"open": old, "closed": old}
    assert forget_closed_pages(holder) == 1
    assert set(holder.session_data) == set(holder.time_last_used) == {"open", "fresh"}


def test_a_page_that_may_have_lost_its_connection_is_kept_for_a_while(holder, monkeypatch):
    audience = Audience()
    monkeypatch.setattr(module, "AUDIENCE", audience)
    assert holder["page"]
    audience.enters("page", beats=True)
    audience.leaves("page", beats=True)
    holder.time_last_used["page"] = datetime.datetime.now() - datetime.timedelta(seconds=3600)
    assert forget_closed_pages(holder) == 0
    audience._last_heard["page"] -= module.GAP_SECONDS
    assert forget_closed_pages(holder) == 1


def test_a_connection_that_says_nothing_is_closed_and_one_that_waits_for_its_answer_is_not():
    closed = []

    def connection(name, cycle):
        return SimpleNamespace(cycle=cycle, transport=SimpleNamespace(close=lambda: closed.append(name)))

    busy, done = SimpleNamespace(response_complete=False), SimpleNamespace(response_complete=True)
    connections = [connection("mute", None), connection("busy", busy), connection("idle", done)]
    hashable = [SimpleHash(one) for one in connections]
    mute = close_mute(hashable, {}, now=0)
    assert len(mute) == 2 and closed == []
    assert close_mute(hashable, mute, now=module.MUTE_SECONDS + 1) == {} and closed == ["mute", "idle"]


class SimpleHash:
    """A connection that can be a key, as a server's can."""

    def __init__(self, inner):
        self.cycle, self.transport = inner.cycle, inner.transport


def test_half_a_request_is_hung_up_on_by_a_real_server():
    async def app(scope, receive, send):
        pass

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(b"GET / HTT")
        half.settimeout(10)
        while not server.server_state.connections:
            time.sleep(0.01)
        mute = close_mute(server.server_state.connections, {}, now=0)
        assert len(mute) == 1
        loop = next(iter(mute)).loop
        closing = asyncio.run_coroutine_threadsafe(later(server, mute), loop)
        assert closing.result(10) == {} and half.recv(10) == b""
    server.should_exit = True
    thread.join(10)


async def later(server, mute):
    return close_mute(server.server_state.connections, mute, now=module.MUTE_SECONDS + 1)
