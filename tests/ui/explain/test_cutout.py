"""A cut-out is put into its place, without a browser."""

import threading
from pathlib import Path

import gradio as gr
import pytest
import torch
from PIL import Image

from nst_core import images
from nst_core.analysis.cutouts.paste import box_of, nearest_spot
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.pictures import notes
from nst_core.ui.explain import cutout as composing
from nst_core.ui.explain import session as board
from nst_core.ui.explain.cutout import (
    CENTRE,
    CUTOUT,
    FIGURE,
    GROUND_SIDE,
    build_composing,
    ground,
    placed,
    put,
    put_first,
    put_when_chosen,
)
from nst_core.ui.page.toasts import remark
from tests.ui.explain.test_session import flat, on_device, painted, saved, transparent
from tests.ui.shown import untitled

SKIP = gr.skip()


@pytest.fixture(autouse=True)
def toasts(monkeypatch) -> list[tuple[str, str]]:
    """What the page would show as toasts, (title, text)."""
    shown = []
    monkeypatch.setattr(gr, "Warning", lambda text, title="", **_: shown.append((title, untitled(text))))
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


def given(content: Path | None, cutout: Path | None, brush=None, **place: float | None) -> dict:
    """What the page shows; in the middle, unless it is said where."""
    return {"content": content, "cutout": cutout, "brush": brush, **CENTRE, **place}


def place_in(shown) -> tuple[float, float, float]:
    return shown["x"], shown["y"], shown["scale"]


def is_toast(toasts: list, message: str, title: str = "Cannot place the cut-out") -> bool:
    ((said, text),) = toasts
    return said == title and message in text


# A new picture or cut-out


@pytest.mark.parametrize(("x", "y", "scale"), [(0.5, 0.5, 0.4), (0.3, 0.6, 0.2), (0.25, 0.75, 0.3)])
def test_a_new_cutout_lies_where_the_numbers_say(photo, cutout, toasts, x, y, scale):
    shown = put_first(given(photo, cutout, x=x, y=y, scale=scale))
    value = shown["placer"]
    assert place_in(shown) == pytest.approx((x, y, scale)) == place_in(value)
    assert value["aspect"] == 1.5 and value["cut_aspect"] == 0.5 and toasts == []


@pytest.mark.parametrize(("x", "y", "scale"), [(0.0, 0.0, 0.4), (1.0, 0.5, 0.4), (0.5, 0.5, 1.0), (0.9, 0.1, 0.6)])
def test_a_new_cutout_that_does_not_fit_lies_as_near_as_it_can(photo, cutout, toasts, x, y, scale):
    shown = put_first(given(photo, cutout, x=x, y=y, scale=scale))
    assert place_in(shown) == nearest_spot((40, 60), (20, 10), x=x, y=y, scale=scale) != (x, y, scale)
    assert place_in(shown["placer"]) == place_in(shown) and toasts == []
    box_of((400, 600), (200, 100), **{name: shown[name] for name in CENTRE})  # raises where it does not fit


def test_numbers_that_are_empty_are_the_middle(photo, cutout):
    assert place_in(put_first(given(photo, cutout, x=None, y=None, scale=None))) == place_in(CENTRE)
    assert place_in(put_first(given(photo, cutout, x=0.3, y=None, scale=0.2))) == (0.3, CENTRE["y"], 0.2)


def test_the_middle_is_the_figures_default():
    defaults = {option.name: option.default for option in FIGURES["compose"].options}
    assert {name: defaults[name] for name in CENTRE} == CENTRE


def test_what_a_brush_painted_over_is_placed(photo, opaque, toasts):
    value = put_first(given(photo, opaque, painted((5, 5, 17, 11))))["placer"]
    assert value["cut_aspect"] == 2 and toasts == []


@pytest.mark.parametrize("missing", ["photo", "cutout", "both"])
def test_before_both_pictures_are_there_nothing_changes(photo, cutout, toasts, missing):
    content = None if missing in ("photo", "both") else photo
    piece = None if missing in ("cutout", "both") else cutout
    assert put_first(given(content, piece)) == {}
    assert put(given(content, piece)) == SKIP and toasts == []


@pytest.mark.parametrize("handler", [put_first, put])
def test_a_picture_that_cannot_be_used_is_named_and_nothing_changes(photo, cutout, opaque, toasts, handler):
    nothing = {} if handler is put_first else SKIP
    assert handler(given(photo, opaque)) == nothing
    assert is_toast(toasts, "opaque.png has no transparent parts; paint over what to cut out")
    toasts.clear()
    cutout.write_text("Dear reader")
    assert handler(given(photo, cutout)) == nothing and is_toast(toasts, "cutout.png cannot be read")
    toasts.clear()
    photo.unlink()
    assert handler(given(photo, opaque)) == nothing and is_toast(toasts, "photo.png does not exist")


def test_what_its_upload_tells_is_told_by_that_alone_and_nothing_where_another_figure_is_chosen(
    photo, opaque, toasts, tmp_path
):
    shown = given(photo, opaque) | {"figure": FIGURE}
    assert put_when_chosen(shown | {"figure": "grid"}) == {} and toasts == []
    assert put_when_chosen(shown) == {} and is_toast(toasts, "opaque.png has no transparent parts")
    toasts.clear()
    (tmp_path / "letter.jpg").write_text("Dear reader")
    Image.effect_noise((96, 64), 60).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:2000])
    with notes.told_to(remark):
        for name in ("letter.jpg", "cut.jpg"):
            put_when_chosen(shown | {"cutout": tmp_path / name})
            put_when_chosen(shown | {"content": tmp_path / name})
    assert toasts == []


def test_a_cutout_of_nothing_is_named(photo, tmp_path, toasts):
    empty = saved(tmp_path, "empty", torch.zeros(1, 4, 20, 20))
    assert put_first(given(photo, empty)) == {} and is_toast(toasts, "the cut-out is empty")


@pytest.mark.parametrize("handler", [put_first, put])
def test_large_files_are_not_read_on_the_devices_thread_and_what_computes_is_there(photo, cutout, monkeypatch, handler):
    threads = {"read": set(), "computed": set()}

    def noted(place, name, kind):
        plain = getattr(place, name)
        monkeypatch.setattr(
            place,
            name,
            lambda *given, **named: (threads[kind].add(threading.current_thread().name), plain(*given, **named))[1],
        )

    noted(images, "load", "read")
    noted(images, "load_transparent", "read")
    noted(board, "visible_part", "computed")
    noted(composing, "placement", "computed")
    handler(given(photo, cutout))
    assert threads["computed"] == {on_device(threading.current_thread).name}
    assert threads["read"] == {threading.current_thread().name}


# Numbers and hands


def test_numbers_that_are_typed_put_it_there_even_where_it_does_not_fit(photo, cutout, toasts):
    value = put(given(photo, cutout, x=0.05, y=0.9, scale=0.8))
    assert (value["x"], value["y"], value["scale"]) == (0.05, 0.9, 0.8) and toasts == []


@pytest.mark.parametrize("empty", CENTRE)
def test_while_a_number_is_empty_it_stays_where_it_is(photo, cutout, toasts, empty):
    assert put(given(photo, cutout, **{empty: None})) == SKIP and toasts == []


def test_where_it_is_put_by_hand_the_numbers_say():
    assert placed({"y": 0.2, "scale": 0.3, "x": 0.1}) == {"x": 0.1, "y": 0.2, "scale": 0.3}
    assert placed(None) == {}  # as no page says


# Cutting out


def test_the_brush_is_given_the_picture_small_enough_to_paint_on(tmp_path, toasts):
    picture = ground(saved(tmp_path, "large", flat(0.5, 300, 1200)))
    assert picture.size == (GROUND_SIDE, GROUND_SIDE // 4) and toasts == []


def test_what_was_painted_on_the_ground_is_cut_out_of_the_whole_picture(tmp_path, photo):
    large = saved(tmp_path, "large", flat(0.5, 300, 1200))
    width, height = ground(large).size
    value = put_first(given(photo, large, painted((0, 0, width // 2, height), size=(width, height))))["placer"]
    assert value["cut_aspect"] == pytest.approx(600 / 300, rel=0.02)


@pytest.mark.parametrize(
    ("text", "message"), [(None, "there is no picture to cut from; drop one"), ("Dear", "cannot be")]
)
def test_without_a_picture_there_is_nothing_to_paint_over(cutout, toasts, text, message):
    if text:
        cutout.write_text(text)
    assert ground(cutout if text else None) == SKIP and is_toast(toasts, message, "Nothing to paint over")


def test_the_area_is_hidden_until_a_figure_wants_a_cutout_and_one_is_chosen_then():
    with gr.Blocks():
        composing = build_composing()
    assert composing.area.visible is False and composing.placer.value is None
    assert Path(composing.cutout.value["path"]).name == CUTOUT.name


def test_the_cut_out_that_is_there_is_put_into_its_place_when_its_figure_is_chosen(photo, cutout):
    shown = given(photo, cutout)
    assert put_when_chosen(shown | {"figure": "grid"}) == {}
    assert place_in(put_when_chosen(shown | {"figure": "compose"})) == place_in(put_first(shown))
