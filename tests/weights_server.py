"""A server of checkpoints on this computer, for tests: each file is sent the way its test wants it."""

import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class WeightsServer:
    """Serves `files`; with another function in `manners` for a path, in that manner."""

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.manners: dict[str, Callable] = {}
        self.requests: list[tuple[str, dict]] = []  # path, headers in lower case
        self.sent: dict[str, int] = {}  # path -> bytes
        self.go_on = threading.Event()  # what `pausing` and `silent` wait for
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.go_on.set()
        self._http.shutdown()
        self._http.server_close()

    def _handler(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                manner = server.manners.get(self.path, in_parts if self.path in server.files else missing)
                manner(self, server, server.files.get(self.path, b""))

            def answer(self, status, body, length=None, **headers):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.write(body)

            def write(self, body):
                self.wfile.write(body)
                server.sent[self.path] = server.sent.get(self.path, 0) + len(body)

            def asked_for(self, size):
                """start, stop of the range in the request."""
                start, last = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers["Range"]).groups()
                return int(start), min(int(last) + 1 if last else size, size)

            def log_message(self, *args):
                pass

        return Handler


def in_parts(handler, server, body):
    """As a good server does."""
    start, stop = handler.asked_for(len(body))
    handler.answer(206, body[start:stop], Content_Range=f"bytes {start}-{stop - 1}/{len(body)}")


def whole(handler, server, body):
    """Takes no notice of ranges."""
    handler.answer(200, body)


def missing(handler, server, body):
    handler.answer(404, b"")


def web_page(handler, server, body):
    """As the login page of a hotel's network does."""
    handler.answer(200, b"<html>Welcome</html>", Content_Type="text/html; charset=utf-8")


def silent(handler, server, body):
    """Takes the request and never answers."""
    server.go_on.wait(20)


def cut(handler, server, body):
    """Cuts the connection after two thirds of whatever is asked for, beyond the header's few bytes."""
    start, stop = handler.asked_for(len(body))
    sent = stop if stop - start < 10 else start + (stop - start) * 2 // 3
    content_range = f"bytes {start}-{stop - 1}/{len(body)}"
    handler.answer(206, body[start:sent], length=stop - start, Content_Range=content_range)


def pausing(handler, server, body):
    """Stops in the middle of a large part until `go_on`."""
    start, stop = handler.asked_for(len(body))
    content_range = f"bytes {start}-{stop - 1}/{len(body)}"
    half = start + (stop - start) // 2
    handler.answer(206, body[start:half], length=stop - start, Content_Range=content_range)
    if stop - start > 2000:
        server.go_on.wait(20)
    handler.write(body[half:stop])


def first(*manners):
    """One manner after the other, then as a good server does."""
    rest = list(manners)

    def manner(handler, server, body):
        (rest.pop(0) if rest else in_parts)(handler, server, body)

    return manner


def with_status(status):
    def manner(handler, server, body):
        handler.answer(status, b"")

    return manner
