"""Speed of a step: ours, on VGG-19 and Lite, against the plain fp32 loop; the generator over the bare step.

The contestants take turns, block by block, so that a noisy machine is unfair to none; medians of blocks are compared.
"""

import statistics
import time
from collections.abc import Callable, Iterator

from nst_core.devices import choose_compute
from nst_core.features.loading import load_network
from nst_core.transfer import gatys
from nst_core.transfer.config import StyleTransferConfig
from nst_core.transfer.descent import Descent
from nst_core.transfer.lbfgs import LBFGS
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.optimize import optimize
from nst_core.transfer.stylize import stylize
from tests.benchmarks.material import ensure_weights, pictures

SIZE = (384, 512)  # height, width
BLOCK, ROUNDS = 2, 15  # steps a block, blocks each


def bare_steps(config: StyleTransferConfig, compute) -> Iterator[None]:
    """Evaluate, then update: the loop without frames, checks and notes."""
    content, style = pictures(*SIZE)
    objective = StyleTransferObjective(load_network("vgg19", compute)[0], content, [style], config)
    descent = Descent(objective, content, LBFGS(step_size=1.0, history=10), clamp=False)
    while True:
        _ = descent.look(gradient=True).losses
        descent.update()
        yield


def generator_steps(config: StyleTransferConfig, compute) -> Iterator[None]:
    """The same through `optimize`."""
    content, style = pictures(*SIZE)
    objective = StyleTransferObjective(load_network("vgg19", compute)[0], content, [style], config)
    for _ in optimize(objective, content, steps=10_000):
        yield


def run_steps(config: StyleTransferConfig, compute) -> Iterator[None]:
    """The same through `stylize`, as the page and the command line have it."""
    for _ in stylize(*pictures(*SIZE), config, compute=compute):
        yield


def plain_steps() -> Iterator[None]:
    """The plain fp32 loop, as one reads it."""
    for _ in gatys.paint(*pictures(*SIZE)):
        yield


def compare(contestants: dict[str, Callable[[], Iterator[None]]]) -> dict[str, float]:
    """Median seconds a step of each."""
    iterators = {name: make() for name, make in contestants.items()}
    seconds: dict[str, list[float]] = {name: [] for name in iterators}
    for iterator in iterators.values():
        next(iterator), next(iterator)  # targets, caches
    for _ in range(ROUNDS):
        for name, iterator in iterators.items():
            began = time.perf_counter()
            for _ in range(BLOCK):
                next(iterator)
            seconds[name].append((time.perf_counter() - began) / BLOCK)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    ensure_weights()
    config = StyleTransferConfig(steps=10_000)
    lite = config.on("lite")
    fast, exact = choose_compute(), choose_compute(precision="fp32")
    result = compare(
        {
            "plain fp32 loop": plain_steps,
            f"stylize, {exact.precision}": lambda: run_steps(config, exact),
            f"stylize, {fast.precision} (chosen here)": lambda: run_steps(config, fast),
            f"Lite, {exact.precision}": lambda: run_steps(lite, exact),
            f"Lite, {fast.precision} (chosen here)": lambda: run_steps(lite, fast),
            "bare step": lambda: bare_steps(config, fast),
            "through the generator": lambda: generator_steps(config, fast),
        }
    )
    print(f"VGG-19 unless said, {SIZE[0]}×{SIZE[1]}, {fast}")
    for name, seconds in result.items():
        print(f"{name:32} {seconds:7.3f} s/step   {result['plain fp32 loop'] / seconds:5.2f}× the plain loop")
    for precision, mark in ((exact.precision, ""), (fast.precision, " (chosen here)")):
        ratio = result[f"stylize, {precision}{mark}"] / result[f"Lite, {precision}{mark}"]
        print(f"Lite over VGG-19, {precision}: {ratio:.2f}×")
    overhead = result["through the generator"] / result["bare step"] - 1
    print(f"generator over bare step: {overhead:+.1%}")


if __name__ == "__main__":
    main()
