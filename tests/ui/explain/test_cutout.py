"""A cut-out is put into its place, without a browser."""

import threading
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
import torch

from nst_core import images
from nst_core.analysis.cutouts.paste import box_of, nearest_spot
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.ui.explain import cutout as composing
from nst_core.ui.explain import session as board
from nst_core.ui.explain.cutout import CENTRE, GROUND_SIDE, PLACE, build_composing, ground, placed, put, put_first
from tests.ui.explain.test_session import flat, on_device, painted, saved, transparent

SKIP = gr.skip()
NOTHING = [SKIP] * (1 + len(PLACE))


@pytest.fixture(autouse=True)
def toasts(monkeypatch) -> list[tuple[str, str]]:
    """What the page would show as toasts, (title, text)."""
    shown = []
    monkeypatch.setattr(gr, "Warning", lambda text, title="", **_: shown.append((title, text)))
    return shown


@pytest.fixture
def photo(tmp_path) -> Path:
    """60×40 pixels."""
    return saved(tmp_path, "photo", flat(0.2, 40, 60))


@pytest.fixture
def cutout(tmp_path) -> Path:
    """Of which 10×20 pixels can be seen."""
    return saved(tmp_path, "cutout", transparent())


@pytest.fixture
def opaque(tmp_path) -> Path:
    """30×20 pixels."""
    return saved(tmp_path, "opaque", flat(0.7))


def is_toast(toasts: list, message: str, title: str = "Cannot place the cut-out") -> bool:
    ((said, text),) = toasts
    return said == title and message in text


# A new picture or cut-out


@pytest.mark.parametrize("place", [(0.5, 0.5, 0.4), (0.3, 0.6, 0.2), (0.25, 0.75, 0.3)])
def test_a_new_cutout_lies_where_the_numbers_say(photo, cutout, toasts, place):
    value, *numbers = put_first(photo, cutout, None, *place)
    assert tuple(numbers) == pytest.approx(place) == (value["x"], value["y"], value["scale"])
    assert value["aspect"] == 1.5 and value["cut_aspect"] == 0.5 and toasts == []


@pytest.mark.parametrize("place", [(0.0, 0.0, 0.4), (1.0, 0.5, 0.4), (0.5, 0.5, 1.0), (0.9, 0.1, 0.6)])
def test_a_new_cutout_that_does_not_fit_lies_as_near_as_it_can(photo, cutout, toasts, place):
    value, *numbers = put_first(photo, cutout, None, *place)
    x, y, scale = place
    assert tuple(numbers) == nearest_spot((40, 60), (20, 10), x=x, y=y, scale=scale) != place
    assert (value["x"], value["y"], value["scale"]) == tuple(numbers) and toasts == []
    box_of((400, 600), (200, 100), **dict(zip(PLACE, numbers, strict=True)))  # raises where it does not fit


def test_numbers_that_are_empty_are_the_middle(photo, cutout):
    assert put_first(photo, cutout, None, None, None, None)[1:] == list(CENTRE)
    assert put_first(photo, cutout, None, 0.3, None, 0.2)[1:] == [0.3, CENTRE[1], 0.2]


def test_the_middle_is_the_figures_default():
    defaults = {option.name: option.default for option in FIGURES["compose"].options}
    assert tuple(defaults[name] for name in PLACE) == CENTRE


def test_what_a_brush_painted_over_is_placed(photo, opaque, toasts):
    value, *_ = put_first(photo, opaque, painted((5, 5, 17, 11)), *CENTRE)
    assert value["cut_aspect"] == 2 and toasts == []


@pytest.mark.parametrize("missing", ["photo", "cutout", "both"])
def test_before_both_pictures_are_there_nothing_changes(photo, cutout, toasts, missing):
    content = None if missing in ("photo", "both") else photo
    piece = None if missing in ("cutout", "both") else cutout
    assert put_first(content, piece, None, *CENTRE) == NOTHING
    assert put(content, piece, None, *CENTRE) == SKIP and toasts == []


@pytest.mark.parametrize("handler", [put_first, put])
def test_a_picture_that_cannot_be_used_is_named_and_nothing_changes(photo, cutout, opaque, toasts, handler):
    nothing = NOTHING if handler is put_first else SKIP
    assert handler(photo, opaque, None, *CENTRE) == nothing
    assert is_toast(toasts, "opaque.png has no transparent parts; paint over what to cut out")
    toasts.clear()
    cutout.write_text("Dear reader")
    assert handler(photo, cutout, None, *CENTRE) == nothing and is_toast(toasts, "cutout.png cannot be read")
    toasts.clear()
    photo.unlink()
    assert handler(photo, opaque, None, *CENTRE) == nothing and is_toast(toasts, "photo.png does not exist")


def test_a_cutout_of_nothing_is_named(photo, tmp_path, toasts):
    empty = saved(tmp_path, "empty", torch.zeros(1, 4, 20, 20))
    assert put_first(photo, empty, None, *CENTRE) == NOTHING and is_toast(toasts, "the cut-out is empty")


@pytest.mark.parametrize("handler", [put_first, put])
def test_large_files_are_not_read_on_the_devices_thread_and_what_computes_is_there(photo, cutout, monkeypatch, handler):
    threads = {"read": set(), "computed": set()}

    def noted(place, name, kind):
        plain = getattr(place, name)
        monkeypatch.setattr(
            place, name, lambda *given: (threads[kind].add(threading.current_thread().name), plain(*given))[1]
        )

    noted(images, "load", "read")
    noted(images, "load_transparent", "read")
    noted(board, "visible_part", "computed")
    noted(composing, "placement", "computed")
    handler(photo, cutout, None, *CENTRE)
    assert threads["computed"] == {on_device(threading.current_thread).name}
    assert threads["read"] == {threading.current_thread().name}


# Numbers and hands


def test_numbers_that_are_typed_put_it_there_even_where_it_does_not_fit(photo, cutout, toasts):
    value = put(photo, cutout, None, 0.05, 0.9, 0.8)
    assert (value["x"], value["y"], value["scale"]) == (0.05, 0.9, 0.8) and toasts == []


@pytest.mark.parametrize("empty", range(len(PLACE)))
def test_while_a_number_is_empty_it_stays_where_it_is(photo, cutout, toasts, empty):
    place = [None if number == empty else value for number, value in enumerate(CENTRE)]
    assert put(photo, cutout, None, *place) == SKIP and toasts == []


def test_where_it_is_put_by_hand_the_numbers_say():
    assert placed(SimpleNamespace(y=0.2, scale=0.3, x=0.1)) == (0.1, 0.2, 0.3)
    assert PLACE == ("x", "y", "scale")


# Cutting out


def test_the_brush_is_given_the_picture_small_enough_to_paint_on(tmp_path, toasts):
    picture = ground(saved(tmp_path, "large", flat(0.5, 300, 1200)))
    assert picture.size == (GROUND_SIDE, GROUND_SIDE // 4) and toasts == []


def test_what_was_painted_on_the_ground_is_cut_out_of_the_whole_picture(tmp_path, photo):
    large = saved(tmp_path, "large", flat(0.5, 300, 1200))
    width, height = ground(large).size
    value, *_ = put_first(photo, large, painted((0, 0, width // 2, height), size=(width, height)), *CENTRE)
    assert value["cut_aspect"] == pytest.approx(600 / 300, rel=0.02)


@pytest.mark.parametrize(
    ("text", "message"), [(None, "there is no picture to cut from; drop one"), ("Dear", "cannot be")]
)
def test_without_a_picture_there_is_nothing_to_paint_over(cutout, toasts, text, message):
    if text:
        cutout.write_text(text)
    assert ground(cutout if text else None) == SKIP and is_toast(toasts, message, "Nothing to paint over")


def test_the_area_is_hidden_until_a_figure_wants_a_cutout():
    with gr.Blocks():
        composing = build_composing()
    assert composing.area.visible is False and composing.placer.value is None and composing.cutout.value is None
