"""Tests of the queue before the device: order, shares, and who is sent away."""

import pytest

from nst_core.errors import BusyError
from nst_core.ui.serving.lane import Client, Lane
from nst_core.ui.serving.limits import Limits

ALL = Limits(jobs=4, jobs_of_address=3, jobs_of_session=2)


def client(number: int, address: str = "") -> Client:
    return Client(session=f"page {number}", event=f"job {number}", address=address or f"10.0.0.{number}")


def test_jobs_have_their_turns_in_the_order_in_which_they_came():
    lane = Lane()
    first, second, third = (lane.enter(client(number), ALL) for number in range(3))
    assert [place.at_work for place in (first, second, third)] == [True, False, False]
    assert (lane.before(second), lane.before(third), lane.waiting, lane.taken) == (1, 2, 2, 3)
    lane.leave(second)  # gave up
    lane.leave(first)
    assert third.at_work and lane.before(third) == 0
    lane.leave(third)
    lane.leave(third)  # once more
    assert lane.taken == 0


def test_a_lane_of_two_has_two_at_work():
    lane = Lane(2)
    places = [lane.enter(client(number), ALL) for number in range(3)]
    assert [place.at_work for place in places] == [True, True, False]
    lane.leave(places[0])
    assert places[2].at_work


@pytest.mark.parametrize(
    ("others", "newcomer", "words"),
    [
        ([client(number) for number in range(4)], client(9), "4 jobs wait"),
        ([client(number, "10.0.0.1") for number in range(3)], client(9, "10.0.0.1"), "from your address 3 jobs wait"),
        ([client(1), client(1)], client(1), "of this page 2 jobs wait"),
    ],
)
def test_a_full_lane_sends_away_in_words_and_takes_in_when_there_is_room(others, newcomer, words):
    lane = Lane()
    places = [lane.enter(other, ALL) for other in others]
    with pytest.raises(BusyError, match=words):
        lane.enter(newcomer, ALL)
    lane.leave(places[-1])
    lane.enter(newcomer, ALL)


def test_one_address_does_not_keep_others_out():
    lane = Lane()
    for number in range(3):
        lane.enter(client(number, "10.0.0.1"), ALL)
    assert not lane.enter(client(9, "10.0.0.2"), ALL).at_work


def test_jobs_without_a_client_are_no_ones_share():
    lane = Lane()
    for _ in range(4):
        lane.enter(Client(), ALL)
    assert lane.taken == 4


def test_nobody_enters_a_lane_that_closes():
    lane = Lane()
    lane.closing = "the server is going down"
    with pytest.raises(BusyError, match="going down"):
        lane.enter(client(1), ALL)
