"""What stands beside a figure: its words, its equation, and terms that point to their lines."""

import re
from html import unescape

import pytest

from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.ui.explain.examples import example_of
from nst_core.ui.explain.words import words_html

WORDS_OF_FORMULAS = {"argmin", "argmax", "cloud", "decoder", "div", "exp", "label", "min", "style"}


@pytest.mark.parametrize("name", FIGURES)
def test_all_of_an_equation_is_there_whatever_of_it_can_be_pointed_at(name):
    equation = re.search(r'<div class="equation">(.*)</div><p', words_html(name))[1]
    text = re.sub(r"<sub>(\w+)</sub>", r"_\1", equation).replace("</div>", "\n")
    assert unescape(re.sub("<[^>]*>", "", text)).strip() == FIGURES[name].equation


@pytest.mark.parametrize("name", FIGURES)
def test_a_term_can_be_pointed_at_where_the_chart_has_lines_of_it_and_nowhere_else(name):
    terms = set(re.findall(r'data-term="([^"]*)"', words_html(name)))
    example = example_of(name)
    lines = [line for chart in example.moment.charts for line in chart.lines] if example else []
    assert all(any(line.split(" conv")[0] == term for line in lines) for term in terms)
    assert terms == {"formula": {"content", "style", "total variation"}, "step": {"content", "style"}}.get(name, set())


@pytest.mark.parametrize("name", FIGURES)
def test_remarks_are_all_the_words_of_an_equation(name):
    figure = FIGURES[name]
    assert all(remark in figure.equation for remark in figure.remarks)
    rest = re.sub(r"_\w+|\b[A-Z][\w-]+:", "", figure.equation_in(lambda remark: ""))
    assert set(re.findall("[a-z]{3,}", rest)) <= WORDS_OF_FORMULAS and "eq." not in rest
    said = figure.equation_in(str.upper)
    has_words = bool(figure.remarks) or "eq." in figure.equation
    assert all(remark.upper() in said for remark in figure.remarks) and (said == figure.equation) != has_words
