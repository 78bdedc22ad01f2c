"""The page with a browser watching: first frame, frames a second, steering, Stop, and what watching costs.

Painting in the page and painting alone take turns in one process, each several times.

    python -m tests.benchmarks.page [BACKBONE]
"""

import re
import statistics
import sys
import time

from playwright.sync_api import Page, expect, sync_playwright

from nst_core import images
from nst_core.devices import choose_compute
from nst_core.engine.devices import DEVICES
from nst_core.features.vgg import BACKBONES
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS
from nst_core.transfer.stylize import stylize
from tests.benchmarks.material import ASSETS, ensure_weights
from tests.e2e.test_painting import TERM as LEGEND
from tests.e2e.visitors import ARGUMENTS, CHROMIUM, fill, upload

SIZE, STEPS, ROUNDS = 384, 100, 7
PHOTO, STYLE = ASSETS / "photos" / "china_temple.jpg", ASSETS / "styles" / "starlit_valley.jpg"


def alone(backbone: str) -> float:
    """Steps a second of the same run without page or browser."""
    config = PRESETS[DEFAULT_PRESET].config.on(backbone).changed(size=SIZE, steps=STEPS)
    run = stylize(images.load(PHOTO), images.load(STYLE), config, compute=choose_compute())
    next(run)
    began = time.perf_counter()
    for _ in run:
        pass
    return STEPS / (time.perf_counter() - began)


def watched(page: Page) -> tuple[float, float, float]:
    """Seconds to the first frame, frames painted a second, steps a second, of one run in the page."""
    page.evaluate(
        """window.frames_seen = [];
        window.frames_observer ??= new MutationObserver(() => frames_seen.push(performance.now()));
        frames_observer.observe(document.querySelector('#preview canvas'), {attributeFilter: ['data-version']})"""
    )
    began = page.evaluate("performance.now()")
    page.click("#run")
    expect(page.locator("#status .status")).to_have_text(re.compile(r"^\s*Step"), timeout=60_000)
    expect(page.locator("#status .status")).to_have_text(re.compile(r"^\s*Done"), timeout=600_000)
    seen = [moment for moment in page.evaluate("frames_seen") if moment > began]
    return (seen[0] - began) / 1000, (len(seen) - 1) / (seen[-1] - seen[0]) * 1000, LAST["speed"]


LAST: dict[str, float] = {}

TERM = f"({LEGEND})('style conv3_1')"


def watch_runs() -> None:
    """Have every run of the page leave its steps a second, from first to last frame, in LAST."""
    from nst_core.ui.stylize import run as painting

    frames_of = painting.frames_of

    def timed(run):
        began = None
        for frame in frames_of(run):
            began = began or time.perf_counter()
            yield frame
        LAST["speed"] = frame.step / (time.perf_counter() - began)

    painting.frames_of = timed


def choose(page: Page, backbone: str) -> None:
    """Pick a network from the page's menu."""
    page.get_by_text("Network and optimiser").click()
    page.locator("#backbone input").click()
    page.get_by_role("option", name=BACKBONES[backbone], exact=True).click()
    page.get_by_text("Network and optimiser").click()


def main(backbone: str) -> None:
    ensure_weights()
    from app import LAUNCH, demo

    watch_runs()
    _, url, _ = demo.launch(**LAUNCH, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url)
        expect(page.locator("#run")).to_be_visible(timeout=30_000)
        upload(page, "content", PHOTO)
        upload(page, "style", STYLE)
        fill(page, "size", SIZE)
        fill(page, "steps", STEPS)
        choose(page, backbone)
        watched(page)  # weights are loaded now
        rows = []
        for _ in range(ROUNDS):
            first, frames, speed = watched(page)
            rows.append((first, frames, speed, DEVICES.submit(alone, backbone).result()))
        steered = steer_latency(page)
        stop = stop_latency(page)
        browser.close()
    demo.close()
    report(backbone, rows, steered, stop)


def steer_latency(page: Page) -> float:
    """Seconds from a weight that is set to a page that shows the terms it makes, at the last scale; median of some."""
    fill(page, "steps", 10_000)
    page.get_by_text("Network and optimiser").click()
    fill(page, "smallest-scale", 0)
    page.click("#run")
    expect(page.locator("#status .status")).to_have_text(re.compile(r"^\s*Step \d\d"), timeout=60_000)
    took, beta = [], 9.0
    for factor in (100, 0.01) * ROUNDS:
        beta *= factor
        before = page.evaluate(TERM)
        field = page.locator("#beta input[type=number]")
        field.fill(f"{beta:g}")
        began = time.perf_counter()
        field.press("Tab")
        bound = 10 * before if factor > 1 else before / 10
        page.wait_for_function(f"bound => ({TERM} - bound) * {factor - 1} > 0", arg=bound, polling=5)
        took.append(time.perf_counter() - began)
        page.wait_for_timeout(1500)
    page.click("#stop")
    page.wait_for_function("/Stopped/.test(document.querySelector('#status').innerText)")
    return statistics.median(took)


def stop_latency(page: Page) -> float:
    """Seconds from the click on Stop to the result on the page."""
    fill(page, "steps", 10_000)
    page.click("#run")
    expect(page.locator("#status .status")).to_have_text(re.compile(r"^\s*Step [3-9]"), timeout=60_000)
    began = time.perf_counter()
    page.click("#stop")
    page.wait_for_function("/Stopped/.test(document.querySelector('#status').innerText)", polling=10)
    return time.perf_counter() - began


def report(backbone: str, rows, steered: float, stop: float) -> None:
    first, frames, speed, bare = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"{BACKBONES[backbone]}, {SIZE} px, {choose_compute()}, medians of {ROUNDS} runs of {STEPS} steps in turns")
    print(f"first frame after the click   {first:6.2f} s")
    print(f"frames painted                {frames:6.2f} /s")
    print(f"steps, page with a browser    {speed:6.2f} /s")
    print(f"steps, alone                  {bare:6.2f} /s")
    print(f"cost of page and browser      {1 - speed / bare:6.1%}")
    print(f"weight to terms on the page   {steered:6.2f} s")
    print(f"Stop to result                {stop:6.2f} s  (a step takes {1 / speed:.2f} s)")


if __name__ == "__main__":
    main(*sys.argv[1:] or ["vgg19"])
