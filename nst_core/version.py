"""Which version of the program this is."""

__version__ = "0.5.0"
