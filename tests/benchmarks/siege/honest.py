"""Those who come to paint: each with pictures of one colour of its own, by which it knows its own result again."""

import asyncio
import io
import itertools
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageStat

from tests.benchmarks.material import ASSETS
from tests.benchmarks.siege.talk import Refused, Talk, Wait, Wrong, check, judged, new_session, picture
from tests.benchmarks.siege.visitor import Visitor

LEVELS = range(8, 249, 20)  # of each channel, of 255: 2197 colours that cannot be taken for each other
NEAR = 8.0  # of 255 in each channel, of a picture's mean: nearer to its own colour than to any other
CANCEL_SECONDS = 30.0

TILES = 4  # of a mosaic, in each direction

COLORS = [*itertools.product(LEVELS, repeat=3)]
ARRANGEMENTS = [*itertools.combinations(range(TILES**2), TILES**2 // 2)]  # 12870
for one in (COLORS, ARRANGEMENTS):
    random.Random(0).shuffle(one)


class Ask(NamedTuple):
    """One honest job."""

    number: int  # whose colour is COLORS[number], and whose seed it is
    talk: Talk
    chance: random.Random

    @property
    def color(self) -> tuple[int, int, int]:
        """Of its pictures."""
        return COLORS[self.number % len(COLORS)]

    def picture(self, shortest: int, longest: int) -> tuple[bytes, str]:
        """Its own picture as a file, and the file's name."""
        size = [self.chance.randint(shortest, longest) for _ in range(2)]
        grain = np.random.default_rng(self.number).integers(-3, 4, (size[1], size[0], 1))
        values = np.clip(np.array(self.color) + grain, 0, 255).astype(np.uint8)
        kind = self.chance.choice(("png", "jpeg", "webp"))
        file = io.BytesIO()
        Image.fromarray(values).save(file, kind, quality=95)
        return file.getvalue(), f"of {self.number}.{kind}"

    async def upload(self, shortest: int, longest: int) -> dict[str, Any]:
        """Its own picture on the server."""
        return picture(await self.talk.upload(*self.picture(shortest, longest)))

    def check(self, content: bytes, settings: dict[str, Any] | None = None) -> None:
        """Is this its own picture, painted as it was asked for?

        Raises:
            Wrong: it is another's, or none.
        """
        result = Image.open(io.BytesIO(content))
        mean = ImageStat.Stat(result.convert("RGB")).mean
        if max(abs(one - own) for one, own in zip(mean, self.color, strict=True)) > NEAR:
            told = "({:.0f}, {:.0f}, {:.0f})".format(*mean)
            raise Wrong(f"not the own picture: its mean is {told}, asked was {self.color}")
        if settings is not None:
            check_record(result, {"seed": self.number, **settings})


def check_record(result: Image.Image, settings: dict[str, Any]) -> None:
    """Does a painting say that it was made with these settings?"""
    config = json.loads(result.info["neural-style-lab"])["config"]
    wrong = {name: config.get(name) for name, value in settings.items() if config.get(name) != value}
    if wrong:
        raise Wrong(f"not the own painting: {wrong}, asked was {settings}")


def mosaic(number: int) -> np.ndarray:
    """Eight bright and eight dark tiles, in an arrangement of this number's own; (TILES, TILES), 0..255.

    The network of the Instant tab keeps where a picture is brighter, not how bright a picture of one colour is.
    """
    bright = ARRANGEMENTS[number % len(ARRANGEMENTS)]
    return np.array([210 if tile in bright else 50 for tile in range(TILES**2)], np.uint8).reshape(TILES, TILES)


async def _painting_inputs(ask: Ask) -> tuple[list[Any], dict[str, Any]]:
    settings = {"steps": ask.chance.randint(3, 10), "size": ask.chance.randint(64, 128)}
    content, style = await ask.upload(64, 160), await ask.upload(64, 160)
    layers = [None] * 4  # alpha, beta, layers of style and of content
    made = [content, style, "lab", "lite", *layers, "content", None, settings["steps"], settings["size"], None]
    return [*made, ask.number], settings


async def stylize_called(ask: Ask) -> None:
    """A program paints."""
    inputs, settings = await _painting_inputs(ask)
    result = await ask.talk.result("stylize", inputs)
    ask.check(await ask.talk.fetch(result[0]["path"]), settings)


async def stylize_joined(ask: Ask) -> None:
    """A program with a session paints."""
    inputs, settings = await _painting_inputs(ask)
    result = await ask.talk.joined(ask.talk.function("stylize"), inputs)
    ask.check(await ask.talk.fetch(result[0]["path"]), settings)


async def instant(ask: Ask) -> None:
    """A program has its picture back as it was: what it was given passes the network with strength 0."""
    tiles, side = mosaic(ask.number), ask.chance.randint(128, 512)
    file = io.BytesIO()
    Image.fromarray(tiles).resize((side, side), Image.Resampling.NEAREST).save(file, "png")
    content = picture(await ask.talk.upload(file.getvalue(), "mosaic.png"))
    inputs = [content, "starry_night", 0, ask.chance.choice((None, 128, 256)), "style"]
    result = await ask.talk.result("instant", inputs)
    painted = Image.open(io.BytesIO(await ask.talk.fetch(result[0]["path"])))
    seen = np.asarray(painted.convert("L").resize((TILES, TILES), Image.Resampling.BOX))
    if ((seen > np.median(seen)) != (tiles > np.median(tiles))).any():
        raise Wrong("not the own picture: its tiles are another's")


async def upload(ask: Ask) -> None:
    """A picture that is uploaded is there, byte by byte."""
    content, name = ask.picture(64, 512)
    if await ask.talk.fetch(await ask.talk.upload(content, name)) != content:
        raise Wrong("an upload came back as something else")


async def page(ask: Ask) -> None:
    """The page is loaded."""
    if "Neural Style Lab" not in check(await ask.talk.http.get("/")).text:
        raise Wrong("the page has no title")
    if not check(await ask.talk.http.get("/config")).json().get("dependencies"):
        raise Wrong("the page has no functions")


async def stay(ask: Ask) -> None:
    """A page is open for a while."""
    try:
        async with asyncio.timeout(ask.chance.uniform(3, 15)):
            await ask.talk.stay(new_session())
    except TimeoutError:
        pass


async def cancel(ask: Ask) -> None:
    """An own job is taken back: its news end soon."""
    inputs, _ = await _painting_inputs(ask)
    inputs[10] = 5000  # steps
    session, function = new_session(), ask.talk.function("stylize")
    event = await ask.talk.join(function, inputs, session)

    async def listen() -> None:
        async with aclosing(ask.talk.news(session)) as news:
            async for message in news:
                if message["msg"] == "process_completed":
                    if not message["success"]:
                        raise judged(message["output"])
                    return

    listening = asyncio.create_task(listen())
    try:
        await asyncio.wait([listening], timeout=ask.chance.uniform(0.5, 4))
        if not listening.done():
            await ask.talk.cancel(function["id"], event, session)
        try:
            await asyncio.wait_for(listening, CANCEL_SECONDS)
        except TimeoutError:
            raise Wrong(f"a job that was taken back had no end within {CANCEL_SECONDS:.0f} s") from None
    finally:
        listening.cancel()


KINDS: dict[Callable[[Ask], Awaitable[None]], int] = {  # -> how many of 100
    stylize_called: 28,
    stylize_joined: 12,
    instant: 26,
    upload: 10,
    page: 12,
    stay: 6,
    cancel: 6,
}


class Painting:
    """One page that paints at 256 pixels from the first moment to the last, and is watched as a browser watches it.

    Frames are counted where a person sees them: in the answers of /preview/TOKEN, which the page asks for (at most
    four a second). The clock runs between two frames of one painting, not while the page waits for its turn.
    """

    SIZE, STEPS = 256, 1500

    def __init__(self, talk: Talk):
        self.talk = talk
        self.gaps: list[float] = []
        self.frames = self.done = self.waits = 0
        self.failed: list[str] = []

    async def run(self) -> None:
        """One painting after the other, until this is cancelled."""
        session = new_session()
        staying = asyncio.create_task(self.talk.stay(session))
        try:
            for number in itertools.count(1):
                try:
                    await self._paint(session, number)
                    self.done += 1
                except Wait:
                    self.waits += 1
                    await asyncio.sleep(1)
                except (Refused, Wrong) as error:
                    self.failed.append(str(error))
                    await asyncio.sleep(1)
                except Exception as error:  # of the connection
                    self.failed.append(f"{type(error).__name__}: {error}"[:200])
                    await asyncio.sleep(1)
        finally:
            staying.cancel()

    async def _paint(self, session: str, seed: int) -> None:
        content, style = ASSETS / "photos" / "china_temple.jpg", ASSETS / "styles" / "harvest_sun.jpg"
        settings = {"size": self.SIZE, "steps": self.STEPS, "seed": seed}
        visitor = _Watched(self, session)
        await visitor.open()
        files = [(path.read_bytes(), path.name) for path in (content, style)]
        painted = await visitor.paint(*files, preset="lab", smallest_scale=0, tolerance=0, **settings)
        check_record(Image.open(io.BytesIO(painted.png)), settings)


class _Watched(Visitor):
    """A visitor whose frames a painting counts."""

    def __init__(self, painting: Painting, session: str):
        super().__init__(painting.talk, session)
        self.painting = painting

    async def watch(self, token: str) -> AsyncIterator[tuple[bool, dict[str, str]]]:
        before = None
        async for seen in super().watch(token):
            now = time.monotonic()
            if before is not None:
                self.painting.gaps.append(now - before)
            before, self.painting.frames = now, self.painting.frames + 1
            yield seen
