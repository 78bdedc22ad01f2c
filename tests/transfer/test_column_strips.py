"""In strips, columns have the terms and the gradient that they have at once, and the same goals."""

import pytest
import torch

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.features import strips
from nst_core.features.loading import load_network
from nst_core.transfer.column_strips import kind_of
from nst_core.transfer.presets import PRESETS
from tests.runs import CPU

LAYERS = ("conv1_1", "conv2_2", "conv3_1", "conv4_2", "conv5_1")
CONFIG = PRESETS["neighbours"].config.on("lite").changed(style_layers=LAYERS)
PLAIN = {"content_layers": ("conv3_1",), "tv_weight": 1.0}


def photo(name: str, height: int, width: int) -> torch.Tensor:
    return images.cover(images.load(ASSETS / "photos" / f"{name}.jpg"), (height, width))


@pytest.mark.parametrize("columns", [True, False], ids=["columns", "columns and layers"])
@pytest.mark.parametrize("size, settings", [((83, 38), PLAIN), ((80, 48), {"wrap": True})], ids=["plain", "tile"])
def test_strips_have_the_terms_and_the_gradient_of_the_whole(monkeypatch, size, settings, columns):
    monkeypatch.setattr(strips, "STRIP_NUMBERS", 1)
    monkeypatch.setattr(strips, "LEAST_ROWS", 4)  # so that there are several of every block
    network, config = load_network("lite", CPU)[0], CONFIG.changed(**settings)
    content, style, painted = photo("coffee", *size), photo("dahlia", 70, 60), photo("rocket", *size)
    found = []
    for in_strips in (False, True):
        objective = kind_of(columns, in_strips=in_strips)(network, content, [style], config)
        objective.begin(content, coarsest=True)
        canvas = painted.clone().requires_grad_()
        terms = objective(canvas)
        sum(terms.values()).backward()
        found.append(({name: term.item() for name, term in terms.items()}, canvas.grad, objective.places))
    (terms, gradient, places), (in_strips, stripwise, same) = found
    assert in_strips == pytest.approx(terms, rel=1e-3) and list(in_strips) == list(terms)
    assert (places == same).all(1).float().mean() > 0.99
    if columns:  # else what is drawn by chance of a layer differs
        torch.testing.assert_close(stripwise, gradient, rtol=2e-2, atol=2e-2 * float(gradient.abs().max()))


def test_what_is_no_painting_by_columns_has_the_objectives_of_others():
    assert {kind_of(None, in_strips=one).__name__ for one in (True, False)} == {
        "StyleTransferObjective",
        "StripwiseObjective",
    }
