"""One table of settings: what is said there of a setting is all that everything else needs."""

import argparse
import inspect
from collections.abc import Mapping
from dataclasses import dataclass

import gradio as gr
import pytest

from nst_core.analysis.written.differences import description_of, difference_of
from nst_core.assets import ASSETS
from nst_core.commands.stylize import add_options
from nst_core.errors import ConfigError
from nst_core.transfer.config import SETTINGS, STEERABLE, StyleTransferConfig
from nst_core.transfer.schema import GROUPS, Control, Setting, reference, setting, steered, table_of
from nst_core.transfer.variations import variable
from nst_core.ui.stylize.controls import plain_controls
from nst_core.ui.stylize.endpoint import endpoint_of
from nst_core.ui.variations.axes import menu

README = ASSETS.parent / "nst_core" / "transfer" / "README.md"


@dataclass(frozen=True, kw_only=True)
class Wider(StyleTransferConfig):
    """A config with a setting that there is not."""

    sparkle: float = setting(
        0.5, "Sparkle", "how much it glitters", extent=(0, 2), page=Control("slider", "strokes"), steered=True
    )


TABLE = table_of(Wider)


def shown(table: Mapping[str, Setting]) -> dict[str, str]:
    """Label of each plain control on the page."""
    with gr.Blocks():
        at = {name: one.default for name, one in table.items()}
        made = {name: one for group in GROUPS for name, one in plain_controls(group, at, table=table).items()}
    return {name: getattr(one, "label", None) or one.props["label"] for name, one in made.items()}


def options(table: Mapping[str, Setting]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add_options(parser, table)
    return parser


# What is made of the table -> the words in it by which a setting is known.
MADE = {
    "page": lambda table: shown(table).values(),
    "command line": lambda table: [options(table).format_help()],
    "programs": lambda table: [str(inspect.signature(endpoint_of(table))), endpoint_of(table).__doc__],
    "sheets": lambda table: [*variable(table).values(), *menu(table).values()],
    "steering": steered,
    "reference": lambda table: [reference(table)],
}


@pytest.mark.parametrize("name", MADE)
def test_a_setting_is_found_in_all_that_is_made_of_the_table(name):
    with_it, without = " ".join(MADE[name](TABLE)).lower(), " ".join(MADE[name](SETTINGS)).lower()
    assert "sparkle" in with_it and "sparkle" not in without


def test_a_setting_is_checked_kept_and_told_like_all_others():
    with pytest.raises(ConfigError, match="sparkle is 3; give a number from 0 to 2"):
        Wider(sparkle=3)
    assert Wider.from_dict(Wider(sparkle=1.5).to_dict()) == Wider(sparkle=1.5) == Wider().changed(sparkle=1.5)
    assert "Sparkle 0.5" in description_of(Wider())
    assert difference_of(Wider(sparkle=1.0), Wider()) == ("Sparkle 1",)
    assert options(TABLE).parse_args(["a", "b", "-o", "c.png", "--sparkle", "0.25"]).sparkle == 0.25


def test_the_table_says_all_that_is_to_be_said():
    for name, one in SETTINGS.items():
        assert one.label and one.about and not one.about.endswith("."), name
        assert one.page is None or one.page.group in GROUPS, name
        assert (one.choices is not None) == isinstance(one.default, str), name
        assert one.choices is None or one.default in one.choices, name
        assert one.choices is None or all(isinstance(title, str) for title in one.choices.values()), name
        assert one.extent or not one.numeric, name
    names = [one.asked for one in SETTINGS.values()]
    assert len(names) == len(set(names))
    assert set(STEERABLE) == {
        "content_weight",
        "style_weight",
        "tv_weight",
        "style_layers",
        "content_layers",
        "layer_weights",
        "blend",
    }


def test_the_readme_has_the_reference():
    assert reference(SETTINGS) in README.read_text()
