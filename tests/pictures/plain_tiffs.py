"""Writes TIFFs of whole numbers of every depth and layout."""

import struct
import zlib

import numpy as np

LETTERS = {1: "B", 3: "H", 4: "I", 16: "Q"}


def directory(values: dict[int, tuple[int, list[int]]], data: bytes, order: str, big: bool) -> bytes:
    """A TIFF of tags (kind, numbers), and of data that begins at its byte 16."""
    count, entry, place = ("Q", "HHQ", "Q") if big else ("H", "HHI", "I")
    room = struct.calcsize(order + place)
    at = 16 + len(data)
    behind = at + struct.calcsize(order + count) + len(values) * (struct.calcsize(order + entry) + room) + room
    entries = more = b""
    for tag, (kind, numbers) in sorted(values.items()):
        packed = struct.pack(f"{order}{len(numbers)}{LETTERS[kind]}", *numbers)
        inside = packed.ljust(room, b"\0") if len(packed) <= room else struct.pack(order + place, behind + len(more))
        more += packed if len(packed) > room else b""
        entries += struct.pack(order + entry, tag, kind, len(numbers)) + inside
    head = struct.pack(order + "HHHQ", 43, 8, 0, at) if big else struct.pack(order + "HI", 42, at)
    head = ((b"II" if order == "<" else b"MM") + head).ljust(16, b"\0")
    return head + data + struct.pack(order + count, len(values)) + entries + bytes(room) + more


def tiff(
    numbers: np.ndarray,  # (H, W, samples)
    bits: int,
    meaning: int,
    order: str = "<",
    *,
    big: bool = False,
    tile: bool = False,
    planes: bool = False,
    packed: bool = False,
    differences: bool = False,
    more: dict[int, list[int]] | None = None,
) -> bytes:
    """A TIFF in tiles of 16×16 pixels, or in strips of 7 rows."""
    height, width, samples = numbers.shape
    rows, columns = (16, 16) if tile else (7, width)
    blocks = []
    for plane in np.split(numbers, samples, axis=2) if planes else [numbers]:
        for top in range(0, height, rows):
            for left in range(0, width, columns):
                part = plane[top : top + rows, left : left + columns].astype(np.uint32)
                if tile:
                    part = np.pad(part, [(0, rows - part.shape[0]), (0, columns - part.shape[1]), (0, 0)])
                if differences:
                    part = np.diff(part, axis=1, prepend=np.zeros_like(part[:, :1]))
                if bits in (8, 16, 32):
                    data = part.astype(f"{order}u{bits // 8}").tobytes()
                else:
                    spelled = (part[..., None] >> np.arange(bits)[::-1]) & 1
                    data = np.packbits(spelled.astype(np.uint8).reshape(len(part), -1), axis=1).tobytes()
                blocks.append(zlib.compress(data) if packed else data)
    places = [16 + sum(map(len, blocks[:index])) for index in range(len(blocks))]
    values = {256: [width], 257: [height], 258: [bits] * samples, 259: [8 if packed else 1], 262: [meaning]}
    values |= {277: [samples], 284: [2 if planes else 1], 317: [2 if differences else 1]} | (more or {})
    values |= {322: [columns], 323: [rows]} if tile else {278: [rows]}
    told = {tag: (3, each) for tag, each in values.items()}
    told |= {324 if tile else 273: (4, places), 325 if tile else 279: (4, [len(block) for block in blocks])}
    return directory(told, b"".join(blocks), order, big)
