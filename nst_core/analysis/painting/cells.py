"""Holds the paintings of a figure, each at its place, and how far they are."""

from dataclasses import dataclass, field

from torch import Tensor

from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.optimize import Frame
from nst_core.transfer.record import RunRecord


@dataclass(frozen=True, eq=False)
class FigureCell:
    """A painting at a place of a figure.

    Attributes:
        row, column: its place.
        label: what it is.
        config: its settings.
        content_image, style_image: (1, 3, any, any) in [0, 1]; the same picture twice where only one counts.
        marks: steps at which its picture and time are kept.
    """

    row: int
    column: int
    label: str
    config: StyleTransferConfig
    content_image: Tensor
    style_image: Tensor
    marks: tuple[int, ...] = ()


@dataclass
class FigureGrowth:
    """Keeps how far the painting of a cell is.

    Attributes:
        image: (1, 3, H, W), the newest picture; None before the first.
        history: (step, seconds of its own computing, total loss) of every step.
        marked: step -> (picture on the CPU, seconds), of the cell's marks.
        record: in the end.
        problem: why it ended early, "" if it did not.
    """

    cell: FigureCell
    image: Tensor | None = None
    history: list[tuple[int, float, float]] = field(default_factory=list)
    losses: dict[str, float] = field(default_factory=dict)
    marked: dict[int, tuple[Tensor, float]] = field(default_factory=dict)
    record: RunRecord | None = None
    problem: str = ""

    @property
    def done(self) -> bool:
        """Whether the painting has ended."""
        return self.record is not None or bool(self.problem)

    @property
    def step(self) -> int:
        """Count the steps made."""
        return self.history[-1][0] if self.history else 0

    def note(self, frame: Frame, seconds: float) -> None:
        """Keep a new frame of the cell."""
        self.image, self.losses = frame.image, frame.losses
        self.history.append((frame.step, seconds, frame.total))
        if frame.step in self.cell.marks:
            self.marked[frame.step] = (frame.image.cpu(), seconds)

    def finish(self, record: RunRecord) -> None:
        """Note that it is done; nothing of it stays on the device."""
        self.record, self.image = record, None if self.image is None else self.image.cpu()
