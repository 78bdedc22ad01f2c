"""What it costs to open the page: a processor's seconds until it rests, of the server and of the browser's parts.

A new page each time, in a browser that has kept the page's programs from the time before.

    python -m tests.benchmarks.opening [--times 5]
"""

import argparse
import asyncio
import statistics
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil
from playwright.sync_api import BrowserContext, sync_playwright

from tests.benchmarks.siege.server import Server
from tests.e2e.visitors import ARGUMENTS, CHROMIUM

LOOK = 0.1  # seconds between two looks at the processes
RESTS = 5  # looks in a row between which they take no more than a tick of the system's clock
PARTS = {"renderer": "page", "gpu-process": "drawing", "utility": "network"}


def spent(server: int) -> Counter[str]:
    """Tell a processor's seconds so far, of the server and of each part of the browsers that this process began."""
    found: Counter[str] = Counter()
    for process in (psutil.Process(server), *psutil.Process().children(recursive=True)):
        try:
            line, times = process.cmdline(), process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        kinds = [word.removeprefix("--type=") for word in line if word.startswith("--type=")]
        if process.pid == server:
            found["server"] = times.user + times.system
        elif line and "chromium" in line[0]:
            found[PARTS.get(kinds[0], "browser") if kinds else "browser"] += times.user + times.system
    return found


def opened(context: BrowserContext, server: Server) -> dict[str, float]:
    """Open the page as somebody who was never here; tell what each part took, and what of it scripts and layout are."""
    page = context.new_page()
    measuring = context.new_cdp_session(page)
    measuring.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = spent(server.pid)
    page.goto(server.url)
    page.locator("#run").wait_for(timeout=60_000)
    last, rests = spent(server.pid), 0
    while rests < RESTS:
        time.sleep(LOOK)
        now = spent(server.pid)
        rests = rests + 1 if now.total() - last.total() < 0.015 else 0
        last = now
    told = {one["name"]: one["value"] for one in measuring.send("Performance.getMetrics")["metrics"]}
    layout = told["LayoutDuration"] + told["RecalcStyleDuration"]
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.close()
    took = {part: last[part] - before[part] for part in ("server", "browser", "network", "drawing", "page")}
    return {**took, "in all": sum(took.values()), "scripts of the page": told["ScriptDuration"], "its layout": layout}


def main(times: int) -> None:
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, closing(Server(Path(folder))) as server:
        asyncio.run(server.start())
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            opened(context, server)  # which fills the browser's cache
            rows = [opened(context, server) for _ in range(times)]
            browser.close()
        page = httpx.get(server.url, trust_env=False)
    for part in rows[0]:
        column = [row[part] for row in rows]
        print(f"{part:20} {statistics.median(column):6.2f} s  ({min(column):.2f} to {max(column):.2f})")
    size, sent = len(page.content) / 1000, int(page.headers["content-length"]) / 1000
    print(f"{'the page itself':20} {sent:6.0f} kB, {size:.0f} unpacked")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--times", type=int, default=5)
    main(options.parse_args().times)
