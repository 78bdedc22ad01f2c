"""Content, style and total variation: pure functions of features and pixels.

Every Gram-based system of the field is one formula with other coefficients,

    loss = Σ content + Σ_l style_weight · w_l · STYLE_NORMALIZATIONS[…](N_l, M_l) · ‖G_l − A_l‖² + tv,

where G_l and A_l are the Gram matrices of painted and style picture divided by their number of positions, so that
pictures of different sizes compare. The dicts below hold the coefficients by name.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

GRAM_PIECES = 16
GRAM_PIECE_POSITIONS = 192  # at least: many small products are slower than few


def gram_matrix(features: Tensor, tap: Tensor | None = None) -> Tensor:
    """Correlations between feature maps: which textures occur, not where.

    Args:
        features: activations of one layer, (B, C, H, W).
        tap: T (N, C) to give the Gram matrix of T f for each feature vector f, as T G Tᵀ: T f itself is never made.

    Returns:
        (B, C, C), or (B, N, N) through a tap; symmetric, float32, divided by H * W.

    Source: Gatys et al. (2016), eq. 3, who divide in the loss (eq. 4) instead.
    """
    flat = features.flatten(2).transpose(1, 2)  # (B, H*W, C): contiguous for channels-last features
    gram = _Gram.apply(flat)
    return gram if tap is None else tap.float() @ gram @ tap.float().T


class _Gram(torch.autograd.Function):
    """XᵀX / M of X (B, M, C), with its gradient X (D + Dᵀ) / M in one product rather than two and a sum.

    In bf16, products of GRAM_PIECES equal parts of the positions are summed in float32: two to eight times as fast as
    all in float32 where the hardware multiplies in bf16, and off by some 0.04 %, a quarter of what one product would
    be. The gradient is as exact as the features are.
    """

    @staticmethod
    def forward(context, flat: Tensor) -> Tensor:
        context.save_for_backward(flat)
        if flat.dtype == torch.float32:
            return flat.transpose(1, 2) @ flat / flat.shape[1]
        batch, positions, channels = flat.shape
        pieces = max(1, min(GRAM_PIECES, positions // GRAM_PIECE_POSITIONS))
        even = positions // pieces * pieces
        parts = flat[:, :even].reshape(batch * pieces, -1, channels)
        gram = (parts.transpose(1, 2) @ parts).float().view(batch, pieces, channels, channels).sum(1)
        rest = flat[:, even:].float()
        return (gram + rest.transpose(1, 2) @ rest) / positions

    @staticmethod
    def backward(context, gradient: Tensor) -> Tensor:
        (flat,) = context.saved_tensors
        symmetric = (gradient + gradient.transpose(1, 2)) / flat.shape[1]  # (B, C, C)
        return flat @ symmetric.to(flat.dtype)


def squared_distance(memory: Tensor, target: Tensor) -> Tensor:
    """Sum of squared differences, a scalar."""
    return (memory - target).square().sum()


@dataclass(frozen=True)
class StyleLoss:
    """A style as what is remembered of a layer's features, and how far two memories are apart."""

    statistics: Callable[[Tensor, Tensor | None], Tensor]  # features (B, C, H, W), tap (N, C) or None -> memory
    distance: Callable[[Tensor, Tensor], Tensor]  # memory, memory -> scalar


STYLE_LOSSES = {"gram": StyleLoss(statistics=gram_matrix, distance=squared_distance)}

# What each system multiplies ‖G − A‖² with (both Gram matrices divided by their positions): (channels N, positions M).
STYLE_NORMALIZATIONS = {
    # Gatys et al. (2016), eq. 4: 1/(4N²M²) of undivided Gram matrices; also Luo, Chao, Tran & Nguyen
    "paper": lambda channels, positions: 1 / (4 * channels**2),
    # Gram / (N·M), mean of squares: Johnson's neural-style, PyTorch's tutorial, Cheng; and, as mean over G/M divided
    # by N², the paper's authors' own code
    "mean": lambda channels, positions: 1 / channels**4,
    # Gram / (N·M), sum of squares: Gordić
    "sum": lambda channels, positions: 1 / channels**2,
    # Gram undivided, mean of squares: loops written from scratch
    "undivided": lambda channels, positions: positions**2 / channels**2,
}

# What each system multiplies `content_loss` with: (channels N, positions M).
CONTENT_NORMALIZATIONS = {
    # ½ Σ (F − P)², Gatys et al. (2016), eq. 1: grows with the picture
    "half sum": lambda channels, positions: positions / 2,
    "mean": lambda channels, positions: 1 / channels,
}


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """How far a layer's features are from the content picture's.

    Args:
        features, target: (B, C, H, W).

    Returns:
        squared distance of the C-vectors, mean over positions, a float32 scalar: it is theirs whatever axes they are
        seen along, so narrower networks measure it, too.

    Source: Gatys et al. (2016), eq. 1, up to CONTENT_NORMALIZATIONS.
    """
    # the norm's gradient is one product; that of a mean of squares meets the features in another order of memory
    difference = torch.linalg.vector_norm(features.float() - target)
    return difference.square() / (features.shape[0] * features[0, 0].numel())


def _differences(image: Tensor) -> tuple[Tensor, Tensor]:
    """Each pixel's difference to its right (…, H, W-1) and lower (…, H-1, W) neighbour."""
    return image[..., :, 1:] - image[..., :, :-1], image[..., 1:, :] - image[..., :-1, :]


def absolute_variation(image: Tensor) -> Tensor:
    """Σ |dx| + |dy|: favours flat areas with sharp borders. Source: neural-style-pt, Gordić."""
    right, down = _differences(image)
    return right.abs().sum() + down.abs().sum()


def square_variation(image: Tensor) -> Tensor:
    """½ Σ dx² + dy² over pixels that have both neighbours. Source: Johnson's neural-style."""
    right, down = _differences(image)
    return (right[..., :-1, :].square().sum() + down[..., :, :-1].square().sum()) / 2


def nine_point_variation(image: Tensor) -> Tensor:
    """Mean squared difference to all eight neighbours: the same in every direction and at every size.

    Source: crowsonkb/style-transfer-pytorch, 2·[dx²/3 + dy²/3 + d₄₅²/12 + d₁₃₅²/12] with the edge repeated.
    """
    padded = torch.nn.functional.pad(image, (1, 1, 1, 1), mode="replicate")
    right, down = _differences(padded)
    rising = padded[..., 1:, 1:] - padded[..., :-1, :-1]
    falling = padded[..., 1:, :-1] - padded[..., :-1, 1:]
    straight = right.square().mean() + down.square().mean()
    return 2 * (straight / 3 + (rising.square().mean() + falling.square().mean()) / 12)


# All of image (1, 3, H, W) in [0, 1]; systems that count 0..255 have that in their weight.
TOTAL_VARIATIONS = {
    "nine point": nine_point_variation,
    "squares": square_variation,
    "absolute": absolute_variation,
}
