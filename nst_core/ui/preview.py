"""The picture while it is painted: the browser fetches the newest frame when it has shown the last one.

Frames that nobody asks for are dropped, so a slow connection sees fewer pictures rather than old ones, and nothing
is written to disk. The status line comes along: through gradio's own events, which touch every component of the page,
it would cost the machine that paints as much as the pictures do.
"""

import asyncio
import secrets
import threading
import time
from typing import Any, ClassVar

import gradio as gr
from torch import Tensor

from nst_core.ui.pictures import data_uri

MAX_SIDE = 1024  # pixels; of a preview
FRAME_SECONDS = 0.2  # at least, between two frames shown: each costs the machine that paints some of its time
CALM_RATE = 4  # animation frames a second while painting and nobody touches the page
POLL_SECONDS = 0.03  # between two looks for a new frame
WAIT_SECONDS = 2.0  # an answer comes by then, with or without a new frame
KEEP_SECONDS = 30.0  # for a browser that is late to fetch the last frame


class Preview:
    """The newest picture of one run. Who knows its token can see it; it cannot be guessed."""

    live: ClassVar[dict[str, "Preview"]] = {}

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(16)
        self.version = 0
        self.image: Tensor | None = None
        self.status = ""
        self.done = False
        Preview.live[self.token] = self

    def put(self, image: Tensor, status: str) -> None:
        """Make image (1, 3, H, W) and its status line, as HTML, the newest. Costs nothing until somebody asks."""
        self.image, self.status = image, status
        self.version += 1

    def close(self) -> None:
        """No more pictures will come."""
        self.done = True
        timer = threading.Timer(KEEP_SECONDS, Preview.live.pop, (self.token, None))
        timer.daemon = True
        timer.start()


async def next_frame(request: list[Any]) -> dict[str, Any] | None:
    """The newest frame of a run, when there is one that the browser has not seen.

    Args:
        request: [token, version seen last].

    Returns:
        {"version", "done", "source", "status"}, source being a data URI or None; None if there is no such run.
    """
    token, seen = request
    preview = Preview.live.get(token)
    if preview is None:
        return None
    began = time.monotonic()
    while preview.version <= seen and not preview.done and time.monotonic() - began < WAIT_SECONDS:
        await asyncio.sleep(POLL_SECONDS)
    done = preview.done  # read first: what was put before it must be in the version read next
    version, image, status = preview.version, preview.image, preview.status
    if image is None or version <= seen:
        return {"version": seen, "done": done, "source": None, "status": status}
    source = await asyncio.to_thread(data_uri, image, max_side=MAX_SIDE)
    return {"version": version, "done": done, "source": source, "status": status}


TEMPLATE = """
<figure class="live-preview"><img alt="The painting in progress" hidden>
<figcaption>Choose a photo and a style, then press <b>Run</b>:<br>
  the picture is painted here while you watch.</figcaption>
</figure>"""
STYLE = """
.live-preview { margin: 0; min-height: 300px; display: flex; align-items: center; justify-content: center;
  border-radius: 8px; background: var(--background-fill-secondary); }
.live-preview img { width: 100%; max-height: 72vh; object-fit: contain; border-radius: 8px; }
.live-preview figcaption { color: var(--body-text-color-subdued); text-align: center; padding: 24px; }
"""
SCRIPT = """
const picture = element.querySelector('img'), hint = element.querySelector('figcaption');
const pause = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1000));
let current = null;

// gradio 6.31's progress timers run on at 60 frames a second once they have been shown. Every frame takes time from the
// painting, so while one goes on and nobody touches the page, animation frames come at CALM_RATE a second.
let following = 0, touched = 0;
for (const kind of ['pointermove', 'pointerdown', 'keydown', 'wheel', 'touchmove'])
  addEventListener(kind, () => { touched = performance.now(); }, {passive: true});
const animate = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = callback => following > 0 && performance.now() - touched > 1000
  ? setTimeout(() => animate(callback), 1000 / CALM_RATE) : animate(callback);

const show = async token => {
  let seen = 0, shownAt = 0;
  while (token === current) {
    let answer;
    try { answer = await server.next_frame([token, seen]); } catch (error) { await pause(0.5); continue; }
    if (!answer || token !== current) return;
    if (answer.source) {
      seen = answer.version;
      picture.src = answer.source;
      try { await picture.decode(); } catch (error) {}
      picture.hidden = false; hint.hidden = true;
      picture.dataset.version = seen;
      const line = document.querySelector(`#${props.status_id} .status`);
      if (line && line.dataset.run === token) line.outerHTML = answer.status;  // not over its last word
      shownAt = performance.now();
    }
    if (answer.done) return;
    await pause(Math.max(0, FRAME_SECONDS - (performance.now() - shownAt) / 1000));
  }
};
const follow = async token => {
  following += 1;
  try { await show(token); } finally { following -= 1; }
};
watch('value', () => { if (props.value && props.value !== current) { current = props.value; follow(current); } });
""".replace("FRAME_SECONDS", str(FRAME_SECONDS)).replace("CALM_RATE", str(CALM_RATE))


def preview_area(*, status_id: str, **props: Any) -> gr.HTML:
    """The place on the page; its value is the token of the run that it shows, whose status goes to `status_id`."""
    return gr.HTML(
        html_template=TEMPLATE,
        css_template=STYLE,
        js_on_load=SCRIPT,
        server_functions=[next_frame],
        status_id=status_id,
        **props,
    )
