"""Serves the catalogues and the script that looks sentences up in them."""

import gzip
import hashlib
import json
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

FOLDER = Path(__file__).parent
ENGLISH = {"en": "English"}
NAMES = {"de": "Deutsch", "es": "Español", "fr": "Français", "zh": "中文"}  # as their speakers call them
CACHED = "public, max-age=86400"  # of a catalogue, whose address changes with it


def languages() -> dict[str, str]:
    """Name the languages of the page, by their short names: English, and those that have a catalogue."""
    return ENGLISH | {short: name for short, name in NAMES.items() if (FOLDER / f"{short}.json").is_file()}


@cache
def script() -> str:
    """Write the script for the head of a page: before gradio's own, as it tells that which language to speak."""
    version = hashlib.sha256(b"".join(map(catalogue, sorted(languages().keys() - ENGLISH.keys())))).hexdigest()[:12]
    text = (FOLDER / "script.js").read_text(encoding="utf-8")
    names = json.dumps(languages(), ensure_ascii=False)
    return text.replace("/* languages */ {}", names).replace("/* version */", version)


@cache
def catalogue(language: str) -> bytes:
    """Read a catalogue, compressed."""
    return gzip.compress((FOLDER / f"{language}.json").read_bytes(), mtime=0)


async def answer(request: Request) -> Response:
    """Answer with the script, or the catalogue of a language."""
    name, _, ending = request.path_params["file"].rpartition(".")
    if (name, ending) == ("script", "js"):
        return Response(script(), media_type="text/javascript", headers={"Cache-Control": "no-cache"})
    if ending != "json" or name not in languages().keys() - ENGLISH.keys():
        return PlainTextResponse("There is no such language.", 404)
    headers = {"Cache-Control": CACHED, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        del headers["Content-Encoding"]
        return Response(gzip.decompress(catalogue(name)), media_type="application/json", headers=headers)
    return Response(catalogue(name), media_type="application/json", headers=headers)


ROUTE = Route("/words/{file}", answer)  # beside gradio's own
HEAD = f"<script>{script()}</script>"
