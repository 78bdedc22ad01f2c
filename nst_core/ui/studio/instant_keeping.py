"""Keeps what a browser's Instant tab shows on disk, beside its painting, so that a page that is opened again has it."""

import base64
import hashlib
import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nst_core.engine.devices import DEVICES
from nst_core.errors import NSTError, OutputError
from nst_core.file_names import Names, portable
from nst_core.files import plain_errors, writing
from nst_core.instant.network import LONGEST_NAME
from nst_core.instant.styles import load_styles
from nst_core.ui.studio.instant_session import NO_BLEND, AsPainted, InstantSession, Mix
from nst_core.ui.studio.keeping import folder_of, linked

ROOM, STATE, PICTURE, RESULT, STYLES, TRAINED = "instant", "instant.json", "picture", "result", "styles", "trained"
LEARNED_FROM = "learned_from"
FORMAT, READ = 3, (2, 3)  # of STATE: as it is written, and those that are read; 2 has no "learned_from"
DAMAGED = "what was kept of this tab is damaged, or of another version; choose a picture anew"

log = logging.getLogger(__name__)


def keep_instant(session: InstantSession) -> None:
    """Keep a page's picture, painting, styles and settings for its browser; what cannot be written is logged.

    The session knows its styles' files where they are kept from then on, as uploads are deleted sooner; own pictures
    once they are, as another page of the browser keeps its own in their place.
    """
    if not session.key:
        return
    folder = folder_of(session.key) / ROOM
    files = (session.result, session.result.with_suffix(".jpg")) if session.result else ()
    try:
        with plain_errors("the painting"):
            picture = _alone([session.source] if session.source else [], folder / PICTURE)
            result = _alone(files, folder / RESULT)
            own = {name: session.pictures[name] for name in session.own}
            styles = _alone(own.values(), folder / STYLES, own)
            there = {name: folder / STYLES / file for name, file in zip(own, styles, strict=True) if file}
            session.pictures |= {name: path for name, path in there.items() if not own[name].exists()}
            learned = _alone(session.files.values(), folder / TRAINED, map(_digest, session.files))
            learned_from = _keep_learned_from(session, folder / LEARNED_FROM)
        trained = {name: file for name, file in zip(session.files, learned, strict=True) if file}
        session.files |= {name: folder / TRAINED / file for name, file in trained.items()}
        state = {
            "format": FORMAT,
            "style": session.chosen,
            "mix": session.mix._asdict(),
            "painted": session.painted and _plain(session.painted),
            "told": session.told,
            "picture": picture[0] if picture else None,
            "result": result[0] if result else None,
            "own": [
                [name, file, base64.b64encode(session.own[name].thumbnail or b"").decode()]
                for name, file in zip(own, styles, strict=True)
                if file
            ],
            "learned_from": learned_from,
            "trained": [[session.styles[name].origin, file] for name, file in trained.items()],
        }
        with writing(folder / STATE) as aside:
            aside.write_text(json.dumps(state))
    except OutputError as error:
        log.warning("the Instant tab could not be kept: %s", error)


def _keep_learned_from(session: InstantSession, folder: Path) -> dict[str, str]:
    """Keep the pictures that styles were learned from here, and have the session know them there: style -> file."""
    pictures = {name: session.pictures[name] for name in session.files if name in session.pictures}
    free = Names(LONGEST_NAME)
    stems = [free.free(portable(name) or "picture") for name in pictures]
    there = zip(pictures, _alone(pictures.values(), folder, stems), strict=True)
    files = {name: file for name, file in there if file}
    session.pictures |= {name: folder / file for name, file in files.items()}
    return files


def _plain(painted: AsPainted) -> dict[str, Any]:
    style, mix, _, size, keep_transparency = painted
    return {"style": style, "mix": mix._asdict(), "size": size, "keep_transparency": keep_transparency}


def _digest(name: str) -> str:
    """Give a style's name, in which anything may stand, as a file's."""
    return hashlib.sha256(name.encode()).hexdigest()[:40]


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
    """Fill a session with what was kept of its browser's; a style of which the file is gone is in `painted` alone.

    If it was the chosen one, none is.

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
        if state["format"] not in READ:
            raise ValueError("of another version")
        _fill(session, folder, state)
    except (NSTError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        log.warning("what was kept of an Instant tab could not be restored: %s", error)
        raise NSTError(DAMAGED) from None


def _fill(session: InstantSession, folder: Path, state: dict[str, Any]) -> None:
    def found(room: str, name: object) -> Path | None:
        path = folder / room / Path(str(name)).name
        return path if name and path.is_file() else None

    for origin, file in state["trained"]:
        if path := found(TRAINED, file):
            styles = load_styles(path)
            session.files[DEVICES.submit(session.add, styles, str(origin)).result()[0]] = path
    for name, file in state.get("learned_from", {}).items():
        if path := found(LEARNED_FROM, file):
            session.pictures[name] = path
    told = [(str(name), found(STYLES, file), base64.b64decode(small)) for name, file, small in state["own"]]
    session.take_back({name: (path, small) for name, path, small in told if path})
    session.mix = _mix(state["mix"])
    session.chosen = state["style"] if state["style"] in session.names else ""
    if session.mix.second not in (NO_BLEND, *session.names):
        session.mix = session.mix._replace(second=NO_BLEND)
    session.mix = session.mix._replace(second=session.still_second())
    session.source, result = found(PICTURE, state["picture"]), found(RESULT, state["result"])
    if session.source and result and (painted := state["painted"]):
        session.result, session.told = result, str(state["told"])
        size = None if painted["size"] is None else float(painted["size"])
        keep_transparency = painted["keep_transparency"] is True
        session.painted = str(painted["style"]), _mix(painted["mix"]), session.source, size, keep_transparency


def _mix(kept: dict[str, Any]) -> Mix:
    return Mix(*(kind(kept[name]) for name, kind in Mix.__annotations__.items()))
