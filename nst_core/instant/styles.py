"""Files of trained styles: safetensors only, with the styles' names in the header."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from nst_core.errors import NSTError, WeightsError
from nst_core.features.distill import writing
from nst_core.instant.network import TransformationNetwork


def save_network(network: TransformationNetwork, path: Path, header: dict[str, str]) -> None:
    """Write a network in half precision.

    Args:
        network: what to write.
        path: a safetensors file.
        header: how it was made; its styles and its width are added.

    Raises:
        WeightsError: the file cannot be written.
    """
    tensors = {name: tensor.detach().cpu().half().contiguous() for name, tensor in network.state_dict().items()}
    said = {**header, "styles": json.dumps(network.styles), "width": str(network.width)}
    with writing(path) as aside:
        save_file(tensors, aside, said)
        aside.chmod(0o644)  # safetensors lets nobody else read it


def load_network_of(path: Path) -> TransformationNetwork:
    """The network in a file that `save_network` wrote, float32 on the CPU.

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
    except FileNotFoundError:
        raise WeightsError(f"there is no file {path}; name one that `train` has written") from None
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise WeightsError(f"{path.name} is no file of styles ({error}); name one that `train` has written") from None
    except WeightsError:
        raise
    except NSTError as error:
        raise WeightsError(f"{path.name} is damaged: {error}") from None
    if not all(tensor.isfinite().all() for tensor in state.values()):
        raise WeightsError(f"{path.name} holds numbers that are not finite; train it anew")
    network.load_state_dict(state)
    return network.requires_grad_(False).to(memory_format=torch.channels_last)
