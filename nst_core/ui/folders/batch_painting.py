"""Paints a batch of the page as a job of the server's, on a cluster several paintings at once, and packs them."""

import secrets
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import cast

import gradio as gr

from nst_core import images
from nst_core.batch.batch import BatchProgress, paint_in_job
from nst_core.batch.report import REPORT, Result, write_report
from nst_core.batch.tasks import Task, pairs
from nst_core.batch.ways import Instant, Optimized, Paint, Stroke, Strokes, engine_paint, instant_paint
from nst_core.devices import choose_compute
from nst_core.engine.begin import count_places
from nst_core.engine.devices import Closable
from nst_core.engine.jobs import Job
from nst_core.errors import ImageError, NSTError, listed
from nst_core.file_names import portable
from nst_core.files import make_folder
from nst_core.instant import painted_picture
from nst_core.outputs import check_room
from nst_core.pictures.opening import header_of
from nst_core.transfer.record import TEXT_KEY
from nst_core.transfer.steering import Steering
from nst_core.ui.folders.archive import pack
from nst_core.ui.folders.batch_plan import ENDINGS, PASSES, BatchPlan, counted, roughly
from nst_core.ui.folders.batch_state import GOES_ON, Batch, PageWay, Tasks
from nst_core.ui.folders.cards import AT_WORK, FAILED, PAINTED, SIDE, WAITING
from nst_core.ui.folders.photos import Photo, is_zip
from nst_core.ui.page.status import duration, status_html
from nst_core.ui.page.toasts import noting
from nst_core.ui.page.weights import fetch_weights
from nst_core.ui.serving.turns import client_of, waiting_text
from nst_core.ui.studio.instant_session import bundled

SMALL = "small"  # the folder of what the cards show
WORDS_SECONDS = 0.5  # between two updates of the status
RECORDS = (TEXT_KEY, painted_picture.TEXT_KEY)  # what is kept in a painting of how it was made
MOST_AT_ONCE = 16  # paintings of a batch on a cluster, so that the page's own process has time for others


def begin(batch: Batch, plan: BatchPlan, request: gr.Request) -> None:
    """Let the server paint a plan, whoever watches.

    Raises:
        NSTError: no place for it in the queue, or on the disk.
    """
    check_room(Path(gr.utils.get_upload_folder()), plan.bytes(), called="the disk for results")
    batch.enter(request)
    if batch.outcome:
        batch.outcome.unlink(missing_ok=True)
    batch.plan, batch.progress, batch.outcome, batch.run = plan, None, None, secrets.token_urlsafe(8)
    batch.say("Waiting for the device …")
    _hold(batch, plan)
    batch.job = Job(
        lambda job: _painting(batch, plan, job),
        client_of(request),
        Steering(),
        when_waiting=lambda job: batch.say(waiting_text(job.lane, job.place)),
        when_ended=batch.end,
    )


def _hold(batch: Batch, plan: BatchPlan) -> None:
    """Keep what the batch is made of and what was made, so that Start can go on after hours."""
    batch.hold(*([batch.room] if batch.room else []), *plan.sources, *plan.styles)


def _painting(batch: Batch, plan: BatchPlan, job: Job) -> Iterator[None]:
    """Paint a plan; what is wrong is told, and what is painted by then is packed."""
    with noting(batch.toasts):
        try:
            yield from _painted(batch, plan, job)
        except NSTError as error:
            batch.fail(error)


def _painted(batch: Batch, plan: BatchPlan, job: Job) -> Iterator[None]:
    """Paint a plan from its beginning, in which all is read and laid out, to its ZIP."""
    job.is_seen()  # nobody waits for the first of it as for that of a single painting
    if isinstance(plan.way, Optimized):
        for line in fetch_weights(plan.way.config.backbone, job.steering):
            batch.show(line)
            yield
    batch.say("Laying out the photos …", share=0)
    batch.lay_out(plan.sources)
    _hold(batch, plan)
    output = batch.output
    photos, styles = [photo.path for photo in batch.photos], list(map(str, plan.styles))
    tasks: Tasks = pairs(photos, styles, plan.way, output, plan.ending)
    _keep_own(batch, tasks)
    batch.deal(tasks)
    began, problem = time.monotonic(), None
    try:
        with closing(_progress(batch, tasks, output, job)) as painting:
            yield from painting
    except NSTError as error:
        if not any((output / task.file).is_file() for task in tasks):
            raise
        problem = error.with_traceback(None)
    finally:
        batch.rest()
    _hand_out(batch, tasks, output, time.monotonic() - began)
    if problem:
        batch.fail(problem)


def _keep_own(batch: Batch, tasks: Tasks) -> None:
    """Delete paintings of other settings, or of another style picture of that name; those of both kinds stay."""
    styles = {Path(task.file).stem: task.style for task in tasks}
    kept = {stem for stem, style in styles.items() if batch.styles.get(stem) == style}
    if batch.output.is_dir():
        for path in batch.output.iterdir():
            if path.stem not in kept and path.is_file():
                path.unlink(missing_ok=True)
    batch.styles = styles


def _progress(batch: Batch, tasks: Tasks, output: Path, job: Job) -> Generator[None, None, None]:
    """Paint what is missing, and show each painting as it is done."""
    way, at_work, note, noted = tasks[0].way, tuple[Task[PageWay], ...](), "", None
    began, told, since, kept = time.monotonic(), -WORDS_SECONDS, time.monotonic(), 0
    paint, at_once = _with_what_there_is(batch.photos, _paint_of(way)), _at_once(tasks)
    with closing(paint_in_job(tasks, output, paint, job.steering, at_once=at_once)) as painting:
        for progress in painting:
            batch.progress, result, now = progress, progress.result, time.monotonic()
            if result:
                _note(batch, result)
                if progress.kept == kept and not result.reason:
                    _note_pace(way, output / result.task.file, now - since)
                kept, since = progress.kept, time.monotonic()
            job.place.left = _left(progress, now - began)
            if progress.note:
                note, noted = batch.told(progress.note), progress.task
            elif noted not in progress.at_work:
                note = ""
            if progress.at_work and (now - told >= WORDS_SECONDS or progress.at_work != at_work or progress.note):
                told, at_work = now, progress.at_work
                _show(batch, progress, job.place.left, note)
            yield


def _at_once(tasks: Tasks) -> int:
    """Count the paintings that are made side by side; one pass is made where the page's own are, one by one."""
    return min(count_places(), len(tasks), MOST_AT_ONCE) if isinstance(tasks[0].way, Optimized) else 1


def _paint_of(way: PageWay) -> Paint[PageWay]:
    return cast("Paint[PageWay]", engine_paint() if isinstance(way, Optimized) else instant_paint(bundled()))


def _with_what_there_is(photos: Sequence[Photo], paint: Paint[PageWay]) -> Paint[PageWay]:
    """Let photos fail that could not be unpacked, and a JPEG be made of the PNG of before, where there is one."""
    flaws = {photo.path: photo.flaw for photo in photos if photo.flaw}

    def painted(task: Task[PageWay], path: Path) -> Closable[Stroke]:
        if task.content in flaws:
            raise ImageError(flaws[task.content])
        return _converted(path) if _has_png(path) else paint(task, path)

    return painted


def _as_png(path: Path) -> Path:
    return path.with_suffix(ENDINGS["PNG"])


def _has_png(path: Path) -> bool:
    """Whether a painting that is to be a JPEG was made as a PNG before."""
    return path != _as_png(path) and _as_png(path).is_file()


def _converted(path: Path) -> Strokes:
    """Make a JPEG of the painting that is there as a PNG, with its record."""
    png = _as_png(path)
    records = {key: text for key, text in images.read_text(png).items() if key in RECORDS}
    images.save_jpeg(images.load(png, max_side=images.MAX_SIDE), path, records)
    yield Stroke(1.0)


def _note(batch: Batch, result: Result) -> None:
    """Show what became of a painting."""
    task, batch.results[result.task.file] = result.task, result
    if result.reason:
        batch.mark(task, FAILED, result.reason)
    elif not batch.cards[task.file]["small"]:
        small = batch.output / SMALL / f"{task.file}.jpg"
        make_folder(small.parent)
        images.save_jpeg(images.load(batch.output / task.file, max_side=SIDE), small)
        batch.mark(task, PAINTED, small=small)


def _note_pace(way: PageWay, file: Path, seconds: float) -> None:
    """Note how fast one pass was, to say of further ones how long they take."""
    if isinstance(way, Instant) and not _has_png(file):
        with header_of(file) as (picture, _, _):
            PASSES[choose_compute()] = seconds / (picture.width * picture.height / 1e6)


def _left(progress: BatchProgress, seconds: float) -> float | None:
    """Estimate the seconds that remain; None before anything is painted."""
    worked = progress.done - progress.kept + progress.share
    return seconds / worked * (progress.total - progress.done - progress.share) if worked > 0 else None


def _show(batch: Batch, progress: BatchProgress, left: float | None, note: str) -> None:
    """Say what is at work, and mark its cards."""
    for task in progress.at_work:
        if batch.cards[task.file]["state"] == WAITING:
            batch.mark(task, AT_WORK)
    one, *more = (batch.cards[task.file] for task in progress.at_work)
    text = (
        f"Painting {len(more) + 1} at once, {progress.done} of {progress.total} are done"
        if more
        else f"Painting {progress.done + 1} of {progress.total}: {unescape(one['photo'])} in {unescape(one['style'])}"
    )
    text += f" · about {roughly(left)} left" if left is not None else ""
    batch.say(text, note, share=(progress.done + progress.share) / progress.total)


def _hand_out(batch: Batch, tasks: Tasks, output: Path, seconds: float) -> None:
    """Pack what is painted, with a report, and say how it ended."""
    names = {photo.path: Path(photo.name) for photo in batch.photos}
    told = [
        Result(replace(task, content=names[task.content], style=Path(task.style).name), batch.told(result.reason))
        for task in tasks
        if (result := batch.results.get(task.file))
    ]
    made = [task.file for task in tasks if (output / task.file).is_file()]
    last = batch.progress or BatchProgress(0, len(tasks))
    stopped = last.done < last.total
    notes = [f"{GOES_ON}"] if stopped else []
    if last.failed:
        notes.append(f"{counted(last.failed, 'painting')} failed, as the cards say")
    if batch.left_out:
        notes.append(f"Left out of ZIPs, as hidden or no pictures: {listed(batch.left_out)}")
    if made:
        write_report(output, told)
        zips = [source.stem for source in batch.sources if is_zip(source)]
        called = zips[0] if len(batch.sources) == len(zips) == 1 else "photos"
        batch.outcome = pack(output, [*made, REPORT], f"{portable(called)}-painted.zip")
    text = (
        f"{'Stopped' if stopped else 'Done'}: {len(made)} of {counted(last.total, 'painting')} in {duration(seconds)}"
    )
    share = last.done / last.total
    batch.show(status_html(text, " · ".join(notes), share=share, kind="" if made or stopped else "problem"))
