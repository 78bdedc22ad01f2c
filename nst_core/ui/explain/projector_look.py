"""Sets the look of a figure on a projector: where its words, its slides and its keys stand, and how large."""

# Of the page rather than of the component, as it lays out what stands elsewhere; the script adds it when it is wanted,
# and says in --left, --head and --grown how wide and high the words are, and how large their letters.
# Important, as gradio puts the components' own rules under their names.
LOOK = """
body.projector { overflow: hidden; --words: clamp(17px, 1.5vw, 60px); --size: calc(var(--grown, 1) * var(--words));
  --said: .62; --left: 35vw; --edge: 1.6vw; --begin: var(--left); --top: var(--edge); --bottom: var(--edge);
  --column: calc(var(--left) - 1.5 * var(--edge)); }
body.projector:is([data-layout=above], [data-layout=whole]) { --begin: var(--edge);
  --top: calc(1.5 * var(--edge) + var(--head)); --bottom: calc(1.2 * var(--edge) + 4.5vh); }
body.projector #explain-inputs, body.projector #explain-knobs, body.projector #composing, body.projector #enlarged,
body.projector #figure-after, body.projector #lesson-link, body.projector #classifier { display: none !important; }
body.projector #explain-stage { position: fixed; inset: 0; z-index: 500; display: block; overflow: hidden;
  background: var(--body-background-fill); }
body.projector #explain-stage > *, body.projector #tour { position: absolute; margin: 0; }
body.projector #figure-words, body.projector #tour { left: var(--edge); top: var(--edge); overflow: hidden !important;
  width: var(--column); height: calc(85vh - 2 * var(--edge)) !important; }
body.projector:not([data-layout=beside]) :is(#figure-words, #tour) { width: auto; right: var(--edge);
  height: auto !important; }
body.projector :is(#figure-words, #tour) .html-container { padding-inline: 0; }
body.projector #figure-words p, body.projector #figure-words .equation, body.projector #tour p {
  font-size: var(--size); line-height: 1.35; }
body.projector #figure-words h2, body.projector #tour h2 { font-size: calc(1.35 * var(--size)); line-height: 1.15; }
body.projector #figure-words .source, body.projector .figure .example { display: none; }
body.projector[data-layout=above] .figure-words { display: grid; grid-template-columns: minmax(0, 1fr) auto;
  column-gap: 2vw; align-items: start; }
body.projector[data-layout=above] .figure-words h2 { grid-column: 1 / -1; }
body.projector[data-layout=above] .figure-words .equation { max-width: 38vw; margin: 0; }
body.projector[data-layout=whole] :is(#figure-words, #tour) :is(p, .equation) { display: none; }
body.projector #making { left: var(--edge); bottom: calc(var(--edge) + 9vh); max-width: none; width: var(--column); }
body.projector #make-status { left: var(--edge); bottom: calc(var(--edge) + 3.6vh); max-width: none; padding: 0;
  width: var(--column); height: 5vh; overflow: hidden; font-size: var(--words); line-height: 1.2; }
body.projector #make-status :is(.html-container, .prose, .status) { padding: 0; font-size: inherit; }
body.projector #make-status .status > div { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
body.projector #make-status .detail { display: none; }
body.projector #make-status:has(.problem) { height: auto !important; background: var(--body-background-fill); }
body.projector #make-status .problem > div { white-space: normal; }
body.projector:not(.operated) :is(#making, #projector, .keys span):not(:focus-within),
body.projector:not(.operated):has(#make-stop:disabled) #make-status:not(:has(.problem)) {
  opacity: 0; pointer-events: none; }
body.projector .keys { order: -1; }
body.projector .keys b { font-size: var(--words); }
body.projector #projector-bar { position: fixed; z-index: 502; left: var(--edge); bottom: var(--edge); height: 3vh;
  width: var(--column); overflow: visible; }
body.projector:not([data-layout=beside]) :is(#making, #make-status, #projector-bar) { bottom: var(--edge);
  height: 4.5vh; }
body.projector:not([data-layout=beside]) #making { width: 22vw; }
body.projector:not([data-layout=beside]) #making button { min-height: 0; height: 4.5vh; padding-block: 0; }
body.projector:not([data-layout=beside]) #make-status { left: 26vw; width: 36vw; }
body.projector:not([data-layout=beside]) #projector-bar { left: 64vw; width: auto; right: var(--edge); }
body.projector :is(#figure, #predict) { left: var(--begin); right: var(--edge); top: var(--top); width: auto;
  bottom: var(--bottom); max-width: none; overflow: hidden !important; }
body.projector:not([data-slide=question], [data-slide=answer]) #predict { display: none !important; }
body.projector #predict .predict { padding: 0 !important; border: 0 !important; }
body.projector #predict :is(.html-container, .prose) { height: 100%; display: flex; flex-direction: column;
  justify-content: center; }
body.projector .predict summary, body.projector[data-slide=answer] .predict .buttons { display: none !important; }
body.projector .predict legend { font-size: calc(1.2 * var(--size)) !important; line-height: 1.25;
  padding-bottom: .6em !important; }
body.projector .predict :is(label, .count, .told) { font-size: var(--size) !important; line-height: 1.3; }
body.projector .predict button { font-size: calc(.75 * var(--size)) !important; transition: none !important; }
body.projector .predict .hands { font-size: calc(.9 * var(--size)) !important; }
body.projector .predict .told { margin-top: .8em !important; }
body.projector .predict .join { width: 15vw !important; font-size: calc(.6 * var(--words)) !important; }
body.projector .predict .bar { height: 10px !important; }
body.projector:is([data-slide=question], [data-slide=answer]) #figure { visibility: hidden; }
body.projector #figure .html-container { padding: 0; }
body.projector #figure .figure { height: calc(100vh - var(--top) - var(--bottom)); gap: 0; justify-content: center; }
body.projector #figure .no-figure { height: calc(100vh - var(--top) - var(--bottom)); font-size: var(--size); }
body.projector #tour { position: fixed; z-index: 501; visibility: hidden; padding: 0 !important; border: 0 !important;
  background: var(--body-background-fill); }
body.projector.touring #tour { visibility: visible; }
body.projector.touring #figure-words { visibility: hidden; }
body.projector #tour .label-wrap { display: none; }
body.projector:not([data-layout=beside]) #tour .row { position: absolute; right: 0; top: 0; width: 24vw; }
body.projector:not([data-layout=beside]) #tour h2 { max-width: 70vw; }
body.projector .parts { overflow: hidden; flex: 0 0 auto; }
body.projector .parts table { margin-inline: auto !important; border-spacing: .8vw 4px !important; }
body.projector .parts button { transition: none !important; }  /* it is measured at once */
body.projector .parts th { font-size: calc(max(.75, var(--said)) * var(--words)) !important; line-height: 1.2; }
body.projector .parts th[scope=col] { max-width: var(--cell); }
body.projector .parts th[scope=row] { min-width: 5em !important; max-width: 9em !important;
  overflow-wrap: normal !important; }
body.projector .parts p { font-size: calc(var(--said) * var(--words)) !important; line-height: 1.25 !important; }
body.projector .findings p { font-size: var(--words) !important; line-height: 1.3; margin-bottom: .4em !important; }
body.projector .figure:not(:has(.chart)) .charts { display: none !important; }
body.projector .figure:not(:has(.chart)) .findings p { font-size: var(--size) !important;
  margin-bottom: 1em !important; }
body.projector .charts { display: flex !important; flex-direction: column; flex: 1 1 0; min-height: 0; }
body.projector[data-layout=above] .charts { flex-direction: row; gap: 2vw; }
body.projector .charts .chart { display: flex; flex-direction: column; flex: 1 1 0; min-height: 0; min-width: 0;
  font-size: var(--words) !important; }
body.projector .charts .plot { flex: 1 1 0; height: auto !important; min-height: 0;
  margin: .8em 1.6em 2em 3.4em !important; }
body.projector .charts polyline { stroke-width: 4; }
body.projector .charts .legend { gap: 2px 1.4em; }
body.projector .charts .legend li::before { width: 1.5em !important; height: 6px !important; }
body.projector .charts .legend b { margin-left: .2em; font-weight: 700 !important; }
body.projector .figure-table { overflow: hidden; }
body.projector .figure-table table { font-size: var(--size) !important; line-height: 1.3; }
body.projector .figure-table table * { font-size: inherit !important; }
body.projector #figure .off { display: none !important; }
body.projector #figure-words.formulas p, body.projector #figure-words:not(.formulas) .equation.aside { display: none; }
"""
