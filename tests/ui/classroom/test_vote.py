"""The question that a class is asked: whose votes count, how often and how long, and who learns what of them."""

import pytest

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.errors import ConfigError, NSTError
from nst_core.ui.classroom.vote import LASTING_SECONDS, MOST_VOTERS, Ballot, Stage

ADA, GRACE = "token-of-ada-0123", "token-of-grace-0123"


@pytest.fixture
def ballot() -> Ballot:
    """A ballot at which the grid's question is asked."""
    made = Ballot()
    made.ask("grid", now=0)
    return made


def told(ballot: Ballot, *, teacher: bool = True, now: float = 0) -> dict:
    return ballot.told(teacher=teacher, now=now)


def vote(ballot: Ballot, token: str, answer: int, now: float = 0) -> None:
    ballot.vote({"round": told(ballot)["round"], "token": token, "answer": answer}, now)


def test_each_token_has_one_vote_which_may_change_until_the_vote_is_closed(ballot):
    vote(ballot, ADA, 1)
    vote(ballot, ADA, 1)
    vote(ballot, GRACE, 1)
    vote(ballot, GRACE, 2)
    assert told(ballot)["counts"] == [0, 1, 1, 0] and told(ballot)["votes"] == 2
    ballot.close()
    for late in (ADA, "token-of-a-third-0123"):
        with pytest.raises(NSTError, match="closed"):
            vote(ballot, late, 0)
    assert told(ballot)["counts"] == [0, 1, 1, 0]


def test_a_vote_for_a_question_that_was_asked_before_does_not_count_for_this_one(ballot):
    before = told(ballot)["round"]
    vote(ballot, ADA, 0)
    ballot.ask("step", now=0)
    with pytest.raises(NSTError, match="closed"):
        ballot.vote({"round": before, "token": GRACE, "answer": 0}, 0)
    assert told(ballot)["counts"] == [0, 0, 0, 0] and told(ballot)["round"] != before


@pytest.mark.parametrize(
    "given",
    [
        {"token": "short"},
        {"token": "x" * 65},
        {"token": "<script>alert(1)</script>"},
        {"token": None},
        {"answer": 4},
        {"answer": -1},
        {"answer": "1"},
        {"answer": True},
        {"answer": None},
    ],
)
def test_what_is_no_vote_is_refused_and_leaves_nothing(ballot, given):
    with pytest.raises(ConfigError):
        ballot.vote({"round": told(ballot)["round"], "token": ADA, "answer": 1} | given, 0)
    assert told(ballot)["votes"] == 0


def test_more_than_a_class_can_have_are_not_counted_and_who_has_voted_may_still_change(ballot):
    for number in range(MOST_VOTERS):
        vote(ballot, f"token-number-{number:06}", 0)
    with pytest.raises(NSTError, match="no more"):
        vote(ballot, ADA, 1)
    vote(ballot, "token-number-000000", 3)
    assert told(ballot)["counts"] == [MOST_VOTERS - 1, 0, 0, 1]


def test_pupils_learn_how_others_voted_and_what_is_right_once_that_is_told_and_a_teacher_sees_votes_before(ballot):
    vote(ballot, ADA, 1)
    ballot.close()
    assert told(ballot)["counts"] == [0, 1, 0, 0]
    assert not {"counts", "right", "why"} & told(ballot, teacher=False).keys()
    ballot.tell()
    question = FIGURES["grid"].question
    said = told(ballot, teacher=False)
    assert (said["stage"], said["counts"]) == (Stage.TOLD, [0, 1, 0, 0])
    assert (said["right"], said["why"]) == (question.right, question.why)


def test_a_question_is_forgotten_with_its_votes_when_it_is_taken_away_and_when_its_time_is_over(ballot):
    vote(ballot, ADA, 1)
    assert ballot.told(teacher=True, now=LASTING_SECONDS) is None
    assert ballot.told(teacher=True, now=0) is None
    ballot.ask("grid", now=0)
    assert told(ballot)["votes"] == 0
    ballot.end()
    assert ballot.told(teacher=True, now=0) is None


def test_only_a_teacher_asks_and_closes_and_everybody_votes_without_a_name(stranger, teacher):
    assert stranger.get("/question").json() == {"class": True, "teacher": False, "question": None}
    assert stranger.post("/class/question", json={"do": "ask", "figure": "grid"}).status_code == 401
    asked = teacher.post("/class/question", json={"do": "ask", "figure": "grid"}).json()
    seen = stranger.get("/question").json()["question"]
    assert seen["text"] == FIGURES["grid"].question.text and "counts" not in seen
    assert stranger.post("/question", json={"round": asked["round"], "token": ADA, "answer": 2}).status_code == 200
    assert teacher.get("/class/list").json()["question"]["counts"] == [0, 0, 1, 0]
    assert ADA not in teacher.get("/class/list").text + teacher.get("/question").text
    assert stranger.post("/class/question", json={"do": "close"}).status_code == 401
    assert teacher.post("/class/question", json={"do": "close"}).json()["stage"] == "closed"
    late = stranger.post("/question", json={"round": asked["round"], "token": GRACE, "answer": 2})
    assert late.status_code == 409 and "closed" in late.text
    assert teacher.post("/class/question", json={"do": "tell"}).status_code == 200
    assert stranger.get("/question").json()["question"]["right"] == FIGURES["grid"].question.right
    assert teacher.post("/class/question", json={"do": "end"}).json() is None


@pytest.mark.parametrize("body", ["", "no JSON", "[" * 100_000, "[]", "{}", '{"round": {}, "token": [], "answer": {}}'])
def test_what_is_no_vote_is_a_sentence_and_no_error_of_the_server(stranger, teacher, body):
    teacher.post("/class/question", json={"do": "ask", "figure": "grid"})
    answer = stranger.post("/question", content=body)
    assert answer.status_code == 400 and "vote" in answer.text
    assert teacher.post("/class/question", content=body).status_code == 400


def test_without_a_class_nobody_votes_and_pages_are_told_so_once(stranger, monkeypatch):
    monkeypatch.delenv("NST_CLASS_KEY")
    assert stranger.get("/question").json() == {"class": False, "teacher": False, "question": None}
    assert stranger.post("/question", json={"round": "", "token": ADA, "answer": 0}).status_code == 404
    assert stranger.post("/class/question", json={"figure": "grid"}).status_code == 404
