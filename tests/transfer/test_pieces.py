"""A search finds the most alike of all that is offered, and keeps only what it found."""

import torch
from torch.nn import functional as F

from nst_core.transfer import pieces
from nst_core.transfer.pieces import Search, dimensions_of, even_places


def random(count: int, channels: int = 12, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, channels, generator=torch.Generator().manual_seed(seed))


def test_a_search_of_several_sets_finds_what_a_search_of_all_does(monkeypatch):
    monkeypatch.setattr(pieces, "PART", 10)
    asked, sets = random(33), [random(20, seed=seed) + 0.5 for seed in (1, 2, 3)]
    mean = torch.cat(sets).mean(0)
    search = Search(asked, None, mean, torch.float32)
    for number, columns in enumerate(sets):
        shares = [*search.offer(number, columns)]
        assert len(shares) == 4 and shares == sorted(shares)
    alike = F.normalize(asked, dim=1) @ F.normalize(torch.cat(sets) - mean, dim=1).T
    expected = alike.argmax(1)
    assert torch.equal(search.places, torch.stack((expected // 20, expected % 20), 1))
    assert torch.equal(search.columns[search.chosen], torch.cat(sets)[expected])
    assert len(search.columns) == len(expected.unique())


def test_dimensions_hold_all_of_few_columns_and_most_of_many(monkeypatch):
    few = random(6)
    basis = dimensions_of(few, torch.zeros(12))
    torch.testing.assert_close(few @ basis @ basis.T, few)
    monkeypatch.setattr(pieces, "DIMENSIONS", 4)
    many = random(500) * torch.tensor([9.0, 8, 7, 6, *[0.1] * 8])
    basis = dimensions_of(many, torch.zeros(12))
    assert basis.shape == (12, 4)
    assert (many @ basis).square().sum() > 0.99 * many.square().sum()
    torch.testing.assert_close(basis.T @ basis, torch.eye(4))


def test_even_places_are_spread_from_the_first_on():
    assert even_places(10, 4).tolist() == [0, 2, 5, 7] and even_places(3, 3).tolist() == [0, 1, 2]
