"""Opens every file of a folder, such as Pillow's own tests bring, and compares what is read with Pillow's own picture.

`python -m tests.benchmarks.pillow_files FOLDER`; how to get the folder: tests/README.md.
"""

import argparse
import io
import multiprocessing
import os
import resource
import tempfile
import warnings
from collections import defaultdict
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import psutil
from PIL import Image, ImageCms, ImageOps

from nst_core import images
from nst_core.errors import ImageError
from nst_core.pictures.opening import known_formats

SECONDS = 30  # for a file, by the clock
GUARD = 4_500_000_000  # bytes of addresses above what the process has
NO_LESS = 100_000  # pixels of the longer side
EQUAL = 1.01  # levels of 255, at most
REFUSED = "refused: "


def main() -> None:
    """Print what became of the files: equal, different and by how much, refused and why, anything else."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    paths = sorted(path for path in parser.parse_args().folder.rglob("*") if path.is_file())
    kinds: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        words = _alone(path)
        kind = words.partition(":")[0] if words.startswith(("differs", "equal", "unlike")) else words
        kinds[kind].append(f"{path.name} ({words})" if kind != words else path.name)
    for kind, names in sorted(kinds.items(), key=lambda entry: -len(entry[1])):
        print(f"{len(names):>5}  {kind}")
        shown = names if not kind.startswith(("equal", REFUSED)) else names[:4]
        print("".join(f"         {name}\n" for name in shown), end="")


def _alone(path: Path) -> str:
    """Say what becomes of a file, in a process of its own."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(path, there))
    process.start()
    there.close()
    try:
        return here.recv() if here.poll(SECONDS) else f"ELSE: more than {SECONDS} s"
    except EOFError:
        process.join()
        return f"ELSE: the process ended with {process.exitcode}"
    finally:
        process.kill()
        process.join()


def _work(path: Path, connection: Connection) -> None:
    allowed = psutil.Process().memory_info().vms + GUARD
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    with tempfile.TemporaryFile() as printed, warnings.catch_warnings(record=True) as told:
        os.dup2(printed.fileno(), 2)
        warnings.simplefilter("always")
        try:
            words = _compared(path)
        except Exception as error:
            words = f"ELSE: {type(error).__name__}: {error}"
        if others := [one.message for one in told if not issubclass(one.category, images.PictureWarning)]:
            words = f"ELSE: warns {others[0]}"
        if size := os.fstat(printed.fileno()).st_size:
            words = f"ELSE: prints {os.pread(printed.fileno(), min(size, 200), 0).decode(errors='replace')}"
    connection.send(words)


def _compared(path: Path) -> str:
    try:
        image = images.load(path, max_side=NO_LESS)
    except ImageError as error:
        return REFUSED + " ".join(word for word in str(error).replace(path.name, "").split() if not word[0].isdigit())
    seen = images.to_bytes(image).astype(float)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = _plain(path)
    except Exception as error:
        return f"unlike: Pillow says {type(error).__name__}: {error}"
    if seen.shape != expected.shape:
        return f"differs: {seen.shape} is {expected.shape} to Pillow"
    gap = np.abs(seen - expected)
    if gap.max() <= EQUAL:
        return "equal"
    with Image.open(path, formats=known_formats()) as picture:
        return f"differs: by {gap.mean():.1f}, at most {gap.max():.0f}; {picture.format}, {picture.mode}"


def _plain(path: Path) -> np.ndarray:
    """The picture as Pillow has it: its first frame, upright, by its profile, over white, (H, W, 3)."""
    with Image.open(path, formats=known_formats()) as picture:
        picture.load()
        upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I"):
        most = 65535 if np.asarray(upright).max() <= 65535 else 2**31 - 1
        upright = Image.fromarray((np.asarray(upright) / most * 255).round().clip(0, 255).astype(np.uint8))
    profile, colours = picture.info.get("icc_profile"), {"RGBA": "RGB", "LA": "L"}.get(upright.mode, upright.mode)
    if profile and colours in ("RGB", "L", "CMYK"):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        made = ImageCms.profileToProfile(upright.convert(colours), source, target, outputMode="RGB")
        if made and upright.mode != colours:
            made.putalpha(upright.getchannel("A"))
        upright = made or upright
    if upright.has_transparency_data:
        over = Image.new("RGBA", upright.size, "white")
        over.alpha_composite(upright.convert("RGBA"))
        upright = over
    return np.asarray(upright.convert("RGB")).astype(float)


if __name__ == "__main__":
    main()
