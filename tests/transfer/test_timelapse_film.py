import av
import numpy as np
import pytest
from PIL import Image

from nst_core.errors import OutputError
from nst_core.transfer.timelapse_film import write_film

RED, GREEN, BLUE = (200, 30, 40), (20, 180, 60), (30, 40, 210)


@pytest.mark.parametrize("size", [(64, 48), (33, 21)])
def test_every_picture_is_shown_for_its_time_in_its_colours_and_the_last_to_its_end(tmp_path, size):
    pictures, durations = [Image.new("RGB", size, color) for color in (RED, GREEN, BLUE)], [300, 40, 1500]
    write_film(pictures, durations, tmp_path / "film")  # whatever it is called
    with av.open(str(tmp_path / "film")) as film:
        stream = film.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")  # which phones play
        frames = list(film.decode(stream))
        length = float(film.duration / av.time_base)
    width, height = (side // 2 * 2 for side in size)
    assert {(frame.width, frame.height) for frame in frames} == {(width, height)}
    assert [round(1000 * frame.time) for frame in frames] == [0, 300, 340, 1840]
    assert length == pytest.approx(1.84, abs=0.01)
    for frame, color in zip(frames, (RED, GREEN, BLUE, BLUE), strict=True):
        shown = frame.to_ndarray(format="rgb24", src_colorspace="ITU709")
        assert np.abs(shown.reshape(-1, 3).mean(0) - color).max() < 6


def test_one_picture_is_a_film_too(tmp_path):
    write_film([Image.new("RGB", (32, 24), RED)], [1500], tmp_path / "film.mp4")
    with av.open(str(tmp_path / "film.mp4")) as film:
        assert float(film.duration / av.time_base) == pytest.approx(1.5, abs=0.01)


def test_a_film_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(OutputError, match="folder does not exist"):
        write_film([Image.new("RGB", (32, 24))], [1500], tmp_path / "nowhere" / "film.mp4")
