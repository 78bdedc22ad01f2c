"""Tests of the page's look, as far as files tell it."""

import re
from pathlib import Path

import gradio

from nst_core.ui.page.theme import FACE

FONTS = Path(gradio.__file__).parent / "templates" / "frontend"
LEAST_BYTES = 50_000  # of a face that has the letters of Europe


def test_every_face_of_the_page_has_its_letters():
    files = re.findall(r"url\('(static/[^']+)'\)", FACE.stylesheet()["css"])
    assert len(files) == 2 and all((FONTS / file).stat().st_size > LEAST_BYTES for file in files)
