"""Steadies painted frames: what was painted moves along with what was filmed."""

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from nst_core import images

# Pixels; the longest side at which motion is looked for. Half of a frame's own finds it in a third of the time, but
# flicker is cut by 39 % instead of 58 %; so only what is larger than this is made smaller.
FLOW_SIDE = 960
FLOW_LEAST = 32  # pixels; a smaller side is enlarged, as the flow's patches would not fit

# How wrong motion may be to be trusted: there and back again, Ruder et al.'s numbers, and in grey levels of 255, a mean
# over a window. In the clip below, a sensor's noise and compression make up 2.2 on average.
CONSISTENT_SHARE, CONSISTENT_PIXELS = 0.01, 0.5
SAME_LEVELS, SAME_WINDOW = 10, 5
CUT = 0.1  # of the pixels trusted, at least; measured: 0.92 in a moving video, at most 0.003 of two different pictures

# How much of the frame before goes into a frame. Measured on 36 frames of 640×360, panned, zoomed and compressed, with
# an object moving across, painted by a network (two styles): 0.6 cuts flicker by 58 %; with 0.7, coloured fringes begin
# to show. What was painted wrongly is gone after ten frames.
SHARE = 0.6
# Two textures averaged are fainter than either: with SHARE alone, gradients fall to 75 %. So detail is made as strong
# as in the new frame, at most by what two that have nothing in common need; then gradients keep 97 %.
DETAIL, NEARBY = 5, 17  # pixels; a window whose mean is no detail, and one over which strength is measured
MOST_GAIN = 1 / math.hypot(SHARE, 1 - SHARE)
LEAST_DETAIL = 1e-6  # squared; below, there is none


class Steady:
    """Remembers the last frame of a video, and paints the next one in keeping with it; one thread at a time.

    Where the video's own motion can be trusted, a painted frame is blended with the one before, moved along. A cut or
    another size of the frame begins anew.

    Source: Ruder, Dosovitskiy & Brox (2016), "Artistic Style Transfer for Videos", sec. 3.2, for which motion is to be
    trusted; they optimise each frame towards the one before, we blend, as a network paints in one pass. Detail keeps
    its strength as in Heitz & Neyret (2018), "High-Performance By-Example Noise", whose blending preserves variance.
    """

    def __init__(self) -> None:
        self._before: tuple[np.ndarray, np.ndarray] | None = None  # grey (h, w), steadied (H, W, 3)

    def __call__(self, source_image: Tensor, painted_image: Tensor) -> Tensor:
        """The painted frame, steadied.

        Args:
            source_image: the frame as filmed, (1, 3, H, W) in [0, 1].
            painted_image: the frame as painted, (1, 3, H, W) in [0, 1].

        Returns:
            (1, 3, H, W) in [0, 1], float32 on the CPU.

        Raises:
            ValueError: the two are of different sizes.
        """
        if source_image.shape != painted_image.shape:
            raise ValueError(f"painted {tuple(painted_image.shape)} is not of its frame's {tuple(source_image.shape)}")
        grey, painted = _grey(source_image), _rows(painted_image)
        if self._before and self._before[1].shape == painted.shape:
            grey_before, steadied_before = self._before
            flow, trusted = _motion(grey_before, grey, images.size_of(painted_image))
            if not _is_cut(trusted):
                painted = _blended(painted, _moved(steadied_before, flow), trusted)
        self._before = grey, painted
        return torch.from_numpy(np.ascontiguousarray(painted.transpose(2, 0, 1)[None]))


def begins_anew(previous_source: Tensor, source: Tensor) -> bool:
    """Tell whether `Steady` carries nothing over from a frame to the next, as filmed, (1, 3, H, W) in [0, 1] each."""
    _, trusted = _motion(_grey(previous_source), _grey(source), images.size_of(source))
    return _is_cut(trusted)


def _is_cut(trusted: np.ndarray) -> bool:
    return bool(trusted.mean() < CUT)


def flicker(previous_source: Tensor, source: Tensor, previous_painted: Tensor, painted: Tensor) -> float:
    """Measure how much two painted frames differ besides what moved: 0 for paint that sticks to things.

    Args:
        previous_source: a frame as filmed, (1, 3, H, W) in [0, 1]; source: the next one.
        previous_painted: the same two as painted; painted: the next one.

    Returns:
        Mean absolute difference of the frame and the one before, moved along, where that motion can be trusted; of the
        pixel range. NaN where it cannot be anywhere.

    Source: Ruder et al. (2016), eq. 7, with absolute differences, so that its unit is grey levels.
    """
    flow, trusted = _motion(_grey(previous_source), _grey(source), images.size_of(painted))
    if not trusted.any():
        return math.nan
    return float(np.abs(_rows(painted) - _moved(_rows(previous_painted), flow))[trusted].mean())


def _rows(image: Tensor) -> np.ndarray:
    """image (1, 3, H, W) as (H, W, 3) float32, OpenCV's order."""
    return np.ascontiguousarray(image.detach()[0].cpu().float().numpy().transpose(1, 2, 0))


def _grey(image: Tensor) -> np.ndarray:
    """The picture (h, w) uint8 in which motion is looked for."""
    grey = cv2.cvtColor(images.to_bytes(image), cv2.COLOR_RGB2GRAY)
    scale = max(min(1.0, FLOW_SIDE / max(grey.shape)), FLOW_LEAST / min(grey.shape))
    size = [round(side * scale) for side in reversed(grey.shape)]
    return (
        grey if scale == 1 else cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    )


def _motion(before: np.ndarray, now: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Find where the things in a frame came from, and where that is to be trusted.

    Args:
        before: grey (h, w) uint8.
        now: the next frame's.
        size: (H, W) of what is returned.

    Returns:
        (H, W, 2), from a pixel to where it was, in pixels of that size; (H, W) bool.
    """
    # DIS is the fastest of OpenCV's that find motion below one pixel; at FAST, two of 640×360 take 7 ms on one core
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    # OpenCV's stubs want a flow to begin with, where None means: there is none
    back, forth = search.calc(now, before, None), search.calc(before, now, None)  # type: ignore[call-overload]
    trusted = _inside(back) & _consistent(back, _moved(forth, back, cv2.INTER_LINEAR))
    difference = cv2.absdiff(now, _moved(before, back)).astype(np.float32)
    trusted &= cv2.blur(difference, (SAME_WINDOW, SAME_WINDOW)) < SAME_LEVELS
    if now.shape == tuple(size):
        return back, trusted
    height, width = size
    back = cv2.resize(back, (width, height)) * np.array((width / now.shape[1], height / now.shape[0]), np.float32)
    return back, cv2.resize(trusted.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0


def _consistent(back: np.ndarray, forth: np.ndarray) -> np.ndarray:
    """Tell where going back and forth leads home again, (h, w) bool.

    Source: Ruder et al. (2016), eq. 5; elsewhere something came out from behind another thing.
    """
    lengths = _squared(back) + _squared(forth)
    return _squared(back + forth) <= CONSISTENT_SHARE * lengths + CONSISTENT_PIXELS


def _squared(values: np.ndarray) -> np.ndarray:
    """The square of each pixel's values (h, w, C), (h, w); einsum, as numpy's sums over few channels take three times
    as long."""
    return np.einsum("hwc,hwc->hw", values, values)


def _inside(flow: np.ndarray) -> np.ndarray:
    """Where things come from within the picture, (h, w) bool."""
    height, width = flow.shape[:2]
    x, y = (
        flow[..., 0] + np.arange(width, dtype=np.float32),
        flow[..., 1] + np.arange(height, dtype=np.float32)[:, None],
    )
    return (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)


def _moved(picture: np.ndarray, flow: np.ndarray, how: int = cv2.INTER_CUBIC) -> np.ndarray:
    """A picture (h, w, …) moved along; cubic, as it blurs less than linear, time after time, and costs a quarter of
    Lanczos'."""
    how |= cv2.WARP_RELATIVE_MAP
    # OpenCV's stubs do not know that one map may hold both x and y
    return cv2.remap(picture, flow, None, how, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]


def _blended(painted: np.ndarray, before: np.ndarray, trusted: np.ndarray) -> np.ndarray:
    """The new frame and the one before, detail as strong as in the new; untrusted pixels as painted."""
    share = trusted[..., None].astype(np.float32) * np.float32(SHARE)
    mixed = painted + share * (before - painted)
    detail = mixed - cv2.blur(mixed, (DETAIL, DETAIL))
    wanted, found = (_strength(each) for each in (painted - cv2.blur(painted, (DETAIL, DETAIL)), detail))
    gain = np.sqrt(wanted / found).clip(1, MOST_GAIN)[..., None]
    return np.where(share > 0, mixed + (gain - 1) * detail, painted).clip(0, 1)


def _strength(detail: np.ndarray) -> np.ndarray:
    """Measure the strength of detail (H, W, 3) nearby, squared: (H, W)."""
    return cv2.blur(_squared(detail), (NEARBY, NEARBY)) + LEAST_DETAIL
