"""The sheet of variations in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from nst_core.transfer.sheet import read_sheet
from tests.e2e.visitors import choose_plain, load, upload

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def unfolded(browser_tab, app_url, picture_files) -> Page:
    """The page with both pictures and the sheet unfolded."""
    page = load(browser_tab, app_url)
    choose_plain(page)
    upload(page, "content", picture_files[0])
    upload(page, "style", picture_files[1])
    page.get_by_text("Variations: a sheet over two settings").click()
    expect(page.locator("#sheet-extent")).to_contain_text("9 cells × 100 steps = 900 steps")
    return page


def fill_sheet(page: Page, *, rows: str, columns: str, size: int = 48, steps: int = 2) -> None:
    """Two settings' values and a short run."""
    page.set_viewport_size({"width": 1280, "height": 900})
    for elem_id, value in (("rows-values", rows), ("columns-values", columns), ("size", size), ("steps", steps)):
        field = page.locator(f"#sheet-{elem_id} textarea, #sheet-{elem_id} input")
        field.fill(str(value))
        field.press("Tab")
    cells = len(rows.split(",")) * len(columns.split(","))
    expect(page.locator("#sheet-extent")).to_contain_text(f"{cells} cells × {steps} steps = {cells * steps} steps")


def test_a_sheet_is_painted_kept_and_its_cells_are_settings(unfolded, tmp_path):
    page = unfolded
    fill_sheet(page, rows="2e4, 3e5", columns="0.5, 1")
    page.click("#sheet-paint")
    expect(page.locator("#sheet-status")).to_contain_text("Done: 4 of 4 cells in", timeout=60_000)
    expect(page.locator("#sheet button[data-row]:enabled img")).to_have_count(4)
    expect(page.locator("#sheet-paint")).to_be_enabled()
    with page.expect_download() as download:
        page.click("#sheet-download")
    download.value.save_as(tmp_path / "sheet.png")
    records = read_sheet(tmp_path / "sheet.png")
    assert [record.config.style_weight for record in records] == [2e4, 2e4, 3e5, 3e5]
    size = page.locator("#size input[type=number]").input_value()
    page.get_by_role("button", name="β 3e5 · Size of the strokes 0.5").click()
    expect(page.locator("#beta input[type=number]")).to_have_value(re.compile("^(300000|3e5|3e\\+5)$"))
    expect(page.locator("#sheet-status")).to_contain_text("β 3e5 · Size of the strokes 0.5 is in the page's settings")
    first = page.get_by_role("button", name="β 2e4 · Size of the strokes 1")
    first.focus()
    first.press("Enter")
    expect(page.locator("#beta input[type=number]")).to_have_value(re.compile("^(20000|2e4|2e\\+4)$"))
    expect(first).to_have_attribute("aria-pressed", "true")
    assert page.locator("#size input[type=number]").input_value() == size


def test_a_stopped_sheet_keeps_its_cells_and_a_wrong_value_is_named(unfolded):
    page = unfolded
    fill_sheet(page, rows="1e4, 1e5, 1e6", columns="0.5, 1, 2", steps=20_000)
    page.click("#sheet-paint")
    expect(page.locator("#sheet-status")).to_contain_text(re.compile(r"Cell 1 of 9 .* step [1-9]"), timeout=60_000)
    expect(page.locator("#sheet button[data-row] img").first).to_be_visible()
    page.click("#sheet-stop")
    expect(page.locator("#sheet-status")).to_contain_text("Stopped: 0 of 9 cells", timeout=15_000)
    expect(page.locator("#sheet button[data-row]:enabled")).to_have_count(1)
    page.locator("#sheet-rows-values textarea, #sheet-rows-values input").fill("1e4, loud")
    expect(page.locator("#sheet-extent")).to_contain_text("“β style” is “loud”; give a number")
    page.click("#sheet-paint")
    expect(page.locator("#sheet-status .problem")).to_contain_text("“β style” is “loud”")
    expect(page.locator("#sheet button[data-row]:enabled")).to_have_count(1)


def test_a_wide_sheet_does_not_widen_the_page(unfolded):
    page = unfolded
    fill_sheet(page, rows="1e4", columns="0.5, 0.7, 1, 1.3, 1.6, 2, 3, 4", steps=1)
    page.click("#sheet-paint")
    expect(page.locator("#sheet-status")).to_contain_text("Done: 8 of 8 cells in", timeout=60_000)
    wide = []
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(width)
    assert wide == []
