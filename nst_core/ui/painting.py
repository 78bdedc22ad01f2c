"""From a click to a painting: the handlers behind Run and Stop."""

import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from weakref import WeakValueDictionary

import gradio as gr
import torch
from torch import Tensor

from nst_core import images
from nst_core.devices import choose_compute, release_freed_memory
from nst_core.errors import ConfigError, DownloadError, ImageError, NSTError
from nst_core.features import weights
from nst_core.features.checkpoint import BUNDLE_REMEDY, TEACHERS
from nst_core.features.vgg import BACKBONES
from nst_core.transfer.config import MAX_STEPS, StyleTransferConfig
from nst_core.transfer.controls import Controls
from nst_core.transfer.masks import mask_of
from nst_core.transfer.optimize import Frame
from nst_core.transfer.record import save_result
from nst_core.transfer.stylize import Run, stylize
from nst_core.transfer.timelapse import Timelapse
from nst_core.ui.chart import LossHistory
from nst_core.ui.pictures import comparison, with_alpha
from nst_core.ui.preview import Preview
from nst_core.ui.results import Results, remember
from nst_core.ui.settings import config_of
from nst_core.ui.status import done_text, place_text, progress_text, status_html

# All that computes on the device waits in one lane of gradio's queue and is computed by one thread. gradio frees the
# lane before a cancelled step has ended, so the thread keeps the next run from overlapping it; and gradio resumes a
# generator on several threads, each of which would have compute threads of its own.
LANE: dict[str, Any] = {"concurrency_id": "device", "concurrency_limit": 1}
DEVICE_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="device")

SHAPE_TOLERANCE = 0.05  # of a mask's aspect ratio
# How events that compute nothing reach the server.
INSTANT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# Through gradio's queue, where toasts and changed states arrive, but in no lane.
QUEUED: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}

WORDS_SECONDS = 1.0  # between two updates of status and chart, of which each costs the browser as much as a picture


class Session:
    """What one open page has: its last run, and what may change while that goes on."""

    open: ClassVar[WeakValueDictionary[str, "Session"]] = WeakValueDictionary()  # by gradio's name of the page

    def __init__(self) -> None:
        self.controls = Controls()
        self.running = False
        self.left = False  # the page was closed
        self.run: Run | None = None  # the last, which may go on
        self.base: StyleTransferConfig | None = None  # for what the controls do not show; None: the preset's
        self.pictures: tuple[Path | None, Path | None, Path | None] = (None, None, None)  # content, style, start
        self.timelapse: Timelapse | None = None
        self.losses = LossHistory()
        self.results = Results()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Session":
        return type(self)()  # gradio copies it for each page; events cannot be copied

    def drop_run(self) -> None:
        """Free what the last run holds."""
        if self.run:
            self.run.close()
        self.run = None
        release_freed_memory()


def leave_page(request: gr.Request) -> None:
    """A page was closed: its run, if any, ends after its present step, and is freed."""
    if session := Session.open.get(request.session_hash):
        session.left = True
        session.controls.stop.set()
        if not session.running:
            session.drop_run()


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
    """How fast a run goes, since it was begun or went on; by work, since steps of a larger scale take longer."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.began, self.first = 0.0, 0

    def text(self, frame: Frame) -> str:
        """What the status line says at a frame."""
        now, run = time.monotonic(), self.run
        if not self.began:
            self.began, self.first = now, frame.step
        seconds, made = now - self.began, frame.step - self.first
        pace = left = None
        if made > 1 and seconds > 0:
            pace = made / seconds
            work = run.work(frame.step) - run.work(self.first)
            left = seconds * (run.work(run.steps) - run.work(frame.step)) / max(work, 1e-9)
        height, width = images.size_of(frame.image)
        return progress_text(frame.step, run.steps, pace, left, place_text(frame.scale, width, height))


def paint(
    session: Session,
    content: Path | None,
    style: Path | None,
    start: Path | None,
    more_styles: Sequence[Path | None],
    mask: dict[str, Any] | None,
    preset: str,
    values: Sequence[Any],
) -> Iterator[View]:
    """Paint with the page's settings, showing every stage."""

    def begun() -> Iterator[View]:
        session.drop_run()
        session.controls.wanted = None
        config = config_of(session.base or preset, values)
        yield from fetch_weights(config.backbone, session.controls)
        styles = [style, *filter(None, more_styles)]
        session.run = start_run(content, styles, start, mask, config, session.controls)
        session.pictures, session.timelapse = (content, style, start), Timelapse()

    yield from _painting(session, begun())


def go_on(session: Session, steps: int | None) -> Iterator[View]:
    """Let the last run go on: by some steps, or to its end."""

    def begun() -> Iterator[View]:
        if session.run is None:
            raise NSTError("there is no painting to go on with; press Run")
        count = session.run.remaining if steps is None else steps
        if not isinstance(count, int | float) or not 1 <= count <= MAX_STEPS:
            raise ConfigError(f"the number of steps is {count}; give a whole number from 1 to {MAX_STEPS}")
        session.run.more(int(count))
        yield from ()

    yield from _painting(session, begun())


def _painting(session: Session, begun: Iterator[View]) -> Iterator[View]:
    """What a run shows from its beginning, in which everything is read and checked, to its end."""
    try:
        session.running = True
        yield from begun
        yield from _show_run(session, session.run)
    except NSTError as error:
        gr.Warning(str(error), title="Cannot paint", duration=12)
        yield View(status=status_html(str(error), kind="problem"))
    finally:
        session.running = False
        if session.left:
            session.drop_run()


def steer(session: Session, preset: str, values: Sequence[Any]) -> None:
    """A control was moved: a run that goes on follows with its next step."""
    if not session.running or session.run is None:
        return
    try:
        wanted = config_of(session.base or preset, values)
        session.controls.wanted = wanted.changed(blend=wanted.blend[: session.run.styles])
    except NSTError as error:
        gr.Warning(f"The painting goes on as it was: {error}", title="Cannot paint so", duration=8)


def start_run(
    content: Path | None,
    styles: Sequence[Path | None],
    start: Path | None,
    mask: dict[str, Any] | None,
    config: StyleTransferConfig,
    controls: Controls,
) -> Run:
    """The run of some uploads, all of which are read and checked here."""
    for path, name in ((content, "content"), (styles[0], "style")):
        if path is None:
            raise ImageError(f"there is no {name} picture; drop one or click an example")
    content_image, masks = images.load(content), masks_of(mask)
    _check_shape(masks, content_image)
    return stylize(
        content_image,
        [images.load(style) for style in styles],
        config.changed(blend=config.blend[: len(styles)]),
        start_image=images.load(start) if config.start == "image" and start else None,
        masks=masks,
        compute=choose_compute(),
        controls=controls,
    )


def masks_of(drawn: dict[str, Any] | None) -> list[Tensor]:
    """What was painted in the page's editor, if anything: a mask, (1, 1, H, W)."""
    layers = [mask_of(with_alpha(layer)) for layer in (drawn or {}).get("layers", ()) if layer is not None]
    painted = torch.stack(layers).amax(0) if layers else None
    return [] if painted is None or not painted.any() else [painted]


def _check_shape(masks: Sequence[Tensor], content_image: Tensor) -> None:
    """A mask must have been painted over a picture of the content's shape."""
    height, width = images.size_of(content_image)
    for mask in masks:
        mask_height, mask_width = images.size_of(mask)
        if abs(mask_width * height / (mask_height * width) - 1) > SHAPE_TOLERANCE:
            raise ImageError(
                f"the mask was painted over {mask_width}×{mask_height} pixels, the photo is {width}×{height}; press "
                "Take the photo under Where to paint, and paint over that"
            )


def _show_run(session: Session, run: Run) -> Iterator[View]:
    """Step through a run: every frame and what is said of it to the preview, the result at the end."""
    preview, history = Preview(), session.losses if run.last_frame else LossHistory()
    session.losses = history
    where = f"{run.compute} · {BACKBONES[run.config.backbone]} from {run.checkpoint.origin}"
    pace, told, words, note, steered = Pace(run), -WORDS_SECONDS, {}, "", run.config
    try:
        yield View(
            preview=gr.HTML(value=preview.token, visible=True),
            status=status_html("Looking at the pictures …", where, share=0, run=preview.token),
            losses=history.html(preview.token),
            result=gr.HTML(visible="hidden"),
            download=gr.DownloadButton(visible="hidden"),
            record_area=gr.Accordion(visible=False),
        )
        for frame in frames_of(run):
            history.add(frame)
            session.timelapse.add(frame.image, frame.step)
            note = frame.note or note
            text = pace.text(frame)
            if time.monotonic() - told >= WORDS_SECONDS or run.config is not steered:  # a hand on it sees at once
                steered = run.config
                told, share = time.monotonic(), run.work(frame.step) / max(run.work(run.steps), 1e-9)
                status = status_html(text, f"{where} · {note}" if note else where, share=share, run=preview.token)
                words = {"status": status, "losses": history.html(preview.token)}
            preview.put(frame.image, words)
        yield _result(session, run, where, history)
    finally:
        preview.close()
        release_freed_memory()


def _result(session: Session, run: Run, where: str, history: LossHistory) -> View:
    record, image, png = run.record(), run.last_frame.image, result_file(run)
    remember(session, run, png, history.html())
    return View(
        status=status_html(done_text(record), " · ".join((where, *record.notes)), share=1),
        losses=history.html(),
        preview=gr.HTML(visible="hidden"),
        result=gr.HTML(value=comparison(run.content_image, image), visible=True),
        download=gr.DownloadButton(value=png, visible=True),
        record=record.to_dict(),
        record_area=gr.Accordion(visible=True),
    )


def recolor(session: Session, color: str) -> View:
    """Give the last result other colours, where that takes no painting."""
    run = session.run
    if session.running or run is None or run.last_frame is None or not run.can_recolor(color):
        return View()
    run.recolored(color)
    where = f"{run.compute} · {BACKBONES[run.config.backbone]} from {run.checkpoint.origin}"
    return _result(session, run, where, session.losses)


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
