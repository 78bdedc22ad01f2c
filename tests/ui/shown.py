"""What a page shows, as its handlers are given it by name."""

from typing import Any

from nst_core.transfer.presets import PRESETS
from nst_core.ui.studio.controls_and_config import controls_of
from nst_core.ui.studio.shared_components import PAINTED_WITH


def page_showing(preset: str, content: Any = None, style: Any = None, **changes: Any) -> dict[str, Any]:
    """A page with two pictures and a preset's settings, and what was changed of these or given beside them."""
    shown = {**dict.fromkeys(PAINTED_WITH), "preset": preset, "content": content, "style": style}
    return shown | controls_of(PRESETS[preset].config) | changes
