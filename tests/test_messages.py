"""What is refused is told in short: whatever a user gave, a message repeats little of it."""

import zipfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from nst_core import images
from nst_core.analysis.cutouts.cutout import load_cutout
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.layer_sets import layer_set
from nst_core.analysis.options import layer_named
from nst_core.analysis.poster.save import read_poster
from nst_core.devices import choose_compute
from nst_core.errors import NSTError
from nst_core.features.vgg import check_layers
from nst_core.instant.film_stream import open_video
from nst_core.instant.network import TransformationNetwork
from nst_core.instant.painter import Painter
from nst_core.instant.perceptual import TrainingRecipe
from nst_core.instant.styles import load_styles
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.record import RunRecord, read_record
from nst_core.transfer.sheet import read_sheet
from nst_core.transfer.variations import SETTINGS, Axis, parse_axis
from nst_core.ui.explain.links import read_link
from nst_core.ui.folders.augment import FolderWish
from nst_core.ui.folders.class_folders import unpack
from nst_core.ui.instant.endpoint import _check
from nst_core.ui.studio.controls_and_config import preset_config
from tests.every import every
from tests.instant.test_painter import network_of
from tests.runs import CPU

LONG = "x" * 10_000
BASE = StyleTransferConfig()
MANY = [f"{number:03}" + "x" * 77 for number in range(150)]  # names of styles


def in_a_file(read: Callable[[Path], object]) -> Callable[[Path], object]:
    """Read a file of the longest name that there is; it is none of the kind that is wanted."""

    def of_folder(folder: Path) -> object:
        path = folder / ("x" * 250 + ".png")
        path.write_text("Dear reader")
        return read(path)

    return of_folder


def a_zip(folder: Path, *names: str) -> Path:
    path = folder / ("x" * 250 + ".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    return path


ENTRIES: dict[str, Callable[[Path], object]] = {
    **{f"setting {field.name}": lambda _, name=field.name: BASE.changed(**{name: LONG}) for field in fields(BASE)},
    **{f"axis {name}": lambda _, name=name: parse_axis(name, LONG, BASE) for name in SETTINGS},
    **{f"axis {name} of eight": lambda _, name=name: parse_axis(name, ",".join([LONG] * 8), BASE) for name in SETTINGS},
    **{
        f"figure {figure.name} {option.name}": lambda _, figure=figure, option=option: figure.settings(
            {option.name: LONG}
        )
        for figure in FIGURES.values()
        for option in figure.options
    },
    "an unknown setting": lambda _: StyleTransferConfig.from_dict({LONG: 1}),
    "settings that are none": lambda _: StyleTransferConfig.from_dict(LONG),
    "a preset": lambda _: preset_config(LONG),
    "a network": lambda _: BASE.on(LONG),
    "a layer": lambda _: check_layers("vgg19", [LONG]),
    "an unknown axis": lambda _: Axis(LONG, (1,)),
    "a figure's unknown setting": lambda _: FIGURES["grid"].settings({LONG: 1}),
    "a layer by number": lambda _: layer_named("9" * 10_000),
    "a set of layers": lambda _: layer_set(LONG),
    "a link's figure": lambda _: read_link({"figure": LONG}),
    "a link's example": lambda _: read_link({"figure": "grid", "content": LONG}),
    "a link's setting": lambda _: read_link({"figure": "grid", "backbone": LONG}),
    "the endpoint's style": lambda _: _check("style", LONG, MANY),
    "a style": lambda _: Painter([network_of(*MANY)], CPU).recipe({LONG: 1.0}, 1.0),
    "styles": lambda _: TransformationNetwork([*MANY, *MANY]),
    "a recipe": lambda _: TrainingRecipe(width=LONG),
    "a device": lambda _: choose_compute(LONG),
    "strengths": lambda _: FolderWish(None, "instant", [], None, LONG, 1.0, None).numbers(),
    "a record": lambda _: RunRecord.from_json(LONG),
    "a picture": in_a_file(images.load),
    "a picture that is not there": lambda folder: images.load(folder / LONG),
    "a cut-out": in_a_file(load_cutout),
    "styles of a file": in_a_file(load_styles),
    "a picture's record": in_a_file(read_record),
    "a sheet": in_a_file(read_sheet),
    "a poster": in_a_file(read_poster),
    "a video": in_a_file(open_video),
    "a ZIP": lambda folder: unpack(in_a_file(lambda path: path)(folder), folder / "out"),
    "a ZIP without pictures": lambda folder: unpack(a_zip(folder), folder / "out"),
    "a ZIP that leads out": lambda folder: unpack(a_zip(folder, "../" + LONG), folder / "out"),
    "a ZIP of a long name": lambda folder: unpack(a_zip(folder, f"cat/{LONG}.png"), folder / "out"),
}


@every(entry=ENTRIES)
def test_a_message_repeats_little_of_what_was_given(entry, tmp_path):
    try:
        ENTRIES[entry](tmp_path)
    except NSTError as error:
        text = str(error)
        assert len(text) < 650 and "x" * 81 not in text and "9" * 81 not in text
        assert str(tmp_path) not in text
    else:
        assert entry.startswith("figure"), "it was not refused"  # layers of figures are checked by their network
