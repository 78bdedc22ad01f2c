"""The README says what is so."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nst_core import images
from nst_core.__main__ import COMMANDS, _parser
from nst_core.assets import ASSETS
from nst_core.transfer.config import SETTINGS
from nst_core.transfer.presets import PRESETS
from tests.benchmarks.presets import FIGURES, OWN, table

ROOT = ASSETS.parent
README = (ROOT / "README.md").read_text()
MANUALS = {path.relative_to(ROOT): path.read_text() for path in sorted((ROOT / "nst_core").rglob("README.md"))}
PRESETS_README, COMMANDS_README = (MANUALS[Path("nst_core") / room / "README.md"] for room in ("transfer", "commands"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_two_commands_set_up_everything():
    start, test = blocks("bash")
    assert start.count("\n") == test.count("\n") == 1
    assert start.strip().endswith("app.py")
    assert test.strip().endswith("-m pytest")
    assert "tests/requirements.txt" in test  # by which CI finds the command


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_stands_in_the_table_as_it_is(name):
    preset = PRESETS[name]
    assert f"| `{name}` | {preset.source} | {preset.deviations} |" in PRESETS_README


@pytest.mark.parametrize("command", COMMANDS)
def test_the_options_shown_are_those_that_there_are(command):
    commands = _parser()._subparsers._group_actions[0].choices
    options = {text for action in commands[command]._actions for text in action.option_strings} - {"-h", "--help"}
    usage = re.search(r"```\n(python -m nst_core .*?)```", COMMANDS_README, re.DOTALL)[1]
    shown = re.search(rf"nst_core {command}\b(.*?)(?=python -m|\Z)", usage, re.DOTALL)[1]
    told = set(re.findall(r"(?<!\S)\[?(-o|--[a-z-]+)", shown))
    if command in ("stylize", "batch"):  # whose settings stand in their table
        told |= {f"--{one.dashed}" for one in SETTINGS.values()}
        told |= {f"--no-{one.dashed}" for one in SETTINGS.values() if isinstance(one.default, bool)}
    assert told == options - {"--output"}
    assert len(commands) == usage.count("python -m nst_core")


def test_links_and_pictures_lead_somewhere():
    texts = {Path("README.md"): README, **MANUALS, Path("tests/benchmarks/README.md"): None}
    for path, text in texts.items():
        for target in re.findall(r"\]\(([^)h#][^)#]*)", text or (ROOT / path).read_text()):
            assert (ROOT / path.parent / target).exists(), (path, target)


def test_the_readme_is_read_in_one_sitting():
    assert len(README.splitlines()) <= 160


def test_the_front_matter_fits_the_requirements():
    version = re.search(r"sdk_version: (\S+)", README)[1]
    assert re.search(rf"gradio>={version.rsplit('.', 1)[0]}", (ROOT / "requirements.txt").read_text())


def test_the_generator_example_runs_without_gradio(random_weights, tmp_path, pictures):
    """Nor does the command line bring it, by way of another package either: what paints waits for no web server."""
    for image, name in zip(pictures, ("photo.jpg", "style.jpg"), strict=True):
        images.to_pil(image).save(tmp_path / name)
    example = next(block for block in blocks("python") if "for frame in run" in block)
    quick = example.replace("size=384", "size=32, steps=2")
    quick += "import sys, nst_core.__main__\nassert 'gradio' not in sys.modules"
    subprocess.run([sys.executable, "-c", quick], cwd=tmp_path, check=True, env=_environment(random_weights))
    assert (tmp_path / "out.png").exists()


def _environment(folder: Path) -> dict[str, str]:
    return {
        "NST_WEIGHTS": str(folder),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "PATH": str(Path(shutil.which("env")).parent),
    }


def test_every_requirement_has_its_reason():
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        assert re.fullmatch(r"[a-z_-]+>=[\d.]+(,<\d+)? +# .{10,}", line), line


def test_every_asset_is_credited():
    credits = (ROOT / "assets" / "CREDITS.md").read_text()
    for folder in ("photos", "styles"):
        files = sorted((ROOT / "assets" / folder).glob("*.jpg"))
        assert len(files) >= 4
        for path in files:
            assert f"`{folder}/{path.name}`" in credits
    for path in (ROOT / "assets" / "recipes").glob("*.jpg"):
        assert f"`recipes/{path.name}`" in credits
    for path in (ROOT / "assets" / "weights").glob("*.safetensors"):
        assert f"`weights/{path.name}`" in credits


def test_every_painting_of_a_preset_is_shown():
    tiles = Path("assets", "readme", "presets")
    assert all(table(paintings, tiles) in PRESETS_README for paintings in (OWN, FIGURES))
    known = {painting.name for painting in (*OWN, *FIGURES)}
    assert {path.stem for path in (ROOT / tiles).rglob("*.jpg")} <= known
