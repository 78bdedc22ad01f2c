"""What holds for every figure: its words, what it refuses, how it grows, what can be painted again, what is left."""

import gc
import threading
import weakref

import pytest
import torch

from nst_core.analysis.figure import FigureMaterial, Moment, Part
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.errors import ConfigError, ImageError
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.stylize import stylize
from tests.runs import CPU
from tests.stand_ins import narrowed

LEAST = {
    "content": {"layers": "conv1_1, conv2_1"},
    "style": {"sets": "A, A-B"},
    "start": {"steps": 7},
    "grid": {"sets": "A, A-B", "ratios": "1, 2"},
    "gram": {"layer": "conv2_1", "maps": 4},
    "sheet": {"preset": "lab"},
    "compose": {"preset": "lab"},
    "formula": {"preset": "lab"},
    "step": {},
    "jump": {},
    "position": {"maps": 2},
}
PAINTED = tuple(name for name in FIGURES if name != "classify")  # which needs a network of its own
WITH_RECORDS = tuple(
    name for name in PAINTED if name not in ("step", "position")
)  # whose pictures no run of a preset makes
LAYERED = [
    (name, option.name)
    for name, figure in FIGURES.items()
    for option in figure.options
    if option.name in ("layers", "layer", "sets")
]


def material(pictures) -> FigureMaterial:
    """As much as any figure wants."""
    content, style = pictures
    cutout = torch.cat([torch.full((1, 3, 20, 12), 0.1), torch.ones(1, 1, 20, 12)], 1)
    return FigureMaterial(contents=(content, content.flip(3)), styles=(style, style.flip(2)), cutout=cutout)


def made(name, pictures, **given):
    """A figure's moments."""
    known = {option.name for option in FIGURES[name].options}
    settings = {"size": 32, "steps": 4, **LEAST[name], **given}
    settings = FIGURES[name].settings({option: value for option, value in settings.items() if option in known})
    return FIGURES[name].make(material(pictures), settings, CPU)


@pytest.fixture(scope="module")
def every(random_weights_folder, narrow_weights_folder):
    """Name -> all moments of each figure, made once."""
    generator = torch.Generator().manual_seed(1)
    pictures = torch.rand(1, 3, 48, 64, generator=generator), torch.rand(1, 3, 56, 40, generator=generator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nst_core.analysis.painting.side_by_side.MOMENT_SECONDS", 0)
        patch.setenv("NST_WEIGHTS", str(random_weights_folder))
        moments = {"jump": list(made("jump", pictures))}  # whose decoders are for Lite as it is
        patch.setenv("NST_WEIGHTS", str(narrow_weights_folder))
        with narrowed():
            return moments | {name: list(made(name, pictures)) for name in PAINTED if name != "jump"}


# Its words


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_what_it_is_and_whence(name):
    figure = FIGURES[name]
    assert figure.name == name
    for text in (figure.title, figure.see, figure.equation, figure.source):
        assert text.strip() == text and text
    assert figure.see.endswith(".") and "  " not in figure.see and any(letter.isupper() for letter in figure.source)
    assert set(figure.pictures) <= {"content", "style", "contents", "styles", "cutout"} and figure.pictures
    names, labels = [[getattr(option, of) for option in figure.options] for of in ("name", "label")]
    assert len(set(names)) == len(names) and len(set(labels)) == len(labels)


# What it refuses


@pytest.mark.parametrize("name", FIGURES)
def test_an_unknown_setting_is_refused_with_those_that_are(name):
    with pytest.raises(ConfigError, match="'colour' is no setting of this figure; it has .*size"):
        FIGURES[name].settings({"colour": "red"})


@pytest.mark.parametrize("name, kind", [(name, kind) for name in FIGURES for kind in FIGURES[name].pictures])
def test_a_missing_picture_is_told_before_the_first_moment(narrow_weights, pictures, name, kind):
    whole, figure = material(pictures), FIGURES[name]
    field, nothing = ("cutout", None) if kind == "cutout" else (kind.rstrip("s") + "s", ())
    lacking = FigureMaterial(**{**vars(whole), field: nothing})
    with pytest.raises(ImageError, match=f"no {kind.rstrip('s').replace('cutout', 'cut-out')}"):
        figure.make(lacking, figure.settings({}), CPU)


@pytest.mark.parametrize("place", LAYERED, ids="-".join)
def test_a_layer_that_the_network_lacks_is_told_before_the_first_moment(narrow_weights, pictures, place):
    name, option = place
    with pytest.raises(ConfigError, match="conv5_4.*VGG-19 has.*Lite has conv1_1 … conv5_1"):
        made(name, pictures, **{option: "conv5_4"})


@pytest.mark.parametrize("name", PAINTED)
def test_a_size_that_is_too_small_for_its_pictures_is_told_before_the_first_moment(narrow_weights, pictures, name):
    with pytest.raises(ConfigError, match="both sides must be at least 16"):
        made(name, pictures, size=16)


# How it grows


@pytest.mark.parametrize("name", PAINTED)
def test_the_share_grows_to_1_and_all_parts_are_done_then(every, name):
    shares = [moment.share for moment in every[name]]
    assert shares == sorted(shares) and 0 <= shares[0] < 1 and shares[-1] == 1
    last: Moment = every[name][-1]
    assert last.parts and all(part.done and part.image.isfinite().all() for part in last.parts)
    assert len(every[name]) > 2 and all(moment.text for moment in every[name])


@pytest.mark.parametrize("name", PAINTED)
def test_every_part_has_a_place_of_its_own_and_a_label_of_its_own(every, name):
    for moment in every[name]:
        places = [(part.row, part.column) for part in moment.parts]
        assert len(set(places)) == len(places)
        assert all(0 <= row < len(moment.rows) and 0 <= column < len(moment.columns) for row, column in places)
        told = [part.label for part in moment.parts if part.record]
        assert len(set(told)) == len(told)


@pytest.mark.parametrize("name", PAINTED)
def test_what_is_done_changes_no_more(every, name):
    finished: dict[tuple[int, int], Part] = {}
    for moment in every[name]:
        now = {(part.row, part.column): part for part in moment.parts}
        assert finished.keys() <= now.keys()
        for place, before in finished.items():
            assert now[place].done and torch.equal(now[place].image, before.image)
        finished = {place: part for place, part in now.items() if part.done}


@pytest.mark.parametrize("name", PAINTED)
def test_charts_can_be_drawn_and_tables_are_whole(every, name):
    for moment in every[name]:
        for chart in moment.charts:
            assert chart.title and chart.x
            for line in chart.lines.values():
                assert [x for x, _ in line] == sorted(x for x, _ in line)
                assert not chart.logarithmic or all(y > 0 for _, y in line)
        for table in moment.tables:
            assert all(len(row) == len(table.heads) for row in table.rows)
            assert not table.lines or len(table.lines) == len(table.rows)


# What can be painted again


def painted_from(name: str, part: Part, last: Moment, pictures) -> tuple:
    """The content and style picture of a painting."""
    content, style = pictures
    whole = material(pictures)
    if name in ("content", "style"):
        return (content, content) if name == "content" else (style, style)
    if name == "sheet":
        return whole.contents[part.row - 1], whole.styles[part.column - 1]
    if name == "compose":
        return next(each.image for each in last.parts if each.column == part.column - 2), style
    return content, style


@pytest.mark.parametrize("name", WITH_RECORDS)
def test_a_painting_s_record_paints_it_again(every, figure_weights, pictures, name):
    last = every[name][-1]
    paintings = [part for part in last.parts if part.record]
    assert paintings and all(part.record.steps == part.config.steps and not part.record.stopped for part in paintings)
    for part in paintings[-3:]:
        again = stylize(*painted_from(name, part, last, pictures), part.config, compute=CPU)
        image = [frame.image for frame in again][-1]
        if name in ("style", "grid", "sheet"):  # passed the network together, where sums are in another order
            assert float((image - part.image).abs().mean()) < 1e-3
        else:
            assert torch.equal(image, part.image)


# What is left


@pytest.mark.parametrize("name", PAINTED)
@pytest.mark.parametrize("seen", [1, 4])
def test_a_figure_that_is_left_leaves_nothing(figure_weights, pictures, monkeypatch, name, seen):
    monkeypatch.setattr("nst_core.analysis.painting.side_by_side.MOMENT_SECONDS", 0)
    gc.collect()
    before = sum(type(thing) is StyleTransferObjective for thing in gc.get_objects())
    threads, growing = threading.active_count(), made(name, pictures, steps=8 if name == "step" else 100)
    for _ in range(seen):
        moment = next(growing)
    assert torch.is_grad_enabled()
    images = [weakref.ref(part.image) for part in moment.parts if part.image is not None and not part.done]
    growing.close()
    del growing, moment
    gc.collect()
    assert not [image for image in images if image() is not None]
    assert sum(type(thing) is StyleTransferObjective for thing in gc.get_objects()) == before
    assert threading.active_count() == threads
