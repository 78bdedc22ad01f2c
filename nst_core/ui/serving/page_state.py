"""Keeps the state of every open page: found by gradio's name of the page, and ended when that is closed."""

from typing import Any, ClassVar, Self
from weakref import WeakValueDictionary

import gradio as gr

from nst_core.ui.page.events import name_of
from nst_core.ui.serving.audience import Leaving


class PageState:
    """State of one open page; a subclass says in `leave` what ends with it.

    Attributes:
        open: each subclass's own: gradio's name of a page -> the page's state, as long as gradio holds it.
    """

    open: ClassVar[WeakValueDictionary[str, Any]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.open = WeakValueDictionary()

    def __deepcopy__(self, memo: object) -> Self:
        return type(self)()  # gradio copies it for each page; what goes on for one cannot be copied

    def enter(self, request: gr.Request) -> None:
        """Become the state of the page that asks."""
        type(self).open[name_of(request)] = self

    def leave(self) -> None:
        """End what goes on for the page, which was closed."""
        raise NotImplementedError

    @classmethod
    def leave_page(cls, page: Leaving) -> None:
        """End what goes on for a page that was closed, if anything."""
        if (state := cls.open.get(page.session_hash)) is not None:
            state.leave()
