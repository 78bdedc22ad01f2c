"""Videos and many pictures at a time: painted in the background of the page, with a bar, and kept when stopped."""

import time
import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, TypeAlias

import gradio as gr
from gradio.components import Component
from torch import Tensor

from nst_core import images
from nst_core.errors import ConfigError, ImageError, NSTError, listed, named
from nst_core.file_names import PORTABLE_BYTES, Names, named_after, portable
from nst_core.files import writing
from nst_core.instant.kinds import FILM, PICTURE, kind_of
from nst_core.instant.video import VideoProgress, paint_video
from nst_core.transfer.steering import Steering
from nst_core.ui.instant.picture import on_device, read
from nst_core.ui.page.downloads import in_use, new_file
from nst_core.ui.page.events import Update
from nst_core.ui.page.status import duration, status_html
from nst_core.ui.page.toasts import warn
from nst_core.ui.serving.jobs import Job, connect_job
from nst_core.ui.serving.turns import Work
from nst_core.ui.studio.instant_session import InstantSession
from nst_core.ui.widgets.channel import Channel, preview_area

WORDS_SECONDS = 0.5  # between two updates of the status
VIDEO_SIZE = 640  # pixels, to begin with


View: TypeAlias = tuple[Update, Update, Update]  # of a tab: its status, its preview, and where the file appears


class Parts(NamedTuple):
    """The components of one of the two tabs."""

    inputs: Sequence[Component]
    run: gr.Button
    stop: gr.Button
    status: gr.HTML
    preview: gr.HTML
    outcome: gr.Video | gr.DownloadButton  # where the file appears


def build_video(session: gr.State) -> None:
    """Lay out the video's tab and connect it."""
    source = gr.File(label="Video", elem_id="clip", height=120)
    with gr.Row():
        info = "of the longer side; empty: its own"
        size = gr.Number(VIDEO_SIZE, label="Size, pixels", elem_id="clip-size", min_width=110, info=info)
        steady = gr.Checkbox(True, label="Steady: less flicker", elem_id="steady", min_width=150)
    outcome = gr.Video(label="Painted video", elem_id="clip-result", visible=False)
    hint = "A video is shown here while it is painted."
    parts = _parts([source, size, steady], "clip", "Paint the video", hint, outcome)
    _connect(session, parts, paint_clip, lambda session: session.video)


def build_many(session: gr.State, size: gr.Number) -> None:
    """Lay out the tab of many pictures and connect it; they are painted at the size of single ones."""
    files = gr.File(label="Pictures", elem_id="batch", file_count="multiple", height=160)
    folder = gr.File(label="… or a folder of them", elem_id="batch-folder", file_count="directory", height=120)
    outcome = gr.DownloadButton("Download all, ZIP", elem_id="batch-result", visible=False)
    hint = "Pictures are shown here as they are painted."
    parts = _parts([files, folder, size], "batch", "Paint them all", hint, outcome)
    _connect(session, parts, paint_many, lambda session: session.batch)


def _parts(
    inputs: Sequence[Component], name: str, action: str, hint: str, outcome: gr.Video | gr.DownloadButton
) -> Parts:
    outcome.unrender()
    with gr.Row():
        run = gr.Button(action, variant="primary", elem_id=f"{name}-run", scale=2, min_width=100)
        stop = gr.Button("Stop", variant="stop", elem_id=f"{name}-stop", interactive=False, scale=1, min_width=80)
    status = gr.HTML(elem_id=f"{name}-status")
    preview = preview_area(hint, elem_id=f"{name}-preview")
    outcome.render()
    return Parts(inputs, run, stop, status, preview, outcome)


def _connect(
    session: gr.State, parts: Parts, paint: Work[InstantSession, View], job: Callable[[InstantSession], Job]
) -> None:
    outputs = [parts.status, parts.preview, parts.outcome]
    connect_job(session, job, (parts.run, parts.stop), paint, parts.inputs, outputs)


def paint_clip(session: InstantSession, source: str | None, size: float | None, steady: bool) -> Iterator[View]:
    """Paint a video, showing its newest frame; stopped, what is painted is a video all the same."""
    try:
        session.video.busy = True
        if source is None:
            raise ImageError("there is no video; drop one")
        output = new_file(named_after(Path(source).stem, session.chosen, ending=".mp4"))
        pixels = _whole(size)
        brush = on_device(session.brush())
        if kind_of(Path(source)) is PICTURE:
            raise ImageError(f"{named(source)} is a picture; paint it under Picture")
        painting = paint_video(
            source,
            output,
            brush,
            steady=steady,
            size=pixels,
            steering=session.video.steering,
        )
        with in_use([source]):
            yield from _show_video(painting, session, output)
    except NSTError as error:
        yield _problem(error)
    finally:
        session.video.busy = False


def _whole(size: float | None) -> int | None:
    if size is not None and size != size // 1:
        raise ConfigError(f"the size is {size:g}; give a whole number of pixels, or none")
    return None if size is None else int(size)


def _show_video(
    painting: Generator[VideoProgress, None, None], session: InstantSession, output: Path
) -> Iterator[View]:
    channel, told, last = Channel(), 0.0, VideoProgress(0, None, None, 0.0)
    notes: list[str] = []
    words: dict[str, str] = {}  # go along with every picture, as the browser does not see them all
    try:
        yield _begun(channel, "Opening the video …", gr.Video(visible=False))
        for progress in painting:
            last = progress
            notes += [progress.note] if progress.note else []
            if time.monotonic() - told >= WORDS_SECONDS:
                told = time.monotonic()
                words = {"clip-status": _video_status(progress, notes, channel.token)}
            if progress.image is not None:
                channel.put(progress.image, words)
    finally:
        painting.close()
        channel.close()
    if not output.exists():
        raise ImageError("stopped before the first frame was painted; there is no video")
    stopped = session.video.steering.stop.is_set()
    text = f"{'Stopped' if stopped else 'Done'}: {last.text}, in {duration(last.seconds)}"
    yield (
        status_html(text, " · ".join(notes), share=1),
        gr.HTML(visible="hidden"),
        gr.Video(value=str(output), visible=True),
    )


def _video_status(progress: VideoProgress, notes: Sequence[str], token: str) -> str:
    text, share = progress.text.capitalize(), None
    if progress.frames and progress.frame:
        share = min(1.0, progress.frame / progress.frames)
        text += f" · {duration(progress.seconds / share - progress.seconds)} left"
    return status_html(text, " · ".join(notes), share=share, run=token)


def paint_many(
    session: InstantSession, files: Sequence[str] | None, folder: Sequence[str] | None, size: float | None
) -> Iterator[View]:
    """Paint pictures into one ZIP; those that cannot be painted are named, and stopped, it holds what is done."""
    try:
        session.batch.busy = True
        output = new_file("neural-style-lab.zip")
        sources, hidden = _sources([*(files or ()), *(folder or ())])
        if not sources:
            raise ImageError("there are no pictures; drop some, or a folder")
        brush = on_device(session.brush())
        channel, made, began = Channel(), 0, time.monotonic()
        names = Names(PORTABLE_BYTES)
        skipped: list[str] = []
        try:
            yield _begun(channel, "Reading the pictures …", gr.DownloadButton(visible=False))
            # a PNG is as small as it gets
            with (
                in_use(sources),
                writing(output) as aside,
                zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive,
            ):
                for number, source in enumerate(sources):
                    if session.batch.steering.stop.is_set():
                        break
                    try:
                        painted = _add(archive, names, source, brush, size, session.batch.steering)
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
        yield status_html(text, left_out, share=1), gr.skip(), gr.DownloadButton(value=str(output), visible=True)
    except NSTError as error:
        yield _problem(error)
    finally:
        session.batch.busy = False


def _sources(paths: Sequence[str]) -> tuple[list[Path], list[str]]:
    """What is to be painted; names of hidden files, as systems put beside pictures."""
    every = [Path(path) for path in paths]
    return [path for path in every if path.name[:1] != "."], [path.name for path in every if path.name[:1] == "."]


def _add(
    archive: zipfile.ZipFile,
    names: Names,
    source: Path,
    brush: Callable[[Tensor], Tensor],
    size: float | None,
    steering: Steering,
) -> Tensor | None:
    """Paint a picture or an animation into a ZIP, by a name that every computer takes; None: stopped before it began.

    Returns:
        what was painted last, (1, 3, H, W).
    """
    kind = kind_of(source)
    if kind is FILM:
        raise ImageError(f"{named(source)} is a film; paint it under Video")
    if kind is PICTURE:
        painted = brush(read(source, size))
        with archive.open(names.free(portable(source.stem), kind.endings[0]), "w") as entry:
            images.save_png(painted, entry)
        return painted
    last, path = None, new_file(f"animation{kind.endings[0]}")
    pixels = _whole(size)
    try:
        with closing(paint_video(source, path, brush, size=pixels, steering=steering)) as painting:
            for progress in painting:
                last = progress.image if progress.image is not None else last
    except ConfigError as error:  # too narrow for the size: others are not
        raise ImageError(str(error)) from None
    if path.exists():
        archive.write(path, names.free(portable(source.stem), kind.endings[0]))
        path.unlink()
    return last


def _begun(channel: Channel, text: str, outcome: Update) -> View:
    return status_html(text, run=channel.token), gr.HTML(value=channel.token, visible=True), outcome


def _problem(error: NSTError) -> View:
    warn(error, "Cannot paint")
    return status_html(str(error), kind="problem"), gr.skip(), gr.skip()
