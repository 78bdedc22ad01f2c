"""What a page of the Instant tab leaves is there when its browser opens it again."""

import json
import shutil
from html import unescape
from types import SimpleNamespace

import pytest
import torch

from nst_core import images
from nst_core.instant.styles import StyleFile, save_styles
from nst_core.ui.instant.picture import CHOOSE, GONE, POLISH, paint_picture, put_away, style_picture
from nst_core.ui.instant.tab import enter_page, take_style
from nst_core.ui.studio.camera import NO_STYLE
from nst_core.ui.studio.instant_keeping import RESULT, ROOM, STATE, STYLES, TRAINED, keep_instant
from nst_core.ui.studio.instant_session import NO_BLEND, InstantSession, Mix
from nst_core.ui.studio.keeping import folder_of, tidy_folders
from nst_core.ui.train.tab import load_file
from tests.instant.test_painter import network_of
from tests.ui.instant.test_picture import props
from tests.ui.studio.test_instant_session import bundle

KEY, PLAIN = "the key of a browser", Mix()


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    """Styles of this test's own, and a folder of uploads."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    return bundle(monkeypatch, network_of("koi_mosaic", "waves"), network_of("rain", seed=1))


@pytest.fixture
def photo(pictures, tmp_path):
    images.save_png(pictures[0], tmp_path / "my photo.png")
    return tmp_path / "my photo.png"


@pytest.fixture
def oil(pictures, tmp_path):
    images.save_png(pictures[1], tmp_path / "oil.png")
    return tmp_path / "oil.png"


def painted(photo, mix=PLAIN, chosen=1) -> InstantSession:
    """A page on which a picture was painted."""
    session = InstantSession()
    session.key, session.mix = KEY, mix
    session.choose(chosen)
    list(paint_picture(session, photo, 48, False))
    return session


def opened(key=KEY) -> tuple[InstantSession, dict]:
    """A page that a browser opens, and what it shows."""
    session = InstantSession()
    return session, enter_page(session, key, SimpleNamespace(session_hash="a page"))


def value(update):
    return props(update)["value"]


def test_picture_painting_style_and_settings_are_there_again(photo):
    mix = Mix(strength=0.5, second="waves", share=0.25, color="content")
    before = painted(photo, mix)
    photo.unlink()  # what was uploaded is deleted sooner
    session, shown = opened()
    assert images.load(shown["picture"]).shape == (1, 3, 48, 64) and shown["picture"].endswith("my photo.png")
    assert (shown["size"], shown["keep_transparency"], shown["strength"]) == (48, False, 0.5)
    assert (shown["share"], shown["color"], value(shown["second"])) == (0.25, "content", "waves")
    assert before.told in shown["status"] and props(shown["after"])["visible"] is True
    assert value(shown["download"]).name == before.result.name  # what it is called says what it is
    assert (images.load(value(shown["jpeg"])) - images.load(before.result)).abs().mean() < 0.02
    assert props(shown["result"])["visible"] is True and shown["strip"]["chosen"] == 1
    assert list(paint_picture(session, session.source, 48, False)) == []  # it is not painted again


def test_a_page_goes_on_from_what_it_found(photo):
    painted(photo)
    session, _ = opened()
    session.choose(2)
    list(paint_picture(session, session.source, 48, False))
    assert (session.result.exists(), "waves" in session.result.name) == (True, True)
    again, shown = opened()
    assert (again.chosen, shown["strip"]["chosen"]) == ("waves", 2)
    assert len(list((folder_of(KEY) / ROOM / RESULT).iterdir())) == 2  # one painting, as PNG and JPEG


def test_styles_of_pictures_are_there_again_and_paint_as_before(photo, oil):
    before = InstantSession()
    list(take_style(before, KEY, {"picture": oil}))
    list(paint_picture(before, photo, 48, False))
    session, shown = opened()
    assert session.chosen == "oil" and shown["strip"]["items"][0] == before.strip_value()["items"][0]
    list(paint_picture(session, photo, 48, True))
    assert (images.load(session.result) - images.load(before.result)).abs().max() <= 2 / 255


def test_styles_of_pictures_stay_kept_when_what_was_uploaded_is_deleted(photo, oil):
    session = InstantSession()
    list(take_style(session, KEY, {"picture": oil}))
    before = images.load(oil)
    oil.unlink()
    list(paint_picture(session, photo, 48, False))  # kept anew
    assert torch.equal(images.load(style_picture(session)), before)
    assert opened()[0].names == session.names and "oil" in session.own


def test_a_page_beside_takes_no_style_of_a_picture_away_for_good(oil):
    session, beside = InstantSession(), InstantSession()
    beside.key = KEY
    list(take_style(session, KEY, {"picture": oil}))
    keep_instant(beside)
    assert "oil" not in opened()[0].own
    keep_instant(session)
    assert "oil" in opened()[0].own


def with_file(tmp_path) -> InstantSession:
    """A page to which a file of two styles was given."""
    session, path = InstantSession(), tmp_path / "mine.safetensors"
    session.key = KEY
    save_styles(StyleFile(network_of("snow: <b>", "fog")), path)
    load_file(session, str(path))
    return session


def test_styles_of_files_are_there_again_and_paint_as_before(photo, tmp_path):
    before = with_file(tmp_path)
    (tmp_path / "mine.safetensors").unlink()  # what was uploaded is deleted sooner
    before.mix = Mix(second="fog", share=0.25)
    list(paint_picture(before, photo, 48))
    session, shown = opened()
    assert session.styles == before.styles and shown["strip"] == before.strip_value()
    assert (session.chosen, value(shown["second"]), session.mix) == ("snow: <b>", "fog", before.mix)
    assert list(paint_picture(session, session.source, 48)) == []
    list(paint_picture(session, photo, 48, False))
    assert (images.load(session.result) - images.load(before.result)).abs().max() <= 2 / 255
    assert opened()[0].names == before.names  # kept anew, by a page that found it


def test_what_is_chosen_since_is_chosen_and_the_painting_stays_that_of_before(photo):
    before = painted(photo)
    before.choose(2)
    keep_instant(before)
    session, shown = opened()
    assert session.chosen == "waves" and session.painted[0] == "koi_mosaic" and before.told in shown["status"]
    assert list(paint_picture(session, session.source, 48, False)) != []


@pytest.mark.parametrize(("mix", "named"), [(PLAIN, ": snow: <b>"), (Mix(0.5, "fog"), ": snow: <b>, fog")])
def test_without_its_style_the_painting_is_shown_and_the_style_is_named(photo, tmp_path, mix, named):
    before = with_file(tmp_path)
    before.mix = mix
    list(paint_picture(before, photo, 48))
    (file,) = (folder_of(KEY) / ROOM / TRAINED).iterdir()
    file.unlink()
    session, shown = opened()
    assert images.load(shown["picture"]).shape == (1, 3, 48, 64) and shown["size"] == 48
    assert before.told in unescape(shown["status"]) and GONE + named in unescape(shown["status"])
    assert value(shown["download"]).name == before.result.name and props(shown["result"])["visible"] is True
    assert (session.chosen, session.mix) == ("", mix._replace(second=NO_BLEND)) and shown["strip"]["chosen"] == 0
    assert list(paint_picture(session, session.source, 48)) == []  # nothing was asked for
    with pytest.warns(UserWarning, match=NO_STYLE):  # outside a page a toast is one
        (told,) = list(paint_picture(session, session.source, 64))
    assert NO_STYLE in told["status"] and session.result.exists()  # in no style that nobody chose
    session.choose(1)
    list(paint_picture(session, session.source, 64))
    assert session.painted[0] == "koi_mosaic"


def test_without_its_second_style_the_painting_stays_until_something_else_is_chosen(photo, oil, tmp_path):
    before, chalk = InstantSession(), tmp_path / "chalk.png"
    shutil.copy(photo, chalk)
    for picture in (chalk, oil):
        list(take_style(before, KEY, {"picture": picture}))
    before.mix = Mix(second="chalk")
    list(paint_picture(before, photo, 48))
    (folder_of(KEY) / ROOM / STYLES / "chalk.png").unlink()
    session, _ = opened()
    assert (session.chosen, session.mix.second) == ("oil", NO_BLEND)
    assert list(paint_picture(session, session.source, 48)) == []
    assert list(paint_picture(session, session.source, 64)) != []


def test_a_learned_style_knows_its_picture_again(photo, oil, tmp_path):
    before = with_file(tmp_path)
    before.pictures["snow: <b>"] = oil  # as after a lesson
    list(paint_picture(before, photo, 48))
    oil.unlink()  # what was uploaded is deleted sooner
    for _ in range(2):  # of a page that found it, too
        session, shown = opened()
        assert style_picture(session).is_relative_to(folder_of(KEY))
        assert value(shown["polish"]) == POLISH
        keep_instant(session)


def test_what_was_kept_by_the_version_before_is_there_again(photo, tmp_path):
    before = with_file(tmp_path)
    list(paint_picture(before, photo, 48))
    file = folder_of(KEY) / ROOM / STATE
    state = json.loads(file.read_text())
    del state["learned_from"]
    file.write_text(json.dumps(state | {"format": 2}))
    session, shown = opened()
    assert session.names == before.names and before.told in unescape(shown["status"])
    keep_instant(session)
    assert json.loads(file.read_text())["format"] == 3


def test_what_was_put_away_does_not_come_back(photo):
    session = painted(photo)
    assert CHOOSE in put_away(session)["status"]
    again, shown = opened()
    assert again.source is None and "picture" not in shown and "result" not in shown


@pytest.mark.parametrize("shown", [1, 2])  # of what is said and shown before its files are there
def test_what_is_put_away_while_it_is_painted_does_not_come_back(shown, photo):
    session = InstantSession()
    session.key = KEY
    views = paint_picture(session, photo, 48)
    for _ in range(shown):
        next(views)
    put_away(session)
    assert list(views) == [] and session.result is None
    again, page = opened()
    assert again.source is None and "picture" not in page and "result" not in page


def test_nobody_finds_what_another_browser_left(photo):
    painted(photo)
    for key in ("", "another key", 7, None):
        session, shown = opened(key)
        assert "picture" not in shown and value(shown["second"]) == NO_BLEND and session.source is None


def test_a_browser_without_a_key_leaves_nothing(photo, tmp_path):
    session = InstantSession()
    list(paint_picture(session, photo, 48))
    assert session.result.exists() and not folder_of("").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 3, "own": [["a", "b", "c"]], "mix": 3}'])
def test_what_is_damaged_is_said_and_the_page_is_a_new_one(photo, text):
    painted(photo)
    (folder_of(KEY) / ROOM / STATE).write_text(text)
    session, shown = opened()
    assert "damaged" in shown["status"] and "problem" in shown["status"] and "picture" not in shown
    list(paint_picture(session, photo, 48))
    assert opened()[1]["picture"]


def test_it_is_deleted_with_the_painting_of_its_browser(photo):
    painted(photo)
    tidy_folders()
    assert folder_of(KEY).exists()
    tidy_folders(now=10**11)
    assert not folder_of(KEY).exists() and "picture" not in opened()[1]
