"""Lets two buttons stand in one place: the one that begins, and the one that ends what it began."""

# Where the first was, the other is while something goes on, by the theme, and the focus goes with it.
HAND_OVER = """() => {
  let held = null;
  const pair = ['BEGINS', 'ENDS'].map(id => document.getElementById(id));
  document.addEventListener('focusin', event => { held = pair.includes(event.target) ? event.target : null; });
  new MutationObserver(() => {
    const other = pair[1 - pair.indexOf(held)];
    if (held?.disabled && !other.disabled) other.focus({preventScroll: true});
  }).observe(pair[0].parentElement, {attributes: true, subtree: true, attributeFilter: ['disabled']});
}"""


def hand_over(begins: str, ends: str) -> str:
    """Make a function for the page that keeps the focus on the one of two buttons that can be pressed.

    Args:
        begins, ends: their elem_ids; they stand in one row.
    """
    return HAND_OVER.replace("BEGINS", begins).replace("ENDS", ends)
