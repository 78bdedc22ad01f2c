"""Lays out the batch: many photos painted in one or several styles, one after the other, into a ZIP."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, NamedTuple

import gradio as gr
from gradio.blocks import Block

from nst_core.errors import NSTError
from nst_core.ui.folders.batch_painting import begin
from nst_core.ui.folders.batch_plan import BY, ENDINGS, BatchWish, Estimate
from nst_core.ui.folders.batch_state import Batch
from nst_core.ui.folders.cards import Cards
from nst_core.ui.folders.photos import ZIP
from nst_core.ui.page.buttons import hand_over
from nst_core.ui.page.events import BEGINNING, INSTANT, QUEUED, Update, page_at_hand, refuse_aloud
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.status import status_html
from nst_core.ui.page.toasts import noting, warn
from nst_core.ui.serving.audience import AUDIENCE
from nst_core.ui.serving.housekeeping import EVERY_ROUND
from nst_core.ui.serving.jobs import not_begun
from nst_core.ui.studio.controls_and_config import CONTROLS
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.shared_components import Studio
from nst_core.ui.widgets.pictures import PICTURE_FILES

LOOK_SECONDS = 0.4  # between two looks at what is new of a batch
STILL_LOOKS = 5  # without anything new, after which the page is told so: else gradio would not see that it is gone
SIZE = 512  # pixels, to begin with
LONGEST_KEY = 100  # letters

ABOUT = """Every photo in every style, one after the other, with the settings above; brush and blended styles are left
out. What cannot be painted is named, and the rest goes on. **Stop** keeps what is done, and **Start** goes on from
there. When the page is closed, it goes on for a while; opened again, the page shows it as it is then."""


class Parts(NamedTuple):
    """The area's components."""

    area: gr.Accordion
    wish: Form  # "photos", "styles", "by", "batch_size" and "batch_kind"
    extent: gr.HTML
    start: gr.Button
    stop: gr.Button
    shown: Form  # "status", "grid" and "outcome"


def build_batch(studio: Studio, estimate: Estimate) -> None:
    """Lay out the area and connect it; call inside the Stylize tab.

    Args:
        studio: whose settings and style are taken.
        estimate: tells how long the studio paints.
    """
    # its "secret" hides nothing: the key itself is what nobody can guess
    key = gr.BrowserState("", storage_key="neural-style-lab-batch", secret="neural-style-lab")  # nosec B106
    batch, parts = gr.State(Batch()), _parts()
    given = studio.form.only("style", "keep_transparency", "preset", *CONTROLS) | parts.wish.parts
    _connect_extent(studio.session, parts, given, estimate)
    _connect_painting(studio.session, batch, key, parts, given)
    AUDIENCE.when_left(Batch.leave_page)
    if Batch.tidy not in EVERY_ROUND:
        EVERY_ROUND.append(Batch.tidy)


def _parts() -> Parts:
    with gr.Accordion("Batch: many photos, many styles", open=False, elem_id="queue-area") as area:
        gr.Markdown(ABOUT, elem_id="queue-about")
        with gr.Row():
            several: dict[str, Any] = {"file_count": "multiple", "height": 140}
            photos = gr.File(
                label="Photos, or ZIPs of them", elem_id="queue-photos", file_types=[*PICTURE_FILES, ZIP], **several
            )
            styles = gr.File(
                label="Style pictures; none: the one above", elem_id="queue-styles", file_types=PICTURE_FILES, **several
            )
        with gr.Row():
            ways = [(title, name) for name, title in BY.items()]
            by = gr.Radio(ways, value="optimizer", label="By", elem_id="queue-by", min_width=260, scale=2)
            info = "of the longer side; empty: as above, in one pass the photos' own"
            size = gr.Number(SIZE, label="Size, pixels", elem_id="queue-size", min_width=140, info=info)
            kind = gr.Radio([*ENDINGS], value="PNG", label="As", elem_id="queue-kind", min_width=140)
        extent = gr.HTML(elem_id="queue-extent")
        with gr.Row():
            start = gr.Button("Start", variant="primary", elem_id="queue-start", min_width=100)
            stop = gr.Button("Stop", variant="stop", elem_id="queue-stop", interactive=False, min_width=100)
        status = gr.HTML(elem_id="queue-status")
        grid = Cards(elem_id="queue-grid")
        outcome = gr.DownloadButton("Download all, ZIP", elem_id="queue-outcome", visible=False)
    wish: dict[str, Block] = {"photos": photos, "styles": styles, "by": by, "batch_size": size, "batch_kind": kind}
    return Parts(area, Form(wish), extent, start, stop, Form({"status": status, "grid": grid, "outcome": outcome}))


def _connect_extent(session: gr.State, parts: Parts, given: Form, estimate: Estimate) -> None:
    """Say at once how much there is to paint, or what is wrong."""
    events: list[Any] = [*parts.wish.changes(), parts.area.expand]
    handler = given.given_to(_with_estimate(estimate))
    gr.on(events, handler, [session, *given], parts.extent, trigger_mode="always_last", **INSTANT)


def _with_estimate(estimate: Estimate) -> Callable[[Session, Mapping[str, Any]], str]:
    def described(session: Session, shown: Mapping[str, Any]) -> str:
        return describe(session, shown, estimate)

    return described


def _connect_painting(session: gr.State, batch: gr.State, key: gr.BrowserState, parts: Parts, given: Form) -> None:
    buttons = {"start": parts.start, "stop": parts.stop}
    held = {"batch": batch, "key": key}
    seen = parts.shown | buttons
    pressed = seen | held
    fields = [batch, key, session, *given]
    begun = parts.start.click(pressed.filled_by(_named(given, press_start)), fields, list(pressed), **BEGINNING)
    refused = seen.only("status")
    begun.failure(refused.filled_by(not_begun), None, list(refused), **INSTANT)
    refuse_aloud(begun, fields)
    found = pressed | parts.wish.parts
    back = page_at_hand().load(found.filled_by(come_back), [batch, key], list(found), **INSTANT)
    for event in (begun, back):
        event.then(_watching(seen), batch, list(seen), **QUEUED)
    parts.stop.click(press_stop, [batch, key], None, **INSTANT)
    page_at_hand().load(None, js=hand_over("queue-start", "queue-stop"), **INSTANT)


def _named(given: Form, press: Callable[..., Updates]) -> Callable[..., Updates]:
    """Let a handler take what the page shows by name, before the request."""

    def pressed(request: gr.Request, batch: Batch, key: str, session: Session, *values: Any) -> Updates:
        return press(batch, key, session, given.read(values), request)

    return pressed


def describe(session: Session, shown: Mapping[str, Any], estimate: Estimate) -> str:
    """Write how much there is to paint and about how long it takes, or what is wrong; nothing without photos.

    Args:
        session: the page's.
        shown: what it shows, by the names of BatchWish.
        estimate: tells how long the studio paints.
    """
    wish = BatchWish.of(shown)
    if not wish.photos:
        return ""
    try:
        return status_html(wish.missing() or wish.plan(session).told(estimate))
    except NSTError as error:
        return status_html(str(error), kind="problem")


def press_start(batch: Batch, key: str, session: Session, shown: Mapping[str, Any], request: gr.Request) -> Updates:
    """Begin a batch, or go on with the one that was stopped.

    Args:
        batch: the page's.
        key: by which the browser knows its batch; "": it has none.
        session: the page's, too.
        shown: what it shows, by the names of BatchWish.
        request: of the page.

    Returns:
        "batch", "key" and what `look` gives.
    """
    own = _own(batch, key)
    own.enter(request)
    if not own.busy:  # else begun by another page of the same browser
        try:
            begin(own, BatchWish.of(shown).plan(session), request)
        except NSTError as error:
            with noting(own.toasts):
                own.fail(error)
    return {"batch": own, "key": own.key, **look(own)}


def _own(batch: Batch, key: str) -> Batch:
    """Find the batch of a browser whose page lost it in a long gap of its connection."""
    return batch if batch.key or not isinstance(key, str) else Batch.known.get(key, batch)


def press_stop(batch: Batch, key: str) -> None:
    """End the batch after the step at hand, or take it out of the queue."""
    if job := _own(batch, key).job:
        job.stop()


def come_back(batch: Batch, key: str, request: gr.Request) -> Updates:
    """Show a page that is opened what its browser's batch is now, with what was wished; else nothing."""
    found = Batch.known.get(key) if isinstance(key, str) and len(key) <= LONGEST_KEY else None
    if found is None:
        return {}
    found.enter(request)
    return {"batch": found, **look(found), **(found.plan.as_wished() if found.plan else {})}


def look(batch: Batch) -> dict[str, Update]:
    """Find what there is to see now, and what can be pressed."""
    busy, made = batch.busy, batch.outcome is not None and batch.outcome.is_file()
    return {
        "status": batch.status,
        "grid": list(batch.cards.values()),
        "outcome": gr.DownloadButton(value=str(batch.outcome) if made else None, visible=made),
        "start": gr.Button(interactive=not busy),
        "stop": gr.Button(interactive=busy),
    }


def _watching(seen: Form) -> Callable[[Batch], AsyncGenerator[list[Update], None]]:
    async def watching(batch: Batch) -> AsyncGenerator[list[Update], None]:
        async for view in watch(batch):
            yield seen.updates(view)

    return watching


async def watch(batch: Batch) -> AsyncGenerator[Updates, None]:
    """Show a batch, and then what is new of it, until it has ended; tell what was noted for a toast."""
    version = dealt = -1
    still = 0
    while True:
        ended = not batch.busy  # before it is looked what there is
        told, batch.toasts[:] = list(batch.toasts), []
        for toast in told:
            warn(*toast)
        if ended:
            yield look(batch) if batch.key else {}  # most pages never had one
            return
        if batch.version != version:
            grid = {} if batch.dealt == dealt else {"grid": list(batch.cards.values())}
            version, dealt, still = batch.version, batch.dealt, 0
            yield {"status": batch.status, **grid}
        elif (still := still + 1) % STILL_LOOKS == 0:
            yield {}
        await asyncio.sleep(LOOK_SECONDS)
