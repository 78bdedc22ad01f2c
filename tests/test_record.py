import dataclasses
import json

import pytest
import torch
from PIL import Image

from nst_core import images
from nst_core.errors import ConfigError, ImageError, NSTError
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import PACKAGES, TEXT_KEY, RunRecord, read_record, save_result, versions


def record_of(config: StyleTransferConfig | None = None, **values) -> RunRecord:
    """A record as a run would leave it."""
    return RunRecord(**{
        "config": config or StyleTransferConfig(seed=7, layer_weights=(1.0, 0.5, 0.25, 2.0, 0.0)),
        "steps": 12,
        "stopped": True,
        "losses": {"content conv4_2": 0.1 + 0.2, "style conv1_1": 1e-30},
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
    } | values)  # fmt: skip


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
    assert values.keys() == {field.name for field in dataclasses.fields(RunRecord)}
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
    assert versions().keys() == {"python", *PACKAGES} and {"torch", "pillow"} <= set(PACKAGES)
    assert all(version[0].isdigit() for version in versions().values())


# Pictures without a record of use


def test_a_picture_of_other_programs_carries_no_record(tmp_path):
    for name, options in (("foreign.png", {}), ("foreign.jpg", {}), ("foreign.webp", {})):
        Image.new("RGB", (20, 20)).save(tmp_path / name, **options)
        with pytest.raises(ImageError, match=f"{name} carries no record.*only PNG files saved by Neural Style Lab"):
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
        "", "no json", "{", "null", "3", "[]", '"text"', "{}", record_of().to_json()[:-9], "[" * 100_000,
        without("config"), without("losses"), without("weights_sha256"), changed(colour="blue"),
        changed(config=None), changed(config=5),
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_a_damaged_record_is_refused(tmp_path, text):
    images.save_png(torch.zeros(1, 3, 16, 16), tmp_path / "file.png", {TEXT_KEY: text})
    with pytest.raises(ImageError, match="damaged"):
        read_record(tmp_path / "file.png")


@pytest.mark.parametrize(
    "values",
    [
        {"optimizer": "sgd"}, {"seed": -1}, {"no setting": 1}, {"steps": "12"}, {"seed": 10**400},
        {"layer_weights": 3}, {"adam_betas": 0.9}, {"adam_betas": None}, {"style_layers": "conv1_1"},
    ],
    ids=lambda values: next(iter(values)),
)  # fmt: skip
def test_a_record_with_settings_of_another_version_is_refused(values):
    text = changed(config=record_of().config.to_dict() | values)
    with pytest.raises(NSTError) as raised:
        RunRecord.from_json(text)
    if isinstance(raised.value, ConfigError):
        assert next(iter(values)) in str(raised.value)
