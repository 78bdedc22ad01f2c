"""Paints on a ZeroGPU that is pretended, in a process of its own, and writes what came of it as JSON; see test_zero."""

import json
import sys
import tempfile
from contextvars import Context, copy_context
from pathlib import Path
from types import SimpleNamespace

import spaces
import torch
from gradio.context import LocalContext

from nst_core import images
from nst_core.batch.batch import paint_in_job
from nst_core.batch.tasks import pairs
from nst_core.batch.ways import Optimized, engine_paint, optimizer_paint
from nst_core.devices import choose_compute
from nst_core.engine import zero
from nst_core.engine.devices import DEVICES
from nst_core.engine.jobs import Job
from nst_core.engine.lane import Client, Lane
from nst_core.errors import NoDeviceError, NSTError
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.kept import restored
from nst_core.transfer.optimize import Frame
from nst_core.transfer.run import Run
from nst_core.transfer.steering import Steering
from nst_core.transfer.stylize import stylize
from nst_core.transfer.variations import Axis, cells, paint_sheet
from nst_core.ui.page import events
from tests.runs import CPU, LADDER, small
from tests.stand_ins import narrowed

PICTURES = torch.rand(1, 3, 48, 64), torch.rand(1, 3, 56, 40)
CONFIG = small(**LADDER, color="content")


def visitor(token: str | None, seconds: float = 120) -> Context:
    """A context in which gradio knows who asks."""
    context = copy_context()
    request = SimpleNamespace(headers={} if token is None else {"x-ip-token": token})
    context.run(LocalContext.request.set, request)
    if token:
        spaces.left[token] = seconds
    return context


def here(config: StyleTransferConfig = CONFIG) -> Run:
    return stylize(*PICTURES, config, compute=CPU)


def lent(config: StyleTransferConfig = CONFIG) -> Run:
    return zero.in_pieces(stylize(*PICTURES, config, compute=zero.painting_compute()))


def told(frame: Frame) -> tuple:
    return frame.step, frame.losses, frame.scale, frame.settled, frame.image.numpy().tobytes()


def driven(run: Run) -> tuple:
    """A run that is steered, stopped, gone on with, and shown in other colours."""
    frames = []
    for frame in run:
        frames.append(told(frame))
        if frame.step == 3:
            run.steering.wanted = run.config.changed(style_weight=3e5)
        if frame.step == 5:
            run.steering.stop.set()
    run.more(run.remaining)
    frames += map(told, run)
    recolored = run.recolored("style").numpy().tobytes()
    run.more(2)
    frames += map(told, run)
    record = run.record().to_dict() | {"seconds": 0, "device": ""}
    return frames, recolored, record


def out_of_time() -> dict:
    """A visitor whose time ends in the middle, who goes on with more."""
    run, frames, context = lent(), [], visitor("poor", 15)  # of which a piece takes 2 and asks for 11

    def to_the_end() -> str:
        try:
            frames.extend(told(frame) for frame in run)
        except NSTError as error:
            return str(error)
        return ""

    why, stood = context.run(to_the_end), run.newest.step
    kept = run.record().steps == stood and not run.broken and run.remaining > 0
    spaces.left["poor"] = 120
    rest = context.run(to_the_end)
    return {"why": why, "stood": stood, "kept": kept, "rest": rest, "same": frames == [told(frame) for frame in here()]}


def folders() -> dict:
    """A run that is kept by others between its pieces, and found again."""
    with tempfile.TemporaryDirectory() as name:
        folder, run = Path(name) / "run", lent()
        frames = [told(next(run)) for _ in range(3)]
        own, rested = run.kept.folder, run.rests
        run.keep(folder)
        frames.append(told(next(run)))
        in_it = run.kept.folder == folder
        run.rest(folder.with_name("another"))
        again = zero.in_pieces(restored(folder.with_name("another")))
        frames += map(told, again)
        run.close()
        again.close()
        same, lasts = frames == [told(frame) for frame in here()], run.rests and not rested
        return {"same": same, "in it": in_it, "lasts": lasts, "gone": not own.exists()}


def two_visitors() -> dict:
    """Jobs in one lane, of which the first to end lets the other begin."""
    lane, before = Lane(), len(spaces.calls)

    def job(token: str) -> Job:
        run = lent()
        return visitor(token).run(
            lambda: Job(lambda _: iter(lambda: DEVICES.next_of(run), None), Client(), Steering(), lane=lane)
        )

    jobs = [job("anna"), job("ben")]
    ended = all([one.wait(60) for one in jobs])
    tokens = [token for token, _ in spaces.calls[before:]]
    return {
        "ended": ended,
        "errors": [str(one.error or "") for one in jobs],
        "tokens": tokens,
        "left": [spaces.left["anna"], spaces.left["ben"]],
    }


def sheet() -> bool:
    """Whether a sheet's cells are those that this process paints."""
    plan = cells(small(), Axis("style_weight", (1e4, 1e5)), None)
    told = []
    for compute, begun in ((CPU, lambda run: run), (zero.painting_compute(), zero.in_pieces)):
        *_, last = paint_sheet(*PICTURES, plan, compute, begun=begun)
        told.append([(one.image.numpy().tobytes(), one.record.losses) for one in last.results])
    return told[0] == told[1] and len(told[0]) == 2


def batch() -> dict:
    """A batch of two photos: in pieces, and as this process paints it; cut off by the end of a visitor's time."""
    with tempfile.TemporaryDirectory() as name:
        folder, context = Path(name), visitor("few", 17)
        contents = [folder / f"{number}.png" for number in (1, 2)]
        for content in contents:
            images.save_png(PICTURES[0], content)
        images.save_png(PICTURES[1], folder / "style.png")
        tasks = pairs(contents, [str(folder / "style.png")], Optimized("small", small()), folder)
        list(paint_in_job(tasks, folder / "here", optimizer_paint(), Steering()))

        def painted() -> list[int]:
            return [one.done for one in paint_in_job(tasks, folder / "lent", engine_paint(), Steering())]

        why = ""
        try:
            context.run(painted)
        except NoDeviceError as error:
            why = str(error)
        between = sum(path.suffix == ".png" for path in (folder / "lent").iterdir())
        spaces.left["few"] = 120
        done = context.run(painted)[-1]
        both = ([images.load(folder / kind / task.file) for task in tasks] for kind in ("here", "lent"))
        same = all(torch.equal(one, other) for one, other in zip(*both, strict=True))
        return {"used up": "used up" in why, "between": between, "done": done, "same": same}


def story() -> dict:
    """All of it."""
    zero.PIECE_SECONDS = 0.0  # as the process sees it that is forked with the first piece: a frame each
    rich = visitor("rich", 10_000)
    made = {"driven": rich.run(lambda: driven(lent())) == driven(here())}
    made |= {"out of time": out_of_time(), "folders": rich.run(folders), "visitors": two_visitors()}
    made |= {"sheet": rich.run(sheet), "batch": batch()}
    try:
        made["nobody"] = visitor(None).run(next, lent()) and ""
    except NSTError as error:
        made["nobody"] = str(error)
    made |= {"touched": spaces.touched, "decorated": spaces.decorated, "sent": max(spaces.sent)}
    made |= {"device": choose_compute().device, "through the queue": events.BEGINNING is events.QUEUED}
    return made | {"name": zero.painting_compute().name}


if __name__ == "__main__":
    torch.manual_seed(1)
    with narrowed():
        json.dump(story(), sys.stdout)
