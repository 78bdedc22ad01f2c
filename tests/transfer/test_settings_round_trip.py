"""Any settings that are accepted come back from a record and from the command line; any others are refused."""

import json
from functools import cache

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nst_core.__main__ import _parser
from nst_core.commands.stylize import config_of
from nst_core.errors import ConfigError, NSTError
from nst_core.features.vgg import BACKBONES, layer_names
from nst_core.transfer.config import SETTINGS, StyleTransferConfig
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import RunRecord
from nst_core.transfer.schema import Setting
from tests.runs import CPU
from tests.transfer.test_record import is_whole, record_of

LAYERS = sorted({layer for backbone in BACKBONES for layer in layer_names(backbone)})


def values_of(one: Setting) -> st.SearchStrategy:
    """Values of one setting, such as may be valid, the ends of what is among them."""
    if one.choices is not None:
        return st.sampled_from(list(one.choices))
    if isinstance(one.default, bool):
        return st.booleans()
    if one.extent is None:
        return st.lists(st.sampled_from(LAYERS), max_size=4, unique=True).map(tuple)
    low, high = one.extent
    if one.whole:
        return st.integers(int(low), int(high))
    numbers = st.floats(low, high, exclude_max=isinstance(one.default, tuple))
    return st.lists(numbers, max_size=5).map(tuple) if isinstance(one.default, tuple) else numbers


BY_NAME = {name: values_of(one) for name, one in SETTINGS.items()}
some_values = st.lists(st.sampled_from(list(SETTINGS)), max_size=4, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: BY_NAME[name] for name in names})
)


@cache
def parser():
    return _parser()


def typed(config: StyleTransferConfig) -> list[str]:
    """All of its settings as options; what is empty cannot be said."""
    options = []
    for name, one in SETTINGS.items():
        value = getattr(config, name)
        if isinstance(value, bool):
            options.append(f"--{'' if value else 'no-'}{one.dashed}")
        elif value != ():
            values = value if isinstance(value, tuple) else (value,)
            options += [f"--{one.dashed}", *map(str, values)]
    return options


@settings(max_examples=80)
@given(st.sampled_from(sorted(PRESETS)), some_values)
def test_settings_that_are_accepted_come_back_from_a_record_and_from_the_command_line(preset, values):
    base = PRESETS[preset].config
    try:
        config = base.changed(**values)
    except ConfigError as error:
        assert 20 < len(str(error)) < 700 and str(error).isprintable()
        return
    assert RunRecord.from_json(record_of(config).to_json()).config == config
    assert StyleTransferConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assume(all(getattr(config, name) != () or getattr(base, name) == () for name in SETTINGS))
    command = ["stylize", "a.png", "b.png", "-o", "c.png", "--preset", preset, *typed(config)]
    assert config_of(parser().parse_args(command), CPU) == config


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
json_values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
GOOD = record_of().to_dict()
places = st.sampled_from([(name,) for name in GOOD] + [("config", name) for name in GOOD["config"]] + [("more",), ()])


@settings(max_examples=80)
@given(st.lists(st.tuples(places, json_values), min_size=1, max_size=2))
def test_any_value_in_any_place_of_a_record_is_read_or_refused_in_a_sentence(changes):
    record = json.loads(json.dumps(GOOD))
    for place, value in changes:
        if place and isinstance(record, dict):
            above = record if len(place) == 1 else record.get(place[0])
            if isinstance(above, dict):
                above[place[-1]] = value
        else:
            record = value
    try:
        read = RunRecord.from_json(json.dumps(record))
    except NSTError as error:
        assert len(str(error)) < 700 and str(error).isprintable()
        return
    assert is_whole(read) and RunRecord.from_json(read.to_json()) == read
