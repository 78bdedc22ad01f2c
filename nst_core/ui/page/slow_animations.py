"""Keeps a page quiet that nobody touches: while it paints, both may have to share a few processor cores.

gradio 6.31's progress timers run on at 60 frames a second once a page has shown one, and it shows one while it loads:
a twentieth of a core on an idle page. The script must be there before gradio's modules, which keep the function that
they find when they load; gradio's own `head` comes after them.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nst_core.ui.page import lost_requests, plain_lists

CALM_RATE = 4  # animation frames a second of a page that nobody touches
SCRIPT = """<script>{
  let touched = 0;  // or laid out
  const isCalm = () => performance.now() - touched > (window.paintings > 0 ? 1000 : 3000);
  for (const kind of ['load', 'pointermove', 'pointerdown', 'keydown', 'wheel', 'touchmove'])
    addEventListener(kind, () => { touched = performance.now(); }, {passive: true});
  const animate = window.requestAnimationFrame.bind(window), cancel = window.cancelAnimationFrame.bind(window);
  const later = new Map();  // timers of frames to come, by ids that no frame has
  let last = 1e9;
  window.requestAnimationFrame = callback => {
    if (!isCalm()) return animate(callback);
    const id = ++last;
    later.set(id, setTimeout(() => { later.delete(id); animate(callback); }, 1000 / CALM_RATE));
    return id;
  };
  window.cancelAnimationFrame = id => { clearTimeout(later.get(id)); later.delete(id) || cancel(id); };
}</script>""".replace("CALM_RATE", str(CALM_RATE))


FIRST = SCRIPT + lost_requests.SCRIPT + plain_lists.SCRIPT


class CalmPages:
    """Puts FIRST, and what else comes first, into the head of every page of gradio's; leaves all else as it is."""

    def __init__(self, app: ASGIApp, more: str = "") -> None:
        self.app = app
        self.first = (FIRST + more).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message | None = None  # a page's, held back until its length is known
        parts: list[bytes] = []

        async def send_calmed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif start and message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    body = b"".join(parts).replace(b"<head>", b"<head>" + self.first, 1)
                    MutableHeaders(raw=start["headers"])["Content-Length"] = str(len(body))
                    await send(start)
                    await send({"type": "http.response.body", "body": body})
            else:
                await send(message)

        await self.app(scope, receive, send_calmed if scope["type"] == "http" else send)


def _is_page(message: Message) -> bool:
    headers = MutableHeaders(raw=message["headers"])
    if "'nonce-" in headers.get("content-security-policy", ""):  # it runs no scripts but its own
        return False
    return headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers
