import itertools

import pytest

from nst_core.images import MIN_SIDE, SIZE_RULES
from nst_core.transfer.config import SETTINGS, StyleTransferConfig
from nst_core.transfer.ladder import (
    COLUMNS_STEP,
    LAYERS_STEP,
    RATIO,
    SEARCH,
    STEP_COST,
    Scale,
    ladder,
    photos_share,
    work_until,
)
from tests.every import every

PHOTO, PAINTING = (600, 800), (500, 400)  # (height, width)


def rungs(content=PHOTO, styles=(PAINTING,), **settings):
    return ladder(StyleTransferConfig(**settings), content, styles)


def sizes(*given, **settings) -> list[int]:
    return [scale.size for scale in rungs(*given, **settings)]


def steps(*given, **settings) -> list[int]:
    return [scale.steps for scale in rungs(*given, **settings)]


def test_without_a_smallest_scale_there_is_one():
    for size in (16, 100, 512, 4096):
        assert [(scale.size, scale.steps) for scale in rungs(size=size, steps=7)] == [(size, 7)]


@every(count=[1, 2, 3, 4, 5, 6, 7, 10, 99, 100, 333, 1001, 100_000], falloff=[0.0, 0.5, 1.0, 2.0, 3.0])
def test_the_steps_of_all_scales_add_up(count, falloff):
    for smallest, size in itertools.product((0, 16, 64, 100, 128), (64, 181, 256, 512, 1000)):
        given = steps(steps=count, smallest_scale=smallest, size=size, scale_falloff=falloff)
        assert sum(given) == count and min(given) >= 1


@pytest.mark.parametrize("rule", SETTINGS["size_rule"].choices)
def test_sizes_grow_by_the_root_of_two_to_the_full_one(rule):
    for smallest, size in ((128, 512), (64, 500), (100, 1024), (40, 97)):
        found = sizes(smallest_scale=smallest, size=size, size_rule=rule)
        assert found[-1] == size and found == sorted(set(found))
        assert found == pytest.approx([size / RATIO**i for i in range(len(found))][::-1], abs=0.5)
        assert found[0] >= smallest > round(size / RATIO ** len(found))  # none is left out


def test_the_ladder_of_the_field():
    assert sizes(smallest_scale=128, size=512) == [128, 181, 256, 362, 512]


def test_a_smallest_scale_of_the_full_size_or_above_changes_nothing():
    for smallest in (512, 513, 4096):
        assert sizes(smallest_scale=smallest, size=512) == [512]


@every(
    style_scale=[0.5, 1.0, 3.0],
    style=[(500, 400), (90, 1500), (1500, 90)],
    content=[(600, 800), (100, 1600), (1600, 100), (40, 41)],
    rule=SETTINGS["size_rule"].choices,
)
def test_no_scale_but_the_last_makes_a_picture_too_thin(rule, content, style, style_scale):
    found = sizes(content, (style,), smallest_scale=16, size=512, size_rule=rule, style_scale=style_scale)
    for size in found[:-1]:
        assert min(SIZE_RULES[rule](*content, size)) >= MIN_SIDE
        assert min(SIZE_RULES[rule](*style, round(size * style_scale))) >= MIN_SIDE
    assert found[-1] == 512


def test_every_style_picture_counts():
    thin = (60, 600)
    assert sizes(PHOTO, (PAINTING, thin), smallest_scale=16) == sizes(PHOTO, (thin,), smallest_scale=16)
    assert len(sizes(PHOTO, (thin,), smallest_scale=16)) < len(sizes(PHOTO, (PAINTING,), smallest_scale=16))


def test_fewer_steps_than_scales_leave_the_coarsest_out():
    assert sizes(smallest_scale=128, size=512, steps=2) == [362, 512]
    assert steps(smallest_scale=128, size=512, steps=2) == [1, 1]


def test_without_falloff_scales_get_equal_steps():
    assert steps(smallest_scale=128, size=512, steps=500) == [100] * 5


@pytest.mark.parametrize("falloff", [0.5, 1.0, 2.0, 3.0])
def test_falloff_gives_the_coarser_scales_more(falloff):
    found = rungs(smallest_scale=128, size=512, steps=1005, scale_falloff=falloff)
    assert all(coarse.steps > fine.steps for coarse, fine in itertools.pairwise(found))
    for coarse, fine in itertools.pairwise(found):
        expected = (fine.size / coarse.size) ** falloff
        assert (coarse.steps - 1) / (fine.steps - 1) == pytest.approx(expected, rel=2 / (fine.steps - 1))


def test_work_counts_pixels_and_what_every_step_costs():
    scales = [Scale(128, 10), Scale(512, 20)]
    assert work_until(scales, 0) == 0
    assert work_until(scales, 10) == pytest.approx(10 * (STEP_COST + 1 / 16))
    assert work_until(scales, 15) - work_until(scales, 10) == pytest.approx(5 * (STEP_COST + 1))


def test_work_by_columns_counts_a_search_a_scale_and_what_is_looked_at():
    scales = [Scale(256, 10, columns=True), Scale(512, 4, columns=True), Scale(512, 3)]
    works = [work_until(scales, step) for step in (0, 10, 14, 17)]
    made = [after - before for before, after in itertools.pairwise(works)]
    small, whole = 1 / 4, 1 + STEP_COST
    assert made == pytest.approx(
        [
            SEARCH * small + 10 * COLUMNS_STEP * (STEP_COST + small),
            SEARCH + 4 * COLUMNS_STEP * whole,
            SEARCH + 3 * LAYERS_STEP * whole,
        ]
    )


def test_the_photos_share_is_told_where_something_is_looked_for():
    config = StyleTransferConfig(content_weight=3.0, style_weight=1.0, column_share=0.5)
    assert photos_share(config) == 0.75
    assert photos_share(config.changed(column_share=0.0)) is None


@every(share=[0.1, 0.5, 0.9, 1.0], count=[1, 2, 7, 100], smallest=[0, 64])
def test_what_is_not_painted_by_columns_comes_last_at_the_full_size(share, count, smallest):
    scales = rungs(size=256, smallest_scale=smallest, steps=count, column_share=share)
    by_columns = [scale for scale in scales if scale.columns]
    made = sum(scale.steps for scale in by_columns)
    assert made == max(1, round(share * count)) and by_columns[-1].size == 256
    rest = [Scale(256, count - made)] if made < count else []
    assert scales == [*by_columns, *rest]
