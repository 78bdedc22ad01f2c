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
