"""Takes pictures that are dropped or pasted anywhere on the page, or says why not; gradio's fields take files only.

Each place for files is named by its label and by what stands in it.

gradio 6.31: a drop without a file (a picture of a page) empties a filled field, a drop beside the fields opens the file
in place of the page, and a HEIC whose browser knows no type for it is refused.
"""

SECONDS = 8  # for which a notice stays

# A function that connects all, once, when the page is loaded.
SCRIPT = """() => {
  if (window.takesDrops) return;
  window.takesDrops = true;
  const ELSEWHERE = 'That picture lies on another page: save it, then drop the file here.';
  const BESIDE = 'Drop files on one of the fields for pictures.';
  const NO_PICTURE = 'What was dropped is no file; drop a picture’s file.';
  const field = target => {
    const block = target instanceof Element && target.closest('.block');
    return block && block.querySelector('input[type=file]') ? block : null;
  };
  const writes = target => target instanceof Element
    && target.closest('textarea, input:not([type=file]), [contenteditable]');

  const say = words => {
    document.querySelector('.notice')?.remove();
    const notice = Object.assign(document.createElement('div'), {className: 'notice', textContent: words});
    notice.setAttribute('role', 'alert');
    document.body.append(notice);
    setTimeout(() => notice.remove(), SECONDS * 1000);
  };

  // as gradio knows pictures: by their type, which some browsers do not have for HEIC and OpenEXR
  const typed = file => /\\.(hei[cf]|exr)$/i.test(file.name) && !file.type.startsWith('image/')
    ? new File([file], file.name, {type: /\\.exr$/i.test(file.name) ? 'image/x-exr' : 'image/heic'}) : file;
  const give = (block, files) => {
    const input = block.querySelector('input[type=file]'), all = new DataTransfer();
    (input.multiple ? files : files.slice(0, 1)).map(typed).forEach(file => all.items.add(file));
    input.files = all.files;
    input.dispatchEvent(new Event('change', {bubbles: true}));
  };

  // a picture that is dragged out of this page, such as a painting
  const fetched = async address => {
    const blob = await (await fetch(address)).blob();
    const ending = blob.type.split('/')[1]?.replace('jpeg', 'jpg');
    if (!blob.type.startsWith('image/')) throw new TypeError(blob.type);
    return new File([blob], `picture.${ending}`, {type: blob.type});
  };
  const isOurs = address => /^(data|blob):/.test(address) || new URL(address, location).origin === location.origin;

  document.addEventListener('dragover', event => {
    if (!writes(event.target)) event.preventDefault();  // or the browser leaves the page at the drop
  });
  document.addEventListener('drop', async event => {
    const {files} = event.dataTransfer, block = field(event.target);
    if (!files.length && writes(event.target)) return;  // text into a text field
    event.preventDefault();
    if (files.length) {
      const given = [...files];
      if (!block) { event.stopPropagation(); return say(BESIDE); }
      if (block.querySelector('.image-container')) { event.stopPropagation(); give(block, given); }
      return;  // else gradio's own, which knows folders
    }
    event.stopPropagation();
    const address = event.dataTransfer.getData('text/uri-list').split('\\n')[0].trim();
    if (!block) return;
    if (!address) return say(NO_PICTURE);
    if (!isOurs(address)) return say(ELSEWHERE);
    try { give(block, [await fetched(address)]); } catch { say(NO_PICTURE); }
  }, true);

  // the field that was last pointed at or in focus, or the first that is empty
  let last = null;
  for (const kind of ['pointerdown', 'focusin'])
    document.addEventListener(kind, event => { last = field(event.target) ?? last; }, true);
  document.addEventListener('paste', event => {
    const files = [...event.clipboardData.files].filter(file => file.type.startsWith('image/'));
    if (!files.length || writes(event.target)) return;
    const seen = [...document.querySelectorAll('.block:has(.image-container input[type=file])')]
      .filter(block => block.getClientRects().length);
    const empty = seen.find(one => !one.querySelector('.image-frame img')) ?? seen[0];
    const block = last?.getClientRects().length ? last : empty;
    if (!block) return;
    event.preventDefault();
    give(block, files);
  });

  // gradio calls all places for files alike
  const name = () => document.querySelectorAll('button.upload-container:not([data-named])').forEach(place => {
    const words = place.innerText.replace(/\\s+/g, ' ').trim();
    if (!words) return;  // as it is not shown yet
    const label = place.closest('.block')?.querySelector('[data-testid=block-label]')?.textContent.trim();
    place.ariaLabel = label ? `${label}: ${words}` : words;
    place.dataset.named = '';
  });
  name();
  let asked = 0;  // for the frame in which all is laid out that a place's words depend on
  const soon = () => { asked ||= requestAnimationFrame(() => { asked = 0; name(); }); };
  new MutationObserver(soon).observe(document.body, {childList: true, subtree: true});
  document.addEventListener('focusin', name, true);
  document.addEventListener('page-language', () => {
    document.querySelectorAll('[data-named]').forEach(place => { delete place.dataset.named; });
    name();
  });

  // the chooser of files shows HEIC and OpenEXR, too, and what is chosen has a type
  document.addEventListener('click', () => document.querySelectorAll('input[type=file][accept="image/*"]')
    .forEach(input => { input.accept = 'image/*,.heic,.heif,.exr'; }), true);
  document.addEventListener('change', event => {
    const input = event.target;
    if (input.type !== 'file' || ![...input.files].some(file => typed(file) !== file)) return;
    event.stopPropagation();
    give(field(input), [...input.files]);
  }, true);
}""".replace("SECONDS", str(SECONDS))
