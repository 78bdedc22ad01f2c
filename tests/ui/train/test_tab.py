"""The Train tab's handlers: a style is learned while one watches, and kept, without a browser."""

import dataclasses
import pickle
import threading
from pathlib import Path

import gradio as gr
import pytest
import torch
from safetensors.torch import save_file

from nst_core import images
from nst_core.instant.lesson import QUICK
from nst_core.instant.styles import StyleFile, load_styles, save_styles
from nst_core.ui.page.form import Updates
from nst_core.ui.studio.camera import NO_STYLE
from nst_core.ui.studio.instant_session import InstantSession, Mix
from nst_core.ui.studio.shared_components import Choices, MixControls
from nst_core.ui.train import tab as module
from nst_core.ui.train.tab import LessonWish, learn, learn_page, load_file, save_chosen
from nst_core.ui.widgets.channel import Channel
from nst_core.ui.widgets.pictures import PictureInput
from nst_core.ui.widgets.thumbnail_strip import Strip
from tests.instant.test_painter import CPU, network_of
from tests.machines import Room
from tests.ui.instant.test_picture import props
from tests.ui.shown import job_forms, untitled
from tests.ui.studio.test_instant_session import brushed, bundle


@pytest.fixture(autouse=True)
def toasts(monkeypatch, tmp_path):
    """What the page would show as toasts; gradio's files go to a folder of this test's."""
    shown = []
    monkeypatch.setattr(gr, "Warning", lambda text, **_: shown.append(untitled(text)))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    return shown


@pytest.fixture(autouse=True)
def base(narrow_weights, small_thumbnails, monkeypatch):
    """A small network, and lessons that are as small."""
    bundle(monkeypatch, network_of("waves", "stars"))
    monkeypatch.setattr(module, "choose_compute", lambda: CPU)
    monkeypatch.setattr(module, "QUICK", dataclasses.replace(QUICK, batch=1, crop=64))
    monkeypatch.setattr(module, "WORDS_SECONDS", 0.0)


@pytest.fixture
def session() -> InstantSession:
    return InstantSession()


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[Path]:
    """A style picture called red_rain, and three photographs."""
    folder = tmp_path_factory.mktemp("pictures")
    paths = [folder / f"{name}.png" for name in ("red_rain", "one", "two", "three")]
    for number, path in enumerate(paths):
        image = torch.rand(1, 3, 9, 10, generator=torch.Generator().manual_seed(number))
        images.save_png(images.resize(image, (72, 80)), path)
    return paths


def wish(files, **changes) -> LessonWish:
    given = LessonWish(files[0], "", 3, 10.0, 64, [str(path) for path in files[1:]])
    return given._replace(**changes)


def is_problem(views: list[Updates], session: InstantSession, toasts: list[str], message: str) -> bool:
    """Whether it ended by these words, as a toast and in the status, and the styles are those that were."""
    last = views[-1]
    assert message in last["status"] and 'class="status problem"' in last["status"] and last.keys() == {"status"}
    assert session.names == ["waves", "stars"] and session.chosen == "waves" and session.lesson.busy is False
    return [message in toast for toast in toasts] == [True]


@pytest.fixture
def updates(monkeypatch):
    """Every picture that the preview is given, with its words."""
    given, put = [], Channel.put
    monkeypatch.setattr(
        Channel, "put", lambda self, image, words: (given.append((image, words)), put(self, image, words))
    )
    return given


def test_a_learned_style_stands_among_the_others_and_is_chosen(session, files):
    session.mix = Mix(second="stars", share=0.5)
    last = list(learn_page(session, wish(files, name=" red  storm ")._asdict()))[-1]
    assert session.names == ["waves", "stars", "red__storm"] and session.chosen == "red__storm"
    assert "Red  storm is among the styles" in last["status"] and "3 steps" in last["status"]
    assert (last["strip"]["items"][-1]["caption"], last["strip"]["chosen"]) == ("red  storm", 3)
    assert last["strip"]["items"][-1]["thumbnail"] != "data:image/jpeg;base64,"
    assert ("red  storm", "red__storm") in props(last["second"])["choices"]
    assert session.lesson.busy is False and session.pictures == {"red__storm": files[0]}
    assert session.live.paint is not None  # the camera's next frame is painted in it
    image = images.load(files[1])
    painted = brushed(session, image)  # blended with a style that was there
    session.mix = Mix()
    assert not torch.equal(painted, brushed(session, image))


def test_the_page_has_a_place_for_all_that_is_wished_and_shown(session, files, monkeypatch):
    def build() -> None:
        mix = MixControls(gr.Slider(), gr.Dropdown(), gr.Slider(), gr.Radio())
        strip, own = Strip(session.strip_value()), PictureInput()
        module.build(Choices(gr.State(session), strip, own, mix, gr.Number(), gr.Checkbox()))

    inputs, outputs = job_forms(monkeypatch, module, build)
    assert inputs.parts.keys() == set(LessonWish._fields)
    assert outputs.parts.keys() == set().union(*learn(session, wish(files, steps=1)))


def test_a_learned_style_is_that_of_one_page(session, files):
    list(learn(session, wish(files)))
    assert InstantSession().names == ["waves", "stars"]


def test_the_file_of_a_learned_style_gives_it_to_another_page(session, files):
    last = list(learn(session, wish(files)))[-1]
    path, other = props(last["file"])["value"], InstantSession()
    assert props(last["file"])["visible"] is True and Path(path).name == "red_rain.safetensors"
    shown = load_file(other, path)
    assert "Among the styles of the Instant tab now: red rain" in shown["status"] and shown["load"] is None
    assert other.chosen == "red_rain" and shown["strip"]["items"][-1]["name"] == "red rain, red_rain.safetensors"
    assert ("red rain", "red_rain") in props(shown["second"])["choices"] and other.live.paint is not None
    image = images.load(files[1])
    torch.testing.assert_close(brushed(other, image), brushed(session, image), rtol=0, atol=4 / 255)  # half precision


def test_losses_and_pictures_are_shown_while_it_learns(session, files, updates):
    views = list(learn(session, wish(files, steps=13)))
    token = props(views[0]["preview"])["value"]
    assert "Looking at the style" in views[0]["status"] and props(views[0]["file"])["visible"] is False
    words = {name: html for _, said in updates for name, html in said.items()}
    assert "Step 13 of 13" in words["train-status"] and "up to step 13" in words["train-losses"]
    # what it begins as, then steps; the first losses are told at step 10
    kinds = [{"train-status"}] * 10 + [{"train-status", "train-losses"}] * 4
    begun = next(number for number, (_, said) in enumerate(updates) if "begins as" in said["train-status"])
    assert [said.keys() for _, said in updates[begun:]] == kinds
    assert "style" in words["train-losses"] and "total" in words["train-losses"]
    assert all(f'data-run="{token}"' in html for _, said in updates for html in said.values())
    pictures = [image.shape for image, _ in updates if image is not None]
    assert updates[0][0] is None and pictures[0] == (1, 3, 72, 160)  # in the new style, and as it is
    assert Channel.live[token].done
    assert 'data-run=""' in views[-2]["losses"] and 'data-run=""' in views[-1]["status"]


def test_a_lesson_that_is_stopped_has_learned_what_it_has(session, files, updates, monkeypatch):
    put = Channel.put

    def put_and_stop(self, image, words):
        put(self, image, words)
        if image is not None:
            session.lesson.steering.stop.set()

    monkeypatch.setattr(Channel, "put", put_and_stop)
    views = list(learn(session, wish(files, steps=40)))
    assert "10 steps" in views[-1]["status"] and session.names[-1] == "red_rain"
    assert load_styles(Path(props(views[-1]["file"])["value"])).header["steps"] == "10"


def test_a_lesson_that_machines_give_is_the_one_given_here_though_one_is_lost(session, files, monkeypatch):
    monkeypatch.setenv("NST_PRECISION", "fp32")  # as the lesson here has
    here = list(learn(session, wish(files)))[-1]
    room, other = Room(lambda call, method: call == 5), InstantSession()
    monkeypatch.setattr(module, "machines", lambda: room)
    there = list(learn(other, wish(files)))[-1]
    assert "3 steps · machine 2 was lost at step 0: another machine goes on from the start" in there["status"]
    one, two = (load_styles(Path(props(view["file"])["value"])).network.state_dict() for view in (here, there))
    assert all(torch.equal(value, two[name]) for name, value in one.items()) and other.chosen == "red_rain"
    assert room.chosen == room.left == 2


def test_a_lesson_that_is_stopped_before_its_first_step_adds_nothing(session, files, toasts):
    session.lesson.steering.stop.set()
    assert is_problem(list(learn(session, wish(files))), session, toasts, "stopped before the first step")


def test_a_page_that_is_left_ends_its_lesson(session, files):
    views = learn(session, wish(files))
    token = props(next(views)["preview"])["value"]
    assert session.lesson.busy is True
    views.close()
    assert session.lesson.busy is False and Channel.live[token].done


@pytest.mark.parametrize("name", ["", None])
def test_without_a_name_a_style_is_called_as_its_picture(session, files, name):
    list(learn(session, wish(files, name=name)))
    assert session.chosen == "red_rain"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"picture": None}, "there is no style picture; drop one or click an example"),
        ({"name": "waves"}, "there is a style called &#x27;waves&#x27; already; give this one another name"),
        ({"name": "   "}, "give it a name that is not empty"),
        ({"name": "photo"}, "give it a name that is not empty and not taken"),
        ({"steps": None}, "the number of steps is empty; give a whole number from 1 to 5000"),
        ({"steps": 2.5}, "the number of steps is 2.5;"),
        ({"steps": 0}, "the number of steps is 0;"),
        ({"steps": 5001}, "the number of steps is 5001; give a whole number from 1 to 5000"),
        ({"style_size": None}, "picture&#x27;s size is empty; give a whole number from 1 to 1024"),
        ({"style_size": 32}, "style_size is 32; give a whole number from 64 to 1024"),
        ({"photographs": ["one.png"]}, "<div>what you gave has 1 usable pictures; at least 2 are needed"),
    ],
)
def test_a_wish_that_cannot_be_is_named_and_changes_nothing(session, files, monkeypatch, changes, message):
    said = []
    monkeypatch.setattr(gr, "Warning", lambda text, **_: said.append(module.status_html(untitled(text))))
    monkeypatch.chdir(files[0].parent)
    assert is_problem(list(learn(session, wish(files, **changes))), session, said, message)


def test_a_style_picture_that_is_none_is_named(session, files, toasts, tmp_path):
    (tmp_path / "letter.jpg").write_text("Dear reader")
    views = list(learn(session, wish(files, picture=tmp_path / "letter.jpg")))
    assert is_problem(views, session, toasts, "letter.jpg cannot be read as a picture")


def test_without_any_network_there_is_nothing_to_teach(monkeypatch, files, toasts):
    bundle(monkeypatch)
    (view,) = learn(InstantSession(), wish(files))
    assert "there is no network to teach; load a file of styles first" in view["status"] and len(toasts) == 1


def test_it_is_learned_on_the_photographs_that_are_given(session, files, monkeypatch, tmp_path):
    lessons, plain = [], module.Lesson
    monkeypatch.setattr(module, "Lesson", lambda *given: lessons.append(plain(*given)) or lessons[-1])
    same_name, broken = tmp_path / "one.png", tmp_path / "letter.png"
    images.save_png(images.load(files[2]), same_name)
    broken.write_text("Dear reader")
    given = [str(path) for path in (*files[1:3], same_name, broken)]
    views = list(learn(session, wish(files, photographs=given)))
    photographs = lessons[0].photographs
    assert len(photographs.training) + len(photographs.testing) == 3
    for view in (views[0], views[-1]):
        assert "Skipped: letter.png cannot be read" in view["status"]
    own = list(learn(session, wish(files, name="other", photographs=None)))[-1]
    assert "Skipped" not in own["status"] and "6 pictures of photos" in lessons[1].photographs.summary


def test_the_settings_are_those_that_are_wished(files):
    recipe = wish(files, steps=7.0, style_weight=25, style_size=128.0).recipe()
    assert (recipe.steps, recipe.style_weight, recipe.style_size) == (7, 25.0, 128)
    assert dataclasses.replace(recipe, steps=1, style_weight=1, style_size=64) == dataclasses.replace(
        module.QUICK, steps=1, style_weight=1, style_size=64
    )


def test_all_that_computes_does_so_on_the_thread_of_the_device(session, files, monkeypatch):
    threads = set()
    for place, name in (
        (module, "save_styles"),
        (module, "load_styles"),
        (module.Lesson, "learned"),
        (InstantSession, "add"),
    ):
        made = getattr(place, name)
        monkeypatch.setattr(
            place, name, lambda *given, made=made: (threads.add(threading.current_thread().name), made(*given))[1]
        )
    path = props(list(learn(session, wish(files)))[-1]["file"])["value"]
    load_file(InstantSession(), path)
    save_chosen(session)
    assert threads == {"device"}


@pytest.mark.parametrize("kind", ["a pickle", "a text", "nothing", "other tensors"])
def test_what_is_no_file_of_styles_is_named_and_changes_nothing(session, toasts, tmp_path, kind):
    path = tmp_path / "mine.safetensors"
    if kind == "a pickle":
        path.write_bytes(pickle.dumps({"styles": ["mine"]}))
    elif kind == "other tensors":
        save_file({"weight": torch.rand(3)}, path)
    else:
        path.write_text("Dear reader" * (kind == "a text"))
    shown = load_file(session, str(path))
    assert shown == {"load": None} and session.names == ["waves", "stars"]
    assert len(toasts) == 1 and toasts[0].startswith("mine.safetensors is no file of styles")


def test_a_file_with_a_name_that_is_taken_is_named_and_changes_nothing(session, toasts, tmp_path):
    save_styles(StyleFile(network_of("rain", "stars", seed=1)), tmp_path / "mine.safetensors")
    assert load_file(session, str(tmp_path / "mine.safetensors")) == {"load": None}
    assert "there is a style 'stars' already" in toasts[0] and session.names == ["waves", "stars"]


def test_the_style_that_is_chosen_can_be_kept(session, files):
    session.choose(2)
    path = Path(props(save_chosen(session))["value"])
    assert path.name == "stars.safetensors" and load_styles(path).network.styles == ("stars", "photo")
    session.add(StyleFile(network_of("a<b: c?", seed=2)), "x")
    assert Path(props(save_chosen(session))["value"]).name == "a_b_ c_.safetensors"


def test_a_style_is_kept_once_one_is_chosen(session):
    session.chosen = ""  # as what was chosen is gone
    with pytest.raises(gr.Error, match=NO_STYLE):
        save_chosen(session)


def test_without_a_style_there_is_none_to_keep(monkeypatch):
    bundle(monkeypatch)
    with pytest.raises(gr.Error, match="there is no style"):
        save_chosen(InstantSession())
