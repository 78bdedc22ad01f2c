"""Reads and writes files of trained styles: safetensors only; the header holds the names and thumbnails of styles."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.errors import ConfigError, WeightsError, named, said, seen
from nst_core.features.checkpoint import Flaw
from nst_core.files import writing
from nst_core.instant.network import MOST_STYLES, PHOTO, WIDTHS, TransformationNetwork
from nst_core.instant.painter import add_grain

SHOWN = ASSETS / "photos" / "chelsea_cat.jpg"
PAINTED_SIDE = 256  # pixels; thumbnails are made smaller afterwards, so that strokes look as in a picture
THUMBNAIL_SIDE = 160  # pixels

# What stands in a header beside how the network was made.
OWN_KEYS = ("styles", "width", "thumbnails")

MOST_HEADER = 4 * 2**20  # bytes; a style takes about 14,000, nearly all of them its thumbnail
MOST_THUMBNAIL = 2**16  # bytes
JPEG = b"\xff\xd8\xff"  # what every such file begins with
TYPES = ("F16", "BF16", "F32")  # of numbers, as safetensors calls them


@dataclass(frozen=True)
class StyleFile:
    """A file of styles, read.

    Attributes:
        network: float32, on the CPU.
        thumbnails: style -> a small JPEG that shows it; may lack some.
        header: how it was made.
    """

    network: TransformationNetwork
    thumbnails: dict[str, bytes] = field(default_factory=dict)
    header: dict[str, str] = field(default_factory=dict)


def thumbnails(network: TransformationNetwork) -> dict[str, bytes]:
    """Style -> a photograph of this program painted in it, a small square JPEG: what a style does rather than shows."""
    photo = add_grain(images.cover(images.load(SHOWN), (PAINTED_SIDE, PAINTED_SIDE))).to(network.device)
    made = {}
    for name in network.styles[:-1]:
        with torch.no_grad():
            painted = network(photo, network.shares_of({name: 1.0})).cpu()
        made[name] = images.encode_jpeg(painted, quality=80, max_side=THUMBNAIL_SIDE)
    return made


def save_styles(file: StyleFile, path: Path) -> None:
    """Write a file of styles, in half precision.

    Raises:
        OutputError: it cannot be written.
    """
    tensors = {name: value.detach().cpu().half().contiguous() for name, value in file.network.state_dict().items()}
    small = {name: base64.b64encode(jpeg).decode() for name, jpeg in file.thumbnails.items()}
    header = {
        **file.header,
        "styles": json.dumps(file.network.styles),
        "width": str(file.network.width),
        "thumbnails": json.dumps(small),
    }
    with writing(path) as aside:
        aside.write_bytes(save(tensors, header))


def load_styles(path: Path) -> StyleFile:
    """Read a file that `save_styles` wrote.

    A file may come from anyone, so nothing is built before all that it says of itself is compared with what is in it.

    Raises:
        WeightsError: no such file, or not a whole file of styles.
    """
    try:
        _check_header(path)
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            network = _unfilled(header)
            _check_tensors(file, network)
            small = _thumbnails_in(header, network.styles)
            network.load_state_dict({name: _numbers(file, name) for name in network.state_dict()}, assign=True)
    except FileNotFoundError:
        raise WeightsError(f"there is no file {named(path)}; name one that `train` has written") from None
    except (Flaw, ConfigError) as flaw:
        raise _not_of_styles(path, str(flaw)) from None
    except (SafetensorError, OSError, RuntimeError) as error:
        raise _not_of_styles(path, seen(getattr(error, "strerror", None) or str(error))) from None
    network = network.requires_grad_(False).to(memory_format=torch.channels_last)
    return StyleFile(network, small, {name: text for name, text in header.items() if name not in OWN_KEYS})


def _not_of_styles(path: Path, reason: str) -> WeightsError:
    return WeightsError(f"{named(path)} is no file of styles ({reason}); name one that `train` has written")


def _check_header(path: Path) -> None:
    """Refuse a header that would fill the memory by being read: it takes more than ten times its size."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")  # what a file of safetensors begins with
    if size > MOST_HEADER:
        raise Flaw(f"its header would be {size / 1e6:.0f} MB")


def _unfilled(header: dict[str, str]) -> TransformationNetwork:
    """The network that a header tells of, without numbers."""
    styles = _parsed(header, "styles")
    if not isinstance(styles, list) or not 2 <= len(styles) <= MOST_STYLES or styles[-1] != PHOTO:
        raise Flaw(f"it has no list of one to {MOST_STYLES - 1} styles and the photo")
    if not all(isinstance(name, str) for name in styles) or len(set(styles)) < len(styles):
        raise Flaw("the names of its styles are not all different texts")
    low, high = WIDTHS
    width = _parsed(header, "width")
    if type(width) is not int or not low <= width <= high:
        raise Flaw(f"its width is {said(width)}, no whole number from {low} to {high}")
    with torch.device("meta"):  # which takes no memory
        return TransformationNetwork(styles, width)


def _check_tensors(file: Any, network: TransformationNetwork) -> None:
    """Compare an open file's tensors with the network's, before any is read."""
    names, wanted = file.keys(), network.state_dict()
    if set(names) != wanted.keys():
        raise Flaw("it holds other tensors than its header says")
    for name in names:
        tensor = file.get_slice(name)
        if tuple(tensor.get_shape()) != wanted[name].shape or tensor.get_dtype() not in TYPES:
            raise Flaw(f"{name} is of another shape or type than its header says")


def _numbers(file: Any, name: str) -> Tensor:
    """A tensor of an open file; copied, as it is mapped into memory and the file may go."""
    tensor = file.get_tensor(name).to(torch.float32, copy=True)
    if not tensor.isfinite().all():
        raise Flaw("it holds numbers that are not finite")
    return tensor


def _thumbnails_in(header: dict[str, str], styles: Sequence[str]) -> dict[str, bytes]:
    """Those of a network's styles that a header has."""
    found = _parsed(header, "thumbnails") if "thumbnails" in header else {}
    if not isinstance(found, dict):
        raise Flaw("its thumbnails are none")
    small = {}
    for name, text in found.items():
        try:
            jpeg = base64.b64decode(text, validate=True)
        except (TypeError, ValueError):
            jpeg = b""
        if not jpeg.startswith(JPEG) or len(jpeg) > MOST_THUMBNAIL:
            raise Flaw(f"the thumbnail of {said(name)} is no small JPEG")
        if name in styles:
            small[name] = jpeg
    return small


def _parsed(header: dict[str, str], name: str) -> Any:
    try:
        return json.loads(header[name])
    except KeyError:
        raise Flaw(f"its header tells no {name}") from None
    except (ValueError, RecursionError):
        raise Flaw(f"its header's {name} cannot be read") from None
