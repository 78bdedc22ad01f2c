"""Lets buttons stand in one place: those that begin something, and the one that ends what they began."""

import json

# Where the first was, the other is while something goes on, by the theme, and the focus goes with it: to the button
# that ends, and back to the one that began. That one may be laid out anew a moment later than the first is enabled.
HAND_OVER = """() => {
  const begins = BEGINS, ends = ENDS, watched = new WeakSet();
  let held = null, began = begins[0], late = false, moving = false;
  const usable = id => {
    const button = document.getElementById(id);
    return button && !button.disabled && button.getClientRects().length ? button : null;
  };
  const move = button => { moving = true; button?.focus({preventScroll: true}); moving = false; };
  const follow = () => {
    if (held === null) return;
    if (held === ends) {
      if (usable(ends)) return;
      late = !usable(began);
      move(usable(began) ?? usable(begins[0]));
    } else if (!usable(held)) move(usable(ends));
    else if (late && usable(began)) { late = false; move(usable(began)); }
  };
  const watch = element => {
    if (!element || watched.has(element)) return;
    watched.add(element);
    new MutationObserver(follow).observe(element, {subtree: true, childList: true, attributeFilter: ['disabled']});
  };
  document.addEventListener('focusin', event => {
    held = [...begins, ends].includes(event.target.id) ? event.target.id : null;
    if (!moving) late = false;
    if (!moving && begins.includes(held)) began = held;
    if (held === null) return;
    const row = document.getElementById(ends)?.parentElement;  // what is folded is laid out when it is opened
    watch(row);
    if (row && begins.length > 1) watch(row.parentElement);
  });
}"""


def hand_over(begins: str, ends: str, *further: str) -> str:
    """Make a function for the page that keeps the focus on the button that can be pressed, where it was on another.

    Args:
        begins, ends: elem_ids of the two that stand in one row.
        further: of others that begin it as well, and are hidden or disabled while it goes on.
    """
    return HAND_OVER.replace("BEGINS", json.dumps([begins, *further])).replace("ENDS", json.dumps(ends))
