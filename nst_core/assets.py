"""Names the folder of the pictures and weights that come with the program."""

from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "assets"
