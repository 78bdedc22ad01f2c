"""Makes gradio's slider take whatever is typed into its field."""

import gradio as gr


class Slider(gr.Slider):
    """A slider that reads what is typed as its field shows it once it is left: within its ends, nothing as 0."""

    is_template = True  # shown by gr.Slider's own front end

    def preprocess(self, payload: float | None) -> float:
        """Give the value, where gradio would refuse it in its own words."""
        value = payload if isinstance(payload, int | float) else 0.0
        return super().preprocess(min(max(value, self.minimum), self.maximum))
