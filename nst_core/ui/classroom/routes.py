"""Answers for the class's page: to a teacher who knows the password, and where one is set; plans of lessons to all."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from nst_core.engine.jobs import stop_all
from nst_core.engine.lane import DEVICE_LANE
from nst_core.errors import ConfigError, NSTError
from nst_core.ui.classroom.address import (
    LESSON_CODE,
    class_address,
    lesson_address,
    note_on,
    page_address,
    qr_code,
    qr_image,
)
from nst_core.ui.classroom.door import Door, TooManyTries, give_cookie
from nst_core.ui.classroom.page import POLICY, closed_page, door_page, wall_page
from nst_core.ui.classroom.paintings import HANDS, SIDES, Pictures, find, on_the_wall, told
from nst_core.ui.classroom.plan import plan_page
from nst_core.ui.classroom.sheet import class_sheet
from nst_core.ui.classroom.vote import UNREADABLE, Ballot
from nst_core.ui.studio.links import lend
from nst_core.ui.studio.page_language import language_of
from nst_core.ui.studio.pupils import class_key

STOPPED = "Your teacher stopped all work. A painting goes on with Continue."
DOOR, PICTURES, BALLOT = Door(), Pictures(), Ballot()
UNKEPT = {"Cache-Control": "no-store"}

Answer = Callable[[Request], Awaitable[Response]]


def if_there_is_a_class(answer: Answer) -> Answer:
    """Answer 404 where no password is set, as if there were no such page."""

    @wraps(answer)
    async def answered(request: Request) -> Response:
        return await answer(request) if class_key() else PlainTextResponse("Not Found", 404)

    return answered


def for_a_teacher(answer: Answer) -> Answer:
    """Answer 401 to who did not give the password, and 400 in a sentence to what cannot be done."""

    @if_there_is_a_class
    @wraps(answer)
    async def answered(request: Request) -> Response:
        if not DOOR.knows(request):
            return PlainTextResponse("Open the class's page and give the password.", 401, headers=UNKEPT)
        try:
            response = await answer(request)
        except NSTError as error:
            response = PlainTextResponse(str(error), 400)
        response.headers.update(UNKEPT)
        return response

    return answered


async def show(request: Request) -> Response:
    """Answer with the wall, or with the question for the password; 404 says how there would be either."""
    if not class_key():
        return _page(closed_page, 404)
    return _page(wall_page if DOOR.knows(request) else door_page)


@if_there_is_a_class
async def enter(request: Request) -> Response:
    """Let in who posts the password, and show the wall then."""
    form = await request.form(max_files=0, max_fields=4)
    address = request.client.host if request.client else ""
    try:
        token = DOOR.enter(str(form.get("password", "")), address)
    except NSTError as error:
        problem, status = str(error), 429 if isinstance(error, TooManyTries) else 403
        return _page(lambda nonce: door_page(nonce, problem), status)
    response = RedirectResponse(str(request.url.path).rpartition("/")[2], 303)
    give_cookie(response, token, request)
    return response


def _page(write: Callable[[str], str], status: int = 200) -> Response:
    nonce = secrets.token_urlsafe(16)
    headers = {**UNKEPT, "Content-Security-Policy": POLICY.format(nonce=nonce)}
    return HTMLResponse(write(nonce), status, headers=headers)


@for_a_teacher
async def list_all(request: Request) -> Response:
    """Answer with what there is on the wall."""
    paintings = [told(session)._asdict() for session in on_the_wall()]
    question = BALLOT.told(teacher=True)
    return JSONResponse({"paintings": paintings, "jobs": DEVICE_LANE.taken, "question": question})


@for_a_teacher
async def picture(request: Request) -> Response:
    """Answer with a painting's newest picture as a JPEG.

    Path: the painting's id. Query: "side", one of SIDES; "version" is for the browser to tell pictures apart.
    """
    session, side = find(request.path_params["view"]), request.query_params.get("side", "")
    if session is None or side not in map(str, SIDES):
        return PlainTextResponse("There is no such picture.", 410)
    jpeg = await asyncio.wrap_future(HANDS.submit(PICTURES.jpeg, session, int(side)))
    return Response(jpeg, media_type="image/jpeg") if jpeg else PlainTextResponse("There is no such picture.", 410)


@for_a_teacher
async def sheet(request: Request) -> Response:
    """Answer with all newest pictures on one sheet, a PNG to be kept, in the language that the query says as "lang"."""
    language = language_of(request.query_params.get("lang"), request.headers)
    png = await asyncio.wrap_future(HANDS.submit(class_sheet, list(on_the_wall()), language))
    headers = {"Content-Disposition": 'attachment; filename="class.png"'}
    return Response(png, media_type="image/png", headers=headers)


@for_a_teacher
async def stop(request: Request) -> Response:
    """Stop every job that is at work or waits: paintings, and figures, sheets, films and trainings."""
    count = DEVICE_LANE.taken
    await asyncio.to_thread(stop_all, DEVICE_LANE, STOPPED)
    return JSONResponse({"stopped": count})


@for_a_teacher
async def link(request: Request) -> Response:
    """Answer with the link from which a class starts with what the query names, and its QR code."""
    address = class_address(request)
    return JSONResponse({"address": address, "code": qr_code(address), "note": note_on(request)})


@for_a_teacher
async def style(request: Request) -> Response:
    """Lend the picture that was uploaded, by its path as gradio told it; answer with its name for the link."""
    try:
        path = (await request.json())["path"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return PlainTextResponse("Reload the page, and choose the picture again.", 400)
    return JSONResponse(await asyncio.wrap_future(HANDS.submit(lend, str(path))))


async def read_question(request: Request) -> Response:
    """Answer, to anybody, whether a class is here, whether its teacher asks, and with the question, if there is one."""
    is_class = bool(class_key())
    teacher = is_class and DOOR.knows(request)
    question = BALLOT.told(teacher=teacher) if is_class else None
    return JSONResponse({"class": is_class, "teacher": teacher, "question": question}, headers=UNKEPT)


@if_there_is_a_class
async def vote(request: Request) -> Response:
    """Count what a pupil answers; 400 for what is no vote, 409 where it counts no more."""
    try:
        BALLOT.vote(await _sent(request))
    except NSTError as error:
        return PlainTextResponse(str(error), 400 if isinstance(error, ConfigError) else 409)
    return JSONResponse({"counted": True}, headers=UNKEPT)


@for_a_teacher
async def put_question(request: Request) -> Response:
    """Ask the question of the "figure" that was sent, or close, tell or end the one at hand, as "do" says."""
    sent = await _sent(request)
    what = {"close": BALLOT.close, "tell": BALLOT.tell, "end": BALLOT.end}.get(str(sent.get("do")))
    if what:
        what()
    else:
        BALLOT.ask(str(sent.get("figure")))
    return JSONResponse(BALLOT.told(teacher=True))


async def _sent(request: Request) -> dict[str, Any]:
    """Read the JSON object of a request.

    Raises:
        ConfigError: it is none.
    """
    try:
        sent = await request.json()
    except (ValueError, RecursionError):
        sent = None
    if not isinstance(sent, dict):
        raise ConfigError(UNREADABLE)
    return sent


async def plan(request: Request) -> Response:
    """Answer with plans of lessons, to anybody: they tell nothing of a class."""
    return _page(lambda nonce: plan_page(nonce, note_on(request), page_address(request)))


async def lesson_code(request: Request) -> Response:
    """Answer with the QR code of the link to a lesson that the query says, to anybody."""
    try:
        return Response(qr_image(lesson_address(request)), media_type="image/svg+xml")
    except ConfigError as error:
        return PlainTextResponse(str(error), 400)


ROUTES = [  # beside gradio's own
    Route("/lesson", plan),
    Route(LESSON_CODE, lesson_code),
    Route("/class", show),
    Route("/class", enter, methods=["POST"]),
    Route("/class/list", list_all),
    Route("/class/picture/{view}", picture),
    Route("/class/sheet.png", sheet),
    Route("/class/stop", stop, methods=["POST"]),
    Route("/class/link", link),
    Route("/class/style", style, methods=["POST"]),
    Route("/class/question", put_question, methods=["POST"]),
    Route("/question", read_question),
    Route("/question", vote, methods=["POST"]),
]
