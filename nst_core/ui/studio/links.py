"""Names pictures in links, lends a teacher's own to a class, and reads where a link has people start."""

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.errors import ConfigError, said
from nst_core.ui.page.downloads import IN_USE, new_file
from nst_core.ui.serving.page import check_own
from nst_core.ui.studio.controls_and_config import preset_config

FIGURE_KEY, PRESET_KEY, CONTENT_KEY, STYLE_KEY = "figure", "preset", "content", "style"
EXAMPLES = {CONTENT_KEY: ASSETS / "photos", STYLE_KEY: ASSETS / "styles"}

LENT_SIDE = 2048  # pixels of a picture that is lent
MOST_LENT = 20  # pictures; the oldest give way
LENT_MARK = "lent-"  # before the names of those, which cannot be guessed
LENT: dict[str, Path] = {}  # by name, the oldest first; as long as the server runs
RETURNED = "the link's picture is not here any more, as the server was started again since; ask for a new link"


class Start(NamedTuple):
    """Where a link has people start in the Stylize tab.

    Attributes:
        preset: by name; "": as it is.
        style: a picture, by name; "": none.
        figure: which the Explain tab shows first, by name; "": none, they paint.
    """

    preset: str = ""
    style: str = ""
    figure: str = ""

    def query(self) -> str:
        """Write it as the end of an address: "?preset=studio&style=dawn_window"."""
        told = {FIGURE_KEY: self.figure, PRESET_KEY: self.preset, STYLE_KEY: self.style}
        return "?" + urlencode({key: name for key, name in told.items() if name})


def read_start(query: Mapping[str, str]) -> Start | None:
    """Read where an address has people start, None if it says nothing of that; other parts of it are ignored.

    The figure is for who makes it to check.

    Raises:
        ConfigError: an unknown preset or picture.
    """
    start = Start(*(query.get(key, "") for key in (PRESET_KEY, STYLE_KEY, FIGURE_KEY)))
    if start.preset:
        preset_config(start.preset)
    if start.style:
        _file_of(STYLE_KEY, start.style)
    return start if start.preset or start.style else None


def linked_picture(key: str, name: str) -> Path:
    """Give the picture that a link names: an example or one that is lent; it names no other files.

    Args:
        key: one of EXAMPLES.
        name: of the picture.

    Raises:
        ConfigError: there is no such picture.
    """
    found = _file_of(key, name)
    # as a copy: gradio serves no file of a program that was started in another folder
    return Path(shutil.copy(found, new_file(found.name)))


def _file_of(key: str, name: str) -> Path:
    found = {path.stem: path for path in sorted(EXAMPLES[key].glob("*.jpg"))} | (LENT if key == STYLE_KEY else {})
    if name in found:
        return found[name]
    if name.startswith(LENT_MARK):
        raise ConfigError(RETURNED)
    examples = [other for other in found if other not in LENT]
    raise ConfigError(f"the link's {key} is {said(name)}; choose one of {', '.join(examples)}")


def lend(path: str) -> str:
    """Lend an uploaded picture, as a style, to all who follow a link; give the name for the link.

    They get the picture alone, without what else its file tells, such as where it was taken.

    Args:
        path: as gradio answered the upload.

    Raises:
        NSTError: no file that was uploaded here, or no picture.
    """
    check_own(path)
    name, place = LENT_MARK + secrets.token_urlsafe(12), new_file(f"{Path(path).stem}.jpg")
    images.save_jpeg(images.load(path, max_side=LENT_SIDE), place)
    LENT[name] = place
    IN_USE[place] += 1
    while len(LENT) > MOST_LENT:
        oldest = LENT.pop(next(iter(LENT)))
        IN_USE.pop(oldest, None)
        oldest.unlink(missing_ok=True)
    return name
