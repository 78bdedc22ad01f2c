"""Sets of style layers by the papers' short names: "A-C", "4-8", "conv1_1 conv3_1"."""

import re
from collections.abc import Sequence

from nst_core.errors import ConfigError, said
from nst_core.features.checkpoint import PRE
from nst_core.features.vgg import layer_names
from nst_core.transfer.settings import GATYS_STYLE_LAYERS

LETTERS = "ABCDE"  # of Gatys' five layers

# The cumulative sets of Gatys et al. (2016), figure 1: each holds those before it.
CUMULATIVE = {
    LETTERS[0] if count == 1 else f"{LETTERS[0]}-{LETTERS[count - 1]}": GATYS_STYLE_LAYERS[:count]
    for count in range(1, len(LETTERS) + 1)
}


def layer_set(text: str) -> tuple[str, ...]:
    """List the layers of a set, shallow to deep.

    Args:
        text: letters of Gatys' five layers ("C", "A-C"), convolutions counted through VGG-19 as Cheng does ("4-8"), or
            names separated by spaces.

    Raises:
        ConfigError: neither of these; says what they look like. Names are checked by the network.
    """
    known, spoken = layer_names("vgg19"), text.strip().replace("–", "-")
    names: Sequence[str]  # of which a range is taken
    if match := re.fullmatch(r"([A-E])(?:-([A-E]))?", spoken.upper()):
        places, names = [LETTERS.index(letter or match[1]) for letter in match.groups()], GATYS_STYLE_LAYERS
    elif match := re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", spoken):
        places, names = [int(number or match[1]) - 1 for number in match.groups()], known
    else:
        layers = tuple(spoken.split())
        if not layers or not all(layer.startswith("conv") for layer in layers) or len(set(layers)) < len(layers):
            raise ConfigError(_what_sets_are(text))
        return tuple(sorted(layers, key=lambda layer: _depth(layer, known)))
    first, last = places
    if not 0 <= first <= last < len(names):
        raise ConfigError(_what_sets_are(text))
    return tuple(names[first : last + 1])


def _depth(layer: str, known: list[str]) -> int:
    name = layer.removesuffix(PRE)
    return known.index(name) if name in known else len(known)


def _what_sets_are(text: str) -> str:
    return (
        f"the set of layers is {said(text)}; give A to E for Gatys' layers (A-C), numbers 1 to 16 for convolutions "
        "(4-8), or names with spaces between them (conv1_1 conv3_1)"
    )
