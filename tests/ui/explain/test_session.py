"""What one open page has of its figure: the pictures it is made of, and what it holds until that is let go."""

import copy
import dataclasses
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from nst_core import images
from nst_core.analysis.figure import Figure, Moment, Part
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.engine.devices import DEVICES
from nst_core.errors import ImageError, NSTError
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.ui.explain import session as module
from nst_core.ui.explain.session import Board, Pictures

QUICK = {"layers": "conv1_2", "start": ["content"], "size": 32, "steps": 5000}
BEGUN = Moment(("",), ("",), (Part(0, 0, "a picture", torch.zeros(1, 3, 20, 30)),), text="begun", share=0.5)


def saved(folder: Path, name: str, image: torch.Tensor) -> Path:
    """A picture as a file, (1, 4, H, W) with its transparency."""
    images.to_pil(image).save(folder / f"{name}.png")
    return folder / f"{name}.png"


def flat(share: float, height: int = 20, width: int = 30) -> torch.Tensor:
    return torch.full((1, 3, height, width), share)


def grained(share: float) -> torch.Tensor:
    """A grey picture of fine grain."""
    grain = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(round(100 * share)))
    return share + 0.1 * (grain - grain.mean())


def transparent(height: int = 20, width: int = 30) -> torch.Tensor:
    """A grey picture of which only the left 10 columns can be seen."""
    image = torch.cat([flat(0.5, height, width), torch.zeros(1, 1, height, width)], 1)
    image[:, 3, :, :10] = 1
    return image


def painted(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (30, 20)) -> dict:
    """The editor's value with a layer for each box (left, top, right, bottom) that was painted; (width, height)."""
    layers = [Image.new("RGBA", size) for _ in boxes]
    for layer, box in zip(layers, boxes, strict=True):
        layer.paste((255, 59, 48, 255), box)
    return {"background": None, "layers": layers, "composite": None}


def figure_of(make: Callable[..., Iterator[Moment]], name: str = "content") -> Figure:
    """One of the figures, made otherwise."""
    return dataclasses.replace(FIGURES[name], make=make)


class Held:
    """Something large that a figure is made with."""


def growing(held: Held | None = None, closed: list[str] | None = None) -> Iterator[Moment]:
    """Moments without end, that note on which thread they are closed."""
    try:
        while True:
            yield BEGUN
    finally:
        if closed is not None:
            closed.append(threading.current_thread().name)


def on_device(job: Callable, *given):
    return DEVICES.submit(job, *given).result()


@pytest.fixture
def files(tmp_path) -> dict[str, Path]:
    """Pictures of a grey each, and a cut-out."""
    greys = {"a_photo": 0.1, "b": 0.2, "c": 0.3, "a_style": 0.7, "d": 0.8}
    found = {name: saved(tmp_path, name, grained(grey)) for name, grey in greys.items()}
    return found | {"cutout": saved(tmp_path, "cutout", transparent())}


@pytest.fixture
def pictures(files) -> Pictures:
    """Three photos, two styles and a cut-out."""
    more = [str(files["b"]), str(files["c"])], [str(files["d"])]
    return Pictures(files["a_photo"], files["a_style"], *more, files["cutout"])


# Pictures


def test_the_single_picture_comes_before_those_that_are_given_together(pictures, files):
    assert pictures.contents == [files["a_photo"], files["b"], files["c"]]
    assert pictures.styles == [files["a_style"], files["d"]]


def test_pictures_given_together_are_enough(pictures, files):
    assert pictures._replace(content=None).contents == [files["b"], files["c"]]
    material = pictures._replace(content=None, style=None).read(("content", "style"))
    assert (material.content_names, material.style_names) == (("b",), ("d",))
    assert Pictures().contents == Pictures().styles == Pictures(more_contents=[]).contents == []


@pytest.mark.parametrize(
    ("wanted", "contents", "styles"),
    [
        ((), [], []),
        (("content",), [0.1], []),
        (("style",), [], [0.7]),
        (("content", "style"), [0.1], [0.7]),
        (("content", "style", "cutout"), [0.1], [0.7]),
        (("contents", "styles"), [0.1, 0.2, 0.3], [0.7, 0.8]),
    ],
)
def test_a_figure_gets_the_kinds_that_it_wants_in_their_order(pictures, wanted, contents, styles):
    material = pictures.read(wanted)
    for found, greys in ((material.contents, contents), (material.styles, styles)):
        assert [float(image.mean()) for image in found] == pytest.approx(greys, abs=1 / 255)
    assert material.content_names == ("a photo", "b", "c")[: len(contents)]
    assert material.style_names == ("a style", "d")[: len(styles)]
    assert (material.cutout is not None) == ("cutout" in wanted)


def test_what_a_figure_does_not_want_may_be_damaged(pictures, files):
    for name in ("b", "c", "a_style", "cutout"):
        files[name].write_text("Dear reader")
    assert len(pictures.read(("content",)).contents) == 1
    with pytest.raises(ImageError, match=r"b\.png"):
        pictures.read(("contents",))
    with pytest.raises(ImageError, match=r"cutout\.png"):
        pictures.read(("cutout",))


def test_missing_pictures_are_left_to_the_figure():
    material = Pictures().read(("contents", "styles", "cutout"))
    assert (material.contents, material.styles, material.cutout) == ((), (), None)


@pytest.mark.parametrize("brush", [None, {}, painted(), painted((0, 0, 0, 0)), {"layers": [None]}])
def test_a_cutout_is_what_is_not_transparent(pictures, brush):
    cutout = pictures._replace(brush=brush).read_cutout()
    assert cutout.shape == (1, 4, 20, 10) and cutout[:, 3].min() == 1


def test_a_brush_cuts_out_what_it_painted_over(pictures, files):
    cutout = pictures._replace(cutout=files["b"], brush=painted((5, 2, 11, 12), (9, 10, 15, 17))).read_cutout()
    assert cutout.shape == (1, 4, 15, 10)
    assert cutout[:, 3].sum() == 6 * 10 + 6 * 7 - 2 * 2
    assert cutout[:, :3].mean().item() == pytest.approx(0.2, abs=1 / 255)


def test_strokes_over_a_picture_of_another_shape_cut_out_nothing(pictures, files, tmp_path):
    Image.new("RGB", (60, 20)).save(tmp_path / "wide.png")
    with pytest.raises(ImageError, match=r"the photo is 60×20; press Take the picture"):
        pictures._replace(cutout=tmp_path / "wide.png", brush=painted((5, 2, 11, 12))).read_cutout()


def test_a_brush_counts_more_than_transparency(pictures):
    assert pictures._replace(brush=painted((0, 0, 30, 20))).read_cutout().shape == (1, 4, 20, 30)


def test_a_brush_on_a_smaller_copy_cuts_out_the_same_share(pictures, files, tmp_path):
    large = saved(tmp_path, "large", flat(0.4, 200, 300))
    cutout = pictures._replace(cutout=large, brush=painted((6, 4, 18, 12))).read_cutout()
    assert images.size_of(cutout) == pytest.approx((80, 120), abs=10)


def test_an_opaque_picture_is_no_cutout_before_a_brush_was_used(pictures, files):
    with pytest.raises(ImageError, match="no transparent parts; paint over what to cut out"):
        pictures._replace(cutout=files["b"]).read_cutout()
    assert Pictures(brush=painted((0, 0, 9, 9))).read_cutout() is None


# Another figure


@pytest.fixture
def board(narrow_weights) -> Board:
    """With a figure that goes on, and of which a part is enlarged."""
    board, closed = Board(), []
    board.closed = closed
    board.begin(figure_of(lambda *_: growing(closed=closed)), {}, Pictures())
    board.moment, board.looked_at = next(board.making), (0, 0)
    board.views.shows(board.moment, busy=True)
    return board


def held_by(board: Board) -> list:
    """Everything that the figure at hand is."""
    return [board.making, board.figure, board.settings, board.pictures, board.moment, board.views, board.looked_at]


@pytest.mark.parametrize(
    ("name", "given", "wrong", "message"),
    [
        ("content", {}, {"content": None, "more_contents": None}, "no content picture"),
        ("content", {"backbone": "vgg16", "layers": "conv3_4"}, {}, "conv3_4"),
        ("content", {"size": 20}, {}, "both sides"),
        ("compose", {"scale": 1.0, "x": 0.1}, {}, "the cut-out"),
        ("compose", {}, {"cutout": None}, "no cut-out"),
    ],
)
def test_a_figure_that_is_refused_leaves_the_one_at_hand_alone(board, pictures, name, given, wrong, message):
    before = held_by(board)
    with pytest.raises(NSTError, match=message):
        board.begin(FIGURES[name], FIGURES[name].settings(given), pictures._replace(**wrong))
    assert all(one is other for one, other in zip(before, held_by(board), strict=True))
    assert board.closed == [] and next(board.making) is BEGUN


def test_another_figure_begins_anew_and_ends_the_last(board, pictures):
    settings, last = FIGURES["content"].settings(QUICK), board.views
    board.begin(FIGURES["content"], settings, pictures)
    assert len(board.closed) == 1
    assert (board.figure, board.settings, board.pictures) == (FIGURES["content"], settings, pictures)
    assert board.moment is None and board.looked_at is None and board.views is not last and not board.views.made
    assert next(board.making).parts
    board.drop()


def test_a_figure_is_given_its_pictures_settings_and_device(pictures, monkeypatch):
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setenv("NST_PRECISION", "fp32")
    given = []
    Board().begin(figure_of(lambda *all_of_it: given.append(all_of_it) or growing()), {"steps": 3}, pictures)
    ((material, settings, compute),) = given
    assert len(material.contents) == 1 and material.styles == ()
    assert settings == {"steps": 3} and (compute.device, compute.precision) == ("cpu", "fp32")


# What it holds


def test_dropping_frees_what_the_figure_is_made_with_and_keeps_what_was_made(monkeypatch):
    forgotten = []
    monkeypatch.setattr(module, "forget_classifier", lambda: forgotten.append(1))
    board, held = Board(), Held()
    making, closed = growing(held, closed := []), closed
    board.making, board.moment = making, next(making)
    ends = weakref.ref(held), weakref.ref(making)
    del held, making
    gc.collect()
    assert all(end() is not None for end in ends)
    on_device(board.drop)
    gc.collect()
    assert all(end() is None for end in ends) and len(closed) == len(forgotten) == 1
    assert board.making is None and board.moment is BEGUN
    on_device(board.drop)  # once more does no harm
    assert len(closed) == 1


def test_a_dropped_figure_is_over_even_for_who_still_holds_it():
    board = Board()
    board.making = making = growing(closed=(closed := []))
    next(making)
    on_device(board.drop)
    assert closed == [on_device(threading.current_thread).name] and next(making, None) is None


@pytest.fixture
def objectives(monkeypatch) -> weakref.WeakSet:
    """Those that are made, as long as there is any use for them."""
    found, begin = weakref.WeakSet(), StyleTransferObjective.__init__

    def noted(made, *given, **named) -> None:
        found.add(made)
        begin(made, *given, **named)

    monkeypatch.setattr(StyleTransferObjective, "__init__", noted)
    return found


@pytest.mark.parametrize("name", ["content", "style", "gram", "formula", "compose"])
def test_dropping_a_figure_that_is_painted_frees_its_painting(narrow_weights, pictures, objectives, name):
    board, figure = Board(), FIGURES[name]
    quick = {key: value for key, value in QUICK.items() if key in {option.name for option in figure.options}}
    quick.pop("start", None)
    board.begin(figure, figure.settings(quick), pictures)
    while not objectives:
        board.moment = on_device(next, board.making)
    on_device(board.drop)
    gc.collect()
    assert not objectives and board.moment.parts and board.making is None


def test_a_part_is_found_by_its_place(board):
    assert board.part((0, 0)) is BEGUN.parts[0]
    assert board.part((0, 1)) is board.part(None) is Board().part((9, 9)) is None
    assert Board().parts == ()


# Pages


def test_every_page_begins_with_a_board_of_its_own(board):
    board.job.steering.stop.set()
    other = copy.deepcopy(board)
    assert held_by(other)[:1] + held_by(other)[4:5] == [None, None] and other.figure is None and other.settings == {}
    assert other.looked_at is None and other.views is not board.views and other.pictures == Pictures()
    assert other.job is not board.job and not other.job.steering.stop.is_set()
    assert board.closed == [] and next(board.making) is BEGUN


def test_a_closed_page_ends_and_frees_its_own_figure_only():
    boards, closed = {name: Board() for name in ("mine", "other")}, {name: [] for name in ("mine", "other")}
    for name, each in boards.items():
        each.making = growing(closed=closed[name])
        next(each.making)
    Board.open.update(boards)
    for name in ("mine", "nobody"):
        Board.leave_page(SimpleNamespace(session_hash=name))
    device = on_device(threading.current_thread).name  # and all before it is over
    mine, other = boards["mine"], boards["other"]
    assert mine.left and mine.job.steering.stop.is_set() and mine.making is None and closed["mine"] == [device]
    assert not other.left and not other.job.steering.stop.is_set() and other.making and closed["other"] == []


def test_a_figure_that_is_being_made_is_left_to_its_handler(board):
    Board.open["mine"], board.job.busy = board, True
    Board.leave_page(SimpleNamespace(session_hash="mine"))
    on_device(int)
    assert board.left and board.job.steering.stop.is_set() and board.making and board.closed == []


def test_a_page_that_is_closed_as_the_server_ends_says_nothing(board, monkeypatch):
    over = ThreadPoolExecutor(1)
    over.shutdown()
    monkeypatch.setattr(module, "DEVICES", over)
    Board.open["mine"] = board
    Board.leave_page(SimpleNamespace(session_hash="mine"))
    assert board.job.steering.stop.is_set()


def test_a_page_that_is_gone_is_not_kept():
    Board.open["mine"] = board = Board()
    del board
    gc.collect()
    assert "mine" not in Board.open


def test_too_many_pictures_are_counted_before_they_are_read(files, monkeypatch):
    monkeypatch.setattr(module.images, "load", lambda path: pytest.fail("read"))
    many = [str(files["b"])] * 7
    with pytest.raises(ImageError, match="there are 8 contents; choose at most 6"):
        Pictures(content=files["b"], style=files["c"], more_contents=many).read(("contents", "styles"))
