"""Keeps a page quiet that nobody touches: while it paints, both may have to share a few processor cores.

gradio 6.31's progress timers run on at 60 frames a second once a page has shown one, and it shows one while it loads:
a twentieth of a core on an idle page. Its brush's canvas is drawn as often, and goes on to be when it is folded away:
more than a core where there is no GPU. The script must be there before gradio's modules, which keep the function that
they find when they load; gradio's own `head` comes after them.
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from nst_core.ui.page import lost_requests, plain_lists
from nst_core.ui.page.changed_answers import changing

CALM_RATE = 4  # animation frames a second of a page that nobody touches, and of a canvas on which nobody draws
SCRIPT = """<script>{
  let touched = 0, drawn = -1e9;  // or laid out; on a canvas
  const CANVAS = '.pixi-target canvas';
  const isCanvas = callback => /_requestId/.test(callback);  // by the ticker of PixiJS
  const isFolded = () => ![...document.querySelectorAll(CANVAS)].some(one => one.getClientRects().length);
  const isCalm = callback => isCanvas(callback) ? performance.now() - drawn > 1000
    : performance.now() - touched > (window.paintings > 0 ? 1000 : 3000);
  for (const kind of ['load', 'pointermove', 'pointerdown', 'keydown', 'wheel', 'touchmove'])
    addEventListener(kind, event => {
      touched = performance.now();
      if (event.target.matches?.(CANVAS)) drawn = touched;
    }, {passive: true});
  const animate = window.requestAnimationFrame.bind(window), cancel = window.cancelAnimationFrame.bind(window);
  const later = new Map();  // timers of frames to come, by ids that no frame has
  let last = 1e9;
  window.requestAnimationFrame = callback => {
    if (!isCalm(callback)) return animate(callback);
    const id = ++last, wait = () => later.set(id, setTimeout(() => {
      if (isCanvas(callback) && isFolded()) return wait();
      later.delete(id);
      animate(callback);
    }, 1000 / CALM_RATE));
    wait();
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
        await self.app(scope, receive, changing(send, self._calmed, _is_page) if scope["type"] == "http" else send)

    def _calmed(self, page: bytes) -> bytes:
        return page.replace(b"<head>", b"<head>" + self.first, 1)


def _is_page(headers: Headers) -> bool:
    if "'nonce-" in headers.get("content-security-policy", ""):  # it runs no scripts but its own
        return False
    return headers.get("content-type", "").startswith("text/html")
