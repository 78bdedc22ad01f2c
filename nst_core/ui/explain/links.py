"""Makes and reads links that open the page at a figure with its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nst_core.analysis.figure import Figure
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.errors import ConfigError, said
from nst_core.ui.studio.links import EXAMPLES, FIGURE_KEY, linked_picture


@dataclass(frozen=True, kw_only=True)
class LessonLink:
    """A figure with its settings and pictures.

    Attributes:
        figure: which one.
        settings: name -> value of every option.
        pictures: of EXAMPLES -> an example of the program's, or what a link brought; none for others.
    """

    figure: Figure
    settings: dict[str, Any]
    pictures: dict[str, Path] = field(default_factory=dict)

    def query(self) -> str:
        """Write the lesson as the end of an address: "?figure=grid&size=128&content=cat"; defaults are left out."""
        told = {FIGURE_KEY: self.figure.name}
        for option in self.figure.options:
            if self.settings[option.name] != option.default:
                told[option.name] = option.text(self.settings[option.name])
        told |= {key: path.stem for key, path in self.pictures.items()}
        return "?" + urlencode(told)


def read_link(query: Mapping[str, str]) -> LessonLink | None:
    """Read the lesson that an address names, None if it names none; other parts of it, such as a theme, are ignored.

    Raises:
        ConfigError: an unknown figure or example, or an invalid value.
    """
    name = query.get(FIGURE_KEY)
    if name is None:
        return None
    if name not in FIGURES:
        raise ConfigError(f"the link's figure is {said(name)}; choose one of {', '.join(FIGURES)}")
    figure = FIGURES[name]
    known = {option.name for option in figure.options}
    settings = figure.settings({key: value for key, value in query.items() if key in known})
    pictures = {key: linked_picture(key, query[key]) for key in EXAMPLES if key in query}
    return LessonLink(figure=figure, settings=settings, pictures=pictures)


def as_example(key: str, path: Path | None) -> dict[str, Path]:
    """Recognise an upload as an example, key -> its file, by name and size; nothing for a picture of the user's own."""
    if path is None:
        return {}
    example = EXAMPLES[key] / path.name
    is_ours = example.exists() and path.exists() and example.stat().st_size == path.stat().st_size
    return {key: example} if is_ours else {}
