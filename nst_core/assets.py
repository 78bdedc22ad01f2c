"""Where the pictures and weights that come along with the program lie."""

from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "assets"
