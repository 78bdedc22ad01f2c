"""Moves by arrow keys among tabs, thumbnails and examples, each row of which is one stop of the Tab key.

As WAI-ARIA's patterns for tabs (chosen by Enter or Space, since some take long to lay out) and for toolbars: an arrow
moves the focus alone, as what is chosen is painted. gradio 6.31's tabs and examples are a stop each.
"""

# A function for the page, once. Rows are laid out anew at any time: the one stop is the button that was last in focus,
# or the chosen one, or the first.
SCRIPT = """() => {
  if (window.movesByKeys) return;
  window.movesByKeys = true;
  const ROWS = {
    '[role=tablist]': '[role=tab]', '.strip': '.thumbnail', '.gallery': '.gallery-item',
  };
  const STEPS = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity};
  const rowOf = element => {
    for (const [row, item] of Object.entries(ROWS)) {
      const place = element.closest?.(item) && element.closest(row);
      if (place) return [place, [...place.querySelectorAll(item)].filter(one => !one.disabled)];
    }
    return null;
  };
  const stop = (items, one) => items.forEach(item => {
    const index = item === one ? '0' : '-1';
    if (item.getAttribute('tabindex') !== index) item.setAttribute('tabindex', index);
  });
  const arrange = () => Object.entries(ROWS).forEach(([row, item]) => document.querySelectorAll(row).forEach(place => {
    const items = [...place.querySelectorAll(item)].filter(one => !one.disabled);
    const focused = items.find(one => one === document.activeElement);
    const chosen = items.find(one => one.ariaSelected === 'true' || one.ariaPressed === 'true');
    if (row === '.gallery' && place.getAttribute('role') !== 'toolbar') {
      place.setAttribute('role', 'toolbar');
      const ofStyles = place.closest('[id*=style]');
      place.setAttribute('aria-label', ofStyles ? 'Style pictures to try' : 'Photos to try');
    }
    stop(items, focused ?? chosen ?? items[0]);
  }));
  document.addEventListener('focusin', event => {
    const row = rowOf(event.target);
    if (row) stop(row[1], event.target);
  });
  document.addEventListener('keydown', event => {
    const step = STEPS[event.key], row = step && !event.altKey && !event.ctrlKey && !event.metaKey
      && event.target.matches?.(Object.values(ROWS).join()) && rowOf(event.target);
    if (!row) return;
    event.preventDefault();
    const items = row[1], at = items.indexOf(event.target), last = items.length - 1;
    const next = Math.abs(step) === 1 ? (at + step + items.length) % items.length : step < 0 ? 0 : last;
    items[next].focus();
    items[next].scrollIntoView({block: 'nearest', inline: 'nearest'});
  });
  let asked = false;
  new MutationObserver(() => {
    if (asked) return;
    asked = true;
    setTimeout(() => { asked = false; arrange(); }, 100);
  }).observe(document.body, {childList: true, subtree: true, attributeFilter: ['aria-pressed', 'aria-selected']});
  arrange();
}"""
