"""Sets the look of the page: gradio's theme with fonts that come along, and a few rules of our own."""

import gradio as gr

# not its SemiBold, gradio's own choice, of which the file that comes along holds two letters
FACE = gr.themes.LocalFont("Source Sans Pro", weights=(400, 700))
FONT: list[gr.themes.Font | str] = [FACE, "system-ui", "sans-serif"]
# nothing smaller than 12 pixels
SIZES = gr.themes.Size("12px", "12px", "12px", "14px", "16px", "22px", "26px", name="legible")
# gradio's own colours of words have 2.5 to 4.5 times the light of their ground, or as much less; these 4.5 and more
THEME = gr.themes.Soft(primary_hue="indigo", neutral_hue="slate", font=FONT, text_size=SIZES).set(
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_300",
    input_placeholder_color="*neutral_600",
    input_placeholder_color_dark="*neutral_300",
    block_title_text_color="*primary_700",
    block_label_text_color="*primary_700",
    link_text_color_dark="*secondary_300",
    link_text_color_visited_dark="*secondary_300",
    color_accent="*primary_600",
    slider_color="*primary_600",
    checkbox_label_background_fill_selected="*primary_600",
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_hover="*primary_700",
    button_primary_background_fill_hover_dark="*primary_700",
    button_secondary_background_fill_hover_dark="*primary_600",
    button_primary_border_color="*primary_600",
)

CSS = """
.dark { --color-accent: var(--primary-400); }
body.dark { color-scheme: dark; }  /* for what the browser draws itself, such as menus */
.page-language { color: var(--body-text-color) !important;
  background-color: var(--background-fill-primary) !important; }
.block input:focus-visible, .block textarea:focus-visible, .page-language:focus-visible {
  outline: 2px solid var(--color-accent) !important; outline-offset: 2px; }
.block input[type=number]:focus-visible, .block input[role=combobox]:focus-visible, .block textarea:focus-visible {
  outline-offset: 0; }
.block label.selected input:focus-visible { outline-color: #fff !important; }  /* its chip has the colour of the ring */
#title .prose, #title span { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 16px; }
#title { overflow: visible !important; }  /* gradio makes of letters that reach beyond it a region to scroll */
#title h1, #title p { margin: 0; }
#title p { color: var(--body-text-color-subdued); }
#studio { display: grid; grid-template: "inputs stage" auto "knobs stage" 1fr / minmax(0, 5fr) minmax(0, 7fr); }
#inputs { grid-area: inputs; } #stage { grid-area: stage; } #knobs { grid-area: knobs; }
/* the stage stays in sight while knobs turn; what is more than the window holds is scrolled within it */
.gradio-container, .gradio-container > main { overflow: visible !important; }
#stage { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow: auto; flex-wrap: nowrap;
  scrollbar-width: thin; background: var(--body-background-fill); }
#stage > * { flex: none; }
#run:disabled, #stop:disabled, #queue-start:disabled, #queue-stop:disabled { display: none; }  /* one place */
#recipes .strip .thumbnail, #looks .strip .thumbnail { width: 104px; }
#recipes .thumbnail img { width: 92px; height: 52px; }
#recipes .strip::before { content: attr(aria-label) ":"; flex: none; align-self: center;
  color: var(--body-text-color-subdued); font-size: var(--text-sm); }
#looks .strip { gap: 3px; }
#looks .thumbnail { flex-direction: row; align-items: center; gap: 4px; width: auto !important; padding: 3px; }
#looks .thumbnail img { width: 34px; height: 34px; }
#looks .thumbnail span { width: min-content; overflow-wrap: normal; word-break: keep-all; }  /* no word is cut */
#looks .thumbnail span, #recipes .thumbnail span { -webkit-line-clamp: 3; }
#looks .html-container, #stage .html-container { padding: 0; }
#goes-on .html-container { padding: 0; } #goes-on:not(:has(.goes-on)) { display: none; }
#inputs { gap: 10px; } #balance { padding: 4px 10px; }
/* the example gives way to a painting, the painting to the first picture of the next */
#stage:has(#preview canvas:not([hidden])) #welcome, #stage:has(#result .pictures) #welcome { display: none; }
#stage:has(#preview canvas[hidden]) #preview { display: none; }
#stage:has(#preview:not(.hidden) canvas[hidden]):has(#result .pictures) :is(#result, #result .prose) {
  display: block !important; }
#actions:has(#download.hidden) { display: none; }  /* all are of a result that is there */
#actions { gap: 8px; flex-wrap: nowrap; }
#actions button { flex: 1 1 auto; min-width: 0 !important; padding-inline: 6px; white-space: nowrap; }
#stage, #picture { gap: 8px; } :is(#picture, #made) > .block { padding: 0; }
#stage:has(#result .pictures) #preview.hidden { display: none; }
#stage .live-preview { min-height: 0; background: none; }
#stage { --most: 56vh; }
#stage canvas { max-height: var(--most); } #stage .pictures { width: min(100%, calc(var(--most) * var(--aspect))); }
@media (min-width: 821px) and (min-height: 501px) {
  /* what is painted, what is said of it and its losses are whole in the window; what else there is comes below */
  #stage { --plot: clamp(110px, 18vh, 220px); }
  #stage:has(#losses .chart) { --most: min(56vh, max(24vh, 82vh - 346px)); }
  #stage #losses .plot { height: var(--plot); }
  #stage:has(#losses .chart) { reading-flow: flex-visual; }
  #stage:has(#losses .chart) #recipes { order: 1; }
}
@media (min-width: 1280px) and (min-height: 501px) {
  /* the losses by name beside their lines, in two columns of eight whose numbers may grow; below, if more */
  #stage:has(#losses .chart):not(:has(#losses li:nth-child(17))) {
    --most: min(56vh, max(24vh, 100vh - 278px - max(var(--plot), 122px))); }
  .chart[data-run]:not(:has(li:nth-child(17))) { display: grid; gap: 12px;
    grid-template-columns: minmax(0, 1fr) auto; }
  .chart[data-run] .legend:not(:has(li:nth-child(17))) { display: grid; grid-template-rows: repeat(8, auto);
    grid-auto-flow: column; grid-auto-columns: 14em; }
  .chart[data-run] .legend:not(:has(li:nth-child(17))) li { display: flex; align-items: center; }
  .chart[data-run] .legend b { margin-inline-start: auto; }
}
@media (max-width: 820px) {
  #title p { display: none; }
  #pictures .upload-container .icon-wrap { display: none; }  /* the same is below it */
  /* one below the other, in the order of keys, too; only the picture and what is said of it stays in sight */
  #studio { display: flex; flex-flow: column; gap: 10px; reading-flow: flex-visual; padding-bottom: 64px; }
  #stage { display: contents; }
  #picture { order: -2; position: sticky; top: 0; z-index: 60; gap: 8px; padding-bottom: 4px;
    background: var(--body-background-fill); }
  #recipes { order: -1; } #actions, #made { order: 1; } #knobs { order: 2; }
  #studio > *, #stage > * { min-width: 0 !important; width: 100%; flex: none; }
  /* as high whatever it shows, and as a rule whatever is said, so that what follows stays where it is */
  #picture :is(#welcome, #preview, #result) { height: 28vh; align-content: end; }
  #picture #status { min-height: 88px; }
  #stage { --most: 28vh; }
  #stage #recipes .thumbnail { flex: 1 1 0; width: auto; min-width: 68px; }
  #recipes .thumbnail img { width: 100%; height: 44px; }
  #recipes .strip::before { display: none; }
  #after { display: grid; grid-template-columns: 1fr 1fr; } #more { grid-column: 1; }  /* beside its number */
  .tab-container.wrap > button[role=tab] { padding: 0 9px; }
  .wrap-inner:has(> .secondary-wrap) { padding-inline: 8px; }
  #press { position: fixed; inset: auto 0 0 0; z-index: 61; padding: 8px 16px; background: var(--body-background-fill);
    border-top: 1px solid var(--border-color-primary); }
  /* what is painted is saved in the same bar */
  #stage #as-jpeg { position: fixed; right: 16px; bottom: 8px; z-index: 62; width: 128px; min-height: 42px; }
  #studio:has(#download:not(.hidden)) #press { padding-right: 152px; }
  /* what has the focus is not under the picture, nor under the bar */
  :is(button, input, textarea, select, a, summary) { scroll-margin-bottom: 72px; }
  #studio :is(button, input, textarea, select, a, summary) { scroll-margin-top: calc(28vh + 104px); }
  #picture :is(button, input) { scroll-margin: 0; }
}
@media (max-height: 500px) {  /* too low for what stays in sight: a laptop's at 200 % */
  #studio :is(button, input, textarea, select, a, summary) { scroll-margin: 0; }
  #stage, #picture, #press, #stage #as-jpeg { position: static; }
  #stage { max-height: none; } #studio { padding-bottom: 0; }
  #press { padding: 0; border: 0; } #studio:has(#download:not(.hidden)) #press { padding-right: 0; }
  #stage #as-jpeg { width: auto; min-height: 0; }
  #picture :is(#welcome, #preview, #result) { height: auto; }
  #stage { --most: 80vh; }
}
/* what is to be done with an empty place begins below the place's name, and is told whole in a small one, too */
.upload-container .wrap { padding-top: 30px; }
/* places for files are too low for an icon, too, and this one is too narrow */
.block > .upload-container .icon-wrap, #instant-picture .upload-container .icon-wrap { display: none; }
.upload-container .compact .prompt, .upload-container .compact .prompt * { white-space: normal; }
.upload-container .compact .prompt { line-height: 1.3; text-align: center; }
/* what is folded has its name beside its arrow */
.label-wrap { gap: 12px; text-align: start; }
/* with a picture there it chooses no other, but takes that one away: so does the cross, which says so */
.image-container:has(.image-frame img) .source-selection button:first-of-type { display: none; }
/* gradio's webcam is made for a larger place: its words ran over the edge, its button beyond what the camera sees */
.image-container button:not(.upload-container) > .wrap:has(.icon-wrap) { min-height: 0; height: 100%; }
.image-container video { object-position: bottom; }
.image-container .button-wrap { padding: 2px !important; bottom: 4px !important; }
.image-container .capture-button { width: 32px !important; height: 32px !important; min-height: 0 !important; }
/* a switch beside something else has room for its words */
.form > .block:has(> .checkbox-container) { min-width: min(120px, 100%) !important; }
/* what a menu shows ends before its arrow */
.secondary-wrap > .icon-wrap { flex: none; }
.secondary-wrap:has(> .icon-wrap) > input[role=combobox] { padding-right: 26px; text-overflow: ellipsis; }
@media (max-width: 360px) {  /* such that it is whole in the narrowest windows, too */
  .block:has(> .container .secondary-wrap) { padding-inline: 4px !important; }
  .wrap-inner:has(> .secondary-wrap) { padding-inline: 4px; }
  .secondary-wrap > .icon-wrap { right: 4px; }
  .secondary-wrap:has(> .icon-wrap) > input[role=combobox] { padding-right: 16px; }
}
footer .divider { display: none; }  /* between one link and nothing */
.icon-button-wrapper:not(:has(button, a)) { display: none; }  /* a dot of its border, empty */
.gallery-item[aria-pressed=true] { outline: 2px solid var(--color-accent); outline-offset: -2px; border-radius: 8px; }
.gallery-item:focus-visible { outline: 3px solid var(--body-text-color); outline-offset: -3px; }
[role=tab]:focus-visible { outline: 2px solid var(--color-accent); outline-offset: -2px; }
#content-examples .label, #style-examples .label { display: none; }
#content-examples .gallery, #style-examples .gallery { flex-wrap: nowrap; overflow-x: auto; scrollbar-width: thin; }
#content-examples .gallery-item, #style-examples .gallery-item { flex: none; }
.gallery-item .container, .gallery-item img { width: 44px !important; height: 44px !important; max-width: none; }
#inputs .gallery-item .container, #inputs .gallery-item img { width: 52px !important; height: 52px !important; }
#style-examples .gallery { gap: 2px; }  /* such that one is cut, where there are more */
#style-examples .gallery-item { width: 76px; display: flex; flex-direction: column; align-items: center; padding: 1px; }
#style-examples .gallery-item :is(.container, img) { width: 72px !important; height: 72px !important; }
#style-examples .gallery-item::after { content: attr(data-name); width: 100%; height: 2.4em; font-size: 12px;
  line-height: 1.2; color: var(--body-text-color); }  /* two lines, whatever the name */
.gallery-item img { object-fit: cover; }
#instant { display: grid; grid-template: "choices places" / minmax(0, 5fr) minmax(0, 7fr); }
#instant-choices { grid-area: choices; } #instant-places { grid-area: places; }
#instant-stage { display: grid; grid-template: "inputs view" auto "after view" 1fr / 200px minmax(0, 1fr); }
#instant-inputs { grid-area: inputs; } #instant-view { grid-area: view; } #instant-after { grid-area: after; }
#instant-view, #instant-inputs, #instant-choices { gap: 8px; }
#instant-result .pictures { width: min(100%, max(200px, calc((100vh - 330px) * var(--aspect)))); }
#styles .strip { flex-wrap: wrap; justify-content: center; }
@media (max-width: 820px) {
  #instant { grid-template: "places" auto "choices" auto / minmax(0, 1fr); }
  #instant-stage { grid-template: "inputs" auto "view" auto "after" auto / minmax(0, 1fr); }
  #styles .strip { flex-wrap: nowrap; justify-content: flex-start; }
}
#layer-weights { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); }
#mask .empty, #mask .empty * { color: var(--body-text-color-subdued) !important; }
#mask .empty { padding-inline: 48px; box-sizing: border-box; }  /* beside its tools */
#mask-about, #preset-about, #weights, #further-layers { color: var(--body-text-color-subdued);
  font-size: var(--text-sm); }
/* gradio's handles are white on white */
.block input[id^=range_id]::-webkit-slider-thumb { background: var(--color-accent);
  box-shadow: 0 0 0 2px var(--block-background-fill), 0 0 0 3px var(--color-accent); }
.block input[id^=range_id]::-moz-range-thumb { background: var(--color-accent); border: 0;
  box-shadow: 0 0 0 2px var(--background-fill-primary), 0 0 0 3px var(--color-accent); }
/* and its tracks as light in the dark as in the light */
.block input[id^=range_id]::-webkit-slider-runnable-track { background: linear-gradient(to right,
  var(--slider-color) var(--range_progress), var(--border-color-primary) var(--range_progress)) !important; }
.block input[id^=range_id]::-moz-range-track { background: var(--border-color-primary) !important; }
/* what a click began is said at once, and then by the status line itself */
#instant-soon, #instant-view[aria-busy=true] #instant-status { display: none; }
#instant-view[aria-busy=true] #instant-soon { display: block; }
#instant-view:is([aria-busy=true], :has(.status.busy > progress:last-child)) #instant-result { opacity: 0.55; }
.soon { display: flex; flex-direction: column; gap: 4px; }
.status, .chart, .live-preview { contain: content; }  /* what changes while painting lays out nothing else */
.status { display: flex; flex-direction: column; gap: 4px; font-variant-numeric: tabular-nums; }
:is(.status, .soon) progress { appearance: none; width: 100%; height: 8px; border: 0; border-radius: 4px;
  overflow: hidden; background: var(--border-color-primary); }
.status progress::-webkit-progress-bar { background: var(--border-color-primary); }
/* moves in a few jumps, as the machine that draws it paints; at rest where no motion is wanted */
:is(.status, .soon) progress:not([value]) { animation: goes-on 2s steps(8) infinite; background:
  repeating-linear-gradient(90deg, var(--color-accent) 0 40px, var(--border-color-primary) 40px 160px); }
:is(.status, .soon) progress:not([value])::-webkit-progress-bar { background: none; }
:is(.status, .soon) progress:not([value])::-moz-progress-bar { background: none; }
@keyframes goes-on { to { background-position: 160px 0; } }
@media (prefers-reduced-motion: reduce) { :is(.status, .soon) progress { animation: none !important; } }
.status progress::-webkit-progress-value { background: var(--color-accent); }
.status progress::-moz-progress-bar { background: var(--color-accent); }
.status .detail { color: var(--body-text-color-subdued); font-size: var(--text-sm); }
.shares { padding: 0 4px; color: var(--body-text-color-subdued); font-size: var(--text-sm);
  font-variant-numeric: tabular-nums; contain: content; }
.chart { margin: 0; font-size: var(--text-sm); color: var(--body-text-color-subdued); }
.chart .plot { position: relative; height: 220px; border: solid var(--border-color-primary);
  border-width: 0 0 1px 1px; margin: 8px 10px 26px max(40px, calc(var(--letters) * 0.55em + 10px)); }
.chart svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.chart polyline { fill: none; stroke: var(--term); stroke-width: 2; vector-effect: non-scaling-stroke; }
.chart [data-line=total] { stroke-width: 3; }
.chart [data-line="total variation"] { stroke-dasharray: 6 4; }
.chart .x, .chart .y { position: absolute; white-space: nowrap; }
.chart .x { left: var(--at); top: calc(100% + 4px); transform: translateX(-50%); }
.chart .y { bottom: var(--at); right: calc(100% + 6px); transform: translateY(50%); }
.chart .legend { display: flex; flex-wrap: wrap; gap: 0 14px; margin: 0; padding: 0; list-style: none; }
.legend li { line-height: 17px; margin: 0; white-space: nowrap; }
.legend li::before { content: ""; display: inline-block; width: 14px; height: 3px; margin-right: 6px;
  vertical-align: middle; background: var(--term); }
.legend li[data-line="total variation"]::before {
  background: repeating-linear-gradient(90deg, var(--term) 0 4px, transparent 4px 7px); }
.legend b { color: var(--body-text-color); font-variant-numeric: tabular-nums; font-weight: 500; }
/* toasts stand in the page's head, beside its title: off the picture, what is chosen, and Paint; each has a title of
   its own within its text, so that gradio's head of them gives its icon and its cross to the text's own line */
.toast-wrap { --wide: calc((100vw - 820px) * 999); width: auto !important; pointer-events: none;
  inset: 6px clamp(12px, var(--wide), 144px) auto clamp(12px, var(--wide), 44vw) !important; }
.toast-body { flex-direction: row !important; align-items: flex-start; gap: 2px; margin: 0 !important; width: 100%;
  max-height: 40vh; overflow: auto !important; padding: 4px 2px 6px 6px; }
.toast-header { display: contents !important; }
.toast-title-row { display: none !important; }
.toast-icon { width: 24px !important; height: 24px !important; padding: 3px !important; margin: 0 !important; }
.toast-messages { order: 1; flex: 1; min-width: 0; padding: 0 !important; gap: 2px !important; }
.toast-message-item { padding: 1px 0 !important; }
.toast-message-text { line-height: 1.35 !important; font-size: var(--text-sm) !important; }
.toast-message-text b + br { display: none; }
.toast-message-text b::after { content: ": "; }
.toast-close { order: 2; }
.notice { position: fixed; top: 16px; right: 16px; z-index: 1000; max-width: min(360px, calc(100vw - 32px));
  padding: 12px 16px; border-radius: 8px; color: var(--body-text-color); background: var(--background-fill-primary);
  border: 1px solid var(--color-accent); box-shadow: var(--shadow-drop-lg); }
.figure-words h2 { margin: 0 0 4px; }
.figure-words p { margin: 0 0 6px; }
.figure-words .equation { padding: 8px 12px; border-radius: 8px; background: var(--background-fill-secondary);
  font-family: Cambria, "DejaVu Serif", "Times New Roman", serif; font-size: 1.05em; overflow-wrap: anywhere; }
.figure-words .term { all: unset; cursor: pointer; border-bottom: 2px dotted var(--color-accent); }
.figure-words .term:is(:hover, [aria-pressed=true]) { background: var(--background-fill-primary); }
.figure-words .term:focus-visible { outline: 2px solid var(--color-accent); outline-offset: 2px; }
.figure-words .source, .tour-page .count { color: var(--body-text-color-subdued); font-size: var(--text-sm); }
body.predicting:not(.projector) :is(#figure, #enlarged, #figure-words p, #figure-words .equation) { display: none; }
.tour-page h2 { margin: 2px 0 4px; font-size: var(--text-lg); }
#explain { display: grid; grid-template: "inputs stage" auto "knobs stage" 1fr / minmax(0, 4fr) minmax(0, 8fr); }
#explain-inputs { grid-area: inputs; } #explain-stage { grid-area: stage; } #explain-knobs { grid-area: knobs; }
@media (max-width: 820px) { #explain { grid-template: "inputs" auto "stage" auto "knobs" auto / minmax(0, 1fr); } }
#figure-after [aria-busy=true] { opacity: 0.55; cursor: progress; }
#keeping:has(.status > div:empty) { display: none; }
#figure-choice .wrap { gap: 2px; }
#figure-choice label { width: 100%; padding: 4px 8px; }
#explain-inputs .gallery { gap: 4px; padding: 0; }
.enlarged { margin: 0; }
.enlarged img { width: min(100%, 720px, calc(78vh * var(--aspect)), var(--most)); border-radius: 8px; }
.enlarged .told { white-space: pre-line; }
.enlarged pre { font-size: var(--text-xs); max-height: 260px; overflow: auto; }
.skip-link { position: absolute; left: 8px; top: -60px; z-index: 1000; padding: 8px 16px; border-radius: 8px;
  color: #fff !important; background: #4338ca; }
.skip-link:focus { top: 8px; outline: 2px solid #fff; outline-offset: -4px; }
.heard-only { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.status.problem { color: var(--error-text-color); }
"""
