"""Which layers are offered, and what is said of those that are chosen out of sight."""

from nst_core.features.vgg import BACKBONES, check_layers
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.settings import GATYS_STYLE_LAYERS
from nst_core.ui.studio.controls_and_config import controls_of, layers_on
from nst_core.ui.studio.layer_menus import LayerChecks, LayerMenu, further_layers, layer_updates, layers_offered
from tests.every import every
from tests.ui.shown import update_of


@every(backbone=BACKBONES)
def test_a_network_is_offered_its_own_layers_and_all_of_them(backbone):
    offered = layers_offered(backbone)
    for layers in offered.values():
        check_layers(backbone, layers)
    beside = {*GATYS_STYLE_LAYERS, *offered["more_layers"], *offered["pre_layers"]}
    assert set(offered["content_layers"]) == beside
    assert ("conv5_4" in offered["more_layers"]) == (backbone == "vgg19")


@every(preset=PRESETS)
def test_layers_that_a_preset_chooses_are_among_those_that_are_offered(preset):
    for backbone in BACKBONES:
        config = PRESETS[preset].config
        chosen = layers_on(preset, backbone, controls_of(config))
        for name, update in layer_updates(backbone, chosen).items():
            if name != "gatys_layers":
                assert set(update_of(update)["value"]) <= set(update_of(update)["choices"])


def test_what_stays_as_it_is_has_no_value_in_its_update():
    assert all("value" not in update_of(update) for update in layer_updates("lite", {}).values())


def test_layers_that_are_not_offered_are_handed_on_to_be_refused_by_name():
    for menu in (LayerChecks(["conv1_1"]), LayerMenu(["conv1_1"], multiselect=True)):
        assert menu.preprocess(["conv1_1", "conv5_4", 3]) == ["conv1_1", "conv5_4"] and menu.preprocess(None) == []


def test_layers_out_of_sight_are_named_where_there_are_some():
    told = update_of(further_layers(["conv1_2"], ["conv2_1_pre"]))
    assert told["visible"] and "<b>conv1_2, conv2_1 before ReLU</b>" in told["value"]
    assert update_of(further_layers([], []))["visible"] is False
