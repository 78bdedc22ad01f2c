"""Finds where the scenes of a film begin, by what small grey pictures of its frames have in common."""

import av
import numpy as np
import torch
from av.video.reformatter import Interpolation, VideoReformatter

from nst_core.instant.film import Film, FilmPlan
from nst_core.instant.film_pixels import reformatted
from nst_core.instant.steady import begins_anew

THUMBNAIL = (64, 36)  # pixels, width and height: noise and small motion are gone, light and layout are not
# Levels of 255 by which a scene's first frame differs, at least. Low, as motion is asked afterwards: what is found in
# vain costs one search for motion, and what is missed nothing but the frames that lead in.
LEAST_SCORE = 5.0


class SceneScore:
    """Scores frame after frame how suddenly it differs from the one before, in levels of 255.

    The score is the mean difference of a thumbnail's grey levels, or how much that has changed since the frame before,
    whichever is less: a fast pan differs much from frame to frame, and yet not suddenly.

    Source: ffmpeg's filter "select", `scene` (libavfilter/f_select.c, get_scene_score), whose score is this one,
    divided by 100, of all pixels. We take thumbnails, which differ less by noise and motion.
    """

    def __init__(self) -> None:
        self._scaler = VideoReformatter()
        self._before: np.ndarray | None = None  # (36, 64) float32
        self._difference = 0.0

    def __call__(self, frame: av.VideoFrame) -> float:
        """Score the next frame; 0 of the first."""
        small = reformatted(self._scaler, frame, *THUMBNAIL, "gray", Interpolation.AREA).astype(np.float32)
        difference = 0.0 if self._before is None else float(np.abs(small - self._before).mean())
        score = min(difference, abs(difference - self._difference))
        self._before, self._difference = small, difference
        return score


class SceneCuts:
    """Tells frame after frame whether `Steady` begins anew with it, as it does where a scene begins.

    Args:
        film: whose frames they are.
        plan: of it.
    """

    def __init__(self, film: Film, plan: FilmPlan):
        self._film, self._plan = film, plan
        self._score = SceneScore()
        self._before: av.VideoFrame | None = None

    def __call__(self, frame: av.VideoFrame) -> bool:
        """Tell of the next frame; of the first, no."""
        score, before, self._before = self._score(frame), self._before, frame
        if before is None or score < LEAST_SCORE:
            return False
        with torch.no_grad():
            return begins_anew(*(self._film.image(each, self._plan) for each in (before, frame)))
