"""From Make to a figure, through Stop and Continue, without a browser."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
import torch

from nst_core import images
from nst_core.analysis.figure import Moment
from nst_core.analysis.figures import begin, classify, formula, gram
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.painting import side_by_side
from nst_core.engine import errands
from nst_core.errors import ConfigError
from nst_core.features import weights
from nst_core.features.weights import DownloadProgress
from nst_core.ui.explain import run as module
from nst_core.ui.explain.controls import shown_value
from nst_core.ui.explain.run import go_on, make_figure, settings_of
from nst_core.ui.explain.session import Board, Pictures
from nst_core.ui.page.form import Updates
from nst_core.ui.serving.jobs import press
from tests.analysis.figures.test_classify import STAYS, Scripted
from tests.machines import Room
from tests.ui.explain.test_session import BEGUN, figure_of, growing, on_device, saved, transparent
from tests.ui.instant.test_picture import props
from tests.ui.shown import untitled

SKIP = gr.skip()
FEW = {
    "size": 32,
    "steps": 3,
    "backbone": "lite",
    "sets": ("A", "A-B"),
    "ratios": (1e-3, 1e-2),
    "every": 2,
    "starts": ("content", "noise"),
    "optimizers": ("lbfgs",),
    "maps": 2,
    "pairs": 1,
}
OWN = {"content": {"layers": ("conv1_2", "conv2_1")}, "gram": {"layer": "conv2_1"}}


def given(name: str, pictures: Pictures = Pictures(), **changes: Any) -> dict[str, Any]:  # noqa: B008, never changed
    """What the page shows, for a figure that is made in a moment."""
    figure = FIGURES[name]
    few = FEW | OWN.get(name, {})
    wanted = {option.name: few.get(option.name, option.default) for option in figure.options}
    values = {option.name: shown_value(option, wanted[option.name]) for option in figure.options}
    assert changes.keys() <= values.keys()
    options = {f"{name}.{option}": value for option, value in (values | changes).items()}
    return {"figure": name, **pictures._asdict(), **options}


def pictures_in(folder: Path) -> Pictures:
    """Two photos of 40×30, two styles of 36×40 and a cut-out."""
    generator = torch.Generator().manual_seed(3)
    noise = {name: torch.rand(1, 3, 30, 40, generator=generator) for name in ("photo", "other_photo")}
    noise |= {name: torch.rand(1, 3, 40, 36, generator=generator) for name in ("style", "other_style")}
    paths = {name: saved(folder, name, image) for name, image in noise.items()}
    cutout = saved(folder, "cutout", transparent())
    return Pictures(paths["photo"], paths["style"], [str(paths["other_photo"])], [str(paths["other_style"])], cutout)


def scripted_classifier(monkeypatch) -> None:
    """A classifier that is here, and says always the same."""
    monkeypatch.setattr(classify, "require", lambda: None)
    monkeypatch.setattr(classify, "load_classifier", lambda compute: Scripted(*STAYS))


def made(name: str, pictures: Pictures, **changes: Any) -> Board:
    """A page whose figure is finished."""
    board = Board()
    *_, last = make_figure(board, given(name, pictures, **changes))
    assert "Done" in last["status"]
    return board


@pytest.fixture(autouse=True)
def toasts(monkeypatch, figure_weights):
    """What the page would show as toasts, (title, text); random networks, on the CPU and exactly."""
    shown = []
    monkeypatch.setattr(gr, "Warning", lambda text, title="", **_: shown.append((title, untitled(text))))
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setenv("NST_PRECISION", "fp32")
    scripted_classifier(monkeypatch)
    return shown


@pytest.fixture(autouse=True)
def every_moment(monkeypatch):
    """Moments as often as steps come, each of which is shown."""
    monkeypatch.setattr(module, "VIEW_SECONDS", 0)
    monkeypatch.setattr(side_by_side, "MOMENT_SECONDS", 0)
    for figure in (gram, formula):
        monkeypatch.setattr(figure, "TELL_SECONDS", 0)


@pytest.fixture
def pictures(tmp_path) -> Pictures:
    return pictures_in(tmp_path)


@pytest.fixture
def board() -> Board:
    return Board()


def figures(views: list[Updates]) -> list[dict]:
    """Of those views that show one."""
    return [view["figure"] for view in views if "figure" in view]


def count(figure: dict) -> int:
    """Pictures in it."""
    return sum(bool(part and part["picture"]) for row in figure["rows"] for part in row)


def visible(view: Updates) -> tuple[bool, bool]:
    """Whether Continue and what can be kept are to be seen."""
    return props(view["go_on"])["visible"], props(view["after"])["visible"]


def stopped_after(board: Board, views: Iterator[Updates], number: int) -> list[Updates]:
    """What is shown if Stop is pressed at the so many-th figure."""
    seen = []
    for view in views:
        seen.append(view)
        if len(figures(seen)) == number:
            board.job.steering.stop.set()
    return seen


def images_of(board: Board) -> dict[tuple[int, int], torch.Tensor]:
    return {(part.row, part.column): part.image for part in board.parts}


def same(one: Board, other: Board) -> bool:
    """Whether two figures have the same pictures to the bit."""
    ours, theirs = images_of(one), images_of(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[place], theirs[place]) for place in ours)


# Making


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_grows_while_one_watches_and_ends_done(board, pictures, toasts, name):
    first, second, *views = make_figure(board, given(name, pictures))
    assert "Looking at the pictures" in first["status"] and first.keys() == {"status"}
    assert visible(second) == (False, False) and second.keys() == {"go_on", "after"}
    *growing_views, last = views
    assert all(view["figure"]["busy"] and view.keys() == {"status", "figure"} for view in growing_views)
    counts = [count(figure) for figure in figures(views)]
    assert len(growing_views) > 2 and counts == sorted(counts) and counts[-1] > 1
    assert "Done after" in last["status"] and "Click a picture" in last["status"] and last["figure"]["busy"] is False
    assert visible(last) == (False, True) and 'value="1.0000"' in last["status"]
    assert board.making is None and board.job.busy is False and toasts == []
    assert all(part.done and part.image is not None for part in board.parts) and board.moment.share == 1
    assert board.figure is FIGURES[name] and board.settings == settings_of(FIGURES[name], given(name))


def test_views_of_a_figure_come_no_more_often_than_people_look(board, pictures, monkeypatch):
    monkeypatch.setattr(module, "VIEW_SECONDS", 1000)
    shown = figures(list(make_figure(board, given("content", pictures, steps=20))))
    assert len(shown) <= 3 and shown[-1]["busy"] is False  # the first moment, the first picture, the end


def test_another_figure_takes_the_place_of_the_last(board, pictures):
    list(make_figure(board, given("content", pictures)))
    views = board.views
    list(make_figure(board, given("style", pictures)))
    assert board.figure is FIGURES["style"] and board.views is not views and board.looked_at is None


def test_all_that_computes_has_its_place_on_the_devices_thread(board, pictures, monkeypatch):
    threads, load = {}, images.load

    def note(what: str) -> None:
        threads.setdefault(what, set()).add(threading.current_thread().name)

    def making(*_) -> Iterator[Moment]:
        note("make")

        def moments() -> Iterator[Moment]:
            try:
                for _ in range(5):
                    note("step")
                    yield BEGUN
            finally:
                note("close")

        return moments()

    monkeypatch.setattr(images, "load", lambda *paths: (note("read"), load(*paths))[1])
    monkeypatch.setitem(FIGURES, "content", figure_of(making))
    stopped_after(board, make_figure(board, given("content", pictures)), 2)
    press(board.job)
    list(go_on(board))
    list(make_figure(board, given("content", pictures)))
    device = on_device(threading.current_thread).name
    assert threads == {what: {device} for what in ("make", "step", "close", "read")}


# Stopping and going on


@pytest.mark.parametrize("name", FIGURES)
def test_a_stop_keeps_what_is_made_and_going_on_ends_at_the_same_pictures(board, pictures, name):
    whole = made(name, pictures)
    *_, last = stopped_after(board, make_figure(board, given(name, pictures)), 3)
    assert "Stopped after" in last["status"] and visible(last) == (True, True) and last["figure"]["busy"] is False
    assert board.making is not None and board.job.busy is False and board.moment.share < 1
    kept = count(last["figure"])
    press(board.job)
    first, second, *views = go_on(board)
    assert "Looking" in first["status"] and visible(second) == (False, False)
    assert all(count(figure) >= kept for figure in figures(views))
    assert "Done after" in views[-1]["status"] and visible(views[-1]) == (False, True) and board.making is None
    assert same(board, whole)


@pytest.mark.parametrize("name", ["content", "grid"])
def test_a_figure_that_is_stopped_at_every_step_is_the_same_in_the_end(board, pictures, name):
    whole, stops = made(name, pictures), 0
    views = list(stopped_after(board, make_figure(board, given(name, pictures)), 1))
    while board.making:
        stops += 1
        assert "Stopped" in views[-1]["status"]
        views = list(go_on(board))  # Stop is still pressed
    assert stops > 3 and "Done" in views[-1]["status"] and same(board, whole)


def test_a_figure_made_elsewhere_stops_goes_on_and_outlives_its_machine(board, pictures, monkeypatch):
    whole, room = made("content", pictures), Room()
    monkeypatch.setattr(begin, "machines", lambda: room)
    for name, number in (("NEWS_SECONDS", 0), ("MOST_BYTES", float("inf"))):
        monkeypatch.setattr(errands, name, number)
    *_, last = stopped_after(board, make_figure(board, given("content", pictures)), 2)
    assert "Stopped after" in last["status"] and visible(last) == (True, True) and board.moment.share < 1
    kept, room.fails = count(last["figure"]), lambda call, method: not room.left
    press(board.job)
    views = list(go_on(board))
    assert all(count(figure) >= kept for figure in figures(views)) and "was lost" in views[-1]["figure"]["findings"]
    assert "Done after" in views[-1]["status"] and board.making is None and same(board, whole)
    assert room.chosen == room.left == 2


def test_a_figure_that_waits_to_go_on_ends_as_another_begins(board, pictures, monkeypatch):
    closed = []
    monkeypatch.setitem(FIGURES, "style", figure_of(lambda *_: growing(closed=closed), "style"))
    stopped_after(board, make_figure(board, given("style", pictures)), 2)
    assert closed == [] and board.making
    press(board.job)
    list(make_figure(board, given("content", pictures)))
    assert len(closed) == 1 and board.figure is FIGURES["content"]


@pytest.mark.parametrize("before", ["nothing", "a finished one"])
def test_there_must_be_a_figure_to_go_on_with(board, pictures, toasts, before):
    if before != "nothing":
        board = made("content", pictures)
    _, last = go_on(board)
    assert is_problem(last, toasts, "there is no figure to go on with; press Make the figure")


# What goes wrong


def is_problem(view: Updates, toasts: list, message: str, title: str = "Cannot make the figure") -> bool:
    """Whether it ended by these words, as one toast and in the status."""
    ((said, text),) = toasts
    assert message in text and said == title
    return 'class="status problem"' in view["status"] and view.keys() == {"status"}


@pytest.mark.parametrize(
    ("name", "changes", "missing", "message"),
    [
        ("content", {"steps": None}, {}, "Steps is empty; give a whole number"),
        ("content", {"size": 3}, {}, "Size, pixels is 3"),
        ("content", {"seed": 0.5}, {}, "Seed is 0.5"),
        ("content", {"backbone": "resnet"}, {}, "Network is 'resnet'; choose one of"),
        ("content", {"size": 20}, {}, "both sides must be at least"),
        ("content", {"layers": []}, {}, "Layers has 0 values; choose 1 to 8"),
        ("start", {"optimizers": []}, {}, "Optimisers has 0 values"),
        ("style", {"seeds": " "}, {}, "Seeds has 0 values"),
        ("grid", {"ratios": "1e-3, many"}, {}, "Ratios α/β is 'many'"),
        ("grid", {"sets": ["A-Z"]}, {}, "the set of layers is 'A-Z'"),
        ("content", {"layers": ["conv3_4"], "backbone": "vgg16"}, {}, "layer is 'conv3_4', which VGG-19"),
        ("style", {"sets": ["16"], "backbone": "vgg16"}, {}, "layer is 'conv5_4'"),
        ("gram", {"layer": "conv9_1"}, {}, "layer is 'conv9_1'"),
        ("compose", {"scale": 1, "x": 0.1}, {}, "the cut-out"),
        ("content", {}, {"content": None, "more_contents": None}, "there is no content picture"),
        ("gram", {}, {"style": None, "more_styles": []}, "there is no style picture"),
        ("sheet", {}, {"style": None, "more_styles": None}, "there is no style picture"),
        ("compose", {}, {"cutout": None}, "there is no cut-out"),
    ],
)
def test_what_is_wrong_is_named_and_the_last_figure_stays(board, pictures, toasts, name, changes, missing, message):
    list(make_figure(board, given("content", pictures)))
    before = board.moment, board.figure, board.settings, board.pictures, board.views
    views = list(make_figure(board, given(name, pictures._replace(**missing), **changes)))
    assert is_problem(views[-1], toasts, message) and len(views) == 2
    after = board.moment, board.figure, board.settings, board.pictures, board.views
    assert all(one is other for one, other in zip(before, after, strict=True)) and board.job.busy is False


def test_a_picture_that_cannot_be_read_is_named(board, pictures, toasts):
    pictures.style.write_text("Dear reader")
    assert is_problem(list(make_figure(board, given("gram", pictures)))[-1], toasts, "style.png cannot be read")


def test_a_device_that_is_not_here_is_named(board, pictures, toasts, monkeypatch):
    monkeypatch.setenv("NST_DEVICE", "abacus")
    views = list(make_figure(board, given("content", pictures)))
    assert is_problem(views[-1], toasts, "device is 'abacus'")


def test_without_the_classifier_it_is_said_how_to_get_it(board, pictures, toasts, monkeypatch):
    monkeypatch.undo()
    shown = []
    monkeypatch.setattr(gr, "Warning", lambda text, title="", **_: shown.append((title, untitled(text))))
    monkeypatch.setenv("NST_WEIGHTS", str(pictures.content.parent))
    monkeypatch.setenv("NST_CACHE", str(pictures.content.parent / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(pictures.content.parent / "torch"))
    views = list(make_figure(board, given("classify", pictures)))
    assert is_problem(views[-1], shown, "classifier") and board.figure is None


def test_a_figure_that_waits_can_still_go_on_after_another_was_refused(board, pictures, toasts):
    whole = made("content", pictures)
    stopped_after(board, make_figure(board, given("content", pictures)), 3)
    press(board.job)
    refused = list(make_figure(board, given("gram", pictures, layer="conv9_1")))
    assert len(toasts) == 1 and all("go_on" not in view for view in refused)  # Continue is still to be seen
    list(go_on(board))
    assert same(board, whole) and board.figure is FIGURES["content"]


def failing(moments: int) -> Callable[..., Iterator[Moment]]:
    """A figure that ends early, after so many moments."""

    def make(*_) -> Iterator[Moment]:
        yield from (BEGUN,) * moments
        raise ConfigError("the machine is too small")

    return make


@pytest.mark.parametrize("moments", [1, 3])
def test_what_ends_a_figure_early_leaves_its_last_moment(board, pictures, toasts, monkeypatch, moments):
    monkeypatch.setitem(FIGURES, "content", figure_of(failing(moments)))
    *_, last = make_figure(board, given("content", pictures))
    assert toasts == [("The figure ended early", "the machine is too small")]
    assert "the machine is too small" in last["status"] and 'class="status problem"' in last["status"]
    assert "Ended early after" in last["status"] and 'value="0.5000"' in last["status"]
    assert count(last["figure"]) == 1 and last["figure"]["busy"] is False and visible(last) == (False, True)
    assert board.moment is BEGUN and board.making is None and board.job.busy is False


def test_what_fails_before_there_is_anything_to_see_leaves_nothing_to_go_on_with(board, pictures, toasts, monkeypatch):
    monkeypatch.setitem(FIGURES, "content", figure_of(failing(0)))
    views = list(make_figure(board, given("content", pictures)))
    assert is_problem(views[-1], toasts, "the machine is too small") and board.job.busy is False
    assert board.making is None and board.moment is None
    toasts.clear()
    assert is_problem(list(go_on(board))[-1], toasts, "there is no figure to go on with")


# Weights that are not here


@pytest.fixture
def missing(monkeypatch, figure_weights, tmp_path) -> list[str]:
    """VGG-16 has to be fetched; what was."""
    asked, find = [], weights.find

    def download(backbone: str) -> Iterator[DownloadProgress]:
        asked.append(backbone)
        yield DownloadProgress(0, 100, "a server", "asking")
        yield DownloadProgress(50, 100, "a server", "")

    monkeypatch.setattr(
        weights, "find", lambda backbone: None if "vgg16" not in asked + [0] and backbone == "vgg16" else find(backbone)
    )
    monkeypatch.setattr(weights, "download", download)
    return asked


def test_weights_that_are_missing_are_fetched_first_and_it_is_shown(board, pictures, missing):
    first, *fetching = make_figure(board, given("content", pictures, backbone="vgg16"))
    assert "Looking" in first["status"] and "Fetching VGG-16" in fetching[0]["status"]
    assert 'value="0.5000"' in fetching[1]["status"] and "Done" in fetching[-1]["status"] and missing == ["vgg16"]


def test_a_wrong_value_is_named_before_anything_is_fetched(board, pictures, missing, toasts):
    views = list(make_figure(board, given("content", pictures, backbone="vgg16", steps=0)))
    assert is_problem(views[-1], toasts, "Steps is 0") and missing == []


def test_fetching_can_be_stopped(board, pictures, missing, toasts):
    board.job.steering.stop.set()
    views = list(make_figure(board, given("content", pictures, backbone="vgg16")))
    assert is_problem(views[-1], toasts, "was stopped") and board.making is None and board.job.busy is False


# Pages


def test_a_page_that_is_left_meanwhile_ends_after_the_present_step_and_is_freed(board, pictures, monkeypatch):
    closed = []
    monkeypatch.setitem(FIGURES, "content", figure_of(lambda *_: growing(closed=closed)))
    views = make_figure(board, given("content", pictures))
    while not figures([next(views)]):
        assert board.job.busy
    board.left = True
    board.job.steering.stop.set()
    assert len(list(views)) == 1
    assert on_device(lambda: board.making) is None and len(closed) == 1 and board.job.busy is False


def test_a_handler_that_gradio_gives_up_is_not_busy(board, pictures):
    views = make_figure(board, given("content", pictures))
    next(views)
    assert board.job.busy
    views.close()
    assert board.job.busy is False


def test_time_left_goes_by_what_was_done_since_it_goes_on(monkeypatch):
    moment = SimpleNamespace(share=0.9)
    monkeypatch.setattr(module.time, "monotonic", lambda: 110.0)
    assert module._left(moment, 0.0, 100.0) == "about 1 s left"
    assert module._left(moment, 0.8, 100.0) == "about 10 s left"
    assert module._left(moment, 0.88, 100.0) == ""  # too little to tell
