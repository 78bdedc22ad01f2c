"""Makes ready what a scale is painted with: its objective, its optimiser, and the picture that it begins with."""

from dataclasses import dataclass

from torch import Tensor

from nst_core import images
from nst_core.devices import Compute
from nst_core.features.vgg import VGG
from nst_core.transfer.column_strips import kind_of
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.ladder import Scale, content_share
from nst_core.transfer.masks import fit_mask
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.optimizers import OPTIMIZERS, Optimizer
from nst_core.transfer.sources import Sources
from nst_core.transfer.starts import STARTS, StartMaterial
from nst_core.transfer.tile import as_tile

PAINTED = ("image", "quick")  # starts that are paintings, so that the first scale looks at them as at one


@dataclass(frozen=True)
class Coming:
    """A scale that comes next, and the canvas (1, 3, H, W) that it begins with."""

    objective: StyleTransferObjective
    canvas: Tensor


def coming(
    sources: Sources,
    config: StyleTransferConfig,
    network: VGG,
    scale: Scale,
    *,
    compute: Compute,
    before: Tensor | None,
) -> Coming:
    """Make a scale ready that goes on from a picture (1, 3, any, any), or from the start; what it prepares is to do."""
    objective = objective_at(sources, config, network, scale, compute)
    size = images.size_of(objective.content_image)
    if before is None:
        canvas = start_of(objective, sources, config, compute)
    else:
        canvas = images.resize(before, size, wrap=config.wrap)
    objective.begin(canvas, coarsest=before is None and config.start not in PAINTED)
    return Coming(objective, canvas)


def objective_at(
    sources: Sources, config: StyleTransferConfig, network: VGG, scale: Scale, compute: Compute
) -> StyleTransferObjective:
    """Make the objective of a scale, at once or in strips, by columns or not."""
    content_image = sources.content_at(scale.size).to(compute.device)
    own_size = images.size_of(content_image)
    styles = [image.to(compute.device) for image in sources.styles_at(scale.size)]
    regions = [fit_mask(region, own_size).to(compute.device) for region in sources.regions]
    in_strips = own_size[0] * own_size[1] > sources.whole_pixels
    kind = kind_of(scale.columns if config.column_share else None, in_strips=in_strips)
    return kind(network, content_image, styles, config, regions, content_share=content_share(config))


def start_of(
    objective: StyleTransferObjective, sources: Sources, config: StyleTransferConfig, compute: Compute
) -> Tensor:
    """Make the picture (1, 3, H, W) that a painting starts with, as large as an objective's content."""
    material = StartMaterial(
        content_image=objective.content_image,
        style_images=objective.style_images,
        start_image=sources.start_image,
        noise_deviation=config.noise_deviation,
        seed=config.seed,
        compute=compute,
        blend=config.blend,
        style_scale=config.style_scale,
        regions=objective.regions,
    )
    start = STARTS[config.start](material)
    if config.wrap and config.start in ("style", "image", "quick"):  # content and noise are tiles
        start = as_tile(start)
    return start.to(compute.device)


def optimizer_of(config: StyleTransferConfig) -> Optimizer:
    """Make the optimiser that a config names, which has seen nothing yet."""
    return OPTIMIZERS[config.optimizer](
        step_size=config.step_size,
        history=config.history,
        history_precision=config.history_precision,
        betas=config.adam_betas,
    )
