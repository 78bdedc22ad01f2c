"""Lists every sentence that the page may show, as its source writes them: `words_of_source`."""

import ast
import itertools
import re
from collections.abc import Iterator
from functools import cache

from nst_core.analysis.written import code
from nst_core.assets import ASSETS
from nst_core.pictures import notes
from nst_core.ui.words import gradios
from tests.ui.words.marked import html_units, is_said, markdown_html, renumbered, tidy
from tests.ui.words.silent import NAMES, SILENT_CALLS, SILENT_ROOMS, SINGLE

ROOT = ASSETS.parent
SHORT = {"label", "title", "info", "placeholder", "alt_text", "hint", "caption", "unit", "name_of", "text", "value"}
TAG = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", re.S)
ENDING = re.compile(r"\$\{[^{}`]*\? ?'(\w*)' ?: ?'(\w*)'\}")  # of a plural, in a script
CODE = re.compile(r"=>|\bconst \w+ ?=|\bfunction\b|addEventListener|querySelector")
STYLE = re.compile(r"\{[^{}]*[a-z-]+: ?[^{}]*;?[^{}]*\}|^\.[a-z-]+ ?\{", re.M)


@cache
def words_of_source() -> dict[str, str]:
    """Every unit -> where it was found first."""
    found: dict[str, str] = {}
    files = [ROOT / "app.py", *sorted((ROOT / "nst_core").rglob("*.py"))]
    for file in files:
        place = str(file.relative_to(ROOT))
        if place.startswith(tuple(f"nst_core/{room}" for room in SILENT_ROOMS)) or "ui/words" in place:
            continue
        for text in texts_of(ast.parse(file.read_text()), "/ui/" in place or place == "app.py"):
            for unit in units_in(text):
                if unit in NAMES or "https://" in unit or re.match(r"\$\w+$|HINT$", unit):
                    continue
                found.setdefault(unit, place)
    for text in (*gradios.WORDS, *SINGLE, *names_of_files()):
        found.setdefault(text, "gradio")
    for text in (line.words for function in code.FUNCTIONS for line in code.lines_of(function) if line.words):
        found.setdefault(text, "nst_core/transfer/gatys.py")
    return found


def names_of_files() -> Iterator[str]:
    """What the page calls the pictures that come along."""
    for folder in ("photos", "styles"):
        yield from (path.stem.replace("_", " ") for path in sorted((ASSETS / folder).glob("*.jpg")))


def units_in(text: str) -> list[str]:
    """Take a literal apart: HTML into its sentences, a script into what it says, other ones as they are."""
    count = itertools.count()
    text = re.sub(r"\{\}", lambda _: f"{{{next(count)}}}", text)
    code, tag = CODE.search(text), TAG.search(text)
    if code and not (tag and tag.start() < code.start()):
        return [unit for literal in script_literals(text) for unit in units_in(literal)]
    if "${" in text:
        if ENDING.search(text):
            return [unit for side in (1, 2) for unit in units_in(ENDING.sub(rf"\{side}", text))]
        html, inside = without_expressions(text)
        return units_in(html) + [unit for code in inside for word in script_literals(code) for unit in units_in(word)]
    if STYLE.search(text):
        return []
    if TAG.search(text) or "&nbsp;" in text:
        return html_units(text)
    if re.search(r"\*\*|^#+ |\]\(http|\n\n|(?<!\w)\*[A-Za-z][^*]*\*(?!\w)", text):
        return html_units(markdown_html(text))
    text = renumbered(tidy(text))
    return [text] if is_spoken(text) else []


def is_spoken(text: str) -> bool:
    """Whether a text is meant for people, not for programs."""
    if re.search(r"^\$\w+$|^--\w|^\W?\{0\}\W*$|\[data-|python -m|^\| ", text):
        return False
    if (
        re.search(r"[Σ∇∂∬√‖ᵢⱼₖ]|_\w+\b", text)
        and re.search(r"[=²]", text)
        and not re.search(r"[a-z]{3,}[.?] [A-Z]", text)
    ):
        return False  # a formula
    if (
        not is_said(text)
        or len(text) < 2
        or re.search(r"\w/\w+[;+]|^[#.]\w|^\w+=|^https?:|[a-z]\(\)|^/|:\w+\(|\[\w+=", text)
    ):
        return False
    if re.fullmatch(r"[\w{}./:-]*", text) and not re.fullmatch(r"[A-Z][a-z]+[.…]?|[A-Za-z]+", text):
        return False
    return not re.fullmatch(r"[a-z0-9-]+(?: [a-z0-9-]+: .*)|[\w-]+: [\w-]+;.*|.*-src '.*|.*\bmax-age=.*", text)


def texts_of(tree: ast.Module, shown: bool) -> Iterator[str]:
    """List what a module's literals say, f-strings with numbered fields; single words where they are shown."""
    skipped = docstrings(tree)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if node in skipped or not isinstance(node, ast.Constant | ast.JoinedStr):
            continue
        if isinstance(node, ast.Constant) and not isinstance(node.value, str):
            continue
        above = parents.get(node)
        part_of = isinstance(above, ast.JoinedStr | ast.FormattedValue | ast.Compare | ast.Subscript | ast.Starred)
        if part_of and not (isinstance(above, ast.FormattedValue) and isinstance(node, ast.JoinedStr)):
            continue
        if is_silent(node, parents):
            continue
        for text in written(node):
            if " " in text.strip() or is_label(node, parents) or (shown and re.fullmatch(r"[A-Z][a-z]+\.?", text)):
                yield text


def docstrings(tree: ast.Module) -> set[ast.AST]:
    """Find texts that stand as statements, and names of types."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.add(node.value)
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            found |= set(ast.walk(part)) if part else set()
    return found


def is_silent(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a literal is a key, or is given to what tells nobody."""
    child, above = node, parents.get(node)
    while above is not None and not isinstance(above, ast.stmt):
        if isinstance(above, ast.Dict) and child is node and child in above.keys and not named(node):
            return True
        if isinstance(above, ast.Call) and name_of(above.func) in SILENT_CALLS:
            return True
        if isinstance(above, ast.keyword) and above.arg == "equation":
            return True
        child, above = above, parents.get(above)
    return isinstance(above, ast.Assert)


def named(node: ast.AST) -> bool:
    """Whether a key is a heading."""
    return isinstance(node, ast.Constant) and bool(re.match(r"[A-Z]\w* .* ", str(node.value)))


def is_label(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a single word is shown: what is called so, or the text of a button or a tab."""
    above = parents.get(node)
    if isinstance(above, ast.keyword):
        return above.arg in SHORT
    if isinstance(above, ast.Call):
        return name_of(above.func) in {"Button", "Tab", "Accordion", "Label", "DownloadButton", "UploadButton"}
    return False


def name_of(function: ast.expr) -> str:
    """The last part of a function's name."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def written(node: ast.expr) -> list[str]:
    """All ways in which a literal may be written: its fields as {0}, {1}; endings that depend both ways."""
    if isinstance(node, ast.Constant):
        return [node.value]
    assert isinstance(node, ast.JoinedStr)
    parts: list[list[str]] = []
    for number, part in enumerate(node.values):
        if isinstance(part, ast.Constant):
            parts.append([str(part.value)])
        else:
            assert isinstance(part, ast.FormattedValue)
            parts.append(ways(part.value) or [f"{{{number}}}"])
    return [renumbered("".join(way)) for way in itertools.islice(itertools.product(*parts), 8)]


def ways(node: ast.expr) -> list[str] | None:
    """What a field may be, where the source writes it out: `'s' * (n != 1)`, or one of two texts."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for side in (node.left, node.right):
            if isinstance(side, ast.Constant | ast.JoinedStr) and (
                isinstance(side, ast.JoinedStr) or isinstance(side.value, str)
            ):
                return ["", *(text.replace("{", "{9") for text in written(side))]
    if isinstance(node, ast.IfExp):
        sides = [_plain(side) for side in (node.body, node.orelse)]
        if all(side is not None for side in sides):
            return [text for side in sides for text in side or []]
    return None


def _plain(node: ast.expr) -> list[str] | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [text.replace("{", "{9") for text in written(node)]
    return None


def without_expressions(template: str) -> tuple[str, list[str]]:
    """Write a template's expressions as fields; and list them."""
    written_, inside, at = "", [], 0
    while (start := template.find("${", at)) >= 0:
        depth, end = 1, start + 2
        while depth and end < len(template):
            depth += {"{": 1, "}": -1}.get(template[end], 0)
            end += 1
        written_ += template[at:start] + f"{{{len(inside)}}}"
        inside.append(template[start + 2 : end - 1])
        at = end
    return written_ + template[at:], inside


def script_literals(code: str) -> list[str]:
    """List the literals of a script that have a space in them, those in backticks with what is inside."""
    code = re.sub(r"(?m)(?:^|\s)//.*$", "", code)
    found, at = [], 0
    for start in re.finditer(r"""['"`]""", code):
        if start.start() < at:
            continue
        end, quote, depth = start.end(), start[0], 0
        while end < len(code) and (code[end] != quote or depth):
            if quote == "`" and code.startswith("${", end):
                depth += 1
            elif quote == "`" and depth and code[end] == "}":
                depth -= 1
            if quote != "`" and code[end] == "\n":
                break
            end += 1
        at = end + 1
        text = code[start.end() : end]
        if " " in text.strip() or re.fullmatch(r"[A-Z][a-z]+", text):
            found.append(text)
    return found


def words_of_page() -> Iterator[str]:
    """What the components of the page say as it opens, single words, too: labels, hints, choices."""
    with notes.told_to(notes._tell):  # who tells of pictures is as before after
        import app

    for component in app.demo.get_config_file()["components"]:
        props, kind = component["props"], component["type"]
        if re.fullmatch(r"[a-z_]+", str(props.get("label"))) and not props.get("elem_id"):
            continue  # of an endpoint
        said = [props.get(name) for name in ("label", "info", "placeholder", "alt_text")]
        said += [choice[0] if isinstance(choice, list | tuple) else choice for choice in props.get("choices") or []]
        said += [props.get("value")] * (kind in {"button", "markdown", "downloadbutton"})
        for text in filter(None, said):
            yield from (unit for unit in units_in(str(text)) if unit not in NAMES)
