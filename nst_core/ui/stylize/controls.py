"""What a person sets: the two pictures, and a control for every setting in settings.CONTROLS."""

from typing import Any, NamedTuple

import gradio as gr

from nst_core.assets import ASSETS
from nst_core.features.scale import FEATURE_SCALES
from nst_core.features.vgg import BACKBONES
from nst_core.losses.style import STYLE_LOSSES
from nst_core.transfer.color import COLORS
from nst_core.transfer.config import CHOICES, GATYS_STYLE_LAYERS, MAX_STEPS
from nst_core.transfer.masks import MAX_RADIUS
from nst_core.transfer.presets import DEFAULT_PRESET
from nst_core.transfer.stylize import MAX_STYLES
from nst_core.ui.page.status import shares_html
from nst_core.ui.studio.control_values import (
    ALL_LAYERS,
    MORE_LAYERS,
    PRE_LAYERS,
    SHARE_CONTROLS,
    WEIGHT_CONTROLS,
    controls_of,
    default_config,
)
from nst_core.ui.widgets.log_slider import LogSlider
from nst_core.ui.widgets.pictures import BrushInput, PictureInput

STARTS = [("content", "content"), ("noise", "noise"), ("style", "style"), ("another picture", "image")]


def picture_inputs() -> tuple[PictureInput, PictureInput]:
    pictures = []
    with gr.Row():
        for elem_id, label, folder in (("content", "Content", "photos"), ("style", "Style", "styles")):
            with gr.Column(min_width=150):
                picture = PictureInput(
                    label=label, elem_id=elem_id, height=220, sources=["upload", "clipboard", "webcam"],
                    buttons=["fullscreen"], alt_text=label,
                )  # fmt: skip
                files = sorted(str(path) for path in (ASSETS / folder).glob("*.jpg"))
                gr.Examples(
                    files, picture, label="", elem_id=f"{elem_id}-examples", examples_per_page=12, cache_examples=False,
                )  # fmt: skip
                pictures.append(picture)
    return pictures[0], pictures[1]


class Mask(NamedTuple):
    """Where a person paints where the style goes."""

    editor: BrushInput
    take: gr.Button  # the content picture as its ground


class Inputs(NamedTuple):
    """What a person gives beside the two pictures."""

    controls: dict[str, Any]  # by name in CONTROLS
    start_image: PictureInput  # for start "image"
    more_styles: list[PictureInput]
    mask: Mask
    shares: gr.HTML  # beside α and β: what they make of the loss


def setting_controls() -> Inputs:
    """Every control there is, what few people need in folded groups."""
    at = controls_of(default_config(DEFAULT_PRESET))
    made, start_image, shares = _main_controls(at)
    with gr.Accordion("Brush strokes and more styles", open=False):
        controls, more_styles = _style_controls(at)
        made |= controls
    with gr.Accordion("Where to paint", open=False):
        controls, mask = _mask_controls(at)
        made |= controls
    with gr.Accordion("More layers", open=False):
        made |= _layer_controls(at)
    with gr.Accordion("Network and optimiser", open=False):
        made |= _machinery_controls(at)
    return Inputs(made, start_image, more_styles, mask, shares)


def _main_controls(at: dict[str, Any]) -> tuple[dict[str, Any], PictureInput, gr.HTML]:
    """What the papers vary, always in sight."""
    made: dict[str, Any] = {}
    with gr.Row():
        for name, label, hint in (
            ("alpha", "α content", "more: closer to the photo"),
            ("beta", "β style", "more: closer to the style"),
        ):
            made[name] = LogSlider(at[name], label=label, elem_id=name, min_width=170, hint=hint)
    shares = gr.HTML(shares_html(), elem_id="shares", padding=False)
    made["gatys_layers"] = gr.CheckboxGroup(
        list(GATYS_STYLE_LAYERS), value=at["gatys_layers"], label="Style layers", elem_id="style-layers",
        info="shallow: colours and fine grain; deep: large shapes",
    )  # fmt: skip
    with gr.Row():
        made["size"] = gr.Number(at["size"], label="Size, pixels", elem_id="size", min_width=120)
        made["steps"] = gr.Number(at["steps"], label="Steps", elem_id="steps", min_width=120, maximum=MAX_STEPS)
    made["color"] = gr.Dropdown(
        [(color.title, name) for name, color in COLORS.items()], value=at["color"], label="Colours", elem_id="color"
    )
    made["start"] = gr.Radio(STARTS, value=at["start"], label="Start from", elem_id="init")
    start_image = PictureInput(
        label="Start picture", elem_id="start-picture", height=180, visible=False, sources=["upload"]
    )
    return made, start_image, shares


def _style_controls(at: dict[str, Any]) -> tuple[dict[str, Any], list[PictureInput]]:
    """How the style is looked at, and further pictures to blend with the first."""
    made: dict[str, Any] = {}
    with gr.Row():
        made["style_scale"] = gr.Slider(
            0.25, 2, at["style_scale"], step=0.05, label="Size of the strokes", elem_id="style-scale", min_width=170,
        )  # fmt: skip
        made["style_loss"] = gr.Dropdown(
            [(loss.title, name) for name, loss in STYLE_LOSSES.items()], value=at["style_loss"], label="Style loss",
            elem_id="style-loss", min_width=170,
        )  # fmt: skip
    more_styles = []
    with gr.Row():
        for number in range(2, MAX_STYLES + 1):
            more_styles.append(
                PictureInput(
                    label=f"Style {number}", elem_id=f"style-{number}", height=110, sources=["upload"], min_width=90
                )
            )
    with gr.Row():
        for number, name in enumerate(SHARE_CONTROLS, 1):
            made[name] = gr.Slider(
                0, 1, at[name], step=0.05, label=f"Share of style {number}", elem_id=f"share-{number}", min_width=110,
            )  # fmt: skip
    return made, more_styles


def _mask_controls(at: dict[str, Any]) -> tuple[dict[str, Any], Mask]:
    """A brush over the content picture."""
    gr.Markdown(
        "Take the photo, then paint over what gets the style. With a second style, the first goes there and the second "
        "elsewhere.", elem_id="mask-about",
    )  # fmt: skip
    take = gr.Button("Take the photo", size="sm", elem_id="take-photo")
    mask = BrushInput(
        type="pil", show_label=False, label="Where the style goes", elem_id="mask", layers=False, transforms=(),
        sources=["upload"], format="png", height=380, eraser=gr.Eraser(default_size=40),
        brush=gr.Brush(colors=["#ff3b30"], color_mode="fixed", default_size=40),
    )  # fmt: skip
    made: dict[str, Any] = {}
    with gr.Row():
        made["mask_softness"] = gr.Slider(
            0, MAX_RADIUS, at["mask_softness"], step=0.01, label="Soft edge", elem_id="mask-softness", min_width=150
        )
        made["keep_unpainted"] = gr.Checkbox(
            at["keep_unpainted"], label="Keep the photo elsewhere", elem_id="keep-unpainted", min_width=150
        )
    return made, Mask(mask, take)


def _layer_controls(at: dict[str, Any]) -> dict[str, Any]:
    """The layers beside Gatys' five, and the weights of these."""
    weights: dict[str, Any] = {}
    with gr.Row(elem_id="layer-weights"):
        for name, layer in zip(WEIGHT_CONTROLS, GATYS_STYLE_LAYERS, strict=True):
            weights[name] = LogSlider(
                at[name], label=f"w {layer}", low=-3, high=2, elem_id=name.replace("_", "-"), min_width=150
            )
    return weights | {
        "content_layers": gr.Dropdown(
            [*ALL_LAYERS, *PRE_LAYERS], value=at["content_layers"], multiselect=True, label="Content layers",
            elem_id="content-layers",
        ),
        "more_layers": gr.CheckboxGroup(
            list(MORE_LAYERS), value=at["more_layers"], label="More style layers", elem_id="more-style-layers"
        ),
        "pre_layers": gr.CheckboxGroup(
            list(PRE_LAYERS), value=at["pre_layers"], label="Style layers before ReLU", elem_id="pre-style-layers"
        ),
    }  # fmt: skip


def _machinery_controls(at: dict[str, Any]) -> dict[str, Any]:
    """What few people need to touch."""
    made: dict[str, Any] = {}
    with gr.Row():
        made["backbone"] = gr.Dropdown(
            [(title, name) for name, title in BACKBONES.items()], value=at["backbone"], label="Network",
            elem_id="backbone", min_width=120,
        )  # fmt: skip
        made["pooling"] = gr.Dropdown(
            list(CHOICES["pooling"]), value=at["pooling"], label="Pooling", elem_id="pooling", min_width=120
        )
    made["feature_scale"] = gr.Dropdown(
        list(FEATURE_SCALES), value=at["feature_scale"], label="Feature scale", elem_id="feature-scale",
        info="how large what α and β weigh is; another wants other weights",
    )  # fmt: skip
    with gr.Row():
        made["optimizer"] = gr.Dropdown(
            [("L-BFGS", "lbfgs"), ("Adam", "adam")], value=at["optimizer"], label="Optimiser", elem_id="optimizer",
            min_width=120,
        )  # fmt: skip
        made["step_size"] = gr.Number(at["step_size"], label="Step size", elem_id="step-size", min_width=120)
    made["tv_weight"] = LogSlider(
        at["tv_weight"], label="Total variation", low=-4, high=6, elem_id="tv", hint="smooths grain; far left: off"
    )
    with gr.Row():
        made["size_rule"] = gr.Dropdown(
            list(CHOICES["size_rule"]), value=at["size_rule"], label="Size measures", elem_id="size-rule", min_width=120
        )
        made["smallest_scale"] = gr.Number(
            at["smallest_scale"], label="Coarse to fine from, pixels", elem_id="smallest-scale",
            min_width=120, info="0: full size at once",
        )  # fmt: skip
        made["tolerance"] = gr.Number(
            at["tolerance"], label="Ends below a gain of", elem_id="tolerance", min_width=120, info="0: never early"
        )
    with gr.Row():
        made["seed"] = gr.Number(at["seed"], label="Seed", elem_id="seed", min_width=120)
    return made
