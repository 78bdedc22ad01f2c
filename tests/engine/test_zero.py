"""Tests of painting on ZeroGPU, whose `spaces` is stood in for, in a process of its own; and of computers without."""

import json
import os
import subprocess
import sys

import pytest

from nst_core.assets import ASSETS
from nst_core.engine import zero
from nst_core.errors import DeviceError
from nst_core.transfer.stylize import stylize
from nst_core.ui.page import events
from tests.runs import CPU, small

ROOT = ASSETS.parent


@pytest.fixture(scope="module")
def story(narrow_weights_folder):
    """What came of `zero_story`."""
    path = os.pathsep.join(map(str, (ROOT / "tests" / "pretend_spaces", ROOT)))
    own = {"SPACES_ZERO_GPU": "true", "NST_PRECISION": "fp32", "NST_WEIGHTS": str(narrow_weights_folder)}
    environment = os.environ | own | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.engine.zero_story"], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_a_painting_in_pieces_is_the_one_that_is_painted_at_once(story):
    """Steered, stopped, gone on with and recoloured between them; so are a sheet's cells."""
    assert story["driven"] and story["sheet"]


def test_the_end_of_a_visitors_time_keeps_the_painting_which_goes_on_later(story):
    told = story["out of time"]
    assert "used up (there is more in 5:12:40 hours)" in told["why"] and told["kept"] and told["stood"] == 3
    assert told["rest"] == "" and told["same"]


def test_a_batch_ends_with_a_visitors_time_and_goes_on_later_to_the_same_paintings(story):
    assert story["batch"] == {"used up": True, "between": 1, "done": 2, "same": True}


def test_a_painting_goes_on_from_wherever_it_was_kept_last(story):
    assert story["folders"] == {"same": True, "in it": True, "lasts": True, "gone": True}


def test_each_visitors_time_is_counted_for_that_visitor(story):
    """Though the second's job is begun by the thread on which the first's ended."""
    told = story["visitors"]
    assert told["ended"] and told["errors"] == ["", ""]
    assert told["tokens"] == ["anna"] * 8 + ["ben"] * 8 and told["left"] == [104, 104]
    assert "did not tell whose" in story["nobody"]


def test_the_pages_own_process_leaves_the_gpu_alone_and_sends_no_picture(story):
    assert not story["touched"] and story["device"] == "cpu" and "RTX PRO 6000" in story["name"]
    assert story["decorated"] == ["_paint"] and story["sent"] < 5000


def test_time_is_asked_for_by_what_the_last_piece_took(monkeypatch, narrow_weights, pictures):
    """And after one that failed, which may have been cut off, for longer, from where the painting was before."""
    asked, took = [], iter((0.1, 4.0, None, 0.5))

    def piece(folder, told, seconds):
        asked.append(seconds)
        if (seconds := next(took)) is None:
            raise RuntimeError("GPU task aborted")
        with monkeypatch.context() as patch:
            patch.setattr(zero, "PIECE_SECONDS", 0)
            return seconds, zero._paint(folder, told, 0)[1]

    monkeypatch.setattr(zero, "_PIECE", piece)
    run = zero.LentRun(stylize(*pictures, small(), compute=CPU).painting)
    assert [next(run).step, next(run).step] == [0, 1]
    with pytest.raises(DeviceError, match="aborted.*press Continue"):
        next(run)
    assert next(run).step == 2 and asked == [11, 11, 16, 24]
    run.close()


def test_a_painting_is_begun_through_the_queue_which_alone_tells_whose_time_it_is(story):
    assert story["through the queue"] and events.BEGINNING is events.INSTANT


def test_elsewhere_nothing_changes(narrow_weights, pictures):
    run = stylize(*pictures, small(), compute=CPU)
    assert not zero.HERE and zero.in_pieces(run) is run and "spaces" not in sys.modules
    assert type(zero.painting_compute()) is type(CPU)


@pytest.mark.parametrize(
    ("title", "message", "words"),
    [
        (
            "ZeroGPU quota exceeded",
            "You have exceeded your free ZeroGPU quota. Try again in 1 day, 2:00:00. ",
            "1 day, 2:",
        ),
        ("ZeroGPU quota exceeded", "No GPU was available after 60s. Try re-running", "no GPU could be had"),
        ("ZeroGPU worker error", "GPU task aborted", "no GPU could be had, or it was taken back (GPU task aborted)"),
        ("", "", "(RuntimeError)"),
    ],
)
def test_what_spaces_refuses_becomes_a_sentence(title, message, words):
    error = RuntimeError(message)
    error.title = title
    assert words in str(zero.in_words(error)) and "is kept" in str(zero.in_words(error))
