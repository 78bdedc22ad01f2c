"""Lets two buttons stand in one place: the one that begins, and the one that ends what it began."""

# Where the first was, the other is while something goes on, by the theme, and the focus goes with it.
HAND_OVER = """() => {
  const pair = ['BEGINS', 'ENDS'], watched = new WeakSet();
  let held = null;
  const follow = () => {
    const [one, other] = [held, pair[1 - pair.indexOf(held)]].map(id => document.getElementById(id));
    if (one?.disabled && !other.disabled) other.focus({preventScroll: true});
  };
  document.addEventListener('focusin', event => {
    held = pair.includes(event.target.id) ? event.target.id : null;
    const row = held && event.target.parentElement;  // what is folded is laid out when it is opened
    if (!row || watched.has(row)) return;
    watched.add(row);
    new MutationObserver(follow).observe(row, {attributes: true, subtree: true, attributeFilter: ['disabled']});
  });
}"""


def hand_over(begins: str, ends: str) -> str:
    """Make a function for the page that keeps the focus on the one of two buttons that can be pressed.

    Args:
        begins, ends: their elem_ids; they stand in one row.
    """
    return HAND_OVER.replace("BEGINS", begins).replace("ENDS", ends)
