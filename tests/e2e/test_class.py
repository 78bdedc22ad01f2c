"""A teacher's wall of a class in a real browser: live, large, stopped; and the pupils who start from its link."""

import re

import pytest
from playwright.sync_api import Page, expect

from nst_core.assets import ASSETS
from nst_core.ui.classroom import paintings
from nst_core.ui.classroom.routes import STOPPED
from nst_core.ui.classroom.script import LOOK_SECONDS
from nst_core.ui.studio.session import Session
from tests.e2e.visitors import fill, load, look_often, upload, wait_for_status

pytestmark = pytest.mark.e2e
NAME = "<b>Ada</b> & co"


@pytest.fixture
def class_url(app_url, monkeypatch) -> str:
    """The page of a class with nobody in it yet."""
    monkeypatch.setenv("NST_CLASS_KEY", "open sesame")
    monkeypatch.setattr(Session, "known", {})
    monkeypatch.setattr(paintings, "FRESH_SECONDS", 0.2)
    return app_url


def give_password(page: Page, url: str) -> list[str]:
    """The wall; what the browser complains of from then on."""
    complaints: list[str] = []
    page.goto(url + "class")
    page.get_by_label("Password").fill("open sesame")
    page.get_by_role("button", name="Show them").click()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    expect(page.get_by_text("Nobody paints yet.")).to_be_visible()
    return complaints


def test_a_class_starts_from_the_link_and_its_teacher_watches_and_stops_it(class_url, new_visitor, picture_files):
    wall, pupil = new_visitor(), new_visitor(960)
    look_often(wall, LOOK_SECONDS)
    complaints = give_password(wall, class_url)
    wall.get_by_role("button", name="Link for the class").click()
    wall.get_by_label("Preset").select_option("gatys")
    wall.get_by_label("Or a picture of yours").set_input_files(ASSETS / "styles" / "harvest_sun.jpg")
    expect(wall.get_by_label("Address")).to_have_text(re.compile(r"\?preset=gatys&style=lent-"))
    expect(wall.locator("#code svg")).to_be_visible()
    address = wall.get_by_label("Address").inner_text()
    wall.get_by_role("button", name="Close").click()

    load(pupil, address)
    expect(pupil.locator("#preset input")).to_have_value(re.compile("Gatys"))
    expect(pupil.locator("#style img").first).to_be_visible()
    pupil.get_by_label("Your name, for the class").fill(NAME)
    upload(pupil, "content", picture_files[0])
    fill(pupil, "size", 64)
    fill(pupil, "steps", 100_000)
    pupil.click("#run")

    card = wall.get_by_role("button", name="Show large")
    expect(card.locator(".name")).to_have_text(NAME)
    expect(card.locator(".status")).to_have_text(re.compile(r"Step \d+ of 100000"), timeout=30_000)
    picture = card.locator("img")
    expect(picture).to_have_attribute("alt", f"Show large: the painting of {NAME}")
    before = picture.get_attribute("src")
    wall.wait_for_function("before => document.querySelector('.card img').src.indexOf(before) < 0", arg=before)
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 64

    card.focus()
    wall.keyboard.press("Enter")
    large = wall.get_by_role("dialog")
    expect(large.get_by_alt_text(f"The painting of {NAME}", exact=True)).to_be_visible()
    wall.keyboard.press("Escape")
    expect(large).to_be_hidden()
    expect(card).to_be_focused()

    wall.get_by_role("button", name="Stop all").click()
    wall.get_by_role("button", name="Leave them").click()
    assert next(iter(Session.known.values())).busy
    wall.get_by_role("button", name="Stop all").click()
    wall.get_by_role("dialog").get_by_role("button", name="Stop all").click()
    expect(wall.locator("#counts")).to_have_text("0 at work or waiting, 1 done")
    wait_for_status(pupil, "Stopped")
    expect(pupil.get_by_text(STOPPED)).to_be_visible()
    expect(pupil.locator("#go-on")).to_be_visible()
    with wall.expect_download() as download:
        wall.get_by_role("link", name="One sheet of the class").click()
    assert download.value.suggested_filename == "class.png"
    assert complaints == []


def test_no_width_makes_the_wall_scroll_sideways(class_url, new_visitor):
    page = new_visitor()
    give_password(page, class_url)
    for width in (390, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width
