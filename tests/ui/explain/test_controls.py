"""What can be set of a figure, as controls of the page."""

from typing import Any

import gradio as gr
import pytest

from nst_core.analysis.figure import Figure, Question
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.options import Option
from nst_core.devices import choose_compute
from nst_core.features.loading import fitting_backbone
from nst_core.features.vgg import BACKBONES, BUNDLED_BACKBONE
from nst_core.transfer.presets import PRESETS
from nst_core.ui.explain import controls as module
from nst_core.ui.explain.controls import BEST_BACKBONE, MACHINERY, first_value, option_controls, shown_value
from nst_core.ui.explain.position import pointed
from nst_core.ui.explain.run import settings_of
from tests.every import every

OPTIONS = [(name, option.name) for name, figure in FIGURES.items() for option in figure.options]


@pytest.fixture(scope="module")
def controls() -> dict[str, dict[str, Any]]:
    """Every figure's."""
    with gr.Blocks():
        return {name: option_controls(figure) for name, figure in FIGURES.items()}


def pair(controls: dict[str, dict[str, Any]], place: tuple[str, str]) -> tuple[Option, Any]:
    """An option and its control."""
    figure, name = place
    (option,) = [option for option in FIGURES[figure].options if option.name == name]
    return option, controls[figure][name]


every_pair = every(place=OPTIONS)


def handed_over(control: Any) -> Any:
    """What gradio gives a handler of a control that nobody touched."""
    return control.preprocess(control.value)


def made(*options: Option) -> list[Any]:
    """The controls of a figure of these options."""
    question = Question("", ("1", "2", "3", "4"), right=0, why="")
    figure = Figure(
        name="any",
        title="",
        see="",
        equation="",
        source="",
        question=question,
        options=options,
        pictures=(),
        make=lambda *_: iter(()),
    )
    with gr.Blocks():
        return list(option_controls(figure).values())


@every_pair
def test_what_a_control_shows_at_first_is_the_default_or_the_machines_network(controls, place):
    option, control = pair(controls, place)
    value = option.parse(handed_over(control))
    if option.name == "backbone":
        assert value == fitting_backbone(BEST_BACKBONE, choose_compute())
    else:
        assert value == option.default and type(value) is type(option.default)


@pytest.mark.parametrize("name", FIGURES)
def test_controls_stand_in_the_order_of_the_options(controls, name):
    figure = FIGURES[name]
    assert [(option, control.elem_id) for option, control in controls[name].items()] == [
        (option.name, f"explain-{name}-{option.name}") for option in figure.options
    ]
    shown = {f"{name}.{option}": handed_over(control) for option, control in controls[name].items()}
    settings = settings_of(figure, shown)
    assert list(settings) == [option.name for option in figure.options]
    assert settings == figure.settings({"backbone": settings["backbone"]})


@every_pair
def test_a_control_says_what_it_is(controls, place):
    option, control = pair(controls, place)
    assert control.label == option.label and control.info == (option.about or None)


@every_pair
def test_the_kind_of_a_control_is_that_of_its_value(controls, place):
    option, control = pair(controls, place)
    if option.choices:
        assert type(control) is gr.Dropdown and bool(control.multiselect) == option.several
        assert control.allow_custom_value is not option.fixed
    elif option.kind is bool:
        assert type(control) is gr.Checkbox
    elif option.several:
        assert type(control) is gr.Textbox
    else:
        assert type(control) is gr.Number and option.kind in (int, float)


@every_pair
def test_a_menu_offers_every_choice_under_a_name_of_its_own(controls, place):
    option, control = pair(controls, place)
    if option.choices:
        titles, values = zip(*control.choices, strict=True)
        assert values == tuple(option.choices) and len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("backbone", list(BACKBONES.values())),
        ("preset", [preset.title for preset in PRESETS.values()]),
        ("optimizers", ["L-BFGS", "Adam"]),
    ],
)
def test_menus_name_things_as_the_studio_does(controls, name, titles):
    found = [
        [title for title, _ in control.choices]
        for figure in FIGURES.values()
        for option, control in controls[figure.name].items()
        if option == name
    ]
    assert found and all(shown == titles for shown in found)


def test_every_figure_has_the_same_machinery():
    for name, figure in FIGURES.items():
        own = {option.name for option in figure.options}
        assert {"backbone", "size"} <= own and ("steps" in own or name == "position"), name  # which paints nothing
    assert {"backbone", "size", "steps"} <= set(MACHINERY)


@every_pair
def test_a_value_that_is_shown_is_read_as_that_value(controls, place):
    option, control = pair(controls, place)
    given = option.default
    if option.several and option.choices:
        given = option.parse([*reversed(option.default)])
    shown = shown_value(option, given)
    assert option.parse(control.preprocess(shown)) == given


WHOLE, SHARE, FLAG = Option("n", "N", 3), Option("x", "X", 0.25), Option("on", "On", False)
MANY, TEXT = Option("seeds", "Seeds", (0, 1)), Option("title", "Title", "none")


def test_controls_follow_from_options_alone():
    controls = made(WHOLE, SHARE, FLAG, MANY, TEXT)
    assert [type(control) for control in controls] == [gr.Number, gr.Number, gr.Checkbox, gr.Textbox, gr.Textbox]
    assert [control.value for control in controls] == [3, 0.25, False, "0, 1", "none"]


def test_every_option_has_a_control_wherever_the_layout_puts_it():
    seed, size = Option("seed", "Seed", 0), Option("size", "Size", 99)
    assert [control.label for control in made(seed, WHOLE, MANY, size, FLAG)] == ["Seed", "N", "Seeds", "Size", "On"]
    assert made() == []


def test_values_of_a_menu_are_listed_and_others_are_text():
    menu = Option("layers", "Layers", ("a", "b"), choices=("a", "b", "c"))
    assert shown_value(menu, ("c", "a")) == ["c", "a"] and shown_value(MANY, (1e6, 2)) == "1e6, 2"
    assert shown_value(SHARE, 0.5) == 0.5 and shown_value(FLAG, True) is True


@pytest.mark.parametrize("fits", BACKBONES)
def test_the_network_at_first_is_the_one_that_suits_the_machine(monkeypatch, fits):
    asked = []
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setattr(module, "fitting_backbone", lambda best, compute: asked.append((best, compute.device)) or fits)
    (option,) = [option for option in FIGURES["grid"].options if option.name == "backbone"]
    assert first_value(option) == fits and asked == [(BEST_BACKBONE, "cpu")]


def test_the_page_opens_on_a_machine_that_is_named_wrongly(monkeypatch):
    monkeypatch.setenv("NST_DEVICE", "abacus")
    (option,) = [option for option in FIGURES["grid"].options if option.name == "backbone"]
    assert first_value(option) == BUNDLED_BACKBONE


def test_a_click_into_the_photo_is_a_place_within_it():
    for given, placed in (((0.25, 0.8), (0.25, 0.8)), ((-0.1, 1.2), (0, 1)), ((1 / 3, 0.5), (0.333, 0.5))):
        event = gr.EventData(None, dict(zip("xy", given, strict=True)))
        assert pointed(event) == dict(zip("xy", placed, strict=True))
