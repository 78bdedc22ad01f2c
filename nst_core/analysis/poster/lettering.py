"""Writes words on pictures: finds a font, and spells what it lacks in plain letters."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from PIL import ImageDraw, ImageFont

# Fonts with Greek, indices and mathematics, by the names that systems have them: Linux, macOS, Windows. None is sure to
# be there, so what is written must do without.
MATHEMATICAL = ("DejaVuSans.ttf", "Arial Unicode.ttf", "seguisym.ttf")
PROOF = "Σᵢⱼ½²₄⁻ᵀσ∬∇∂√∝⇔←−×·é"  # a font that has these has the others
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
SIGNS = {"<sub>": "_", "<super>": "^"}

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont  # Pillow gives its own as either


@dataclass(frozen=True)
class Lettering:
    """A font at any size, and what it can write.

    Attributes:
        file: the font's name or path; None: Pillow's own, which is everywhere and has plain letters only.
    """

    file: str | None = None

    def font(self, size: int) -> Font:
        """Give the font at a size, pixels."""
        return _font(self.file, size)

    def has(self, letter: str) -> bool:
        """Whether the font has a letter."""
        return letter.isspace() or _drawn(self.file, letter) != _drawn(self.file, "\uffff")

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
        font, lines = self.font(size), [""]
        for word in text.split(" "):
            longer = f"{lines[-1]} {word}" if lines[-1] else word
            if font.getlength(longer) <= width:
                lines[-1] = longer
                continue
            lines.append("")
            for letter in word:  # one that is too long by itself is cut anywhere
                if lines[-1] and font.getlength(lines[-1] + letter) > width:
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
            draw.text((at[0], baseline), line, fill, self.font(size), anchor=side + "s")


@cache
def _font(file: str | None, size: int) -> Font:
    return ImageFont.truetype(file, size) if file else ImageFont.load_default(size)


@lru_cache(1024)
def _drawn(file: str | None, letter: str) -> bytes:
    """Draw one letter, small; fonts draw all that they lack alike."""
    return bytes(_font(file, 20).getmask(letter))


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
    for file in MATHEMATICAL:
        try:
            found = Lettering(file)
            if all(map(found.has, PROOF)):
                return found
        except OSError:
            continue
    return Lettering()
