"""Makes the figure of a position: which piece of a photo it sees, and which channels answer most there."""

from typing import Any

from torch import Tensor

from nst_core import images
from nst_core.analysis.figure import Figure, FigureMaterial, Moment, Moments, Part, Question
from nst_core.analysis.layer_view.heat import feature_sheet
from nst_core.analysis.layer_view.receptive import Receptive, Window, framed, lit, pull_of, receptive
from nst_core.analysis.options import Option, backbone_option, layer_named, size_option
from nst_core.devices import Compute, computing_on
from nst_core.errors import ConfigError
from nst_core.features.loading import load_network
from nst_core.features.vgg import BACKBONES, VGG, check_layers

COLUMNS = 4
PHOTO, PIECE, PULL = range(3)  # columns of the first row
FIRST_MAPS = 1  # the row
LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")


def make(material: FigureMaterial, settings: dict[str, Any], compute: Compute) -> Moments:
    """Make the figure: the photo with the piece that a position sees, and the maps of the channels that answer."""
    layer, backbone = settings["layer"], settings["backbone"]
    check_layers(backbone, [layer])
    photo = images.fit(material.content(), settings["size"])
    if min(images.size_of(photo)) < images.MIN_SIDE:
        height, width = images.size_of(photo)
        raise ConfigError(f"the photo becomes {width}×{height} pixels; both sides must be at least {images.MIN_SIDE}")
    return _moments(photo, settings, compute)


def _moments(photo: Tensor, settings: dict[str, Any], compute: Compute) -> Moments:
    layer, rows = settings["layer"], ("the photo", *([f"channels of {settings['layer']}"] * -(-settings["maps"] // 4)))
    labels = ("",) * COLUMNS
    yield Moment(rows, labels, (), text="looking at the photo")
    network, _ = load_network(settings["backbone"], compute)
    with computing_on(compute):
        field = receptive(network, layer)
        place = _place(photo, field, settings)
        window = field.window(*place, images.size_of(photo))
        parts: tuple[Part, ...] = (_framed(photo, field, window, layer), _piece(photo, window, field))
    yield Moment(rows, labels, parts, text="asking which pixels matter", share=0.3)
    with computing_on(compute):
        maps, pull = pull_of(network, photo.to(compute.device), layer, place)
        maps, pull = maps.cpu(), pull.cpu()
    parts += (_pulled(window, pull),)
    yield Moment(rows, labels, parts, text="asking which channels answer", share=0.6)
    answers = maps[(slice(None), *place)]
    for number, channel in enumerate(answers.argsort(descending=True, stable=True)[: settings["maps"]].tolist()):
        parts += (_map(number, channel, maps, float(answers[channel])),)
    findings, notes = _findings(photo, field, window, pull, answers, layer), _notes(network, len(answers))
    yield Moment(rows, labels, parts, text="done", share=1.0, findings=findings, notes=notes)


def _place(photo: Tensor, field: Receptive, settings: dict[str, Any]) -> tuple[int, int]:
    """Find row and column of the layer's position that is nearest to a place of the photo."""
    size = images.size_of(photo)
    sides = [-(-side // field.step) for side in size]
    row, column = (
        min(int(settings[name] * side / field.step), last - 1)
        for name, side, last in zip(("y", "x"), size, sides, strict=True)
    )
    return row, column


def _framed(photo: Tensor, field: Receptive, window: Window, layer: str) -> Part:
    facts = {"layer": layer, "side": field.side, "step": field.step, "window": list(window), "points": True}
    caption = f"one position of {layer} sees {field.side}×{field.side} pixels"
    return Part(0, PHOTO, "what the position sees", framed(photo, window), caption, done=True, facts=facts)


def _piece(photo: Tensor, window: Window, field: Receptive) -> Part:
    piece = window.of(photo).clone()
    height, width = images.size_of(piece)
    caption = f"{width}×{height} pixels"
    if window.area < field.side**2:
        caption = f"only {caption} of it lie in the photo"
    return Part(0, PIECE, "the piece alone", piece, caption, done=True)


def _pulled(window: Window, pull: Tensor) -> Part:
    half = _pixels_of_half(pull)
    caption = f"the lighter, the more it matters\n{half / window.area:.0%} of the pixels matter as much as the rest"
    facts = {"half": half, "of": window.area}
    return Part(0, PULL, "which pixels matter", lit(window.of(pull)), caption, done=True, facts=facts)


def _pixels_of_half(pull: Tensor) -> int:
    """Count the pixels that together matter as much as all others."""
    ordered = pull.flatten().sort(descending=True).values.double().cumsum(0)
    return int((ordered < ordered[-1] / 2).sum()) + 1 if float(ordered[-1]) else 0


def _map(number: int, channel: int, maps: Tensor, answer: float) -> Part:
    row, column = divmod(number, COLUMNS)
    share = answer / max(float(maps[channel].max()), 1e-12)
    caption = f"channel {channel}\n{share:.0%} of its strongest here"
    facts = {"channel": channel, "answer": answer}
    drawn = feature_sheet(maps, [channel])
    return Part(FIRST_MAPS + row, column, f"channel {channel}", drawn, caption, done=True, facts=facts)


def _findings(
    photo: Tensor, field: Receptive, window: Window, pull: Tensor, answers: Tensor, layer: str
) -> tuple[str, ...]:
    height, width = images.size_of(photo)
    share = window.area / (height * width)
    active = int((answers > 0).sum())
    half, apart = _pixels_of_half(pull), f"{field.step} pixel{'s' * (field.step > 1)}"
    return (
        f"One position of {layer} sees {share:.1%} of the photo; what the next one sees begins {apart} further.",
        f"Half of what moves its answer lies in {half} of its {window.area} pixels.",
        f"{active} of {len(answers)} channels answer there at all.",
    )


def _notes(network: VGG, channels: int) -> tuple[str, ...]:
    """Say how a narrow network's channels are to be read."""
    if network.tap(network.plan[0][0]) is None:
        return ()
    return (f"The {channels} channels are {BACKBONES[network.backbone]}'s own, which are fewer than VGG-19's.",)


FIGURE = Figure(
    name="position",
    title="What a position sees",
    see="A layer is a grid of positions, and each sees a square piece of the photo, the larger the deeper the layer: "
    "every filter looks at the 3 by 3 positions below it, and every pooling makes four of them one. Click into the "
    "photo to choose another position. Beside it is the piece alone, and how much each of its pixels matters to the "
    "answer: those in the middle most, as more ways lead from them. Below are the maps of the channels that answer "
    "most at that position, bright wherever else in the photo they find the same.",
    equation="r ← r + (k − 1) j,  j ← j s  (k = 3, s = 1 for a filter, k = s = 2 for pooling; r = j = 1 at first)\n"
    "r: pixels that a position sees;  j: pixels to the next position\n"
    "how much a pixel matters: |∂ Σ_c F_c / ∂x|",
    remarks=(
        "k = 3, s = 1 for a filter, k = s = 2 for pooling; r = j = 1 at first",
        "pixels that a position sees",
        "pixels to the next position",
        "how much a pixel matters",
    ),
    source="Araujo, Norris & Sim (2019), Computing receptive fields, eq. 1; Luo et al. (2016), Understanding the "
    "effective receptive field; the network: Simonyan & Zisserman (2014)",
    question=Question(
        "One position of conv1_1 sees 3 by 3 pixels. How wide is the piece that one position of conv4_1 sees?",
        (
            "3 pixels, as all filters are 3 by 3",
            "About 20 pixels",
            "About 70 pixels",
            "As wide as the photo",
        ),
        right=2,
        why="Every filter adds two steps of its layer and every pooling one, and poolings double the step, from 1 "
        "pixel to 2, 4 and 8: 1 + (2 + 2) + 1 + (4 + 4) + 2 + (8 + 8 + 8 + 8) + 4 + 16 = 68.",
    ),
    options=(
        Option("layer", "Layer", "conv4_1", choices=LAYERS, check=layer_named, fixed=False),
        Option("maps", "Channels", 8, "that answer most", extent=(1, 16)),
        Option("x", "From the left", 0.5, "of the photo's width", extent=(0, 1)),
        Option("y", "From above", 0.42, "of the photo's height", extent=(0, 1)),
        backbone_option(),
        size_option(256),
    ),
    pictures=("content",),
    make=make,
)
