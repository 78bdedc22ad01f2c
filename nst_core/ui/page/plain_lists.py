"""Keeps gradio 6.31's page from watching the lists of its components and events, which never change.

Svelte, of which the page is made, watches what is looked at, part by part, and as it opens the page looks through all
events once for each component: two fifths of its programs' time. Svelte watches arrays, but none of a class of its own.
"""

SCRIPT = """<script>{
  class Plain extends Array {}
  let config;
  const set = given => {
    for (const list of [given?.components, given?.dependencies])
      if (Array.isArray(list)) Object.setPrototypeOf(list, Plain.prototype);
    config = given;
  };
  Object.defineProperty(window, 'gradio_config', {configurable: true, enumerable: true, get: () => config, set});
}</script>"""
