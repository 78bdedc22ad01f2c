"""How a picture is to be turned; that it is turned so is tested with reading, in test_images.py."""

import pytest
from PIL import Image

from nst_core.pictures.orientation import ORIENTATIONS, orientation_of


def test_what_turns_a_picture_undoes_how_it_was_stored():
    upright = Image.effect_noise((5, 3), 60)
    undone = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
    for orientation, turn in ORIENTATIONS.items():
        stored = upright.transpose(ORIENTATIONS[undone[orientation]])
        assert stored.transpose(turn).tobytes() == upright.tobytes()


@pytest.mark.parametrize("exif", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0no TIFF at all"])
@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_says_nothing(exif):
    picture = Image.new("L", (2, 2))
    picture.info["exif"] = exif
    assert orientation_of(picture) is None
