"""A cut-out is put into its place, on a page with nothing else."""

import json
import re

import gradio as gr
import pytest
import torch
from playwright.sync_api import Page, expect

from nst_core.ui.widgets.cutout_placer import Placer, placement

pytestmark = pytest.mark.e2e

PIECE = "#placer .piece"
# Two looks at it that find it in the same place, so that it can be held there.
LIES_STILL = """piece => new Promise(still => {
  const look = before => {
    const now = JSON.stringify(piece.getBoundingClientRect());
    if (now === before) still(); else setTimeout(look, 100, now);
  };
  look();
})"""


def value(x: float, y: float, scale: float) -> dict:
    """A grey picture of 300×200 and a red square with a transparent corner."""
    ground = torch.linspace(0.3, 0.8, 300).expand(1, 3, 200, 300)
    square = torch.tensor([0.8, 0.2, 0.1, 1.0]).view(1, 4, 1, 1).repeat(1, 1, 60, 60)
    square[:, 3, :20, :20] = 0
    return placement(ground, square, x, y, scale)


@pytest.fixture(scope="module")
def url():
    """A page with the placer, what it told, and two ways to give it something else."""
    with gr.Blocks() as demo:
        placer = Placer(value(0.5, 0.5, 0.2), elem_id="placer")
        place = gr.Textbox(elem_id="place", lines=1, interactive=False)
        placer.place(tell, None, place, queue=False)
        gr.Button("Other", elem_id="other").click(lambda: value(0.3, 0.4, 0.5), None, placer)
        gr.Button("None", elem_id="none").click(lambda: None, None, placer)
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield url
    demo.close()


def tell(event: gr.EventData) -> str:
    return json.dumps([event.x, event.y, event.scale])


@pytest.fixture
def open_placer(browser_tab, url):
    """A function that opens the page."""

    def open_one(page: Page = browser_tab, width: int = 1280) -> Page:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(url)
        expect(page.locator(PIECE)).to_be_visible(timeout=30_000)
        expect(page.locator("#placer .where")).to_contain_text("50 %")
        page.locator(PIECE).evaluate(LIES_STILL)
        return page

    return open_one


@pytest.fixture
def page(open_placer) -> Page:
    return open_placer()


def told(page: Page) -> list[float]:
    """What the page is told next, x, y and scale."""
    field, seen = "document.querySelector('#place textarea, #place input').value", "(window.seen ?? '')"
    page.wait_for_function(f"{field} !== {seen}", timeout=15_000)
    return json.loads(page.evaluate(f"window.seen = {field}"))


def grip(page: Page, corner: bool = False) -> tuple[float, float]:
    """Where to hold the cut-out, in pixels of the page."""
    box = page.locator(PIECE).bounding_box()
    if corner:
        return box["x"] + box["width"] - 8, box["y"] + box["height"] - 8
    return box["x"] + box["width"] / 2 - 5, box["y"] + box["height"] / 2 - 5


def drag(page: Page, right: float, down: float, corner: bool = False) -> None:
    """By shares of the picture."""
    scene, (x, y) = page.locator("#placer .scene").bounding_box(), grip(page, corner)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right * scene["width"], y + down * scene["height"], steps=5)
    page.mouse.up()


def lies(page: Page) -> list[float]:
    """Left, top, width and height of the cut-out as shares of the picture, as one sees it."""
    scene, piece = (page.locator(f"#placer {name}").bounding_box() for name in (".scene", ".piece"))
    return [
        (piece["x"] - scene["x"]) / scene["width"],
        (piece["y"] - scene["y"]) / scene["height"],
        piece["width"] / scene["width"],
        piece["height"] / scene["height"],
    ]


def test_a_cutout_is_shown_where_it_lies(page):
    assert lies(page) == pytest.approx([0.4, 0.35, 0.2, 0.3], abs=0.01)
    expect(page.locator("#placer .where")).to_have_text("Centre 50 % from the left, 50 % from the top; size 20 %")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_mouse_drags_it_and_a_corner_resizes_it(open_placer, width):
    page = open_placer(width=width)
    drag(page, 0.2, -0.1)
    assert told(page) == pytest.approx([0.7, 0.4, 0.2], abs=0.01)
    assert lies(page) == pytest.approx([0.6, 0.25, 0.2, 0.3], abs=0.01)
    drag(page, 0.1, 0.15, corner=True)
    assert told(page) == pytest.approx([0.75, 0.475, 0.3], abs=0.01)
    assert lies(page) == pytest.approx([0.6, 0.25, 0.3, 0.45], abs=0.01)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_it_stays_within_the_picture(page):
    drag(page, 2, -2)
    assert told(page) == pytest.approx([0.9, 0.15, 0.2], abs=0.001)
    drag(page, 2, 2, corner=True)  # the corner reaches the right border at once
    page.locator(PIECE).press("ArrowLeft")
    assert told(page) == pytest.approx([0.89, 0.15, 0.2], abs=0.001)
    drag(page, -2, 2)
    assert told(page) == pytest.approx([0.1, 0.85, 0.2], abs=0.001)
    drag(page, -2, -2, corner=True)
    assert told(page)[2] == pytest.approx(0.02)


def test_the_keyboard_moves_and_resizes_it_and_tells_so_once_a_key(page):
    piece = page.locator(PIECE)
    page.keyboard.press("Tab")
    expect(piece).to_be_focused()
    page.keyboard.press("ArrowRight")
    assert told(page) == [0.51, 0.5, 0.2]
    page.keyboard.press("Shift+ArrowUp")
    assert told(page) == [0.51, 0.45, 0.2]
    page.keyboard.press("+")
    assert told(page) == [0.51, 0.45, 0.21]
    page.keyboard.press("-")
    assert told(page) == [0.51, 0.45, 0.2]
    expect(piece).to_be_focused()
    expect(piece).to_have_attribute("aria-label", re.compile("Centre 51 % from the left, 45 % from the top; size 20 %"))
    page.keyboard.press("Tab")
    expect(piece).not_to_be_focused()


def test_the_wheel_resizes_it_once_it_is_clicked_and_scrolls_the_page_before(page):
    page.mouse.move(*grip(page))
    page.mouse.wheel(0, -100)
    page.locator(PIECE).click()
    page.mouse.wheel(0, -100)
    assert told(page) == pytest.approx([0.5, 0.5, 0.21])
    page.mouse.wheel(0, 100)
    assert told(page) == pytest.approx([0.5, 0.5, 0.2])


def test_a_finger_drags_it(open_placer, new_visitor):
    page = open_placer(new_visitor(has_touch=True, is_mobile=True), 390)
    scene, (x, y) = page.locator("#placer .scene").bounding_box(), grip(page)
    touch = page.context.new_cdp_session(page)

    def finger(kind: str, *points: tuple[float, float]) -> None:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    finger("touchStart", (x, y))
    for share in (0.05, 0.1, 0.15, 0.2):
        finger("touchMove", (x + share * scene["width"], y + share * scene["height"]))
    finger("touchEnd")
    assert told(page) == pytest.approx([0.7, 0.7, 0.2], abs=0.02)
    assert page.evaluate("scrollY") == 0


def test_a_new_value_takes_its_place_and_no_value_leaves_a_hint(page):
    drag(page, 0.2, 0.1)
    told(page)
    page.click("#other")
    expect(page.locator("#placer .where")).to_have_text("Centre 30 % from the left, 40 % from the top; size 50 %")
    assert lies(page) == pytest.approx([0.05, 0.025, 0.5, 0.75], abs=0.01)
    drag(page, 0.1, 0)
    assert told(page) == pytest.approx([0.4, 0.4, 0.5], abs=0.01)
    page.click("#other")  # the very same value: back to where it says
    expect(page.locator("#placer .where")).to_contain_text("Centre 30 %")
    page.click("#none")
    expect(page.locator("#placer")).to_contain_text("Give a picture and a cut-out")
    expect(page.locator(PIECE)).to_have_count(0)
    page.click("#other")
    assert lies(page) == pytest.approx([0.05, 0.025, 0.5, 0.75], abs=0.01)


def test_the_focus_is_to_be_seen_and_nothing_is_cut_off(open_placer, new_visitor):
    page = open_placer(new_visitor(color_scheme="dark"))
    page.locator(PIECE).focus()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.keyboard.press("ArrowLeft")
        outline = page.locator(PIECE).evaluate("piece => getComputedStyle(piece).outlineStyle")
        assert outline == "solid"
        box = page.locator("#placer .scene").bounding_box()
        assert box["width"] / box["height"] == pytest.approx(1.5, abs=0.01) and box["width"] > 250
