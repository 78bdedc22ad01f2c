"""Paints for the Stylize tab: the handlers behind Run, and behind the buttons that let a painting go on."""

import math
import time
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import gradio as gr
import torch

from nst_core import images
from nst_core.devices import choose_compute, unusable_gpu
from nst_core.engine import cluster
from nst_core.engine.begin import begin
from nst_core.engine.devices import DEVICES, Elsewhere
from nst_core.engine.limits import check_work
from nst_core.errors import DeviceError, NSTError, OutputError
from nst_core.features import weights
from nst_core.features.vgg import BACKBONES
from nst_core.host_memory import total_memory
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.ladder import photos_share
from nst_core.transfer.memory import held_between_steps
from nst_core.transfer.optimize import Frame
from nst_core.transfer.presets import PLAIN_PRESET
from nst_core.transfer.record import save_result
from nst_core.transfer.run import Run
from nst_core.transfer.settings import MAX_STEPS
from nst_core.transfer.steering import Steering
from nst_core.transfer.stylize import stylize
from nst_core.transfer.timelapse import Timelapse
from nst_core.ui.page.downloads import new_file
from nst_core.ui.page.form import Updates
from nst_core.ui.page.status import done_text, shares_html, shares_text, status_html
from nst_core.ui.page.toasts import warn
from nst_core.ui.page.weights import fetch_weights
from nst_core.ui.studio.controls_and_config import config_of, default_config
from nst_core.ui.studio.results import painting_name, remember
from nst_core.ui.studio.session import Session, give_up_oldest
from nst_core.ui.studio.typed import whole_number
from nst_core.ui.studio.uploads import Uploads
from nst_core.ui.stylize.ahead import note_pace
from nst_core.ui.stylize.keeper import Keeper, fetch_run, rest
from nst_core.ui.stylize.pace import WORDS_SECONDS, Pace, Searching
from nst_core.ui.widgets.channel import Channel
from nst_core.ui.widgets.loss_chart import LossHistory
from nst_core.ui.widgets.pictures import comparison

TO_ITS_END = math.inf  # steps, by which a painting goes on
WARM_SIZE, WARM_STEPS = 256, 8  # pixels; enough to tell a pace
MEMORY_SHARE = 0.5  # of all, which paintings at work may hold between their steps; the rest is for the step at hand
ROOM_SECONDS = 0.2  # from one look for memory to the next
GIVEN_UP = (
    "this painting cannot go on: memory ran short, and what it needed for that was given up. Its picture is among the "
    "results; “Use as start” goes on from it"
)

# The components, by name, that these handlers fill in.
STAGE = ("preview", "status", "losses", "result", "download", "record", "record_area", "shares")


def paint(session: Session, shown: Mapping[str, Any]) -> Iterator[Updates]:
    """Paint with the page's pictures and settings, showing every stage.

    Args:
        session: the page's.
        shown: what it shows, by the names of PAINTED_WITH.
    """
    uploads = Uploads.of(shown)

    def begun() -> Generator[Updates, None, Run]:
        config = config_of(session.base or shown["preset"], shown)
        for status in fetch_weights(config.backbone, session.steering):
            yield {"status": status}
        run = _new_run(session, uploads, config)
        session.drop_run()  # only now that nothing more can be wrong
        session.steering.wanted = None
        session.run, session.given_up, session.uploads, session.config = run, False, uploads.kept(), config
        session.placed, session.started_by = {}, session.link
        session.timelapse, session.losses = Timelapse(), LossHistory()
        return run

    yield from _painting(session, begun())


def _new_run(session: Session, uploads: Uploads, config: StyleTransferConfig) -> Run:
    try:
        return start_run(uploads, config, session.steering)
    except DeviceError:
        # of a cluster, what rests here is not what is missing
        if cluster.named() or not DEVICES.submit(_make_way, session).result():
            raise
        return _new_run(session, uploads, config)


def _make_way(session: Session) -> bool:
    """Free what a painting that rests holds, as it may be what is missing: the session's own, else the oldest."""
    if session.run is None:
        return give_up_oldest()
    if not session.lay_away():
        session.drop_run()
    return True


def warm_up() -> None:
    """Wait until a small picture is painted, once, while people choose theirs: their first begins a second sooner.

    By its pace the page tells how long theirs will take; of other machines it is not known.
    """
    if not cluster.named():
        _warming().result()


@cache
def _warming() -> Future[None]:
    return DEVICES.run_steps(_small_painting())


def _small_painting() -> Generator[None, None, None]:
    with suppress(NSTError):  # what is wrong, Paint says
        config = default_config(PLAIN_PRESET).changed(size=WARM_SIZE, steps=WARM_STEPS, smallest_scale=0)
        if not weights.find(config.backbone):
            return
        image = torch.rand(1, 3, WARM_SIZE * 3 // 4, WARM_SIZE)
        for steps in (1, WARM_STEPS):  # the first alone is slow
            run = stylize(image, image, config.changed(steps=steps), compute=choose_compute())
            for _ in run:
                yield
        note_pace(run, least=0)


def go_on(session: Session, steps: float | None) -> Iterator[Updates]:
    """Let the last run go on: by some steps, or to its end."""

    def begun() -> Generator[Updates, None, Run]:
        if session.given_up:
            raise NSTError(GIVEN_UP)
        run = fetch_run(session)
        if run is None:
            raise NSTError("there is no painting to go on with; press Paint")
        wanted = run.remaining if steps == TO_ITS_END else steps
        count, step = whole_number("number of steps", wanted, MAX_STEPS), run.last_frame.step if run.last_frame else 0
        check_work(run.work_until(step + count) - run.work_until(step), run.content_image[0, 0].numel())
        run.more(count)
        yield from ()
        return run

    yield from _painting(session, begun())


def _painting(session: Session, begun: Generator[Updates, None, Run]) -> Iterator[Updates]:
    """Show a run from its beginning, in which everything is read and checked, to its end."""
    try:
        session.running = True
        run = yield from begun
        yield from _room_for(session, run)
        yield from _show_run(session, run)
    except NSTError as error:
        warn(error, "Cannot paint")
        yield {"status": status_html(str(error), kind="problem")}
    finally:
        session.running = False
        if session.run:
            DEVICES.submit(rest, session)


def _room_for(session: Session, run: Run) -> Iterator[Updates]:
    """Wait until a painting's memory fits beside that of the others which are at work."""
    job, size = session.job, images.size_of(run.content_image)
    if job is None or isinstance(run, Elsewhere):
        return
    needed, told = held_between_steps(size, run.config), False
    while not job.lane.hold(job.place, needed, MEMORY_SHARE * total_memory()) and not job.steering.stop.is_set():
        if not told:
            told = True
            yield {"status": status_html("Waiting for memory: paintings at work hold what there is …")}
        time.sleep(ROOM_SECONDS)


def start_run(uploads: Uploads, config: StyleTransferConfig, steering: Steering) -> Run:
    """Begin the run of some uploads, all of which are read and checked here."""
    with_start, size = config.start == "image", config.size
    material = DEVICES.submit(uploads.read, with_start=with_start, size=size).result()
    run = begin(material, config.changed(blend=config.blend[: len(material.style_images)]), steering)
    check_work(run.work_until(run.steps), run.content_image[0, 0].numel())
    return run


def _show_run(session: Session, run: Run) -> Iterator[Updates]:
    """Step through a run: every frame and what is said of it to the preview, the result at the end."""
    channel, history = session.channel or Channel(), session.losses
    pace, told, note, steered = Pace(run), -WORDS_SECONDS, "", run.config
    words: dict[str, str] = {}
    keeper = Keeper(session, run)
    run.tell = Searching(run, channel, _where(run))
    problem: NSTError | None = None
    try:
        yield {
            "preview": gr.HTML(value=channel.token, visible=True),
            "status": status_html("Looking at the pictures …", _where(run), share=0, run=channel.token),
            "losses": history.html(channel.token),
            "shares": shares_html(run=channel.token),
            "result": gr.HTML(visible="hidden"),
            "download": gr.DownloadButton(visible="hidden"),
            "record_area": gr.Accordion(visible=False),
        }
        for frame in frames_of(run):
            history.add(frame)
            if session.job:
                session.job.place.left = pace.alone(frame)
            session.timelapse.add(partial(getattr, frame, "image"), frame.step)
            keeper.look()
            note = frame.note or note
            text, at_once = pace.text(frame), run.config is not steered  # a hand on it sees what it does
            if time.monotonic() - told >= WORDS_SECONDS or at_once:
                steered = run.config
                told, share = time.monotonic(), run.work_until(frame.step) / max(run.work_until(run.steps), 1e-9)
                status = status_html(text, _detail(run, note, keeper.note), share=share, run=channel.token)
                looked_for = photos_share(run.config)
                shares = shares_html(run.first_losses, frame.losses, channel.token, looked_for)
                words = {"status": status, "losses": history.html(channel.token), "shares": shares}
            channel.put(partial(getattr, frame, "image"), words, at_once=at_once)
            if session.job:
                session.job.is_seen()
    except NSTError as error:
        if run.last_frame is None:
            raise
        problem = error.with_traceback(None)  # else it would keep this frame, and with it the run
    finally:
        run.tell = float  # nobody looks any more
        note_pace(run)
        if channel is not session.channel:  # which is over when there is the result
            channel.close()
    yield result_of(session, run, problem)


def _where(run: Run) -> str:
    """Say on what a run computes, and with which weights."""
    return f"{run.compute} · {BACKBONES[run.config.backbone]} from {run.painting.checkpoint.origin}"


def _detail(run: Run, *notes: str) -> str:
    """Write the line below the status: what α and β make of the loss, where it is computed, and further notes."""
    shares = shares_text(run.last_frame.losses) if run.last_frame else ""
    unusable = unusable_gpu() if run.compute.device == "cpu" else ""
    return " · ".join(filter(None, (shares and f"loss: {shares}", _where(run), unusable, *notes)))


def result_of(session: Session, run: Run, problem: NSTError | None = None) -> Updates:
    """Show the stage after a run, which a problem may have ended; its last picture is a result all the same."""
    record, image = run.record(), run.newest.image
    png: Path | None = None
    try:
        png = new_file(painting_name(session.uploads, record.config))
        save_result(run.result, record, png)
        remember(session, run, png, session.losses.html())
    except OutputError as error:  # it is shown all the same
        png, problem = None, problem or error
    share = record.steps / record.config.steps if record.stopped else 1
    status = status_html(done_text(record), _detail(run, *record.notes), share=min(1.0, share))
    if problem:
        warn(problem, "Not all is well")
        status = status_html(str(problem), f"{done_text(record)}; the picture is of that step", kind="problem")
    return {
        "status": status,
        "losses": session.losses.html(),
        "shares": shares_html(record.first_losses, record.losses, looked_for=photos_share(record.config)),
        "preview": gr.HTML(visible="hidden"),
        "result": gr.HTML(value=comparison(run.content_image, image), visible=True),
        "download": gr.DownloadButton(value=png, visible=True) if png else gr.DownloadButton(visible="hidden"),
        "record": record.to_dict(),
        "record_area": gr.Accordion(visible=True),
    }


def recolor(session: Session, color: str) -> Updates:
    """Give the last result other colours, where that takes no painting."""
    if session.running:
        return {}
    try:
        run = fetch_run(session)
    except NSTError as error:
        warn(error, "No other colours")
        return {}
    if run is None or run.last_frame is None or not run.can_recolor(color):
        return {}
    DEVICES.submit(run.recolored, color).result()
    view = result_of(session, run)
    session.settled |= view
    return view


def frames_of(run: Run) -> Iterator[Frame]:
    """Go through the run's frames, computed on the device's thread however many pages are open."""
    while frame := DEVICES.next_of(run):
        yield frame
