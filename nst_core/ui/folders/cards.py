"""Shows a batch on the page: a card for each painting, with its names and whether it is there."""

from html import escape
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

from nst_core.ui.widgets.own_html import OwnHTML

SIDE = 320  # pixels, at most, of a painting on a card
WAITING, AT_WORK, PAINTED, FAILED = "waiting", "at work", "painted", "failed"
MARKS = {WAITING: "", AT_WORK: "…", PAINTED: "✓", FAILED: "✗"}


class Card(TypedDict):
    """A painting as the page has it."""

    state: str  # of MARKS
    mark: str
    photo: str  # its name
    style: str
    small: str  # file of a small picture, as addresses have it; "": there is none
    large: str  # and of the painting
    made: str  # when, by which the browser tells it from one before of the same name
    reason: str  # why it failed


def card(photo: str, style: str) -> Card:
    """Make a card of a painting that waits, of names as they are."""
    names = {"photo": escape(photo), "style": escape(style)}
    return {"state": WAITING, "mark": MARKS[WAITING], **names, "small": "", "large": "", "made": "", "reason": ""}  # type: ignore[typeddict-item]


def changed(before: Card, state: str, reason: str = "", small: Path | None = None, large: Path | None = None) -> Card:
    """Let a card say what there is of its painting."""
    made = str(small.stat().st_mtime_ns) if small else ""
    files = {"small": quote(str(small or "")), "large": quote(str(large or "")), "made": made}
    return {**before, "state": state, "mark": MARKS[state], "reason": escape(reason), **files}  # type: ignore[typeddict-item]


class Cards(OwnHTML):
    """Fills while a batch is painted; a click opens a painting by itself. Its value is a list of cards, or None.

    gradio sends of a value only what changed since the last. The page lays all of it out anew at each change, so that
    pictures are files, which it has already, rather than part of the value.
    """

    VALUE_TYPE = "array"
    TEMPLATE = """
${value?.length ? `<div class="cards" tabindex="0" role="group" aria-label="The paintings of the batch">
<ul>${value.map(card => `<li class="card" data-state="${card.state}">
  <div class="place">${card.small
    ? `<a href="${window.gradio_config?.root ?? ''}/gradio_api/file=${card.large}?${card.made}" target="_blank"><img
        src="${window.gradio_config?.root ?? ''}/gradio_api/file=${card.small}?${card.made}"
        alt="${card.photo} in the style of ${card.style}"></a>`
    : `<span>${card.reason || card.state}</span>`}</div>
  <div class="name" title="${card.photo}"><span class="mark" aria-hidden="true">${card.mark}</span> ${card.photo}</div>
  <div class="style" title="${card.style}">${card.style}<span class="heard-only">, ${card.state}</span></div>
</li>`).join('')}</ul></div>` : ''}"""
    STYLE = """
.cards { max-height: 70vh; overflow: auto; scrollbar-width: thin; border-radius: 8px; }
.cards:focus-visible { outline: 2px solid var(--color-accent); outline-offset: 2px; }
.cards ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(116px, 1fr)); gap: 12px; margin: 0;
  padding: 2px; list-style: none; }
.card { min-width: 0; margin: 0; color: var(--body-text-color); font-size: var(--text-sm); }
.card .place { display: grid; place-items: center; aspect-ratio: 4 / 3; border-radius: 6px; overflow: hidden;
  background: var(--background-fill-secondary); border: 1px solid var(--border-color-primary); }
.card a, .card img { display: block; width: 100%; height: 100%; object-fit: contain; }
.card a:focus-visible { outline: 3px solid var(--color-accent); outline-offset: -3px; }
.card .place span { padding: 6px; text-align: center; color: var(--body-text-color-subdued);
  overflow-wrap: anywhere; }
.card[data-state=failed] .place { aspect-ratio: auto; min-height: 87px; border-color: var(--error-icon-color); }
.card[data-state=failed] .place span, .card[data-state=failed] .mark { color: var(--error-text-color); }
.card[data-state="at work"] .place { border: 2px solid var(--color-accent); }
.card .name, .card .style { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.card .style { color: var(--body-text-color-subdued); position: relative; }
.card .mark { font-weight: 700; }
"""
