"""Lays out the Stylize tab: two pictures, a look, Paint, the stage, and the papers' knobs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.blocks import Block
from gradio.events import Dependency

from nst_core import images
from nst_core.errors import ImageError, NSTError
from nst_core.ui.page import announcements, drops, kept_typing, keys, menus, remembered, skip
from nst_core.ui.page.buttons import hand_over
from nst_core.ui.page.events import BEGINNING, INSTANT, QUEUED, Update, page_at_hand, refuse_aloud
from nst_core.ui.page.form import Form, Updates
from nst_core.ui.page.status import status_html
from nst_core.ui.page.toasts import warn
from nst_core.ui.page.weights import describe_network
from nst_core.ui.serving.audience import AUDIENCE
from nst_core.ui.serving.housekeeping import EVERY_ROUND
from nst_core.ui.serving.jobs import not_begun
from nst_core.ui.studio.controls_and_config import preset_text
from nst_core.ui.studio.keeping import tidy_folders
from nst_core.ui.studio.session import Session
from nst_core.ui.studio.shared_components import PAINTED_WITH, Studio
from nst_core.ui.studio.uploads import checked
from nst_core.ui.stylize.ahead import PAINT
from nst_core.ui.stylize.control_events import connect_counterpart, connect_settings
from nst_core.ui.stylize.controls import Network, network_area, picture_inputs, setting_controls
from nst_core.ui.stylize.goes_on import GoesOn
from nst_core.ui.stylize.looks import connect_looks, look_area
from nst_core.ui.stylize.pupil import connect_name, name_field
from nst_core.ui.stylize.recipes import RECIPES, connect_recipes, recipes_value, show_chosen
from nst_core.ui.stylize.results_strip import build_history
from nst_core.ui.stylize.run import TO_ITS_END
from nst_core.ui.stylize.window import SEEN, come_back, place, press_go_on, press_run, press_stop, see, tell
from nst_core.ui.widgets.channel import preview_area
from nst_core.ui.widgets.pictures import BeforeAfter
from nst_core.ui.widgets.thumbnail_strip import Strip

GROUND_SIDE = 768  # pixels of the picture under the brush
WELCOME = "This is an example. Try another one, or bring a photo and a style of your own."

# gradio's example buttons hold a picture without words; its file's name becomes theirs.
NAME_EXAMPLES = """() => {
  const name = () => document.querySelectorAll('.gallery-item img').forEach(image => {
    const file = decodeURIComponent(image.src).split('/').pop().split('.')[0].replaceAll('_', ' ');
    const button = image.closest('button');
    image.alt = button.ariaLabel = button.title = 'Example: ' + file;
    button.dataset.name = file[0].toUpperCase() + file.slice(1);
  });
  // the one that stands in the place above, by its file's name
  const mark = () => document.querySelectorAll('[id$=-examples]').forEach(examples => {
    const place = document.getElementById(examples.id.slice(0, -'-examples'.length));
    const named = address => address?.split('/').pop(), used = named(place?.querySelector('.image-frame img')?.src);
    examples.querySelectorAll('.gallery-item').forEach(button => {
      button.ariaPressed = Boolean(used) && named(button.querySelector('img')?.src) === used;
    });
  });
  const watch = place => {
    const inputs = document.querySelector(place);
    if (!inputs) return setTimeout(watch, 200, place);
    name();
    mark();
    new MutationObserver(name).observe(inputs, {childList: true, subtree: true});
    new MutationObserver(mark).observe(inputs, {childList: true, subtree: true, attributeFilter: ['src']});
  };
  // tabs are laid out when they are opened
  ['#inputs', '#instant-inputs', '#train-inputs', '#explain-inputs'].forEach(watch);
}"""


def build() -> Studio:
    """Lay out the tab and connect it; call inside a Blocks."""
    session = gr.State(Session())
    # its "secret" hides nothing: the key itself is what nobody can guess
    key = gr.BrowserState("", storage_key="neural-style-lab", secret="neural-style-lab")  # nosec B106
    with gr.Row(equal_height=False, elem_id="studio"):
        with gr.Column(elem_id="inputs", min_width=300):
            pupil = name_field()
            content, style = picture_inputs()
            looks = look_area()
            buttons = _buttons()
        with gr.Column(elem_id="stage", min_width=300):
            stage, recipes, actions = _stage()
        with gr.Column(elem_id="knobs", min_width=300):
            inputs = setting_controls()
            network = network_area()
    pictures = {"content": content, "style": style, "start_image": inputs.start_image, **inputs.more_styles}
    mask = {"mask": inputs.mask.editor, "keep_transparency": inputs.mask.keep_transparency}
    preset = inputs.preset.menu
    form = Form(pictures) | mask | {"preset": preset, "about": inputs.preset.about}
    form |= inputs.controls | stage | {"shares": inputs.shares}
    with gr.Accordion("Results of this session", elem_id="memory"):
        form, again = build_history(session, form, actions)
    seen = _connect_painting(session, key, form, buttons, network, again)
    connect_settings(session, preset, form, inputs, network, buttons.run)
    connect_looks(session, looks, form)
    connect_recipes(session, recipes, form)
    show_chosen(session, looks, recipes, form)
    connect_name(pupil, session)
    _connect_page(session, key, form, seen, network, pupil)
    connect_counterpart(session, preset, form, inputs.preset.printed)
    inputs.mask.take.click(_ground, content, inputs.mask.editor, **QUEUED)
    for name, picture in pictures.items():
        for put in (picture.upload, picture.clear, checked(picture).then):
            put(_placed(name), [session, picture], None, trigger_mode="always_last", **INSTANT)
    return Studio(session, key, preset, form)


def _placed(name: str) -> Callable[[Session, Path | None], None]:
    def placed(session: Session, path: Path | None) -> None:
        place(session, name, path)

    return placed


class Buttons(NamedTuple):
    """The buttons that begin a run, end it and let it go on."""

    run: gr.Button
    stop: gr.Button
    goes_on: GoesOn  # says which painting does
    after: gr.Row  # the three that follow, shown while there is a painting to go on with
    go_on: gr.Button
    one_step: gr.Button
    more: gr.Button
    steps: gr.Number


def _buttons() -> Buttons:
    with gr.Row(elem_id="press"):
        run = gr.Button(PAINT, variant="primary", elem_id="run", scale=2, min_width=100)
        stop = gr.Button("Stop", variant="stop", elem_id="stop", interactive=False, scale=1, min_width=80)
    which = GoesOn(elem_id="goes-on")
    with gr.Row(visible=False, elem_id="after", equal_height=True) as after:
        go_on_button = gr.Button("Continue", elem_id="go-on", size="sm", min_width=80)
        one_step = gr.Button("One step", elem_id="one-step", size="sm", min_width=80)
        more = gr.Button("More steps:", elem_id="more", size="sm", min_width=90)
        steps = gr.Number(50, show_label=False, container=False, elem_id="more-steps", min_width=70)
    return Buttons(run, stop, which, after, go_on_button, one_step, more, steps)


def _connect_painting(
    session: gr.State, key: gr.BrowserState, form: Form, buttons: Buttons, network: Network, again: Dependency
) -> Form:
    """Connect Paint, Stop and what lets a painting go on, or paints it again; give all that `look` fills in."""
    made_of = form.only(*PAINTED_WITH)
    pressed = {"run": buttons.run, "stop": buttons.stop, "after": buttons.after, "go_on": buttons.go_on}
    pressed |= {"goes_on": buttons.goes_on, "fetch": network.fetch}
    seen = (form | pressed).only(*SEEN)
    begun_by = seen | {"session": session}
    refused = Form({"status": form["status"]})
    begin, asked = begun_by.filled_by(_with_form(made_of, press_run)), [session, key, *made_of]
    begun = [(on(begin, asked, list(begun_by), **BEGINNING), asked) for on in (buttons.run.click, again.success)]
    further = ((buttons.go_on, gr.State(TO_ITS_END)), (buttons.one_step, gr.State(1)), (buttons.more, buttons.steps))
    for button, steps in further:
        press = begun_by.filled_by(press_go_on)
        begun.append((button.click(press, [session, key, steps], list(begun_by), **BEGINNING), [steps]))
    for event, asked in begun:
        event.then(tell, session, None, **QUEUED)
        event.failure(refused.filled_by(not_begun), None, list(refused), **INSTANT)
        refuse_aloud(event, asked)
    buttons.stop.click(press_stop, [session, key], None, **INSTANT)
    return seen


def _with_form(made_of: Form, press: Callable[..., Updates]) -> Callable[..., Updates]:
    """Let a handler take what the page shows by name, before the request."""

    def pressed(request: gr.Request, session: Session, key: str, *given: Any) -> Updates:
        return press(session, key, made_of.read(given), request)

    return pressed


def _ground(content: Path | None) -> Update:
    """Give the content picture for the brush to paint over."""
    try:
        if content is None:
            raise ImageError("there is no content picture; drop one or click an example")
        return images.to_pil(images.fit(images.load(content), GROUND_SIDE))
    except NSTError as error:
        warn(error, "Nothing to paint over")
        return gr.skip()


def _stage() -> tuple[dict[str, Block], Strip, gr.Row]:
    """Lay out the components of STAGE, but for the shares, which stand beside α and β; recipes; a row for actions."""
    with gr.Column(elem_id="picture"):
        BeforeAfter(RECIPES[0].comparison(), elem_id="welcome")  # in sight until there is a painting, by the theme
        preview = preview_area("Your painting appears here while you watch.", elem_id="preview")
        result = BeforeAfter(elem_id="result", visible="hidden")
        status = gr.HTML(status_html("Ready.", WELCOME), elem_id="status")
    small: dict[str, Any] = {"size": "sm", "min_width": 70, "render": False}  # laid out among the actions
    download = gr.DownloadButton("PNG", elem_id="download", visible="hidden", **small)
    actions = gr.Row(elem_id="actions")
    recipes = Strip(recipes_value(), elem_id="recipes")
    with gr.Column(elem_id="made"):
        losses = gr.HTML(elem_id="losses")
        with gr.Accordion("Record of the run", open=False, visible=False) as record_area:
            record = gr.JSON(show_label=False, elem_id="record")
    shown = {"preview": preview, "status": status, "losses": losses, "result": result, "download": download}
    return {**shown, "record": record, "record_area": record_area}, recipes, actions


def _connect_page(
    session: gr.State, key: gr.BrowserState, form: Form, seen: Form, network: Network, pupil: gr.Textbox
) -> None:
    """Connect what happens when a page is opened, and when it is closed."""
    page = page_at_hand()
    AUDIENCE.when_left(Session.leave_page)
    for tidied in (Session.tidy, tidy_folders):
        if tidied not in EVERY_ROUND:
            EVERY_ROUND.append(tidied)
    found = form.only(*PAINTED_WITH, "about") | seen.parts | {"session": session, "key": key, "pupil": pupil}
    preset, about, backbone = (form[name] for name in ("preset", "about", "backbone"))
    back = page.load(found.filled_by(come_back), [session, key], list(found), **INSTANT)
    preview: Any = form["preview"]  # whose own event gradio's types do not know
    over = preview.over(found.filled_by(see), [session, key], list(found), **INSTANT)
    described = Form(network._asdict())
    for event in (back, over):
        event.then(tell, session, None, **QUEUED)
        event.then(described.filled_by(describe_network), backbone, list(described), **INSTANT)
    painting = hand_over("run", "stop", "go-on", "one-step", "more")
    own = (drops, announcements, kept_typing, remembered, skip, menus, keys)
    for script in (NAME_EXAMPLES, painting, *(module.SCRIPT for module in own)):
        page.load(None, js=script, **INSTANT)
    back.then(preset_text, [preset, backbone], about, **INSTANT)
