import dataclasses
import json
from pathlib import Path

import pytest

import nst_core
from nst_core.errors import ConfigError
from nst_core.features.vgg import layer_names
from nst_core.transfer.config import MAX_STYLES, SETTINGS, StyleTransferConfig
from nst_core.transfer.optimizers import STEP_SIZES
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.settings import GATYS_STYLE_LAYERS
from tests.every import every

FIELDS = {field.name: field for field in dataclasses.fields(StyleTransferConfig)}
CHOICES = {name: tuple(one.choices) for name, one in SETTINGS.items() if one.choices is not None}
RANGES = {
    name: (*one.extent, one.unit and f" {one.unit}")
    for name, one in SETTINGS.items()
    if one.extent and not isinstance(one.default, tuple)
}
WHOLE = [name for name in RANGES if isinstance(FIELDS[name].default, int)]

ODD = [True, False, float("nan"), float("inf"), -float("inf"), "1", "", None, [1], (1,), {}, 1j]


def refusal(**values) -> str:
    """The text with which these values are refused."""
    with pytest.raises(ConfigError) as raised:
        StyleTransferConfig(**values)
    return str(raised.value)


# What a config is


def test_a_config_is_frozen_and_compares_by_its_values():
    config = StyleTransferConfig()
    for name in FIELDS:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(config, name, getattr(config, name))
    assert config == StyleTransferConfig() and hash(config) == hash(StyleTransferConfig())
    assert config != StyleTransferConfig(seed=1)


def test_settings_are_given_by_name_only():
    with pytest.raises(TypeError):
        StyleTransferConfig("vgg19")
    assert all(field.kw_only for field in FIELDS.values())


def test_a_choice_or_a_number_has_its_check():
    for name, field in FIELDS.items():
        if isinstance(field.default, str):
            assert name in CHOICES
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            assert name in RANGES
    assert not CHOICES.keys() & RANGES.keys()
    assert {*CHOICES, *RANGES} <= FIELDS.keys()


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_is_read_by_something_besides_the_config(name):
    package = Path(nst_core.__file__).parent
    shuttles = {package / "transfer" / "config.py", package / "transfer" / "presets.py"}
    shuttles |= {*(package / "ui").rglob("*.py"), *(package / "commands").rglob("*.py")}
    readers = [file.read_text() for file in package.rglob("*.py") if file not in shuttles]
    assert readers
    words = (f".{name}", "weight_of_layer" if name == "layer_weights" else f".{name}")
    assert any(word in text for text in readers for word in words)


def test_the_default_is_gatys_formula_from_the_content():
    config = StyleTransferConfig()
    assert (config.content_layers, config.style_layers) == (("conv4_2",), GATYS_STYLE_LAYERS)
    assert GATYS_STYLE_LAYERS == ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
    assert [config.weight_of_layer(layer) for layer in config.style_layers] == [0.2] * 5
    assert (config.content_normalization, config.style_normalization) == ("half sum", "paper")


# What is refused


@every(name=CHOICES, value=["sgd", "", None, 3, True, float("nan"), ["adam"], ("adam",), {}])
def test_an_unknown_choice_is_refused_with_those_there_are(name, value):
    text = refusal(**{name: value})
    assert f"{name} is {value!r}" in text
    assert all(choice in text for choice in CHOICES[name])


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_is_accepted(name):
    for choice in CHOICES[name]:
        if (name, choice) == ("backbone", "vgg16"):
            assert StyleTransferConfig(backbone=choice).backbone == choice
        assert getattr(StyleTransferConfig(**{name: choice}), name) == choice


@every(name=RANGES, value=ODD)
def test_what_is_no_number_is_refused(name, value):
    text = refusal(**{name: value})
    assert f"{name} is {value!r}; give a" in text


@pytest.mark.parametrize("name", RANGES)
def test_a_number_out_of_range_is_refused_with_the_range(name):
    low, high, unit = RANGES[name]
    step = 1 if name in WHOLE else 1e-9
    for value in (low - step, high + max(step, high * 1e-6) if name not in WHOLE else high + 1, -1e30, 1e30):
        if name in WHOLE:
            value = int(value)
        text = refusal(**{name: value})
        assert f"{name} is {value!r}" in text and f"from {low:g} to {high:g}{unit}" in text
    for value in (low, high):
        if name not in ("content_weight", "style_weight") or value:
            assert getattr(StyleTransferConfig(**{name: value}), name) == value


@pytest.mark.parametrize("name", RANGES)
def test_a_number_beyond_all_floats_is_refused(name):
    assert f"{name} is " in refusal(**{name: 10**400})


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_counted_is_whole(name):
    assert WHOLE
    assert "a whole number" in refusal(**{name: RANGES[name][0] + 0.5})


@pytest.mark.parametrize("value", ["yes", "no", 0, 1, None, 0.5, []], ids=repr)
def test_an_on_off_setting_is_true_or_false(value):
    assert "clamp" in refusal(clamp=value, optimizer="adam")


@pytest.mark.parametrize("name", ["content_layers", "style_layers"])
@pytest.mark.parametrize("value", [["conv1_1"], "conv1_1", None, ("conv1_1", 3), (None,), {"conv1_1"}, 5], ids=repr)
def test_layers_are_a_tuple_of_names(name, value):
    text = refusal(**{name: value})
    assert name in text and "tuple of layer names" in text


@pytest.mark.parametrize("name", ["content_layers", "style_layers"])
def test_an_unknown_layer_is_refused_with_those_there_are(name):
    text = refusal(**{name: ("conv1_1", "conv4_9")})
    assert "'conv4_9'" in text and all(layer in text for layer in layer_names("vgg19"))
    assert "'conv3_4'" in refusal(backbone="vgg16", **{name: ("conv3_4",)})
    assert "once" in refusal(**{name: ("conv1_1", "conv2_1", "conv1_1")})


def test_a_term_that_counts_has_a_layer():
    assert "style layer" in refusal(style_layers=())
    assert "content layer" in refusal(content_layers=())
    assert StyleTransferConfig(style_layers=(), style_weight=0).style_layers == ()
    assert StyleTransferConfig(content_layers=(), content_weight=0).content_layers == ()


def test_something_is_to_be_painted():
    assert "α and β are both 0" in refusal(content_weight=0, style_weight=0)
    text = refusal(content_weight=0, layer_weights=(0, 0, 0, 0, 0))  # no style layer counts either
    assert "layer_weights" in text or "nothing to paint" in text


def test_layer_weights_are_one_number_for_each_layer():
    assert "4 numbers for 5 style layers" in refusal(layer_weights=(1, 1, 1, 1))
    for weight in (-1, True, "1", None, float("nan"), float("inf"), 1e16):
        text = refusal(layer_weights=(1, 1, weight, 1, 1))
        assert "layer_weights" in text and repr(weight) in text
    assert StyleTransferConfig(layer_weights=(0, 1, 2.5, 3, 4)).weight_of_layer("conv3_1") == 2.5


@pytest.mark.parametrize("value", [5, 0.5, None, "abcde", [1, 1, 1, 1, 1], {}], ids=repr)
def test_layer_weights_are_a_tuple(value):
    assert "layer_weights" in refusal(layer_weights=value)


@pytest.mark.parametrize(
    "value",
    [(0.9,), (0.9, 0.9, 0.9), (0.9, 1), (-0.1, 0.9), (0.9, True), ("0.9", 0.9), (0.9, float("nan"))]
    + [0.9, None, [0.9, 0.99], "ab"],
    ids=repr,
)
def test_adams_betas_are_two_numbers_below_one(value):
    text = refusal(adam_betas=value)
    assert "adam_betas" in text and repr(value) in text
    assert StyleTransferConfig(adam_betas=(0, 0.99)).adam_betas == (0, 0.99)


def test_clamping_is_refused_where_it_would_corrupt_the_memory():
    text = refusal(clamp=True)
    assert "lbfgs" in text and "'adam'" in text
    assert StyleTransferConfig(clamp=True, optimizer="adam").clamp


# Changing


def test_none_changes_nothing():
    config = StyleTransferConfig(seed=3)
    assert config.changed() == config
    assert config.changed(**dict.fromkeys(FIELDS)) == config


def test_a_change_leaves_the_config_it_came_from():
    config = StyleTransferConfig()
    assert config.changed(steps=7, seed=9) == StyleTransferConfig(steps=7, seed=9)
    assert config == StyleTransferConfig()


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_may_come_as_floats(name):
    value = int(RANGES[name][0]) + 2
    changed = getattr(StyleTransferConfig().changed(**{name: float(value)}), name)
    assert changed == value and type(changed) is int
    for odd in (value + 0.5, float("nan"), float("inf"), str(value), True):
        with pytest.raises(ConfigError, match=name):
            StyleTransferConfig().changed(**{name: odd})


@pytest.mark.parametrize("optimizer", SETTINGS["optimizer"].choices)
def test_another_optimizer_brings_a_step_size_that_suits_it(optimizer):
    assert STEP_SIZES.keys() == set(SETTINGS["optimizer"].choices)
    for before in SETTINGS["optimizer"].choices:
        config = StyleTransferConfig(optimizer=before, step_size=0.123, clamp=before == "adam")
        changed = config.changed(optimizer=optimizer)
        assert changed.optimizer == optimizer
        assert changed.step_size == (0.123 if optimizer == before else STEP_SIZES[optimizer])
        assert changed.clamp == (optimizer == "adam")
        assert config.changed(optimizer=optimizer, step_size=0.5).step_size == 0.5


def test_an_unclamped_adam_stays_unclamped():
    config = StyleTransferConfig(optimizer="adam", step_size=0.5)
    assert config.changed(optimizer="adam", seed=1) == dataclasses.replace(config, seed=1)


def test_an_unknown_optimizer_is_refused_with_the_choices():
    with pytest.raises(ConfigError, match=r"optimizer is 'sgd'; choose one of lbfgs, adam|of adam, lbfgs"):
        StyleTransferConfig().changed(optimizer="sgd")


def test_a_style_layer_keeps_its_weight_and_a_new_one_gets_the_mean():
    config = StyleTransferConfig(style_layers=("conv1_1", "conv2_1", "conv3_1"), layer_weights=(1.0, 2.0, 6.0))
    changed = config.changed(style_layers=("conv3_1", "conv5_1", "conv1_1"))
    assert changed.style_layers == ("conv3_1", "conv5_1", "conv1_1")
    assert changed.layer_weights == (6.0, 3.0, 1.0)
    assert config.changed(style_layers=("conv2_1",), layer_weights=(9.0,)).layer_weights == (9.0,)


def test_equal_weights_stay_equal():
    changed = StyleTransferConfig().changed(style_layers=("conv1_1", "conv2_1"))
    assert [changed.weight_of_layer(layer) for layer in changed.style_layers] == [0.5, 0.5]


# To and from plain values


@pytest.mark.parametrize(
    "config",
    [
        StyleTransferConfig(),
        StyleTransferConfig(layer_weights=(1.0, 2.0, 3.0, 4.0, 5.0), optimizer="adam", clamp=True, seed=2**32 - 1),
        StyleTransferConfig(style_layers=(), style_weight=0, tv_weight=1e-3, adam_betas=(0.5, 0.6)),
    ],
)
def test_settings_come_back_from_json(config):
    values = config.to_dict()
    assert values.keys() == FIELDS.keys()
    text = json.dumps(values, allow_nan=False)
    back = StyleTransferConfig.from_dict(json.loads(text))
    assert back == config and hash(back) == hash(config)


def test_what_is_not_said_is_the_default():
    assert StyleTransferConfig.from_dict({}) == StyleTransferConfig()
    assert StyleTransferConfig.from_dict({"seed": 4}) == StyleTransferConfig(seed=4)


def test_an_unknown_setting_is_refused_with_those_there_are():
    with pytest.raises(ConfigError) as raised:
        StyleTransferConfig.from_dict({"seed": 1, "stlye_weight": 2})
    assert "'stlye_weight'" in str(raised.value) and all(name in str(raised.value) for name in FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_an_invalid_plain_value_is_refused_by_name(name):
    with pytest.raises(ConfigError, match=name):
        StyleTransferConfig.from_dict({name: {"no": "value"}})


def test_reading_plain_values_leaves_them_alone():
    values = StyleTransferConfig().to_dict()
    before = json.dumps(values)
    StyleTransferConfig.from_dict(values)
    assert json.dumps(values) == before


# On another network


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_valid_on_every_backbone_and_unchanged_on_its_own(name):
    config = PRESETS[name].config
    assert config.on(config.backbone) == config
    for backbone in SETTINGS["backbone"].choices:
        there = config.on(backbone)
        assert there.backbone == backbone
        assert sum(map(there.weight_of_layer, there.style_layers)) == pytest.approx(
            sum(map(config.weight_of_layer, config.style_layers))
        )


def test_layers_that_become_one_add_up_their_weights():
    config = StyleTransferConfig(
        style_layers=("conv1_1", "conv5_2", "conv5_4"),
        layer_weights=(1.0, 2.0, 3.0),
        content_layers=("conv5_2", "conv5_3"),
    )
    there = config.on("lite")
    assert (there.style_layers, there.layer_weights) == (("conv1_1", "conv5_1"), (1.0, 5.0))
    assert there.content_layers == ("conv5_1",)


def test_equal_weights_add_up_too():
    there = StyleTransferConfig(style_layers=("conv1_1", "conv5_2", "conv5_4")).on("lite")
    assert there.layer_weights == pytest.approx((1 / 3, 2 / 3))


def test_an_unknown_network_is_refused():
    with pytest.raises(ConfigError, match="backbone is 'resnet'; choose one of vgg19, vgg16, lite"):
        StyleTransferConfig().on("resnet")


ODDER = [
    True,
    -1,
    0.5,
    10**400,
    float("nan"),
    "x" * 10_000,
    b"x",
    [],
    {},
    (),
    [[]],
    ({},),
    (None,),
    ["conv1_1"],
    ("x" * 10_000,),
    ("conv1_1",) * 10_000,
    (1.0,) * 10_000,
    {"x": 1},
    object(),
]


@pytest.mark.parametrize("name", FIELDS)
def test_any_value_of_a_setting_is_taken_or_refused_in_a_short_sentence(name):
    weighed = StyleTransferConfig(layer_weights=(1.0, 0.5, 0.25, 2.0, 0.0))
    for value in ODDER:
        for change in (weighed.changed, lambda **given: StyleTransferConfig.from_dict(weighed.to_dict() | given)):
            try:
                change(**{name: value})
            except ConfigError as error:
                assert len(str(error)) < 600 and "x" * 81 not in str(error)


def test_settings_that_are_none_are_refused_in_a_short_sentence():
    for values in (None, 5, [], "x" * 10_000, {"x" * 10_000: 1}, {5: 1}):
        with pytest.raises(ConfigError) as refused:
            StyleTransferConfig.from_dict(values)
        assert len(str(refused.value)) < 700 and "x" * 81 not in str(refused.value)


def test_there_are_no_more_shares_than_style_pictures_may_be():
    assert StyleTransferConfig(blend=(1.0,) * MAX_STYLES)
    with pytest.raises(ConfigError, match="blend has 5 shares; give one for each of at most 4 styles"):
        StyleTransferConfig(blend=(1.0,) * (MAX_STYLES + 1))
