"""Tells how the server is, for whoever keeps it running: a Space, a load balancer, a monitor. Names nobody."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nst_core.devices import choose_compute
from nst_core.engine.devices import DEVICES
from nst_core.engine.lane import DEVICE_LANE
from nst_core.errors import DeviceError
from nst_core.host_memory import available_memory, total_memory
from nst_core.ui.studio.session import Session
from nst_core.version import __version__


async def answer(request: Request) -> Response:
    """Answer with the server's health as JSON; nothing is computed for it, and no device is begun."""
    return JSONResponse(health(), headers={"Cache-Control": "no-store"})


def health() -> dict[str, object]:
    """Measure how the server is.

    Returns:
        "version"; "devices", their names, none before the first has computed; "memory_total" and "memory_available",
        bytes; "jobs_at_work" and "jobs_waiting"; "paintings", of browsers that are known.
    """
    waiting = DEVICE_LANE.waiting
    return {
        "version": __version__,
        "devices": device_names(),
        "memory_total": total_memory(),
        "memory_available": available_memory(),
        "jobs_at_work": max(0, DEVICE_LANE.taken - waiting),
        "jobs_waiting": waiting,
        "paintings": len(Session.known),
    }


def device_names() -> list[str]:
    """List the devices that compute, as people know them; none before they are begun, or where none can."""
    try:
        return [choose_compute(thread.device).name for thread in DEVICES.begun]
    except DeviceError:
        return []


ROUTE = Route("/health", answer)  # beside gradio's own
