"""Tests of terms that a GPU computes beside the rest of a step: on a pretended one, where order is looked at."""

import pytest
import torch
from torch import Tensor

from nst_core.devices import Compute
from nst_core.graphs import SideStreams
from nst_core.losses.style import STYLE_LOSSES
from nst_core.transfer.beside import TermsBeside
from nst_core.transfer.stylize import stylize
from tests.pretend_gpu import NAME, pretend_gpu
from tests.pretend_graph import PretendGraph
from tests.pretend_streams import MAIN, RACE
from tests.runs import left_half, small

GPU = torch.device(NAME, 0)
LAYERS = ("conv1_1", "conv2_1", "conv3_1")


@pytest.fixture(autouse=True)
def log(monkeypatch):
    with pretend_gpu(monkeypatch) as log:
        yield log


def captured(work) -> PretendGraph:
    graph = PretendGraph(GPU)
    graph.capture(work)
    return graph


@pytest.mark.parametrize("loss", [name for name, loss in STYLE_LOSSES.items() if loss.chained])
@pytest.mark.parametrize("masks", [0, 1])
def test_each_layers_term_is_computed_beside_the_layers_below_it(narrow_weights, pictures, loss, masks):
    config = small(steps=6, style_loss=loss, style_layers=LAYERS, content_layers=("conv3_2",))
    content, style = pictures
    given = {"masks": [left_half()]} if masks else {}
    run = stylize(content, [style], config, compute=Compute(device=NAME, precision="fp32"), **given)
    assert len(list(run)) == 7 and run.notes == ()
    order = PretendGraph.newest.order
    main, *sides = order.streams
    assert main is MAIN and len(sides) == len(LAYERS) and "linalg_cholesky_ex" not in order.streams[MAIN]
    assert all(order.streams[side].count("linalg_cholesky_ex") == 1 for side in sides)
    before = [order.streams[MAIN][: order.seen[side][MAIN]].count("convolution") for side in sides]
    assert before == [1, 3, 5]  # conv1_1, conv2_1, conv3_1; and none of those that come after


def test_a_term_and_its_gradient_are_what_they_are_without():
    measured = [torch.rand(3, 4).to(GPU).requires_grad_() for _ in range(2)]

    def term(parts: list[Tensor]) -> Tensor:
        return (parts[0] @ parts[1].T).exp().sum() + parts[0].square().sum()

    beside = TermsBeside(GPU)
    beside.begin("one", term, measured)
    found, wanted = beside.join()["one"], term(measured)
    assert torch.equal(found.cpu(), wanted.cpu()) and beside.join() == {}
    slopes = [torch.autograd.grad(4 * value, measured) for value in (found, wanted)]
    for one, other in zip(*slopes, strict=True):
        assert torch.equal(one.cpu(), other.cpu())


def test_what_is_begun_is_refused_where_it_is_used_before_it_has_joined_or_never_joins():
    values, one = torch.rand(4).to(GPU), torch.ones(4).to(GPU)

    def joined() -> Tensor:
        streams = SideStreams(GPU)
        doubled = values * 2
        streams.begin("sum", lambda given: given + one, doubled)
        values.add_(1)
        return streams.join()["sum"] * 1

    def too_soon() -> Tensor:
        streams, made = SideStreams(GPU), []
        streams.begin("sum", lambda: made.append(values + one))
        return made[0] * 1

    def written() -> None:
        streams = SideStreams(GPU)
        streams.begin("sum", lambda: values + one)
        values.add_(1)
        streams.join()

    def lost() -> None:
        doubled = values * 2
        streams = SideStreams(GPU)
        streams.begin("sum", lambda: doubled + one)
        streams.join()

    captured(joined)
    for wrong, words in ((too_soon, RACE), (written, RACE), (lost, "not recorded")):
        with pytest.raises(RuntimeError, match=words):
            captured(wrong)
    with pytest.raises(RuntimeError, match="did not join"):
        captured(lambda: SideStreams(GPU).begin("sum", lambda: values + one))
