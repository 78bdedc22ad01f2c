"""Tells of films in containers that say of no length whether their end is there."""

import math
import struct
from collections.abc import Iterator
from pathlib import Path

TAIL = 64  # bytes, in which the last mark of a GIF or PNG stands
OGG_PAGE = 27 + 255 + 255 * 255  # bytes, at most
OGG_HEAD, OGG_LAST = 27, 4  # bytes before the table of a page's parts; the flag of a stream's last page
PS_TAIL = 2**18  # bytes, in which packets of a program stream (MPG, VOB) are found
PS_PACK, PS_FIRST = b"\0\0\1\xba", 0xBB  # a pack's mark; the least mark of what says its length
MOST_BOXES = 1000  # looked at, of an MP4's outermost ones
TS_SYNC = 0x47
TS_PACKETS = ((188, 0), (192, 4))  # bytes of a packet, and before its sync byte: plain, and as cameras write it


def lacks_end(path: Path, container: str) -> bool:
    """Tell whether a file is cut short; of a kind that does not show it, no.

    Args:
        container: as ffmpeg names it.
    """
    size = path.stat().st_size
    if container.startswith("mov,"):
        boxes = list(_boxes(path))
        return b"moof" in dict(boxes) and boxes[-1][1] > size  # in fragments, each of which says its own length
    with path.open("rb") as file:
        head = file.read(200)
        file.seek(max(0, size - max(OGG_PAGE, PS_TAIL)))
        tail = file.read()
    match container:
        case "gif":
            return not tail[-TAIL:].rstrip(b"\0").endswith(b";")
        case "apng":
            return b"IEND" not in tail[-TAIL:]
        case "ogg":
            return _lacks_last_page(tail)
        case "mpeg":
            return _lacks_packets_end(tail)
        case "mpegts":
            sizes = [length for length, before in TS_PACKETS if _in_step(head, before, before + length)]
            return bool(sizes) and size % sizes[0] != 0
    return False


def lacks_index(path: Path) -> bool:
    """Tell whether an MP4 or MOV is cut off, or was never finished, before or within the box that is its index."""
    if not path.is_file():
        return False
    boxes = list(_boxes(path))
    ends = dict(boxes)
    return boxes[0][0] == b"ftyp" and b"mdat" in ends and ends.get(b"moov", math.inf) > path.stat().st_size


def _boxes(path: Path) -> Iterator[tuple[bytes, int]]:
    """Name the outermost boxes of an MP4 or MOV, and say where each ends, be it beyond the file."""
    size, place = path.stat().st_size, 0
    with path.open("rb") as file:
        for _ in range(MOST_BOXES):
            file.seek(place)
            head = file.read(16)
            length, kind = struct.unpack(">I4s", head[:8].ljust(8, b"\0"))
            length = int.from_bytes(head[8:]) if length == 1 else length or size - place
            place += length if len(head) >= 8 else 8
            yield kind, place
            if length < 8 or place >= size:
                return


def _in_step(head: bytes, *places: int) -> bool:
    return all(place < len(head) and head[place] == TS_SYNC for place in places)


def _lacks_last_page(tail: bytes) -> bool:
    """Whether an Ogg's last page is cut or says that more follow."""
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < OGG_HEAD:
        return True
    parts = page[OGG_HEAD : OGG_HEAD + page[26]]
    return not page[5] & OGG_LAST or len(page) < OGG_HEAD + page[26] + sum(parts)


def _lacks_packets_end(tail: bytes) -> bool:
    """Whether the last packet of a program stream ends beyond the file, or not even begins in full."""
    place = tail.find(PS_PACK)
    if place < 0:
        return False
    while place + 14 <= len(tail) or (place + 6 <= len(tail) and tail[place + 3] >= PS_FIRST):
        if not tail.startswith(b"\0\0\1", place) or tail[place + 3] < PS_PACK[3]:
            return False  # its end mark, or what fills the file up
        if tail[place + 3] >= PS_FIRST:
            place += 6 + int.from_bytes(tail[place + 4 : place + 6])
        else:
            place += 12 if tail[place + 4] >> 4 == 2 else 14 + tail[place + 13] % 8  # MPEG-1 or -2
    return place != len(tail)
