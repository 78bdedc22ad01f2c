"""The menu of presets, and what it says of settings that are none's."""

import pytest

from nst_core.errors import ConfigError
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS
from nst_core.ui.studio.controls_and_config import base_config
from nst_core.ui.studio.preset_menu import CHOICES, CUSTOM, PresetMenu, show_preset, show_preset_of
from tests.every import every
from tests.ui.shown import update_of


@every(preset=PRESETS)
def test_settings_of_a_preset_show_it_and_others_the_preset_that_they_are_from(preset):
    config = PRESETS[preset].config
    assert update_of(show_preset_of(config)) == update_of(show_preset(preset)) == {"choices": CHOICES, "value": preset}
    menu = update_of(show_preset_of(config.changed(history=config.history + 1, noise_deviation=0.123)))
    assert menu["value"] == CUSTOM and menu["choices"] == (*CHOICES, (f"Custom, from {PRESETS[preset].title}", CUSTOM))


def test_the_menu_hands_on_presets_alone():
    menu = PresetMenu(CHOICES, value=DEFAULT_PRESET)
    assert [menu.preprocess(value) for value in ("gatys", CUSTOM, "<b>", None, 3)] == ["gatys", None, None, None, None]
    with pytest.raises(ConfigError, match="no preset is chosen; choose one"):
        base_config(None)
