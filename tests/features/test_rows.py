import torch

from nst_core.features.rows import Strip, write_over

HEIGHT = 11
EDGES = [(0, 4), (4, 8), (8, 10), (10, 11)]  # the last shorter than what is looked at around it
STRIPS = [Strip(first, end, max(0, first - 2), min(HEIGHT, end + 2), 1, wrap=False) for first, end in EDGES]


def test_pulls_are_added_up_in_the_place_of_the_map_that_they_are_of():
    """Each strip finds the map's own rows, whatever was written of others."""
    rows = torch.rand(1, 2, HEIGHT, 3, generator=torch.Generator().manual_seed(0))

    def pull(strip: Strip, of: torch.Tensor) -> torch.Tensor:
        return strip.rows_of(of) * (1 + strip.first)

    expected = torch.zeros_like(rows)
    for strip in STRIPS:
        strip.add_to(expected, pull(strip, rows))
    apart, over = torch.full_like(rows, torch.nan), rows.clone()
    write_over(apart, STRIPS, lambda strip: pull(strip, rows))
    write_over(over, STRIPS, lambda strip: pull(strip, over))
    assert torch.equal(apart, expected) and torch.equal(over, expected)
