"""The page in other languages: nothing left in English, all back when English is chosen again."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.pictures.opening import UNREADABLE
from nst_core.ui.studio.page_language import language_named
from nst_core.ui.words.letters import has_word
from tests.analysis.poster.test_language import said_of
from tests.e2e.visitors import ENDLESS, load, prepare
from tests.ui.words.catalogue import catalogue
from tests.ui.words.silent import NAMES

pytestmark = pytest.mark.e2e

GERMAN, CHINESE = catalogue("de"), catalogue("zh")

ANSWER = "It is painted, too, and stays to be seen"
REASON = (
    "To the network a pasted outline is an edge like any other, and the content loss keeps edges; blended first, there "
    "is less of it to keep."
)

# All that is seen and heard, in its order.
ALL_WORDS = """() => {
  const words = [], walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  for (let text; (text = walker.nextNode());)
    if (text.data.trim() && !text.parentElement.closest('#announcements')) words.push(text.data);
  for (const name of ['aria-label', 'title', 'alt', 'placeholder'])
    for (const element of document.querySelectorAll(`main [${name}]`))
      if (!element.closest('[translate=no]')) words.push(`${name} ${element.getAttribute(name)}`);
  return words;
}"""
# Opens all that is folded, for as long as that brings more of it.
UNFOLD = """async () => {
  for (let round = 0; round < 8; round++) {
    const folded = [...document.querySelectorAll('button.label-wrap:not(.open)')].filter(one => one.offsetParent);
    if (!folded.length) return;
    folded.forEach(one => one.click());
    await new Promise(done => setTimeout(done, 100));
  }
}"""
# Words that are cut off at a side, run into the arrow of what they unfold, or find no room below a style's picture.
CUT_OFF = """() => {
  const cut = new Set(document.documentElement.scrollWidth > innerWidth ? ['the page'] : []);
  const place = element => element.getBoundingClientRect();
  const extent = element => { const all = document.createRange(); all.selectNodeContents(element); return place(all); };
  const written = document.evaluate('//main//text()[normalize-space()]/..', document, null, 6, null);
  for (let at = 0; at < written.snapshotLength; at++) {
    const one = written.snapshotItem(at), {left, right} = extent(one);
    if (right === left || one.closest('.heard-only')) continue;
    for (let around = one; around !== document.body; around = around.parentElement) {
      const {overflowX} = getComputedStyle(around), hides = /hidden|clip/.test(overflowX);
      if (hides && (right > place(around).right + 1 || left < place(around).left - 1)) cut.add(one.textContent);
      if (overflowX !== 'visible') break;
    }
  }
  for (const head of document.querySelectorAll('button.label-wrap')) {
    const {left, right} = place(head.querySelector('.icon'));  // which may be turned
    if (right > left && extent(head.firstElementChild).right > (left + right) / 2 - 6) cut.add(head.textContent);
  }
  const name = document.createElement('p');
  for (const style of document.querySelectorAll('#style-examples .gallery-item')) {
    const {width, height, font} = getComputedStyle(style, '::after');
    if (width === 'auto') continue;
    name.textContent = style.dataset.name;
    Object.assign(name.style, {position: 'fixed', margin: 0, width, height, font, lineHeight: 1.2});
    document.body.append(name);
    if (name.scrollWidth > name.clientWidth || name.scrollHeight > name.clientHeight + 1) cut.add(name.textContent);
  }
  name.remove();
  return [...cut];
}"""
# Names of layers and of people, formulas, code: they are the same in all languages.
UNSPOKEN = re.compile(
    r"[A-E](-[A-E])?: conv.*|[\w-]*(conv|_)[\w-]*|.*[Σ∇‖²½←].*|.*\w\(.*|.*=.*|.*\bet al\..*"
    r"|Gordić|<Transparent Rectangle>|L-BFGS|w conv.*|while True:|return .*|α/β .*"
    r"|(α )?(β )?(w_l )?[LE]_\w+"
)


def left_in_english(page: Page) -> set[str]:
    found = set(page.evaluate("pageWords.missing()")) - NAMES
    return {text for text in found if not UNSPOKEN.fullmatch(text)}


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=GERMAN[name], exact=True).first.click()
    page.evaluate(UNFOLD)


def test_a_page_goes_through_languages_and_back(browser_tab, app_url):
    page, asked = browser_tab, []
    page.on("request", lambda request: asked.append(request.url))
    load(page, f"{app_url}?lang=en")
    expect(page.locator("#preset-about")).to_contain_text("Kolkin et al. (2022)")
    expect(page.locator("#run")).to_contain_text("Paint ·")  # and how long, which comes last
    before = page.evaluate(ALL_WORDS)
    page.set_viewport_size({"width": 320, "height": 640})  # of the smallest phones
    assert not [url for url in asked if "/words/" in url]  # English is there
    menu = page.get_by_role("combobox", name="Language")
    for language, own in (("de", "Deutsch"), ("zh", "中文"), ("fr", "Français"), ("es", "Español")):
        menu = page.locator("select.page-language")
        menu.select_option(own)
        expect(page.locator("#run")).to_contain_text(catalogue(language)["Paint"])
        assert page.evaluate("document.documentElement.lang") == {"zh": "zh-Hans"}.get(language, language)
        assert "lang=" + language in page.url
        assert page.evaluate(CUT_OFF) == []
    menu.select_option("English")
    expect(page.locator("#run")).to_contain_text("Paint ·")
    assert page.evaluate(ALL_WORDS) == before


@pytest.fixture(scope="module")
def german(lasting_visitor, app_url):
    """A page for somebody whose browser asks for German."""
    page = lasting_visitor(locale="de-AT")
    return load(page, app_url)


def test_nothing_on_the_german_page_is_english(german):
    left = set()
    for tab in ("Stylize", "Instant", "Train", "Explain"):
        open_tab(german, tab)
        left |= left_in_english(german)
    for number, figure in enumerate(FIGURES.values()):
        german.locator("#figure-choice input").nth(number).click()
        expect(german.locator("#figure-words h2")).to_have_text(GERMAN[figure.title])
        left |= left_in_english(german)
    assert not left, json.dumps(sorted(left), ensure_ascii=False, indent=0)


def test_no_german_word_is_cut_off_on_a_phone(german):
    german.set_viewport_size({"width": 390, "height": 844})
    cut = {}
    for tab in ("Stylize", "Instant", "Train", "Explain"):
        open_tab(german, tab)
        cut[tab] = german.evaluate(CUT_OFF)
    german.set_viewport_size({"width": 1280, "height": 900})
    assert not any(cut.values()), cut


def test_menus_show_german_and_hand_over_what_was_chosen(german):
    open_tab(german, "Stylize")
    menu = german.locator("#color input")
    german.locator("#color").scroll_into_view_if_needed()
    menu.click()
    german.get_by_role("option", name=GERMAN["the content's, put back afterwards"]).click()
    expect(menu).to_have_value(GERMAN["the content's, put back afterwards"])
    assert menu.evaluate("input => input.value") == "the content's, put back afterwards"


def test_status_and_errors_are_told_in_german(german, picture_files):
    open_tab(german, "Stylize")
    prepare(german, picture_files, steps=ENDLESS)
    german.click("#run")
    status = german.locator("#status .status")
    expect(status).to_have_text(re.compile(rf"Schritt \d+ von {ENDLESS}"), timeout=30_000)
    german.click("#stop")
    expect(status).to_have_text(re.compile(rf"\s*Angehalten: \d+ Schritte? von {ENDLESS}"), timeout=30_000)
    field = german.locator("#size input[type=number]")
    field.fill("")
    field.press("Tab")
    german.click("#run")
    expect(german.get_by_text(re.compile("ist leer; ausfüllen")).first).to_be_visible()


def test_what_is_put_together_is_told_whole(german):
    told = {
        "content 15 %, style 84 %, total variation 2 %": "Inhalt 15 %, Stil 84 %, Totalvariation 2 %",
        "Size 640, Seed 3, Colours the content's, put back afterwards": (
            f"{GERMAN['Size']} 640, {GERMAN['Seed']} 3, {GERMAN['Colours']} "
            + GERMAN["the content's, put back afterwards"]
        ),
        f"{ANSWER}. {REASON}": f"{GERMAN[ANSWER]}. {GERMAN[REASON]}",
        "Autumn birches": GERMAN["autumn birches"].capitalize(),
        f"photo of me.png {UNREADABLE}": GERMAN[f"{{0}} {UNREADABLE}"].replace("{0}", "photo of me.png"),
    }
    assert {text: german.evaluate("pageWords.translated", text) for text in told} == told
    toast = "<b>Cannot paint</b><br>a <2/> b.png is empty; use another file"
    shown = german.evaluate(
        """html => {
          document.querySelector('main').insertAdjacentHTML('beforeend', `<div id="told">${html}</div>`);
          return new Promise(done => setTimeout(() => done(document.querySelector('#told').innerHTML)));
        }""",
        toast.replace("<2/>", "&lt;2/&gt;"),
    )
    assert shown.startswith(f"<b>{GERMAN['Cannot paint']}</b><br>") and "ist leer" in shown and shown.count("<br>") == 1


def test_the_server_says_what_the_page_says(german):
    """Every third of the catalogue, with fields filled, joined by twos; and all that a figure says."""
    keys = [key for key in GERMAN if "<" not in key][::3]
    filled = [re.sub(r"\{(\d+)\}", lambda field: ("3", "1,234.5", "a b.png")[int(field[1]) % 3], key) for key in keys]
    joints = (" · ", "; ", ": ", ". ", ", ")
    joined = [f"{one}{joints[at % 5]}{filled[at * 7 % len(filled)]}" for at, one in enumerate(filled[::2])]
    texts = [text for text in (*filled, *joined, *said_of("formula")) if "\n" not in text and has_word(text)]
    shown = german.evaluate(
        "texts => texts.map(text => pageWords.translated(text.replace(/\\s+/g, ' ').trim()))", texts
    )
    said = language_named("de").say
    told = {text: (said(text), one or text) for text, one in zip(texts, shown, strict=True)}
    assert len(told) > 600 and not {text: pair for text, pair in told.items() if pair[0] != pair[1]}


def test_names_of_files_and_people_stay(german):
    names = german.evaluate("""() => {
      document.querySelector('main').insertAdjacentHTML('beforeend',
        '<p id="names"><span class="stem">style</span> <bdi>Bold</bdi> <bdi>Painting 3</bdi></p>');
      return new Promise(done => setTimeout(() => done(document.querySelector('#names').textContent)));
    }""")
    assert names == "style Bold Gemälde 3"


def test_numbers_by_themselves_and_remarks_in_formulas_are_german(german):
    told = german.evaluate("""() => {
      document.querySelector('main').insertAdjacentHTML('beforeend', `<ul id="numbers"><li><span>content</span>
        <b>0.00104</b> <i title="1,250.5">3.8 × 10⁻⁵</i> <code>0.5</code></li></ul>
        <div class="equation">L <span class="remark">some add</span> (<span class="remark">eq. 7</span>) 0.5</div>`);
      const list = document.querySelector('#numbers');
      return new Promise(done => setTimeout(() => done([list.textContent.replace(/\\s+/g, ' '),
        list.querySelector('i').title, list.nextElementSibling.textContent])));
    }""")
    assert told == ["Inhalt 0,00104 3,8 × 10⁻⁵ 0.5", "1.250,5", f"L {GERMAN['some add']} (Gl. 7) 0.5"]


def test_the_language_that_was_chosen_last_is_spoken(german):
    waiting = []
    german.route("**/words/fr.json*", lambda route: waiting.append(route))
    menu = german.locator("select.page-language")
    with german.expect_request("**/words/fr.json*"):
        menu.select_option("Français")
    expect(menu).to_have_value("fr")
    menu.select_option("Deutsch")
    with german.expect_response("**/words/fr.json*") as response:
        waiting[0].continue_()
    response.value.finished()
    german.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")  # once it was read
    assert german.evaluate("document.documentElement.lang") == "de" and menu.input_value() == "de"
    german.unroute("**/words/fr.json*")
    german.route("**/words/es.json*", lambda route: route.abort())
    menu.select_option("Español")
    expect(menu).to_have_value("de")  # there is no connection
