"""Offers endpoints to agents as tools of the Model Context Protocol, where `gradio[mcp]` is installed.

A tool answers with a small JPEG to look at and the address of the PNG: gradio gives pictures to agents whole, and a PNG
of some megabytes would fill what an agent can hold. Gradio calls handlers outside of its queue at once, with the
agent's own request, so that each agent has its own place in the lane.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.route_utils import get_root_url

from nst_core import images
from nst_core.engine.lane import Client, Lane
from nst_core.transfer.steering import Steering
from nst_core.ui.page.events import INSTANT
from nst_core.ui.serving.fetched import FILES, fetch_picture
from nst_core.ui.serving.turns import have_signature, in_turn

MOST_SIDE = 1024  # pixels of the JPEG
PATH = "/gradio_api/mcp"
HOW_TO_NAME_IT = "An http(s) address, that of an answer of this server too, or a data: URI."


def are_here() -> bool:
    """Whether agents can be served: what gradio needs for it is installed."""
    return find_spec("mcp") is not None


def no_tool(handler: Any) -> Any:
    """Keep a handler for programs from being a tool, which gradio would make of every endpoint; the handler."""
    handler._mcp_type = "program"
    handler.__name__ += "_for_programs"  # else it would take a tool's name
    return handler


def add_picture_tool(
    name: str, lane: Lane, function: Callable[..., Any], inputs: Sequence[gr.components.Component]
) -> None:
    """Add a tool that paints a picture.

    Args:
        name: of the tool.
        lane: where its jobs wait.
        function: as of `serving.turns.endpoint`; what it gives last is the path of a PNG. Its pictures are of type
            Path, or Path | None where they may be left out.
        inputs: of its parameters, in their order.
    """
    own = inspect.signature(function)
    shown = [one for one in own.parameters.values() if one.kind is not one.KEYWORD_ONLY]
    pictures = [number for number, one in enumerate(shown) if one.annotation in (Path, Path | None)]
    asked_for = {number for number in pictures if shown[number].default is inspect.Parameter.empty}
    typed = [
        gr.Textbox(None if number in asked_for else "", visible=False, label=shown[number].name) for number in pictures
    ]
    asked = [typed[pictures.index(number)] if number in pictures else one for number, one in enumerate(inputs)]

    async def tool(*given: Any) -> tuple[str, str]:
        *values, request = given
        steering, path, root = Steering(), "", get_root_url(request, PATH, None)

        def work() -> Iterator[Any]:
            made = function(*values, steering=steering)
            yield from made if isinstance(made, Iterator) else [made]

        for number in pictures:
            wanted = values[number] or number in asked_for
            values[number] = await fetch_picture(values[number], root) if wanted else None
        async for view in in_turn(lane, Client(address=request.client.host), steering, work):
            path = view
        return str(_small(Path(path))), f"The whole picture, a PNG: {root}{FILES}{path}"

    first, _, rest = (inspect.getdoc(function) or "").partition("Args:")
    words = f"{first.splitlines()[0]}\n\nArgs:{rest}"
    for number in pictures:
        words = re.sub(rf"(\b{shown[number].name}: .*)", rf"\1 {HOW_TO_NAME_IT}", words, count=1)
    for number in pictures:
        default = inspect.Parameter.empty if number in asked_for else ""
        shown[number] = shown[number].replace(annotation=str, default=default)
    _show_as(tool, name, words, shown)
    outputs = [gr.Image(format="jpeg", visible=False, label="small"), gr.Textbox(visible=False, label="address")]
    _add(tool, f"{name}_tool", asked, outputs)


def add_words_tool(name: str, function: Callable[[], str]) -> None:
    """Add a tool without arguments that tells something, and the same as a resource, `lab://name`."""

    def tool() -> str:
        return function()

    def resource() -> str:
        return function()

    words = inspect.getdoc(function) or ""
    _show_as(tool, name, words, [], request=False)
    _show_as(resource, name, words, [], request=False)
    answer = gr.Textbox(visible=False, label=name)
    _add(tool, f"{name}_tool", [], answer)
    _add(
        gr.mcp.resource(f"lab://{name}", description=words, mime_type="text/markdown")(resource),
        f"{name}_words",
        [],
        answer,
    )


def _add(handler: Callable[..., Any], api_name: str, inputs: Any, outputs: Any) -> None:
    gr.Button(visible=False).click(
        handler, inputs, outputs, api_name=api_name, **{**INSTANT, "api_visibility": "public"}
    )


def _show_as(
    handler: Any, name: str, words: str, parameters: Sequence[inspect.Parameter], *, request: bool = True
) -> None:
    """Let gradio see a handler under a name, with words and parameters."""
    asked = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=gr.Request)
    handler.__name__, handler.__doc__ = name, words
    parameters = [*parameters, *([asked] if request else [])]
    have_signature(handler, inspect.Signature(parameters))
    handler.__annotations__ = {one.name: one.annotation for one in parameters}


def _small(path: Path) -> Path:
    """Write a picture's JPEG beside it, so large that it can be looked at."""
    small = path.with_suffix(".jpg")
    image = images.over_white(images.load(path, keep_transparency=True))
    if max(images.size_of(image)) > MOST_SIDE:
        image = images.fit(image, MOST_SIDE)
    images.save_jpeg(image, small)
    return small
