import io
import random
import struct
import warnings
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, ImageFile, features

from nst_core import images
from nst_core.errors import ConfigError, ImageError
from nst_core.images import (
    MIN_SIDE,
    READ_SIDE,
    SIZE_RULES,
    cover,
    encode_jpeg,
    fit,
    load,
    resize,
    save_png,
    size_of,
)
from nst_core.pictures import srgb
from tests.stand_ins import DEVICES

RED, GREEN, BLUE, YELLOW = (220, 20, 30), (20, 180, 60), (30, 50, 200), (230, 220, 40)


def quarters(height=24, width=40) -> np.ndarray:
    """(H, W, 3) with another colour in each corner, so that a turn or a flip shows."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = RED
    pixels[: height // 2, width // 2 :] = GREEN
    pixels[height // 2 :, : width // 2] = BLUE
    pixels[height // 2 :, width // 2 :] = YELLOW
    return pixels


def shown(path) -> np.ndarray:
    """What load() sees, as (H, W, 3) of 0..255."""
    image = load(path)
    assert image.shape[:2] == (1, 3) and image.dtype == torch.float32 and image.is_contiguous()
    assert image.min() >= 0 and image.max() <= 1
    return image[0].permute(1, 2, 0).numpy() * 255


def png_header(width: int, height: int) -> bytes:
    """A PNG of one bit a pixel that says how large it is and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


def encoded(pixels: np.ndarray, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


# What is refused


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("text.jpg", b"this is no picture\n" * 50, ["use a JPEG, PNG or WebP"]),
        ("empty.png", b"", ["use a JPEG, PNG or WebP"]),
        ("half.jpg", encoded(quarters(200, 200), "JPEG")[:400], ["damaged", "use a JPEG, PNG or WebP"]),
        ("half.png", encoded(quarters(), "PNG")[:40], ["damaged", "use a JPEG, PNG or WebP"]),
        ("dot.png", encoded(quarters(1, 1), "PNG"), ["1×1", f"at least {MIN_SIDE}×{MIN_SIDE}"]),
        ("thin.png", encoded(quarters(MIN_SIDE - 1, 40), "PNG"), [f"40×{MIN_SIDE - 1}", "at least"]),
        ("huge.png", png_header(20_000, 20_000), ["100,000,000 pixels", "make it smaller"]),
        ("large.png", png_header(15_000, 10_000), ["15000×10000", "100,000,000 pixels", "make it smaller"]),
    ],
)
def test_a_useless_file_is_refused_by_name_with_a_remedy(tmp_path, name, data, words):
    (tmp_path / name).write_bytes(data)
    for source, called in ((tmp_path / name, name), (str(tmp_path / name), name), (io.BytesIO(data), "the file")):
        with pytest.raises(ImageError) as raised:
            load(source)
        assert called in str(raised.value)
        assert all(word in str(raised.value) for word in words), raised.value
        assert str(tmp_path) not in str(raised.value)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(ImageError, match=r"cat\.jpg does not exist; check the path"):
        load(tmp_path / "cat.jpg")


def test_the_smallest_picture_that_is_not_refused_is_read(tmp_path):
    (tmp_path / "small.png").write_bytes(encoded(quarters(MIN_SIDE, MIN_SIDE), "PNG"))
    assert size_of(load(tmp_path / "small.png")) == (MIN_SIDE, MIN_SIDE)


def test_a_picture_is_never_read_smaller_than_it_may_be(tmp_path):
    (tmp_path / "ribbon.png").write_bytes(encoded(np.zeros((MIN_SIDE, 2 * READ_SIDE), np.uint8), "PNG"))
    try:
        assert min(size_of(load(tmp_path / "ribbon.png"))) >= MIN_SIDE
    except ImageError as error:
        assert "ribbon.png" in str(error)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF"])
def test_a_damaged_file_is_read_or_refused_and_never_breaks_the_program(kind):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a maker of cameras"
    options = {} if kind in ("GIF", "BMP") else {"exif": exif}
    whole, chance, read = encoded(quarters(), kind, **options), random.Random(0), 0
    for _ in range(500):
        damaged = bytearray(whole)
        for _ in range(chance.choice([1, 2, 8])):
            damaged[chance.randrange(min(len(damaged), chance.choice([60, 300, 9999])))] = chance.randrange(256)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                load(io.BytesIO(bytes(damaged)))
                read += 1
            except ImageError:
                pass
    assert read < 500


def test_a_photograph_stands_upright_although_another_word_of_its_exif_is_odd():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a maker of cameras"
    stored = Image.fromarray(np.ascontiguousarray(TURNS[6](quarters())))
    jpeg = bytearray(encoded(np.asarray(stored), "JPEG", exif=exif, quality=95, subsampling=0))
    maker = jpeg.index(b"MM\0*") + 10
    assert jpeg[maker : maker + 2] == b"\x01\x0f"
    jpeg[maker + 1] = 0  # now the picture's width, in letters where a number belongs
    np.testing.assert_allclose(shown(io.BytesIO(bytes(jpeg))), quarters(), atol=8.01)


# What is shown


def with_alpha() -> np.ndarray:
    alpha = np.full((24, 40, 1), 255, np.uint8)
    alpha[:12, :20] = 0  # the red corner cannot be seen
    alpha[12:, :20] = 51  # a fifth of the blue one
    return np.concatenate([quarters(), alpha], 2)


def over_white() -> np.ndarray:
    expected = quarters().astype(float)
    expected[:12, :20] = 255
    expected[12:, :20] = 0.2 * expected[12:, :20] + 0.8 * 255
    return expected


GREY = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (24, 1))
GREY_RGB = np.repeat(GREY[..., None], 3, 2)


def palette(transparent: bool) -> Image.Image:
    picture = Image.fromarray(quarters()).quantize(4)
    if transparent:
        picture.info["transparency"] = picture.getpixel((0, 0))
    return picture


def palette_pixels(transparent: bool) -> np.ndarray:
    expected = quarters()
    if transparent:
        expected[:12, :20] = 255
    return expected


def animation() -> tuple[Image.Image, dict]:
    frames = [Image.fromarray(pixels).quantize(4) for pixels in (quarters(), 255 - quarters())]
    return frames[0], {"save_all": True, "append_images": frames[1:], "duration": 40}


def keyed() -> Image.Image:
    picture = Image.fromarray(quarters())
    picture.info["transparency"] = RED
    return picture


def grey_with_alpha() -> Image.Image:
    alpha = Image.fromarray(np.tile(np.where(np.arange(40) < 20, 0, 255).astype(np.uint8), (24, 1)))
    return Image.merge("LA", [Image.fromarray(GREY), alpha])


GREY_OVER_WHITE = np.where(np.arange(40)[None, :, None] < 20, 255, GREY_RGB)
ONE_BIT = GREY > 99

# What a file holds -> (picture, kind of file, how it is saved, what a viewer shows, levels of 255 it may be off).
FILES = {
    "rgb": (lambda: Image.fromarray(quarters()), "PNG", {}, quarters(), 0),
    "rgba": (lambda: Image.fromarray(with_alpha()), "PNG", {}, over_white(), 1),
    "rgba webp": (lambda: Image.fromarray(with_alpha()), "WEBP", {"lossless": True}, over_white(), 1),
    "rgb with a transparent colour": (keyed, "PNG", {"transparency": RED}, palette_pixels(True), 0),
    "grey and alpha": (grey_with_alpha, "PNG", {}, GREY_OVER_WHITE, 0),
    "palette": (lambda: palette(False), "PNG", {}, quarters(), 0),
    "palette with a transparent colour": (lambda: palette(True), "PNG", {}, palette_pixels(True), 0),
    "gif with a transparent colour": (lambda: palette(True), "GIF", {}, palette_pixels(True), 0),
    "grey": (lambda: Image.fromarray(GREY), "PNG", {}, GREY_RGB, 0),
    "grey jpeg": (lambda: Image.fromarray(GREY), "JPEG", {"quality": 95}, GREY_RGB, 4),
    "one bit": (lambda: Image.fromarray(ONE_BIT), "PNG", {}, np.repeat(ONE_BIT[..., None] * 255, 3, 2), 0),
    "jpeg": (lambda: Image.fromarray(quarters()), "JPEG", {"quality": 95, "subsampling": 0}, quarters(), 8),
    "webp": (lambda: Image.fromarray(quarters()), "WEBP", {"lossless": True}, quarters(), 0),
    "tiff": (lambda: Image.fromarray(quarters()), "TIFF", {}, quarters(), 0),
    "cmyk tiff": (lambda: Image.fromarray(quarters()).convert("CMYK"), "TIFF", {}, quarters(), 2),
    "cmyk jpeg": (
        lambda: Image.fromarray(quarters()).convert("CMYK"),
        "JPEG",
        {"quality": 95, "subsampling": 0},
        quarters(),
        8,
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_picture_is_seen_as_a_viewer_shows_it(tmp_path, name):
    make, kind, options, expected, tolerance = FILES[name]
    make().save(tmp_path / "file", kind, **options)
    np.testing.assert_allclose(shown(tmp_path / "file"), expected, atol=tolerance + 0.01)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_is_read(tmp_path):
    Image.fromarray(quarters()).save(tmp_path / "file.avif", quality=95, subsampling="4:4:4")
    assert np.abs(shown(tmp_path / "file.avif") - quarters()).mean() < 3


def test_an_animation_is_its_first_frame(tmp_path):
    first, options = animation()
    first.save(tmp_path / "file.gif", **options)
    with Image.open(tmp_path / "file.gif") as file:
        assert file.n_frames == 2
    np.testing.assert_allclose(shown(tmp_path / "file.gif"), quarters(), atol=0.01)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.linspace(0, 65535, 960).astype(np.uint16), "PNG"),
        (np.linspace(0, 65535, 960).astype(np.uint16), "TIFF"),
        (np.linspace(0, 65535, 960).astype(np.int32), "TIFF"),
        (np.linspace(20_000, 30_000, 960).astype(np.uint16), "PNG"),
        (np.linspace(0, 1, 960).astype(np.float32), "TIFF"),
        (np.linspace(0.25, 0.75, 960).astype(np.float32), "TIFF"),
    ],
    ids=["16 bits png", "16 bits tiff", "32 bits", "16 bits without contrast", "float", "float without contrast"],
)
def test_grey_of_many_bits_keeps_its_tones(tmp_path, values, kind):
    Image.fromarray(values.reshape(24, 40)).save(tmp_path / "file", kind)
    full = 1 if values.dtype == np.float32 else 65535
    expected = np.repeat((values / full * 255).reshape(24, 40, 1), 3, 2)
    np.testing.assert_allclose(shown(tmp_path / "file"), expected, atol=0.51)


def test_grey_of_full_32_bits_spans_black_to_white(tmp_path):
    values = np.linspace(0, 2**31 - 1, 960).astype(np.int32).reshape(24, 40)
    Image.fromarray(values).save(tmp_path / "file.tif")
    expected = np.repeat((values / (2**31 - 1) * 255)[..., None], 3, 2)
    np.testing.assert_allclose(shown(tmp_path / "file.tif"), expected, atol=0.51)


def test_a_float_picture_with_holes_is_read_or_refused(tmp_path):
    values = np.linspace(0, 1, 960).astype(np.float32).reshape(24, 40)
    values[3, 4], values[5, 6] = np.nan, np.inf
    Image.fromarray(values).save(tmp_path / "file.tif")
    try:
        seen = shown(tmp_path / "file.tif")
    except ImageError:
        return
    assert seen[12:].std() > 10  # two bad points do not wipe out the others


# The camera's turn -> the upright picture as it lies in the file. Source: EXIF 2.3, tag 0x0112.
TURNS = {
    1: lambda upright: upright,  # row 0 is the top, column 0 the left-hand side
    2: lambda upright: upright[:, ::-1],  # top, right
    3: lambda upright: upright[::-1, ::-1],  # bottom, right
    4: lambda upright: upright[::-1],  # bottom, left
    5: lambda upright: upright.transpose(1, 0, 2),  # left, top
    6: lambda upright: upright.transpose(1, 0, 2)[::-1],  # right, top
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),  # right, bottom
    8: lambda upright: upright.transpose(1, 0, 2)[:, ::-1],  # left, bottom
}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", TURNS)
def test_a_picture_stands_upright_however_the_camera_was_held(tmp_path, orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(TURNS[orientation](quarters())))
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    stored.save(tmp_path / "file", kind, exif=exif, **options)
    np.testing.assert_allclose(shown(tmp_path / "file"), quarters(), atol=8.01)


def swapped_profile() -> bytes:
    """sRGB's own profile with red and green changed over: what is called red there, is green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_colours_are_meant_as_the_embedded_profile_says(tmp_path, kind):
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    Image.fromarray(quarters()).save(tmp_path / "file", kind, icc_profile=swapped_profile(), **options)
    seen, expected = shown(tmp_path / "file"), quarters()[..., [1, 0, 2]]
    assert np.abs(seen - expected).mean() < 6
    assert np.abs(seen - quarters()).mean() > 60


def test_an_srgb_profile_changes_nothing(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(quarters()).save(tmp_path / "file.png", icc_profile=profile)
    np.testing.assert_allclose(shown(tmp_path / "file.png"), quarters(), atol=2)


@pytest.mark.parametrize(
    ("picture", "profile", "expected"),
    [(GREY, swapped_profile(), GREY_RGB), (quarters(), b"no profile at all", quarters())],
    ids=["of another kind", "damaged"],
)
def test_a_profile_that_says_nothing_is_left_out(tmp_path, picture, profile, expected):
    Image.fromarray(picture).save(tmp_path / "file.png", icc_profile=profile)
    np.testing.assert_allclose(shown(tmp_path / "file.png"), expected, atol=0.01)


@pytest.mark.parametrize("name", ["rgba", "rgba webp", "palette", "palette with a transparent colour"])
def test_a_profile_holds_for_pictures_with_transparency_or_a_palette(tmp_path, name):
    make, kind, options, expected, _ = FILES[name]
    make().save(tmp_path / "file", kind, icc_profile=swapped_profile(), **options)
    assert np.abs(shown(tmp_path / "file") - expected[..., [1, 0, 2]]).mean() < 6


def test_transparency_and_turn_work_together(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.ascontiguousarray(TURNS[6](with_alpha()))).save(tmp_path / "file.png", exif=exif)
    np.testing.assert_allclose(shown(tmp_path / "file.png"), over_white(), atol=1.01)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_large_picture_is_read_at_the_largest_side(tmp_path, kind):
    Image.fromarray(quarters(600, 2 * READ_SIDE + 400)).save(tmp_path / "file", kind)
    image = load(tmp_path / "file")
    assert max(size_of(image)) == READ_SIDE
    assert abs(size_of(image)[0] - 600 * READ_SIDE / (2 * READ_SIDE + 400)) <= 1
    for corner, colour in zip([(0, 0), (0, -1), (-1, 0), (-1, -1)], (RED, GREEN, BLUE, YELLOW), strict=True):
        np.testing.assert_allclose(image[0, :, corner[0], corner[1]] * 255, colour, atol=8)


def test_many_bits_are_converted_in_strips_as_in_one_piece(tmp_path, monkeypatch):
    values = np.linspace(0.25, 3.5, 960).astype(np.float32).reshape(24, 40)
    Image.fromarray(values).save(tmp_path / "file.tif")
    Image.fromarray(with_alpha()).save(tmp_path / "file.png", icc_profile=swapped_profile())
    whole = [shown(tmp_path / "file.tif"), shown(tmp_path / "file.png")]
    monkeypatch.setattr(srgb, "STRIP_PIXELS", 100)  # two rows and a half
    for once, strips in zip(whole, (shown(tmp_path / "file.tif"), shown(tmp_path / "file.png")), strict=True):
        np.testing.assert_array_equal(strips, once)
    np.testing.assert_allclose(whole[0][..., 0], values / 3.5 * 255, atol=0.51)  # its own extremes, not each strip's


# What is looked at alone


def test_a_large_photograph_is_looked_at_without_decoding_it(monkeypatch):
    data = encoded(np.zeros((4000, 6000, 3), np.uint8), "JPEG")
    for owner in (Image.Image, ImageFile.ImageFile):
        monkeypatch.setattr(owner, "load", lambda _: pytest.fail("decoded"))
    assert images.check(io.BytesIO(data)) is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"this is no picture\n" * 50, "use a JPEG, PNG or WebP"),
        (encoded(quarters(1, 1), "PNG"), "1×1 pixels, too small"),
        (png_header(15_000, 10_000), "100,000,000 pixels"),
        (png_header(6000, 6000)[:20], "use a JPEG, PNG or WebP"),
    ],
)
def test_looking_refuses_what_loading_would(data, words):
    for read in (images.check, load):
        with pytest.raises(ImageError, match=words):
            read(io.BytesIO(data))


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_what_the_largest_result_says_of_itself_can_be_read_though_it_is_not_decoded(tmp_path, ending):
    def resized(side: int) -> None:
        for axis in range(2):
            if ending == "png":
                data[16 + 4 * axis : 20 + 4 * axis] = struct.pack(">I", side)
                data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
            else:
                place = data.index(struct.pack("<HHI", 256 + axis, 4, 1))
                data[place + 8 : place + 12] = struct.pack("<I", side)
        path.write_bytes(data)

    path = tmp_path / f"a.{ending}"
    {"png": images.save_png, "tif": images.save_tiff}[ending](torch.rand(1, 3, 20, 30), path, {"key": "told"})
    data = bytearray(path.read_bytes())
    for side in (10_001, images.MAX_SIDE):
        resized(side)
        assert images.read_text(path) == {"key": "told"}
        if ending == "tif":  # which says that this program wrote it
            images.check(path, max_side=64)
        else:
            with pytest.raises(ImageError, match="more than 100,000,000 pixels"):
                images.check(path)
    resized(images.MAX_SIDE + 1)
    with pytest.raises(ImageError, match="more than 268,435,456 pixels"):
        images.read_text(path)


def test_looking_counts_the_side_that_is_asked_for():
    ribbon = encoded(np.zeros((40, 1000), np.uint8), "PNG")
    images.check(io.BytesIO(ribbon))
    with pytest.raises(ImageError, match="a side over 200 is scaled down"):
        images.check(io.BytesIO(ribbon), max_side=200)


# In and out


def test_a_saved_picture_comes_back(tmp_path):
    image = torch.rand(1, 3, 31, 47, generator=torch.Generator().manual_seed(0))
    save_png(image, tmp_path / "out.png")
    torch.testing.assert_close(load(tmp_path / "out.png"), image, atol=0.5 / 255 + 1e-6, rtol=0)
    torch.testing.assert_close(images.from_pil(images.to_pil(image)), image, atol=0.5 / 255 + 1e-6, rtol=0)


def test_values_outside_of_the_pixel_range_are_clipped(tmp_path):
    image = torch.tensor([-0.5, 0.0, 1.0, 1.5]).view(1, 1, 1, 4).repeat(1, 3, 16, 4)
    save_png(image, tmp_path / "out.png")
    torch.testing.assert_close(load(tmp_path / "out.png"), image.clamp(0, 1))


@pytest.mark.parametrize("name", DEVICES)
def test_a_picture_on_any_device_becomes_bytes_without_its_gradient(name):
    image = torch.full((1, 3, 4, 5), 0.5, device=name, requires_grad=True)
    assert images.to_bytes(image).shape == (4, 5, 3)
    assert (images.to_bytes(image) == 128).all()


def test_text_comes_back_letter_for_letter(tmp_path):
    text = {"Software": "Neural Style Lab", "note": "α = 1, β = 8·10⁴ – „Größe“ 画\n" * 300, "empty": ""}
    save_png(torch.zeros(1, 3, 16, 16), tmp_path / "out.png", text)
    assert images.read_text(tmp_path / "out.png") == text


def test_a_picture_of_another_kind_has_no_text(tmp_path):
    Image.fromarray(quarters()).save(tmp_path / "file.jpg", comment="hello")
    assert images.read_text(tmp_path / "file.jpg") == {}


@pytest.mark.parametrize(
    "data", [b"no picture", encoded(quarters(), "PNG")[:60], png_header(20_000, 20_000)], ids=["text", "half", "huge"]
)
def test_text_of_a_useless_file_is_refused_by_name(tmp_path, data):
    (tmp_path / "bad.png").write_bytes(data)
    with pytest.raises(ImageError, match=r"bad\.png"):
        images.read_text(tmp_path / "bad.png")


def test_text_of_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(ImageError, match=r"gone\.png does not exist"):
        images.read_text(tmp_path / "gone.png")


def test_a_jpeg_is_as_large_as_allowed_and_looks_the_same():
    image = images.from_pil(Image.fromarray(quarters(60, 100)))
    for max_side, size in ((READ_SIDE, (60, 100)), (100, (60, 100)), (50, (30, 50))):
        for picture, expected in ((image, size), (image.transpose(2, 3), size[::-1])):
            seen = load(io.BytesIO(encode_jpeg(picture, max_side=max_side)))
            assert size_of(seen) == expected
            assert (seen - resize(picture, expected)).abs().mean() < 0.04
    assert encode_jpeg(image)[:3] == b"\xff\xd8\xff"
    assert len(encode_jpeg(image, quality=30)) < len(encode_jpeg(image, quality=95))


# Size


def circle(height: int, width: int, centre: tuple[float, float], radius: float) -> torch.Tensor:
    """A white disc on black, its edge one pixel soft."""
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    distance = ((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2).sqrt()
    return (radius - distance + 0.5).clamp(0, 1).expand(1, 3, height, width)


def extent(image: torch.Tensor) -> tuple[float, float]:
    """(height, width) of the light through its centre, counted with its soft edge."""
    plane = image[0, 0]
    return plane.sum(0).max().item(), plane.sum(1).max().item()


# What "size" is of, by the rule's own words, of a picture (height, width).
MEASURES = {
    "longest side": max,
    "shortest side": min,
    "area": lambda height, width: (height * width) ** 0.5,
    "height": lambda height, width: height,
    "exact": lambda height, width: height if height == width else 0,
}


@pytest.mark.parametrize("shape", [(48, 64), (64, 48), (50, 50), (40, 130), (131, 47)])
@pytest.mark.parametrize("rule", SIZE_RULES)
def test_size_measures_what_its_rule_says(rule, shape):
    for size in (32, 61, 100):
        image = torch.rand(1, 3, *shape)
        try:
            height, width = size_of(fit(image, size, rule))
        except ConfigError:
            assert rule in ("longest side", "height") and size * min(shape) / max(shape) < MIN_SIDE
            continue
        tolerance = 0.75 if rule == "area" else 0
        assert abs(MEASURES[rule](height, width) - size) <= tolerance
        if rule != "exact":  # the sides' ratio is kept to half a pixel
            scale = ((height * width) / (shape[0] * shape[1])) ** 0.5
            assert abs(height - shape[0] * scale) <= 1 and abs(width - shape[1] * scale) <= 1


def test_the_default_rule_is_the_longest_side():
    image = torch.rand(1, 3, 48, 64)
    assert torch.equal(fit(image, 40), fit(image, 40, "longest side"))


@pytest.mark.parametrize("shape", [(96, 144), (144, 96)])
@pytest.mark.parametrize("rule", SIZE_RULES)
def test_a_circle_stays_a_circle(rule, shape):
    height, width = extent(fit(circle(*shape, (shape[0] / 2, shape[1] / 2), 30), 64, rule))
    assert abs(height - width) < 0.8


def test_exact_cuts_a_square_out_of_the_middle():
    ramp = torch.linspace(0, 1, 120).expand(1, 3, 60, 120)
    cut = fit(ramp, 30, "exact")
    assert cut.shape == (1, 3, 30, 30)
    step = 2 / 119  # half the size: two pixels of the ramp each
    torch.testing.assert_close(cut[0, 0, 15].diff(), torch.full((29,), step), atol=2e-3, rtol=0)
    torch.testing.assert_close(cut.mean(), torch.tensor(0.5), atol=2e-3, rtol=0)


@pytest.mark.parametrize(
    ("shape", "size", "rule", "words"),
    [
        ((20, 400), 64, "longest side", ["64", "400×20", "64×3", f"at least {MIN_SIDE}", "larger size"]),
        ((400, 20), 64, "longest side", ["20×400", "3×64", "larger size"]),
        ((20, 2000), 3000, "shortest side", ["3000", "2000×20", "300000×3000", "smaller size"]),
    ],
)
def test_a_size_that_makes_a_picture_useless_is_refused_with_both_sizes(shape, size, rule, words):
    with pytest.raises(ConfigError) as raised:
        fit(torch.rand(1, 3, *shape), size, rule)
    assert all(word in str(raised.value) for word in words), raised.value


def test_resizing_to_the_same_size_changes_nothing():
    image = torch.rand(1, 3, 21, 34)
    assert torch.equal(resize(image, (21, 34)), image)
    assert torch.equal(cover(image, (21, 34)), image)
    assert torch.equal(fit(image, 34), image)


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("size", [(16, 16), (21, 60), (90, 40), (130, 200)])
def test_a_plain_colour_stays_that_colour(name, size):
    colour = torch.tensor([0.2, 0.5, 0.8], device=name).view(1, 3, 1, 1)
    image = colour.expand(1, 3, 40, 60)
    for resized in (resize(image, size), cover(image, size)):
        assert resized.shape == (1, 3, *size)
        assert resized.device == image.device and resized.dtype == torch.float32
        torch.testing.assert_close(resized, colour.expand(1, 3, *size), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(20, 30), (80, 120), (33, 77)])
def test_resizing_keeps_the_mean_and_the_pixel_range(size):
    image = 0.5 + 0.4 * torch.sin(torch.arange(40 * 60 * 3).view(1, 3, 40, 60) / 7.0)
    resized = resize(image, size)
    torch.testing.assert_close(resized.mean((2, 3)), image.mean((2, 3)), atol=0.01, rtol=0)
    hard = resize((torch.rand(1, 3, 40, 60, generator=torch.Generator().manual_seed(0)) > 0.5).float(), size)
    assert hard.min() >= 0 and hard.max() <= 1


def test_making_smaller_does_not_alias():
    stripes = (torch.arange(128) % 2).float().expand(1, 3, 128, 128)
    inner = resize(stripes, (48, 48))[..., 4:-4, 4:-4]
    assert (inner - 0.5).abs().max() < 0.05


@pytest.mark.parametrize("shape", [(40, 60), (60, 40), (37, 37)])
@pytest.mark.parametrize("size", [(30, 30), (20, 64), (64, 20), (100, 50)])
def test_covering_fills_the_size_from_the_centre(shape, size):
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, shape[0]), torch.linspace(-1, 1, shape[1]), indexing="ij")
    image = (0.5 + torch.stack([rows, columns, 0 * rows]) / 4)[None]  # grey level says how far from the centre
    covered = cover(image, size)
    assert covered.shape == (1, 3, *size) and covered.is_contiguous()
    torch.testing.assert_close(covered.mean((2, 3)), torch.full((1, 3), 0.5), atol=0.02, rtol=0)
    slopes = covered[0, 0].diff(dim=0).mean() * (shape[0] - 1), covered[0, 1].diff(dim=1).mean() * (shape[1] - 1)
    torch.testing.assert_close(slopes[0], slopes[1], rtol=0.05, atol=0)  # one scale for both directions
    whole = max(range(2), key=lambda axis: size[axis] / shape[axis])  # the tighter side is not cut
    reach = covered[0, whole].max() - covered[0, whole].min()
    assert reach > 0.45


# Tiles


@pytest.mark.parametrize("size", [(61, 77), (23, 31), (40, 90), (16, 16)])
def test_a_tile_is_resized_as_the_middle_one_of_nine(size):
    tile, (height, width) = torch.rand(1, 3, 40, 52, generator=torch.Generator().manual_seed(0)), size
    among = resize(tile.tile(3, 3), (3 * height, 3 * width))[..., height : 2 * height, width : 2 * width]
    torch.testing.assert_close(resize(tile, size, wrap=True), among, atol=1e-5, rtol=0)


def test_no_argument_is_modified(tmp_path):
    image = torch.rand(1, 3, 40, 60) * 1.4 - 0.2
    before, text = image.clone(), {"key": "value"}
    save_png(image, tmp_path / "out.png", text)
    encode_jpeg(image, max_side=20)
    for rule in SIZE_RULES:
        fit(image, 32, rule)
    cover(image, (20, 20))
    resize(image, (20, 20))
    assert torch.equal(image, before) and text == {"key": "value"}
