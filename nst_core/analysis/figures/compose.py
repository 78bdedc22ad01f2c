"""Makes the figure of a composed picture: a cut-out pasted and blended into another picture, and both painted."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from nst_core import images
from nst_core.analysis.cutouts.cutout import trimmed
from nst_core.analysis.cutouts.paste import BLENDS, LEAST_SCALE, Placed, box_of, place
from nst_core.analysis.figure import Figure, FigureMaterial, Moment, Moments, Part, Question
from nst_core.analysis.options import Option, backbone_option, seed_option, size_option, steps_option
from nst_core.devices import Compute
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.presets import PLAIN_PRESET, PRESETS
from nst_core.transfer.stylize import stylize

COMPOSED_SIDE = 1024  # pixels at most, unless it is painted larger: OpenCV works to the pixel, so small is coarse
COLUMNS = ("cut-out pasted", "Poisson blended", "painted from the paste", "painted from the blend")

SEE = """The cut-out is put into the picture twice. Pasted, it keeps its own colours and shows its outline. Blended, it
keeps only its gradients, what is lighter or darker than what is beside it, and takes its colours from where it stands.
Both are then painted with the same settings and the same seed. The painter keeps what the network sees in the content,
and the network sees a pasted outline as an edge like any other: so it is painted, too."""

EQUATION = """min_f ∬_Ω |∇f − v|²,  f|∂Ω = f*|∂Ω
⇔  Δf = div v,  f|∂Ω = f*|∂Ω
v = ∇g  (normal: the cut-out's gradients)
v = the stronger of ∇f* and ∇g at each pixel  (mixed)
v = ∇(grey of g)  (monochrome)"""

SOURCE = """Pérez, Gangnet & Blake (2003), Poisson Image Editing, eq. 3, 4, 9 and 12, solved by OpenCV's seamlessClone;
blended pictures as contents: Cheng"""


@dataclass(frozen=True)
class CompositionPlan:
    """Holds all that a composed figure is made of: pictures, the cut-out's place, and settings."""

    background: Tensor
    cutout: Tensor
    style: Tensor
    spot: dict[str, Any]  # as `place` takes it
    config: StyleTransferConfig
    compute: Compute

    @property
    def composed_size(self) -> tuple[int, int]:
        """(height, width) of both compositions, pixels: no smaller than what is painted of them."""
        own = images.size_of(self.background)
        painted = images.fitted_size(own, self.config.size, self.config.size_rule)
        return images.fitted_size(own, max(*painted, min(COMPOSED_SIDE, max(own))))

    def placed(self) -> Placed:
        """Make both compositions, pasted and blended."""
        return place(images.resize(self.background, self.composed_size), self.cutout, **self.spot)


def make(material: FigureMaterial, settings: dict[str, Any], compute: Compute) -> Moments:
    """Compose, then paint both compositions, a column after the other.

    Args:
        material: content (the background), style and cut-out.
        settings: name -> value of each of the figure's options.
        compute: device and precision.

    Returns:
        moments, the last with the findings.

    Raises:
        ImageError: a picture is missing, or the cut-out is empty.
        ConfigError: the cut-out does not fit where it is put, or a size does not suit the pictures.
        WeightsError, DeviceError: as `stylize`.
    """
    config = PRESETS[settings["preset"]].config.on(settings["backbone"])
    config = config.changed(size=settings["size"], steps=settings["steps"], seed=settings["seed"])
    spot = {name: settings[name] for name in ("x", "y", "scale", "blend")}
    plan = CompositionPlan(material.content(), trimmed(material.cutout), material.style(), spot, config, compute)
    x, y, scale = (settings[name] for name in ("x", "y", "scale"))
    box_of(plan.composed_size, images.size_of(plan.cutout), x=x, y=y, scale=scale)  # raises where it does not fit
    stylize(plan.background, plan.style, config, compute=compute).close()  # raises what either painting would
    return _moments(plan)


def _moments(plan: CompositionPlan) -> Moments:
    yield Moment(("",), COLUMNS, (), text="putting the cut-out into the picture")
    began = time.perf_counter()
    placed = plan.placed()
    parts = _composed(plan, placed, time.perf_counter() - began)
    yield Moment(("",), COLUMNS, parts, text="composed")
    for column, image in ((2, placed.plain), (3, placed.blended)):
        for part in _painting(plan, image, column):
            step = part.facts["step"]
            share = (column - 2 + (1.0 if part.done else step / plan.config.steps)) / 2
            text = f"{COLUMNS[column]}: step {step} of {plan.config.steps}"
            yield Moment(("",), COLUMNS, (*parts, part), text=text, share=min(share, 1.0))
        parts += (part,)
    painted = (part.image for part in parts[2:] if part.image is not None)
    findings = _findings(plan, placed, *painted)
    yield Moment(("",), COLUMNS, parts, text="done", share=1.0, findings=findings)


def _composed(plan: CompositionPlan, placed: Placed, seconds: float) -> tuple[Part, ...]:
    """Show both compositions in the first two columns."""
    box, facts = placed.box, plan.spot
    where = f"{box.width}×{box.height} pixels, {box.left} from the left and {box.top} from the top"
    captions = f"as if with glue\n{where}", f"its gradients in the picture's light ({facts['blend']})\n{seconds:.2f} s"
    pictures = placed.plain, placed.blended
    return tuple(
        Part(0, column, COLUMNS[column], image, caption, done=True, facts=facts)
        for column, (image, caption) in enumerate(zip(pictures, captions, strict=True))
    )


def _painting(plan: CompositionPlan, image: Tensor, column: int) -> Iterator[Part]:
    """Show a composition as it is painted, a Part a step; the last one is done."""
    run = stylize(image, plan.style, plan.config, compute=plan.compute)
    try:
        for frame in run:
            caption, facts = f"step {frame.step}\n{run.seconds:.1f} s", {**plan.spot, "step": frame.step}
            part = Part(0, column, COLUMNS[column], frame.image, caption, record=run.record(), facts=facts)
            yield part
        caption = f"{frame.step} steps in {run.seconds:.1f} s"
        yield replace(part, caption=caption, done=True, record=run.record())
    finally:
        run.close()


def seam(image: Tensor, mask: Tensor) -> float:
    """Measure how much the colours jump across an outline.

    Args:
        image: (1, 3, H, W) in [0, 1].
        mask: (1, 1, H, W) in [0, 1]; the outline is where it passes one half.

    Returns:
        mean difference of two neighbours on either side of the outline, as a share of the pixel range; 0 if there is
        no outline.
    """
    inside, shown = mask.cpu() >= 0.5, image.detach().cpu()
    steps = [(inside.diff(dim=axis), shown.diff(dim=axis).abs().mean(1, keepdim=True)) for axis in (2, 3)]
    found = torch.cat([step[crossing] for crossing, step in steps])  # the difference of True and False is True
    return found.mean().item() if len(found) else 0.0


def _findings(plan: CompositionPlan, placed: Placed, painted_plain: Tensor, painted_blended: Tensor) -> tuple[str, ...]:
    outline = placed.outline
    plain, blended = seam(placed.plain, outline), seam(placed.blended, outline)
    fitted = images.fit(outline, plan.config.size, plan.config.size_rule)  # as the painter cropped the pictures
    after, after_blend = seam(painted_plain, fitted), seam(painted_blended, fitted)
    shift = (placed.blended - placed.plain).abs().mean(1, keepdim=True)[outline > 0.5].mean().item()
    brackets = {4: "less than a quarter as much", 2: "less than half as much", 1: "less"}
    less = next((words for share, words in brackets.items() if blended < plain / share), "no less")
    kept = "The painter kept that difference" if after_blend < 0.9 * after else "The painter evened that out"
    return (
        f"Across the cut-out's outline colours jump by {plain:.1%} of their range when it is pasted, and by "
        f"{blended:.1%} when it is blended: {less}.",
        f"{kept}: {after:.1%} in the painting of the paste, {after_blend:.1%} in that of the blend, where any two "
        f"neighbours differ by {_roughness(painted_blended):.1%} on average.",
        f"Blending changed the cut-out's own colours by {shift:.1%} on average, to those of the light where it stands.",
    )


def _roughness(image: Tensor) -> float:
    """Measure the mean difference of any two neighbours in (1, 3, H, W)."""
    return (image.diff(dim=2).abs().mean().item() + image.diff(dim=3).abs().mean().item()) / 2


FIGURE = Figure(
    name="compose",
    title="Compose first",
    see=" ".join(SEE.split()),
    equation=EQUATION,
    remarks=(
        "normal: the cut-out's gradients",
        "the stronger of ∇f* and ∇g at each pixel",
        "mixed",
        "grey of g",
        "monochrome",
    ),
    source=" ".join(SOURCE.split()),
    question=Question(
        "A cut-out is glued into the photo, its outline plain to see, and all of it is painted. What becomes of the "
        "outline?",
        (
            "The painter smooths it away",
            "The cut-out goes with it: only the photo is painted",
            "It is painted, too, and stays to be seen",
            "It takes on the shapes of the style picture",
        ),
        right=2,
        why="To the network a pasted outline is an edge like any other, and the content loss keeps edges; blended "
        "first, there is less of it to keep.",
    ),
    options=(
        Option("x", "Across", 0.5, "the cut-out's centre, of the picture's width", extent=(0, 1)),
        Option("y", "Down", 0.5, "the cut-out's centre, of the picture's height", extent=(0, 1)),
        Option("scale", "Share", 0.4, "the cut-out's longer side of the picture's longer", extent=(LEAST_SCALE, 1)),
        Option("blend", "Blending", "normal", "whose gradients are kept", tuple(BLENDS)),
        Option("preset", "Preset", PLAIN_PRESET, choices=tuple(PRESETS)),
        backbone_option(),
        size_option(320),
        steps_option(120),
        seed_option(),
    ),
    pictures=("content", "style", "cutout"),
    make=make,
)
