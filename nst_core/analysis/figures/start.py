"""Makes the figure of starts and optimisers: the same loss from other pictures and by other ways, with their times."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from nst_core.analysis.figure import Chart, Figure, FigureMaterial, Moment, Moments, Part, Question
from nst_core.analysis.options import NOISE, Option, backbone_option, seed_option, size_option, steps_option
from nst_core.analysis.painting.cells import FigureCell, FigureGrowth
from nst_core.analysis.painting.side_by_side import moments
from nst_core.devices import Compute
from nst_core.transfer.config import StyleTransferConfig

COLUMNS = 5  # pictures of each run
OPTIMIZER_TITLES = {"lbfgs": "L-BFGS", "adam": "Adam"}
STYLE_WEIGHT = 8.0  # of a content that counts 1, both as shares of a blank picture's: chosen by looking
STARTS = ("content", "noise", "style")


def make(material: FigureMaterial, settings: dict[str, Any], compute: Compute) -> Moments:
    """Make the figure: a row for each start and optimiser, a column for each fifth of the steps."""
    content_image, style_image = material.content(), material.style()
    marks = marks_of(settings["steps"])
    base = StyleTransferConfig(
        **{name: settings[name] for name in ("backbone", "size", "steps", "seed")},
        content_normalization="relative",
        style_normalization="relative",
        style_weight=STYLE_WEIGHT,
        padding="reflect",
        noise_deviation=NOISE,
    )
    cells = [
        FigureCell(
            row,
            column=0,
            label=f"{start}, {OPTIMIZER_TITLES[optimizer]}",
            config=base.changed(start=start, optimizer=optimizer),
            content_image=content_image,
            style_image=style_image,
            marks=marks,
        )
        for row, (start, optimizer) in enumerate(product(settings["starts"], settings["optimizers"]))
    ]
    rows, columns = tuple(cell.label for cell in cells), tuple(f"step {mark}" for mark in marks)

    def told(growths: tuple[FigureGrowth, ...]) -> Moment:
        parts = tuple(part for growth in growths for part in _parts(growth))
        by_step = {
            growth.cell.label: [(step, loss) for step, _, loss in growth.history if loss > 0] for growth in growths
        }
        by_time = {
            growth.cell.label: [(_since_first(growth, at), loss) for _, at, loss in growth.history if loss > 0]
            for growth in growths
        }
        charts = Chart("total loss by step", "step", by_step), Chart("total loss by time", "seconds", by_time)
        return Moment(rows, columns, parts, charts, findings=_findings(growths))

    return moments(cells, compute, told, together=False)  # each by itself, as seconds are compared


def marks_of(steps: int, columns: int = COLUMNS) -> tuple[int, ...]:
    """List the steps of which pictures are shown: 100, 200, 300, 400, 500 of 500."""
    return tuple(dict.fromkeys(max(1, round(steps * part / columns)) for part in range(1, columns + 1)))


def _since_first(growth: FigureGrowth, seconds: float) -> float:
    """Count a run's seconds from its first picture: before it one of them, not always the same, loads the network."""
    return seconds - growth.history[0][1]


def _parts(growth: FigureGrowth) -> Iterator[Part]:
    """List the pictures of a run at its marks; at the next one, the newest."""
    cell = growth.cell
    for column, mark in enumerate(cell.marks):
        label = f"{cell.label}, step {mark}"
        record = growth.record if column == len(cell.marks) - 1 else None
        facts = {"config": cell.config.to_dict(), "step": mark}
        if mark in growth.marked:
            image, seconds = growth.marked[mark]
            yield Part(cell.row, column, label, image, f"{_since_first(growth, seconds):.1f} s", True, record, facts)
        else:
            yield Part(
                cell.row,
                column,
                label,
                growth.image,
                growth.problem or f"step {growth.step}",
                growth.done,
                None,
                facts,
            )
            return


def _findings(growths: tuple[FigureGrowth, ...]) -> tuple[str, ...]:
    """Tell which start and optimiser lead furthest, by steps and by time."""
    done = [growth for growth in growths if growth.record]
    if len(done) < 2 or len(done) < len(growths):
        return ()
    best = min(done, key=lambda growth: growth.history[-1][2])
    lowest = best.history[-1][2]
    seconds = [_since_first(growth, growth.history[-1][1]) for growth in done]
    return (
        f"The lowest loss after {best.step} steps is that of {best.cell.label}.",
        *_others([growth.history[-1][2] for growth in done if growth is not best], lowest),
        f"The same number of steps takes {min(seconds):.1f} to {max(seconds):.1f} s whatever the start.",
    )


def _others(losses: Sequence[float], lowest: float) -> Iterator[str]:
    """Compare the losses of the others with the lowest one, if that leaves anything."""
    if lowest > 0:
        least, most = min(losses) / lowest, max(losses) / lowest
        ends = f"The other ends at {most:.3g} times that loss."
        yield ends if len(losses) == 1 else f"The others end at {least:.3g} to {most:.3g} times that loss."


FIGURE = Figure(
    name="start",
    title="Start and optimiser",
    see="Every row lowers the same loss. From the photo the subject is there at once, from noise it has to be found, "
    "from the style the brush strokes stay where they were. L-BFGS learns how the loss curves and takes long, well-"
    "aimed steps; Adam moves every pixel by about the same small amount.",
    equation="L-BFGS: x ← x − t H ∇L(x), where H comes of the last steps\n"
    "Adam: x ← x − t m / (√v + ε), where m and v are running means of ∇L and its square",
    remarks=("where H comes of the last steps", "where m and v are running means of ∇L and its square"),
    source="Luo; Chao, Perez & Chen: pictures at 100 … 500; Cheng: noise against clone, with the time of each. "
    "Liu & Nocedal (1989); Kingma & Ba (2015)",
    question=Question(
        "The same loss is lowered from the photo, from noise and from the style picture. What is there after 500 "
        "steps?",
        (
            "Three different paintings with nearly the same loss",
            "Three times the same painting",
            "One good painting: the other losses stay ten times as high",
            "One painting: noise stays noise, the style picture stays as it was",
        ),
        right=0,
        why="The loss is about as small for a great many pictures, and each start leads to one that is near it.",
    ),
    options=(
        Option("starts", "Starts", STARTS, choices=STARTS),
        Option("optimizers", "Optimisers", tuple(OPTIMIZER_TITLES), choices=tuple(OPTIMIZER_TITLES)),
        backbone_option(),
        size_option(160),
        steps_option(500),
        seed_option(),
    ),
    pictures=("content", "style"),
    make=make,
)
