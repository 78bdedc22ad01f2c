"""Writes the link from which a class starts, and draws it as a QR code."""

import segno
from gradio.route_utils import get_root_url
from starlette.requests import Request

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.engine.limits import is_loopback
from nst_core.errors import ConfigError, said
from nst_core.ui.studio.links import Start, read_start

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
    blocks = getattr(request.app, "blocks", None)  # gradio's, which knows below which path it is served
    root = get_root_url(request, "/class/link", getattr(blocks, "root_path", None))
    return f"{root}/{start._replace(figure=figure).query()}"


def note_on(request: Request) -> str:
    """Tell what should be known of an address that was written for a request; mostly ""."""
    return ONLY_HERE if is_loopback(request.url.hostname or "") else ""


def qr_code(address: str) -> str:
    """Draw an address as a QR code: an SVG without a size of its own, dark on white, to be put into a page."""
    return segno.make(address, error="m", micro=False).svg_inline(
        omitsize=True, dark="#000", light="#fff", title="QR code of the link"
    )
