"""Sets what one server allows its visitors: numbers with defaults, each set by an environment variable."""

import ipaddress
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from nst_core.errors import ConfigError, said


def _limit(default: float, variable: str, about: str, *, public: float | None = None) -> float:
    """Make a field: its value by default, and where strangers may come."""
    public = default if public is None else public
    return field(default=default, metadata={"variable": variable, "about": about, "own": default, "public": public})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a server; "inf" is no limit."""

    jobs: float = _limit(256, "NST_WAITING", "jobs that wait for a device or are at work")
    jobs_of_address: float = _limit(224, "NST_WAITING_PER_ADDRESS", "of these, of one address: a class may share one")
    at_work_of_session: float = _limit(1, "NST_AT_WORK_PER_SESSION", "of these at work, of one page or program")
    waiting_of_session: float = _limit(3, "NST_WAITING_PER_SESSION", "of these waiting, of one page or program")
    work: float = _limit(math.inf, "NST_MAX_WORK", "of one painting, in steps × million pixels", public=1200)
    seconds: float = _limit(math.inf, "NST_MAX_SECONDS", "seconds that a job goes on while others wait", public=300)
    silence: float = _limit(8, "NST_SILENCE", "seconds that a job goes on to which nobody listens any more")
    sessions: float = _limit(400, "NST_SESSIONS", "pages whose state is kept; then the one unused for longest goes")
    grace: float = _limit(600, "NST_GRACE", "seconds that a painting goes on which no page shows; then it pauses")
    paintings: float = _limit(86_400, "NST_KEEP_PAINTINGS", "seconds that a painting can be gone on with")
    kept_bytes: float = _limit(1e10, "NST_KEEP_BYTES", "bytes of disk that paintings take which can be gone on with")
    kept: float = _limit(3600, "NST_KEEP_SECONDS", "seconds that uploads and results are kept on the server's disk")
    body: float = _limit(1e6, "NST_MAX_BODY", "bytes of a request other than an upload")


def limits(environment: Mapping[str, str] | None = None) -> Limits:
    """Read the limits in force from the environment.

    Args:
        environment: the process' own if None.

    Raises:
        ConfigError: a variable that is no number above 0.
    """
    environment = os.environ if environment is None else environment
    whose = "public" if is_public(environment) else "own"
    values: dict[str, float] = {}
    for one in fields(Limits):
        variable, default = one.metadata["variable"], one.metadata[whose]
        values[one.name] = _number(variable, environment[variable]) if environment.get(variable) else default
    return Limits(**values)


def _number(variable: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not value > 0:
        raise ConfigError(f"{variable} is {said(text)}; set it to a number above 0, to inf for no limit, or unset it")
    return value


def check_work(steps: float, pixels: int, remedy: str = "take fewer steps or a smaller size") -> None:
    """Refuse a painting that is too much work for this server.

    Args:
        steps: at the full size.
        pixels: of the picture.
        remedy: what to do then.

    Raises:
        ConfigError: it is too much work.
    """
    allowed, asked = limits().work, steps * pixels / 1e6
    if asked > allowed:
        raise ConfigError(
            f"this takes {asked:.0f} steps × million pixels, and this server paints {allowed:.0f} at most; {remedy}"
        )


def is_public(environment: Mapping[str, str] | None = None) -> bool:
    """Whether others than this computer's own users may come: a Space, or an address that is not this computer's."""
    environment = os.environ if environment is None else environment
    return bool(environment.get("SPACE_ID")) or not is_loopback(environment.get("GRADIO_SERVER_NAME") or "127.0.0.1")


def is_loopback(host: str) -> bool:
    """Whether a host's name or number is this computer, for itself alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
