"""A sheet of variations as a file: it remembers how each of its cells was made."""

import pytest
import torch
from PIL import Image

from nst_core import images
from nst_core.errors import ImageError
from nst_core.transfer import sheet as module
from nst_core.transfer.record import read_record, save_result
from nst_core.transfer.sheet import read_sheet, save_sheet
from nst_core.transfer.variations import cells, paint_sheet
from tests.stand_ins import narrowed
from tests.transfer.test_variations import BETAS, CPU, SEEDS, small


@pytest.fixture(scope="module")
def painted(narrow_weights_folder):
    """The results of BETAS × SEEDS from noise."""
    generator = torch.Generator().manual_seed(2)
    pair = torch.rand(1, 3, 48, 64, generator=generator), torch.rand(1, 3, 40, 40, generator=generator)
    with pytest.MonkeyPatch.context() as patch, narrowed():
        patch.setenv("NST_WEIGHTS", str(narrow_weights_folder))
        return list(paint_sheet(*pair, cells(small(start="noise"), BETAS, SEEDS), CPU))[-1].results


def test_a_saved_sheet_remembers_how_each_cell_was_made(painted, tmp_path):
    path, sheet = tmp_path / "sheet.png", images.to_pil(painted[0].image)
    save_sheet(sheet, painted, path)
    assert read_sheet(path) == [result.record for result in painted]
    with Image.open(path) as back:
        assert back.tobytes() == sheet.tobytes()
    with pytest.raises(ImageError, match="carries no record"):
        read_record(path)  # a sheet is no single run


def test_a_picture_without_a_sheets_records_is_refused(painted, tmp_path):
    save_result(painted[0].image, painted[0].record, tmp_path / "one.png")
    with pytest.raises(ImageError, match="one.png carries no records"):
        read_sheet(tmp_path / "one.png")
    for text in ("[", "3", "[3]", '["x"]', "[{}]", "[" * 100_000):
        images.save_png(painted[0].image, tmp_path / "bad.png", {module.SHEET_KEY: text})
        with pytest.raises(ImageError, match="damaged"):
            read_sheet(tmp_path / "bad.png")
