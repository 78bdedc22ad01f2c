"""Makes gradio's Blocks fit for strangers: inputs are checked in one place, and handlers fail in a sentence."""

import logging
from collections.abc import AsyncIterator, Iterator
from copy import copy
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.state_holder import SessionState

from nst_core.assets import ASSETS
from nst_core.engine.jobs import excuse
from nst_core.errors import NSTError, seen
from nst_core.ui.page.toasts import refusal

LONGEST_ERROR = 300  # characters of a component's own words
NOT_YOURS = "that is no file that was uploaded here, or it is gone by now (files are kept for a while); choose it again"
NO_SENSE = "what was sent does not fit this page; reload it, and try again"

log = logging.getLogger(__name__)


class Page(gr.Blocks):
    """gr.Blocks for strangers.

    Every file that reaches a handler lies in this server's own folders, whatever a client writes into a request; none
    is fetched from elsewhere. What goes wrong becomes a toast, without traces of the program.
    """

    def get_block_name(self) -> str:
        """Give the name of gradio's own Blocks."""
        return "blocks"

    async def preprocess_data(self, block_fn: BlockFunction, inputs: list[Any], *given: Any, **named: Any) -> Any:
        """Check a request's inputs, then let gradio read them.

        What a program leaves out at the end has its default, as gradio's own client would send it.

        Raises:
            gr.Error: a file that is not this server's to give; inputs that no page of ours sends.
        """
        try:
            for path in paths_in(inputs):
                check_own(path)
            if block_fn.api_visibility == "public":
                inputs = [*inputs, *(getattr(left_out, "value", None) for left_out in block_fn.inputs[len(inputs) :])]
            return await super().preprocess_data(block_fn, inputs, *given, **named)
        except NSTError as error:
            raise refusal(error) from None
        except gr.Error as error:
            text = error.message if len(error.message) <= LONGEST_ERROR else NO_SENSE
            raise refusal(text) from None
        except MemoryError as error:
            raise refusal(excuse(error)) from None
        except Exception as error:
            if isinstance(error.__cause__, NSTError):  # of a component of ours
                raise refusal(error.__cause__) from None
            log.warning("refused inputs: %s", type(error).__name__)
            raise refusal(NO_SENSE) from None

    async def call_function(
        self,
        block_fn: BlockFunction | int,
        processed_input: list[Any],
        iterator: AsyncIterator[Any] | None = None,
        requests: gr.Request | list[gr.Request] | None = None,
        event_id: str | None = None,
        event_data: gr.EventData | None = None,
        *given: Any,
        **named: Any,
    ) -> dict[str, Any]:
        """Call a handler, or take what it yields next.

        Raises:
            gr.Error: it failed; the log has the whole of what was not foreseen.
        """
        if isinstance(block_fn, int):
            block_fn = self.fns[block_fn]
        try:
            return await super().call_function(
                block_fn, processed_input, iterator, requests, event_id, event_data, *given, **named
            )
        except gr.Error:
            raise
        except NSTError as error:
            raise refusal(error) from None
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            if not block_fn.collects_event_data:
                raise refusal(excuse(error)) from None
            # what a component says of an event is whatever a client writes
            log.warning("refused an event: %s in %s", type(error).__name__, block_fn.name)
            raise refusal(NO_SENSE) from None
        except Exception as error:
            raise refusal(excuse(error)) from None

    async def postprocess_data(
        self, block_fn: BlockFunction, predictions: Any, state: SessionState | None
    ) -> list[Any]:
        """Let gradio write a handler's updates, of those outputs that it does not leave as they are.

        gradio 6.31 makes each output anew that is left as it is, half a millisecond each: a page has hundreds. It takes
        an update's own mark for a property of a gr.HTML, and one that is not laid out yet, as its group is folded, then
        loses those that it has.
        """
        outputs = block_fn.outputs
        if not isinstance(predictions, list | tuple) or len(predictions) != len(outputs) or len(outputs) < 2:
            return without_marks(await super().postprocess_data(block_fn, predictions, state))
        changed = [number for number, update in enumerate(predictions) if not is_skip(update)]
        written = [None if output.stateful else gr.skip() for output in outputs]
        if changed:
            function = copy(block_fn)
            function.outputs = [outputs[number] for number in changed]
            made = [predictions[number] for number in changed]
            updates = await super().postprocess_data(function, made if len(made) > 1 else made[0], state)
            for number, update in zip(changed, without_marks(updates), strict=True):
                written[number] = update
        return written


def is_skip(update: object) -> bool:
    """Whether an update leaves its output as it is."""
    return isinstance(update, dict) and update == gr.skip()


def without_marks(updates: list[Any]) -> list[Any]:
    """Take the marks of updates out of their properties."""
    for update in updates:
        if isinstance(update, dict) and update.get("props") == {"__type__": "update"}:
            del update["props"]
    return updates


def paths_in(inputs: object) -> Iterator[str]:
    """List the path of every file that a request's inputs name, however deep."""
    waiting = [inputs]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("path"), str):
                yield value["path"]
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value


def check_own(path: str) -> None:
    """Refuse a file that is neither in the folder of uploads and results nor an example.

    Args:
        path: as the client wrote it; links in it are followed.

    Raises:
        NSTError: it is not; in the same words whether such a file exists or not.
    """
    try:
        place = Path(path).resolve()
    except (OSError, ValueError, RuntimeError):  # a name too long, a zero byte, links in a circle
        raise NSTError(NOT_YOURS) from None
    own = Path(gr.utils.get_upload_folder()).resolve()
    if not (place.is_relative_to(own) or place.is_relative_to(ASSETS)) or not place.is_file():
        log.warning("refused a file that is none of ours: %s", seen(path))
        raise NSTError(NOT_YOURS)
