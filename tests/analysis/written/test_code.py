"""The method line by line, as the class sees it."""

from nst_core.analysis.figures.formula import CODE
from nst_core.analysis.written.code import FUNCTIONS, lines_of, method
from nst_core.transfer import gatys


def test_every_term_of_the_loss_has_its_line():
    made = " ".join(words for _, _, words in method())
    for term in ("L_content, eq. 1", "α L_content", "G, eq. 3", "eq. 4", "β w_l E_l, eq. 5", "eq. 7"):
        assert term in made
    assert CODE.rows == method()


def test_lines_are_code_that_runs_and_no_words_about_it():
    text = "".join(" ".join(code for code, _, _ in lines_of(function)) for function in FUNCTIONS)
    assert text.count("def ") == len(FUNCTIONS) and '"""' not in text and "Args:" not in text


def test_a_line_says_the_shape_of_what_it_makes():
    assert ("return flat @ flat.T / flat.shape[1]", "(C, C)", "G, eq. 3") in lines_of(gatys.gram)
