"""Tests of what stands before every request: names, sizes, patience, headers, and who is noted as listening."""

import asyncio
import json
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio.route_utils import FnIndexInferError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

from nst_core.ui.serving import guard as module
from nst_core.ui.serving.audience import Audience
from nst_core.ui.serving.guard import Guard, is_known

HOME = "http://127.0.0.1:7860"


async def echo(request: Request) -> JSONResponse:
    return JSONResponse({"bytes": len(await request.body())})


async def lookup(request: Request) -> JSONResponse:
    return JSONResponse({}[(await request.json())["fn_index"]])


async def careless(request: Request) -> JSONResponse:
    """As gradio's own routes read: whatever goes wrong with a body is the body's fault."""
    try:
        return JSONResponse({"bytes": len(await request.body())})
    except Exception:
        return JSONResponse({"detail": "no JSON"}, 400)


async def unknown(request: Request) -> JSONResponse:
    raise FnIndexInferError("no such function")


async def refusing(request: Request) -> JSONResponse:
    return JSONResponse({"error": "choose a picture first"}, 500)


async def page(request: Request) -> HTMLResponse:
    return HTMLResponse("<head></head>")


async def broken(request: Request) -> PlainTextResponse:
    raise KeyError("of the program")


async def stream(request: Request) -> StreamingResponse:
    async def parts():
        yield b"one"

    length = {"content-length": "3"} if "length" in request.query_params else {}
    return StreamingResponse(parts(), media_type=request.query_params["type"], headers=length)


async def news(request: Request) -> StreamingResponse:
    async def lines():
        yield "one"
        await request.app.state.gate.wait()

    return StreamingResponse(lines())


ROUTES = [
    Route("/", page),
    Route("/broken", broken),
    Route("/stream", stream),
    Route("/gradio_api/queue/join", lookup, methods=["POST"]),
    Route("/gradio_api/upload", echo, methods=["POST"]),
    Route("/gradio_api/cancel", echo, methods=["POST"]),
    Route("/gradio_api/run/predict", echo, methods=["POST"]),
    Route("/gradio_api/run/careless", careless, methods=["POST"]),
    Route("/gradio_api/run/refusing", refusing, methods=["POST"]),
    Route("/gradio_api/call/unknown", unknown, methods=["POST"]),
    Route("/gradio_api/queue/data", news),
    Route("/gradio_api/heartbeat/{name}", news),
    Route("/gradio_api/call/{api}/{name}", news),
    Route("/gradio_api/file={path:path}", page),
    Route("/assets/index-DphvyggB.js", page),
    Route("/assets/core-DphvyggB.js", page),
    Route("/assets/index-old.js", page),
    Route("/theme.css", page),
    Route("/static/fonts/Sans.woff2", page),
]


@pytest.fixture
def audience(monkeypatch) -> Audience:
    made = Audience()
    monkeypatch.setattr(module, "AUDIENCE", made)
    return made


@pytest.fixture
def app(audience) -> Starlette:
    return Starlette(routes=ROUTES, middleware=[Middleware(Guard)])


@pytest.fixture
def ask(app):
    """A function that makes one request."""

    def one(method: str = "GET", path: str = "/", **given) -> httpx.Response:
        async def answer():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOME) as client:
                return await client.request(method, path, **given)

        return asyncio.run(answer())

    return one


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost:7860", True),
        ("127.0.0.1:7860", True),
        ("[::1]:7860", True),
        ("192.168.1.7", True),
        ("LOCALHOST", True),
        ("lab.localhost", True),
        ("evil.example", False),
        ("evil.example:7860", False),
        ("", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("local host", False),
    ],
)
def test_a_strangers_name_that_leads_here_is_not_this_servers(host, known, ask, monkeypatch):
    for variable in ("SPACE_HOST", "NST_HOSTS", "GRADIO_SERVER_NAME"):
        monkeypatch.delenv(variable, raising=False)
    assert is_known(host) is known
    answer = ask(headers={"host": host})
    assert answer.status_code == (200 if known else 421)
    assert known or "NST_HOSTS" in answer.text


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("NST_HOSTS", "lab.example.org, other.example"),
        ("NST_HOSTS", "*"),
        ("SPACE_HOST", "lab.example.org"),
        ("GRADIO_SERVER_NAME", "lab.example.org"),
    ],
)
def test_names_that_were_given_to_it_are_its_own(variable, value, monkeypatch):
    assert not is_known("lab.example.org")
    monkeypatch.setenv(variable, value)
    assert is_known("lab.example.org:443")


def test_a_space_goes_by_the_names_of_spaces_and_no_other_server_does(monkeypatch):
    assert not is_known("somebody-lab.hf.space")
    monkeypatch.setenv("SPACE_ID", "somebody/lab")
    assert is_known("somebody-lab.hf.space") and not is_known("hf.space.evil.example")


def test_long_addresses_and_large_bodies_are_refused_early(ask, monkeypatch):
    assert ask(path=f"/?{'a' * 20_000}").status_code == 414
    large = b"x" * 1_000_001
    assert ask("POST", "/gradio_api/run/predict", content=large).status_code == 413
    assert ask("POST", "/gradio_api/run/predict", content=large[:-1]).json() == {"bytes": 1_000_000}

    async def parts():  # whose length is not told
        for _ in range(11):
            yield b"x" * 100_000

    assert ask("POST", "/gradio_api/run/predict", content=parts()).status_code == 413
    assert ask("POST", "/gradio_api/upload", content=large).json() == {"bytes": len(large)}
    monkeypatch.setattr(module, "MOST_UPLOADED", 1000)
    assert ask("POST", "/gradio_api/upload", content=large).status_code == 413


def test_nothing_is_taken_in_where_the_disk_is_full(ask, monkeypatch):
    monkeypatch.setattr(module, "DISK_RESERVE", 10**18)
    answer = ask("POST", "/gradio_api/upload", content=b"x")
    assert answer.status_code == 507 and "full" in answer.text


def test_a_body_that_does_not_come_is_not_waited_for(ask, monkeypatch):
    monkeypatch.setattr(module, "BODY_SECONDS", 0.1)

    async def slow():
        yield b"{"
        await asyncio.sleep(5)
        yield b"}"

    for reader in ("predict", "careless"):
        assert ask("POST", f"/gradio_api/run/{reader}", content=slow()).status_code == 408


def test_what_no_page_asks_for_is_refused_without_a_traceback_and_faults_are_not_hidden(ask, caplog):
    answer = ask("POST", "/gradio_api/queue/join", json={"fn_index": 99})
    assert answer.status_code == 400 and "reload" in answer.text
    assert ask("POST", "/gradio_api/queue/join", content=b"no JSON").status_code == 400
    assert ask("POST", "/gradio_api/queue/join", json=[1]).status_code == 400
    assert ask("POST", "/gradio_api/call/unknown", json={}).status_code == 400
    assert ask("POST", "/gradio_api/run/refusing", json={}).status_code == 422
    assert "Traceback" not in caplog.text and "KeyError" in caplog.text
    with pytest.raises(KeyError):
        ask(path="/broken")


def test_every_answer_keeps_the_browser_from_doing_more_than_showing_it(ask, monkeypatch):
    monkeypatch.setenv("NST_FRAMES", "https://school.example; script-src *")
    headers = ask().headers
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "object-src 'none'" in policy
    ancestors = policy.split("frame-ancestors ")[1]
    assert ancestors == "'self' https://huggingface.co https://*.hf.space https://school.example"
    assert "sandbox" in ask(path="/gradio_api/file=/tmp/gradio/x/page.html").headers["content-security-policy"]
    assert ask(headers={"host": "evil.example"}).status_code == 421


def test_proxies_pass_on_what_is_read_while_it_is_written_and_keep_the_rest_as_they_do(ask):
    for kind in ("text/event-stream", "application/octet-stream"):
        headers = ask(path=f"/stream?type={kind}").headers
        assert (headers["x-accel-buffering"], headers["cache-control"]) == ("no", "no-store, no-transform")
    for whole in ("/stream?type=text/javascript", "/stream?type=application/octet-stream&length", "/"):
        assert not {"x-accel-buffering", "cache-control"} & ask(path=whole).headers.keys()


def test_a_browser_keeps_what_is_named_by_its_hash_and_asks_for_all_else(ask):
    assert ask(path="/assets/index-DphvyggB.js").headers["cache-control"] == "public, max-age=31536000, immutable"
    picture, font = f"/gradio_api/file=/x/{'0a' * 32}/a.jpg", "/static/fonts/Sans.woff2"
    assert ask(path=picture).headers["cache-control"] == "private, max-age=3600, immutable"
    for changing in (font, "/theme.css?v=3b98", "/assets/core-DphvyggB.js"):
        assert ask(path=changing).headers["cache-control"] == "public, max-age=86400"
    for other in (
        "/gradio_api/file=/x/theme.css?v=3b98",
        f"/gradio_api/file=/x/{'0a' * 16}/a.jpg",
        f"/gradio_api/file={font}",
        "/",
        "/assets/index-old.js",
        "/assets/none-DphvyggB.js",
        "/gradio_api/file=/x/assets/a-12345678.js",
    ):
        assert "cache-control" not in ask(path=other).headers, other


def test_gradio_s_page_asks_for_nothing_of_another_name():
    files = [path.name for path in (Path(gr.__file__).parent / "templates" / "frontend" / "assets").iterdir()]
    assert len(files) > 100 and not [name for name in files if not module.NAMED_BY_HASH.search(f"/assets/{name}")]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/gradio_api/queue/data?session_hash=page", "page"),
        ("/gradio_api/heartbeat/page", "page"),
        ("/gradio_api/call/stylize/job", "job"),
    ],
)
def test_who_hears_of_jobs_is_noted_as_long_as_the_connection_is_open(app, audience, path, name):
    async def run():
        app.state.gate = asyncio.Event()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOME) as client:
            listening = asyncio.create_task(client.get(path))
            while not audience.listens(name):
                await asyncio.sleep(0.005)
            app.state.gate.set()
            await listening
        return audience.listens(name)

    assert asyncio.run(run()) is False


@pytest.mark.parametrize("path", ["/gradio_api/heartbeat/page", "/gradio_api/queue/data?session_hash=page"])
def test_a_page_is_left_when_its_last_heartbeat_ends(app, audience, path):
    left = []
    audience.when_left(lambda leaving: left.append(leaving.session_hash))

    async def run():
        app.state.gate = asyncio.Event()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOME) as client:
            others = (
                asyncio.create_task(client.get("/gradio_api/heartbeat/page")),
                asyncio.create_task(client.get(path)),
            )
            await asyncio.sleep(0.05)
            assert left == [] and audience.listens("page")
            app.state.gate.set()
            await asyncio.gather(*others)
        await asyncio.sleep(0.05)

    asyncio.run(run())
    assert left == ["page"]


def test_a_cancelled_job_is_noted(ask, audience):
    body = json.dumps({"session_hash": "s", "fn_index": 1, "event_id": "job"})
    assert ask("POST", "/gradio_api/cancel", content=body).json() == {"bytes": len(body)}
    assert audience.is_cancelled("job")
    for odd in (b"", b"[]", b'{"event_id": 3}', b"[" * 90_000):
        assert ask("POST", "/gradio_api/cancel", content=odd).status_code == 200
