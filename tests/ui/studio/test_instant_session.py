"""One page's styles: what is chosen, who paints it, and that pages do not share them."""

import copy
from types import SimpleNamespace

import gradio as gr
import pytest
import torch

from nst_core import images
from nst_core.engine.devices import DEVICES
from nst_core.errors import ConfigError, ImageError
from nst_core.instant import any_style
from nst_core.instant import catalogue as catalogue_module
from nst_core.instant.catalogue import Catalogue
from nst_core.instant.easel import Turn
from nst_core.instant.network import TransformationNetwork
from nst_core.instant.painter import Painter
from nst_core.instant.styles import StyleFile
from nst_core.transfer.color import with_colors_of
from nst_core.ui.instant.tab import enter_page, pick, remix, repaint
from nst_core.ui.studio import instant_session as module
from nst_core.ui.studio.camera import ByWorker, Live
from nst_core.ui.studio.instant_session import NO_BLEND, InstantSession, Mix
from tests.instant.test_painter import CPU, network_of
from tests.ui.shown import untitled, update_of


def bundle(monkeypatch, *networks: TransformationNetwork) -> Painter:
    """Let networks be those that come along, and thumbnails small; who paints with the networks, for comparison."""
    catalogue = Catalogue()
    for network in networks:
        thumbnails = {name: b"\xff\xd8\xffsmall" for name in network.styles[:-1]}
        catalogue.add(StyleFile(network, thumbnails), "part of this program")
    painter = catalogue.painter(CPU)
    monkeypatch.setattr(module, "bundled", lambda: catalogue)
    monkeypatch.setattr(module, "_bundled_painter", lambda: painter)
    monkeypatch.setattr(module, "choose_compute", lambda: CPU)
    monkeypatch.setattr(any_style, "PAINTED_SIDE", 64)
    return painter


@pytest.fixture(autouse=True)
def painter(monkeypatch) -> Painter:
    return bundle(monkeypatch, network_of("night_sky", "waves"), network_of("rain", seed=1))


@pytest.fixture
def session() -> InstantSession:
    return InstantSession()


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(4))


def brushed(session: InstantSession, image: torch.Tensor) -> torch.Tensor:
    return DEVICES.submit(session.brush(), image).result()


def test_a_brush_asks_whoever_is_near_by_for_a_frame(session, image, monkeypatch):
    monkeypatch.setenv("NST_PRECISION", "fp32")  # as the painter here has
    asked = []
    near = SimpleNamespace(frame=lambda *given: asked.append(given))
    for worker in (None, near):
        monkeypatch.setattr(module, "nearby", lambda worker=worker: worker)
        brush = session.brush()
        assert isinstance(brush, ByWorker) and brush.asked(image, Turn("a", 1)) is None
    [(recipe, *rest)] = asked
    assert rest == [image, Turn("a", 1)] and torch.equal(
        DEVICES.submit(lambda: recipe()(image)).result(), brushed(session, image)
    )


@pytest.mark.parametrize(
    ("mix", "weights", "strength"),
    [
        (Mix(), {"waves": 1.0}, 1.0),
        (Mix(strength=0.3), {"waves": 1.0}, 0.3),
        (Mix(second="night_sky", share=0.25), {"waves": 0.75, "night_sky": 0.25}, 1.0),
        (Mix(strength=0.5, second="night_sky", share=1.0), {"night_sky": 1.0}, 0.5),
        (Mix(second="waves", share=0.25), {"waves": 1.0}, 1.0),
        (Mix(second="rain", share=0.0), {"waves": 1.0}, 1.0),
    ],
)
def test_a_brush_paints_as_style_strength_and_blend_are_set(session, painter, image, mix, weights, strength):
    session.choose(2)
    session.mix = mix
    torch.testing.assert_close(brushed(session, image), painter.paint(image, weights, strength=strength))


def test_a_brush_can_keep_the_pictures_own_colours(session, painter, image):
    session.mix = Mix(color="content")
    painted = painter.paint(image, {"night_sky": 1.0})
    torch.testing.assert_close(brushed(session, image), with_colors_of(painted, image))


def test_a_brush_goes_on_as_it_was_when_it_was_made(session, painter, image):
    brush = session.brush()
    session.choose(2)
    session.mix = Mix(strength=0.0)
    torch.testing.assert_close(brush(image), painter.paint(image, {"night_sky": 1.0}))


def test_styles_of_different_networks_cannot_be_blended_and_the_camera_keeps_its_paint(session):
    session.point_camera()
    before = session.live.paint
    remix(session, Mix(strength=1.0, second="rain")._asdict())
    assert before is not None and session.live.paint is before
    with pytest.raises(ConfigError, match="night_sky and rain are styles of different networks; blend those of one"):
        session.brush()
    remix(session, Mix(strength=0.5, second="waves")._asdict())
    assert session.live.paint is not before


def test_a_blend_that_cannot_be_painted_is_said_once(session, monkeypatch):
    said = []
    monkeypatch.setattr(gr, "Warning", lambda text, **_: said.append(untitled(text)))
    pick(session, SimpleNamespace(number=1, at=1.0))
    shown = {"picture": None, "size": None, "keep_transparency": True}
    views = list(repaint(session, "", shown | Mix(second="rain")._asdict()))
    assert len(said) == 1 and said[0] in views[-1]["status"]


def test_styles_of_a_file_are_those_of_one_page_only(session, image):
    other = copy.deepcopy(session)
    assert session.add(StyleFile(network_of("snow", "fog", seed=2)), "mine.safetensors") == ["snow", "fog"]
    assert session.names == ["night_sky", "waves", "rain", "snow", "fog"] and session.chosen == "snow"
    assert other.names == InstantSession().names == ["night_sky", "waves", "rain"] and other.chosen == "night_sky"
    own = Painter([network_of("snow", "fog", seed=2)], CPU)
    torch.testing.assert_close(brushed(session, image), own.paint(image, {"snow": 1.0}))
    session.choose(1)
    torch.testing.assert_close(brushed(session, image), brushed(other, image))
    session.add(StyleFile(network_of("mist", seed=3)), "more.safetensors")
    own = Painter([network_of("mist", seed=3)], CPU)
    torch.testing.assert_close(brushed(session, image), own.paint(image, {"mist": 1.0}))


@pytest.fixture
def paintings(tmp_path):
    made = [tmp_path / f"{name}.png" for name in ("oil", "waves", "oil 2")]
    for path in made:
        images.save_png(torch.rand(1, 3, 32, 32), path)
    return made


def test_a_picture_is_a_style_of_its_page_at_once_the_newest_first(session, image, paintings):
    trained = list(session.names)
    assert [session.add_picture(path) for path in paintings] == ["oil", "waves-2", "oil_2"]
    assert session.names == ["oil_2", "waves-2", "oil", *trained] and session.chosen == "oil_2"
    assert session.strip_value()["chosen"] == 1 and session.pictures["waves-2"] == paintings[1]
    assert all(style.thumbnail.startswith(b"\xff\xd8\xff") for style in session.own.values())
    painted = [brushed(session, image)]
    session.choose(3)
    painted.append(brushed(session, image))
    assert (painted[0] - painted[1]).abs().max() > 0.02
    session.mix = Mix(second="oil_2", share=0.5)
    brushed(session, image)
    session.mix = Mix(second="rain")
    with pytest.raises(ConfigError, match="'oil' is a picture and 'rain' was trained, which cannot be blended"):
        session.brush()
    assert InstantSession().names == trained


def test_a_style_of_the_other_kind_is_blended_no_more(session, paintings):
    session.mix = Mix(second="rain")
    session.add_picture(paintings[0])
    assert session.still_second() == NO_BLEND
    session.add_picture(paintings[1])
    session.mix = Mix(second="oil")
    assert session.still_second() == "oil"
    shown = pick(session, SimpleNamespace(number=session.names.index("rain") + 1, at=1.0))
    assert session.chosen == "rain" and update_of(shown["second"])["value"] == NO_BLEND
    assert session.mix.second == NO_BLEND and session.live.paint is not None
    with pytest.raises(ConfigError, match="there is a style 'oil' already, a picture of yours"):
        session.add(StyleFile(network_of("oil", seed=2)), "mine.safetensors")


def test_the_oldest_pictures_make_room(session, paintings, monkeypatch):
    monkeypatch.setattr(module, "MOST_OWN", 2)
    for path in paintings:
        session.add_picture(path)
    assert list(session.own) == ["waves-2", "oil_2"] and session.chosen == "oil_2"
    with pytest.raises(ImageError):
        session.add_picture(paintings[0].with_suffix(".txt"))
    assert list(session.own) == ["waves-2", "oil_2"] and session.chosen == "oil_2"


def test_a_page_that_is_opened_begins_anew(session):
    session.choose(3)
    session.mix = Mix(strength=0.1)
    other = copy.deepcopy(session)
    assert (other.chosen, other.mix) == ("night_sky", Mix())
    assert other.live.token != session.live.token and other.video is not session.video


def test_a_file_whose_names_are_taken_changes_nothing(session):
    with pytest.raises(ConfigError, match="there is a style 'waves' already"):
        session.add(StyleFile(network_of("snow", "waves", seed=2)), "mine.safetensors")
    assert session.names == ["night_sky", "waves", "rain"] and session.chosen == "night_sky"


def test_without_any_style_the_page_opens_and_says_what_is_missing(monkeypatch):
    bundle(monkeypatch)
    session = InstantSession()
    assert session.names == [] and session.strip_value()["items"] == [] and session.strip_value()["chosen"] == 0
    with pytest.raises(ConfigError, match="came without its file of styles"):
        session.brush()
    shown = enter_page(session, "", SimpleNamespace(session_hash="mine"))
    assert shown["strip"]["empty"] and shown["camera"] == session.live.token and session.live.paint is None
    session.add(StyleFile(network_of("snow")), "mine.safetensors")
    session.brush()


def test_a_missing_file_of_styles_is_no_error_before_somebody_paints(monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setattr(catalogue_module, "BUNDLED", tmp_path)
    assert module.bundled.__wrapped__().styles == {}


@pytest.mark.parametrize("number", [-1, 0, 4, 10**9])
def test_choosing_an_unknown_number_changes_nothing(session, number):
    session.choose(2)
    session.choose(number)
    assert session.chosen == "waves"


def test_the_strip_has_each_style_once_and_marks_the_chosen(session):
    session.add(StyleFile(network_of("snow <b>", seed=2)), "<i>.safetensors")
    for number, name in enumerate(session.names, 1):
        shown = pick(session, SimpleNamespace(number=number, at=float(number)))["strip"]
        assert shown["chosen"] == number and session.chosen == name
        assert [item["number"] for item in shown["items"]] == [1, 2, 3, 4]
        assert [item["caption"] for item in shown["items"]] == ["night sky", "waves", "rain", "snow &lt;b&gt;"]
    assert shown["items"][3]["name"] == "snow &lt;b&gt;, &lt;i&gt;.safetensors"
    assert shown["items"][0]["thumbnail"] == "data:image/jpeg;base64,/9j/c21hbGw="


def test_of_two_picks_the_later_click_is_shown_and_chosen_whichever_is_answered_first(session, monkeypatch):
    assert pick(session, SimpleNamespace(number=2, at=20.0))["strip"]["chosen"] == 2
    assert pick(session, SimpleNamespace(number=1, at=10.0)) == {} and session.chosen == "waves"  # heard late
    later, point = [SimpleNamespace(number=3, at=40.0)], session.point_camera

    def pointed():  # while the other is clicked
        point()
        if later:
            assert pick(session, later.pop())["strip"]["chosen"] == 3

    monkeypatch.setattr(session, "point_camera", pointed)
    assert pick(session, SimpleNamespace(number=1, at=30.0)) == {} and session.chosen == "rain"


def test_the_menu_of_second_styles_has_every_style_and_none(session):
    session.add(StyleFile(network_of("snow", seed=2)), "mine.safetensors")
    assert [name for _, name in session.blends] == [NO_BLEND, *session.names]


def test_what_is_chosen_can_be_said(session):
    assert session.said() == "night sky"
    session.mix = Mix(second="waves", share=0.25)
    assert session.said() == "night sky with 25% waves"
    session.mix = Mix(second="night_sky")
    assert session.said() == "night sky"


def test_a_closed_page_ends_what_goes_on_for_it_and_for_no_other():
    pages = {name: InstantSession() for name in ("mine", "other")}
    for name, session in pages.items():
        enter_page(session, "", SimpleNamespace(session_hash=name))
        assert session.live.paint is not None
    InstantSession.leave_page(SimpleNamespace(session_hash="mine"))
    InstantSession.leave_page(SimpleNamespace(session_hash="nobody"))
    for name, session in pages.items():
        gone = name == "mine"
        ended = session.video.steering, session.batch.steering, session.lesson.steering
        assert [steering.stop.is_set() for steering in ended] == [gone] * 3
        assert (session.live.paint is None) == (session.live.token not in Live.open) == gone
