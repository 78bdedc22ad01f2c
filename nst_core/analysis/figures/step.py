"""Makes the figure of single steps: a picture, its gradient, and the picture a step down the gradient."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nst_core import images
from nst_core.analysis.figure import Chart, Figure, FigureMaterial, Moment, Moments, Part, Question
from nst_core.analysis.figures.start import STYLE_WEIGHT
from nst_core.analysis.options import NOISE, Option, backbone_option, seed_option, size_option
from nst_core.devices import Compute, computing_on
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.memory import check_memory
from nst_core.transfer.objective import Objective
from nst_core.transfer.run import Run
from nst_core.transfer.stylize import stylize

COLUMNS = ("x", "∇L(x)", "x − t ∇L(x)")
CHART = "loss"
HALVINGS = 24  # of t, at most: a step this much shorter changes no pixel that one would see
RIPPLES = (
    "A blank picture has a content loss of 1. This one comes near that though the photo is plain to see, as the "
    "network minds fine ripples that we overlook."
)
SEEN = 0.98  # quantile of |∇L| that is drawn as full colour; few pixels have the largest


@dataclass(frozen=True)
class DescentStep:
    """A step down the gradient.

    Attributes:
        before, gradient, after: (1, 3, H, W) on the CPU: x, ∇L(x) and x − t ∇L(x).
        length: t.
        losses, next_losses: name of a term -> its weighted loss, of x and of x − t ∇L(x).
    """

    before: Tensor
    gradient: Tensor
    after: Tensor
    length: float
    losses: Mapping[str, float]
    next_losses: Mapping[str, float]

    @property
    def largest(self) -> float:
        """Find the largest |∂L/∂x| of any pixel's colour."""
        return float(self.gradient.abs().max())


def descend(objective: Objective, image: Tensor, change: float) -> DescentStep:
    """Make a step down the gradient: a long one, halved until it lowers the loss, and for as long as halving helps.

    Args:
        objective: image -> its weighted losses.
        image: (1, 3, H, W), x.
        change: of a pixel's colour by the longest step, on average; of the pixel range.

    Returns:
        the step; of length 0 where no step lowers the loss.

    Source: Cauchy (1847). A backtracking line search (Armijo 1966) ends at the first length that is good enough.
    """
    losses, gradient = _measured(objective, image)
    mean = float(gradient.abs().mean())
    length = change / mean if mean > 0 else 0.0
    after, next_losses = image, losses
    found = 0.0
    for _ in range(HALVINGS if length else 0):
        shorter = image - length * gradient
        now = _losses(objective, shorter)
        if math.fsum(now.values()) < math.fsum(next_losses.values()):
            after, next_losses, found = shorter, now, length
        elif found:
            break
        length /= 2
    return DescentStep(image.cpu(), gradient.cpu(), after.cpu(), found, losses, next_losses)


def _measured(objective: Objective, image: Tensor) -> tuple[dict[str, float], Tensor]:
    """Measure the losses of image (1, 3, H, W), and ∇L there, of the same shape."""
    canvas = image.detach().clone().requires_grad_(True)
    terms = objective(canvas)
    (gradient,) = torch.autograd.grad(torch.stack(list(terms.values())).sum(), canvas)
    return {name: float(term.detach()) for name, term in terms.items()}, gradient.float()


def _losses(objective: Objective, image: Tensor) -> dict[str, float]:
    with torch.no_grad():
        return {name: float(term) for name, term in objective(image).items()}


def gradient_picture(gradient: Tensor) -> Tensor:
    """Draw a gradient (1, 3, H, W) in [0, 1]: grey where it is 0, brighter where a brighter pixel costs more."""
    return (0.5 + gradient / (2 * (full_colour(gradient) or 1.0))).clamp(0, 1)


def full_colour(gradient: Tensor) -> float:
    """Choose which |∂L/∂x| of a gradient (1, 3, H, W) is drawn as black or as full colour: its SEEN quantile.

    The largest where that is 0; 0 where there is none at all.
    """
    flat = gradient.abs().flatten()
    return float(flat.kthvalue(max(1, round(SEEN * len(flat)))).values) or float(flat.max())


def make(material: FigureMaterial, settings: dict[str, Any], compute: Compute) -> Moments:
    """Make the figure: a row for each step."""
    config = StyleTransferConfig(
        **{name: settings[name] for name in ("backbone", "size", "steps", "seed", "start")},
        content_normalization="relative",
        style_normalization="relative",
        style_weight=STYLE_WEIGHT,
        padding="reflect",
        noise_deviation=NOISE,
    )
    run = stylize(material.content(), material.style(), config, compute=compute)
    check_memory(images.size_of(run.content_image), images.size_of(run.painting.style_image), config, compute)
    return _moments(run, settings["change"], compute)


def _moments(run: Run, change: float, compute: Compute) -> Moments:
    count, made = run.config.steps, list[DescentStep]()
    try:
        yield _moment(made, count, "looking at the pictures")
        with computing_on(compute):
            objective, start = run.laid_out()
        image = start.detach()
        for _ in range(count):
            with computing_on(compute):
                made.append(descend(objective, image, change))
            image = made[-1].after.to(image.device)
            yield _moment(made, count, f"step {len(made)} of {count}")
    finally:
        run.close()


def _moment(made: Sequence[DescentStep], count: int, text: str) -> Moment:
    return Moment(
        rows=tuple(f"step {number}" for number in range(1, count + 1)),
        columns=COLUMNS,
        parts=tuple(part for row, step in enumerate(made) for part in _parts(row, step)),
        charts=(_chart(made),) if made else (),
        text=text,
        share=len(made) / count,
        findings=_findings(made) if len(made) == count else (),
    )


def _parts(row: int, step: DescentStep) -> Iterator[Part]:
    facts = {"t": step.length, "largest": step.largest, "losses": step.losses, "next_losses": step.next_losses}
    pictures = step.before, gradient_picture(step.gradient), step.after
    captions = (
        _told(step.losses),
        f"largest |∂L/∂x|: {step.largest:.2g}\ngrey: 0, full colour: {full_colour(step.gradient):.2g}",
        _told(step.next_losses, step.length),
    )
    for column, (image, caption) in enumerate(zip(pictures, captions, strict=True)):
        yield Part(row, column, f"{COLUMNS[column]}, step {row + 1}", image, caption, done=True, facts=facts)


def _sides(losses: Mapping[str, float]) -> dict[str, float]:
    """Add up what belongs to the content, to the style, and all: name -> weighted loss."""
    sides = {
        side: math.fsum(loss for name, loss in losses.items() if name.startswith(side)) for side in ("content", "style")
    }
    return {**sides, "total": math.fsum(losses.values())}


def _told(losses: Mapping[str, float], length: float | None = None) -> str:
    sides = _sides(losses)
    if length is None:
        return f"L = {sides['total']:.3g}\ncontent {sides['content']:.3g} + style {sides['style']:.3g}"
    return f"L = {sides['total']:.3g}\ncontent {sides['content']:.3g} + style {sides['style']:.3g}\nt = {length:.2g}"


def _chart(made: Sequence[DescentStep]) -> Chart:
    along = [_sides(made[0].losses), *(_sides(step.next_losses) for step in made)]
    lines = {name: [(number, sides[name]) for number, sides in enumerate(along)] for name in along[0]}
    return Chart(CHART, "step", lines, logarithmic=False)


def _findings(made: Sequence[DescentStep]) -> tuple[str, ...]:
    first, last = math.fsum(made[0].losses.values()), math.fsum(made[-1].next_losses.values())
    if not last < first:
        return ("No step down the gradient makes this loss smaller: it is as small here as it gets nearby.",)
    moved = float((made[-1].after - made[0].before).abs().mean())
    ripples: tuple[str, ...] = ()
    if _sides(made[0].losses)["content"] == 0 and _sides(made[-1].next_losses)["content"] > 0.5:
        ripples = (RIPPLES,)
    lowered = f"{len(made)} steps lower" if len(made) > 1 else "One step lowers"
    return (
        f"{lowered} the loss from {first:.3g} to {last:.3g}. On average a pixel's colour is {moved:.1%} of its range "
        "away from where it began.",
        *ripples,
    )


FIGURE = Figure(
    name="step",
    title="One step",
    see="All of the method in one line: look at the picture, ask the network which way each pixel's colour would raise "
    "the loss, and move it a little the other way. In the middle is that question's answer, the gradient: grey where a "
    "pixel does not matter, bright where the loss grows with its brightness, coloured where with its colour. At the "
    "right is the picture a step further, with a smaller loss; the next row begins there.",
    equation="∂L_content/∂Fᵢⱼ = (F − P)ᵢⱼ  where Fᵢⱼ > 0, else 0  (eq. 2)\n"
    "∂E_l/∂Fᵢⱼ = 1/(N² M²) (Fᵀ(G − A))ⱼᵢ  where Fᵢⱼ > 0, else 0  (eq. 6)\n"
    "∇L = α ∂L_content/∂x + β ∂L_style/∂x,  back through the network to the pixels\n"
    "x ← x − t ∇L(x)",
    remarks=("where Fᵢⱼ > 0, else 0", "back through the network to the pixels"),
    source="Gatys, Ecker & Bethge (2016), eq. 2, 6 and 7. They take L-BFGS, which learns from the last steps how to "
    "turn and stretch the next one; here a long t is halved until the loss falls, and on for as long as that lowers "
    "it further. Losses are "
    f"shares of a blank picture's, the style's times {STYLE_WEIGHT:g}",
    question=Question(
        "A painting that begins as the photo itself has a content loss of 0. What does its first step down the "
        "gradient do to the two losses?",
        (
            "The content loss stays 0, the style loss falls",
            "Both fall",
            "The content loss rises, the style loss falls by more",
            "Both rise",
        ),
        right=2,
        why="From 0 the content loss can only rise, and the step is worth it because the sum of both gets smaller.",
    ),
    options=(
        Option("steps", "Steps", 3, extent=(1, 8)),
        Option("change", "Longest step", 0.1, "a pixel's mean change, of its range", extent=(0.001, 1)),
        Option("start", "Start", "content", choices=("content", "noise", "style")),
        backbone_option(),
        size_option(256),
        seed_option(),
    ),
    pictures=("content", "style"),
    make=make,
)
