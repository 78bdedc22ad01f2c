"""Learns one more style for a network that there is, by its scales and shifts alone."""

import copy
import json
import os
from collections.abc import Generator
from datetime import date
from itertools import chain, count
from pathlib import Path

from filelock import FileLock
from torch import Tensor

from nst_core.assets import ASSETS
from nst_core.devices import Compute
from nst_core.engine.remote_run import Machines
from nst_core.errors import ConfigError, OutputError, WeightsError, listed, named, said
from nst_core.features.photographs import Photographs
from nst_core.file_names import portable, shortened
from nst_core.files import plain_errors
from nst_core.instant.catalogue import Catalogue
from nst_core.instant.network import PHOTO, TransformationNetwork, gather
from nst_core.instant.perceptual import TrainingRecipe
from nst_core.instant.remote_training import RemoteTraining
from nst_core.instant.styles import StyleFile, load_styles, save_styles, thumbnails
from nst_core.instant.train import header_of
from nst_core.instant.trainer import Trainer, TrainingProgress, updates
from nst_core.outputs import check_network
from nst_core.transfer.steering import Steering

OWN_PHOTOGRAPHS = ASSETS / "photos"
QUICK = TrainingRecipe(steps=400, crop=192, step_size=2e-3, photo_share=0.0)  # of a style's scales and shifts


class Lesson:
    """Learns one more style for networks that there are, by its scales and shifts alone, in minutes.

    Args:
        name: what the style is to be called.
        style_image: (1, 3, any, any) in [0, 1].
        base: whose convolutions paint it.
        folder: photographs, one or more; None for those of this program.
        recipe: settings; its width is of no matter.
        where: device and precision, or machines that train.
        again: learn a style of that name, which the base has, further.

    Raises:
        ImageError: no picture in the folder.
        ConfigError: a name that is taken or empty; to learn again, one that the base lacks.
        WeightsError: no weights for the loss.

    Source: Dumoulin et al. (2017), section 3.1.
    """

    def __init__(
        self,
        name: str,
        style_image: Tensor,
        base: TransformationNetwork,
        folder: Path | None,
        recipe: TrainingRecipe,
        where: Compute | Machines,
        *,
        again: bool = False,
    ):
        if again and name not in base.styles[:-1]:
            raise ConfigError(f"there is no style {said(name)} to learn again; have {listed(base.styles[:-1])}")
        if not again and (not name.strip() or name in base.styles):
            raise ConfigError(f"the style is called {said(name)}; give it a name that is not empty and not taken")
        self.photographs = Photographs.read(folder or OWN_PHOTOGRAPHS, smallest=recipe.crop, least=2)
        self.style_images = {name: style_image}
        self.again, self.where, self.recipe = again, where, recipe
        self.begins_of = gather([(base, name), (base, PHOTO)]) if again else base
        self.trainer: Trainer | RemoteTraining
        if isinstance(where, Compute):
            self.trainer = Trainer(self.style_images, recipe, where, self.begins_of)
        else:
            self.trainer = RemoteTraining(where, recipe, self.style_images, self.begins_of, looks=not again)

    def steps(self, steering: Steering | None = None) -> Generator[TrainingProgress, None, None]:
        """Learn the style, until all steps are made or steering's stop is set."""
        if self.photographs.skipped:
            skipped = f"skipped {'; '.join(self.photographs.skipped)}"
            yield TrainingProgress(0, self.trainer.recipe.steps, text=skipped)
        if isinstance(self.trainer, RemoteTraining):
            yield from self.trainer.updates(self.photographs, steering)
            return
        if not self.again:
            yield from begun_nearest(self.trainer, self.begins_of, self.photographs, steering)
        yield from updates(self.trainer, self.photographs, steering)

    @property
    def notes(self) -> tuple[str, ...]:
        """Tell what a person should know, a sentence each."""
        skipped = self.photographs.skipped
        lost = self.trainer.notes if isinstance(self.trainer, RemoteTraining) else ()
        return (*([f"Skipped: {'; '.join(skipped)}"] if skipped else []), *lost)

    def learned(self) -> StyleFile:
        """Give the style as it is now, as a file's content."""
        painter = copy.deepcopy(self.trainer.painter).cpu().requires_grad_(False)
        header = {
            **header_of(self.photographs, self.style_images, self.recipe),
            "made by": "python -m nst_core train --add-style",
            "steps": str(self.trainer.step),
            "date": date.today().isoformat(),
        }
        return StyleFile(painter, thumbnails(painter), header)


def begun_nearest(
    trainer: Trainer, base: TransformationNetwork, photographs: Photographs, steering: Steering | None
) -> Generator[TrainingProgress, None, None]:
    """Begin as the base's style that paints nearest already, unless it is stopped before that is found."""
    looking, steps = trainer.begin_nearest(base, photographs), trainer.recipe.steps
    while True:
        try:
            next(looking)
        except StopIteration as found:
            yield TrainingProgress(0, steps, text=f"begins as {found.value or 'the mean of all styles'}")
            return
        if steering and steering.stop.is_set():
            looking.close()
            return
        yield TrainingProgress(0, steps)


def add_style(
    name: str,
    style_image: Tensor,
    to: Path,
    folder: Path | None,
    recipe: TrainingRecipe,
    where: Compute | Machines,
    steering: Steering | None = None,
    *,
    again: bool = False,
) -> Generator[TrainingProgress, None, None]:
    """Learn a style and put it into a file of styles, beside those that it has.

    Args:
        name, style_image, folder, recipe, where: as of Lesson.
        to: the file.
        steering: when its stop is set, the style is added as it is then.
        again: learn the style of that name, which the file has, further; it keeps its place.

    Raises:
        OutputError: the file cannot be written, or has become one that the style does not fit; the style is then kept
            in a file of its own beside it.
        WeightsError: it is missing or damaged; otherwise as of Lesson.
    """
    check_network(to)
    lesson = Lesson(name, style_image, load_styles(to).network, folder, recipe, where, again=again)
    yield from lesson.steps(steering)
    _put_into(lesson.learned(), name, to, again)
    yield TrainingProgress(lesson.trainer.step, recipe.steps, text=f"wrote {to}")


def _put_into(learned: StyleFile, name: str, to: Path, again: bool) -> None:
    """Add a style to what a file holds by now: another lesson may have added one since this one began.

    Learned again, it takes its own place.
    """
    target = Path(os.path.realpath(to))
    with plain_errors(to), FileLock(target.with_name(shortened(f".{target.name}", ".lock"))):
        try:
            now = load_styles(to)
            network = _replaced(now, learned, name) if again else _added(now, learned)
        except (ConfigError, WeightsError) as error:
            beside = _beside(target, name)
            save_styles(learned, beside)
            raise OutputError(
                f"{named(to)} has changed meanwhile, and {said(name)} cannot be added to it ({error}); "
                f"the style is kept in {named(beside)}"
            ) from None
        header = now.header | {f"style {name}": json.dumps(learned.header)}
        save_styles(StyleFile(network, now.thumbnails | learned.thumbnails, header), to)


def _added(now: StyleFile, learned: StyleFile) -> TransformationNetwork:
    both = Catalogue()
    both.add(now, "")
    both.add(learned, "")
    if len(both.networks) > 1:
        raise ConfigError("it is of another network by now")
    return both.networks[0]


def _replaced(now: StyleFile, learned: StyleFile, name: str) -> TransformationNetwork:
    if name not in now.network.styles:
        raise ConfigError("it has no such style any more")
    return gather([(learned.network if style == name else now.network, style) for style in now.network.styles])


def _beside(target: Path, name: str) -> Path:
    """A new file's path in the same folder, called after both."""
    stems = (f"{target.stem}-{portable(name)}{end}" for end in chain([""], (f"-{number}" for number in count(2))))
    return next(path for stem in stems if not (path := target.with_name(shortened(stem, target.suffix))).exists())
