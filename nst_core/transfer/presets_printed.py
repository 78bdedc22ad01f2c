"""Holds settings that their source prints and whose pictures want other weights, for the presets that paint by them."""

from nst_core.transfer.config import Preset, StyleTransferConfig

CHENG = StyleTransferConfig(
    content_layers=("conv3_3_pre",),
    style_layers=("conv1_1_pre", "conv1_2_pre", "conv2_1_pre", "conv2_2_pre", "conv3_1_pre"),
    layer_weights=(1.0,) * 5,
    style_weight=1e5,
    content_normalization="mean",
    style_normalization="mean",
    start="noise",
)

CHENG_PRINTED = Preset(
    title="Cheng, as printed",
    source="Cheng: content conv7, style conv1 … conv5 counted through VGG-19, style 1e5, content 1, 300 steps, from "
    "white noise",
    config=CHENG,
    deviations="It gives back the photo in the style's colours, with few of its strokes, the larger the fewer. They "
    "leave the size open.",
)

SEEN_SO = (
    "Those features are taken before ReLU, but torchvision's ReLU then overwrites all but the last in place: named "
    "here as they really are. That pixels go in without ImageNet's mean and deviation follows from the size of their "
    "losses, and so do about 224 pixels, those that the network was trained on."
)
EVERY_FIVE = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1_pre")
FROM_SCRATCH = StyleTransferConfig(
    normalization="none",
    content_layers=EVERY_FIVE,
    style_layers=EVERY_FIVE,
    layer_weights=(1.0,) * 5,
    content_weight=0.9,
    style_weight=0.1,
    content_normalization="mean",
    style_normalization="undivided",
    optimizer="adam",
    step_size=1e-3,
    steps=10_000,
    size=224,
)

FROM_SCRATCH_PRINTED = Preset(
    title="From scratch, as printed",
    source="The loop many write first: VGG-19 features 0, 5, 10, 19, 28 for both pictures, Gram undivided, "
    "α = 0.9, β = 0.1, Adam at 1e-3, 10 000 steps",
    config=FROM_SCRATCH,
    deviations=f"Its photo is whole after 200 steps, and after all of them hardly there. {SEEN_SO}",
)
