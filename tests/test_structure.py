"""What the design promises of the source: rooms in order, one room with gradio, a tidy top level."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from nst_core.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[1]

# Rooms in import order: a module imports from those before its own and from its own.
ROOMS = (
    "errors", "interrupts", "files", "host_memory", "pictures", "images", "devices", "features", "losses", "transfer",
    "instant", "analysis", "augment", "commands", "ui", "app",
)  # fmt: skip

# Stand above every room that is no page.
FRONT_DOORS = {"nst_core", "nst_core.__main__"}

TOP_LEVEL = {
    "app.py", "requirements.txt", "README.md", "nst_core", "tests", "assets", "LICENSE", "pyproject.toml",
    ".gitignore", ".ci",
}  # fmt: skip

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "base", "core", "tools"}


# tested by way of weights and download
WITHOUT_TESTS = {"checkpoint", "remote"}


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


SOURCES = {module_of(file): file for file in [ROOT / "app.py", *sorted((ROOT / "nst_core").rglob("*.py"))]}


def imports_of(module: str) -> set[str]:
    """Every module that a module imports, wherever in its text, written out in full."""
    found, file = set(), SOURCES[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names = {f"{base}.{alias.name}" for alias in node.names}
            found |= {name for name in names if name in SOURCES} or {base}
    return found


def room_of(module: str) -> str | None:
    """The room that a module stands in; None for other people's modules."""
    parts = module.split(".")
    if parts[0] == "app":
        return "app"
    return parts[1] if parts[0] == "nst_core" and len(parts) > 1 else None


@pytest.mark.parametrize("module", sorted(SOURCES.keys() - FRONT_DOORS))
def test_a_module_imports_only_from_rooms_before_it_or_its_own(module):
    own = room_of(module)
    assert own in ROOMS, f"{module} stands in a room that the design does not know"
    for imported in imports_of(module):
        if imported.split(".")[0] in ("nst_core", "app"):
            assert imported != "nst_core", f"{module} imports by the front door"
            room = room_of(imported)
            assert ROOMS.index(room) <= ROOMS.index(own), f"{module} imports {imported}"


@pytest.mark.parametrize("module", sorted(FRONT_DOORS))
def test_a_front_door_needs_no_page(module):
    assert not {room_of(imported) for imported in imports_of(module)} & {"ui", "app"}


def speaks(module: str) -> bool:
    """Whether a module belongs to the command line."""
    return module == "nst_core.__main__" or room_of(module) == "commands"


@pytest.mark.parametrize("module", [name for name in sorted(SOURCES) if not speaks(name)])
def test_nothing_but_the_command_line_imports_a_command(module):
    assert "commands" not in {room_of(imported) for imported in imports_of(module)}


def test_the_command_line_is_a_table_of_contents():
    assert len(SOURCES["nst_core.__main__"].read_text().splitlines()) < 70


def test_no_two_modules_of_a_room_import_each_other():
    graph = {module: {name for name in imports_of(module) if name in SOURCES} for module in SOURCES}

    def reaches(start: str, goal: str, seen: set[str]) -> bool:
        return any(name == goal or (name not in seen and reaches(name, goal, seen | {name})) for name in graph[start])

    assert not [module for module in SOURCES if reaches(module, module, set())]


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_only_the_page_imports_gradio(module):
    gradio = {name.split(".")[0] for name in imports_of(module)} & {"gradio", "gradio_client"}
    assert not gradio or module == "app" or module.startswith("nst_core.ui.")


def test_the_core_comes_without_gradio():
    """Not by way of another package either: a command that paints should not wait for a web server."""
    code = "import sys, nst_core, nst_core.__main__; sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_a_module_is_named_after_what_it_does(module):
    assert not VAGUE & set(module.split("."))


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_a_module_opens_with_a_sentence_about_itself(module):
    if text := SOURCES[module].read_text().strip():
        docstring = ast.get_docstring(ast.parse(text))
        assert docstring and docstring.splitlines()[0].rstrip().endswith((".", ":", "`"))


@pytest.mark.parametrize("module", [name for name in sorted(SOURCES) if name != "app" and not speaks(name)])
def test_nothing_but_the_command_line_prints(module):
    calls = [node.func for node in ast.walk(ast.parse(SOURCES[module].read_text())) if isinstance(node, ast.Call)]
    assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "print"]


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_no_except_is_bare_and_nothing_asserts_its_input(module):
    for node in ast.walk(ast.parse(SOURCES[module].read_text())):
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None)
        assert not isinstance(node, ast.Assert)


def private_names(tree: ast.Module) -> set[str]:
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.startswith("_")
    }


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_no_private_function_is_left_unused(module):
    text = SOURCES[module].read_text()
    tree = ast.parse(text)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert private_names(tree) <= used


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_the_top_level_holds_what_the_design_lists():
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    assert {name.split("/")[0] for name in files} <= TOP_LEVEL


def test_the_page_is_a_table_of_contents():
    assert len((ROOT / "app.py").read_text().splitlines()) < 80


def test_every_room_has_its_tests():
    tests = {file.name for file in (ROOT / "tests").rglob("test_*.py")}
    for module, file in SOURCES.items():
        if room_of(module) in ROOMS[: ROOMS.index("transfer") + 1] and file.name != "__init__.py":
            assert {f"test_{file.stem}.py"} & tests or file.stem in WITHOUT_TESTS, module


def test_every_command_has_its_tests():
    tests = {file.name for file in (ROOT / "tests").rglob("test_*.py")}
    for name in COMMANDS:
        assert f"nst_core.commands.{name}" in SOURCES and f"test_command_{name}.py" in tests
