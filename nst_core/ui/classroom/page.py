"""Writes the class's page, and the one that asks for the password."""

from collections.abc import Iterable
from html import escape
from string import Template

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.transfer.presets import DEFAULT_PRESET, PRESETS
from nst_core.ui.classroom import asking
from nst_core.ui.classroom.look import STYLE
from nst_core.ui.classroom.script import SCRIPT
from nst_core.ui.studio.links import EXAMPLES, FIGURE_KEY, PRESET_KEY, STYLE_KEY

# What a browser may do for these pages: what they bring along, and to ask this server.
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)

HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<script nonce="$nonce" src="words/script.js"></script>
<title>The class · Neural Style Lab</title>
<style nonce="$nonce">$style</style>
</head>
"""

DOOR = """<body>
<main class="door">
<form method="post">
  <h1>The paintings of the class</h1>
  <label>Password<input type="password" name="password" autocomplete="current-password" required autofocus></label>
  $problem
  <button class="first">Show them</button>
</form>
</main>
</body>
</html>
"""

CLOSED = """<body>
<main class="door">
<div>
  <h1>The paintings of the class</h1>
  <p>Here a teacher sees what all pupils paint, once a password is set: whoever runs the server starts it with
  NST_CLASS_KEY=… and gives that password here.</p>
</div>
</main>
</body>
</html>
"""

WALL = """<body>
<header>
  <div><h1>The paintings of the class</h1><p id="counts">…</p></div>
  <div class="buttons">
    <button type="button" id="open-link">Link for the class</button>
    <button type="button" id="open-ask">Ask a question</button>
    <a class="button" id="sheet" href="class/sheet.png" download="class.png">One sheet of the class</a>
    <button type="button" id="stop" class="danger" disabled>Stop all</button>
  </div>
</header>
<p id="problem" role="alert" hidden></p>
$asked
<main>
  <ul id="wall" aria-label="Paintings"></ul>
  <p id="nothing">Nobody paints yet. Who presses Paint appears here.</p>
</main>
<template id="card"><li>
  <button type="button" class="card">
    <span class="picture"><img hidden></span>
    <progress max="1" value="0" aria-label="Progress"></progress>
    <span class="words"><bdi class="name"></bdi><span class="status"></span></span>
  </button>
</li></template>
<dialog id="large" aria-label="One painting, large; a click or Escape closes it">
  <img><p><bdi><b></b></bdi> <span></span></p>
</dialog>
<dialog id="sure" aria-labelledby="sure-title">
  <form method="dialog">
    <h2 id="sure-title">Stop all work?</h2>
    <p>Paintings, figures, sheets, films and trainings end after their present step, those that wait leave the queue.
      What is painted is kept, and Continue goes on with it.</p>
    <div class="buttons">
      <button value="stop" class="danger">Stop all</button>
      <button value="" autofocus>Leave them</button>
    </div>
  </form>
</dialog>
$ask
<dialog id="link" aria-labelledby="link-title">
  <div class="form">
    <div id="code"></div>
    <div>
      <h2 id="link-title">Link for the class</h2>
      <form id="start">
        <div class="fields">
          <label>Preset<select name="$preset_key">$presets</select></label>
          <label>Style picture<select name="$style_key" id="link-style">$styles</select></label>
          <label>Or a picture of yours<input type="file" id="own" accept="image/*,.heic,.heif,.exr"></label>
          <label>They begin with<select name="$figure_key">$figures</select></label>
        </div>
      </form>
      <output id="address" aria-label="Address"></output>
      <p id="link-told" class="note" role="status"></p>
      <div class="buttons">
        <button type="button" id="copy" class="first">Copy the link</button>
        <button type="button" id="close-link">Close</button>
      </div>
    </div>
  </div>
</dialog>
<script nonce="$nonce">$script</script>
</body>
</html>
"""


def door_page(nonce: str, problem: str = "") -> str:
    """Write the page that asks for the password.

    Args:
        nonce: of POLICY.
        problem: with the one before.
    """
    told = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    return Template(HEAD + DOOR).substitute(nonce=nonce, style=STYLE, problem=told)


def closed_page(nonce: str) -> str:
    """Write the page of a server without a class: what would be here, and how it is switched on."""
    return Template(HEAD + CLOSED).substitute(nonce=nonce, style=STYLE)


def wall_page(nonce: str) -> str:
    """Write the page of the wall, without a painting: it asks for those itself."""
    styles = [(path.stem, path.stem.replace("_", " ")) for path in sorted(EXAMPLES[STYLE_KEY].glob("*.jpg"))]
    figures = [(name, f"the figure “{figure.title}”") for name, figure in FIGURES.items()]
    return Template(HEAD + WALL).substitute(
        nonce=nonce,
        style=STYLE + asking.STYLE,
        script=SCRIPT,
        asked=asking.PART,
        ask=asking.dialog(),
        preset_key=PRESET_KEY,
        style_key=STYLE_KEY,
        figure_key=FIGURE_KEY,
        presets=_options([(name, preset.title) for name, preset in PRESETS.items()], DEFAULT_PRESET),
        styles=_options([("", "as they choose"), *styles]),
        figures=_options([("", "painting"), *figures]),
    )


def _options(choices: Iterable[tuple[str, str]], chosen: str = "") -> str:
    return "".join(
        f'<option value="{escape(name)}"{" selected" * (name == chosen)}>{escape(title)}</option>'
        for name, title in choices
    )
