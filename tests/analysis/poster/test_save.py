"""What is kept of a figure: the page to print and the folder of parts."""

import csv
import dataclasses
import functools
import json
import math
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image, ImageChops

from nst_core import images
from nst_core.analysis.figure import Chart, Figure, Moment, Part, Table
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.options import size_option, steps_option
from nst_core.analysis.poster.lettering import Lettering
from nst_core.analysis.poster.save import (
    DPI,
    INDEX,
    PART_KEY,
    POSTER_KEY,
    PRINT_WIDTH,
    parts_zip,
    poster,
    read_poster,
    save_parts,
    save_poster,
    unique,
)
from nst_core.errors import ImageError, OutputError
from nst_core.transfer.record import read_record
from nst_core.transfer.stylize import stylize
from tests.runs import CPU, small

FIGURE = Figure(
    name="grid",
    title="A figure",
    see="What one sees. " * 20,
    equation="L = ½ Σᵢⱼ (Fᵢⱼ − Pᵢⱼ)²\nα/β",
    source="Gatys et al. (2016)",
    question=FIGURES["grid"].question,
    options=(size_option(160), steps_option(10), dataclasses.replace(FIGURES["grid"].options[1])),
    pictures=("content",),
    make=lambda *_: iter(()),
)
SETTINGS = {"size": 160, "steps": 3, "ratios": (1e-5, 0.01)}
RED, GREEN, BLUE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def flat(color, height: int = 60, width: int = 80) -> torch.Tensor:
    return torch.tensor(color).view(1, 3, 1, 1).expand(1, 3, height, width)


@pytest.fixture(scope="module")
def painted(random_weights_folder) -> Part:
    """A painting as a part of a figure."""
    generator = torch.Generator().manual_seed(1)
    pair = torch.rand(1, 3, 48, 64, generator=generator), torch.rand(1, 3, 40, 40, generator=generator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NST_WEIGHTS", str(random_weights_folder))
        run = stylize(*pair, small(), compute=CPU)
        *_, last = run
    return Part(0, 1, "A–C, α/β 1e-3", last.image, "0.1 s", True, run.record())


@pytest.fixture
def moment(painted) -> Moment:
    return Moment(
        ("upper", "lower"),
        ("left", "right"),
        (
            Part(0, 0, "the picture", flat(RED), "a caption\nof two lines", True, facts={"x": 1, "odd": math.nan}),
            painted,
            Part(1, 0, "the picture", flat(BLUE, 30, 200), done=True, facts={"size": (3, 4), "far": math.inf}),
            Part(1, 1, "not there yet", None),
        ),
        (Chart("loss, of a blank picture's", "step", {"a": [(0, 4.0), (3, 0.5)], "b": []}),),
        (Table("What", ("name", "β"), (("a", "½"),), ("a",)),),
        findings=("The first finding.", "The second."),
        notes=("Something is missing.",),
    )


def box(picture: Image.Image, color) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the pixels that have a colour."""
    bands = [
        band.point([255 * (abs(level - 255 * value) <= 7) for level in range(256)])
        for band, value in zip(picture.split(), color, strict=True)
    ]
    return functools.reduce(ImageChops.darker, bands).getbbox()


def differ(one: Image.Image, other: Image.Image) -> bool:
    return one.size != other.size or ImageChops.difference(one, other).getbbox() is not None


# The poster


@pytest.mark.parametrize("lettering", [None, Lettering()], ids=["best", "own"])
def test_a_poster_is_as_wide_as_paper_and_its_margins_are_empty(moment, lettering):
    paper = poster(FIGURE, SETTINGS, moment, lettering=lettering)
    assert paper.mode == "RGB" and paper.width == PRINT_WIDTH
    pixels = np.asarray(paper)
    for edge in (pixels[:100], pixels[-100:], pixels[:, :100], pixels[:, -100:]):
        assert (edge == 255).all()
    assert (pixels < 100).all(-1).any()


def test_parts_stand_in_their_places_and_keep_their_shapes(moment):
    moment = dataclasses.replace(
        moment,
        parts=(*moment.parts[:3:2], Part(1, 1, "new", flat(GREEN, 60, 30)), Part(0, 1, "new", flat((1.0, 1.0, 0.0)))),
        charts=(),
    )
    paper = poster(FIGURE, SETTINGS, moment)
    red, blue, green, yellow = (box(paper, color) for color in (RED, BLUE, GREEN, (1.0, 1.0, 0.0)))
    assert red[0] == blue[0] < yellow[0] < green[0] and yellow[1] == red[1] < red[3] < green[1]
    assert green[3] == blue[3]  # they stand on one line
    for (left, top, right, bottom), shape in ((red, 80 / 60), (blue, 200 / 30), (green, 30 / 60)):
        assert (right - left) / (bottom - top) == pytest.approx(shape, rel=0.03)
    assert red[2] - red[0] == pytest.approx(blue[2] - blue[0], abs=4)  # columns are equally wide


def test_everything_said_is_on_the_poster(moment):
    """Leaving any of it out changes the picture."""
    whole = poster(FIGURE, SETTINGS, moment)
    bare = {name: getattr(FIGURE, name)[:1] for name in ("title", "see", "equation", "source")}
    others = [poster(dataclasses.replace(FIGURE, **{name: text}), SETTINGS, moment) for name, text in bare.items()]
    for name in ("rows", "columns", "parts", "charts", "tables", "findings", "notes"):
        less = dataclasses.replace(moment, **{name: getattr(moment, name)[1:]})
        others.append(poster(FIGURE, SETTINGS, less))
    uncaptioned = tuple(dataclasses.replace(part, caption="") for part in moment.parts)
    others.append(poster(FIGURE, SETTINGS, dataclasses.replace(moment, parts=uncaptioned)))
    others.append(poster(FIGURE, SETTINGS | {"ratios": (0.5,)}, moment))
    assert all(differ(other, whole) for other in others)


def test_a_figure_that_has_only_begun_has_a_poster():
    empty = Moment((), (), ())
    assert poster(FIGURE, SETTINGS, empty).width == PRINT_WIDTH
    waiting = Moment(("",), ("content",), (Part(0, 0, "content", None),))
    assert poster(FIGURE, SETTINGS, waiting).height > poster(FIGURE, SETTINGS, empty).height + 300


@pytest.mark.parametrize("columns", [1, 2, 8])
@pytest.mark.parametrize("shape", [(16, 400), (400, 16), (64, 64)])
def test_no_picture_overlaps_its_neighbour_or_leaves_the_page(columns, shape):
    heads = tuple(f"a head of many words and one_of_very_many_letters_{number}" for number in range(columns))
    colors = [torch.rand(3, generator=torch.Generator().manual_seed(number)) for number in range(columns)]
    parts = tuple(Part(0, n, heads[n], flat(colors[n].tolist(), *shape), heads[n]) for n in range(columns))
    paper = poster(FIGURE, SETTINGS, Moment(("a row of a very long name " * 3,), heads, parts))
    pixels = np.asarray(paper)
    assert (pixels[:, :100] == 255).all() and (pixels[:, -100:] == 255).all()
    boxes = [box(paper, color.tolist()) for color in colors]
    assert all(one[2] < other[0] for one, other in zip(boxes, boxes[1:], strict=False))


def test_a_saved_poster_is_of_print_size_and_remembers_its_figure(moment, painted, tmp_path):
    path = tmp_path / "poster.png"
    save_poster(FIGURE, SETTINGS, moment, path)
    with Image.open(path) as picture:
        assert picture.format == "PNG" and picture.info["dpi"] == pytest.approx((DPI, DPI), abs=0.1)
        assert not differ(picture, poster(FIGURE, SETTINGS, moment))
    assert read_poster(path) == ("grid", SETTINGS)
    assert FIGURE.settings(read_poster(path)[1]) == SETTINGS
    values = json.loads(images.read_text(path)[POSTER_KEY])
    assert values["findings"] == list(moment.findings)
    assert [part["record"] for part in values["parts"] if part["record"]] == [json.loads(painted.record.to_json())]


def test_a_poster_that_cannot_be_written_leaves_nothing(moment, tmp_path):
    with pytest.raises(OutputError, match="poster.png could not be written: its folder does not exist; make it"):
        save_poster(FIGURE, SETTINGS, moment, tmp_path / "nowhere" / "poster.png")
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(OutputError, match="taken.png is a folder; name a file in it"):
        save_poster(FIGURE, SETTINGS, moment, tmp_path / "taken.png")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.png"]


@pytest.mark.parametrize("save", [save_poster, parts_zip])
def test_a_full_disk_leaves_the_old_one_whole(moment, tmp_path, full_disk, save):
    (tmp_path / "kept").write_bytes(b"old")
    with pytest.raises(OutputError, match="could not be written: the disk is full; make room"):
        save(FIGURE, SETTINGS, moment, tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"] and (tmp_path / "kept").read_bytes() == b"old"


def test_a_picture_that_is_no_poster_is_refused(painted, tmp_path):
    images.save_png(painted.image, tmp_path / "plain.png")
    with pytest.raises(ImageError, match="plain.png carries no figure"):
        read_poster(tmp_path / "plain.png")
    for text in ("[", "3", "{}", '{"figure": 3, "settings": {}}', '{"figure": "grid", "settings": 3}', "[" * 100_000):
        images.save_png(painted.image, tmp_path / "bad.png", {POSTER_KEY: text})
        with pytest.raises(ImageError, match="damaged"):
            read_poster(tmp_path / "bad.png")


# Its parts


def test_every_part_is_a_file_of_its_own_size(moment, tmp_path):
    files = save_parts(FIGURE, SETTINGS, moment, tmp_path / "parts")
    assert [path.name for path in files] == [
        "1-1-the-picture.png",
        "1-2-a-c-alpha-beta-1e-3.png",
        "2-1-the-picture.png",
        "chart-loss-of-a-blank-picture-s.csv",
        INDEX,
    ]
    assert set((tmp_path / "parts").iterdir()) == set(files)
    for path, part in zip(files[:3], moment.parts, strict=False):
        torch.testing.assert_close(images.load(path), part.image.clamp(0, 1), atol=0.51 / 255, rtol=0)


def test_a_painting_among_the_parts_is_a_painting_like_any_other(moment, painted, tmp_path):
    _, path, *_ = save_parts(FIGURE, SETTINGS, moment, tmp_path)
    assert read_record(path) == painted.record


def test_a_part_that_is_no_painting_says_what_it_shows(moment, tmp_path):
    path, *_ = save_parts(FIGURE, SETTINGS, moment, tmp_path)
    values = json.loads(images.read_text(path)[PART_KEY])
    assert (values["figure"], values["label"], values["facts"]) == ("grid", "the picture", {"x": 1, "odd": None})
    with pytest.raises(ImageError, match="carries no record"):
        read_record(path)


def test_the_index_holds_all_that_is_known(moment, painted, tmp_path):
    *_, path = save_parts(FIGURE, SETTINGS, moment, tmp_path)
    values = json.loads(path.read_text(encoding="utf-8"))
    assert (values["figure"], values["title"]) == ("grid", FIGURE.title)
    assert FIGURE.settings(values["settings"]) == SETTINGS
    assert (values["rows"], values["columns"]) == (["upper", "lower"], ["left", "right"])
    for name in ("findings", "notes"):
        assert values[name] == list(getattr(moment, name))
    assert values["tables"][0]["rows"] == [["a", "½"]]
    assert values["charts"][0]["lines"] == {"a": [[0, 4.0], [3, 0.5]], "b": []}
    assert all((tmp_path / entry["file"]).is_file() for entry in (*values["parts"], *values["charts"]))
    assert [part["caption"] for part in values["parts"]] == ["a caption\nof two lines", "0.1 s", ""]
    assert values["parts"][1]["record"]["config"] == json.loads(painted.record.to_json())["config"]


def test_a_chart_is_a_table_of_its_points(moment, tmp_path):
    path = save_parts(FIGURE, SETTINGS, moment, tmp_path)[-2]
    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["line", "step", "loss, of a blank picture's"],
            ["a", "0", "4.0"],
            ["a", "3", "0.5"],
        ]


def test_file_names_are_safe_and_differ():
    names = unique(["../../etc/passwd", "a", "A!", "海", "", "x" * 300, "x" * 301, "con: *?<>|\\"])
    assert len(names) == len({name.lower() for name in names}) == 8
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-") and 0 < len(name) < 70 for name in names)


def test_a_folder_that_cannot_be_written_is_said(moment, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file cannot be made: a file is in its place; write elsewhere"):
        save_parts(FIGURE, SETTINGS, moment, tmp_path / "file")
    (tmp_path / "folder" / INDEX).mkdir(parents=True)
    with pytest.raises(OutputError, match="figure.json is a folder"):
        save_parts(FIGURE, SETTINGS, moment, tmp_path / "folder")


def test_the_zip_holds_what_the_folder_holds(moment, tmp_path):
    files = save_parts(FIGURE, SETTINGS, moment, tmp_path / "parts")
    parts_zip(FIGURE, SETTINGS, moment, tmp_path / "parts.zip")
    with zipfile.ZipFile(tmp_path / "parts.zip") as packed:
        assert packed.testzip() is None
        assert {name: packed.read(name) for name in packed.namelist()} == {
            f"grid/{path.name}": path.read_bytes() for path in files
        }
    with pytest.raises(OutputError, match="parts.zip could not be written"):
        parts_zip(FIGURE, SETTINGS, moment, tmp_path / "nowhere" / "parts.zip")
