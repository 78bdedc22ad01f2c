"""Tests of a job from its place in the queue to its end: turns, stops, silence, faults and last words."""

import asyncio
import logging
import threading
import time

import gradio as gr
import pytest

from nst_core.engine.lane import Client, Lane
from nst_core.errors import BusyError, ConfigError, DeviceError, NSTError
from nst_core.transfer.steering import Steering
from nst_core.ui.page.form import Form
from nst_core.ui.serving import turns as module
from nst_core.ui.serving.audience import Audience
from nst_core.ui.serving.turns import TurnMissed, endpoint, in_lane, in_turn

OTHER = Client()  # a program on this computer
PAGE = Client(session="page", event="job", address="10.0.0.1")


@pytest.fixture(autouse=True)
def audience(monkeypatch) -> Audience:
    """Nobody but whom a test lets in; looks are quick."""
    made = Audience()
    monkeypatch.setattr(module, "AUDIENCE", made)
    monkeypatch.setattr(module, "WATCH_SECONDS", 0.02)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)
    return made


@pytest.fixture
def toasts(monkeypatch) -> list[str]:
    told = []
    monkeypatch.setattr(module, "warn", lambda text, *_: told.append(str(text)))
    return told


def counting(steering: Steering, steps: int = 10_000, done: list | None = None):
    """A job that can be stopped, and says when it is closed."""
    try:
        for step in range(steps):
            if steering.stop.is_set():
                yield "stopped"
                return
            time.sleep(0.002)
            yield step
    finally:
        (done if done is not None else []).append(threading.current_thread().name)


async def collected(lane: Lane, work, steering: Steering | None = None, client: Client = PAGE) -> list:
    return [view async for view in in_turn(lane, client, steering or Steering(), work, str)]


async def settled(lane: Lane) -> None:
    """Until every place is given up."""
    for _ in range(500):
        if not lane.taken:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("a place was kept")


def test_a_job_yields_what_its_work_yields_and_gives_its_place_up(audience):
    audience.enters("page")
    lane, done = Lane(), []

    async def run():
        views = await collected(lane, lambda: counting(Steering(), 3, done))
        await settled(lane)
        return views

    assert asyncio.run(run()) == [0, 1, 2] and len(done) == 1


def test_a_job_waits_for_its_turn_and_is_told_its_place(audience):
    audience.enters("page")
    lane, order = Lane(), []

    async def run():
        async def one(name, steps):
            async for view in in_turn(lane, PAGE, Steering(), lambda: counting(Steering(), steps), str):
                order.append((name, view))

        await asyncio.gather(one("first", 30), one("second", 1), one("third", 1))
        await settled(lane)

    asyncio.run(run())
    works = [name for name, view in order if isinstance(view, int)]
    assert works == ["first"] * 30 + ["second", "third"]
    said = [(name, view.split(":")[1][:13]) for name, view in order if isinstance(view, str)]
    assert ("second", " 1 before you") in said and ("third", " 2 before you") in said


def test_a_job_that_is_stopped_while_it_waits_never_begins(audience):
    audience.enters("page")
    lane, begun, steering = Lane(), [], Steering()

    async def run():
        held = lane.enter(Client(), module.limits())
        asyncio.get_running_loop().call_later(0.1, steering.stop.set)
        with pytest.raises(TurnMissed, match="Left the queue"):
            await collected(lane, lambda: iter(begun.append(1) or []), steering)
        lane.leave(held)
        await settled(lane)

    asyncio.run(run())
    assert begun == []


def test_a_job_to_which_nobody_listens_ends(audience, monkeypatch):
    monkeypatch.setenv("NST_SILENCE", "0.2")
    lane, steering = Lane(), Steering()

    async def run():
        began = time.monotonic()
        views = await collected(lane, lambda: counting(steering), steering)
        await settled(lane)
        return views, time.monotonic() - began

    views, seconds = asyncio.run(run())
    assert views[-1] == "stopped" and seconds < 5


def test_a_job_to_which_somebody_listens_goes_on(audience, monkeypatch):
    monkeypatch.setenv("NST_SILENCE", "0.05")
    audience.enters("job")  # by the event's name, as programs without a session do
    assert asyncio.run(collected(Lane(), lambda: counting(Steering(), 100)))[-1] == 99


def test_a_job_that_is_taken_back_ends_at_once(audience):
    audience.enters("page")
    steering = Steering()

    async def run():
        asyncio.get_running_loop().call_later(0.1, audience.cancel, "job")
        return await collected(Lane(), lambda: counting(steering), steering)

    assert asyncio.run(run())[-1] == "stopped"


def test_a_long_job_ends_when_others_wait_and_not_before(audience, toasts, monkeypatch):
    monkeypatch.setenv("NST_MAX_SECONDS", "0.1")
    audience.enters("page")
    lane, steering = Lane(), Steering()

    async def run():
        alone = await collected(lane, lambda: counting(Steering(), 100))
        await settled(lane)
        job = asyncio.create_task(collected(lane, lambda: counting(steering), steering))
        await asyncio.sleep(0.05)
        other = await collected(lane, lambda: counting(Steering(), 2), client=OTHER)
        return alone, await job, other

    alone, ended, other = asyncio.run(run())
    assert alone[-1] == 99 and ended[-1] == "stopped" and other[-2:] == [0, 1]
    assert "Others wait" in toasts[0]


def test_a_job_that_fails_for_being_ended_says_why_it_was(audience, monkeypatch):
    monkeypatch.setenv("NST_MAX_SECONDS", "0.05")
    audience.enters("page")
    lane, steering = Lane(), Steering()

    def without_result():
        for _ in range(5000):
            if steering.stop.is_set():
                raise ConfigError("stopped before the first painting was finished")
            time.sleep(0.002)
        yield 0

    async def run():
        job = asyncio.create_task(collected(lane, without_result, steering))
        await asyncio.sleep(0.02)
        other = asyncio.create_task(collected(lane, lambda: counting(Steering(), 1), client=OTHER))
        with pytest.raises(NSTError, match="Others wait"):
            await job
        return await other

    assert asyncio.run(run())[-1] == 0


def test_passes_are_not_ended_for_others_who_wait(audience, monkeypatch):
    monkeypatch.setenv("NST_MAX_SECONDS", "0.05")
    audience.enters("page")
    lane = Lane(quick=True)

    async def run():
        return await asyncio.gather(*(collected(lane, lambda: counting(Steering(), 60)) for _ in range(2)))

    assert [views[-1] for views in asyncio.run(run())] == [59, 59]


def test_a_client_that_goes_away_ends_its_job_and_the_place_is_free_only_then(audience):
    audience.enters("page")
    lane, steering, done, gate = Lane(), Steering(), [], threading.Event()

    def long():
        try:
            yield 0
            gate.wait(10)  # in the middle of a step
            yield 1
        finally:
            done.append(steering.stop.is_set())

    async def run():
        async def listen():
            await collected(lane, long, steering)

        task = asyncio.create_task(listen())
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.sleep(0.1)
        assert lane.taken == 1 and steering.stop.is_set() and done == []
        gate.set()
        await settled(lane)

    asyncio.run(run())
    assert done == [True]


def close(lane: Lane) -> None:
    lane.closing = "going down"


@pytest.mark.parametrize("end", [close, lambda lane: lane.end_all("going down")], ids=["closed", "asked to"])
def test_jobs_end_with_last_words_when_the_lane_closes_or_all_are_asked_to(audience, toasts, end):
    audience.enters("page")
    lane, steering = Lane(), Steering()

    async def run():
        job = asyncio.create_task(collected(lane, lambda: counting(steering), steering))
        await asyncio.sleep(0.05)
        waiting = asyncio.create_task(collected(lane, lambda: counting(Steering())))
        await asyncio.sleep(0.05)
        end(lane)
        with pytest.raises(NSTError, match="going down"):
            await waiting
        return await job

    assert asyncio.run(run())[-1] == "stopped" and toasts == ["going down"]


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (ConfigError("size is 3; use 16 or more"), ConfigError, "size is 3"),
        (MemoryError(), DeviceError, "more memory than there is"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), DeviceError, "more memory than there is"),
        (ZeroDivisionError("/home/somebody/secret.py"), NSTError, "something went wrong in this program"),
    ],
)
def test_whatever_goes_wrong_is_said_in_a_sentence_and_the_log_has_faults(audience, caplog, fault, kind, words):
    audience.enters("page")

    def failing():
        yield 0
        raise fault

    with caplog.at_level(logging.ERROR), pytest.raises(kind, match=words) as caught:
        asyncio.run(collected(Lane(), failing))
    assert "secret" not in str(caught.value)
    assert ("secret" in caplog.text) is isinstance(fault, ZeroDivisionError)


@pytest.fixture
def outputs() -> Form:
    with gr.Blocks():
        return Form({"status": gr.HTML(), "number": gr.Number()})


def of_page(handler, *given):
    """What a handler of the page shows."""

    async def run():
        return [view async for view in handler(None, *given)]

    return asyncio.run(run())


def test_a_handler_of_the_page_gives_updates_in_the_order_of_its_form(outputs):
    def job(steering):
        yield {"number": 1}
        yield {"number": 2, "status": "Done"}

    handler = in_lane(Lane(), job, lambda steering: steering, outputs)
    assert of_page(handler, Steering()) == [[gr.skip(), 1], ["Done", 2]]


def test_a_handler_of_the_page_never_fails_and_tells_its_status(outputs, toasts):
    lane = Lane()

    def failing(steering, number):
        yield {"number": number}
        raise ZeroDivisionError

    handler = in_lane(lane, failing, lambda steering: steering, outputs)
    views = of_page(handler, Steering(), 7)
    assert views[0] == [gr.skip(), 7] and "something went wrong" in views[1][0] and "problem" in views[1][0]
    assert views[1][1] == gr.skip()
    assert "something went wrong" in toasts[0]
    lane.closing = "the server is going down"
    assert "going down" in of_page(handler, Steering(), 7)[0][0]


def test_a_handler_with_nothing_to_say_leaves_what_is_shown(outputs):
    """Gradio empties all outputs of a generator that ends without a word."""
    handler = in_lane(Lane(), lambda held: iter(()), lambda held: Steering(), outputs)
    assert of_page(handler, None) == [[gr.skip(), gr.skip()]]


def test_a_handler_that_is_stopped_before_its_turn_left_the_queue(outputs):
    lane, steering = Lane(), Steering()
    lane.enter(Client(), module.limits())
    steering.stop.set()
    handler = in_lane(lane, lambda held: iter(()), lambda held: steering, outputs)
    [view] = of_page(handler, None)
    assert "Left the queue." in view[0]


def test_a_program_gets_results_and_refusals_and_sees_no_request_among_the_inputs():
    def double(number: int, times: int = 2, *, steering: Steering | None = None) -> int:
        """Multiply."""
        if number < 0:
            raise ConfigError("number is -1; give more")
        assert steering is not None
        return number * times

    handler = endpoint(Lane(), double)

    async def run(*given):
        return [view async for view in handler(*given, None)]

    assert asyncio.run(run(4, 3)) == [12] and handler.__doc__ == "Multiply."
    with pytest.raises(gr.Error, match="number is -1"):
        asyncio.run(run(-1, 2))
    full = Lane()
    full.closing = "no room"
    with pytest.raises(gr.Error, match="no room"):
        asyncio.run(anext(endpoint(full, double)(1, 2, None)))
    assert isinstance(BusyError(""), NSTError)
