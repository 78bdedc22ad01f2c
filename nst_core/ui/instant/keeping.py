"""Keeps what a browser's Instant tab shows on disk, beside its painting, so that a page that is opened again has it."""

import base64
import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nst_core.errors import NSTError, OutputError
from nst_core.files import plain_errors, writing
from nst_core.ui.studio.instant_session import NO_BLEND, InstantSession, Mix
from nst_core.ui.studio.keeping import folder_of, linked

ROOM, STATE, PICTURE, RESULT, STYLES = "instant", "instant.json", "picture", "result", "styles"
FORMAT = 1  # of STATE
DAMAGED = "what was kept of this tab is damaged, or of another version; choose a picture anew"

log = logging.getLogger(__name__)


def keep_instant(session: InstantSession) -> None:
    """Keep a page's picture, painting, own styles and settings for its browser; what cannot be written is logged."""
    if not session.key:
        return
    folder = folder_of(session.key) / ROOM
    files = (session.result, session.result.with_suffix(".jpg")) if session.result else ()
    size, transparency = session.painted[3:] if session.painted else (None, True)
    try:
        with plain_errors("the painting"):
            picture = _alone([session.source] if session.source else [], folder / PICTURE)
            result = _alone(files, folder / RESULT)
            own = {name: session.pictures[name] for name in session.own}
            styles = _alone(own.values(), folder / STYLES, own)
        state = {
            "format": FORMAT,
            "style": session.chosen,
            "mix": session.mix._asdict(),
            "size": size,
            "keep_transparency": transparency,
            "told": session.told,
            "picture": picture[0] if picture else None,
            "result": result[0] if result else None,
            "own": [
                [name, file, base64.b64encode(session.own[name].thumbnail or b"").decode()]
                for name, file in zip(own, styles, strict=True)
                if file
            ],
        }
        with writing(folder / STATE) as aside:
            aside.write_text(json.dumps(state))
    except OutputError as error:
        log.warning("the Instant tab could not be kept: %s", error)


def _alone(files: Iterable[Path], folder: Path, names: Iterable[str] | None = None) -> list[str | None]:
    """Have files in a folder, and nothing else; by those names, or their own. Give their names there, None if gone."""
    files = list(files)
    folder.mkdir(parents=True, exist_ok=True)
    stems = [file.stem for file in files] if names is None else names
    there = [linked(file, folder, stem) for file, stem in zip(files, stems, strict=True)]
    for path in folder.iterdir():
        if path.name not in there:
            path.unlink(missing_ok=True)
    return there


def find_instant(session: InstantSession, key: str) -> None:
    """Fill a session with what was kept of its browser's; of a style that is gone, the picture alone comes back.

    Args:
        session: a fresh one, the page's own.
        key: by which its browser knows what it had; "": it has none.

    Raises:
        NSTError: it is damaged.
    """
    session.key = key
    folder = folder_of(key) / ROOM
    if not key or not (folder / STATE).is_file():
        return
    try:
        state = json.loads((folder / STATE).read_text())
        if state["format"] != FORMAT:
            raise ValueError("of another version")
        _fill(session, folder, state)
    except (NSTError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        log.warning("what was kept of an Instant tab could not be restored: %s", error)
        raise NSTError(DAMAGED) from None


def _fill(session: InstantSession, folder: Path, state: dict[str, Any]) -> None:
    def found(room: str, name: object) -> Path | None:
        path = folder / room / Path(str(name)).name
        return path if name and path.is_file() else None

    told = [(str(name), found(STYLES, file), base64.b64decode(small)) for name, file, small in state["own"]]
    session.take_back({name: (path, small) for name, path, small in told if path})
    mix = Mix(*(kind(state["mix"][name]) for name, kind in Mix.__annotations__.items()))
    is_there = state["style"] in session.names and mix.second in (NO_BLEND, *session.names)
    if is_there:
        session.chosen, session.mix = state["style"], mix
    session.source, result = found(PICTURE, state["picture"]), found(RESULT, state["result"])
    if session.source and result and is_there:
        size = None if state["size"] is None else float(state["size"])
        session.result, session.told = result, str(state["told"])
        session.painted = session.chosen, mix, session.source, size, state["keep_transparency"] is True
