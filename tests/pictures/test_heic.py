"""HEIC, as telephones take pictures."""

import io
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from nst_core import images
from nst_core.commands.pictures import pictures_below
from nst_core.errors import ImageError
from nst_core.pictures import opening
from nst_core.ui.folders.class_folders import unpack
from tests.test_images import TURNS, over_white, quarters, with_alpha

pillow_heif = pytest.importorskip("pillow_heif")
opening.known_formats()


def heic(picture: Image.Image, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "HEIF", quality=95, chroma=444, **options)
    return buffer.getvalue()


def seen(data: bytes) -> np.ndarray:
    return images.load(io.BytesIO(data))[0].permute(1, 2, 0).numpy() * 255


@pytest.mark.parametrize("orientation", TURNS)
def test_a_heic_is_turned_once(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(TURNS[orientation](quarters(48, 80))))
    np.testing.assert_allclose(seen(heic(stored, exif=exif.tobytes())), quarters(48, 80), atol=4)


def test_transparency_and_grey_are_read():
    data = heic(Image.fromarray(with_alpha()))
    np.testing.assert_allclose(seen(data), over_white(), atol=6)
    alpha = images.load_transparent(io.BytesIO(data))[0, 3].numpy() * 255
    np.testing.assert_allclose(alpha, with_alpha()[..., 3], atol=4)
    grey = Image.fromarray(quarters()).convert("L")
    np.testing.assert_allclose(seen(heic(grey))[..., 1], np.asarray(grey), atol=4)


def test_ten_bits_are_read():
    ramp = np.linspace(0, 65535, 80).astype(np.uint16)
    pixels = np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (48, 80, 3)))
    buffer = io.BytesIO()
    file = pillow_heif.from_bytes(mode="RGB;16", size=(80, 48), data=pixels.tobytes())
    file.save(buffer, quality=95, chroma=444)
    assert pillow_heif.open_heif(io.BytesIO(buffer.getvalue())).info["bit_depth"] == 10
    np.testing.assert_allclose(seen(buffer.getvalue()), pixels / 257, atol=2)


def test_a_heic_is_read_small_where_that_is_asked():
    image = images.load(io.BytesIO(heic(Image.fromarray(quarters(300, 500)))), max_side=100)
    assert images.size_of(image) == (60, 100)


def test_a_heic_that_is_cut_short_is_refused():
    data = heic(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)))
    for length in (40, len(data) // 2):
        with pytest.raises(ImageError, match="cannot be read as a picture"):
            seen(data[:length])


def test_folders_and_zips_take_heic(tmp_path):
    folder = tmp_path / "cat"
    folder.mkdir()
    for name in ("a.heic", "b.HEIF", "c.hif", "d.avif", "e.jfif", "f.txt"):
        (folder / name).write_bytes(heic(Image.fromarray(quarters())))
    (folder / "f.txt").write_text("no picture")
    found = {path.name for path in pictures_below(folder)}
    assert found == {"a.heic", "b.HEIF", "c.hif", "d.avif", "e.jfif"}
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"cat/{path.name}")
    assert unpack(tmp_path / "all.zip", tmp_path / "out") == 1
    assert len(list(pictures_below(tmp_path / "out" / "cat"))) == 5


@pytest.mark.parametrize(
    ("kind", "words"),
    [("HEIF", "HEIC picture; .*pip install pillow-heif"), ("AVIF", "AVIF picture; .*pip install --upgrade pillow")],
)
def test_what_reads_it_is_named_where_it_is_missing(tmp_path, monkeypatch, kind, words):
    buffer = io.BytesIO()
    Image.fromarray(quarters()).save(buffer, kind)
    (tmp_path / "photo").write_bytes(buffer.getvalue())
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, kind)
    for read in (images.load, images.check):
        with pytest.raises(ImageError, match=f"^photo is an? {words}"):
            read(tmp_path / "photo")
