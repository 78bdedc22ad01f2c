"""Keeps in a folder what a painting needs to go on, and reads it back: safetensors and JSON, each file whole or none.

STATE holds numbers, texts and tensors as they are now, and names the files of what never changes once it is made, such
as the pictures that are painted from: these are written once. A new STATE takes the old one's place when all that it
names is on the disk; only then what it no longer names is deleted. So whatever ends the writing, the last whole state
is there. Each file has a checksum of what is in it.
"""

import json
import re
import secrets
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from nst_core.errors import DeviceError, ImageError, WeightsError, named, seen
from nst_core.features.checkpoint import Checkpoint, Flaw, title_of
from nst_core.files import make_folder, writing
from nst_core.transfer.json_values import is_table, is_text, read_json

STATE = "painting.safetensors"
LASTING = re.compile(r"[a-z-]+(-\d+)?-[0-9a-f]{16}\.safetensors")  # such as pair-12-0123456789abcdef.safetensors
FORMAT = "neural-style-lab painting"
VERSION = "2"  # of the format; of another, nothing is read

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class State:
    """What something needs to go on.

    Attributes:
        facts: name -> a value of JSON.
        tensors: name -> what changes from step to step; float32 or uint8.
        lasting: name -> gives, before the next step, tensors that never change; no others may be called so in the same
            painting.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    tensors: Tensors = field(default_factory=dict)
    lasting: dict[str, Callable[[], Tensors]] = field(default_factory=dict)

    def __or__(self, other: "State") -> "State":
        return State(self.facts | other.facts, self.tensors | other.tensors, self.lasting | other.lasting)

    def fact(self, name: str, kind: Callable[[Any], bool]) -> Any:
        """Give a fact that is of a kind.

        Raises:
            Flaw: it is missing or of another kind.
        """
        if name not in self.facts or not kind(self.facts[name]):
            raise Flaw(f"its {name} is missing or not one")
        return self.facts[name]

    def tensor(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """Give a tensor of this shape, float32.

        Raises:
            Flaw: it is missing or another.
        """
        return checked(self.tensors, name, shape)

    def picture(self, name: str) -> Tensor:
        """Give a picture, (1, 3, H, W).

        Raises:
            Flaw: it is missing or none.
        """
        tensor = self.tensors.get(name)
        if tensor is None or tensor.ndim != 4 or not tensor.numel():
            raise Flaw(f"its {name} is missing or none")
        return checked(self.tensors, name, (1, 3, *tensor.shape[2:]))

    def lasting_tensors(self, name: str) -> Tensors:
        """Give what is lasting under a name.

        Raises:
            Flaw: it is missing or damaged.
        """
        if name not in self.lasting:
            raise Flaw(f"its {name} is missing")
        return self.lasting[name]()


@dataclass(frozen=True)
class Kept:
    """A state in a folder.

    Attributes:
        folder: where it is.
        checksum: of STATE.
        files: name of what is lasting -> its file and its checksum.
        seconds: that writing it took; 0 if it was read.
        size: bytes that were written; 0 if it was read.
    """

    folder: Path
    checksum: str
    files: dict[str, tuple[str, str]]
    seconds: float = 0.0
    size: int = 0


def checked(tensors: Mapping[str, Tensor], name: str, shape: tuple[int, ...]) -> Tensor:
    """Give the tensor of a name, float32 and of this shape.

    Raises:
        Flaw: it is missing or another.
    """
    tensor = tensors.get(name)
    if tensor is None or tensor.dtype != torch.float32 or tuple(tensor.shape) != shape:
        raise Flaw(f"its {name} is missing or of another shape")
    return tensor


def write(state: State, folder: Path, before: Kept | None = None) -> Kept:
    """Put a state in the place of the one before.

    Args:
        state: what is kept.
        folder: made if it is missing; what else is in it stays.
        before: what the same painting last kept, so that what is lasting is not written again if it is there.

    Raises:
        OutputError: it cannot be written; the state before is still there.
    """
    began, size = time.perf_counter(), 0
    make_folder(folder)
    known = before.files if before and before.folder == folder else {}
    files: dict[str, tuple[str, str]] = {}
    new: list[Path] = []
    try:
        for name, tensors in state.lasting.items():
            if name in known and (folder / known[name][0]).is_file():
                files[name] = known[name]
                continue
            new.append(folder / f"{name}-{secrets.token_hex(8)}.safetensors")
            files[name] = new[-1].name, _write_file(new[-1], tensors(), {"name": name})
            size += new[-1].stat().st_size
        checksum = _write_file(folder / STATE, state.tensors, {"facts": state.facts, "files": files})
    except BaseException:
        for path in new:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        raise
    size += (folder / STATE).stat().st_size
    _clear(folder, {file for file, _ in files.values()})
    return Kept(folder, checksum, files, time.perf_counter() - began, size)


def read(folder: Path) -> tuple[State, Kept]:
    """Read the state that a folder holds; what is lasting is read when it is asked for.

    Raises:
        Flaw: there is none, or it is damaged or of another version.
    """
    tensors, told, checksum = _read_file(folder / STATE)
    facts, files = told.get("facts"), told.get("files")
    if not isinstance(facts, dict) or not isinstance(files, dict) or not is_table(files, _is_file):
        raise Flaw(f"{STATE} is not a painting's")

    def reader(file: str, expected: str) -> Callable[[], Tensors]:
        def tensors_of() -> Tensors:
            found, _, checksum = _read_file(folder / file)
            if checksum != expected:
                raise Flaw(f"{file} is another than was kept")
            return found

        return tensors_of

    lasting = {name: reader(*place) for name, place in files.items()}
    return State(facts, tensors, lasting), Kept(folder, checksum, {name: (*place,) for name, place in files.items()})


@contextmanager
def flaws_told(folder: Path) -> Iterator[None]:
    """Tell what is wrong with a state that a folder holds.

    Raises:
        ImageError: for a Flaw.
    """
    try:
        yield
    except Flaw as flaw:
        if not (folder / STATE).is_file():
            raise ImageError(
                f"what this painting needs to go on is gone from {named(folder)}, as files are kept for a while; "
                "start another from its picture"
            ) from None
        raise ImageError(
            f"the painting kept in {named(folder)} cannot go on: {flaw}; start another from its picture"
        ) from None


def _is_file(value: Any) -> bool:
    both_texts = isinstance(value, list) and len(value) == 2 and all(map(is_text, value))
    return both_texts and bool(LASTING.fullmatch(value[0]))


def _write_file(path: Path, tensors: Tensors, told: dict[str, Any]) -> str:
    """Write a file whole; its checksum."""
    text = json.dumps(told, allow_nan=False)
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}  # none is another
    checksum = _checksum(plain, text)
    with writing(path) as aside:
        save_file(plain, aside, {"format": FORMAT, "version": VERSION, "told": text, "checksum": checksum})
    return checksum


def _read_file(path: Path) -> tuple[Tensors, dict[str, Any], str]:
    """Read tensors, what is told beside them, and the checksum of both.

    Raises:
        Flaw: it is missing or damaged, or of another kind or version.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            # copied, so that nothing hangs on the file, and in place as torch has it: MKL's sums may differ elsewhere
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118  # no mapping
    except FileNotFoundError:
        raise Flaw(f"{path.name} is missing") from None
    except Exception as error:  # a damaged file makes the reader raise almost anything
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise Flaw(f"{path.name} cannot be read ({seen(reason)})") from None
    if header.get("format") != FORMAT:
        raise Flaw(f"{path.name} is not a painting's")
    if header.get("version") != VERSION:
        raise Flaw(f"{path.name} is of another version ({seen(header.get('version', 'none'))}, not {VERSION})")
    if header.get("checksum") != _checksum(tensors, header.get("told", "")):
        raise Flaw(f"{path.name} is damaged")
    try:
        told = read_json(header["told"])
    except (KeyError, ValueError, RecursionError):
        raise Flaw(f"{path.name} is damaged") from None
    return tensors, told if isinstance(told, dict) else {}, header["checksum"]


def _checksum(tensors: Tensors, text: str) -> str:
    """Sum up tensors, their names, types and shapes, and a text: against damage, not against forgers."""
    total = zlib.crc32(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        total = zlib.crc32(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode(), total)
        total = zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().data, total)
    return f"{total:08x}"


def _clear(folder: Path, named: set[str]) -> None:
    """Delete what was lasting for states before, or for one that was never finished."""
    for path in folder.iterdir():
        if LASTING.fullmatch(path.name) and path.name not in named:
            with suppress(OSError):
                path.unlink()


def check_weights(checkpoint: Checkpoint, state: State) -> None:
    """Refuse to go on with other weights than a painting was begun with.

    Raises:
        WeightsError: they are others.
    """
    if checkpoint.sha256() != state.facts.get("weights"):
        raise WeightsError(
            f"this painting was begun with another file of {title_of(checkpoint.backbone)} than {checkpoint.path}; put "
            "that one in its place (NST_WEIGHTS), or start another painting from its picture"
        )


def take_chance(generator: torch.Generator, kept: Tensor) -> None:
    """Go on drawing by chance as one did whose state was kept.

    Raises:
        Flaw: it is none.
        DeviceError: it is of a device of another kind.
    """
    if kept.shape != generator.get_state().shape:
        raise DeviceError("this painting draws by chance on a device of another kind; go on there (NST_DEVICE)")
    try:
        generator.set_state(kept)
    except (RuntimeError, TypeError):
        raise Flaw("its chance is none") from None
