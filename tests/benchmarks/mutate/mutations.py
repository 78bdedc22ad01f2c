"""Damages files: by accident, as disks and networks do, and on purpose, in the numbers that readers believe."""

import copy
import json
import random
import struct
import zlib
from collections.abc import Callable
from typing import Any

from tests.benchmarks.mutate.fields import Field, chunks, fields_of, header_of

HEAD = 200  # bytes at the beginning, where most of what matters stands
# Values that readers stumble over; in JSON besides whatever there is.
ODD_JSON: list[Any] = [
    None,
    True,
    -1,
    0,
    1,
    2**31,
    2**53,
    2**63,
    2**64 - 1,
    10**40,
    1.5,
    1e308,
    "",
    "x" * 10_000,
    [],
    {},
    [[]],
    "F16",
    [0],
    [-1, 4],
    [2**32, 2**32],
    "\0",
    "😀",
    "../../x",
    {"a": {"a": []}},
    "[" * 2000,
    "NaN",
    '["waves", "waves"]',
]


def flipped(data: bytearray, draw: random.Random) -> None:
    """Turn bits over."""
    for _ in range(draw.choice((1, 1, 2, 8, 40))):
        data[_place(data, draw)] ^= 1 << draw.randrange(8)


def replaced(data: bytearray, draw: random.Random) -> None:
    """Write other bytes."""
    for _ in range(draw.choice((1, 2, 10, 100))):
        data[_place(data, draw)] = draw.choice((0, 255, 127, 128, draw.randrange(256)))


def cut(data: bytearray, draw: random.Random) -> None:
    """Cut off the end."""
    del data[_place(data, draw) :]


def inserted(data: bytearray, draw: random.Random) -> None:
    """Put bytes in between."""
    place = _place(data, draw)
    data[place:place] = draw.randbytes(draw.choice((1, 2, 4, 30, 300)))


def doubled(data: bytearray, draw: random.Random) -> None:
    """Repeat a block, somewhere."""
    begin, end = _block(data, draw)
    place = draw.choice((begin, _place(data, draw)))
    data[place:place] = data[begin:end]


def deleted(data: bytearray, draw: random.Random) -> None:
    """Leave a block out."""
    begin, end = _block(data, draw)
    del data[begin:end]


def overwritten(data: bytearray, draw: random.Random) -> None:
    """Write 0, 255 or noise over a block."""
    begin, end = _block(data, draw)
    kind = draw.randrange(3)
    data[begin:end] = draw.randbytes(end - begin) if kind == 2 else bytes([255 * kind]) * (end - begin)


def moved(data: bytearray, draw: random.Random) -> None:
    """Write one block over another."""
    begin, end = _block(data, draw)
    place = _place(data, draw)
    data[place : place + end - begin] = data[begin:end]


ACCIDENTS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flipped,
    replaced,
    cut,
    inserted,
    doubled,
    deleted,
    overwritten,
    moved,
)


def mutated(whole: bytes, name: str, draw: random.Random) -> tuple[bytes, str]:
    """A damaged file, and how it was damaged, in a word or two."""
    data, said = bytearray(whole), []
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        fields = fields_of(bytes(data), name) if draw.random() < 0.55 else []
        if name in ("backbone", "styles") and draw.random() < 0.6:
            data = _other_header(data, draw)
            said.append("header")
        elif fields:
            count = draw.choice((1, 1, 2, 3))
            for _ in range(count):
                _set(data, draw.choice(fields), draw)
            said.append(f"{count} fields")
        else:
            accident = draw.choice(ACCIDENTS)
            if data:
                accident(data, draw)
            said.append(accident.__name__)
    if name == "png" and draw.random() < 0.7:
        _sum_up(data)
        said.append("summed up")
    return bytes(data), ", ".join(said)


def _place(data: bytearray, draw: random.Random) -> int:
    return draw.randrange(min(len(data), HEAD) if draw.random() < 0.5 else len(data)) if data else 0


def _block(data: bytearray, draw: random.Random) -> tuple[int, int]:
    begin = _place(data, draw)
    return begin, min(len(data), begin + draw.choice((1, 2, 4, 16, 100, 1000)))


def _set(data: bytearray, field: Field, draw: random.Random) -> None:
    """Write into a field what its reader does not expect."""
    place, width, order = field
    if place + width > len(data):
        return
    most, old = 256**width, int.from_bytes(data[place : place + width], order)  # type: ignore[arg-type]
    values = (
        0,
        1,
        2,
        3,
        old + 1,
        old - 1,
        old * 2,
        old // 2,
        most - 1,
        most // 2,
        most // 2 - 1,
        len(data),
        len(data) - 1,
        10**4,
        2**16,
        2**24,
        draw.randrange(most),
        1 << draw.randrange(8 * width),
        draw.randrange(32),
        old ^ 255,
    )
    data[place : place + width] = (draw.choice(values) % most).to_bytes(width, order)  # type: ignore[arg-type]


def _sum_up(data: bytearray) -> None:
    """Give a PNG's chunks their checksums, lest readers look no further."""
    for _, place, length in list(chunks(bytes(data))):
        if place + length + 4 > len(data):
            return
        struct.pack_into(">I", data, place + length, zlib.crc32(data[place - 4 : place + length]))


def _other_header(data: bytearray, draw: random.Random) -> bytearray:
    """Change values in the header of safetensors, which stays JSON."""
    try:
        header, end = header_of(bytes(data))
    except (ValueError, RecursionError):
        return data
    changed = copy.deepcopy(header)
    for _ in range(draw.choice((1, 1, 2))):
        _change(changed, draw)
    text = json.dumps(changed).encode()
    return bytearray(struct.pack("<Q", len(text)) + text + bytes(data[end:]))


def _change(node: Any, draw: random.Random) -> None:
    """Change a value somewhere below: another kind, another number, another name, or gone."""
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    if not keys:
        return
    key = "__metadata__" if "__metadata__" in keys and draw.random() < 0.4 else draw.choice(keys)
    value = node[key]
    if isinstance(value, dict | list) and value and draw.random() < 0.8:
        _change(value, draw)
        return
    action = draw.randrange(5)
    if action == 0:
        del node[key]
    elif action == 1 and isinstance(node, dict):
        node[draw.choice((str(key) + "x", "", "features.0.weight", "styles", "width"))] = value
    elif action == 2 and isinstance(value, int):
        node[key] = value + draw.choice((-1, 1, 8, 2**32, -(2**33)))
    elif action == 3 and isinstance(value, str) and value.startswith(("[", "{")):
        node[key] = _changed_text(value, draw)
    else:
        node[key] = copy.deepcopy(draw.choice(ODD_JSON))


def _changed_text(text: str, draw: random.Random) -> str:
    """JSON inside of JSON, as the names of styles, where it is still JSON."""
    try:
        inner = json.loads(text)
    except (ValueError, RecursionError):
        return text[:-1]
    _change(inner, draw)
    return json.dumps(inner)
