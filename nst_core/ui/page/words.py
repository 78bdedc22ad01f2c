"""Calls settings as the page does, in what says them by the names that programs and the command line know."""

import re

from nst_core.transfer.config import SETTINGS

CHANGED = re.compile(r"steered at step (\d+): (\w+(?:, \w+)*)")
REFUSED = re.compile(r"(\w+) is ('[^']*')?")


def label_of(name: str) -> str:
    """Call a setting by its label without the unit; what is none, by its name."""
    return SETTINGS[name].label.split(",")[0] if name in SETTINGS else name


def title_of(name: str, value: str) -> str:
    """Call a value of a setting as its menu does, other ones as they are."""
    return (SETTINGS[name].choices or {}).get(value, value)


def as_on_page(text: str) -> str:
    """Write what a run notes, or what is refused, for the page.

    "steered at step 9: style_weight" becomes "changed at step 9: β style"; "start is 'image', but there …" becomes
    "“Start from” is “another picture”, but there …".
    """
    text = CHANGED.sub(_changed, text)
    refused = REFUSED.match(text)
    if refused is None or refused[1] not in SETTINGS:
        return text
    value = f"“{title_of(refused[1], refused[2][1:-1])}”" if refused[2] else ""
    return f"“{label_of(refused[1])}” is {value}{text[refused.end() :]}"


def _changed(note: re.Match[str]) -> str:
    return f"changed at step {note[1]}: {', '.join(map(label_of, note[2].split(', ')))}"
