"""Many photos in a style in a real browser: cards that fill, the ZIP, Stop, and a page that comes back."""

import csv
import io
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS
from nst_core.ui.folders.batch_state import Batch
from tests.e2e.visitors import ENDLESS, fill

try:
    from axe_playwright_python.sync_playwright import Axe
except ImportError:  # it is asked of the rest all the same
    Axe = None

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def batches(monkeypatch):
    """Those of this test alone."""
    monkeypatch.setattr(Batch, "known", {})


def says(page: Page, pattern: str) -> None:
    """Until the status begins with the pattern."""
    expect(page.locator("#queue-status .status")).to_have_text(re.compile(rf"^\s*{pattern}"), timeout=60_000)


def unfold(page: Page) -> None:
    """The area opened, wherever it stands."""
    opener = page.get_by_role("button", name="Batch: many photos, many styles")
    expect(opener).to_be_visible()
    opener.click()
    expect(page.locator("#queue-start")).to_be_visible()


def drop(page: Page, photos: list[Path], style: Path, *, steps: int) -> None:
    """Photos and a style, small and soon done."""
    unfold(page)
    fill(page, "steps", steps)
    fill(page, "queue-size", 48)
    page.set_input_files("#queue-photos input[type=file]", photos)
    page.set_input_files("#queue-styles input[type=file]", style)
    title = PRESETS[DEFAULT_PRESET].title
    expect(page.locator("#queue-extent")).to_contain_text(
        f"{len(photos)} photos in 1 style · {title}, 48 pixels, {steps} steps at most"
    )


@pytest.fixture
def photos(picture_files, tmp_path) -> list[Path]:
    """One by itself, one that is broken, and one in a ZIP."""
    broken, packed = tmp_path / "broken.jpg", tmp_path / "holidays.zip"
    broken.write_bytes(b"Dear reader")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(picture_files[0], "sea/gull.png")
    return [picture_files[0], broken, packed]


def broken_rules(page: Page) -> list[tuple[str, list[str]]]:
    """Rules of axe that the area breaks, where axe is there; gradio's own buttons on a field with files do."""
    if Axe is None:
        return []
    page.wait_for_timeout(500)  # gradio fades some of it in
    rules = (
        Axe().run(page, context={"include": [["#queue-area"]], "exclude": [[".icon-button"]]}).response["violations"]
    )
    return [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in rules]


def test_cards_fill_one_fails_in_place_and_all_come_in_a_zip(page, photos, picture_files):
    drop(page, photos, picture_files[1], steps=2)
    page.click("#queue-start")
    says(page, "Done: 2 of 3 paintings in")
    cards = page.locator("#queue-grid .card")
    expect(cards.filter(has_text="✓").locator("img")).to_have_count(2)
    expect(cards.filter(has_text="✗")).to_contain_text("broken.jpg cannot be read as a picture")
    page.wait_for_function("[...document.querySelectorAll('.card img')].every(image => image.naturalWidth === 48)")
    painting = page.get_by_role("link", name="sea/gull.png in the style of style").get_attribute("href")
    assert page.request.get(painting).body()[:4] == b"\x89PNG"
    expect(page.locator("#queue-start")).to_be_visible()
    expect(page.locator("#queue-stop")).to_be_hidden()  # it comes where Start was
    with page.expect_download() as download:
        page.click("#queue-outcome")
    assert download.value.suggested_filename == "photos-painted.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("report.csv"), "utf-8")))
        files = archive.namelist()
    assert [row["content"] for row in rows] == ["content.png", "broken.jpg", "sea/gull.png"]
    assert files == [*(row["file"] for row in rows if row["file"]), "report.csv"]
    assert [re.sub("-[0-9a-f]{8}", "", name) for name in files[:2]] == [
        f"content_style_{DEFAULT_PRESET}.png",
        f"gull_style_{DEFAULT_PRESET}.png",
    ]
    for width, dark in ((1280, False), (390, True)):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
        assert broken_rules(page) == [], width


def test_stop_keeps_what_is_done_and_a_page_that_comes_back_goes_on(page, app_url, photos, picture_files):
    drop(page, [photos[0], photos[2]], picture_files[1], steps=ENDLESS)
    page.locator("#queue-start").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#queue-stop")).to_be_focused(timeout=30_000)
    says(page, "Painting 1 of 2: content.png in style")
    page.reload()
    expect(page.locator("#queue-status .status")).to_have_count(1, timeout=30_000)
    says(page, "Painting 1 of 2")
    expect(page.locator("#queue-photos")).to_contain_text("holidays")
    page.click("#queue-stop")
    says(page, "Stopped: 0 of 2 paintings")
    expect(page.locator("#queue-grid .card", has_text="waiting")).to_have_count(2)
    fill(page, "steps", 2)
    expect(page.locator("#queue-size input")).to_have_value("48")
    page.click("#queue-start")
    says(page, "Done: 2 of 2 paintings")
