"""Who may see the class: the password, the cookie, and who guesses."""

import re

import pytest
from starlette.testclient import TestClient

from nst_core.ui.classroom import routes
from nst_core.ui.classroom.door import (
    COOKIE,
    MOST_TOKENS,
    TOKEN_SECONDS,
    TRY_SECONDS,
    WRONG_OF_ADDRESS,
    WRONG_OF_ALL,
    Door,
    TooManyTries,
    WrongPassword,
)
from tests.ui.classroom.conftest import PASSWORD, at_work, pupil

# asks for the password; plans of lessons, which tell nothing of a class; asks pupils, and counts their votes
OPEN = "/class", "/lesson", "/lesson/code", "/question"
ROUTES = [(route.path.replace("{view}", "any"), route.methods - {"HEAD"}) for route in routes.ROUTES]
GUARDED = sorted({(path, method) for path, methods in ROUTES if path not in OPEN for method in methods})


@pytest.mark.parametrize(("path", "method"), [*GUARDED, ("/class", "GET"), ("/class", "POST")])
def test_without_a_password_there_is_no_such_page(teacher, monkeypatch, path, method):
    monkeypatch.delenv("NST_CLASS_KEY")
    for client in (teacher, TestClient(teacher.app)):
        assert client.request(method, path, data={"password": ""}).status_code == 404


def test_without_a_password_the_class_s_page_says_how_it_is_switched_on(stranger, monkeypatch):
    monkeypatch.delenv("NST_CLASS_KEY")
    answer = stranger.get("/class")
    assert "NST_CLASS_KEY=" in answer.text and "$" not in answer.text and "<form" not in answer.text


@pytest.mark.parametrize(("path", "method"), GUARDED)
def test_nobody_without_the_cookie_gets_anything(stranger, path, method):
    session = at_work(pupil("Ada"))
    for cookies in ({}, {COOKIE: ""}, {COOKIE: PASSWORD.encode().hex()}, {COOKIE: session.key}):
        stranger.cookies.update(cookies)
        answer = stranger.request(method, path.replace("any", session.view), params={"side": 480})
        assert answer.status_code == 401 and "Ada" not in answer.text and session.busy


def test_a_wrong_password_opens_nothing_and_the_right_one_the_wall(stranger):
    wrong = stranger.post("/class", data={"password": PASSWORD + " "})
    assert wrong.status_code == 403 and "not the password" in wrong.text and not stranger.cookies
    assert 'type="password"' in stranger.get("/class").text and stranger.get("/class/list").status_code == 401
    right = stranger.post("/class", data={"password": PASSWORD}, follow_redirects=False)
    assert (right.status_code, right.headers["location"]) == (303, "class")
    assert 'id="wall"' in stranger.get("/class").text and stranger.get("/class/list").status_code == 200


def test_the_cookie_is_for_this_server_alone_and_holds_no_password(stranger):
    tokens = set()
    for _ in range(2):
        answer = stranger.post("/class", data={"password": PASSWORD}, follow_redirects=False)
        told = answer.headers["set-cookie"]
        tokens.add(answer.cookies[COOKIE])
        assert "HttpOnly" in told and "SameSite=strict" in told and "Secure" not in told
    assert len(tokens) == 2 and all(re.fullmatch(r"[\w-]{43}", token) for token in tokens)
    encrypted = stranger.post(
        "/class", data={"password": PASSWORD}, headers={"X-Forwarded-Proto": "https"}, follow_redirects=False
    )
    assert "Secure" in encrypted.headers["set-cookie"]


def test_who_guesses_must_wait_though_the_next_guess_be_right(app, monkeypatch):
    door = Door()
    for _ in range(WRONG_OF_ADDRESS):
        with pytest.raises(WrongPassword):
            door.enter("guess", "one", 100.0)
    for password in ("guess", PASSWORD):
        with pytest.raises(TooManyTries):
            door.enter(password, "one", 101.0)
    assert door.enter(PASSWORD, "another", 101.0)
    assert door.enter(PASSWORD, "one", 101.0 + TRY_SECONDS)


def test_many_who_guess_together_must_wait_too(app):
    door = Door()
    for number in range(WRONG_OF_ALL):
        with pytest.raises(WrongPassword):
            door.enter("guess", f"address {number}", 100.0)
    with pytest.raises(TooManyTries):
        door.enter("guess", "one more", 100.0)


def test_the_page_says_that_one_must_wait(stranger):
    answers = [stranger.post("/class", data={"password": "guess"}) for _ in range(WRONG_OF_ADDRESS + 1)]
    assert [answer.status_code for answer in answers] == [403] * WRONG_OF_ADDRESS + [429]
    assert "wait a minute" in answers[-1].text


class Asking:
    """A request with a cookie."""

    def __init__(self, token: str) -> None:
        self.cookies = {COOKIE: token}


def test_a_cookie_opens_for_a_day_until_the_password_is_another_and_few_are_remembered(app, monkeypatch):
    door = Door()
    token = door.enter(PASSWORD, "", 0.0)
    assert door.knows(Asking(token), TOKEN_SECONDS - 1) and not door.knows(Asking(token), TOKEN_SECONDS + 1)
    monkeypatch.setenv("NST_CLASS_KEY", "another")
    assert not door.knows(Asking(token), 1.0)
    monkeypatch.setenv("NST_CLASS_KEY", PASSWORD)
    for _ in range(MOST_TOKENS):
        assert door.knows(Asking(token), 1.0)
        door.enter(PASSWORD, "", 0.0)
    assert not door.knows(Asking(token), 1.0)
