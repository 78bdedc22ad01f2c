"""Keeps what is typed in the moment in which a tab is opened for the first time.

gradio 6.31 fills all fields of a tab, or of what is unfolded, once more in the frame after that in which they are first
seen, with what they held before. A slow computer takes half a second for it.
"""

# A function for the page, once.
SCRIPT = """() => {
  if (window.keepsTyping) return;
  window.keepsTyping = true;
  const MOMENT = 2000, FRAMES = 12;  // ms and frames after a click, whichever is later
  const FIELD = 'input:not([type=file], [role]), textarea';
  const opened = new WeakSet(), typed = new Map();  // field -> what a person made of it
  const held = field => ['checkbox', 'radio'].includes(field.type) ? field.checked : field.value;
  const put = (field, value) => {
    if (typeof value === 'boolean') return field.click();
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set.call(field, value);
    field.dispatchEvent(new Event('input', {bubbles: true}));
    if (field !== document.activeElement) field.dispatchEvent(new FocusEvent('blur'));  // by which it is heard
  };
  let until = 0, frames = 0;
  const look = now => {
    for (const [field, value] of typed) {
      if (!field.isConnected || held(field) === value) continue;
      typed.delete(field);
      put(field, value);
    }
    frames -= 1;
    if (now < until || frames > 0) return requestAnimationFrame(look);
    until = 0;
    typed.clear();
  };
  document.addEventListener('click', event => {
    const head = event.target.closest?.('[role=tab], button.label-wrap');
    if (!head || opened.has(head)) return;
    opened.add(head);
    const goesOn = until > 0;
    [until, frames] = [performance.now() + MOMENT, FRAMES];
    if (!goesOn) requestAnimationFrame(look);
  }, true);
  document.addEventListener('input', ({target}) => {
    if (until && target.matches?.(FIELD)) typed.set(target, held(target));
  }, true);
}"""
