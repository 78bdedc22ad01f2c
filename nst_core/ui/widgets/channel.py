"""Shows a picture while it is painted: the browser asks for new frames, and shows them as they come.

Frames that come faster than they can be shown are dropped, so a slow connection sees fewer pictures rather than old
ones, and nothing is written to disk. Status line and loss chart come along: through gradio's own events, which touch
every component of the page, they would cost the machine that paints more than the pictures do.

Browser and painting may share a few cores. A request costs the browser as much as showing its frame does, so an answer
holds many frames, each sent when it is painted, as long as the connection keeps up.
"""

import asyncio
import json
import secrets
import struct
import threading
import time
from collections.abc import AsyncIterator
from typing import ClassVar

import gradio as gr
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from torch import Tensor

from nst_core import images

MAX_SIDE = 1024  # pixels; of a preview
FRAME_SECONDS = 0.23  # at least, between two frames
MOST_FRAMES = 20  # in one answer
POLL_SECONDS = 0.02  # between two looks for a new frame
WAIT_SECONDS = 2.0  # an answer without a frame ends by then
KEEP_SECONDS = 30.0  # for a browser that is late to fetch the last frame

# What goes before each frame: version, bytes of words, bytes of picture.
PREFIX = struct.Struct(">III")


class Channel:
    """Carries what a run says to its page: its newest picture, status line and chart.

    Who knows its token can see it; it cannot be guessed.
    """

    live: ClassVar[dict[str, "Channel"]] = {}

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(16)
        self.version = 0
        self.awaited = 0  # the newest version that somebody waits for
        self.image: Tensor | None = None
        self.words: dict[str, str] = {}
        self.done = False
        Channel.live[self.token] = self

    def put(self, image: Tensor, words: dict[str, str], *, at_once: bool = False) -> None:
        """Make image (1, 3, H, W) and its words the newest. Costs nothing until somebody asks.

        Args:
            image: the painting.
            words: elem_id -> HTML, whose outermost element has data-run="TOKEN" and, on the page, takes the place of
                the one within that id that has the same.
            at_once: somebody waits for it; it does not keep the usual distance from the frame before.
        """
        self.image, self.words = image, words
        self.version += 1
        if at_once:
            self.awaited = self.version

    def close(self) -> None:
        """Tell the browser that no more pictures will come."""
        self.done = True
        timer = threading.Timer(KEEP_SECONDS, Channel.live.pop, (self.token, None))
        timer.daemon = True
        timer.start()

    async def frames(self, seen: int, most: int) -> AsyncIterator[bytes]:
        """Yield each new frame: PREFIX, words as JSON and a JPEG; ends when done, or when none came for WAIT_SECONDS.

        Args:
            seen: the version that the browser has.
            most: how many.
        """
        for _ in range(most):
            began = time.monotonic()
            while self.version <= seen and not self.done and time.monotonic() - began < WAIT_SECONDS:
                await asyncio.sleep(POLL_SECONDS)
            version, image, words = self.version, self.image, json.dumps(self.words).encode()
            if image is None or version <= seen:
                return
            picture = await asyncio.to_thread(images.encode_jpeg, image, max_side=MAX_SIDE)
            yield PREFIX.pack(version, len(words), len(picture)) + words + picture
            seen = version
            while time.monotonic() - began < FRAME_SECONDS and self.awaited <= seen:
                await asyncio.sleep(POLL_SECONDS)


async def answer(request: Request) -> Response:
    """Answer the browser with the newest frames of a run that it has not seen, when there are any.

    Path: the run's token. Query: "seen", the version seen last, and "most", how many frames to send.

    Returns:
        404 if there is no such run; 204 when it is over and all is seen; else `Channel.frames`.
    """
    channel = Channel.live.get(request.path_params["token"])
    seen, most = (request.query_params.get(name, "") for name in ("seen", "most"))
    if channel is None or not (seen.isdecimal() and most.isdecimal()):
        return Response(status_code=404)
    if channel.done and channel.version <= int(seen):
        return Response(status_code=204)
    frames = channel.frames(int(seen), min(int(most), MOST_FRAMES))
    return StreamingResponse(frames, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})


ROUTE = Route("/preview/{token}", answer)  # beside gradio's own


TEMPLATE = """
<figure class="live-preview"><canvas role="img" aria-label="The painting in progress" hidden></canvas>
<figcaption>HINT</figcaption>
</figure>"""
STYLE = """
.live-preview { margin: 0; min-height: 300px; display: flex; align-items: center; justify-content: center;
  border-radius: 8px; background: var(--background-fill-secondary); }
.live-preview canvas { width: 100%; max-height: 72vh; object-fit: contain; border-radius: 8px; }
.live-preview canvas[hidden] { display: none; }
.live-preview figcaption { color: var(--body-text-color-subdued); text-align: center; padding: 24px; }
"""
SCRIPT = """
const canvas = element.querySelector('canvas'), hint = element.querySelector('figcaption');
const painter = canvas.getContext('bitmaprenderer');  // the cheapest way to show a picture
const root = (window.gradio_config?.root ?? location.origin + location.pathname).replace(/\\/$/, '');
const pause = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1000));
let current = null, told = {};

const show = async token => {
  let seen = 0, most = 1, failures = 0;
  while (token === current) {
    const began = performance.now();
    let frames = 0;
    try {
      const answer = await fetch(`${root}/preview/${token}?seen=${seen}&most=${most}`);
      if (answer.status === 204 || answer.status === 404) return;  // it is over
      if (!answer.ok) throw new Error(answer.status);
      for await (const frame of framesOf(answer.body)) {
        if (token !== current) return;
        await draw(frame, token);
        seen = frame.version; frames += 1; failures = 0;
      }
    } catch (error) {  // a proxy's hiccup, or the server is gone
      if (++failures > 20) return;
      await pause(0.25 * failures); most = 1; continue;
    }
    // A connection that keeps up may send many frames in one answer; on any other they would pile up on the way.
    const late = performance.now() - began > 1500 * FRAME_SECONDS * Math.max(1, frames);
    most = late || frames < most ? 1 : Math.min(2 * most, MOST_FRAMES);
    if (most === 1) await pause(Math.max(0, FRAME_SECONDS - (performance.now() - began) / 1000));
  }
};

async function* framesOf(stream) {
  const reader = stream.getReader();
  let bytes = new Uint8Array(0);
  try {
    for (;;) {
      const {value, done} = await reader.read();
      if (done) return;
      const longer = new Uint8Array(bytes.length + value.length);
      longer.set(bytes); longer.set(value, bytes.length);
      bytes = longer;
      for (;;) {
        if (bytes.length < 12) break;
        const prefix = new DataView(bytes.buffer, bytes.byteOffset);
        const [version, words, picture] = [0, 4, 8].map(at => prefix.getUint32(at)), end = 12 + words + picture;
        if (bytes.length < end) break;
        yield {version, words: bytes.slice(12, 12 + words), picture: bytes.slice(12 + words, end)};
        bytes = bytes.slice(end);
      }
    }
  } finally { reader.cancel().catch(() => {}); }
}

const draw = async (frame, token) => {
  const bitmap = await createImageBitmap(new Blob([frame.picture], {type: 'image/jpeg'}));
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height)
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  painter.transferFromImageBitmap(bitmap);
  canvas.hidden = false; hint.hidden = true;
  canvas.dataset.version = frame.version;
  for (const [id, html] of Object.entries(JSON.parse(new TextDecoder().decode(frame.words)))) {
    const place = document.querySelector(`#${id} [data-run="${token}"]`);  // gone when the last word has been said
    if (place && told[id] !== html) { place.outerHTML = html; told[id] = html; }
  }
};

// see `calm`
const follow = async token => {
  window.paintings = (window.paintings ?? 0) + 1;
  try { await show(token); } finally { window.paintings -= 1; }
};
watch('value', () => { if (props.value && props.value !== current) { current = props.value; follow(current); } });
""".replace("FRAME_SECONDS", str(FRAME_SECONDS)).replace("MOST_FRAMES", str(MOST_FRAMES))


def preview_area(hint: str, *, elem_id: str) -> gr.HTML:
    """Make the place on the page; its value is the token of the run that it shows, before the first the hint (HTML)."""
    return gr.HTML(html_template=TEMPLATE.replace("HINT", hint), css_template=STYLE, js_on_load=SCRIPT, elem_id=elem_id)
