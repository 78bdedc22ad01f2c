"""A scale is made ready from the picture before it, or from the start, and by the kind of objective that fits."""

import pytest
import torch

from nst_core import images
from nst_core.features.loading import load_network
from nst_core.transfer.column_strips import StripwiseColumnsObjective, StripwiseSplitObjective
from nst_core.transfer.columns import ColumnsObjective, SplitObjective
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.scales import coming, objective_at
from nst_core.transfer.sources import sources
from nst_core.transfer.strips import StripwiseObjective
from tests.runs import CPU, LADDER, small

BY_COLUMNS = {"column_share": 0.7, "style_loss": "nearest neighbours"}


@pytest.mark.parametrize(
    "settings, kinds",
    [
        ({}, [StyleTransferObjective, StripwiseObjective]),
        (BY_COLUMNS, [ColumnsObjective, StripwiseColumnsObjective, StripwiseSplitObjective]),
    ],
)
def test_large_scales_are_in_strips_and_the_last_by_columns_by_layers_too(narrow_weights, pictures, settings, kinds):
    config = small(**LADDER | {"steps": 9} | settings)
    content, *styles = pictures
    made = sources(content, styles, config, start_image=None, masks=(), compute=CPU)
    made.whole_pixels = made.scales[0].size ** 2
    network, seen = load_network(config.backbone, CPU)[0], []
    for scale in made.scales:
        kind = type(objective_at(made, config, network, scale, CPU))
        seen += [kind] * (kind not in seen)
    assert seen == kinds
    made.whole_pixels = 0
    if settings:
        last = made.scales[-1]
        made.whole_pixels = 10**9
        assert type(objective_at(made, config, network, last, CPU)) is SplitObjective


def test_a_scale_begins_with_the_picture_before_it_and_the_first_with_the_start(narrow_weights, pictures):
    config = small(**LADDER | {"steps": 9})
    content, *styles = pictures
    made = sources(content, styles, config, start_image=None, masks=(), compute=CPU)
    network, last = load_network(config.backbone, CPU)[0], made.scales[-1]
    first = coming(made, config, network, last, compute=CPU, before=None)
    assert torch.equal(first.canvas, first.objective.content_image)
    before = torch.rand(1, 3, 12, 16)
    later = coming(made, config, network, last, compute=CPU, before=before)
    assert torch.equal(later.canvas, images.resize(before, images.size_of(first.canvas)))
