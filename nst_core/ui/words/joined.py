"""Takes apart what the program joined of several sentences, so that each is looked up: `split` of `script.js`."""

import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from nst_core.ui.words.letters import has_word, is_capital, is_spoken

QUOTED = re.compile("“([^“”]+)”")
ENDS = re.compile(r"[.!?…:] ")
BRACKET = re.compile(r" (?=\([^()]+\)$)")
LED = re.compile(r"^[;,·；，] ?")
# Between parts, in the order in which they are tried; None: between sentences, and before a bracket at the end.
SENTENCES, BRACKETED = "between sentences", "before a bracket"
JOINTS = (" · ", SENTENCES, "; ", BRACKETED, ": ", ", ", " – ", " × ", " → ")


class Looks(Protocol):
    """What looks single sentences up."""

    joints: Mapping[str, str]
    quotes: tuple[str, str]

    @property
    def labels(self) -> Mapping[str, str]:
        """English -> translation, of entries without plural forms."""

    def translated(self, text: str) -> str | None:
        """Translate a text, None if it is not known."""

    def looked(self, text: str) -> str | None:
        """Find an entry that is the text, or fits it."""

    def sentence_end(self, text: str) -> str | None:
        """Translate a sentence of which the catalogue has the words without its end."""

    def numbers(self, text: str) -> str:
        """Write a text's numbers as the language does."""

    def joined(self, left: str, right: str) -> str:
        """Join words as the language does."""


def split(looks: Looks, text: str) -> str | None:
    """Translate a text by its parts; None: there are none that are known, or too few."""
    if quoted := QUOTED.fullmatch(text):
        inner = looks.translated(quoted[1])
        return None if inner is None else inner.join(looks.quotes)
    if (ended := looks.sentence_end(text)) is not None:
        return ended
    ways = (_first_sentences, _core, _joined, _list, _label, _two)
    return next((found for way in ways if (found := way(looks, text)) is not None), None)


def parted(looks: Looks, text: str) -> str | None:
    """Translate the parts of a long list; None: none is known."""
    parts = text.split("; ")
    told = [looks.translated(part) for part in parts]
    if len(parts) < 2 or not any(one is not None for one in told):
        return None
    shown = (looks.numbers(part) if one is None else one for one, part in zip(told, parts, strict=True))
    return looks.joints.get("; ", "; ").join(shown)


def _first_sentences(looks: Looks, text: str) -> str | None:
    """Several sentences, of which the catalogue may hold some together."""
    for end in ENDS.finditer(text):
        left = text[: end.start() + 1]
        found = looks.looked(left)
        found = looks.sentence_end(left) if found is None else found
        rest = None if found is None else looks.translated(text[end.end() :])
        if found is not None and rest is not None:
            return found + looks.joints.get(" ", " ") + rest
    return None


def _core(looks: Looks, text: str) -> str | None:
    """A text without a number before it, or without what is no letter around it."""

    def stands(letter: str) -> bool:
        return letter.isalpha() or letter in "0123456789"

    numbered = re.match(r"[0-9]+\. ", text)
    first = numbered.end() if numbered else next((at for at, one in enumerate(text) if stands(one)), len(text))
    last = next((at for at in range(len(text), first, -1) if stands(text[at - 1])), first)
    if first == last or (first == 0 and last == len(text)):
        return None
    found = looks.translated(text[first:last])
    return None if found is None else text[:first] + found + text[last:]


def _joined(looks: Looks, text: str) -> str | None:
    for joint in JOINTS:
        parts = list(_parts(text, joint))
        if len(parts) < 2:
            continue
        written = joint not in (SENTENCES, BRACKETED)
        told = [looks.translated(part) for part in parts]
        if written:  # what only follows another
            told = [
                _led(looks, joint, part) if at and one is None else one
                for at, (one, part) in enumerate(zip(told, parts, strict=True))
            ]
        known = [one is not None for one in told]
        whole = all(one or " " not in part or not is_spoken(part) for one, part in zip(known, parts, strict=True))
        loose = joint == " · " or (joint == "; " and (sum(known) > len(parts) / 2 or known[0])) or not written
        if not any(known) or not (whole or loose):
            continue
        glue = joint if written else " "
        return looks.joints.get(glue, glue).join(
            looks.numbers(part) if one is None else one for one, part in zip(told, parts, strict=True)
        )
    return None


def _parts(text: str, joint: str) -> Iterator[str]:
    if joint == BRACKETED:
        yield from BRACKET.split(text)
    elif joint == SENTENCES:
        begins = 0
        for end in re.finditer(r"(?<=[.!?…:])(?<![0-9] …) (?=.)", text):
            following = text[end.end()]
            if is_capital(following) or following in "0123456789“":
                yield text[begins : end.start()]
                begins = end.end()
        yield text[begins:]
    else:
        yield from text.split(joint)


def _led(looks: Looks, joint: str, part: str) -> str | None:
    found = looks.translated(joint + part)
    return None if found is None else LED.sub("", found)


def _list(looks: Looks, text: str) -> str | None:
    """A list, of which some have commas."""

    def part_of(part: str) -> str | None:
        return looks.translated(part) if has_word(part) else looks.numbers(part)

    for comma in () if text.startswith(", ") else re.finditer(", ", text):
        left = part_of(text[: comma.start()])
        right = None if left is None else part_of(text[comma.end() :])
        if left is not None and right is not None:
            return left + looks.joints.get(", ", ", ") + right
    return None


def _label(looks: Looks, text: str) -> str | None:
    """A label and its value: "Seed 3"."""
    for space in reversed(list(re.finditer(" ", text))):
        label, value = looks.labels.get(text[: space.start()]), text[space.end() :]
        if label is None:
            continue
        told = looks.labels.get(value) if has_word(value) else looks.numbers(value)
        if told is not None:
            return looks.joined(f"{label} ", told)
    return None


def _two(looks: Looks, text: str) -> str | None:
    """A label of two, of which one has that in it."""
    for joint in (", ", ": "):
        left, _, right = text.rpartition(joint)
        told = looks.translated(left) if left and not re.search(r"\s", right) else None
        if told is not None:
            found = looks.translated(right)
            return told + looks.joints.get(joint, joint) + (right if found is None else found)
    return None
