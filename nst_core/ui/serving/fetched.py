"""Fetches pictures that agents name: by an address of the web, an address of this server, or as data in a text."""

import base64
import binascii
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes, urljoin, urlsplit

import httpx
import safehttpx

from nst_core.errors import ImageError, NSTError, said
from nst_core.ui.page.downloads import new_file
from nst_core.ui.serving.page import check_own

MOST_BYTES = 50_000_000
MOST_REDIRECTS = 3
SECONDS = 30.0
FILES = "/gradio_api/file="
HOW = "give an http or https address of a picture, or the picture itself as a data: URI"


async def fetch_picture(text: str, own: str) -> Path:
    """Put a picture among the uploads.

    Args:
        text: its address, or a data: URI.
        own: this server's address, of whose files nothing is fetched.

    Raises:
        ImageError: it is neither, or nothing can be had from there.
    """
    text = text.strip() if isinstance(text, str) else ""
    if text.startswith("data:"):
        return _kept(_of_data(text), "picture")
    if own and text.startswith(own + FILES):
        path = unquote(text.removeprefix(own + FILES))
        try:
            check_own(path)
        except NSTError:
            raise ImageError(f"{said(text)} is no file of this server, or it is gone by now; make it again") from None
        return Path(path)
    if not text.startswith(("http://", "https://")):
        raise ImageError(f"the picture is {said(text)}; {HOW}")
    return _kept(await _of_web(text), unquote(Path(urlsplit(text).path).name) or "picture")


def _kept(data: bytes, name: str) -> Path:
    path = new_file("picture")
    path = path.with_name(f"{''.join(letter if letter.isalnum() or letter in '.-_' else '-' for letter in name)[:80]}")
    path.write_bytes(data)
    return path


def _of_data(text: str) -> bytes:
    head, comma, body = text.partition(",")
    if not comma:
        raise ImageError("the picture is a data: URI without data; give it as data:image/jpeg;base64,…")
    try:
        return base64.b64decode(body, validate=True) if head.endswith(";base64") else unquote_to_bytes(body)
    except binascii.Error:
        raise ImageError("the picture's data: URI is no base64; encode the file's bytes as they are") from None


async def _of_web(address: str) -> bytes:
    """Fetch it, of computers of the open internet alone, wherever the address leads."""
    first = address
    for _ in range(1 + MOST_REDIRECTS):
        try:
            found = await _asked(address)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
            why = str(error) or type(error).__name__
            raise ImageError(f"{said(first)} cannot be fetched ({why}); {HOW}") from None
        if isinstance(found, bytes):
            return found
        address = urljoin(address, found)
    raise ImageError(f"{said(first)} leads from one address to the next; name the one of the picture itself")


async def _asked(address: str) -> bytes | str:
    """Give what is there, or the address that it leads to."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("no http or https")
    transport = safehttpx.AsyncSecureTransport(await safehttpx.async_validate_url(parts.hostname))
    async with (
        httpx.AsyncClient(transport=transport, timeout=SECONDS, trust_env=False) as client,
        client.stream("GET", address) as answer,
    ):
        if answer.is_redirect:
            return answer.headers.get("location", "")
        if answer.status_code != 200:
            raise ValueError(f"it answers {answer.status_code}")
        data = bytearray()
        async for part in answer.aiter_bytes():
            data += part
            if len(data) > MOST_BYTES:
                raise ValueError(f"more than {MOST_BYTES / 1e6:.0f} MB")
        return bytes(data)
