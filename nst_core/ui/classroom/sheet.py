"""Draws one sheet of a class: all newest pictures in a grid, names and presets under them, to be printed."""

import io
import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date

from nst_core import images
from nst_core.analysis.figure import Moment, Part
from nst_core.analysis.poster.blocks import draw_text, stacked
from nst_core.analysis.poster.chart import GREY
from nst_core.analysis.poster.language import ENGLISH, Language
from nst_core.analysis.poster.lettering import Lettering
from nst_core.analysis.poster.parts import MOST_WIDE, draw_parts
from nst_core.analysis.poster.save import DPI, LETTERS, MARGIN, PRINT_WIDTH, TITLE
from nst_core.errors import NSTError
from nst_core.ui.classroom.paintings import name_of, newest, preset_title
from nst_core.ui.studio.session import Session

HEADLINE = "The paintings of our class"
DATES = (
    *("{} January {}", "{} February {}", "{} March {}", "{} April {}", "{} May {}", "{} June {}"),
    *("{} July {}", "{} August {}", "{} September {}", "{} October {}", "{} November {}", "{} December {}"),
)
NAMELESS = re.compile(r"Painting \d+")  # of who gave no name
ROWS_TO_COLUMNS = 0.95  # of a sheet that fills a page of paper, as names stand below the pictures


def class_sheet(sessions: Sequence[Session], language: Language = ENGLISH, lettering: Lettering | None = None) -> bytes:
    """Draw the newest pictures of sessions as a PNG, PRINT_WIDTH pixels wide, of DPI.

    Args:
        sessions: those without a picture are left out.
        language: of its words, but for names, if it can be drawn here.
        lettering: what it is written with; None: the best that is here.
    """
    spoken = language.drawn
    letters, width = lettering or spoken.lettering, PRINT_WIDTH - 2 * MARGIN
    shown = [session for session in sessions if newest(session)]
    columns = max(1, round(math.sqrt(len(shown) / ROWS_TO_COLUMNS)))
    parts = tuple(
        part
        for number, session in enumerate(shown)
        if (part := _part(session, divmod(number, columns), min(MOST_WIDE, width // columns), letters, spoken.say))
    )
    today = date.today()
    blocks = [
        draw_text(spoken.say(HEADLINE), width, TITLE, letters),
        draw_text(spoken.say(DATES[today.month - 1].format(today.day, today.year)), width, LETTERS, letters, GREY),
        draw_parts(Moment((), (), parts), width, letters),
    ]
    buffer = io.BytesIO()
    stacked([block for block in blocks if block], MARGIN).save(buffer, "PNG", dpi=(DPI, DPI))
    return buffer.getvalue()


def _part(
    session: Session, place: tuple[int, int], side: int, lettering: Lettering, say: Callable[[str], str]
) -> Part | None:
    """Read a picture at the size of its place (row, column), as a class has many; None if it is gone by now."""
    if (picture := newest(session)) is None:
        return None
    with suppress(NSTError):
        image = images.to_pil(images.over_white(picture.image()))
        image.thumbnail((side, side * 2))
        name = say(called) if NAMELESS.fullmatch(called := name_of(session)) else called
        name = "".join(map(lettering.written, name))  # one letter that is lacking spoils no others
        caption = "\n".join(filter(None, (name, say(preset_title(session)))))
        return Part(*place, name, images.from_pil(image), caption, done=True)
    return None
