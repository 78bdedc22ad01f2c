"""Laws of the page as a whole, once it is built from its tabs."""

import os
import runpy

import gradio as gr
import pytest

from nst_core.pictures import notes
from nst_core.ui.page.toasts import remark
from nst_core.ui.serving.audience import AUDIENCE
from nst_core.ui.serving.page_state import PageState
from tests.test_structure import ROOT


@pytest.fixture(scope="module")
def built():
    """(who tells of pictures, all who are told when a page is closed, the page) once it is built; as before after."""
    with pytest.MonkeyPatch.context() as before, notes.told_to(notes._tell):
        before.setattr(os, "environ", os.environ.copy())
        before.setattr(AUDIENCE, "_when_left", [])
        page = runpy.run_path(str(ROOT / "app.py"))["demo"]
        return notes._tell, AUDIENCE._when_left, page


def test_it_hears_notes_of_pictures(built):
    assert built[0] is remark


def test_whatever_goes_on_for_a_page_ends_with_it(built):
    def kinds(of: type) -> list[type]:
        return [each for kind in of.__subclasses__() for each in (kind, *kinds(kind))]

    states = [kind for kind in kinds(PageState) if kind.__module__.startswith("nst_core.")]
    assert len(states) >= 5 and all(kind.leave_page in built[1] for kind in states)


def test_what_is_typed_beside_a_slider_is_taken_as_its_field_shows_it(built):
    sliders = [part for part in built[2].blocks.values() if isinstance(part, gr.Slider) and part.visible]
    assert len(sliders) > 5
    for slider in sliders:
        low, high = slider.minimum, slider.maximum
        typed = {low: low, high: high, low - 7: low, high + 1e9: high, None: min(max(0, low), high)}
        assert {each: slider.preprocess(each) for each in typed} == typed


SETS = {"input", "change", "select", "pick", "place", "look", "point", "upload", "clear", "submit", "blur", "release"}


def test_what_is_set_while_the_same_was_heard_just_now_is_heard_too(built):
    """By default gradio's page drops it; and what waits for its turn has the event data of the one before."""
    for event in built[2].get_config_file()["dependencies"]:
        by = {name for _, name in event["targets"]} & SETS
        heard = {"multiple"} if event["collects_event_data"] else {"multiple", "always_last"}
        assert not by or event["trigger_mode"] in heard, (event["api_name"], by)


def test_what_refuses_the_fields_of_an_event_is_told(built):
    """Gradio's page shows no error of an event that is not queued."""
    config = built[2].get_config_file()
    fields = {part["id"] for part in config["components"] if part["type"] not in ("state", "browserstate")}
    queued: dict[int, set[int]] = {}  # event -> fields that are read again, where they can be refused aloud
    for event in config["dependencies"]:
        if event["trigger_only_on_failure"]:
            queued.setdefault(event["trigger_after"], set()).update(event["inputs"] if event["queue"] else ())
    refused = [event for event in config["dependencies"] if event["id"] in queued and not event["queue"]]
    assert all(fields.intersection(event["inputs"]) <= queued[event["id"]] for event in refused) and len(refused) > 3


def test_no_event_has_the_page_look_for_what_shows_its_progress(built):
    """Gradio's page would look for it among all components, at every event."""
    events = built[2].get_config_file()["dependencies"]
    wrong = [event["api_name"] for event in events if event["show_progress_on"] != []]
    assert not [name for name in wrong if not name.startswith("load_example")]  # gradio's own, of one output each
