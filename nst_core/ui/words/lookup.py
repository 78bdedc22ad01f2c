"""Looks sentences up in a catalogue as `script.js` does, for what the server writes or draws; the rules are told there.

Every function has its namesake there. Letters are Unicode's, digits and what stands within words ASCII's, as in a
browser.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from threading import RLock

from nst_core.ui.words.joined import parted, split
from nst_core.ui.words.letters import has_word, is_capital

FEW, SURE, LONGEST, MOST = 6, 15, 600, 4000  # letters of a template; of what is taken apart; of what is looked up
FIELD = re.compile(r"\{([0-9]+)\}")
FIELDS = re.compile(r"(\{[0-9]+\})(?:\{[0-9]+\})+")
MARK = re.compile(r"</?[0-9]+/?>")
NUMBER = re.compile(  # "1.5" of "Σ(F − P)²/1.5", but of no path and of no fraction
    r"(?<![A-Za-z0-9_.,:-])(?<![^)\]²]/)([0-9][0-9,]*(?:\.[0-9]+)?)(e[+-]?[0-9]+)?(?![A-Za-z0-9_/:]|[.,][0-9])"
)
WHOLE = re.compile(r"(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")
OF_FILE = re.compile(r"([^\s;:][^;:]*?\.[A-Za-z][A-Za-z0-9]{1,4}) (.+)")
ENDED = re.compile(r"(.*[^.:…])(\.|:| ?…)")
LABELLED = re.compile(r":( |$)")
BETWEEN_HAN = re.compile("(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")

JOINTS = {
    "zh": {", ": "，", "; ": "；", ": ": "：", " ": ""},
    "fr": {"; ": "\u202f; ", ": ": "\u00a0: "},
}
QUOTES = {"de": ("„", "“"), "fr": ("«\u00a0", "\u00a0»"), "es": ("«", "»")}  # others: “”
ENDS = {"zh": {".": "。", ":": "："}, "fr": {":": "\u00a0:"}}  # of sentences and labels
GROUPS = {"de": ".", "es": ".", "fr": "\u202f"}  # between thousands

Value = str | Mapping[str, str]  # a translation, or its plural forms


@dataclass(frozen=True)
class Template:
    """An entry with fields.

    Attributes:
        value: its translation.
        fixed: what stands around the fields.
        fields: their numbers.
        weight: letters in what is fixed.
    """

    value: Value
    fixed: tuple[str, ...]
    fields: tuple[str, ...]
    weight: int

    @classmethod
    def of(cls, key: str, value: Value) -> "Template":
        """Take an entry apart."""
        parts = FIELD.split(FIELDS.sub(r"\1", key))
        weight = sum(map(str.isalpha, MARK.sub("", "".join(parts[::2]))))
        return cls(value, tuple(parts[::2]), tuple(parts[1::2]), weight)

    @property
    def first(self) -> str:
        """Tell the word that a text must begin with, "" if it may be any."""
        found = re.match(r"(\S+) ", self.fixed[0])
        return found[1] if found else ""


class Catalogue:
    """The sentences of a language.

    Args:
        language: its short name.
        entries: English -> translation.
    """

    def __init__(self, language: str, entries: Mapping[str, Value]) -> None:
        self.language, self.entries = language, entries
        self.joints: Mapping[str, str] = JOINTS.get(language, {})
        self.quotes = QUOTES.get(language, ("“", "”"))
        self._memory: dict[str, str | None] = {}
        self._lock = RLock()  # of the memory, which also says what is being looked up

    def said(self, text: str) -> str:
        """Say a text in the language, as one where an entry fits it, else line by line; what is unknown stays English.

        Numbers are written as the language does where no word is, too.
        """
        with self._lock:
            whole = self.looked(" ".join(text.split())) if "\n" in text and has_word(text) else None
            return "\n".join(map(self._line, text.split("\n"))) if whole is None else whole

    def _line(self, line: str) -> str:
        bare = " ".join(line.split())
        if not has_word(bare):
            return self.numbers(line)
        found = self.translated(re.sub(r"<(?=/?[0-9])", "<\u200b", bare))  # what somebody called so is no mark
        return line if found is None else found.replace("<\u200b", "<")

    @cached_property
    def labels(self) -> dict[str, str]:
        """English -> translation, of entries without plural forms."""
        return {key: value for key, value in self.entries.items() if isinstance(value, str)}

    @cached_property
    def templates(self) -> dict[str, list[Template]]:
        """List the entries with fields by the word that they begin with, those of most letters first."""
        made: dict[str, list[Template]] = {}
        for key, value in self.entries.items():
            if FIELD.search(key):
                one = Template.of(key, value)
                made.setdefault(one.first, []).append(one)
        for templates in made.values():
            templates.sort(key=lambda one: -one.weight)
        return made

    def translated(self, text: str) -> str | None:
        """Translate a text without line breaks; None: the catalogue has nothing of it."""
        if not any(map(str.isalpha, text)) or len(text) > MOST:
            return None
        if text in self._memory:
            return self._memory[text]
        if len(self._memory) > MOST:
            self._memory.clear()
        self._memory[text] = None  # in its own fields it is not looked up again
        ended = self.sentence_end(text) if self.language == "zh" and text.endswith(".") else None
        ways = (
            self.looked,
            self._said_of_file,
            lambda text: parted(self, text) if len(text) > LONGEST else split(self, text),
            self._lowered,
        )
        found = ended if ended is not None else _first(way(text) for way in ways)
        self._memory[text] = found
        return found

    def looked(self, text: str) -> str | None:
        """Find an entry that is the text, or fits it."""
        if text in self.entries:
            return self._filled(self.entries[text], {})
        first = re.match(r"\S+", text)
        for word in (first[0] if first else "", ""):
            for template in self.templates.get(word, ()):
                found = self._fitted(template, text)
                if found is not None:
                    return self._filled(template.value, found)
        return None

    def _fitted(self, template: Template, text: str) -> dict[str, str] | None:
        fixed, fields = template.fixed, template.fields
        last = fixed[-1]
        if not text.startswith(fixed[0]) or not text.endswith(last):
            return None
        if " · " in text and not any(" · " in part for part in fixed):
            return None  # several, side by side
        found: dict[str, str] = {}
        at, end = len(fixed[0]), len(text) - len(last)
        for number, field in enumerate(fields):
            is_last = number == len(fields) - 1
            following = end if is_last else text.find(fixed[number + 1], at + 1)
            may_lack = is_last and not last and not re.search(r"\s$", fixed[number])  # "1 done{1}"
            if following < at + (not may_lack) or following > end:
                return None
            found[field] = text[at:following]
            at = following + len(fixed[number + 1])
        return found if self._suits(template, [*found.values()]) else None

    def _suits(self, template: Template, texts: Sequence[str]) -> bool:
        if any(map(MARK.search, texts)):
            return False
        if template.weight < SURE and any(_is_list(text) and text not in self.entries for text in texts):
            return False
        return template.weight > FEW or all(self._settled(template, text) for text in texts)

    def _settled(self, template: Template, text: str) -> bool:
        """Whether a text in a template of few letters is known; the end of a label, and its value, is not."""
        if LABELLED.search(text) and not any(":" in part for part in template.fixed):
            return False
        return not re.search(r"\s", text) or not has_word(text) or self.translated(text) is not None

    def _filled(self, value: Value, found: Mapping[str, str]) -> str:
        if not isinstance(value, str):
            value = value.get(_plural(self.language, found.get("0", ""))) or value["other"]
        told, *rest = FIELD.split(value)
        for field, after in zip(rest[::2], rest[1::2], strict=True):
            text = found.get(field, "")
            within = self._within(text)
            # what somebody called so keeps its spaces
            told = self.joined(self.joined(told, within), after) if within != text else told + within + after
        return told

    def joined(self, left: str, right: str) -> str:
        """Join translated words as the language does: Chinese has no space between them."""
        if self.language != "zh":
            return left + right
        return left[:-2] + BETWEEN_HAN.sub("", left[-2:] + right[:2]) + right[2:]

    def _within(self, text: str) -> str:
        bare = text.strip()
        found = self.translated(bare)
        return self.numbers(text) if found is None else text.replace(bare, found, 1)

    def numbers(self, text: str) -> str:
        """Write a text's numbers as the language does: "1.234,5e-05" of "1,234.5e-05" in German."""
        return text if self.language == "zh" else NUMBER.sub(self._number, text)

    def _number(self, match: re.Match[str]) -> str:
        number, power = match[1], match[2] or ""
        if not WHOLE.fullmatch(number) or not re.search("[.,]", number):
            return match[0]
        digits = len(number.partition(".")[2])
        written = f"{Decimal(number.replace(',', '')):,.{digits}f}"
        group = GROUPS[self.language] if "," in number else ""
        return written.translate({ord(","): group, ord("."): ","}) + power

    def sentence_end(self, text: str) -> str | None:
        """Translate a sentence of which the catalogue has the words without its end."""
        mark = ENDED.fullmatch(text)
        found = self.looked(mark[1]) if mark else None
        if not found or not mark:
            return None
        return found + ENDS.get(self.language, {}).get(mark[2], mark[2])

    def _said_of_file(self, text: str) -> str | None:
        """Translate what is said of a file: its name, as it is, and words behind it."""
        mark = OF_FILE.fullmatch(text)
        found = self.looked(mark[2]) if mark else None
        return f"{mark[1]} {found}" if mark and found else None

    def _lowered(self, text: str) -> str | None:
        """Translate what begins with a capital here, and elsewhere does not."""
        key = text[0].lower() + text[1:]
        found = self.labels.get(key) if key != text else None
        return found[0].upper() + found[1:] if found else None


def _is_list(text: str) -> bool:
    """Whether a text is a list, or sentences."""
    if re.search("[,;] ", text):
        return True
    return any(is_capital(text[found.end()]) for found in re.finditer(r"[.!?…] (?=.)", text))


def _plural(language: str, count: str) -> str:
    """Choose the plural form for a count (Unicode's rules for the languages here)."""
    try:
        number = float(count.replace(",", "") or 0)
    except ValueError:
        number = 2
    one = abs(number) < 2 if language == "fr" else number == 1
    return "one" if one and language != "zh" else "other"


def _first(found: Iterable[str | None]) -> str | None:
    return next((one for one in found if one is not None), None)
