"""Writes the links from which a class starts and by which a lesson opens, and draws them as QR codes."""

import io

import segno
from gradio.route_utils import get_root_url
from starlette.requests import Request

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.engine.limits import is_loopback
from nst_core.errors import ConfigError, said
from nst_core.ui.studio.links import Start, read_start

LESSON_CODE = "/lesson/code"  # the route
MOST_LETTERS = 800  # of a lesson's link
ONLY_HERE = (
    "This address leads to this very computer only. Open this page by the computer's name or number in your network, "
    "and the link has that."
)


def class_address(request: Request) -> str:
    """Write the address at which the page starts with what a request's query names.

    Raises:
        ConfigError: an unknown preset, picture or figure.
    """
    start = read_start(request.query_params) or Start()
    figure = request.query_params.get("figure", "")
    if figure and figure not in FIGURES:
        raise ConfigError(f"the link's figure is {said(figure)}; choose one of {', '.join(FIGURES)}")
    return f"{_root(request, '/class/link')}/{start._replace(figure=figure).query()}"


def lesson_address(request: Request) -> str:
    """Write the address that opens the page with all that a request's query says.

    Raises:
        ConfigError: more than a QR code has room for.
    """
    if len(request.url.query) > MOST_LETTERS:
        raise ConfigError(f"this link is longer than {MOST_LETTERS} letters; a QR code of it could not be read")
    return f"{_root(request, LESSON_CODE)}/?{request.url.query}"


def page_address(request: Request) -> str:
    """Write the address of the page, without "/" at its end, of a request for plans of lessons."""
    return _root(request, "/lesson")


def _root(request: Request, route: str) -> str:
    """Tell where the page is, without "/" at its end, of a request to one of its routes."""
    blocks = getattr(request.app, "blocks", None)  # gradio's, which knows below which path it is served
    return get_root_url(request, route, getattr(blocks, "root_path", None))


def note_on(request: Request) -> str:
    """Tell what should be known of an address that was written for a request; mostly ""."""
    return ONLY_HERE if is_loopback(request.url.hostname or "") else ""


def qr_code(address: str) -> str:
    """Draw an address as a QR code: an SVG without a size of its own, dark on white, to be put into a page."""
    return segno.make(address, error="m", micro=False).svg_inline(
        omitsize=True, dark="#000", light="#fff", title="QR code of the link"
    )


def qr_image(address: str) -> bytes:
    """Draw an address as a QR code: the file of an SVG, dark on white."""
    file = io.BytesIO()
    segno.make(address, error="m", micro=False).save(file, kind="svg", omitsize=True, dark="#000", light="#fff")
    return file.getvalue()
