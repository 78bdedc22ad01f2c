"""The page: page, widgets, serving, studio, then a room a tab. Imports all of the core but commands, and gradio."""
