"""What can be set of a figure: what people type is read, what is wrong is told, and text leads back to the value."""

import pytest

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.options import MOST_VALUES, Option, layer_named, parse_all
from nst_core.errors import ConfigError
from nst_core.features.vgg import layer_names
from tests.every import every

WHOLE = Option("steps", "Steps", 100, extent=(1, 500))
SHARE = Option("x", "Across", 0.5, extent=(0, 1))
SEVERAL = Option("seeds", "Seeds", (0, 1), extent=(0, 2**32 - 1))
RATIOS = Option("ratios", "Ratios", (1e-3,), extent=(1e-12, 1e6))
FLAG = Option("above", "Layers above", True)
CHOICE = Option("start", "Start", "noise", choices=("noise", "content"))
OPEN = Option("layers", "Layers", ("conv1_1",), choices=("conv1_1",), check=layer_named, fixed=False)
EVERY = {(figure.name, option.name): option for figure in FIGURES.values() for option in figure.options}


@every(place=EVERY)
def test_the_default_is_valid_and_so_is_its_text(place):
    option = EVERY[place]
    assert option.parse(option.default) == option.default == option.parse(option.text(option.default))
    assert type(option.parse(option.text(option.default))) is type(option.default)


@pytest.mark.parametrize(
    "place", [place for place, option in EVERY.items() if option.choices and option.kind is str], ids="-".join
)
def test_every_choice_that_is_offered_is_valid(place):
    option = EVERY[place]
    for choice in option.choices:
        assert option.parse(choice) == ((choice,) if option.several else choice)


@pytest.mark.parametrize(
    "option, value",
    [
        (WHOLE, 1),
        (WHOLE, 500),
        (SHARE, 1 / 3),
        (SHARE, 0.1 + 0.2),
        (SHARE, 1e-300),
        (FLAG, False),
        (FLAG, True),
        (SEVERAL, (2**32 - 1, 7)),
        (RATIOS, (1e-5, 2 / 3, 1e6)),
        (CHOICE, "content"),
        (OPEN, ("conv3_1", "a layer that only the network knows of whatever the length of its name as it might have")),
    ],
)
def test_the_text_of_a_value_is_read_as_that_value(option, value):
    assert option.parse(option.text(value)) == value


def test_a_set_of_many_layers_has_its_whole_text():
    option, every = EVERY["style", "sets"], " ".join(layer_names("vgg19"))
    assert option.parse(option.text((every, "A-C"))) == (every, "A-C")


def test_text_is_what_people_write():
    assert RATIOS.text((1e-5, 0.5, 1e6)) == "1e-5, 0.5, 1e6"
    assert (FLAG.text(True), FLAG.text(False)) == ("on", "off")


@pytest.mark.parametrize(
    "option, given, value",
    [
        (WHOLE, " 20 ", 20),
        (WHOLE, 20.0, 20),
        (WHOLE, "1e2", 100),
        (SHARE, 1, 1.0),
        (FLAG, "ON", True),
        (FLAG, "false", False),
        (FLAG, True, True),
        (SEVERAL, "3; 4,5,", (3, 4, 5)),
        (SEVERAL, [3.0, "4"], (3, 4)),
        (SEVERAL, 7, (7,)),
        (SEVERAL, 0, (0,)),
        (CHOICE, " content ", "content"),
        (OPEN, "conv4, 5", ("conv2_2", "conv3_1")),
    ],
)
def test_a_value_may_come_as_text_or_as_the_page_has_it(option, given, value):
    parsed = option.parse(given)
    kinds = [type(each) for each in (parsed if option.several else (parsed,))]
    assert parsed == value and set(kinds) == {option.kind}


NO_NUMBERS = ["abc", "", None, "nan", "inf", -1, 501, 10**400, "9" * 5000, 1.5, True, [20], {}]


@pytest.mark.parametrize("given", NO_NUMBERS, ids=lambda given: repr(given)[:12])
def test_what_is_no_such_number_is_refused_with_the_range(given):
    with pytest.raises(ConfigError, match="^Steps is .*; give a whole number from 1 to 500$") as raised:
        WHOLE.parse(given)
    assert len(str(raised.value)) < 130


@pytest.mark.parametrize(
    "option, given, told",
    [
        (CHOICE, "style", "Start is 'style'; choose one of noise, content"),
        (CHOICE, None, "Start is empty"),
        (CHOICE, 3, "Start is empty"),
        (FLAG, "perhaps", "Layers above is 'perhaps'; give on or off"),
        (FLAG, None, "give on or off"),
        (SEVERAL, "", "0 values; choose 1 to 8"),
        (SEVERAL, None, "0 values"),
        (SEVERAL, " , ;", "0 values"),
        (SEVERAL, list(range(MOST_VALUES + 1)), "9 values"),
        (SEVERAL, "1, 2, 1.0", "Seeds is 1, 2, 1; name each value once"),
        (SEVERAL, [1, None], "Seeds is empty"),
        (SEVERAL, [1, "x"], "Seeds is 'x'"),
        (OPEN, "conv2_2, 4", "name each value once"),
        (OPEN, "17", "counts its convolutions from 1 to 16"),
        (OPEN, "0", "from 1 to 16"),
        (OPEN, "9" * 5000, "from 1 to 16"),
    ],
)
def test_what_is_wrong_names_the_option_and_what_is_right(option, given, told):
    with pytest.raises(ConfigError) as raised:
        option.parse(given)
    assert told in str(raised.value) and len(str(raised.value)) < 160


def test_as_many_values_as_there_may_be_are_taken():
    assert SEVERAL.parse(",".join(map(str, range(MOST_VALUES)))) == tuple(range(MOST_VALUES))


def test_options_that_are_not_given_have_their_defaults():
    assert parse_all((WHOLE, FLAG), {"steps": "7"}) == {"steps": 7, "above": True}
    with pytest.raises(ConfigError, match="'colour' is no setting of this figure; it has steps, above"):
        parse_all((WHOLE, FLAG), {"colour": 1})


def test_a_number_counts_the_convolutions_of_vgg19():
    for number, layer in enumerate(layer_names("vgg19"), 1):
        assert layer_named(str(number)) == layer_named(f"conv{number}") == layer_named(f" CONV{number} ") == layer
    assert layer_named("conv4") == "conv2_2"
    assert layer_named("conv4_2") == "conv4_2"
