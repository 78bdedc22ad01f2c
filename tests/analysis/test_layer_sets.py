"""Sets of layers as the papers write them, and how far down each of them looks."""

from itertools import pairwise

import pytest

from nst_core.analysis.layer_sets import CUMULATIVE, LETTERS, layer_set
from nst_core.errors import ConfigError
from nst_core.features.vgg import layer_names
from nst_core.transfer.settings import GATYS_STYLE_LAYERS

KNOWN = tuple(layer_names("vgg19"))


def test_each_cumulative_set_has_one_layer_more_than_the_one_before():
    assert list(CUMULATIVE) == ["A", "A-B", "A-C", "A-D", "A-E"]
    assert CUMULATIVE["A"] == ("conv1_1",) and CUMULATIVE["A-E"] == GATYS_STYLE_LAYERS
    for smaller, larger in pairwise(CUMULATIVE.values()):
        assert larger[:-1] == smaller


@pytest.mark.parametrize("name", CUMULATIVE)
def test_a_cumulative_set_is_read_by_its_own_name(name):
    for written in (name, name.lower(), name.replace("-", "–"), f" {name} "):
        assert layer_set(written) == CUMULATIVE[name]


@pytest.mark.parametrize("first", range(1, 17))
def test_numbers_count_the_convolutions(first):
    assert layer_set(str(first)) == (KNOWN[first - 1],)
    for last in range(first, 17):
        assert layer_set(f"{first}-{last}") == KNOWN[first - 1 : last]


@pytest.mark.parametrize("letter, layer", [*zip(LETTERS, GATYS_STYLE_LAYERS, strict=True)])
def test_a_letter_alone_is_one_layer(letter, layer):
    assert layer_set(letter) == (layer,)


def test_names_come_shallow_to_deep_however_they_are_given():
    assert layer_set("conv3_1 conv1_1  conv5_1") == ("conv1_1", "conv3_1", "conv5_1")
    assert layer_set("conv2_1_pre conv1_2") == ("conv1_2", "conv2_1_pre")


def test_names_are_the_network_s_to_know():
    assert layer_set("conv9_9 conv1_1") == ("conv1_1", "conv9_9")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "F",
        "A-F",
        "C-A",
        "A-",
        "0",
        "17",
        "8-4",
        "0-3",
        "1-17",
        "9999",
        "relu1_1",
        "conv1_1 A",
        "conv1_1 conv1_1",
        "x" * 5000,
    ],
    ids=lambda text: text[:16],
)
def test_what_is_no_set_is_refused_and_told_what_one_is(text):
    with pytest.raises(ConfigError, match="the set of layers is .*A-C.*4-8.*conv1_1 conv3_1") as raised:
        layer_set(text)
    assert len(str(raised.value)) < 240
