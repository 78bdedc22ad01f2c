"""Finds the weights of the networks on this computer, and fetches them; the rest of the program asks here.

`backbone` is one of ARCHITECTURES here, or CLASSIFIER: VGG-19 whole, which is more than a backbone.
"""

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import torch

from nst_core.assets import ASSETS
from nst_core.errors import ConfigError, DownloadError, WeightsError, said
from nst_core.features.checkpoint import (
    ARCHITECTURES,
    BUNDLE_REMEDY,
    CLASSIFIER,
    TEACHERS,
    TITLES,
    Checkpoint,
    Flaw,
    download_size,
    holds,
    load,
    title_of,
)
from nst_core.features.download import PUBLISHED, download_to
from nst_core.features.remote import DownloadProgress

__all__ = (
    "ARCHITECTURES",
    "TITLES",
    "Checkpoint",
    "DownloadProgress",
    "cache_folder",
    "download",
    "download_label",
    "download_size",
    "find",
    "load",
    "places",
    "require",
    "title_of",
)

BUNDLE = "this program"
BUNDLED = ASSETS / "weights"


def places(backbone: str) -> list[Path]:
    """List the places where `find` looks, in order; the last part of a path may be a pattern ("vgg19-*.pth").

    Raises:
        ConfigError: unknown backbone.
    """
    _check_backbone(backbone)
    return [place for _, place in _places(backbone)]


def find(backbone: str) -> Checkpoint | None:
    """Find the first checkpoint on this computer; whether its content is sound, `load` tells.

    A file with the convolutions alone is no classifier, and is passed over.

    Raises:
        ConfigError: unknown backbone.
        WeightsError: NST_WEIGHTS names nothing that exists, or a file that cannot be read.
    """
    _check_backbone(backbone)
    _check_named_path()
    for origin, place in _places(backbone):
        for path in [place] if os.path.isfile(place) else sorted(place.parent.glob(place.name)):
            if _is_for(path, backbone, origin):
                return Checkpoint(backbone, path, origin)
    return None


def require(backbone: str) -> Checkpoint:
    """Find a backbone's checkpoint, as `find`, and refuse to go on without.

    Raises:
        ConfigError: unknown backbone.
        WeightsError: nothing found; says where it looked and how to get them.
    """
    if checkpoint := find(backbone):
        return checkpoint
    if backbone in TEACHERS:
        raise WeightsError(f"{_missing(backbone)}; {BUNDLE_REMEDY}")
    option = "--classifier" if backbone == CLASSIFIER else f"--backbone {backbone}"
    raise WeightsError(
        f"{_missing(backbone)}. Press “{download_label(backbone)}” on the page, or run "
        f"`python -m nst_core weights {option} --download`, or put {_target(backbone).name} into "
        f"{cache_folder()}, or set NST_WEIGHTS to a file or folder that has it"
    )


def download(backbone: str) -> Iterator[DownloadProgress]:
    """Fetch a backbone's convolutions, or the classifier, into the cache, where `find` then finds them.

    It tells how far it is. Of two downloads at once, one waits for the other and uses its file. Closing the generator
    stops the download. Nothing half-written is left behind, whatever happens.

    Raises:
        ConfigError: unknown backbone.
        WeightsError: NST_WEIGHTS names nothing that exists.
        DownloadError: no place to keep them, or no source has them; what each one said.
    """
    _check_backbone(backbone)
    _check_named_path()
    if backbone in TEACHERS:
        raise DownloadError(f"{_missing(backbone)}, which cannot be downloaded by itself; {BUNDLE_REMEDY}")
    return download_to(_target(backbone), backbone)


def download_label(backbone: str) -> str:
    """Write what the button says that downloads it, and how large it is: "Download VGG-19 (80 MB)"."""
    if backbone == CLASSIFIER:  # in MB of 2**20 bytes, as torchvision says it, whose file it is
        return f"Download the classifier ({download_size(backbone) / 2**20:.0f} MB)"
    return f"Download {TITLES[backbone]} ({download_size(backbone) / 1e6:.0f} MB)"


def _target(backbone: str) -> Path:
    """Name the file that a download becomes; the classifier's is torchvision's own, which serves as VGG-19's, too."""
    return cache_folder() / (PUBLISHED["vgg19"].torchvision_file if backbone == CLASSIFIER else _file_name(backbone))


def _missing(backbone: str) -> str:
    return f"the weights of {title_of(backbone)} are missing; looked for {', '.join(map(str, places(backbone)))}"


def _check_backbone(backbone: str) -> None:
    if backbone not in ARCHITECTURES and backbone != CLASSIFIER:
        raise ConfigError(f"backbone is {said(backbone)}; choose one of {', '.join(ARCHITECTURES)}")


def _places(backbone: str) -> list[tuple[str, Path]]:
    """(origin, file or pattern), in order."""
    ours, torchvisions = _file_name(backbone), f"{'vgg19' if backbone == CLASSIFIER else backbone}-*.pth"
    found = [
        ("cache", cache_folder() / ours),
        ("cache", cache_folder() / torchvisions),
        ("torch.hub cache", Path(torch.hub.get_dir()) / "checkpoints" / torchvisions),
    ]
    if backbone in TEACHERS:
        found = [(BUNDLE, BUNDLED / ours)]
    if path := _named_path():
        inside = [path / ours, path / torchvisions] if path.is_dir() else [path]
        found = [("NST_WEIGHTS", place) for place in inside] + found
    return found


def _named_path() -> Path | None:
    named = os.environ.get("NST_WEIGHTS")
    return Path(named).expanduser() if named else None


def _check_named_path() -> None:
    """Refuse a path in NST_WEIGHTS that does not exist: nothing else is used in its stead."""
    path = _named_path()
    if path and not path.exists():
        raise WeightsError(f"NST_WEIGHTS is '{path}', which does not exist; set it to a file or folder, or unset it")


def _is_for(path: Path, backbone: str, origin: str) -> bool:
    """Whether a file is this backbone's: by its place or name, else by what it holds; the classifier's by that alone.

    A broken file that nobody named is no classifier: another place may have one, or a download puts it right.
    """
    named = [name for name in ARCHITECTURES if name in path.name.lower()]
    if backbone != CLASSIFIER and origin != "NST_WEIGHTS":
        return True
    if backbone != CLASSIFIER and named:
        return backbone == named[-1]  # "vgg19_lite" is Lite's
    status = path.stat()
    try:
        return _holds(path, backbone, status.st_mtime_ns, status.st_size)
    except Flaw as flaw:
        if origin != "NST_WEIGHTS":
            return False
        raise WeightsError(f"NST_WEIGHTS is '{path}': {flaw}; set it to another file or folder, or unset it") from flaw


@lru_cache
def _holds(path: Path, backbone: str, modified: int, size: int) -> bool:
    return holds(path, backbone)  # remembered while the file stays as it is


def _file_name(backbone: str) -> str:
    if backbone == CLASSIFIER:
        return f"{CLASSIFIER}.safetensors"
    return (
        f"{TEACHERS[backbone]}_{backbone}.safetensors" if backbone in TEACHERS else f"{backbone}_features.safetensors"
    )


def cache_folder() -> Path:
    """Name the folder that downloads are kept in."""
    if folder := os.environ.get("NST_CACHE"):
        return Path(folder).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "neural-style-lab"
