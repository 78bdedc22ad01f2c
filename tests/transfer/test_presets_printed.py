"""Settings as printed, beside those that paint."""

from dataclasses import fields

from nst_core.transfer.presets import PRESETS
from nst_core.transfer.presets_printed import CHENG_PRINTED, FROM_SCRATCH_PRINTED


def differing(name: str, other: str) -> set[str]:
    """The settings in which two presets differ."""
    one, two = PRESETS[name].config, PRESETS[other].config
    return {field.name for field in fields(one) if getattr(one, field.name) != getattr(two, field.name)}


def test_what_paints_looks_for_the_same_as_what_is_printed():
    """Weights, size and start differ; formula, layers and steps are theirs in both."""
    painted, printed = PRESETS["cheng"].config, PRESETS["cheng_printed"].config
    assert PRESETS["cheng_printed"] is CHENG_PRINTED
    others = {"style_weight", "size", "start", "content_boost", "noise_deviation"}
    assert differing("cheng", "cheng_printed") == others
    assert painted.style_weight / painted.content_weight > printed.style_weight / printed.content_weight


def test_from_scratch_differs_in_alpha_alone():
    assert PRESETS["from_scratch_printed"] is FROM_SCRATCH_PRINTED
    assert differing("from_scratch", "from_scratch_printed") == {"content_weight"}
    assert PRESETS["from_scratch"].config.content_weight > FROM_SCRATCH_PRINTED.config.content_weight == 0.9
