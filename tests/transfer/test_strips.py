import pytest
import torch

from nst_core import images
from nst_core.devices import Compute
from nst_core.features import strips as features_module
from nst_core.features.loading import load_network
from nst_core.losses import samples
from nst_core.losses.style import STYLE_LOSSES
from nst_core.losses.variation import TOTAL_VARIATIONS
from nst_core.transfer import strips as module
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.strips import StripwiseObjective

SIZE = 51, 26  # odd, at the pools, too; of four strips in the first block
FAR = ("wasserstein", "gram and wasserstein", "sliced wasserstein")  # whose gradient a nudge of the picture moves far


@pytest.fixture(autouse=True)
def narrow_strips(monkeypatch):
    monkeypatch.setattr(features_module, "STRIP_NUMBERS", 1)
    monkeypatch.setattr(module, "VARIATION_NUMBERS", 3 * 26 * 20)


def picture(seed: int, size: tuple[int, int] = SIZE) -> torch.Tensor:
    """Soft shapes with grain."""
    generator = torch.Generator().manual_seed(seed)
    shapes = images.resize(torch.rand(1, 3, 7, 7, generator=generator), size)
    return 0.7 * shapes + 0.3 * torch.rand(1, 3, *size, generator=generator)


CONTENT, STYLE, PAINTED = picture(0), picture(1, (40, 30)), picture(2)


def config_of(**settings) -> StyleTransferConfig:
    relative = {"content_normalization": "relative", "style_normalization": "relative", "style_weight": 9.0}
    return StyleTransferConfig(**{"backbone": "lite", "tv_weight": 0.5, **relative, **settings})


def found(kind, network, config, *, styles=(STYLE,), regions=(), painted=PAINTED):
    """Terms and their sum's gradient."""
    objective = kind(network, CONTENT, styles, config, regions)
    image = painted.clone().requires_grad_(True)
    terms = objective(image)
    torch.stack(list(terms.values())).sum().backward()
    return {name: term.item() for name, term in terms.items()}, image.grad


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """Of two gradients, of the largest value, but for the hundredth part where rounding opens or closes a ReLU."""
    return float(((one - other).abs() / other.abs().max()).quantile(0.99))


def check_same(network, config, within=5e-6, **pictures):
    """Hold a step in strips to the step; of losses that a nudge moves far, within a nudge's reach."""
    expected, slope = found(StyleTransferObjective, network, config, **pictures)
    terms, gradient = found(StripwiseObjective, network, config, **pictures)
    if config.style_loss in FAR:
        nudged = PAINTED + 1e-7 * torch.randn(PAINTED.shape, generator=torch.Generator().manual_seed(3))
        moved = found(StyleTransferObjective, network, config, painted=nudged, **pictures)[1]
        within = max(within, 5 * distance(moved, slope))
    assert list(terms) == list(expected)
    assert distance(gradient, slope) < within < 0.1
    for name, term in terms.items():
        assert term == pytest.approx(expected[name], rel=max(1e-4, within)), name


@pytest.mark.parametrize("style_loss", STYLE_LOSSES)
def test_a_step_in_strips_is_the_step_with_every_style_loss(random_vgg, style_loss):
    check_same(random_vgg["lite"], config_of(style_loss=style_loss))


@pytest.mark.parametrize("style_loss", ["gram", "moments", "sliced wasserstein"])
def test_masks_apply_in_strips_too(random_vgg, style_loss):
    mask = torch.zeros(1, 1, *SIZE)
    mask[:, :, 20:40, 5:20] = 1
    config = config_of(style_loss=style_loss)
    check_same(random_vgg["lite"], config, styles=(STYLE, STYLE.flip(1) / 2), regions=(mask, 1 - mask))


def test_blends_apply_in_strips_too(random_vgg):
    check_same(random_vgg["lite"], config_of(blend=(1.0, 3.0)), styles=(STYLE, STYLE.flip(1) / 2))


@pytest.mark.parametrize("total_variation", TOTAL_VARIATIONS)
@pytest.mark.parametrize("wrap", [False, True])
def test_a_tile_is_one_in_strips_too(random_vgg, wrap, total_variation):
    layers = {"content_layers": ("conv2_1",), "style_layers": ("conv1_1", "conv2_1")}
    check_same(random_vgg["lite"], config_of(wrap=wrap, total_variation=total_variation, tv_weight=1e3, **layers))


@pytest.mark.weights
@pytest.mark.parametrize("preset", ["lab", "gordic"])
def test_a_step_of_vgg19_in_strips_is_the_step(preset):
    config = PRESETS[preset].config
    network, _ = load_network("vgg19", Compute(device="cpu", precision="fp32"), config.feature_scale)
    check_same(network, config, within=1e-6)


def test_what_the_content_is_compared_by_takes_half_of_a_network_in_bf16():
    network, _ = load_network("lite", Compute(device="cpu", precision="bf16"))
    target = StripwiseObjective(network, CONTENT, [STYLE], config_of()).content_targets["conv4_2"]
    assert target.dtype == torch.bfloat16 and target.isfinite().all() and target.any()


def test_losses_without_a_gradient_are_the_same_and_keep_no_maps(random_vgg):
    objective = StripwiseObjective(random_vgg["lite"], CONTENT, [STYLE], config_of())
    with torch.no_grad():
        plain = objective(PAINTED)
    looked = objective(PAINTED.clone().requires_grad_(True))
    assert {name: term.item() for name, term in plain.items()} == {name: term.item() for name, term in looked.items()}


def test_each_term_has_its_own_gradient(random_vgg):
    """So that whoever weighs terms otherwise than alike is right, too."""
    network, config = random_vgg["lite"], config_of()
    image = PAINTED.clone().requires_grad_(True)
    gradients = []
    for kind in (StyleTransferObjective, StripwiseObjective):
        terms = list(kind(network, CONTENT, [STYLE], config)(image).values())
        gradients.append(torch.autograd.grad(sum(number * term for number, term in enumerate(terms)), image)[0])
    assert distance(*gradients[::-1]) < 5e-6


def test_steered_weights_count_at_once(random_vgg):
    network, config = random_vgg["lite"], config_of()
    objective = StripwiseObjective(network, CONTENT, [STYLE], config)
    steered = config.changed(style_weight=2.0, tv_weight=0.0, style_layers=("conv1_1", "conv3_1"))
    objective.steer(steered)
    expected = StripwiseObjective(network, CONTENT, [STYLE], steered)(PAINTED)
    assert {name: term.item() for name, term in objective(PAINTED).items()} == {
        name: term.item() for name, term in expected.items()
    }


def test_of_a_large_style_some_vectors_are_kept_to_draw_from(random_vgg, monkeypatch):
    monkeypatch.setattr(module, "KEPT_POINTS", 100)
    config = config_of(style_loss="sliced wasserstein")
    objective = StripwiseObjective(random_vgg["lite"], CONTENT, [STYLE], config)
    whole = StyleTransferObjective(random_vgg["lite"], CONTENT, [STYLE], config)
    kept, *_ = objective.memories["conv1_1", 0]
    every, *_ = whole.memories["conv1_1", 0]
    chosen, _ = samples.positions(samples.equal_shares(40 * 30, kept.device), 100, None)
    torch.testing.assert_close(kept, every[chosen])
