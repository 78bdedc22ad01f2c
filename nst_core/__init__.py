"""Neural Style Lab's core: paints one picture in the style of another. Knows no web page."""

from nst_core.devices import Compute, choose_compute
from nst_core.errors import ConfigError, DeviceError, DownloadError, ImageError, NSTError, OutputError, WeightsError
from nst_core.instant.catalogue import open_styles
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.kept import restored
from nst_core.transfer.optimize import Frame
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.record import RunRecord, read_record, save_result
from nst_core.transfer.run import Run
from nst_core.transfer.steering import Steering
from nst_core.transfer.stylize import stylize
from nst_core.version import __version__

__all__ = [
    "PRESETS",
    "Compute",
    "ConfigError",
    "Steering",
    "DeviceError",
    "DownloadError",
    "Frame",
    "ImageError",
    "NSTError",
    "OutputError",
    "Run",
    "RunRecord",
    "StyleTransferConfig",
    "WeightsError",
    "__version__",
    "choose_compute",
    "open_styles",
    "read_record",
    "restored",
    "save_result",
    "stylize",
]
