"""A labelled folder painted on the page, as more training data: a ZIP of class folders goes in, another comes out."""

import re
import shutil
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import gradio as gr

from nst_core import images
from nst_core.augment.brushes import Brush, instant_brush, optimizer_brush
from nst_core.augment.folder import AugmentProgress, augment, strengths_of
from nst_core.augment.labels import INDEX, read_index
from nst_core.devices import choose_compute
from nst_core.errors import ConfigError, ImageError, NSTError, said
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import DEFAULT_PRESET
from nst_core.ui.augment.zip import pack, unpack
from nst_core.ui.page.downloads import in_use, new_file
from nst_core.ui.page.events import INSTANT
from nst_core.ui.page.status import duration, status_html
from nst_core.ui.page.toasts import warn
from nst_core.ui.page.weights import fetch_weights
from nst_core.ui.serving.audience import AUDIENCE
from nst_core.ui.serving.device_thread import DEVICE_THREAD
from nst_core.ui.serving.jobs import Job, connect_job
from nst_core.ui.studio.control_values import default_config
from nst_core.ui.studio.instant_session import bundled, title_of
from nst_core.ui.widgets.live_preview import Preview, preview_area
from nst_core.ui.widgets.pictures import PictureInput

BRUSHES = {"instant": "one pass", "optimizer": "optimiser"}
SIZE, STEPS = 256, 60  # pixels of the longer side, and steps of the optimiser, to begin with
WORDS_SECONDS = 0.5  # between two updates of the status
MOST_NOTES = 3  # told of what was skipped

ABOUT = f"""Paintings of labelled pictures are more training data: what they show stays, how they look varies. Drop a
ZIP with a folder of pictures for each class (`cat/tom.jpg`, `dog/rex.jpg`); back comes one with the same folders and
`{INDEX}`. A strength of 1 is the whole style. Less of it blends painting and photograph **in one pass**; where the
**optimiser** paints, in this page's style picture, it scales β."""
HINT = "Drop a ZIP of class folders, then press <b>Paint</b>:<br>pictures are shown here as they are painted."


class AugmentView(NamedTuple):
    """What a handler shows, in the order of the outputs; what is left out stays as it is."""

    status: Any = gr.skip()
    preview: Any = gr.skip()
    outcome: Any = gr.skip()


class Wish(NamedTuple):
    """What a person wants to be painted, in the order of the inputs."""

    source: str | None  # the uploaded ZIP
    by: str  # of BRUSHES
    styles: Sequence[str] | None  # of one pass
    style_picture: Path | None  # of the optimiser
    strengths: str
    size: float | None  # pixels
    steps: float | None  # of the optimiser

    def alone(self) -> "Wish":
        """With what counts: what only the other brush would read makes no difference."""
        return self._replace(style_picture=None, steps=None) if self.by == "instant" else self._replace(styles=None)

    def numbers(self) -> list[float]:
        """The strengths; raises ConfigError for what is no list of numbers."""
        try:
            return [float(text) for text in re.split(r"[\s,;]+", (self.strengths or "").strip(" ,;"))]
        except ValueError:
            raise ConfigError(
                f"strengths are {said(self.strengths)}; write numbers from 0 to 1, as in 0.5, 1"
            ) from None

    def config(self) -> StyleTransferConfig:
        """How the optimiser paints; raises ConfigError for numbers that are missing or out of range."""
        if self.style_picture is None:
            raise ImageError("there is no style picture for the optimiser; choose one on this page")
        for name in ("size", "steps"):
            if getattr(self, name) is None:
                raise ConfigError(f"{name} is empty; give the optimiser a whole number")
        return default_config(DEFAULT_PRESET).changed(size=self.size, steps=self.steps)

    def brush(self) -> Brush:
        """What paints, to be made on DEVICE_THREAD; raises NSTError for what cannot be painted so."""
        if self.by == "optimizer":
            config = self.config()
            return optimizer_brush({self.style_picture.stem: images.load(self.style_picture)}, config, choose_compute())
        if not self.styles:
            raise ConfigError("there is no style to paint in; choose one or more")
        size, least, most = self.size, images.MIN_SIDE, images.MAX_SIDE
        if size is not None and not (size == size // 1 and least <= size <= most):
            raise ConfigError(f"the size is {size:g}; give a whole number from {least} to {most}, or none")
        painter = bundled().painter(choose_compute())
        return instant_brush(painter, self.styles, None if size is None else int(size))


class Augmentation(Job):
    """What one open page has of it: the pictures of its ZIP, and what is painted of them."""

    open: ClassVar[weakref.WeakValueDictionary[str, "Augmentation"]] = weakref.WeakValueDictionary()  # as Session.open

    def __init__(self) -> None:
        super().__init__()
        self.wish: Wish | None = None  # that the paintings are of
        self.left_out = 0  # files of the ZIP
        self.room: Path | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Augmentation":
        return type(self)()  # gradio copies it for each page

    def folders(self, wish: Wish) -> tuple[Path, Path]:
        """Of pictures and paintings; for the wish of before those of before, so that painting goes on where it was.

        Raises:
            ImageError: a ZIP that cannot be unpacked.
        """
        known, self.wish = self.wish, None
        if known is None or wish.source != known.source or not (self.room / "pictures").is_dir():
            self.empty()
            self.room = new_file("room")
            weakref.finalize(self, shutil.rmtree, self.room, ignore_errors=True)
            self.left_out = unpack(Path(wish.source), self.room / "pictures")
        elif wish != known:
            shutil.rmtree(self.room / "paintings", ignore_errors=True)
        self.wish = wish
        return self.room / "pictures", self.room / "paintings"

    def empty(self) -> None:
        """Delete the pictures and what is painted of them."""
        self.wish = None
        if self.room:
            shutil.rmtree(self.room, ignore_errors=True)

    def told(self, text: object) -> str:
        """Words without this computer's folders."""
        for name in ("pictures", "paintings") if self.room else ():
            text = str(text).replace(f"{self.room / name}/", "").replace(str(self.room / name), f"the ZIP of {name}")
        return str(text)


def build_augment(style_picture: PictureInput) -> None:
    """Lay out the area and connect it; call inside a Blocks.

    Args:
        style_picture: what the optimiser paints in.
    """
    job, names = gr.State(Augmentation()), list(bundled().styles)
    with gr.Accordion("Data augmentation: paint a labelled folder", open=False, elem_id="augment-area"):
        gr.Markdown(ABOUT, elem_id="augment-about")
        source = gr.File(label="Class folders, ZIP", elem_id="augment-source", file_types=[".zip"], height=120)
        with gr.Row():
            by = gr.Radio([(title, name) for name, title in BRUSHES.items()], value="instant", label="By",
                          elem_id="augment-by", min_width=150)  # fmt: skip
            styles = gr.Dropdown([(title_of(name), name) for name in names], value=names[:2], multiselect=True,
                                 label="Styles, in turn", elem_id="augment-styles", min_width=200)  # fmt: skip
            steps = gr.Number(STEPS, label="Steps", elem_id="augment-steps", visible=False, min_width=110)
        with gr.Row():
            strengths = gr.Textbox("0.5, 1", label="Strengths", elem_id="augment-strengths", min_width=150,
                                   info="0 to 1; a painting for each", max_lines=1)  # fmt: skip
            size = gr.Number(SIZE, label="Size, pixels", elem_id="augment-size", min_width=110,
                             info="of the longer side")  # fmt: skip
        with gr.Row():
            run = gr.Button("Paint", variant="primary", elem_id="augment-run", scale=2, min_width=100)
            stop = gr.Button("Stop", variant="stop", elem_id="augment-stop", interactive=False, scale=1, min_width=80)
        status = gr.HTML(elem_id="augment-status")
        preview = preview_area(HINT, elem_id="augment-preview")
        outcome = gr.DownloadButton("Download the paintings, ZIP", elem_id="augment-result", visible=False)
    by.change(lambda by: (gr.Dropdown(visible=by == "instant"), gr.Number(visible=by == "optimizer")), by,
              [styles, steps], **INSTANT)  # fmt: skip
    inputs = [source, by, styles, style_picture, strengths, size, steps]  # in the order of Wish
    connect_job(job, lambda job: job, (run, stop), paint_folder, inputs, [status, preview, outcome])
    page = gr.context.Context.root_block
    page.load(enter_page, job, **INSTANT)
    AUDIENCE.when_left(leave_page)


def enter_page(job: Augmentation, request: gr.Request) -> None:
    """A page was opened."""
    Augmentation.open[request.session_hash] = job


def leave_page(request: gr.Request) -> None:
    """A page was closed: what goes on for it ends."""
    if job := Augmentation.open.get(request.session_hash):
        job.controls.stop.set()


def paint_folder(job: Augmentation, *given: Any) -> Iterator[AugmentView]:
    """Paint the pictures of a ZIP into another; pressed again after Stop, it goes on where it was."""
    try:
        job.busy = True
        wish = Wish(*given).alone()
        strengths = wish.numbers()
        strengths_of(strengths)
        if not wish.source:
            raise ImageError("there is no ZIP; drop one that has a folder of pictures for each class")
        if wish.by == "optimizer":
            for line in fetch_weights(wish.config().backbone, job.controls):
                yield AugmentView(line)
        brush, began = DEVICE_THREAD.submit(wish.brush).result(), time.monotonic()
        pictures, paintings = job.folders(wish)  # only now that nothing more can be wrong: others are given up
        with in_use([job.room]):
            last = yield from _show(job, augment(pictures, paintings, brush, strengths))
        made, stopped = len(read_index(paintings)), last.done < last.total
        if not made:
            raise ImageError("stopped before the first painting was finished; there is no ZIP")
        text = f"{'Stopped' if stopped else 'Done'}: {made} of {last.total} paintings"
        status = status_html(f"{text} in {duration(time.monotonic() - began)}", _notes(job, last, stopped),
                             share=made / last.total)  # fmt: skip
        packed = pack(paintings, f"{Path(wish.source).stem}-painted.zip")
        if not stopped:
            job.empty()
        yield AugmentView(status, outcome=gr.DownloadButton(value=str(packed), visible=True))
    except NSTError as error:
        text = job.told(error)
        warn(text, "Cannot paint")
        yield AugmentView(status_html(text, kind="problem"))
    finally:
        job.busy = False


def _show(job: Augmentation, painting: Iterator[AugmentProgress]) -> Iterator[AugmentView]:
    """Each painting while it is made; returns the last progress."""
    preview, began, told, saved, words = Preview(), time.monotonic(), -WORDS_SECONDS, -1, {}
    try:
        yield AugmentView(status_html("Looking at the pictures …", share=0, run=preview.token),
                          gr.HTML(value=preview.token, visible=True), gr.DownloadButton(visible=False))  # fmt: skip
        while progress := DEVICE_THREAD.submit(next, painting, None).result():
            last, seconds, at_work = progress, time.monotonic() - began, progress.done == saved
            saved = progress.done
            if progress.entry and seconds - told >= WORDS_SECONDS:
                done = saved + (progress.share if at_work else 0)
                told, words = seconds, {"augment-status": _status(progress, done, seconds, preview.token)}
            if progress.image is not None:
                preview.put(progress.image, words)
            if job.controls.stop.is_set() and not (at_work and progress.share == 1):  # what is finished is saved next
                break
        return last
    finally:
        DEVICE_THREAD.submit(painting.close).result()
        preview.close()


def _status(progress: AugmentProgress, done: float, seconds: float, token: str) -> str:
    """What goes along with a picture; done counts the painting at work by its share."""
    entry, worked = progress.entry, done - progress.kept
    left = f" · {duration(seconds / worked * (progress.total - done))} left" if worked > 0 else ""
    text = (
        f"{entry.source}, {title_of(entry.style)} at {entry.strength}: {int(done)} of {progress.total} paintings{left}"
    )
    return status_html(text, share=done / progress.total, run=token)


def _notes(job: Augmentation, last: AugmentProgress, stopped: bool) -> str:
    """What there is to say of the end."""
    notes = [job.told(note) for note in last.notes[:MOST_NOTES]]
    notes += [f"{len(last.notes) - MOST_NOTES} more are skipped"] if len(last.notes) > MOST_NOTES else []
    notes += [f"Left out: {job.left_out} files that are no pictures in a class's folder"] if job.left_out else []
    return " · ".join((["Paint goes on from here"] if stopped else []) + notes)
