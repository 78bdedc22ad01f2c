"""A ZIP of class folders is painted and downloaded, on a page with nothing else."""

import csv
import io
import re
import zipfile
from pathlib import Path

import gradio as gr
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.ui.folders.augment import build_augment
from nst_core.ui.page.theme import CSS, THEME
from nst_core.ui.studio.instant_session import bundled
from nst_core.ui.widgets.channel import ROUTE
from nst_core.ui.widgets.pictures import PictureInput
from tests.e2e.visitors import fill

pytestmark = pytest.mark.e2e

PHOTOS = ASSETS / "photos"
CLASSES = {"cat": ("chelsea_cat", "astronaut"), "temple": ("china_temple", "coffee")}


@pytest.fixture(scope="module")
def url():
    """A page with a style picture and the area."""
    with gr.Blocks(analytics_enabled=False) as demo:
        build_augment(PictureInput(label="Style picture", elem_id="style", height=120))
    _, url, _ = demo.launch(
        prevent_thread_lock=True,
        quiet=True,
        server_name="127.0.0.1",
        theme=THEME,
        css=CSS,
        run_history=False,
        app_kwargs={"routes": [ROUTE]},
    )
    yield url
    demo.close()


@pytest.fixture(scope="module")
def area(lasting_visitor, url) -> Page:
    """The page with the area unfolded."""
    page = lasting_visitor()
    page.goto(url)
    opener = page.get_by_role("button", name="Data augmentation")
    expect(opener).to_be_visible(timeout=30_000)
    expect(page.locator("#augment-run")).not_to_be_visible()
    opener.click()
    expect(page.locator("#augment-run")).to_be_visible()
    return page


@pytest.fixture
def packed(tmp_path) -> Path:
    """Two classes of two tiny pictures, in a folder around them."""
    path = tmp_path / "animals.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for label, names in CLASSES.items():
            for name in names:
                file = io.BytesIO()
                Image.open(PHOTOS / f"{name}.jpg").resize((48, 40)).save(file, "JPEG")
                archive.writestr(f"animals/{label}/{name}.jpg", file.getvalue())
    return path


def says(page: Page, pattern: str) -> None:
    """Until the status begins with the pattern."""
    expect(page.locator("#augment-status .status")).to_have_text(re.compile(rf"^\s*{pattern}"), timeout=30_000)


def test_a_zip_of_class_folders_is_asked_for_painted_shown_and_downloaded(area, packed):
    page = area
    page.click("#augment-run")
    says(page, "there is no ZIP; drop one")
    expect(page.locator(".toast-body")).to_contain_text("there is no ZIP; drop one")
    expect(page.locator("#augment-run")).to_be_enabled()
    page.set_input_files("#augment-source input[type=file]", packed)
    expect(page.locator("#augment-source")).to_contain_text("animals")
    fill(page, "augment-size", 32)
    page.click("#augment-run")
    says(page, "Done: 8 of 8 paintings in")
    expect(page.locator("#augment-preview canvas")).to_be_visible()
    expect(page.locator("#augment-run")).to_be_enabled()
    expect(page.locator("#augment-stop")).to_be_disabled()
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    with page.expect_download() as download:
        page.click("#augment-result")
    assert download.value.suggested_filename == "animals-painted.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("labels.csv"), "utf-8")))
        assert sorted(archive.namelist()) == sorted([row["file"] for row in rows] + ["labels.csv"])
        wanted = {
            f"{label}/{name}-{strength}.png"
            for label, names in CLASSES.items()
            for name in names
            for strength in ("0.5", "1")
        }
        assert {row["file"] for row in rows} == wanted
        assert {row["style"] for row in rows} == set(list(bundled().styles)[:2])
        for name in wanted:
            assert images.size_of(images.load(io.BytesIO(archive.read(name)))) == (27, 32)


def test_what_the_chosen_brush_does_not_read_is_not_shown(area):
    styles, steps, by = area.locator("#augment-styles"), area.locator("#augment-steps"), area.locator("#augment-by")
    for brush, read, unread in (("optimiser", steps, styles), ("one pass", styles, steps)):
        by.get_by_label(brush).check()
        expect(read).to_be_visible()
        expect(unread).not_to_be_visible()
