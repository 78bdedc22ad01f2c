"""The Instant tab in a real browser: pictures, videos and many pictures painted in one pass."""

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.instant.painted_picture import TEXT_KEY
from nst_core.transfer.record import read_record
from nst_core.ui.studio.instant_session import InstantSession
from tests.e2e.visitors import FORGET, KeptPage, fill, load, upload, wait_for_status
from tests.instant.test_video import decoded, film, numbered

pytestmark = pytest.mark.e2e

STYLE_PICTURES = ASSETS / "styles"
SHOWN = "#instant-result img[alt='The painting']"
PLACES = {
    "Stylize": "run",
    "Train": "train-run",
    "Instant": "styles",
    "Camera": "camera",
    "Video": "clip-run",
    "Many pictures": "batch-run",
}
CHOSEN = "#styles .thumbnail[aria-pressed=true]"
# What is said in the moment of a click, before the server can have heard of it.
CLICK = """place => {
  document.querySelector(place).click();
  return [document.querySelector('#instant-view').ariaBusy, document.querySelector('.soon > div').textContent];
}"""


def show(page: Page, *tabs: str) -> Page:
    """The page with a tab open, and one of those in it."""
    for tab in tabs:
        page.get_by_role("tab", name=tab, exact=True).click()
        if tab == "Instant":  # laid out and at rest when its examples have their names: what is typed before is lost
            example = page.locator("#instant-examples .gallery-item").first
            expect(example).to_have_attribute("aria-label", re.compile("^Example: "), timeout=15_000)
    return page


@pytest.fixture(scope="module")
def workshop(lasting_visitor, app_url) -> KeptPage:
    """The Instant tab, which paints small pictures, as these are tests."""

    def open_anew(page: Page) -> None:
        show(load(page, app_url), "Instant")
        fill(page, "instant-size", 64)

    return KeptPage(lasting_visitor(), open_anew)


@pytest.fixture
def used(workshop) -> Page:
    """That tab without a picture; its settings and its styles may be those of tests before."""
    return without_picture(workshop.as_it_is())


@pytest.fixture
def instant(workshop) -> Page:
    """The same, as it opens but for the style that is chosen."""
    without_picture(workshop.as_it_is())
    return workshop.ready()


def without_picture(page: Page) -> Page:
    show(page, "Instant")
    page.evaluate("document.querySelectorAll('.toast-body button').forEach(one => one.click())")
    expect(page.locator(".toast-body")).to_have_count(0)
    for remove in page.locator("#instant-picture").get_by_label("Remove Image").all():
        remove.click()
        says(page, "instant-status", "Choose a picture")
    return page


@pytest.fixture
def video(workshop) -> Page:
    """The place for videos, with none in it and nothing said."""
    page = show(workshop.as_it_is(), "Instant", "Video")
    for clear in page.locator("#clip button[aria-label=Clear]").all():
        clear.click()
    expect(page.locator("#clip input[type=file]")).to_have_count(1)
    page.evaluate(FORGET)
    return page


def says(page: Page, elem_id: str, pattern: str, timeout: float = 30_000) -> None:
    """Until a status begins with the pattern."""
    words = re.compile(rf"^\s*{pattern}", re.IGNORECASE)
    expect(page.locator(f"#{elem_id} .status:not(.busy)")).to_have_text(words, timeout=timeout)


def until_painted(page: Page, before: str | None) -> str:
    """Another picture than before."""
    expect(page.locator(SHOWN)).to_be_visible(timeout=30_000)
    if before:
        expect(page.locator(SHOWN)).not_to_have_attribute("src", before, timeout=30_000)
    return page.locator(SHOWN).get_attribute("src")


def downloaded(page: Page, elem_id: str) -> bytes:
    """What a button downloads."""
    with page.expect_download() as download:
        page.click(f"#{elem_id}")
    return Path(download.value.path()).read_bytes()


def entered(page: Page, before: set[str]) -> list[InstantSession]:
    """The sessions of pages that were opened since, once their cameras have something to paint with."""
    for _ in range(150):
        opened = [session for name, session in list(InstantSession.open.items()) if name not in before]
        if opened and all(session.live.paint for session in opened):
            return opened
        page.wait_for_timeout(100)
    raise AssertionError("no page was entered in 15 seconds")


def test_the_camera_follows_the_style_that_is_clicked(workshop, app_url):
    before = set(InstantSession.open)
    page = workshop.anew()
    expect(page.locator("#styles .thumbnail").first).to_be_visible()
    (session,) = entered(page, before)
    buffer = io.BytesIO()
    Image.fromarray(numbered(3, 96, 128)).save(buffer, "JPEG")

    def frame() -> np.ndarray:
        answer = page.request.post(f"{app_url}live/{session.live.token}", data=buffer.getvalue())
        assert answer.ok, answer.text()
        return np.asarray(Image.open(io.BytesIO(answer.body())), dtype=float)

    first = frame()
    assert first.shape == (96, 128, 3)
    version = session.live.version
    page.locator("#styles .thumbnail").nth(3).click()
    expect(page.locator(CHOSEN)).to_have_attribute("data-number", "4")
    assert session.live.version > version and abs(frame() - first).mean() > 5


def test_the_painting_is_seen_with_the_picture_and_the_styles_on_a_laptop_and_before_them_on_a_phone(used):
    page = used

    def places() -> list[dict[str, float]]:
        return [page.locator(place).bounding_box() for place in ("#instant-picture", SHOWN, "#styles .strip")]

    page.set_viewport_size({"width": 1280, "height": 720})
    page.locator("#instant-examples img").first.click()
    until_painted(page, None)
    page.evaluate("scrollTo(0, 0)")
    assert all(box["y"] >= 0 and box["y"] + box["height"] <= 720 for box in places())
    assert places()[1]["height"] >= 350
    page.set_viewport_size({"width": 390, "height": 844})
    upload, painting, styles = (box["y"] for box in places())
    assert upload < painting < styles


def test_an_example_is_painted_at_once_and_again_in_each_style_that_is_clicked(instant, tmp_path):
    expect(instant.locator("#styles .thumbnail")).to_have_count(len(InstantSession().names))
    assert instant.evaluate(CLICK, "#instant-examples .gallery-item") == ["true", "Taking the picture …"]
    before = until_painted(instant, None)
    expect(instant.locator("#instant-view")).not_to_have_attribute("aria-busy", "true")
    style = instant.locator("#styles .thumbnail").nth(2)
    said = f"Painting in one pass: {style.inner_text().strip()} …"
    assert instant.evaluate(CLICK, "#styles .thumbnail:nth-child(3)") == ["true", said]
    until_painted(instant, before)
    expect(instant.locator(CHOSEN)).to_have_count(1)
    expect(style).to_have_attribute("aria-pressed", "true")
    says(instant, "instant-status", rf"{style.inner_text().strip()}: 64×64 pixels in ")
    instant.locator("#styles .thumbnail").nth(1).focus()
    instant.keyboard.press("Enter")
    expect(instant.locator(CHOSEN)).to_have_attribute("data-number", "2")
    expect(instant.locator(CHOSEN)).to_be_focused()
    says(instant, "instant-status", rf"{instant.locator(CHOSEN).inner_text().strip()}: 64×64 pixels in ")
    before = instant.locator("#instant-status").inner_text()
    assert instant.evaluate(CLICK, CHOSEN)[0] is None  # nothing is to come of that
    for again in (instant.locator(CHOSEN), instant.locator("#instant-size input")):
        with instant.expect_response(lambda response: "/queue/join" in response.url):
            again.click()
            again.blur()
    instant.wait_for_timeout(500)
    assert instant.locator("#instant-status").inner_text() == before
    expect(instant.locator(SHOWN)).to_be_visible()
    instant.locator("#instant-picture").get_by_label("Remove Image").click()
    says(instant, "instant-status", "Choose a picture")
    expect(instant.locator(SHOWN)).to_be_hidden()


def test_what_cannot_be_painted_is_named_once_and_the_last_picture_stays(instant, picture_files, tmp_path):
    upload(instant, "instant-picture", picture_files[0])
    shown = until_painted(instant, None)
    fill(instant, "instant-size", 7)
    says(instant, "instant-status", "the size is 7; give a whole number from 16")
    expect(instant.locator(".toast-body")).to_have_count(1)
    instant.locator(".toast-body button").first.click()
    fill(instant, "instant-size", 64)
    says(instant, "instant-status", ".*: 64×43 pixels")
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear reader, this is no picture.")
    instant.set_input_files("#instant-picture input[type=file]", letter)
    says(instant, "instant-status", "letter.jpg cannot be read as a picture")
    expect(instant.locator(".toast-body")).to_contain_text("letter.jpg cannot be read as a picture")
    expect(instant.locator("#instant-picture input[type=file]")).to_have_count(1)  # it is empty again
    expect(instant.locator("#instant-picture .image-frame img")).to_have_count(0)
    expect(instant.locator(SHOWN)).to_have_attribute("src", shown)
    assert images.size_of(images.load(io.BytesIO(downloaded(instant, "instant-download")))) == (43, 64)


def test_what_is_set_is_painted_and_stands_in_the_file(instant, picture_files, tmp_path):
    instant.locator("#styles .thumbnail").first.click()
    expect(instant.locator(CHOSEN)).to_have_attribute("data-number", "1")
    upload(instant, "instant-picture", picture_files[0])
    shown, (first, second) = until_painted(instant, None), InstantSession().names[:2]
    instant.locator("#blend input").click()
    instant.get_by_role("option", name=second.replace("_", " ")).click()
    says(instant, "instant-status", ".* with 50% .*: 64×43 pixels")
    shown = until_painted(instant, shown)
    fill(instant, "strength", 0.5)
    shown = until_painted(instant, shown)
    instant.locator("#instant-color").get_by_label("the picture's own").check()
    shown = until_painted(instant, shown)
    fill(instant, "instant-size", "")
    says(instant, "instant-status", ".*: 96×64 pixels")
    path = tmp_path / "painted.png"
    path.write_bytes(downloaded(instant, "instant-download"))
    assert images.size_of(images.load(path)) == (64, 96)
    assert json.loads(images.read_text(path)[TEXT_KEY]) == {
        "styles": {first: 0.5, second: 0.5},
        "strength": 0.5,
        "color": "content",
    }
    said, shown = instant.locator("#instant-status").inner_text(), until_painted(instant, None)
    asked: list[str] = []  # to paint that picture
    instant.on("request", lambda one: asked.extend([one.url] * ("content.png" in (one.post_data or ""))))
    instant.reload()
    show(instant, "Instant")
    expect(instant.locator("#instant-picture img").first).to_be_visible(timeout=30_000)
    says(instant, "instant-status", re.escape(said.strip()))  # the seconds that it took, too: it is not painted again
    with instant.expect_request(lambda one: "content.png" in (one.post_data or "")):  # the first, by a person
        instant.locator("#instant-size input").click()
        instant.locator("#instant-size input").blur()
    assert len(asked) == 1
    expect(instant.locator(SHOWN)).to_have_attribute("src", shown)
    assert instant.locator("#instant-status").inner_text() == said
    expect(instant.locator("#blend input")).to_have_value(second.replace("_", " "))
    expect(instant.locator("#strength input[type=number]")).to_have_value("0.5")
    expect(instant.locator("#instant-color").get_by_label("the picture's own")).to_be_checked()
    expect(instant.locator("#instant-size input")).to_have_value("")


def test_any_picture_that_is_dropped_is_a_style_at_once(used, picture_files, tmp_path):
    instant = used
    fill(instant, "instant-size", 64)
    upload(instant, "instant-picture", picture_files[0])
    before = until_painted(instant, None)
    upload(instant, "instant-own-style", picture_files[1])
    says(instant, "instant-status", r"Style: 64×\d+ pixels in ")
    until_painted(instant, before)
    expect(instant.locator("#styles .thumbnail")).to_have_count(len(InstantSession().names) + 1)
    expect(instant.locator(CHOSEN)).to_have_attribute("data-number", "1")
    (tmp_path / "letter.png").write_text("Dear reader")
    instant.set_input_files("#instant-own-style input[type=file]", tmp_path / "letter.png")
    expect(instant.locator(".toast-body")).to_contain_text("letter.png")
    expect(instant.locator("#instant-own-style .image-frame img")).to_have_count(0)
    expect(instant.locator("#styles .thumbnail")).to_have_count(len(InstantSession().names) + 1)


def test_a_painted_picture_is_polished_in_the_studio(used, picture_files, tmp_path):
    instant = used
    known = next(name for name in InstantSession().names if (STYLE_PICTURES / f"{name}.jpg").exists())
    instant.locator("#styles .thumbnail", has_text=known.replace("_", " ")).click()  # as tests before add styles
    upload(instant, "instant-picture", picture_files[0])
    instant.click("#polish")
    expect(instant.get_by_role("tab", name="Stylize")).to_have_attribute("aria-selected", "true")
    wait_for_status(instant, "The painted picture is the start; press Paint")
    for elem_id in ("content", "style", "start-picture"):
        expect(instant.locator(f"#{elem_id} img").first).to_be_visible()
    expect(instant.locator("#init").get_by_label("another picture")).to_be_checked()
    expect(instant.locator("#size input")).to_have_value("64")
    fill(instant, "steps", 2)
    instant.click("#run")
    wait_for_status(instant, "Done: 2 steps in")
    (tmp_path / "polished.png").write_bytes(downloaded(instant, "download"))
    config = read_record(tmp_path / "polished.png").config
    assert (config.start, config.smallest_scale, config.size) == ("image", 0, 64)
    known_style = instant.locator("#style img").first.get_attribute("src")
    show(instant, "Instant")
    shown = until_painted(instant, None)
    upload(instant, "instant-own-style", picture_files[1])
    until_painted(instant, shown)
    expect(instant.locator("#instant-status")).to_contain_text(", refined in")
    instant.click("#polish")
    expect(instant.locator("#style img").first).not_to_have_attribute("src", known_style)


def test_a_video_is_painted_and_shown(video, tmp_path):
    video.set_input_files("#clip input[type=file]", film(tmp_path / "clip.mp4"))
    expect(video.locator("#clip")).to_contain_text("clip")
    fill(video, "clip-size", 48)
    video.click("#clip-run")
    says(video, "clip-status", "Done: frame 12 of 12", timeout=60_000)
    expect(video.locator("#clip-result video")).to_be_visible()
    source = video.locator("#clip-result video").get_attribute("src")
    (tmp_path / "painted.mp4").write_bytes(video.request.get(source).body())
    frames = decoded(tmp_path / "painted.mp4")
    assert len(frames) == 12 and (frames[0].width, frames[0].height) == (48, 36)
    expect(video.locator("#clip-run")).to_be_enabled()


def test_a_video_is_shown_while_it_is_painted_and_stopped(video, tmp_path):
    path = film(tmp_path / "long.mp4", [numbered(index % 12) for index in range(500)], sound=None)
    video.set_input_files("#clip input[type=file]", path)
    expect(video.locator("#clip")).to_contain_text("long")
    video.click("#clip-run")
    expect(video.locator("#clip-preview canvas")).to_be_visible(timeout=60_000)
    says(video, "clip-status", r"Frame \d+ of 500, .* left")
    video.click("#clip-stop")
    says(video, "clip-status", r"Stopped: frame \d+ of 500")
    expect(video.locator("#clip-result video")).to_be_visible()
    expect(video.locator("#clip-run")).to_be_enabled()


def test_what_is_no_video_is_named(video, tmp_path):
    video.click("#clip-run")
    says(video, "clip-status", "there is no video; drop one")
    (tmp_path / "letter.mp4").write_text("Dear reader, this is no video. " * 50)
    video.set_input_files("#clip input[type=file]", tmp_path / "letter.mp4")
    expect(video.locator(".toast-body")).to_contain_text("letter.mp4 is neither a picture nor a film")
    expect(video.locator("#clip input[type=file]")).to_have_count(1)  # it is empty again
    expect(video.locator("#clip-run")).to_be_enabled()


def test_many_pictures_come_back_in_one_zip(workshop, picture_files, tmp_path):
    workshop = show(workshop.as_it_is(), "Instant", "Many pictures")
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear reader")
    workshop.set_input_files("#batch input[type=file]", [*picture_files, letter])
    expect(workshop.locator("#batch")).to_contain_text("letter")
    workshop.click("#batch-run")
    says(workshop, "batch-status", "Done: 2 of 3 pictures in .*Skipped: letter.jpg is neither a picture nor")
    with zipfile.ZipFile(io.BytesIO(downloaded(workshop, "batch-result"))) as archive:
        assert archive.namelist() == ["content.png", "style.png"]
        with archive.open("style.png") as entry:
            assert images.size_of(images.load(entry)) == (51, 64)


def test_the_tabs_fit_a_phone(browser_tab, app_url):
    page = browser_tab
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{app_url}?lang=de")
    expect(page.get_by_role("tab", name="Stilisieren")).to_be_visible()
    tabs = page.get_by_role("tab")
    fits = [tab.evaluate("tab => tab.scrollWidth <= tab.clientWidth") for tab in tabs.all()]
    assert len(fits) >= 4 and all(fits)  # with Instant's own, where the page comes back to it
    page.locator("select.page-language").select_option("English")
    expect(page.get_by_role("tab", name="Stylize")).to_be_visible()
    for tab in ("Stylize", "Train", "Instant", "Camera", "Video", "Many pictures"):
        place = page.get_by_role("tab", name=tab, exact=True)
        place.click()
        expect(page.locator(f"#{PLACES[tab]}")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, tab
