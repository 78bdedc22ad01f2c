"""Lets a teacher in: asks for the password, slows down who guesses it, and remembers who knew it by a cookie."""

import hmac
import secrets
import time
from collections import OrderedDict

from starlette.requests import Request
from starlette.responses import Response

from nst_core.errors import NSTError
from nst_core.ui.studio.pupils import class_key

COOKIE = "neural-style-lab-class"
TOKEN_SECONDS = 12 * 3600  # that a cookie opens the door: a day of school
MOST_TOKENS = 50  # the oldest give way
WRONG_OF_ADDRESS, WRONG_OF_ALL = 5, 60  # tries in TRY_SECONDS, of one address and of all
TRY_SECONDS = 60.0
WRONG = "That is not the password; whoever runs the server has set it (NST_CLASS_KEY)."
TOO_MANY = "Too many wrong passwords; wait a minute, then try again."


class WrongPassword(NSTError):
    """It is not the password."""


class TooManyTries(NSTError):
    """Somebody guesses."""


class Door:
    """Knows who may see the class: those whose cookie holds a token that was given for the password of now."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[str, tuple[str, float]] = OrderedDict()  # -> the password of then, end of its time
        self._wrong: list[tuple[str, float]] = []  # addresses of wrong tries, and when; monotonic seconds

    def enter(self, password: str, address: str, now: float | None = None) -> str:
        """Give a token for the password.

        Args:
            password: as somebody wrote it.
            address: of who did.
            now: the time; monotonic seconds.

        Raises:
            TooManyTries: of that address, or of all; whatever the password.
            WrongPassword: it is.
        """
        now = time.monotonic() if now is None else now
        self._wrong = [(whose, when) for whose, when in self._wrong if now - when < TRY_SECONDS]
        of_address = sum(whose == address for whose, _ in self._wrong)
        if of_address >= WRONG_OF_ADDRESS or len(self._wrong) >= WRONG_OF_ALL:
            raise TooManyTries(TOO_MANY)
        if not _same(password, class_key()):
            self._wrong.append((address, now))
            raise WrongPassword(WRONG)
        token = secrets.token_urlsafe(32)
        self._tokens[token] = class_key(), now + TOKEN_SECONDS
        while len(self._tokens) > MOST_TOKENS:
            self._tokens.popitem(last=False)
        return token

    def knows(self, request: Request, now: float | None = None) -> bool:
        """Whether a request comes with a token that opens the door."""
        password, until = self._tokens.get(request.cookies.get(COOKIE, ""), ("", 0.0))
        now = time.monotonic() if now is None else now
        return now < until and _same(password, class_key())


def give_cookie(response: Response, token: str, request: Request) -> None:
    """Let a browser keep a token where no script of a page reads it, and bring it back to this server alone."""
    encrypted = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", "").partition(",")[0])
    response.set_cookie(
        COOKIE, token, max_age=TOKEN_SECONDS, httponly=True, samesite="strict", secure=encrypted, path="/"
    )


def _same(one: str, other: str) -> bool:
    """Compare in a time that does not tell how much of them is the same; nothing is not the same as nothing."""
    return bool(other) and hmac.compare_digest(one.encode(), other.encode())
