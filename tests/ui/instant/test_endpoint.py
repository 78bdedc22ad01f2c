"""The endpoint /instant: a picture in, a PNG out, and words for what it cannot paint."""

import gradio as gr
import pytest
import torch

from nst_core import images
from nst_core.instant.painted_picture import TEXT_KEY
from nst_core.ui.instant.endpoint import instant_endpoint
from tests.instant.test_painter import network_of
from tests.ui.studio.test_instant_session import bundle


@pytest.fixture(autouse=True)
def painter(monkeypatch):
    return bundle(monkeypatch, network_of("waves", "stars"))


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    images.save_png(torch.rand(1, 3, 40, 60, generator=torch.Generator().manual_seed(1)), path)
    return path


def test_it_paints_as_the_painter_does(photo, painter):
    painted = images.load(instant_endpoint(photo, "stars", strength=0.7))
    expected = painter.paint(images.load(photo), {"stars": 1.0}, strength=0.7)
    torch.testing.assert_close(painted, expected, rtol=0, atol=0.6 / 255)
    assert images.size_of(images.load(instant_endpoint(photo, "stars", size=30.0))) == (20, 30)


def test_the_pictures_own_colours_can_be_kept(photo):
    content, painted = images.load(photo), images.load(instant_endpoint(photo, "waves", color="content"))
    plain = images.load(instant_endpoint(photo, "waves"))
    apart = [(image.diff(dim=1) - content.diff(dim=1)).abs().mean() for image in (painted, plain)]
    assert apart[0] < 0.5 * apart[1]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"style": "picasso"}, "style is 'picasso'; choose one of waves, stars"),
        ({"color": "match covariance"}, "choose one of style, content"),
        ({"strength": 2.0}, "give a number from 0 to 1"),
        ({"size": 3.5}, "give a whole number"),
    ],
)
def test_what_it_cannot_paint_is_said(photo, wrong, words):
    with pytest.raises(gr.Error, match=words):
        instant_endpoint(photo, **{"style": "waves", **wrong})


def test_a_text_is_no_picture(tmp_path):
    (tmp_path / "photo.jpg").write_text("Dear reader")
    with pytest.raises(gr.Error, match="cannot be read as a picture"):
        instant_endpoint(tmp_path / "photo.jpg", "waves")


@pytest.mark.parametrize("keep", [True, False])
def test_what_is_transparent_stays_so_unless_told_otherwise(tmp_path, keep):
    picture = torch.rand(1, 4, 40, 60, generator=torch.Generator().manual_seed(1))
    images.save_png(picture, tmp_path / "cut-out.png")
    path = instant_endpoint(tmp_path / "cut-out.png", "waves", size=30.0, keep_transparency=keep)
    painted = images.load(path, keep_transparency=True)
    assert painted.shape == (1, 4 if keep else 3, 20, 30)
    if keep:
        torch.testing.assert_close(painted[:, 3:], images.resize(picture[:, 3:], (20, 30)), atol=0.01, rtol=0)


def test_any_picture_is_a_style(photo, tmp_path):
    images.save_png(torch.rand(1, 3, 40, 40), tmp_path / "oil.png")
    painted = instant_endpoint(photo, style_picture=tmp_path / "oil.png", size=30.0)
    assert images.size_of(images.load(painted)) == (20, 30) and "oil" in painted
    assert '"oil": 1.0' in images.read_text(painted)[TEXT_KEY]
    with pytest.raises(gr.Error, match="there are a style, 'waves', and a style picture; give one of the two"):
        instant_endpoint(photo, "waves", style_picture=tmp_path / "oil.png")
