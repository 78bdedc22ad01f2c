"""Files of trained styles: safetensors only; names and thumbnails of the styles stand in the header."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from nst_core import images
from nst_core.errors import NSTError, WeightsError
from nst_core.features.distill import writing
from nst_core.instant.network import PHOTO, TransformationNetwork

SHOWN = Path(__file__).resolve().parents[2] / "assets" / "photos" / "chelsea_cat.jpg"
PAINTED_SIDE = 256  # pixels; thumbnails are made smaller afterwards, so that strokes look as in a picture
THUMBNAIL_SIDE = 160  # pixels

# What stands in a header beside how the network was made.
OWN_KEYS = ("styles", "width", "thumbnails")


@dataclass(frozen=True)
class StyleFile:
    """What a file of styles holds.

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
    photo = images.cover(images.load(SHOWN), (PAINTED_SIDE, PAINTED_SIDE)).to(network.device)
    made = {}
    for name in network.styles[:-1]:
        with torch.no_grad():
            painted = network(photo, network.shares_of({name: 1.0})).cpu()
        made[name] = images.encode_jpeg(painted, quality=80, max_side=THUMBNAIL_SIDE)
    return made


def save_styles(file: StyleFile, path: Path) -> None:
    """Write a file of styles, in half precision.

    Raises:
        WeightsError: it cannot be written.
    """
    tensors = {name: value.detach().cpu().half().contiguous() for name, value in file.network.state_dict().items()}
    small = {name: base64.b64encode(jpeg).decode() for name, jpeg in file.thumbnails.items()}
    header = {
        **file.header,
        "styles": json.dumps(file.network.styles),
        "width": str(file.network.width),
        "thumbnails": json.dumps(small),
    }
    try:
        with writing(path) as aside:
            save_file(tensors, aside, header)
            aside.chmod(0o644)  # safetensors lets nobody else read it
    except OSError as error:
        raise WeightsError(f"{path} could not be written ({error.strerror or error}); write elsewhere") from None


def load_styles(path: Path) -> StyleFile:
    """What is in a file that `save_styles` wrote.

    Raises:
        WeightsError: no such file, or not a whole file of styles.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            network = TransformationNetwork(json.loads(header["styles"]), int(header["width"]))
            shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
            if {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()} != shapes:  # noqa: SIM118
                raise WeightsError(f"{path.name} holds other tensors than its header says; get the file anew")
            state = {name: file.get_tensor(name).float() for name in shapes}
        small = {
            name: base64.b64decode(text, validate=True)
            for name, text in json.loads(header.get("thumbnails", "{}")).items()
            if name in network.styles
        }
    except FileNotFoundError:
        raise WeightsError(f"there is no file {path}; name one that `train` has written") from None
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise WeightsError(f"{path.name} is no file of styles ({error}); name one that `train` has written") from None
    except WeightsError:
        raise
    except NSTError as error:
        raise WeightsError(f"{path.name} is damaged: {error}") from None
    if network.styles[-1] != PHOTO or len(network.styles) < 2:
        raise WeightsError(f"{path.name} has no style beside which the photo stands; train it anew")
    if not all(tensor.isfinite().all() for tensor in state.values()):
        raise WeightsError(f"{path.name} holds numbers that are not finite; train it anew")
    network.load_state_dict(state)
    network = network.requires_grad_(False).to(memory_format=torch.channels_last)
    return StyleFile(network, small, {name: text for name, text in header.items() if name not in OWN_KEYS})
