"""Paints a labelled folder on the page, as more training data: a ZIP of class folders goes in, another comes out."""

import re
import shutil
import time
import weakref
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.blocks import Block

from nst_core import images
from nst_core.augment.brushes import Brush, instant_brush, optimizer_brush
from nst_core.augment.folder import AugmentProgress, augment, strengths_of
from nst_core.augment.labels import INDEX, Entry, read_index
from nst_core.devices import choose_compute
from nst_core.engine.devices import DEVICES
from nst_core.errors import ConfigError, ImageError, NSTError, said
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import PLAIN_PRESET
from nst_core.ui.folders.archive import pack
from nst_core.ui.folders.class_folders import unpack
from nst_core.ui.page.downloads import in_use, new_file
from nst_core.ui.page.events import INSTANT, page_at_hand
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.status import duration, status_html
from nst_core.ui.page.toasts import warn
from nst_core.ui.page.weights import fetch_weights
from nst_core.ui.serving.audience import AUDIENCE
from nst_core.ui.serving.jobs import Job, connect_job
from nst_core.ui.serving.page_state import PageState
from nst_core.ui.studio.controls_and_config import default_config
from nst_core.ui.studio.instant_session import bundled, title_of
from nst_core.ui.widgets.channel import Channel, preview_area
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


class FolderWish(NamedTuple):
    """Holds what a person wants to be painted; its controls have the same names."""

    source: str | None  # the uploaded ZIP
    by: str  # of BRUSHES
    styles: Sequence[str] | None  # of one pass
    style_picture: Path | None  # of the optimiser
    strengths: str
    size: float | None  # pixels
    steps: float | None  # of the optimiser

    def alone(self) -> "FolderWish":
        """Leave out what only the other brush would read, so that it makes no difference."""
        return self._replace(style_picture=None, steps=None) if self.by == "instant" else self._replace(styles=None)

    def numbers(self) -> list[float]:
        """Read the strengths; raises ConfigError for what is no list of numbers."""
        try:
            return [float(text) for text in re.split(r"[\s,;]+", (self.strengths or "").strip(" ,;"))]
        except ValueError:
            raise ConfigError(
                f"strengths are {said(self.strengths)}; write numbers from 0 to 1, as in 0.5, 1"
            ) from None

    def archive(self) -> Path:
        """Give the ZIP; raises ImageError where there is none."""
        if not self.source:
            raise ImageError("there is no ZIP; drop one that has a folder of pictures for each class")
        return Path(self.source)

    def painting(self) -> Path:
        """Give the optimiser's style picture; raises ImageError where there is none."""
        if self.style_picture is None:
            raise ImageError("there is no style picture for the optimiser; choose one on this page")
        return self.style_picture

    def config(self) -> StyleTransferConfig:
        """Make the optimiser's config; raises ConfigError for numbers that are missing or out of range."""
        self.painting()  # what is missing is told first
        for name in ("size", "steps"):
            if getattr(self, name) is None:
                raise ConfigError(f"{name} is empty; give the optimiser a whole number")
        return default_config(PLAIN_PRESET).changed(size=self.size, steps=self.steps)

    def brush(self) -> Brush:
        """Make what paints, on DEVICES; raises NSTError for what cannot be painted so."""
        if self.by == "optimizer":
            config, picture = self.config(), self.painting()
            return optimizer_brush({picture.stem: images.load(picture)}, config, choose_compute())
        if not self.styles:
            raise ConfigError("there is no style to paint in; choose one or more")
        size, least, most = self.size, images.MIN_SIDE, images.READ_SIDE
        if size is not None and not (size == size // 1 and least <= size <= most):
            raise ConfigError(f"the size is {said(size)}; give a whole number from {least} to {most}, or none")
        painter = bundled().painter(choose_compute())
        return instant_brush(painter, self.styles, None if size is None else int(size))


class Augmentation(PageState, Job):
    """Holds one open page's pictures of its ZIP, and what is painted of them."""

    def __init__(self) -> None:
        super().__init__()
        self.wish: FolderWish | None = None  # that the paintings are of
        self.left_out = 0  # files of the ZIP
        self.room: Path | None = None

    def leave(self) -> None:
        """End what goes on for a page that was closed."""
        self.steering.stop.set()

    def folders(self, wish: FolderWish) -> tuple[Path, Path]:
        """Give the folders of pictures and paintings; for the same wish the same ones, so that painting goes on there.

        Raises:
            ImageError: a ZIP that cannot be unpacked.
        """
        known, room, self.wish = self.wish, self.room, None
        if known is None or room is None or wish.source != known.source or not (room / "pictures").is_dir():
            self.empty()
            room = self.room = new_file("room")
            weakref.finalize(self, shutil.rmtree, room, ignore_errors=True)
            self.left_out = unpack(wish.archive(), room / "pictures")
        elif wish != known:
            shutil.rmtree(room / "paintings", ignore_errors=True)
        self.wish = wish
        return room / "pictures", room / "paintings"

    def empty(self) -> None:
        """Delete the pictures and what is painted of them."""
        self.wish = None
        if self.room:
            shutil.rmtree(self.room, ignore_errors=True)

    def told(self, text: object) -> str:
        """Take this computer's folders out of a text."""
        words = str(text)
        for place in (self.room / "pictures", self.room / "paintings") if self.room else ():
            words = words.replace(f"{place}/", "").replace(str(place), f"the ZIP of {place.name}")
        return words


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
            ways = [(title, name) for name, title in BRUSHES.items()]
            by = gr.Radio(ways, value="instant", label="By", elem_id="augment-by", min_width=150)
            styles = gr.Dropdown(
                [(title_of(name), name) for name in names],
                value=names[:2],
                multiselect=True,
                label="Styles, in turn",
                elem_id="augment-styles",
                min_width=200,
            )
            steps = gr.Number(STEPS, label="Steps", elem_id="augment-steps", visible=False, min_width=110)
        with gr.Row():
            strengths = gr.Textbox(
                "0.5, 1",
                label="Strengths",
                elem_id="augment-strengths",
                min_width=150,
                info="0 to 1; a painting for each",
                max_lines=1,
            )
            info = "of the longer side"
            size = gr.Number(SIZE, label="Size, pixels", elem_id="augment-size", min_width=110, info=info)
        with gr.Row():
            run = gr.Button("Paint", variant="primary", elem_id="augment-run", scale=2, min_width=100)
            stop = gr.Button("Stop", variant="stop", elem_id="augment-stop", interactive=False, scale=1, min_width=80)
        status = gr.HTML(elem_id="augment-status")
        preview = preview_area(HINT, elem_id="augment-preview")
        outcome = gr.DownloadButton("Download the paintings, ZIP", elem_id="augment-result", visible=False)
    by.change(_of_brush, by, [styles, steps], **INSTANT)
    pictures: dict[str, Block] = {"source": source, "styles": styles, "style_picture": style_picture}
    inputs = Form({**pictures, "by": by, "strengths": strengths, "size": size, "steps": steps})
    outputs = Form({"status": status, "preview": preview, "outcome": outcome})
    connect_job(job, lambda job: job, (run, stop), paint_folder, inputs, outputs)
    page_at_hand().load(enter_page, job, **INSTANT)
    AUDIENCE.when_left(Augmentation.leave_page)


def _of_brush(by: str) -> tuple[gr.Dropdown, gr.Number]:
    """Show what there is to choose for one of BRUSHES."""
    return gr.Dropdown(visible=by == "instant"), gr.Number(visible=by == "optimizer")


def enter_page(job: Augmentation, request: gr.Request) -> None:
    """Note which page this is, when it is opened."""
    job.enter(request)


def paint_folder(job: Augmentation, shown: Mapping[str, Any]) -> Iterator[Updates]:
    """Paint the pictures of a ZIP into another; pressed again after Stop, it goes on where it was.

    Args:
        job: the page's.
        shown: what it shows, by the names of FolderWish.
    """
    try:
        job.busy = True
        wish = FolderWish(**shown).alone()
        strengths = wish.numbers()
        strengths_of(strengths)
        archive = wish.archive()
        if wish.by == "optimizer":
            for line in fetch_weights(wish.config().backbone, job.steering):
                yield {"status": line}
        brush, began = DEVICES.submit(wish.brush).result(), time.monotonic()
        pictures, paintings = job.folders(wish)  # only now that nothing more can be wrong: others are given up
        with in_use([pictures.parent]):
            last = yield from _show(job, augment(pictures, paintings, brush, strengths))
            made, stopped = len(read_index(paintings)), last.done < last.total
            if not made:
                raise ImageError("stopped before the first painting was finished; there is no ZIP")
            packed = pack(paintings, [INDEX, *read_index(paintings)], f"{archive.stem}-painted.zip")
        text = f"{'Stopped' if stopped else 'Done'}: {made} of {last.total} paintings"
        text = f"{text} in {duration(time.monotonic() - began)}"
        status = status_html(text, _notes(job, last, stopped), share=made / last.total)
        if not stopped:
            job.empty()
        yield {"status": status, "outcome": gr.DownloadButton(value=str(packed), visible=True)}
    except NSTError as error:
        text = job.told(error)
        warn(text, "Cannot paint")
        yield {"status": status_html(text, kind="problem")}
    finally:
        job.busy = False


def _show(
    job: Augmentation, painting: Generator[AugmentProgress, None, None]
) -> Generator[Updates, None, AugmentProgress]:
    """Show each painting while it is made; return the last progress."""
    channel, began, told, saved = Channel(), time.monotonic(), -WORDS_SECONDS, -1
    words: dict[str, str] = {}
    last = AugmentProgress(0, 0)
    try:
        status = status_html("Looking at the pictures …", share=0, run=channel.token)
        preview = gr.HTML(value=channel.token, visible=True)
        yield {"status": status, "preview": preview, "outcome": gr.DownloadButton(visible=False)}
        with DEVICES.stepped(painting) as stepped:
            for progress in stepped:
                last, seconds, at_work = progress, time.monotonic() - began, progress.done == saved
                saved = progress.done
                if progress.entry and seconds - told >= WORDS_SECONDS:
                    done = saved + (progress.share if at_work else 0)
                    status = _status(progress, progress.entry, done, seconds, channel.token)
                    told, words = seconds, {"augment-status": status}
                if progress.image is not None:
                    channel.put(progress.image, words)
                if job.steering.stop.is_set() and not (at_work and progress.share == 1):  # what is finished is saved
                    break
        return last
    finally:
        channel.close()


def _status(progress: AugmentProgress, entry: Entry, done: float, seconds: float, token: str) -> str:
    """Write the status beside a picture; done counts the painting at work, which is entry's, by its share."""
    worked = done - progress.kept
    left = f" · {duration(seconds / worked * (progress.total - done))} left" if worked > 0 else ""
    text = (
        f"{entry.source}, {title_of(entry.style)} at {entry.strength}: {int(done)} of {progress.total} paintings{left}"
    )
    return status_html(text, share=done / progress.total, run=token)


def _notes(job: Augmentation, last: AugmentProgress, stopped: bool) -> str:
    """Write what a person should know at the end."""
    notes = [job.told(note) for note in last.notes[:MOST_NOTES]]
    notes += [f"{len(last.notes) - MOST_NOTES} more are skipped"] if len(last.notes) > MOST_NOTES else []
    notes += [f"Left out: {job.left_out} files that are no pictures in a class's folder"] if job.left_out else []
    return " · ".join((["Paint goes on from here"] if stopped else []) + notes)
