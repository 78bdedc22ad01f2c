"""Writes pictures as the pages of a PDF, with the words on them as text: to be found, selected and read aloud.

The letters of that text are empty, as the picture shows them already: fonts of type 3, which are part of the page's own
language and need no font's file, 255 letters in each, told by their code in Unicode.

Source: ISO 32000-1, 7.5 (the file), 9.6.5 (fonts of type 3), 9.10.3 (letters in Unicode).
"""

import io
import zlib
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from PIL import Image

from nst_core.analysis.poster.placed import Line, lines_on

MOST = 255  # letters of a font
Measure = Callable[[str], float]


class Letters:
    """The letters of a document, each with its place in one of the fonts.

    Args:
        measure: a letter -> its width, of its size.
    """

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self.known: dict[str, int] = {}

    def place(self, letter: str) -> tuple[int, int]:
        """Tell a letter's font and its code there, from 1."""
        font, code = divmod(self.known.setdefault(letter, len(self.known)), MOST)
        return font, code + 1

    def show(self, line: Line, scale: float, height: float) -> str:
        """Write the operators that put a line on a page.

        Args:
            line: where it stands, from the upper left corner.
            scale: points a pixel.
            height: of the page, points.
        """
        natural = sum(map(self.measure, line.text)) * line.size
        stretched = 100 * line.width / natural if natural else 100
        x, y, size = line.x * scale, height - line.y * scale, line.size * scale
        pieces = groupby(map(self.place, line.text), lambda place: place[0])
        shown = " ".join(
            f"/F{font} {size:.2f} Tf <{''.join(f'{code:02x}' for _, code in places)}> Tj" for font, places in pieces
        )
        return f"BT {stretched:.2f} Tz 1 0 0 1 {x:.2f} {y:.2f} Tm {shown} ET"

    def fonts(self, add: Callable[..., int]) -> list[int]:
        """Add the fonts' objects; their numbers."""
        letters = [*self.known]
        return [self._font(letters[at : at + MOST], add) for at in range(0, len(letters), MOST)]

    def _font(self, letters: Sequence[str], add: Callable[..., int]) -> int:
        widths = [round(1000 * self.measure(letter)) for letter in letters]
        procedures = [add("", f"{width} 0 0 -250 {width} 900 d1".encode()) for width in widths]
        named = " ".join(f"/l{code} {number} 0 R" for code, number in enumerate(procedures, 1))
        codes = "".join(
            f"1 beginbfchar <{code:02x}> <{letter.encode('utf-16-be').hex()}> endbfchar\n"
            for code, letter in enumerate(letters, 1)
        )
        names = " ".join(f"/l{code}" for code in range(1, len(letters) + 1))
        unicode = add("", UNICODE.replace("CODES", codes).encode())
        return add(
            "/Type /Font /Subtype /Type3 /FontBBox [0 -250 1000 900] /FontMatrix [0.001 0 0 0.001 0 0] "
            f"/FirstChar 1 /LastChar {len(letters)} /Widths [{' '.join(map(str, widths))}] /CharProcs << {named} >> "
            f"/Encoding << /Type /Encoding /Differences [1 {names}] >> "
            f"/Resources << >> /ToUnicode {unicode} 0 R"
        )


UNICODE = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def /CMapType 2 def
1 begincodespacerange <00> <ff> endcodespacerange
CODES endcmap CMapName currentdict /CMap defineresource pop end end"""


class _File:
    """Objects of a PDF, numbered from 1."""

    def __init__(self) -> None:
        self.objects: list[bytes] = []

    def add(self, entries: str, stream: bytes | None = None, *, packed: bool = True) -> int:
        """Add a dictionary, with a stream if one is given; its number."""
        self.objects.append(b"")
        self.put(len(self.objects), entries, stream, packed=packed)
        return len(self.objects)

    def put(self, number: int, entries: str, stream: bytes | None = None, *, packed: bool = True) -> None:
        """Write an object whose number is taken already."""
        if stream is None:
            self.objects[number - 1] = f"<< {entries} >>".encode()
            return
        data = zlib.compress(stream) if packed else stream
        head = f"<< {entries} {'/Filter /FlateDecode ' * packed}/Length {len(data)} >>\nstream\n"
        self.objects[number - 1] = head.encode() + data + b"\nendstream"

    def bytes(self, root: int, info: int) -> bytes:
        """Write the file."""
        written, places = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"), []
        for number, content in enumerate(self.objects, 1):
            places.append(len(written))
            written += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
        table = "".join(f"{place:010} 00000 n \n" for place in places)
        count = len(places) + 1
        end = f"trailer\n<< /Size {count} /Root {root} 0 R /Info {info} 0 R >>\nstartxref\n{len(written)}\n%%EOF\n"
        return bytes(written) + f"xref\n0 {count}\n0000000000 65535 f \n{table}{end}".encode()


def pdf_of(
    pictures: Sequence[Image.Image],
    told: Mapping[str, str],
    *,
    language: str,
    dpi: float,
    quality: int,
    measure: Measure,
) -> bytes:
    """Write pictures as a PDF, a page each.

    Args:
        pictures: with what `placed` remembers of them.
        told: of the document: "Title" and the like -> a text.
        language: of its words: "de".
        dpi: pixels to an inch.
        quality: of the JPEGs within.
        measure: a letter -> its width, of its size.
    """
    file, letters, scale = _File(), Letters(measure), 72 / dpi
    root, pages, resources = file.add(""), file.add(""), file.add("")
    kids = []
    for picture in pictures:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality)
        shape = f"/Width {picture.width} /Height {picture.height} /ColorSpace /DeviceRGB /BitsPerComponent 8"
        image = file.add(f"/Type /XObject /Subtype /Image {shape} /Filter /DCTDecode", buffer.getvalue(), packed=False)
        width, height = picture.width * scale, picture.height * scale
        shown = [f"q {width:g} 0 0 {height:g} 0 0 cm /I{image} Do Q"]
        shown += [letters.show(line, scale, height) for line in lines_on(picture) if line.text.strip()]
        content = file.add("", "\n".join(shown).encode())
        box = f"/Type /Page /Parent {pages} 0 R /MediaBox [0 0 {width:g} {height:g}]"
        kids.append((image, file.add(f"{box} /Resources {resources} 0 R /Contents {content} 0 R")))
    fonts = " ".join(f"/F{at} {number} 0 R" for at, number in enumerate(letters.fonts(file.add)))
    images = " ".join(f"/I{image} {image} 0 R" for image, _ in kids)
    file.put(resources, f"/Font << {fonts} >> /XObject << {images} >>")
    file.put(pages, f"/Type /Pages /Count {len(kids)} /Kids [{' '.join(f'{page} 0 R' for _, page in kids)}]")
    file.put(root, f"/Type /Catalog /Pages {pages} 0 R /Lang ({language})")
    info = file.add(" ".join(f"/{name} <feff{text.encode('utf-16-be').hex()}>" for name, text in told.items()))
    return file.bytes(root, info)
