import gc
import json
import time
import weakref
from dataclasses import replace

import pytest
import torch

from nst_core.analysis.figure import FigureMaterial
from nst_core.analysis.figures import classify
from nst_core.analysis.figures.classify import FIGURE
from nst_core.errors import ConfigError, ImageError, WeightsError
from nst_core.features import classifier
from nst_core.features.classifier import Guess, categories
from nst_core.transfer.stylize import stylize
from tests.classifier_file import OTHER_LABEL, RED_LABEL, save_known
from tests.runs import CPU, small

TABBY, CHURCH, LEMON, BIRD_CRANE, CRANE = 281, 497, 951, 134, 517


def guesses_of(*shares):
    """Guesses of (number, probability), the rest alike."""
    given = dict(shares)
    rest = (1 - sum(given.values())) / (1000 - len(given))
    found = [Guess(label, given.get(number, rest), number) for number, label in enumerate(categories())]
    return sorted(found, key=lambda guess: -guess.probability)


class Scripted:
    """Says what it is told to, in turn; the last answer again and again."""

    def __init__(self, *answers):
        self.answers, self.seen = [guesses_of(*answer) for answer in answers], []

    def classify(self, image):
        self.seen.append(image.clone())
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def material(pictures):
    return FigureMaterial(contents=pictures[:1], styles=pictures[1:])


@pytest.fixture
def make(material, narrow_weights, monkeypatch):
    """Makes the figure with a scripted classifier, in small."""
    monkeypatch.setattr(classify, "require", lambda: None)
    monkeypatch.setitem(classify.PRESETS, "lab", replace(classify.PRESETS["lab"], config=small()))

    def run(*answers, **given):
        script = Scripted(*answers)
        monkeypatch.setattr(classify, "load_classifier", lambda compute: script)
        settings = FIGURE.settings({"preset": "lab", "size": 32, "steps": 6, "every": 2} | given)
        return script, list(FIGURE.make(material, settings, CPU))

    return run


STAYS = [((TABBY, 0.8),), ((CHURCH, 0.6),), ((TABBY, 0.7), (CHURCH, 0.1))]
FLIPS = [((TABBY, 0.8),), ((CHURCH, 0.6),), ((TABBY, 0.7),), ((TABBY, 0.4),), ((LEMON, 0.5),), ((CHURCH, 0.5),)]


def test_a_label_that_stays_is_said_to_stay(make):
    _, moments = make(*STAYS)
    assert moments[-1].findings[0] == "The label stays 'tabby' for all 6 steps."
    assert moments[-1].findings[1:] == ("'tabby' has 80 % in the content and 70 % in the result: tabby 70 %.",)


def test_every_flip_is_told_with_its_step(make):
    _, moments = make(*FLIPS)
    assert moments[-1].findings[:2] == (
        "At step 4 the label flips from 'tabby' to 'lemon'.",
        "At step 6 the label flips from 'lemon' to 'church'.",
    )
    assert not any("stays" in finding for finding in moments[-1].findings)


def test_a_start_with_another_label_is_not_called_a_flip(make):
    _, moments = make(((TABBY, 0.8),), ((CHURCH, 0.6),), ((LEMON, 0.5),))
    assert moments[-1].findings[0] == "The content's label is 'tabby', that of the start 'lemon'."
    assert len(moments[-1].findings) == 2


def test_flips_go_by_the_category_and_not_by_its_name(make, monkeypatch):
    """Of torchvision's releases some have two categories of one name."""
    names = categories()
    alike = [names[CRANE] if number == BIRD_CRANE else name for number, name in enumerate(names)]
    monkeypatch.setitem(globals(), "categories", lambda: alike)
    _, moments = make(((BIRD_CRANE, 0.8),), ((CHURCH, 0.6),), ((BIRD_CRANE, 0.5),), ((CRANE, 0.5),))
    assert "At step 2 the label flips from 'crane' to 'crane'." in moments[-1].findings


@pytest.mark.parametrize("every, steps", [(1, [0, 1, 2, 3, 4, 5, 6]), (4, [0, 4, 6]), (100, [0, 6])])
def test_it_looks_every_so_many_steps_and_at_the_end(make, every, steps):
    script, moments = make(*STAYS, every=every)
    assert len(script.seen) == 2 + len(steps)
    (chart,) = moments[-1].charts
    assert not chart.logarithmic and chart.x == "step"
    assert [step for step, _ in chart.lines["tabby (content)"]] == steps


def test_the_chart_is_of_the_contents_label_and_of_the_styles(make):
    _, moments = make(*FLIPS)
    lines = moments[-1].charts[0].lines
    assert list(lines) == ["tabby (content)", "church (style)"]
    assert [round(share) for _, share in lines["tabby (content)"]] == [70, 40, 0, 0]
    assert round(lines["church (style)"][-1][1]) == 50


def test_one_label_of_both_is_one_line(make):
    _, moments = make(((TABBY, 0.8),))
    assert list(moments[-1].charts[0].lines) == ["tabby (content)"]


def test_captions_and_table_tell_the_first_guesses(make):
    _, moments = make(*STAYS, top=2)
    captions = [part.caption for part in moments[-1].parts]
    assert [caption.splitlines()[0] for caption in captions] == ["tabby 80 %", "church 60 %", "tabby 70 %"]
    assert captions[2] == "tabby 70 %\nchurch 10 %"
    (table,) = moments[-1].tables
    assert table.heads == ("", "content", "style", "result")
    assert table.rows[0] == ("1", "tabby 80 %", "church 60 %", "tabby 70 %")
    assert len(table.rows) == 2


def test_the_figure_is_one_row_of_content_style_and_result(make):
    _, moments = make(*STAYS)
    for moment in moments:
        assert moment.columns == ("content", "style", "result") and len(moment.rows) == 1
        assert [(part.row, part.column) for part in moment.parts] == [(0, 0), (0, 1), (0, 2)]
    assert all(part.done for part in moments[-1].parts)


def test_the_result_grows_and_the_work_only_rises(make):
    _, moments = make(*STAYS)
    assert moments[0].parts[2].image is None and moments[0].share == 0 and not moments[0].charts
    shares = [moment.share for moment in moments]
    assert shares == sorted(shares) and shares[-1] == 1
    results = [moment.parts[2].image for moment in moments if moment.text.startswith("step")]
    assert len(results) == 7 and not any(torch.equal(results[0], later) for later in results[1:])
    assert not any(moment.parts[2].done for moment in moments[:-1])


def test_the_result_is_the_painting_that_its_record_describes(make, material):
    script, moments = make(*STAYS)
    result = moments[-1].parts[2]
    assert result.record.steps == 6 and not result.record.stopped
    run = stylize(material.content(), material.style(), result.config, compute=CPU)
    *_, last = run
    torch.testing.assert_close(result.image, last.image)
    assert torch.equal(script.seen[-1], result.image)
    assert all(moment.parts[2].record is None for moment in moments[:-1])


def test_facts_are_fit_for_json(make):
    _, moments = make(*FLIPS, top=3)
    facts = [json.loads(json.dumps(part.facts)) for part in moments[-1].parts]
    assert [len(fact["guesses"]) for fact in facts] == [3, 3, 3]
    assert [(look["step"], look["label"]) for look in facts[2]["looks"]] == [
        (0, "tabby"),
        (2, "tabby"),
        (4, "lemon"),
        (6, "church"),
    ]


@pytest.mark.parametrize("preset", classify.PRESETS)
def test_every_recipe_is_painted_as_it_is_but_for_what_is_set(material, narrow_weights, monkeypatch, preset):
    configs = []

    def note(content_image, style_image, config, **given):
        configs.append(config)
        return stylize(content_image, style_image, config, **given)

    monkeypatch.setattr(classify, "require", lambda: None)
    monkeypatch.setattr(classify, "stylize", note)
    FIGURE.make(material, FIGURE.settings({"preset": preset, "size": 64, "steps": 9}), CPU).close()
    own = classify.PRESETS[preset].config.on("lite")
    assert configs == [replace(own, size=64, steps=9)]


# What can be wrong


@pytest.mark.parametrize("missing", ["contents", "styles"])
def test_a_missing_picture_is_said_at_once(material, monkeypatch, missing):
    monkeypatch.setattr(classify, "require", lambda: None)
    with pytest.raises(ImageError, match=f"no {missing[:-1]} picture"):
        FIGURE.make(replace(material, **{missing: ()}), FIGURE.settings({}), CPU)


def test_without_the_classifier_it_says_at_once_what_it_needs(material, random_weights, monkeypatch, tmp_path):
    monkeypatch.setenv("NST_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=r"548 MB.*weights --classifier --download"):
        FIGURE.make(material, FIGURE.settings({}), CPU)


def test_a_size_that_does_not_suit_the_pictures_is_said_at_once(narrow_weights, monkeypatch):
    monkeypatch.setattr(classify, "require", lambda: None)
    narrow = FigureMaterial(contents=(torch.rand(1, 3, 20, 400),), styles=(torch.rand(1, 3, 64, 64),))
    with pytest.raises(ConfigError, match="size"):
        FIGURE.make(narrow, FIGURE.settings({"size": 64}), CPU)


# What is left of it


def test_nothing_is_looked_at_before_the_first_moment(make, material, monkeypatch):
    script = Scripted(*STAYS)
    monkeypatch.setattr(classify, "load_classifier", lambda compute: script)
    figure = FIGURE.make(material, FIGURE.settings({"preset": "lab", "size": 32}), CPU)
    assert next(figure).text == "loading the classifier" and not script.seen
    figure.close()


def test_moments_come_while_the_classifier_is_loaded(make, material, monkeypatch):
    script = Scripted(*STAYS)

    def load(compute):
        time.sleep(0.5)
        return script

    monkeypatch.setattr(classify, "load_classifier", load)
    figure = FIGURE.make(material, FIGURE.settings({"preset": "lab", "size": 32}), CPU)
    texts = [next(figure).text for _ in range(3)]
    assert texts == ["loading the classifier"] * 3
    figure.close()


@pytest.mark.parametrize("moments", [1, 3, 5, None])
def test_whenever_it_is_closed_the_classifier_and_the_run_are_let_go(make, material, monkeypatch, moments):
    kept, forgotten, runs = [], [], []

    def load(compute):
        script = Scripted(*STAYS)
        kept.append(weakref.ref(script))
        return script

    def note(*arguments, **given):
        runs.append(stylize(*arguments, **given))
        return runs[-1]

    monkeypatch.setattr(classify, "load_classifier", load)
    monkeypatch.setattr(classify, "forget_classifier", lambda: forgotten.append(kept[0]()))
    monkeypatch.setattr(classify, "stylize", note)
    figure = FIGURE.make(material, FIGURE.settings({"preset": "lab", "size": 32, "steps": 6}), CPU)
    shown = [moment for moment, _ in zip(figure, range(moments or 1000), strict=False)]
    figure.close()
    gc.collect()
    assert shown and forgotten == [None]
    assert kept[0]() is None and runs[0]._frames.gi_frame is None


def test_a_damaged_classifier_ends_it_with_its_own_words(material, make, monkeypatch):
    def load(compute):
        raise WeightsError("damaged")

    monkeypatch.setattr(classify, "load_classifier", load)
    with pytest.raises(WeightsError, match="damaged"):
        list(FIGURE.make(material, FIGURE.settings({"preset": "lab", "size": 32}), CPU))


# All of it


def test_a_known_classifier_sees_red_fade_as_it_is_painted_over(random_weights, monkeypatch, tmp_path):
    """A picture that starts red and is painted in a blue style: the label flips, on the way, from what red is."""
    save_known(tmp_path / "torch/hub/checkpoints/vgg19-00000000.pth")
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    shallow = small(style_layers=("conv1_1",), content_weight=0, style_weight=1e8)
    monkeypatch.setitem(classify.PRESETS, "lab", replace(classify.PRESETS["lab"], config=shallow))
    noise = 0.1 * torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    red, blue = noise.clone(), noise.clone()
    red[:, 0] += 0.9
    blue[:, 2] += 0.9
    settings = FIGURE.settings({"preset": "lab", "size": 32, "steps": 30, "every": 10})
    *_, last = FIGURE.make(FigureMaterial(contents=(red,), styles=(blue,)), settings, CPU)
    labels = [part.facts["guesses"][0]["label"] for part in last.parts]
    assert labels == [RED_LABEL, OTHER_LABEL, OTHER_LABEL]
    assert any(f"flips from '{RED_LABEL}' to '{OTHER_LABEL}'" in finding for finding in last.findings)
    assert classifier._load.cache_info().currsize == 0
