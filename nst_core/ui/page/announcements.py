"""Tells those who hear the page how work goes on: that it begins, each quarter, and how it ends, not every step.

What cannot be done is an alert of its own, see `status_html`.
"""

# A function that begins to look at all lines of status, once, when the page is loaded.
SCRIPT = """() => {
  if (document.querySelector('#announcements')) return;
  const region = Object.assign(document.createElement('div'), {id: 'announcements', className: 'heard-only'});
  region.setAttribute('aria-live', 'polite');
  region.setAttribute('role', 'status');
  (document.querySelector('main') ?? document.body).append(region);
  let heard = new WeakMap();  // place of a line -> what was told of it
  const place = line => line.closest('[id]') ?? line.parentElement;
  const words = line => line.firstElementChild?.textContent.trim() ?? '';
  const tell = text => { region.textContent = text; };

  const listen = line => {
    const told = heard.get(place(line)), run = line.dataset.run, text = words(line);
    const share = line.querySelector('progress')?.value ?? 0, quarter = Math.floor(4 * share);
    if (!told) return heard.set(place(line), {run, text, quarter});  // as it was when the page, or its tab, was opened
    if (run && run !== told.run) tell(text);
    else if (run && quarter > told.quarter && quarter < 4) tell(`${25 * quarter} %: ${text}`);
    else if (!run && (told.run || text !== told.text) && !line.matches('.problem')) tell(text);
    else if (run) return;
    heard.set(place(line), {run, text, quarter});
  };
  document.addEventListener('page-language', () => { heard = new WeakMap(); });  // what was said is not said again
  setInterval(() => document.querySelectorAll('.status').forEach(listen), SECONDS * 1000);
}""".replace("SECONDS", "0.5")
