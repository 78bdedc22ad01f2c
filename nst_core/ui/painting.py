"""From a click to a painting: the handlers behind Run and Stop."""

import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from weakref import WeakValueDictionary

import gradio as gr

from nst_core import images
from nst_core.devices import choose_compute, release_freed_memory
from nst_core.errors import DownloadError, ImageError, NSTError
from nst_core.features import weights
from nst_core.features.checkpoint import BUNDLE_REMEDY, TEACHERS
from nst_core.features.vgg import BACKBONES
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.optimize import Controls, Frame
from nst_core.transfer.record import save_result
from nst_core.transfer.stylize import Run, stylize
from nst_core.ui.chart import LossHistory
from nst_core.ui.pictures import comparison
from nst_core.ui.preview import Preview
from nst_core.ui.settings import config_of
from nst_core.ui.status import done_text, progress_text, status_html

# All that computes on the device waits in one lane of gradio's queue and is computed by one thread. gradio frees the
# lane before a cancelled step has ended, so the thread keeps the next run from overlapping it; and gradio resumes a
# generator on several threads, each of which would have compute threads of its own.
LANE: dict[str, Any] = {"concurrency_id": "device", "concurrency_limit": 1}
DEVICE_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="device")

WORDS_SECONDS = 1.0  # between two updates of status and chart, of which each costs the browser as much as a picture


class Session:
    """What one open page may change while its run goes on."""

    open: ClassVar[WeakValueDictionary[str, "Session"]] = WeakValueDictionary()  # by gradio's name of the page

    def __init__(self) -> None:
        self.controls = Controls()
        self.running = False

    def __deepcopy__(self, memo: dict[int, Any]) -> "Session":
        return type(self)()  # gradio copies it for each page; events cannot be copied


def leave_page(request: gr.Request) -> None:
    """A page was closed: its run, if any, ends after its present step."""
    if session := Session.open.get(request.session_hash):
        session.controls.stop.set()


class View(NamedTuple):
    """What a handler shows, in the order of the page's outputs; what is left out stays as it is."""

    preview: Any = gr.skip()
    status: Any = gr.skip()
    losses: Any = gr.skip()
    result: Any = gr.skip()
    download: Any = gr.skip()
    record: Any = gr.skip()
    record_area: Any = gr.skip()


class Pace:
    """How fast a run goes, over all of its steps so far."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.began = 0.0

    def text(self, step: int) -> str:
        """What the status line says at a step."""
        now = time.monotonic()
        self.began = self.began or now
        speed = step / (now - self.began) if step > 1 else None
        return progress_text(step, self.steps, speed)


def paint(
    session: Session, content: Path | None, style: Path | None, start: Path | None, preset: str, *values: Any
) -> Iterator[View]:
    """Paint with the page's settings, showing every stage."""
    try:
        session.running = True
        config = config_of(preset, values)
        yield from fetch_weights(config.backbone, session.controls)
        run = start_run(content, style, start, config, session.controls)
        yield from _show_run(run)
    except NSTError as error:
        gr.Warning(str(error), title="Cannot paint", duration=12)
        yield View(status=status_html(str(error), kind="problem"))
    finally:
        session.running = False


def start_run(
    content: Path | None, style: Path | None, start: Path | None, config: StyleTransferConfig, controls: Controls
) -> Run:
    """The run of three uploads, all of which are read and checked here."""
    for path, name in ((content, "content"), (style, "style")):
        if path is None:
            raise ImageError(f"there is no {name} picture; drop one or click an example")
    start_image = images.load(start) if config.start == "image" and start else None
    return stylize(
        images.load(content), images.load(style), config, start_image=start_image, compute=choose_compute(),
        controls=controls,
    )  # fmt: skip


def _show_run(run: Run) -> Iterator[View]:
    """Step through a run: every frame and what is said of it to the preview, the result at the end."""
    preview, history = Preview(), LossHistory()
    where = f"{run.compute} · {BACKBONES[run.config.backbone]} from {run.checkpoint.origin}"
    pace, told, words, note = Pace(run.config.steps), -WORDS_SECONDS, {}, ""
    try:
        yield View(
            preview=gr.HTML(value=preview.token, visible=True),
            status=status_html("Looking at both pictures …", where, share=0, run=preview.token),
            losses=history.html(preview.token),
            result=gr.HTML(visible="hidden"),
            download=gr.DownloadButton(visible="hidden"),
            record_area=gr.Accordion(visible=False),
        )
        for frame in frames_of(run):
            history.add(frame)
            note = frame.note or note
            text = pace.text(frame.step)
            if time.monotonic() - told >= WORDS_SECONDS:
                told, share = time.monotonic(), frame.step / run.config.steps
                status = status_html(text, f"{where} · {note}" if note else where, share=share, run=preview.token)
                words = {"status": status, "losses": history.html(preview.token)}
            preview.put(frame.image, words)
        yield _result(run, where, history)
    finally:
        preview.close()
        run.close()
        release_freed_memory()


def _result(run: Run, where: str, history: LossHistory) -> View:
    record, image = run.record(), run.last_frame.image
    return View(
        status=status_html(done_text(record), " · ".join((where, *record.notes)), share=1),
        losses=history.html(),
        preview=gr.HTML(visible="hidden"),
        result=gr.HTML(value=comparison(run.content_image, image), visible=True),
        download=gr.DownloadButton(value=result_file(run), visible=True),
        record=record.to_dict(),
        record_area=gr.Accordion(visible=True),
    )


def frames_of(run: Run) -> Iterator[Frame]:
    """The run's frames, computed on the device's thread however many pages are open."""
    while frame := DEVICE_THREAD.submit(next, run, None).result():
        yield frame


def result_file(run: Run) -> Path:
    """The result as a PNG with its record, in gradio's cache, which deletes it in time."""
    folder = Path(gr.utils.get_upload_folder()) / secrets.token_hex(16)
    folder.mkdir(parents=True)
    path = folder / "neural-style-lab.png"
    save_result(run.last_frame.image, run.record(), path)
    return path


def fetch_weights(backbone: str, controls: Controls) -> Iterator[View]:
    """Download a network that is not here yet, showing how far it is."""
    if weights.find(backbone):
        return
    for progress in weights.download(backbone):
        yield View(status=download_status(backbone, progress))
        if controls.stop.is_set():
            raise DownloadError(f"the download of {BACKBONES[backbone]} was stopped; Run starts it again")


def download_status(backbone: str, progress: weights.Progress) -> str:
    """How far a download is, as a status line."""
    done, total = progress.done_bytes, progress.total_bytes
    text = f"Fetching {BACKBONES[backbone]}: {done / 1e6:.0f} of {total / 1e6:.0f} MB, once"
    return status_html(text, progress.note or progress.source, share=done / total if total else None)


def weights_text(backbone: str) -> str:
    """Which checkpoint a backbone would use now, for the page."""
    name = BACKBONES[backbone]
    try:
        checkpoint = weights.find(backbone)
    except NSTError as error:
        return f"**{name}**: {error}"
    if checkpoint and checkpoint.origin == weights.BUNDLE:
        teacher = BACKBONES[TEACHERS[backbone]]
        return (
            f"**{name}** is in use: part of this program, it paints much as {teacher} does, two to three times faster."
        )
    if checkpoint is None and backbone in TEACHERS:
        return f"**{name}** is missing; {BUNDLE_REMEDY}."
    if checkpoint is None:
        return f"**{name}** is not here yet: Run fetches it once, {weights.download_size(backbone) / 1e6:.0f} MB."
    return f"**{name}** from {checkpoint.origin} (`{checkpoint.path.name}`)"
