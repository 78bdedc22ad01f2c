"""Moves a picture by L-BFGS without looking at a number: all that it decides, the device does by itself."""

from collections.abc import Callable, Hashable
from functools import partial

import torch
from torch import Tensor

from nst_core.transfer.json_values import is_count, is_number
from nst_core.transfer.state import State, Tensors, checked

FIRST_STEP = 0.005  # of the pixel range, mean over the picture
LONGEST_STEP = 0.1  # the same; L-BFGS' model of the loss says nothing of pictures that far away
LONGER = 1.5  # each step than the one before, while the loss curves downwards
MOST_LONGER = 64.0
LEAST_CURVATURE = 1e-10  # s·y of a pair that is remembered; torch's own number
PART = 2**20  # numbers of a pair in bf16 that are multiplied at a time, as float32


class LBFGS:
    """Limited-memory BFGS without line search, and without a wait for the device.

    n calls equal one run of n iterations. Two things differ from torch's own defaults, both because its thresholds are
    not free of scale: gradients are scaled to a mean of 1, so that no curvature pair is dropped when losses are tiny,
    and the first step moves pixels by FIRST_STEP rather than by a millionth, which bf16 could not see. Two more stand
    in for the line search, which would look at several pictures a step. Where the loss curves downwards along the last
    step, as about noise that lacks what the style has, no curvature pair can be made of it, and steps would stay as
    short as the first: they get LONGER. And no step moves pixels by more than LONGEST_STEP, where it would leap away.

    Curvature belongs to one objective at one size, so a new scale and a changed objective begin with an empty memory.

    All vectors are rows of one matrix: the gradient, then a ring of pairs, each a change y of the gradient and the step
    s that made it. The ring has one place more than pairs are remembered, for the newest: one that is dropped is
    written over by the next, so that writing wants no choice. Of inner products only the newest pair's are made.

    In bf16 pairs take half the memory. All products are of the pairs as they were rounded, in float32, so that the
    direction is that of L-BFGS with these pairs: a matrix of the same signs, which takes each y to its s.

    Args:
        step_size: of its own step.
        history: pairs that it remembers.
        history_precision: "fp32", which is the canvas' own, or "bf16".

    Source: Liu & Nocedal (1989), algorithm 2.1, in the form of Byrd, Nocedal & Schnabel (1994), theorem 2.2: two passes
    over the history and two triangular systems of so many unknowns give what the recursion does, up to rounding.
    """

    leaps, carries = True, False

    def __init__(self, *, step_size: float, history: int, history_precision: str = "fp32", **_: object):
        self.step_size, self.history, self.rounds = step_size, history, history_precision == "bf16"
        self.gradient = self.pairs = self.rows = torch.empty(0)

    def begin(self, canvas: Tensor) -> None:
        self.canvas, places = canvas, self.history + 1
        zeros, ones = (partial(make, dtype=canvas.dtype, device=canvas.device) for make in (torch.zeros, torch.ones))
        count = partial(torch.zeros, 1, dtype=torch.int64, device=canvas.device)
        before = self.total if hasattr(self, "total") else 0
        self.gradient = self.pairs = self.rows = torch.empty(0)  # frees the last scale's before more is taken
        if self.rounds:
            self.gradient = zeros(canvas.numel())
            self.pairs = zeros(places, 2, canvas.numel(), dtype=torch.bfloat16)
        else:
            self.rows = zeros(1 + 2 * places, canvas.numel())
            self.gradient, self.pairs = self.rows[0], self.rows[1:].view(places, 2, -1)  # y and s
        # Of y and of s with y, as the pairs lie in the ring; behind them a pair that says nothing, for those not made.
        self.products = zeros(2, places + 1, places + 1)
        self.onto = zeros(places + 1, 2)  # the gradient's products with y and s
        self.shares = zeros(1 + 2 * (places + 1))  # of each row in the direction
        self.total: Tensor = count() + before  # pairs made, of which `made` since it forgot all
        self.made, self.place = count(), count()  # the newest one's in the ring
        self.ages = torch.arange(-self.history, 0, device=canvas.device)
        self.scale, self.gamma, self.longer = (ones(1) for _ in range(3))
        self.updates = 0
        self.forget()

    def forget(self) -> None:
        if self.updates:  # else all is as it was made
            for values in (self.gradient, self.pairs, self.products, self.onto, self.shares, self.made, self.place):
                values.zero_()
            for values in (self.scale, self.gamma, self.longer):
                values.fill_(1)
        self.products[1, -1, -1] = 1
        self.updates = 0

    def restart(self, step_size: float) -> None:
        self.step_size = step_size
        self.forget()

    @property
    def kind(self) -> Hashable | None:
        return (self.step_size, self._reach()) if self.updates else None

    def advance(self, move: Callable[[], object] | None = None) -> None:
        (move or self.move)()
        self.updates += 1

    @torch.no_grad()
    def move(self) -> None:
        with torch.autocast(self.canvas.device.type, enabled=False):  # whatever the caller's
            if self.updates == 0:
                self._first()
            else:
                self._step()

    def _reach(self) -> int:
        """Count the places of the ring that are looked at: those with anything in them, on a GPU all, for graphs."""
        places = self.history + 1
        return places if self.canvas.device.type.startswith("cuda") else min(self.updates + 1, places)

    def _first(self) -> None:
        """Go straight downhill."""
        found = gradient_of(self.canvas).flatten()
        mean = found.abs().mean()[None]
        torch.div(1, mean.masked_fill(mean == 0, 1), out=self.scale)
        torch.mul(found, self.scale, out=self.gradient)
        size = self.gradient.abs().sum()
        self._go(self.gradient.clone(), (-1 / size).clamp(min=-1) * (self.step_size * FIRST_STEP * len(found)), size)

    def _step(self) -> None:
        """Take note of what the last step did, and go where the model of the loss leads."""
        new = gradient_of(self.canvas).flatten() * self.scale
        torch.sub(new, self.gradient, out=self.gradient)  # in whose place the change is for now
        change = self.gradient.to(self.pairs.dtype)
        self.pairs[:, 0].index_copy_(0, self.place, change[None])
        self.gradient.copy_(change)  # as it was rounded
        reach = self._reach()
        with_change = self._times(self.gradient, reach)  # of each y and s
        self.gradient.copy_(new)
        self.onto[:reach].copy_(self._times(new, reach))
        del new, change  # each as large as the picture
        square, along = with_change.index_select(0, self.place).unbind(1)  # y·y and s·y of the newest pair
        self.products[:, :reach].index_copy_(2, self.place, with_change.T[:, :, None])
        self.products[0, :, :reach].index_copy_(0, self.place, with_change[None, :, 0])
        kept = along > LEAST_CURVATURE
        torch.where(kept, along / square, self.gamma, out=self.gamma)
        self.made.add_(kept)
        self.total.add_(kept)
        torch.remainder(self.made, self.history + 1, out=self.place)
        direction = self._mixed(self._shares()[: 1 + 2 * reach])

        # farther while the loss curves down
        torch.where(along <= 0, (LONGER * self.longer).clamp(max=MOST_LONGER), torch.ones_like(along), out=self.longer)
        length = torch.where(self.made == 0, FIRST_STEP * self.longer, self.longer)  # nothing learned of how far to go
        self._go(direction, length * self.step_size, direction.abs().sum())

    def _go(self, direction: Tensor, length: Tensor, size: Tensor) -> None:
        """Move the canvas, no farther than the model says anything of.

        Args:
            direction: (n,), which becomes the step.
            length: of the step, in directions.
            size: the sum of what the direction moves.
        """
        most = LONGEST_STEP * len(direction) / size
        step = direction.mul_(torch.minimum(torch.maximum(length, -most), most))
        self.pairs[:, 1].index_copy_(0, self.place, step[None].to(self.pairs.dtype))
        self.canvas.add_(step.view_as(self.canvas))

    def _times(self, vector: Tensor, reach: int) -> Tensor:
        """Multiply each y and s of the first pairs in the ring, as many as `reach`, by a vector (n,): (reach, 2)."""
        if not self.rounds:
            return (self.rows[: 1 + 2 * reach] @ vector)[1:].view(reach, 2)
        made = vector.new_zeros(2 * reach)
        for part, numbers in zip(self._parts(reach), vector.split(PART), strict=True):
            made.addmv_(part.to(vector.dtype), numbers)
        return made.view(reach, 2)

    def _mixed(self, shares: Tensor) -> Tensor:
        """Add up the gradient and each y and s, times their shares (1 + 2 * reach,): (n,)."""
        if not self.rounds:
            return shares @ self.rows[: len(shares)]
        made = self.gradient * shares[0]
        for part, numbers in zip(self._parts(len(shares) // 2), made.split(PART), strict=True):
            numbers.addmv_(part.to(made.dtype).T, shares[1:])
        return made

    def _parts(self, reach: int) -> tuple[Tensor, ...]:
        """Cut the first pairs in the ring into parts, (2 * reach, PART or fewer) each."""
        return self.pairs[:reach].view(2 * reach, -1).split(PART, 1)

    def _shares(self) -> Tensor:
        """How much of each row −H g is, (2 * places + 3,)."""
        m, gamma = self.history, self.gamma
        age = self.made + self.ages  # oldest first; of those not made below 0
        order = (age % (m + 1)).masked_fill(age < 0, m + 1)
        yy, sy = self.products[:, order[:, None], order]  # (m, m) each
        y_g, s_g = self.onto.index_select(0, order).split(1, 1)  # (m, 1)
        # only the upper triangle of sy is read: no step is older than a change that it is multiplied with there
        v = torch.linalg.solve_triangular(sy, s_g, upper=True)
        rest = torch.addcmul(gamma * torch.addmm(y_g, yy, v, alpha=-1), sy.diagonal()[:, None], v, value=-1)
        u = torch.linalg.solve_triangular(sy.T, rest, upper=False)
        self.shares.zero_()
        self.shares[1:].view(m + 2, 2).index_copy_(0, order, torch.cat((gamma * v, u), 1))
        torch.neg(gamma, out=self.shares[:1])
        return self.shares

    def state(self) -> State:
        total = int(self.total)
        facts = {"step size": self.step_size, "updates": self.updates, "pairs made": total}
        if not self.updates:
            return State(facts)
        made, place = int(self.made), int(self.place)
        facts |= {"pairs since": made, "gradient scale": float(self.scale)}
        facts |= {"gamma": float(self.gamma), "longer": float(self.longer)}
        tensors = {
            "gradient before": self.gradient,
            "step before": self.pairs[place, 1].float(),
            "products": self.products,
        }
        before = total - made  # pairs of what it forgot
        lasting: dict[str, Callable[[], Tensors]] = {
            _name(before + number): partial(self._pair, number) for number in range(max(0, made - self.history), made)
        }
        return State(facts, tensors, lasting)

    def _pair(self, number: int) -> Tensors:
        change, step = self.pairs[number % (self.history + 1)].float()  # exact, and what NumPy knows
        return {"change": change, "step": step}

    def take_state(self, state: State) -> None:
        self.restart(state.fact("step size", is_number))
        total, updates = state.fact("pairs made", is_count), state.fact("updates", is_count)
        self.total.fill_(total)
        if updates == 0:
            return
        made = state.fact("pairs since", lambda value: is_count(value) and value <= min(total, updates))
        for name, values in (("gradient scale", self.scale), ("gamma", self.gamma), ("longer", self.longer)):
            values.fill_(state.fact(name, is_number))
        size = (self.canvas.numel(),)
        for number in range(max(0, made - self.history), made):
            pair = state.lasting_tensors(_name(total - made + number))
            for row, name in zip(self.pairs[number % (self.history + 1)], ("change", "step"), strict=True):
                row.copy_(checked(pair, name, size))
        self.updates, place = updates, made % (self.history + 1)
        self.made.fill_(made)
        self.place.fill_(place)
        self.gradient.copy_(state.tensor("gradient before", size))
        self.pairs[place, 1].copy_(state.tensor("step before", size))
        self.products.copy_(state.tensor("products", tuple(self.products.shape)))


def _name(number: int) -> str:
    """Name a curvature pair, by its number among all that a painting's L-BFGS made."""
    return f"pair-{number}"


def gradient_of(canvas: Tensor) -> Tensor:
    """Give the gradient that was left at a canvas.

    Raises:
        ValueError: none was.
    """
    if canvas.grad is None:
        raise ValueError("there is no gradient to go along; evaluate the loss first")
    return canvas.grad
