"""This session's memory of its runs: what is kept, what comes back, what is refused."""

import base64
import copy
import dataclasses
import gc
import io
import json
import weakref
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from nst_core import images
from nst_core.errors import ConfigError, NSTError
from nst_core.pictures import notes
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import TEXT_KEY, RunRecord, read_record, save_result
from nst_core.transfer.timelapse import Timelapse
from nst_core.ui.page.toasts import remark
from nst_core.ui.studio import results
from nst_core.ui.studio.controls_and_config import CONTROLS, config_of, controls_of
from nst_core.ui.studio.looks import LOOKS
from nst_core.ui.studio.results import (
    MOST_RESULTS,
    THUMBNAIL_SIDE,
    Results,
    painting_name,
    remember,
    strip_value,
)
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.uploads import Instead, Uploads, check_upload, shown_instead
from nst_core.ui.stylize import results_strip as history
from nst_core.ui.stylize.results_strip import (
    again_at_twice,
    as_jpeg,
    as_tiff,
    look_again,
    make_timelapse,
    mark,
    put_back,
    restore,
    use_as_content,
    use_as_start,
)
from nst_core.ui.stylize.run import STAGE
from nst_core.ui.widgets.thumbnail_strip import Strip
from tests.ui.shown import untitled, update_of

# With fields that no control shows.
ODD = StyleTransferConfig(
    backbone="lite",
    style_weight=123.0,
    optimizer="adam",
    step_size=0.03,
    clamp=True,
    averaging=0.9,
    history=7,
    padding="reflect",
    adam_betas=(0.8, 0.99),
    noise_deviation=0.1,
    scale_falloff=0.5,
    steps=40,
    last_step=7,
    size=48,
)
SKIP = gr.skip()


@pytest.fixture(autouse=True)
def toasts(monkeypatch, tmp_path):
    """What the page would show as toasts; gradio's files go to a folder of this test's."""
    shown = []
    for kind in ("Warning", "Info"):
        monkeypatch.setattr(gr, kind, lambda text, **_: shown.append(untitled(text)))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    return shown


def record_of(config: StyleTransferConfig = ODD, **changes) -> RunRecord:
    values = {
        "config": config,
        "steps": 7,
        "stopped": True,
        "losses": {"content conv4_2": 1.5},
        "seconds": 0.5,
        "content_size": (32, 48),
        "style_size": (40, 48),
        "device": "CPU",
        "precision": "fp32",
        "weights_file": "lite",
        "weights_sha256": "0" * 64,
        "weights_origin": "here",
        "versions": {"torch": "2"},
    }
    return RunRecord(**values | changes)


class FakeRun:
    """What is asked of a Run that has made a step."""

    def __init__(self, config: StyleTransferConfig = ODD, seconds: float = 0.5, image: torch.Tensor | None = None):
        self.last_frame = SimpleNamespace(image=torch.rand(1, 3, 32, 48) if image is None else image)
        self.result = self.last_frame.image
        self.record = lambda: record_of(config, seconds=seconds)


def remembered(session: Session, folder, *, count: int = 1, config: StyleTransferConfig = ODD) -> Session:
    """A session after some runs, of which each took a second longer."""
    for _ in range(count):
        number = len(list(folder.glob("*.png"))) + 1
        run, png = FakeRun(config, seconds=float(number)), folder / f"{number}.png"
        save_result(run.last_frame.image, run.record(), png)
        remember(session, run, png, losses=f"chart {number}")
    return session


def look(session: Session, number: int) -> tuple[dict, dict, dict]:
    """A click on a thumbnail: stage, strip and the preset with its words and controls."""
    shown = dict(look_again(session, gr.EventData(None, {"number": number})))
    stage = {name: shown.pop(name) for name in STAGE if name in shown}
    return stage, shown.pop("strip"), shown


def value(update) -> object:
    """The value in an update of a component."""
    return update._constructor_args[0]["value"]


def test_the_newest_result_comes_first_and_old_ones_drop_off(tmp_path):
    session = remembered(Session(), tmp_path, count=MOST_RESULTS + 3)
    shown = [item["number"] for item in strip_value(session)["items"]]
    assert shown == list(range(MOST_RESULTS + 3, 3, -1))
    assert strip_value(session)["chosen"] == MOST_RESULTS + 3


def test_of_two_that_were_clicked_the_later_one_is_shown_however_long_the_other_took(tmp_path, monkeypatch):
    session = remembered(Session(), tmp_path, count=2)
    load, later = history.images.load, []

    def slow(path):
        if not later:  # clicked while the first is read
            later.append(None)
            later[0] = look_again(session, gr.EventData(None, {"number": 2}))
        return load(path)

    monkeypatch.setattr(history.images, "load", slow)
    assert look_again(session, gr.EventData(None, {"number": 1})) == {}
    assert later[0]["strip"]["chosen"] == strip_value(session)["chosen"] == 2


def test_sessions_never_see_each_others_results(tmp_path):
    template = Session()
    mine, other = copy.deepcopy(template), copy.deepcopy(template)
    remembered(mine, tmp_path)
    assert len(strip_value(mine)["items"]) == 1
    assert strip_value(other) == strip_value(template) == Results().value()


def test_the_same_frame_is_remembered_once(tmp_path):
    session, run = Session(), FakeRun()
    for _ in range(2):
        remember(session, run, tmp_path / "one.png")
    assert len(session.results.kept) == 1


def test_one_step_takes_the_place_of_what_it_goes_on_from_and_of_nothing_else(tmp_path):
    session, run = remembered(Session(), tmp_path), FakeRun()

    def after(steps: int) -> list[tuple[int, int]]:
        run.record = lambda: record_of(steps=steps)
        remember(session, run, tmp_path / f"{steps}.png")
        return [(result.number, result.record.steps) for result in session.results.kept]

    assert after(8) == [(2, 8), (1, 7)]  # another run's
    assert after(9) == [(2, 9), (1, 7)]
    assert session.results.chosen is session.results.kept[0] and session.results.chosen.path == tmp_path / "9.png"
    assert after(14) == [(3, 14), (2, 9), (1, 7)]
    remembered(session, tmp_path)
    assert after(15)[:3] == [(5, 15), (4, 7), (3, 14)]  # something else was painted meanwhile


def test_no_picture_is_kept_in_memory(tmp_path):
    session, image = Session(), torch.rand(1, 3, 32, 48)
    remember(session, FakeRun(image=image), tmp_path / "one.png")
    kept = weakref.ref(image)
    del image
    gc.collect()
    assert kept() is None


def test_a_thumbnail_is_small(tmp_path):
    session = Session()
    remember(session, FakeRun(image=torch.rand(1, 3, 300, 400)), tmp_path / "large.png")
    jpeg = base64.b64decode(session.results.chosen.thumbnail.partition(",")[2])
    with Image.open(io.BytesIO(jpeg)) as thumbnail:
        assert max(thumbnail.size) == THUMBNAIL_SIDE


def test_a_result_is_called_by_what_is_new_about_it(tmp_path):
    session = remembered(Session(), tmp_path)
    remembered(session, tmp_path, config=ODD.changed(style_weight=5e6, seed=3))
    newest, oldest = strip_value(session)["items"]
    assert newest["caption"].replace("\u00a0", " ") == "β 5 × 10⁶, Seed 3"
    assert newest["name"].replace("\u00a0", " ") == "Result 2: 7 steps, 48×32 pixels; β 5 × 10⁶, Seed 3"
    assert oldest["caption"] == "7 steps"


def test_what_the_strip_says_is_no_markup():
    made, layers = Results(), ('"><img onerror=alert(1)>',)
    made.add(torch.rand(1, 3, 32, 48), record_of(), "one.png", Uploads())
    odd = copy.copy(ODD)
    object.__setattr__(odd, "style_layers", layers)
    made.add(torch.rand(1, 3, 32, 48), record_of(odd), "two.png", Uploads())
    assert '"><img' not in made.value()["items"][0]["name"] + made.value()["items"][0]["caption"]


@pytest.mark.parametrize("config", [ODD, *(preset.config for preset in PRESETS.values())], ids=["odd", *PRESETS])
def test_a_click_brings_back_the_very_config(tmp_path, config):
    session = remembered(Session(), tmp_path, config=config)
    remembered(session, tmp_path, config=config.changed(style_weight=1.0, seed=9))
    _, strip, controls = look(session, 1)
    assert strip["chosen"] == 1
    assert {name: controls[name] for name in CONTROLS} == controls_of(config)
    assert config_of(session.base, controls) == config


def test_a_click_brings_back_picture_record_and_losses(tmp_path):
    session = remembered(Session(), tmp_path, count=2)
    stage, _, _ = look(session, 1)
    assert value(stage["download"]) == tmp_path / "1.png"
    assert value(stage["result"])["after"] == images_uri(tmp_path / "1.png") != images_uri(tmp_path / "2.png")
    assert stage["record"] == read_record(tmp_path / "1.png").to_dict()
    assert stage["losses"] == "chart 1"
    assert "Result 1 and its settings are back" in stage["status"]


def images_uri(path) -> str:
    return results.data_uri(images.load(path))


def test_the_photo_beside_a_result_is_the_one_that_was_painted(tmp_path):
    session = Session()
    photo = tmp_path / "photo.jpg"
    Image.new("RGB", (96, 64), "red").save(photo)
    session.uploads = Uploads(photo)
    remembered(session, tmp_path)
    session.uploads = Uploads(tmp_path / "another.jpg")
    shown = value(look(session, 1)[0]["result"])
    assert shown["before"] == results.data_uri(images.fit(images.load(photo), 48))
    photo.unlink()
    shown = value(look(session, 1)[0]["result"])
    assert shown["before"] == shown["after"]


def test_while_a_run_goes_on_its_preview_and_words_stay(tmp_path, toasts):
    session = remembered(Session(), tmp_path)
    session.running = True
    stage, _, _ = look(session, 1)
    assert stage["status"] == SKIP and not {"preview", "losses", "shares"} & stage.keys()
    assert value(stage["result"])["after"].startswith("data:image/jpeg")
    assert toasts == ["Result 1 and its settings are back."]


def test_a_picture_that_was_deleted_is_said_politely_and_its_settings_come_back(tmp_path, toasts):
    session = remembered(Session(), tmp_path)
    (tmp_path / "1.png").unlink()
    stage, _, controls = look(session, 1)
    assert stage == {}
    assert config_of(session.base, controls) == ODD
    for use in (use_as_start, use_as_content):
        assert use(session) == {}
    with pytest.raises(gr.Error, match="the file of result 1 is gone"):
        again_at_twice(session)
    assert len(toasts) == 3
    assert all(text.startswith("the file of result 1 is gone") for text in toasts)


def test_a_number_that_is_not_in_the_strip_changes_nothing(tmp_path, toasts):
    session = remembered(Session(), tmp_path)
    stage, strip, controls = look(session, 99)
    assert (stage, strip["chosen"], session.base) == ({}, 1, None)
    assert controls == {}
    assert toasts == ["That result is no longer in the strip; choose another."]


def test_the_chosen_result_becomes_start_or_content(tmp_path):
    session = remembered(Session(), tmp_path, count=2)
    look(session, 1)
    shown = use_as_start(session)
    assert "Result 1 is the start" in shown["status"]
    assert (shown["start"], value(shown["start_image"])) == ("image", str(tmp_path / "1.png"))
    assert use_as_content(session)["content"] == str(tmp_path / "1.png")


def test_the_pictures_of_a_result_can_be_put_back_with_what_the_brush_painted(tmp_path, toasts):
    paths = [tmp_path / f"{name}.jpg" for name in ("content", "style", "second")]
    for path in paths:
        Image.new("RGB", (64, 48), "red").save(path)
    stroke = Image.new("RGBA", (64, 48), (255, 0, 0, 255))
    drawn = {"background": Image.new("RGB", (64, 48)), "layers": [stroke], "composite": None}
    session = Session()
    session.uploads = Uploads(paths[0], paths[1], more_styles=(None, paths[2], None), mask=drawn).kept()
    remembered(session, tmp_path)
    session.uploads = Uploads()
    there = dict(put_back(session))
    assert "The pictures of result 1 are back" in there.pop("status")
    mask = there.pop("mask")
    assert there.pop("keep_transparency") is True
    given = {"content": str(paths[0]), "style": str(paths[1]), "style_3": str(paths[2])}
    assert there == {**dict.fromkeys(("start_image", "style_2", "style_4")), **given}
    with Image.open(mask["layers"][0]) as layer:
        assert layer.tobytes() == stroke.tobytes()
    assert mask["composite"] is None
    paths[2].unlink()
    assert put_back(session)["style_3"] is None
    paths[0].unlink()
    assert put_back(session) == {}
    assert "are gone" in toasts[-1] and "drop them again" in toasts[-1]


def test_a_restored_result_says_from_which_preset_its_settings_come(tmp_path):
    session = remembered(Session(), tmp_path, config=PRESETS["crowson"].config.on("lite").changed(size=96, seed=4))
    assert update_of(look(session, 1)[2]["preset"])["value"] == "crowson"
    remembered(session, tmp_path)
    shown = look(session, 2)[2]
    menu = update_of(shown["preset"])
    (title,) = [title for title, name in menu["choices"] if name == menu["value"]]
    assert title.startswith("Custom, from ") and "no preset" in shown["about"]


def test_again_goes_on_from_the_picture_at_twice_its_size_and_that_size_alone(tmp_path):
    coarse = ODD.changed(smallest_scale=24)
    session = remembered(Session(), tmp_path, config=coarse)
    shown = again_at_twice(session)
    config = config_of(session.base, shown)
    assert value(shown["start_image"]) == str(tmp_path / "1.png")
    assert "Again at size 96, 20 steps, from result 1" in shown["status"]
    changed = {"size": 96, "steps": 20, "start": "image", "smallest_scale": 0, "last_step": 0}
    assert config == dataclasses.replace(coarse, **changed)


def test_twice_has_a_step_at_least_and_an_end():
    assert ODD.changed(steps=1).at_twice_the_size().steps == 1
    with pytest.raises(ConfigError, match="size is 24000"):
        ODD.changed(size=12_000).at_twice_the_size()


def test_again_beyond_the_largest_size_changes_nothing(tmp_path):
    session = remembered(Session(), tmp_path, config=ODD.changed(size=16_000))
    with pytest.raises(gr.Error, match="size is 32000"):
        again_at_twice(session)
    assert session.base is None


def test_before_the_first_result_every_button_says_what_to_do(toasts):
    for use in (use_as_start, use_as_content, put_back):
        use(Session())
    assert toasts == [results.NO_RESULT] * 3
    with pytest.raises(gr.Error, match=results.NO_RESULT):
        again_at_twice(Session())


def test_marking_keeps_a_moment_with_its_record_and_the_run_goes_on(toasts):
    session = Session()
    session.run = FakeRun()
    strip = mark(session)
    assert [item["number"] for item in strip["items"]] == [1]
    assert read_record(session.results.chosen.path) == session.run.record()
    assert toasts == ["Step 7 is in the strip."]
    assert not session.steering.stop.is_set()
    assert mark(session) == strip  # the same moment


@pytest.mark.parametrize("run", [None, SimpleNamespace(last_frame=None)])
def test_marking_nothing_says_so(run, toasts):
    session = Session()
    session.run = run
    assert mark(session) == SKIP
    assert toasts == ["nothing is painted yet; press Paint first"]


def test_a_timelapse_of_nothing_says_so(toasts):
    session = Session()
    assert make_timelapse(session) == SKIP
    session.timelapse = Timelapse()
    assert make_timelapse(session) == SKIP
    assert [text.split(";")[0] for text in toasts] == ["there is nothing to show yet"] * 2


def test_a_timelapse_is_a_film():
    session = Session()
    session.timelapse = Timelapse()
    for step in range(3):
        session.timelapse.add(torch.rand(1, 3, 32, 48), step)
    path = value(make_timelapse(session))
    with av.open(path) as film:
        assert len(list(film.decode(video=0))) == 3  # of steps so fast, first and last, which is held


def png_with(folder, record: dict | str) -> str:
    """A picture whose record says that."""
    text = PngInfo()
    text.add_itxt(TEXT_KEY, record if isinstance(record, str) else json.dumps(record))
    Image.new("RGB", (48, 32)).save(folder / "odd.png", pnginfo=text)
    return str(folder / "odd.png")


def test_a_picture_painted_here_brings_its_settings(tmp_path):
    save_result(torch.rand(1, 3, 32, 48), record_of(), tmp_path / "ours.png")
    session = Session()
    shown = restore(session, str(tmp_path / "ours.png"))
    assert "The settings of ours.png are here" in shown["status"]
    assert shown["file"] is None
    assert config_of(session.base, shown) == ODD


def test_a_jpeg_of_the_chosen_result_brings_its_settings_too(tmp_path):
    session = remembered(Session(), tmp_path, count=2)
    session.results.chosen = session.results.find(1)
    path = Path(value(as_jpeg(session)))
    assert (path.name, session.results.find(1).path.name) == ("1.jpg", "1.png")
    with Image.open(path) as picture:
        assert picture.format == "JPEG" and picture.size == (48, 32)
    again = Session()
    shown = restore(again, str(path))
    assert "The settings of 1.jpg are here" in shown["status"] and config_of(again.base, shown) == ODD


def test_a_picture_that_browsers_do_not_show_is_taken_and_one_that_is_none_makes_room(tmp_path, toasts):
    for name in ("photo.TIF", "photo.png"):
        Image.new("CMYK" if name.endswith("TIF") else "RGB", (48, 32)).save(tmp_path / name)
        assert check_upload(tmp_path / name) == gr.skip()
    (tmp_path / "letter.tif").write_text("Dear reader")
    refused, again = check_upload(tmp_path / "letter.tif"), Instead.of(tmp_path / "letter.tif")
    assert refused == again._replace(number=refused.number) != again  # else its place would keep it the second time
    assert shown_instead(refused, tmp_path / "letter.tif") is None
    assert shown_instead(refused, tmp_path / "another.png") == gr.skip()  # which came meanwhile
    assert len(toasts) == 2 and "do not show a TIF;" in toasts[0] and "letter.tif" in toasts[1]


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif"])
def test_of_a_picture_that_is_cut_short_what_there_is_is_shown_and_that_is_said_at_once(ending, tmp_path, toasts):
    whole, cut = tmp_path / f"whole.{ending}", tmp_path / f"cut.{ending}"
    Image.effect_noise((96, 64), 60).convert("RGB").save(whole)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    assert check_upload(whole) == gr.skip() and toasts == []
    with notes.told_to(remark):
        _, upload, shown = check_upload(cut)
    assert upload == cut and len(toasts) == 1 and f"cut.{ending} is cut short" in toasts[0]
    assert shown.name == "cut.png" and images.size_of(images.load(shown)) == (64, 96)
    assert check_upload(shown) == gr.skip() and len(toasts) == 1  # it is whole


def test_without_a_result_there_is_no_jpeg(tmp_path, toasts):
    assert as_jpeg(Session()) == SKIP
    session = remembered(Session(), tmp_path)
    (tmp_path / "1.png").unlink()
    assert as_jpeg(session) == SKIP and len(toasts) == 2


def test_a_tiff_of_the_newest_result_has_sixteen_bits_and_its_record_and_of_another_there_is_none(tmp_path, toasts):
    session = remembered(Session(), tmp_path)
    image = torch.linspace(0, 1, 3 * 32 * 48).view(1, 3, 32, 48)
    session.run = FakeRun(seconds=2.0, image=image)
    save_result(image, session.run.record(), tmp_path / "photo_style.png")
    remember(session, session.run, tmp_path / "photo_style.png")
    path = Path(value(as_tiff(session)))
    assert path.name == "photo_style.tif" and read_record(path) == session.run.record()
    with Image.open(path) as picture:
        assert picture.info["dpi"] == (300, 300) and picture.tag_v2[258] == (16, 16, 16)
    levels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert np.abs(levels / 65535 - image[0].permute(1, 2, 0).numpy()).max() < 1e-5
    assert len(np.unique(levels)) > 4000
    session.results.chosen = session.results.find(1)
    assert as_tiff(session) == SKIP
    session.run = None
    assert as_tiff(session) == SKIP and as_tiff(Session()) == SKIP
    assert [text.split(" is ")[0] for text in toasts[:2]] == ["result 1"] * 2 and "paint it again" in toasts[0]


def test_a_file_is_called_after_what_was_painted_in_which_style_look_or_preset_and_size():
    uploads = Uploads(content=Path("/x/china_temple.jpg"), style=Path("/y/Harvest sun.png"))
    studio = PRESETS["studio"].config.on("lite")
    assert painting_name(uploads, studio) == "china-temple_Harvest-sun_balanced_512.png"
    assert painting_name(uploads, studio.changed(last_step=9)) == "china-temple_Harvest-sun_balanced_512.png"
    assert painting_name(uploads, PRESETS["luo"].config) == "china-temple_Harvest-sun_luo_512.png"
    assert painting_name(uploads, ODD) == f"china-temple_Harvest-sun_{ODD.size}.png"
    whole = next(look for look in LOOKS if look.name == "whole_strokes").config("lite").changed(size=640)
    assert painting_name(Uploads(), whole) == "whole-strokes_640.png"
    session = Session()
    session.uploads, session.config, session.timelapse = uploads, studio, Timelapse()
    session.timelapse.add(torch.rand(1, 3, 32, 48), 1)
    assert Path(value(make_timelapse(session))).name == "china-temple_Harvest-sun_balanced_512_timelapse.mp4"


def with_setting(**changes) -> dict:
    plain = record_of().to_dict()
    return {**plain, "config": {**plain["config"], **changes}}


REFUSED = {
    "an unknown setting": (with_setting(brush="large"), "'brush' is not a setting"),
    "a layer that the network lacks": (with_setting(style_layers=["conv3_9"]), "conv3_9"),
    "a network that is not here": (with_setting(backbone="vgg99"), "“Network” is “vgg99”; choose one of"),
    "a damaged record": ("{", "the picture's record is damaged"),
    "a record that is none": ({"config": {}}, "the picture's record is damaged"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_record_of_no_use_is_refused_and_changes_nothing(tmp_path, toasts, kind):
    record, words = REFUSED[kind]
    session = remembered(Session(), tmp_path)
    before = strip_value(session)
    assert restore(session, png_with(tmp_path, record)) == {"file": None}
    assert session.base is None and strip_value(session) == before
    assert len(toasts) == 1 and words in toasts[0]


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "letter.png"])
def test_a_file_without_a_record_is_refused(tmp_path, toasts, name):
    if name.startswith("photo"):
        Image.effect_noise((48, 32), 60).save(tmp_path / name)
    else:
        (tmp_path / name).write_text("Dear reader")
    session = Session()
    assert restore(session, str(tmp_path / name)) == {"file": None}
    assert session.base is None
    assert toasts[0].startswith(name)


def test_the_strip_is_no_public_text_box():
    assert Strip().api_info() == {"type": "object"}
    assert Strip({"items": [], "chosen": 0}).value == {"items": [], "chosen": 0}


def test_what_is_refused_can_be_put_right():
    with pytest.raises(NSTError, match="press Paint"):
        Results().require_chosen()


def test_events_stay_off_the_page_s_api():
    assert history.QUEUED["api_visibility"] == "private"
