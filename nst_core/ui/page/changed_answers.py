"""Changes the body of an answer on its way to a browser, once it is whole."""

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Send


def changing(send: Send, change: Callable[[bytes], bytes], whether: Callable[[Headers], bool]) -> Send:
    """Make a `send` that changes bodies, and passes on all else as it comes.

    Args:
        send: takes what is passed on.
        change: gives a whole body as it is to be.
        whether: says of an answer's headers if its body is changed; compressed ones never are.
    """
    start: Message | None = None  # held back until the length is known
    parts: list[bytes] = []

    async def send_changed(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start" and _is_plain(message) and whether(Headers(raw=message["headers"])):
            start = message
        elif start and message["type"] == "http.response.body":
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                body = change(b"".join(parts))
                headers = MutableHeaders(raw=start["headers"])
                headers["Content-Length"] = str(len(body))
                del headers["ETag"], headers["Last-Modified"]  # of what is no longer as it was
                await send(start)
                await send({"type": "http.response.body", "body": body})
        else:
            await send(message)

    return send_changed


def _is_plain(start: Message) -> bool:
    return "content-encoding" not in Headers(raw=start["headers"])
