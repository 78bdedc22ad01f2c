"""A sheet of variations as a picture: every painting in its place, labelled in the page's language."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from nst_core import images
from nst_core.analysis.poster.language import Language
from nst_core.analysis.poster.placed import lines_on
from nst_core.analysis.poster.sheet import LIGHT_GREY, compose_sheet
from nst_core.errors import ConfigError
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.sheet import CELL_SIDES
from nst_core.transfer.variations import MAX_VALUES, PRESET, Axis, cells, paint_sheet
from nst_core.ui.studio.page_language import language_named
from tests.transfer import test_sheet as saved
from tests.transfer.test_variations import BETAS, CPU, SEEDS, small

painted = saved.painted  # the results of BETAS × SEEDS


@pytest.mark.parametrize("side", [CELL_SIDES[0], 96, 128])
def test_the_sheets_size_follows_its_cells(painted, side):
    sheet = compose_sheet(painted, BETAS, SEEDS, side)
    assert sheet.mode == "RGB"
    one = compose_sheet([painted[0]], Axis(BETAS.name, BETAS.values[:1]), Axis(SEEDS.name, SEEDS.values[:1]), side)
    wider = compose_sheet([painted[0]], Axis(BETAS.name, BETAS.values[:1]), Axis(SEEDS.name, SEEDS.values[:2]), side)
    higher = compose_sheet([painted[0]], BETAS, Axis(SEEDS.name, SEEDS.values[:1]), side)
    cell_width, cell_height = wider.width - one.width, higher.height - one.height
    assert side <= cell_width <= side + 12 and side * 3 // 4 <= cell_height <= side * 3 // 4 + 12
    assert sheet.size == (one.width + 2 * cell_width, one.height + cell_height)


def test_every_painting_stands_in_its_place(painted):
    side, found = 64, {}
    sheet = np.asarray(compose_sheet(painted, BETAS, SEEDS, side)).astype(int)
    for result in painted:
        picture = images.to_pil(result.image).resize((side, side * 3 // 4), Image.Resampling.LANCZOS)
        wanted = np.asarray(picture).astype(int)
        height, width = wanted.shape[:2]
        for y in range(sheet.shape[0] - height + 1):
            for x in range(sheet.shape[1] - width + 1):
                if (sheet[y, x] == wanted[0, 0]).all() and (sheet[y : y + height, x : x + width] == wanted).all():
                    found[result.cell.row, result.cell.column] = (x, y)
    assert len(found) == 6
    for (row, column), (x, y) in found.items():
        assert x == found[0, column][0] and y == found[row, 0][1]
    assert found[0, 0][0] < found[0, 1][0] < found[0, 2][0] and found[0, 0][1] < found[1, 0][1]


def grey_share(sheet: Image.Image) -> float:
    return (np.asarray(sheet) == LIGHT_GREY).all(-1).mean()


def test_missing_cells_are_light_grey_and_the_sheet_keeps_its_size(painted):
    full, half, empty = (compose_sheet(some, BETAS, SEEDS, 96) for some in (painted, painted[:3], []))
    assert full.size == half.size
    assert grey_share(full) < 0.001 < grey_share(half) < 0.5 < grey_share(empty)
    np.testing.assert_array_equal(np.asarray(full)[: half.height // 3], np.asarray(half)[: half.height // 3])


def test_labels_are_written_and_each_is_another(painted):
    other = Axis("seed", (7, 8, 9))
    mine = compose_sheet([], BETAS, SEEDS, 96)
    theirs = compose_sheet([], BETAS, other, 96)
    assert mine.size == theirs.size and mine.tobytes() != theirs.tobytes()
    assert (np.asarray(mine) < 100).all(-1).any()


@pytest.mark.parametrize("name", ["de", "fr"])
def test_labels_and_what_was_stopped_are_said_in_the_page_s_language(painted, name):
    rows, columns = Axis("style_loss", ("gram",)), Axis("style_scale", (0.5, 1.5))
    stopped = dataclasses.replace(painted[0].record, steps=7, stopped=True)
    cell = cells(small(), rows, columns)[0]
    result = dataclasses.replace(painted[0], cell=cell, record=stopped)
    language = language_named(name)
    words = " ".join(line.text for line in lines_on(compose_sheet([result], rows, columns, 512, language)))
    english = " ".join(line.text for line in lines_on(compose_sheet([result], rows, columns, 512)))
    for text in (*rows.labels, *columns.labels, "stopped at step 7"):
        assert text in english and language.say(text) in words and language.say(text) != text


def test_a_sheet_is_english_where_no_font_has_the_language_s_letters(monkeypatch):
    monkeypatch.setattr("nst_core.analysis.poster.language.lettering_for", lambda name: None)
    sheet = compose_sheet([], BETAS, None, 96, Language("zh", lambda text: "内容"))
    assert [line.text for line in lines_on(sheet) if line.text] == [*BETAS.labels]


@pytest.mark.parametrize("side", [CELL_SIDES[0], 200])
def test_long_labels_are_wrapped_not_cut(side):
    """Nothing black touches the sheet's border, nor a cell."""
    layers = tuple(StyleTransferConfig().style_layers)
    rows, columns = Axis(PRESET, tuple(PRESETS)[:MAX_VALUES]), Axis("style_layers", (layers, layers[:1]))
    sheet = np.asarray(compose_sheet([], rows, columns, side))
    for edge in (sheet[0], sheet[-1], sheet[:, 0], sheet[:, -1]):
        assert (edge == 255).all() or (edge == np.array(LIGHT_GREY)).all(-1).any()
        assert (edge > 200).all()


def test_paintings_of_other_sizes_share_equal_cells(narrow_weights, pictures):
    sizes = Axis("size", (32, 64))
    results = list(paint_sheet(*pictures, cells(small(), sizes), CPU))[-1].results
    assert [images.size_of(result.image) for result in results] == [(24, 32), (48, 64)]
    sheet = compose_sheet(results, sizes, cell_side=96)
    assert sheet.height >= 2 * 72 and grey_share(sheet) < 0.001


@pytest.mark.parametrize("shape", [(32, 64), (64, 32)])
def test_a_painting_of_another_shape_stands_in_the_middle_of_its_cell(painted, shape):
    red, blue = (torch.tensor(colour).view(1, 3, 1, 1) for colour in ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)))
    square = dataclasses.replace(painted[0], image=red.expand(1, 3, 64, 64))
    other = dataclasses.replace(painted[4], image=blue.expand(1, 3, *shape))  # row 1, column 1
    below = dataclasses.replace(painted[3], image=red.expand(1, 3, 64, 64))  # row 1, column 0
    beside = dataclasses.replace(painted[1], image=red.expand(1, 3, 64, 64))  # row 0, column 1
    sheet = np.asarray(compose_sheet([square, other, below, beside], BETAS, SEEDS, 64))
    ys, xs = np.nonzero((sheet == (0, 0, 255)).all(-1))
    reds = (sheet == (255, 0, 0)).all(-1)
    top_margin, left_margin = (64 - shape[0]) // 2, (64 - shape[1]) // 2
    left_ys, above_xs = np.nonzero(reds[:, : xs.min() - 40])[0], np.nonzero(reds[: ys.min() - 40])[1]
    assert (np.ptp(ys) + 1, np.ptp(xs) + 1) == shape
    assert (ys.min() + ys.max()) == left_ys[left_ys >= ys.min() - top_margin].min() + left_ys.max()
    assert (xs.min() + xs.max()) == above_xs[above_xs >= xs.min() - left_margin].min() + above_xs.max()


def test_an_unfinished_cell_says_so_in_the_sheet(painted):
    first = painted[0]
    stopped = dataclasses.replace(first, record=dataclasses.replace(first.record, steps=1, stopped=True))
    mine, theirs = (np.asarray(compose_sheet([some], BETAS, SEEDS, 96)).astype(int) for some in (first, stopped))
    assert (mine != theirs).any()


def test_results_of_another_sheet_are_refused(painted):
    for rows, columns in ((SEEDS, BETAS), (BETAS, None), (BETAS, Axis("seed", (5, 6, 7)))):
        with pytest.raises(ValueError, match="not of these rows and columns"):
            compose_sheet(painted, rows, columns, 64)


@pytest.mark.parametrize("side", [CELL_SIDES[0] - 1, CELL_SIDES[1] + 1, 100.0, "100", True, float("nan")])
def test_a_cell_side_out_of_range_is_refused(side):
    with pytest.raises(ConfigError, match="cell_side is .*; give a whole number from 64 to 512"):
        compose_sheet([], BETAS, SEEDS, side)
