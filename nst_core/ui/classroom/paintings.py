"""Looks at the paintings of all browsers, for who may: how far each is, and its newest picture."""

import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from typing import NamedTuple
from weakref import WeakKeyDictionary

from torch import Tensor

from nst_core import images
from nst_core.errors import NSTError
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.previews import picture_of
from nst_core.ui.studio.controls_and_config import preset_of
from nst_core.ui.studio.progress import progress_of
from nst_core.ui.studio.session import Session

SIDES = (480, 1024)  # pixels of a picture on the wall, and of the one that is shown large
FRESH_SECONDS = 2.0  # that a picture of a painting at work is shown, before another is made
MOST_KEPT = 400  # JPEGs in memory; the oldest give way

# One thread, as cores are there to paint.
HANDS = ThreadPoolExecutor(max_workers=1, thread_name_prefix="class")

_NUMBERS: "WeakKeyDictionary[Session, int]" = WeakKeyDictionary()  # of those who gave no name
_NEXT = count(1)


class Painting(NamedTuple):
    """What the wall knows of a painting: all of it may be seen by who looks at the wall.

    Attributes:
        id: by which its picture is asked for; it opens nothing else.
        name: of the pupil.
        status: how far it is, in words.
        share: the same, 0 … 1.
        busy: whether it is at work or waits.
        version: of its newest picture; "": there is none yet.
    """

    id: str
    name: str
    status: str
    share: float
    busy: bool
    version: str


class Newest(NamedTuple):
    """The newest picture of a painting, which is only read when it is asked for."""

    version: str
    image: Callable[[], Tensor]  # (1, 3 or 4, H, W) in [0, 1]


def on_the_wall() -> Iterator[Session]:
    """Go through the sessions of browsers that paint, or have a picture, in the order in which they came."""
    for session in list(Session.known.values()):
        if session.busy or newest(session):
            yield session


def find(view: str) -> Session | None:
    """Find a session on the wall by its painting's id."""
    return next((session for session in on_the_wall() if session.view == view), None)


def told(session: Session) -> Painting:
    """Tell what the wall shows of a session."""
    status, share = progress_of(session)
    picture = newest(session)
    return Painting(session.view, name_of(session), status, share, session.busy, picture.version if picture else "")


def name_of(session: Session) -> str:
    """Give the pupil's name, or a number."""
    if session.name:
        return session.name
    if session not in _NUMBERS:
        _NUMBERS[session] = next(_NEXT)
    return f"Painting {_NUMBERS[session]}"


def newest(session: Session) -> Newest | None:
    """Find the newest picture of a session: of its run as long as that goes on, then its result."""
    channel = session.channel
    results = [result for result in session.results.kept[:1] if result.path.exists()]
    if results and not (session.busy and channel and channel.image is not None):
        path = results[0].path
        return Newest(_version(path), lambda: images.load(path))
    if channel and (image := channel.image) is not None:
        return Newest(_version(channel.token, channel.painted), lambda: picture_of(image))
    return None


def _version(*of: object) -> str:
    """Tell a picture from others, and nothing else about it."""
    return hashlib.sha256(repr(of).encode()).hexdigest()[:16]


def preset_title(session: Session) -> str:
    """Name the preset of the picture that `newest` finds; "" where none is known."""
    config: StyleTransferConfig | None = session.config
    if session.results.kept and not session.busy:
        config = session.results.kept[0].record.config
    name = preset_of(config.changed(last_step=0)) if config else None
    return PRESETS[name].title if name else ""


class Pictures:
    """Makes JPEGs of the newest pictures, each once, and keeps them. May be used from one thread at a time."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], tuple[str, float, bytes]] = {}  # (id, side) -> version, since when, JPEG

    def jpeg(self, session: Session, side: int, now: float | None = None) -> bytes | None:
        """Give the newest picture of a session, or of a painting at work one that is FRESH_SECONDS old at most.

        Args:
            session: whose.
            side: pixels, at most.
            now: the time; monotonic seconds.

        Returns:
            a JPEG; None where there is no picture (any more).
        """
        now, picture, place = time.monotonic() if now is None else now, newest(session), (session.view, side)
        if picture is None:
            return None
        version, since, made = self._kept.get(place, ("", 0.0, b""))
        if made and (version == picture.version or session.busy and now - since < FRESH_SECONDS):
            return made
        with suppress(NSTError):  # its file was deleted just now
            made = images.encode_jpeg(picture.image(), max_side=side)
            self._kept.pop(place, None)
            self._kept[place] = picture.version, now, made
            while len(self._kept) > MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
        return made or None
