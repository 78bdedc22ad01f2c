"""What can go wrong that a user can put right.

NSTError
├── ImageError     a picture that cannot be read or is of no use here
├── ConfigError    a setting that is unknown or out of range
├── DeviceError    the device that was asked for is absent, or its memory is too small
└── WeightsError   a network's weights are missing, damaged or out of reach
    └── DownloadError   fetching them failed

Every message says what is wrong, with the value, and then what to do. Mistakes of a
programmer stay ValueError and TypeError.
"""


class NSTError(Exception):
    """Something a user can put right; its text is fit to be shown."""


class ImageError(NSTError):
    """A picture that cannot be read or is of no use here."""


class ConfigError(NSTError):
    """A setting that is unknown or out of range."""


class DeviceError(NSTError):
    """The device that was asked for is absent, or its memory is too small."""


class WeightsError(NSTError):
    """A network's weights are missing, damaged or out of reach."""


class DownloadError(WeightsError):
    """Fetching weights failed; nothing was left half-written."""
