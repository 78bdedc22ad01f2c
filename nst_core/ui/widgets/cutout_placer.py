"""Shows a cut-out over a picture, to be put into its place by hand."""

import base64
import io

from torch import Tensor

from nst_core import images
from nst_core.analysis.cutouts.cutout import trimmed
from nst_core.analysis.cutouts.paste import LEAST_SCALE
from nst_core.ui.widgets.own_html import OwnHTML
from nst_core.ui.widgets.pictures import data_uri

MAX_SIDE = 640  # pixels, of either picture as the page shows it


def placement(background: Tensor, cutout: Tensor, x: float, y: float, scale: float) -> dict[str, str | float]:
    """Make Placer's value of a picture and a cut-out.

    Args:
        background: (1, 3, H, W) in [0, 1].
        cutout: (1, 4, h, w) in [0, 1]; empty space around it is left out, as where it is pasted.
        x, y, scale: where it lies, as `analysis.paste.place` takes them.

    Raises:
        ImageError: the cut-out is empty.
    """
    cutout = trimmed(cutout)
    aspect, cut_aspect = (width / height for height, width in map(images.size_of, (background, cutout)))
    return {
        "background": data_uri(background, max_side=MAX_SIDE),
        "cutout": _transparent_uri(cutout),
        "aspect": aspect,
        "cut_aspect": cut_aspect,
        "x": x,
        "y": y,
        "scale": scale,
    }


def _transparent_uri(cutout: Tensor) -> str:
    """cutout (1, 4, H, W) as a WebP that a page can hold: a photograph's PNG would be ten times as large."""
    picture, buffer = images.to_pil(cutout), io.BytesIO()
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    picture.save(buffer, "WEBP", quality=85)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


class Placer(OwnHTML):
    """A picture with a cut-out over it that pointer, touch, wheel and keyboard move and resize within its borders.

    Triggers "place" with x, y and scale, as `analysis.paste.place` takes them, when it is let go of. Its value is what
    `placement` makes, or None; a place that does not fit is shown as it is, and fits from the first touch on.
    """

    TEMPLATE = """
<div class="placer">${value ? `
  <div class="scene" style="--aspect: ${value.aspect}">
    <img class="ground" src="${value.background}" alt="The picture that the cut-out is put into" draggable="false">
    <div class="piece" tabindex="0" role="application" aria-roledescription="movable cut-out">
      <img src="${value.cutout}" alt="" draggable="false"><span class="corner"></span>
    </div>
  </div>
  <p class="where" role="status"></p>
  <p class="how">Drag the cut-out to move it and its corner to resize it. With the keyboard: arrows move (with Shift
    farther), + and − resize; once it is clicked, so does the mouse wheel.</p>`
  : `<p class="how">Give a picture and a cut-out: here you put the one into the other.</p>`}
</div>"""
    STYLE = """
.placer { display: flex; flex-direction: column; align-items: center; gap: 6px; }
.placer .scene { position: relative; overflow: hidden; border-radius: 8px; aspect-ratio: var(--aspect);
  width: min(100%, 640px, calc(66vh * var(--aspect))); background: var(--background-fill-secondary); }
.placer .ground { display: block; width: 100%; height: 100%; border-radius: 0; user-select: none; }
.placer .piece { position: absolute; cursor: grab; touch-action: none; user-select: none; outline: 2px dashed #fff;
  outline-offset: -1px; box-shadow: 0 0 0 1px #0009, inset 0 0 0 2px #0009; }
.placer .piece:active { cursor: grabbing; }
.placer .piece:focus-visible, .placer .piece:hover { outline: 3px solid var(--color-accent); }
.placer .piece img { display: block; width: 100%; height: 100%; border-radius: 0; pointer-events: none; }
.placer .corner { position: absolute; right: 0; bottom: 0; width: min(32px, 50%); height: min(32px, 50%);
  cursor: nwse-resize; touch-action: none; }
.placer .corner::after { content: ""; position: absolute; right: 2px; bottom: 2px; width: 12px; height: 12px;
  border: 2px solid #fff; border-radius: 3px; background: var(--color-accent); box-shadow: 0 0 0 1px #0009; }
.placer p { margin: 0; font-size: var(--text-sm); text-align: center; color: var(--body-text-color-subdued); }
.placer .where { color: var(--body-text-color); font-variant-numeric: tabular-nums; }
"""
    SCRIPT = """
const STEP = 0.01, LEAP = 0.05, GROWTH = 1.05, LEAST = LEAST_SCALE, REST = 250;
const find = selector => element.querySelector(selector);
const within = (value, low, high) => Math.min(Math.max(value, low), high);
const percent = share => `${Math.round(100 * share)} %`;
let at = null;  // where the cut-out lies: x, y, scale
let told = '';  // where the page was last told that it lies
let grip = null;  // while it is held: which pointer, by the corner or not, and where
let rest;  // the clock that waits for wheel or keys to rest

// a cut-out of scale 1, as shares of the picture's width and height
const whole = () => {
  const {aspect, cut_aspect: cut} = props.value;
  return [Math.min(1, cut) / Math.min(1, aspect), Math.min(1, 1 / cut) / Math.min(1, 1 / aspect)];
};

const show = () => {
  const piece = find('.piece');
  if (!piece || !at) return;
  const [width, height] = whole().map(side => side * at.scale);
  Object.assign(piece.style, {
    left: `${100 * (at.x - width / 2)}%`, top: `${100 * (at.y - height / 2)}%`,
    width: `${100 * width}%`, height: `${100 * height}%`,
  });
  const edge = -0.005;  // what rounding leaves is not beyond
  const beyond = Math.min(at.x - width / 2, at.y - height / 2, 1 - at.x - width / 2, 1 - at.y - height / 2) < edge;
  const words = `Centre ${percent(at.x)} from the left, ${percent(at.y)} from the top; size ${percent(at.scale)}`
    + (beyond ? '; it reaches beyond the picture' : '');
  find('.where').textContent = words;
  piece.ariaLabel = `The cut-out. ${words}. Arrow keys move it, plus and minus resize it.`;
};

// lies there as far as it stays within the picture
const put = ({x, y, scale}) => {
  const [width, height] = whole();
  scale = within(scale, Math.min(LEAST, 1 / width, 1 / height), Math.min(1, 1 / width, 1 / height));
  const [halfWidth, halfHeight] = [width * scale / 2, height * scale / 2];
  at = {x: within(x, halfWidth, 1 - halfWidth), y: within(y, halfHeight, 1 - halfHeight), scale};
  show();
};

const tell = () => {
  clearTimeout(rest);
  const place = Object.fromEntries(Object.entries(at).map(([name, value]) => [name, Number(value.toFixed(4))]));
  if (JSON.stringify(place) === told) return;
  told = JSON.stringify(place);
  props.value = {...props.value, ...place};  // else the value it had would be no news when it is given again
  trigger('place', place);
};

const tellSoon = () => { clearTimeout(rest); rest = setTimeout(tell, REST); };

const pointer = event => {
  const box = find('.scene').getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
};

element.addEventListener('pointerdown', event => {
  const piece = event.target.closest('.piece');
  if (!piece || grip || event.button) return;
  const [x, y] = pointer(event), [width, height] = whole();
  piece.focus({preventScroll: true});
  piece.setPointerCapture(event.pointerId);
  const [right, bottom] = [at.x + width * at.scale / 2, at.y + height * at.scale / 2];
  grip = event.target.closest('.corner')  // how far from the corner or the centre it is held
    ? {id: event.pointerId, corner: true, x: x - right, y: y - bottom,
       left: at.x - width * at.scale / 2, top: at.y - height * at.scale / 2}
    : {id: event.pointerId, x: x - at.x, y: y - at.y};
  event.preventDefault();
});

element.addEventListener('pointermove', event => {
  if (event.pointerId !== grip?.id) return;
  const [x, y] = pointer(event).map((value, axis) => value - [grip.x, grip.y][axis]), [width, height] = whole();
  if (!grip.corner) return put({x, y, scale: at.scale});
  const {left, top} = grip;  // stay where they are
  const wanted = Math.max((x - left) / width, (y - top) / height);
  const scale = Math.max(LEAST, Math.min(wanted, (1 - left) / width, (1 - top) / height));
  put({x: left + width * scale / 2, y: top + height * scale / 2, scale});
});

for (const end of ['pointerup', 'pointercancel'])
  element.addEventListener(end, event => {
    if (event.pointerId !== grip?.id) return;
    grip = null;
    tell();
  });

element.addEventListener('wheel', event => {
  const piece = event.target.closest('.piece');
  if (!piece || piece !== document.activeElement) return;  // so that a page can be scrolled past it
  event.preventDefault();
  put({...at, scale: at.scale * (event.deltaY < 0 ? GROWTH : 1 / GROWTH)});
  tellSoon();
}, {passive: false});

element.addEventListener('keydown', event => {
  if (!event.target.closest('.piece') || event.ctrlKey || event.metaKey || event.altKey) return;
  const far = event.shiftKey ? LEAP : STEP, {x, y, scale} = at;
  const places = {
    ArrowLeft: {x: x - far, y, scale}, ArrowRight: {x: x + far, y, scale},
    ArrowUp: {x, y: y - far, scale}, ArrowDown: {x, y: y + far, scale},
    '+': {x, y, scale: scale * GROWTH}, '=': {x, y, scale: scale * GROWTH}, '-': {x, y, scale: scale / GROWTH},
  };
  if (!(event.key in places)) return;
  event.preventDefault();
  put(places[event.key]);
});
element.addEventListener('keyup', event => event.target.closest('.piece') && !grip && tellSoon());

const begin = () => {
  at = props.value ? {x: props.value.x, y: props.value.y, scale: props.value.scale} : null;
  told = JSON.stringify(at); grip = null; clearTimeout(rest);
  show();
};
// its own news may come back late, when keys have moved it on: then it stays
watch('value', () => {
  const {x, y, scale} = props.value ?? {};
  if (props.value && JSON.stringify({x, y, scale}) === told) show();
  else begin();
});
begin();
""".replace("LEAST_SCALE", str(LEAST_SCALE))
