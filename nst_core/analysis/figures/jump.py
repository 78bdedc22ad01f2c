"""Makes the figure of the jump: a style reached in closed form, beside the optimiser's walk to the same place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nst_core import images
from nst_core.analysis.figure import Chart, Figure, FigureMaterial, Moment, Moments, Part, Question
from nst_core.analysis.figures.start import marks_of
from nst_core.analysis.options import backbone_option, seed_option, size_option, steps_option
from nst_core.devices import Compute, computing_on
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.memory import check_memory
from nst_core.transfer.record import RunRecord
from nst_core.transfer.run import Run
from nst_core.transfer.stylize import stylize
from nst_core.universal.decoders import LEVELS
from nst_core.universal.painter import UniversalPainter, style_picture

CHART = "work that is left, of a blank picture's"
ROWS = ("the jump, in closed form", "the walk, by gradients")
COLUMNS = tuple(f"stage {number}" for number in range(1, len(LEVELS) + 1))
STYLE = "style"


@dataclass(frozen=True)
class Seen:
    """A picture on the way.

    Attributes:
        image: (1, 3, H, W) in [0, 1], on the CPU.
        loss: the work that is left to the style's clouds, of all that a blank picture would have.
        record: of the painting that it is, if it is one.
    """

    image: Tensor
    loss: float
    record: RunRecord | None = None


def make(material: FigureMaterial, settings: dict[str, Any], compute: Compute) -> Moments:
    """Make the figure: in the first row what each level's map makes of the photo, in the second the optimiser's way."""
    config = StyleTransferConfig(
        **{name: settings[name] for name in ("backbone", "size", "steps", "seed")},
        style_layers=tuple(reversed(LEVELS)),
        style_loss="wasserstein",
        style_normalization="relative",
        content_weight=0.0,
        style_weight=1.0,
        padding="reflect",
    )
    content_image, style_image = material.content(), material.style()
    run = stylize(content_image, style_image, config, compute=compute)
    check_memory(images.size_of(run.content_image), images.size_of(run.painting.style_image), config, compute)
    painter = UniversalPainter({STYLE: style_picture(style_image)}, compute)
    return _moments(run, painter, marks_of(config.steps, len(COLUMNS)))


def _moments(run: Run, painter: UniversalPainter, marks: Sequence[int]) -> Moments:
    walked: list[Seen] = []
    line: list[tuple[float, float]] = []
    try:
        yield Moment(ROWS, COLUMNS, (), text="looking at the pictures")
        with computing_on(run.compute):
            objective, start = run.laid_out()

        def judged(image: Tensor) -> Seen:
            with computing_on(run.compute), torch.no_grad():
                loss = sum(float(term) for term in objective(image.to(start)).values())
            return Seen(image.cpu(), loss)

        photo = judged(start.detach())
        jumped = [judged(image) for image in painter.stages(run.content_image, {STYLE: 1.0})]
        line.append((0.0, photo.loss))
        yield _moment(jumped, walked, line, marks, None)
        for frame in run:
            if frame.step == 0:
                continue
            line.append((frame.step, frame.total))
            if frame.step in marks:
                record = run.record() if frame.step == marks[-1] else None
                walked.append(Seen(frame.image.cpu(), frame.total, record))
            yield _moment(jumped, walked, line, marks, frame.image)
    finally:
        run.close()


def _moment(
    jumped: Sequence[Seen],
    walked: Sequence[Seen],
    line: Sequence[tuple[float, float]],
    marks: Sequence[int],
    newest: Tensor | None,
) -> Moment:
    step, goal = int(line[-1][0]), jumped[-1].loss
    lines = {ROWS[0]: ((0.0, goal), (float(marks[-1]), goal)), ROWS[1]: tuple(line)}
    return Moment(
        rows=ROWS,
        columns=COLUMNS,
        parts=(*_jumps(jumped), *_walks(walked, marks, newest)),
        charts=(Chart(CHART, "step", lines),),
        text=f"step {step} of {marks[-1]}",
        share=step / marks[-1],
        findings=_findings(goal, line) if step == marks[-1] else (),
    )


def _jumps(jumped: Sequence[Seen]) -> Iterator[Part]:
    for column, (level, seen) in enumerate(zip(LEVELS, jumped, strict=True)):
        facts = {"level": level, "loss": seen.loss}
        caption = f"moved at {level}\n{seen.loss:.2g} of a blank picture's work left"
        yield Part(0, column, f"{ROWS[0]}, {level}", seen.image, caption, done=True, facts=facts)


def _walks(walked: Sequence[Seen], marks: Sequence[int], newest: Tensor | None) -> Iterator[Part]:
    for column, (mark, seen) in enumerate(zip(marks, walked, strict=False)):
        facts = {"step": mark, "loss": seen.loss}
        caption = f"step {mark}\n{seen.loss:.2g} of a blank picture's work left"
        yield Part(1, column, f"{ROWS[1]}, step {mark}", seen.image, caption, True, seen.record, facts)
    if len(walked) < len(marks):
        mark = marks[len(walked)]
        yield Part(1, len(walked), f"{ROWS[1]}, step {mark}", newest, "on the way", facts={"step": mark})


def _findings(goal: float, line: Sequence[tuple[float, float]]) -> tuple[str, ...]:
    first, last = line[0][1], line[-1][1]
    jumped = f"The jump leaves {goal:.2g} of a blank picture's work, where the photo begins at {first:.2g}."
    passed = next((int(step) for step, loss in line if loss <= goal), None)
    if passed is None:
        return jumped, f"After {int(line[-1][0])} steps the walk leaves {last:.2g} and is not there yet."
    return (
        jumped,
        f"The walk is as near after {passed} steps, and leaves {last:.2g} in the end: it sees how the layers hang "
        "together, where the jump takes them one after another, and decoders are not exact.",
    )


FIGURE = Figure(
    name="jump",
    title="The jump",
    see="To style means to move a cloud: at every position of the picture stands a vector of features, and all of them "
    "together have a mean and a spread, as the style's have. Where Gaussian clouds are concerned, the way from one to "
    "the other that takes the least work is known in closed form. In the first row it is taken at once, deep layer "
    "first, and a decoder makes a picture of what was moved: any style, in one pass. In the second the optimiser "
    "walks down the same measure step by step, with the network that is chosen; the jump is always Lite's.",
    equation="L = Σ_l W₂²(cloud_l(x), cloud_l(style)),  W₂² = ‖μ − μ_s‖² + tr(Σ + Σ_s − 2 √(S Σ_s S)),  S = √Σ\n"
    "the walk: x ← x − t H ∇L(x)\n"
    "the jump: f ← T (f − μ) + μ_s,  T = S⁻¹ √(S Σ_s S) S⁻¹,  x ← decoder_l(f)",
    remarks=("the walk", "the jump"),
    source="Lu et al. (2019), eq. 9; Li et al. (2017) for decoders, coarse to fine; the walk's loss is Crowson's. Work "
    "is a share of a blank picture's",
    question=Question(
        "The jump takes the features to the style's statistics in a single pass, the optimiser walks there in 80 "
        "steps. Which is nearer in the end?",
        (
            "The optimiser, by far",
            "The jump, as a closed form is exact",
            "Both are equally near",
            "Neither is nearer than the photo was",
        ),
        right=0,
        why="The optimiser minds all layers together, while the jump takes them one after another, and its decoders "
        "are not exact.",
    ),
    options=(steps_option(80), backbone_option(), size_option(256), seed_option()),
    pictures=("content", "style"),
    make=make,
)
