"""All figures, in the order in which a class would see them."""

from nst_core.analysis import classify, compose, content, formula, gram, grid, sheet, start, style

FIGURES = {
    module.FIGURE.name: module.FIGURE
    for module in (content, style, grid, start, gram, classify, sheet, compose, formula)
}
