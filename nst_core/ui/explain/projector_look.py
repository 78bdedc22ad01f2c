"""Sets the look of a figure on a projector: where its words, its slides and its keys stand, and how large."""

# Of the page rather than of the component, as it lays out what stands elsewhere; the script adds it when it is wanted.
# Important, as gradio puts the components' own rules under their names.
LOOK = """
body.projector { overflow: hidden; --words: clamp(17px, 1.5vw, 60px); --said: .62; --left: 35vw; --edge: 1.6vw;
  --foot: 15vh; }
body.projector #explain-inputs, body.projector #explain-knobs, body.projector #composing, body.projector #enlarged,
body.projector #figure-after, body.projector #lesson-link { display: none !important; }
body.projector #explain-stage { position: fixed; inset: 0; z-index: 500; display: block; overflow: hidden;
  background: var(--body-background-fill); }
body.projector #explain-stage > *, body.projector #tour { position: absolute; margin: 0; }
body.projector #figure-words, body.projector #tour { left: var(--edge); top: var(--edge); overflow: hidden !important;
  width: calc(var(--left) - 1.5 * var(--edge)); height: calc(100vh - var(--foot) - 2 * var(--edge)) !important; }
body.projector #figure-words p, body.projector #figure-words .equation, body.projector #tour p {
  font-size: var(--words); line-height: 1.35; }
body.projector #figure-words h2, body.projector #tour h2 { font-size: calc(1.35 * var(--words)); line-height: 1.15; }
body.projector #figure-words .source, body.projector .figure .example { display: none; }
body.projector #making, body.projector #make-status { left: var(--edge); max-width: none;
  width: calc(var(--left) - 1.5 * var(--edge)); }
body.projector #making { bottom: calc(var(--edge) + 8vh); }
body.projector #make-status { bottom: calc(var(--edge) + 3.6vh); height: 4vh; overflow: hidden; }
body.projector #make-status .detail { display: none; }
body.projector #projector-bar { position: fixed; z-index: 502; left: var(--edge); bottom: var(--edge); height: 3vh;
  width: calc(var(--left) - 1.5 * var(--edge)); overflow: visible; }
body.projector #figure { left: var(--left); right: var(--edge); top: var(--edge); bottom: var(--edge); width: auto;
  max-width: none; overflow: hidden !important; }
body.projector #predict { left: var(--left); right: var(--edge); top: var(--edge); bottom: var(--edge); width: auto;
  max-width: none; overflow: hidden !important; visibility: hidden; }
body.projector #predict .predict { padding: 0 !important; border: 0 !important; }
body.projector #predict :is(.html-container, .prose) { height: 100%; display: flex; flex-direction: column;
  justify-content: center; }
body.projector .predict summary, body.projector[data-slide=answer] .predict .buttons { display: none !important; }
body.projector .predict legend { font-size: calc(1.35 * var(--words)) !important; line-height: 1.25;
  padding-bottom: .6em !important; }
body.projector .predict :is(label, .count, .told) { font-size: var(--words) !important; line-height: 1.3; }
body.projector .predict button { font-size: calc(.75 * var(--words)) !important; transition: none !important; }
body.projector .predict .hands { font-size: calc(.9 * var(--words)) !important; }
body.projector .predict .told { margin-top: .8em !important; }
body.projector .predict .join { width: 15vw !important; font-size: calc(.6 * var(--words)) !important; }
body.projector .predict .bar { height: 10px !important; }
body.projector:is([data-slide=question], [data-slide=answer]) #predict { visibility: visible; }
body.projector:is([data-slide=question], [data-slide=answer]) #figure,
body.projector[data-slide=question] #figure-words :is(p, .equation) { visibility: hidden; }
body.projector #figure .html-container { padding: 0; }
body.projector #figure .figure { height: calc(100vh - 2 * var(--edge)); gap: 0; justify-content: center; }
body.projector #tour { position: fixed; z-index: 501; visibility: hidden; padding: 0 !important; border: 0 !important;
  background: var(--body-background-fill); }
body.projector.touring #tour { visibility: visible; }
body.projector #tour .label-wrap { display: none; }
body.projector .parts { overflow: hidden; flex: 0 0 auto; }
body.projector .parts button { transition: none !important; }  /* it is measured at once */
body.projector .parts th { font-size: calc(max(.75, var(--said)) * var(--words)) !important; line-height: 1.2; }
body.projector .parts th[scope=col] { max-width: var(--cell); }
body.projector .parts th[scope=row] { min-width: 5em !important; overflow-wrap: normal !important; }
body.projector .parts p { font-size: calc(var(--said) * var(--words)) !important; line-height: 1.25 !important; }
body.projector .findings p { font-size: var(--words) !important; line-height: 1.3; margin-bottom: .4em; }
body.projector .findings p.note { font-size: calc(.8 * var(--words)) !important; }
body.projector .charts { display: flex !important; flex-direction: column; flex: 1 1 0; min-height: 0; }
body.projector .charts .chart { display: flex; flex-direction: column; flex: 1 1 0; min-height: 0;
  font-size: calc(.75 * var(--words)) !important; }
body.projector .charts .plot { flex: 1 1 0; height: auto !important; min-height: 0;
  margin: .8em 1.6em 2em 3.4em !important; }
body.projector .charts polyline { stroke-width: 4; }
body.projector .figure-table { overflow: hidden; }
body.projector .figure-table table { font-size: calc(.75 * var(--words)) !important; line-height: 1.3; }
body.projector .figure-table table * { font-size: inherit !important; }
body.projector #figure .off { display: none !important; }
body.projector #figure-words.formulas p, body.projector #figure-words:not(.formulas) .equation.aside { display: none; }
"""
