"""Writes words on pictures: finds a font, and spells what it lacks in plain letters."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby

from PIL import ImageDraw, ImageFont

from nst_core.analysis.poster.placed import Line, Pen

# Fonts with Greek, indices and mathematics, by the names that systems have them: Linux, macOS, Windows. None is sure to
# be there, so what is written must do without.
MATHEMATICAL = ("DejaVuSans.ttf", "Arial Unicode.ttf", "seguisym.ttf")
PROOF = "Σᵢⱼ½²₄⁻ᵀσ∬∇∂√∝⇔←−×·é"  # a font that has these has the others
# Letters of languages, and fonts that have them where the one above lacks some.
LETTERS = {
    "de": "äöüßÄÖÜ„“",
    "es": "áéíóúñü¿¡«»",
    "fr": "àâçéèêëîïôùûœÉ«»’",
    "zh": "内容与风格，。：（）",
}
LATIN = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf", "arial.ttf", "Helvetica.ttc")
CHINESE = (
    *("NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "NotoSansSC-Regular.ttf", "NotoSansCJKsc-Regular.otf"),
    *("SourceHanSansSC-Regular.otf", "SourceHanSansCN-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc"),
    *("DroidSansFallbackFull.ttf", "DroidSansFallback.ttf", "uming.ttc", "PingFang.ttc", "Hiragino Sans GB.ttc"),
    *("STHeiti Light.ttc", "Arial Unicode.ttf", "msyh.ttc", "Deng.ttf", "simhei.ttf", "simsun.ttc"),
)
FACES = {"NotoSansCJK-Regular.ttc": 2}  # which of a file's fonts has the forms of mainland China, if not the first
LINE = 1.35  # from one line to the next, of the font's size

# What has no letters of its own in Unicode's tables.
SPELLED = {
    "Σ": "Sum",
    "∂": "d",
    "∇": "grad ",
    "√": "sqrt ",
    "∝": "proportional to",
    "∬": "double integral",
    "∫": "integral",
    "‖": "||",
    "⇔": "<=>",
    "←": "<-",
    "→": "->",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "×": "x",
    "·": "*",
    "−": "-",
    "–": "-",
    "—": "-",
    "⁄": "/",
    "…": "...",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "∞": "infinity",
}
BEGIN, END = "\1", "\2"  # around a spelled word
# What is never cut within a line: a word, or one letter of Chinese with the marks that may not begin or end a line.
UNCUT = re.compile(r"[（“《「]*[\u2e80-\u9fff\uf900-\ufaff][，。；：、！？）”》」…]*|[^ \u2e80-\u9fff\uf900-\ufaff]+")
SIGNS = {"<sub>": "_", "<super>": "^"}

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont  # Pillow gives its own as either


@dataclass(frozen=True)
class Lettering:
    """A font at any size, and what it can write.

    Attributes:
        file: the font's name or path; None: Pillow's own, which is everywhere and has plain letters only.
        other: of a font that has letters that the first lacks; None: there is none.
    """

    file: str | None = None
    other: str | None = None

    def font(self, size: int) -> Font:
        """Give the first font at a size, pixels."""
        return _font(self.file, size)

    def has(self, letter: str) -> bool:
        """Whether one of the fonts has a letter."""
        return _has(self.file, letter) or (self.other is not None and _has(self.other, letter))

    def runs(self, text: str, size: int) -> list[tuple[str, Font]]:
        """Part a text into pieces that are written in one font each."""
        if self.other is None:
            return [(text, self.font(size))]
        pieces = groupby(text, lambda letter: _has(self.file, letter))
        return [("".join(letters), _font(self.file if first else self.other, size)) for first, letters in pieces]

    def length(self, text: str, size: int) -> float:
        """Measure a line, pixels."""
        return sum(font.getlength(piece) for piece, font in self.runs(text, size))

    def written(self, text: str) -> str:
        """Write the text in letters that the font has: "½ Σᵢⱼ α²" as it is, or else as "1/2 Sum_ij alpha^2"."""
        if all(map(self.has, set(text))):
            return text
        return "".join(letter if self.has(letter) else "?" for letter in plain(text))

    def wrapped(self, text: str, size: int, width: float) -> list[str]:
        """Cut the text's own lines into lines of a width, between words where it can be.

        Args:
            text: any.
            size, width: pixels.
        """
        return [line for own in self.written(text).split("\n") for line in self._cut(own, size, width)]

    def _cut(self, text: str, size: int, width: float) -> list[str]:
        lines = [""]
        for word, gap in _words(text):
            longer = lines[-1] + gap + word if lines[-1] else word
            if self.length(longer, size) <= width:
                lines[-1] = longer
                continue
            lines.append("")
            for letter in word:  # one that is too long by itself is cut anywhere
                if lines[-1] and self.length(lines[-1] + letter, size) > width:
                    lines.append("")
                lines[-1] += letter
        return [line for line in lines if line] or [""]

    def height(self, lines: Sequence[str], size: int) -> int:
        """Measure the height of lines below each other, pixels."""
        return round(len(lines) * size * LINE)

    def write(
        self,
        draw: ImageDraw.ImageDraw,
        at: tuple[float, float],
        lines: Sequence[str],
        size: int,
        fill: str | tuple[int, int, int] = "black",
        side: str = "l",
    ) -> None:
        """Write lines below each other.

        Args:
            draw: on which picture.
            at: (x, y) of the block's upper left corner, or of its upper edge's middle or right end; pixels.
            lines: as `wrapped` gives them.
            size: pixels.
            fill: colour.
            side: "l", "m" or "r": which end of each line stands at x.
        """
        for number, line in enumerate(lines):
            baseline = at[1] + size * (LINE * number + 1)
            self.put(draw, (at[0], baseline), line, size, fill, side)

    def put(
        self,
        draw: ImageDraw.ImageDraw,
        at: tuple[float, float],
        line: str,
        size: int,
        fill: str | tuple[int, int, int] = "black",
        side: str = "l",
    ) -> None:
        """Write one line as `write`, but at = (x, y) of its base line."""
        x = at[0] - {"l": 0, "m": 0.5, "r": 1}[side] * self.length(line, size)
        if isinstance(draw, Pen):
            draw.note(Line(line, x, at[1], size, self.length(line, size)))
        for piece, font in self.runs(line, size):
            draw.text((x, at[1]), piece, fill, font, anchor="ls")
            x += font.getlength(piece)


@cache
def _font(file: str | None, size: int) -> Font:
    return ImageFont.truetype(file, size, FACES.get(file, 0)) if file else ImageFont.load_default(size)


def _has(file: str | None, letter: str) -> bool:
    return letter.isspace() or _drawn(file, letter) != _drawn(file, "\uffff")


@lru_cache(1024)
def _drawn(file: str | None, letter: str) -> bytes:
    """Draw one letter, small; fonts draw all that they lack alike."""
    return bytes(_font(file, 20).getmask(letter))


def _words(text: str) -> Iterator[tuple[str, str]]:
    """List what is never cut, each with the gap before it."""
    at = 0
    for found in UNCUT.finditer(text):
        yield found[0], text[at : found.start()]
        at = found.end()


def plain(text: str) -> str:
    """Write the text in ASCII, as people type formulas: "F_ij^2", "1/2", "alpha"; "?" for what has no such name."""
    spelled = "".join(map(_spelled, indexed(re.sub(r"(?<=\d)(?=[½¼¾])", " ", text))))
    apart = re.sub(rf"(?<=[^\W_]){BEGIN}|{END}(?=[^\W_])|{END}{BEGIN}", " ", spelled)  # "2 alpha L" of "2αL"
    return apart.replace(BEGIN, "").replace(END, "")


def indexed(text: str) -> str:
    """Write the text with its indices and powers as signs: "F_ij^2" of "Fᵢⱼ²"."""
    found, before = "", ""
    for letter in text:
        tag, _, decomposed = unicodedata.decomposition(letter).partition(" ")
        sign = SIGNS.get(tag, "")
        if sign:
            found += (sign if sign != before else "") + "".join(chr(int(code, 16)) for code in decomposed.split())
        else:
            found += (" " if before == "_" and letter.isalnum() else "") + letter  # "x_i y" of "xᵢy"
        before = sign
    return found


def _spelled(letter: str) -> str:
    """Write one letter in ASCII, a word between BEGIN and END."""
    if letter.isascii():
        return letter
    name = unicodedata.name(letter, "")
    if letter in SPELLED:
        spelled = SPELLED[letter]
    elif name.startswith("GREEK"):
        word = name.split(" WITH ")[0].rsplit(" ", 1)[-1].lower()
        spelled = word.capitalize() if letter.isupper() else word
    else:
        folded = "".join(SPELLED.get(part, part) for part in unicodedata.normalize("NFKD", letter))
        spelled = folded.encode("ascii", "ignore").decode() or "?"
    return f"{BEGIN}{spelled}{END}" if spelled.isalpha() and len(spelled) > 1 else spelled


@cache
def best_lettering() -> Lettering:
    """Choose the first font here that has all a formula needs, else Pillow's own."""
    mathematical = (Lettering(file) for file in MATHEMATICAL if _is_here(file))
    return next((one for one in mathematical if all(map(one.has, PROOF))), Lettering())


@cache
def lettering_for(language: str) -> Lettering | None:
    """Choose what a language is written with, by its short name: the best, and where that lacks letters another font.

    Returns:
        None where no font here has them.
    """
    best, letters = best_lettering(), LETTERS.get(language, "")
    if all(map(best.has, letters)):
        return best
    others = (Lettering(best.file, file) for file in (CHINESE if language == "zh" else LATIN) if _is_here(file))
    return next((one for one in others if all(map(one.has, letters))), None)


def _is_here(file: str) -> bool:
    try:
        _font(file, 20)
    except OSError:
        return False
    return True
