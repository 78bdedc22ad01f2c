"""What every page has for itself."""

import copy
from types import SimpleNamespace

from nst_core.ui.serving.audience import Leaving
from nst_core.ui.serving.page_state import PageState


class Notes(PageState):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.left = 0

    def leave(self) -> None:
        self.left += 1


class Sketches(Notes):
    pass


def test_every_page_has_a_new_one():
    template = Notes()
    template.lines.append("mine")
    own = copy.deepcopy(template)
    assert type(own) is Notes and own.lines == []


def test_a_closed_page_ends_its_own_alone():
    mine, other, sketches = Notes(), Notes(), Sketches()
    for name, state in (("mine", mine), ("other", other), ("mine", sketches)):
        state.enter(SimpleNamespace(session_hash=name))
    Notes.leave_page(Leaving("mine"))
    Notes.leave_page(Leaving("nobody"))
    assert (mine.left, other.left, sketches.left) == (1, 0, 0)


def test_what_gradio_holds_no_more_is_found_no_more():
    Notes().enter(SimpleNamespace(session_hash="gone"))
    assert "gone" not in Notes.open
