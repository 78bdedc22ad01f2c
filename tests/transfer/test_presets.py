"""Every preset against the numbers of its paper or program, written down here a second time."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from nst_core.features.vgg import layer_names
from nst_core.transfer.ladder import ladder
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.own_presets import OWN_PRESETS
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS, counterpart
from nst_core.transfer.stylize import stylize

FIVE = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
FIRST_FIVE = ("conv1_1_pre", "conv1_2_pre", "conv2_1_pre", "conv2_2_pre", "conv3_1_pre")


@dataclass(frozen=True, kw_only=True)
class Written:
    """A system's loss and settings as its authors write them.

    F, P: features (N, M) of the painted and the content picture; G, A: undivided Gram matrices of the painted and the
    style picture with M and M_s positions; x: the painted picture (3, H, W) in [0, 1].
    """

    content: Callable  # F, P -> loss of one layer
    style: Callable | None = None  # G/M, A/M_s, N, M, layer's number -> loss of one layer
    cloud: Callable | None = None  # or F, S (N, M_s), layer's number -> loss of one layer
    tv: Callable = lambda x: 0.0
    content_layers: tuple[str, ...] = ("conv4_2",)
    style_layers: tuple[str, ...] = FIVE
    start: tuple[str, ...]
    optimizer: str = "lbfgs"
    steps: int | None  # None: not said
    size: int | None = 512
    size_rule: str | None = "longest side"
    backbone: str = "vgg19"
    pooling: str = "max"
    padding: str = "zeros"
    normalization: str = "imagenet"
    feature_scale: str = "as trained"
    step_size: float | None = None


def half_sum(F, P):
    return ((F - P) ** 2).sum() / 2


def mse(F, P):
    return ((F - P) ** 2).mean()


def equation_4(G, A, N, M):
    """Σ(G−A)²/(4N²M²) of undivided Gram matrices."""
    return ((M * G - M * A) ** 2).sum() / (4 * N**2 * M**2)


def gram_mse(G, A, N):
    """Mean squared difference of Gram / (N·M)."""
    return ((G / N - A / N) ** 2).mean()


def squared_slopes(x):
    """Σ dx² + dy², the last row and column left out."""
    return ((x[:, :-1, 1:] - x[:, :-1, :-1]) ** 2).sum() + ((x[:, 1:, :-1] - x[:, :-1, :-1]) ** 2).sum()


def absolute_slopes(x):
    return np.abs(np.diff(x, axis=1)).sum() + np.abs(np.diff(x, axis=2)).sum()


def nine_points(x):
    """2·[mean dx²/3 + mean dy²/3 + mean d₄₅²/12 + mean d₁₃₅²/12], the edge repeated once."""
    p = np.pad(x, ((0, 0), (1, 1), (1, 1)), mode="edge")
    straight = (np.diff(p, axis=2) ** 2).mean() + (np.diff(p, axis=1) ** 2).mean()
    slanted = ((p[:, 1:, 1:] - p[:, :-1, :-1]) ** 2).mean() + ((p[:, 1:, :-1] - p[:, :-1, 1:]) ** 2).mean()
    return 2 * (straight / 3 + slanted / 12)


def root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return vectors * values.clip(0) ** 0.5 @ vectors.T


def wasserstein(F, S):
    """|μ − μ_s|² + tr(Σ + Σ_s − 2 (Σ_s^½ Σ Σ_s^½)^½)."""
    (mean, covariance), (style_mean, style_covariance) = ((v.mean(1), np.cov(v, bias=True)) for v in (F, S))
    half = root(style_covariance)
    coupled = root(half @ covariance @ half)
    return ((mean - style_mean) ** 2).sum() + np.trace(covariance + style_covariance - 2 * coupled)


CROWSONS = (256, 64, 16, 4, 1)


def image_squares(G, A, M, pixels):
    """Σ(G−A)²/(4·3²·pixels²) of undivided Gram matrices, as Keras' example has it at every layer."""
    return ((M * G - M * A) ** 2).sum() / (4 * 3**2 * pixels**2)


SHALLOW_VGG16 = {
    "backbone": "vgg16",
    "content_layers": ("conv2_2",),
    "style_layers": ("conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3"),
    "start": ("noise",),
    "steps": 20 * 20,
    "size": 500,
    "size_rule": "exact",
}

CONVOLUTIONS_COUNTED = {
    "content_layers": ("conv3_3_pre",),
    "style_layers": FIRST_FIVE,
    "content": mse,
    "start": ("noise", "content"),
    "steps": 300,
    "size": None,
    "size_rule": None,
}

# torchvision's ReLU overwrites all but the last in place
FIVE_FOR_BOTH = {
    "normalization": "none",
    "content_layers": ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1_pre"),
    "style_layers": ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1_pre"),
    "style": lambda G, A, N, M, i: 0.1 * ((M * G - M * A) ** 2).mean(),
    "start": ("content",),
    "optimizer": "adam",
    "step_size": 1e-3,
    "size": None,
    "size_rule": None,
}

WRITTEN = {
    # the same as Gatys' own programs take it: means, ½ of squares and ¼ of squares of squares, on a rescaled network;
    # α is ours
    "gatys": Written(
        content=lambda F, P: 7 * mse(F, P) / 2,
        style=lambda G, A, N, M, i: 1e3 / 5 * ((G - A) ** 2).mean() / 4,
        pooling="average",
        feature_scale="mean activation 1",
        start=("noise",),
        steps=None,
    ),
    # with means, as PyTorch's loops take them
    "luo": Written(
        content=mse,
        style=lambda G, A, N, M, i: 8e4 / 5 * gram_mse(G, A, N),
        start=("noise", "content", "style"),
        steps=4000,
        size=None,
        size_rule=None,
    ),
    # the loss of gatys_code; α is ours
    "chao": Written(
        content=lambda F, P: 50 * mse(F, P),
        style=lambda G, A, N, M, i: 1e3 / N**2 * ((G - A) ** 2).mean(),
        feature_scale="caffe",
        start=("noise",),
        steps=500,
        size=None,
        size_rule=None,
    ),
    # Surma's loop: the style divided by 4·3²·pixels² at every layer; α is ours, and a mean for his sum over positions
    "tran_nguyen": Written(
        content=lambda F, P: 2e7 * mse(F, P),
        style=lambda G, A, N, M, i: 5000 / 5 * image_squares(G, A, M, PIXELS),
        feature_scale="caffe",
        **SHALLOW_VGG16,
    ),
    # Gatys et al. (2016): α/β = 1e-3, w_l = 1/5, from noise, average pooling
    "gatys_printed": Written(
        content=half_sum,
        style=lambda G, A, N, M, i: 1e3 / 5 * equation_4(G, A, N, M),
        pooling="average",
        start=("noise",),
        steps=None,
    ),
    # α = 1, β = 8e4, equal w_l, 4e3 steps
    "luo_printed": Written(
        content=half_sum,
        style=lambda G, A, N, M, i: 8e4 / 5 * equation_4(G, A, N, M),
        start=("noise", "content", "style"),
        steps=4000,
        size=None,
        size_rule=None,
    ),
    # Σ(G−S)²/(2·n_W·n_H·n_C)², α/β = 1e-3, pictures up to step 500
    "chao_printed": Written(
        content=half_sum,
        style=lambda G, A, N, M, i: 1e3 / 5 * ((M * G - M * A) ** 2).sum() / (2 * M * N) ** 2,
        start=("noise",),
        steps=500,
        size=None,
        size_rule=None,
    ),
    # VGG-16, α = 0.1, β = 5000, w_l = 1/5, 20 iterations of up to 20 evaluations, 500×500
    "tran_nguyen_printed": Written(
        content=lambda F, P: 0.1 * half_sum(F, P),
        style=lambda G, A, N, M, i: 5000 / 5 * equation_4(G, A, N, M),
        **SHALLOW_VGG16,
    ),
    # convolutions counted 1 … 16: content the 4th, 5th or 7th, style the 1st to 5th; style 1e5 or 6e5, content 1
    "cheng": Written(style=lambda G, A, N, M, i: 6e5 * gram_mse(G, A, N), **CONVOLUTIONS_COUNTED),
    "cheng_printed": Written(style=lambda G, A, N, M, i: 1e5 * gram_mse(G, A, N), **CONVOLUTIONS_COUNTED),
    # α = 0.9, β = 0.1, Gram undivided, mean squared difference
    "from_scratch": Written(content=lambda F, P: 1.5e4 * mse(F, P), steps=10_000, **FIVE_FOR_BOTH),
    "from_scratch_printed": Written(content=lambda F, P: 0.9 * mse(F, P), steps=10_000, **FIVE_FOR_BOTH),
    # content 5, style 100 on Gram/(N·M) as mean squares; TV 1e-3·½Σ(dx²+dy²) on 0..256
    "neural_style": Written(
        feature_scale="caffe",
        content=lambda F, P: 5 * mse(F, P),
        style=lambda G, A, N, M, i: 100 * gram_mse(G, A, N),
        tv=lambda x: 1e-3 * squared_slopes(256 * x) / 2,
        start=("noise",),
        steps=1000,
    ),
    # weights 1e3/N² on the mean square of Gram/M; 512 the shorter side, 500 evaluations
    "gatys_code": Written(
        feature_scale="caffe",
        content=mse,
        style=lambda G, A, N, M, i: 1e3 / N**2 * ((G - A) ** 2).mean(),
        start=("content",),
        steps=500,
        size_rule="shortest side",
    ),
    # the five shallowest convolutions before ReLU, style 1e6; 512 pixels on a GPU, 128 on a CPU: ours is between both
    "pytorch_tutorial": Written(
        content_layers=("conv2_2_pre",),
        style_layers=FIRST_FIVE,
        content=mse,
        style=lambda G, A, N, M, i: 1e6 * gram_mse(G, A, N),
        start=("content",),
        steps=300,
        size_rule="shortest side",
        size=256,
    ),
    # RGB·255 less the mean; content 1e5 before ReLU, style 3e4 on the mean of five sums, TV 1·Σ|dx|+|dy| on 0..255
    "gordic": Written(
        normalization="caffe",
        content_layers=("conv4_2_pre",),
        content=lambda F, P: 1e5 * mse(F, P),
        style=lambda G, A, N, M, i: 3e4 / 5 * ((G / N - A / N) ** 2).sum(),
        tv=lambda x: absolute_slopes(255 * x),
        start=("content",),
        steps=1000,
        size=400,
        size_rule="height",
    ),
    # content 0.015, layers 256:64:16:4:1 of 341, TV 2; 1000 steps at 128 pixels, 500 at each of four more to 512
    "crowson": Written(
        padding="replicate",
        content=lambda F, P: 0.015 * mse(F, P),
        cloud=lambda F, S, i: CROWSONS[i] / 341 * wasserstein(F, S) / len(F),
        tv=lambda x: 2.0 * nine_points(x),
        start=("content",),
        optimizer="adam",
        step_size=0.02,
        steps=1000 + 4 * 500,
    ),
}

PIXELS = 8 * 12  # of the painted picture below
CHANNELS = {1: 64, 2: 128, 3: 256, 4: 512, 5: 512}  # of a VGG's blocks


class KnownPictures:
    """In a network's place: random features of their own for each of three pictures, and what it was asked."""

    def __init__(self, *sizes: tuple[int, int]):
        generator = torch.Generator().manual_seed(0)
        names = {
            name for backbone in ("vgg16", "vgg19") for pre in (False, True) for name in layer_names(backbone, pre=pre)
        }
        self.pictures, self.features, self.asked = [], [], []
        for height, width in sizes:
            self.pictures.append(torch.rand(1, 3, 2 * height, 2 * width, generator=generator))
            self.features.append(
                {
                    name: torch.rand(1, CHANNELS[int(name[4])], height + int(name[4]), width, generator=generator)
                    for name in sorted(names)
                }
            )

    def tap(self, layer):
        return None

    def __call__(self, image, layers, **settings):
        self.asked.append(settings)
        known = next(i for i, picture in enumerate(self.pictures) if torch.equal(picture, image))
        return {layer: self.features[known][layer] for layer in layers}


def flat(features: torch.Tensor) -> np.ndarray:
    return features[0].flatten(1).double().numpy()  # (N, M)


def by_hand(written: Written, network: KnownPictures) -> dict[str, float]:
    """A system's losses by its own formula, in float64."""
    painted, content, style = network.features
    terms = {}
    for layer in written.content_layers:
        terms[f"content {layer}"] = written.content(flat(painted[layer]), flat(content[layer]))
    for number, layer in enumerate(written.style_layers):
        F, S = flat(painted[layer]), flat(style[layer])
        (N, M), M_s = F.shape, S.shape[1]
        by_cloud = written.cloud is not None
        terms[f"style {layer}"] = (
            written.cloud(F, S, number) if by_cloud else written.style(F @ F.T / M, S @ S.T / M_s, N, M, number)
        )
    if variation := written.tv(network.pictures[0][0].double().numpy()):
        terms["total variation"] = variation
    return terms


def test_every_preset_is_held_against_its_source():
    assert PRESETS.keys() == WRITTEN.keys() | OWN_PRESETS.keys()
    assert DEFAULT_PRESET in OWN_PRESETS


@pytest.mark.parametrize("sizes", [((4, 6), (4, 6), (4, 6)), ((4, 6), (4, 6), (7, 5))], ids=["equal", "unequal"])
@pytest.mark.parametrize("name", WRITTEN)
def test_a_presets_loss_is_its_sources_formula(name, sizes):
    network, config = KnownPictures(*sizes), PRESETS[name].config
    painted, content_image, style_image = network.pictures
    terms = StyleTransferObjective(network, content_image, [style_image], config)(painted)
    expected = by_hand(WRITTEN[name], network)
    assert terms.keys() == expected.keys()
    for term, loss in terms.items():
        assert loss.item() == pytest.approx(expected[term], rel=5e-3 if WRITTEN[name].cloud else 1e-4), term
    for asked in network.asked:
        written = {key: getattr(WRITTEN[name], key) for key in ("pooling", "padding", "normalization")}
        assert asked == {**written, "wrap": False, "bare": True, "seen": None}


# (Coefficient of ‖G/M − A/M_s‖²) / (coefficient of the mean squared content difference) at a layer of N channels.
RATIOS = {
    "neural_style": lambda N: 20 / N**4,
    "gatys_code": lambda N: 1000 / N**4,
    "pytorch_tutorial": lambda N: 1e6 / N**4,
    "gordic": lambda N: 0.06 / N**2,
}


@pytest.mark.parametrize("name", RATIOS)
def test_style_and_content_are_balanced_as_in_the_table_of_conventions(name):
    network, config = KnownPictures((4, 6), (4, 6), (7, 5)), PRESETS[name].config
    painted, content_image, style_image = network.pictures
    terms = StyleTransferObjective(network, content_image, [style_image], config)(painted)
    (layer,) = config.content_layers
    content = mse(flat(network.features[0][layer]), flat(network.features[1][layer]))
    content_coefficient = terms[f"content {layer}"].item() / content
    for layer in config.style_layers:
        F, S = flat(network.features[0][layer]), flat(network.features[2][layer])
        distance = ((F @ F.T / F.shape[1] - S @ S.T / S.shape[1]) ** 2).sum()
        ratio = terms[f"style {layer}"].item() / distance / content_coefficient
        assert ratio == pytest.approx(RATIOS[name](F.shape[0]), rel=1e-4), layer


SAID = [
    (name, setting)
    for name, written in WRITTEN.items()
    for setting in ("optimizer", "steps", "size", "size_rule", "backbone", "step_size", "feature_scale")
    if getattr(written, setting) is not None
]


@pytest.mark.parametrize(("name", "setting"), SAID)
def test_a_presets_settings_are_its_sources(name, setting):
    assert getattr(PRESETS[name].config, setting) == getattr(WRITTEN[name], setting)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_preset_starts_where_its_source_does(name):
    assert PRESETS[name].config.start in WRITTEN[name].start


def test_adam_is_crowsons():
    config = PRESETS["crowson"].config
    assert config.adam_betas == (0.9, 0.99) and config.clamp


def test_the_scales_and_the_average_are_crowsons():
    config = PRESETS["crowson"].config
    assert [scale.size for scale in ladder(config, (3000, 4000))] == [128, 181, 256, 362, 512]
    assert (config.averaging, config.scale_falloff, config.tolerance) == (0.99, 0, 0)


def test_adam_of_the_loop_from_scratch_is_torchs_default():
    assert PRESETS["from_scratch_printed"].config.adam_betas == (0.9, 0.999)


def test_neural_style_starts_from_a_thousandth_of_a_grey_level():
    assert PRESETS["neural_style"].config.noise_deviation == pytest.approx(0.001 / 256)


def test_what_is_printed_and_what_paints_lead_to_each_other():
    pairs = {name: preset.printed for name, preset in PRESETS.items() if preset.printed}
    papers = {"gatys", "luo", "chao", "tran_nguyen"}
    assert pairs.keys() == papers | {"cheng", "from_scratch"}
    for painted, printed in pairs.items():
        assert (counterpart(painted), counterpart(printed)) == (printed, painted)
        assert PRESETS[printed].deviations and PRESETS[printed].config.feature_scale == "as trained"
        sums = PRESETS[printed].config.content_normalization == "half sum"
        assert sums == (PRESETS[printed].config.style_normalization == "paper") == (painted in papers)
    assert not any(counterpart(name) for name in PRESETS.keys() - pairs.keys() - set(pairs.values()))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_what_it_is(name):
    preset = PRESETS[name]
    assert preset.title and preset.source and name == name.lower() and " " not in name
    assert preset.title != preset.source


def test_no_two_presets_are_the_same():
    assert len({preset.config for preset in PRESETS.values()}) == len(PRESETS)
    assert len({preset.title for preset in PRESETS.values()}) == len(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_paints_on_the_network_that_comes_with_the_program(name, pictures):
    config = PRESETS[name].config.on("lite").changed(size=48, steps=4)
    first, *frames = stylize(*pictures, config)
    assert all(math.isfinite(loss) for frame in frames for loss in frame.losses.values())
    assert min(frame.total for frame in frames) < first.total  # from noise, one step may still go too far
