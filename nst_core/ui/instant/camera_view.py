"""Lays out the place on the page where the camera is painted live."""

import gradio as gr

from nst_core.ui.studio.camera import LANES

SIZES = ("320×240", "480×360", "640×480")

TEMPLATE = f"""
<div class="live" role="group" aria-label="Camera">
  <div class="stage"><canvas role="img" aria-label="What the camera sees, painted" hidden></canvas>
    <p class="hint">Choose a style and start the camera: what it sees is painted here.<br>
      Its pictures are kept nowhere.</p></div>
  <div class="row">
    <button type="button" class="switch">Start camera</button>
    <button type="button" class="take" disabled>Take this picture</button>
    <label>Size <select class="sizes">{"".join(f"<option>{size}</option>" for size in SIZES)}</select></label>
    <label class="which" hidden>Camera <select class="cameras"></select></label>
    <label><input type="checkbox" checked> Mirror</label>
  </div>
  <p class="words" role="status"></p><p class="rate"></p>
</div>"""
STYLE = """
.live { contain: content; }  /* a new frame lays out nothing else */
.live .stage { aspect-ratio: 4 / 3; max-height: 72vh; width: 100%; display: flex; align-items: center;
  justify-content: center; border-radius: 8px; background: var(--background-fill-secondary); }
.live canvas { width: 100%; height: 100%; object-fit: contain; border-radius: 8px; }
.live canvas[hidden], .live .hint[hidden] { display: none; }
.live .hint { color: var(--body-text-color-subdued); text-align: center; padding: 24px; }
.live .row { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 14px; margin: 10px 2px; }
.live button { padding: 6px 14px; border-radius: var(--button-medium-radius); cursor: pointer;
  font-weight: var(--button-medium-text-weight); color: var(--button-secondary-text-color);
  background: var(--button-secondary-background-fill); border: 1px solid var(--button-secondary-border-color); }
.live .switch { color: var(--button-primary-text-color); background: var(--button-primary-background-fill);
  border-color: var(--button-primary-border-color); }
.live button:disabled { opacity: .5; cursor: default; }
.live label { display: inline-flex; align-items: center; gap: 6px; color: var(--body-text-color); }
.live label[hidden] { display: none; }
.live .cameras { max-width: 14em; }
.live select { padding: 4px 8px; color: var(--body-text-color); background: var(--input-background-fill);
  border: 1px solid var(--input-border-color); border-radius: var(--radius-sm); }
.live :focus-visible { outline: 2px solid var(--color-accent); outline-offset: 1px; }
.live .words, .live .rate { margin: 2px; min-height: 1.4em; color: var(--body-text-color); }
.live .rate { color: var(--body-text-color-subdued); font-size: var(--text-sm);
  font-variant-numeric: tabular-nums; }
"""
SCRIPT = """
const find = selector => element.querySelector(selector), pause = ms => new Promise(done => setTimeout(done, ms));
const canvas = find('canvas'), button = find('.switch'), take = find('.take');
const sizes = find('.sizes'), cameras = find('.cameras'), mirror = find('input');
const painter = canvas.getContext('bitmaprenderer');  // the cheapest way to show a picture
const root = (window.gradio_config?.root ?? location.origin + location.pathname).replace(/\\/$/, '');
const camera = document.createElement('video');
camera.muted = camera.playsInline = true;
const sheet = new OffscreenCanvas(1, 1), pen = sheet.getContext('2d', {alpha: false, willReadFrequently: true});
const CAMERA = {
  NotAllowedError: 'The camera was refused: allow it beside the address of this page, then start it again.',
  NotFoundError: 'There is no camera: connect one, then start it again.',
  NotReadableError: 'The camera is busy in another program: close that, then start the camera again.',
  OverconstrainedError: 'That camera is gone: choose another, then start it.',
};
const NO_STYLE = 'Choose a style: nothing is painted without one.';
const LOST = 'The connection to the server was lost; start the camera again when it is back.';
const UNSEEN = 'The camera went off when it was out of sight.';
let on = null;  // while the camera is: what Stop aborts, and what goes on
let last = null;  // the frame whose painting is shown: as it was sent, and whether a mirror had turned it
let chosen = '';  // the camera's id; else the browser's choice, on a phone the one that looks at its owner
const FRAME_MS = 33, PATIENCE_MS = 500;  // between two looks where the browser tells of no frame; before they begin

const say = words => { const line = find('.words'); if (line.said !== words) line.textContent = line.said = words; };

const stop = words => {
  if (!on) return;
  on.abort(); clearInterval(on.clock); on = null;
  camera.srcObject = null;
  window.paintings -= 1;  // see `calm`
  button.textContent = 'Start camera'; find('.rate').textContent = '';
  say(words);
};

const wanted = () => {
  const [width, height] = sizes.value.split('×').map(Number);
  const which = chosen ? {deviceId: {exact: chosen}} : {facingMode: {ideal: 'user'}};
  return {width: {ideal: width}, height: {ideal: height}, frameRate: {ideal: 30}, ...which};
};

// cameras have names only once one of them may be used
const list = async track => {
  const all = (await navigator.mediaDevices.enumerateDevices()).filter(one => one.kind === 'videoinput');
  const at = track.getSettings().deviceId;
  cameras.replaceChildren(...all.map((one, index) =>
    new Option(one.label || `Camera ${index + 1}`, one.deviceId, false, one.deviceId === at)));
  find('.which').hidden = all.length < 2;
};

// what looks away from its owner shows writing, which a mirror would turn
const face = track => {
  const away = /\\b(back|rear|environment)\\b/i.test(track.label);
  const facing = track.getSettings().facingMode || (away && 'environment');
  if (facing) mirror.checked = facing !== 'environment';
};

const start = async () => {
  if (!navigator.mediaDevices) return say('The camera needs a secure page: open this one by https, or as localhost.');
  const mine = on = Object.assign(new AbortController(), {shown: 0, sent: 0, newest: 0, lag: 0, timed: false});
  const whileOn = {signal: mine.signal};
  window.paintings = (window.paintings ?? 0) + 1;
  button.textContent = 'Stop camera'; say('Waiting for the camera…');
  mine.clock = setInterval(() => tell(mine), 1000);
  document.addEventListener('visibilitychange', () => document.hidden && stop(UNSEEN), whileOn);
  window.addEventListener('pagehide', () => stop(UNSEEN), whileOn);
  try {
    const stream = await navigator.mediaDevices.getUserMedia({video: wanted()});
    const [track] = stream.getTracks(), off = () => track.stop();
    if (on !== mine) return off();
    mine.signal.addEventListener('abort', off);
    track.addEventListener('ended', () => stop('The camera was taken away.'), whileOn);
    sizes.addEventListener('change', () => track.applyConstraints(wanted()).catch(() => {}), whileOn);
    navigator.mediaDevices.addEventListener('devicechange', () => list(track), whileOn);
    face(track); list(track);
    camera.srcObject = stream;
    await camera.play();
  } catch (error) {
    if (on === mine) stop(CAMERA[error.name] ?? `The camera does not start: ${error.message || error.name}`);
    return;
  }
  if (on !== mine) return;
  say(''); mine.told = performance.now();
  look(mine);
  for (let lane = 0; lane < LANES; lane++) paint(mine);
};

// once a second
const tell = mine => {
  if (!element.getClientRects().length) return stop(UNSEEN);
  if (!mine.shown) return;
  const now = performance.now(), rate = Number((1000 * mine.shown / (now - mine.told)).toPrecision(2));
  find('.rate').textContent =
      `${rate} frames a second, ${canvas.width}×${canvas.height}, ${Math.round(mine.lag)} ms behind the camera`;
  mine.shown = 0; mine.told = now;
};

// whether the camera has a frame that was not sent; after Stop nothing is awaited any more
const look = mine => {
  mine.next = new Promise(done => {
    const seen = timed => {
      clearTimeout(timer); camera.cancelVideoFrameCallback?.(asked);
      if (on !== mine) return;
      mine.timed = timed; mine.fresh = true; done();
      look(mine);
    };
    const timer = setTimeout(() => seen(true), mine.timed ? FRAME_MS : PATIENCE_MS);
    const asked = camera.requestVideoFrameCallback?.(() => seen(false));
  });
};

const capture = async mine => {
  while (!mine.fresh) await mine.next;
  mine.fresh = false;
  const began = performance.now();
  const {videoWidth: width, videoHeight: height} = camera;
  const scale = Math.min(1, parseInt(sizes.value) / Math.max(width, height));  // a phone's may stand upright
  sheet.width = Math.round(width * scale); sheet.height = Math.round(height * scale);
  const mirrored = mirror.checked;
  if (mirrored) pen.setTransform(-1, 0, 0, 1, sheet.width, 0);
  pen.drawImage(camera, 0, 0, sheet.width, sheet.height);
  return {began, mirrored, body: await sheet.convertToBlob({type: 'image/jpeg', quality: 0.8})};
};

// one frame after the other, each the newest when its turn comes
const paint = async mine => {
  for (let failures = 0; on === mine;) {
    try {
      if (!props.value) { say(NO_STYLE); await pause(500); continue; }
      const frame = await capture(mine), number = ++mine.sent, {body} = frame;
      const answer = await fetch(`${root}/live/${props.value}`, {method: 'POST', body, signal: mine.signal});
      if (answer.status === 204) continue;  // overtaken by a later one
      if (answer.ok) { await show(mine, number, frame, answer); failures = 0; continue; }
      const words = await answer.text();
      if (on !== mine) return;
      if (answer.status === 404) return stop(words);
      if ([409, 422, 503].includes(answer.status)) { failures = 0; say(words); await pause(500); continue; }
      throw new Error(words);
    } catch (error) {  // a proxy's hiccup, or the server is gone
      if (on !== mine) return;
      if (++failures > 5) return stop(LOST);
      await pause(250 * failures);
    }
  }
};

const show = async (mine, number, frame, answer) => {
  const bitmap = await createImageBitmap(await answer.blob());
  if (on !== mine || number < mine.newest) return bitmap.close();  // overtaken by a later one
  mine.newest = number;
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height)
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  painter.transferFromImageBitmap(bitmap);
  canvas.hidden = take.disabled = false; find('.hint').hidden = true; say('');
  last = frame; mine.shown += 1; mine.lag = performance.now() - frame.began;
  canvas.dataset.frames = Number(canvas.dataset.frames ?? 0) + 1;
  canvas.dataset.style = answer.headers.get('style-version');
};

cameras.addEventListener('change', () => {
  chosen = cameras.value;
  if (on) { stop(''); start(); }
});
button.addEventListener('click', () => { if (on) stop('The camera is off.'); else start(); });
take.addEventListener('click', () => {
  const reader = new FileReader(), {body, mirrored} = last;
  reader.onload = () => trigger('take', {picture: reader.result, mirrored});
  reader.readAsDataURL(body);
});
""".replace("LANES", str(LANES))


def live_area(value: str | None = None, *, elem_id: str | None = None) -> gr.HTML:
    """Make the place on the page; its value is the token of the page's `Live`, None while there is none.

    Triggers "take" with the frame whose painting is shown, see `taken`.
    """
    return gr.HTML(value, html_template=TEMPLATE, css_template=STYLE, js_on_load=SCRIPT, elem_id=elem_id)
