"""Gives handlers the values of components by name, and takes updates from them by name, as dictionaries."""

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import gradio as gr
from gradio.blocks import Block

from nst_core.ui.page.events import Update

Updates = Mapping[str, Update]  # by name; what is not named stays as it is
Given = ParamSpec("Given")
Made = TypeVar("Made")


class Form:
    """Components of a page by name; gradio hands values over, and takes updates, one after another in its order."""

    def __init__(self, parts: Mapping[str, Block]) -> None:
        self.parts = dict(parts)

    def __getitem__(self, name: str) -> Block:
        return self.parts[name]

    def __iter__(self) -> Iterator[Block]:
        """Go through the components, in the order in which gradio is given them."""
        return iter(self.parts.values())

    def __or__(self, others: Mapping[str, Block]) -> "Form":
        """Join further components.

        Raises:
            ValueError: a name that is taken.
        """
        if taken := self.parts.keys() & others:
            raise ValueError(f"the form has {', '.join(sorted(taken))} already")
        return Form(self.parts | dict(others))

    def only(self, *names: str) -> "Form":
        """Choose some of the components."""
        return Form({name: self.parts[name] for name in names})

    def changes(self) -> list[Any]:
        """List the events by which its components, all of which have one, say that they show something else."""
        parts: list[Any] = list(self)
        return [part.change for part in parts]

    def read(self, values: tuple[Any, ...]) -> dict[str, Any]:
        """Name the values that the components hold.

        Raises:
            ValueError: more or fewer than there are components.
        """
        return dict(zip(self.parts, values, strict=True))

    def given_to(self, handler: Callable[..., Made]) -> Callable[..., Made]:
        """Make a handler that gradio calls of one that takes this form's values by name, as its last argument."""

        def called(*given: Any) -> Made:
            first = len(given) - len(self.parts)
            return handler(*given[:first], self.read(given[first:]))

        return called

    def filled_by(self, handler: Callable[Given, Updates]) -> Callable[Given, list[Update]]:
        """Make a handler that gradio calls of one that gives updates by name.

        Raises:
            KeyError: when called: an update of what the form does not have.
        """

        @wraps(handler)
        def called(*args: Given.args, **kwargs: Given.kwargs) -> list[Update]:
            return self.updates(handler(*args, **kwargs))

        return called

    def updates(self, updates: Updates) -> list[Update]:
        """Put updates into the order of the components.

        Raises:
            KeyError: an update of what the form does not have.
        """
        if unknown := updates.keys() - self.parts.keys():
            raise KeyError(f"the form has no {', '.join(sorted(unknown))}")
        return [updates.get(name, gr.skip()) for name in self.parts]
