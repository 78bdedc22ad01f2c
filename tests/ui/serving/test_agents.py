"""Tests of tools for agents, driven by a client of the Model Context Protocol over HTTP."""

import asyncio
import base64
import io
import os
import re
import socket
from pathlib import Path

import gradio as gr
import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image

from nst_core import images
from nst_core.engine.lane import Lane
from nst_core.errors import ConfigError, ImageError
from nst_core.ui.instant.endpoint import styles_in_words
from nst_core.ui.page.downloads import new_file
from nst_core.ui.serving import agents, fetched
from nst_core.ui.serving.fetched import fetch_picture
from nst_core.ui.serving.page import Page
from nst_core.ui.serving.server import launch_options
from nst_core.ui.serving.turns import endpoint
from nst_core.ui.stylize.endpoint import presets_in_words
from nst_core.ui.widgets.pictures import PictureInput

LANE = Lane()


def enlarge(content: Path, size: float = 1500, ground: Path | None = None, *, steering=None) -> str:
    """Make a picture larger.

    Args:
        content: the picture.
        size: pixels of the longer side.
        ground: a picture that is shown in its place.
    """
    content = ground or content
    if size > 2000:
        raise ConfigError(f"size is {size:g}; give 2000 at most")
    path = new_file("large.png")
    images.save_png(images.fit(images.load(content), int(size)), path)
    return str(path)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """The address of a page with tools."""
    before = os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = str(tmp_path_factory.mktemp("uploads"))
    with Page(analytics_enabled=False) as demo:
        inputs = [
            PictureInput(visible=False, label="content"),
            gr.Number(1500, visible=False, label="size"),
            PictureInput(visible=False, label="ground"),
        ]
        handler = agents.no_tool(endpoint(LANE, enlarge))
        gr.Button(visible=False).click(handler, inputs, gr.Image(visible=False), api_name="enlarge")
        agents.add_picture_tool("enlarge", LANE, enlarge, inputs)
        agents.add_words_tool("presets", presets_in_words)
        agents.add_words_tool("styles", styles_in_words)
    _, url, _ = demo.launch(**launch_options(), prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield url.rstrip("/")
    demo.close()
    os.environ.pop("GRADIO_TEMP_DIR")
    if before:
        os.environ["GRADIO_TEMP_DIR"] = before


@pytest.fixture(scope="module")
def ask(url):
    """A function that has something asked of the server, as an agent's program asks."""

    def ask(question):
        async def asked():
            async with (
                streamable_http_client(f"{url}{agents.PATH}/") as (read, write, _),
                ClientSession(read, write) as session,
            ):
                await session.initialize()
                return await question(session)

        return asyncio.run(asyncio.wait_for(asked(), 60))

    return ask


def picture(width: int = 40) -> str:
    """A red picture, as data."""
    file = io.BytesIO()
    Image.new("RGB", (width, 30), "red").save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def call(ask, tool: str, **given):
    return ask(lambda session: session.call_tool(tool, given))


def test_tools_are_listed_with_words_on_every_argument_and_programs_endpoints_are_none(ask):
    tools = {tool.name: tool for tool in ask(lambda session: session.list_tools()).tools}
    assert set(tools) == {"enlarge", "presets", "styles"}
    assert tools["enlarge"].description == "Make a picture larger."
    schema = tools["enlarge"].inputSchema
    assert schema["required"] == ["content"] and schema["properties"]["size"]["type"] == "number"
    assert all(told["description"] for told in schema["properties"].values())
    assert agents.HOW_TO_NAME_IT in schema["properties"]["content"]["description"]


def test_an_answer_is_a_small_jpeg_and_the_address_of_the_whole_png(ask, url):
    answer = call(ask, "enlarge", content=picture())
    small, _, words = answer.content
    assert not answer.isError and small.mimeType == "image/jpeg"
    assert Image.open(io.BytesIO(base64.b64decode(small.data))).size == (1024, 768)
    address = re.search(r"http://\S+\.png", words.text)[0]
    whole = httpx.get(address)
    assert Image.open(io.BytesIO(whole.content)).size == (1500, 1125) and address.startswith(url)
    again = call(ask, "enlarge", content=address, size=60)  # what was answered can be asked for
    assert Image.open(io.BytesIO(base64.b64decode(again.content[0].data))).size == (60, 45)
    assert LANE.taken == 0


def test_a_picture_that_may_be_left_out_is_asked_for_as_the_others_are(ask):
    tools = {tool.name: tool for tool in ask(lambda session: session.list_tools()).tools}
    schema = tools["enlarge"].inputSchema
    assert schema["properties"]["ground"]["type"] == "string"
    assert agents.HOW_TO_NAME_IT in schema["properties"]["ground"]["description"]
    answer = call(ask, "enlarge", content=picture(), size=60, ground=picture(60))
    assert Image.open(io.BytesIO(base64.b64decode(answer.content[0].data))).size == (60, 30)
    assert (
        "give an http or https address" in call(ask, "enlarge", content=picture(), ground="/etc/passwd").content[0].text
    )


REFUSED = {
    "/etc/passwd": "give an http or https address",
    "ftp://example.org/a.png": "give an http or https address",
    "http://127.0.0.1:22/a.png": "cannot be fetched",
    "http://localhost/a.png": "cannot be fetched",
    "http://[::1]/a.png": "cannot be fetched",
    "http://": "cannot be fetched",
    "data:image/png": "without data",
    "data:image/png;base64,!": "is no base64",
    "data:,no picture": "cannot be read as a picture",
    "{url}/gradio_api/file=/etc/passwd": "no file of this server",
    "": "give an http or https address",
}


def test_what_cannot_be_taken_is_refused_in_a_sentence(ask, url):
    async def all_of_them(session):
        return [await session.call_tool("enlarge", {"content": text.format(url=url)}) for text in REFUSED]

    for answer, (text, words) in zip(ask(all_of_them), REFUSED.items(), strict=True):
        told = answer.content[0].text
        assert answer.isError and re.search(words, told) and "Traceback" not in told, (text, told)
    assert "give 2000 at most" in call(ask, "enlarge", content=picture(), size=5000).content[0].text


def test_styles_and_presets_are_told_by_tools_and_as_resources(ask):
    listed = ask(lambda session: session.list_resources()).resources
    assert {str(one.uri) for one in listed} == {"lab://presets", "lab://styles"}
    for name, words in (("presets", "* gatys: "), ("styles", "* starry_night: ")):
        told = call(ask, name).content[0].text
        assert words in told
        read = ask(lambda session, name=name: session.read_resource(f"lab://{name}"))
        assert read.contents[0].text == told


class Web:
    """A stand-in for the web: address -> (status, headers, body)."""

    def __init__(self, monkeypatch, **pages):
        self.pages = {f"http://{name.replace('_', '.')}/a b.png": page for name, page in pages.items()}

        async def validate(host):
            if host == "inner.org":
                raise ValueError("Hostname inner.org failed validation")
            return "192.0.2.1"

        def answer(request):
            status, headers, body = self.pages[str(request.url).replace("%20", " ")]
            return httpx.Response(status, headers=headers, content=body)

        monkeypatch.setattr(fetched.safehttpx, "async_validate_url", validate)
        monkeypatch.setattr(fetched.safehttpx, "AsyncSecureTransport", lambda ip: httpx.MockTransport(answer))


def fetch(host: str) -> bytes:
    return asyncio.run(fetch_picture(f"http://{host}/a b.png", "http://own")).read_bytes()


def test_a_picture_of_the_web_is_fetched_wherever_it_moved_but_into_no_inner_network(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(fetched, "MOST_BYTES", 1000)
    to = "http://{}/a b.png"
    Web(
        monkeypatch,
        plain_org=(200, {}, b"picture"),
        moved_org=(301, {"location": to.format("plain.org")}, b""),
        relative_org=(302, {"location": "/a b.png"}, b""),
        inwards_org=(302, {"location": to.format("inner.org")}, b""),
        file_org=(302, {"location": "file:///etc/passwd"}, b""),
        large_org=(200, {}, bytes(1001)),
        gone_org=(404, {}, b""),
    )
    assert fetch("plain.org") == fetch("moved.org") == b"picture"
    wrong = {
        "relative.org": "from one address to the next",
        "inwards.org": "failed validation",
        "file.org": "no http",
        "large.org": "more than",
        "gone.org": "answers 404",
        "inner.org": "failed validation",
    }
    for host, words in wrong.items():
        with pytest.raises(ImageError, match=words):
            fetch(host)


def test_a_host_that_is_not_there_is_said(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ImageError, match="cannot be fetched"):
        fetch("nowhere.invalid")
