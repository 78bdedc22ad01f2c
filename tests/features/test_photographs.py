"""Training material: what is read, held out, and cut."""

import pytest
import torch

from nst_core import images
from nst_core.errors import ImageError
from nst_core.features import photographs as module
from nst_core.features.photographs import HELD_OUT, LONGEST_SIDE, Photographs, Reading


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """41 pictures, each of one grey that says which it is, in two folders."""
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "deeper").mkdir()
    for number in range(41):
        path = folder / ("deeper" if number % 2 else "") / f"{number:02}.png"
        images.save_png(torch.full((1, 3, 40, 48), number / 255), path)
    (folder / "broken.jpg").write_bytes(b"no picture")
    images.save_png(torch.zeros(1, 3, 20, 90), folder / "flat.png")
    return folder


@pytest.fixture(scope="module")
def photographs(folder):
    return Photographs.read(folder, smallest=32)


def test_what_cannot_be_used_is_skipped_and_named(photographs):
    assert len(photographs.training) + len(photographs.testing) == 41
    assert len(photographs.skipped) == 2
    assert "broken.jpg" in " ".join(photographs.skipped) and "flat.png is smaller than 32" in " ".join(
        photographs.skipped
    )
    assert "41 pictures" in photographs.summary


def test_no_crop_comes_from_a_picture_that_is_held_out(photographs):
    trained = {int(picture.flatten()[0]) for picture in photographs.training}
    held = {int(picture.flatten()[0]) for picture in photographs.testing}
    assert len(held) == -(-41 // HELD_OUT) and not trained & held
    crops = photographs.crops(200, 32, 0.0, seed=0, batch=1)
    assert {round(float(crop.mean()) * 255) for crop in crops} <= trained


def test_the_same_seed_and_batch_cut_the_same_crops_and_others_do_not(photographs):
    first = photographs.crops(8, 32, 0.5, seed=3, batch=7)
    assert first.shape == (8, 3, 32, 32) and first.dtype == torch.float32
    assert torch.equal(first, photographs.crops(8, 32, 0.5, seed=3, batch=7))
    assert not torch.equal(first, photographs.crops(8, 32, 0.5, seed=3, batch=8))
    assert not torch.equal(first, photographs.crops(8, 32, 0.5, seed=4, batch=7))


@pytest.mark.parametrize("noisy", [0.0, 0.25, 1.0])
def test_a_share_of_crops_has_noise(photographs, noisy):
    crops = photographs.crops(400, 32, noisy, seed=0, batch=0)
    assert crops.min() >= 0 and crops.max() <= 1
    share = sum(bool(crop.std() > 1e-3) for crop in crops) / 400
    assert share == pytest.approx(noisy, abs=0.08)


def test_large_pictures_are_kept_small_and_held_out_ones_cut_from_the_middle(tmp_path):
    for number in range(HELD_OUT):
        picture = torch.zeros(1, 3, 30, 800)
        picture[..., 390:410] = 1.0
        images.save_png(picture, tmp_path / f"{number:02}.png")
    photographs = Photographs.read(tmp_path, smallest=16)
    assert {picture.shape[-1] for picture in photographs.training} == {LONGEST_SIDE}
    (middle,) = photographs.held_out(16)
    assert middle.shape == (1, 3, 16, 16) and middle[..., 4:12].min() > 0.9


def greys(photographs) -> set[int]:
    return {int(picture.flatten()[0]) for picture in (*photographs.training, *photographs.testing)}


def test_of_more_than_memory_may_hold_some_are_drawn_always_the_same(folder, photographs, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 25 * 3 * 40 * 48)
    monkeypatch.setattr(module, "TOLD", 10)
    reading = Reading(folder, smallest=32)
    told, drawn = list(reading), reading.photographs
    assert len(greys(drawn)) == 25 and greys(drawn) == greys(Photographs.read(folder, smallest=32))
    assert max(greys(drawn)) - min(greys(drawn)) > 30  # from all over the folder
    assert told[1] == f"read 10 of 43 files of {folder}" and "25 pictures, drawn of 43 files, are used" in " ".join(
        told
    )
    assert "25 pictures" in drawn.summary and "drawn of 43 files" in drawn.summary
    assert "drawn" not in photographs.summary


def test_of_many_files_that_are_skipped_some_are_named(tmp_path):
    for number in range(30):
        images.save_png(torch.zeros(1, 3, 16, 16), tmp_path / f"{number:02}.png")
        (tmp_path / f"{number:02}.txt").write_text("no picture")
    _, told = Reading(tmp_path, smallest=16)
    assert told.count(".txt") == 10 and told.endswith("; and 20 more")


@pytest.mark.parametrize("missing", [True, False])
def test_too_few_pictures_are_refused_with_the_number(tmp_path, missing):
    folder = tmp_path / "none" if missing else tmp_path
    with pytest.raises(ImageError, match="is not a folder" if missing else "has 0 usable pictures; at least 20"):
        Photographs.read(folder, smallest=32)
