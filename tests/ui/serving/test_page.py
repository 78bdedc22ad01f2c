"""Tests of the page's gate: files that are not the visitor's, inputs that no page sends, handlers that fail."""

import asyncio
import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio.state_holder import SessionState
from PIL import Image

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.engine.lane import Lane
from nst_core.errors import ConfigError, NSTError
from nst_core.ui.serving.page import NO_SENSE, NOT_YOURS, Page, check_own, paths_in
from nst_core.ui.serving.server import launch_options
from nst_core.ui.serving.turns import endpoint
from nst_core.ui.widgets.log_slider import LogSlider
from nst_core.ui.widgets.pictures import BrushInput, PictureInput

# One for all calls, as each would read the system's certificates; it keeps no connection that a server waits for.
WEB = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))


@pytest.fixture(scope="module")
def uploads(tmp_path_factory) -> Path:
    """The folder of uploads, with a picture in it."""
    folder = tmp_path_factory.mktemp("uploads")
    (folder / "a").mkdir()
    Image.new("RGB", (40, 30), "red").save(folder / "a" / "mine.png")
    before = os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    yield folder
    os.environ.pop("GRADIO_TEMP_DIR")
    if before:
        os.environ["GRADIO_TEMP_DIR"] = before


@pytest.fixture(scope="module")
def secret(tmp_path_factory) -> Path:
    """A picture of the computer's owner."""
    path = tmp_path_factory.mktemp("home") / "secret.png"
    Image.new("RGB", (40, 30), "blue").save(path)
    return path


def size_of(picture: Path) -> str:
    return str(images.size_of(images.load(picture)))


def size_of_all(files: list[str] | None) -> str:
    return " ".join(size_of(Path(path)) for path in files or ())


def size_of_drawing(drawn: dict) -> str:
    return str([layer.size for layer in drawn["layers"]])


def picked(event: gr.EventData) -> str:
    return str(int(event.number))


def failing(kind: str) -> str:
    if kind == "known":
        raise ConfigError("kind is 'known'; choose another")
    raise ZeroDivisionError("/home/somebody/secret.py")


@pytest.fixture(scope="module")
def url(uploads) -> str:
    """A small page, served as the large one is."""
    with Page(analytics_enabled=False) as demo:
        word, number = gr.Textbox(), gr.Number(maximum=9)
        several = gr.File(file_count="multiple")
        for made, inputs, name in (
            (size_of, PictureInput(), "size"),
            (size_of_all, several, "sizes"),
            (size_of_drawing, BrushInput(), "drawing"),
            (failing, gr.Textbox(), "failing"),
            (lambda number: str(number), number, "number"),
        ):
            gr.Button().click(made, inputs, word, api_name=name)

        gr.Button().click(picked, None, word, api_name="picked")

        def later(picture, *, steering=None):
            return size_of(picture)

        gr.Button().click(endpoint(Lane(), later), PictureInput(), word, api_name="later")
    demo.queue(api_open=False)
    _, address, _ = demo.launch(**launch_options(), prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield address
    demo.close()


def call(url: str, name: str, *data) -> tuple[str, object]:
    """How a call ended, "complete" or "error", and with what."""
    event = WEB.post(f"{url}gradio_api/call/{name}", json={"data": data}).json()["event_id"]
    text = WEB.get(f"{url}gradio_api/call/{name}/{event}", timeout=30).text
    kind, data = text.strip().split("\n\n")[-1].split("\n")
    return kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))


META = {"meta": {"_type": "gradio.FileData"}}
ENDPOINTS = ["size", "sizes", "drawing", "later"]


def given(name: str, path: object) -> object:
    """A file as an endpoint's input."""
    one = {"path": str(path)} | ({} if name in ("size", "later") else META)  # without it, gradio itself looks at less
    return {"sizes": [one], "drawing": {"background": None, "layers": [one], "composite": None}}.get(name, one)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_what_was_uploaded_is_read(url, uploads, name):
    kind, data = call(url, name, given(name, uploads / "a" / "mine.png"))
    assert kind == "complete" and data[0] in ("(30, 40)", "[(40, 30)]")


@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_file_of_somebody_else_is_refused_in_words_that_do_not_tell_whether_it_exists(url, uploads, secret, name):
    link = uploads / "a" / "link.png"
    if not link.is_symlink():
        link.symlink_to(secret)
    paths = [
        secret,
        secret.with_name("nothing.png"),
        f"{uploads}/a/../../{secret.parent.name}/secret.png",
        link,
        f"file://{secret}",
        "http://127.0.0.1:1/x.png",
        "/proc/self/environ",
        f"{secret}\0.png",
        "x" * 5000,
        uploads,
        f"{uploads}/a/nothing.png",
    ]
    for path in paths:
        kind, data = call(url, name, given(name, path))
        assert kind == "error" and data["error"] == NOT_YOURS, path


def test_no_component_that_takes_files_is_passed_over():
    """Whatever a request looks like: a path in it is seen."""
    deep = {"a": [{"b": {"path": "one"}}, [{"path": "two", "meta": {"path": "three"}}]], "path": 4}
    assert set(paths_in([deep, "five", None, 6, {"path": "seven"}])) == {"one", "two", "three", "seven"}


def test_examples_may_be_given_by_their_place():
    check_own(str(next((ASSETS / "photos").glob("*.jpg"))))
    with pytest.raises(NSTError):
        check_own(str(ASSETS.parent / "README.md"))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("size", "text"),
        ("size", 3),
        ("size", ["a"]),
        ("size", {"path": 3}),
        ("size", {"path": []}),
        ("sizes", {"a": "b"}),
        ("drawing", {"layers": "x"}),
        ("number", "nine"),
        ("number", {"a": 1}),
    ],
)
def test_inputs_that_no_page_sends_are_refused_without_a_traceback(url, name, data, caplog, capfd):
    with caplog.at_level(logging.WARNING):
        kind, told = call(url, name, data)
    assert kind == "error" and told["error"] in (NO_SENSE, NOT_YOURS)
    assert "Traceback" not in caplog.text + "".join(capfd.readouterr())


def test_a_value_out_of_range_is_told_in_the_components_own_words(url):
    assert "maximum" in call(url, "number", 10)[1]["error"]


def test_a_handler_that_fails_says_so_in_a_sentence(url, caplog):
    assert "choose another" in call(url, "failing", "known")[1]["error"]
    told = call(url, "failing", "unknown")[1]["error"]
    assert "went wrong in this program" in told and "secret" not in told


def test_an_event_that_says_nothing_or_nonsense_is_refused_without_a_traceback(url, caplog, capfd):
    dependencies = WEB.get(f"{url}config").json()["dependencies"]
    [number] = [one["id"] for one in dependencies if one["api_name"] == "picked"]
    for data in (None, {}, {"number": "nine"}, {"number": [1]}, {"number": 9}):
        body = {"data": [], "fn_index": number, "session_hash": f"s{data}", "event_data": data}
        WEB.post(f"{url}gradio_api/queue/join", json=body)
        news = WEB.get(f"{url}gradio_api/queue/data", params={"session_hash": f"s{data}"}, timeout=30).text
        assert (NO_SENSE in news) is (data != {"number": 9}) and ('"9"' in news) is (data == {"number": 9})
    assert "Traceback" not in caplog.text + "".join(capfd.readouterr())


def test_a_drawing_is_opened_as_every_other_picture_is(url, uploads):
    fake = uploads / "a" / "fake.png"
    fake.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n{} loop\n")
    for name in ("size", "drawing"):
        kind, data = call(url, name, given(name, fake))
        assert kind == "error" and "cannot be read as a picture" in data["error"]


def test_a_request_beside_the_queue_is_not_possible(url):
    assert WEB.post(f"{url}gradio_api/run/size", json={"data": [None]}).status_code == 404


def test_what_is_not_changed_keeps_its_own_properties():
    """Which gradio 6.31 overwrites as long as it is folded away."""
    with Page() as page:
        weight = LogSlider(1.0, label="w")
        gr.Button().click(lambda: None, None, [weight, gr.HTML()])
    (event,) = page.fns.values()
    assert asyncio.run(page.postprocess_data(event, [gr.skip(), gr.skip()], None)) == [{"__type__": "update"}] * 2
    shown = asyncio.run(page.postprocess_data(event, [gr.HTML(visible=False), 2.0], None))
    assert shown[0] == {"__type__": "update", "visible": False}


def test_what_is_not_changed_is_not_made_anew(monkeypatch):
    """As gradio would for each of hundreds of outputs, of an event that changes one."""
    with Page() as page:
        session, numbers = gr.State(3), [gr.Number(1) for _ in range(4)]
        gr.Button().click(lambda: None, None, [session, *numbers])
    (event,), state, made = page.fns.values(), SessionState(page), []
    monkeypatch.setattr(gr.Number, "postprocess", lambda number, value: made.append(number._id) or value)
    monkeypatch.setattr(gr.Number, "get_config", lambda number: pytest.fail("made anew"))
    given = [gr.skip(), gr.skip(), 2.0, gr.skip(), None]
    same = gr.skip()
    updates = asyncio.run(page.postprocess_data(event, given, state))
    assert updates == [None, same, 2.0, same, None] and made == [numbers[1]._id, numbers[3]._id]
    assert asyncio.run(page.postprocess_data(event, [gr.skip()] * 5, state)) == [None, *[same] * 4]


def test_many_at_once_are_all_answered(url, uploads):
    with ThreadPoolExecutor(20) as clients:
        picture = given("later", uploads / "a" / "mine.png")
        answers = list(clients.map(lambda _: call(url, "later", picture), range(20)))
    assert all(answer == ("complete", ["(30, 40)"]) for answer in answers)
