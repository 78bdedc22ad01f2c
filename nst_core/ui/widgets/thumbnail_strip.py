"""Shows small pictures in a row, to choose one of."""

from typing import TypedDict

from nst_core.ui.widgets.own_html import OwnHTML


class Thumbnail(TypedDict):
    """One of the pictures."""

    number: int
    thumbnail: str  # a URL
    name: str
    caption: str


class StripValue(TypedDict):
    """The value of a Strip."""

    items: list[Thumbnail]
    chosen: int  # the number of one of them; 0: none
    label: str  # of the row
    empty: str  # what it says without any


class Strip(OwnHTML):
    """Thumbnails in a row, each a button that triggers "pick" with its number and when; its value is a StripValue.

    The row is one stop of the Tab key, within which arrows move, see `page/keys.py`.
    """

    TEMPLATE = """
<div class="strip" role="toolbar" aria-label="${value ? value.label : ""}">
  ${value && value.items.length ? value.items.map((item, at, all) => `
  <button type="button" class="thumbnail" data-number="${item.number}" title="${item.name}"
    aria-label="${item.name}" aria-pressed="${item.number === value.chosen}"
    tabindex="${item === (all.find(one => one.number === value.chosen) || all[0]) ? 0 : -1}">
    <img src="${item.thumbnail}" alt=""><span>${item.caption}</span></button>`).join("")
  : `<p>${value ? value.empty : ""}</p>`}
</div>"""
    STYLE = """
.strip { display: flex; gap: 8px; overflow-x: auto; padding: 4px; scrollbar-width: thin; }
.strip p { margin: 0; color: var(--body-text-color-subdued); font-size: var(--text-sm); }
.strip .thumbnail { margin: 0; }
.thumbnail { flex: none; width: 92px; padding: 4px; display: flex; flex-direction: column; gap: 2px; cursor: pointer;
  border: 2px solid transparent; border-radius: 8px; background: var(--background-fill-secondary); }
.thumbnail:hover { border-color: var(--border-color-primary); }
.thumbnail[aria-pressed=true] { border-color: var(--color-accent); }
.thumbnail:focus-visible { outline: 2px solid var(--color-accent); outline-offset: 1px; }
.thumbnail img { width: 80px; height: 80px; object-fit: cover; border-radius: 5px; }
.thumbnail span { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden;
  font-size: var(--text-xs); font-weight: normal; line-height: 1.25; text-align: left; overflow-wrap: anywhere;
  color: var(--body-text-color-subdued); }
"""
    SCRIPT = """
let focused = null;
element.addEventListener('click', event => {
  const button = event.target.closest('.thumbnail');
  if (button) {
    focused = button.dataset.number;
    trigger('pick', {number: Number(focused), at: performance.now()});
  }
});
// a new value makes new buttons: the focus stays where the keyboard had it
watch('value', () => {
  if (focused && document.activeElement === document.body)
    element.querySelector(`[data-number="${focused}"]`)?.focus({preventScroll: true});
});
"""
