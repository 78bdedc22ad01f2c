"""Says which painting Continue goes on with: its picture, whose names, its look, size and step."""

from html import escape
from pathlib import Path

from nst_core.transfer.presets import PRESETS
from nst_core.ui.studio.looks import LOOKS, called
from nst_core.ui.studio.session import Session
from nst_core.ui.widgets.own_html import OwnHTML

Told = dict[str, str]  # "thumbnail", a URL or ""; "pictures", by their files, and "settings", as HTML


class GoesOn(OwnHTML):
    """A line before the buttons that let a painting go on, which describes them; its value is what `goes_on` gives."""

    TEMPLATE = """
${value ? `<p class="goes-on" id="goes-on-with">${value.thumbnail ? `<img src="${value.thumbnail}" alt="">` : ""}
  <span>Goes on with</span> <bdi>${value.pictures}</bdi> <span>${value.settings}</span></p>` : ""}"""
    STYLE = """
.goes-on { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 6px; margin: 0; font-size: var(--text-sm);
  color: var(--body-text-color-subdued); overflow-wrap: anywhere; }
.goes-on img { width: 32px; height: 32px; object-fit: cover; border-radius: 5px; }
.goes-on bdi { color: var(--body-text-color); }
"""
    # the buttons are laid out later, at a time that nothing tells
    SCRIPT = """
const describe = () => [0, 300, 1500].forEach(later => setTimeout(() =>
  document.querySelectorAll('#after button').forEach(button =>
    button.setAttribute('aria-describedby', 'goes-on-with')), later));
watch('value', describe);
describe();
"""


def goes_on(session: Session) -> Told | None:
    """Tell which painting goes on, None if there is none: its newest picture, and what it is made of."""
    run, config = session.run, session.config
    if config is None or (run is None and session.laid_away is None):
        return None
    newest = next(iter(session.results.kept), None)
    made = run.last_frame.step if run and run.last_frame else newest.record.steps if newest else 0
    steps = run.steps if run else made + (session.laid_away or 0)
    pictures = [Path(path).stem.replace("_", " ") for path in (session.uploads.content, session.uploads.style) if path]
    settings = [_title(called(config)), f"Size {config.size}", f"Step {made} of {steps}"]
    return {
        "thumbnail": newest.thumbnail if newest else "",
        "pictures": escape(" × ".join(pictures)),
        "settings": escape(" · ".join(filter(None, settings))),
    }


def _title(name: str) -> str:
    """Call a look or preset as the page does; "" for settings of neither."""
    look = next((look.title for look in LOOKS if look.name == name), "")
    return look or (PRESETS[name].title if name in PRESETS else "")
