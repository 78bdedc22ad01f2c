"""Names the terms of a loss, and tells what they belong to."""

import math
from collections.abc import Mapping

TV_TERM = "total variation"

# First word of a term's name -> what it belongs to.
SIDES = {"content": "content", "style": "style", "total": TV_TERM}


def content_term(layer: str) -> str:
    """Name a content layer's term: "content conv4_2"."""
    return f"content {layer}"


def style_term(layer: str) -> str:
    """Name a style layer's term: "style conv1_1"."""
    return f"style {layer}"


def shares_of(losses: Mapping[str, float]) -> dict[str, float]:
    """Split a loss into content, style and total variation: side -> share, of sum 1, of those that have one.

    Args:
        losses: name of a term -> weighted loss, not negative. All 0, as of a photo that is rebuilt from itself: {}.
    """
    total = math.fsum(losses.values())
    if not 0 < total < math.inf:
        return {}
    sums: dict[str, float] = {}
    for name, loss in losses.items():
        side = next((side for word, side in SIDES.items() if name.startswith(word)), name)
        sums[side] = sums.get(side, 0.0) + loss
    return {side: loss / total for side, loss in sums.items()}
