"""Tells in which language the server answers what it draws: the page's, else the first that the browser asks for."""

import gzip
import json
import re
from collections.abc import Mapping
from functools import cache

from nst_core.analysis.poster.language import ENGLISH, Language
from nst_core.ui.words.lookup import Catalogue
from nst_core.ui.words.served import catalogue, languages

# Of an event whose last input is hidden: what the page speaks then.
TELL = "(...given) => [...given.slice(0, -1), window.pageWords?.language ?? '']"
ACCEPTED = re.compile(r"\s*([\w-]+)\s*(?:;\s*q\s*=\s*([\d.]+)\s*)?")
TRADITIONAL = {"hant", "tw", "hk", "mo"}  # Chinese of which there is no catalogue


def language_of(chosen: object, headers: Mapping[str, str]) -> Language:
    """Choose a language.

    Args:
        chosen: its short name, as the page tells it; anything else is nothing.
        headers: of the request, whose Accept-Language is asked then.
    """
    wanted = [known(chosen), *map(known, accepted(headers.get("accept-language", "")))]
    return language_named(next((name for name in wanted if name), "en"))


@cache
def language_named(name: str) -> Language:
    """Give a language of the page by its short name."""
    if name not in languages() or name == ENGLISH.name:
        return ENGLISH
    return Language(name, Catalogue(name, json.loads(gzip.decompress(catalogue(name)))).said)


def known(tag: object) -> str | None:
    """Find the language of a tag such as "de-AT"; None: the page does not speak it."""
    short, *rest = re.split("[-_]", str(tag or "").lower())
    foreign = short == "zh" and TRADITIONAL.intersection(rest)
    return short if short in languages() and not foreign else None


def accepted(header: str) -> list[str]:
    """List the tags of an Accept-Language, those that are wanted most first; what is none is left out."""
    found = [(match[1], float(match[2] or 1)) for part in header.split(",") if (match := ACCEPTED.fullmatch(part))]
    return [tag for tag, quality in sorted(found, key=lambda pair: -pair[1]) if quality > 0]
