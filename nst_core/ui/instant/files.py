"""Paints videos, and many pictures at a time, with a bar; stopped, what is painted is kept."""

import time
import zipfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from torch import Tensor

from nst_core import images
from nst_core.engine.cluster import machines
from nst_core.errors import ConfigError, ImageError, NSTError, listed, named, said
from nst_core.file_names import PORTABLE_BYTES, Names, portable
from nst_core.files import writing
from nst_core.instant.kinds import FILM, PICTURE, kind_of
from nst_core.instant.video import VideoProgress, paint_video
from nst_core.instant.video_by_many import paint_video_by_many
from nst_core.transfer.steering import Steering
from nst_core.ui.instant.picture import on_device, read, refine_on_device
from nst_core.ui.page.downloads import in_use, new_file
from nst_core.ui.page.events import QUEUED, Update
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.status import duration, status_html
from nst_core.ui.page.toasts import warn
from nst_core.ui.serving.jobs import connect_job
from nst_core.ui.studio.instant_session import Brush, InstantSession
from nst_core.ui.studio.uploads import Instead, instead_of
from nst_core.ui.widgets.channel import Channel, preview_area

WORDS_SECONDS = 0.5  # between two updates of the status
VIDEO_SIZE = 640  # pixels, to begin with


def build_video(session: gr.State) -> None:
    """Lay out the video's tab and connect it."""
    source = gr.File(label="Video", elem_id="clip", height=120)
    source.upload(check_clip, source, instead_of(source)[0], trigger_mode="always_last", **QUEUED)
    with gr.Row():
        info = "of the longer side; empty: its own"
        size = gr.Number(VIDEO_SIZE, label="Video size, pixels", elem_id="clip-size", min_width=110, info=info)
        steady = gr.Checkbox(True, label="Steady: less flicker", elem_id="steady", min_width=150)
    outcome = gr.Video(label="Painted video", elem_id="clip-result", visible=False)
    hint = "A video is shown here while it is painted."
    inputs = Form({"source": source, "size": size, "steady": steady})
    buttons, outputs = _stage("clip", "Paint the video", hint, outcome)
    connect_job(session, lambda session: session.video, buttons, paint_clip, inputs, outputs)


def build_many(session: gr.State, size: gr.Number, keep_transparency: gr.Checkbox) -> None:
    """Lay out the tab of many pictures and connect it; they are painted as single ones are."""
    files = gr.File(label="Pictures", elem_id="batch", file_count="multiple", height=160)
    folder = gr.File(label="… or a folder of them", elem_id="batch-folder", file_count="directory", height=120)
    kind = gr.Radio(["PNG", "JPEG"], value="PNG", label="As", elem_id="batch-kind")
    outcome = gr.DownloadButton("Download all, ZIP", elem_id="batch-result", visible=False)
    hint = "Pictures are shown here as they are painted."
    inputs = Form(
        {"files": files, "folder": folder, "size": size, "keep_transparency": keep_transparency, "kind": kind}
    )
    buttons, outputs = _stage("batch", "Paint them all", hint, outcome)
    connect_job(session, lambda session: session.batch, buttons, paint_many, inputs, outputs)


def _stage(
    name: str, action: str, hint: str, outcome: gr.Video | gr.DownloadButton
) -> tuple[tuple[gr.Button, gr.Button], Form]:
    """Lay out one of the two tabs below its inputs.

    Args:
        name: of the tab, before the names of its components.
        action: what Run says.
        hint: shown before the first picture, HTML.
        outcome: where the file appears.

    Returns:
        Run and Stop, and the "status", the "preview" and the "outcome".
    """
    outcome.unrender()
    with gr.Row():
        run = gr.Button(action, variant="primary", elem_id=f"{name}-run", scale=2, min_width=100)
        stop = gr.Button("Stop", variant="stop", elem_id=f"{name}-stop", interactive=False, scale=1, min_width=80)
    status = gr.HTML(elem_id=f"{name}-status")
    preview = preview_area(hint, elem_id=f"{name}-preview")
    outcome.render()
    return (run, stop), Form({"status": status, "preview": preview, "outcome": outcome})


def check_clip(path: str | None) -> Instead | Update:
    """Say at once if an upload is no film; its place is empty then."""
    if path is not None:
        try:
            _check_film(Path(path))
        except NSTError as error:
            warn(error, "Cannot paint")
            return Instead.of(Path(path))
    return gr.skip()


def _check_film(source: Path) -> None:
    if kind_of(source) is PICTURE:
        raise ImageError(f"{named(source)} is a picture; paint it under Picture")


def paint_clip(session: InstantSession, shown: Mapping[str, Any]) -> Iterator[Updates]:
    """Paint a video, showing its newest frame; stopped, what is painted is a video all the same.

    Args:
        session: the page's.
        shown: what it shows: "source", a file; "size", pixels, None for its own; "steady", whether it flickers less.
    """
    source, size = shown["source"], shown["size"]
    try:
        session.video.busy = True
        if source is None:
            raise ImageError("there is no video; drop one")
        brush, pixels = session.brush(), _whole(size)
        output = new_file(brush.file_name(Path(source).stem, ".mp4"))
        _check_film(Path(source))
        painting = _painting(
            brush, source, output, steady=shown["steady"], size=pixels, steering=session.video.steering
        )
        with in_use([source]):
            yield from _show_video(painting, session, output)
    except NSTError as error:
        yield _problem(error)
    finally:
        session.video.busy = False


def _painting(brush: Brush, source: str, output: Path, **how: Any) -> Generator[VideoProgress, None, None]:
    """Paint a video by this computer or, where there is a cluster, by its workers."""
    if cluster := machines():
        return paint_video_by_many(source, output, brush.recipe, machines=cluster, **how)
    return paint_video(source, output, on_device(brush), **how)


def _whole(size: float | None) -> int | None:
    if size is not None and size != size // 1:
        raise ConfigError(f"the size is {said(size)}; give a whole number of pixels, or none")
    return None if size is None else int(size)


def _show_video(
    painting: Generator[VideoProgress, None, None], session: InstantSession, output: Path
) -> Iterator[Updates]:
    channel, told, last = Channel(), 0.0, VideoProgress(0, None, None, 0.0)
    notes: list[str] = []
    words: dict[str, str] = {}  # go along with every picture, as the browser does not see them all
    try:
        yield _begun(channel, "Opening the video …", gr.Video(visible=False))
        for progress in painting:
            is_new, last = progress.frame > last.frame, progress
            notes += [progress.note] if progress.note else []
            if time.monotonic() - told >= WORDS_SECONDS:
                told = time.monotonic()
                words = {"clip-status": _video_status(progress, notes, channel.token)}
            if is_new and progress.image is not None:
                channel.put(progress.image, words)
    finally:
        painting.close()
        channel.close()
    if not output.exists():
        raise ImageError("stopped before the first frame was painted; there is no video")
    stopped = session.video.steering.stop.is_set()
    text = f"{'Stopped' if stopped else 'Done'}: {last.text}, in {duration(last.seconds)}"
    yield {
        "status": status_html(text, " · ".join(notes), share=1),
        "preview": gr.HTML(visible="hidden"),
        "outcome": gr.Video(value=str(output), visible=True),
    }


def _video_status(progress: VideoProgress, notes: Sequence[str], token: str) -> str:
    text, share = progress.text.capitalize(), None
    if progress.frames and progress.frame:
        share = min(1.0, progress.frame / progress.frames)
        text += f" · {duration(progress.seconds / share - progress.seconds)} left"
    return status_html(text, " · ".join(notes), share=share, run=token)


def paint_many(session: InstantSession, shown: Mapping[str, Any]) -> Iterator[Updates]:
    """Paint pictures into one ZIP; those that cannot be painted are named, and stopped, it holds what is done.

    Args:
        session: the page's.
        shown: what it shows: "files" and those of a "folder", perhaps None; "size", pixels, None for their own;
            "keep_transparency", whether paintings are as transparent as their pictures; "kind", "PNG" or "JPEG".
    """
    try:
        session.batch.busy = True
        sources, hidden = _sources([*(shown["files"] or ()), *(shown["folder"] or ())])
        if not sources:
            raise ImageError("there are no pictures; drop some, or a folder")
        brush = session.brush()
        output = new_file(brush.file_name(f"{len(sources)} pictures", ".zip"))
        channel, made, began = Channel(), 0, time.monotonic()
        skipped: list[str] = []
        try:
            yield _begun(channel, "Reading the pictures …", gr.DownloadButton(visible=False))
            # a PNG is as small as it gets
            with (
                in_use(sources),
                writing(output) as aside,
                zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive,
            ):
                zipped = _Zip(archive, brush, shown, session.batch.steering)
                for number, source in enumerate(sources):
                    if session.batch.steering.stop.is_set():
                        break
                    try:
                        painted = zipped.add(source)
                    except ImageError as error:
                        skipped.append(str(error))
                        continue
                    if painted is None:
                        break
                    made += 1
                    text = f"Picture {number + 1} of {len(sources)}: {named(source)}"
                    status = status_html(text, "; ".join(skipped), share=(number + 1) / len(sources), run=channel.token)
                    channel.put(painted, {"batch-status": status})
        finally:
            channel.close()
        if not made and session.batch.steering.stop.is_set():
            raise ImageError("stopped before the first picture was painted; there is no ZIP")
        if not made:
            raise ImageError(f"none of the {len(sources)} files could be painted: {'; '.join(skipped[:3])}")
        stopped = "Stopped" if session.batch.steering.stop.is_set() else "Done"
        text = f"{stopped}: {made} of {len(sources)} pictures in {duration(time.monotonic() - began)}"
        left_out = f"Skipped: {'; '.join(skipped)}" if skipped else ""
        left_out += f"{' · ' if skipped else ''}Passed over, as hidden: {listed(hidden)}" if hidden else ""
        status = status_html(text, left_out, share=1)
        yield {"status": status, "outcome": gr.DownloadButton(value=str(output), visible=True)}
    except NSTError as error:
        yield _problem(error)
    finally:
        session.batch.busy = False


def _sources(paths: Sequence[str]) -> tuple[list[Path], list[str]]:
    """List what is to be painted, and the names of hidden files, as systems put beside pictures."""
    every = [Path(path) for path in paths]
    return [path for path in every if path.name[:1] != "."], [path.name for path in every if path.name[:1] == "."]


@dataclass(frozen=True)
class _Zip:
    """Paints pictures and animations into a ZIP, by names that every computer takes."""

    archive: zipfile.ZipFile
    brush: Brush
    shown: Mapping[str, Any]  # as `paint_many` takes it
    steering: Steering
    names: Names = field(default_factory=lambda: Names(PORTABLE_BYTES))

    def add(self, source: Path) -> Tensor | None:
        """Paint a file; give what was painted last, None if it was stopped before.

        Raises:
            ImageError: a film, or what cannot be painted.
        """
        kind = kind_of(source)
        if kind is FILM:
            raise ImageError(f"{named(source)} is a film; paint it under Video")
        if kind is not PICTURE:
            return self._add_animation(source, kind.endings[0])
        picture = read(source, self.shown["size"], self.shown["keep_transparency"])
        quick = on_device(self.brush)(picture.image)
        painted = picture.finished(refine_on_device(self.brush, picture.image, quick))
        jpeg = self.shown["kind"] == "JPEG"
        ending = images.JPEG_ENDINGS[0] if jpeg else kind.endings[0]
        with self.archive.open(self.names.free(portable(source.stem), ending), "w") as entry:
            self.brush.save(painted, entry, jpeg=jpeg)
        return painted

    def _add_animation(self, source: Path, ending: str) -> Tensor | None:
        last, path = None, new_file(f"animation{ending}")
        brush, pixels = on_device(self.brush), _whole(self.shown["size"])
        try:
            with closing(paint_video(source, path, brush, size=pixels, steering=self.steering)) as painting:
                for progress in painting:
                    last = progress.image if progress.image is not None else last
        except ConfigError as error:  # too narrow for the size: others are not
            raise ImageError(str(error)) from None
        if path.exists():
            self.archive.write(path, self.names.free(portable(source.stem), ending))
            path.unlink()
        return last


def _begun(channel: Channel, text: str, outcome: Update) -> Updates:
    preview = gr.HTML(value=channel.token, visible=True)
    return {"status": status_html(text, run=channel.token), "preview": preview, "outcome": outcome}


def _problem(error: NSTError) -> Updates:
    warn(error, "Cannot paint")
    return {"status": status_html(str(error), kind="problem")}
