"""Tests of what a loss's terms belong to."""

from nst_core.transfer.terms import TV_TERM, shares_of


def test_shares_of_a_loss_add_up_to_one_by_what_they_belong_to():
    shares = shares_of({"content conv4_2": 1.0, "style conv1_1": 2.0, "style conv5_1": 3.0, TV_TERM: 2.0})
    assert shares == {"content": 0.125, "style": 0.625, "total variation": 0.25} and sum(shares.values()) == 1
    assert shares_of({}) == shares_of({"content conv4_2": 0.0}) == shares_of({"style conv1_1": float("inf")}) == {}
