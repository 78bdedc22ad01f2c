// Shows the page in its reader's language: what it writes in English is looked up in a catalogue, before it is painted.
//
// A key is a sentence in English: {0} stands for what varies, <1>…</1> for what stands within the line, <1/> for what
// stays as it is. Elements are moved, never made anew; what was written in English is remembered for each place.
(() => {
  if (window.pageWords) return;
  const NAMES = /* languages */ {}, VERSION = '/* version */', KEPT = 'neural-style-lab-language';
  const TAGS = {zh: 'zh-Hans'};
  const WITHIN = 'a,abbr,b,bdi,br,cite,code,em,i,kbd,mark,q,s,small,span,strong,sub,sup,u,var';
  const SEALED = 'br,code,kbd,pre,script,style,textarea,var,svg,canvas,[translate=no],[contenteditable=true],.equation,' +
    '.json-holder,.json-node,.stem,.filename,bdi';  // a file's and a person's own names, too
  const ATTRIBUTES = ['aria-label', 'title', 'alt', 'placeholder', 'data-hint', 'data-name', 'aria-roledescription'];
  const WORD = /\p{L}{2}/u, SPOKEN = /\p{L}/u, MARK = /<\/?\d+\/?>/;
  const FEW = 6, SURE = 15, LIST = /[,;] |[.!?…] \p{Lu}/u;  // letters of a template whose fields may be lists, or sentences; such
  const LONGEST = 600;  // of what is taken apart: that takes the longer, the more parts there are

  // ---- which language

  const known = tag => {
    const [short, ...rest] = String(tag ?? '').toLowerCase().split(/[-_]/);
    const foreign = short === 'zh' && /hant|tw|hk|mo/.test(rest.join());
    return Object.hasOwn(NAMES, short) && !foreign ? short : null;
  };
  const kept = () => {
    try { return sessionStorage.getItem(KEPT) ?? localStorage.getItem(KEPT); } catch { return null; }
  };
  const keep = (short, ...stores) => {
    try { stores.forEach(store => window[store].setItem(KEPT, short)); } catch { /* for this page alone */ }
  };
  const linked = known(new URLSearchParams(location.search).get('lang'));
  if (linked) keep(linked, 'sessionStorage');  // for the pages to which this one leads
  const wanted = linked ?? known(kept()) ?? [...navigator.languages].map(known).find(Boolean) ?? 'en';
  // gradio speaks English, so that its words are found in the catalogue, too
  Object.defineProperty(navigator, 'language', {get: () => 'en', configurable: true});
  Object.defineProperty(navigator, 'languages', {get: () => ['en'], configurable: true});

  let language = 'en', catalogue = {}, templates = new Map(), memory = new Map(), plural = null, joints = {};
  const JOINTS = {
    zh: {', ': '，', '; ': '；', ': ': '：', ' ': ''},
    fr: {'; ': '\u202f; ', ': ': '\u00a0: '},
  };
  const ENDS = {zh: {'.': '。', ':': '：'}, fr: {':': '\u00a0:'}};
  const QUOTES = {de: '„“', fr: '«\u00a0|\u00a0»', es: '«»', zh: '“”'};
  const tag = () => TAGS[language] ?? language;

  // ---- looking up

  const tidy = text => text.replace(/\s+/g, ' ').trim();

  function compile(entries) {
    const made = new Map();
    for (const [key, value] of Object.entries(entries)) {
      if (!/\{\d+\}/.test(key)) continue;
      const parts = key.replace(/(\{\d+\})(?:\{\d+\})+/g, '$1').split(/\{(\d+)\}/);
      const template = {value, fixed: parts.filter((_, at) => at % 2 === 0), fields: parts.filter((_, at) => at % 2)};
      template.weight = template.fixed.join('').replace(/<\/?\d+\/?>|[^\p{L}]/gu, '').length;
      const first = /^(\S+) /.exec(template.fixed[0])?.[1] ?? '';
      if (!made.has(first)) made.set(first, []);
      made.get(first).push(template);
    }
    for (const list of made.values()) list.sort((one, other) => other.weight - one.weight);
    return made;
  }

  function fitted({fixed, fields, weight}, text) {  // what stands in the fields, or null
    if (text.includes(' · ') && !fixed.some(part => part.includes(' · '))) return null;  // several, side by side
    const last = fixed.at(-1), end = text.length - last.length;
    if (!text.startsWith(fixed[0]) || !text.endsWith(last)) return null;
    const found = {};
    let at = fixed[0].length;
    for (let number = 0; number < fields.length; number++) {
      const next = number === fields.length - 1 ? end : text.indexOf(fixed[number + 1], at + 1);
      const mayLack = number === fields.length - 1 && !last && !/\s$/.test(fixed[number]);  // "1 done{1}"
      if (next < at + !mayLack || next > end) return null;
      found[fields[number]] = text.slice(at, next);
      at = next + fixed[number + 1].length;
    }
    const texts = Object.values(found);
    const isList = text => LIST.test(text) && !Object.hasOwn(catalogue, text);
    if (texts.some(text => MARK.test(text)) || (weight < SURE && texts.some(isList))) return null;
    const labels = text => /:( |$)/.test(text) && !fixed.some(part => part.includes(':'));  // it ends one, and has its value
    const settled = text => !labels(text) && (!/\s/.test(text) || !WORD.test(text) || translated(text) !== null);
    return weight > FEW || texts.every(settled) ? found : null;
  }

  const NUMBER = /(?<![\w.,:-])(?<![^)\]²]\/)(\d[\d,]*(?:\.\d+)?)(e[+-]?\d+)?(?![\w/:]|[.,]\d)/g;
  const numbers = text => language === 'zh' ? text : text.replace(NUMBER, (whole, number, power) => {
    if (!/^(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?$/.test(number) || !/[.,]/.test(number)) return whole;
    const digits = number.split('.')[1]?.length ?? 0;
    return Number(number.replaceAll(',', '')).toLocaleString(tag(),
      {minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: number.includes(',')}) + (power ?? '');
  });

  function within(text) {  // of a field
    const bare = text.trim(), found = translated(bare);
    return found === null ? numbers(text) : text.replace(bare, () => found);
  }

  function filled(value, found) {
    if (typeof value !== 'string') {
      const count = Number(String(found[0] ?? '').replaceAll(',', ''));
      value = value[plural.select(Number.isFinite(count) ? count : 2)] ?? value.other;
    }
    let [told, ...rest] = value.split(/\{(\d+)\}/);
    for (let at = 0; at < rest.length; at += 2) {
      const text = found[rest[at]] ?? '', inner = within(text), after = rest[at + 1];
      // what somebody called so keeps its spaces
      told = inner === text ? told + inner + after : joined(joined(told, inner), after);
    }
    return told;
  }

  const joined = (left, right) => language !== 'zh' ? left + right  // Chinese has no space between translated words
    : left.slice(0, -2) + (left.slice(-2) + right.slice(0, 2)).replace(/(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])/, '')
      + right.slice(2);

  function looked(text) {
    if (Object.hasOwn(catalogue, text)) return filled(catalogue[text], {});
    const first = /^\S+/.exec(text)?.[0] ?? '';
    for (const list of [templates.get(first), templates.get('')]) for (const template of list ?? []) {
      const found = fitted(template, text);
      if (found) return filled(template.value, found);
    }
    return null;
  }

  function split(text) {
    const quoted = /^“([^“”]+)”$/.exec(text);
    if (quoted) {
      const inner = translated(quoted[1]), [open, close] = quotes();
      return inner === null ? null : open + inner + close;
    }
    const ended = sentenceEnd(text);
    if (ended !== null) return ended;
    for (const end of text.matchAll(/[.!?…:] /g)) {  // several sentences, of which the catalogue may hold some together
      const left = text.slice(0, end.index + 1), found = looked(left) ?? sentenceEnd(left);
      const rest = found === null ? null : translated(text.slice(end.index + 2));
      if (rest !== null) return found + (joints[' '] ?? ' ') + rest;
    }
    const [, before, core, after] = /^(\d+\. |[^\p{L}\d]*)(.*?)([^\p{L}\d]*)$/u.exec(text);
    if ((before || after) && core) { const found = translated(core); if (found !== null) return before + found + after; }
    for (const joint of [' · ', / (?<=[.!?…:] )(?<!\d … )(?=[\p{Lu}\d“])/u, '; ', / (?=\([^()]+\)$)/, ': ', ', ', ' – ', ' × ', ' → ']) {
      const parts = text.split(joint);
      if (parts.length < 2) continue;
      const led = part => translated(joint + part)?.replace(/^[;,·；，] ?/, '') ?? null;  // what only follows another
      const told = parts.map((part, at) => translated(part) ?? (at && typeof joint === 'string' ? led(part) : null));
      const whole = told.every((one, at) => one !== null || !/\s/.test(parts[at]) || !speaks(parts[at]));
      const most = told.filter(one => one !== null).length > parts.length / 2;
      const loose = joint === ' · ' || (joint === '; ' && (most || told[0] !== null)) || typeof joint !== 'string';
      if (!told.some(one => one !== null) || !(whole || loose)) continue;
      const glue = typeof joint === 'string' ? joint : ' ';
      return told.map((one, at) => one ?? numbers(parts[at])).join(joints[glue] ?? glue);
    }
    for (let at = text.indexOf(', '); at > 0; at = text.indexOf(', ', at + 1)) {  // a list, of which some have commas
      const left = partOf(text.slice(0, at)), right = left === null ? null : partOf(text.slice(at + 2));
      if (right !== null) return left + (joints[', '] ?? ', ') + right;
    }
    for (let at = text.lastIndexOf(' '); at > 0; at = text.lastIndexOf(' ', at - 1)) {  // "Seed 3": a label and its value
      const label = text.slice(0, at), value = text.slice(at + 1);
      if (!Object.hasOwn(catalogue, label) || typeof catalogue[label] !== 'string') continue;
      const told = WORD.test(value) ? Object.hasOwn(catalogue, value) && catalogue[value] : numbers(value);
      if (typeof told === 'string') return joined(`${catalogue[label]} `, told);
    }
    for (const joint of [', ', ': ']) {  // a label of two, of which one has that in it
      const at = text.lastIndexOf(joint), [left, right] = [text.slice(0, at), text.slice(at + joint.length)];
      const told = at > 0 && !/\s/.test(right) ? translated(left) : null;
      if (told !== null) return told + (joints[joint] ?? joint) + (translated(right) ?? right);
    }
    return null;
  }

  function parted(text) {  // a long list, of which only the parts are looked up
    const told = text.split('; ').map(translated);
    return told.length < 2 || told.every(one => one === null) ? null
      : told.map((one, at) => one ?? numbers(text.split('; ')[at])).join(joints['; '] ?? '; ');
  }

  const speaks = text => WORD.test(text.replace(/\S*_\S*/g, ''));  // has a word that is no name such as conv1_1

  const partOf = text => WORD.test(text) ? translated(text) : numbers(text);

  const quotes = () => { const pair = QUOTES[language] ?? '“”'; return pair.includes('|') ? pair.split('|') : [...pair]; };

  function sentenceEnd(text) {  // a sentence of which the catalogue has the words without its end
    const mark = /^(.*[^.:…])(\.|:| ?…)$/.exec(text);
    const found = mark && looked(mark[1]);
    return found ? found + (ENDS[language]?.[mark[2]] ?? mark[2]) : null;
  }

  function saidOfFile(text) {  // its name, as it is, and words behind it
    const [, name, words] = /^([^\s;:][^;:]*?\.[A-Za-z][A-Za-z0-9]{1,4}) (.+)$/.exec(text) ?? [], found = words && looked(words);
    return found ? `${name} ${found}` : null;
  }

  function lowered(text) {  // what begins with a capital here, and elsewhere does not
    const key = text[0].toLowerCase() + text.slice(1), found = catalogue[key];
    if (key === text || !Object.hasOwn(catalogue, key) || typeof found !== 'string') return null;
    return found[0].toUpperCase() + found.slice(1);
  }

  function translated(text) {  // null: the catalogue has nothing of it
    if (!SPOKEN.test(text) || text.length > 4000) return null;
    if (memory.has(text)) return memory.get(text);
    if (memory.size > 4000) memory.clear();
    memory.set(text, null);  // in its own fields it is not looked up again
    const ended = language === 'zh' && text.endsWith('.') ? sentenceEnd(text) : null;  // before a field takes the stop
    const found = ended ?? looked(text) ?? saidOfFile(text)
      ?? (text.length > LONGEST ? parted(text) : split(text)) ?? lowered(text);
    memory.set(text, found);
    return found;
  }

  // ---- what stands on the page

  const said = new WeakMap();  // text -> {en, shown}
  const saidIn = new WeakMap();  // element -> attribute -> {en, shown}
  const unknown = new WeakSet();  // texts of which the catalogue has nothing
  const orders = new WeakMap();  // element whose children were moved -> they, as they stood
  const english = node => { const told = said.get(node); return told?.shown === node.data ? told.en : node.data; };
  const texts = element => {  // in it, however deep
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT), found = [];
    while (walker.nextNode()) found.push(walker.currentNode);
    return found;
  };
  const isElement = node => node.nodeType === 1, isText = node => node.nodeType === 3;

  const unmarked = text => text.replace(/<(?=\/?\d)/g, '<\u200b');  // what somebody called so is no mark
  function write(node, told, isKnown = true) {
    const en = english(node), text = told.replaceAll('<\u200b', '<');
    if (isKnown) unknown.delete(node); else unknown.add(node);
    if (text === node.data && en === text) return;
    said.set(node, {en, shown: text});
    if (node.data !== text) node.data = text;
  }

  function attributes(element) {
    for (const name of ATTRIBUTES) {
      const now = element.getAttribute(name);
      if (!now) continue;
      const told = saidIn.get(element) ?? {}, en = told[name]?.shown === now ? told[name].en : now;
      const shown = language === 'en' ? en : translated(tidy(en)) ?? (WORD.test(en) ? en : numbers(en));
      if (shown === now && en === now) continue;
      saidIn.set(element, {...told, [name]: {en, shown}});
      if (shown !== now) element.setAttribute(name, shown);
    }
  }

  function lone(node) {
    const en = english(node), words = tidy(en);
    if (language === 'en' || !words) { if (node.data !== en) write(node, en); return; }
    const parent = node.parentElement;
    if (parent.tagName === 'OPTION' && !parent.hasAttribute('value')) parent.setAttribute('value', words);
    if (!WORD.test(words)) { write(node, numbers(en)); return; }
    const found = translated(unmarked(words));
    write(node, found === null ? en : /^\s*/.exec(en)[0] + found + /\s*$/.exec(en)[0], found !== null);
  }

  // whether an element is a sentence: text, and what stands within a line
  const isSentence = element => element.firstElementChild !== null && !element.querySelector(`:not(${WITHIN})`)
    && [...element.childNodes].some(node => isText(node) && english(node).trim());

  function putBack(element) {  // children that were moved
    const order = orders.get(element);
    if (!order) return;
    orders.delete(element);
    if (order.every(node => node.parentNode === element)) element.prepend(...order);
  }

  function written(element, marks, sealedAll) {  // a sentence with its marks
    return [...element.childNodes].map(node => {
      if (isText(node)) return unmarked(english(node));
      if (!isElement(node)) return '';
      const number = marks.push(node) - 1;
      const text = node.textContent;
      if (sealedAll || node.matches(SEALED) || !WORD.test(text)) {
        marks.push(...node.querySelectorAll('*'));
        return `<${number}/>`;
      }
      return `<${number}>${written(node, marks, sealedAll)}</${number}>`;
    }).join('');
  }

  function sentence(element) {  // whether it was found, and written
    putBack(element);
    for (const inner of element.querySelectorAll('*')) putBack(inner);
    if (language === 'en') return false;
    for (const sealedAll of [false, true]) {
      const marks = [null], key = tidy(written(element, marks, sealedAll));
      const found = WORD.test(key.replace(/<\/?\d+\/?>/g, '')) ? looked(key) : null;
      if (found === null) continue;
      const tree = parsed(found), count = key.match(/<\d+/g)?.length ?? 0;
      if (!tree || tree.count !== count) continue;
      place(element, tree, marks);
      const open = new Set(key.match(/<(\d+)>/g)?.map(mark => Number(mark.slice(1, -1))));
      marks.forEach((node, number) => {
        if (node) attributes(node);
        if (node && !open.has(number) && !node.matches(SEALED)) node.childNodes.forEach(child => isText(child) && lone(child));
      });
      return true;
    }
    return false;
  }

  function parsed(text) {  // "Drag <1>the line</1>" -> [text, {number, inside}], null if marks do not close
    const tree = [], open = [tree];
    tree.count = 0;
    for (const part of text.split(/(<\/?\d+\/?>)/)) {
      const mark = /^<(\/?)(\d+)(\/?)>$/.exec(part);
      if (!mark) { if (part) open.at(-1).push(part); }
      else if (mark[1]) { if (open.length < 2) return null; open.pop(); }
      else {
        const inside = mark[3] ? null : [];
        open.at(-1).push({number: Number(mark[2]), inside});
        tree.count += 1;
        if (inside) open.push(inside);
      }
    }
    return open.length === 1 ? tree : null;
  }

  function place(element, tree, marks) {  // write a sentence into its nodes
    const nodes = [...element.childNodes], elements = nodes.filter(isElement);
    const order = tree.filter(part => typeof part !== 'string').map(part => marks[part.number]);
    if (order.some(node => node.parentNode !== element)) return;  // a mark that left its place
    if (order.some((node, at) => node !== elements[at])) {
      orders.set(element, nodes);
      const first = nodes.find(isText);
      order.forEach(node => element.append(node));
      nodes.filter(isText).forEach((node, at) => element.insertBefore(node, node === first ? element.firstChild : order[at] ?? null));
    }
    let gap = null;  // where the text before the next element is
    const texts = [...element.childNodes];
    let at = 0;
    const fill = text => {  // the texts up to the next element
      let done = false;
      for (; at < texts.length && !isElement(texts[at]); at++) if (isText(texts[at])) { write(texts[at], done ? '' : text); done = true; }
      if (!done && text) {
        const made = document.createTextNode('');
        element.insertBefore(made, texts[at] ?? null);
        write(made, text);
      }
    };
    gap = '';
    for (const part of tree) {
      if (typeof part === 'string') { gap += part; continue; }
      fill(gap);
      gap = '';
      at += 1;
      if (part.inside) place(marks[part.number], part.inside, marks);
    }
    fill(gap);
  }

  function visit(node) {
    if (isText(node)) return lone(node);
    if (!isElement(node) || node.matches(SEALED)) return sealed(node);
    attributes(node);
    if (node.tagName === 'INPUT') return choice(node);
    if (isSentence(node) && sentence(node)) return;
    for (const child of [...node.childNodes]) visit(child);
  }

  function sealed(node) {  // of which only what is heard, or drawn, is put into words
    if (!isElement(node) || node.matches('[translate=no], script, style')) return;
    attributes(node);
    if (node.matches('bdi')) texts(node).forEach(text => /^Painting \d+$/.test(english(text)) && lone(text));  // no name
    if (node.matches('.equation')) {
      node.querySelectorAll('[title], [aria-label]').forEach(attributes);
      node.querySelectorAll('.remark').forEach(visit);
    }
    if (!node.matches('svg')) return;
    for (const text of node.querySelectorAll('text, title, tspan')) text.childNodes.forEach(part => isText(part) && lone(part));
  }

  // the choice that a menu of gradio's shows: its own programs go on to read the English
  const VALUE = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
  const shownIn = new WeakMap();
  function choice(input) {
    if (!['listbox', 'combobox'].includes(input.getAttribute('role'))) return;
    const show = text => {
      const shown = language === 'en' ? text : translated(tidy(text)) ?? text;
      shownIn.set(input, {en: text, shown});
      VALUE.set.call(input, shown);
    };
    const read = () => {
      const now = VALUE.get.call(input), told = shownIn.get(input);
      if (told?.shown === now) return told.en;
      return language !== 'en' && document.activeElement === input ? '' : now;  // typed: it would look for English
    };
    if (!shownIn.has(input)) Object.defineProperty(input, 'value', {get: read, set: show, configurable: true});
    if (document.activeElement !== input) show(read());
  }

  // ---- what changes

  const highest = node => {  // the sentence that a node is part of, if any
    let found = null;
    for (let at = isElement(node) ? node : node.parentElement; at; at = at.parentElement) {
      if (isSentence(at)) found = at;
      if (!at.matches(WITHIN)) break;
    }
    return found;
  };
  const observer = new MutationObserver(changes => {
    const places = new Set();
    for (const {type, target, addedNodes} of changes) {
      if (type === 'attributes') { if (!target.closest('[translate=no]')) attributes(target); continue; }
      const around = isElement(target) ? target : target.parentElement, closed = around?.closest(SEALED);
      if (closed) places.add(closed);
      if (closed || !target.isConnected) continue;
      const whole = highest(target);
      if (whole) places.add(whole);
      else if (type === 'characterData') places.add(target);
      else addedNodes.forEach(node => node.isConnected && places.add(node));
    }
    places.forEach(visit);
    observer.takeRecords();  // of what was written here
  });
  const observe = () => observer.observe(document.documentElement, {
    childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES,
  });

  // ---- choosing

  const fetched = {};
  const fetchWords = chosen => fetched[chosen] ??= fetch(`words/${chosen}.json?${VERSION}`).then(answer => {
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  });

  let turn = 0;
  async function speak(chosen, chose = () => {}) {
    const mine = ++turn, entries = chosen === 'en' ? {} : await fetchWords(chosen).catch(() => null);
    if (!entries) delete fetched[chosen];
    if (mine !== turn) return;  // another was chosen meanwhile
    if (!entries) return name();
    chose();
    observer.disconnect();
    language = chosen;
    [catalogue, templates, memory] = [entries, compile(entries), new Map()];
    [plural, joints] = [new Intl.PluralRules(tag()), JOINTS[chosen] ?? {}];
    name();
    visit(document.documentElement);
    observe();
    document.dispatchEvent(new CustomEvent('page-language', {detail: chosen}));
  }

  const name = () => {  // gradio names the page's language after its own
    if (document.documentElement.lang !== tag()) document.documentElement.lang = tag();
    if (menu.value !== language) menu.value = language;
    menu.ariaLabel = translated('Language') ?? 'Language';
  };

  const menu = document.createElement('select');
  menu.className = 'page-language';
  menu.setAttribute('translate', 'no');
  for (const [short, own] of Object.entries(NAMES)) menu.add(Object.assign(new Option(own, short), {lang: TAGS[short] ?? short}));
  menu.addEventListener('change', () => {
    const chosen = menu.value, address = new URL(location);
    speak(chosen, () => {
      keep(chosen, 'localStorage', 'sessionStorage');
      if (!address.searchParams.has('lang')) return;
      address.searchParams.set('lang', chosen);
      history.replaceState(history.state, '', address);
    });
  });
  const look = new CSSStyleSheet();
  look.replaceSync(`
    .page-language { font: inherit; font-size: 14px !important; line-height: 1.2 !important; padding: 4px 28px 4px 8px !important;
      background-position: right 6px center !important; width: auto !important; border-radius: 6px; color: inherit; background: var(--background-fill-primary, transparent);
      border: 1px solid var(--border-color-primary, currentColor); }
    .page-language option { color: #000; background: #fff; }
    #title { position: relative; padding-right: 116px !important; }
    #title > .page-language { position: absolute; top: 4px; right: 0; }
    body > .page-language { float: right; } .door .page-language { margin-top: 16px; }
    body.projector .page-language { display: none; }
    @media print { .page-language { display: none; } }`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, look];

  const stand = () => {  // in the page's head
    const place = document.querySelector('#title, body > header .buttons, main.door > *');
    if (place) place.append(menu);
    else if (document.readyState !== 'loading' && !document.querySelector('gradio-app')) document.body?.prepend(menu);
    return menu.isConnected;
  };
  const waiting = new MutationObserver(() => { if (stand()) waiting.disconnect(); });
  waiting.observe(document, {childList: true, subtree: true});
  document.addEventListener('DOMContentLoaded', () => stand() && waiting.disconnect());
  new MutationObserver(name).observe(document.documentElement, {attributes: true, attributeFilter: ['lang']});

  function missing() {  // what stands on the page in English for want of a translation
    const found = new Set(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (unknown.has(walker.currentNode)) found.add(tidy(walker.currentNode.data));
    for (const element of document.body.querySelectorAll(ATTRIBUTES.map(attribute => `[${attribute}]`).join())) {
      if (element.closest('[translate=no]')) continue;
      for (const attribute of ATTRIBUTES) {
        const text = tidy(element.getAttribute(attribute) ?? ''), told = saidIn.get(element)?.[attribute];
        if (WORD.test(text) && !told && translated(text) === null) found.add(text);
      }
    }
    return [...found];
  }
  const englishOf = element => texts(element).map(english).join('');  // as the program wrote it
  window.pageWords = {speak, translated, missing, englishOf, get language() { return language; }};
  name();
  if (wanted !== 'en') speak(wanted);
})();
