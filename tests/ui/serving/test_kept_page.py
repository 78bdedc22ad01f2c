"""The page is made once for each address, and each visitor gets the same, whole."""

import itertools

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from nst_core.ui.serving.guard import Guard
from nst_core.ui.serving.kept_page import MOST, KeptPage

HERE = "http://localhost"


@pytest.fixture
def client():
    made = itertools.count(1)

    def page(request):
        status = 503 if "down" in request.headers else 200
        return HTMLResponse(f"<head></head>page {next(made)} of {request.url.netloc}", status)

    routes = [Route("/", page), Route("/other", page)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(Guard), Middleware(KeptPage)]), HERE)


def number(answer) -> int:
    return int(answer.text.split()[1])


def test_all_visitors_get_the_page_that_was_made_for_the_first(client):
    first, second = client.get("/"), client.get("/?preset=studio&lang=de")
    assert first.text == second.text == "<head></head>page 1 of localhost"
    assert first.headers.raw == second.headers.raw
    assert second.headers["content-encoding"] == "gzip" and "content-security-policy" in second.headers


@pytest.mark.parametrize("named", ["host", "x-forwarded-host", "x-forwarded-proto", "x-gradio-server"])
def test_it_is_made_anew_for_each_address_as_that_is_written_into_it(client, named):
    other = {named: "127.0.0.1"}
    assert [number(client.get("/", headers=headers)) for headers in ({}, other, {}, other)] == [1, 2, 1, 2]


@pytest.mark.parametrize(
    ("address", "headers"),
    [("/?deep_link=", {}), ("/?page=a", {}), ("/other", {}), ("/", {"origin": HERE}), ("/", {"accept-encoding": "br"})],
)
def test_what_is_not_the_same_for_all_is_not_kept(client, address, headers):
    assert [number(client.get(address, headers=headers)) for _ in range(2)] == [1, 2]
    assert number(client.get("/")) == 3


def test_a_page_that_could_not_be_made_is_not_kept(client):
    assert client.get("/", headers={"down": "yes"}).status_code == 503
    assert number(client.get("/")) == 2


def test_no_more_pages_are_kept_than_there_is_room_for(client):
    def ask(last):
        return number(client.get("/", headers={"host": f"127.0.0.{last}"}))

    assert [ask(last) for last in range(MOST)] == [ask(last) for last in range(MOST)]
    newest = ask(MOST)
    assert ask(MOST) == newest == MOST + 1 and ask(0) == newest + 1


def test_who_comes_by_an_unknown_name_gets_no_page_that_is_kept(client):
    client.get("/")
    assert client.get("/", headers={"host": "evil.example"}).status_code == 421
