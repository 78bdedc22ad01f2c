"""Lays out the strip of this session's results: look at one again, go on from it, take its settings."""

from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.blocks import Block
from gradio.events import Dependency
from torch import Tensor

from nst_core import images
from nst_core.engine.devices import DEVICES
from nst_core.errors import ImageError, NSTError, named
from nst_core.transfer.ladder import photos_share
from nst_core.transfer.record import read_record, save_result
from nst_core.ui.page.downloads import new_file
from nst_core.ui.page.events import PRIVATE, QUEUED, Update
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.status import done_text, shares_html, status_html
from nst_core.ui.page.toasts import refusal, warn
from nst_core.ui.studio.controls_and_config import CONTROLS
from nst_core.ui.studio.results import (
    Result,
    Results,
    counted,
    painting_name,
    strip_value,
    timelapse_file,
)
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.uploads import UPLOADS
from nst_core.ui.stylize.other_formats import NO_FRAME, as_jpeg, as_tiff, chosen, moment
from nst_core.ui.stylize.run import STAGE
from nst_core.ui.widgets.pictures import comparison
from nst_core.ui.widgets.thumbnail_strip import Strip

DOWNLOAD = "() => document.querySelector('#ID').click()"


class HistoryParts(NamedTuple):
    """The history's own components."""

    strip: Strip
    use_start: gr.Button
    use_content: gr.Button
    again: gr.Button
    put_back: gr.Button
    timelapse: gr.Button
    jpeg: gr.Button
    tiff: gr.Button
    mark: gr.Button
    restore: gr.File


def build_history(session: gr.State, form: Form, actions: gr.Row) -> tuple[Form, Dependency]:
    """Lay out the strip and its buttons and connect them; call inside the page's layout.

    Args:
        session: holds the page's Session.
        form: the page's pictures, its preset's menu and words, its controls, and the stage.
        actions: the stage's row for what can be done with a result.

    Returns:
        the form with its "strip"; the click by which a result is to be painted again, once all is set for that.
    """
    parts, files = _layout(actions, form["download"])
    form |= {"strip": parts.strip}
    settings = ("preset", "about", *CONTROLS)
    shown = form.only(*STAGE, "strip", *settings)
    parts.strip.pick(shown.filled_by(look_again), session, list(shown), trigger_mode="multiple", **QUEUED)
    for button, act, names in (
        (parts.put_back, put_back, UPLOADS),
        (parts.use_start, use_as_start, ("start", "start_image")),
        (parts.use_content, use_as_content, ("content",)),
    ):
        shown = form.only("status", *names)
        button.click(shown.filled_by(act), session, list(shown), **QUEUED)
    shown = form.only("status", "start_image", *settings)
    again = parts.again.click(shown.filled_by(again_at_twice), session, list(shown), **QUEUED)
    for button, make in ((parts.timelapse, make_timelapse), (parts.jpeg, as_jpeg), (parts.tiff, as_tiff)):
        file = files[button]
        button.click(make, session, file, **QUEUED)
        download = DOWNLOAD.replace("ID", file.elem_id or "")
        file.change(None, js=download, **PRIVATE)
    parts.mark.click(mark, session, parts.strip, **QUEUED)
    shown = form.only("status", *settings) | {"file": parts.restore}
    parts.restore.upload(
        shown.filled_by(restore), [session, parts.restore], list(shown), trigger_mode="multiple", **QUEUED
    )
    return form, again


def _layout(actions: gr.Row, png: Block) -> tuple[HistoryParts, dict[gr.Button, gr.DownloadButton]]:
    small: dict[str, Any] = {"size": "sm", "min_width": 130}
    with actions:
        jpeg = gr.Button("Download JPEG", elem_id="as-jpeg", size="sm", min_width=130)
        png.render()
        tiff = gr.Button("TIFF", elem_id="as-tiff", size="sm", min_width=70)
        timelapse = gr.Button("Film", elem_id="timelapse", size="sm", min_width=70)
        again = gr.Button("Again at 2×", elem_id="again", size="sm", min_width=110)
    with gr.Column(elem_id="history"):
        strip = Strip(Results().value(), elem_id="results")
        with gr.Row():
            use_start = gr.Button("Use as start", elem_id="use-start", **small)
            use_content = gr.Button("Use as content", elem_id="use-content", **small)
            mark = gr.Button("Mark this moment", elem_id="mark", **small)
            put_back = gr.Button("Put its pictures back", elem_id="put-back", **small)
        made = {timelapse: "timelapse-file", jpeg: "jpeg-file", tiff: "tiff-file"}
        files = {button: gr.DownloadButton(elem_id=name, visible="hidden") for button, name in made.items()}
        restore = gr.File(
            label="Settings from a picture painted here", elem_id="settings-from", file_types=["image"], height=150
        )
    return HistoryParts(strip, use_start, use_content, again, put_back, timelapse, jpeg, tiff, mark, restore), files


def look_again(session: Session, event: gr.EventData) -> Updates:
    """Show the clicked thumbnail's picture again, and set every setting as it was; uploads stay."""
    result = session.results.find(event._data["number"])
    if result is None:
        warn("That result is no longer in the strip; choose another.", "Gone")
        return {"strip": strip_value(session)}
    session.results.chosen = result
    try:
        view = _shown_again(session, result)
    except ImageError as error:
        warn(f"{error}. Its settings are back.", "The picture is gone")
        view = {}
    if session.results.chosen is not result:  # another was clicked meanwhile
        return {}
    return {**view, "strip": strip_value(session), **session.take(result.record.config)}


def _shown_again(session: Session, result: Result) -> Updates:
    """Show that picture on the stage; a run that goes on keeps its preview and its words."""
    picture = images.load(result.require())
    view = {
        "status": said(session, f"Result {result.number} and its settings are back", done_text(result.record)),
        "result": gr.HTML(value=comparison(_before(result, picture), picture), visible=True),
        "download": gr.DownloadButton(value=result.path, visible=True),
        "record": result.record.to_dict(),
        "record_area": gr.Accordion(visible=True),
    }
    if session.running:
        return view
    record = result.record
    shares = shares_html(record.first_losses, record.losses, looked_for=photos_share(record.config))
    return {**view, "shares": shares, "preview": gr.HTML(visible="hidden"), "losses": result.losses}


def _before(result: Result, picture: Tensor) -> Tensor:
    """Give the content beside a result; the result itself where that upload is gone."""
    config, content = result.record.config, result.uploads.content
    try:
        before = images.load(content) if content else picture
    except ImageError:
        return picture
    return images.fit(before, config.size, config.size_rule)


def said(session: Session, text: str, detail: str = "") -> Update:
    """Say something in the status line; while a run goes on, whose words stand there, in a toast instead."""
    if session.running:
        gr.Info(f"{text}.", duration=6)
        return gr.skip()
    return status_html(f"{text}.", detail)


def use_as_start(session: Session) -> Updates:
    """Let the next run begin with the chosen result."""
    try:
        result, path = chosen(session)
    except NSTError as error:
        return _refused(error)
    text = said(session, f"Result {result.number} is the start")
    return {"status": text, "start": "image", "start_image": gr.Image(value=path, visible=True)}


def use_as_content(session: Session) -> Updates:
    """Let the next run paint the chosen result."""
    try:
        result, path = chosen(session)
    except NSTError as error:
        return _refused(error)
    return {"status": said(session, f"Result {result.number} is the content"), "content": path}


def again_at_twice(session: Session) -> Updates:
    """Set the chosen result's settings, to go on from it at twice the size.

    Raises:
        gr.Error: no result, or too large a one; nothing is to be painted then.
    """
    try:
        result, path = chosen(session)
        config = result.record.config.at_twice_the_size()
    except NSTError as error:
        raise refusal(error) from None
    text = f"Again at size {config.size}, {counted(config.steps)}, from result {result.number}"
    start_image = gr.Image(value=path, visible=True)
    return {"status": said(session, text), "start_image": start_image, **session.take(config)}


def put_back(session: Session) -> Updates:
    """Put back the pictures that the chosen result was painted from, and what the brush painted over them."""
    try:
        result = session.results.require_chosen()
        there = result.uploads.there()
        if not (there["content"] and there["style"]):
            raise ImageError("the pictures of that result are gone, files are kept for an hour; drop them again")
    except NSTError as error:
        return _refused(error)
    return {"status": said(session, f"The pictures of result {result.number} are back"), **there}


def make_timelapse(session: Session) -> Update:
    """Write the animation of the last run, which the page then downloads."""
    try:
        config = session.config
        name = painting_name(session.uploads, config, "timelapse", ".mp4") if config else "timelapse.mp4"
        return gr.DownloadButton(value=timelapse_file(session.timelapse, name))
    except NSTError as error:
        warn(error, "No timelapse")
        return gr.skip()


def mark(session: Session) -> Update:
    """Put the picture of this moment into the strip; the run goes on."""
    run = session.run
    if run is None or run.last_frame is None:
        warn(NO_FRAME, "Nothing to mark")
        return gr.skip()
    image, record = DEVICES.submit(moment, run).result()
    if not session.results.find(record):
        path = new_file(painting_name(session.uploads, record.config))
        save_result(image, record, path)
        session.results.add(image, record, path, session.uploads)
        gr.Info(f"Step {record.steps} is in the strip.", duration=4)
    return strip_value(session)


def restore(session: Session, path: str | Path | None) -> Updates:
    """Set the settings inside a PNG or JPEG of ours; the place for the file is empty again afterwards."""
    try:
        if path is None:
            raise ImageError("there is no picture to take settings from; drop one that was painted here")
        record = read_record(path)
    except NSTError as error:
        warn(error, "No settings to take")
        return {"file": None}
    text = f"The settings of {named(path)} are here; press Paint with the same pictures to paint it again"
    told = " · ".join((done_text(record), *record.notes))
    return {"status": said(session, text, told), "file": None, **session.take(record.config)}


def _refused(error: NSTError) -> Updates:
    """Show a toast, and change nothing."""
    warn(error, "Not possible")
    return {}
