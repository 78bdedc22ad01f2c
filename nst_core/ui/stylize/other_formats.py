"""Writes the chosen result in other formats than the PNG that it is kept in, with the same record."""

from pathlib import Path

import gradio as gr
from torch import Tensor

from nst_core import images
from nst_core.engine.devices import DEVICES
from nst_core.errors import NSTError
from nst_core.transfer.record import RunRecord, save_result
from nst_core.transfer.run import Run
from nst_core.ui.page.downloads import new_file
from nst_core.ui.page.events import Update
from nst_core.ui.page.toasts import warn
from nst_core.ui.studio.results import Result
from nst_core.ui.studio.session import Session
from nst_core.ui.stylize.keeper import fetch_run

NO_FRAME = "nothing is painted yet; press Paint first"
PRINT_DPI = 300.0


def chosen(session: Session) -> tuple[Result, str]:
    """Give the result that the buttons act on, and its file."""
    result = session.results.require_chosen()
    return result, str(result.require())


def moment(run: Run) -> tuple[Tensor, RunRecord]:
    """Give picture and record of the same step; on the thread that paints, so between two steps.

    Raises:
        NSTError: no step was made.
    """
    if run.last_frame is None:
        raise NSTError(NO_FRAME)
    return run.result, run.record()


def as_jpeg(session: Session) -> Update:
    """Write the chosen result as a JPEG, which the page then downloads."""
    try:
        result, path = chosen(session)
        jpeg = new_file(Path(path).with_suffix(".jpg").name)
        save_result(images.load(path, max_side=images.MAX_SIDE), result.record, jpeg)
    except NSTError as error:
        warn(error, "No JPEG")
        return gr.skip()
    return gr.DownloadButton(value=jpeg)


def as_tiff(session: Session) -> Update:
    """Write the chosen result as a TIFF of 16 bits a colour, for print, which the page then downloads.

    Of the last painting alone, whose pixels are there as they were painted: a PNG has rounded them to 8 bits.
    """
    try:
        result, path = chosen(session)
        run = fetch_run(session)
        image, record = DEVICES.submit(moment, run).result() if run else (None, None)
        if image is None or record != result.record:
            raise NSTError(
                f"result {result.number} is kept with 8 bits a colour, as PNG; a TIFF has 16, which only the newest "
                "painting has: put its pictures back, paint it again, and press TIFF then"
            )
        tiff = new_file(Path(path).with_suffix(".tif").name)
        save_result(image, record, tiff, dpi=PRINT_DPI)
    except NSTError as error:
        warn(error, "No TIFF")
        return gr.skip()
    return gr.DownloadButton(value=tiff)
