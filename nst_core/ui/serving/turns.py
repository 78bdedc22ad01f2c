"""Runs a job from its place in the queue to its end: it waits for its turn, and ends early when nobody wants it."""

import asyncio
import contextvars
import functools
import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any, Concatenate, Generic, TypeVar

import gradio as gr
from gradio.context import LocalContext

from nst_core.devices import release_freed_memory
from nst_core.engine.device_thread import ACCOUNT, Account
from nst_core.engine.devices import DEVICES
from nst_core.engine.jobs import HANDS, LEFT_QUEUE, TurnMissed, excuse, too_long
from nst_core.engine.lane import Client, Lane, Place
from nst_core.engine.limits import limits
from nst_core.errors import NSTError
from nst_core.transfer.steering import Steering
from nst_core.ui.page.events import Update
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.status import duration, status_html
from nst_core.ui.page.toasts import refusal, warn
from nst_core.ui.serving.audience import AUDIENCE

LOOK_SECONDS = 0.05  # between two looks at a place in the queue
WATCH_SECONDS = 0.5  # between two looks at who listens
PATIENCE_SECONDS = 0.3  # before it is said that one waits


class _End:
    """Stands after the last view of a job."""


Held = TypeVar("Held")  # what the page holds
View = TypeVar("View")
JobHandler = Callable[Concatenate[Held, ...], Iterator[Updates]]  # a handler: given what the page holds, and the inputs
Handler = Callable[..., AsyncGenerator[View, None]]  # the same as gradio calls it
_END = _End()
log = logging.getLogger(__name__)


def client_of(request: gr.Request | None) -> Client:
    """Tell who asks, as gradio says; nobody where a handler is called without a server."""
    if request is None or request.request is None:
        return Client()
    host = request.client.host if request.client else ""
    return Client(request.session_hash or "", LocalContext.event_id.get(None) or "", host)


async def in_turn(
    lane: Lane,
    client: Client,
    steering: Steering,
    work: Callable[[], Iterator[View]],
    waits: Callable[[str], View | None] = lambda words: None,
) -> AsyncGenerator[View, None]:
    """Go through a job once its turn has come; it is begun, and goes on, on threads of HANDS.

    Args:
        lane: where it waits.
        client: who must listen, for it to go on.
        steering: stopped when it is to end: by a person, when nobody listens, or when others have waited for long.
        work: begins the job.
        waits: what to yield while it waits, of words that say how long; None for nothing.

    Raises:
        BusyError: no place for it.
        TurnMissed: it was stopped before its turn.
        NSTError: as the job does; a fault of the program's becomes one, too, and is in the log.
    """
    place = lane.enter(client, limits())
    watch = asyncio.create_task(_watch(lane, place, steering))
    job: _Resumed[View] = _Resumed(None if lane.quick else Account())
    try:
        told = ""
        began = asyncio.get_running_loop().time()
        while not place.at_work and not steering.stop.is_set():
            words, patient = waiting_text(lane, place), asyncio.get_running_loop().time() - began < PATIENCE_SECONDS
            if words != told and not patient:
                told = words
                if (view := waits(words)) is not None:
                    yield view
            await asyncio.sleep(LOOK_SECONDS)
        if not place.at_work:
            raise TurnMissed(watch.result() if watch.done() and watch.result() else LEFT_QUEUE)
        job.begin(work)
        while not isinstance(made := await job.next(), _End):
            yield made
        if watch.done() and (why := watch.result()):
            warn(why, "Ended early")
    except TurnMissed:
        raise
    except NSTError:
        if watch.done() and not watch.cancelled() and (why := watch.result()):
            raise NSTError(why) from None  # for which it was stopped before there was a result
        raise
    finally:
        watch.cancel()
        if not job.ended:
            steering.stop.set()
        job.close(lambda: lane.leave(place, job.account.seconds if job.account and job.ended else None))


async def _watch(lane: Lane, place: Place, steering: Steering) -> str:
    """Stop a job when it is to end, and return why, in words for the one who listens."""
    while True:
        why = _reason(lane, place)
        if why is not None:
            steering.stop.set()
            return why
        await asyncio.sleep(WATCH_SECONDS)


def _reason(lane: Lane, place: Place) -> str | None:
    """Tell why a job must end; None while it may go on."""
    client, allowed = place.client, limits()
    if ended_by := lane.closing or place.end_why:
        return ended_by
    if client.session and AUDIENCE.silence(client.session, client.event or client.session) >= allowed.silence:
        return ""
    if client.event and AUDIENCE.is_cancelled(client.event):
        return ""
    seconds = asyncio.get_running_loop().time() - place.began if place.began is not None else 0
    if not lane.quick and seconds > allowed.seconds and lane.waiting:
        return too_long(allowed.seconds)
    return None


class _Resumed(Generic[View]):
    """A generator that is resumed on HANDS, and closed there when it is no longer wanted, even in mid-step.

    Args:
        account: in whose name it has devices compute.
    """

    def __init__(self, account: Account | None = None) -> None:
        self.account = account
        self.opened = ExitStack()  # its place on a device
        self.steps: Iterator[View] = iter(())  # before it is begun
        self.ended = False
        self._at_hand: Future[View | _End] | None = None

    def begin(self, work: Callable[[], Iterator[View]]) -> None:
        if self.account:
            self.opened.enter_context(DEVICES.open(self.account))
        self.steps = iter(work())

    def next(self) -> Awaitable[View | _End]:
        # with the context of this very call, by which gradio knows whose toasts they are
        self._at_hand = HANDS.submit(contextvars.copy_context().run, self._next)
        return asyncio.wrap_future(self._at_hand)

    def _next(self) -> View | _End:
        ACCOUNT.set(self.account)  # in the copy of the context
        try:
            view: View | _End = next(self.steps, _END)
        except (NSTError, gr.Error):
            self.ended = True
            raise
        except Exception as error:
            self.ended = True
            raise excuse(error) from None
        self.ended = view is _END
        return view

    def close(self, then: Callable[[], None]) -> None:
        """Close the generator once the step at hand is over, on HANDS."""
        at_hand, self._at_hand = self._at_hand, None
        if at_hand is None or at_hand.done() or at_hand.cancel():
            HANDS.submit(self._close, then)
        else:
            at_hand.add_done_callback(lambda _: self._close(then))

    def _close(self, then: Callable[[], None]) -> None:
        self.opened.close()
        try:
            if hasattr(self.steps, "close"):
                self.steps.close()
        except Exception:
            log.exception("a job could not be closed")
        finally:
            release_freed_memory()
            then()


def in_lane(
    lane: Lane, work: JobHandler[Held], steering: Callable[[Held], Steering], outputs: Form
) -> Handler[list[Update]]:
    """Make a handler of the page that waits for its turn, says so, and never leaves the page locked.

    Args:
        lane: where it waits.
        work: the handler, a generator of updates by name.
        steering: of what the page holds.
        outputs: the components that it updates, among them "status".
    """

    async def handler(request: gr.Request, held: Held, *given: Any) -> AsyncGenerator[list[Update], None]:
        steps = in_turn(
            lane,
            client_of(request),
            steering(held),
            lambda: work(held, *given),
            lambda words: {"status": status_html(words)},
        )
        silent = True
        try:
            async for view in steps:
                yield outputs.updates(view)
                silent = False
            if silent:  # else gradio would empty all outputs
                yield outputs.updates({})
        except TurnMissed as missed:
            yield outputs.updates({"status": status_html(str(missed))})
        except NSTError as error:
            warn(error, "Not possible now")
            yield outputs.updates({"status": status_html(str(error), kind="problem")})
        finally:
            await steps.aclose()

    return handler


def endpoint(lane: Lane, function: Callable[..., Any]) -> Handler[Any]:
    """Make a handler for programs that waits for its turn; what is wrong reaches them as an error, in a sentence.

    Args:
        lane: where it waits.
        function: given the inputs by position, and the job's `steering` by name; what it returns, or all that it
            yields, is sent. Its name, words and parameters are the handler's.
    """

    @functools.wraps(function)
    async def handler(*given: Any) -> AsyncGenerator[Any, None]:
        *inputs, request = given
        job = Steering()

        def work() -> Iterator[Any]:
            made = function(*inputs, steering=job)
            if isinstance(made, Iterator):
                yield from made
            else:
                yield made

        steps = in_turn(lane, client_of(request), job, work)
        try:
            async for view in steps:
                yield view
        except NSTError as error:
            raise refusal(error) from None
        finally:
            await steps.aclose()

    own = inspect.signature(function)
    shown = [one for one in own.parameters.values() if one.kind is not one.KEYWORD_ONLY]
    asked = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=gr.Request)
    have_signature(handler, own.replace(parameters=[*shown, asked]))
    handler.__annotations__ = {**function.__annotations__, "request": gr.Request}
    return handler


def have_signature(function: Any, signature: inspect.Signature) -> None:
    """Let a function show other parameters than it is written with; its type knows of no such attribute."""
    function.__signature__ = signature


def waiting_text(lane: Lane, place: Place) -> str:
    """Write what stands on the page while a job waits: "Waiting for the device: 2 before you, about 40 s"."""
    if not (before := lane.before(place)):
        return "Waiting for the device …"
    return f"Waiting for the device: {before} before you, about {duration(lane.seconds_before(place))}"
