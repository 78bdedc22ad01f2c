"""Lays out the Instant tab: styles to click, and pictures, camera and videos painted in one pass."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.helpers import Examples

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.engine.lane import PASS_LANE
from nst_core.errors import ImageError, NSTError
from nst_core.transfer.steering import Steering
from nst_core.ui.instant import at_once
from nst_core.ui.instant.camera_view import live_area
from nst_core.ui.instant.files import build_many, build_video
from nst_core.ui.instant.picture import CHOOSE, POLISH, come_back, paint_picture, polish, put_away
from nst_core.ui.page.downloads import new_file
from nst_core.ui.page.events import INSTANT, QUEUED, Update, page_at_hand
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.status import status_html
from nst_core.ui.page.toasts import warn
from nst_core.ui.serving.audience import AUDIENCE
from nst_core.ui.serving.turns import in_lane
from nst_core.ui.studio.camera import taken
from nst_core.ui.studio.instant_keeping import keep_instant
from nst_core.ui.studio.instant_session import NO_BLEND, InstantSession, Mix, shown_styles, title_of
from nst_core.ui.studio.shared_components import Choices, MixControls, Studio
from nst_core.ui.studio.uploads import Instead, instead_of, is_usable, read_upload
from nst_core.ui.widgets.pictures import BeforeAfter, PictureInput, transparency_switch
from nst_core.ui.widgets.slider import Slider
from nst_core.ui.widgets.thumbnail_strip import Strip

SIZE = 768  # pixels, to begin with
TAKING = "Taking the style of that picture …"

ABOUT = """A single pass, hundreds of times faster than the studio optimises: choose a picture and click styles, which
networks were trained in (*Johnson et al. 2016, Dumoulin et al. 2017*), or drop any painting, whose style is painted at
once, without training (*Li et al. 2017, Lu et al. 2019*)."""


class Stage(NamedTuple):
    """The components by which one picture comes in and comes out."""

    picture: PictureInput
    view: Form  # "status", "result", "after", "download", "jpeg", "polish" and "instead"
    polish: gr.Button
    examples: Examples


def build(tabs: gr.Tabs, studio: Studio) -> Choices:
    """Lay out the tab and connect it; call inside its Tab."""
    session = gr.State(InstantSession())
    gr.Markdown(ABOUT, elem_id="instant-about")
    size, keep = _file_settings()
    with gr.Row(equal_height=False, elem_id="instant"):  # in the order in which a phone shows them
        with gr.Column(elem_id="instant-places"), gr.Tabs(overflow_behavior="wrap"):
            with gr.Tab("Picture", id="picture"):
                stage = _stage()
            with gr.Tab("Camera", id="camera"):
                camera = live_area(elem_id="camera")
            with gr.Tab("Video", id="video"):
                build_video(session)
            with gr.Tab("Many pictures", id="many"):
                build_many(session, size, keep)
        with gr.Column(elem_id="instant-choices"):
            choices = _choices(session, size, keep)
    _connect(choices, stage, camera, studio.key)
    form = studio.form | {"tabs": tabs}
    stage.polish.click(form.filled_by(polish), [session, studio.session], list(form), **QUEUED)
    return choices


def _file_settings() -> tuple[gr.Number, gr.Checkbox]:
    """Make what is set for pictures, single or many, to be placed later."""
    info = "of the longer side; empty: its own"
    size = gr.Number(SIZE, label="Picture size, pixels", elem_id="instant-size", min_width=110, info=info, render=False)
    keep = transparency_switch("instant-keep-transparency")
    keep.unrender()
    return size, keep


def _choices(session: gr.State, size: gr.Number, keep: gr.Checkbox) -> Choices:
    own = PictureInput(
        label="Any style: drop a painting here",
        elem_id="instant-own-style",
        height=150,
        sources=["upload", "clipboard"],
        buttons=[],
        alt_text="A painting whose style is wanted",
    )
    strip = Strip(InstantSession().strip_value(), elem_id="styles")
    strength = Slider(0, 1, 1, step=0.05, label="Strength", elem_id="strength", info="0: the picture as it is")
    with gr.Row():
        second = gr.Dropdown(
            InstantSession().blends, value=NO_BLEND, label="Blend with", elem_id="blend", min_width=150
        )
        share = Slider(0, 1, 0.5, step=0.05, label="Share of it", elem_id="blend-share", min_width=150)
    with gr.Row():
        colors = [("the style's", "style"), ("the picture's own", "content")]
        color = gr.Radio(colors, value="style", label="Colours", elem_id="instant-color", min_width=150)
        size.render()
    keep.render()
    return Choices(session, strip, own, MixControls(strength, second, share, color), size, keep)


def _stage() -> Stage:
    with gr.Row(equal_height=False, elem_id="instant-stage"):
        with gr.Column(elem_id="instant-inputs"):
            picture = PictureInput(
                label="Picture",
                elem_id="instant-picture",
                height=200,
                sources=["upload", "clipboard"],
                buttons=["fullscreen"],
                alt_text="Picture",
            )
            files = sorted(str(path) for path in (ASSETS / "photos").glob("*.jpg"))
            examples = gr.Examples(
                files, picture, label="", elem_id="instant-examples", examples_per_page=12, cache_examples=False
            )
        with gr.Column(elem_id="instant-view"):
            status = gr.HTML(status_html(CHOOSE), elem_id="instant-status")
            gr.HTML(at_once.LINE, elem_id="instant-soon")
            result = BeforeAfter(elem_id="instant-result", visible="hidden")
        with gr.Row(visible=False, elem_id="instant-after") as after:
            download = gr.DownloadButton("Download PNG", elem_id="instant-download", min_width=130)
            jpeg = gr.DownloadButton("JPEG", elem_id="instant-jpeg", min_width=80)
            polish_it = gr.Button(POLISH, elem_id="polish", min_width=130)
    buttons, (instead, _) = {"download": download, "jpeg": jpeg, "polish": polish_it}, instead_of(picture)
    view = Form({"status": status, "result": result, "after": after, **buttons, "instead": instead})
    return Stage(picture, view, polish_it, examples)


def _connect(choices: Choices, stage: Stage, camera: gr.HTML, key: gr.BrowserState) -> None:
    """Paint whatever is chosen at once, by the picture's handlers and by the camera's next frame.

    Each event is one that a person alone causes: `change` also comes of what is filled in as the page opens, one
    component after another, with what those after it showed before.
    """
    session, strip, controls = choices.session, choices.strip, choices.mix
    mix = Form(controls._asdict())
    form = mix | {"picture": stage.picture, "size": choices.size, "keep_transparency": choices.keep_transparency}
    given, shown = [session, key, *form], list(stage.view)
    in_turn = in_lane(PASS_LANE, form.given_to(repaint), lambda session: Steering(), stage.view)
    once: dict[str, Any] = {"trigger_mode": "always_last", **QUEUED}
    instead, _ = instead_of(choices.own)
    styles = Form({"strip": strip, "second": controls.second, "status": stage.view["status"], "instead": instead})
    picked, mine = styles.only("strip", "second"), [session, key, choices.own]
    chosen = strip.pick(picked.filled_by(pick), session, list(picked), trigger_mode="multiple", **INSTANT)
    taken = in_lane(PASS_LANE, Form({"picture": choices.own}).given_to(take_style), lambda session: Steering(), styles)
    dropped = choices.own.upload(taken, mine, list(styles), trigger_mode="multiple", **QUEUED)  # each is a style
    sliders = (controls.strength, controls.share)
    # a slider says `release` alone when it is put back, a menu `input` also when it is left unchanged
    mixed = (*(slider.input for slider in sliders), *(slider.release for slider in sliders), controls.second.select)
    others = (choices.size.submit, choices.size.blur, choices.keep_transparency.input, controls.color.input)
    taken_up = stage.examples.load_input_event.then, camera.take(take, None, stage.picture, **QUEUED).then
    styled = chosen.then, dropped.then
    events = (*styled, *mixed, *others, stage.picture.upload, *taken_up)
    for event in events:
        event(in_turn, given, shown, **once)
    stage.picture.clear(stage.view.filled_by(put_away), session, shown, trigger_mode="always_last", **INSTANT)
    for slider in sliders:  # the camera follows while it is dragged
        slider.input(mix.given_to(remix), [session, *mix], None, trigger_mode="always_last", **QUEUED)
    left = form | stage.view.parts | {"strip": strip, "camera": camera}
    page_at_hand().load(left.filled_by(enter_page), [session, key], list(left), **INSTANT)
    page_at_hand().load(None, js=at_once.SCRIPT, **INSTANT)
    AUDIENCE.when_left(InstantSession.leave_page)


def repaint(session: InstantSession, key: str, shown: Mapping[str, Any]) -> Iterator[Updates]:
    """Paint what was chosen: the camera's next frame, and the picture.

    Args:
        session: the page's.
        key: by which its browser finds what is painted when it opens the page again.
        shown: what it shows: "picture", a file, "size", "keep_transparency", and a Mix by its names.
    """
    session.key = key
    remix(session, shown)
    yield from paint_picture(session, shown["picture"], shown["size"], shown["keep_transparency"])


def remix(session: InstantSession, shown: Mapping[str, Any]) -> None:
    """Give the page's Mix to the session and to its camera."""
    session.mix = Mix.of(shown)
    session.point_camera()


def pick(session: InstantSession, event: gr.EventData) -> Updates:
    """Choose the style that was clicked; fills in "strip" and "second", or nothing if another was clicked since."""
    if event.at < session.picked:
        return {}
    session.picked = event.at
    session.choose(int(event.number))
    session.mix = session.mix._replace(second=session.still_second())
    session.point_camera()
    shown = shown_styles(session)
    return shown if session.picked == event.at else {}


def take_style(session: InstantSession, key: str, shown: Mapping[str, Any]) -> Iterator[Updates]:
    """Take the picture that was dropped as a style, and choose it; arguments as of `repaint`; nothing if it is gone."""
    if shown["picture"] is None:
        return
    yield {"status": status_html(TAKING, kind="busy")}
    given = Path(shown["picture"])
    try:
        name, picture = read_upload(given, session.add_picture)
    except NSTError as error:
        warn(error, "No style to take")
        emptied = {"instead": Instead.of(given)} if isinstance(error, ImageError) and not is_usable(given) else {}
        yield {"status": status_html(str(error), kind="problem"), **emptied}
        return
    session.key, session.pictures[name] = key, picture
    session.point_camera()
    keep_instant(session)
    instead = {"instead": Instead.of(given, picture)} if picture != given else {}
    yield {"status": status_html(f"A style of yours: {title_of(name)}."), **shown_styles(session), **instead}


def take(event: gr.EventData) -> Update:
    """Save what the camera saw as a file, which is painted under Picture as any other is."""
    try:
        path = new_file("camera.png")
        images.save_png(taken(event), path)
        gr.Info("The photo is under Picture, painted.", duration=6)
        return str(path)
    except NSTError as error:
        warn(error, "No picture")
        return gr.skip()


def enter_page(session: InstantSession, key: str, request: gr.Request) -> Updates:
    """Give a page that is opened its styles, the token of its "camera", and what its browser left; as `come_back`."""
    session.enter(request)
    left = come_back(session, key)
    if session.names:
        session.point_camera()
    return {**left, **shown_styles(session), "camera": session.live.token}
