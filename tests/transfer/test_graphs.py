"""Tests of steps that a GPU repeats as one graph: on a pretended one, those made one by one, bit for bit."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import torch

from nst_core.devices import Compute
from nst_core.transfer import graphs
from nst_core.transfer.kept import restored
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.optimize import Frame
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.run import Run
from nst_core.transfer.stylize import stylize
from tests.pretend_gpu import NAME, pretend_gpu
from tests.pretend_graph import PretendGraph
from tests.runs import LADDER, left_half, small

GPU = Compute(device=NAME, precision="fp32")
WARM = 1 + graphs.WARM_STEPS  # steps before the first that is repeated: L-BFGS' first is like no other

Seen = tuple[list[tuple[dict[str, float], bytes]], tuple[str, ...]]  # losses and pictures, and the run's notes


@pytest.fixture
def captured(monkeypatch) -> Iterator[list[PretendGraph]]:
    """The graphs that are captured on a pretended GPU."""
    found: list[PretendGraph] = []
    capture = PretendGraph.capture

    def noted(graph: PretendGraph, work: Callable[[], Any]) -> Any:
        made = capture(graph, work)
        found.append(graph)
        return made

    monkeypatch.setattr(PretendGraph, "capture", noted)
    with pretend_gpu(monkeypatch):
        yield found


def shown(frame: Frame) -> tuple[dict[str, float], bytes]:
    return frame.losses, frame.image.cpu().numpy().tobytes()


def seen(run: Run, steered: dict[int, dict[str, Any]] | None = None) -> Seen:
    """All of a run, which is steered where it has come to a step."""
    frames = []
    for frame in run:
        frames.append(shown(frame))
        if frame.step in (steered or {}):
            run.steering.wanted = run.config.changed(**steered[frame.step])
    return frames, run.notes


def painted(*given, steered: dict[int, dict[str, Any]] | None = None, **named) -> Seen:
    return seen(stylize(*given, **named), steered)


def both_ways(monkeypatch, paint: Callable[[], Seen]) -> tuple[Seen, Seen]:
    """What is painted with graphs, and what without."""
    repeated = paint()
    with monkeypatch.context() as patch:
        patch.setenv("NST_GRAPHS", "0")
        return repeated, paint()


def at(size: int, name: str, steps: int, **settings):
    return PRESETS[name].config.on("lite").changed(size=size, steps=steps, smallest_scale=0, tolerance=0, **settings)


@pytest.mark.parametrize("preset", ["lab", "studio", "gatys", "crowson", "neighbours"])
def test_presets_paint_the_same_pixels_with_graphs_as_without(captured, monkeypatch, narrow_weights, pictures, preset):
    config = at(32, preset, 8 if preset == "neighbours" else 6)
    repeated, alone = both_ways(monkeypatch, partial(painted, *pictures, config, compute=GPU))
    assert repeated == alone and not repeated[1]
    assert len(captured) == 1 and captured[0].replays >= 2


def test_masks_and_blends_are_the_same_with_graphs(captured, monkeypatch, narrow_weights, pictures):
    content, style = pictures
    for styles, masks, blend in (([style], [left_half()], ()), ([style, content], [], (1, 3))):
        config = small(steps=5, blend=blend)
        paint = partial(painted, content, styles, config, masks=masks, compute=GPU)
        repeated, alone = both_ways(monkeypatch, paint)
        assert repeated == alone
    assert [graph.replays for graph in captured] == [7 - WARM] * 2  # the device is two steps ahead


def test_each_scale_has_a_graph_of_its_own(captured, monkeypatch, narrow_weights, pictures):
    config = small(**LADDER | {"steps": 18})
    repeated, alone = both_ways(monkeypatch, partial(painted, *pictures, config, compute=GPU))
    assert repeated == alone and len(captured) == 3


def test_a_weight_that_is_steered_reaches_the_graph_that_is_there(captured, monkeypatch, narrow_weights, pictures):
    weights = {"content_weight": 3.0, "style_weight": 7e4, "tv_weight": 0.3, "layer_weights": (0.2, 0.8)}
    config, here = small(steps=12, tv_weight=1.0), {"masks": [left_half()], "compute": GPU}
    paint = partial(painted, *pictures, config, steered={4: weights, 8: {"style_weight": 1e5}}, **here)
    repeated, alone = both_ways(monkeypatch, paint)
    assert repeated == alone and len(captured) == 1
    losses = [losses["content conv2_1"] for losses, _ in repeated[0]]
    assert losses[7] > 2 * losses[6]  # two steps ahead of the frame at which it was steered


def test_what_is_steered_besides_weights_is_captured_anew(captured, monkeypatch, narrow_weights, pictures):
    wanted = {4: {"style_layers": ("conv1_1",)}, 9: {"tv_weight": 1.0}}
    repeated, alone = both_ways(monkeypatch, partial(painted, *pictures, small(steps=16), steered=wanted, compute=GPU))
    assert repeated == alone and len(captured) == 3
    assert [set(losses) for losses, _ in repeated[0][::6]] == [
        {"content conv2_1", "style conv1_1", "style conv2_1"},
        {"content conv2_1", "style conv1_1", "style conv2_1"},
        {"content conv2_1", "style conv1_1", "total variation"},
    ]


def test_a_run_that_was_not_finite_comes_back_to_the_same_steps(captured, monkeypatch, narrow_weights, pictures):
    def paint() -> Seen:
        run, frames = stylize(*pictures, small(steps=10), compute=GPU), []
        for frame in run:
            frames.append(shown(frame))
            if frame.step == 3:
                with torch.no_grad():
                    run.painting.stage.descent.canvas.fill_(torch.inf)
        return frames, run.notes

    repeated, alone = both_ways(monkeypatch, paint)
    assert repeated == alone and "was not finite" in repeated[1][0]
    assert len(captured) == 2  # another step size is another kind


def test_a_run_is_stopped_gone_on_with_kept_and_restored_as_without_graphs(
    captured, monkeypatch, narrow_weights, pictures, tmp_path
):
    folders = iter((tmp_path / "one", tmp_path / "two"))

    def paint() -> Seen:
        run, folder = stylize(*pictures, small(steps=5), compute=GPU), next(folders)
        frames = seen(run)[0]
        run.more(6)
        frames += [shown(next(run)) for _ in range(3)]
        run.keep(folder)
        again = restored(folder, compute=GPU)
        there, here = seen(again)[0], seen(run)[0]
        assert there == here and len(there) == 3
        return frames + there, run.notes

    repeated, alone = both_ways(monkeypatch, paint)
    assert repeated == alone and len(repeated[0]) == 12 and captured[0].replays > 5


@pytest.mark.parametrize("read", [lambda value: float(value), lambda value: value * value.cpu().item()])
def test_a_step_that_looks_at_a_number_is_made_without_a_graph_and_a_note_says_so(
    captured, monkeypatch, narrow_weights, pictures, read
):
    terms_of = StyleTransferObjective.__call__

    def looking(objective, image):
        terms = terms_of(objective, image)
        read(next(iter(terms.values())).detach())
        return terms

    monkeypatch.setattr(StyleTransferObjective, "__call__", looking)
    repeated, alone = both_ways(monkeypatch, partial(painted, *pictures, small(steps=6), compute=GPU))
    assert repeated[0] == alone[0] and (repeated[1], alone[1]) == ((graphs.NOT_CAPTURED,), ()) and not captured


def test_where_a_graph_has_no_room_steps_are_made_without_and_a_note_says_so(
    captured, monkeypatch, narrow_weights, pictures
):
    paint = partial(painted, *pictures, small(steps=6), compute=GPU)

    def full(graph, work):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(PretendGraph, "capture", full)
        filled, alone = both_ways(monkeypatch, paint)
    left = iter([60, 25, 25, 25])  # gigabytes: what it took would not be there for a step beside it
    monkeypatch.setattr(graphs, "free_memory", lambda device: next(left))
    for frames, notes in (filled, paint()):
        assert frames == alone[0] and notes == (graphs.NO_ROOM,)
    assert [graph.replays for graph in captured] == [0]


def test_no_step_is_captured_in_strips_of_losses_that_draw_or_on_a_cpu(captured, monkeypatch, narrow_weights, pictures):
    drawn = stylize(*pictures, small(steps=5, style_loss="sliced wasserstein"), compute=GPU)
    in_strips = stylize(*pictures, small(steps=5), compute=GPU)
    in_strips.painting.sources.whole_pixels = 0
    on_cpu = stylize(*pictures, small(steps=5), compute=Compute(device="cpu", precision="fp32"))
    assert [seen(run)[1] for run in (drawn, in_strips, on_cpu)] == [()] * 3 and not captured  # nor was it tried
