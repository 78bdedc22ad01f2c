"""Chooses what the stage shows of a figure: the one that was made on this page, or else a finished example."""

import gradio as gr

from nst_core.ui.explain.examples import example_of
from nst_core.ui.explain.session import Board
from nst_core.ui.page.form import Updates


def exhibit(board: Board, name: str) -> Updates:
    """Show what there is of a figure in "figure", with "go_on" for one that was made here, "after" for either.

    While another one is made, that stays.
    """
    if board.job.busy:
        return {}
    is_own = board.figure is not None and board.figure.name == name and board.moment is not None
    board.looked_at, board.covered = None, not is_own
    board.example = None if is_own else example_of(name)
    example = board.example.shows() if board.example else None
    return {
        "figure": board.views.shows(board.moment, busy=False) if is_own and board.moment else example,
        "go_on": gr.Button(visible=is_own and board.making is not None),
        "after": gr.Row(visible=is_own or board.example is not None),
        "enlarged": gr.Column(visible=False),
    }
