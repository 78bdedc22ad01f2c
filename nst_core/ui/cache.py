"""Files for the page, in gradio's cache, which deletes them in time."""

import secrets
from pathlib import Path

import gradio as gr


def new_file(name: str) -> Path:
    """A path of that name, in a folder that cannot be guessed."""
    folder = Path(gr.utils.get_upload_folder()) / secrets.token_hex(16)
    folder.mkdir(parents=True)
    return folder / name
