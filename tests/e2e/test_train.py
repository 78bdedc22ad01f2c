"""The Train tab in a real browser: a style is learned, painted in, and kept as a file."""

import dataclasses
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from nst_core.instant import trainer
from nst_core.instant.styles import load_styles
from nst_core.ui.studio.instant_session import InstantSession
from nst_core.ui.train import tab as train
from tests.e2e.test_instant import CHOSEN, says, show, until_painted
from tests.e2e.visitors import fill, upload

pytestmark = pytest.mark.e2e

STYLES = "#styles .thumbnail"
# Open the Instant tab, and type a number as soon as there is a place for it, before all is at rest.
TYPE_AT_ONCE = """async number => {
  [...document.querySelectorAll('[role=tab]')].find(tab => tab.textContent.trim() === 'Instant').click();
  let field;
  while (!(field = document.querySelector('#instant-size input'))) await new Promise(then => setTimeout(then));
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, number);
  field.dispatchEvent(new Event('input', {bubbles: true}));
}"""


@pytest.fixture(autouse=True)
def small_lessons(monkeypatch):
    """Lessons of small crops, with small previews, as the page learns in this very process."""
    monkeypatch.setattr(train, "QUICK", dataclasses.replace(train.QUICK, batch=1, crop=64))
    monkeypatch.setattr(trainer, "PREVIEW_SIDE", 64)


def unfold(page: Page, name: str) -> None:
    """Open what is folded, if no test before has done so."""
    fold = page.get_by_role("button", name=name)
    if "open" not in fold.get_attribute("class").split():
        fold.click()


def saved(page: Page, elem_id: str, folder: Path) -> Path:
    """The file that a button downloads."""
    with page.expect_download() as download:
        page.click(f"#{elem_id}")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_style_is_learned_painted_in_and_taken_to_another_page(open_page, kept_page, picture_files, tmp_path):
    page, count = show(open_page(), "Train"), len(InstantSession().names)
    page.click("#train-run")
    says(page, "train-status", "there is no style picture; drop one or click an example")
    page.locator("#train-examples img").first.click()
    expect(page.locator("#train-picture img").first).to_be_visible()
    page.locator("#train-name input, #train-name textarea").fill("red rain")
    fill(page, "train-steps", 10)
    unfold(page, "Photographs to learn on")
    fill(page, "train-style-size", 64)
    page.click("#train-run")
    expect(page.locator("#train-stop")).to_be_enabled()
    says(page, "train-status", "Red rain is among the styles of the Instant tab", timeout=120_000)
    expect(page.locator("#train-losses")).to_contain_text("at step 10")
    expect(page.locator("#train-run")).to_be_enabled()
    learned = saved(page, "train-file", tmp_path)
    assert learned.name == "red_rain.safetensors" and load_styles(learned).network.styles == ("red_rain", "photo")

    page.evaluate(TYPE_AT_ONCE, "64")
    show(page, "Instant")
    expect(page.locator("#instant-size input")).to_have_value("64")
    expect(page.locator(STYLES)).to_have_count(count + 1)
    expect(page.locator(CHOSEN)).to_have_text("red rain")
    upload(page, "instant-picture", picture_files[0])
    says(page, "instant-status", "Red rain: 64×43 pixels")
    shown = until_painted(page, None)
    page.locator(STYLES).first.click()
    shown = until_painted(page, shown)
    page.locator("#blend input").click()
    page.get_by_role("option", name="red rain").click()
    says(page, "instant-status", ".* with 50% red rain: 64×43 pixels")
    until_painted(page, shown)
    page.locator(STYLES).last.click()
    expect(page.locator(CHOSEN)).to_have_text("red rain")
    says(page, "instant-status", "Red rain: 64×43 pixels")
    page.click("#polish")
    expect(page.locator("#style img").first).to_be_visible()  # the picture that it was learned from

    other = show(kept_page.anew(), "Instant")
    expect(other.locator(STYLES)).to_have_count(count)
    show(other, "Train")
    unfold(other, "Styles as files")
    other.set_input_files("#load-styles input[type=file]", learned)
    says(other, "train-status", "Among the styles of the Instant tab now: red rain")
    kept = saved(other, "save-style", tmp_path)  # the first click downloads, and what is chosen now
    assert kept.name == "red_rain.safetensors"
    show(other, "Instant")
    expect(other.locator(CHOSEN)).to_have_text("red rain")
    first = other.locator(STYLES).first
    first.click()
    expect(first).to_have_attribute("aria-pressed", "true")
    show(other, "Train")
    assert saved(other, "save-style", tmp_path).name == f"{InstantSession().names[0]}.safetensors"


def test_learning_is_shown_and_what_is_stopped_is_kept(kept_page, picture_files):
    page = show(kept_page.as_it_is(), "Train")
    upload(page, "train-picture", picture_files[1])
    fill(page, "train-steps", 5000)
    unfold(page, "Photographs to learn on")
    fill(page, "train-style-size", 64)
    page.click("#train-run")
    expect(page.locator("#train-preview canvas")).to_be_visible(timeout=120_000)
    says(page, "train-status", r"Step \d+ of 5000 · .* left")
    page.click("#train-stop")
    says(page, "train-status", r"Style is among the styles of the Instant tab\. ?\s*\d+ steps")
    show(page, "Instant")
    expect(page.locator(CHOSEN)).to_have_text("style")


def test_what_is_no_file_of_styles_is_named(kept_page, tmp_path):
    (tmp_path / "letter.safetensors").write_text("Dear reader")
    page = show(kept_page.as_it_is(), "Train")
    unfold(page, "Styles as files")
    page.set_input_files("#load-styles input[type=file]", tmp_path / "letter.safetensors")
    expect(page.get_by_text(re.compile("letter.safetensors is no file of styles"))).to_be_visible()
    expect(page.locator("#load-styles input[type=file]")).to_have_count(1)  # empty again, ready for another
