"""Lists all figures, in the order in which a class would see them."""

from nst_core.analysis.figures import classify, compose, content, formula, gram, grid, pairs, start, style

FIGURES = {
    module.FIGURE.name: module.FIGURE
    for module in (content, style, grid, start, gram, classify, pairs, compose, formula)
}
