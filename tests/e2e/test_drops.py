"""Pictures dropped and pasted on the page in a real browser."""

import base64
import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

# Drops or pastes files and words on what a selector finds; whether the browser would do something of its own.
LET_GO = """([kind, place, files, words]) => {
  const given = new DataTransfer();
  for (const [name, type, data] of files)
    given.items.add(new File([Uint8Array.from(atob(data), letter => letter.charCodeAt(0))], name, {type}));
  for (const [type, text] of Object.entries(words)) given.setData(type, text);
  const how = {bubbles: true, cancelable: true};
  const event = kind === 'paste' ? new ClipboardEvent('paste', {...how, clipboardData: given})
    : new DragEvent(kind, {...how, dataTransfer: given});
  return document.querySelector(place).dispatchEvent(event);
}"""
BESIDE = "#title"


def let_go(page: Page, place: str, *files, kind: str = "drop", **words) -> bool:
    given = [(name, type_, base64.b64encode(path.read_bytes()).decode()) for name, type_, path in files]
    return page.evaluate(LET_GO, [kind, place, given, {key.replace("_", "/"): text for key, text in words.items()}])


def shown(page: Page, elem_id: str, name: str) -> None:
    expect(page.locator(f"#{elem_id} .image-frame img")).to_have_attribute("src", re.compile(f"{name}$"))


@pytest.fixture
def page(kept_page) -> Page:
    """The page, on which pictures may lie already."""
    return kept_page.as_it_is()


def test_pictures_are_taken_wherever_they_come_from_or_it_is_said_why_not(page, picture_files):
    content, style = picture_files
    let_go(page, "#content button", ("one.png", "image/png", content))
    shown(page, "content", "one.png")
    let_go(page, "#content .image-frame", ("two.png", "image/png", style))  # onto a filled field
    shown(page, "content", "two.png")
    assert not let_go(page, BESIDE, ("three.png", "image/png", style))  # or the browser would open it
    expect(page.locator(".notice")).to_contain_text("Drop files on one of the fields")
    let_go(page, "#content .image-frame", text_plain="a word")
    expect(page.locator(".notice")).to_contain_text("is no file")
    let_go(page, "#content .image-frame", **{"text/uri-list": "https://elsewhere.test/a.png"})
    expect(page.locator(".notice")).to_contain_text("lies on another page")
    shown(page, "content", "two.png")  # nothing was lost
    source = page.locator("#content .image-frame img").get_attribute("src")
    let_go(page, "#style button", **{"text/uri-list": source})  # a picture of this page
    shown(page, "style", "picture.png")
    page.locator("#content").click()
    let_go(page, "body", ("pasted.png", "image/png", content), kind="paste")
    shown(page, "content", "pasted.png")


def test_text_goes_into_fields_for_text_as_ever(page):
    assert let_go(page, "#alpha input[type=number]", text_plain="3")
    assert let_go(page, "#alpha input[type=number]", kind="dragover", text_plain="3")
    assert let_go(page, "#alpha input[type=number]", kind="paste", text_plain="3")
