"""Makes files for the page, among gradio's uploads, which `serving.housekeeping` deletes in time."""

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio as gr

from nst_core.files import plain_errors
from nst_core.outputs import check_room

PAINTINGS = "paintings"  # the folder, among uploads and results, that outlives the server
FOLDERS: set[Path] = set()  # that this program made, to be deleted with all that is in them when it ends
IN_USE: Counter[Path] = Counter()  # files and folders of jobs that go on, however old they are


def new_file(name: str) -> Path:
    """Make a path of that name, in a new folder that cannot be guessed.

    Raises:
        OutputError: the folder cannot be made, or the disk is full.
    """
    folder = Path(gr.utils.get_upload_folder()) / secrets.token_hex(16)
    check_room(folder, called="the disk for results")
    with plain_errors(name):
        folder.mkdir(parents=True)
    FOLDERS.add(folder)
    return folder / name


@contextmanager
def in_use(paths: Iterable[str | Path]) -> Iterator[None]:
    """Keep files, and what is in folders, while a job needs them."""
    kept = [Path(path) for path in paths]
    IN_USE.update(kept)
    try:
        yield
    finally:
        IN_USE.subtract(kept)
        for path in kept:
            if IN_USE[path] <= 0:
                del IN_USE[path]
