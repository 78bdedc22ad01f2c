"""Lets a person keep a figure: as a page to print, as its parts, as slides, or as a link that opens it again."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from nst_core.analysis.figure import Figure, Moment
from nst_core.analysis.figures.catalogue import FIGURES, FIRST
from nst_core.analysis.poster.save import parts_zip, save_poster
from nst_core.analysis.poster.slide_pictures import save_pdf
from nst_core.errors import NSTError
from nst_core.file_names import named_after
from nst_core.ui.explain.examples import CONTENT, STYLE, example_of
from nst_core.ui.explain.links import LessonLink, as_example
from nst_core.ui.explain.session import Board, Pictures
from nst_core.ui.page.downloads import new_file
from nst_core.ui.page.events import PRIVATE, QUEUED, Update
from nst_core.ui.page.toasts import refusal
from nst_core.ui.studio.links import CONTENT_KEY, STYLE_KEY
from nst_core.ui.studio.page_language import TELL, language_of
from nst_core.ui.widgets.own_html import OwnHTML

NO_FIGURE = "there is no figure yet; press Make the figure"
NO_LETTERS = (
    "This server has no font with the letters of your language, so what it draws is in English; the words of slides as "
    "PPTX are in yours."
)
PREPARING = "Preparing the file …"
LINE = '<div class="status busy"><div></div><progress aria-label="Progress"></progress></div>'

# Functions for the page: that a button's file is made is said at once, and until the browser has it.
BEGIN = f"""(...given) => {{
  document.querySelector('#keep-NAME').setAttribute('aria-busy', 'true');
  document.querySelector('#keeping .status > div').textContent = '{PREPARING}';
  return ({TELL})(...given);
}}"""
END = """() => {
  document.querySelector('#keep-NAME').removeAttribute('aria-busy');
  if (!document.querySelector('#figure-after [aria-busy=true]'))
    document.querySelector('#keeping .status > div').textContent = '';
}"""

Save = Callable[[Figure, Mapping[str, Any], Moment, Path], object]


class Kept(NamedTuple):
    """What is kept of a figure: what it is, how it was made, and its last moment; None: it has none yet."""

    figure: Figure
    settings: Mapping[str, Any]
    pictures: Pictures
    moment: Moment | None


def shown_on(board: Board) -> Kept | None:
    """Give the figure that a page shows: the one that was made there, or a finished example; None: neither."""
    if board.covered and board.example:
        figure = FIGURES[board.example.name]
        pictures = Pictures(CONTENT, STYLE)
        return Kept(figure, figure.settings(board.example.settings), pictures, board.example.whole())
    if board.covered or board.figure is None:
        return None
    return Kept(board.figure, board.settings, board.pictures, board.moment)


class LessonAddress(OwnHTML):
    """The address of a lesson, to be followed, copied or photographed; its value is the end of it, from "?" on."""

    TEMPLATE = """
${value ? `<div class="lesson-address"><a href="${value}">Link to this lesson</a>
  <button type="button">Copy it</button><span role="status"></span>
  <figure><img src="${(window.gradio_config?.root ?? '').replace(/[/]$/, '')}/lesson/code${value}"
    alt="QR code of the link"><figcaption>${
    ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname)
      ? 'It leads to this very computer only; open this page by its name or number in your network, and it has that.'
      : 'For phones.'}</figcaption></figure></div>` : ''}"""
    STYLE = """
.lesson-address { display: flex; flex-wrap: wrap; gap: 10px; align-items: center; font-size: var(--text-sm); }
.lesson-address button { padding: 2px 10px; border-radius: 6px; border: 1px solid var(--border-color-primary);
  background: var(--background-fill-secondary); cursor: pointer; color: var(--body-text-color); }
.lesson-address figure { display: flex; gap: 10px; align-items: center; flex-basis: 100%; margin: 0; }
.lesson-address img { width: 150px; height: 150px; border-radius: 6px; background: #fff; }
"""
    SCRIPT = """
element.addEventListener('click', async event => {
  if (!event.target.closest('button')) return;
  const address = element.querySelector('a').href, told = element.querySelector('[role=status]');
  try { await navigator.clipboard.writeText(address); told.textContent = 'Copied.'; }
  catch (error) { told.textContent = address; }  // not allowed here: to be copied by hand
});
"""


def build_keeping(board: gr.State) -> gr.Row:
    """Lay out the buttons and connect them; the row is hidden while there is nothing to keep."""
    is_there = example_of(FIRST) is not None
    kinds = {
        "poster": ("Download the page, PNG", poster_file),
        "parts": ("Download its parts, ZIP", parts_file),
        "pptx": ("Download slides, PPTX", pptx_file),
        "pdf": ("Download slides, PDF", pdf_file),
    }
    files = {name: gr.DownloadButton(elem_id=f"kept-{name}", visible="hidden") for name in kinds}
    language = gr.Textbox(visible=False)
    with gr.Row(visible=is_there, elem_id="figure-after", equal_height=True) as area:
        for name, (label, make) in kinds.items():
            button = gr.Button(label, elem_id=f"keep-{name}", size="sm", min_width=150)
            file = files[name]
            made = button.click(make, [board, language], file, js=BEGIN.replace("NAME", name), **QUEUED)
            made.then(None, js=END.replace("NAME", name), **PRIVATE)
            download = f"() => document.querySelector('#kept-{name}').click()"
            file.change(None, js=download, **PRIVATE)
        link = gr.Button("Link to this lesson", elem_id="keep-link", size="sm", min_width=130)
    gr.HTML(LINE, elem_id="keeping")
    address = LessonAddress(elem_id="lesson-link")
    link.click(address_of, board, address, **QUEUED)
    return area


def poster_file(board: Board, chosen: str, request: gr.Request) -> Update:
    """Save the figure as one labelled PNG at print size, in the page's language."""
    return _kept(board, "", ".png", _spoken(save_poster, chosen, request))


def parts_file(board: Board, *_: object) -> Update:
    """Save the parts of the figure, with their records, as a ZIP, which programs read: it is English."""
    return _kept(board, "parts", ".zip", parts_zip)


def pptx_file(board: Board, chosen: str, request: gr.Request) -> Update:
    """Save the figure as slides whose words can be edited, in the page's language."""
    from nst_core.analysis.poster.deck import save_pptx  # whose packages only those wait for who want slides

    return _kept(board, "slides", ".pptx", _spoken(save_pptx, chosen, request))


def pdf_file(board: Board, chosen: str, request: gr.Request) -> Update:
    """Save the figure as slides, each a picture, in the page's language."""
    return _kept(board, "slides", ".pdf", _spoken(save_pdf, chosen, request))


def _spoken(save: Callable[..., object], chosen: str, request: gr.Request) -> Save:
    """Let a figure be saved in the language that was chosen; tell where it cannot be drawn."""
    language = language_of(chosen, request.headers)

    def saved(figure: Figure, settings: Mapping[str, Any], moment: Moment, path: Path) -> None:
        save(figure, settings, moment, path, language)
        if language.drawn != language:
            gr.Info(NO_LETTERS, duration=12)

    return saved


def _name(kept: Kept, thing: str, ending: str) -> str:
    """Name a file after the pictures that the figure is made of, and the figure."""
    pictures = {CONTENT_KEY: kept.pictures.content, STYLE_KEY: kept.pictures.style}
    kinds = kept.figure.pictures
    wanted = [path.stem for key, path in pictures.items() if path and any(kind.startswith(key) for kind in kinds)]
    return named_after(*wanted, kept.figure.name, thing, ending=ending)


def _kept(board: Board, thing: str, ending: str, save: Save) -> gr.DownloadButton:
    try:
        kept = shown_on(board)
        if kept is None or kept.moment is None:
            raise NSTError(NO_FIGURE)
        path = new_file(_name(kept, thing, ending))
        save(kept.figure, kept.settings, kept.moment, path)
    except NSTError as error:
        raise refusal(error) from None
    return gr.DownloadButton(value=str(path))


def address_of(board: Board) -> str:
    """Write the end of the address that opens this figure with its settings; own pictures do not travel along."""
    kept = shown_on(board)
    if kept is None:
        raise refusal(NO_FIGURE)
    pictures: dict[str, Path] = {}
    for key, paths in ((CONTENT_KEY, kept.pictures.contents), (STYLE_KEY, kept.pictures.styles)):
        if kept.figure.pictures and any(wanted.startswith(key) for wanted in kept.figure.pictures):
            pictures |= as_example(key, paths[0] if paths else None)
    wanted = [key for key in (CONTENT_KEY, STYLE_KEY) if any(kind.startswith(key) for kind in kept.figure.pictures)]
    more = kept.pictures.contents[1:] + kept.pictures.styles[1:] if "contents" in kept.figure.pictures else []
    cutout = kept.pictures.cutout if "cutout" in kept.figure.pictures else None
    if len(pictures) < len(wanted) or more or cutout:
        text = "Pictures of your own do not travel with a link, nor more than one of a kind; choose them there again."
        gr.Info(text, duration=8)
    return LessonLink(figure=kept.figure, settings=dict(kept.settings), pictures=pictures).query()
