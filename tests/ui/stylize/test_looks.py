import inspect

import gradio as gr
import pytest

from nst_core.__main__ import _parser
from nst_core.transfer.config import SETTINGS
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS
from nst_core.ui.classroom.page import wall_page
from nst_core.ui.studio.controls_and_config import config_of, controls_of, default_config
from nst_core.ui.studio.looks import LOOKS
from nst_core.ui.studio.session import Session
from nst_core.ui.stylize.controls import setting_controls
from nst_core.ui.stylize.endpoint import endpoint_of
from nst_core.ui.stylize.looks import DECADES, lean, looks_value, pick_look, reflect


def clicked(number: int) -> gr.EventData:
    return gr.EventData(None, {"number": number})


def shown_of(config, preset: str | None = "studio", **others) -> dict:
    return {**controls_of(config), "preset": preset, **others}


def test_the_page_begins_with_the_look_that_stands_first_and_commands_and_endpoint_with_its_preset():
    with gr.Blocks():
        inputs = setting_controls()
    preset, shown = inputs.preset.menu.value, {name: control.value for name, control in inputs.controls.items()}
    assert preset == LOOKS[0].preset == DEFAULT_PRESET
    assert config_of(preset, shown) == LOOKS[0].config()
    reflected = reflect(Session(), {**shown, "preset": preset})
    assert reflected["looks"]["chosen"] == 1 and reflected["balance"] == 0
    for command in (["stylize", "a", "b", "-o", "c.png"], ["batch", "a", "--styles", "b", "-o", "c"]):
        assert _parser().parse_args(command).preset == DEFAULT_PRESET
    assert inspect.signature(endpoint_of(SETTINGS)).parameters["preset"].default == DEFAULT_PRESET
    assert f'<option value="{DEFAULT_PRESET}" selected>' in wall_page("")


@pytest.mark.parametrize("number", range(1, len(LOOKS) + 1))
def test_a_look_is_its_preset_with_its_own_things_changed_and_is_seen_to_be_chosen(number):
    session, look = Session(), LOOKS[number - 1]
    shown = pick_look(session, "lite", clicked(number))
    assert shown["preset"].value == look.preset
    assert session.noted == config_of(look.preset, shown) == look.config("lite")
    reflected = reflect(session, shown | {"preset": look.preset})
    assert reflected["looks"]["chosen"] == number
    assert shown["balance"] == look.decades and reflected["balance"] == gr.skip()  # a hand may move it meanwhile
    late = reflect(session, shown | {"preset": "luo"})  # the menu's own news come after β's
    assert late["looks"]["chosen"] == number and late["balance"] == gr.skip()
    assert reflect(Session(), shown | {"preset": look.preset})["balance"] == look.decades  # of a page opened anew


def test_settings_of_no_look_choose_none():
    other = default_config("luo", "lite")
    reflected = reflect(Session(), shown_of(other, "luo"))
    assert reflected["looks"]["chosen"] == 0 and reflected["balance"] == 0


def test_the_handle_moves_beta_from_where_the_preset_has_it_and_stays_under_the_hand():
    for preset in ("studio", "chao"):
        session, config = Session(), default_config(preset, "lite")
        for decades in (-1.0, 0.5, 0.0):
            weight = lean(session, shown_of(config, preset, balance=decades))
            assert weight == pytest.approx(config.style_weight * 10**decades, rel=0.05)
            assert session.noted.style_weight == weight
            later = shown_of(config.changed(style_weight=weight), preset)
            assert reflect(session, later)["balance"] == gr.skip()
        assert reflect(Session(), later)["balance"] == 0


@pytest.mark.parametrize(("weight", "balance"), [(0.0, -DECADES), (1e12, DECADES), (90.0, 1.0)])
def test_the_handle_follows_what_is_typed_and_ends_where_it_ends(weight, balance):
    config = default_config("studio", "lite").changed(style_weight=weight)
    assert PRESETS["studio"].config.style_weight == 9
    assert reflect(Session(), shown_of(config))["balance"] == balance


def test_settings_that_were_restored_are_where_the_handle_begins():
    session = Session()
    session.base = default_config("studio", "lite").changed(style_weight=40.0)
    assert reflect(session, shown_of(session.base, None))["balance"] == 0


def test_every_look_has_its_picture():
    assert all(item["thumbnail"].startswith("data:image/jpeg;base64,/9j/") for item in looks_value(0)["items"])
