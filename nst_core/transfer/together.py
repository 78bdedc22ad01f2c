"""Measures several paintings in one pass of the network: they differ in pictures and weights, not in layers."""

from collections.abc import Sequence

import torch
from torch import Tensor

from nst_core.losses.gram import gram_matrix
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.objective import LossTerms, StyleTransferObjective
from nst_core.transfer.terms import TV_TERM, content_term, style_term

# Fields that say how and at which layers the network looks, and what is compared there.
LOOK = (
    "backbone",
    "pooling",
    "padding",
    "normalization",
    "feature_scale",
    "wrap",
    "content_layers",
    "style_layers",
    "style_loss",
)


def look_of(config: StyleTransferConfig) -> tuple | None:
    """Find the settings that paintings must share to pass the network together; None if this one cannot at all.

    Those can whose style is compared by Gram matrices alone, at one scale, without masks or blends.
    """
    if config.style_loss != "gram" or config.column_share:
        return None
    if config.smallest_scale or config.averaging or config.tolerance:
        return None
    if config.color != "style" or config.blend or config.last_step:
        return None
    switched = (config.content_weight > 0, config.style_weight > 0, config.steps, config.layer_weights)
    return (*(getattr(config, name) for name in LOOK), *switched)


def terms_together(objectives: Sequence[StyleTransferObjective], images: Sequence[Tensor]) -> list[LossTerms]:
    """Compute each objective's terms of its own image, from one pass: of n pictures a third faster than n passes.

    Args:
        objectives: whose configs have one `look_of`, without regions.
        images: (1, 3, H, W) for each, all of one size.

    Returns:
        what each objective called with its image would, up to rounding.
    """
    first, tap = objectives[0], objectives[0].network.tap
    layers = (*first.content_layers, *first.style_layers)
    features = first.features(torch.cat(tuple(images)), layers, wrap=first.config.wrap)  # (B, …)
    terms: list[LossTerms] = [{} for _ in objectives]
    for layer in first.content_layers:
        seen = first.measured(layer, features[layer])
        targets = torch.cat([objective.content_targets[layer] for objective in objectives])
        distances = (seen.float() - targets).square().sum((1, 2, 3)) / seen[0, 0].numel()  # (B,)
        for objective, distance, own in zip(objectives, distances.unbind(), terms, strict=True):
            own[content_term(layer)] = objective.content_coefficient(layer, targets[:1]) * distance
    for layer in first.style_layers:
        grams = gram_matrix(features[layer], tap(layer))  # (B, C, C)
        goals = [objective.style_targets[layer][0] for objective in objectives]
        positions = features[layer][0, 0].numel()
        distances = (grams - torch.cat([goal.memory for goal in goals])).square().sum((1, 2))  # (B,)
        for objective, goal, distance, own in zip(objectives, goals, distances.unbind(), terms, strict=True):
            own[style_term(layer)] = objective.style_coefficient(layer, positions, goal) * distance
    for objective, image, own in zip(objectives, images, terms, strict=True):
        if objective.config.tv_weight > 0:
            own[TV_TERM] = objective.variation(image)
    return terms
