"""The camera painted as it goes, in a real browser with a made-up camera."""

import re
import time
from types import SimpleNamespace

import gradio as gr
import pytest
import torch
from playwright.sync_api import Page, expect
from starlette.middleware import Middleware

from nst_core.errors import ConfigError
from nst_core.ui.instant.camera_view import live_area
from nst_core.ui.page.slow_animations import CalmPages
from nst_core.ui.studio.camera import LANES, ROUTE, Live, taken
from tests.e2e.visitors import ARGUMENTS, WITH_CAMERA, Contexts, forget

pytestmark = pytest.mark.e2e

FAKE_CAMERA = "--use-fake-device-for-media-stream=fps=30,device-count=2"
INSECURE = ("page.test", "--host-resolver-rules=MAP page.test 127.0.0.1")  # neither https nor localhost
SHOWN = "Number(document.querySelector('.live canvas').dataset.frames ?? 0)"
STYLE = "Number(document.querySelector('.live canvas').dataset.style ?? 0)"
IS_OFF = "tracks.length > 0 && tracks.every(track => track.readyState === 'ended') && !(window.paintings > 0)"
# Keeps the camera's tracks where the page can be asked whether they go on.
KEEP_TRACKS = """
window.tracks = [];
const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (ask) navigator.mediaDevices.getUserMedia = async wanted => {
  const stream = await ask(wanted);
  tracks.push(...stream.getTracks());
  return stream;
};"""
# The mean colour of what is shown, and how wide it is.
LOOK = """async () => {
  const canvas = document.querySelector('.live canvas');
  const pen = new OffscreenCanvas(1, 1).getContext('2d');
  pen.drawImage(await createImageBitmap(canvas, {resizeWidth: 1, resizeHeight: 1, resizeQuality: 'high'}), 0, 0);
  return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3), canvas.width];
}"""


def negative(image: torch.Tensor) -> torch.Tensor:
    return 1 - image


def slow(image: torch.Tensor) -> torch.Tensor:
    time.sleep(0.1)
    return image


@pytest.fixture(scope="module")
def served():
    """The area on a page of its own: `url`; `live`, whose token the next visitor gets; `pictures` that were taken."""
    place = SimpleNamespace(live=None, pictures=[])

    def take(event: gr.EventData) -> None:
        place.pictures.append(taken(event))

    with gr.Blocks(analytics_enabled=False) as demo:
        with gr.Tab("Camera"):
            area = live_area()
        with gr.Tab("Other"):
            gr.Markdown("Nothing here")
        demo.load(lambda: place.live and place.live.token, None, area)
        area.take(take, None, None)
    _, place.url, _ = demo.launch(
        app_kwargs={"routes": [ROUTE], "middleware": [Middleware(CalmPages)]},
        prevent_thread_lock=True,
        quiet=True,
        server_name="127.0.0.1",
        ssr_mode=False,
    )
    yield place
    demo.close()


@pytest.fixture(scope="module")
def camera_contexts(browser):
    """Those of a browser with a camera."""
    if WITH_CAMERA is None:
        pytest.skip("needs Debian's Chromium with a camera (apt-get install chromium)")
    browser = browser.browser_type.launch(executable_path=WITH_CAMERA, args=[*ARGUMENTS, FAKE_CAMERA, INSECURE[1]])
    yield Contexts(browser)
    browser.close()


@pytest.fixture
def live() -> Live:
    live = Live()
    live.paint = negative
    return live


@pytest.fixture(scope="module")
def tab_of(camera_contexts):  # whose browser is to close after its tabs
    """A function that gives the tab of a browser that may use a camera, or may not; a module's tests share it."""
    tabs: dict[tuple[Contexts, bool], Page] = {}

    def one(contexts: Contexts, may: bool) -> Page:
        if (contexts, may) not in tabs:
            tabs[contexts, may] = page = contexts.lend(permissions=["camera"] if may else []).new_page()
            page.add_init_script(KEEP_TRACKS)
        return tabs[contexts, may]

    yield one
    for (contexts, _), page in tabs.items():
        contexts.give_back(page.context)


@pytest.fixture
def visit(camera_contexts, served, live, tab_of):
    """A function that opens the page once; at the end it may have met no error but those it expects."""
    opened, errors = [], []

    def open_one(*, contexts=camera_contexts, url=served.url, width=1280, expected="^$", token=True, may=True) -> Page:
        def complain(line) -> None:
            if line.type == "error" and not re.search(expected, line.text):
                errors.append(line.text)

        def fail(error) -> None:
            errors.append(str(error))

        served.live = live if token else None
        page = tab_of(contexts, may)
        page.set_viewport_size({"width": width, "height": 900})
        page.on("pageerror", fail)
        page.on("console", complain)
        opened.append((page, fail, complain))
        page.goto(url)
        expect(switch(page)).to_be_visible(timeout=30_000)
        return page

    yield open_one
    for page, fail, complain in opened:
        page.remove_listener("pageerror", fail)
        page.remove_listener("console", complain)
        page.unroute_all()
        forget(page)
        page.goto("about:blank")  # the camera goes off
    live.close()
    assert errors == []


def switch(page: Page):
    """The button that turns the camera on and off."""
    return page.get_by_role("button", name=re.compile("(Start|Stop) camera"))


def started(page: Page, frames: int = 3) -> Page:
    """The page with its camera on and so many painted frames shown."""
    switch(page).click()
    page.wait_for_function(f"{SHOWN} >= {frames}")
    return page


def says(page: Page, words: str) -> None:
    expect(page.locator(".words")).to_contain_text(words)


def test_frames_are_painted_and_shown_until_the_camera_is_stopped(visit, live):
    page = started(visit())
    red, green, blue, width = page.evaluate(LOOK)
    assert width == 320 and min(red, blue) > green  # the made-up camera shows green
    before = page.evaluate("document.querySelector('.live canvas').toDataURL()")
    page.wait_for_function(f"{SHOWN} >= 10")
    assert page.evaluate("document.querySelector('.live canvas').toDataURL()") != before
    expect(page.locator(".rate")).to_have_text(
        re.compile(r"^[\d.]+ frames a second, 320×240, \d+ ms behind the camera$")
    )
    expect(switch(page)).to_have_text("Stop camera")
    for _ in range(3):
        switch(page).click()
        page.wait_for_function(IS_OFF)
        says(page, "The camera is off.")
        started(page, page.evaluate(SHOWN) + 3)


def test_after_stop_nothing_is_asked_or_painted(visit, live):
    page = started(visit())
    switch(page).click()
    page.wait_for_function(IS_OFF)
    asked = []
    page.on("request", lambda request: "/live/" in request.url and asked.append(request.url))
    deadline = time.monotonic() + 10
    while live.in_flight and time.monotonic() < deadline:  # those that came before are painted to their end
        page.wait_for_timeout(20)
    painted = live.frames
    page.wait_for_timeout(300)
    assert live.frames == painted and live.in_flight == 0 and asked == []


def test_a_new_style_shows_within_the_frames_that_were_on_their_way(visit, live):
    live.paint = slow
    page = started(visit())
    red, green, blue, _ = page.evaluate(LOOK)
    assert green > max(red, blue)
    for paint in (lambda image: 1 - slow(image), slow):
        painted, live.paint = live.frames, paint
        page.wait_for_function(f"{STYLE} === {live.version}", polling=10)
        assert live.frames - painted <= LANES + 2
    red, green, blue, _ = page.evaluate(LOOK)
    assert green > max(red, blue)


def test_a_slow_style_makes_no_queue(visit, live):
    waiting = []

    def watched(image):
        waiting.append(live.in_flight)
        return slow(image)

    live.paint = watched
    started(visit(), 6)
    assert max(waiting) <= LANES


def test_painting_begins_when_a_style_is_chosen(visit, live):
    live.paint = None
    page = visit(expected="409")
    switch(page).click()
    says(page, "Choose a style")
    live.paint = negative
    page.wait_for_function(f"{SHOWN} >= 3")
    expect(page.locator(".words")).to_have_text("")


def test_a_page_without_a_token_asks_for_a_style_and_for_nothing_else(visit):
    page, asked = visit(token=False), []
    page.on("request", lambda request: "/live/" in request.url and asked.append(request.url))
    switch(page).click()
    says(page, "Choose a style")
    assert asked == []


def test_what_the_style_says_is_shown_and_painting_goes_on_after_it(visit, live):
    def refusing(image):
        raise ConfigError("strength is 7; give a number from 0 to 1")

    live.paint = refusing
    page = visit(expected="422")
    switch(page).click()
    says(page, "strength is 7")
    live.paint = negative
    page.wait_for_function(f"{SHOWN} >= 3")


def test_a_camera_that_is_refused_is_said(visit):
    page = visit(may=False)
    switch(page).click()
    says(page, "The camera was refused")
    expect(switch(page)).to_have_text("Start camera")
    assert not page.evaluate("window.paintings > 0")


def test_a_machine_without_camera_is_told(visit, browser_contexts):
    page = visit(contexts=browser_contexts)
    switch(page).click()
    says(page, "There is no camera")


def test_a_page_that_may_have_no_camera_says_how_it_may(visit, served):
    page = visit(url=served.url.replace("127.0.0.1", INSECURE[0]))
    switch(page).click()
    says(page, "https")


def test_a_lost_connection_is_tried_again_and_then_said(visit):
    page, tries = started(visit(expected="Failed to load")), []

    def lose(route):
        tries.append(1)
        route.abort()

    page.route("**/live/*", lose)
    page.wait_for_timeout(400)
    page.unroute("**/live/*")
    page.wait_for_function(f"{SHOWN} > {page.evaluate(SHOWN)}")  # it came back in time
    tries.clear()
    page.route("**/live/*", lose)
    says(page, "The connection to the server was lost")
    page.wait_for_function(IS_OFF)
    assert LANES < len(tries) <= 20


def test_a_page_that_the_server_forgot_says_so(visit, live):
    page = started(visit(expected="404|409"))
    live.close()
    says(page, "reload it")
    page.wait_for_function(IS_OFF)


@pytest.mark.parametrize("leave", ["other tab", "out of sight"])
def test_the_camera_goes_off_with_its_place(visit, leave):
    page = started(visit())
    if leave == "other tab":
        page.get_by_role("tab", name="Other").click()
    else:
        page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function(IS_OFF)


@pytest.mark.parametrize("mirrored", [True, False])
def test_what_is_taken_is_the_photo_as_others_see_who_is_before_the_camera(visit, served, live, mirrored):
    seen = []

    def negative_of_seen(image):
        seen.append(image)
        return 1 - image

    live.paint = negative_of_seen
    page = visit()
    served.pictures.clear()
    take = page.get_by_role("button", name="Take this picture")
    expect(take).to_be_disabled()
    page.get_by_label("Mirror").set_checked(mirrored)
    started(page)
    take.click()
    deadline = time.monotonic() + 10
    while not served.pictures and time.monotonic() < deadline:
        page.wait_for_timeout(20)
    (photo,) = served.pictures
    assert photo.shape == (1, 3, 240, 320)
    as_sent = photo.flip(3) if mirrored else photo
    assert any(torch.equal(as_sent, image) for image in seen)  # not its painting, nor turned


def test_size_and_mirror_change_while_the_camera_is_on(visit, live):
    live.paint = lambda image: image
    page = started(visit())
    page.get_by_label("Size").select_option("640×480")
    page.wait_for_function("document.querySelector('.live canvas').width === 640")
    mirror = page.get_by_label("Mirror")
    expect(mirror).to_be_checked()
    mirror.uncheck()
    page.wait_for_function(f"{SHOWN} >= {page.evaluate(SHOWN) + 3}")


def test_of_two_cameras_one_is_chosen(visit):
    page = started(visit(expected="429"))  # as the first one's frames may still be on their way
    which = page.locator(".cameras")
    expect(which).to_be_visible()
    first, second = page.evaluate("[...document.querySelectorAll('.cameras option')].map(one => one.value)")
    assert page.evaluate("tracks.map(track => track.getSettings().deviceId)") == [which.input_value()] == [first]
    which.select_option(second)
    page.wait_for_function("tracks.length === 2 && tracks[0].readyState === 'ended'")
    page.wait_for_function(f"{SHOWN} >= {page.evaluate(SHOWN) + 3}")
    assert page.evaluate("tracks[1].getSettings().deviceId") == which.input_value() == second
    expect(page.get_by_label("Mirror")).to_be_checked()


@pytest.mark.parametrize(("facing", "mirrored"), [("environment", False), ("user", True)])
def test_a_camera_that_looks_away_is_not_mirrored(visit, facing, mirrored):
    page = visit()
    page.evaluate(
        """facing => {
          const own = MediaStreamTrack.prototype.getSettings;
          MediaStreamTrack.prototype.getSettings = function() { return {...own.call(this), facingMode: facing}; };
        }""",
        facing,
    )
    started(page, 1)
    expect(page.get_by_label("Mirror")).to_be_checked(checked=mirrored)


@pytest.mark.parametrize("told", ["() => 1", "undefined"])  # never calls back, or is not there
def test_a_browser_that_tells_of_no_frame_is_looked_at_by_the_clock(visit, told):
    page = visit()
    page.evaluate(f"HTMLVideoElement.prototype.requestVideoFrameCallback = {told}")
    started(page, 3)


@pytest.mark.parametrize("dark", [False, True])
def test_the_area_fits_a_phone_and_is_worked_by_keys(visit, served, dark):
    page = visit(width=390, url=served.url + "?__theme=dark" * dark)
    switch(page).focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"{SHOWN} >= 2")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(switch(page)).to_be_focused()
    page.keyboard.press("Space")
    page.wait_for_function(IS_OFF)
