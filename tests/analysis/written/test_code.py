"""The method line by line, as the class sees it: what each line makes, in words and in a small run."""

import re
import sys
from itertools import islice

import pytest
import torch

from nst_core import images
from nst_core.analysis.written.code import FUNCTIONS, SMALL, lines_of, program, small_run
from nst_core.analysis.written.terms import rounded
from nst_core.features import weights
from nst_core.transfer import gatys


def test_every_term_of_the_loss_has_its_line():
    made = {words: term for (_, _, words, _), term in zip(program().rows, program().lines, strict=True)}
    for words, term in {
        "L_content, eq. 1": "content",
        "α L_content": "content",
        "G, eq. 3": "style",
        "C⁻² Σ (G − A)², eq. 4": "style",
        "β w_l E_l, eq. 5": "style",
        "A of each layer": "style",
        "eq. 7": "total",
    }.items():
        assert made[words] == term


def test_lines_are_code_that_runs_and_no_words_about_it():
    text = "".join(" ".join(line.code for line in lines_of(function)) for function in FUNCTIONS)
    assert text.count("def ") == len(FUNCTIONS) and '"""' not in text and "Args:" not in text


def test_a_line_says_the_shape_of_what_it_makes():
    lines = [line[1:] for line in lines_of(gatys.gram)]
    assert ("return flat @ flat.T / flat.shape[1]", "(C, C)", "G, eq. 3") in lines


def test_a_small_run_tells_what_the_lines_made_and_leaves_no_trace(narrow_weights, pictures):
    before = sys.gettrace()
    table = program(small_run(*pictures))
    assert sys.gettrace() is before
    told = {code: value for code, _, _, value in table.rows}
    small = [images.fit(picture, SMALL) for picture in pictures]
    network = weights.load(weights.require("lite"))
    (image, losses), _ = islice(gatys.paint(*small, network), 2)
    assert told['terms = {f"content {CONTENT_LAYER}": CONTENT_WEIGHT * distance}'] != "0"  # of the second look
    gradient = re.match(r"([0-9×]+), mean", told["(gradient,) = torch.autograd.grad(loss, image)"])[1]
    assert gradient == "×".join(map(str, image.shape))
    total = torch.tensor(list(losses.values())).sum()
    assert told["loss = torch.stack(list(terms.values())).sum()"] == rounded(total.item())
    channels = gatys.features(network, small[1])["conv5_1"].shape[1]
    assert told["return flat @ flat.T / flat.shape[1]"].startswith(f"{channels}×{channels}, mean ")
    assert (
        told["return terms"].split()[0] == told['terms[f"style {layer}"] = STYLE_WEIGHT * distance / len(wanted) ** 2']
    )


def test_a_run_that_fails_leaves_no_trace(pictures):
    before = sys.gettrace()
    with pytest.raises(RuntimeError):
        small_run(pictures[0][:, :2], pictures[1])
    assert sys.gettrace() is before
