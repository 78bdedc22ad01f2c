"""Packs a training for another machine: recipe, pictures and network go there, progress and checkpoints come back."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nst_core.features.photographs import Photographs
from nst_core.files import writing
from nst_core.instant.decoder_trainer import DecoderRecipe
from nst_core.instant.network import TransformationNetwork
from nst_core.instant.perceptual import TrainingRecipe
from nst_core.instant.trainer import TrainingProgress
from nst_core.transfer.state import State, Tensors

PIECE_BYTES = 2**25  # of photographs that are sent at a time
CHECKPOINT = "checkpoint"  # a tensor that is a file's bytes
BASE = "base."

Recipe = TrainingRecipe | DecoderRecipe


def packed_order(
    recipe: Recipe,
    style_images: dict[str, Tensor],
    base: TransformationNetwork | None,
    header: dict[str, str],
    *,
    looks: bool,
) -> State:
    """Pack what a training is of, but for its photographs.

    Args:
        recipe: all settings.
        style_images: name -> (1, 3, any, any) in [0, 1]; none for decoders.
        base: whose convolutions stay.
        header: of its checkpoints.
        looks: whether it begins as the base's nearest style.
    """
    facts = {
        "decoders": isinstance(recipe, DecoderRecipe),
        "recipe": asdict(recipe),
        "styles": list(style_images),
        "base": {"styles": list(base.styles), "width": base.width} if base else None,
        "header": header,
        "looks": looks,
    }
    tensors = {f"style-{number}": image for number, image in enumerate(style_images.values())}
    tensors |= {BASE + name: value for name, value in base.state_dict().items()} if base else {}
    return State(facts, tensors)


def recipe_in(order: State) -> Recipe:
    """Give the recipe of an order."""
    values = order.facts["recipe"]
    if order.facts["decoders"]:
        return DecoderRecipe(**values)
    return TrainingRecipe(**{**values, "style_factors": tuple(map(tuple, values["style_factors"]))})


def styles_in(order: State) -> dict[str, Tensor]:
    """Give the style pictures of an order by name."""
    return {name: order.tensors[f"style-{number}"] for number, name in enumerate(order.facts["styles"])}


def base_in(order: State) -> TransformationNetwork | None:
    """Give the network of an order whose convolutions stay, if it has one."""
    if not (told := order.facts["base"]):
        return None
    tensors = {name.removeprefix(BASE): value for name, value in order.tensors.items() if name.startswith(BASE)}
    return filled(told["styles"], told["width"], tensors)


def filled(styles: Sequence[str], width: int, tensors: Tensors) -> TransformationNetwork:
    """Make a network on the CPU whose numbers are given."""
    with torch.device("meta"):  # which takes no memory, and draws nothing
        network = TransformationNetwork(styles, width)
    network.load_state_dict(tensors, assign=True)
    return network.requires_grad_(False).to(memory_format=torch.channels_last)


def photograph_pieces(photographs: Photographs) -> Iterator[State]:
    """Pack photographs as they are in memory, PIECE_BYTES at a time, or one that is larger."""
    piece, size = State({"training": [], "testing": []}), 0
    for kind in ("training", "testing"):
        for number, picture in enumerate(getattr(photographs, kind)):
            if size and size + picture.nbytes > PIECE_BYTES:
                yield piece
                piece, size = State({"training": [], "testing": []}), 0
            piece.facts[kind].append(f"{kind}-{number}")
            piece.tensors[f"{kind}-{number}"] = picture
            size += picture.nbytes
    yield piece


def photographs_in(pieces: Sequence[State]) -> Photographs:
    """Undo `photograph_pieces`; what was skipped and the summary stay where the pictures are from."""

    def of(kind: str) -> tuple[Tensor, ...]:
        return tuple(piece.tensors[name] for piece in pieces for name in piece.facts[kind])

    return Photographs(of("training"), of("testing"), (), "")


def packed_progress(told: Sequence[TrainingProgress]) -> State:
    """Pack what there is to tell of some steps, and the last of them; of their previews the newest."""
    news = [progress for progress in told[:-1] if progress.losses or progress.text] + [told[-1]]
    previews = [progress.preview for progress in news if progress.preview is not None]
    plain = [{"step": progress.step, "losses": progress.losses, "text": progress.text} for progress in news]
    shown = next((number for number in reversed(range(len(news))) if news[number].preview is not None), None)
    # JSON within JSON, as a loss may be no number
    facts: dict[str, Any] = {"told": json.dumps(plain), "shown": shown}
    return State(facts, {"preview": previews[-1]} if previews else {})


def progress_in(state: State, steps: int) -> Iterator[TrainingProgress]:
    """Undo `packed_progress`; steps: of the recipe."""
    for number, told in enumerate(json.loads(state.facts["told"])):
        preview = state.tensors["preview"] if number == state.facts["shown"] else None
        yield TrainingProgress(told["step"], steps, told["losses"], preview, told["text"])


def packed_checkpoint(path: Path) -> State:
    """Pack a checkpoint's file as it is."""
    return State({}, {CHECKPOINT: torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.uint8)})


def write_checkpoint(state: State, path: Path) -> None:
    """Write a checkpoint's file as it was.

    Raises:
        OutputError: it cannot be written.
    """
    with writing(path) as aside:
        aside.write_bytes(state.tensors[CHECKPOINT].numpy().tobytes())
