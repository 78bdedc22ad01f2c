import pytest
import torch

from nst_core import images
from nst_core.devices import Compute
from nst_core.losses.style import STYLE_LOSSES
from nst_core.transfer import memory
from nst_core.transfer.ladder import ladder
from nst_core.transfer.memory import largest_size, needed_at_once
from nst_core.transfer.stylize import stylize
from nst_core.ui.studio.controls_and_config import CONTROLS, controls_of, default_config
from nst_core.ui.studio.session import Session
from nst_core.ui.stylize import ahead as module
from nst_core.ui.stylize.ahead import (
    BEGINNING,
    CLOSE,
    COLUMNS,
    KIND_COSTS,
    PAINT,
    SHALLOW_COST,
    STEP_COST,
    Speed,
    ahead,
    kind_of,
    note_pace,
    say_ahead,
    seconds_ahead,
    work_of,
)
from tests.runs import CPU, small

CONFIG = default_config("studio").changed(backbone="lite", size=1024, smallest_scale=0, steps=100)


@pytest.fixture(autouse=True)
def no_paces(monkeypatch):
    monkeypatch.setattr(module, "paces", {})


@pytest.fixture
def free(monkeypatch):
    return lambda count: monkeypatch.setattr(memory, "free_memory", lambda device: count)


def test_what_fits_is_said_and_how_it_would_be_painted(free):
    size = 1024, 1024
    at_once = needed_at_once(size, size, CONFIG, CPU)
    free(at_once)
    most = largest_size(size, size, CONFIG, CPU)
    assert most > 1024
    assert ahead(CONFIG, (300, 300), CPU) == f"up to {most} fits here"
    assert ahead(CONFIG.changed(size=most), (300, 300), CPU).startswith("in strips, as it is large; up to")
    assert ahead(CONFIG.changed(size=most + 16), (300, 300), CPU) == f"too large: up to {most} fits here"


def test_a_run_tells_how_long_the_next_one_takes(free, narrow_weights, pictures):
    free(10**12)
    run = stylize(*pictures, small(size=64, steps=3, backbone="lite"), compute=CPU)
    list(run)
    assert 0 < run.share <= 1
    run.seconds, run._computed, run._passed = 3.0, 1.0, 4.0
    note_pace(run)
    assert module.paces == {}  # of so little work
    note_pace(run, least=0.0)
    pace = 3 / ((3 + BEGINNING) * (STEP_COST + 64 * 48 / 1e6) * SHALLOW_COST)  # s a step of a million pixels
    assert module.paces == {("lite", CPU): {"": pytest.approx((pace / 4, pace))}}
    one_step = KIND_COSTS["gram and wasserstein"] * (STEP_COST + 1.024**2)
    assert seconds_ahead(CONFIG, (300, 300), CPU) == pytest.approx(pace * (100 + BEGINNING) * one_step)
    assert seconds_ahead(CONFIG, (300, 300), Compute(device="cpu", precision="bf16")) is None
    others = {"gram": Speed(1.0, 1.0), "": Speed(2.0, 2.0)}
    module.paces["lite", CPU] = others
    note_pace(run, least=0.0)
    assert [*module.paces["lite", CPU]] == ["gram", ""] and others[""] == (2.0, 2.0)  # newest last, of each kind one


def test_a_kinds_own_pace_tells_its_time_else_the_newest_of_all(free):
    free(10**12)
    gram = CONFIG.changed(style_loss="gram")
    module.paces["lite", CPU] = {"gram": Speed(1.0, 1.0), COLUMNS: Speed(2.0, 2.0), "": Speed(3.0, 3.0)}
    columns = default_config("neighbours", "lite")
    each = [
        seconds_ahead(config, (300, 300), CPU) / work_of(config, (300, 300), config.steps)
        for config in (gram, columns, CONFIG)
    ]
    assert each == pytest.approx([1.0, 2.0, 3.0])
    assert set(KIND_COSTS) <= {COLUMNS, *STYLE_LOSSES}
    assert {kind_of(columns), kind_of(gram)} == {COLUMNS, "gram"}


def test_a_small_run_tells_no_kinds_own_pace(free, narrow_weights, pictures, monkeypatch):
    run = stylize(*pictures, small(size=64, steps=3, backbone="lite"), compute=CPU)
    list(run)
    monkeypatch.setattr(module, "LEAST_WORK", work_of(run.config, images.size_of(run.content_image), 3) + 0.01)
    note_pace(run, least=0.0)
    monkeypatch.setattr(module, "LEAST_WORK", 0.0)
    note_pace(run, least=0.0)
    assert [*module.paces["lite", CPU]] == ["", "gram"]


def test_work_is_that_of_every_scale_and_of_its_steps():
    config = CONFIG.changed(size=128, smallest_scale=64, steps=30, style_loss="gram")
    scales = ladder(config, (300, 300))
    assert [scale.size for scale in scales][-1] == 128 and len(scales) > 1
    first = scales[0]
    assert work_of(config, (300, 300), 1) == pytest.approx((1 + BEGINNING) * (STEP_COST + first.size**2 / 1e6))
    last_step = work_of(config, (300, 300), 31) - work_of(config, (300, 300), 30)
    assert last_step == pytest.approx(STEP_COST + 128**2 / 1e6)  # what goes on goes on at the full size


def test_time_by_columns_is_told_as_it_was_measured():
    """One thread, Lite, pictures of 3:2: 15 s by studio at 512 pixels, 31 s by neighbours, 104 s of these at 1024."""
    works = [
        work_of(config := default_config(preset, "lite").changed(size=size), (427, 640), config.steps)
        for preset, size in (("studio", 512), ("neighbours", 512), ("neighbours", 1024))
    ]
    assert [works[1] / works[0], works[2] / works[1]] == pytest.approx([2.07, 3.4], rel=0.15)


# A processor's seconds by one thread, of a picture of 3:2: (preset, pixels, steps or None for its own, seconds). Each
# list was measured in one go: Lite in bf16, small and large, Lite in fp32, VGG-19 in fp32.
MEASURED = (
    [
        ("studio", 256, 56, 3.81),
        ("neighbours", 256, None, 13.66),
        ("lab", 256, 14, 1.20),
        ("gatys", 256, 14, 1.38),
        ("luo", 256, 14, 1.23),
        ("chao", 256, 14, 1.42),
        ("tran_nguyen", 256, 14, 1.73),
        ("cheng", 256, 14, 0.92),
        ("neural_style", 256, 14, 1.26),
    ],
    [("studio", 512, None, 15.0), ("neighbours", 512, None, 31.0), ("neighbours", 1024, None, 104.0)],
    [("studio", 512, None, 31.0), ("neighbours", 512, None, 66.0)],
    [("studio", 512, None, 87.0), ("neighbours", 512, None, 144.0)],
)


@pytest.mark.parametrize("measured", MEASURED)
def test_time_is_told_within_a_third_by_the_pace_of_any_other_kind(measured):
    paces = []
    for preset, size, steps, seconds in measured:
        config = default_config(preset, "lite").changed(size=size, steps=steps)
        paces.append(seconds / work_of(config, (427, 640), config.steps))
    assert max(paces) / min(paces) < CLOSE


def test_it_is_said_of_the_picture_that_is_there_and_of_settings_that_can_be(free, tmp_path):
    free(10**10)
    images.save_png(torch.rand(1, 3, 20, 200), tmp_path / "wide.png")
    shown = {**controls_of(CONFIG), "preset": "studio", "content": None}
    assert set(CONTROLS) <= shown.keys()
    plain, wide = (
        say_ahead(Session(), shown | {"content": path})["size"].info for path in (None, tmp_path / "wide.png")
    )
    assert int(wide.split()[2]) > int(plain.split()[2])
    nothing = say_ahead(Session(), shown | {"size": -3})
    assert (nothing["size"].info, nothing["run"].value) == ("", PAINT)


def test_the_button_that_paints_tells_how_long_it_takes(free):
    free(10**12)
    compute = module.painting_compute()
    shown = {**controls_of(CONFIG), "preset": "studio", "content": None}
    assert say_ahead(Session(), shown)["run"].value == PAINT
    module.paces[CONFIG.backbone, compute] = {"": Speed(0.8, 0.8)}
    assert seconds_ahead(CONFIG, (1, 1), compute) == pytest.approx(106, abs=0.5)
    assert say_ahead(Session(), shown)["run"].value == "Paint · about 1 min 45 s"  # no more than is known of it
    module.paces[CONFIG.backbone, compute] = {"": Speed(0.2, 0.8)}  # while others were at work
    assert say_ahead(Session(), shown)["run"].value == "Paint · from 25 s to 1 min 45 s"


@pytest.mark.parametrize(
    ("alone", "busy", "told"),
    [
        (0.1, 1.2, "about 1 s"),
        (18.0, 22.0, "about 20 s"),
        (14.0, 22.0, "from 14 s to 20 s"),
        (0.4, 1.6, "from 1 s to 2 s"),
    ],
)
def test_a_span_is_told_of_times_that_are_told_apart(alone, busy, told):
    assert Speed(alone, busy).label() == f"{PAINT} · {told}"


def test_of_a_cluster_nothing_is_said_before(free, monkeypatch):
    free(10**12)
    shown = {**controls_of(CONFIG), "preset": "studio", "content": None}
    module.paces[CONFIG.backbone, module.painting_compute()] = {"": Speed(1.0, 1.0)}
    assert "about" in say_ahead(Session(), shown)["run"].value
    monkeypatch.setenv("NST_CLUSTER", "nowhere")
    told = say_ahead(Session(), shown)
    assert told["run"].value == PAINT and not told["size"].info
