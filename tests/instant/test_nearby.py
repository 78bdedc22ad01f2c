"""A worker near by: the same pictures and frames, the newest only; where it is slow or gone, who asked paints."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import numpy as np
import pytest
import torch

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import Compute
from nst_core.engine.devices import DEVICES
from nst_core.errors import ConfigError, DeviceError
from nst_core.instant import easel
from nst_core.instant import nearby as module
from nst_core.instant.easel import Answer, Easel, Turn
from nst_core.instant.nearby import Nearby, nearby
from nst_core.instant.painter import Painter
from nst_core.instant.palette import PlainRecipe, Strokes, plain_recipe
from nst_core.instant.pieces import as_image
from nst_core.universal.painter import UniversalPainter, style_picture
from tests.instant.test_painter import CPU, network_of
from tests.machines import Room

STYLE = {"waves": 1.0}


@pytest.fixture(autouse=True)
def cpu(monkeypatch):
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setenv("NST_PRECISION", "fp32")
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.0)


@pytest.fixture(scope="module")
def painter() -> Painter:
    return Painter([network_of("waves", "stars")], CPU)


@pytest.fixture(scope="module")
def recipe(painter) -> PlainRecipe:
    return plain_recipe(painter, Strokes(STYLE))


@pytest.fixture
def frame() -> torch.Tensor:
    pixels = torch.randint(0, 256, (36, 48, 3), generator=torch.Generator().manual_seed(3), dtype=torch.uint8)
    return as_image(pixels.numpy())


def of(room: Room) -> Nearby:
    made = Nearby(room)
    assert made.found(60)
    return made


def answered(asked) -> Answer | None:
    return (asked if isinstance(asked, Future) else asked.answer).result(60)


def turns() -> Iterator[Turn]:
    return (Turn("a camera", number) for number in range(1, 100))


def test_until_a_worker_is_there_who_asks_paints_and_waits_for_nothing(recipe, frame):
    room, gate = Room(), threading.Event()
    choose, room.choose = room.choose, lambda: gate.wait(60) and choose()
    worker, turn = Nearby(room), Turn("a", 1)
    assert worker.frame(recipe, frame, turn) is None is worker.picture(recipe, frame)
    with pytest.raises(DeviceError, match="no worker was there within 0 s; wait longer"):
        worker.found(0)
    gate.set()
    assert worker.found(60) and answered(worker.frame(recipe, frame, turn)).image is not None and room.chosen == 1


def test_frames_are_those_of_this_computer_and_styles_are_sent_once(painter, recipe, frame):
    room = Room()
    worker, turn = of(room), turns()
    here = images.to_bytes(painter.paint(frame, STYLE))
    for count in (3, 4, 5):  # host, once in vain, and once with the styles; then once a frame
        assert np.array_equal(answered(worker.frame(recipe, frame, next(turn))).image, here)
        assert len(room.calls) == count
    other = plain_recipe(painter, Strokes({"stars": 1.0}, 0.5, "content"))
    assert not np.array_equal(answered(worker.frame(other, frame, next(turn))).image, here)
    assert len(room.calls) == 6  # a network's styles go together


def test_an_old_frame_is_not_painted_after_a_newer_one_of_the_same_camera(recipe, frame):
    worker = of(Room())
    told = [answered(worker.frame(recipe, frame, Turn(*turn))) for turn in (("a", 2), ("a", 1), ("b", 1), ("a", 3))]
    assert [one.overtaken for one in told] == [False, True, False, False]
    assert [one.image is None for one in told] == [False, True, False, False]


def test_pictures_are_those_of_this_computer_refined_too(painter, recipe, frame):
    worker = of(Room())
    image = images.fit(images.load(ASSETS / "photos" / "chelsea_cat.jpg"), 70)
    here = painter.paint(image, STYLE)
    assert torch.equal(torch.from_numpy(answered(worker.picture(recipe, image)).image), here)
    assert answered(worker.picture(recipe, image, here)) == Answer()  # nothing to refine
    oil = UniversalPainter({"oil": style_picture(images.load(ASSETS / "styles" / "koi_mosaic.jpg"))}, CPU)
    recipe = plain_recipe(oil, Strokes({"oil": 1.0}))
    quick = oil.paint(image, {"oil": 1.0})
    refined = answered(worker.picture(recipe, image, quick)).image
    made = DEVICES.run_steps(recipe.strokes.refine(oil, image, quick, CPU)).result()
    assert torch.equal(torch.from_numpy(refined), made) and not torch.equal(made, quick)


def test_large_pictures_are_not_sent(recipe, frame, monkeypatch):
    worker = of(Room())
    monkeypatch.setattr(module, "MOST_AREA", 36 * 48 - 1)
    assert worker.picture(recipe, frame) is None
    monkeypatch.setattr(module, "MOST_AREA", 36 * 48)
    assert worker.picture(recipe, frame) is not None


def test_a_late_worker_is_asked_for_nothing_more_until_it_answers(recipe, frame, monkeypatch):
    room = Room()
    worker, gate = of(room), threading.Event()
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    monkeypatch.setattr(Easel, "about", lambda self: gate.wait(60))
    assert worker.picture(recipe, frame) is None  # and the worker goes on waiting
    asked = len(room.calls)
    assert worker.picture(recipe, frame) is None is worker.frame(recipe, frame, Turn("a", 1))
    assert len(room.calls) == asked
    gate.set()
    worker._late.result(60)
    assert answered(worker.frame(recipe, frame, Turn("a", 1))).image is not None


def test_a_lost_worker_is_none_and_another_is_found(recipe, frame):
    room = Room(fails=lambda number, method: number == 2)
    worker = of(room)
    assert answered(worker.frame(recipe, frame, Turn("a", 1))) is None and room.left == 1
    assert worker.found(60) and room.chosen == 2
    assert answered(worker.frame(recipe, frame, Turn("a", 2))).image is not None


def test_where_no_machine_can_be_had_who_asks_paints(recipe, frame):
    room = Room()

    def refuse():
        raise DeviceError("no machine of the cluster answers")

    choose, room.choose = room.choose, refuse
    worker = Nearby(room)
    assert not worker.found(60) and worker.frame(recipe, frame, Turn("a", 1)) is None
    room.choose = choose
    assert worker.found(60)


def test_what_cannot_be_painted_is_said_as_here(recipe, frame):
    odd = recipe.__class__(recipe.palette, Strokes({"moon": 1.0}))
    with pytest.raises(ConfigError, match="there is no style 'moon'"):
        answered(of(Room()).picture(odd, frame))


def test_a_worker_keeps_the_newest_styles(painter, recipe, frame, monkeypatch):
    monkeypatch.setattr(easel, "MOST_PAINTERS", 1)
    room = Room()
    worker, turn = of(room), turns()
    rain = plain_recipe(Painter([network_of("rain", seed=1)], CPU), Strokes({"rain": 1.0}))
    for one in (recipe, rain, recipe):
        assert answered(worker.frame(one, frame, next(turn))).image is not None
    assert len(room.calls) == 1 + 3 * 2


def test_a_gpu_of_this_computer_is_nearer_and_without_a_cluster_there_is_none(monkeypatch):
    room = Room()
    assert nearby() is None
    monkeypatch.setattr(module, "named_machines", lambda: room)
    assert nearby() is nearby() is not None
    monkeypatch.setattr(module, "choose_compute", lambda: Compute(device="cuda", precision="fp32"))
    assert nearby() is None


def test_where_a_worker_or_the_whole_cluster_cannot_paint_who_asks_paints_until_another_can(recipe, frame):
    gone: list[str] = []

    def fails(number: int, method: str) -> bool:
        if gone:
            raise DeviceError(gone[0])
        return False

    room, waiting = Room(fails), []
    worker = of(room)
    start = room.machines[1].start
    room.machines[1].start = lambda method, *given: (waiting.append((method, *given[:1])), start(method, *given))[1]
    gone.append("the first machine of the cluster is gone")
    assert worker.picture(recipe, frame) is None and not worker.found(60)
    assert room.left == room.chosen == 2 and waiting[-1] == ("dismiss", 1)
    gone.clear()
    assert worker.found(60) and answered(worker.frame(recipe, frame, Turn("a", 1))).image is not None
    gone.append("on machine 2: its memory is full")
    assert answered(worker.frame(recipe, frame, Turn("a", 2))) is None and room.left == room.chosen == 3


@pytest.mark.parametrize("error", [None, DeviceError("no room")])
def test_a_place_at_which_nothing_can_begin_is_given_up(error):
    def fails(number: int, method: str) -> bool:
        if error:
            raise error
        return True

    room = Room(fails)
    assert not Nearby(room).found(60) and room.left == room.chosen == 1
