"""Lists all figures, in the order in which a class would see them."""

from nst_core.analysis.figures import (
    classify,
    compose,
    content,
    formula,
    gram,
    grid,
    jump,
    pairs,
    position,
    start,
    step,
    style,
)

FIGURES = {
    module.FIGURE.name: module.FIGURE
    for module in (content, style, grid, step, start, gram, position, jump, classify, pairs, compose, formula)
}
FIRST = next(iter(FIGURES))
