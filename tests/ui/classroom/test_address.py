"""The link from which a class starts, its QR code, and what a page makes of it."""

import re
from html import unescape
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import cv2
import gradio as gr
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from nst_core import images
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.errors import NSTError
from nst_core.ui.page.downloads import IN_USE
from nst_core.ui.serving.housekeeping import sweep
from nst_core.ui.studio import links
from nst_core.ui.studio.controls_and_config import controls_of, default_config
from nst_core.ui.studio.keeping import find_session
from nst_core.ui.studio.links import EXAMPLES, LENT, MOST_LENT, RETURNED, lend, linked_picture
from nst_core.ui.studio.session import Session
from nst_core.ui.stylize import tab
from nst_core.ui.stylize.window import come_back, place, press_run
from tests.ui.browsers import ended, painting, shown
from tests.ui.browsers import page as a_page
from tests.ui.classroom.conftest import PASSWORD
from tests.ui.shown import update_of

STYLE = sorted(path.stem for path in EXAMPLES["style"].glob("*.jpg"))[0]


@pytest.fixture(autouse=True)
def nothing_lent(browsers, monkeypatch):
    """Files go to a folder of this test's."""
    monkeypatch.setattr(links, "LENT", LENT)
    LENT.clear()


@pytest.fixture
def upload(browsers, tmp_path, pictures):
    """The path of a picture that was uploaded, which tells where it was taken."""
    path = tmp_path / "gradio" / "folder" / "my painting.jpg"
    path.parent.mkdir(parents=True)
    exif = Image.Exif()
    exif[0x010E] = "the teacher's home"
    images.to_pil(pictures[1]).save(path, "JPEG", exif=exif)
    return path


def page(query: str, name: str = "page") -> SimpleNamespace:
    """A request of a page that was opened by a link."""
    return SimpleNamespace(session_hash=name, request=object(), query_params=dict(parse_qsl(query.lstrip("?"))))


def opened(query: str, key: str = "", name: str = "page") -> tuple[Session, dict]:
    found = come_back(Session(), key, page(query, name))
    return found["session"], found


def read_code(svg: str) -> str:
    """What a telephone reads in the SVG of a QR code."""
    [side] = {int(side) for side in re.findall(r'viewBox="0 0 (\d+) \d+"', svg)}
    [dark] = re.findall(r'<path [^>]*?stroke="#000"[^>]*? d="([^"]+)"', svg)
    modules, x, y = np.full((side, side), 255, np.uint8), 0.0, 0.0
    for order, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?", dark):
        if order == "h":
            modules[int(y), int(x) : int(x + float(first))] = 0
            x += float(first)
        else:
            x, y = (0.0, 0.0) if order == "M" else (x, y)
            x, y = x + float(first), y + float(second)
    text, *_ = cv2.QRCodeDetector().detectAndDecode(modules.repeat(8, 0).repeat(8, 1))
    return text


@pytest.mark.parametrize("query", [{}, {"preset": "gatys"}, {"preset": "lab", "style": STYLE, "figure": "grid"}])
def test_link_and_code_hold_the_same_address_which_names_what_was_chosen(teacher, query):
    told = teacher.get("/class/link", params=query).json()
    assert read_code(told["code"]) == told["address"] != ""
    assert (
        told["address"].startswith("http://testserver/") and dict(parse_qsl(urlsplit(told["address"]).query)) == query
    )


def test_every_lesson_of_the_plans_has_a_code_of_the_link_that_opens_it_in_the_tab(stranger):
    plans = stranger.get("/lesson").text
    links = [unescape(link) for link in re.findall(r'href="[.]/([?][^"]*)">Open it in the tab', plans)]
    codes = [unescape(code) for code in re.findall(r'<img class="code" src="[.](/lesson/code[?][^"]*)"', plans)]
    assert [code.removeprefix("/lesson/code") for code in codes] == links and len(links) > 8
    answer = stranger.get(codes[0])
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert read_code(answer.text) == f"http://testserver/{links[0]}"
    assert stranger.get("/lesson/code?content=" + "x" * 2000).status_code == 400


def test_a_link_names_only_what_there_is(teacher):
    for query, word in (({"preset": "mona"}, "mona"), ({"style": "mona"}, "mona"), ({"figure": "mona"}, "mona")):
        answer = teacher.get("/class/link", params=query)
        assert answer.status_code == 400 and word in answer.text and "choose one of" in answer.text


def test_a_link_to_this_computer_alone_is_told(app, teacher):
    assert teacher.get("/class/link").json()["note"] == ""
    here = TestClient(app, base_url="http://localhost:7860")
    here.post("/class", data={"password": PASSWORD})
    assert "this very computer only" in here.get("/class/link").json()["note"]


def test_a_page_that_is_opened_by_the_link_starts_with_preset_and_picture():
    session, found = opened(f"preset=gatys&style={STYLE}")
    wanted = controls_of(default_config("gatys"))
    assert found["preset"] == "gatys" and {name: found[name] for name in wanted} == wanted
    assert images.load(found["style"]).shape == images.load(EXAMPLES["style"] / f"{STYLE}.jpg").shape
    _, again = opened(f"preset=gatys&style={STYLE}", session.key, "again")
    assert again["preset"] == "gatys" and again["style"] == found["style"]


def test_who_has_painted_goes_on_when_the_page_is_loaded_again_and_starts_anew_by_another_link(narrow_weights, files):
    session = painting(files, seed=7)
    assert ended(session)
    first, other = "preset=gatys", f"preset=lab&style={STYLE}"
    for query, preset in ((first, "gatys"), (first, "gatys"), (other, "lab"), (other, "lab")):
        _, found = opened(query, session.key, "page")
        assert found["preset"] == preset and (found["style"] == str(files[1])) == ("style" not in query)
    place(session, "style", files[0])
    assert opened(other, session.key)[1]["style"] == str(files[0])
    session.name = "Ada"
    press_run(session, "", shown(files), a_page("page"))
    assert ended(session)
    for query in (other, "", "figure=grid&preset=chao"):
        _, found = opened(query, session.key)
        assert update_of(found["preset"])["value"] == "luo" and found["style"] == str(files[1])
    kept = find_session(session.key)
    assert (kept.name, kept.started_by) == ("Ada", session.link)


def test_a_link_that_leads_nowhere_is_told_and_the_page_opens():
    session, found = opened("preset=mona")
    assert "mona" in session.toasts[0].text and "preset" not in found
    session, _ = opened("figure=mona&style=nobody", name="explain")
    assert not session.toasts  # as the Explain tab tells it


def test_a_picture_that_is_lent_reaches_who_has_the_link_and_nothing_else_of_its_file(teacher, upload, tmp_path):
    name = teacher.post("/class/style", json={"path": str(upload)}).json()
    [place] = [path for path in IN_USE if path in LENT.values()]
    sweep(tmp_path / "gradio", 0, keep=set(IN_USE), now=9e12)
    assert not upload.exists() and place.exists()
    address = teacher.get("/class/link", params={"style": name}).json()["address"]
    _, found = opened(urlsplit(address).query)
    assert images.size_of(images.load(found["style"])) == (56, 40) and found["style"] != str(place)
    with Image.open(found["style"]) as picture:
        assert "home" not in str(dict(picture.getexif()))


def test_only_pictures_that_were_uploaded_here_are_lent(teacher, tmp_path, upload):
    text = upload.with_name("text.jpg")
    text.write_text("no picture")
    outside = tmp_path / "outside.png"
    images.save_png(images.load(upload), outside)
    for path in (str(text), str(outside), "/etc/passwd", "", "\x00", None, {"a": 1}):
        assert teacher.post("/class/style", json={"path": path}).status_code == 400
    for body in (b"", b"[]", b"7", b"[" * 9999):
        assert teacher.post("/class/style", content=body).status_code == 400
    assert not LENT


def test_the_oldest_picture_gives_way_and_its_link_says_so(upload):
    names = [lend(str(upload)) for _ in range(MOST_LENT + 1)]
    assert list(LENT) == names[1:] and all(path.exists() for path in LENT.values())
    with pytest.raises(NSTError, match=re.escape(RETURNED[:40])):
        linked_picture("style", names[0])
    assert linked_picture("style", names[-1]).exists()
    with pytest.raises(NSTError):
        linked_picture("content", names[-1])


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_can_be_started_with(teacher, figure):
    assert f"figure={figure}" in teacher.get("/class/link", params={"figure": figure}).json()["address"]


# The pupil's name


def name_fields() -> list[gr.Textbox]:
    """The field on the page as it is laid out, if it is seen."""
    with gr.Blocks() as page:
        tab.build()
    fields = [block for block in page.blocks.values() if getattr(block, "elem_id", None) == "pupil"]
    return [field for field in fields if field.visible]


def test_the_field_for_a_name_is_there_only_where_a_class_paints(monkeypatch):
    monkeypatch.delenv("NST_CLASS_KEY", raising=False)
    assert name_fields() == [] and "pupil" not in opened("")[1]
    monkeypatch.setenv("NST_CLASS_KEY", "key")
    [field] = name_fields()
    assert "class" in field.label
    session, _ = opened("", name="named")
    session.name = "Ada"
    shown = opened("", session.key, "again")[1]["pupil"]._constructor_args[0]
    assert shown == {"value": "Ada", "visible": True}
