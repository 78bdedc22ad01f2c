"""Rescales features, as weights hang on their size: content losses grow with its square, Gram's with its fourth power.

Programs looked through networks of different scales and chose their weights for these. Nothing between two layers of a
VGG but ReLU and pooling, which keep any factor above 0, so each of its filters can be given another scale for good: its
weights and bias times that, the next layer's weights divided by it. What the network sees stays the same, and a step
costs what it did.
"""

from collections.abc import Mapping

from torch import Tensor

from nst_core.features.checkpoint import MEANS, PRE, TEACHERS, plan, tap_name, unit_tap_name

AS_TRAINED, UNIT, CAFFE = "as trained", "mean activation 1", "caffe"

# Feature scale -> what features are, for people.
FEATURE_SCALES = {
    AS_TRAINED: "features as the network has them",
    UNIT: "features rescaled, filter by filter, to a mean activation of 1",
    CAFFE: "features as large as Caffe's for pixels of 0 … 255",
}

# Gatys et al. (2016) divide by any mean; of a filter that hardly ever answers, as one of conv4_1's with 0.8 % of its
# layer's mean, that would make its rare answers all that a Gram matrix sees. It is divided by this share at least.
SMALLEST_SHARE = 0.1

# Caffe's networks take pixels of 0 … 255 less their mean, torchvision's divide by 255 and by ImageNet's deviation, in
# the mean of the three colours 0.226. Features grow as what goes in, so Caffe's are so many times as large. The
# convolutions of Caffe's own VGG-19 in torchvision's convention, whose biases are divided by the same, give just that.
CAFFE_FACTOR = 255 * (0.229 + 0.224 + 0.225) / 3

# Mean activations of that file on the photographs of `activations`, which other files are brought to.
CAFFE_MEANS: dict[str, float] = {
    "conv1_1": 0.4065306,
    "conv1_2": 1.78287,
    "conv2_1": 2.1125,
    "conv2_2": 1.869122,
    "conv3_1": 2.210623,
    "conv3_2": 2.802708,
    "conv3_3": 5.969505,
    "conv3_4": 8.554953,
    "conv4_1": 9.029893,
    "conv4_2": 6.082531,
    "conv4_3": 3.461085,
    "conv4_4": 0.8681065,
    "conv5_1": 0.9162374,
    "conv5_2": 0.4002023,
    "conv5_3": 0.1652895,
    "conv5_4": 0.02166332,
}


def rescaled(state: Mapping[str, Tensor], backbone: str, scale: str) -> dict[str, Tensor]:
    """Make the tensors of a network whose features have another scale.

    Of Lite, whose features are read through taps, the taps change, and conv5_1, which has none.

    Args:
        state: as `checkpoint.load` gives it, with what `activations.scale_tensors` gives.
        backbone: whose it is.
        scale: one of FEATURE_SCALES.

    Source: Gatys et al. (2016), section 2, who rescale VGG-19 to a mean activation of 1 over pictures and positions.
    """
    if scale == AS_TRAINED:
        return dict(state)
    factors = {layer: _factor(layer, mean, backbone, scale) for layer, mean in means_in(state).items()}
    if backbone in TEACHERS:
        return _with_other_taps(state, backbone, scale, factors)
    changed, before = dict(state), None
    for name, index, _ in plan(backbone):
        if name.startswith("conv"):
            factor, weight = factors[name], state[f"features.{index}.weight"]
            if before is not None:
                weight = weight / before[:, None, None]
            changed[f"features.{index}.weight"] = weight * factor[:, None, None, None]
            changed[f"features.{index}.bias"] = state[f"features.{index}.bias"] * factor
            before = factor
    return changed


def _factor(layer: str, mean: Tensor, backbone: str, scale: str) -> Tensor:
    """Find the factor of each filter's answers, (C,)."""
    if scale == UNIT:
        return 1 / _floored(mean)
    likes_caffes = TEACHERS.get(backbone, backbone) == "vgg19"  # nothing is known of Caffe's VGG-16 here
    share = CAFFE_MEANS[layer] / mean.mean() if likes_caffes else mean.new_ones(())
    return (CAFFE_FACTOR * share).expand(len(mean))


def unit_tap(tap: Tensor, mean: Tensor) -> Tensor:
    """D T of T (C, k), a student's features to its teacher's, and means (C,): to the teacher's of mean activation 1."""
    return tap / _floored(mean)[:, None]


def _floored(mean: Tensor) -> Tensor:
    return mean.clamp(min=SMALLEST_SHARE * mean.mean())


def _with_other_taps(
    state: Mapping[str, Tensor], backbone: str, scale: str, factors: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    changed = dict(state)
    for name, index, _ in plan(backbone):
        if not name.startswith("conv"):
            continue
        if tap_name(name) not in state:
            weight, bias = f"features.{index}.weight", f"features.{index}.bias"
            changed[weight] = state[weight] * factors[name][:, None, None, None]
            changed[bias] = state[bias] * factors[name]
            continue
        for layer in (name, name + PRE):
            unit, tap = state[unit_tap_name(layer)], state[tap_name(layer)]
            changed[tap_name(layer)] = unit if scale == UNIT else tap * factors[name][0]
    return changed


def means_in(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """layer -> mean activations (C,) of its filters, of Lite those of its teacher's."""
    return {name.removeprefix(MEANS): tensor for name, tensor in state.items() if name.startswith(MEANS)}
