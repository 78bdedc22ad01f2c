"""Settings as printed, beside those that paint."""

from dataclasses import fields

from nst_core.transfer.presets import PRESETS
from nst_core.transfer.presets_printed import CHENG_PRINTED


def test_what_paints_looks_for_the_same_as_what_is_printed():
    """Weights, size and start differ; formula, layers and steps are theirs in both."""
    painted, printed = PRESETS["cheng"].config, PRESETS["cheng_printed"].config
    assert PRESETS["cheng_printed"] is CHENG_PRINTED
    differing = {one.name for one in fields(painted) if getattr(painted, one.name) != getattr(printed, one.name)}
    assert differing == {"style_weight", "size", "start", "content_boost", "noise_deviation"}
    assert painted.style_weight / painted.content_weight > printed.style_weight / printed.content_weight
