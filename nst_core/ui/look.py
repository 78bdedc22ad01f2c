"""How the page looks: gradio's theme with fonts it carries itself, and a few rules of our own."""

import gradio as gr

FONT = [gr.themes.LocalFont("Source Sans Pro"), "system-ui", "sans-serif"]
THEME = gr.themes.Soft(primary_hue="indigo", neutral_hue="slate", font=FONT)

CSS = """
#title h1 { margin-bottom: 0; }
#title p { margin-top: 0; color: var(--body-text-color-subdued); }
#studio { display: grid; grid-template: "inputs stage" auto "knobs stage" 1fr / minmax(0, 5fr) minmax(0, 7fr); }
#inputs { grid-area: inputs; } #stage { grid-area: stage; } #knobs { grid-area: knobs; }
@media (max-width: 820px) { #studio { grid-template: "inputs" auto "stage" auto "knobs" auto / minmax(0, 1fr); } }
#content-examples .gallery, #style-examples .gallery { gap: 5px; padding: 0; }
.gallery-item .container, .gallery-item img { width: 44px !important; height: 44px !important; max-width: none; }
.gallery-item img { object-fit: cover; }
#preset-about, #weights { color: var(--body-text-color-subdued); font-size: var(--text-sm); }
.status { display: flex; flex-direction: column; gap: 4px; font-variant-numeric: tabular-nums; }
.status progress { appearance: none; width: 100%; height: 8px; border: 0; border-radius: 4px; overflow: hidden;
  background: var(--border-color-primary); }
.status progress::-webkit-progress-bar { background: var(--border-color-primary); }
.status progress::-webkit-progress-value { background: var(--color-accent); }
.status progress::-moz-progress-bar { background: var(--color-accent); }
.status .detail { color: var(--body-text-color-subdued); font-size: var(--text-sm); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; font-size: var(--text-sm); }
.legend span::before { content: ""; display: inline-block; width: 14px; height: 3px; margin-right: 6px;
  vertical-align: middle; background: var(--term); }
.status.problem { color: var(--error-text-color); }
"""
