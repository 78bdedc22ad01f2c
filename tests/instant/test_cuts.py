import math
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from nst_core.instant.cuts import LEAST_SCORE, SceneCuts, SceneScore
from nst_core.instant.film import Film, plan_of
from tests.instant.test_steady import texture
from tests.instant.test_video import decoded, film

HEIGHT, WIDTH = 96, 128


def pan(seed: int, count: int, step: float = 1.7) -> list[np.ndarray]:
    """A camera that pans over a texture, step pixels a frame: (HEIGHT, WIDTH, 3) uint8 each."""
    wide = texture(seed, HEIGHT, WIDTH + math.ceil(step * count) + 8)
    shifts = [np.float32([[1, 0, -step * index - 4], [0, 1, 0]]) for index in range(count)]
    views = (cv2.warpAffine(wide, shift, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC) for shift in shifts)
    return [(255 * view.clip(0, 1)).round().astype(np.uint8) for view in views]


def faded(frames: list[np.ndarray], others: list[np.ndarray]) -> list[np.ndarray]:
    """From one scene into another."""
    shares = np.linspace(0, 1, len(frames))
    return [
        ((1 - share) * one + share * other).astype(np.uint8)
        for share, one, other in zip(shares, frames, others, strict=True)
    ]


def cuts_of(path: Path) -> list[int]:
    plan = plan_of(path, None)
    with closing(Film(path)) as opened:
        is_cut = SceneCuts(opened, plan)
        return [number for number, frame in enumerate(opened.frames()) if is_cut(frame)]


def test_cuts_are_found_where_they_are_and_nowhere_else(tmp_path):
    """Neither fades nor a camera that moves fast make a scene; a lamp that is switched on does, as `Steady` sees it."""
    lit = [np.clip(frame.astype(int) + 40, 0, 255).astype(np.uint8) for frame in pan(2, 8)]
    pictures = [*pan(0, 10), *pan(1, 9, step=9), *pan(2, 8), *lit, *faded(pan(3, 12), pan(4, 12)), *pan(5, 3)]
    assert cuts_of(film(tmp_path / "scenes.mp4", pictures, sound=None)) == [10, 19, 27, 35, 47]


@pytest.mark.parametrize("step", [0, 1.7, 12])
def test_what_moves_steadily_scores_less_than_a_cut(tmp_path, step):
    score = SceneScore()
    frames = decoded(film(tmp_path / "scenes.mp4", [*pan(0, 6, step), *pan(1, 3, step)], sound=None))
    scores = [score(frame) for frame in frames]
    assert scores[0] == 0 and scores[6] > LEAST_SCORE
    assert max(scores[2:6]) < scores[6] / 2 and scores[8] < scores[6] / 2
