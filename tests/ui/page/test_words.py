"""Tests of what the page calls settings in sentences that were written for programs."""

import pytest

from nst_core.errors import ConfigError
from nst_core.transfer.config import SETTINGS
from nst_core.transfer.presets import PRESETS
from nst_core.ui.page.words import as_on_page, label_of


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "start is 'image', but there is none; give one",
            "“Start from” is “another picture”, but there is none; give one",
        ),
        ("size is 5; give more", "“Size” is 5; give more"),
        ("kept · steered at step 179: style_weight, tv_weight", "kept · changed at step 179: β style, Total variation"),
        ("the size is 5; give more", "the size is 5; give more"),
        ("brush is 5; give more", "brush is 5; give more"),
        ("Done: 300 steps in 8 s", "Done: 300 steps in 8 s"),
    ],
)
def test_settings_are_called_by_their_labels_and_other_words_stay(text, said):
    assert as_on_page(text) == said


@pytest.mark.parametrize("name", [name for name, one in SETTINGS.items() if one.numeric or one.choices])
def test_what_any_setting_refuses_is_said_with_its_label(name):
    with pytest.raises(ConfigError) as refused:
        PRESETS["studio"].config.changed(**{name: "loud"})
    assert as_on_page(str(refused.value)).startswith(f"“{label_of(name)}” is “loud”; ")
