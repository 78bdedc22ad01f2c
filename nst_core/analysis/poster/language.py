"""Says a figure in another language: its words, never its settings, its formula or what programs read of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from nst_core.analysis.figure import Chart, Moment, Table
from nst_core.analysis.poster.lettering import Lettering, best_lettering, lettering_for


@dataclass(frozen=True)
class Language:
    """In which language a figure is kept.

    Attributes:
        name: short: "de".
        say: English -> the language; what it does not know stays.
    """

    name: str = "en"
    say: Callable[[str], str] = str

    @property
    def drawn(self) -> "Language":
        """Give the language in which words are drawn: English where no font here has the letters."""
        return self if lettering_for(self.name) else ENGLISH

    @property
    def lettering(self) -> Lettering:
        """Give what its words are drawn with."""
        return lettering_for(self.name) or best_lettering()

    def moment(self, moment: Moment) -> Moment:
        """Say what a figure shows; its charts, which are pictures, as they are drawn."""
        say, lines = self.say, self._lines(moment)
        return replace(
            moment,
            rows=tuple(map(say, moment.rows)),
            columns=tuple(map(say, moment.columns)),
            parts=tuple(replace(part, label=say(part.label), caption=say(part.caption)) for part in moment.parts),
            charts=tuple(self._chart(chart, lines) for chart in moment.charts),
            tables=tuple(self._table(table, lines) for table in moment.tables),
            findings=tuple(map(say, moment.findings)),
            notes=tuple(map(say, moment.notes)),
        )

    def _lines(self, moment: Moment) -> dict[str, str]:
        """Name the lines of all charts; two that would be alike stay English."""
        names = dict.fromkeys(name for chart in moment.charts for name in chart.lines)
        told = {name: self.drawn.say(name) for name in names}
        said = [*told.values()]
        return {name: name if said.count(text) > 1 else text for name, text in told.items()}

    def _chart(self, chart: Chart, lines: Mapping[str, str]) -> Chart:
        say = self.drawn.say
        named = {lines[name]: points for name, points in chart.lines.items()}
        return replace(chart, title=say(chart.title), x=say(chart.x), lines=named)

    def _table(self, table: Table, lines: Mapping[str, str]) -> Table:
        return Table(
            self.say(table.title),
            tuple(map(self.say, table.heads)),
            tuple(tuple(self._cell(table, at, text) for at, text in enumerate(row)) for row in table.rows),
            tuple(lines.get(line, line) for line in table.lines),
        )

    def _cell(self, table: Table, column: int, text: str) -> str:
        return text if table.is_code(column) else self.say(text)


ENGLISH = Language()
