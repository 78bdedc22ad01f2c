import dataclasses
import threading
from itertools import count

import pytest
import torch

from nst_core.devices import Compute
from nst_core.errors import ConfigError, DeviceError, NSTError, WeightsError
from nst_core.transfer import variations as module
from nst_core.transfer.config import SETTINGS, StyleTransferConfig
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import RunRecord
from nst_core.transfer.steering import Steering
from nst_core.transfer.stylize import stylize
from nst_core.transfer.variations import (
    MAX_VALUES,
    PRESET,
    RATIO,
    VARIABLE,
    Axis,
    cells,
    paint_sheet,
    parse_axis,
)
from tests.every import every
from tests.stand_ins import narrowed

CPU = Compute(device="cpu", precision="fp32")
BETAS = Axis("style_weight", (1e4, 1e5))
SEEDS = Axis("seed", (0, 1, 2))

CHOICES = {name: tuple(one.choices) for name, one in SETTINGS.items() if one.choices is not None}
RANGES = [name for name, one in SETTINGS.items() if one.extent and not isinstance(one.default, tuple)]


def small(**settings) -> StyleTransferConfig:
    """A run of a moment."""
    shallow = {"content_layers": ("conv2_1",), "style_layers": ("conv1_1", "conv2_1"), "style_weight": 1e5}
    return StyleTransferConfig(**shallow | {"steps": 3, "size": 32} | settings)


@pytest.fixture
def every_frame(monkeypatch):
    """Progress as often as frames come."""
    monkeypatch.setattr(module, "PROGRESS_SECONDS", 0)


@pytest.fixture(scope="module")
def pair():
    """A content and a style image."""
    generator = torch.Generator().manual_seed(2)
    return torch.rand(1, 3, 48, 64, generator=generator), torch.rand(1, 3, 40, 40, generator=generator)


@pytest.fixture(scope="module")
def painted(narrow_weights_folder, pair):
    """The results of BETAS × SEEDS from noise."""
    with pytest.MonkeyPatch.context() as patch, narrowed():
        patch.setenv("NST_WEIGHTS", str(narrow_weights_folder))
        return list(paint_sheet(*pair, cells(small(start="noise"), BETAS, SEEDS), CPU))[-1].results


def changed_fields(config: StyleTransferConfig, base: StyleTransferConfig) -> set[str]:
    return {name for name, value in config.to_dict().items() if value != base.to_dict()[name]}


# What a person types


@pytest.mark.parametrize(
    "name, text, values",
    [
        ("style_weight", "1e5, 1e6,1e7", (1e5, 1e6, 1e7)),
        ("steps", "1e2, 200 ,", (100, 200)),
        ("seed", "0", (0,)),
        (RATIO, "1e-3, 1e-4", (1e-3, 1e-4)),
        (PRESET, "lab, gatys", ("lab", "gatys")),
        ("style_normalization", "paper, mean", ("paper", "mean")),
        ("clamp", "off", (False,)),
        ("style_layers", "conv1_1 conv2_1, conv3_1", (("conv1_1", "conv2_1"), ("conv3_1",))),
        ("layer_weights", "1 0.5", ((1.0, 0.5),)),
    ],
)
def test_an_axis_is_read_as_typed(name, text, values):
    axis = parse_axis(name, text, small())
    assert axis == Axis(name, values)
    assert [type(value) for value in axis.values] == [type(value) for value in values]


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_can_be_varied_and_a_wrong_one_names_the_right_ones(name):
    choices = CHOICES[name][:MAX_VALUES]
    assert parse_axis(name, ", ".join(choices), StyleTransferConfig()).values == choices
    with pytest.raises(ConfigError) as raised:
        parse_axis(name, f"{choices[0]}, nonsense", StyleTransferConfig())
    assert name in str(raised.value) and all(choice in str(raised.value) for choice in CHOICES[name])


@every(wrong=["abc", "-1", "nan", "inf", "1e400", "9" * 5000, "1 2"], name=RANGES)
def test_a_wrong_number_names_its_axis_and_the_range(name, wrong):
    with pytest.raises(ConfigError, match=f"{name} .*give a (whole )?number from"):
        parse_axis(name, wrong, StyleTransferConfig())


@pytest.mark.parametrize("name", [name for name in VARIABLE if name != "clamp"])
def test_nonsense_names_its_axis(name):
    with pytest.raises(ConfigError, match=f"^{name} "):
        parse_axis(name, "nonsense", StyleTransferConfig())


@pytest.mark.parametrize("ratio", ["0", "-1", "nan", "inf", "abc", "1e-300"])
def test_a_ratio_that_gives_no_style_weight_is_refused(ratio):
    with pytest.raises(ConfigError, match=f"^{RATIO} "):
        parse_axis(RATIO, ratio, StyleTransferConfig())
    with pytest.raises(ConfigError, match="α is 0"):
        parse_axis(RATIO, "1", StyleTransferConfig(content_weight=0))


def test_presets_that_are_none_are_refused_with_all_that_are():
    with pytest.raises(ConfigError) as raised:
        parse_axis(PRESET, "vangogh", StyleTransferConfig())
    assert all(name in str(raised.value) for name in PRESETS)


@pytest.mark.parametrize("text", ["", " , ", ",".join(map(str, range(MAX_VALUES + 1))), "1, 2, 1", "1000, 1e3"])
def test_an_axis_has_one_to_eight_different_values(text):
    with pytest.raises(ConfigError, match="^seed (has .* values; give 1 to 8|is .*name each value once)"):
        parse_axis("seed", text, small())
    assert len(parse_axis("seed", ",".join(map(str, range(MAX_VALUES))), small()).values) == MAX_VALUES


def test_a_setting_that_is_none_cannot_be_varied():
    with pytest.raises(ConfigError, match="'brightness' cannot be varied; choose one of .*style_weight"):
        parse_axis("brightness", "1", small())


def test_labels_speak_as_the_papers_do():
    assert Axis("style_weight", (1e7, 300.0, 0.5)).labels == ("β 1e7", "β 300", "β 0.5")
    assert Axis("content_weight", (1e-3,)).labels == ("α 1e-3",)
    assert Axis(RATIO, (1e-4,)).labels == ("α/β 1e-4",)
    assert Axis(PRESET, ("gatys",)).labels == (PRESETS["gatys"].title,)
    assert Axis("style_loss", ("gram",)).labels == ("Style loss: Gram matrices",)
    assert Axis("backbone", ("vgg16",)).labels == ("Network: VGG-16",)
    assert Axis("clamp", (False,)).labels == ("Clamp: off",)
    assert Axis("style_layers", (("conv1_1", "conv2_1"),)).labels == ("Style layers: conv1_1 conv2_1",)


# Cells


def test_cells_are_every_combination_row_by_row():
    made = cells(small(), BETAS, SEEDS)
    assert [(cell.row, cell.column) for cell in made] == [(r, c) for r in range(2) for c in range(3)]
    assert [cell.label for cell in made] == [f"β {b} · Seed {s}" for b in ("1e4", "1e5") for s in range(3)]
    assert [(cell.config.style_weight, cell.config.seed) for cell in made] == [
        (b, s) for b in (1e4, 1e5) for s in range(3)
    ]


def test_without_columns_there_is_one():
    made = cells(small(), SEEDS)
    assert [(cell.row, cell.column, cell.label) for cell in made] == [(i, 0, f"Seed {i}") for i in range(3)]


VARIED = {
    "content_weight": (0.5, 2.0),
    "style_weight": (1e3, 1e4),
    "tv_weight": (1.0, 10.0),
    "pooling": ("max", "average"),
    "style_normalization": ("paper", "mean"),
    "start": ("noise", "style"),
    "size": (32, 48),
    "steps": (1, 2),
    "seed": (1, 2),
}


@every(columns=VARIED, rows=VARIED)
def test_a_cell_differs_from_the_base_in_its_two_settings_only(rows, columns):
    base, row_axis, column_axis = small(), Axis(rows, VARIED[rows]), Axis(columns, VARIED[columns])
    if rows == columns:
        with pytest.raises(ConfigError, match=f"rows vary {rows} and columns {rows}"):
            cells(base, row_axis, column_axis)
        return
    for cell in cells(base, row_axis, column_axis):
        config = cell.config
        assert changed_fields(config, base) <= {rows, columns}
        assert getattr(config, rows) == VARIED[rows][cell.row]
        assert getattr(config, columns) == VARIED[columns][cell.column]


def test_a_ratio_keeps_alpha_and_moves_beta_whichever_side_it_is_on():
    ratios, alphas = Axis(RATIO, (1e-3, 1e-2)), Axis("content_weight", (1.0, 10.0))
    for rows, columns in ((ratios, alphas), (alphas, ratios)):
        for cell in cells(small(), rows, columns):
            ratio = ratios.values[cell.row if rows is ratios else cell.column]
            assert cell.config.content_weight == alphas.values[cell.column if rows is ratios else cell.row]
            assert cell.config.content_weight / cell.config.style_weight == pytest.approx(ratio)
            assert changed_fields(cell.config, small()) <= {"content_weight", "style_weight"}
    for rows, columns in ((ratios, BETAS), (BETAS, ratios)):
        with pytest.raises(ConfigError, match="one thing"):
            cells(small(), rows, columns)


@pytest.mark.parametrize("backbone", SETTINGS["backbone"].choices)
def test_a_preset_brings_all_but_network_size_steps_and_seed(backbone):
    base = small(seed=5).on(backbone)
    for start in (0, MAX_VALUES):
        names = tuple(PRESETS)[start : start + MAX_VALUES]
        for cell, name in zip(cells(base, Axis(PRESET, names)), names, strict=True):
            kept = {"size": 32, "steps": 3, "seed": 5}
            assert cell.config == PRESETS[name].config.on(backbone).changed(**kept)
            assert cell.config.backbone == backbone and cell.label == PRESETS[name].title


def test_the_other_axis_wins_over_a_preset_whichever_side_it_is_on():
    presets, losses = Axis(PRESET, ("gatys", "luo")), Axis("pooling", ("max", "average"))
    for rows, columns in ((presets, losses), (losses, presets)):
        for cell in cells(small(), rows, columns):
            assert cell.config.pooling == losses.values[cell.column if rows is presets else cell.row]


def test_an_optimizer_brings_its_step_size_unless_that_is_varied_too():
    optimizers, sizes = Axis("optimizer", ("lbfgs", "adam")), Axis("step_size", (0.5, 0.1))
    for cell in cells(small(), sizes, optimizers):
        assert (cell.config.step_size, cell.config.optimizer) == (
            sizes.values[cell.row],
            optimizers.values[cell.column],
        )
    assert cells(small(), optimizers)[1].config == small().changed(optimizer="adam")


def test_values_that_do_not_go_together_are_refused_before_anything_is_painted():
    with pytest.raises(ConfigError, match="content_weight 0, style_weight 0: α and β are both 0"):
        cells(small(), Axis("content_weight", (1.0, 0.0)), Axis("style_weight", (1.0, 0.0)))
    with pytest.raises(ConfigError, match="layer_weights has 3 numbers for 2 style layers"):
        cells(small(), Axis("layer_weights", ((1.0, 1.0, 1.0),)))


# Painting


def test_a_cell_is_what_a_run_of_its_config_paints_and_its_record_paints_it_again(narrow_weights, painted, pair):
    assert [result.cell for result in painted] == cells(small(start="noise"), BETAS, SEEDS)
    for result in painted:
        record = RunRecord.from_json(result.record.to_json())
        assert record == result.record and record.config == result.cell.config and not record.stopped
        again = [frame.image for frame in stylize(*pair, record.config, compute=CPU)][-1]
        assert torch.equal(again, result.image)
    for one in painted:
        assert not any(torch.equal(one.image, other.image) for other in painted if other is not one)


def test_progress_shows_every_cell_from_its_start_to_its_end(narrow_weights, pictures, every_frame):
    made = cells(small(), BETAS)
    seen = list(paint_sheet(*pictures, made, CPU))
    assert [(progress.index, progress.step) for progress in seen] == [(i, s) for i in range(2) for s in (0, 1, 2, 3, 3)]
    assert [len(progress.results) for progress in seen] == [0, 0, 0, 0, 1, 1, 1, 1, 1, 2]
    assert all(progress.cell == made[progress.index] and progress.count == 2 for progress in seen)
    assert torch.equal(seen[-1].image, seen[-1].results[-1].image)
    with pytest.raises(dataclasses.FrozenInstanceError):
        seen[0].step = 1


def test_progress_comes_at_a_pace_not_at_every_frame(narrow_weights, pictures, monkeypatch):
    monkeypatch.setattr(module, "PROGRESS_SECONDS", 1000)
    seen = list(paint_sheet(*pictures, cells(small(), BETAS), CPU))
    assert [(progress.index, progress.step) for progress in seen] == [(0, 0), (0, 3), (1, 0), (1, 3)]


def test_stop_keeps_what_is_done_and_says_of_the_unfinished_cell_that_it_is(narrow_weights, pictures, every_frame):
    steering, last = Steering(), None
    for last in paint_sheet(*pictures, cells(small(start="noise"), BETAS, SEEDS), CPU, steering):
        if (last.index, last.step) == (2, 1):
            steering.stop.set()
    assert last.index == 2
    assert [result.cell.column for result in last.results] == [0, 1, 2]
    assert [(result.record.steps, result.record.stopped) for result in last.results] == [
        (3, False),
        (3, False),
        (1, True),
    ]


def test_a_cell_stopped_before_its_first_step_is_none(narrow_weights, pictures, every_frame):
    steering, last = Steering(), None
    for last in paint_sheet(*pictures, cells(small(), SEEDS), CPU, steering):
        if (last.index, last.step) == (1, 0):
            steering.stop.set()
    assert last.index == 1 and len(last.results) == 1
    assert not list(paint_sheet(*pictures, cells(small(), SEEDS), CPU, steering))  # still stopped


def test_a_closed_sheet_frees_its_run(narrow_weights, pictures, every_frame, monkeypatch):
    runs, paint = [], module.stylize
    monkeypatch.setattr(module, "stylize", lambda *given, **more: runs.append(paint(*given, **more)) or runs[-1])
    sheet = paint_sheet(*pictures, cells(small(), SEEDS), CPU)
    next(sheet)
    sheet.close()
    assert all(next(run, None) is None for run in runs)


def test_what_is_wrong_is_found_before_the_first_cell(narrow_weights, pictures, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="start is 'image'.*give one"):
        paint_sheet(*pictures, cells(small(), Axis("start", ("content", "image"))), CPU)
    ribbon = torch.rand(1, 3, 32, 320)
    with pytest.raises(ConfigError, match="at least 16"):
        paint_sheet(ribbon, pictures[1], cells(small(), Axis("size", (320, 32))), CPU)
    monkeypatch.setenv("NST_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError):
        paint_sheet(*pictures, cells(small(), SEEDS), CPU)


def test_a_start_picture_of_ones_own_is_used(narrow_weights, pictures, every_frame):
    own = torch.zeros(1, 3, 24, 32)
    first = next(paint_sheet(*pictures, cells(small(start="image"), SEEDS), CPU, start_image=own))
    assert first.image.max() == 0


def failing(monkeypatch, error: NSTError, seed: int, at_step: int) -> None:
    """Make the runs of a seed end in an error instead of a frame."""
    paint = module.stylize

    class Failing:
        def __init__(self, *given, **more):
            self.run = paint(*given, **more)

        def __iter__(self):
            for step in count():
                if (self.run.config.seed, step) == (seed, at_step):
                    raise error
                if (frame := next(self.run, None)) is None:
                    return
                yield frame

        def __getattr__(self, name):
            return getattr(self.run, name)

    monkeypatch.setattr(module, "stylize", Failing)


@pytest.mark.parametrize("at_step", [0, 2])
def test_a_cell_whose_loss_is_not_finite_stays_empty_and_the_rest_is_painted(
    narrow_weights, pictures, monkeypatch, at_step
):
    failing(monkeypatch, NSTError("the loss is not a finite number"), seed=1, at_step=at_step)
    last = list(paint_sheet(*pictures, cells(small(), SEEDS), CPU))[-1]
    assert [result.cell.row for result in last.results] == [0, 2]
    assert last.notes == ("Seed 1: the loss is not a finite number",)


def test_a_machine_that_is_too_small_ends_the_sheet(narrow_weights, pictures, monkeypatch):
    failing(monkeypatch, DeviceError("the CPU ran out of memory"), seed=1, at_step=1)
    seen = []
    with pytest.raises(DeviceError):
        seen.extend(paint_sheet(*pictures, cells(small(), SEEDS), CPU))


def test_a_sheet_may_be_stopped_from_another_thread(narrow_weights, pictures):
    steering = Steering()
    sheet = paint_sheet(*pictures, cells(small(steps=100_000), SEEDS), CPU, steering)
    next(sheet)
    timer = threading.Timer(0.2, steering.stop.set)
    timer.start()
    last = list(sheet)[-1]
    timer.join()
    assert last.index == 0 and last.results[0].record.stopped


def test_a_sheet_chooses_a_device_by_itself(narrow_weights, pictures, monkeypatch):
    monkeypatch.setattr(module, "choose_compute", lambda: Compute(device="cpu", precision="fp32"))
    last = list(paint_sheet(*pictures, cells(small(), Axis("seed", (0,)))))[-1]
    assert last.results[0].record.precision == "fp32"


def test_where_the_base_ended_says_nothing_of_the_cells():
    base = small(last_step=2)
    assert all(cell.config.last_step == 0 for cell in cells(base, BETAS, SEEDS))
    assert cells(base, BETAS) == cells(small(), BETAS)
    assert parse_axis("style_layers", "conv1_1", base) == parse_axis("style_layers", "conv1_1", small())


def test_a_sheet_may_blend_several_styles_within_masks(narrow_weights, pictures):
    content, style = pictures
    masks = [torch.zeros(1, 1, 48, 64)]
    masks[0][..., :32] = 1
    for given in ((), masks):
        last = list(paint_sheet(content, [style, style.flip(1)], cells(small(), BETAS), CPU, masks=given))[-1]
        for result in last.results:
            run = stylize(content, [style, style.flip(1)], result.cell.config, masks=given, compute=CPU)
            assert torch.equal([frame.image for frame in run][-1], result.image)
