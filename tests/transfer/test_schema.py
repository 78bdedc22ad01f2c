"""What a setting says of itself: what it refuses, and how it reads what people type."""

import pytest

from nst_core.errors import ConfigError
from nst_core.transfer.schema import Setting, titled

WEIGHT = Setting(name="weight", default=1.0, extent=(0, 10))
COUNT = Setting(name="count", default=3, extent=(1, 99), unit="steps")
SWITCH = Setting(name="switch", default=False)
CHOICE = Setting(name="choice", default="a", choices=titled(("a", "b")))
NUMBERS = Setting(name="numbers", default=(0.5, 0.5), extent=(0, 1))
LAYERS = Setting(name="layers", default=("conv1_1",))


@pytest.mark.parametrize(
    ("one", "typed", "value"),
    [
        (WEIGHT, "2", 2.0),
        (WEIGHT, "1e-3", 1e-3),
        (WEIGHT, "much", "much"),
        (COUNT, "12", 12),
        (COUNT, "1e1", 10.0),
        (COUNT, "1.5", 1.5),
        (COUNT, "", ""),
        (SWITCH, "On", True),
        (SWITCH, "false", False),
        (SWITCH, "perhaps", "perhaps"),
        (CHOICE, "b", "b"),
        (CHOICE, "c", "c"),
        (NUMBERS, "0.1 0.2", (0.1, 0.2)),
        (NUMBERS, "0.1 x", (0.1, "x")),
        (LAYERS, "conv1_1 conv2_1", ("conv1_1", "conv2_1")),
    ],
)
def test_what_people_type_is_read_and_what_cannot_be_read_stays_text(one, typed, value):
    read = one.read(typed)
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    ("one", "value", "words"),
    [
        (WEIGHT, 11, "weight is 11; give a number from 0 to 10"),
        (COUNT, 1.5, "count is 1.5; give a whole number from 1 to 99 steps"),
        (COUNT, True, "count is True; give a whole number"),
        (SWITCH, 1, "switch is 1; give True or False"),
        (CHOICE, "c", "choice is 'c'; choose one of a, b"),
        (NUMBERS, (0.5, 1.0), "numbers is (0.5, 1.0); give a tuple of numbers from 0 to below 1"),
    ],
)
def test_what_is_refused_says_what_is_valid(one, value, words):
    with pytest.raises(ConfigError) as raised:
        one.check(value)
    assert words in str(raised.value)


def test_it_is_known_by_its_symbol_and_asked_by_its_option():
    one = Setting(name="style_weight", default=1.0, symbol="β", option="beta")
    assert (one.short, one.asked) == ("β", "beta")
    assert (COUNT.short, COUNT.asked) == ("count", "count")
    assert Setting(name="style_loss").short == "style loss"


def test_choices_have_titles_that_are_text():
    assert titled(("a", "b")) == titled({"a": print, "b": len}) == {"a": "a", "b": "b"}
    assert titled({"a": print}, ("an A",)) == {"a": "an A"}
