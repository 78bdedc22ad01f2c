"""Makes components with their own template, style sheet and script."""

from typing import Any

import gradio as gr


class OwnHTML(gr.HTML):
    """A gr.HTML with a template, a style sheet and a script of its own, whose value may be anything JSON can say."""

    TEMPLATE = ""
    STYLE = ""
    SCRIPT = ""
    VALUE_TYPE = "object"  # as JSON schema names it

    def __init__(self, value: Any = None, **props: Any):
        super().__init__(value, html_template=self.TEMPLATE, css_template=self.STYLE, js_on_load=self.SCRIPT, **props)

    def get_block_name(self) -> str:
        """Name the front end that shows it: gr.HTML's."""
        return "html"

    def postprocess(self, value: Any) -> Any:
        """Give the value as the script gets it: unchanged, where gr.HTML would make text of it."""
        return value

    def api_info(self) -> dict[str, Any]:
        """Tell the value's type."""
        return {"type": self.VALUE_TYPE}
