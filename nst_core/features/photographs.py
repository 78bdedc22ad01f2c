"""A folder of pictures as training material: crops at random, and a few pictures held out."""

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
        """All pictures of a folder and of the folders in it; broken files are skipped and named.

        Args:
            folder: where they are.
            smallest: pixels; a picture with a shorter side is skipped.
            least: how many pictures there must be.

        Raises:
            ImageError: no such folder, or too few pictures in it.
        """
        if not folder.is_dir():
            raise ImageError(f"{folder} is not a folder; name one with pictures in it")
        pictures, names, skipped = [], [], []
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
            try:
                image = images.load(path)
            except ImageError as error:
                skipped.append(str(error))
                continue
            if max(images.size_of(image)) > LONGEST_SIDE:
                image = images.fit(image, LONGEST_SIDE)
            if min(images.size_of(image)) < smallest:
                skipped.append(f"{named(path)} is smaller than {smallest} pixels")
                continue
            names.append(path.name)
            pictures.append((image * 255).round().to(torch.uint8))
        if len(pictures) < least:
            reason = f" ({'; '.join(skipped[:3])})" if skipped else ""
            raise ImageError(f"{folder} has {len(pictures)} usable pictures{reason}; at least {least} are needed")
        digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]
        return cls(
            training=tuple(picture for index, picture in enumerate(pictures) if index % HELD_OUT),
            testing=tuple(pictures[::HELD_OUT]),
            skipped=tuple(skipped),
            summary=f"{len(pictures)} pictures of {folder.name} (names hash to {digest}), one in {HELD_OUT} held out",
        )

    def crops(self, count: int, side: int, noisy: float, seed: int, batch: int, *, closest: float = 1.0) -> Tensor:
        """Squares at random places, scales (down to half) and hands.

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
        """The middle of each picture that no crop comes from, (1, 3, ≤ side, ≤ side) in [0, 1]."""
        for picture in self.testing:
            height, width = images.size_of(picture)
            top, left = max(0, height - side) // 2, max(0, width - side) // 2
            yield picture[..., top : top + side, left : left + side].float() / 255
