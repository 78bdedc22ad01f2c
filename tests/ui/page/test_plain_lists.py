"""What the page's lists of components and events are kept from stands in gradio's programs as it is taken to."""

import re
from pathlib import Path

import gradio as gr

from nst_core.ui.page.slow_animations import FIRST

FRONTEND = Path(gr.__file__).parent / "templates" / "frontend"
# Svelte's proxy(): what is neither a plain object's nor an array's own prototype is given back as it is
WATCHES_PLAIN_ONES_ALONE = re.compile(
    r" in (?P<value>\w+)\)return (?P=value);let (?P<kind>\w+)=\w+\((?P=value)\);"
    r"if\((?P=kind)!==\w+&&(?P=kind)!==\w+\)return (?P=value)[;}]"
)


def test_gradio_s_page_does_not_watch_arrays_of_another_class():
    assert any(WATCHES_PLAIN_ONES_ALONE.search(path.read_text()) for path in (FRONTEND / "assets").glob("index-*.js"))


def test_the_lists_are_in_what_gradio_s_page_sets_after_the_script():
    page = (FRONTEND / "index.html").read_text()
    head = page.index("<head>")
    assert "'gradio_config'" in FIRST and head < page.index("window.gradio_config =")
