"""Makes figures for the Explain tab: the handlers behind Make, Stop and Continue."""

import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import gradio as gr

from nst_core.analysis.figure import Figure, Moment
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.engine.devices import DEVICES, Closable
from nst_core.errors import NSTError, WeightsError
from nst_core.features import weights
from nst_core.features.checkpoint import CLASSIFIER
from nst_core.ui.explain.controls import key_of
from nst_core.ui.explain.session import Board, Pictures
from nst_core.ui.page.form import Updates
from nst_core.ui.page.status import duration, status_html
from nst_core.ui.page.toasts import warn
from nst_core.ui.page.weights import fetch_weights

VIEW_SECONDS = 1.2  # at least, between two views of a figure that grows


def settings_of(figure: Figure, shown: Mapping[str, Any]) -> dict[str, Any]:
    """Read a figure's options, name -> value, from what the page shows by their keys (`key_of`).

    Raises:
        ConfigError: an invalid value.
    """
    return figure.settings({option.name: shown[key_of(figure, option)] for option in figure.options})


def make_figure(board: Board, shown: Mapping[str, Any]) -> Iterator[Updates]:
    """Make a figure, showing it as it grows in "status", "figure", "go_on" and "after".

    Args:
        board: the page's.
        shown: what it shows: "figure", one of FIGURES; pictures, as Pictures names them; options, by their keys.
    """

    def begun() -> Generator[Updates, None, Closable[Moment]]:
        figure = FIGURES[shown["figure"]]
        settings = settings_of(figure, shown)
        pictures = Pictures(**{name: shown[name] for name in Pictures._fields})
        for status in fetch_weights(settings["backbone"], board.job.steering):
            yield {"status": status}
        try:
            return board.begin(figure, settings, pictures)
        except WeightsError:
            if figure.name != "classify" or weights.find(CLASSIFIER):
                raise
            # in the page's words, without the server's folders
            label = weights.download_label(CLASSIFIER)
            raise WeightsError(f"the classifier is not here yet; press “{label}”") from None

    yield from _made(board, begun())


def go_on(board: Board) -> Iterator[Updates]:
    """Let a figure that was stopped go on."""

    def begun() -> Generator[Updates, None, Closable[Moment]]:
        if board.making is None:
            raise NSTError("there is no figure to go on with; press Make the figure")
        yield from ()
        return board.making

    yield from _made(board, begun())


def _made(board: Board, begun: Generator[Updates, None, Closable[Moment]]) -> Iterator[Updates]:
    try:
        board.job.busy = True
        yield {"status": status_html("Looking at the pictures …", share=0)}
        yield from _shown(board, (yield from begun))
    except NSTError as error:
        warn(error, "Cannot make the figure")
        yield {"status": status_html(str(error), kind="problem")}
    finally:
        board.job.busy = False
        if board.left:
            DEVICES.submit(board.drop)


def _shown(board: Board, making: Closable[Moment]) -> Iterator[Updates]:
    """Step through a figure; stopped, it is kept as it is, to go on from there."""
    told, began, seen = 0.0, time.monotonic(), False
    first = board.moment.share if board.moment else 0.0  # of the work that was done before
    yield {"go_on": gr.Button(visible=False), "after": gr.Row(visible=False)}
    try:
        while moment := DEVICES.next_of(making):
            board.moment = moment
            has_picture = any(part.image is not None and not part.done for part in moment.parts)
            if time.monotonic() - told >= VIEW_SECONDS or (has_picture and not seen):
                told, seen = time.monotonic(), seen or has_picture
                status = status_html(moment.text.capitalize(), _left(moment, first, began), share=moment.share)
                yield {"status": status, "figure": board.views.shows(moment, busy=True)}
            if board.job.steering.stop.is_set():
                yield _ended(board, moment, "Stopped", began)
                return
    except NSTError as error:
        DEVICES.submit(board.drop).result()
        if board.moment is None:
            raise
        warn(error, "The figure ended early")
        yield _ended(board, board.moment, "Ended early", began, str(error))
        return
    DEVICES.submit(board.drop).result()
    if board.moment:
        yield _ended(board, board.moment, "Done", began)


def _left(moment: Moment, first: float, began: float) -> str:
    """Estimate the time left, from the work done since this run of the figure began."""
    seconds, made = time.monotonic() - began, moment.share - first
    return f"about {duration(seconds * (1 - moment.share) / made)} left" if made > 0.03 and seconds > 2 else ""


def _ended(board: Board, moment: Moment, how: str, began: float, problem: str = "") -> Updates:
    text = f"{how} after {duration(time.monotonic() - began)}. Click a picture to enlarge it."
    status = status_html(
        problem or text, text if problem else "", share=moment.share, kind="problem" if problem else ""
    )
    return {
        "status": status,
        "figure": board.views.shows(moment, busy=False),
        "go_on": gr.Button(visible=board.making is not None),
        "after": gr.Row(visible=True),
    }
