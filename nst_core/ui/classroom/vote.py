"""Counts what a class answers to the question of a figure: one vote a browser, by tokens that name nobody."""

import re
import secrets
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.errors import ConfigError, NSTError, said

MOST_VOTERS = 500  # of a question; more are refused
LASTING_SECONDS = 3600.0  # that a question stays; then it is forgotten
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")  # that a browser makes up for a question
CLOSED = "This vote is closed; answers count only while your teacher's question is open."
FULL = f"There are {MOST_VOTERS} votes already, and no more are taken."
UNREADABLE = "This is no vote; reload the page, and answer again."


class Stage(StrEnum):
    """How far a question is."""

    OPEN = "open"  # votes count
    CLOSED = "closed"  # they count no more
    TOLD = "told"  # and all know which answer is right


class Ballot:
    """Holds the question that a class is asked, and the votes: in memory, until another one, an hour, or the end."""

    def __init__(self) -> None:
        self._votes: dict[str, int] = {}  # by token
        self.end()

    def ask(self, name: str, now: float | None = None) -> None:
        """Ask the question of a figure, and forget the one before with its votes.

        Args:
            name: of the figure.
            now: the time; monotonic seconds.

        Raises:
            ConfigError: there is no such figure.
        """
        if name not in FIGURES:
            raise ConfigError(f"the figure is {said(name)}; choose one of {', '.join(FIGURES)}")
        self._figure, self._stage, self._votes = name, Stage.OPEN, {}
        self._round = secrets.token_urlsafe(8)  # by which browsers tell it from the one before
        self._until = (time.monotonic() if now is None else now) + LASTING_SECONDS

    def close(self) -> None:
        """Count no more votes."""
        if self._stage is Stage.OPEN:
            self._stage = Stage.CLOSED

    def tell(self) -> None:
        """Let all know the right answer and the votes, which count no more."""
        self._stage = Stage.TOLD

    def end(self) -> None:
        """Take the question away, with its votes."""
        self._figure, self._stage, self._round, self._until = "", Stage.CLOSED, "", 0.0
        self._votes = {}

    def vote(self, sent: Mapping[str, Any], now: float | None = None) -> None:
        """Count a vote, in place of the one that its token gave before.

        Args:
            sent: by a browser: the question's "round", its "token", the place of its "answer".
            now: the time; monotonic seconds.

        Raises:
            ConfigError: no vote at all.
            NSTError: the question is not open any more, or too many voted.
        """
        token, answer = sent.get("token"), sent.get("answer")
        if not isinstance(token, str) or not TOKEN.fullmatch(token) or type(answer) is not int:
            raise ConfigError(UNREADABLE)
        if not self._stands(now) or self._stage is not Stage.OPEN or sent.get("round") != self._round:
            raise NSTError(CLOSED)
        if not 0 <= answer < len(FIGURES[self._figure].question.answers):
            raise ConfigError(UNREADABLE)
        if token not in self._votes and len(self._votes) >= MOST_VOTERS:
            raise NSTError(FULL)
        self._votes[token] = answer

    def told(self, *, teacher: bool, now: float | None = None) -> dict[str, Any] | None:
        """Tell what may be known of the question; None where none is asked.

        Pupils learn how others voted, and what is right, once that is told.

        Args:
            teacher: whether who asks is one.
            now: the time; monotonic seconds.
        """
        if not self._stands(now):
            return None
        question = FIGURES[self._figure].question
        told: dict[str, Any] = {
            "round": self._round,
            "figure": self._figure,
            "text": question.text,
            "answers": question.answers,
            "stage": self._stage,
            "votes": len(self._votes),
        }
        if teacher or self._stage is Stage.TOLD:
            given = list(self._votes.values())
            told["counts"] = [given.count(place) for place in range(len(question.answers))]
        if self._stage is Stage.TOLD:
            told |= {"right": question.right, "why": question.why}
        return told

    def _stands(self, now: float | None) -> bool:
        """Whether a question is asked, which is not so any more when its time is over."""
        if self._figure and (time.monotonic() if now is None else now) >= self._until:
            self.end()
        return bool(self._figure)
