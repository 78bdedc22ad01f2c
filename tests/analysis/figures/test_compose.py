import re
import time

import pytest
import torch

from nst_core import images
from nst_core.analysis.figure import FigureMaterial
from nst_core.analysis.figures import compose
from nst_core.analysis.figures.compose import COLUMNS, FIGURE, seam
from nst_core.errors import ConfigError, ImageError
from nst_core.transfer.presets import PRESETS
from tests.runs import CPU

QUICK = {"preset": "lab", "size": 32, "steps": 3}


def cutout(height=20, width=12) -> torch.Tensor:
    """Dark, opaque."""
    return torch.cat([torch.full((1, 3, height, width), 0.1), torch.ones(1, 1, height, width)], 1)


@pytest.fixture
def material(pictures) -> FigureMaterial:
    """A light background of 48×64, a style and a cut-out."""
    content, style = pictures
    return FigureMaterial(contents=(0.7 + 0.2 * content,), styles=(style,), cutout=cutout())


def made(material, **given) -> list:
    """All moments."""
    return list(FIGURE.make(material, FIGURE.settings(QUICK | given), CPU))


def test_the_figure_has_four_columns_and_both_paintings_are_made_alike(material):
    moments = made(material)
    last = moments[-1]
    assert last.columns == COLUMNS and last.share == 1 and all(part.done for part in last.parts)
    assert [(part.row, part.column) for part in last.parts] == [(0, 0), (0, 1), (0, 2), (0, 3)]
    pasted, blended, *painted = last.parts
    assert images.size_of(pasted.image) == images.size_of(blended.image) == (48, 64)
    assert (blended.image.mean() > pasted.image.mean()) and pasted.record is None and blended.record is None
    configs = [part.config for part in painted]
    assert configs[0] == configs[1] and configs[0].steps == 3 and configs[0].size == 32
    assert [part.record.steps for part in painted] == [3, 3]
    assert all(images.size_of(part.image) == (24, 32) for part in painted)
    assert not torch.equal(painted[0].image, painted[1].image)


def test_columns_grow_in_turn_and_time_goes_forward(material):
    moments = made(material)
    shares = [moment.share for moment in moments]
    assert shares == sorted(shares) and shares[0] == 0 and moments[0].parts == ()
    assert [len(moment.parts) for moment in moments] == sorted(len(moment.parts) for moment in moments)
    growing = [part for moment in moments for part in moment.parts if part.column == 2 and not part.done]
    assert [part.record.steps for part in growing] == [0, 1, 2, 3]
    assert moments[-2].text == "painted from the blend: step 3 of 3"


def test_each_painting_starts_from_its_own_composition(material):
    moments = made(material)
    compositions = moments[-1].parts[:2]
    for column, composed in zip((2, 3), compositions, strict=True):
        first = next(part for moment in moments for part in moment.parts if part.column == column)
        torch.testing.assert_close(first.image, images.fit(composed.image, 32))


def test_captions_tell_the_place_and_the_seconds(material):
    pasted, blended, *painted = made(material, x=0.4, scale=0.25, blend="mixed")[-1].parts
    assert "10×16 pixels, 21 from the left and 16 from the top" in pasted.caption
    assert "(mixed)" in blended.caption and blended.caption.endswith(" s")
    assert all(part.caption.startswith("3 steps in ") for part in painted)
    assert blended.facts == {"x": 0.4, "y": 0.5, "scale": 0.25, "blend": "mixed"}


def test_findings_say_what_the_outline_became(material):
    findings = made(material)[-1].findings
    assert len(findings) == 3 and "when it is blended: less than a quarter as much" in findings[0]
    before, after = (float(share) for share in re.findall(r"([\d.]+)%", findings[0]))
    assert 0 < after < before / 4 and "on average" in findings[1]
    assert (
        made(FigureMaterial(contents=material.contents, styles=material.styles, cutout=cutout()))[-1].findings
        == findings
    )


def test_only_the_last_moment_has_findings(material):
    *growing, last = made(material)
    assert last.findings and not any(moment.findings for moment in growing)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_paints_it(material, preset):
    parts = made(material, preset=preset, steps=1, size=48)[-1].parts
    assert len(parts) == 4 and parts[3].config.backbone == "lite"


def test_small_pictures_are_composed_at_their_own_size_and_large_ones_no_smaller_than_painted(material):
    large = FigureMaterial(
        contents=(torch.full((1, 3, 300, 1500), 0.5),), styles=material.styles, cutout=cutout(200, 100)
    )
    for size in (128, 1200):
        plan = compose.CompositionPlan(
            large.content(),
            large.cutout,
            large.style(),
            {"x": 0.5, "y": 0.5, "scale": 0.1, "blend": "normal"},
            PRESETS["lab"].config.changed(size=size),
            CPU,
        )
        assert max(plan.composed_size) == max(size, compose.COMPOSED_SIDE)
        assert images.size_of(plan.placed().plain) == plan.composed_size


# The outline


def test_the_seam_is_the_mean_jump_across_the_outline():
    mask, image = torch.zeros(1, 1, 20, 30), torch.full((1, 3, 20, 30), 0.2)
    mask[..., 5:15, 5:20] = 1
    image[..., 5:15, 5:20] = 0.6
    assert seam(image, mask) == pytest.approx(0.4)
    image[:, 0] = 0.2  # one channel of three no longer jumps
    assert seam(image, mask) == pytest.approx(0.4 * 2 / 3)
    image[..., 8:12, 8:12] = 1  # farther in
    assert seam(image, mask) == pytest.approx(0.4 * 2 / 3)
    assert seam(image, torch.ones_like(mask)) == 0


# What is refused, and when


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"contents": ()}, "no content picture"),
        ({"styles": ()}, "no style picture"),
        ({"cutout": None}, "no cut-out; drop a PNG"),
        ({"cutout": torch.zeros(1, 4, 9, 9)}, "cut-out is empty"),
        ({"cutout": torch.ones(1, 3, 9, 9)}, "came in the shape"),
    ],
)
def test_a_missing_or_useless_picture_is_refused_before_the_first_moment(material, given, words):
    pictures = {"contents": material.contents, "styles": material.styles, "cutout": material.cutout} | given
    with pytest.raises(ImageError, match=words):
        FIGURE.make(FigureMaterial(**pictures), FIGURE.settings(QUICK), CPU)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"x": 0.0}, "beyond the picture by 8 pixels at the left"),
        ({"scale": 1.0}, "larger than the picture with its 64×48"),
        ({"size": 20}, "both sides must be at least"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_moment(material, given, words):
    with pytest.raises(ConfigError, match=words):
        FIGURE.make(material, FIGURE.settings(QUICK | given), CPU)


@pytest.mark.parametrize("given", [{"x": 1.1}, {"scale": 0}, {"blend": "glue"}, {"preset": "none"}, {"glue": 1}])
def test_settings_out_of_range_are_refused(given):
    with pytest.raises(ConfigError):
        FIGURE.settings(QUICK | given)


def test_nothing_long_happens_before_the_first_moment(material, monkeypatch):
    monkeypatch.setattr(compose, "place", lambda *_, **__: time.sleep(60))
    moment = next(FIGURE.make(material, FIGURE.settings(QUICK), CPU))
    assert moment.parts == ()


@pytest.mark.parametrize("after", [1, 2, 4, 8])
def test_closing_it_closes_the_painting(material, monkeypatch, after):
    runs = []

    def watched(*given, **more):
        run = compose_stylize(*given, **more)
        runs.append(run)
        closed, close = [], run.close
        run.close = lambda: (closed.append(True), close())
        run.was_closed = closed
        return run

    compose_stylize = compose.stylize
    monkeypatch.setattr(compose, "stylize", watched)
    moments = FIGURE.make(material, FIGURE.settings(QUICK), CPU)
    for _ in range(after):
        next(moments)
    moments.close()
    assert runs and all(run.was_closed for run in runs)


def test_nothing_given_is_changed(material):
    before = [image.clone() for image in (material.content(), material.style(), material.cutout)]
    made(material)
    after = (material.content(), material.style(), material.cutout)
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
