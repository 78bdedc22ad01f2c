"""The camera painted as it goes, with a browser watching: frames a second, how old they are, how soon a style switches.

The network has random weights, which take as long as trained ones.

    python -m tests.benchmarks.live [WIDTHxHEIGHT]
"""

import itertools
import statistics
import sys
import time

import gradio as gr
import torch
from playwright.sync_api import Page, sync_playwright
from starlette.middleware import Middleware

from nst_core.devices import choose_compute, keep_freed_memory
from nst_core.engine.devices import DEVICES
from nst_core.instant.network import PHOTO, TransformationNetwork
from nst_core.instant.painter import Painter
from nst_core.ui.instant.camera_view import live_area
from nst_core.ui.page.slow_animations import CalmPages
from nst_core.ui.studio.camera import ROUTE, Live
from tests.e2e.visitors import ARGUMENTS, CHROMIUM

CAMERA = ["--use-fake-device-for-media-stream=fps=30", "--use-fake-ui-for-media-stream"]
SECONDS, SWITCHES = 8, 10
STYLES = ("a", "b")

# Moment and style of each frame that is shown.
OBSERVE = """
window.seen = [];
const canvas = document.querySelector('.live canvas');
new MutationObserver(() => seen.push([Date.now(), Number(canvas.dataset.style)]))
  .observe(canvas, {attributeFilter: ['data-frames']});
"""


def random_painter() -> Painter:
    return Painter([TransformationNetwork([*STYLES, PHOTO])], choose_compute())


def alone(paint, size: tuple[int, int]) -> float:
    """Seconds a frame without page or browser, median."""
    frame, took = torch.rand(1, 3, *size), []
    for _ in range(40):
        began = time.perf_counter()
        paint(frame)
        took.append(time.perf_counter() - began)
    return statistics.median(took[5:])


def watched(page: Page, live: Live, paints) -> dict[str, float]:
    """What a browser sees of some seconds, and of some switches between styles."""
    page.wait_for_function("Number(document.querySelector('.live canvas').dataset.frames) > 20", timeout=60_000)
    painted = live.frames
    page.evaluate("seen.length = 0")
    page.wait_for_timeout(1000 * SECONDS)
    seen, painted = page.evaluate("seen"), live.frames - painted
    gaps = sorted(after[0] - before[0] for before, after in itertools.pairwise(seen))
    words = page.locator(".live .rate").inner_text()
    switches = [switched(page, live, paint) for _, paint in zip(range(SWITCHES), itertools.cycle(paints), strict=False)]
    return {
        "frames shown a second": (len(seen) - 1) / (seen[-1][0] - seen[0][0]) * 1000,
        "frames painted and not shown": painted - len(seen),
        "ms between two frames, 95 %": gaps[int(0.95 * len(gaps))],
        "ms behind the camera": float(words.split(", ")[-1].split()[0]),
        "ms to switch, median": 1000 * statistics.median(switches),
        "ms to switch, longest": 1000 * max(switches),
    }


def switched(page: Page, live: Live, paint) -> float:
    """Seconds until a frame in the new style is shown."""
    live.paint = paint
    began = 1000 * time.time()
    page.wait_for_timeout(700)
    return (next(moment for moment, style in page.evaluate("seen") if style == live.version) - began) / 1000


def main(size: str) -> None:
    keep_freed_memory()
    width, height = map(int, size.split("x"))
    painter = DEVICES.submit(random_painter).result()  # made elsewhere, it would take half as long again to paint
    paints = [lambda image, style=style: painter.paint(image, {style: 1.0}) for style in STYLES]
    bare = DEVICES.submit(alone, paints[0], (height, width)).result()
    live = Live()
    live.paint = paints[1]
    with gr.Blocks(analytics_enabled=False) as demo:
        live_area(value=live.token)
    _, url, _ = demo.launch(
        app_kwargs={"routes": [ROUTE], "middleware": [Middleware(CalmPages)]},
        prevent_thread_lock=True,
        quiet=True,
        server_name="127.0.0.1",
        ssr_mode=False,
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *CAMERA])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url)
        page.get_by_label("Size").select_option(size.replace("x", "×"))
        page.evaluate(OBSERVE)
        page.get_by_role("button", name="Start camera").click()
        found = watched(page, live, paints)
        browser.close()
    demo.close()
    print(f"{size}, {choose_compute()}")
    for name, value in {"ms to paint a frame, alone": 1000 * bare, **found}.items():
        print(f"{name:30} {value:7.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:] or ["320x240"])
