"""A picture painted in one pass, and handed to the studio, without a browser."""

import json
import re
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import gradio as gr
import pytest
import torch
from gradio.blocks import Block
from PIL import Image

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.errors import ConfigError, DeviceError
from nst_core.instant.nearby import Nearby
from nst_core.instant.painted_picture import TEXT_KEY
from nst_core.pictures import notes
from nst_core.transfer.presets import PLAIN_PRESET
from nst_core.transfer.steering import Steering
from nst_core.ui.instant.picture import (
    POLISH,
    POLISH_STEPS,
    POLISH_WITH_OWN,
    on_device,
    paint_picture,
    polish,
    put_away,
)
from nst_core.ui.instant.tab import take, take_style
from nst_core.ui.page.toasts import remark
from nst_core.ui.studio import instant_session
from nst_core.ui.studio.controls_and_config import config_of
from nst_core.ui.studio.instant_session import NO_BLEND, Brush, InstantSession, Mix
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.uploads import shown_instead
from nst_core.ui.widgets.pictures import data_uri
from tests.instant.test_painter import network_of
from tests.machines import Room
from tests.ui.shown import untitled
from tests.ui.studio.test_instant_session import bundle

SKIP = gr.skip()


@pytest.fixture(autouse=True)
def toasts(monkeypatch, tmp_path):
    """What the page would show as toasts; gradio's files go to a folder of this test's."""
    shown = []
    for kind in ("Warning", "Info"):
        monkeypatch.setattr(gr, kind, lambda text, **_: shown.append(untitled(text)))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    return shown


@pytest.fixture(autouse=True)
def painter(monkeypatch):
    return bundle(monkeypatch, network_of("koi_mosaic", "waves"), network_of("rain", seed=1))


@pytest.fixture
def session() -> InstantSession:
    return InstantSession()


@pytest.fixture
def photo(pictures, tmp_path):
    """A file of 64×48 pixels."""
    images.save_png(pictures[0], tmp_path / "photo.png")
    return tmp_path / "photo.png"


def props(update) -> dict:
    """What an update of a component sets."""
    return update._constructor_args[0] if isinstance(update, Block) else {}


def views_of(*given) -> list[dict]:
    """What `paint_picture` shows after it has said that it is at work."""
    busy, *views = paint_picture(*given)
    assert 'class="status busy"' in busy["status"] and busy.keys() == {"status"}
    return views


def test_a_picture_is_shown_first_and_then_there_is_its_file(session, painter, photo):
    session.choose(2)
    first, second = views_of(session, photo, 48)
    assert "Waves: 48×36 pixels" in first["status"]
    buttons = ("download", "jpeg", "polish")
    assert not any(props(first[name])["interactive"] for name in buttons)  # they would still be another picture's
    assert props(first["result"])["visible"] is True and props(first["after"])["visible"] is True
    shown = props(first["result"])["value"]
    assert (shown["width"], shown["height"]) == (48, 36) and shown["before"] != shown["after"]
    assert all(props(second[name])["interactive"] for name in buttons)
    assert second.keys() == {"status", *buttons} and props(second["download"])["value"] == session.result
    painted = painter.paint(images.fit(images.load(photo), 48), {"waves": 1.0})
    assert (images.load(session.result) - painted).abs().max() < 1 / 255
    assert session.source == photo


def test_a_picture_in_the_style_of_another_is_shown_at_once_and_then_refined(session, photo, pictures, tmp_path):
    images.save_png(pictures[1], tmp_path / "oil.png")
    session.add_picture(tmp_path / "oil.png")
    first, refined, last = views_of(session, photo, 48)
    assert "Oil: 48×36 pixels in" in first["status"] and "refined" not in first["status"]
    assert refined.keys() == {"result"}
    assert re.search(r"Oil: 48×36 pixels in [\d.]+ s, refined in [\d.]+ s more", last["status"])
    quick, shown = (props(view["result"])["value"] for view in (first, refined))
    assert quick["before"] == shown["before"] and quick["after"] != shown["after"]
    assert last.keys() == {"status", "download", "jpeg", "polish"}


def test_it_is_said_that_a_picture_is_painted_until_it_is_or_cannot_be(session, photo, tmp_path, pictures):
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear reader")
    images.save_png(pictures[1], tmp_path / "oil.png")
    whiles = []  # what is said of each, as long as it is at work, and at last
    for source, size, second in zip(
        (photo, photo, letter, photo), (48, 7, 48, 48), (*[NO_BLEND] * 3, "rain"), strict=True
    ):
        session.mix = Mix(second=second)
        whiles.append([view["status"] for view in paint_picture(session, source, size) if "status" in view])
    session.mix = Mix()
    whiles.append([view["status"] for view in take_style(session, "", {"picture": tmp_path / "oil.png"})])
    whiles.append([view["status"] for view in take_style(session, "", {"picture": letter})])
    for said in whiles:
        assert ['class="status busy"' in one for one in said] == [True] * (len(said) - 1) + [False]
        assert len(said) > 1 and "value=" not in said[0]  # of a bar that cannot know how far it is
    assert "Painting in one pass: koi mosaic …" in whiles[0][0]


def test_of_a_file_that_is_cut_short_what_there_is_takes_its_place_and_that_is_said_once(session, tmp_path, toasts):
    whole, cut = tmp_path / "whole.webp", tmp_path / "cut.webp"
    Image.effect_noise((96, 64), 60).convert("RGB").save(whole)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    with notes.told_to(remark):
        assert not any("instead" in view for view in paint_picture(session, whole, 48)) and toasts == []
        (instead,) = [view["instead"] for view in paint_picture(session, cut, 48) if "instead" in view]
        assert len(toasts) == 1 and "cut.webp is cut short" in toasts[0]
        assert session.source == instead.file and images.size_of(images.load(instead.file)) == (64, 96)
        assert list(paint_picture(session, instead.file, 48)) == []  # as it is what is shown
        (instead,) = [view["instead"] for view in take_style(session, "", {"picture": cut}) if "instead" in view]
        assert session.pictures["cut"] == instead.file and instead.file.suffix == ".png"
    assert len(toasts) == 2 and toasts[0] == toasts[1]


def test_a_worker_near_by_paints_the_same_and_where_it_is_lost_this_computer(
    session, photo, pictures, tmp_path, monkeypatch
):
    monkeypatch.setenv("NST_PRECISION", "fp32")  # as the painter here has
    images.save_png(pictures[1], tmp_path / "oil.png")
    session.add_picture(tmp_path / "oil.png")
    painted = []
    for room in (None, Room(), Room(fails=lambda number, method: number > 2)):
        worker = Nearby(room) if room else None
        assert not worker or worker.found(60)
        monkeypatch.setattr(instant_session, "nearby", lambda worker=worker: worker)
        session.painted = None
        painted.append(views_of(session, photo, 48)[1]["result"])
        assert not room or len(room.calls) > 2
    assert props(painted[0]) == props(painted[1]) == props(painted[2])


def test_a_picture_that_a_worker_paints_is_stopped_here(session, photo, monkeypatch):
    class Slow:
        def picture(self, *given):
            steering.stop.set()
            return Future()

    monkeypatch.setattr(instant_session, "nearby", Slow)
    steering, image = Steering(), images.load(photo)
    with pytest.raises(ConfigError, match="stopped before the picture was painted"):
        on_device(session.brush(), steering)(image)


def test_the_file_says_how_it_was_painted(session, photo):
    session.mix = Mix(strength=0.5, second="waves", share=0.25, color="content")
    list(paint_picture(session, photo, 48))
    for path in (session.result, session.result.with_suffix(".jpg")):
        assert path.stem.endswith("_koi-mosaic_waves")
        assert json.loads(images.read_text(path)[TEXT_KEY]) == {
            "styles": {"koi_mosaic": 0.75, "waves": 0.25},
            "strength": 0.5,
            "color": "content",
        }


def test_without_a_size_a_picture_keeps_its_own(session, photo):
    list(paint_picture(session, photo, None))
    assert images.size_of(images.load(session.result)) == (48, 64)


def test_a_picture_grows_to_the_size_that_is_set(session, photo):
    list(paint_picture(session, photo, 96))
    assert images.size_of(images.load(session.result)) == (72, 96)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (0, "the size is 0; give a whole number from 16 to 10000, or none"),
        (15, "the size is 15;"),
        (-64, "the size is -64;"),
        (48.5, "the size is 48.5;"),
        (10_001, "the size is 10001;"),
        (float("nan"), "the size is nan;"),
        (float("inf"), "the size is inf;"),
        (17, "makes this 64×48 picture 17×13 pixels; both sides must be at least 16"),
    ],
)
def test_a_size_that_is_none_is_named_and_nothing_is_lost(session, photo, toasts, size, message):
    list(paint_picture(session, photo, 48))
    result = session.result
    (view,) = views_of(session, photo, size)
    assert message in toasts[0] and message in view["status"] and 'class="status problem"' in view["status"]
    assert view.keys() == {"status"}
    assert session.result == result and result.exists() and session.source == photo


def test_a_file_that_is_no_picture_is_named_and_nothing_is_lost(session, photo, toasts, tmp_path):
    list(paint_picture(session, photo, 48))
    result, letter = session.result, tmp_path / "letter.jpg"
    letter.write_text("Dear reader")
    for path in (letter, tmp_path / "gone.png"):
        (view,) = views_of(session, path, 48)
        assert path.name in toasts[-1] and path.name in view["status"] and 'class="status problem"' in view["status"]
        assert view.keys() == {"status", "instead"} and session.result == result and session.source == photo
        assert shown_instead(view["instead"], path) is None  # its place is empty again
    assert len(toasts) == 2
    (_, view) = take_style(session, "", {"picture": letter})
    assert shown_instead(view["instead"], letter) is None and len(toasts) == 3
    assert polish(session, Session())["content"] == str(photo)


def test_a_picture_that_is_too_narrow_for_a_size_alone_keeps_its_place(session, toasts, tmp_path):
    images.save_png(torch.rand(1, 3, 20, 200), tmp_path / "narrow.png")
    (view,) = views_of(session, tmp_path / "narrow.png", 16)
    assert view.keys() == {"status"} and "too narrow" in toasts[0]
    assert list(take_style(session, "", {"picture": None})) == []  # which was put away meanwhile


@pytest.mark.parametrize("error", [DeviceError("no memory is left"), RuntimeError("of the program")])
def test_after_an_error_behind_the_first_view_the_last_painting_is_there_with_its_files(
    session, photo, pictures, tmp_path, toasts, monkeypatch, error
):
    images.save_png(pictures[1], tmp_path / "other.png")
    list(paint_picture(session, photo, 48))
    last = session.result
    with monkeypatch.context() as broken:
        broken.setattr(Brush, "save", Mock(side_effect=error))
        for path in (tmp_path / "other.png", photo):  # a second time, too
            *_, quick, view = views_of(session, path, 40)
            assert not props(quick["download"])["interactive"]
            assert all(props(view[name])["interactive"] for name in ("download", "jpeg", "polish"))
            shown = props(view["result"])["value"]
            assert props(view["download"])["value"] == last and (shown["width"], shown["height"]) == (48, 36)
            assert 'class="status problem"' in view["status"]
        put_away(session)
        *_, view = views_of(session, photo, 40)  # where there was none, nothing is shown
        assert props(view["result"])["visible"] == "hidden" and props(view["after"])["visible"] is False
    assert len(toasts) == 3
    assert "40×30 pixels" in views_of(session, photo, 40)[-1]["status"]


def test_where_the_last_painting_cannot_be_shown_again_there_is_none_and_the_error_is_said(
    session, photo, toasts, monkeypatch
):
    list(paint_picture(session, photo, 48))
    monkeypatch.setattr(Brush, "save", Mock(side_effect=DeviceError("no memory is left")))
    monkeypatch.setattr(images, "cover", Mock(side_effect=RuntimeError("cannot allocate memory")))
    *_, view = views_of(session, photo, 40)
    assert "no memory is left" in view["status"] and props(view["result"])["visible"] == "hidden"


def test_of_a_picture_that_is_put_away_meanwhile_no_problem_is_said(session, photo, toasts, monkeypatch):
    def fails(*given):
        put_away(session)
        raise DeviceError("no memory is left")

    monkeypatch.setattr(Brush, "save", fails)
    assert len(views_of(session, photo, 48)) == 1 and toasts == []


def test_a_blend_that_cannot_be_is_named_and_nothing_is_lost(session, photo, toasts):
    list(paint_picture(session, photo, 48))
    result, session.mix = session.result, Mix(second="rain")
    (view,) = views_of(session, photo, 48)
    assert "styles of different networks" in view["status"] and len(toasts) == 1
    assert view.keys() == {"status"} and session.result == result


def test_without_a_picture_the_page_asks_for_one(session, photo, toasts):
    list(paint_picture(session, photo, 48))
    shown = session.result
    assert list(paint_picture(session, None, 48)) == [] and session.result == shown  # said before there was a picture
    view = put_away(session)
    assert "Choose a picture" in view["status"] and toasts == []
    assert props(view["result"])["visible"] == "hidden" and props(view["after"])["visible"] is False
    assert session.result is None and session.source is None


def test_what_is_shown_already_is_not_painted_again(session, photo):
    list(paint_picture(session, photo, 48))
    assert list(paint_picture(session, photo, 48)) == []
    session.choose(2)
    assert len(views_of(session, photo, 48)) == 2
    assert len(views_of(session, photo, 40)) == 2
    session.mix = Mix(strength=0.5)
    assert len(views_of(session, photo, 40)) == 2
    session.result.unlink()  # files are kept for an hour
    assert len(views_of(session, photo, 40)) == 2


def test_after_a_problem_the_same_as_before_is_said_again(session, photo):
    list(paint_picture(session, photo, 48))
    list(paint_picture(session, photo, 48.5))
    assert "48×36 pixels" in views_of(session, photo, 48)[0]["status"]


def is_copy(path: str, original: Path) -> bool:
    """Whether a file is of gradio's, which it serves wherever the program was started, and has that content."""
    return Path(gr.utils.get_upload_folder()) in Path(path).parents and Path(path).read_bytes() == original.read_bytes()


def test_polishing_hands_pictures_and_settings_to_the_studio(session, photo):
    studio = Session()
    list(paint_picture(session, photo, 48))
    shown = polish(session, studio)
    assert props(shown["tabs"])["selected"] == "stylize" and "press Paint" in shown["status"]
    assert shown["content"] == str(photo)
    assert is_copy(shown["style"], ASSETS / "styles" / "koi_mosaic.jpg")
    assert props(shown["start_image"]) == {"value": str(session.result), "visible": True}
    config = config_of(studio.base, shown)
    assert config == studio.base
    assert (config.size, config.start, config.smallest_scale, config.steps) == (48, "image", 0, POLISH_STEPS)
    assert props(shown["preset"])["value"] == PLAIN_PRESET and shown["about"]


def test_polishing_takes_the_picture_that_a_style_was_learned_from(session, photo, tmp_path):
    learned = tmp_path / "learned.png"
    images.save_png(images.load(photo), learned)
    session.pictures["koi_mosaic"] = learned
    list(paint_picture(session, photo, 48))
    assert is_copy(polish(session, Session())["style"], learned)
    learned.unlink()
    assert is_copy(polish(session, Session())["style"], ASSETS / "styles" / "koi_mosaic.jpg")


def test_the_button_says_before_the_click_whether_a_style_picture_is_wanted(session, photo):
    for chosen, words in (("koi_mosaic", POLISH), ("waves", POLISH_WITH_OWN)):
        session.chosen = chosen
        first, _ = views_of(session, photo, 48)
        assert props(first["polish"])["value"] == words
    shown = polish(session, Session())
    assert shown["style"] == SKIP and "choose a style picture first" in shown["status"]


def test_a_picture_of_ours_stands_in_for_paintings_that_do_not_come_along(monkeypatch, photo):
    bundle(monkeypatch, network_of("the_scream", "waves"))
    session = InstantSession()
    first, _ = views_of(session, photo, 48)
    assert props(first["polish"])["value"] == POLISH
    shown = polish(session, Session())
    assert is_copy(shown["style"], ASSETS / "instant" / "the_scream.jpg") and "stands in" in shown["status"]


def test_without_a_painted_picture_polishing_is_refused(session, photo):
    with pytest.raises(gr.Error, match="there is no painted picture"):
        polish(session, Session())
    list(paint_picture(session, photo, 48))
    session.result.unlink()
    with pytest.raises(gr.Error, match="there is no painted picture"):
        polish(session, Session())


def test_a_frame_of_the_camera_becomes_a_picture_of_the_tab_as_others_see_it(pictures, toasts):
    sent = pictures[0][..., :48]
    sent[..., :24] = 0  # a dark left side
    for mirrored, dark in ((False, slice(0, 20)), (True, slice(28, 48))):
        path = take(SimpleNamespace(_data={"picture": data_uri(sent), "mirrored": mirrored}))
        frame = images.load(path)
        assert images.size_of(frame) == (48, 48) and frame[..., dark].mean() < 0.05 < frame.mean()
    assert toasts == ["The photo is under Picture, painted."] * 2
    for data in ({}, {"picture": data_uri(sent)}, {"picture": None, "mirrored": True}):
        assert take(SimpleNamespace(_data=data)) == SKIP
    assert len(toasts) == 5


def test_what_is_transparent_stays_so_while_the_switch_says_so(session, tmp_path):
    images.save_png(torch.rand(1, 4, 40, 60, generator=torch.Generator().manual_seed(1)), tmp_path / "cut-out.png")
    for keep, channels in ((True, 4), (False, 3)):  # another wish, so painted anew
        assert len(views_of(session, tmp_path / "cut-out.png", 30, keep)) == 2
        assert images.load(session.result, keep_transparency=True).shape[1] == channels
