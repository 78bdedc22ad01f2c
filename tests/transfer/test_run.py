import dataclasses
import time
from itertools import pairwise

import pytest
import torch

from nst_core import images
from nst_core.errors import ConfigError, DeviceError, NSTError
from nst_core.features.loading import load_network
from nst_core.transfer.config import SETTINGS, StyleTransferConfig
from nst_core.transfer.ladder import ladder
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.optimize import PLATEAU_STEPS, Stage, optimize
from nst_core.transfer.record import RunRecord, read_record, save_result
from nst_core.transfer.steering import Steering
from nst_core.transfer.stylize import stylize
from tests.runs import CPU, LADDER, left_half, result, small


def test_running_out_of_memory_midway_is_said_in_plain_words(narrow_weights, pictures, monkeypatch):
    for error in (
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ):
        run = stylize(*pictures, small(), compute=CPU)
        first = next(run)

        def broken(error=error):
            yield
            raise error

        run._frames = broken()
        next(run._frames)
        with pytest.raises(DeviceError, match="ran out of memory; choose a smaller size"):
            next(run)
        assert run.last_frame is first and run.record().steps == 0
        assert run.broken and run.remaining == 0
        with pytest.raises(NSTError, match="cannot go on; press Paint"):
            run.more(5)


# Runs and records


def test_a_record_says_what_was_run(narrow_weights, pictures):
    config = small(seed=5, tv_weight=1.0)
    run = stylize(*pictures, config, compute=CPU)
    with pytest.raises(ValueError, match="first frame"):
        run.record()
    began = time.perf_counter()
    frames = list(run)
    took = time.perf_counter() - began
    record = run.record()
    assert record.config == config
    assert (record.steps, record.stopped) == (3, False)
    assert record.losses == frames[-1].losses and set(record.losses) >= {"total variation", "content conv2_1"}
    assert 0 < record.seconds <= took + 0.001
    assert record.content_size == (24, 32) and record.style_size == (32, 23)
    assert (record.device, record.precision) == (CPU.name, "fp32")
    assert record.weights_file == "vgg19_features.safetensors" and record.weights_origin == "NST_WEIGHTS"
    assert len(record.weights_sha256) == 64
    assert torch.__version__.startswith(record.versions["torch"]) and record.notes == ()


def test_seconds_do_not_count_the_wait_between_frames(narrow_weights, pictures):
    run = stylize(*pictures, small(), compute=CPU)
    next(run)
    before = run.seconds
    time.sleep(0.2)
    assert run.seconds == before
    list(run)
    assert run.seconds > before


def test_a_stopped_run_says_so_and_keeps_its_last_picture(narrow_weights, pictures):
    steering = Steering()
    run = stylize(*pictures, small(steps=50), compute=CPU, steering=steering)
    for frame in run:
        if frame.step == 2:
            steering.stop.set()
    assert run.last_frame is frame and frame.step == 2
    assert run.record().stopped and run.record().steps == 2


def test_a_closed_run_gives_no_more_frames_and_keeps_its_record(narrow_weights, pictures):
    unstarted = stylize(*pictures, small(), compute=CPU)
    unstarted.close()
    assert list(unstarted) == []
    run = stylize(*pictures, small(), compute=CPU)
    next(run)
    second = next(run)
    run.close()
    run.close()
    assert list(run) == []
    assert run.last_frame is second and run.record().steps == 1 and run.record().stopped


def test_notes_of_the_frames_are_in_the_record(narrow_weights, pictures, monkeypatch):
    plain = Stage.next

    def noting(stage, *given):
        frame = plain(stage, *given)
        return frame and dataclasses.replace(frame, note=f"note {frame.step}" if frame.step % 2 else "")

    monkeypatch.setattr(Stage, "next", noting)
    run = stylize(*pictures, small(), compute=CPU)
    list(run)
    assert run.record().notes == ("note 1", "note 3")


# Coarse to fine


def test_a_run_coarse_to_fine_gives_every_step_once_at_growing_sizes(narrow_weights, pictures):
    run = stylize(*pictures, small(**LADDER), compute=CPU)
    frames = list(run)
    assert [frame.step for frame in frames] == list(range(8))
    expected = [scale.size for scale in ladder(small(**LADDER), (48, 64), [(56, 40)])]
    assert expected == [24, 34, 48]
    for frame in frames:
        number, count = frame.scale
        assert count == 3 and frame.image.shape[3] == expected[number - 1]
    numbers = [frame.scale[0] for frame in frames]
    assert numbers == sorted(numbers) and set(numbers) == {1, 2, 3}
    steps = [scale.steps for scale in ladder(small(**LADDER), (48, 64), [(56, 40)])]
    assert [numbers[1:].count(number) for number in (1, 2, 3)] == steps
    assert run.record().content_size == (36, 48) and run.record().steps == 7


def test_a_run_at_one_scale_is_the_loop_itself(narrow_weights, pictures):
    config = small(steps=6)
    network, _ = load_network("vgg19", CPU)
    content_image, style_image = (images.fit(picture, 32) for picture in pictures)
    objective = StyleTransferObjective(network, content_image, [style_image], config)
    frames = stylize(*pictures, config, compute=CPU)
    for frame, plain in zip(frames, optimize(objective, content_image, steps=6), strict=True):
        assert torch.equal(frame.image, plain.image) and frame.losses == plain.losses
        assert (frame.step, frame.scale, frame.note) == (plain.step, (1, 1), "")


def test_a_finer_scale_goes_on_from_the_coarser_ones_picture(narrow_weights, pictures):
    config = small(size=48, smallest_scale=34, steps=2, step_size=1e-4, start="noise")  # a step hardly moves
    frames = list(stylize(*pictures, config, compute=CPU))
    assert [frame.scale for frame in frames] == [(1, 2), (1, 2), (2, 2)]
    torch.testing.assert_close(frames[2].image, images.resize(frames[1].image, (36, 48)), atol=1e-4, rtol=0)


def test_coarse_to_fine_lowers_the_loss_of_every_scale(narrow_weights, pictures):
    settings = {"size": 34, "smallest_scale": 24, "steps": 24}
    for others in ({}, {"optimizer": "adam", "step_size": 0.02, "clamp": True, "averaging": 0.5}):
        frames = list(stylize(*pictures, small(**settings | others), compute=CPU))
        for number in (1, 2):
            totals = [frame.total for frame in frames if frame.scale[0] == number]
            assert totals[-1] < totals[0]


# Pausing, stopping, going on


PACES = {
    "lbfgs": {"steps": 8},
    "adam": {"steps": 8, "optimizer": "adam", "step_size": 0.02},
    "lbfgs coarse to fine": LADDER,
    "adam coarse to fine": {**LADDER, "optimizer": "adam", "step_size": 0.02, "averaging": 0.8},
    "drawing": {"steps": 8, "style_loss": "sliced wasserstein"},
}


@pytest.mark.parametrize("pace", PACES)
def test_a_run_in_pieces_is_the_uninterrupted_run_bit_for_bit(narrow_weights, pictures, pace):
    config = small(**PACES[pace], start="noise")
    whole = list(stylize(*pictures, config, compute=CPU))
    steering, found = Steering(), []
    run = stylize(*pictures, config, compute=CPU, steering=steering)
    for pieces in (0, 2, 3):  # stopped twice, then to the end
        for frame in run:
            found.append(frame)
            if frame.step == pieces:
                steering.stop.set()
        assert run.record().stopped and run.record().steps == pieces
        run.more(config.steps - pieces)
    for frame in run:
        found.append(frame)
        time.sleep(0.001)  # a pause is not to ask
    assert not run.record().stopped and run.record().config == config
    assert [frame.step for frame in found] == [frame.step for frame in whole]
    for one, other in zip(whole, found, strict=True):
        assert torch.equal(one.image, other.image) and one.losses == other.losses and one.scale == other.scale


@pytest.mark.parametrize("pace", PACES)
def test_a_stopped_runs_record_paints_that_very_picture(narrow_weights, pictures, pace):
    config = small(**PACES[pace])
    for last in (1, 3, 5):
        run = stylize(*pictures, config, compute=CPU)
        for frame in run:
            if frame.step == last:
                run.steering.stop.set()
        record = RunRecord.from_json(run.record().to_json())
        assert record.config == dataclasses.replace(config, last_step=last) and record.stopped
        again = stylize(*pictures, record.config, compute=CPU)
        *_, frame = again
        assert frame.step == last and torch.equal(frame.image, run.last_frame.image)
        assert again.record().config == record.config and not again.record().stopped


@pytest.mark.parametrize("pace", PACES)
def test_a_run_that_went_on_has_a_record_that_paints_that_very_picture(narrow_weights, pictures, pace):
    config = small(**PACES[pace])
    run = stylize(*pictures, config, compute=CPU)
    first = list(run)
    run.more(3)
    more = list(run)
    assert [frame.step for frame in more] == [config.steps + 1, config.steps + 2, config.steps + 3]
    if "sliced" not in config.style_loss and config.optimizer == "lbfgs":  # Adam goes up at times
        assert more[-1].total < first[-1].total
    record = run.record()
    assert (record.steps, record.stopped) == (config.steps + 3, False)
    assert record.config == dataclasses.replace(config, last_step=config.steps + 3)
    assert torch.equal(result(pictures, record.config), more[-1].image)


def test_more_of_a_stopped_run_is_so_many_steps(narrow_weights, pictures):
    run = stylize(*pictures, small(steps=50), compute=CPU)
    for frame in run:
        if frame.step == 2:
            run.steering.stop.set()
    assert list(run) == []
    run.more(2)
    assert [frame.step for frame in run] == [3, 4] and not run.record().stopped
    assert list(run) == []


# Ending by itself


def test_a_run_that_gets_nowhere_ends_by_itself_and_says_so(narrow_weights, pictures):
    settings = {"steps": 200, "style_weight": 0.0, "tolerance": 0.5}  # starts from the content: nothing to be gained
    run = stylize(*pictures, small(**settings), compute=CPU)
    assert [frame.step for frame in run] == list(range(PLATEAU_STEPS + 1))
    record = run.record()
    assert not record.stopped and record.steps == PLATEAU_STEPS and record.config == small(**settings)
    assert len(record.notes) == 1 and f"ended by itself at step {PLATEAU_STEPS}" in record.notes[0]


SLOW = {"steps": 150, "size": 24, "tolerance": 0.5, "optimizer": "adam", "step_size": 0.02}


@pytest.mark.parametrize("settings", [SLOW, {**SLOW, "size": 34, "smallest_scale": 24}], ids=["one scale", "two"])
def test_after_its_own_end_a_run_goes_on_for_as_long_as_it_is_told(narrow_weights, pictures, settings):
    config = small(**settings)
    run = stylize(*pictures, config, compute=CPU)
    *_, end = run
    assert PLATEAU_STEPS <= end.step < 150 and end.scale[0] == end.scale[1]
    assert torch.equal(result(pictures, run.record().config), end.image)
    run.more(PLATEAU_STEPS + 5)
    assert [frame.step for frame in run][-1] == end.step + PLATEAU_STEPS + 5
    record = run.record()
    assert len(record.notes) == 1 and not record.stopped
    assert record.config == dataclasses.replace(config, last_step=record.steps)
    assert torch.equal(result(pictures, record.config), run.last_frame.image)


def test_a_scale_that_gets_nowhere_leaves_its_steps_to_the_last(narrow_weights, pictures):
    settings = {"steps": 3 * PLATEAU_STEPS, "style_weight": 0.0, "size": 48, "smallest_scale": 34, "tolerance": 0.5}
    frames = list(stylize(*pictures, small(**settings), compute=CPU))
    assert [frame.step for frame in frames] == list(range(len(frames)))
    assert [frame.scale[0] for frame in frames].count(1) == PLATEAU_STEPS + 1


# Steering


def steered(run, step: int, **settings) -> list:
    """The frames of a run that is steered after a step."""
    frames = []
    for frame in run:
        frames.append(frame)
        if frame.step == step:
            run.steering.wanted = dataclasses.replace(run.config, **settings)
    return frames


@pytest.mark.parametrize("settings", [{"steps": 5}, LADDER], ids=["one scale", "coarse to fine"])
@pytest.mark.parametrize("optimizer", SETTINGS["optimizer"].choices)
@pytest.mark.parametrize("at", [0, 2])
def test_a_weight_acts_at_the_next_frame(narrow_weights, pictures, settings, optimizer, at):
    # steps too small to change the picture: what differs is the weight
    config = small(**settings, optimizer=optimizer, step_size=1e-6, start="noise")
    plain = list(stylize(*pictures, config, compute=CPU))
    run = stylize(*pictures, config, compute=CPU)
    for one, other in zip(plain, steered(run, at, style_weight=2e5), strict=True):
        for name, loss in other.losses.items():
            factor = 2 if name.startswith("style") and other.step > at else 1
            assert loss == pytest.approx(factor * one.losses[name], rel=0.01)
    assert run.record().notes == (f"steered at step {at}: style_weight",)
    assert run.record().config == dataclasses.replace(config, style_weight=2e5)


def test_a_layer_appears_and_another_goes_within_a_step(narrow_weights, pictures):
    run = stylize(*pictures, small(steps=6), compute=CPU)
    wish = {"style_layers": ("conv1_1", "conv3_1"), "content_layers": (), "content_weight": 0, "tv_weight": 1.0}
    frames = steered(run, 2, **wish)
    before, after = {"content conv2_1", "style conv1_1", "style conv2_1"}, {"style conv1_1", "style conv3_1"}
    assert [set(frame.losses) for frame in frames] == [before] * 3 + [after | {"total variation"}] * 4
    assert "steered at step 2" in run.notes[0] and all(name in run.notes[0] for name in wish)
    assert len(run.notes) == 1 and frames[-1].total < frames[3].total


def test_the_blend_of_two_styles_can_be_steered(narrow_weights, pictures):
    content_image, style_image = pictures
    styles, config = [style_image, style_image / 3], small(steps=4, blend=(1.0, 0.0))
    plain = list(stylize(content_image, styles, config, compute=CPU))
    frames = steered(stylize(content_image, styles, config, compute=CPU), 1, blend=(0.0, 1.0))
    changed = [not torch.equal(one.image, other.image) for one, other in zip(plain, frames, strict=True)]
    assert changed == [False, False, False, True, True]  # the second frame shows the new terms, the third what they did
    assert frames[2].losses != plain[2].losses


@pytest.mark.parametrize("optimizer", SETTINGS["optimizer"].choices)
def test_whatever_else_is_wanted_changes_nothing(narrow_weights, pictures, optimizer):
    config = small(optimizer=optimizer, step_size=0.01, steps=4)
    plain = list(stylize(*pictures, config, compute=CPU))
    run = stylize(*pictures, config, compute=CPU)
    others = {
        "pooling": "average",
        "style_loss": "moments",
        "size": 64,
        "steps": 9,
        "seed": 5,
        "color": "content",
        "style_normalization": "mean",
        "averaging": 0.9,
        "last_step": 2,
    }
    frames = steered(run, 1, **others)
    assert all(torch.equal(one.image, other.image) for one, other in zip(plain, frames, strict=True))
    assert run.record().config == config and run.notes == ()


def test_a_wish_that_cannot_be_is_refused_and_the_run_goes_on_without_it(narrow_weights, pictures):
    run = stylize(*pictures, small(steps=4), compute=CPU)
    next(run)
    for wish in ({"blend": (1.0, 2.0)}, {"content_layers": ("conv5_2",), "backbone": "vgg19"}):
        run.steering.wanted = dataclasses.replace(run.config, **wish)
        if "blend" in wish:
            with pytest.raises(ConfigError, match="2 shares for 1 style"):
                next(run)
    run.steering.wanted = None
    assert [frame.step for frame in run] == [1, 2, 3, 4]
    lite = stylize(*pictures, small(steps=2, backbone="lite"), compute=CPU)
    next(lite)
    lite.steering.wanted = small(style_layers=("conv5_4",))
    with pytest.raises(ConfigError, match="conv5_4"):
        next(lite)
    lite.steering.wanted = None
    assert [frame.step for frame in lite] == [1, 2]


def test_steering_begins_the_wait_for_a_plateau_anew(narrow_weights, pictures):
    settings = {"steps": 60, "style_weight": 0.0, "tolerance": 0.01}  # nothing to gain, until there is
    run = stylize(*pictures, small(**settings), compute=CPU)
    frames = steered(run, PLATEAU_STEPS - 5, style_weight=1e5)
    assert frames[-1].step > 2 * PLATEAU_STEPS - 5
    assert frames[-1].total < frames[PLATEAU_STEPS - 4].total


# Records


def test_every_setting_comes_back_out_of_a_record(narrow_weights, pictures, tmp_path):
    config = small(
        smallest_scale=24,
        scale_falloff=1.5,
        averaging=0.5,
        tolerance=0.01,
        style_scale=1.5,
        color="content",
        blend=(1.0, 2.0),
        keep_unpainted=True,
        mask_softness=0.1,
        last_step=2,
        style_loss="wasserstein",
        style_normalization="per channel",
        content_normalization="relative",
    )
    content_image, style_image = pictures
    run = stylize(content_image, [style_image, style_image / 2], config, masks=[left_half()] * 2, compute=CPU)
    *_, last = run
    save_result(last.image, run.record(), tmp_path / "result.png")
    record = read_record(tmp_path / "result.png")
    assert record == run.record() and record.config == config
    defaults = StyleTransferConfig()
    new = (
        "smallest_scale",
        "scale_falloff",
        "averaging",
        "tolerance",
        "style_scale",
        "color",
        "blend",
        "keep_unpainted",
        "mask_softness",
        "last_step",
    )
    assert all(getattr(config, name) != getattr(defaults, name) for name in new)


def test_the_work_of_a_run_grows_with_its_steps_and_the_more_the_larger_they_are(narrow_weights, pictures):
    run = stylize(*pictures, small(size=64, smallest_scale=32, steps=30), compute=CPU)
    work = [run.work_until(step) for step in range(35)]
    each = [after - before for before, after in pairwise(work)]
    assert work[0] == 0 and all(later >= earlier - 1e-9 for earlier, later in pairwise(each))
    assert each[0] < each[29] == pytest.approx(each[33])


def test_a_transparent_pictures_result_is_as_transparent_at_every_scale(narrow_weights, pictures):
    content, style = pictures
    content = torch.cat([content, torch.rand_like(content[:, :1])], 1)
    run = stylize(content, style, small(size=34, smallest_scale=24, steps=4), compute=CPU)
    sizes = set()
    for frame in run:  # each may be the last, as a run can be stopped at any
        height, width = images.size_of(frame.image)
        sizes.add(height)
        assert run.result.shape == (1, 4, height, width)
        wanted = images.resize(images.resize(content[:, 3:], images.fitted_size((48, 64), 34)), (height, width))
        torch.testing.assert_close(run.result[:, 3:], wanted, rtol=0, atol=1e-5)
    assert len(sizes) == 2
