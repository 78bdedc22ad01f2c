"""`presets` on the command line."""

from nst_core.__main__ import main
from nst_core.transfer.presets import PRESETS


def test_presets_are_listed_one_a_line_with_the_name_first(capsys):
    assert main(["presets"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(PRESETS)
    for line, preset in zip(lines, PRESETS.values(), strict=True):
        assert preset.title in line and preset.source in line
