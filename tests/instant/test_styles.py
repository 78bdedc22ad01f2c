"""Files of trained styles: what is written comes back, and nothing else is taken for one."""

import io
import json
import pickle
import random
import struct
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from nst_core import images
from nst_core.errors import OutputError, WeightsError
from nst_core.instant.network import TransformationNetwork
from nst_core.instant.painter import add_grain
from nst_core.instant.styles import SHOWN, StyleFile, load_styles, save_styles, thumbnails

SMALL = b"\xff\xd8\xff" + b"small"  # begins as a JPEG does


@pytest.fixture
def file(tmp_path):
    network = TransformationNetwork(["waves", "photo"], width=4)
    path = tmp_path / "styles.safetensors"
    save_styles(StyleFile(network, {"waves": SMALL}, {"images": "some"}), path)
    return network, path


def test_a_network_comes_back_as_it_was_in_half_precision(file):
    network, path = file
    file = load_styles(path)
    back = file.network
    assert (file.thumbnails, file.header) == ({"waves": SMALL}, {"images": "some"})
    assert (back.styles, back.width) == (network.styles, network.width)
    for name, tensor in network.state_dict().items():
        assert torch.equal(back.state_dict()[name], tensor.half().float())
    picture = torch.rand(1, 3, 24, 24)
    with torch.no_grad():
        shares = network.shares_of({"waves": 1.0})
        torch.testing.assert_close(back(picture, shares), network(picture, shares), rtol=0, atol=0.02)


def rewritten(path, *, header=None, tensors=None):
    """The file with another header or other tensors."""
    state = load_file(path) | (tensors or {})
    save_file(state, path, {"styles": json.dumps(["waves", "photo"]), "width": "4"} | (header or {}))


SPOILT = {
    "a text": lambda path: path.write_text("Dear reader"),
    "a pickle": lambda path: path.write_bytes(pickle.dumps({"styles": 1})),
    "a torch checkpoint": lambda path: torch.save({"a": torch.ones(2)}, path),
    "half a file": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "an empty file": lambda path: path.write_bytes(b""),
    "no header": lambda path: save_file(load_file(path), path),
    "another number of styles": lambda path: rewritten(path, header={"styles": json.dumps(["waves"])}),
    "no style": lambda path: rewritten(path, header={"styles": "[]"}),
    "another width": lambda path: rewritten(path, header={"width": "8"}),
    "a width that is no number": lambda path: rewritten(path, header={"width": "wide"}),
    "a tensor more": lambda path: rewritten(path, tensors={"more": torch.ones(2)}),
    "no photo": lambda path: rewritten(path, header={"styles": json.dumps(["waves", "stars"])}),
    "thumbnails that are none": lambda path: rewritten(path, header={"thumbnails": '["waves"]'}),
    "a thumbnail that is none": lambda path: rewritten(path, header={"thumbnails": '{"waves": "§"}'}),
    "not a number": lambda path: rewritten(path, tensors={"last.norm.scale": torch.full((2, 3), torch.nan)}),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_nothing_else_is_taken_for_a_file_of_styles(file, kind):
    _, path = file
    SPOILT[kind](path)
    with pytest.raises(WeightsError, match="styles.safetensors"):
        load_styles(path)


def styles_of(*names) -> dict[str, str]:
    return {"styles": json.dumps([*names, "photo"])}


def small_of(**texts) -> dict[str, str]:
    return {"thumbnails": json.dumps(texts)}


ODD_HEADERS = {
    "a number for names": {"styles": "5"},
    "null for names": {"styles": "null"},
    "names by name": {"styles": '{"waves": 1, "photo": 2}'},
    "a number for a name": styles_of(5),
    "a list for a name": styles_of(["waves"]),
    "an empty name": styles_of(""),
    "a blank name": styles_of("  "),
    "a name twice": styles_of("waves", "waves"),
    "the photo twice": styles_of("photo"),
    "a long name": styles_of("w" * 81),
    "a name of a folder": styles_of("../waves"),
    "a name of another system's folder": styles_of("..\\waves"),
    "a name of two lines": styles_of("waves\nstars"),
    "a name that ends a text": styles_of("waves\0"),
    "a name that turns its text around": styles_of("\u202ewaves"),
    "half a letter for a name": {"styles": '["\\ud800", "photo"]'},
    "names in lists in lists": {"styles": "[" * 100_000},
    "names cut short": {"styles": '["waves", "photo"'},
    "more styles than are told": styles_of("waves", "stars"),
    "200,000 styles": styles_of(*map(str, range(200_000))),
    "no width": {"width": ""},
    "a width of nothing": {"width": "0"},
    "a negative width": {"width": "-4"},
    "a broken width": {"width": "4.5"},
    "no number for a width": {"width": "NaN"},
    "true for a width": {"width": "true"},
    "a width of many digits": {"width": "9" * 5_000},
    "a width of gigabytes": {"width": "20000"},
    "the largest width": {"width": "256"},
    "thumbnails in lists in lists": {"thumbnails": "[" * 100_000},
    "a number for a thumbnail": small_of(waves=5),
    "a page for a thumbnail": small_of(waves="PHNjcmlwdD4="),
    "a large thumbnail": small_of(waves="/9j/" + "A" * 100_000),
    "letters that are no bytes": small_of(waves="/9j/ä"),
    "a thumbnail of another style": small_of(stars="AAAA"),
    "a header of megabytes": {"more": "x" * 5_000_000},
}


@pytest.mark.parametrize("kind", ODD_HEADERS)
def test_a_file_that_tells_odd_things_is_refused_in_a_sentence(file, kind):
    _, path = file
    rewritten(path, header=ODD_HEADERS[kind])
    with pytest.raises(WeightsError, match="^styles.safetensors is no file of styles .*; name one that") as refused:
        load_styles(path)
    assert len(str(refused.value)) < 300 and str(refused.value).isprintable()


def test_tensors_of_another_type_are_refused(file):
    _, path = file
    for kind in (torch.float64, torch.int32, torch.bool):
        rewritten(path, tensors={"last.norm.scale": torch.ones(2, 3, dtype=kind)})
        with pytest.raises(WeightsError, match="last.norm.scale is of another shape or type"):
            load_styles(path)


MEASURE = """
import sys
from pathlib import Path
from nst_core.errors import WeightsError
from nst_core.instant.styles import load_styles

def peak():
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])

grown = []
for path in map(Path, sys.argv[1:]):
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what is in use now
    before = peak()
    try:
        load_styles(path)
    except WeightsError as error:
        grown.append(peak() - before)
print(*grown)
"""


def of_header(metadata: dict, tensors: dict | None = None) -> bytes:
    """A file of nothing but its header."""
    header = json.dumps({"__metadata__": metadata} | (tensors or {})).encode()
    return struct.pack("<Q", len(header)) + header


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is measured by Linux' own means")
def test_refusing_takes_little_memory_whatever_a_file_says_of_itself(tmp_path):
    two, many = json.dumps(["waves", "photo"]), json.dumps([*map(str, range(200_000)), "photo"])
    empty = {"dtype": "F16", "shape": [0], "data_offsets": [0, 0]}
    odd = {
        "wide": of_header({"styles": two, "width": "4000"}),
        "as wide as may be": of_header({"styles": two, "width": "256"}),
        "many": of_header({"styles": many, "width": "4"}),
        "tensors": of_header({"styles": two, "width": "4"}, {f"t{number}": empty for number in range(50_000)}),
        "deep": of_header({"styles": "[" * 4_000_000, "width": "4"}),
        "long": of_header({"styles": two, "width": "4", "more": "x" * 60_000_000}),
    }
    for name, content in odd.items():
        (tmp_path / name).write_bytes(content)
    run = [sys.executable, "-c", MEASURE, *(str(tmp_path / name) for name in odd)]
    grown = subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()
    assert len(grown) == len(odd), "not all were refused"
    assert all(int(kilobytes) < 50_000 for kilobytes in grown), dict(zip(odd, grown, strict=True))


def test_a_file_with_any_bytes_changed_is_read_or_refused(file):
    _, path = file
    raw, draw, outcomes = path.read_bytes(), random.Random(0), set()
    header = 8 + int.from_bytes(raw[:8], "little")
    for number in range(300):
        changed = bytearray(raw)
        for _ in range(draw.randint(1, 4)):
            changed[draw.randrange(header if number % 3 else len(raw))] = draw.randrange(256)
        path.write_bytes(changed[: draw.randrange(len(raw)) if number % 10 == 0 else None])
        try:
            outcomes.add(type(load_styles(path)))
        except WeightsError as refused:
            assert len(str(refused)) < 300 and str(refused).isprintable()
            outcomes.add(WeightsError)
    assert outcomes == {StyleFile, WeightsError}


def test_what_was_read_outlives_its_file(file):
    network, path = file
    file = load_styles(path)
    path.write_bytes(bytes(path.stat().st_size))
    for name, tensor in network.state_dict().items():
        assert torch.equal(file.network.state_dict()[name], tensor.half().float())


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WeightsError, match="there is no file"):
        load_styles(tmp_path / "none.safetensors")


def test_a_file_that_cannot_be_written_is_named(file, tmp_path):
    with pytest.raises(OutputError, match="could not be written"):
        save_styles(StyleFile(file[0]), tmp_path / "none" / "styles.safetensors")


def test_a_thumbnail_is_a_photograph_painted_in_its_style(file):
    network, _ = file
    small = {name: images.load(io.BytesIO(jpeg)) for name, jpeg in thumbnails(network).items()}
    assert small.keys() == {"waves"} and images.size_of(small["waves"]) == (160, 160)
    photo = add_grain(images.cover(images.load(SHOWN), (256, 256)))
    painted = network(photo, network.shares_of({"waves": 1.0})).detach()
    seen, there = (images.resize(image, (16, 16)) for image in (small["waves"], painted))
    assert (seen - there).abs().mean() < 0.02 < (seen - images.resize(photo, (16, 16))).abs().mean()
