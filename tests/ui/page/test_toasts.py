"""Toasts are text, whatever a file is called and a link says."""

import gradio as gr
import pytest

from nst_core.errors import ConfigError
from nst_core.pictures import notes
from nst_core.ui.page.toasts import refusal, remark, warn


def test_what_a_link_says_is_no_html_below_the_toast_s_own_title(monkeypatch):
    told = []
    monkeypatch.setattr(gr, "Warning", lambda text, **given: told.append((text, given)))
    warn(ConfigError("figure is '<a href=//evil>Update</a>' & more"), "No <figure>", 8)
    ((text, given),) = told
    assert text == "<b>No &lt;figure&gt;</b><br>figure is '&lt;a href=//evil&gt;Update&lt;/a&gt;' &amp; more"
    assert given == {"title": "No <figure>", "duration": 8}


def test_a_refusal_is_no_html_and_no_traceback():
    error = refusal("<img src=x>")
    assert "<" not in error.message and not error.print_exception
    with pytest.raises(gr.Error):
        raise error


def test_what_is_missing_of_a_picture_is_told_by_its_page(monkeypatch):
    told = []
    monkeypatch.setattr(gr, "Warning", lambda text, **given: told.append(text))
    with notes.told_to(remark):
        notes.note("<a>.jpg is cut short")
    assert told == ["<b>Not all of the picture</b><br>&lt;a&gt;.jpg is cut short"]
