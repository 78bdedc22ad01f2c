"""A painting that was kept on disk goes on bit for bit, in whatever way it is painted; what is damaged is refused."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from nst_core.errors import ImageError, NSTError, OutputError, WeightsError
from nst_core.transfer import state
from nst_core.transfer.kept import restored
from nst_core.transfer.run import Run
from nst_core.transfer.stylize import stylize
from tests.runs import CPU, LADDER, left_half, small

ADAM = {"optimizer": "adam", "step_size": 0.02}
LONG = {"steps": 150, "size": 24, "tolerance": 0.5, **ADAM}

# How it is painted -> settings, and after which steps it is kept: at the start, on a scale's last step, in its middle.
WAYS: dict[str, tuple[dict, tuple[int, ...]]] = {
    "one scale": ({"steps": 5}, (0, 3)),
    "coarse to fine": (LADDER, (0, 1, 3, 5, 6)),
    "a short history": ({"steps": 9, "history": 2}, (7,)),
    "adam": ({**LADDER, **ADAM, "clamp": True, "averaging": 0.8}, (0, 3, 4)),
    "an average": ({**LADDER, "averaging": 0.5, "start": "noise"}, (2, 5)),
    "by chance": ({"steps": 5, "style_loss": "sliced wasserstein"}, (2,)),
    "a tile": ({**LADDER, "size": 64, "wrap": True}, (3,)),
    "in greys": ({**LADDER, "color": "luminance"}, (1, 6)),
    "a palette": ({**LADDER, "color": "match covariance", "start": "style"}, (4,)),
    "relative": ({"steps": 5, "style_normalization": "relative", "tv_weight": 1.0, "seed": 3}, (2,)),
    "a history in bf16": ({"steps": 16, "history_precision": "bf16"}, (1, 9, 14)),
    "by columns": ({**LADDER, "steps": 9, "column_share": 0.7, "style_loss": "nearest neighbours"}, (0, 3, 5, 7)),
    "by area": ({**LADDER, "size_rule": "area", "style_scale": 0.9}, (6,)),
    "a plateau": ({**LONG, "size": 34, "smallest_scale": 24}, (22, 23)),  # where the first scale is settled: 23
}


def seen(run: Run) -> list[tuple]:
    """All that its frames hold, to its end."""
    return [told(frame) for frame in run]


def told(frame) -> tuple:
    pixels = [image.numpy().tobytes() for image in (frame.image, frame.pixels)]
    return frame.step, frame.losses, frame.note, frame.scale, frame.settled, *pixels


def story(run: Run) -> dict:
    return run.record().to_dict() | {"seconds": 0}


def same_picture(one: Run, other: Run) -> bool:
    return told(one.newest) == told(other.newest) and torch.equal(one.result, other.result)


def nothing(run: Run, step: int) -> None:
    """Leave a run as it is."""


def assert_goes_on(begin: Callable[[], Run], after, folder: Path, turn: Callable[[Run, int], None] = nothing):
    """A run that was kept after some steps is the undisturbed one; `turn` does the same to each after every frame."""
    whole, expected = begin(), []
    for frame in whole:
        expected.append(told(frame))
        turn(whole, frame.step)
    run, stories = begin(), {}
    for frame in run:
        turn(run, frame.step)
        if {frame.step, frame.step + 1} & set(after):  # a second keep adds what is new
            run.keep(folder)
        if frame.step in after:
            shutil.copytree(folder, folder.with_name(f"{folder.name} {frame.step}"))
            stories[frame.step] = story(run), run.config, run.steps, run.remaining, told(frame), run.result
    assert tuple(stories) == after
    for step, (*expected_story, picture, result) in stories.items():
        again = restored(folder.with_name(f"{folder.name} {step}"), compute=CPU)
        assert [story(again), again.config, again.steps, again.remaining] == expected_story
        assert told(again.newest) == picture and torch.equal(again.result, result)
        rest = []
        for frame in again:
            rest.append(told(frame))
            turn(again, frame.step)
        assert rest == expected[step + 1 :] and story(again) == story(whole)


@pytest.mark.parametrize("way", WAYS)
def test_a_kept_painting_goes_on_bit_for_bit(narrow_weights, pictures, tmp_path, way):
    settings, after = WAYS[way]
    assert_goes_on(lambda: stylize(*pictures, small(**settings), compute=CPU), after, tmp_path / "kept")


def test_blends_masks_and_transparent_contents_go_on(narrow_weights, pictures, tmp_path):
    content, style = pictures
    clear = torch.cat([content, torch.rand(1, 1, 48, 64)], 1)
    given = {"compute": CPU, "masks": [left_half()]}
    config = small(**LADDER, keep_unpainted=True, mask_softness=0.02)
    assert_goes_on(lambda: stylize(clear, style, config, **given), (1, 6), tmp_path / "masked")
    assert_goes_on(lambda: stylize(content, [style, style / 2], config, **given), (5,), tmp_path / "two masked")
    blend = small(**LADDER, blend=(1.0, 3.0), start="image")
    begin = lambda: stylize(content, [style, style / 2], blend, start_image=style, compute=CPU)  # noqa: E731
    assert_goes_on(begin, (0, 4), tmp_path / "blended")


def steer(run: Run, step: int) -> None:
    if step == 2:
        run.steering.wanted = dataclasses.replace(run.config, style_weight=3e5, blend=(1.0, 0.5))
    if step == 4:
        layers = {"style_layers": ("conv1_1", "conv1_2"), "content_weight": 0.0, "tv_weight": 1.0}
        run.steering.wanted = dataclasses.replace(run.config, **layers)


def test_steered_paintings_go_on_and_so_do_wishes(narrow_weights, pictures, tmp_path):
    for settings in (LADDER, {**LADDER, **ADAM}):
        begin = lambda settings=settings: stylize(  # noqa: E731
            pictures[0], [pictures[1], pictures[1] / 2], small(**settings, blend=(0.0, 1.0)), compute=CPU
        )
        assert_goes_on(begin, (3, 4), tmp_path / str(len(settings)), steer)


def test_a_stopped_painting_and_one_that_ended_by_itself_go_on_when_they_are_told(narrow_weights, pictures, tmp_path):
    for settings, stop in (({"steps": 50}, 2), (LONG, None)):
        run = stylize(*pictures, small(**settings), compute=CPU)
        for frame in run:
            if frame.step == stop:
                run.steering.stop.set()
        run.keep(tmp_path)
        again = restored(tmp_path, compute=CPU)
        assert list(again) == [] and story(again) == story(run) and again.remaining == run.remaining
        for one in (run, again):
            one.more(4)
        run.keep(tmp_path / "told")
        assert (expected := seen(run)) == seen(again) == seen(restored(tmp_path / "told", compute=CPU))
        assert len(expected) == 4 and story(again) == story(run)


def test_a_painting_that_has_not_begun_or_cannot_go_on_is_kept_as_that(narrow_weights, pictures, tmp_path):
    config = small(steps=3, start="noise")
    run = stylize(*pictures, config, compute=CPU)
    run.keep(tmp_path)
    again = restored(tmp_path, compute=CPU)
    assert again.last_frame is None and seen(again) == seen(run)
    broken = stylize(*pictures, config, compute=CPU)
    next(broken)
    broken.painting.objective.content_targets["conv2_1"] *= float("nan")
    with pytest.raises(NSTError, match="not a finite number"):
        next(broken)
    broken.keep(tmp_path)
    again = restored(tmp_path, compute=CPU)
    assert again.broken and again.remaining == 0 and same_picture(again, broken) and story(again) == story(broken)
    with pytest.raises(NSTError, match="cannot go on"):
        again.more(1)
    run.close()
    with pytest.raises(ValueError, match="closed"):
        run.keep(tmp_path)


# What is refused


@pytest.fixture
def run(narrow_weights, pictures, tmp_path) -> Run:
    """A run of L-BFGS that draws by chance, kept in "kept" after step 3 of 7."""
    run = stylize(*pictures, small(steps=7, style_loss="sliced wasserstein", averaging=0.5), compute=CPU)
    while next(run).step < 3:
        pass
    run.keep(tmp_path / "kept")
    return run


def refused(folder: Path) -> bool:
    """Whether a folder is refused in a sentence, or goes on; anything else raises."""
    try:
        next(restored(folder, compute=CPU))
    except NSTError as error:
        assert str(error)[-1] not in "\n." and len(str(error)) < 650
        return True
    return False


def test_where_nothing_can_be_written_a_run_is_as_it_was(run, tmp_path, full_disk):
    next(run)
    kept = run.kept
    for act in (run.keep, run.rest):
        with pytest.raises(OutputError, match="disk is full"):
            act(tmp_path / "kept")
    assert run.kept is kept and restored(tmp_path / "kept", compute=CPU).newest.step == 3
    assert [frame.step for frame in run] == [5, 6, 7]


def test_damage_of_any_file_is_told_in_a_sentence(run, tmp_path):
    folder = tmp_path / "kept"
    assert not refused(folder)
    for path in list(folder.iterdir()):
        whole = path.read_bytes()
        for data in (b"", whole[:-9], whole[:-1] + bytes([whole[-1] ^ 1])):
            path.write_bytes(data)
            with pytest.raises(ImageError, match="cannot go on: .*; start another from its picture"):
                restored(folder, compute=CPU)
        path.write_bytes(whole)
    for stranger in (tmp_path / "nowhere", tmp_path, path):
        with pytest.raises(ImageError, match="is gone from"):
            restored(stranger, compute=CPU)


def rewritten(folder: Path, facts: dict, tensors: dict) -> Path:
    """A folder with another state, whose checksum is right."""
    kept = state.read(folder)[1]
    state._write_file(folder / state.STATE, tensors, {"facts": facts, "files": kept.files})
    return folder


def test_what_was_edited_by_hand_is_refused_or_goes_on_but_never_fails_otherwise(run, tmp_path):
    folder = tmp_path / "kept"
    whole = state.read(folder)[0]
    for name in whole.facts:
        others = {key: value for key, value in whole.facts.items() if key != name}
        assert refused(rewritten(folder, others, whole.tensors)), name
        for junk in ({"a": [1]}, -1, None):
            wrong = refused(rewritten(folder, others | {name: junk}, whole.tensors))
            assert wrong or not isinstance(junk, dict), (name, junk)  # of others, some are right
    for name, tensor in whole.tensors.items():
        others = {key: value for key, value in whole.tensors.items() if key != name}
        for junk in (None, tensor.new_zeros(1, 3, 8, 8), tensor.to(torch.int16)):
            tensors = others if junk is None else others | {name: junk}
            optional = name == "chance" and junk is None or name == "picture" and junk is not None
            assert refused(rewritten(folder, whole.facts, tensors)) or optional, (name, junk)
    for setting, value in {
        "size": 48,
        "optimizer": "adam",
        "history": 1,
        "backbone": "vgg16",
        "blend": [1.0, 1.0],
    }.items():
        facts = whole.facts | {"config": whole.facts["config"] | {setting: value}}
        assert refused(rewritten(folder, facts, whole.tensors)), setting


def test_other_weights_than_it_was_begun_with_are_refused(run, narrow_weights, tmp_path, monkeypatch):
    weights = tmp_path / "weights"
    shutil.copytree(narrow_weights, weights)
    file = weights / "vgg19_features.safetensors"
    monkeypatch.setenv("NST_WEIGHTS", str(weights))
    assert not refused(tmp_path / "kept")
    data = bytearray(file.read_bytes())
    data[-2] ^= 1
    file.write_bytes(data)
    with pytest.raises(WeightsError, match="begun with another file of VGG-19"):
        restored(tmp_path / "kept", compute=CPU)
