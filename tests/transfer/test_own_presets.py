"""Our own presets, which stand first in every menu and have no other program's formula to be held against."""

import pytest

from nst_core.transfer.own_presets import OWN_PRESETS
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.settings import GATYS_STYLE_LAYERS


def test_our_own_presets_come_first_and_are_nobodys_printed_formula():
    assert [*PRESETS][: len(OWN_PRESETS)] == [*OWN_PRESETS]
    assert not any(preset.printed for preset in OWN_PRESETS.values())


def test_lab_is_the_papers_formula_from_the_content():
    config = OWN_PRESETS["lab"].config
    assert (config.content_layers, config.style_layers) == (("conv4_2",), GATYS_STYLE_LAYERS)
    assert (config.content_normalization, config.style_normalization) == ("half sum", "paper")
    assert (config.backbone, config.start, config.optimizer) == ("vgg19", "content", "lbfgs")
    assert sum(map(config.weight_of_layer, GATYS_STYLE_LAYERS)) == pytest.approx(1)
