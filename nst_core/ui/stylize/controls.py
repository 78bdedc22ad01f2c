"""Lays out what a person sets: the two pictures, and a control for every setting of controls_and_config.CONTROLS."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

import gradio as gr

from nst_core.assets import ASSETS
from nst_core.transfer.config import SETTINGS
from nst_core.transfer.presets import DEFAULT_PRESET
from nst_core.transfer.schema import GROUPS, Control, Setting, plainly_shown
from nst_core.transfer.settings import GATYS_STYLE_LAYERS
from nst_core.ui.page.status import shares_html
from nst_core.ui.studio.controls_and_config import (
    SHARE_CONTROLS,
    WEIGHT_CONTROLS,
    controls_of,
    default_config,
)
from nst_core.ui.studio.layer_menus import LayerChecks, LayerMenu, layers_offered
from nst_core.ui.studio.preset_menu import CHOICES, PresetMenu
from nst_core.ui.studio.uploads import MORE_STYLES
from nst_core.ui.widgets.log_slider import LogSlider
from nst_core.ui.widgets.pictures import BrushInput, PictureInput, transparency_switch
from nst_core.ui.widgets.slider import Slider

# What a setting can be on the page.
Knob: TypeAlias = LogSlider | gr.Slider | gr.Number | gr.Checkbox | gr.CheckboxGroup | gr.Dropdown | gr.Radio

LONG_TITLE = 10  # letters, beyond which a menu wants more room


def picture_inputs() -> tuple[PictureInput, PictureInput]:
    """Lay out the places for content and style, and below them the photos and styles that come along."""
    says: dict[str, Any] = {"height": 190, "min_width": 150, "sources": ["upload", "clipboard", "webcam"]}
    with gr.Row(elem_id="pictures"):
        content = PictureInput(label="Content", elem_id="content", alt_text="Content", buttons=["fullscreen"], **says)
        style = PictureInput(label="Style", elem_id="style", alt_text="Style", buttons=["fullscreen"], **says)
    for picture, folder in ((content, "photos"), (style, "styles")):
        files = sorted(str(path) for path in (ASSETS / folder).glob("*.jpg"))
        name = f"{picture.elem_id}-examples"
        gr.Examples(files, picture, label="", elem_id=name, examples_per_page=12, cache_examples=False)
    return content, style


class Network(NamedTuple):
    """Components that tell which weights paint, and fetch others."""

    words: gr.Markdown
    fetch: gr.Button


def network_area() -> Network:
    """Lay out what is said of the network below its control."""
    words = gr.Markdown(elem_id="weights")
    return Network(words, gr.Button("Use VGG-19", visible=False, size="sm", elem_id="fetch"))


class Mask(NamedTuple):
    """Components by which a person says where the style goes, and where nothing does."""

    editor: BrushInput
    take: gr.Button  # the content picture as its ground
    keep_transparency: gr.Checkbox


class PresetParts(NamedTuple):
    """Components by which the papers' and programs' own settings are chosen."""

    menu: gr.Dropdown
    about: gr.Markdown
    printed: gr.Button


class SettingInputs(NamedTuple):
    """The components for what a person gives beside the two pictures."""

    preset: PresetParts
    controls: dict[str, Knob]  # by name in CONTROLS
    start_image: PictureInput  # for start "image"
    more_styles: dict[str, PictureInput]  # by name in MORE_STYLES
    mask: Mask
    shares: gr.HTML  # beside α and β: what they make of the loss
    further: gr.HTML  # style layers that are chosen under More layers

    def menu(self, name: str) -> gr.Dropdown | gr.Radio:
        """Give the control of a setting that has choices.

        Raises:
            TypeError: it has none.
        """
        control = self.controls[name]
        if not isinstance(control, gr.Dropdown | gr.Radio):
            raise TypeError(f"{name} has no choices on the page")
        return control


def setting_controls() -> SettingInputs:
    """Lay out every control there is, what few people need in folded groups."""
    at = controls_of(default_config(DEFAULT_PRESET))
    with gr.Accordion(GROUPS["main"], elem_id="papers"):
        preset = _preset_menu()
        made, start_image, shares, further = _main_controls(at)
    with gr.Accordion(GROUPS["strokes"], open=False):
        controls, more_styles = _style_controls(at)
        made |= controls
    with gr.Accordion(GROUPS["place"], open=False):
        controls, mask = _mask_controls(at)
        made |= controls
    with gr.Accordion(GROUPS["layers"], open=False):
        made |= _layer_controls(at)
    with gr.Accordion(GROUPS["machinery"], open=False):
        made |= plain_controls("machinery", at)
    return SettingInputs(preset, made, start_image, more_styles, mask, shares, further)


def _preset_menu() -> PresetParts:
    menu = PresetMenu(CHOICES, value=DEFAULT_PRESET, label="Preset", elem_id="preset")
    about = gr.Markdown(elem_id="preset-about")
    return PresetParts(menu, about, gr.Button("As printed", visible=False, size="sm", elem_id="printed"))


def plain_controls(
    group: str, at: Mapping[str, Any], *, but: Sequence[str] = (), table: Mapping[str, Setting] = SETTINGS
) -> dict[str, Knob]:
    """Lay out the controls of a group's settings, by name, side by side unless one is wide.

    Args:
        group: one of GROUPS.
        at: name -> what it shows.
        but: settings that stand elsewhere.
        table: of settings.
    """
    made: dict[str, Knob] = {}
    ones = [table[name] for name in plainly_shown(table) if name not in but and _on_page(table[name]).group == group]
    for wide, side_by_side in groupby(ones, key=lambda one: _on_page(one).wide):
        if wide:
            made |= {one.name: control_of(one, at[one.name]) for one in side_by_side}
        else:
            with gr.Row():
                made |= {one.name: control_of(one, at[one.name]) for one in side_by_side}
    return made


def _on_page(one: Setting) -> Control:
    """Tell how the page has a setting.

    Raises:
        ValueError: not at all, or as several controls.
    """
    if one.page is None:
        raise ValueError(f"{one.name} is no single control of the page")
    return one.page


def control_of(one: Setting, value: Any) -> Knob:
    """Make the component of a setting, showing a value."""
    page = _on_page(one)
    says: dict[str, Any] = {"label": one.label, "elem_id": one.dashed, "min_width": 120}
    if page.kind == "logarithmic":
        low, high = page.ends or (None, None)
        return LogSlider(value, **says | {"min_width": 170}, low=low, high=high, hint=page.hint)
    says["info"] = page.hint or None
    if page.kind == "slider" and (ends := page.ends or one.extent):
        low, high = ends
        return Slider(low, high, value, step=0.05 if high > 1 else 0.01, **says | {"min_width": 170})
    if page.kind in ("menu", "radio") and one.choices:
        choices = [(title, name) for name, title in one.choices.items()]
        if max(map(len, one.choices.values())) > LONG_TITLE:
            says["min_width"] = 170
        return (gr.Dropdown if page.kind == "menu" else gr.Radio)(choices, value=value, **says)
    return (gr.Checkbox if page.kind == "switch" else gr.Number)(value, **says)


def _main_controls(at: Mapping[str, Any]) -> tuple[dict[str, Knob], PictureInput, gr.HTML, gr.HTML]:
    """Lay out what the papers vary, always in sight."""
    made: dict[str, Knob] = {}
    with gr.Row():
        for name in ("content_weight", "style_weight"):
            made[name] = control_of(SETTINGS[name], at[name])
    shares = gr.HTML(shares_html(), elem_id="shares", padding=False)
    layers = SETTINGS["style_layers"]
    made["gatys_layers"] = gr.CheckboxGroup(
        list(GATYS_STYLE_LAYERS),
        value=at["gatys_layers"],
        label=layers.label,
        elem_id="style-layers",
        info="shallow: colours and fine grain; deep: large shapes",
    )
    further = gr.HTML(visible=False, elem_id="further-layers", padding=False)
    made |= plain_controls("main", at, but=(*made, "start"))
    made["start"] = control_of(SETTINGS["start"], at["start"])
    start_image = PictureInput(
        label="Start picture", elem_id="start-picture", height=180, visible=False, sources=["upload"]
    )
    return made, start_image, shares, further


def _style_controls(at: Mapping[str, Any]) -> tuple[dict[str, Knob], dict[str, PictureInput]]:
    """Lay out how the style is looked at, and further pictures to blend with the first."""
    made = plain_controls("strokes", at)
    with gr.Row():
        more_styles = {
            name: PictureInput(
                label=f"Style {number}", elem_id=f"style-{number}", height=110, sources=["upload"], min_width=130
            )
            for number, name in enumerate(MORE_STYLES, 2)
        }
    for first in range(0, len(SHARE_CONTROLS), 2):  # four in a row would be cut off
        with gr.Row():
            for number, name in enumerate(SHARE_CONTROLS[first : first + 2], first + 1):
                label, elem_id = f"Share of style {number}", f"share-{number}"
                made[name] = Slider(0, 1, at[name], step=0.05, label=label, elem_id=elem_id, min_width=130)
    return made, more_styles


def _mask_controls(at: Mapping[str, Any]) -> tuple[dict[str, Knob], Mask]:
    """Lay out a brush over the content picture."""
    gr.Markdown(
        "Show your photo below, then paint over what gets the style. With a second style, the first goes there and the "
        "second elsewhere.",
        elem_id="mask-about",
    )
    take = gr.Button("Paint on my photo", size="sm", elem_id="take-photo")
    mask = BrushInput(
        type="pil",
        show_label=False,
        label="Where the style goes",
        elem_id="mask",
        layers=False,
        transforms=(),
        sources=(),
        format="png",
        height=380,
        eraser=gr.Eraser(default_size=40),
        brush=gr.Brush(colors=["#ff3b30"], color_mode="fixed", default_size=40),
    )
    return plain_controls("place", at), Mask(mask, take, transparency_switch("keep-transparency"))


def _layer_controls(at: Mapping[str, Any]) -> dict[str, Knob]:
    """Lay out the layers beside Gatys' five, and the weights of these."""
    made: dict[str, Knob] = {}
    with gr.Row(elem_id="layer-weights"):
        for name, layer in zip(WEIGHT_CONTROLS, GATYS_STYLE_LAYERS, strict=True):
            elem_id = name.replace("_", "-")
            made[name] = LogSlider(at[name], label=f"w {layer}", low=-3, high=2, elem_id=elem_id, min_width=150)
    offered = layers_offered(at["backbone"])
    made["content_layers"] = LayerMenu(
        offered["content_layers"],
        value=at["content_layers"],
        multiselect=True,
        label=SETTINGS["content_layers"].label,
        elem_id="content-layers",
    )
    for name, label, elem_id in (
        ("more_layers", "More style layers", "more-style-layers"),
        ("pre_layers", "Style layers before ReLU", "pre-style-layers"),
    ):
        made[name] = LayerChecks(offered[name], value=at[name], label=label, elem_id=elem_id)
    return made | plain_controls("layers", at)
