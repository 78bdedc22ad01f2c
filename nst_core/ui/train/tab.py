"""Lays out the Train tab: one more style for the Instant tab, learned while one watches."""

import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import choose_compute
from nst_core.engine.begin import made_at
from nst_core.engine.cluster import machines
from nst_core.engine.devices import DEVICES
from nst_core.errors import ConfigError, ImageError, NSTError, said
from nst_core.features import weights
from nst_core.instant.lesson import QUICK, Lesson
from nst_core.instant.perceptual import TrainingRecipe
from nst_core.instant.styles import StyleFile, load_styles, save_styles
from nst_core.instant.trainer import TrainingProgress
from nst_core.ui.page.downloads import new_file
from nst_core.ui.page.events import PRIVATE, QUEUED, Update
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.status import duration, status_html
from nst_core.ui.page.toasts import refusal, warn
from nst_core.ui.serving.jobs import connect_job
from nst_core.ui.studio.camera import NO_STYLE
from nst_core.ui.studio.instant_keeping import keep_instant
from nst_core.ui.studio.instant_session import InstantSession, shown_styles, title_of
from nst_core.ui.studio.shared_components import Choices
from nst_core.ui.studio.typed import whole_number
from nst_core.ui.studio.uploads import checked
from nst_core.ui.widgets.channel import Channel, preview_area
from nst_core.ui.widgets.loss_chart import LossHistory
from nst_core.ui.widgets.pictures import PICTURE_FILES, PictureInput
from nst_core.ui.widgets.slider import Slider

MOST_STEPS = 5000
MOST_STYLE_SIZE = 1024  # pixels
FILE_NAME = re.compile(r"[^\w .-]+")  # what a file's name is spared
WORDS_SECONDS = 1.0  # between two updates of the status
DOWNLOAD = "() => document.querySelector('#saved-style').click()"

ABOUT = """Teach the network of the Instant tab one more style: its convolutions stay, only the style's own scales and
shifts are learned, in minutes. Stop when you are pleased: the style then stands among the others, and you can keep
it as a file. *Dumoulin et al. 2017*"""
HINT = "Choose a style picture, then press <b>Train</b>:<br>a photograph in the new style, and as it is, is shown here."


class LessonWish(NamedTuple):
    """Holds what a person wants to be learned; its controls have the same names."""

    picture: Path | None
    name: str
    steps: float | None
    style_weight: float
    style_size: float | None
    photographs: Sequence[str] | None

    def recipe(self) -> TrainingRecipe:
        """Make the recipe by which the style is learned.

        Raises:
            ConfigError: a value that is missing or out of range.
        """
        steps = whole_number("number of steps", self.steps, MOST_STEPS)
        size = whole_number("style picture's size", self.style_size, MOST_STYLE_SIZE)
        return replace(QUICK, steps=steps, style_size=size, style_weight=float(self.style_weight))


def build(choices: Choices) -> None:
    """Lay out the tab and connect it; call inside its Tab.

    Args:
        choices: of the Instant tab, whose styles grow.
    """
    gr.Markdown(ABOUT)
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_id="train-inputs"):
            inputs = _inputs()
            with gr.Row():
                run = gr.Button("Train", variant="primary", elem_id="train-run", scale=2, min_width=100)
                stop = gr.Button("Stop", variant="stop", elem_id="train-stop", interactive=False, scale=1, min_width=80)
            with gr.Accordion("Styles as files", open=False):
                label, kinds = "Load styles, safetensors", [".safetensors"]
                load = gr.File(label=label, elem_id="load-styles", file_types=kinds, height=120)
                save = gr.Button("Download the style that is chosen", elem_id="save-style")
                saved = gr.DownloadButton(elem_id="saved-style", visible="hidden")
        with gr.Column(scale=7, min_width=300):
            preview = preview_area(HINT, elem_id="train-preview")
            status = gr.HTML(status_html("Ready."), elem_id="train-status")
            file = gr.DownloadButton("Download the new style", elem_id="train-file", visible=False)
            losses = gr.HTML(elem_id="train-losses")
    session, styles = choices.session, Form({"strip": choices.strip, "second": choices.mix.second})
    outputs = styles | {"status": status, "preview": preview, "losses": losses, "file": file}
    connect_job(session, lambda session: session.lesson, (run, stop), learn_page, inputs, outputs)
    shown = styles | {"status": status, "load": load}
    load.upload(shown.filled_by(load_file), [session, load], list(shown), trigger_mode="multiple", **QUEUED)
    save.click(save_chosen, session, saved, **QUEUED)
    saved.change(None, js=DOWNLOAD, **PRIVATE)


def _inputs() -> Form:
    """Lay out the controls of LessonWish."""
    picture = PictureInput(
        label="Style picture",
        elem_id="train-picture",
        height=220,
        sources=["upload", "clipboard"],
        alt_text="Style picture",
    )
    checked(picture)
    files = sorted(str(path) for path in (ASSETS / "styles").glob("*.jpg"))
    gr.Examples(files, picture, label="", elem_id="train-examples", examples_per_page=12, cache_examples=False)
    name = gr.Textbox(label="Name", elem_id="train-name", placeholder="my style", max_length=40)
    with gr.Row():
        steps = gr.Number(QUICK.steps, label="Steps, at most", elem_id="train-steps", min_width=110)
        weight = Slider(
            1,
            40,
            QUICK.style_weight,
            step=1,
            label="Style weight",
            elem_id="train-weight",
            min_width=150,
            info="more: stronger strokes, less photo",
        )
    with gr.Accordion("Photographs to learn on, and size of the strokes", open=False):
        label, info = "Style picture's size, pixels", "of its longer side: the larger, the larger its strokes"
        size = gr.Number(QUICK.style_size, label=label, elem_id="train-style-size", info=info)
        photographs = gr.File(
            label="Your photographs, two or more",
            elem_id="train-photos",
            file_types=PICTURE_FILES,
            file_count="multiple",
            height=120,
        )
    named = {"picture": picture, "name": name, "steps": steps, "style_weight": weight, "style_size": size}
    return Form({**named, "photographs": photographs})


def learn_page(session: InstantSession, shown: Mapping[str, Any]) -> Iterator[Updates]:
    """Learn a style, as `learn`, from what the page shows by the names of LessonWish."""
    yield from learn(session, LessonWish(**shown))


def learn(session: InstantSession, wish: LessonWish) -> Iterator[Updates]:
    """Learn a style, showing losses and a painted photograph; then it stands among the others."""
    try:
        session.lesson.busy = True
        lesson = DEVICES.submit(_lesson, session, wish).result()
        yield from _show_lesson(session, lesson)
        if not lesson.trainer.step:
            raise ConfigError("stopped before the first step; nothing was learned")
        name, path = DEVICES.submit(_take_in, session, lesson).result()
        if wish.picture:
            session.pictures[name] = wish.picture
        session.files[name] = path
        session.point_camera()
        keep_instant(session)
        text = f"{title_of(name).capitalize()} is among the styles of the Instant tab."
        detail = " · ".join((f"{lesson.trainer.step} steps", *lesson.notes))
        file = gr.DownloadButton(value=str(path), visible=True)
        yield {"status": status_html(text, detail), "file": file, **_styles(session)}
    except NSTError as error:
        warn(error, "Cannot learn")
        yield {"status": status_html(str(error), kind="problem")}
    finally:
        session.lesson.busy = False


def _styles(session: InstantSession) -> dict[str, Update]:
    """Show the page's styles in the strip and in the menu of second ones."""
    return shown_styles(session)


def _take_in(session: InstantSession, lesson: Lesson) -> tuple[str, Path]:
    """Take what was learned among the styles, and into a file; return its name and the file."""
    file = lesson.learned()
    (name,) = session.add(file, "learned here")
    return name, _written(file, name)


def _written(file: StyleFile, name: str) -> Path:
    path = new_file(f"{FILE_NAME.sub('_', name)}.safetensors")
    save_styles(file, path)
    return path


def _lesson(session: InstantSession, wish: LessonWish) -> Lesson:
    """Make the lesson that is wished, all of it read and checked."""
    if wish.picture is None:
        raise ImageError("there is no style picture; drop one or click an example")
    if not session.catalogue.networks:
        raise ConfigError("there is no network to teach; load a file of styles first")
    recipe, name = wish.recipe(), (wish.name or wish.picture.stem).strip().replace(" ", "_")
    if name in session.names:
        raise ConfigError(f"there is a style called {said(title_of(name))} already; give this one another name")
    weights.require(recipe.backbone)
    base, folder = session.catalogue.networks[0], _folder_of(wish.photographs)
    try:
        return Lesson(name, images.load(wish.picture), base, folder, recipe, machines() or choose_compute())
    except ImageError as error:  # which may name the folder, a matter of the server
        raise ImageError(str(error).replace(str(folder), "what you gave")) from None


def _folder_of(photographs: Sequence[str] | None) -> Path | None:
    """Copy the uploads into one folder."""
    if not photographs:
        return None
    folder = new_file("photographs")
    folder.mkdir()
    for number, path in enumerate(photographs):  # a folder each, as two may have the same name
        (folder / f"{number:04}").mkdir()
        shutil.copy(path, folder / f"{number:04}" / Path(path).name)
    return folder


def _show_lesson(session: InstantSession, lesson: Lesson) -> Iterator[Updates]:
    channel, history, told, began = Channel(), LossHistory(), 0.0, time.monotonic()
    steps = made_at(lesson.where, lesson.steps(session.lesson.steering))
    words: dict[str, str] = {}
    try:
        yield {
            "status": status_html("Looking at the style …", " · ".join(lesson.notes), share=0, run=channel.token),
            "preview": gr.HTML(value=channel.token, visible=True),
            "losses": history.html(channel.token),
            "file": gr.DownloadButton(visible=False),
        }
        with DEVICES.stepped(steps) as stepped:
            for progress in stepped:
                news = {}
                if progress.losses:
                    history.note(progress.step, {**progress.losses, "total": sum(progress.losses.values())})
                    news["train-losses"] = history.html(channel.token)
                if time.monotonic() - told >= WORDS_SECONDS or progress.preview is not None:
                    told = time.monotonic()
                    news["train-status"] = _status(progress, told - began, channel.token)
                words = {**words, **news}  # what was said goes along, as the browser does not see every picture
                if news:
                    channel.put(progress.preview, words)
    finally:
        channel.close()
    yield {"losses": history.html()}


def _status(progress: TrainingProgress, seconds: float, token: str) -> str:
    share = progress.step / progress.steps
    left = f" · {duration(seconds / share - seconds)} left" if progress.step > 1 else ""
    return status_html(f"Step {progress.step} of {progress.steps}{left}", progress.text, share=share, run=token)


def load_file(session: InstantSession, path: str | None) -> Updates:
    """Take a file's styles among the others; the place for the file is empty again afterwards."""
    try:
        if path is None:
            raise ImageError("there is no file of styles; drop one")
        file = Path(path)
        names = DEVICES.submit(lambda: session.add(load_styles(file), file.name)).result()
        session.files[names[0]] = file
        session.point_camera()
        keep_instant(session)
    except NSTError as error:
        warn(error, "No styles to take")
        return {"load": None}
    text = f"Among the styles of the Instant tab now: {', '.join(map(title_of, names))}"
    return {"status": status_html(text), "load": None, **_styles(session)}


def save_chosen(session: InstantSession) -> Update:
    """Write the style that is chosen into a file, which the page then downloads."""
    name = session.chosen
    if session.names and not name:  # as what was chosen is gone
        raise refusal(NO_STYLE)
    if name in session.own:
        raise refusal(
            f"{said(title_of(name))} is a picture of yours, for which nothing was trained; train it, or choose another"
        )
    try:
        path = DEVICES.submit(lambda: _written(session.catalogue.extract(name), name)).result()
    except NSTError as error:
        raise refusal(error) from None
    return gr.DownloadButton(value=str(path))
