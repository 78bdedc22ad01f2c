"""Reads HTML and Markdown as the page's own script does: as sentences, with numbered marks for what stands inside."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

INLINE = set(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "br",
        "cite",
        "code",
        "em",
        "i",
        "kbd",
        "mark",
        "q",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "u",
        "var",
    ]
)
SEALED = {"br", "code", "kbd", "pre", "script", "style", "textarea", "var"}  # of which no word is translated
SPOKEN = ("aria-label", "title", "alt", "placeholder", "data-hint", "aria-roledescription")
VOID = set(["area", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
WORD = re.compile(r"[^\W\d_]{2}")
FIELD = re.compile(r"\{\d+\}")


@dataclass
class Element:
    """A piece of a page."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    def text(self) -> str:
        """All of its text."""
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)

    def is_sealed(self) -> bool:
        """Whether nothing in it is translated."""
        return self.name in SEALED or self.attributes.get("translate") == "no"

    def is_flat(self) -> bool:
        """Whether it holds text and what stands within a line, nothing else."""
        return all(isinstance(child, str) or (child.name in INLINE and child.is_flat()) for child in self.children)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("body")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in [element.name for element in self.open[1:]]:
            while self.open.pop().name != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def tidy(text: str) -> str:
    """Write every run of white space as one space."""
    return " ".join(text.split())


def renumbered(text: str) -> str:
    """Number fields from 0 on, in the order in which they stand."""
    known: dict[str, str] = {}
    return FIELD.sub(lambda found: known.setdefault(found[0], f"{{{len(known)}}}"), text)


def is_said(text: str) -> bool:
    """Whether there is a word in it."""
    return bool(WORD.search(re.sub(r"</?\d+/?>", " ", FIELD.sub(" ", text))))


def sentence(element: Element) -> str:
    """Write what an element says, with marks: "Drag <1>the line</1>"; <1/> for what is sealed, or has no word."""
    number = 0

    def written(of: Element) -> str:
        nonlocal number
        parts = []
        for child in of.children:
            if isinstance(child, str):
                parts.append(child)
                continue
            number += 1
            mine = number
            if child.is_sealed() or not is_said(child.text()):
                number += sum(1 for _ in _below(child))
                parts.append(f"<{mine}/>")
            else:
                parts.append(f"<{mine}>{written(child)}</{mine}>")
        return "".join(parts)

    return tidy(written(element))


def _below(element: Element) -> Iterator[Element]:
    for child in element.children:
        if isinstance(child, Element):
            yield child
            yield from _below(child)


def units_of(element: Element) -> Iterator[str]:
    """List what an element says, each as one unit: sentences, and attributes that are heard or shown."""
    for name in SPOKEN:
        if is_said(element.attributes.get(name, "")):
            yield tidy(element.attributes[name])
    if element.is_sealed():
        return
    texts = [child for child in element.children if isinstance(child, str) and child.strip()]
    if texts and len(element.children) > len(texts) and element.is_flat() and not all(map(_is_field, texts)):
        yield sentence(element)
        for inner in _below(element):
            yield from (tidy(inner.attributes[name]) for name in SPOKEN if is_said(inner.attributes.get(name, "")))
        return
    yield from (tidy(text) for text in texts)
    for child in element.children:
        if isinstance(child, Element):
            yield from units_of(child)


def _is_field(text: str) -> bool:
    return not FIELD.sub("", text).strip()


def html_units(html: str) -> list[str]:
    """List what a piece of HTML says."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return [renumbered(unit) for unit in units_of(reader.root) if is_said(unit)]


def markdown_html(text: str) -> str:
    """Write the little of Markdown that the page uses as HTML."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text, flags=re.S)
    text = re.sub(r"(?<!\w)\*([^*]+)\*(?!\w)", r"<em>\1</em>", text)
    text = re.sub(r"\[([^\]]+)\]\(([^)]*)\)", r'<a href="\2">\1</a>', text)
    blocks = []
    for block in re.split(r"\n\s*\n|\n(?=[-*#|] ?)|(?<=[^\n])\n(?=\d+\. )", text):
        head = re.match(r"\s*#+ ([^\n]*)\n?(.*)", block, flags=re.S)
        pieces = head.groups() if head else (re.sub(r"^\s*(?:[-*]|\d+\.) ", "", block),)
        blocks += [f"<p>{piece}</p>" for piece in pieces if piece.strip()]
    return "".join(blocks)
