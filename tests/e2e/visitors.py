"""The page on a real port and Debian's Chromium in front of it."""

import dataclasses
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from nst_core.assets import ASSETS
from nst_core.engine.devices import DEVICES
from nst_core.engine.jobs import stop_all
from nst_core.engine.lane import DEVICE_LANE
from nst_core.pictures import notes
from nst_core.transfer.presets import PLAIN_PRESET, PRESETS
from nst_core.transfer.run import Run
from nst_core.ui.page.toasts import remark
from nst_core.ui.studio.looks import LOOKS

WITH_CAMERA = shutil.which("chromium")
CHROMIUM = shutil.which("chromium-headless-shell") or WITH_CAMERA  # which takes half as long again
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def app_url(random_weights_folder, tmp_path_factory):
    """The page, served here, with VGG-19 from NST_WEIGHTS or else with random weights.

    Its plain preset does not end by itself, so that a test can stop it however small the picture is; and what is
    there to be stopped leaves the processor to the page.
    """
    set_here = {
        "NST_WEIGHTS": os.environ.get("NST_WEIGHTS") or str(random_weights_folder),
        "NST_DEVICE": "cpu",  # where Lite is the default
        "GRADIO_TEMP_DIR": str(tmp_path_factory.mktemp("uploads")),  # which another server must not tidy up
    }
    before = {name: os.environ.get(name) for name in set_here}
    os.environ.update(set_here)
    plain = PRESETS[PLAIN_PRESET]
    PRESETS[PLAIN_PRESET] = dataclasses.replace(plain, config=plain.config.changed(tolerance=0))
    next_of = DEVICES.next_of
    DEVICES.next_of = unhurried(next_of)
    from app import LAUNCH, demo

    with notes.told_to(remark):  # whoever imported the page first
        _, url, _ = demo.launch(**LAUNCH, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
        yield url
        demo.close()
    DEVICES.next_of = next_of
    PRESETS[PLAIN_PRESET] = plain
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


ENDLESS = 10_000  # steps, or more, to whose end no test waits
BEGUN = 0.01  # of a figure or a batch, less of which is made by a step only where there is no end to wait for


def unhurried(next_of: Callable[[Iterator], Any]) -> Callable[[Iterator], Any]:
    """Rest after each step of what is without end, which would take all that a core has until it is stopped."""

    def rested(steps: Iterator) -> Any:
        made = next_of(steps)
        if steps.config.steps >= ENDLESS if isinstance(steps, Run) else getattr(made, "share", 1) < BEGUN:
            time.sleep(0.1)
        return made

    return rested


@pytest.fixture(autouse=True)
def idle():
    """Nothing goes on after a test, as paintings outlive their pages."""
    yield
    stop_all(DEVICE_LANE, "")


expect.set_options(timeout=15_000)  # ms, as workers share the cores; a page that is fast waits no longer for it


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip("needs Debian's Chromium (apt-get install chromium-headless-shell)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Contexts:
    """A browser's contexts, lent to visitors one after the other.

    One that was given back knows nothing of who was there, but its cache does of the page's programs, of which most of
    the time goes that it takes to open in a new one.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.idle: dict[str, list[BrowserContext]] = {}
        self.lent: dict[BrowserContext, list[BrowserContext]] = {}

    def lend(self, **options) -> BrowserContext:
        """A context without pages that nobody else uses."""
        idle = self.idle.setdefault(repr(options), [])
        context = idle.pop() if idle else self.browser.new_context(**options)
        self.lent[context] = idle
        return context

    def give_back(self, context: BrowserContext) -> None:
        """Close its pages, and have it forget them."""
        context.set_offline(False)
        for page in context.pages[1:]:
            page.close()
        blank = context.pages[0] if context.pages else context.new_page()  # a new one takes half a second
        blank.goto("about:blank")
        everything = {"origin": "*", "storageTypes": "all"}
        context.new_cdp_session(blank).send("Storage.clearDataForOrigin", everything)
        blank.close()
        self.lent.pop(context).append(context)


@pytest.fixture(scope="session")
def browser_contexts(browser) -> Contexts:
    """Those of the browser in which most visitors come."""
    return Contexts(browser)


@contextmanager
def visitors(contexts: Contexts) -> Iterator[Callable[..., Page]]:
    """A function that makes an empty page of a width; at the end no page may have met an error."""
    lent, errors = [], []

    def visitor(width: int = 1280, **options) -> Page:
        lent.append(contexts.lend(**options))
        page = lent[-1].new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield visitor
    for context in lent:
        contexts.give_back(context)
    assert errors == []


@pytest.fixture
def new_visitor(browser_contexts):
    """Visitors who leave when the test ends."""
    with visitors(browser_contexts) as visitor:
        yield visitor


@pytest.fixture(scope="module")
def lasting_visitor(browser_contexts):
    """Visitors who stay for all tests of a module."""
    with visitors(browser_contexts) as visitor:
        yield visitor


def look_often(page: Page, *every: float) -> None:
    """Have a page that looks for news every so many seconds look eight times as often, from its next opening on."""
    waits = [round(1000 * seconds) for seconds in every]
    page.add_init_script(f"""(later => {{
      window.setTimeout = (what, wait, ...given) => later(what, {waits}.includes(wait) ? wait / 8 : wait, ...given);
    }})(window.setTimeout)""")


def forget(page: Page) -> None:
    """Make the browser one that was never here, once it goes on to another page."""
    if page.url.startswith("http"):
        page.evaluate("localStorage.clear(); sessionStorage.clear()")


def load(page: Page, url: str) -> Page:
    """The page as it opens in a browser that was never here."""
    forget(page)
    page.goto(url)
    page.locator("#run").wait_for()  # `expect` describes all of the page each time that it finds nothing
    return page


@pytest.fixture
def open_page(new_visitor, app_url):
    """A function that opens the page as one more visitor."""
    return lambda width=1280, query="": load(new_visitor(width), app_url + query)


@pytest.fixture(scope="module")
def browser_tab(lasting_visitor) -> Page:
    """Where a module's tests open pages one after the other, which is sooner done than as a visitor each."""
    return lasting_visitor()


@pytest.fixture
def page(browser_tab, app_url) -> Page:
    """The page as it opens, which takes seconds of a processor: to be asked for where `kept_page` does not do."""
    browser_tab.set_viewport_size({"width": 1280, "height": 900})
    return load(browser_tab, app_url)


# What all fields hold, which pictures are in their places, and whether nothing is painted: names and values.
FIELDS = """() => {
  const values = {idle: !document.querySelector('#run').disabled};
  for (const field of document.querySelectorAll('input:not([type=file]), textarea, select, .image-container img')) {
    const place = field.closest('[id]'), number = [...place.querySelectorAll('input, textarea, select, img')];
    const shown = field.tagName === 'IMG' ? 'src' : ['checkbox', 'radio'].includes(field.type) ? 'checked' : 'value';
    values[`${place.id} ${number.indexOf(field)}`] = field[shown];
  }
  return values;
}"""
FORGET = "document.querySelectorAll('.status').forEach(line => { line.firstElementChild.textContent = ''; })"


class KeptPage:
    """A page that tests share: opened again only where one of them left its fields otherwise than it found them.

    What was said is wiped away, so that no test takes it for an answer to itself.
    """

    def __init__(
        self,
        page: Page,
        open_anew: Callable[[Page], object],
        set_by_tests: tuple[str, ...] = (),
        bring_back: Callable[[Page], object] | None = None,
    ) -> None:
        """Args: set_by_tests are elem_ids of fields that every test sets that needs them; bring_back sets the rest."""
        self.page, self.open_anew, self.set_by_tests, self.bring_back = page, open_anew, set_by_tests, bring_back
        self.opened: dict[str, object] | None = None

    def ready(self) -> Page:
        """The page, with its fields as they were when it was opened."""
        if self.is_changed() and self.bring_back:
            self.bring_back(self.page)
            for _ in range(30):
                if not self.is_changed():
                    break
                self.page.wait_for_timeout(100)
        if self.is_changed():
            self.opened = None
        return self.as_it_is()

    def is_changed(self) -> bool:
        """Whether fields are otherwise than they were when it was opened."""
        return bool(self.opened and self.opened.items() - self.fields().items())

    def anew(self) -> Page:
        """The page, opened anew in any case."""
        self.opened = None
        return self.as_it_is()

    def as_it_is(self) -> Page:
        """The page, with what tests before left in its fields, for one that sets all it needs."""
        self.page.set_viewport_size({"width": 1280, "height": 900})
        if self.opened is None:
            self.open_anew(self.page)
            self.opened = self.fields()
        self.page.evaluate(FORGET)
        return self.page

    def fields(self) -> dict[str, object]:
        values = self.page.evaluate(FIELDS)
        return {name: value for name, value in values.items() if name.split()[0] not in self.set_by_tests}


@pytest.fixture(scope="module")
def kept_page(browser_tab, app_url) -> KeptPage:
    """The page without pictures, which a module's tests share."""
    return KeptPage(browser_tab, lambda page: load(page, app_url))


@pytest.fixture(scope="session")
def picture_files(tmp_path_factory) -> tuple[Path, Path]:
    """A content and a style picture as files, cut from the app's own examples."""
    folder = tmp_path_factory.mktemp("pictures")
    paths = []
    for source, name, size in (
        (ASSETS / "photos" / "china_temple.jpg", "content.png", (96, 64)),
        (ASSETS / "styles" / "harvest_sun.jpg", "style.png", (80, 64)),
    ):
        path = folder / name
        Image.open(source).resize(size).save(path)
        paths.append(path)
    return paths[0], paths[1]


def upload(page: Page, elem_id: str, path: Path) -> None:
    """Drop a file on one of the page's picture inputs and wait until it is shown."""
    page.set_input_files(f"#{elem_id} input[type=file]", path)
    page.locator(f"#{elem_id} img").first.wait_for()


def prepare(page: Page, files: tuple[Path, Path], *, size: int = 64, steps: int = 3) -> None:
    """Both pictures, the plain preset's look, and the two numbers that make a run short."""
    choose_plain(page)
    upload(page, "content", files[0])
    upload(page, "style", files[1])
    fill(page, "size", size)
    fill(page, "steps", steps)


def choose_plain(page: Page) -> None:
    """The look that is the plain preset, whose steps wait for no search, and whose losses are of both sides."""
    config = PRESETS[PLAIN_PRESET].config.on("lite")
    number = next(number for number, look in enumerate(LOOKS) if look.config("lite") == config)
    look = page.locator("#looks .thumbnail").nth(number)
    look.click()
    expect(look).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#steps input[type=number]")).to_have_value(str(config.steps))


def fill(page: Page, elem_id: str, value: object) -> None:
    """Type a number into a control and leave it, as gradio reads it then."""
    field = page.locator(f"#{elem_id} input[type=number]")
    field.fill(str(value))
    field.press("Tab")


def wait_for_status(page: Page, pattern: str, timeout: float = 30_000) -> None:
    """Until the text of the status line begins with the pattern."""
    expect(page.locator("#status .status")).to_have_text(re.compile(rf"^\s*{pattern}"), timeout=timeout)
