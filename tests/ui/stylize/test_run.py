"""The handlers behind Run and Stop, without a browser."""

import copy
import sys
import threading
from html import unescape

import gradio as gr
import pytest
from gradio.blocks import Block
from PIL import Image

from nst_core.engine import begin
from nst_core.engine.devices import DEVICES
from nst_core.errors import DeviceError, DownloadError, NSTError, OutputError
from nst_core.features import weights
from nst_core.transfer.kept import restored
from nst_core.transfer.record import read_record
from nst_core.transfer.run import Run
from nst_core.ui.page.form import Updates
from nst_core.ui.page.status import duration, place_text, progress_text, rate, shares_html, shares_text, status_html
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.uploads import Uploads, masks_of
from nst_core.ui.stylize import ahead, pace
from nst_core.ui.stylize import run as painting
from nst_core.ui.stylize.control_events import steer
from nst_core.ui.stylize.run import STAGE, TO_ITS_END, go_on, paint, recolor
from nst_core.ui.widgets.channel import Channel
from tests.machines import Room
from tests.ui.shown import page_showing, untitled

SKIP = gr.skip()


@pytest.fixture(autouse=True)
def toasts(monkeypatch):
    """What the page would show as toasts."""
    shown = []
    monkeypatch.setattr(gr, "Warning", lambda text, **_: shown.append(untitled(text)))
    return shown


def start(files, session=None, **changes):
    """The handler's generator for small settings."""
    return paint(session or Session(), shown(*files, **changes))


def shown(*files, **changes) -> dict:
    """What the page shows for small settings."""
    return page_showing("luo", *files, **{"size": 48, "steps": 2, **changes})


def last_shown(views: list[Updates], output: str):
    """The value last given to an output, by itself or within an update of the component."""
    return [value for view in views if (value := value_of(view.get(output, SKIP))) is not None][-1]


def value_of(shown):
    """What a handler shows in an output, None if it leaves the value as it is."""
    if isinstance(shown, Block):
        return shown._constructor_args[0].get("value")
    return None if shown == SKIP else shown


def test_a_run_ends_with_result_record_and_file(narrow_weights, files):
    views = list(start(files))
    record = last_shown(views, "record")
    assert "Done: 2 steps" in last_shown(views, "status") and set().union(*views) == set(STAGE)
    assert last_shown(views, "result")["after"].startswith("data:image/jpeg;base64,")
    assert read_record(last_shown(views, "download")).to_dict() == record
    assert record["config"]["size"] == 48


def test_the_status_says_device_precision_and_weights(narrow_weights, files):
    status = last_shown(list(start(files)), "status")
    assert "CPU" in status or "cuda" in status.lower() or "Apple" in status
    assert ("fp32" in status or "bf16" in status) and "VGG-19 from NST_WEIGHTS" in status


def test_a_stop_before_the_first_step_keeps_the_start_as_result(narrow_weights, files):
    session = Session()
    session.steering.stop.set()
    views = list(start(files, session, steps=50))
    assert "Stopped: 0 steps of 50" in last_shown(views, "status")
    assert last_shown(views, "record")["stopped"] is True
    assert '<progress max="1" value="0.0000"' in last_shown(views, "status")


def token_of(views) -> str:
    """The token that the handler shows first."""
    return next(value_of(view["preview"]) for view in views if value_of(view.get("preview", SKIP)))


def test_a_cancelled_run_ends_with_its_preview(narrow_weights, files):
    session = Session()
    views = start(files, session, steps=100_000)
    token = token_of(views)
    views.close()
    assert session.running is False
    assert Channel.live[token].done


def test_all_steps_are_computed_by_one_thread_whoever_asks(narrow_weights, files, monkeypatch):
    threads = set()
    step = Run.__next__
    monkeypatch.setattr(Run, "__next__", lambda run: (threads.add(threading.current_thread().name), step(run))[1])
    runs = [threading.Thread(target=lambda: list(start(files, steps=3))) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(60)
    assert threads == {"device"}


def test_the_network_is_there_before_the_first_run_and_is_fetched_once(narrow_weights, monkeypatch):
    painted, plain = [], painting.stylize
    monkeypatch.setattr(painting, "stylize", lambda *given, **named: (painted.append(1), plain(*given, **named))[1])
    monkeypatch.setattr(ahead, "paces", {})
    painting._warming.cache_clear()
    for _ in range(3):  # pages
        painting.warm_up()
    assert painted == [1, 1] and len(ahead.paces) == 1  # by its pace the page tells how long the first will take


def test_on_a_cluster_it_is_painted_and_gone_on_with_as_here(narrow_weights, files, toasts, monkeypatch):
    told = []
    for room in (None, Room()):
        monkeypatch.setattr(begin, "machines", lambda room=room: room)
        session = Session()
        views = [*start(files, session), *go_on(session, 2)]
        told.append(last_shown(views, "record") | {"seconds": 0, "device": ""})
        assert ("on machine" in last_shown(views, "status")) is bool(room)
    assert told[0] == told[1] and told[0]["steps"] == 4 and room.chosen == room.left and not toasts


def test_where_no_machine_of_a_cluster_can_be_asked_the_page_says_so(narrow_weights, files, toasts, monkeypatch):
    monkeypatch.setenv("NST_CLUSTER", "nowhere")
    monkeypatch.setitem(sys.modules, "ray", None)
    views = list(start(files))
    assert "Ray is not installed" in last_shown(views, "status") and len(toasts) == 1


def test_a_cluster_needs_no_warming_here(narrow_weights, monkeypatch):
    monkeypatch.setenv("NST_CLUSTER", "nowhere")
    monkeypatch.setattr(painting, "_warming", None)
    painting.warm_up()


def test_warming_up_without_weights_is_no_error(monkeypatch):
    monkeypatch.setenv("NST_DEVICE", "abacus")
    painting._warming.cache_clear()
    painting.warm_up()
    assert DEVICES.submit(int).result(60) == 0
    painting._warming.cache_clear()


def test_a_run_waits_while_another_computes(narrow_weights, files):
    computing = threading.Event()
    DEVICES.submit(computing.wait)
    waiting = threading.Thread(target=lambda: list(start(files)))
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    computing.set()
    waiting.join(30)
    assert not waiting.is_alive()


def test_the_preview_carries_every_step_and_what_is_said_of_it(narrow_weights, files, monkeypatch):
    monkeypatch.setattr(painting, "WORDS_SECONDS", 0.0)
    put, seen = Channel.put, []
    monkeypatch.setattr(
        Channel, "put", lambda self, image, words, **how: (seen.append(words), put(self, image, words, **how))
    )
    token = token_of(list(start(files, steps=3)))
    assert [f"Step {step} of 3" in words["status"] for step, words in enumerate(seen)] == [True] * 4
    assert [f"up to step {step}," in words["losses"] for step, words in enumerate(seen)] == [True] * 4
    assert all(f'data-run="{token}"' in html for words in seen for html in words.values())


def test_words_are_said_no_more_often_than_people_read(narrow_weights, files, monkeypatch):
    monkeypatch.setattr(painting, "WORDS_SECONDS", 1000.0)
    put, seen = Channel.put, []
    monkeypatch.setattr(
        Channel, "put", lambda self, image, words, **how: (seen.append(words), put(self, image, words, **how))
    )
    list(start(files, steps=3))
    assert len({words["status"] for words in seen}) == 1


def test_how_far_a_search_is_is_said_before_the_frame_that_waits_for_it(narrow_weights, files, monkeypatch):
    monkeypatch.setattr(pace, "WORDS_SECONDS", 0.0)
    put, said = Channel.put, []
    monkeypatch.setattr(
        Channel, "put", lambda self, image, words, **how: (said.append((image, words)), put(self, image, words, **how))
    )
    list(start(files, steps=2, column_share=0.5))
    texts = [words["status"] for image, words in said if image is None]
    assert texts and "finding pieces of the style" in texts[0] and "Step 0 of 2" in texts[0]
    assert said[0][0] is None and said[-1][0] is not None  # before the first frame, and no more after the last


def test_nothing_replaces_the_last_word_on_a_run(narrow_weights, files):
    views = list(start(files))
    assert all('data-run=""' in last_shown(views, output) for output in ("status", "losses", "shares"))


def read(html: str) -> str:
    """HTML as people read it: a space is a space, also where no line may break."""
    return unescape(html).replace("\xa0", " ")


def test_what_the_weights_make_of_the_loss_is_told_while_it_paints_and_after(narrow_weights, files, monkeypatch):
    monkeypatch.setattr(painting, "WORDS_SECONDS", 0.0)
    put, seen = Channel.put, []
    monkeypatch.setattr(
        Channel, "put", lambda self, image, words, **how: (seen.append(words), put(self, image, words, **how))
    )
    views = list(start(files, steps=3))
    assert all("Of the loss: content" in words["shares"] and "at the start:" in words["shares"] for words in seen)
    record, shown = last_shown(views, "record"), read(last_shown(views, "shares"))
    end = ", ".join(f"{side} {100 * share:.0f} %" for side, share in record["shares"]["end"].items() if share > 0.01)
    assert record["shares"]["start"] and end.split(",")[0] in shown and "loss: content" in last_shown(views, "status")


def test_two_pages_never_share_a_session():
    session = Session()
    other = copy.deepcopy(session)
    other.steering.stop.set()
    assert not session.steering.stop.is_set()


@pytest.mark.parametrize("missing", ["content", "style"])
def test_a_missing_picture_is_named(narrow_weights, files, toasts, missing):
    given = tuple(None if name == missing else path for name, path in zip(("content", "style"), files, strict=True))
    views = list(start(given))
    assert toasts == [f"there is no {missing} picture; drop one or click an example"]
    assert toasts[0] in last_shown(views, "status")
    assert 'class="status problem"' in last_shown(views, "status")


def test_bad_settings_become_a_toast_and_no_traceback(narrow_weights, files, toasts):
    list(start(files, size=5))
    list(start(files, gatys_layers=[]))
    list(start(files, steps=None))
    list(start(files, start="image"))
    assert [text.split(";")[0] for text in toasts] == [
        "“Size” is 5",
        "no style layer is chosen",
        "“Steps” is empty",
        "“Start from” is “another picture”, but there is no such picture",
    ]


def test_markup_in_a_message_stays_text():
    assert "<script>" not in status_html("<script>alert(1)</script>", "<b>")


def fake_download(monkeypatch, tmp_path, then=None):
    """A download of three parts; `then` is called after each."""
    monkeypatch.setenv("NST_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("NST_WEIGHTS", raising=False)

    def download(backbone):
        for part in range(3):
            yield weights.DownloadProgress(part * 10_000_000, 30_000_000, "a server", "")

    monkeypatch.setattr(weights, "download", download)


def test_missing_weights_are_fetched_on_run_with_progress(monkeypatch, tmp_path, files, toasts):
    fake_download(monkeypatch, tmp_path)
    texts = [view["status"] for view in start(files)]
    assert "Fetching VGG-19: 10 of 30 MB" in texts[1]
    assert 'value="0.3333"' in texts[1]
    assert "VGG-19 are missing" in toasts[0]  # the fake brought none


def test_stop_ends_a_download(monkeypatch, tmp_path, files, toasts):
    fake_download(monkeypatch, tmp_path)
    session = Session()
    session.steering.stop.set()
    list(start(files, session))
    assert toasts == ["the download of VGG-19 was stopped; press the button again"]
    assert issubclass(DownloadError, NSTError)


def test_status_words():
    assert [duration(seconds) for seconds in (8, 65, 7260)] == ["8 s", "1 min 05 s", "2 h 01 min"]
    assert [rate(speed) for speed in (4.13, 0.4)] == ["4.1 steps/s", "2.5 s/step"]
    assert progress_text(12, 300, 4.0, 72) == "Step 12 of 300 · 4.0 steps/s · 1 min 12 s left"
    assert progress_text(0, 300, None, None) == "Step 0 of 300"
    assert progress_text(1, 9, None, None, place_text((2, 5), 181, 120)) == "Step 1 of 9 · 181×120 pixels, scale 2 of 5"
    assert place_text((1, 1), 512, 384) == ""
    losses = {"content conv4_2": 1.0, "style conv1_1": 30.0, "style conv2_1": 69.0, "total variation": 0.1}
    assert shares_text(losses) == "content 1 %, style 99 %, total variation < 1 %"
    assert shares_text({"content conv4_2": 0.0}) == shares_text({}) == ""
    assert "at the start: style 100 %" in read(shares_html({"style conv1_1": 2.0}, losses))
    assert "in the style: photo 75 %, painting 25 %" in read(shares_html(losses, losses, looked_for=0.75))
    assert "told here" in shares_html() and "told here" in shares_html({"style conv1_1": 2.0}, {})


def test_one_step_is_said_as_one(narrow_weights, files):
    views = list(start(files, steps=1))
    assert "Done: 1 step in" in last_shown(views, "status")


def test_a_run_goes_on_where_it_ended(narrow_weights, files):
    session = Session()
    list(start(files, session, steps=3))
    assert "Done: 5 steps" in last_shown(list(go_on(session, 2)), "status")
    whole = list(start(files, steps=5))
    together = read_record(last_shown(whole, "download")), session.run.record()
    assert together[0].losses == pytest.approx(together[1].losses, rel=1e-4)


def test_a_stopped_run_goes_on_to_its_end(narrow_weights, files):
    session = Session()
    session.steering.stop.set()
    list(start(files, session, steps=4))
    assert session.run.last_frame.step == 0
    session.steering.stop.clear()
    assert "Done: 4 steps" in last_shown(list(go_on(session, TO_ITS_END)), "status")


def test_there_is_nothing_to_go_on_with_before_a_run(toasts):
    list(go_on(Session(), 5))
    assert toasts == ["there is no painting to go on with; press Paint"]


@pytest.mark.parametrize("steps", [0, -3, 2.5, float("nan"), 10**9, "many", None])
def test_a_wrong_number_of_further_steps_is_refused_and_the_run_stays(narrow_weights, files, toasts, steps):
    session = Session()
    list(start(files, session))
    list(go_on(session, steps))
    shown = "empty" if steps is None else str(steps)
    assert f"steps is {shown}; " in toasts[0].replace("'", "") and "whole number" in toasts[0]
    assert "Done: 3 steps" in last_shown(list(go_on(session, 1)), "status")


def test_what_cannot_be_painted_leaves_the_last_painting_to_go_on_with(narrow_weights, files, toasts, tmp_path):
    session = Session()
    list(start(files, session))
    (tmp_path / "letter.png").write_text("Dear reader")
    list(start(files, session, size=5))
    list(start(files, session, start="image"))
    list(start((files[0], tmp_path / "letter.png"), session))
    assert len(toasts) == 3 and session.uploads == Uploads(*files, more_styles=(None,) * 3)
    assert "Done: 3 steps" in last_shown(list(go_on(session, 1)), "status")


def test_memory_that_only_the_last_painting_holds_is_no_reason_to_refuse(narrow_weights, files, monkeypatch):
    session = Session()
    list(start(files, session))
    plain = painting.stylize

    def full(*given, **named):
        if session.run:
            raise DeviceError("no room")
        return plain(*given, **named)

    monkeypatch.setattr(painting, "stylize", full)
    assert "Done: 2 steps" in last_shown(list(start(files, session)), "status")


def test_an_error_midway_keeps_the_last_picture_as_a_result(narrow_weights, files, toasts, monkeypatch):
    session, step = Session(), Run.__next__

    def failing(run):
        if run.last_frame and run.last_frame.step == 2:
            run.broken = True
            raise DeviceError("CPU ran out of memory; choose a smaller size")
        return step(run)

    monkeypatch.setattr(Run, "__next__", failing)
    views = list(start(files, session, steps=9))
    assert toasts == ["CPU ran out of memory; choose a smaller size"]
    assert "CPU ran out of memory" in last_shown(views, "status") and "2 steps of 9" in last_shown(views, "status")
    assert last_shown(views, "record")["steps"] == 2
    assert read_record(last_shown(views, "download")).steps == 2
    assert len(session.results.kept) == 1
    list(go_on(session, 1))
    assert "cannot go on; press Paint" in toasts[1]


def test_moving_a_control_steers_the_run_with_its_next_step(random_weights, files):
    session = Session()
    views = start(files, session, steps=100_000)
    next(views)
    run, before = session.run, next(session.run)
    steer(session, shown(steps=100_000, style_weight=8e6))
    after = next(run)
    assert after.step == before.step + 1
    for name in after.losses:
        if name.startswith("style"):
            assert after.losses[name] > 20 * before.losses[name]
    views.close()


def test_a_control_moved_to_nonsense_leaves_the_run_as_it_was(narrow_weights, files, toasts):
    session = Session()
    views = start(files, session, steps=100_000)
    next(views)
    steer(session, shown(gatys_layers=[]))
    assert "goes on as it was: no style layer is chosen" in toasts[0]
    assert next(session.run).step == 0
    views.close()


def test_several_styles_blend_by_their_shares(narrow_weights, files):
    session = Session()
    list(start(files, session, style_2=files[0], share_2=0.0))
    assert session.run.record().config.blend == (1.0, 0.0)


def test_what_is_painted_over_the_content_is_the_mask(narrow_weights, files):
    stroke = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
    assert masks_of({"layers": [stroke]}) == masks_of(None) == masks_of({"layers": []}) == []
    stroke.paste((255, 0, 0, 255), (0, 0, 32, 48))
    [mask] = masks_of({"layers": [stroke]})
    assert mask.shape == (1, 1, 48, 64) and mask[..., :32].min() == 1 and mask[..., 32:].max() == 0
    session = Session()
    drawn = {"layers": [stroke], "background": None, "composite": None}
    list(start(files, session, mask=drawn, keep_unpainted=True))
    run = session.run
    right = (run.last_frame.image - run.content_image)[..., 40:].abs()
    assert right.max() <= 2 / 255 < (run.last_frame.image - run.content_image)[..., :20].abs().max()


def test_a_mask_over_another_picture_is_refused(narrow_weights, files, toasts):
    stroke = Image.new("RGBA", (43, 64), (255, 0, 0, 255))
    list(start(files, mask={"layers": [stroke]}))
    assert "painted over 43×64 pixels" in toasts[0] and "Paint on my photo" in toasts[0]


def test_other_colours_need_no_painting_where_they_come_afterwards(narrow_weights, files):
    session = Session()
    list(start(files, session))
    steps = session.run.last_frame.step
    assert read_record(value_of(recolor(session, "content")["download"])).config.color == "content"
    assert session.run.last_frame.step == steps
    assert recolor(session, "luminance") == {}


def test_a_server_paints_no_more_than_it_is_set_to(narrow_weights, files, toasts, monkeypatch):
    monkeypatch.setenv("NST_MAX_WORK", "0.01")  # 3 steps of 48×36 pixels are half of that, 10 are too much
    session = Session()
    assert "Done: 3 steps" in last_shown(list(start(files, session, steps=3)), "status")
    assert "2 at most" not in last_shown(list(start(files, steps=10)), "status")
    assert "this server paints 0 at most; take fewer steps" in toasts[-1]
    list(go_on(session, 20))
    assert "take fewer steps" in toasts[-1] and session.run.last_frame.step == 3


def test_a_painting_that_was_given_up_says_so_and_what_can_be_done(narrow_weights, files, toasts):
    session = Session()
    list(start(files, session, steps=2))
    session.drop_run()
    session.given_up = True
    views = list(go_on(session, 5))
    assert "memory ran short" in toasts[-1] and "Use as start" in last_shown(views, "status")
    list(start(files, session, steps=2))
    assert session.given_up is False


def test_a_painting_that_ended_rests_on_disk_and_goes_on_from_there(narrow_weights, files):
    session = Session()
    list(start(files, session, steps=4))
    DEVICES.submit(int).result(60)
    folder = session.folder
    assert restored(folder).newest.step == 4 and session.run.painting.stage is None
    assert "Done: 6 steps" in last_shown(list(go_on(session, 2)), "status")
    DEVICES.submit(int).result(60)
    assert restored(folder).newest.step == 6
    session.drop_run()
    assert not folder.exists()


def test_a_finished_painting_is_shown_where_the_disk_is_full(narrow_weights, files, toasts, monkeypatch):
    def full(*_):
        raise OutputError("neural-style-lab.png could not be written: the disk is full; make room, or write elsewhere")

    monkeypatch.setattr(painting, "save_result", full)
    session = Session()
    views = list(start(files, session, steps=2))
    assert last_shown(views, "result")["after"].startswith("data:image/jpeg")
    assert "the disk is full" in last_shown(views, "status") and "the disk is full" in toasts[-1]
    assert session.results.kept == ()
