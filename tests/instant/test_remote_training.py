"""A training that is made elsewhere comes to what one here comes to, whatever happens to the machines."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from nst_core import images
from nst_core.engine import errands
from nst_core.engine.begin import made_at
from nst_core.engine.devices import DEVICES, Elsewhere
from nst_core.engine.remote_run import MOST_LOST
from nst_core.errors import ConfigError, DeviceError, OutputError, WeightsError
from nst_core.features.photographs import HELD_OUT
from nst_core.instant import decoder_trainer, trainer, training_errand, training_parcels
from nst_core.instant import train_decoders as train_decoders_module
from nst_core.instant.decoder_trainer import DecoderRecipe
from nst_core.instant.lesson import Lesson
from nst_core.instant.perceptual import TrainingRecipe
from nst_core.instant.train import train
from nst_core.instant.train_decoders import train_decoders
from nst_core.transfer.steering import Steering
from nst_core.universal.decoders import Decoders
from tests.instant.test_painter import CPU, network_of
from tests.machines import Room, StandIn

SMALL = TrainingRecipe(width=4, steps=6, batch=1, crop=64, style_size=64, style_factors=(("waves", 2.0),))
LESSON = TrainingRecipe(steps=6, batch=1, crop=64, style_size=64)
SENDING = 4  # calls before the first moment, where the photographs are sent in two pieces


@pytest.fixture(autouse=True)
def every_step(narrow_weights, small_thumbnails, monkeypatch):
    """Each step is a moment, each moment has a checkpoint; previews every three steps; photographs in two pieces."""
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setenv("NST_PRECISION", "fp32")
    monkeypatch.setattr(errands, "NEWS_SECONDS", 0)
    monkeypatch.setattr(errands, "MOST_BYTES", float("inf"))
    monkeypatch.setattr(errands, "KEEP_SECONDS", 0)
    monkeypatch.setattr(trainer, "PREVIEW_STEPS", 1)
    monkeypatch.setattr(trainer, "LEAST_PREVIEW_STEPS", 3)
    monkeypatch.setattr(training_parcels, "PIECE_BYTES", 12 * 3 * 72 * 80)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """As many photographs as a training needs."""
    made = tmp_path_factory.mktemp("photographs")
    for number in range(HELD_OUT):
        image = torch.rand(1, 3, 9, 10, generator=torch.Generator().manual_seed(number))
        images.save_png(images.resize(image, (72, 80)), made / f"{number:02}.png")
    return made


@pytest.fixture
def styles() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {name: torch.rand(1, 3, 70, 64, generator=generator) for name in ("waves", "stars")}


@pytest.fixture(scope="module")
def once(tmp_path_factory) -> tuple[Path, list]:
    """Where the network lies that is trained here, and what its training showed, once it was."""
    return tmp_path_factory.mktemp("once") / "here.safetensors", []


@pytest.fixture
def here(once, every_step, styles, folder) -> Path:
    """A network trained here, with which those are compared that were trained elsewhere."""
    path, shown = once
    if not shown:
        shown.extend(told(train(styles, folder, path, SMALL, CPU)))
    return path


def told(training) -> list[tuple]:
    """All that a training shows, but for what only one elsewhere says."""
    return [
        (progress.step, progress.steps, progress.losses, None if shown is None else shown.numpy().tobytes())
        for progress in training
        if (shown := progress.preview) is not None or progress.losses
    ]


def same(one: Path, other: Path) -> bool:
    """Whether two files are the same to the bit, whatever the order of what their headers tell."""
    told, numbers = zip(*map(parts_of, (one, other)), strict=True)
    equal = all(torch.equal(value, numbers[1][name]) for name, value in numbers[0].items())
    return told[0] == told[1] and numbers[0].keys() == numbers[1].keys() and equal


def parts_of(path: Path) -> tuple[dict, dict[str, torch.Tensor]]:
    with safe_open(path, framework="pt") as file:
        return file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping


def test_a_network_trained_elsewhere_is_the_one_trained_here(room, styles, folder, here, once, tmp_path):
    there, expected = tmp_path / "there.safetensors", once[1]
    assert told(train(styles, folder, there, SMALL, room)) == expected and len(expected) == 2
    assert same(here, there) and not there.with_name("there.safetensors.partial").exists()
    assert room.chosen == room.left == 1


@pytest.mark.parametrize("again", [False, True])
def test_a_style_learned_elsewhere_is_the_one_learned_here(room, styles, folder, again):
    base, name = network_of("waves", "stars"), "waves" if again else "rain"
    given = (name, styles["stars"], base, folder, LESSON)
    here, there = (Lesson(*given, where, again=again) for where in (CPU, room))
    assert told(there.steps()) == told(here.steps())
    one, other = here.learned(), there.learned()
    assert one.header == other.header and one.thumbnails == other.thumbnails and there.trainer.step == LESSON.steps
    numbers = other.network.state_dict()
    assert all(torch.equal(value, numbers[key]) for key, value in one.network.state_dict().items())


def test_decoders_trained_elsewhere_are_those_trained_here(room, folder, tmp_path, monkeypatch):
    def inverted(network, crops, seed):
        torch.manual_seed(seed)
        return Decoders()

    monkeypatch.setattr(decoder_trainer, "inverted", inverted)
    for module in (train_decoders_module, training_errand):
        monkeypatch.setattr(module, "OWN_PAINTINGS", folder)  # these are small
    here, there = tmp_path / "here.safetensors", tmp_path / "there.safetensors"
    recipe = DecoderRecipe(fitted_crops=2, steps=2, batch=2, crop=64)
    expected = told(train_decoders(folder, here, recipe, CPU))
    assert told(train_decoders(folder, there, recipe, room)) == expected and same(here, there)


@pytest.mark.parametrize(
    ("number", "seconds"), [(1, 0), (SENDING + 2, 0), (SENDING + 7, 0), (3, 1e9), (SENDING + 4, 1e9)]
)
def test_whenever_a_machine_is_lost_the_network_is_the_same_and_steps_go_up(
    number, seconds, room, styles, folder, here, tmp_path, monkeypatch
):
    there = tmp_path / "there.safetensors"
    made, update = [], trainer.Trainer.update
    monkeypatch.setattr(trainer.Trainer, "update", lambda own, given: (made.append(1), update(own, given))[1])
    monkeypatch.setattr(errands, "KEEP_SECONDS", seconds)
    room.fails = lambda call, method: call == number
    said = list(train(styles, folder, there, SMALL, room))
    steps = [progress.step for progress in said]
    assert steps == sorted(steps) and steps[-1] == SMALL.steps and same(here, there)
    again = 0 if number < SENDING else 1 if not seconds else number - SENDING
    assert SMALL.steps <= len(made) <= SMALL.steps + again
    (line,) = [progress.text for progress in said if "was lost" in progress.text]
    assert line.endswith("last checkpoint" if number > SENDING + 1 and not seconds else "from the start")
    assert room.chosen == room.left == 2


def test_where_every_machine_is_lost_it_ends_in_words_and_goes_on_from_its_checkpoint(
    room, styles, folder, here, tmp_path
):
    there = tmp_path / "there.safetensors"
    room.fails = lambda call, method: call > SENDING + 3
    with pytest.raises(DeviceError, match=f"{MOST_LOST} machines were lost"):
        list(train(styles, folder, there, SMALL, room))
    room.fails = lambda call, method: False
    assert room.chosen == room.left and not there.exists()
    texts = [progress.text for progress in train(styles, folder, there, SMALL, CPU)]  # here, what began elsewhere
    assert any("going on from" in text for text in texts) and same(here, there)


def test_what_was_interrupted_here_goes_on_elsewhere(room, styles, folder, here, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "CHECKPOINT_STEPS", 2)
    there = tmp_path / "there.safetensors"
    for progress in train(styles, folder, there, SMALL, CPU):
        if progress.step == 3:
            break
    steps = [progress.step for progress in train(styles, folder, there, SMALL, room) if not progress.text]
    assert steps == [3, 4, 5, 6] and same(here, there)
    for progress in train(styles, folder, there, SMALL, CPU):
        if progress.step == 3:
            break
    with pytest.raises(WeightsError, match="delete it to begin anew"):
        list(train(styles, folder, there, replace(SMALL, seed=1), room))


def test_stopped_it_ends_after_the_step_at_hand_with_what_is_learned(room, styles, folder):
    steering = Steering()
    lesson = Lesson("rain", styles["stars"], network_of("waves"), folder, replace(LESSON, steps=100), room)
    for progress in lesson.steps(steering):
        if progress.step == 2:
            steering.stop.set()
    assert 2 <= lesson.trainer.step <= 4 and lesson.learned().header["steps"] == str(lesson.trainer.step)
    assert room.chosen == room.left == 1


def test_a_lesson_that_no_machine_is_left_for_ends_with_what_is_learned(room, styles, folder):
    room.fails = lambda call, method: call > SENDING + 4
    lesson = Lesson("rain", styles["stars"], network_of("waves"), folder, LESSON, room)
    list(lesson.steps())
    assert 0 < lesson.trainer.step < LESSON.steps and f"{MOST_LOST} machines were lost" in lesson.notes[-1]
    assert lesson.learned().header["steps"] == str(lesson.trainer.step) and room.chosen == room.left


@pytest.mark.parametrize("after", [0, 2])
def test_a_stop_is_heard_before_it_begins(after, room, styles, folder):
    steering = Steering()
    room.fails = lambda call, method: steering.stop.set() if call == after else False
    if not after:
        steering.stop.set()
    lesson = Lesson("rain", styles["stars"], network_of("waves"), folder, LESSON, room)
    with pytest.raises(ConfigError, match="stopped before the first step"):
        list(lesson.steps(steering))
    assert len(room.calls) == after and room.chosen == room.left


def test_a_machine_lost_after_a_stop_leaves_the_last_checkpoint(room, styles, folder):
    steering = Steering()
    lesson = Lesson("rain", styles["stars"], network_of("waves"), folder, LESSON, room)
    for progress in lesson.steps(steering):
        if progress.step == 2:
            steering.stop.set()
            calls = len(room.calls)
            room.fails = lambda call, method, at=calls + 2: call >= at
    assert lesson.trainer.step == 2 and room.chosen == room.left == 1


def test_what_is_wrong_is_said_in_the_same_words(room, styles, folder, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="'photo'"):
        list(train({"photo": styles["waves"]}, folder, tmp_path / "a.safetensors", LESSON, room))
    with pytest.raises(ConfigError, match="no style 'waves' to give a factor"):
        list(train({"stars": styles["waves"]}, folder, tmp_path / "a.safetensors", SMALL, room))
    assert room.chosen == room.left == 2
    order = "nst_core.instant.remote_training.networks_here"
    monkeypatch.setattr(order, lambda *names: {name: "another" for name in names})
    with pytest.raises(WeightsError, match="put the same file on all machines"):
        list(train(styles, folder, tmp_path / "a.safetensors", SMALL, room))


def test_a_full_disk_here_ends_it_in_words(room, styles, folder, tmp_path, full_disk):
    with pytest.raises(OutputError, match="disk is full"):
        list(train(styles, folder, tmp_path / "a.safetensors", SMALL, room))
    assert room.chosen == room.left == 1


def test_photographs_are_sent_in_pieces_and_what_is_sent_is_told(room, styles, folder, tmp_path, monkeypatch):
    sizes, add = [], errands.HostedErrand.add
    monkeypatch.setattr(errands.HostedErrand, "add", lambda own, piece: (sizes.append(piece.size), add(own, piece))[1])
    said = list(train(styles, folder, tmp_path / "a.safetensors", SMALL, room))
    assert sizes == [12 * 3 * 72 * 80, 8 * 3 * 72 * 80]
    assert sum("photographs are sent" in progress.text for progress in said) == 2


def test_no_device_waits_and_what_is_left_is_dropped(room, styles, folder, tmp_path, monkeypatch):
    asked, start = [], StandIn.start
    monkeypatch.setattr(
        StandIn, "start", lambda own, method, *given: (asked.append(method), start(own, method, *given))[1]
    )
    training = made_at(room, train(styles, folder, tmp_path / "a.safetensors", SMALL, room))
    assert isinstance(training, Elsewhere) and not isinstance(made_at(CPU, iter(())), Elsewhere)
    with DEVICES.own_job(), DEVICES.stepped(training) as stepped:
        assert next(progress for progress in stepped if progress.step == 1)
    assert asked[-1] == "dismiss" and room.chosen == room.left == 1
