"""Keeps a browser's painting on disk, so that a server that was killed offers it again: tensors, JSON, pictures."""

import hashlib
import json
import logging
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr

from nst_core import images
from nst_core.engine.begin import resume
from nst_core.engine.limits import limits
from nst_core.errors import ConfigError, NSTError
from nst_core.files import plain_errors, writing
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.record import read_record
from nst_core.ui.page.downloads import PAINTINGS
from nst_core.ui.page.toasts import Toast
from nst_core.ui.studio.pupils import written_name
from nst_core.ui.studio.results import THUMBNAIL_SIDE, Result
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.uploads import MORE_STYLES, DrawnFiles, Uploads
from nst_core.ui.widgets.pictures import data_uri

STATE, RUN, PICTURES, RESULTS = "session.json", "run", "pictures", "results"
FORMAT = 1  # of STATE
DAMAGED = "what was kept of this browser's painting is damaged, or of another version; its results are lost. Paint anew"

log = logging.getLogger(__name__)


def paintings_folder() -> Path:
    """Tell where paintings are kept, a folder each."""
    return Path(gr.utils.get_upload_folder()) / PAINTINGS


def folder_of(key: str) -> Path:
    """Tell where the painting of a browser is kept; its key cannot be told from that."""
    return paintings_folder() / hashlib.sha256(key.encode()).hexdigest()[:40]


def keep_session(session: Session, *, running: bool) -> None:
    """Keep what a browser's page shows beside its run, which keeps itself: pictures, settings, chart and results.

    Args:
        session: one with a key; else nothing is kept.
        running: whether its run goes on, so that it was cut off if this is found.

    Raises:
        OutputError: it cannot be written.
    """
    if not session.key or session.config is None:
        return
    folder = folder_of(session.key)
    with plain_errors("the painting"):
        for part in (folder, folder / PICTURES, folder / RESULTS):
            part.mkdir(parents=True, exist_ok=True)
        uploads = session.uploads
        pictures = {"content": uploads.content, "style": uploads.style, "start_image": uploads.start}
        pictures |= dict(zip(MORE_STYLES, uploads.more_styles, strict=False))
        state = {
            "format": FORMAT,
            "running": running,
            "name": session.name,
            "started_by": session.started_by,
            "config": session.config.to_dict(),
            "base": session.base and session.base.to_dict(),
            "noted": session.noted and session.noted.to_dict(),
            "pictures": {name: linked(path, folder / PICTURES, name) for name, path in pictures.items() if path},
            "mask": uploads.kept_mask and _linked_mask(uploads.kept_mask, folder / PICTURES),
            "keep_transparency": uploads.keep_transparency,
            "losses": session.losses.to_dict(),
            "results": [
                {
                    "number": one.number,
                    "file": linked(one.path, folder / RESULTS, str(one.number)),
                    "told": one.told,
                    "losses": one.losses,
                }
                for one in session.results.kept
            ],
        }
    with writing(folder / STATE) as aside:
        aside.write_text(json.dumps(state))


def linked(path: Path, folder: Path, name: str) -> str | None:
    """Have a file in a folder, by a link where the disk has such, and give its name there; None if it is gone.

    Uploads are deleted sooner than what is kept: of one that is, what the folder has by that name stays.
    """
    place = folder / f"{name}{Path(path).suffix.lower()}"
    if not Path(path).exists():
        return place.name if place.exists() else None
    try:
        if not (place.exists() and os.path.samefile(path, place)):
            place.unlink(missing_ok=True)
            try:
                os.link(path, place)
            except OSError:
                shutil.copyfile(path, place)
    except FileNotFoundError:
        return None
    return place.name


def _linked_mask(mask: DrawnFiles, folder: Path) -> dict[str, Any]:
    """Have the files of a brush's drawing in a folder, and give their names there."""
    layers = [linked(path, folder, f"mask_{number}") for number, path in enumerate(mask["layers"])]
    ground, whole = mask["background"], mask["composite"]
    return {
        "background": ground and linked(ground, folder, "mask_ground"),
        "composite": whole and linked(whole, folder, "mask_whole"),
        "layers": [name for name in layers if name],
    }


def _found_mask(names: dict[str, Any], folder: Path) -> DrawnFiles:
    def found(name: Any) -> Path | None:
        return folder / Path(name).name if name else None

    layers = [path for path in map(found, names["layers"]) if path]
    return {"background": found(names["background"]), "composite": found(names["composite"]), "layers": layers}


def find_session(key: str) -> Session | None:
    """Find what was kept of a browser's painting; what is damaged is said, and a session without it begins."""
    folder = folder_of(key)
    if not (folder / STATE).is_file():
        return None
    session = Session()
    session.key = key
    try:
        state = json.loads((folder / STATE).read_text())
        if state["format"] != FORMAT:
            raise ConfigError("of another version")
        _fill(session, folder, state)
        if (folder / RUN).is_dir():
            session.run = resume(folder / RUN, session.steering)
            session.folder = folder / RUN
            frame = session.run.last_frame
            if frame and frame.step > session.losses.last[0]:  # the run was kept, and what stands beside it was not yet
                session.losses.add(frame)
    except (NSTError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        log.warning("a kept painting could not be restored: %s", error)
        session = Session()
        session.key = key
        session.toasts.append(Toast(str(error) if isinstance(error, NSTError) else DAMAGED, "Not all is there", 12))
    return session


def _fill(session: Session, folder: Path, state: dict[str, Any]) -> None:
    pictures = {name: folder / PICTURES / Path(file).name for name, file in state["pictures"].items() if file}
    further = tuple(pictures.get(name) for name in MORE_STYLES)
    session.uploads = Uploads(
        pictures.get("content"),
        pictures.get("style"),
        pictures.get("start_image"),
        further,
        kept_mask=_found_mask(state["mask"], folder / PICTURES) if state.get("mask") else None,
        keep_transparency=state["keep_transparency"],
    )
    session.config = StyleTransferConfig.from_dict(state["config"])
    session.base = state["base"] and StyleTransferConfig.from_dict(state["base"])
    session.noted = StyleTransferConfig.from_dict(state["noted"]) if state.get("noted") else None
    session.name = written_name(state.get("name"))
    session.link = session.started_by = str(state.get("started_by", ""))
    session.losses.take(state["losses"])
    session.cut_off = state["running"] is True
    for told in state["results"]:
        path = folder / RESULTS / Path(str(told["file"])).name
        with suppress(NSTError):  # a picture that is gone is no result
            picture = data_uri(images.load(path), max_side=THUMBNAIL_SIDE)
            one = Result(
                number=int(told["number"]),
                path=path,
                uploads=session.uploads,
                thumbnail=picture,
                record=read_record(path),
                told=str(told["told"]),
                losses=str(told["losses"]),
            )
            session.results.kept += (one,)
    session.results.chosen = next(iter(session.results.kept), None)


def forget(session: Session) -> None:
    """Delete what was kept of a browser's painting."""
    if session.key:
        shutil.rmtree(folder_of(session.key), ignore_errors=True)


def tidy_folders(now: float | None = None) -> None:
    """Delete paintings that were kept for long, and the oldest where they take too much of the disk; none at work."""
    now, allowed = time.time() if now is None else now, limits()
    at_work = {folder_of(key) for key, session in list(Session.known.items()) if session.busy or session.pages}
    found = []
    with suppress(OSError):
        for folder in paintings_folder().iterdir():
            if folder not in at_work:
                with suppress(OSError):  # somebody else deletes
                    files = [path.stat() for path in folder.rglob("*") if path.is_file()]
                    newest = max((file.st_mtime for file in files), default=0.0)
                    found.append((newest, sum(file.st_size for file in files), folder))
    room = allowed.kept_bytes
    for newest, size, folder in sorted(found, reverse=True):
        room -= size
        if room < 0 or now - newest > allowed.paintings:
            shutil.rmtree(folder, ignore_errors=True)
