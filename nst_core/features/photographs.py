"""Reads a folder of pictures as training material: crops at random, and a few pictures held out."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from nst_core import images
from nst_core.errors import ImageError, named

HELD_OUT = 20  # one picture in so many
LONGEST_SIDE = 512  # pixels; larger pictures are kept in memory at this size
NOISE = 0.3  # largest standard deviation, of the pixel range
MOST_BYTES = 2**30  # of all pictures in memory; of a folder that has more, as many as fit are drawn
TOLD = 200  # files between two lines on how far the reading is
MOST_NAMED = 10  # of the files that are skipped


@dataclass(frozen=True)
class Photographs:
    """Pictures in memory.

    Attributes:
        training, testing: (1, 3, H, W) uint8, of any sizes.
        skipped: names of files that could not be read, with the reason.
        summary: how many, and a hash of their names, for a record.
    """

    training: tuple[Tensor, ...]
    testing: tuple[Tensor, ...]
    skipped: tuple[str, ...]
    summary: str

    @classmethod
    def read(cls, folder: Path, smallest: int, least: int = HELD_OUT) -> "Photographs":
        """Read a folder at once; all as of Reading."""
        reading = Reading(folder, smallest, least)
        for _ in reading:
            pass
        return reading.photographs

    def crops(self, count: int, side: int, noisy: float, seed: int, batch: int, *, closest: float = 1.0) -> Tensor:
        """Cut squares at random places, scaled down to half at most, some of them mirrored.

        Args:
            count: how many.
            side: pixels.
            noisy: the share of them that gets noise.
            seed, batch: the same two give the same crops.
            closest: the smallest window, of the side; below 1 some crops are enlarged, as smooth as large photographs.

        Returns:
            (count, 3, side, side) float32 in [0, 1].
        """
        generator = torch.Generator().manual_seed(hash((seed, batch)) % 2**63)
        return torch.cat([self._crop(side, noisy, closest, generator) for _ in range(count)])

    def _crop(self, side: int, noisy: float, closest: float, generator: torch.Generator) -> Tensor:
        chance = torch.rand(6, generator=generator).tolist()
        picture = self.training[int(chance[0] * len(self.training))]
        height, width = images.size_of(picture)
        least = round(closest * side)
        window = least + int(chance[1] * (min(height, width, 2 * side) - least + 1))
        top, left = int(chance[2] * (height - window + 1)), int(chance[3] * (width - window + 1))
        crop = picture[..., top : top + window, left : left + window].float() / 255
        if window != side:
            crop = F.interpolate(crop, (side, side), mode="bilinear", antialias=True)
        if chance[4] < 0.5:
            crop = crop.flip(-1)
        if chance[5] < noisy:
            deviation = NOISE * chance[5] / noisy
            crop = (crop + deviation * torch.randn(crop.shape, generator=generator)).clamp(0, 1)
        return crop

    def held_out(self, side: int) -> Iterator[Tensor]:
        """Give the middle of each picture that no crop comes from, (1, 3, ≤ side, ≤ side) in [0, 1]."""
        for picture in self.testing:
            height, width = images.size_of(picture)
            top, left = max(0, height - side) // 2, max(0, width - side) // 2
            yield picture[..., top : top + side, left : left + side].float() / 255


class Reading:
    """Reads the pictures of a folder and of the folders in it, telling how far it is.

    Of pictures that together take more than MOST_BYTES it takes as many as fit, drawn by a hash of their names, so that
    the same folder gives the same ones; the others are not even opened.

    Args:
        folder: where they are.
        smallest: pixels; a picture with a shorter side is skipped.
        least: how many pictures there must be.

    Attributes:
        photographs: once all is read.

    Raises:
        ImageError: no such folder, or too few pictures in it.
    """

    photographs: Photographs

    def __init__(self, folder: Path, smallest: int, least: int = HELD_OUT):
        self.folder, self.smallest, self.least = folder, smallest, least

    def __iter__(self) -> Iterator[str]:
        folder = self.folder
        if not folder.is_dir():
            raise ImageError(f"{folder} is not a folder; name one with pictures in it")
        paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
        yield f"reading the pictures of {folder}"
        pictures: dict[Path, Tensor] = {}
        skipped: dict[Path, str] = {}
        taken, full = 0, False  # bytes
        for count, path in enumerate(sorted(paths, key=self._drawn), 1):
            try:
                picture = self._picture(path)
            except ImageError as error:
                skipped[path] = str(error)
                continue
            if full := taken + picture.nbytes > MOST_BYTES:
                break
            pictures[path], taken = picture, taken + picture.nbytes
            if count % TOLD == 0:
                yield f"read {count} of {len(paths)} files of {folder}"
        reasons = [skipped[path] for path in sorted(skipped)]
        if len(pictures) < self.least:
            reason = f" ({'; '.join(reasons[:3])})" if reasons else ""
            raise ImageError(f"{folder} has {len(pictures)} usable pictures{reason}; at least {self.least} are needed")
        of = f", drawn of {len(paths)} files" if full else ""
        if full:
            yield f"{len(pictures)} pictures{of}, are used: as many as {MOST_BYTES / 2**30:.0f} GB of memory holds"
        if reasons:
            more = f"; and {len(reasons) - MOST_NAMED} more" if len(reasons) > MOST_NAMED else ""
            yield f"skipped {'; '.join(reasons[:MOST_NAMED])}{more}"
        self.photographs = self._of(pictures, tuple(reasons), of)

    def _of(self, pictures: dict[Path, Tensor], skipped: tuple[str, ...], of: str) -> Photographs:
        """Hold one in HELD_OUT of the pictures out, in the order of their paths."""
        ordered = sorted(pictures)
        digest = hashlib.sha256("\n".join(path.name for path in ordered).encode()).hexdigest()[:12]
        count = f"{len(ordered)} pictures of {self.folder.name} (names hash to {digest}){of}"
        return Photographs(
            training=tuple(pictures[path] for index, path in enumerate(ordered) if index % HELD_OUT),
            testing=tuple(pictures[path] for path in ordered[::HELD_OUT]),
            skipped=skipped,
            summary=f"{count}, one in {HELD_OUT} held out",
        )

    def _drawn(self, path: Path) -> bytes:
        """A picture's place in the order of reading."""
        return hashlib.sha256(str(path.relative_to(self.folder)).encode("utf-8", "surrogateescape")).digest()

    def _picture(self, path: Path) -> Tensor:
        """A picture as it is kept, (1, 3, H, W) uint8; raises ImageError."""
        image = images.load(path)
        if max(images.size_of(image)) > LONGEST_SIDE:
            image = images.fit(image, LONGEST_SIDE)
        if min(images.size_of(image)) < self.smallest:
            raise ImageError(f"{named(path)} is smaller than {self.smallest} pixels")
        return (image * 255).round().to(torch.uint8)
