"""Says at once that a picture or style was taken, before the server can have heard of it.

A slow machine needs seconds to answer a click. From then on its own line of status says what goes on.
"""

SECONDS = 20  # without a word of the server's, after which nothing is said to go on any more

LINE = '<div class="soon"><div></div><progress aria-label="Progress"></progress></div>'

# A function for the page, once. What is chosen already is not painted again; without a picture nothing is.
SCRIPT = """() => {
  if (window.saysAtOnce) return;
  window.saysAtOnce = true;
  const READING = 'Taking the picture …', LEARNING = 'Taking the style of that picture …';
  const view = () => document.getElementById('instant-view');
  let clock = null;
  // the server's word, or that something cannot be done
  const heard = new MutationObserver(changes => {
    const answered = changes.some(({target, addedNodes}) =>
      (target.nodeType === 1 ? target : target.parentElement)?.closest('#instant-status')
      || [...addedNodes].some(node => node.matches?.('.toast-wrap *, .notice') || node.querySelector?.('.toast-body')));
    if (answered) end();
  });
  const end = () => { clearTimeout(clock); heard.disconnect(); view()?.removeAttribute('aria-busy'); };
  const begin = words => {
    const line = view()?.querySelector('.soon > div');
    if (!line) return;
    end();
    line.textContent = words;
    view().setAttribute('aria-busy', 'true');
    heard.observe(document.body, {childList: true, subtree: true, characterData: true});
    clock = setTimeout(end, SECONDS * 1000);
  };
  const given = target => {
    if (target.closest?.('#instant-picture')) begin(READING);
    if (target.closest?.('#instant-own-style')) begin(LEARNING);
  };
  document.addEventListener('click', event => {
    const at = event.target, chosen = at.closest?.('#instant-examples .gallery-item, #styles .thumbnail');
    if (at.closest?.('#instant-picture .icon-button')) end();
    if (!chosen || chosen.ariaPressed === 'true') return;
    if (!chosen.matches('.thumbnail')) begin(READING);
    else if (document.querySelector('#instant-picture .image-frame img'))
      begin(`Painting in one pass: ${chosen.textContent.trim()} …`);
  }, true);
  document.addEventListener('change', event => {
    if (event.target.type === 'file' && event.target.files.length) given(event.target);
  }, true);
  document.addEventListener('drop', event => { if (event.dataTransfer?.files.length) given(event.target); }, true);
}""".replace("SECONDS", str(SECONDS))
