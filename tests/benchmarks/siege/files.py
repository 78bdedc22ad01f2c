"""Files that are not what they say, and paths that lead elsewhere."""

import io
import json
import string
import struct
import zipfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from tests.benchmarks.siege.attack import Attack, photo
from tests.benchmarks.siege.talk import API, FINE, Wrong, picture


@cache
def _jpeg_2000() -> bytes:
    file = io.BytesIO()
    Image.new("L", (10_000, 10_000), 90).save(file, "jpeg2000")
    return file.getvalue()


@cache
def _deep_png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((8000, 8000), 30_000, np.uint16)).save(file, "png", compress_level=1)
    return file.getvalue()


@cache
def _zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb:
        for number in range(20):
            bomb.writestr(f"cat/{number}.png", bytes(10_000_000))
    return file.getvalue()


def prepare() -> None:
    """Make what takes long to make, before the siege begins."""
    for make in (_jpeg_2000, _deep_png, _zip_bomb):
        make()


async def postscript(attack: Attack) -> str:
    """A program for printers that calls itself a picture."""
    program = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 200 200\n(/etc/passwd) (r) file 1000 string readstring\n"
    return await attack.instant(await attack.upload(program, "photo.png"), may_succeed=False)


async def jpeg_2000_of_100_megapixels(attack: Attack) -> str:
    """A few kilobytes that take the memory of 100 million pixels."""
    return await attack.instant(await attack.upload(_jpeg_2000(), "photo.jp2"))


async def png_of_16_bits_8000_pixels(attack: Attack) -> str:
    """A flat picture of 64 million pixels, two bytes each."""
    return await attack.instant(await attack.upload(_deep_png(), "photo.png"))


async def damaged_picture(attack: Attack) -> str:
    """Cut short, or with some bits turned over."""
    kind = attack.chance.choice(("jpeg", "png", "webp", "tiff", "gif"))
    whole = bytearray(photo(kind))
    if attack.chance.random() < 0.5:
        del whole[attack.chance.randrange(4, len(whole)) :]
    else:
        for _ in range(attack.chance.randint(1, 30)):
            whole[attack.chance.randrange(len(whole))] ^= 1 << attack.chance.randrange(8)
    content = await attack.upload(bytes(whole), f"photo.{kind}")
    if attack.chance.random() < 0.3:  # the page looks at a picture when it is dropped
        function = attack.talk.clicked("content", "upload")
        await attack.asked(function, attack.talk.inputs(function, content=content))
        return "looked at"
    return await attack.instant(content)


async def foreign_path(attack: Attack) -> str:
    """A file that was never uploaded, by a name in any disguise."""
    own = await attack.talk.upload(photo("png"), "own.png")
    folder = Path(own).parent.parent
    names = [
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/self/cwd/app.py",
        "/dev/zero",
        "/dev/stdin",
        str(foreign_picture(folder)),
        str(foreign_link(folder)),
        f"{folder}/../../../../../../../etc/passwd",
        f"{own}/../../../outside.png",
        "../" * 12 + "etc/hostname",
        f"{folder}/{'a' * 5000}.png",
        f"{own}\0.png",
        "\0",
        f"http://127.0.0.1:{attack.trap.port}/photo.png",
        "http://169.254.169.254/latest/meta-data/",
        f"file://{own}",
        "data:image/png;base64,AAAA",
        "~/.ssh/id_rsa",
        str(folder),
        "",
        ".",
    ]
    name = attack.chance.choice(names)
    given: Any = picture(name)
    if name.startswith("http"):
        given = attack.chance.choice((given, {**given, "url": name}, {**picture(own), "url": name}, {"url": name}))
    if attack.chance.random() < 0.3 and name and "\0" not in name:
        answer = await attack.talk.http.get(f"{API}/file={name}")
        if answer.status_code >= 500 and answer.status_code not in FINE:
            raise Wrong(f"file={name[:60]} was answered {answer.status_code}")
        if answer.status_code == 200 and "outside" in name or b"root:" in answer.content:
            raise Wrong(f"the server gave away {name[:80]}")
        return str(answer.status_code)
    return await attack.instant(given, may_succeed=given.get("path") in (own, None))


def foreign_picture(folder: Path) -> Path:
    """A picture beside the server's folder of uploads."""
    path = folder.parent / "outside.png"
    if not path.exists():
        path.write_bytes(photo("png"))
    return path


def foreign_link(folder: Path) -> Path:
    """A link to it within that folder, as if a fault had let one be made."""
    path = folder / "link.png"
    with suppress(FileExistsError):
        path.symlink_to(foreign_picture(folder))
    return path


async def zip_bomb(attack: Attack) -> str:
    """200 megabytes of nothing in a file of 200 kilobytes, as a picture or as a folder of pictures."""
    bomb = await attack.upload(_zip_bomb(), attack.chance.choice(("photo.png", "photos.zip")))
    if attack.chance.random() < 0.5:
        return await attack.instant(bomb, may_succeed=False)
    run, source = attack.chance.choice((("augment-run", "augment_source"), ("batch-run", "batch_folder")))
    function = attack.talk.after(attack.talk.clicked(run))
    return await attack.asked(function, attack.talk.inputs(function, **{source: bomb}))


async def safetensors_header(attack: Attack) -> str:
    """Weights of 137 bytes whose header says that it is huge."""
    size = attack.chance.choice((2**63 - 1, 2**40, 10**8, 129))
    weights = await attack.upload(struct.pack("<Q", size) + b'{"a":' + b" " * 124, "mine.safetensors")
    function = attack.talk.clicked("load-styles", "upload")
    return await attack.asked(function, [None, weights])


async def odd_record(attack: Attack) -> str:
    """A picture that says of itself that it was painted here, in words that make no sense."""
    letters = "".join(attack.chance.choices(string.printable, k=300))
    texts = (
        "",
        "null",
        "{}",
        letters,
        "[" * 100_000,
        '{"config": ' * 20_000,
        '{"config": {"steps": 1e400}}',
        '{"config": NaN}',
        '{"config": {"size": ' + "9" * 5000 + "}}",
        "\u202e<script>alert(1)</script>",
        '{"config": {}, "x": 1}',
        json.dumps({"config": {"preset": letters, "steps": -1, "size": "a", "content_layers": [[]]}, "steps": True}),
    )
    info = PngImagePlugin.PngInfo()
    info.add_itxt("neural-style-lab", attack.chance.choice(texts), zip=attack.chance.random() < 0.5)
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (80, 90, 100)).save(file, "png", pnginfo=info)
    content = await attack.upload(file.getvalue(), "painted.png")
    if attack.chance.random() < 0.3:
        return await attack.instant(content)
    function = attack.talk.clicked("settings-from", "upload")
    return await attack.asked(function, attack.talk.inputs(function, settings_from=content))
