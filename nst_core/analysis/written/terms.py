"""Writes out the loss of a config: every term with its formula, its numbers and its coefficient."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nst_core.features.vgg import channels_of
from nst_core.losses.content import CONTENT_NORMALIZATIONS
from nst_core.losses.style import STYLE_NORMALIZATIONS
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.ladder import content_share
from nst_core.transfer.terms import TV_TERM, content_term, style_term
from nst_core.transfer.variations import shown

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

# What stands behind α, β·w or γ; {N} feature maps, {M} positions, {pixels} of the picture, {zero} what the distance is
# of a picture that shows nothing. Sums run over all entries; G and A are not divided by their positions.
CONTENT_FORMULAS = {
    "half sum": "½ Σ(F − P)²",
    "mean": "Σ(F − P)²/({N}·{M})",
    "half mean": "½ Σ(F − P)²/({N}·{M})",
    "relative": "Σ(F − P)²/{zero}",
}
GRAM_FORMULAS = {
    "paper": "1/(4·{N}²·{M}²) Σ(G − A)²",
    "mean": "1/{N}² Σ(G − A)²/({N}·{M})²",
    "sum": "Σ(G − A)²/({N}·{M})²",
    "undivided": "1/{N}² Σ(G − A)²",
    "image": "Σ(G − A)²/(4·3²·({pixels})²)",
    "per channel": "Σ(G − A)²/({N}·{M}²)",
    "relative": "Σ(G − A)²/{zero}",
}
# The same for losses that are no sum over Gram matrices, with {D} for their distance.
OTHER_FORMULAS = {
    "paper": "{D}/(4·{N}²)",
    "mean": "{D}/{N}⁴",
    "sum": "{D}/{N}²",
    "undivided": "{M}²/{N}² · {D}",
    "image": "{M}²/(4·3²·({pixels})²) · {D}",
    "per channel": "{D}/{N}",
    "relative": "{D}/{zero}",
}
DISTANCES = {
    "moments": "[Σ(μ − μₛ)² + Σ(σ − σₛ)²]",
    "wasserstein": "W₂²",
    "gram and wasserstein": "½ [Σ(G − A)²/{M}² + s W₂²]",
    "sliced wasserstein": "SW₂²",
    "mmd linear": "Σ(μ − μₛ)²",
    "mmd polynomial": "MMD²",
    "mmd gaussian": "MMD²",
    "nearest neighbours": "‖F − S*‖²",
}
VARIATIONS = {
    "nine point": "2 [mean(dx²)/3 + mean(dy²)/3 + mean(d₄₅²)/12 + mean(d₁₃₅²)/12]",
    "squares": "½ Σ(dx² + dy²)",
    "absolute": "Σ(|dx| + |dy|)",
}
CONTENT_ZERO, GRAM_ZERO, OTHER_ZERO = "ΣP²", "ΣA²", "D₀"  # where the numbers are not known


@dataclass(frozen=True)
class Term:
    """A term of a loss.

    Attributes:
        name: as the objective has it: "content conv4_2", "style conv1_1", "total variation".
        formula: in the paper's letters: "β · w₁ · 1/(4N²M²) Σ(G − A)²".
        numbers: the same with what the letters stand for: "1e3 · 0.2 · 1/(4·64²·27648²) Σ(G − A)²".
        coefficient: what multiplies `content_loss`, the style loss' distance or the total variation; None where it
            depends on the pictures, whose `zeros` were not given.
    """

    name: str
    formula: str
    numbers: str
    coefficient: float | None


def terms_of(
    config: StyleTransferConfig, content_size: tuple[int, int], zeros: Mapping[str, float] | None = None
) -> tuple[Term, ...]:
    """List every term that a painting by this config is measured by, in the objective's order.

    Args:
        config: all settings.
        content_size: (height, width) of the painted picture, pixels.
        zeros: name of a term -> what its distance is of a picture that shows nothing, which "relative" divides by.

    Source: Gatys et al. (2016), eq. 1 to 7; the other systems as `losses` has them.
    """
    return tuple(_terms(config, content_size, zeros or {}))


def _terms(config: StyleTransferConfig, size: tuple[int, int], zeros: Mapping[str, float]) -> Iterator[Term]:
    share = content_share(config)
    for layer in config.content_layers if config.content_weight > 0 else ():
        weights = {"α": config.content_weight} | ({} if share == 1 else {"κ": share})
        at = _Place.of(content_term(layer), layer, config.backbone, size, zeros)
        rule = config.content_normalization
        factor = CONTENT_NORMALIZATIONS[rule](at.channels, at.positions, at.zero)
        yield at.term(weights, CONTENT_FORMULAS[rule], factor, at.positions, CONTENT_ZERO)
    for number, layer in enumerate(config.style_layers, 1):
        weight = f"w{number}".translate(SUBSCRIPTS)
        weights = {"β": config.style_weight, weight: config.weight_of_layer(layer)}
        at = _Place.of(style_term(layer), layer, config.backbone, size, zeros)
        by_entries = config.style_loss == "gram"
        scale, zero = (at.positions**2, GRAM_ZERO) if by_entries else (1, OTHER_ZERO)
        if all(weights.values()):
            normalize = STYLE_NORMALIZATIONS[config.style_normalization]
            factor = normalize(at.channels, at.positions, at.zero, at.pixels)
            yield at.term(weights, style_formula(config), factor, scale, zero)
    if config.tv_weight > 0:
        formula = VARIATIONS[config.total_variation]
        yield Term(TV_TERM, f"γ · {formula}", f"{rounded(config.tv_weight)} · {formula}", config.tv_weight)


@dataclass(frozen=True)
class _Place:
    """A layer that a term is about."""

    name: str  # of the term
    channels: int
    positions: int
    pixels: int  # of the picture
    zero: float  # what the distance is of a picture that shows nothing; NaN where it is not known

    @classmethod
    def of(cls, name: str, layer: str, backbone: str, size: tuple[int, int], zeros: Mapping[str, float]) -> "_Place":
        channels, positions = channels_of(backbone, layer), positions_of(layer, size)
        return cls(name, channels, positions, size[0] * size[1], zeros.get(name, math.nan))

    def term(self, weights: Mapping[str, float], formula: str, factor: float, scale: float, letter: str) -> Term:
        """Write the term with its formula in letters and in numbers.

        Args:
            weights: letter -> number before the formula.
            formula: with {N} and the like.
            factor: what it multiplies the distance with.
            scale: of its zero, as it is written.
            letter: for a zero that is not known.
        """
        coefficient = math.prod(weights.values()) * factor
        written = letter if math.isnan(self.zero) else rounded(self.zero * scale)
        numbers = formula.format(N=self.channels, M=self.positions, pixels=self.pixels, zero=written)
        return Term(
            self.name,
            " · ".join([*weights, in_letters(formula, letter)]),
            " · ".join([*map(rounded, weights.values()), numbers]),
            None if math.isnan(coefficient) else coefficient,
        )


def positions_of(layer: str, size: tuple[int, int]) -> int:
    """M, the positions of a layer for a picture of size = (height, width): each block after the first halves it.

    Of an odd number, the last is a half of its own.
    """
    shorter = 2 ** (int(layer.removeprefix("conv")[0]) - 1)
    return -(-size[0] // shorter) * -(-size[1] // shorter)


def style_formula(config: StyleTransferConfig) -> str:
    """Write what stands behind β·w, with {N}, {M} and {zero} for its numbers."""
    if config.style_loss == "gram":
        return GRAM_FORMULAS[config.style_normalization]
    return OTHER_FORMULAS[config.style_normalization].replace("{D}", DISTANCES[config.style_loss])


def in_letters(formula: str, zero: str) -> str:
    """Write a formula with letters for its numbers: "1/(4N²M²) Σ(G − A)²"."""
    return re.sub(r"(?<=[\w²])·(?=[NM])", "", formula.format(N="N", M="M", pixels="HW", zero=zero))


def rounded(number: float) -> str:
    """Write a number to three digits, as papers print it: 1e7, 0.2, 65.5."""
    return shown(float(f"{number:.3g}"))
