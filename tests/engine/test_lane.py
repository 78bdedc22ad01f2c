"""Tests of the queue before the device: order, shares, and who is sent away."""

import pytest

from nst_core.engine.lane import Client, Lane, seconds_until_free
from nst_core.engine.limits import Limits
from nst_core.errors import BusyError

ALL = Limits(jobs=4, jobs_of_address=3, at_work_of_session=1, waiting_of_session=1)


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


def test_one_page_has_one_job_at_work_and_others_pass_it():
    lane = Lane(3)
    mine, mine_too, yours = lane.enter(client(1), ALL), lane.enter(client(1), ALL), lane.enter(client(2), ALL)
    assert mine.at_work and yours.at_work and not mine_too.at_work
    assert lane.waiting == 0  # nobody is kept waiting by others
    lane.leave(mine)
    assert mine_too.at_work


def test_who_comes_to_work_is_told_once():
    lane, told = Lane(), []
    first = lane.enter(client(1), ALL, lambda: told.append(1))
    lane.enter(client(2), ALL, lambda: told.append(2))
    assert told == [1]
    lane.leave(first)
    assert told == [1, 2]


def test_memory_is_held_by_those_who_came_first_and_by_one_alone_in_any_case():
    lane = Lane(4)
    places = [lane.enter(client(number), Limits()) for number in range(4)]
    assert lane.hold(places[0], 60, 100) and lane.hold(places[0], 60, 100)
    assert not lane.hold(places[1], 60, 100)
    assert not lane.hold(places[2], 10, 100)  # it fits, but comes after who waits for room
    lane.leave(places[0])
    assert lane.hold(places[1], 60, 100) and lane.hold(places[2], 10, 100) and not lane.hold(places[3], 31, 100)
    alone = Lane()
    assert alone.hold(alone.enter(client(9), Limits()), 10**12, 100)


def test_the_time_until_a_place_is_free_is_that_of_equal_shares():
    assert seconds_until_free([], [], 1) == 0
    assert seconds_until_free([10], [], 1) == 10
    assert seconds_until_free([10], [5, 7], 1) == 22
    assert seconds_until_free([10, 20], [], 2) == 20  # of which the shorter has half
    assert seconds_until_free([10, 20], [100], 2) == 20 + 20  # then it and the other's rest, side by side
    assert seconds_until_free([10], [], 2) == 0


def test_a_place_tells_the_seconds_before_it_from_what_is_known_of_others():
    lane = Lane()
    first, second, third = (lane.enter(client(number), ALL) for number in range(3))
    assert lane.seconds_before(third) == 2 * lane.usual_seconds
    first.left = 3.0
    assert lane.seconds_before(second) == 3.0
    before = lane.usual_seconds
    lane.leave(first, seconds=before + 10)
    assert before < lane.usual_seconds < before + 10
