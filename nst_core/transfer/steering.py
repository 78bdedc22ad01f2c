"""Stops and steers a run while it goes on: the only mutable thing of a run, read once a step."""

import threading
from dataclasses import dataclass, field, replace

from nst_core.transfer.config import STEERABLE, StyleTransferConfig


@dataclass
class Steering:
    """Stops a run, and changes its settings, from any thread.

    Attributes:
        stop: the run ends after the frame at hand; cleared, it may go on.
        wanted: settings to steer to, of which those in STEERABLE count; None: as they are.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    wanted: StyleTransferConfig | None = None

    def steered(self, config: StyleTransferConfig) -> StyleTransferConfig:
        """Give a run's settings as they are wanted now; the very same object if nothing changes."""
        wanted = self.wanted
        if wanted is None or all(getattr(wanted, name) == getattr(config, name) for name in STEERABLE):
            return config
        return replace(config, **{name: getattr(wanted, name) for name in STEERABLE})
