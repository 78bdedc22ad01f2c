"""Makes a slider for weights that span decades: its handle moves by powers of ten, its field shows the weight itself.

A weight means nothing without the scale of what it weighs, and that is another for each preset: where no range is
given, the handle reaches DECADES to either side of what the program last set.
"""

import math
from typing import Any

from nst_core.ui.widgets.own_html import OwnHTML

DECADES = 4


class LogSlider(OwnHTML):
    """A weight from 0 (the handle's left end) over 10^low to 10^high; any number can be typed.

    Args:
        value: the weight.
        label: of the field.
        low, high: exponents of ten at the handle's ends; None: DECADES about what the program sets.
        hint: a short line under the handle.
    """

    VALUE_TYPE = "number"

    TEMPLATE = """
<div class="log-slider">
  <div class="head"><label for="${uid}">${label}</label>
    <input type="number" id="${uid}" min="0" step="any" inputmode="decimal"></div>
  <input type="range" min="${low ?? 0}" max="${high ?? 1}" step="0.1" aria-label="${label}, handle by powers of ten">
  <div class="hint">${hint}</div>
</div>"""
    STYLE = """
.log-slider { padding: 10px 12px; display: flex; flex-direction: column; gap: 4px; height: 100%;
  background: var(--block-background-fill); border-radius: var(--block-radius); box-shadow: var(--block-shadow);
  border: var(--block-border-width) solid var(--block-border-color); }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: 4px 8px; }
.head label { white-space: nowrap; color: var(--block-title-text-color); font-weight: var(--block-title-text-weight);
  background: var(--block-title-background-fill); border-radius: var(--block-title-radius);
  padding: var(--block-title-padding); font-size: var(--block-title-text-size); }
.head input { width: 5em; text-align: right; padding: 2px 6px; font-size: var(--text-sm); color: var(--body-text-color);
  background: var(--input-background-fill); border: 1px solid var(--input-border-color);
  border-radius: var(--radius-sm); }
.log-slider input[type=range] { width: 100%; margin: 4px 0; accent-color: var(--color-accent); }
.hint { color: var(--body-text-color-subdued); font-size: var(--text-xs); }
"""
    SCRIPT = """
const field = element.querySelector('input[type=number]'), handle = element.querySelector('input[type=range]');
const about = props.low === null || props.low === undefined;
let own = null;  // what a hand set last, which moves no range
const centre = weight => {
  if (!about || !(weight > 0) || weight === own) return;
  const exponent = Math.round(10 * Math.log10(weight)) / 10;
  [handle.min, handle.max] = [exponent - DECADES, exponent + DECADES];
};
const written = weight => {
  if (weight === 0) return '0';
  const [digits, exponent] = weight.toExponential().split('e');
  return Math.abs(exponent) < 4 ? String(weight) : digits + 'e' + Number(exponent);
};
const show = () => {
  const weight = Number(props.value) || 0;
  centre(weight);
  field.value = written(weight);
  handle.value = weight > 0 ? Math.log10(weight) : handle.min;
  handle.setAttribute('aria-valuetext', weight === 0 ? '0, off' : written(weight));
};
const set = weight => { own = weight; props.value = weight; show(); trigger('input'); };
handle.addEventListener('input', () => {
  const exponent = Number(handle.value);
  set(exponent <= Number(handle.min) ? 0 : Number((10 ** exponent).toPrecision(2)));
});
field.addEventListener('change', () => {
  const weight = Number(field.value);
  if (field.value === '' || !Number.isFinite(weight) || weight < 0) show(); else set(weight);
});
watch('value', show);
show();
""".replace("DECADES", str(DECADES))

    def __init__(
        self,
        value: float = 1.0,
        *,
        label: str,
        low: float | None = None,
        high: float | None = None,
        hint: str = "",
        **props: Any,
    ):
        super().__init__(
            value,
            label=label,
            low=low,
            high=high,
            hint=hint,
            uid=f"{props.get('elem_id', label)}-weight",
            **props,
        )

    def preprocess(self, payload: Any) -> float | None:  # type: ignore[override]  # gr.HTML's is text
        """Read the weight; None if it is no number."""
        try:
            weight = float(payload)
        except (TypeError, ValueError):
            return None
        return weight if math.isfinite(weight) else None
