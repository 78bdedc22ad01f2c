"""Shows a picture while it is painted: the browser asks for new frames, and shows them as they come.

Frames that come faster than they can be shown are dropped, so a slow connection sees fewer pictures rather than old
ones, and nothing is written to disk. Status line and loss chart come along: through gradio's own events, which touch
every component of the page, they would cost the machine that paints more than the pictures do.

Browser and painting may share a few cores. A request costs the browser as much as showing its frame does, so an answer
holds many frames, each sent when it is painted, as long as the connection keeps up.

A connection that ends, a proxy that keeps what it should pass on, a page out of sight: the page asks again, from the
version that it saw last, until it is told that the run is over.
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

from nst_core.transfer.previews import Shown, encode_preview, picture_of

MAX_SIDE = 1024  # pixels; of a preview
FRAME_SECONDS = 0.23  # at least, between two frames
MOST_FRAMES = 20  # in one answer
POLL_SECONDS = 0.02  # between two looks for a new frame
WAIT_SECONDS = 2.0  # an answer without a frame ends by then
KEEP_SECONDS = 30.0  # for a browser that is late to fetch the last frame
SILENT_SECONDS = 15.0  # of an answer of which nothing comes: it is taken for lost
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0  # seconds before the page tries a lost connection again; each is twice the last
MOST_BUNDLES = 3  # answers in a row whose frames came together; then each frame is asked for by itself

# What goes before each frame: version, milliseconds since its answer began, bytes of words, bytes of picture.
PREFIX = struct.Struct(">IIII")
OVER = {"Run-State": "over", "Cache-Control": "no-store"}  # by which the page knows this program's word from a proxy's


class Channel:
    """Carries what a run says to its page: its newest picture, status line and chart.

    Who knows its token can see it; it cannot be guessed.
    """

    live: ClassVar[dict[str, "Channel"]] = {}

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(16)
        self.version = 0
        self.painted = 0  # the version that brought the newest picture
        self.awaited = 0  # the newest version that somebody waits for
        self.image: Shown | None = None
        self.words: dict[str, str] = {}
        self.done = False
        self.asked = time.monotonic()  # when somebody last asked for what is new
        Channel.live[self.token] = self

    def put(self, image: Shown | None, words: dict[str, str], *, at_once: bool = False) -> None:
        """Make image (1, 3, H, W) and its words the newest. Costs nothing until somebody asks.

        Args:
            image: the painting, or what gives it; None where there is only something to say: the picture before, if
                any, stays.
            words: elem_id -> HTML, whose outermost element has data-run="TOKEN" and, on the page, takes the place of
                the one within that id that has the same.
            at_once: somebody waits for it; it does not keep the usual distance from the frame before.
        """
        self.words = words
        if image is not None:
            self.image, self.painted = image, self.version + 1
        self.version += 1  # last, as another thread reads it first
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

        Of a picture that the browser has, the JPEG has no bytes.

        Args:
            seen: the version that the browser has.
            most: how many.
        """
        start = time.monotonic()
        for _ in range(most):
            began = time.monotonic()
            while self.version <= seen and not self.done and time.monotonic() - began < WAIT_SECONDS:
                await asyncio.sleep(POLL_SECONDS)
            version, words, picture = self.version, json.dumps(self.words).encode(), b""
            if version <= seen:
                return
            if self.image is not None and self.painted > seen:
                picture = await asyncio.to_thread(_encoded, self.image)
            age = round(1000 * (time.monotonic() - start))
            yield PREFIX.pack(version, age, len(words), len(picture)) + words + picture
            seen = version
            while time.monotonic() - began < FRAME_SECONDS and self.awaited <= seen:
                await asyncio.sleep(POLL_SECONDS)


def _encoded(image: Shown) -> bytes:
    return encode_preview(picture_of(image), max_side=MAX_SIDE)


async def answer(request: Request) -> Response:
    """Answer the browser with the newest frames of a run that it has not seen, when there are any.

    Path: the run's token. Query: "seen", the version seen last, and "most", how many frames to send.

    Returns:
        404 if there is no such run, 204 when it is over and all is seen, both with OVER; else `Channel.frames`.
    """
    channel = Channel.live.get(request.path_params["token"])
    seen, most = (request.query_params.get(name, "") for name in ("seen", "most"))
    if channel is None or not (seen.isdecimal() and most.isdecimal()):
        return Response(status_code=404, headers=OVER)
    channel.asked = time.monotonic()
    if channel.done and channel.version <= int(seen):
        return Response(status_code=204, headers=OVER)
    frames = channel.frames(int(seen), min(int(most), MOST_FRAMES))
    return StreamingResponse(frames, media_type="application/octet-stream")  # which `serving.guard` has not kept


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
SCRIPT = (
    f"""
const FRAME_SECONDS = {FRAME_SECONDS}, MOST_FRAMES = {MOST_FRAMES}, MOST_BUNDLES = {MOST_BUNDLES};
const SILENT_SECONDS = {SILENT_SECONDS}, FIRST_PAUSE = {FIRST_PAUSE}, LONGEST_PAUSE = {LONGEST_PAUSE};
"""
    + """
const canvas = element.querySelector('canvas'), hint = element.querySelector('figcaption');
const painter = canvas.getContext('bitmaprenderer');  // the cheapest way to show a picture
const root = (window.gradio_config?.root ?? location.origin + location.pathname).replace(/\\/$/, '');
const pause = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1000));
const ended = window.endedRuns ??= new Set();  // tokens of which the page was told, by whichever preview
let current = null, told = {}, request = null;
let asleep = document.hidden, sleepers = [];
const LOST = 'No connection to the server; it goes on there. Trying again …';
let bundles = 0;  // answers in a row whose frames came together, though they were not sent so

for (const kind of ['visibilitychange', 'freeze', 'resume']) document.addEventListener(kind, event => {
  asleep = document.hidden || event.type === 'freeze';
  if (asleep) request?.abort(); else sleepers.splice(0).forEach(wake => wake());
});

const show = async token => {
  let seen = 0, most = 1, failures = 0;
  for (;;) {
    while (asleep) await new Promise(wake => sleepers.push(wake));
    if (token !== current || !element.isConnected) return;
    const began = performance.now(), mine = request = new AbortController(), frames = [];
    try {
      heard(mine);
      const answer = await fetch(`${root}/preview/${token}?seen=${seen}&most=${most}`, {signal: mine.signal});
      if (answer.headers.get('Run-State') === 'over') return over(token);
      const ours = answer.ok && answer.headers.get('Content-Type') === 'application/octet-stream';
      if (!ours) throw new Error(answer.status);
      say(token, '');
      for await (const frame of framesOf(answer.body, mine)) {
        if (token !== current) return;
        await draw(frame, token);
        seen = frame.version; failures = 0;
        frames.push(frame);
      }
      failures = 0;
    } catch (error) {  // a proxy's hiccup, the server is gone, or nobody looks
      most = 1;
      if (asleep || token !== current) continue;
      if (failures) say(token, LOST);
      await pause(Math.min(FIRST_PAUSE * 2 ** failures++, LONGEST_PAUSE));
      continue;
    } finally { clearTimeout(mine.clock); }
    // A connection that keeps up may send many frames in one answer; on any other they would pile up on the way.
    const took = performance.now() - began, late = took > 1500 * FRAME_SECONDS * Math.max(1, frames.length);
    const bundled = cameTogether(frames);
    if (frames.length > 1) bundles = bundled ? bundles + 1 : 0;
    most = late || bundled || bundles >= MOST_BUNDLES || frames.length < most ? 1 : Math.min(2 * most, MOST_FRAMES);
    if (most === 1) await pause(Math.max(0, FRAME_SECONDS - took / 1000));
  }
};

const heard = mine => {
  clearTimeout(mine.clock);
  mine.clock = setTimeout(() => mine.abort(), 1000 * SILENT_SECONDS);
};

// whether something on the way, such as a proxy, kept the first until it had the last
const cameTogether = frames => {
  if (frames.length < 2) return false;
  const first = frames[0], last = frames.at(-1), apart = last.age - first.age;
  return apart > 500 * FRAME_SECONDS && last.came - first.came < apart / 2;
};

async function* framesOf(stream, mine) {
  const reader = stream.getReader();
  let bytes = new Uint8Array(0);
  try {
    for (;;) {
      const {value, done} = await reader.read();
      if (done) return;
      heard(mine);
      const came = performance.now(), longer = new Uint8Array(bytes.length + value.length);
      longer.set(bytes); longer.set(value, bytes.length);
      bytes = longer;
      for (;;) {
        if (bytes.length < 16) break;
        const prefix = new DataView(bytes.buffer, bytes.byteOffset);
        const [version, age, words, picture] = [0, 4, 8, 12].map(at => prefix.getUint32(at));
        const start = 16 + words, end = start + picture;
        if (bytes.length < end) break;
        yield {version, age, came, words: bytes.slice(16, start), picture: bytes.slice(start, end)};
        bytes = bytes.slice(end);
      }
    }
  } finally { reader.cancel().catch(() => {}); }
}

const draw = async (frame, token) => {
  if (frame.picture.length) {
    const bitmap = await createImageBitmap(new Blob([frame.picture], {type: 'image/jpeg'}));
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height)
      [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    painter.transferFromImageBitmap(bitmap);
    canvas.hidden = false; hint.hidden = true;
    canvas.dataset.version = frame.version;
  }
  for (const [id, html] of Object.entries(JSON.parse(new TextDecoder().decode(frame.words)))) {
    const place = document.querySelector(`#${id} [data-run="${token}"]`);  // gone when the last word has been said
    if (place && told[id] !== html) { place.outerHTML = html; told[id] = html; }
  }
};

// what is to be said of the connection, in the run's status line
const say = (token, words) => {
  const line = document.querySelector(`.status[data-run="${token}"]`);
  if (!words) line?.querySelector('.connection')?.remove();
  else if (line && !line.querySelector('.connection'))
    line.insertAdjacentHTML('beforeend', `<div class="detail connection" role="alert">${words}</div>`);
};

const over = token => {
  say(token, '');
  if (!ended.has(token)) { ended.add(token); trigger('over', {token}); }
};

// see `calm`
const follow = async token => {
  request?.abort();
  window.paintings = (window.paintings ?? 0) + 1;
  try { await show(token); } finally { window.paintings -= 1; }
};
window.addEventListener('connected-again', () => element.isConnected && trigger('over', {token: null}));
const begin = () => { if (props.value && props.value !== current) { current = props.value; follow(current); } };
watch('value', begin);
begin();
"""
)


def preview_area(hint: str, *, elem_id: str) -> gr.HTML:
    """Make the place on the page; its value is the token of the run that it shows, before the first the hint (HTML).

    It has one event, "over", once a token, as soon as the server answers that nothing more will come, or does not know
    the run (any more: it ended long ago, or the server was started again); and, with no token, when the page had lost
    its connection and has it again. Nothing is on its way then that the page could wait for, so that the handler asks
    what there is now: `preview.over(handler, inputs, outputs)`. A `gr.EventData` among the handler's arguments tells
    which run it was: `event.token`. A run that gives way to another before it ends has no such event.
    """
    return gr.HTML(html_template=TEMPLATE.replace("HINT", hint), css_template=STYLE, js_on_load=SCRIPT, elem_id=elem_id)
