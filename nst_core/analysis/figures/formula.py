"""Makes the figure of the formulas: a preset's loss with its numbers, beside its chart, the paper's and the field's."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from nst_core import images
from nst_core.analysis.figure import Chart, Figure, FigureMaterial, Moment, Moments, Part, Question, Table
from nst_core.analysis.options import Option, backbone_option, seed_option, size_option, steps_option
from nst_core.analysis.series import Series
from nst_core.analysis.written.code import program, small_run
from nst_core.analysis.written.differences import description_of, difference_of
from nst_core.analysis.written.terms import Term, rounded, terms_of
from nst_core.devices import Compute, computing_on
from nst_core.features.loading import load_network
from nst_core.features.scale import FEATURE_SCALES
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.optimize import Frame
from nst_core.transfer.presets import PLAIN_PRESET, PRESETS, counterpart
from nst_core.transfer.run import Run
from nst_core.transfer.stylize import stylize
from nst_core.transfer.terms import content_term, shares_of, style_term

COLUMNS = ("content", "style", "result")
PAPER = "gatys_printed"
TOTAL = "total"
RELATIVE = "relative"
TELL_SECONDS = 0.1  # between two moments, and what a step takes
CHART = "weighted losses"


def zeros_of(objective: StyleTransferObjective) -> dict[str, float]:
    """Map a term's name to its distance for a picture that shows nothing, where the objective divides by that."""
    zeros = {content_term(layer): zero for layer, zero in objective.content_magnitudes.items()}
    if objective.config.style_normalization == RELATIVE:
        zeros |= {style_term(layer): targets[0].magnitude for layer, targets in objective.style_targets.items()}
    return zeros


class FormulaWatch:
    """A painting by a preset, and its loss in letters and numbers, as moments.

    Args:
        run: the painting.
        preset: by which it is painted.
        paper: the paper's settings at its size.
        other: those of the preset's counterpart, if it has one.
    """

    def __init__(self, run: Run, preset: str, paper: StyleTransferConfig, other: StyleTransferConfig | None = None):
        self.run, self.preset, self.other, self.series = run, preset, other, Series()
        size = images.size_of(run.content_image)
        self.terms = terms_of(run.config, size)
        self.fixed = tuple(
            Part(0, column, name, image, done=True)
            for column, (name, image) in enumerate(
                zip(COLUMNS, (run.content_image, run.painting.style_image), strict=False)
            )
        )
        papers = terms_of(paper, images.fitted_size(size, paper.size, paper.size_rule))
        self.tables = (FIELD,) if counterpart(preset) == PAPER else (_papers(papers), FIELD)
        self.program = program()
        self.other_losses: dict[str, float] = {}  # of the finished painting, by the counterpart's formula

    def moments(self) -> Moments:
        """Show the loss in letters, then in numbers, and then the painting."""
        try:
            yield self._moment("looking at the pictures")
            with computing_on(self.run.compute):
                self.terms = self._measured()
            self.program = program(small_run(self.run.content_image, self.run.painting.style_image))
            yield self._moment("beginning to paint")
            told = -TELL_SECONDS
            for frame in self.run:
                self.series.note(frame.step, frame.losses)
                if time.monotonic() - told >= TELL_SECONDS:
                    yield self._moment(self._text(frame), frame)
                    told = time.monotonic()
            frame = self.run.newest
            if self.other:
                with computing_on(self.run.compute):
                    self.other_losses = self._by(self.other, frame)
            yield self._moment(f"{frame.step} steps in {self.run.seconds:.1f} seconds", frame, done=True)
        finally:
            self.run.close()

    def _measured(self) -> tuple[Term, ...]:
        """List the terms with all their numbers, also those that are the pictures' own."""
        run, config = self.run, self.run.config
        if RELATIVE not in (config.content_normalization, config.style_normalization):
            return self.terms
        return terms_of(config, images.size_of(run.content_image), zeros_of(self._objective(config)))

    def _by(self, config: StyleTransferConfig, frame: Frame) -> dict[str, float]:
        """Ask another config's formula what it says of the painting."""
        with torch.no_grad():
            terms = self._objective(config)(frame.image)
        return {name: float(term) for name, term in terms.items()}

    def _objective(self, config: StyleTransferConfig) -> StyleTransferObjective:
        run = self.run
        network, _ = load_network(config.backbone, run.compute, config.feature_scale)
        content, style = (image.to(run.compute.device) for image in (run.content_image, run.painting.style_image))
        with torch.no_grad():
            return StyleTransferObjective(network, content, [style], config)

    def _text(self, frame: Frame) -> str:
        at, of = frame.scale
        scale = f", size {at} of {of}" if of > 1 else ""
        return f"step {frame.step} of {self.run.steps}{scale}"

    def _moment(self, text: str, frame: Frame | None = None, *, done: bool = False) -> Moment:
        parts = self.fixed
        charts: tuple[Chart, ...] = ()
        findings: tuple[str, ...] = ()
        if frame:
            record = self.run.record() if done else None
            parts += (Part(0, 2, "result", frame.image, f"step {frame.step}", done, record),)
            charts = (Chart(CHART, "step", self.series.lines),)
            findings = (*_shares(frame), *self._compared())
        share = 1.0 if done else (frame.step if frame else 0) / (self.run.steps + 1)
        tables = (self._loss(frame), *([self._others(self.other)] if self.other else []), *self.tables, self.program)
        return Moment(("picture",), COLUMNS, parts, charts, tables, text, share, findings, self.run.notes)

    def _loss(self, frame: Frame | None) -> Table:
        """List the preset's own terms, each with what it is now."""
        rows = _rows(self.terms, frame.losses if frame else {})
        return Table(
            f"The loss of {PRESETS[self.preset].title}, {FEATURE_SCALES[self.run.config.feature_scale]}",
            ("term", "formula", "with its numbers", "now"),
            rows,
            tuple("" if row[0] == TOTAL else row[0] for row in rows),
        )

    def _others(self, other: StyleTransferConfig) -> Table:
        """List the counterpart's terms, with what they are of the finished painting."""
        terms = terms_of(other, images.size_of(self.run.content_image))
        title = f"{PRESETS[counterpart(self.preset)].title}, {FEATURE_SCALES[other.feature_scale]}"
        heads = ("term", "formula", "with its numbers", "of this painting")
        return Table(title, heads, _rows(terms, self.other_losses))

    def _compared(self) -> tuple[str, ...]:
        """Say what the counterpart paints, and what its formula makes of this painting."""
        if not self.other:
            return ()
        name = counterpart(self.preset)
        printed = PRESETS[PRESETS[self.preset].printed or self.preset]
        found = f"{printed.title}: {printed.deviations}"
        if shares := shares_of(self.other_losses):
            said = _percents(shares)
            found += f" Of this painting's loss by “{PRESETS[name].title}”: {said}."
        return (found,)


def _rows(terms: Sequence[Term], now: Mapping[str, float]) -> tuple[tuple[str, ...], ...]:
    """Tabulate each term with its value now, and their sum."""
    values = {**now, TOTAL: math.fsum(now.values())} if now else {}
    rows = [(term.name, term.formula, term.numbers) for term in terms]
    rows.append((TOTAL, "the sum of all", ""))
    return tuple((*row, rounded(values[row[0]]) if row[0] in values else "") for row in rows)


def _percents(shares: Mapping[str, float]) -> str:
    """Write shares of a loss, with a tenth of a percent where there is less than one."""
    return ", ".join(f"{side} {share:.{int(0 < share < 0.01)}%}" for side, share in shares.items())


def _shares(frame: Frame) -> tuple[str, ...]:
    """Tabulate how much of the loss is content, style and total variation."""
    if not (shares := shares_of(frame.losses)):
        return ()
    said = _percents({side: share for side, share in shares.items() if share > 0})
    largest = max(frame.losses, key=frame.losses.__getitem__)
    return (f"Of the loss at step {frame.step}: {said}. Its largest term is {largest}.",)


def _papers(terms: tuple[Term, ...]) -> Table:
    rows = tuple((term.name, term.formula, term.numbers) for term in terms)
    return Table("The paper's: Gatys et al. (2016)", ("term", "formula", "with its numbers"), rows)


def _field() -> Table:
    """Tabulate each preset's own settings against the paper's."""
    paper = PRESETS[PAPER]
    rows = [(paper.title, "; ".join(description_of(paper.config)))]
    for name, preset in PRESETS.items():
        if name != PAPER:
            rows.append((preset.title, "; ".join(difference_of(preset.config, paper.config))))
    return Table("How the field's presets differ from the paper", ("preset", "what differs"), tuple(rows))


FIELD = _field()


def make(material: FigureMaterial, settings: dict[str, Any], compute: Compute) -> Moments:
    """Make the figure, as `Figure.make` says."""
    own = {name: settings[name] for name in ("size", "steps", "seed")}
    preset = settings["preset"]
    names = filter(None, (preset, PAPER, counterpart(preset)))
    config, paper, *other = (PRESETS[name].config.on(settings["backbone"]).changed(**own) for name in names)
    run = stylize(material.content(), material.style(), config, compute=compute)
    return FormulaWatch(run, preset, paper, *other).moments()


FIGURE = Figure(
    name="formula",
    title="The formulas",
    see="What is made as small as possible while a picture is painted: every term of the loss with its numbers and its "
    "line in the chart, the paper's beside it, and how the field's systems leave it.",
    equation="L_total = α L_content + β L_style  (eq. 7; some add γ · total variation)\n"
    "L_content = ½ Σ (F − P)²  (eq. 1; F of the painting, P of the content)\n"
    "G = F Fᵀ, A = S Sᵀ  (eq. 3; S of the style, A counted for as many positions as G)\n"
    "E_l = 1/(4N²M²) Σ (G − A)²  (eq. 4; N feature maps, M positions)\n"
    "L_style = Σ_l w_l E_l  (eq. 5)\n"
    "W₂²: the work of moving one Gaussian cloud of features onto another\n"
    "S*: of the style's vectors the one most like F\n"
    "D₀: the distance of a picture that shows nothing, s: what makes two distances equal there\n"
    "κ: more content in small pictures",
    remarks=(
        "some add",
        "total variation",
        "F of the painting, P of the content",
        "S of the style, A counted for as many positions as G",
        "N feature maps, M positions",
        "the work of moving one Gaussian cloud of features onto another",
        "of the style's vectors the one most like F",
        "the distance of a picture that shows nothing",
        "what makes two distances equal there",
        "more content in small pictures",
    ),
    source="Gatys, Ecker & Bethge (2016), eq. 1 to 7; the presets' own sources",
    question=Question(
        "With the preset “Studio” the loss adds up content, style and total variation. How much of it is total "
        "variation in the end?",
        (
            "More than half",
            "About a third",
            "About a tenth",
            "Less than a hundredth",
        ),
        right=3,
        why="It is there to hold noise between neighbouring pixels down, not to shape the picture: its line lies far "
        "below all others.",
    ),
    options=(
        Option("preset", "Preset", PLAIN_PRESET, "whose loss is written out", tuple(PRESETS)),
        size_option(192),
        steps_option(60),
        seed_option(),
        backbone_option(),
    ),
    pictures=("content", "style"),
    make=make,
)
