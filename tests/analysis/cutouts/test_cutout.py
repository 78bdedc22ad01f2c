import io

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from nst_core import images
from nst_core.analysis.cutouts.cutout import VISIBLE, check_cutout, cutout_of, load_cutout, resized, trimmed
from nst_core.errors import ImageError


def disc(height=40, width=60, top=10, left=20, side=16) -> np.ndarray:
    """(H, W, 4) of 0..255: a red square of which the left half is half transparent, in transparent green."""
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[..., 1] = 255
    pixels[top : top + side, left : left + side] = (255, 0, 0, 255)
    pixels[top : top + side, left : left + side // 2, 3] = 128
    return pixels


def file_of(pixels: np.ndarray, kind: str = "PNG", **options) -> io.BytesIO:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True, "exact": True})])
def test_a_file_with_transparency_is_a_cutout_without_the_space_around_it(kind, options):
    cutout = load_cutout(file_of(disc(), kind, **options))
    assert cutout.shape == (1, 4, 16, 16) and cutout.dtype == torch.float32
    assert (cutout[:, 0] == 1).all() and (cutout[:, 1:3] == 0).all()
    assert torch.equal(cutout[0, 3, 0], torch.tensor([128 / 255] * 8 + [1.0] * 8))


def test_a_palette_with_one_transparent_colour_makes_a_cutout():
    picture = Image.new("P", (32, 32), 0)
    picture.putpalette([0, 0, 0, 0, 0, 255])
    picture.paste(1, (4, 8, 20, 28))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", transparency=0)
    cutout = load_cutout(buffer)
    assert cutout.shape == (1, 4, 20, 16)
    assert torch.equal(cutout[0, :, 0, 0], torch.tensor([0.0, 0.0, 1.0, 1.0]))


def test_a_cutout_stands_upright():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned clockwise by a quarter
    cutout = load_cutout(file_of(disc(side=20), exif=exif))
    assert (cutout[0, 3, :10] < 0.6).all() and (cutout[0, 3, 10:] == 1).all()


def test_a_file_without_transparency_is_refused_by_name_with_both_remedies(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(disc()[..., :3]).save(path)
    with pytest.raises(ImageError, match="photo.png has no transparent parts; paint over .* or use a PNG"):
        load_cutout(path)
    with pytest.raises(ImageError, match="the file has no transparent parts"):
        load_cutout(file_of(np.full((20, 20, 4), 255, np.uint8)))


def test_what_is_all_transparent_or_no_picture_is_refused():
    with pytest.raises(ImageError, match="cut-out is empty; paint over"):
        load_cutout(file_of(np.zeros((20, 20, 4), np.uint8)))
    with pytest.raises(ImageError, match="cannot be read as a picture"):
        load_cutout(io.BytesIO(b"nothing"))
    with pytest.raises(ImageError, match="nowhere.png does not exist"):
        load_cutout("nowhere.png")


def test_what_is_painted_over_is_cut_out_of_a_picture_of_another_size():
    image = torch.rand(1, 3, 40, 60, generator=torch.Generator().manual_seed(1))
    mask = torch.zeros(1, 1, 80, 120)
    mask[..., 20:60, 40:90] = 1  # half its rows and columns: 10:30 and 20:45
    cutout = cutout_of(image, mask)
    assert cutout.shape == (1, 4, 22, 27)  # a mask that is made smaller has a soft edge, a pixel wide
    assert torch.equal(cutout[:, :3], image[..., 9:31, 19:46])
    assert (cutout[:, 3, 1:-1, 1:-1] > 0.7).all() and (cutout[:, 3, 2:-2, 2:-2] == 1).all()


def test_an_unpainted_mask_is_refused():
    with pytest.raises(ImageError, match="cut-out is empty"):
        cutout_of(torch.rand(1, 3, 20, 20), torch.zeros(1, 1, 20, 20))


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (2, 4, 8, 8), (4, 8, 8)])
def test_what_is_no_cutout_is_refused_by_its_shape(shape):
    with pytest.raises(ImageError, match="red, green, blue and transparency") as raised:
        check_cutout(torch.ones(shape))
    assert str(shape) in str(raised.value)


def test_no_cutout_is_refused_with_a_remedy():
    with pytest.raises(ImageError, match="there is no cut-out; drop a PNG"):
        check_cutout(None)
    with pytest.raises(ImageError, match="empty"):
        check_cutout(torch.full((1, 4, 8, 8), torch.nan))


def test_trimming_twice_is_trimming_once_and_dust_counts_as_nothing():
    cutout = torch.full((1, 4, 20, 30), VISIBLE / 2)
    cutout[..., 5:9, 7:20] = 1
    once = trimmed(cutout)
    assert once.shape == (1, 4, 4, 13)
    assert torch.equal(trimmed(once), once)
    once[:] = 0
    assert (cutout[..., 5:9, 7:20] == 1).all()


@pytest.mark.parametrize("size", [(40, 60), (20, 30), (7, 90), (80, 120)])
def test_a_resized_cutout_keeps_its_colour_up_to_the_edge(size):
    """The transparent green around it never shows, nor do edges become brighter than the cut-out."""
    cutout = torch.from_numpy(disc()).permute(2, 0, 1)[None] / 255
    cutout[:, 0] *= 0.8
    scaled = resized(cutout, size)
    seen = scaled[0, :, scaled[0, 3] > 1e-3]  # (4, pixels)
    assert images.size_of(scaled) == size and scaled.min() >= 0 and scaled.max() <= 1
    torch.testing.assert_close(seen[:3], torch.tensor([0.8, 0.0, 0.0])[:, None].expand_as(seen[:3]), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled[:, 3].mean(), cutout[:, 3].mean(), rtol=0.1, atol=0)
