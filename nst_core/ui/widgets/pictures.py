"""Takes pictures into the page, and shows them on it."""

import base64
import io
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import torch
from gradio.components.base import server
from gradio.components.image_editor import AcceptBlobs
from gradio.data_classes import FileData, ImageData
from PIL import Image
from torch import Tensor

from nst_core import images
from nst_core.ui.widgets.own_html import OwnHTML

DRAWN_SIDE = 2048  # pixels, of what the brush hands over
MOST_DRAWINGS = 16  # that wait to be used


# For gr.File: browsers that do not know HEIC or OpenEXR give such a file no kind.
PICTURE_FILES = ["image", ".heic", ".heif", ".exr"]


class PictureInput(gr.Image):
    """An upload that hands on the file itself, since gradio's own reading clips 16-bit and drops transparency."""

    is_template = True  # shown by gr.Image's own front end

    def preprocess(self, payload: ImageData | None) -> Path | None:  # type: ignore[override]  # text, says gradio
        """Give the uploaded file's path, None if there is none."""
        return None if payload is None or not payload.path else Path(payload.path)


class BrushInput(gr.ImageEditor):
    """A brush over a picture; what comes of it is opened as every other upload is, and little of it is kept waiting."""

    is_template = True

    def convert_and_format_image(
        self, file: FileData | bytes | None, flatten_on_white: bool = False
    ) -> Image.Image | None:
        """Give a layer, the ground or both together, as Pillow's RGBA.

        Args:
            file: where the browser put it, or its bytes.
            flatten_on_white: of no use here, as transparency is kept.

        Raises:
            ImageError: no picture, or one that cannot be used.
        """
        if file is None:
            return None
        source = io.BytesIO(file) if isinstance(file, bytes | bytearray | memoryview) else file.path
        return images.to_pil(images.load_transparent(source, max_side=DRAWN_SIDE))

    @server
    def accept_blobs(self, data: AcceptBlobs) -> Any:
        """Take in one of the pictures of a drawing before it is used; the oldest drawings give way."""
        while len(self.blob_storage) >= MOST_DRAWINGS:
            self.blob_storage.pop(next(iter(self.blob_storage)), None)
        return super().accept_blobs(data)


def transparency_switch(elem_id: str) -> gr.Checkbox:
    """Whether results are as transparent as their pictures."""
    info = "of a cut-out; else it is painted over white"
    return gr.Checkbox(True, label="Keep transparency", elem_id=elem_id, min_width=150, info=info)


def with_alpha(picture: Image.Image) -> Tensor:
    """Read what a brush painted, (1, 4, H, W) in [0, 1], the last channel saying where."""
    values = np.asarray(picture.convert("RGBA"), dtype=np.float32) / 255
    return torch.from_numpy(values).permute(2, 0, 1)[None]


def data_uri(image: Tensor, *, max_side: int = images.READ_SIDE) -> str:
    """image (1, 3, H, W) as a JPEG that a page can hold."""
    return _as_uri(images.encode_jpeg(image, max_side=max_side))


def _as_uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def comparison(before: Tensor, after: Tensor) -> dict[str, str | int]:
    """Make BeforeAfter's value of two images (1, 3, H, W) of one size."""
    height, width = images.size_of(after)
    return {"before": data_uri(before), "after": data_uri(after), "width": width, "height": height}


class BeforeAfter(OwnHTML):
    """The photograph beside the painting, parted by a line that mouse, touch, keyboard and screen readers can move.

    Its value is what `comparison` makes, with the "share" of the width in percent that shows the photo, or None. A
    button shows it on the full screen, where a click on "100 %" shows it pixel by pixel.
    """

    TEMPLATE = """
<figure class="before-after" style="--share: ${value && value.share || 0}%">
  ${value && value.after ? `
  <div class="pictures" style="--aspect: ${value.width / value.height}; --own: ${value.width}px">
    <img src="${value.after}" alt="The painting">
    <img class="before" src="${value.before}" alt="The content picture">
    <span class="line" aria-hidden="true"></span>
    <input type="range" min="0" max="100" value="${value.share || 0}"
      aria-label="Share of the picture that shows the photo, in percent">
    <div class="look"><button type="button" class="whole">Full screen</button>
      <button type="button" class="pixels" aria-pressed="false">100 %</button></div>
  </div>` : ""}
</figure>"""
    STYLE = """
.before-after { margin: 0; position: relative; display: flex; justify-content: center; }
.pictures { display: grid; position: relative; width: min(100%, calc(60vh * var(--aspect))); }
.pictures img { grid-area: 1 / 1; width: 100%; border-radius: 8px; }
.before { clip-path: inset(0 calc(100% - var(--share)) 0 0); }
.line { position: absolute; inset: 0; pointer-events: none; }  /* it and its handle stay within the picture */
.line::before { content: ""; position: absolute; inset: 0 auto 0 clamp(0px, var(--share) - 1.5px, 100% - 3px);
        width: 3px; background: #fff; box-shadow: 0 0 4px #0009; }
.line::after { content: "◂ ▸"; position: absolute; top: calc(50% - 18px);
        left: clamp(0px, var(--share) - 18px, 100% - 36px);
        width: 36px; height: 36px; border-radius: 50%; display: grid; place-items: center; font-size: 15px;
        color: #1e293b; background: #fff; box-shadow: 0 1px 6px #0008; }
.pictures input { grid-area: 1 / 1; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: ew-resize;
        touch-action: pan-y; }
.pictures:has(input:focus-visible) { outline: 3px solid var(--color-accent); outline-offset: 2px; border-radius: 8px; }
.look { position: absolute; top: 8px; right: 8px; display: flex; gap: 6px; }
.look button { padding: 3px 10px; border-radius: 6px; color: #fff; background: #0f172acc; font-size: var(--text-sm);
        cursor: pointer; }
.look button:focus-visible { outline: 2px solid #fff; }
.pixels { display: none; }
.before-after:fullscreen { overflow: auto; background: #0f172a; align-items: safe center;
        justify-content: safe center; }
.before-after:fullscreen .pixels { display: block; }
.before-after:fullscreen .look { position: fixed; }
/* whatever width it has within the page */
.before-after:fullscreen .pictures { width: min(100vw, calc(100vh * var(--aspect))) !important; flex: none; }
.before-after:fullscreen .pictures.exact { width: var(--own) !important; }
.before-after:fullscreen img { border-radius: 0; }
"""
    SCRIPT = """
element.addEventListener('input', event => {
  const figure = event.target.closest('.before-after');
  if (figure) figure.style.setProperty('--share', event.target.value + '%');
});
element.addEventListener('click', event => {
  const button = event.target.closest('.look button'), figure = event.target.closest('.before-after');
  if (!button) return;
  if (button.matches('.pixels')) {
    const exact = figure.querySelector('.pictures').classList.toggle('exact');
    button.setAttribute('aria-pressed', exact);
  } else if (document.fullscreenElement) document.exitFullscreen();
  else figure.requestFullscreen?.();
});
element.addEventListener('fullscreenchange', () => {
  const button = element.querySelector('.whole');
  if (button) button.textContent = document.fullscreenElement ? 'Close' : 'Full screen';
});
"""
