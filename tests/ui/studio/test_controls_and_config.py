import pytest

from nst_core.errors import ConfigError
from nst_core.features.vgg import BACKBONES, layer_names
from nst_core.transfer.config import SETTINGS, STEERABLE
from nst_core.transfer.presets import PRESETS
from nst_core.ui.studio.controls_and_config import (
    ALL_LAYERS,
    CONTROLS,
    LAYER_CONTROLS,
    MORE_LAYERS,
    PRE_LAYERS,
    SHARE_CONTROLS,
    STEERING_CONTROLS,
    WEIGHT_CONTROLS,
    config_of,
    controls_of,
    counterpart_button,
    default_config,
    in_depth_order,
    layers_on,
    preset_config,
    preset_of,
)
from nst_core.ui.stylize.endpoint import endpoint_of
from tests.every import every

NUMBERS = ("content_weight", "style_weight", "step_size", "steps", "size", "tv_weight", "seed")

# Control -> (another value, the settings that change with it); of preset "luo".
OTHER = {
    "backbone": ("vgg16", {"backbone"}),
    "content_weight": (2.5, {"content_weight"}),
    "style_weight": (123.0, {"style_weight"}),
    "gatys_layers": (["conv2_1"], {"style_layers"}),
    "more_layers": (["conv1_2", "conv3_3"], {"style_layers"}),
    "pre_layers": (["conv4_1_pre"], {"style_layers"}),
    "content_layers": (["conv2_2"], {"content_layers"}),
    "start": ("noise", {"start"}),
    "optimizer": ("adam", {"optimizer", "clamp"}),
    "step_size": (0.5, {"step_size"}),
    "steps": (17, {"steps"}),
    "size": (99, {"size"}),
    "size_rule": ("area", {"size_rule"}),
    "pooling": ("average", {"pooling"}),
    "feature_scale": ("caffe", {"feature_scale"}),
    "tv_weight": (0.25, {"tv_weight"}),
    "seed": (5, {"seed"}),
    "color": ("content", {"color"}),
    "style_loss": ("moments", {"style_loss"}),
    "column_share": (0.5, {"column_share"}),
    "style_scale": (0.5, {"style_scale"}),
    "smallest_scale": (128, {"smallest_scale"}),
    "tolerance": (0.01, {"tolerance"}),
    "mask_softness": (0.05, {"mask_softness"}),
    "wrap": (True, {"wrap"}),
    "keep_unpainted": (True, {"keep_unpainted"}),
    **{name: (2.0, {"layer_weights"}) for name in WEIGHT_CONTROLS},
    **{name: (0.5, {"blend"}) for name in SHARE_CONTROLS},
}


def shown(preset: str, **changes) -> dict:
    """The controls' values as a handler gets them."""
    return controls_of(PRESETS[preset].config) | changes


@pytest.mark.parametrize("preset", PRESETS)
def test_what_a_preset_shows_is_the_preset(preset):
    assert controls_of(PRESETS[preset].config).keys() == set(CONTROLS)
    assert config_of(preset, shown(preset)) == PRESETS[preset].config == preset_config(preset)


@every(preset=PRESETS, other=PRESETS)
def test_controls_show_what_was_made_of_them(preset, other):
    assert controls_of(config_of(preset, shown(other))) == controls_of(PRESETS[other].config)


@pytest.mark.parametrize("control", CONTROLS)
def test_every_control_sets_something(control):
    value, settings = OTHER[control]
    before, after = PRESETS["luo"].config, config_of("luo", shown("luo", **{control: value}))
    changed = {name for name, old in before.to_dict().items() if after.to_dict()[name] != old}
    assert changed == settings
    assert controls_of(after)[control] == value


@pytest.mark.parametrize("control", ["steps", "size", "seed"])
def test_numbers_may_come_as_the_page_sends_them(control):
    assert controls_of(config_of("luo", shown("luo", **{control: 40.0})))[control] == 40
    with pytest.raises(ConfigError, match=f"{control} is 40.5"):
        config_of("luo", shown("luo", **{control: 40.5}))


@pytest.mark.parametrize("control", NUMBERS)
def test_an_empty_number_is_refused_by_name(control):
    with pytest.raises(ConfigError, match=f"^{control.replace('_', ' ')} is empty; fill it in"):
        config_of("luo", shown("luo", **{control: None}))


def test_a_choice_that_is_missing_is_not_taken_for_the_presets():
    for control in ("backbone", "start", "optimizer", "size_rule", "pooling"):
        with pytest.raises(ConfigError, match=control.replace("_", ".")):
            config_of("luo", shown("luo", **{control: None}))


def test_unticking_every_layer_is_refused():
    with pytest.raises(ConfigError, match="no style layer"):
        config_of("luo", shown("luo", gatys_layers=[]))
    with pytest.raises(ConfigError, match="no content layer"):
        config_of("luo", shown("luo", content_layers=[]))


def test_an_unknown_value_is_refused():
    for control, value in {"start": "nowhere", "optimizer": "sgd", "content_layers": ["conv9_9"]}.items():
        with pytest.raises(ConfigError, match=str(value).strip("[]'")):
            config_of("luo", shown("luo", **{control: value}))
    with pytest.raises(ConfigError) as raised:
        preset_config("picasso")
    assert "'picasso'" in str(raised.value) and all(name in str(raised.value) for name in PRESETS)


def test_a_control_that_is_not_shown_is_refused_and_others_are_left_alone():
    values = shown("luo", content="photo.jpg")
    assert config_of("luo", values) == PRESETS["luo"].config
    del values["share_4"]
    with pytest.raises(ConfigError, match="share 4 is empty"):
        config_of("luo", values)


def test_the_three_lists_of_layers_hold_every_layer_once():
    assert list(ALL_LAYERS) == layer_names("vgg19") and set(layer_names("vgg16")) < set(ALL_LAYERS)
    assert list(PRE_LAYERS) == layer_names("vgg19", pre=True)
    five = [layer for layer in ALL_LAYERS if layer not in MORE_LAYERS]
    assert five == ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"]


def test_layers_come_shallow_to_deep_and_unknown_ones_last():
    given = ["conv5_1", "conv1_1", "odd", "conv4_1", "conv4_1_pre", "conv1_2"]
    assert in_depth_order(given) == ("conv1_1", "conv1_2", "conv4_1_pre", "conv4_1", "conv5_1", "odd")
    assert in_depth_order([]) == ()


def test_a_weighted_layer_keeps_its_weight_whatever_else_is_ticked():
    before = PRESETS["crowson"].config
    ticked = [*controls_of(before)["gatys_layers"][1:]]
    after = config_of("crowson", shown("crowson", gatys_layers=ticked, more_layers=["conv1_2"]))
    assert after.style_layers == ("conv1_2", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
    for layer in ticked:
        assert after.weight_of_layer(layer) == before.weight_of_layer(layer)
    assert after.weight_of_layer("conv1_2") == pytest.approx(0.2)  # the mean of 256:64:16:4:1 of 341


@every(preset=PRESETS, there=BACKBONES)
def test_another_network_and_back_leaves_the_preset_as_it_was(preset, there):
    own = PRESETS[preset].config
    at_home = {name: controls_of(own)[name] for name in LAYER_CONTROLS}
    away = layers_on(preset, there, at_home)
    assert config_of(preset, controls_of(own.on(there)) | away) == own.on(there)
    assert layers_on(preset, own.backbone, away) == at_home


def test_layers_of_ones_own_choice_move_to_the_nearest_that_there_are():
    chosen = ["conv1_1", "conv5_1"], ["conv3_4", "conv5_4"], ["conv5_2_pre"], ["conv5_3"]
    moved = layers_on("luo", "lite", dict(zip(LAYER_CONTROLS, chosen, strict=True)))
    assert list(moved.values()) == [["conv1_1", "conv5_1"], ["conv3_4"], ["conv5_1_pre"], ["conv5_1"]]


def test_the_page_opens_whatever_device_is_asked_for(monkeypatch):
    monkeypatch.setenv("NST_DEVICE", "abacus")
    assert default_config("lab").backbone == "lite"


def test_the_endpoint_names_every_backbone():
    assert all(name in endpoint_of(SETTINGS).__doc__ for name in BACKBONES)


@pytest.mark.parametrize("control", STEERING_CONTROLS)
def test_a_control_that_steers_sets_what_a_run_can_be_steered_by(control):
    assert OTHER[control][1] <= set(STEERABLE)


def test_restored_settings_stand_in_for_a_preset():
    config = PRESETS["crowson"].config.changed(history=20, averaging=0.5, last_step=7)
    values = controls_of(config)
    assert config_of(config, values) == config
    # another end is meant then
    assert config_of(config, values | {"steps": 99}) == config.changed(steps=99, last_step=0)


def test_a_layers_weight_counts_against_equal_weights():
    config = config_of("luo", shown("luo", weight_2=3.0))
    assert config.layer_weights == pytest.approx((0.2, 0.6, 0.2, 0.2, 0.2))


@every(backbone=BACKBONES, preset=PRESETS)
def test_a_preset_is_recognised_by_its_settings_whatever_the_controls_say(preset, backbone):
    config = PRESETS[preset].config.on(backbone)
    assert preset_of(config) == preset
    assert preset_of(config.changed(size=96, seed=3, tv_weight=2.0)) == preset
    assert preset_of(config.changed(history=config.history + 1)) is None


def test_a_button_leads_to_the_formula_as_printed_and_back():
    assert counterpart_button("gatys") == {"visible": True, "value": "As printed"}
    assert counterpart_button("gatys_printed") == {"visible": True, "value": "As painted"}
    assert counterpart_button("studio") == counterpart_button(None) == {"visible": False}


@every(preset=PRESETS, count=(1, 2, 4))
def test_a_slider_that_is_hardly_moved_changes_hardly_anything_whichever_layers_are_chosen(preset, count):
    values = shown(preset)
    values["gatys_layers"] = values["gatys_layers"][:count] or ["conv1_1"]
    before = config_of(preset, values)
    after = config_of(preset, values | {"weight_1": 1.001 * values["weight_1"]})
    layers = len(before.style_layers)
    assert after.layer_weights == pytest.approx(before.layer_weights or (1 / layers,) * layers, rel=0.002)
