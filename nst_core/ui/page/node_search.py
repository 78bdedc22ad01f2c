"""Lets gradio's page find a component at once, where gradio 6.31 goes through all of them until it meets it.

It searches for each component that an answer changes and, at each stage of each event, for every one that any event so
far has changed. On a page of many hundreds of components that was two thirds of what a browser computed when a figure
was chosen, and a third when one was made.
"""

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from nst_core.ui.page.changed_answers import changing

PROGRAM = re.compile(r"/assets/core-[\w-]{8,9}\.js$")

# gradio's function: the node of an id in the tree below another node.
SEARCH = re.compile(
    rb"function (?P<name>\w+)\((?P<tree>\w+),(?P<id>\w+)\)\{if\((?P=tree)\.id===(?P=id)\)return (?P=tree);"
    rb"if\((?P=tree)\.children\)for\(let (?P<child>\w+) of (?P=tree)\.children\)"
    rb"\{let (?P<found>\w+)=(?P=name)\((?P=child),(?P=id)\);if\((?P=found)\)return (?P=found)\}return null\}"
)
# The same, which first looks where the node was when all were last gone through.
LOOKED_UP = rb"""const placesOfNodes = new Map();
function \g<name>(tree, id) {
  let node = tree;
  for (const place of placesOfNodes.get(id) ?? []) node = node?.children?.[place];
  if (node?.id === id) return node;
  let found = null;
  const go = (node, places) => {
    placesOfNodes.set(node.id, places);
    if (node.id === id) found ??= node;
    node.children?.forEach((child, place) => go(child, [...places, place]));
  };
  go(tree, []);
  return found;
}
"""


def quickened(program: bytes) -> bytes:
    """Put the quicker search into gradio's program; one that has no such search stays as it is."""
    return SEARCH.sub(LOOKED_UP, program)


class NodeSearch:
    """Answers with the quicker program; leaves all else as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not PROGRAM.search(scope["path"]):
            await self.app(scope, receive, send)
            return
        # a server may else hand over the file by its name, and a browser ask for a part of it
        left_out = (b"range", b"if-range")
        headers = [(name, value) for name, value in scope["headers"] if name not in left_out]
        extensions = {key: value for key, value in scope.get("extensions", {}).items() if "pathsend" not in key}
        whole = {**scope, "headers": headers, "extensions": extensions}
        await self.app(whole, receive, changing(send, quickened, _is_program))


def _is_program(headers: Headers) -> bool:
    return "javascript" in headers.get("content-type", "")
