"""Tells films of high dynamic range from films of the common range that were merely put into PQ or HLG."""

from collections.abc import Iterable

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from nst_core.instant.film_pixels import NEAREST, reformatted
from nst_core.pictures.light import COMMON_WHITE, common_light

SAMPLES = 12  # frames that are looked at, spread evenly over a film
LONGEST = 256  # pixels of a frame's longer side that are looked at
BRIGHT, STRAY = 99.5, 99.99  # %, of pixels by their brightest colour: where white begins, and what counts no more
WHITES = 80, 120  # cd/m²; a film that begins below is dark, as at night, and stays so
MOST = 150  # cd/m²; as far as encoders swing over


def is_common(frames: Iterable[av.VideoFrame]) -> bool:
    """Tell whether the brightest parts of a film are as bright as white of the common range, and nothing is brighter.

    Programs that make such films, as ffmpeg's zscale, keep that white at 100 cd/m², where BT.2408 has it at 203.

    Args:
        frames: some, of PQ or HLG, from all of the film.
    """
    scaler, whites, transfer = VideoReformatter(), [], 0
    for frame in frames:
        share, transfer = min(1, LONGEST / max(frame.width, frame.height)), frame.color_trc
        width, height = (max(1, round(side * share)) for side in (frame.width, frame.height))
        brightest = reformatted(scaler, frame, width, height, "rgb48le", NEAREST).max(axis=-1)
        if _luminance(np.percentile(brightest, STRAY), transfer) > MOST:
            return False
        whites.append(brightest.ravel())
    if not whites:
        return False
    return WHITES[0] <= _luminance(np.percentile(np.concatenate(whites), BRIGHT), transfer) <= WHITES[1]


def _luminance(level: float, transfer: int) -> float:
    """Compute cd/m² of grey of a level of 16 bits."""
    return common_light(np.array(level / 65535), transfer).item() * COMMON_WHITE
