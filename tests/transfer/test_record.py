import dataclasses
import json
import random
import time
from collections.abc import Iterator

import pytest
import torch
from PIL import Image

from nst_core import images
from nst_core.errors import ConfigError, ImageError, NSTError, OutputError
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import PACKAGES, TEXT_KEY, RunRecord, read_record, save_result, versions
from nst_core.ui.page.status import done_text
from nst_core.ui.studio.controls_and_config import config_of
from nst_core.ui.studio.preset_menu import CUSTOM
from nst_core.ui.studio.results import differences
from nst_core.ui.studio.session import Session
from nst_core.version import __version__
from tests.ui.shown import update_of


def record_of(config: StyleTransferConfig | None = None, **values) -> RunRecord:
    """A record as a run would leave it."""
    return RunRecord(
        **{
            "config": config or StyleTransferConfig(seed=7, layer_weights=(1.0, 0.5, 0.25, 2.0, 0.0)),
            "steps": 12,
            "stopped": True,
            "losses": {"content conv4_2": 0.1 + 0.2, "style conv1_1": 1e-30},
            "first_losses": {"content conv4_2": 0.0, "style conv1_1": 0.7},
            "seconds": 1.234,
            "content_size": (48, 64),
            "style_size": (56, 40),
            "device": "CPU (2 threads)",
            "precision": "fp32",
            "weights_file": "vgg19_features.safetensors",
            "weights_sha256": "0" * 64,
            "weights_origin": "cache",
            "versions": versions(),
            "notes": ("the loss was not finite at step 3; “went back”", "ö"),
        }
        | values
    )


def strictly(text: str):
    """JSON as the standard has it: no NaN, no infinity."""

    def refuse(constant):
        raise ValueError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def saved(tmp_path):
    """(path, record, image) of a saved result."""
    image, record, path = torch.rand(1, 3, 20, 30), record_of(), tmp_path / "result.png"
    save_result(image, record, path)
    return path, record, image


@pytest.mark.parametrize("name", ["result.jpg", "RESULT.JPEG"])
def test_a_jpeg_remembers_as_much_and_is_nearly_the_picture(saved, tmp_path, name):
    path, record, image = saved
    smooth = torch.nn.functional.interpolate(image, (60, 90), mode="bilinear")
    save_result(smooth, record, tmp_path / name)
    assert read_record(tmp_path / name) == record
    with Image.open(tmp_path / name) as picture:
        assert picture.format == "JPEG" and picture.getexif()[305] == "Neural Style Lab"
    assert (images.load(tmp_path / name) - smooth).abs().mean() < 0.02


def test_a_record_that_a_jpeg_cannot_hold_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(OutputError, match="longer than a JPEG takes; keep the PNG"):
        save_result(torch.rand(1, 3, 20, 30), record_of(notes=("n" * 9000,) * 9), tmp_path / "a.jpg")
    assert not list(tmp_path.iterdir())


def test_a_saved_picture_remembers_how_it_was_made(saved):
    path, record, image = saved
    assert read_record(path) == record
    torch.testing.assert_close(images.load(path), image, atol=0.5 / 255 + 1e-6, rtol=0)


def test_other_programs_can_read_it_too(saved):
    path, record, _ = saved
    with Image.open(path) as picture:
        text = dict(picture.text)
    assert strictly(text[TEXT_KEY]) == strictly(record.to_json())
    assert "Neural Style Lab" in text["Software"] and "12 steps" in text["Description"]


@pytest.mark.parametrize("name", PRESETS)
def test_the_settings_of_every_preset_come_back(name):
    record = record_of(PRESETS[name].config)
    back = RunRecord.from_json(record.to_json())
    assert back == record and back.config == PRESETS[name].config


def test_a_record_comes_back_from_json_in_every_field():
    record = record_of()
    back = RunRecord.from_json(record.to_json())
    for field in dataclasses.fields(RunRecord):
        value = getattr(back, field.name)
        assert value == getattr(record, field.name) and type(value) is type(getattr(record, field.name))


def test_plain_values_are_plain():
    values = record_of().to_dict()
    assert values.keys() == {field.name for field in dataclasses.fields(RunRecord)} | {"shares"}
    assert values["config"] == record_of().config.to_dict()
    strictly(json.dumps(values))


def test_a_record_is_json_to_every_reader_whatever_the_losses():
    for odd in (float("nan"), float("inf")):
        try:
            text = record_of(losses={"content conv4_2": odd}).to_json()
        except ValueError:
            continue  # refused is fine, too: such losses end a run
        strictly(text)


def test_versions_are_of_what_a_result_may_depend_on():
    assert versions().keys() == {"neural-style-lab", "python", *PACKAGES} and {"torch", "pillow"} <= set(PACKAGES)
    assert all(version[0].isdigit() for version in versions().values())


# Pictures without a record of use


def test_a_picture_of_other_programs_carries_no_record(tmp_path):
    for name, options in (("foreign.png", {}), ("foreign.jpg", {}), ("foreign.webp", {})):
        Image.new("RGB", (20, 20)).save(tmp_path / name, **options)
        with pytest.raises(ImageError, match=f"{name} carries no record.*only PNG, JPEG and TIFF files saved by"):
            read_record(tmp_path / name)


def test_what_is_no_picture_is_refused_by_name(tmp_path):
    (tmp_path / "letter.png").write_text("dear reader")
    with pytest.raises(ImageError, match=r"letter\.png"):
        read_record(tmp_path / "letter.png")
    with pytest.raises(ImageError, match=r"gone\.png"):
        read_record(tmp_path / "gone.png")


def test_a_picture_cut_short_is_refused(saved):
    path, *_ = saved
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ImageError, match=path.name):
        read_record(path)


def without(name: str) -> str:
    values = record_of().to_dict()
    del values[name]
    return json.dumps(values)


def changed(**values) -> str:
    return json.dumps(record_of().to_dict() | values)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "{",
        "null",
        "3",
        "[]",
        '"text"',
        "{}",
        record_of().to_json()[:-9],
        "[" * 100_000,
        without("config"),
        without("losses"),
        without("weights_sha256"),
        changed(colour="blue"),
        changed(config=None),
        changed(config=5),
    ],
    ids=lambda text: text[:12],
)
def test_a_damaged_record_is_refused(tmp_path, text):
    images.save_png(torch.zeros(1, 3, 16, 16), tmp_path / "file.png", {TEXT_KEY: text})
    with pytest.raises(ImageError, match="damaged"):
        read_record(tmp_path / "file.png")


@pytest.mark.parametrize(
    "values",
    [
        {"optimizer": "sgd"},
        {"seed": -1},
        {"no setting": 1},
        {"steps": "12"},
        {"seed": 10**400},
        {"layer_weights": 3},
        {"adam_betas": 0.9},
        {"adam_betas": None},
        {"style_layers": "conv1_1"},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_record_with_settings_of_another_version_is_refused(values):
    text = changed(config=record_of().config.to_dict() | values)
    with pytest.raises(NSTError) as raised:
        RunRecord.from_json(text)
    if isinstance(raised.value, ConfigError):
        assert next(iter(values)) in str(raised.value)


# Records from anyone

# As JSON, since some of them are none of Python's.
ODD_VALUES = [
    *"""
    null true false 0 1 -1 2 0.5 -0.0 1e-320 1e14 999999999999999 300.0 1e400 NaN Infinity -Infinity "" "x"
    "conv1_1" "conv5_4_pre" "lbfgs" "adam" "lite" [] {} [0] ["conv1_1"] [["conv1_1"]] [[[[]]]]
    """.split(),
    "9" * 400,
    "9" * 5_000,
    '"\\ud800"',
    '"\\u0000\\n"',
    '"' + "x" * 20_000 + '"',
    "[0, 0]",
    "[1, 2]",
    "[1.5, 2]",
    "[-1, 5]",
    "[0.9, 0.999]",
    "[1, null]",
    "[true, true]",
    '["conv1_1", "conv1_1"]',
    '["conv4_2", "conv1_1_pre"]',
    '["conv1_1", 5]',
    '{"a": 1}',
    '{"a": "b"}',
    '{"a": []}',
    '{"a": NaN}',
    '{"": 1e308}',
    '{"a": 1, "a": 2}',
    "[1, 1, 1, 1, 1]",
    "[0, 0, 0, 0, 0]",
    "[5e-324, 0, 0, 0, 0]",
    "[9e14, 9e14, 9e14, 9e14, 9e14]",
    "[" + "1, " * 10_000 + "1]",
    "[" + '"conv1_1", ' * 5_000 + '"conv1_1"]',
    "[" * 100_000,
    "[" * 5_000 + "]" * 5_000,
]


def written(values: dict, odd: dict[str, str]) -> str:
    """JSON of values, and of odd ones that are JSON already."""
    pairs = {name: json.dumps(value) for name, value in values.items()} | odd
    return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in pairs.items()) + "}"


def odd_records() -> Iterator[str]:
    """A record with each of its values and settings made odd in each way, then several of them at once."""
    good, draw = record_of().to_dict(), random.Random(0)
    for value in ODD_VALUES:
        yield value
        for name in [*good, "colour"]:
            yield written(good, {name: value})
    for _ in range(2_000):
        settings = draw.choice([*PRESETS.values()]).config.to_dict()
        names = draw.sample([*settings, "colour"], draw.choice((1, 1, 2, 3)))
        odd = written(settings, {name: draw.choice(ODD_VALUES) for name in names})
        yield written(good, {"config": odd})
    yield written(good, {"notes": json.dumps(["x" * 9_000] * 1_000)})
    layers = [f"conv{block}_{number}" for block in (1, 2) for number in (1, 2)] + ["conv3_1", "conv3_2", "conv4_1_pre"]
    heavy = good["config"] | {"style_layers": layers, "layer_weights": [9.9e14] * len(layers)}
    yield json.dumps(good | {"config": heavy})


def is_whole(record: RunRecord) -> bool:
    """Whether every field is of its declared type, all the way down."""
    texts = ("device", "precision", "weights_file", "weights_sha256", "weights_origin")
    tables = [(record.losses, float), (record.versions, str)]
    return (
        isinstance(record.config, StyleTransferConfig)
        and (type(record.steps), type(record.stopped), type(record.seconds)) == (int, bool, float)
        and all(type(name) is str and type(value) is kind for table, kind in tables for name, value in table.items())
        and all(type(getattr(record, name)) is str for name in texts)
        and all(tuple(map(type, size)) == (int, int) for size in (record.content_size, record.style_size))
        and type(record.notes) is tuple
        and all(type(note) is str for note in record.notes)
    )


def test_an_odd_record_is_refused_in_a_sentence_or_all_that_a_page_does_with_it_works():
    taken = refused = 0
    for text in odd_records():
        try:
            record = RunRecord.from_json(text)
        except NSTError as error:
            assert len(str(error)) < 700 and "x" * 81 not in str(error)
            refused += 1
            continue
        taken += 1
        assert is_whole(record), text[:2_000]
        assert RunRecord.from_json(record.to_json()) == record
        strictly(record.to_json())
        session = Session()
        shown = session.take(record.config)
        preset = update_of(shown["preset"])["value"]
        assert preset == CUSTOM or config_of(preset, shown) == record.config
        assert len(differences(record.config, StyleTransferConfig())) < 3_000
        assert len(done_text(record)) < 100
    assert taken > 100 and refused > 1_000


def test_a_record_of_megabytes_is_refused_at_once():
    began = time.perf_counter()
    for text in ("[" * 50_000_000, changed(device="x" * 50_000_000)):
        with pytest.raises(ImageError, match="damaged"):
            RunRecord.from_json(text)
    assert time.perf_counter() - began < 2


def test_a_record_says_what_was_content_and_style_of_the_loss_at_the_start_and_at_the_end():
    record = record_of(
        first_losses={"content conv4_2": 0.0, "style conv1_1": 4.0, "style conv2_1": 4.0},
        losses={"content conv4_2": 1.0, "style conv1_1": 2.0, "style conv2_1": 1.0},
    )
    assert record.shares == {"start": {"content": 0.0, "style": 1.0}, "end": {"content": 0.25, "style": 0.75}}
    assert record.to_dict()["shares"] == record.shares


def test_a_record_of_before_features_had_a_scale_keeps_its_meaning():
    """Neither the scale nor the start's losses were in it; the formula that was "gatys" then is the printed one now."""
    config = PRESETS["gatys_printed"].config
    values = record_of(config).to_dict()
    del values["config"]["feature_scale"], values["first_losses"], values["shares"]
    back = RunRecord.from_json(json.dumps(values))
    assert back.config == config and back.config.feature_scale == "as trained"
    assert back.first_losses == {} and back.shares["start"] == {}
    session = Session()
    assert update_of(session.take(back.config)["preset"])["value"] == "gatys_printed"


def test_a_record_of_another_version_is_read_without_the_settings_that_this_one_lacks():
    values = record_of(PRESETS["lab"].config).to_dict()
    assert values["versions"]["neural-style-lab"] == __version__
    values["config"]["brush"] = "large"
    with pytest.raises(ConfigError, match="'brush' is not a setting"):  # none of another version: somebody's own
        RunRecord.from_json(json.dumps(values))
    values["versions"]["neural-style-lab"] = "99.1"
    back = RunRecord.from_json(json.dumps(values))
    assert back.config == PRESETS["lab"].config
    assert back.notes[-1] == f"painted by version 99.1, whose settings brush this one ({__version__}) lacks"
