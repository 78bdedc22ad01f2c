"""The handlers behind the sheet of variations, without a browser."""

import copy
import dataclasses
import threading
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.blocks import Block

from nst_core import images
from nst_core.engine.devices import DEVICES
from nst_core.errors import ConfigError
from nst_core.transfer.config import SETTINGS
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.sheet import read_sheet
from nst_core.transfer.variations import RATIO, VARIABLE, cells, parse_axis
from nst_core.ui.studio.controls_and_config import CONTROLS, config_of, controls_of
from nst_core.ui.studio.session import Session
from nst_core.ui.variations import run as sheet_painting
from nst_core.ui.variations.area import Sheet, choose, describe, fill, refresh, take
from nst_core.ui.variations.axes import (
    FAVOURITES,
    MENU,
    NOTHING,
    advice,
    default_values,
    extent,
    planned,
)
from nst_core.ui.variations.run import CHOICE, Choice, paint
from tests.every import every
from tests.ui.shown import page_showing, untitled

SKIP = gr.skip()


@pytest.fixture
def uploads(pictures, tmp_path):
    paths = tmp_path / "content.png", tmp_path / "style.png"
    for image, path in zip(pictures, paths, strict=True):
        images.save_png(image, path)
    return paths


@pytest.fixture(autouse=True)
def toasts(monkeypatch):
    """What the page would show as toasts."""
    shown = []
    monkeypatch.setattr(gr, "Warning", lambda text, **_: shown.append(untitled(text)))
    return shown


@pytest.fixture
def every_moment(monkeypatch):
    """Views as often as there is something to see."""
    monkeypatch.setattr(sheet_painting, "VIEW_SECONDS", 0)
    monkeypatch.setattr("nst_core.transfer.variations.PROGRESS_SECONDS", 0)


def given(*files, axes=("style_weight", "1e4, 1e5", "seed", "0, 1"), cell_size=48, cell_steps=2, **changes) -> dict:
    """What the page shows."""
    choice = dict(zip(CHOICE, (*axes, cell_size, cell_steps), strict=True))
    return page_showing("luo", *files, **choice, **changes)


def values_of(view) -> dict:
    """What a view shows, without what it leaves as it is."""
    shown = {}
    for name, value in view.items():
        if isinstance(value, Block):
            value = value._constructor_args[0].get("value")
        if value is not None and value != SKIP:
            shown[name] = value
    return shown


def done_cells(grid) -> list[list[bool]]:
    return [[cell["done"] for cell in row] for row in grid["rows"]]


# What may be varied


def test_the_menu_has_every_setting_that_can_change_a_cell_the_favourites_first():
    assert set(MENU) == set(VARIABLE) - {name for name, one in SETTINGS.items() if one.compared is None}
    assert list(MENU)[: len(FAVOURITES)] == list(FAVOURITES)


@every(name=MENU, preset=PRESETS)
def test_defaults_of_every_setting_are_a_sheet(name, preset):
    base = PRESETS[preset].config.changed(size=176)
    axis = parse_axis(name, default_values(name, base), base)
    assert len(cells(base, axis)) == len(axis.values) >= (1 if name in ("clamp", "style_layers") else 2)


def test_weights_are_varied_about_the_pages_own():
    base = PRESETS["lab"].config.changed(style_weight=3e4)
    assert default_values("style_weight", base) == "3e3, 3e4, 3e5"
    ratios = parse_axis(RATIO, default_values(RATIO, base), base).values
    assert ratios == pytest.approx([factor / 3e4 for factor in (0.1, 1, 10)])


def test_a_choice_begins_with_the_pages_own():
    base = PRESETS["lab"].config.changed(color="luminance")
    assert default_values("color", base).startswith("luminance, ")


def test_the_extent_counts_cells_and_steps():
    base = PRESETS["luo"].config.changed(steps=100)
    assert extent(planned(base, "style_weight", "1, 2, 3", "seed", "0,1,2")) == "9 cells × 100 steps = 900 steps"
    assert extent(planned(base, "seed", "0", NOTHING, "ignored")) == "1 cell × 100 steps = 100 steps"
    assert extent(planned(base, "steps", "10, 20", NOTHING, "")) == "2 cells, 30 steps in all"


def test_seeds_without_chance_are_advised_against():
    base = PRESETS["luo"].config
    assert "starting from noise" in advice(planned(base, "seed", "0, 1", NOTHING, ""))
    assert advice(planned(base, "seed", "0, 1", "start", "noise, content")) == ""


# The fields


def test_the_page_says_how_much_there_is_to_paint():
    assert "4 cells × 2 steps = 8 steps" in describe(Session(), given())


@pytest.mark.parametrize(
    "axes, wrong",
    [
        (("style_weight", "1e4, abc", "seed", "0"), "“β style” is “abc”; give a number"),
        (("style_weight", "1, 2", "style_weight", "1, 2"), "which is one thing; choose another"),
        (("seed", "", NOTHING, ""), "seed has 0 values; give 1 to 8"),
        (("style_loss", "gram, vangogh", NOTHING, ""), "choose one of gram, moments"),
    ],
)
def test_a_wrong_value_is_named_where_it_is_typed_and_on_the_button(axes, wrong, uploads, toasts):
    text = describe(Session(), given(axes=axes))
    assert wrong in text and 'class="status problem"' in text
    views = list(paint(Sheet(), Session(), given(*uploads, axes=axes)))
    assert wrong in views[-1]["status"] and "grid" not in views[-1] and len(toasts) == 1


@pytest.mark.parametrize("name", ["size", "steps"])
def test_an_empty_field_is_named(name):
    assert f"the cells&#x27; {name} is empty" in describe(Session(), given(**{f"cell_{name}": None}))


def test_another_setting_brings_values_about_the_pages():
    sheet = Sheet()
    values = fill(sheet, Session(), "rows", given(style_weight=5e3))
    assert parse_axis("style_weight", values, PRESETS["luo"].config).values == (500, 5e3, 5e4)
    assert fill(sheet, Session(), "columns", given(axes=("seed", "0", NOTHING, "1"))) == ""
    assert fill(sheet, Session(), "columns", given(axes=("seed", "0", NOTHING, "1"), cell_size=None)) == ""
    assert fill(sheet, Session(), "rows", given(axes=("seed", "0", NOTHING, "1"), cell_size=None)) == "0, 1, 2"


def test_a_setting_chosen_again_leaves_the_values_that_were_typed():
    sheet, page = Sheet(), given(axes=("seed", "7, 8", "start", "noise"))
    assert choose(sheet, Session(), "rows", page) == "0, 1, 2"
    assert choose(sheet, Session(), "rows", page) == SKIP
    assert choose(sheet, Session(), "rows", given()) != SKIP


def test_values_follow_the_page_unless_a_person_typed_them():
    sheet = Sheet()
    shown = refresh(sheet, Session(), given(style_weight=1e3))
    assert shown["column_values"] == "0, 1, 2" and "9 cells × 2 steps" in shown["extent"]
    axes = ("style_weight", shown["row_values"], "seed", "7, 8")
    again = refresh(sheet, Session(), given(axes=axes, style_weight=1e4))
    assert "column_values" not in again and "6 cells × 2 steps" in again["extent"]
    assert parse_axis("style_weight", again["row_values"], PRESETS["luo"].config).values == (1e3, 1e4, 1e5)


def test_settings_that_the_page_restored_are_the_base():
    session = Session()
    session.base = PRESETS["luo"].config.changed(averaging=0.5)
    assert Choice.of(given()).base(session).averaging == 0.5


# Painting


def test_a_sheet_grows_and_ends_with_a_file_of_all_records(narrow_weights, uploads, every_moment):
    views = [values_of(view) for view in paint(Sheet(), Session(), given(*uploads))]
    grids = [view["grid"] for view in views if "grid" in view]
    assert [sum(map(sum, done_cells(grid))) for grid in grids] == sorted(sum(map(sum, done_cells(g))) for g in grids)
    assert done_cells(grids[0]) == [[False] * 2] * 2 and done_cells(grids[-1]) == [[True] * 2] * 2
    assert grids[0]["rows"][0][0]["picture"].startswith("data:image/jpeg;base64,")
    assert grids[-1]["sides"] == ["β 1e4", "β 1e5"] and grids[-1]["heads"] == ["Seed 0", "Seed 1"]
    assert "Cell 2 of 4 · β 1e4 · Seed 1 · step 1 of 2" in "".join(view["status"] for view in views)
    assert "Done: 4 of 4 cells in" in views[-1]["status"]
    records = read_sheet(views[-1]["download"])
    assert [(record.config.style_weight, record.config.seed) for record in records] == [
        (1e4, 0),
        (1e4, 1),
        (1e5, 0),
        (1e5, 1),
    ]
    assert all(record.config.size == 48 and record.steps == 2 for record in records)


def test_stop_keeps_finished_cells(narrow_weights, uploads, every_moment):
    sheet, shown = Sheet(), []
    for view in paint(sheet, Session(), given(*uploads)):
        shown.append(values_of(view))
        if "Cell 2 of 4" in shown[-1].get("status", "") and "step 1" in shown[-1]["status"]:
            sheet.steering.stop.set()
    assert "Stopped: 1 of 4 cells" in shown[-1]["status"]
    assert done_cells(shown[-1]["grid"]) == [[True, True], [False, False]]
    assert shown[-1]["grid"]["rows"][0][1]["note"] == "stopped at step 1"
    assert len(read_sheet(shown[-1]["download"])) == 2 and set(sheet.cells) == {(0, 0), (0, 1)}
    assert sheet.running is False


def test_a_stop_before_the_first_step_says_that_there_is_nothing(narrow_weights, uploads):
    sheet = Sheet()
    sheet.steering.stop.set()
    views = list(paint(sheet, Session(), given(*uploads)))
    assert "No cell was painted" in views[-1]["status"] and "grid" not in views[-1]


def test_a_missing_picture_is_named_and_the_last_sheet_stays(narrow_weights, uploads, toasts):
    sheet = Sheet()
    list(paint(sheet, Session(), given(*uploads)))
    before = sheet.cells
    views = list(paint(sheet, Session(), given(None, uploads[1])))
    assert toasts == ["there is no content picture; drop one or click an example"]
    assert "grid" not in views[-1] and sheet.cells is before


def test_what_ends_a_sheet_early_leaves_the_finished_cells(narrow_weights, uploads, monkeypatch, toasts):
    paint_sheet = sheet_painting.paint_sheet

    def failing(*args, **more):
        for progress in paint_sheet(*args, **more):
            if progress.index == 1:
                raise ConfigError("the machine is too small")
            yield progress

    monkeypatch.setattr(sheet_painting, "paint_sheet", failing)
    sheet = Sheet()
    last = values_of(list(paint(sheet, Session(), given(*uploads)))[-1])
    assert toasts == ["the machine is too small"] and toasts[0] in last["status"]
    assert set(sheet.cells) == {(0, 0)} and len(read_sheet(last["download"])) == 1


def test_several_styles_blend_in_every_cell(narrow_weights, uploads):
    page = given(*uploads, style_2=uploads[0], share_1=0.25, share_2=0.5)
    last = values_of(list(paint(Sheet(), Session(), page))[-1])
    assert [record.config.blend for record in read_sheet(last["download"])] == [(0.25, 0.5)] * 4


def test_a_sheet_is_painted_by_the_devices_thread(narrow_weights, uploads, monkeypatch):
    threads, paint_sheet = set(), sheet_painting.paint_sheet

    def watched(*args, **more):
        for progress in paint_sheet(*args, **more):
            threads.add(threading.current_thread().name)
            yield progress

    monkeypatch.setattr(sheet_painting, "paint_sheet", watched)
    list(paint(Sheet(), Session(), given(*uploads)))
    assert threads == {DEVICES.submit(threading.current_thread).result().name}


# Clicking a cell


@pytest.mark.parametrize("place", [(0, 0), (1, 1)])
def test_a_clicked_cells_settings_are_its_configs_at_the_pages_size_and_steps(narrow_weights, uploads, place):
    sheet, session, page = Sheet(), Session(), given(*uploads)
    list(paint(sheet, session, page))
    shown = take(sheet, session, place)
    cell = sheet.cells[place]
    assert cell.label in shown["sheet_status"] and session.base == cell.config
    wanted = controls_of(cell.config)
    assert {name: shown[name] for name in CONTROLS if name in shown} == {
        name: value for name, value in wanted.items() if name not in ("size", "steps")
    }
    large = config_of(session.base, page | shown)
    assert large == dataclasses.replace(cell.config, size=page["size"], steps=page["steps"])


def test_a_size_that_the_sheet_varies_is_taken_too(narrow_weights, uploads):
    sheet = Sheet()
    axes = ("size", "32, 48", NOTHING, "")
    list(paint(sheet, Session(), given(*uploads, axes=axes)))
    shown = take(sheet, Session(), (0, 0))
    assert shown["size"] == 32 and "steps" not in shown


def test_a_cell_that_is_not_painted_changes_nothing():
    session = Session()
    assert take(Sheet(), session, (0, 0)) == {} and session.base is None


# Pages


def test_two_pages_never_share_a_sheet():
    sheet = Sheet()
    other = copy.deepcopy(sheet)
    other.steering.stop.set()
    other.cells[0, 0] = None
    assert not sheet.steering.stop.is_set() and not sheet.cells


def test_a_closed_page_stops_its_own_sheet_only():
    sheets = {name: Sheet() for name in ("mine", "other")}
    Sheet.open.update(sheets)
    Sheet.leave_page(SimpleNamespace(session_hash="mine"))
    Sheet.leave_page(SimpleNamespace(session_hash="nobody"))
    assert sheets["mine"].steering.stop.is_set() and not sheets["other"].steering.stop.is_set()
