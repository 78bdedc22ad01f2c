import dataclasses

import pytest

from nst_core.errors import ConfigError
from nst_core.transfer.config import STEERABLE, StyleTransferConfig
from nst_core.transfer.steering import Steering

CONFIG = StyleTransferConfig(backbone="lite", content_layers=("conv3_1",), steps=7, seed=3)

# Another value of every setting that can be steered.
OTHER = {
    "content_weight": 2.0,
    "style_weight": 5.0,
    "tv_weight": 1.0,
    "style_layers": ("conv1_1", "conv2_1"),
    "content_layers": ("conv2_1",),
    "layer_weights": (1.0, 2.0, 3.0, 4.0, 5.0),
    "blend": (1.0, 3.0),
}


def wishing(config: StyleTransferConfig) -> Steering:
    steering = Steering()
    steering.wanted = config
    return steering


def test_the_table_of_wishes_has_every_steerable_setting():
    assert OTHER.keys() == set(STEERABLE)
    assert set(STEERABLE) <= {field.name for field in dataclasses.fields(StyleTransferConfig)}


def test_without_a_wish_the_settings_are_the_very_same():
    assert Steering().steered(CONFIG) is CONFIG
    assert wishing(dataclasses.replace(CONFIG)).steered(CONFIG) is CONFIG


@pytest.mark.parametrize("name", STEERABLE)
def test_a_steerable_setting_becomes_as_wanted_and_no_other(name):
    wanted = dataclasses.replace(CONFIG, **{name: OTHER[name]})
    steered = wishing(wanted).steered(CONFIG)
    assert steered == wanted != CONFIG
    assert wishing(wanted).steered(steered) is steered


def test_whatever_else_is_wanted_stays_as_it_is():
    others = StyleTransferConfig(
        backbone="vgg16",
        pooling="average",
        style_loss="moments",
        size=64,
        steps=9,
        optimizer="adam",
        color="content",
        seed=8,
        content_layers=CONFIG.content_layers,
    )
    assert wishing(others).steered(CONFIG) is CONFIG
    assert wishing(dataclasses.replace(others, tv_weight=4.0)).steered(CONFIG) == dataclasses.replace(
        CONFIG, tv_weight=4.0
    )


def test_a_wish_that_is_not_valid_here_is_refused():
    elsewhere = StyleTransferConfig(backbone="vgg19", style_layers=("conv5_4",))
    with pytest.raises(ConfigError, match="conv5_4"):
        wishing(elsewhere).steered(CONFIG)


def test_controls_are_their_owners_alone():
    one, other = Steering(), Steering()
    one.stop.set()
    one.wanted = CONFIG
    assert not other.stop.is_set() and other.wanted is None
