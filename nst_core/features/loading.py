"""Loads a network with its weights, ready on a device, its features on the scale that is wanted."""

from functools import lru_cache

from nst_core.devices import Compute, put_on
from nst_core.errors import WeightsError
from nst_core.features import weights
from nst_core.features.activations import scale_tensors
from nst_core.features.scale import AS_TRAINED, rescaled
from nst_core.features.vgg import BUNDLED_BACKBONE, VGG

KEPT = 3  # networks in memory


def fitting_backbone(wanted: str, compute: Compute) -> str:
    """Choose the network to begin with on this machine: the recipe's where it is here and fast, else Lite.

    Args:
        wanted: one of BACKBONES.
        compute: where it would run.
    """
    if compute.device == "cpu":
        return BUNDLED_BACKBONE
    try:
        return wanted if weights.find(wanted) else BUNDLED_BACKBONE
    except WeightsError:  # NST_WEIGHTS is wrong, as a run will say
        return BUNDLED_BACKBONE


@lru_cache(maxsize=KEPT)
def _load(checkpoint: weights.Checkpoint, modified: float, compute: Compute, scale: str) -> VGG:
    state = weights.load(checkpoint)
    if scale != AS_TRAINED:
        state = rescaled(state | scale_tensors(checkpoint), checkpoint.backbone, scale)
    network = VGG(checkpoint.backbone, state)
    return put_on(compute.device, network, compute.dtype).eval()


def load_network(backbone: str, compute: Compute, scale: str = AS_TRAINED) -> tuple[VGG, weights.Checkpoint]:
    """Load the backbone with its weights, ready on the device; once, then it is kept.

    Args:
        backbone: one of BACKBONES.
        compute: where it runs.
        scale: one of FEATURE_SCALES.

    Raises:
        WeightsError: none found, or damaged, or a Lite that does not say what the scale takes.
    """
    checkpoint = weights.require(backbone)
    return _load(checkpoint, checkpoint.path.stat().st_mtime, compute, scale), checkpoint
