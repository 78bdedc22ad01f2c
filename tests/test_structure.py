"""What the design promises of the source: rooms in order, one room with gradio, a tidy top level."""

import ast
import re
import subprocess
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from nst_core.__main__ import COMMANDS
from nst_core.assets import ASSETS

ROOT = ASSETS.parent

# Rooms in import order: a module imports from those before its own and from its own.
ROOMS = (
    "version",
    "errors",
    "file_names",
    "interrupts",
    "files",
    "outputs",
    "control_groups",
    "host_memory",
    "cores",
    "assets",
    "graphs",
    "pictures",
    "images",
    "devices",
    "steps",
    "passes",
    "features",
    "losses",
    "universal",
    "transfer",
    "engine",
    "instant",
    "analysis",
    "augment",
    "batch",
    "commands",
    "ui",
    "app",
)
# The same within rooms that have rooms of their own; "" stands for the modules right inside.
INNER_ROOMS = {
    "ui": (
        "words",
        "page",
        "widgets",
        "serving",
        "studio",
        "stylize",
        "variations",
        "instant",
        "train",
        "explain",
        "folders",
        "classroom",
    ),
    "analysis": ("", "cutouts", "layer_view", "painting", "written", "poster", "figures"),
}
TABS = set(INNER_ROOMS["ui"][5:])
MOST_WAYS = {"ui": 30, "analysis": 10}  # pairs of inner rooms of which one imports the other

# Stand above every room that is no page.
FRONT_DOORS = {"nst_core", "nst_core.__main__"}

TOP_LEVEL = {
    "app.py",
    "requirements.txt",
    "README.md",
    "nst_core",
    "tests",
    "assets",
    "LICENSE",
    "pyproject.toml",
    ".gitignore",
    ".ci",
}

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "base", "core", "tools"}


# tested by way of weights, download, record and images
WITHOUT_TESTS = {"checkpoint", "remote", "version", "srgb"}


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


SOURCES = {module_of(file): file for file in [ROOT / "app.py", *sorted((ROOT / "nst_core").rglob("*.py"))]}


@cache
def tree_of(module: str) -> ast.Module:
    """A module, parsed."""
    return ast.parse(SOURCES[module].read_text())


@cache
def nodes_of(module: str) -> list[ast.AST]:
    """All that a module is made of, in the order of `ast.walk`."""
    return list(ast.walk(tree_of(module)))


@pytest.fixture(scope="module", autouse=True)
def trees():
    """Half a million objects, among which garbage would be searched for long after."""
    yield
    nodes_of.cache_clear()
    tree_of.cache_clear()


@cache
def imports_of(module: str) -> set[str]:
    """Every module that a module imports, wherever in its text, written out in full."""
    found, file = set(), SOURCES[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in nodes_of(module):
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


def ours(module: str) -> list[str]:
    """What a module imports of ours."""
    return [name for name in imports_of(module) if name.split(".")[0] in ("nst_core", "app")]


def inner_room_of(module: str) -> str:
    """The inner room that a module of an inner room's room stands in."""
    parts = module.split(".")[2:]
    return parts[0] if len(parts) > 1 else ""


def test_every_module_stands_in_a_room_that_the_design_knows():
    unknown = [module for module in SOURCES.keys() - FRONT_DOORS if room_of(module) not in ROOMS]
    packages = {module for module, file in SOURCES.items() if file.name == "__init__.py"}
    unknown += [
        module
        for module in SOURCES.keys() - packages
        if room_of(module) in INNER_ROOMS and inner_room_of(module) not in INNER_ROOMS[room_of(module)]
    ]
    assert not unknown


def test_a_module_imports_only_from_rooms_before_it_or_its_own():
    wrong = [
        (module, imported)
        for module in SOURCES.keys() - FRONT_DOORS
        for imported in ours(module)
        if imported == "nst_core" or ROOMS.index(room_of(imported)) > ROOMS.index(room_of(module))
    ]
    assert not wrong


def ways(room: str) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """(inner room, inner room that it imports) -> the modules."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for module in SOURCES:
        for imported in imports_of(module) & SOURCES.keys():
            if room_of(module) == room_of(imported) == room:
                pair = inner_room_of(module), inner_room_of(imported)
                if pair[0] != pair[1]:
                    found.setdefault(pair, []).append((module, imported))
    return found


@pytest.mark.parametrize("room", INNER_ROOMS)
def test_inner_rooms_stand_in_order_too_and_few_ways_lead_between_them(room):
    order, found = INNER_ROOMS[room], ways(room)
    print(f"{room}: {len(found)} ways, {sum(map(len, found.values()))} imports")
    assert not {pair: modules for pair, modules in found.items() if order.index(pair[0]) < order.index(pair[1])}
    assert 0 < len(found) <= MOST_WAYS[room]


def test_no_tab_imports_another_tab():
    assert not {pair: modules for pair, modules in ways("ui").items() if TABS.issuperset(pair)}


def test_every_room_says_in_its_first_line_what_lives_there_and_what_it_imports():
    silent = [
        module
        for module, file in SOURCES.items()
        if file.name == "__init__.py" and module != "nst_core" and "mports" not in file.read_text().partition("\n\n")[0]
    ]
    assert not silent


def test_a_front_door_needs_no_page():
    assert not {room_of(imported) for module in FRONT_DOORS for imported in imports_of(module)} & {"ui", "app"}


def speaks(module: str) -> bool:
    """Whether a module belongs to the command line."""
    return module == "nst_core.__main__" or room_of(module) == "commands"


def test_nothing_but_the_command_line_imports_a_command():
    silent = [module for module in SOURCES if not speaks(module)]
    assert not [module for module in silent if "commands" in {room_of(imported) for imported in imports_of(module)}]


def test_the_command_line_is_a_table_of_contents():
    assert len(SOURCES["nst_core.__main__"].read_text().splitlines()) < 70


def test_no_imports_go_round_in_a_circle():
    graph = {module: imports_of(module) & SOURCES.keys() for module in SOURCES}
    TopologicalSorter(graph).prepare()  # names the circle if there is one


def test_only_the_page_imports_gradio():
    importers = [
        module
        for module in SOURCES
        if {name.split(".")[0] for name in imports_of(module)} & {"gradio", "gradio_client"}
    ]
    assert not [module for module in importers if module != "app" and not module.startswith("nst_core.ui.")]


def test_a_module_is_named_after_what_it_does():
    assert not [module for module in SOURCES if VAGUE & set(module.split("."))]


def test_a_module_opens_with_a_sentence_about_itself():
    openings = {module: ast.get_docstring(tree_of(module)) for module, file in SOURCES.items()}
    ends = (".", ":", "`")
    assert not [name for name, text in openings.items() if not (text and text.splitlines()[0].rstrip().endswith(ends))]


def called(module: str) -> set[str]:
    """Names of the functions that a module calls."""
    calls = [node.func for node in nodes_of(module) if isinstance(node, ast.Call)]
    return {call.id for call in calls if isinstance(call, ast.Name)}


def test_nothing_but_the_command_line_prints():
    silent = [module for module in SOURCES if module != "app" and not speaks(module)]
    assert not [module for module in silent if "print" in called(module)]


def test_no_except_is_bare_and_nothing_asserts_its_input():
    nodes = [(module, node) for module, file in SOURCES.items() for node in nodes_of(module)]
    assert not [module for module, node in nodes if isinstance(node, ast.ExceptHandler) and node.type is None]
    assert not [module for module, node in nodes if isinstance(node, ast.Assert)]


def private_names(tree: ast.Module) -> set[str]:
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.startswith("_")
    }


def test_files_and_functions_can_be_read_in_one_sitting():
    long = [module for module, file in SOURCES.items() if len(file.read_text().splitlines()) > 300]
    long += [
        f"{module}.{node.name}"
        for module in SOURCES
        for node in nodes_of(module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 60
    ]
    assert not long


def test_all_code_has_the_formatters_shape():
    files = [
        *ROOT.glob("*.py"),
        *(file for room in ("nst_core", "tests", "assets") for file in (ROOT / room).rglob("*.py")),
    ]
    assert [file for file in files if re.search(r"# *fmt: *(skip|off)", file.read_text(encoding="utf-8"))] == []


def test_no_private_function_is_left_unused():
    unused = {}
    for module in SOURCES:
        used = {node.id for node in nodes_of(module) if isinstance(node, ast.Name)}
        used |= {node.attr for node in nodes_of(module) if isinstance(node, ast.Attribute)}
        if left := private_names(tree_of(module)) - used:
            unused[module] = left
    assert not unused


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_the_top_level_holds_what_the_design_lists():
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    assert {name.split("/")[0] for name in files} <= TOP_LEVEL


def test_the_page_is_a_table_of_contents():
    assert len((ROOT / "app.py").read_text().splitlines()) < 80


def test_every_module_of_the_core_has_its_tests():
    untested = []
    for module, file in SOURCES.items():
        if room_of(module) in ROOMS[: ROOMS.index("transfer") + 1] and file.name != "__init__.py":
            place = ROOT / "tests" / file.parent.relative_to(ROOT / "nst_core") / f"test_{file.stem}.py"
            if not (place.exists() or file.stem in WITHOUT_TESTS):
                untested.append(module)
    assert not untested


def test_every_command_has_its_tests():
    assert all(f"nst_core.commands.{name}" in SOURCES for name in COMMANDS)
    assert not [name for name in COMMANDS if not (ROOT / "tests" / "commands" / f"test_{name}.py").exists()]


def test_tests_stand_in_rooms_that_there_are():
    rooms = {file.parent.relative_to(ROOT / "nst_core") for file in SOURCES.values() if file.name == "__init__.py"}
    rooms |= {Path("."), Path("e2e")}
    assert not {
        file for file in (ROOT / "tests").rglob("test_*.py") if file.parent.relative_to(ROOT / "tests") not in rooms
    }
