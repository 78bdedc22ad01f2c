"""Lists the papers and the field's programs as configs, each with its source and where we leave it.

Some print one formula, whose content is a thousand times ahead, and paint by another, means on features of another
scale. Such a preset paints as its program did, and stands beside a second one with the formula as it is printed.
"""

from typing import Any

from nst_core.transfer.config import Preset as Preset
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.own_presets import CROWSONS_FIVE, OWN_PRESETS
from nst_core.transfer.presets_printed import CHENG, CHENG_PRINTED, FROM_SCRATCH, FROM_SCRATCH_PRINTED, SEEN_SO

EACH_OF_FIVE = (1.0,) * 5  # systems that add up their layers rather than take the mean
FIRST_FIVE = ("conv1_1_pre", "conv1_2_pre", "conv2_1_pre", "conv2_2_pre", "conv3_1_pre")
MEANS: dict[str, Any] = {"content_normalization": "mean", "style_normalization": "mean"}  # as PyTorch's loops have it
FAINT = 0.001 / 256  # deviation of noise, of the pixel range, as Johnson's: of more, grain that no layer minds stays
FAINTLY = "Noise is as faint as Johnson's, since the grain of more of it stays; small pictures get more content."

SMALLER = 1.75  # boost of the content in smaller pictures, where noise hides more of it: at 256 pixels 3.4 times
FROM_NOISE: dict[str, Any] = {"start": "noise", "content_boost": SMALLER}

TRAN_NGUYEN = StyleTransferConfig(
    backbone="vgg16",
    content_layers=("conv2_2",),
    style_layers=("conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3"),
    content_weight=0.1,
    style_weight=5000,
    start="noise",
    steps=400,
    size=500,
    size_rule="exact",
)

PRESETS: dict[str, Preset] = {
    **OWN_PRESETS,
    "gatys": Preset(
        title="Gatys et al. 2016: the paper",
        source="Gatys, Ecker & Bethge (2016), Image Style Transfer Using Convolutional Neural Networks, section 3, "
        "with means over positions, as Gatys' own programs take them",
        config=StyleTransferConfig(
            pooling="average",
            feature_scale="mean activation 1",
            content_weight=7.0,
            style_weight=1e3,
            content_normalization="half mean",
            **FROM_NOISE,
            noise_deviation=0.05,  # of less, the mesh that layers far apart make stays in smooth skies
            steps=500,
        ),
        deviations="As means, their α/β of 1e-3 leaves no photo: α is chosen by looking, so that as much of it is "
        "there as in their figures. Noise is faint (deviation 0.05), since the grain of more of it stays; small "
        "pictures get more content.",
        printed="gatys_printed",
    ),
    "gatys_printed": Preset(
        title="Gatys et al. 2016, as printed",
        source="Gatys, Ecker & Bethge (2016), eq. 1, 4, 5 and 7 to the letter, α/β = 1e-3",
        config=StyleTransferConfig(pooling="average", style_weight=1e3, start="noise", steps=500),
        deviations="It gives back the photo under coloured grain: eq. 1 sums over all positions and eq. 4 does not, so "
        "content counts thousands of times as much as in their pictures. The network is not rescaled to a mean "
        "activation of 1 either.",
    ),
    "luo": Preset(
        title="Luo",
        source="Luo: conv4_2 against five style layers, α = 1, β = 8e4, L-BFGS, 4000 steps, with means, as PyTorch's "
        "loops take them",
        config=StyleTransferConfig(style_weight=8e4, steps=4000, **MEANS),
        printed="luo_printed",
    ),
    "luo_printed": Preset(
        title="Luo, as printed",
        source="Luo: ½Σ(F − P)² at conv4_2 against Σ(G − A)²/(4N²M²) at five layers, α = 1, β = 8e4, L-BFGS, 4000 "
        "steps",
        config=StyleTransferConfig(style_weight=8e4, steps=4000),
        deviations="It paints, with less of the style, and the less the larger the picture is: the sum over positions "
        "grows with it.",
    ),
    "chao": Preset(
        title="Chao, Perez & Chen",
        source="Chao, Perez & Chen: one middle content layer, from white noise; the loss of Gatys' PyTorch code, to "
        "which they point: means on Caffe's features, 1e3/N² a layer",
        config=StyleTransferConfig(
            feature_scale="caffe",
            layer_weights=EACH_OF_FIVE,
            content_weight=50.0,
            style_weight=1e3,
            **MEANS,
            **FROM_NOISE,
            noise_deviation=FAINT,
            steps=500,
        ),
        deviations="They leave the content layer open: conv4_2 here. As means, their α/β of 1e-3 leaves no photo from "
        f"noise: α is chosen by looking. {FAINTLY}",
        printed="chao_printed",
    ),
    "chao_printed": Preset(
        title="Chao, Perez & Chen, as printed",
        source="Chao, Perez & Chen: ½Σ(F − C)² against Σ(G − S)²/(2·n_W·n_H·n_C)², α/β = 1e-3, from white noise",
        config=StyleTransferConfig(style_weight=1e3, start="noise", steps=500),
        deviations="It gives back the photo under coloured grain, as the paper's formula does, which it is: their "
        "2·n_W·n_H·n_C, squared, is eq. 4's 4N²M². They leave the content layer open: conv4_2 here.",
    ),
    "tran_nguyen": Preset(
        title="Tran & Nguyen (VGG-16)",
        source="Tran & Nguyen: VGG-16, content conv2_2, the last layer of each block as style, β = 5000; the loss of "
        "Surma's Keras loop, on which they build: on Caffe's features, style divided by 4·3²·(pixels)² at every layer",
        config=TRAN_NGUYEN.changed(
            feature_scale="caffe",
            content_weight=2e7,
            content_normalization="mean",
            style_normalization="image",
            **FROM_NOISE,
            noise_deviation=FAINT,
        ),
        deviations="In that loop, their α of 0.1 leaves no photo: it is chosen by looking, 2.5 at 500×500 pixels; for "
        "the loop's sum over positions stands their mean, so that other sizes paint alike. No total variation. "
        "Their 20 calls of SciPy's L-BFGS, 20 evaluations each, are one run of 400 steps that keeps its "
        f"memory. 500×500 is cut out of the middle, not squashed. {FAINTLY}",
        printed="tran_nguyen_printed",
    ),
    "tran_nguyen_printed": Preset(
        title="Tran & Nguyen, as printed (VGG-16)",
        source="Tran & Nguyen: VGG-16, ½Σ(F − P)² at conv2_2 against Σ(G − A)²/(4N²M²), α = 0.1, β = 5000",
        config=TRAN_NGUYEN,
        deviations="It gives back the photo under coloured grain: the sum over a shallow layer's positions outweighs "
        "all of the style. 20 calls of SciPy's L-BFGS are one run of 400 steps. 500×500 is cut out of the middle.",
    ),
    "cheng": Preset(
        title="Cheng",
        source="Cheng: content conv7, style conv1 … conv5 counted through VGG-19, from the content clone, style 6e5",
        config=CHENG.changed(style_weight=6e5, size=320, start="content", content_boost=SMALLER, noise_deviation=FAINT),
        deviations="With the clone they give content 100; 1 here, as from noise, and 320 pixels, since layers that see "
        "24 pixels at most make strokes no longer: else it is hardly in the style. From noise, take their "
        "style 1e5 and white noise: else dark smoke stays in skies. Of their three content layers, conv4, 5 and 7, "
        "the deepest: with conv4 skies stay smooth.",
        printed="cheng_printed",
    ),
    "cheng_printed": CHENG_PRINTED,
    "from_scratch": Preset(
        title="From scratch: Adam, 10 000 steps",
        source="The loop many write first: VGG-19 features 0, 5, 10, 19, 28 for both pictures, Gram undivided, "
        "β = 0.1, Adam at 1e-3",
        config=FROM_SCRATCH.changed(content_weight=1.5e4),
        deviations="Their α of 0.9 gives the photo up: it is chosen by looking, so that the photo is seen in the end. "
        f"{SEEN_SO}",
        printed="from_scratch_printed",
    ),
    "from_scratch_printed": FROM_SCRATCH_PRINTED,
    "neural_style": Preset(
        title="Johnson's neural-style",
        source="jcjohnson/neural-style: content 5, style 100 a layer, TV 1e-3, 512 pixels, 1000 steps",
        config=StyleTransferConfig(
            feature_scale="caffe",
            layer_weights=EACH_OF_FIVE,
            content_weight=5,
            style_weight=100,
            tv_weight=1e-3 * 256**2,  # counted on pixels of 0..256
            **MEANS,
            total_variation="squares",
            start="noise",
            noise_deviation=FAINT,
            steps=1000,
        ),
        deviations="L-BFGS remembers 10 steps, not 100.",
    ),
    "gatys_code": Preset(
        title="Gatys' own PyTorch code",
        source="leongatys/PytorchNeuralStyleTransfer: 1e3/N² on Gram/M, content 1, from the content, 500 evaluations",
        config=StyleTransferConfig(
            feature_scale="caffe",
            layer_weights=EACH_OF_FIVE,
            style_weight=1e3,
            **MEANS,
            steps=500,
            size_rule="shortest side",
        ),
        deviations="L-BFGS remembers 10 steps, not 100.",
    ),
    "pytorch_tutorial": Preset(
        title="PyTorch's tutorial",
        source="pytorch/tutorials, Neural Transfer Using PyTorch: the five shallowest layers, style 1e6, 300 steps",
        config=StyleTransferConfig(
            content_layers=("conv2_2_pre",),
            style_layers=FIRST_FIVE,
            layer_weights=EACH_OF_FIVE,
            style_weight=1e6,
            **MEANS,
            size=256,
            size_rule="shortest side",
        ),
        deviations="They clamp pixels inside the closure, which corrupts L-BFGS' memory; here nothing is clamped. For "
        "their 512 pixels on a GPU and 128 on a CPU stand 256: layers that see 24 pixels at most make strokes no "
        "longer, which are hardly seen in larger pictures.",
    ),
    "gordic": Preset(
        title="Gordić",
        source="gordicaleksa/pytorch-neural-style-transfer: content 1e5, style 3e4, TV 1, height 400, 1000 steps",
        config=StyleTransferConfig(
            normalization="caffe",
            content_layers=("conv4_2_pre",),
            content_weight=1e5,
            style_weight=3e4,
            tv_weight=255,  # 1, counted on pixels of 0..255
            content_normalization="mean",
            style_normalization="sum",
            total_variation="absolute",
            steps=1000,
            size=400,
            size_rule="height",
        ),
        deviations="L-BFGS without line search, remembering 10 steps.",
    ),
    "crowson": Preset(
        title="Crowson's style-transfer-pytorch",
        source="crowsonkb/style-transfer-pytorch: Wasserstein-2 between Gaussians, 128 … 512 pixels by √2, Adam at "
        "0.02, layers 256:64:16:4:1, content 0.015, TV 2, pictures averaged with 0.99",
        config=StyleTransferConfig(
            padding="replicate",
            layer_weights=CROWSONS_FIVE,
            content_weight=0.015,
            style_weight=1.0,
            tv_weight=2.0,
            content_normalization="mean",
            style_loss="wasserstein",
            style_normalization="per channel",
            optimizer="adam",
            step_size=0.02,  # of the pixel range
            adam_betas=(0.9, 0.99),
            clamp=True,
            averaging=0.99,
            smallest_scale=128,
            steps=3000,
        ),
        deviations="Their 1000 steps at the first scale and 500 at each of four more are 600 at each of five.",
    ),
}

DEFAULT_PRESET = "neighbours"  # with which the page, commands and the endpoint begin
PLAIN_PRESET = "studio"  # where few steps are to do, or their formula is looked at: it searches nothing


def counterpart(name: str) -> str:
    """Find the preset with the printed formula of one that paints by another, or the other way round; "" if none."""
    return PRESETS[name].printed or next((other for other, preset in PRESETS.items() if preset.printed == name), "")
