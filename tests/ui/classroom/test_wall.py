"""What a teacher sees of the class, and does with it."""

import io
import json
import math
from datetime import date
from itertools import pairwise

import pytest
from PIL import Image

from nst_core import images
from nst_core.analysis.poster.lettering import Lettering
from nst_core.analysis.poster.parts import draw_parts
from nst_core.engine import jobs
from nst_core.engine.lane import DEVICE_LANE, Client
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.steering import Steering
from nst_core.ui.classroom import paintings, sheet
from nst_core.ui.classroom.paintings import FRESH_SECONDS, Pictures
from nst_core.ui.classroom.routes import STOPPED
from nst_core.ui.studio.pupils import LONGEST_NAME
from nst_core.ui.stylize.pupil import take_name
from nst_core.ui.stylize.window import look
from tests.ui.browsers import painting, under_way
from tests.ui.classroom.conftest import at_work, done, plain, pupil
from tests.ui.words.catalogue import catalogue


def listed(teacher) -> list[dict]:
    return teacher.get("/class/list").json()["paintings"]


def color_of(answer) -> tuple[int, ...]:
    """The colour in the middle of a JPEG that was answered, to a few steps."""
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
    picture = Image.open(io.BytesIO(answer.content))
    return tuple(round(value / 64) * 64 for value in picture.getpixel((picture.width // 2, picture.height // 2)))


def test_the_wall_shows_what_is_at_work_and_done_and_no_browser_that_only_looks(teacher, tmp_path):
    pupil("only looks")
    at_work(pupil("Ada"))
    done(pupil("Grace"), tmp_path, (0, 1, 0))
    done(pupil(), tmp_path, (0, 0, 1))
    told = listed(teacher)
    assert [(one["name"], one["busy"]) for one in told[:2]] == [("Ada", True), ("Grace", False)]
    assert told[1]["status"] == "Done: 3 steps in 1 s" and told[1]["share"] == 1
    assert told[2]["name"].startswith("Painting ") and listed(teacher) == told


def test_the_list_names_what_the_wall_needs_and_nothing_that_leads_to_a_page(teacher, tmp_path):
    sessions = [at_work(pupil("Ada", key="a-secret-key")), done(pupil("Grace", key="another"), tmp_path, (0, 1, 0))]
    for one in listed(teacher):
        assert set(one) == {"id", "name", "status", "share", "busy", "version"}
    text = json.dumps(listed(teacher)) + teacher.get("/class").text
    private = [sessions[0].channel.token, str(tmp_path), *(session.key for session in sessions)]
    assert not [word for word in private if word in text]
    assert len({one["id"] for one in listed(teacher)}) == 2 and all(len(one["id"]) >= 20 for one in listed(teacher))


def test_a_run_is_told_by_its_steps_and_one_that_waits_by_who_is_before_it(teacher, narrow_weights, files):
    session = under_way(painting(files, steps=100_000))
    [told] = listed(teacher)
    step = int(told["status"].removeprefix("Step ").removesuffix(" of 100000"))
    assert step >= 1 and 0 < told["share"] < 1 and told["busy"]
    lane = jobs.Lane(1)
    lane.enter(Client(), jobs.limits())
    waiting = pupil("Waits")
    at_work(waiting).channel.image = None
    waiting.job = jobs.Job(lambda job: iter(()), Client(), Steering(), lane=lane)
    assert [one["status"] for one in listed(teacher)][1] == "Waits, 1 before it"
    waiting.job.stop()
    session.job.stop()


def test_a_picture_is_found_by_its_id_alone_and_is_the_newest(teacher, tmp_path):
    session = at_work(done(pupil("Ada"), tmp_path, (0, 0, 1)), (1, 0, 0))
    address, before = f"/class/picture/{session.view}?side=480", listed(teacher)[0]["version"]
    assert color_of(teacher.get(address)) == (256, 0, 0)
    session.channel.close()  # what is shown then is the result
    [told] = listed(teacher)
    assert told["version"] not in ("", before) and color_of(teacher.get(address)) == (0, 0, 256)
    for other in (session.key, session.channel.token, "guessed"):
        assert teacher.get(f"/class/picture/{other}?side=480").status_code == 410
    for side in ("5000", "", "480.0"):
        assert teacher.get(f"/class/picture/{session.view}?side={side}").status_code == 410


def test_a_result_whose_file_is_gone_is_shown_as_it_was_painted(teacher, tmp_path):
    session = done(at_work(pupil("Ada"), (1, 0, 0)), tmp_path, (0, 0, 1))
    session.channel.close()
    session.results.kept[0].path.unlink()
    assert color_of(teacher.get(f"/class/picture/{session.view}?side=480")) == (256, 0, 0)


def test_pictures_are_small_made_once_and_of_paintings_at_work_not_too_often(browsers, monkeypatch):
    made = []
    monkeypatch.setattr(
        paintings.images, "encode_jpeg", lambda image, max_side: made.append(max_side) or bytes([len(made)])
    )
    session, kept = at_work(pupil("Ada")), Pictures()
    first = kept.jpeg(session, 480, 10.0)
    assert kept.jpeg(session, 480, 100.0) is first and kept.jpeg(session, 1024, 10.0) != first
    session.channel.put(plain((0, 1, 0)), {})
    assert kept.jpeg(session, 480, 10.0 + FRESH_SECONDS / 2) is first and made == [480, 1024]
    assert kept.jpeg(session, 480, 10.0 + FRESH_SECONDS) != first
    session.channel.put(plain((0, 0, 1)), {})
    session.channel.close()
    assert kept.jpeg(session, 480, 10.0 + FRESH_SECONDS) == bytes([4])  # of one that is over, at once


def test_sides_of_pictures_are_those_that_are_asked_for(teacher):
    session = at_work(pupil("Ada"))
    session.channel.put(plain((1, 0, 0), (300, 2000)), {})
    for side in (480, 1024):
        answer = teacher.get(f"/class/picture/{session.view}?side={side}")
        assert Image.open(io.BytesIO(answer.content)).width == side


NASTY = "<img src=x onerror=alert(1)>&\"'\u202e\x00\n"


def test_a_name_is_a_line_of_letters_and_stands_in_no_html(teacher, tmp_path):
    session = done(pupil(), tmp_path, (0, 1, 0))
    take_name(session, f"  Ada\n\x00 {'L' * 100}")
    assert session.name.startswith("Ada L") and len(session.name) == LONGEST_NAME
    take_name(session, NASTY)
    assert session.name == "<img src=x onerror=alert(1)>&\"'"
    answer = teacher.get("/class/list")
    assert (
        answer.headers["content-type"] == "application/json" and answer.json()["paintings"][0]["name"] == session.name
    )
    assert "onerror" not in teacher.get("/class").text
    for nothing in (None, "", " \n"):
        take_name(session, nothing)
        assert session.name == ""


def test_what_the_page_may_do_is_what_it_brings_along(teacher, stranger):
    for client in (teacher, stranger):
        answer = client.get("/class")
        policy = answer.headers["content-security-policy"]
        [nonce] = {part.partition("'")[0] for part in policy.split("'nonce-")[1:]}
        scripts = answer.text.count("<script") + answer.text.count("<style")
        assert answer.text.count(f'nonce="{nonce}"') == scripts and "unsafe" not in policy
        assert client.get("/class").headers["content-security-policy"] != policy
        assert answer.headers["cache-control"] == "no-store"


def test_stop_all_stops_what_is_at_work_and_what_waits_and_says_who_did(teacher, narrow_weights, files, monkeypatch):
    monkeypatch.setenv("NST_AT_WORK_PER_SESSION", "1")
    monkeypatch.setattr(DEVICE_LANE, "workers", 1)
    working = under_way(painting(files, "working", steps=100_000))
    waiting = painting(files, "waiting", steps=100_000)
    assert teacher.post("/class/stop").json() == {"stopped": 2}
    assert working.job.wait(60) and waiting.job.wait(60)
    assert working.toasts[-1].text == STOPPED and working.run.remaining > 0 and not working.busy
    assert STOPPED in look(waiting)["status"] and not waiting.busy
    assert teacher.post("/class/stop").json() == {"stopped": 0}


COLORS = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (1, 0, 1), (0.25, 0.5, 0.75)]


def test_the_sheet_has_every_picture_with_its_name_and_preset(teacher, tmp_path, monkeypatch):
    parts = []
    monkeypatch.setattr(
        sheet, "draw_parts", lambda moment, *given: parts.extend(moment.parts) or draw_parts(moment, *given)
    )
    for number, color in enumerate(COLORS):
        done(pupil(f"Pupil {number}"), tmp_path, color, preset="gatys" if number else "lab")
    at_work(pupil("At work"), (0.5, 0.5, 0.5))
    pupil("only looks")
    answer = teacher.get("/class/sheet.png")
    assert "attachment" in answer.headers["content-disposition"]
    paper = Image.open(io.BytesIO(answer.content))
    assert paper.width == 2480 and round(paper.info["dpi"][0]) == 300
    counts = {color: count for count, color in paper.getcolors(2**20)}
    for color in [*COLORS, (0.5, 0.5, 0.5)]:
        assert counts[tuple(round(255 * value) for value in color)] > 300 * 400  # print-size
    captions = [part.caption.split("\n") for part in parts]
    assert captions[0] == ["Pupil 0", PRESETS["lab"].title] and captions[1] == ["Pupil 1", PRESETS["gatys"].title]
    assert captions[-1][0] == "At work" and len(captions) == 8
    places = [(part.row, part.column) for part in parts]
    assert all(one < other for one, other in pairwise(places))


@pytest.mark.parametrize("count", [0, 1])
def test_a_sheet_of_few_is_a_sheet(teacher, tmp_path, count):
    for number in range(count):
        done(pupil(f"Pupil {number}"), tmp_path, (0, 1, 0))
    assert images.size_of(images.load(io.BytesIO(teacher.get("/class/sheet.png").content)))[1] == 2480


def test_the_sheet_of_a_class_of_thirty_is_one_page_of_a4(teacher, tmp_path):
    for number in range(30):
        done(pupil(f"Maximilian Alexander {number}"), tmp_path, (0, 1, 0))
    height, width = images.size_of(images.load(io.BytesIO(teacher.get("/class/sheet.png").content)))
    assert width < height <= width * math.sqrt(2) + 1


@pytest.mark.parametrize(("query", "language"), [("?lang=de", "de"), ("?lang=xx", "fr"), ("", "fr")])
def test_a_sheet_speaks_the_pages_language_but_of_names(teacher, tmp_path, monkeypatch, query, language):
    said, named = [], []
    monkeypatch.setattr(sheet, "draw_parts", lambda moment, *given: named.extend(moment.parts))
    monkeypatch.setattr(sheet, "draw_text", lambda text, *given: said.append(text))
    monkeypatch.setattr(sheet, "stacked", lambda *given: Image.new("RGB", (9, 9)))
    for name in ("Stop", ""):
        done(pupil(name), tmp_path, (0, 1, 0))
    assert teacher.get(f"/class/sheet.png{query}", headers={"Accept-Language": "fr"}).status_code == 200
    words, today = catalogue(language), date.today()
    day = sheet.DATES[today.month - 1].format("{0}", "{1}")
    assert said == [words[sheet.HEADLINE], words[day].replace("{0}", str(today.day)).replace("{1}", str(today.year))]
    called, titles = {part.label for part in named}, [preset.title for preset in PRESETS.values()]
    assert "Stop" in called & words.keys()  # a name, not the word
    assert any(name.startswith(words["Painting {0}"].removesuffix("{0}")) for name in called)
    assert {part.caption.split("\n")[1] for part in named} <= {words.get(title, title) for title in titles}


class WithoutChinese(Lettering):
    """A font that has all letters but some."""

    def has(self, letter: str) -> bool:
        return letter < "一"


def test_a_letter_that_the_sheet_cannot_write_spoils_no_others_of_a_name(browsers, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(sheet, "draw_parts", lambda moment, *given: drawn.extend(moment.parts))
    sheet.class_sheet([done(pupil("Zoé 李"), tmp_path, (0, 1, 0))], lettering=WithoutChinese())
    assert drawn[0].caption.startswith("Zoé ?\n")
