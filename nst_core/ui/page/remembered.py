"""Remembers how a person left the page: the open tab, for this browser tab, and what was folded, for the browser."""

# A function that opens the page as it was left, and notes what is opened and folded from then on. A link that says
# what it opens is followed.
SCRIPT = """() => {
  const TAB = 'open tab', FOLDS = 'folds';
  const read = (store, key) => { try { return JSON.parse(store.getItem(key)); } catch { return null; } };
  const write = (store, key, value) => { try { store.setItem(key, JSON.stringify(value)); } catch {} };
  const tabs = () => [...(document.querySelector('[role=tablist]')?.querySelectorAll('[role=tab]') ?? [])];
  const title = element => (window.pageWords?.englishOf(element) ?? element.textContent).trim();
  const heads = () => [...document.querySelectorAll('button.label-wrap')];

  const folds = read(localStorage, FOLDS) ?? {};
  for (const head of heads())
    if (title(head) in folds && folds[title(head)] !== head.classList.contains('open')) head.click();
  const asked = new URLSearchParams(location.search);
  ['__theme', 'lang'].forEach(name => asked.delete(name));
  if (!asked.size) tabs().find(tab => title(tab) === read(sessionStorage, TAB))?.click();

  document.addEventListener('click', event => {
    const tab = event.target.closest?.('[role=tab]'), head = event.target.closest?.('button.label-wrap');
    if (tabs().includes(tab)) write(sessionStorage, TAB, title(tab));
    if (head) setTimeout(() => {
      folds[title(head)] = head.classList.contains('open');
      write(localStorage, FOLDS, folds);
    });
  });
}"""
