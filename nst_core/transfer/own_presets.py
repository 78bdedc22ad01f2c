"""Lists our own presets as configs, each chosen by looking and by measuring."""

from nst_core.transfer.config import Preset, StyleTransferConfig

CROWSONS_FIVE = tuple(weight / 341 for weight in (256.0, 64.0, 16.0, 4.0, 1.0))
TEN = (*("conv1_1", "conv1_2", "conv2_1", "conv2_2"), *(f"conv{n}_{i}" for n in (3, 4) for i in (1, 2, 3)))

OWN_PRESETS: dict[str, Preset] = {
    "studio": Preset(
        title="Studio: coarse to fine",
        source="Ours, chosen by looking and by measuring: from 90 pixels up by √2, L-BFGS at each size, content and "
        "style of the five layers each as a share of the picture's own, so that all of them count alike; style by Gram "
        "matrices and Wasserstein distances, half of each",
        config=StyleTransferConfig(
            padding="reflect",
            style_loss="gram and wasserstein",
            style_weight=9.0,
            tv_weight=0.5,
            content_boost=2.42,
            content_normalization="relative",
            style_normalization="relative",
            smallest_scale=90,
            scale_falloff=0.5,
            steps=160,
            tolerance=0.003,
        ),
    ),
    "lab": Preset(
        title="Lab: one scale",
        source="Gatys et al. (2016), eq. 7, from the content, with weights chosen by looking: average pooling and "
        "Crowson's layer weights, which bring the style's colours",
        config=StyleTransferConfig(pooling="average", padding="reflect", layer_weights=CROWSONS_FIVE, style_weight=1e8),
    ),
    "neighbours": Preset(
        title="Neighbours: pieces of the style",
        source="Kolkin et al. (2022), Neural Neighbor Style Transfer: from 64 pixels up, columns of ten layers at a "
        "quarter of the size become the style's nearest, in four turns, by centred cosine; then layer by layer",
        config=StyleTransferConfig(
            style_layers=TEN,
            content_layers=(),
            content_weight=3.0,
            style_weight=1.0,
            column_share=0.9,
            style_loss="nearest neighbours",
            style_normalization="relative",
            smallest_scale=64,
            scale_falloff=0.5,
            steps=110,
        ),
        deviations="α / (α + β) is the photo's share in what is looked for, their 1 − α. VGG-19 for VGG-16, L-BFGS for "
        "Adam on a pyramid, scales by √2. In the last steps columns stay; layers add a quarter, by squared distances.",
    ),
}
