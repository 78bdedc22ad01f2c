"""Reads and checks a file with a network's weights, a backbone's or the classifier's."""

import hashlib
import math
import pickle  # nosec B403  # for the name of its error: files are read with weights_only
import warnings
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from nst_core.errors import WeightsError, seen

# Channels of each convolution (3×3, then ReLU) and "M" for max pooling, as torchvision numbers them.
# Source: configurations E and D of Simonyan & Zisserman (2014), table 1.
ARCHITECTURES: dict[str, tuple] = {
    "vgg19": (64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"),
    "vgg16": (64, 64, "M", 128, 128, "M", *[256] * 3, "M", *[512] * 3, "M", *[512] * 3, "M"),
    # VGG-19 to conv5_1, with fewer channels: see `compress`
    "lite": (32, 32, "M", 64, 64, "M", *[144] * 4, "M", *[256] * 4, "M", 512),
}
TITLES = {"vgg19": "VGG-19", "vgg16": "VGG-16", "lite": "VGG-19 Lite"}
TEACHERS = {"lite": "vgg19"}  # backbone -> the one that it was made to see like; these come with the program
CLASSIFIER = "vgg19_classifier"  # VGG-19 whole, which no painting needs: see `classifier`
# Its layers behind the convolutions, by torchvision's names: what goes in (from the last one 512×7×7), what comes out.
CLASSIFIER_LAYERS = {
    "classifier.0": (512 * 7 * 7, 4096),
    "classifier.3": (4096, 4096),
    "classifier.6": (4096, 1000),
}
BUNDLE_REMEDY = "it is part of this program: fetch the program again, whole"

MEANS = "mean_activations."  # before a layer's name: how strongly its filters answer on average

PRE = "_pre"  # "conv4_2" is the layer after ReLU; "conv4_2_pre" the same before it


class Flaw(Exception):
    """Says what is wrong with a file or a server's answer; who catches it says where, and what to do."""


@dataclass(frozen=True)
class Checkpoint:
    """A file with a network's weights."""

    backbone: str  # "vgg19"; CLASSIFIER for the whole of it
    path: Path
    origin: str  # short words for the page: "NST_WEIGHTS", "cache", "torch.hub cache", "this program"

    def sha256(self) -> str:
        """Compute the file's hash in hexadecimal, once as long as the file stays as it is.

        Raises:
            WeightsError: it is gone.
        """
        try:
            status = self.path.stat()
        except OSError:
            raise WeightsError(f"the weights {self.path} are gone; put them back there, or fetch them anew") from None
        return _sha256(self.path, status.st_mtime_ns, status.st_size)


@lru_cache
def _sha256(path: Path, modified: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Read the convolutions of a checkpoint, every name, shape and number checked.

    Returns:
        "features.N.weight" -> (out, in, 3, 3), "features.N.bias" -> (out,) and, of Lite, "taps.LAYER" -> (k, k), of the
        classifier "classifier.N.weight" -> (out, in), "classifier.N.bias" -> (out,); float32, on the CPU.

    Raises:
        WeightsError: the file is damaged, or of another network.
    """
    try:
        return read(checkpoint.path, checkpoint.backbone)
    except Flaw as flaw:
        title = title_of(checkpoint.backbone)
        remedy = f"delete it and download {title} again"
        if checkpoint.backbone in TEACHERS:
            remedy = BUNDLE_REMEDY
        if checkpoint.origin == "NST_WEIGHTS":
            remedy = "set NST_WEIGHTS to another file or folder, or unset it"
        raise WeightsError(f"{checkpoint.path} is of no use as {title}: {flaw}; {remedy}") from flaw


def read(path: Path, backbone: str) -> dict[str, Tensor]:
    """Read a network's tensors from any file, as `load` gives them.

    Raises:
        Flaw: in words that follow the file's name.
    """
    tensors = _tensors(path, expected_shapes(backbone) | scale_shapes(backbone))
    check_shapes({name: tuple(tensor.shape) for name, tensor in tensors.items()}, backbone)
    state = {}
    for name in filter(tensors.__contains__, expected_shapes(backbone) | scale_shapes(backbone)):
        tensor = tensors.pop(name)  # so that the classifier's half gigabyte is not held twice
        if not tensor.is_floating_point():
            raise Flaw(f"{name} holds {tensor.dtype}, not floating-point numbers")
        # Copied where the file is mapped into memory, so that nothing hangs on it.
        state[name] = tensor.to(torch.float32, copy=_can_be_mapped(path))
        if not state[name].isfinite().all():
            raise Flaw(f"{name} holds NaN or infinity")
    return state


def plan(backbone: str) -> Iterator[tuple[str, int, int]]:
    """(name, index in torchvision's `features`, channels) of each convolution and pooling, shallow to deep."""
    block, number, index, channels = 1, 1, 0, 3
    for item in ARCHITECTURES[backbone]:
        if item == "M":
            yield f"pool{block}", index, channels
            block, number, index = block + 1, 1, index + 1
        else:
            channels = item
            yield f"conv{block}_{number}", index, channels
            number, index = number + 1, index + 2  # a convolution and its ReLU


def title_of(network: str) -> str:
    """Name a backbone, or the classifier, as people do."""
    return "VGG-19's classifier" if network == CLASSIFIER else TITLES[network]


def expected_shapes(backbone: str) -> dict[str, tuple[int, ...]]:
    """List the tensors of a backbone's convolutions by torchvision's names, and its taps by layer: name -> shape.

    Of CLASSIFIER, those of VGG-19 and of the layers behind them.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    if backbone == CLASSIFIER:
        for name, (ins, outs) in CLASSIFIER_LAYERS.items():
            shapes |= {f"{name}.weight": (outs, ins), f"{name}.bias": (outs,)}
        return expected_shapes("vgg19") | shapes
    seen = {name: channels for name, _, channels in plan(TEACHERS.get(backbone, backbone))}
    before = 3
    for name, index, channels in plan(backbone):
        if name.startswith("conv"):
            shapes[f"features.{index}.weight"] = (channels, before, 3, 3)
            shapes[f"features.{index}.bias"] = (channels,)
            if channels < seen[name]:
                shapes |= {tap_name(name): (channels, channels), tap_name(name + PRE): (channels, channels)}
            before = channels
    return shapes


def tap_name(layer: str) -> str:
    """Name the tensor that takes a narrower network's features to its teacher's."""
    return f"taps.{layer}"


def unit_tap_name(layer: str) -> str:
    """Name the tensor that takes the place of `tap_name`'s where the teacher's filters have a mean activation of 1."""
    return f"unit_taps.{layer}"


def scale_shapes(backbone: str) -> dict[str, tuple[int, ...]]:
    """List the tensors that rescale a network's features, name -> shape; a file has all of them or none.

    The mean activations of each layer's filters, of Lite its teacher's, and its taps where these are rescaled to 1.
    """
    if backbone == CLASSIFIER:
        return {}
    seen = {name: channels for name, _, channels in plan(TEACHERS.get(backbone, backbone))}
    layers = [name for name, _, _ in plan(backbone) if name.startswith("conv")]
    taps = {name: shape for name, shape in expected_shapes(backbone).items() if name.startswith(tap_name(""))}
    return {MEANS + layer: (seen[layer],) for layer in layers} | {
        unit_tap_name(name.removeprefix(tap_name(""))): shape for name, shape in taps.items()
    }


def check_shapes(found: Mapping[str, tuple], backbone: str) -> None:
    """Raise Flaw unless every tensor of the backbone is there; others may be, such as the classifier."""
    of_scale = scale_shapes(backbone)
    for name, shape in (expected_shapes(backbone) | (of_scale if of_scale.keys() & found.keys() else {})).items():
        if name not in found:
            raise Flaw(f"{name} is missing")
        if found[name] != shape:
            raise Flaw(f"{name} is {_times(found[name])}, not {_times(shape)}")


def holds(path: Path, backbone: str) -> bool:
    """Whether a file has the names and shapes of a backbone; the numbers are not read.

    Raises:
        Flaw: the file cannot be read.
    """
    found = {name: tuple(tensor.shape) for name, tensor in _tensors(path, expected_shapes(backbone), "meta").items()}
    try:
        check_shapes(found, backbone)
    except Flaw:
        return False
    return True


def download_size(backbone: str) -> int:
    """Count the bytes of a backbone's convolutions, or of the classifier, in float32."""
    return sum(4 * math.prod(shape) for shape in expected_shapes(backbone).values())


def _tensors(path: Path, names: Collection[str], device: str = "cpu") -> dict[str, Tensor]:
    """Read the named tensors that a file has, mapped into memory where the format allows; on "meta", their shapes."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                return {name: file.get_tensor(name) for name in set(names).intersection(file.keys())}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a pickle that calls itself another kind, which a flaw tells better
            state = torch.load(path, map_location=device, weights_only=True, mmap=_can_be_mapped(path))
    except pickle.UnpicklingError as error:
        raise Flaw("it is damaged or holds more than numbers") from error
    except Exception as error:  # a damaged file makes the readers raise almost anything
        raise Flaw(f"it cannot be read ({_first_line(error)})") from error
    if not isinstance(state, Mapping):
        raise Flaw(f"it holds a {type(state).__name__}, not tensors by name")
    return {name: tensor for name, tensor in state.items() if name in names and isinstance(tensor, Tensor)}


def _can_be_mapped(path: Path) -> bool:
    """Whether a file's tensors can be used where they lie; torchvision's own files are not of that kind."""
    return path.suffix == ".safetensors" or zipfile.is_zipfile(path)


def _first_line(error: Exception) -> str:
    return seen((str(error).splitlines() or [""])[0]) or type(error).__name__


def _times(shape: tuple) -> str:
    return "×".join(map(str, shape)) or "a single number"
