"""How the page looks: gradio's theme with fonts it carries itself, and a few rules of our own."""

import gradio as gr

FONT = [gr.themes.LocalFont("Source Sans Pro"), "system-ui", "sans-serif"]
THEME = gr.themes.Soft(primary_hue="indigo", neutral_hue="slate", font=FONT)

CSS = """
#title h1 { margin-bottom: 0; }
#title p { margin-top: 0; color: var(--body-text-color-subdued); }
#preset-about, #weights { color: var(--body-text-color-subdued); font-size: var(--text-sm); }
.status { display: flex; flex-direction: column; gap: 4px; font-variant-numeric: tabular-nums; }
.status progress { width: 100%; height: 8px; accent-color: var(--color-accent); }
.status .detail { color: var(--body-text-color-subdued); font-size: var(--text-sm); }
.status.problem { color: var(--error-text-color); }
"""
