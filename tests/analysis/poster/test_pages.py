"""Pages of a PDF: their words are text, where they stand in the picture."""

import io
import re
import zlib

import pytest
from PIL import Image

from nst_core.analysis.poster.blocks import draw_bullets, draw_text, stacked
from nst_core.analysis.poster.lettering import Lettering
from nst_core.analysis.poster.pages import MOST, pdf_of
from nst_core.analysis.poster.placed import Line, Pen, contained, lines_on, put, reduced

OWN = Lettering()


def pdf(*pictures: Image.Image) -> bytes:
    told = {"Title": "Ähnlich 内"}
    measure = lambda letter: OWN.length(letter, 100) / 100  # noqa: E731
    return pdf_of(pictures, told, language="de", dpi=144, quality=90, measure=measure)


def objects(written: bytes) -> dict[int, bytes]:
    """Every object by its number, found where the table at the end says; streams unpacked."""
    start = int(re.search(rb"startxref\n(\d+)", written)[1])
    places = [int(place) for place in re.findall(rb"(\d{10}) 00000 n", written[start:])]
    found = {}
    for number, place in enumerate(places, 1):
        head, content = re.match(rb"(\d+) 0 obj\n(.*?)\nendobj", written[place:], re.S).groups()
        assert int(head) == number
        entries, _, stream = content.partition(b"\nstream\n")
        data = stream.removesuffix(b"\nendstream")
        assert not stream or len(data) == int(re.search(rb"/Length (\d+)", entries)[1])
        found[number] = entries + b"\n" + (zlib.decompress(data) if b"FlateDecode" in entries else data)
    return found


def texts(written: bytes) -> list[tuple[float, float, str]]:
    """Read (x, y, text) of every line as a reader of PDFs does: by the fonts' tables of Unicode."""
    known = objects(written)
    resources = next(content for content in known.values() if content.startswith(b"<< /Font"))
    fonts = {}
    for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", resources):
        unicode = known[int(re.search(rb"/ToUnicode (\d+)", known[int(number)])[1])]
        fonts[name] = {
            int(code, 16): bytes.fromhex(letter.decode()).decode("utf-16-be")
            for code, letter in re.findall(rb"<(..)> <([0-9a-f]+)> endbfchar", unicode)
        }
    found = []
    for content in known.values():
        for line in re.findall(rb"BT (.*?) ET", content):
            x, y = map(float, re.search(rb"1 0 0 1 (\S+) (\S+) Tm", line).groups())
            pieces = re.findall(rb"/(F\d+) \S+ Tf <([0-9a-f]*)> Tj", line)
            found.append(
                (x, y, "".join(fonts[name][code] for name, codes in pieces for code in bytes.fromhex(codes.decode())))
            )
    return found


def test_words_are_text_where_they_stand():
    block = draw_text("first line\nsecond", 800, 40, OWN)
    page = stacked([block], 100)
    (x, y, first), (_, low, second) = texts(pdf(page))
    assert (first, second) == ("first line", "second")
    assert (x, y) == (50, pytest.approx((page.height - 140) / 2)) and y - low == pytest.approx(27)  # 72 of 144 dpi


def test_more_letters_than_a_font_holds_are_of_several():
    text = "".join(chr(0x4E00 + number) for number in range(MOST + 20))
    picture = Image.new("RGB", (800, 100))
    Pen(picture).note(Line(text, 0, 50, 20, 700))
    written = pdf(picture)
    assert [found[2] for found in texts(written)] == [text] and written.count(b"/Type3") == 2


def test_a_line_is_stretched_to_its_width_on_the_picture():
    picture = Image.new("RGB", (800, 100))
    Pen(picture).note(Line("wide", 0, 50, 20, 2 * OWN.length("wide", 20)))
    (stretched,) = re.findall(rb"BT (\S+) Tz", b"".join(objects(pdf(picture)).values()))
    assert float(stretched) == pytest.approx(200, rel=0.05)


def test_pages_show_their_pictures_and_say_their_language_and_title():
    colours = ["red", "blue"]
    written = pdf(*(Image.new("RGB", (64, 32), colour) for colour in colours))
    known = objects(written)
    jpegs = [content.partition(b"\n")[2] for content in known.values() if b"DCTDecode" in content]
    pictures = [Image.open(io.BytesIO(jpeg)).getpixel((10, 10)) for jpeg in jpegs]
    assert [max(range(3), key=pixel.__getitem__) for pixel in pictures] == [0, 2]
    assert b"/Lang (de)" in written and "Ähnlich 内".encode("utf-16-be").hex().encode() in written


def test_words_move_with_the_picture_on_which_they_are():
    block = draw_bullets(["one"], 300, 20, OWN)
    (line,) = lines_on(block)
    paper = Image.new("RGB", (600, 600))
    put(paper, block, (50, 70))
    put(paper, block, (50, 170))
    assert lines_on(paper) == [line.moved(50, 70), line.moved(50, 170)] and lines_on(block) == [line]
    for smaller in (reduced(paper, 2), contained(paper, (300, 300))):
        assert lines_on(smaller)[0] == line.moved(50, 70).moved(0, 0, 0.5)
    assert len(lines_on(paper)) == 2
