"""Lets a keyboard go straight to Paint, past pictures and looks."""

# A function that puts a link before everything else; it opens the tab of the button where another is open, and while a
# painting is at work it leads to what stands in the button's place.
SCRIPT = """() => {
  if (document.querySelector('.skip-link')) return;
  const link = document.createElement('a');
  Object.assign(link, {className: 'skip-link', href: '#run', textContent: 'Skip to Paint'});
  link.addEventListener('click', event => {
    event.preventDefault();
    const seen = () => ['run', 'stop'].map(id => document.getElementById(id))
      .find(button => button && !button.disabled && button.getClientRects().length);
    if (!seen()) document.querySelector('[role=tab]')?.click();
    requestAnimationFrame(() => seen()?.focus());
  });
  document.body.prepend(link);
}"""
