"""Who paints in a style that is named: a network that was trained in it, or the picture of that name."""

import pytest
import torch

from nst_core import images
from nst_core.errors import ConfigError, ImageError
from nst_core.instant.any_style import painter_of, pictures_among, thumbnail
from nst_core.instant.catalogue import Catalogue
from nst_core.instant.painter import Painter
from nst_core.instant.styles import StyleFile
from nst_core.universal.painter import UniversalPainter, style_picture
from tests.instant.test_painter import CPU, network_of


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    made = Catalogue()
    made.add(StyleFile(network_of("waves", "stars")), "here")
    return made


@pytest.fixture
def paintings(tmp_path):
    (tmp_path / "b").mkdir()
    made = [tmp_path / "oil.png", tmp_path / "b" / "oil.png"]
    for path in made:
        images.save_png(torch.rand(1, 3, 32, 32), path)
    return made


def test_names_are_trained_styles_and_else_pictures(catalogue, paintings):
    painter, weights = painter_of({"waves": 1.0, "stars": 2.0}, catalogue, CPU)
    assert isinstance(painter, Painter) and weights == {"waves": 1.0, "stars": 2.0}
    painter, weights = painter_of({str(path): share for share, path in enumerate(paintings, 1)}, catalogue, CPU)
    assert isinstance(painter, UniversalPainter) and weights == {"oil": 1, "oil-2": 2}
    assert painter.paint(torch.rand(1, 3, 24, 24), weights).isfinite().all()


def test_what_is_neither_or_cannot_be_blended_is_refused(catalogue, paintings, tmp_path):
    with pytest.raises(ConfigError, match="there is no style 'rain', nor a picture of that name; choose of waves"):
        pictures_among({"rain": 1.0}, catalogue)
    with pytest.raises(ConfigError, match=r"'oil.png' is a picture and 'waves' was trained, which cannot be blended"):
        pictures_among({"waves": 1.0, str(paintings[0]): 1.0}, catalogue)
    (tmp_path / "letter.jpg").write_text("Dear reader")
    with pytest.raises(ImageError, match=r"letter.jpg"):
        painter_of({str(tmp_path / "letter.jpg"): 1.0}, catalogue, CPU)


def test_a_thumbnail_is_a_small_jpeg():
    painter = UniversalPainter({"oil": style_picture(torch.rand(1, 3, 32, 32))}, CPU)
    small = thumbnail(painter, "oil")
    assert small.startswith(b"\xff\xd8\xff") and len(small) < 2**16


def test_a_picture_is_found_however_its_path_is_written(catalogue, paintings, monkeypatch):
    monkeypatch.chdir(paintings[0].parent)
    for typed in ("oil.png", "./oil.png", f"{paintings[0].parent}//oil.png"):
        painter, weights = painter_of({typed: 2.0}, catalogue, CPU)
        assert isinstance(painter, UniversalPainter) and weights == {"oil": 2.0}
