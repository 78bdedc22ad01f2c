"""What a page shows, as its handlers are given it by name."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from nst_core.transfer.presets import PRESETS
from nst_core.ui.page.form import Form
from nst_core.ui.studio.controls_and_config import controls_of
from nst_core.ui.studio.shared_components import PAINTED_WITH


def page_showing(preset: str, content: Any = None, style: Any = None, **changes: Any) -> dict[str, Any]:
    """A page with two pictures and a preset's settings, and what was changed of these or given beside them."""
    shown = {**dict.fromkeys(PAINTED_WITH), "preset": preset, "content": content, "style": style}
    return shown | controls_of(PRESETS[preset].config) | changes


def job_forms(monkeypatch, module, build: Callable[[], object]) -> tuple[Form, Form]:
    """Inputs and outputs of the job that a function of a module connects when it lays out its part of the page."""
    connected: list[tuple] = []
    with monkeypatch.context() as patch, gr.Blocks():
        patch.setattr(module, "connect_job", lambda *given: connected.append(given))
        build()
    [(*_, inputs, outputs)] = connected
    return inputs, outputs


def update_of(component: Any) -> dict[str, Any]:
    """What an update sets of a component."""
    return component._constructor_args[0]


def untitled(toast: str) -> str:
    """The text of a toast below its title."""
    return toast.partition("</b><br>")[2] if toast.startswith("<b>") else toast
