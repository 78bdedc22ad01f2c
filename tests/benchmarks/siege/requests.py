"""Requests and connections that no page of ours makes."""

import asyncio
import json
from contextlib import aclosing, suppress
from typing import Any

from tests.benchmarks.siege.attack import STYLE, Attack, photo
from tests.benchmarks.siege.talk import API, Wrong, new_session

HELD_SECONDS = 75.0  # within which the server lets go of those who say nothing


async def odd_request(attack: Attack) -> str:
    """A request that no page makes."""
    names = ("instant", "stylize", "no_such_name", "_press_run", "restore", "leave_page")
    path = f"{API}/call/{attack.chance.choice(names)}"
    join = f"{API}/queue/join"
    session = new_session()
    functions = len(attack.talk.config["dependencies"])
    index = attack.chance.choice((-1, functions, 10**6, 10**30, 1.5, "0", None, attack.chance.randrange(functions)))
    huge, deep = "9" * 4000, "[" * 50_000
    odd: Any = attack.chance.choice((None, True, [], {}, "x" * 10_000, -1, 1e308, {"path": 1}, {"path": {"path": []}}))
    bodies = [
        (path, json.dumps({"data": [odd] * attack.chance.randint(0, 20)})),
        (path, json.dumps({"data": odd})),
        (path, json.dumps(odd)),
        (path, f'{{"data": {deep}{"]" * 50_000}}}'),
        (path, f'{{"data": {deep}'),
        (path, f'{{"data": [null, "{STYLE}", {huge}, {huge}, "style"]}}'),
        (path, f'{{"data": [null, "{STYLE}", NaN, Infinity, "style"]}}'),
        (path, b"\xff\xfe" + attack.chance.randbytes(200)),
        (path, ""),
        (join, json.dumps({"data": [odd], "fn_index": index, "session_hash": session})),
        (join, json.dumps({"data": [odd] * 41, "fn_index": index, "session_hash": attack.chance.choice((None, odd))})),
        (join, json.dumps({"data": None, "fn_index": index, "session_hash": session, "event_data": odd})),
        (f"{API}/run/predict", json.dumps({"data": [odd], "fn_index": index, "session_hash": session})),
        (f"{API}/run/predict", json.dumps({"data": [None], "fn_index": index, "event_data": odd})),
        (f"{API}/component_server", json.dumps({"data": odd, "component_id": index, "fn_name": "accept_blobs"})),
        (f"{API}/reset", json.dumps({"session_hash": odd, "fn_index": index})),
        (f"{API}/upload", "no form"),
    ]
    where, body = attack.chance.choice(bodies)
    return await attack.post(where, body)


async def odd_input(attack: Attack) -> str:
    """A function of the page with inputs that it never sends."""
    functions = [one for one in attack.talk.config["dependencies"] if one["queue"] and one["inputs"]]
    function = attack.chance.choice(functions)
    odd: list[Any] = [None, True, [], {}, "x" * 1000, -1, 1e308, 10**25, ["a"], {"a": {"b": []}}, "<b>", [[[]]]]
    data = attack.talk.inputs(function)
    for at in attack.chance.sample(range(len(data)), min(len(data), 3)):
        data[at] = attack.chance.choice(odd)
    try:
        async with asyncio.timeout(5):  # what it begins with all that is left of sense may take longer
            return await attack.asked(function, data, attack.chance.choice(odd))
    except TimeoutError:
        return "left"


async def large_body(attack: Attack) -> str:
    """A megabyte and a half where some hundred bytes are due."""
    path = attack.chance.choice(("call/instant", "queue/join", "cancel", "run/predict", "component_server"))
    return await attack.post(f"{API}/{path}", json.dumps({"data": ["x" * 1_500_000]}))


async def long_address(attack: Attack) -> str:
    """20 kilobytes of path or query."""
    path = attack.chance.choice(("/" + "a" * 20_000, "/config?" + "a" * 20_000, f"{API}/file=" + "a/" * 10_000))
    return str(await attack.status(path))


async def wrong_host(attack: Attack) -> str:
    """A stranger's name that leads here."""
    host = attack.chance.choice(("evil.example", "127.0.0.1.evil.example", "", "localhost@evil.example", "a" * 500))
    status = await attack.status("/config", Host=host)
    if status < 400:
        raise Wrong(f"the name {host[:60]!r} was let in")
    return str(status)


async def _endless(attack: Attack) -> list[Any]:
    content = await attack.upload(photo("png"), "photo.png")
    return [content, content, "lab", "lite", *[None] * 6, 100_000, 96, None, 0]


async def endless_and_unheard(attack: Attack) -> str:
    """A hundred thousand steps for nobody."""
    await attack.talk.call("stylize", await _endless(attack))
    return "queued"


async def endless_and_left(attack: Attack) -> str:
    """The same, listened to for a second."""
    event = await attack.talk.call("stylize", await _endless(attack))
    try:
        async with asyncio.timeout(1), aclosing(attack.talk.heard("stylize", event)) as views:
            async for _ in views:
                pass
    except TimeoutError:
        pass
    return "left"


async def cancel_of_others(attack: Attack) -> str:
    """Jobs that may be somebody's are taken back."""
    for _ in range(10):
        event = f"{attack.chance.getrandbits(128):032x}"
        await attack.talk.cancel(attack.chance.randrange(186), event, attack.chance.choice((event, new_session())))
    return "200"


async def half_a_request(attack: Attack) -> str:
    """A connection that begins to say something."""
    begun = attack.chance.choice((b"", b"GET /con", b"GET /config HTTP/1.1\r\nHost: 127", b"\x16\x03\x01\x02"))
    return await _held(attack, begun, b"")


async def slow_body(attack: Attack) -> str:
    """A body that comes byte by byte."""
    head = f"POST {API}/call/instant HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return await _held(attack, head.encode() + b"Content-Length: 1000\r\n\r\n", b"[")


async def _held(attack: Attack, begun: bytes, more: bytes) -> str:
    """Hold a connection until the server lets go of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(attack.talk.url.rsplit(":", 1)[1]))
    began = asyncio.get_running_loop().time()
    try:
        writer.write(begun)
        while asyncio.get_running_loop().time() - began < HELD_SECONDS:
            try:
                answer = await asyncio.wait_for(reader.read(1000), 2)
                return f"closed: {answer.split(b' ')[1].decode()}" if b" " in answer else "closed"
            except TimeoutError:
                writer.write(more)
    except ConnectionError:
        return "closed"
    finally:
        writer.close()
    raise Wrong(f"{begun[:20]!r} is held for {HELD_SECONDS:.0f} s")


async def heartbeats(attack: Attack) -> str:
    """Thirty pages that open and close."""

    async def one() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(attack.chance.uniform(0.1, 2)):
                await attack.talk.stay(new_session())

    await asyncio.gather(*(one() for _ in range(30)))
    return "held"


async def wrong_token(attack: Attack) -> str:
    """Somebody else's camera, somebody else's painting."""
    token = attack.chance.choice(("a" * 22, "..%2f..", "%2e%2e%2fetc", "a" * 4000, "%00"))
    if attack.chance.random() < 0.5:
        return await attack.post(f"/live/{token}", photo("jpeg"))
    seen = attack.chance.choice(("0", "-1", "x", "9" * 5000))
    return str(await attack.status(f"/preview/{token}?seen={seen}&most=1"))
