"""Keeps the wall of the class's page alive: asks what there is, fetches pictures that changed, answers buttons."""

from nst_core.ui.classroom import asking

LOOK_SECONDS = 1.5  # from one look at the list to the next
LOST = "No connection to the server. Trying again …"

SCRIPT = (
    f"""
const LOOK_SECONDS = {LOOK_SECONDS}, LOST = {LOST!r};
"""
    + """
const place = name => document.getElementById(name);
const wall = place('wall'), large = place('large'), cards = new Map();
let shown = null;  // the id of the painting that is shown large

// Asks the server; who is not known to it any more is asked for the password.
const ask = async (path, options = {}) => {
  const answer = await fetch(`class/${path}`, options);
  if (answer.status === 401 || answer.status === 404) location.reload();
  return answer;
};
const post = (path, values) => ask(path, {
  method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(values ?? {})});

const newCard = painting => {
  const item = place('card').content.cloneNode(true).firstElementChild;
  item.querySelector('button').addEventListener('click', () => showLarge(painting.id));
  wall.append(item);
  return {item, version: ''};
};

const put = (element, text) => { if (element.said !== text) element.textContent = element.said = text; };

// A picture is asked for only if the one before has come, so that a slow connection sees fewer, not older ones.
const picture = (image, painting, side, version) => {
  if (!painting.version || painting.version === version || (image.src && !image.complete)) return version;
  image.src = `class/picture/${painting.id}?side=${side}&version=${painting.version}`;
  return painting.version;
};

const show = painting => {
  if (!cards.has(painting.id)) cards.set(painting.id, newCard(painting));
  const card = cards.get(painting.id), image = card.item.querySelector('img');
  card.version = picture(image, painting, 480, card.version);
  image.hidden = !card.version;
  image.alt = `Show large: the painting of ${painting.name}`;
  put(card.item.querySelector('.name'), painting.name);
  put(card.item.querySelector('.status'), painting.status);
  card.item.querySelector('progress').value = painting.share;
  card.item.classList.toggle('over', !painting.busy);
  card.painting = painting;
  if (shown === painting.id) fillLarge();
};

const look = async () => {
  try {
    const answer = await ask('list');
    if (!answer.ok) throw new Error(answer.status);
    const {paintings, jobs, question} = await answer.json(), ids = new Set(paintings.map(one => one.id));
    paintings.forEach(show);
    showQuestion(question);
    for (const [id, card] of cards) if (!ids.has(id)) { card.item.remove(); cards.delete(id); }
    const busy = paintings.filter(one => one.busy).length, done = paintings.length - busy;
    const other = jobs - busy, others = other > 0 ? `; ${other} other job${other > 1 ? 's' : ''}` : '';
    put(place('counts'), `${busy} at work or waiting, ${done} done${others}`);
    place('nothing').hidden = paintings.length > 0;
    place('stop').disabled = !jobs;
    place('sheet').toggleAttribute('inert', !paintings.some(one => one.version));
    place('problem').hidden = true;
    layOut();
  } catch (error) { put(place('problem'), LOST); place('problem').hidden = false; }
};

// As many columns as let all pictures be seen at once, if they can be large enough for that.
const layOut = () => {
  const count = Math.max(cards.size, 1), gap = 14, least = innerWidth < 640 ? 150 : 220;
  const {width, height} = document.querySelector('main').getBoundingClientRect();
  const words = cards.size ? wall.querySelector('.words').offsetHeight + 8 : 70;
  const most = Math.max(1, Math.floor((width + gap) / (least + gap)));
  let columns = 1;
  const high = () => Math.ceil(count / columns) * ((width - gap * (columns - 1)) / columns * .75 + words + gap);
  while (columns < most && high() > height) columns++;
  wall.style.setProperty('--columns', columns);
};
addEventListener('resize', layOut);

const fillLarge = () => {
  const card = cards.get(shown), image = large.querySelector('img');
  if (!card) return large.close();
  large.version = picture(image, card.painting, 1024, large.version);
  image.alt = `The painting of ${card.painting.name}`;
  put(large.querySelector('b'), card.painting.name);
  put(large.querySelector('span'), card.painting.status);
};
const showLarge = id => {
  if (!cards.get(id).painting.version) return;
  const image = large.querySelector('img');
  image.src = cards.get(id).item.querySelector('img').src;  // until the large one has come
  shown = id; large.version = '';
  large.showModal();
  fillLarge();
};
large.querySelector('img').addEventListener('load', event =>
  large.style.setProperty('--aspect', event.target.naturalWidth / event.target.naturalHeight));
large.addEventListener('click', () => large.close());
large.addEventListener('close', () => { shown = null; });

place('sheet').addEventListener('click', event => {
  event.currentTarget.href = "class/sheet.png?lang=" + (window.pageWords?.language ?? "");
});
place('stop').addEventListener('click', () => place('sure').showModal());
place('sure').addEventListener('close', event => {
  if (event.target.returnValue === 'stop') post('stop').then(look);
  event.target.returnValue = '';
});

// The link
const link = place('link'), style = place('link-style'), told = place('link-told');
const makeLink = async () => {
  const query = new URLSearchParams(new FormData(place('start')));
  const answer = await ask(`link?${query}`);
  if (!answer.ok) return put(told, await answer.text());
  const {address, code, note} = await answer.json();
  put(place('address'), address);
  put(told, note);
  place('code').innerHTML = code;  // which the server drew
};
place('open-link').addEventListener('click', () => { link.showModal(); makeLink(); });
place('start').addEventListener('change', event => { if (event.target.name) makeLink(); });
place('close-link').addEventListener('click', () => link.close());
place('copy').addEventListener('click', async () => {
  try { await navigator.clipboard.writeText(place('address').textContent); put(told, 'Copied.'); }
  catch { getSelection().selectAllChildren(place('address')); put(told, 'Press Ctrl+C to copy it.'); }
});
place('own').addEventListener('change', async event => {
  const [file] = event.target.files;
  if (!file) return;
  put(told, 'Taking the picture …');
  const parts = new FormData();
  parts.append('files', file);
  const sent = await fetch('gradio_api/upload', {method: 'POST', body: parts});
  if (!sent.ok) return put(told, await sent.text());
  const answer = await post('style', {path: (await sent.json())[0]});
  if (!answer.ok) return put(told, await answer.text());
  style.add(new Option(`Your picture: ${file.name}`, await answer.json(), true, true));
  event.target.value = '';
  makeLink();
});

"""
    + asking.SCRIPT
    + """
const keepLooking = async () => {
  if (!document.hidden) await look();
  setTimeout(keepLooking, 1000 * LOOK_SECONDS);
};
keepLooking();
"""
)
