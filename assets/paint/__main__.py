"""Paint the style pictures: `python -m assets.paint [NAME ...]` from the repository root."""

import argparse
import importlib
import time
from pathlib import Path

import numpy as np

OUT = Path(__file__).resolve().parent.parent / "styles"
QUALITY = 92  # JPEG
LARGEST = 450_000  # bytes
SQUARE, LANDSCAPE, PORTRAIT = (768, 768), (768, 576), (576, 768)
STYLES = {  # module: size in pixels, seed
    "starlit_valley": (LANDSCAPE, 11),
    "harvest_sun": (LANDSCAPE, 5),
    "autumn_birches": (SQUARE, 8),
    "harbour_dots": (LANDSCAPE, 3),
    "dawn_window": (SQUARE, 4),
    "marbled_silk": (LANDSCAPE, 21),
    "koi_mosaic": (SQUARE, 6),
    "great_swell": (LANDSCAPE, 2),
    "gilded_tree": (SQUARE, 9),
    "storm_light": (LANDSCAPE, 4),
    "lake_wash": (LANDSCAPE, 12),
}


def paint(name: str, folder: Path) -> None:
    """Paint one picture, save it and say how long it took."""
    size, seed = STYLES[name]
    started = time.perf_counter()
    picture = importlib.import_module(f"{__package__}.{name}").paint(size, np.random.default_rng(seed))
    path = folder / f"{name}.jpg"
    picture.save(path, quality=QUALITY, optimize=True)
    seconds, weight = time.perf_counter() - started, path.stat().st_size
    print(f"{path.name}: {picture.width} x {picture.height}, {weight // 1000} kB, {seconds:.1f} s")
    if weight > LARGEST:
        raise SystemExit(f"{path.name} is over {LARGEST // 1000} kB: lower its QUALITY or its finest texture")


def main() -> None:
    """Paint the pictures named on the command line, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m assets.paint", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(STYLES)} (default: all)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the pictures")
    options = parser.parse_args()
    unknown = set(options.names) - set(STYLES)
    if unknown:
        parser.error(f"no such picture: {', '.join(sorted(unknown))}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or STYLES:
        paint(name, options.out)


if __name__ == "__main__":
    main()
