"""Laws of the page as a whole, once it is built from its tabs."""

import os
import runpy

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


def test_no_event_has_the_page_look_for_what_shows_its_progress(built):
    """Gradio's page would look for it among all components, at every event."""
    events = built[2].get_config_file()["dependencies"]
    wrong = [event["api_name"] for event in events if event["show_progress_on"] != []]
    assert not [name for name in wrong if not name.startswith("load_example")]  # gradio's own, of one output each
