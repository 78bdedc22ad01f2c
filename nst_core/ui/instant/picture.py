"""Paints one picture in one pass for the Instant tab, and hands it to the studio."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import gradio as gr
import torch
from torch import Tensor

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.engine.devices import DEVICES
from nst_core.engine.jobs import excuse
from nst_core.errors import ConfigError, ImageError, NSTError, said
from nst_core.instant.easel import Answer
from nst_core.instant.painter import MAX_SIDE
from nst_core.steps import Steps
from nst_core.transfer.presets import PLAIN_PRESET
from nst_core.transfer.steering import Steering
from nst_core.ui.page.downloads import new_file
from nst_core.ui.page.form import Updates
from nst_core.ui.page.status import status_html
from nst_core.ui.page.toasts import refusal, warn
from nst_core.ui.studio.controls_and_config import default_config
from nst_core.ui.studio.instant_keeping import find_instant, keep_instant
from nst_core.ui.studio.instant_session import NO_BLEND, AsPainted, Brush, InstantSession, title_of
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.uploads import Instead, is_usable, read_upload
from nst_core.ui.widgets.pictures import comparison

CHOOSE = "Choose a picture; every click on a style paints it at once."
POLISH_STEPS = 40  # after which a quick painting is as near to both pictures as the studio's from the photo (measured)
POLISH, POLISH_WITH_OWN = "Polish in the studio", "Polish with a style picture of yours"
OWN_PICTURE = "This style's own picture is not here: choose a style picture first."
GONE = "Not here any more, so that nothing else is painted in it"
STAND_IN = (
    "The painting that this style was learned from is not part of this program: one of its own, so painted, stands in."
)
STAND_INS = ASSETS / "instant"  # pictures for styles that were learned from paintings of others
PNG, JPEG = ".png", ".jpg"
LARGE_AREA = 2**23  # pixels
READ_TIMES = 4  # the size at which a picture is painted; larger ones are read at this
LOOK_SECONDS = 0.25  # from one look at Stop to the next, while a worker paints
_LARGE = threading.Lock()


class Given(NamedTuple):
    """A file's picture.

    Attributes:
        image: (1, 3, H, W) in [0, 1], over white, at the size at which it is painted.
        source: (1, 3, any, any) or, transparent, (1, 4, any, any), as it was read.
    """

    image: Tensor
    source: Tensor

    def finished(self, painted: Tensor) -> Tensor:
        """Make a painting of it as transparent as it is, (1, 4, H, W), if it is."""
        return images.as_transparent_as(painted, self.source)


def paint_picture(
    session: InstantSession, source: Path | None, size: float | None, keep_transparency: bool = True
) -> Iterator[Updates]:
    """Paint a picture as the session is set: that it is at work is said, it is shown, then there is a file of it.

    Fills in "status", "result", "after", "download", "jpeg" and "polish", and of a picture that is cut short "instead",
    what there is of it, or nothing of what is none; nothing if that is what is shown: gradio says some changes twice,
    and a field that is left as changed; nor without a picture: what was chosen before there was one may be heard after
    it; nor of one that is put away meanwhile. What cannot be painted leaves the last result.
    """
    style, mix = session.chosen, session.mix
    wanted = style, mix, source, size, keep_transparency
    if wanted in (session.painted, session.found) and session.result and session.result.exists():
        return
    session.painted = session.found = None
    if source is not None:
        session.painting = source
    if source is not None and style:
        yield {"status": status_html(f"Painting in one pass: {session.said()} …", kind="busy")}
    seen = False
    try:
        brush = session.brush()
        for view in _painting(session, brush, source, wanted) if source is not None else ():
            seen = seen or "result" in view
            yield view
    except Exception as error:
        if source is not None and session.painting != source:
            return
        problem = error if isinstance(error, NSTError) else excuse(error)
        warn(problem, "Cannot paint")
        view = _last_painting(session) if seen else {}
        if source is not None and isinstance(problem, ImageError) and not is_usable(source):
            view = {**view, "instead": Instead.of(source)}
        yield {"status": status_html(str(problem), kind="problem"), **view}


def _painting(session: InstantSession, brush: Brush, source: Path, wanted: AsPainted) -> Iterator[Updates]:
    style, mix, _, size, keep_transparency = wanted
    given, whole = read_upload(source, partial(read, size=size, keep_transparency=keep_transparency))
    if whole != source:
        yield {"instead": Instead.of(source, whole)}
    began = time.monotonic()
    painted = on_device(brush)(given.image)
    if session.painting != source:
        return
    height, width = images.size_of(painted)
    text = f"{session.said().capitalize()}: {width}×{height} pixels in {time.monotonic() - began:.2f} s"
    more = "Refining it, and making its files …" if session.chosen in session.own else "Making its files …"
    status = status_html(text, more, kind="busy")
    yield {"status": status, **_result_shown(given.image, painted), **_offered(session, None)}
    began, quick = time.monotonic(), painted
    painted = refine_on_device(brush, given.image, quick)
    if session.painting != source:
        return
    if painted is not quick:
        text = f"{text}, refined in {time.monotonic() - began:.2f} s more"
        yield {"result": gr.HTML(value=comparison(given.image, painted), visible=True)}
    path = new_file(brush.file_name(source.stem, PNG))
    for file in (path, path.with_suffix(JPEG)):
        brush.save(given.finished(painted), file)
    wanted = style, mix, whole, size, keep_transparency
    session.source, session.result, session.painted, session.told = whole, path, wanted, text
    keep_instant(session)
    yield {"status": status_html(text), **_offered(session, path)}


def _result_shown(before: Tensor, after: Tensor) -> Updates:
    shown = gr.HTML(value=comparison(before, after), visible=True)
    return {"result": shown, "after": gr.Row(visible=True)}


def _last_painting(session: InstantSession) -> Updates:
    """Show the last painting again, with its files, where the one that took its place could not be finished."""
    with suppress(Exception):  # as that is often for want of memory
        if session.source and session.result and session.result.exists():
            after = images.load(session.result)
            size = images.size_of(after)
            before = images.cover(images.load(session.source, max_side=max(size)), size)
            return {**_result_shown(before, after), **_offered(session, session.result)}
    return _nothing_shown()


def _nothing_shown() -> Updates:
    return {"result": gr.HTML(visible="hidden"), "after": gr.Row(visible=False)}


def _offered(session: InstantSession, path: Path | None) -> Updates:
    """Offer a painting's files, and to polish it; None: not yet, as it would be the painting before."""
    ready = path is not None
    files = {name: path and path.with_suffix(end) for name, end in (("download", PNG), ("jpeg", JPEG))}
    buttons = {name: gr.DownloadButton(value=file, interactive=ready) for name, file in files.items()}
    polish = gr.Button(POLISH if style_picture(session) else POLISH_WITH_OWN, interactive=ready)
    return {**buttons, "polish": polish}


def come_back(session: InstantSession, key: str) -> Updates:
    """Show a page that is opened what its browser left, but for what `shown_styles` shows.

    Args:
        session: a fresh one, the page's own.
        key: by which the browser knows what it had.

    Returns:
        of a Mix by its names, "picture", "size", "keep_transparency", and what `paint_picture` fills in.
    """
    try:
        find_instant(session, key if isinstance(key, str) else "")
        updates = session.mix._asdict()
        if session.source is None:
            return updates
        updates["picture"] = str(session.source)
        if session.painted is None or session.result is None:
            return updates
        style, mix, _, size, keep_transparency = session.painted
        gone = [name for name in (style, mix.second) if name not in (NO_BLEND, *session.names)]
        detail = f"{GONE}: {', '.join(map(title_of, gone))}" if gone else ""
        session.found = (session.chosen, session.mix, session.source, size, keep_transparency) if gone else None
        before = read(session.source, size, keep_transparency).image
        view = _result_shown(before, images.load(session.result))
        updates |= {"size": size, "keep_transparency": keep_transparency, "status": status_html(session.told, detail)}
        return {**updates, **view, **_offered(session, session.result)}
    except NSTError as error:
        return {"status": status_html(str(error), kind="problem")}


def put_away(session: InstantSession) -> Updates:
    """Show no result any more; fills in "status", "result" and "after"."""
    session.painted = session.found = session.painting = session.source = session.result = None
    keep_instant(session)
    return {"status": status_html(CHOOSE), **_nothing_shown()}


def read(source: Path, size: float | None, keep_transparency: bool = True) -> Given:
    """Read a file's picture at the size at which it is painted: its longer side, or for None its own.

    Raises:
        ImageError: not a picture, or too large or small a one.
        ConfigError: a size that is none.
    """
    if size is None:
        image = images.load(source, max_side=MAX_SIDE, keep_transparency=keep_transparency)
        return Given(images.over_white(image), image)
    if not size == size // 1 or not images.MIN_SIDE <= size <= MAX_SIDE:
        raise ConfigError(
            f"the size is {said(size)}; give a whole number from {images.MIN_SIDE} to {MAX_SIDE}, or none"
        )
    # read at its full size, a large picture would take gigabytes only to be made small
    side = min(MAX_SIDE, READ_TIMES * int(size))
    image = images.load(source, max_side=side, keep_transparency=keep_transparency)
    return Given(images.fit(images.over_white(image), int(size)), image)


def on_device(brush: Brush, steering: Steering | None = None) -> Callable[[Tensor], Tensor]:
    """Make of a brush a function for any thread but the device's, on which others have turns between its steps.

    Where a worker of a cluster is near by, that paints.

    Large pictures are painted one at a time, whoever asks, as each of them takes gigabytes.

    Args:
        brush: paints.
        steering: stopped, they end it between two steps, by a ConfigError; None: each picture is painted to its end.
    """

    def paint(image: Tensor) -> Tensor:
        height, width = images.size_of(image)
        with _LARGE if height * width > LARGE_AREA else nullcontext():
            if (answer := _by_worker(brush, steering, image)) and answer.image is not None:
                return torch.tensor(answer.image)
            return DEVICES.run_steps(_stoppable(brush.steps(image), steering)).result()

    return paint


def refine_on_device(brush: Brush, image: Tensor, painted: Tensor, steering: Steering | None = None) -> Tensor:
    """Refine what a brush painted of an image, as `on_device`; gives the painting itself where nothing is refined."""
    if answer := _by_worker(brush, steering, image, painted):
        return painted if answer.image is None else torch.tensor(answer.image)
    return DEVICES.run_steps(_stoppable(brush.refine(image, painted), steering)).result()


def _by_worker(brush: Brush, steering: Steering | None, image: Tensor, *painted: Tensor) -> Answer | None:
    """Have a worker near by paint an image, or refine what was painted of it; None: it is to be done here."""
    coming = brush.nearby and brush.nearby.picture(brush.recipe, image, *painted)
    while coming:
        _check_stop(steering)
        with suppress(TimeoutError):
            return coming.result(LOOK_SECONDS)
    return None


def _check_stop(steering: Steering | None) -> None:
    if steering and steering.stop.is_set():
        raise ConfigError("stopped before the picture was painted; paint it again")


def _stoppable(steps: Steps[Tensor], steering: Steering | None) -> Steps[Tensor]:
    while True:
        _check_stop(steering)
        try:
            next(steps)
        except StopIteration as end:
            return end.value
        yield


def style_picture(instant: InstantSession) -> Path | None:
    """Find the picture that the chosen style was learned from, or one that stands in for it; None: neither is here."""
    name = f"{instant.chosen}.jpg"
    places = instant.pictures.get(instant.chosen), ASSETS / "styles" / name, STAND_INS / name
    return next((place for place in places if place and place.exists()), None)


def polish(instant: InstantSession, session: Session) -> Updates:
    """Hand picture, style and painted result to the studio, to be polished there."""
    if instant.result is None or not instant.result.exists():
        raise refusal("there is no painted picture any more; choose one, and a style")
    image = images.load(instant.result)
    size = max(images.size_of(image))
    config = default_config(PLAIN_PRESET).changed(size=size, start="image", smallest_scale=0, steps=POLISH_STEPS)
    style = style_picture(instant)
    text = "The painted picture is the start; press Paint to go on from it."
    detail = OWN_PICTURE if style is None else STAND_IN if style.parent == STAND_INS else ""
    return {
        "tabs": gr.Tabs(selected="stylize"),
        "status": status_html(text, detail),
        "content": str(instant.source),
        # as a copy: gradio serves no file of a program that was started in another folder
        "style": str(shutil.copy(style, new_file(style.name))) if style else gr.skip(),
        "start_image": gr.Image(value=str(instant.result), visible=True),
        **session.take(config),
    }
