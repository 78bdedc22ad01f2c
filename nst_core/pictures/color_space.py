"""Colour profiles of files that name their colours by numbers: PNG's cICP, gAMA and cHRM, HEIF's and AVIF's nclx.

Sources: ITU-T H.273, tables 2 and 3 (code points); PNG, third edition, 4.3 (which chunk counts); ICC.1:2010.
"""

import struct
from collections.abc import Callable
from typing import IO

import numpy as np
from PIL import ImageCms
from PIL.ImageFile import ImageFile

from nst_core.pictures import light
from nst_core.pictures.light import BT2020, HLG, PQ, Colours, srgb_light
from nst_core.pictures.png_text import heads

WhiteAndColours = tuple[float, ...]  # x and y of white, red, green and blue

D65 = (0.3127, 0.329)
SRGB = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
# By H.273's code point.
PRIMARIES: dict[int, WhiteAndColours] = {
    1: SRGB,
    5: (*D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (*D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (*D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
TABLE = np.linspace(0, 1, 1024)  # values in a file, of which a curve says the light
LEAST_AREA = 1e-3  # of a triangle of colours, twice; sRGB's is 0.22
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D50 = np.array([0.9642, 1.0, 0.8249])  # XYZ of a profile's white
NCLX = b"colrnclx"  # the box of an AVIF that holds code points
HEAD_BYTES = 2**16  # of an AVIF, in which that box is looked for


def _power(exponent: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: values**exponent


# By H.273's code point: value -> light, 1 is white. Cameras write BT.709's (1, 6, 14, 15) for what is sRGB's.
TRANSFERS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    **dict.fromkeys((1, 2, 6, 13, 14, 15), srgb_light),
    4: _power(2.2),
    5: _power(2.8),
    8: _power(1.0),
}


def profile_of(picture: ImageFile, grey: bool) -> bytes | Colours | None:
    """The ICC profile of an open picture, of which nothing is decoded: its own, or one made of what it says in numbers.

    Of high dynamic range no profile makes a picture, so that those numbers are told.

    Args:
        picture: as opened.
        grey: whether its pixels are one number each.

    Returns:
        None where it says nothing, or that its colours are sRGB's.
    """
    embedded = picture.info.get("icc_profile") or None
    points = _code_points(picture)
    if points and (picture.format == "PNG" or not embedded):
        if points[1] in (PQ, HLG):
            return Colours(points[1], points[0] if points[0] in light.PRIMARIES else BT2020)
        primaries, transfer = PRIMARIES.get(points[0], SRGB), TRANSFERS.get(points[1], srgb_light)
        return _profile(primaries, transfer, grey)
    if embedded or picture.format != "PNG" or "srgb" in picture.info or not picture.info.get("gamma"):
        return embedded
    exponent = picture.info["gamma"]
    curve = srgb_light if abs(exponent - 0.45455) < 0.005 else _power(1 / exponent)  # which all who mean sRGB write
    told = picture.info.get("chromaticity", SRGB)
    return _profile(told if _is_possible(told) else SRGB, curve, grey)


def _code_points(picture: ImageFile) -> tuple[int, int] | None:
    """(primaries, transfer) of H.273."""
    if told := picture.info.get("nclx_profile"):
        return told["color_primaries"], told["transfer_characteristics"]
    file = picture.fp
    if file is None or picture.format not in ("PNG", "AVIF"):
        return None
    place = file.tell()
    try:
        return _png_points(file) if picture.format == "PNG" else _avif_points(file)
    finally:
        file.seek(place)


def _png_points(file: IO[bytes]) -> tuple[int, int] | None:
    for kind, place, length in heads(file):
        if kind == b"cICP" and length == 4:
            file.seek(place)
            primaries, transfer, _, _ = file.read(4)
            return primaries, transfer
    return None


def _avif_points(file: IO[bytes]) -> tuple[int, int] | None:
    file.seek(0)
    head = file.read(HEAD_BYTES)
    place = head.find(NCLX) + len(NCLX)
    return struct.unpack_from(">HH", head, place) if place >= len(NCLX) and place + 4 <= len(head) else None


def _profile(primaries: WhiteAndColours, curve: Callable[[np.ndarray], np.ndarray], grey: bool) -> bytes | None:
    """An ICC profile; None for sRGB's own numbers."""
    if curve is srgb_light and (grey or np.allclose(primaries, SRGB, atol=0.001)):
        return None
    tags = {b"wtpt": _xyz(D50)}
    shown = curve(TABLE).clip(0, 1)
    steps = b"curv" + struct.pack(f">4xI{len(TABLE)}H", len(TABLE), *(shown * 65535).round().astype(int))
    if grey:
        tags[b"kTRC"] = steps
    else:
        colours = _colours(primaries).T
        tags |= {name + b"XYZ": _xyz(colour) for name, colour in zip((b"r", b"g", b"b"), colours, strict=True)}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), steps)
    return _packed(b"GRAY" if grey else b"RGB ", tags)


def _is_possible(primaries: WhiteAndColours) -> bool:
    """Whether white can be mixed of three colours, each of some."""
    white, *colours = np.column_stack([np.reshape(primaries, (4, 2)), np.ones(4)])
    return abs(np.linalg.det(colours)) > LEAST_AREA and bool((np.linalg.solve(np.transpose(colours), white) > 0).all())


def _colours(primaries: WhiteAndColours) -> np.ndarray:
    """(3, 3): XYZ of red, green and blue as columns, as seen by D50's light."""
    points = np.reshape(primaries, (4, 2)).T  # (2, white and three colours)
    xyz = np.stack([points[0], points[1], 1 - points.sum(0)]) / points[1]  # (3, 4), each as bright as white
    colours = xyz[:, 1:] * np.linalg.solve(xyz[:, 1:], xyz[:, 0])  # whose sum is white
    seen = BRADFORD @ xyz[:, 0]
    return np.linalg.inv(BRADFORD) @ np.diag(BRADFORD @ D50 / seen) @ BRADFORD @ colours


def to_srgb(primaries: WhiteAndColours) -> np.ndarray:
    """Compute the matrix (3, 3) from light of these primaries to that of sRGB's."""
    return to_srgb_from(_colours(primaries))


def to_srgb_from(colours: np.ndarray) -> np.ndarray:
    """Compute the matrix (3, 3) to light of sRGB's primaries from that of others, whose XYZ by D50 are columns."""
    return np.linalg.solve(_colours(SRGB), colours)


def colours_of(profile: ImageCms.ImageCmsProfile) -> np.ndarray | None:
    """(3, 3): XYZ of a profile's red, green and blue as columns, by D50's light; None where it does not say."""
    told = [getattr(profile.profile, f"{name}_colorant") for name in ("red", "green", "blue")]
    return np.array([xyz for xyz, _ in told]).T if all(told) else None


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ " + struct.pack(">4x3i", *(values * 65536).round().astype(int))


def _packed(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Lay out a profile of a screen: header, table of tags, tags."""
    table, data, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, tag in tags.items():
        table += name + struct.pack(">II", start + len(data), len(tag))
        data += tag + bytes(-len(tag) % 4)
    size = start + len(data)
    header = struct.pack(">I4xI4s4s4s12x4s28x", size, 0x02400000, b"mntr", space, b"XYZ ", b"acsp")
    return header + struct.pack(">3i", *(D50 * 65536).round().astype(int)) + bytes(48) + table + data
