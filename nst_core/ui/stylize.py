"""The Stylize tab: two pictures, a preset, Run, and the papers' knobs."""

from pathlib import Path
from typing import Any

import gradio as gr

from nst_core import images
from nst_core.errors import NSTError
from nst_core.features import weights
from nst_core.features.vgg import BACKBONES
from nst_core.transfer.optimize import STEP_SIZES
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS
from nst_core.ui.controls import picture_inputs, setting_controls
from nst_core.ui.painting import (
    LANE,
    Session,
    View,
    download_status,
    leave_page,
    paint,
    weights_text,
)
from nst_core.ui.pictures import BeforeAfter
from nst_core.ui.preview import preview_area
from nst_core.ui.settings import CONTROLS, controls_of
from nst_core.ui.status import status_html

INSTANT: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

# Through gradio's queue, where toasts and changed states arrive, but in no lane.
QUEUED: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}

# gradio's example buttons hold a picture without words; its file's name becomes theirs.
NAME_EXAMPLES = """() => {
  const name = () => document.querySelectorAll('.gallery-item img').forEach(image => {
    const file = decodeURIComponent(image.src).split('/').pop().split('.')[0].replaceAll('_', ' ');
    image.alt = image.closest('button').ariaLabel = image.closest('button').title = 'Example: ' + file;
  });
  const watch = () => {
    const inputs = document.querySelector('#inputs');
    if (!inputs) return setTimeout(watch, 100);
    name();
    new MutationObserver(name).observe(inputs, {childList: true, subtree: true});
  };
  watch();
}"""


def build() -> None:
    """Lay out the tab and connect it; call inside a Blocks."""
    with gr.Row(equal_height=False, elem_id="studio"):
        with gr.Column(elem_id="inputs", min_width=300):
            content, style = picture_inputs()
            preset = gr.Dropdown(
                [(preset.title, name) for name, preset in PRESETS.items()], value=DEFAULT_PRESET, label="Preset",
                elem_id="preset",
            )  # fmt: skip
            about = gr.Markdown(preset_text(DEFAULT_PRESET), elem_id="preset-about")
            with gr.Row():
                run = gr.Button("Run", variant="primary", elem_id="run", scale=2, min_width=100)
                stop = gr.Button("Stop", variant="stop", elem_id="stop", interactive=False, scale=1, min_width=80)
        with gr.Column(elem_id="stage", min_width=300):
            outputs = _outputs()
        with gr.Column(elem_id="knobs", min_width=300):
            controls, start_image = setting_controls()
            network = gr.Markdown(elem_id="weights")
            fetch = gr.Button("Download VGG-19", visible=False, size="sm", elem_id="fetch")
    session, leave = gr.State(Session()), gr.State(0)
    waiting = run.click(_press_run, session, [outputs.status, run, stop], **INSTANT)
    painting = waiting.then(
        paint,
        [session, content, style, start_image, preset, *(controls[name] for name in CONTROLS)],
        list(outputs),
        show_progress="minimal",
        show_progress_on=outputs.status,
        api_visibility="private",
        **LANE,
    )
    painting.then(_ready, [session, controls["backbone"]], [run, stop, network, fetch], **INSTANT)
    stop.click(_press_stop, session, None, **INSTANT)
    stop.click(_leave_queue, [session, leave], leave, **QUEUED)
    leave.change(_left, None, [outputs.status, run, stop], cancels=[painting], **INSTANT)

    _connect_settings(preset, about, controls, start_image, network, fetch, outputs)
    for picture in (content, style, start_image):
        unusable = gr.State(0)
        picture.upload(check_upload, [picture, unusable], unusable, **QUEUED)
        unusable.change(lambda: None, None, picture, **INSTANT)


def _outputs() -> View:
    preview = preview_area(elem_id="preview")
    result = BeforeAfter(elem_id="result", visible="hidden")
    status = gr.HTML(status_html("Ready."), elem_id="status")
    download = gr.DownloadButton("Download PNG", elem_id="download", visible="hidden")
    losses = gr.HTML(elem_id="losses")
    with gr.Accordion("Record of the run", open=False, visible=False) as record_area:
        record = gr.JSON(show_label=False, elem_id="record")
    return View(preview, status, losses, result, download, record, record_area)


def _connect_settings(
    preset: gr.Dropdown,
    about: gr.Markdown,
    controls: dict[str, Any],
    start_image: Any,
    network: Any,
    fetch: Any,
    outputs: View,
) -> None:
    """Presets fill the controls; controls that belong together move together."""
    preset.input(_fill, preset, [about, *(controls[name] for name in CONTROLS)], **INSTANT).then(
        describe_network, controls["backbone"], [network, fetch], **INSTANT
    )
    controls["optimizer"].input(STEP_SIZES.get, controls["optimizer"], controls["step_size"], **INSTANT)
    controls["start"].change(
        lambda start: gr.Image(visible=start == "image"), controls["start"], start_image, **INSTANT
    )
    controls["backbone"].input(describe_network, controls["backbone"], [network, fetch], **INSTANT)
    fetch.click(
        fetch_network, controls["backbone"], outputs.status, show_progress="hidden", api_visibility="private"
    ).then(describe_network, controls["backbone"], [network, fetch], **INSTANT)
    page = gr.context.Context.root_block
    page.unload(leave_page)
    page.load(None, js=NAME_EXAMPLES, **INSTANT)
    page.load(describe_network, controls["backbone"], [network, fetch], **INSTANT)


def preset_text(name: str) -> str:
    """Where a preset comes from and where it differs, for the page."""
    preset = PRESETS[name]
    return f"{preset.source}. {preset.deviations}".strip()


def _fill(name: str) -> list[Any]:
    values = controls_of(PRESETS[name].config)
    return [preset_text(name), *(values[control] for control in CONTROLS)]


def _press_run(session: Session, request: gr.Request) -> tuple[str, gr.Button, gr.Button]:
    """At once on the click: forget an earlier stop, say that a place in the queue is taken."""
    session.controls.stop.clear()
    Session.open[request.session_hash] = session
    return status_html("Waiting for the device …"), gr.Button(interactive=False), gr.Button(interactive=True)


def _press_stop(session: Session) -> None:
    """End a run after its present step."""
    session.controls.stop.set()


def _leave_queue(session: Session, leave: int) -> int:
    """A new number, at which a run that still waits is cancelled; one that goes on has a result to show first."""
    return leave if session.running else leave + 1


def _left() -> tuple[str, gr.Button, gr.Button]:
    return status_html("Left the queue."), gr.Button(interactive=True), gr.Button(interactive=False)


def _ready(session: Session, backbone: str) -> tuple[Any, ...]:
    """After a run, however it ended."""
    session.running = False
    return gr.Button(interactive=True), gr.Button(interactive=False), *describe_network(backbone)


def describe_network(backbone: str) -> tuple[str, Any]:
    """Which weights the page would use, and the button that fetches them where there are none."""
    size = weights.download_size(backbone) / 1e6
    try:
        missing = weights.find(backbone) is None
    except NSTError:
        missing = True
    return weights_text(backbone), gr.Button(f"Download {BACKBONES[backbone]} ({size:.0f} MB)", visible=missing)


def fetch_network(backbone: str) -> Any:
    """The button's download, shown in the status line."""
    try:
        for progress in weights.download(backbone):
            yield download_status(backbone, progress)
        yield status_html(f"{BACKBONES[backbone]} is here. Ready.")
    except NSTError as error:
        gr.Warning(str(error), title="Download failed", duration=12)
        yield status_html(str(error), kind="problem")


def check_upload(path: Path | None, unusable: int) -> int:
    """Say at once if an upload is no picture; a new number then makes room for another.

    A usable upload changes nothing on the page: gradio 6.31 keeps a timer running at every frame for each picture that
    an event writes to while it is shown, which costs the machine that paints.
    """
    try:
        if path is not None:
            images.load(path)
    except NSTError as error:
        gr.Warning(str(error), title="This picture cannot be used", duration=12)
        return unusable + 1
    return unusable
