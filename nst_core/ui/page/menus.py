"""Closes gradio's menus when a keyboard leaves them.

gradio 6.31 opens a menu at every key, Tab among them, and its list, which scrolls, takes the focus on the way.
"""

# A function for the page, once.
SCRIPT = """() => window.addEventListener('keydown', event => {
  if (event.key !== 'Tab' || !event.target.matches?.('[role=combobox]')) return;
  event.stopPropagation();
  document.querySelectorAll('.option-list').forEach(list => { list.tabIndex = -1; });
}, true)"""
