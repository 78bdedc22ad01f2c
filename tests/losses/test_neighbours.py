"""Nearest neighbours, against all pairs in numpy."""

import numpy as np
import pytest
import torch

from nst_core.losses import neighbours as module
from nst_core.losses.neighbours import most_alike, neighbour_distance, neighbours, pointing
from nst_core.losses.samples import all_samples


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("asked", "offered"), [(1, 1), (7, 40), (40, 7), (33, 64)])
def test_the_most_alike_of_all_is_found_some_at_a_time(monkeypatch, asked, offered):
    monkeypatch.setattr(module, "ASKED", 8)
    monkeypatch.setattr(module, "OFFERED", 16)
    ours, theirs = random(asked, 5), random(offered, 5, seed=1)
    values, found = most_alike(ours, theirs)
    products = ours.numpy() @ theirs.numpy().T
    assert found.tolist() == products.argmax(1).tolist()
    np.testing.assert_allclose(values.numpy(), products.max(1), rtol=1e-5)


def test_what_is_barred_is_not_found_and_of_equals_the_first_is(monkeypatch):
    monkeypatch.setattr(module, "OFFERED", 2)
    vectors = torch.eye(4).repeat_interleave(2, 0)  # each twice, in one part
    barred = torch.tensor([0.0, 0, module.BARRED, 0, module.BARRED, module.BARRED, 0, 0])
    _, found = most_alike(torch.eye(4), vectors, barred)
    assert found[[0, 1, 3]].tolist() == [0, 3, 6] and found[2] not in (4, 5)


def test_a_direction_knows_neither_how_far_nor_where_its_set_is():
    vectors, mean = random(9, 4), random(4, seed=1)
    one = pointing(vectors, mean, torch.float32)
    torch.testing.assert_close(one, pointing(3 * vectors + 5, 3 * mean + 5, torch.float32))
    torch.testing.assert_close(one.norm(dim=1), torch.ones(9))
    assert not pointing(mean[None], mean, torch.float32).any()


def test_the_distance_is_that_to_the_vector_of_the_smallest_angle_about_the_means():
    painted, style = random(1, 6, 4, 5).relu(), 2 * random(1, 6, 3, 7, seed=1).relu()
    F, S = (seen[0].flatten(1).T.double().numpy() for seen in (painted, style))
    P, Q = F - F.mean(0), S - S.mean(0)
    cosines = (P @ Q.T) / np.linalg.norm(P, axis=1)[:, None] / np.linalg.norm(Q, axis=1)
    expected = ((F - S[cosines.argmax(1)]) ** 2).sum(1).mean()
    ours = neighbour_distance(all_samples(painted), neighbours(all_samples(style)))
    assert ours.item() == pytest.approx(expected, rel=1e-5)


def test_what_points_nowhere_is_compared_with_a_vector_of_the_styles_usual_length():
    style = random(1, 6, 8, 8).relu()
    lengths = style.square().sum(1).flatten()
    magnitude = neighbour_distance(all_samples(torch.zeros(1, 6, 2, 2)), neighbours(all_samples(style))).item()
    usual = lengths[(lengths - lengths.mean()).abs().argmin()].item()
    assert magnitude == pytest.approx(usual, rel=1e-5)
