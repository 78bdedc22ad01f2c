"""Keeps what is typed in the moment in which a tab is opened for the first time.

gradio 6.31 fills all fields of a tab, or of what is unfolded, once more in the frame after that in which they are first
seen, with what they held before. A slow computer takes half a second for it. Each thing that is typed or chosen is put
back once at most, and not where a click outside the fields came after it, which may fill them with something else.
"""

# A function for the page, once.
SCRIPT = """() => {
  if (window.keepsTyping) return;
  window.keepsTyping = true;
  const MOMENT = 2000, FRAMES = 12;  // ms and frames after a click, whichever is later
  const FIELD = 'input:not([type=file], [role]), textarea', HEAD = '[role=tab], button.label-wrap';
  const opened = new WeakSet(), typed = new Map();  // field -> what a person made of it
  const held = field => ['checkbox', 'radio'].includes(field.type) ? field.checked : field.value;
  const group = field => field.type === 'radio' && field.closest('.block');  // gradio names each by itself
  const put = (field, value) => {
    if (typeof value === 'boolean') return field.click();
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set.call(field, value);
    field.dispatchEvent(new Event('input', {bubbles: true}));
    if (field !== document.activeElement) field.dispatchEvent(new FocusEvent('blur'));  // by which it is heard
  };
  let until = 0, frames = 0, putting = false;
  const look = now => {
    for (const [field, value] of typed) {
      if (!field.isConnected || held(field) === value) continue;
      typed.delete(field);
      putting = true;  // what it says itself is none that a person typed
      put(field, value);
      putting = false;
    }
    frames -= 1;
    if (now < until || frames > 0) return requestAnimationFrame(look);
    until = 0;
    typed.clear();
  };
  document.addEventListener('click', event => {
    const head = event.target.closest?.(HEAD);
    if (!head && !event.target.closest?.([FIELD, 'label'])) typed.clear();
    if (!head || opened.has(head)) return;
    opened.add(head);
    const goesOn = until > 0;
    [until, frames] = [performance.now() + MOMENT, FRAMES];
    if (!goesOn) requestAnimationFrame(look);
  }, true);
  document.addEventListener('input', ({target}) => {
    if (!until || putting || !target.matches?.(FIELD)) return;
    for (const other of typed.keys()) if (group(target) && group(other) === group(target)) typed.delete(other);
    typed.set(target, held(target));
  }, true);
}"""
