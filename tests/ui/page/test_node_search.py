"""gradio's page is served with a quicker search for its components."""

import json
import subprocess
from pathlib import Path

import gradio as gr
from playwright._impl._driver import compute_driver_executable
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from nst_core.ui.page.node_search import SEARCH, NodeSearch, quickened

ASSETS = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
NAME = "core-AbCd1234.js"
PLAIN = (
    b"var a;function Z(e,t){if(e.id===t)return e;"
    b"if(e.children)for(let n of e.children){let e=Z(n,t);if(e)return e}return null}"
)


def test_gradio_searches_in_one_program_in_the_way_that_is_known():
    known = [path for path in ASSETS.glob("*.js") if SEARCH.search(path.read_bytes())]
    assert len(known) == 1 and known[0].name.startswith("core-")
    program = known[0].read_bytes()
    assert len(SEARCH.findall(program)) == 1 and SEARCH.search(quickened(program)) is None


def test_the_program_is_answered_whole_with_the_quicker_search_and_nothing_else_is_touched(tmp_path):
    for name in (NAME, "other.js"):
        (tmp_path / name).write_bytes(PLAIN)
    app = Starlette(
        routes=[
            Route("/assets/core-gone1234.js", lambda request: Response("no", 404)),
            Route("/assets/{name}", lambda request: FileResponse(tmp_path / request.path_params["name"])),
        ],
        middleware=[Middleware(NodeSearch)],
    )
    client = TestClient(app)
    answer = client.get(f"/assets/{NAME}", headers={"Range": "bytes=0-9"})
    assert answer.status_code == 200 and answer.content == quickened(PLAIN) != PLAIN
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert client.get("/assets/other.js").content == PLAIN
    assert client.get("/assets/core-gone1234.js").status_code == 404
    assert quickened(b"function Z(e,t){return e}") == b"function Z(e,t){return e}"


# Searches trees that change in between by both functions; what they find otherwise than each other.
COMPARE = """
const next = {id: 0}, wrong = [];
const make = depth => ({id: next.id++, children: depth ? [0, 1, 2].map(() => make(depth - 1)) : []});
const tree = make(4);
for (let round = 0; round < 30; round++) {
  for (let id = 0; id < next.id; id++) if (plain(tree, id) !== quick(tree, id)) wrong.push(id);
  const at = plain(tree, (round * 37) % 13) ?? tree;  // the upper of them
  if (round % 3 === 0) at.children.unshift(make(1));
  else if (round % 3 === 1) at.children.reverse();
  else if (at.children.length) at.children[0] = {...at.children[0]};
}
for (const id of [-1, undefined]) if (quick(tree, id) !== null) wrong.push(id);
process.stdout.write(JSON.stringify([next.id, wrong]));
"""


def test_it_finds_what_gradio_s_search_finds_however_the_page_changes():
    plain, quick = (program.decode().removeprefix("var a;") for program in (PLAIN, quickened(PLAIN)))
    script = plain.replace("Z(", "plain(") + quick.replace(" Z(", " quick(") + COMPARE
    node, _ = compute_driver_executable()
    said = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True).stdout
    count, wrong = json.loads(said)
    assert count > 121 and wrong == []
