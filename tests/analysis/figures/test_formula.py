"""The figure of the formulas: what it writes is what is computed."""

import math
import re
from dataclasses import fields, replace

import pytest
import torch

from nst_core.analysis.figure import FigureMaterial
from nst_core.analysis.figures import formula
from nst_core.analysis.written.differences import difference_of
from nst_core.analysis.written.terms import positions_of, rounded, terms_of
from nst_core.errors import ConfigError, ImageError
from nst_core.features.vgg import channels_of
from nst_core.losses.style import STYLE_LOSSES, STYLE_NORMALIZATIONS
from nst_core.losses.variation import TOTAL_VARIATIONS
from nst_core.losses.wasserstein import wasserstein_distance
from nst_core.transfer.config import SETTINGS, StyleTransferConfig
from nst_core.transfer.ladder import content_share
from nst_core.transfer.objective import StyleTransferObjective
from nst_core.transfer.presets import PRESETS
from tests.every import every
from tests.runs import CPU
from tests.stand_ins import narrow_networks, narrowed

SIZE = (48, 64)  # of the content picture


def noise(seed: int, *size: int) -> torch.Tensor:
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed))


CONTENT, STYLE, PAINTED = noise(1, *SIZE), noise(2, 56, 40), noise(3, *SIZE)


class Measured:
    """A painted picture's terms by the objective, and by hand from the features of all three."""

    def __init__(self, config, networks):
        self.config, network = config, networks[config.backbone]
        objective = StyleTransferObjective(network, CONTENT, [STYLE], config, content_share=content_share(config))
        with torch.no_grad():
            self.objectives = {name: value.item() for name, value in objective(PAINTED).items()}
            self.painting, self.content, self.style = (
                network(
                    image,
                    {*(config.content_layers if config.content_weight else ()), *config.style_layers},
                    pooling=config.pooling,
                    padding=config.padding,
                    normalization=config.normalization,
                )
                for image in (PAINTED, CONTENT, STYLE)
            )
        self.terms = terms_of(config, SIZE, formula.zeros_of(objective))
        self.chance = torch.Generator().manual_seed(config.seed)
        loss = STYLE_LOSSES[config.style_loss]  # which draws of the painting first, layer by layer
        self.drawn = {
            layer: loss.drawn(loss.statistics(self.painting[layer], None, None), self.chance)
            for layer in config.style_layers
        }

    def squares(self, layer: str) -> float:
        """Σ(F − P)²."""
        return (self.painting[layer].double() - self.content[layer].double()).square().sum().item()

    def grams(self, layer: str) -> tuple[torch.Tensor, torch.Tensor]:
        """G and A of a layer, divided by their positions."""
        flats = [seen[layer].double().flatten(2)[0] for seen in (self.painting, self.style)]
        return tuple(flat @ flat.T / flat.shape[1] for flat in flats)

    def distance(self, layer: str) -> float:
        """Of the style loss, as the losses define it."""
        if self.config.style_loss == "gram":
            painted, target = self.grams(layer)
            return (painted - target).square().sum().item()
        loss = STYLE_LOSSES[self.config.style_loss]
        target = loss.statistics(self.style[layer], None, None)
        chance = torch.Generator().manual_seed(0)
        chance.set_state(self.chance.get_state())
        return loss.distance(self.drawn[layer], loss.prepare(target), chance).item()

    def variation(self) -> float:
        """Total variation, as the losses define it."""
        return TOTAL_VARIATIONS[self.config.total_variation](PAINTED).item()


def slopes() -> dict[str, float]:
    """The sums and means that total variations are written with, by their texts."""
    x = PAINTED.double()
    right, down = x[..., :, 1:] - x[..., :, :-1], x[..., 1:, :] - x[..., :-1, :]
    wide = torch.cat([x[..., :1], x, x[..., -1:]], -1)
    p = torch.cat([wide[..., :1, :], wide, wide[..., -1:, :]], -2)  # the border once more
    sums = {
        "Σ(|dx| + |dy|)": right.abs().sum() + down.abs().sum(),
        "Σ(dx² + dy²)": (right[..., :-1, :] ** 2 + down[..., :, :-1] ** 2).sum(),
        "mean(dx²)": (p[..., :, 1:] - p[..., :, :-1]).square().mean(),
        "mean(dy²)": (p[..., 1:, :] - p[..., :-1, :]).square().mean(),
        "mean(d₄₅²)": (p[..., 1:, 1:] - p[..., :-1, :-1]).square().mean(),
        "mean(d₁₃₅²)": (p[..., 1:, :-1] - p[..., :-1, 1:]).square().mean(),
    }
    return {text: value.item() for text, value in sums.items()}


@pytest.fixture(scope="module", params=PRESETS)
def measured(request):
    with narrowed():
        yield Measured(PRESETS[request.param].config, narrow_networks())


# The terms


def test_the_terms_are_the_objectives(measured):
    assert [term.name for term in measured.terms] == list(measured.objectives)


def test_coefficient_times_the_plain_loss_is_the_objectives_term(measured):
    for term in measured.terms:
        kind, layer = term.name.split()
        positions = positions_of(layer, SIZE) if kind != "total" else 1
        plain = {
            "content": lambda layer=layer, positions=positions: measured.squares(layer) / positions,
            "style": lambda layer=layer: measured.distance(layer),
            "total": measured.variation,
        }[kind]()
        assert term.coefficient * plain == pytest.approx(measured.objectives[term.name], rel=2e-4), term.name


def evaluated(text: str, known: dict[str, float]) -> float:
    """A written formula as a number; known: what a part of it is, by its text."""
    for number, part in enumerate(known):
        text = text.replace(part, f" v[{number}] ")
    for sign, python in (("·", "*"), ("²", "**2"), ("⁴", "**4"), ("½", "0.5 *"), ("[", "("), ("]", ")")):
        text = re.sub(r"v\((\d+)\)", r"v[\1]", text.replace(sign, python))
    text = re.sub(r"([\d)])\s+(?=[v(])", r"\1 * ", text)
    assert re.fullmatch(r"[\d.e+*/() \[\]v-]+", text), text
    return eval(text, {"v": list(known.values())})  # nothing but numbers and signs


def known_of(measured: Measured, name: str) -> dict[str, float]:
    """The sums and distances that a term is written with, by their texts."""
    kind, layer = name.split()
    if kind == "total":
        return slopes()
    if kind == "content":
        return {"Σ(F − P)²": measured.squares(layer)}
    painted, target = measured.grams(layer)
    known = {"Σ(G − A)²": (painted - target).square().sum().item() * positions_of(layer, SIZE) ** 2}
    if measured.config.style_loss == "nearest neighbours":
        known = {"‖F − S*‖²": measured.distance(layer)}
    if "wasserstein" in measured.config.style_loss:
        loss = STYLE_LOSSES["gram and wasserstein"]
        memory, style = (loss.statistics(seen[layer], None, None) for seen in (measured.painting, measured.style))
        *cloud, _, scale = loss.prepare(style)
        work = wasserstein_distance(memory, tuple(cloud)).item()
        known |= {"s W₂²": scale.item() * work, "W₂²": work}
    return known


def test_what_is_written_is_what_is_computed(measured):
    """The text itself, read as arithmetic with sums over the real features, is the objective's term."""
    for term in measured.terms:
        value = evaluated(term.numbers, known_of(measured, term.name))
        assert value == pytest.approx(measured.objectives[term.name], rel=0.02), term


@pytest.mark.parametrize(
    "settings",
    [
        *({"total_variation": name, "tv_weight": 0.3} for name in TOTAL_VARIATIONS),
        *(
            {"style_loss": loss, "style_normalization": normalization}
            for loss in ("gram", "wasserstein", "gram and wasserstein")
            for normalization in STYLE_NORMALIZATIONS
        ),
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
def test_any_formula_is_what_is_computed(narrow_vgg, settings):
    config = StyleTransferConfig(content_weight=0.0, style_layers=("conv2_1",), **settings)
    measured = Measured(config, narrow_vgg)
    for term in measured.terms:
        value = evaluated(term.numbers, known_of(measured, term.name))
        assert value == pytest.approx(measured.objectives[term.name], rel=0.02), term


def test_the_numbers_are_those_of_the_letters(measured):
    config = measured.config
    for term in measured.terms:
        kind, layer = term.name.split()
        text = term.formula.replace("α", rounded(config.content_weight)).replace("β", rounded(config.style_weight))
        text = text.replace("γ", rounded(config.tv_weight)).replace("κ", rounded(content_share(config)))
        text = re.sub("w[₀-₉]+", rounded(config.weight_of_layer(layer)) if kind == "style" else "", text)
        if kind != "total":
            text = text.replace("N²M²", "N²·M²").replace("NM", "N·M").replace("4N", "4·N").replace("N", "⟨N⟩")
            text = text.replace("⟨N⟩", str(channels_of(config.backbone, layer)))
            text = text.replace("HW", str(SIZE[0] * SIZE[1])).replace("M", str(positions_of(layer, SIZE)))
        ending = re.split("/(ΣP²|ΣA²|D₀)", text)
        assert term.numbers.startswith(ending[0]) and (len(ending) == 3) == ("/D₀" in text or "/Σ" in text)


@every(style_loss=STYLE_LOSSES, normalization=STYLE_NORMALIZATIONS)
def test_any_loss_in_any_measure_has_its_coefficient(narrow_vgg, style_loss, normalization):
    config = StyleTransferConfig(
        content_weight=0.0, style_layers=("conv2_1",), style_loss=style_loss, style_normalization=normalization
    )
    measured = Measured(config, narrow_vgg)
    (term,) = measured.terms
    expected = measured.objectives["style conv2_1"]
    assert term.coefficient * measured.distance("conv2_1") == pytest.approx(expected, rel=1e-3)
    assert not re.search(r"[{}NM]", term.numbers.replace("MMD", "")), term.numbers


@pytest.mark.parametrize("size", [(16, 16), (37, 51), (48, 64), (99, 31)])
def test_positions_are_those_of_the_network(narrow_vgg, size):
    layers = ("conv1_2", "conv2_1_pre", "conv3_1", "conv4_2", "conv5_1")
    seen = narrow_vgg["lite"](torch.rand(1, 3, *size), [layer for layer in layers])
    assert {layer: positions_of(layer, size) for layer in layers} == {
        layer: features[0, 0].numel() for layer, features in seen.items()
    }


def test_a_term_without_weight_is_not_written():
    config = StyleTransferConfig(content_weight=0.0, layer_weights=(1.0, 0.0, 0.0, 0.0, 2.0))
    assert [term.name for term in terms_of(config, SIZE)] == ["style conv1_1", "style conv5_1"]
    assert "w₅" in terms_of(config, SIZE)[1].formula
    assert [term.name for term in terms_of(StyleTransferConfig(style_weight=0.0, tv_weight=2.0), SIZE)] == [
        "content conv4_2",
        "total variation",
    ]


def test_what_only_the_pictures_know_stays_a_letter():
    unknown = terms_of(PRESETS["studio"].config, SIZE)
    for term in unknown[:-1]:
        assert term.coefficient is None and term.numbers.endswith(("ΣP²", "D₀"))
    assert unknown[-1].coefficient == 0.5
    assert all(term.coefficient > 0 for term in terms_of(PRESETS["gatys"].config, SIZE))


# The differences


def test_the_paper_does_not_differ_from_itself():
    assert difference_of(PRESETS["gatys_printed"].config) == ()


# Field -> another value, and what makes it count.
OTHERS = {
    "content_layers": ("conv3_1",),
    "style_layers": ("conv1_1",),
    "layer_weights": (1.0, 2.0, 3.0, 4.0, 5.0),
    "blend": (1.0, 2.0),
    "adam_betas": (0.5, 0.6),
    "steps": 7,
    "history": 3,
    "last_step": 5,
    "mask_softness": 0.1,
    "size": 99,
    "smallest_scale": 64,
    "seed": 4,
}
CONTEXTS = {
    "total_variation": {"tv_weight": 1.0},
    "noise_deviation": {"start": "noise"},
    "adam_betas": {"optimizer": "adam"},
    "clamp": {"optimizer": "adam"},
    "scale_falloff": {"smallest_scale": 64},
}


@pytest.mark.parametrize("field", [field.name for field in fields(StyleTransferConfig)])
def test_every_setting_that_counts_is_a_difference(field):
    paper = replace(PRESETS["gatys_printed"].config, **CONTEXTS.get(field, {}))
    before = getattr(paper, field)
    if choices := SETTINGS[field].choices:
        others = [choice for choice in choices if choice != before]
    else:
        others = [not before if isinstance(before, bool) else OTHERS.get(field, 0.375)]
    for other in others:
        (said, *more) = difference_of(replace(paper, **{field: other}), paper)
        assert said and (not more or field == "style_layers"), field


def test_a_setting_without_effect_is_no_difference():
    paper = PRESETS["gatys_printed"].config
    assert difference_of(replace(paper, total_variation="squares", adam_betas=(0.1, 0.2), scale_falloff=1.0)) == ()


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_but_the_paper_says_what_it_does_otherwise(name):
    rows = dict(formula.FIELD.rows)
    assert rows[PRESETS[name].title]
    if name != "gatys_printed":
        assert rows[PRESETS[name].title] == "; ".join(difference_of(PRESETS[name].config))
    assert len(rows) == len(PRESETS)


def test_known_differences_are_told():
    assert difference_of(PRESETS["chao_printed"].config) == ("max pooling",)
    assert {"VGG-16", "content conv2_2", "400 steps"} <= set(difference_of(PRESETS["tran_nguyen_printed"].config))
    assert "α = 1, β = 8e4, α/β = 1.25e-5" in difference_of(PRESETS["luo_printed"].config)
    rescaled = "features rescaled, filter by filter, to a mean activation of 1"
    assert {rescaled, "content loss ½ Σ(F − P)²/(NM)"} <= set(difference_of(PRESETS["gatys"].config))


# The figure


def moments(pictures, **given):
    material = FigureMaterial(contents=pictures[:1], styles=pictures[1:])
    settings = formula.FIGURE.settings({"size": 40, "steps": 4, **given})
    return formula.FIGURE.make(material, settings, CPU)


@pytest.fixture(scope="module", params=["studio", "gordic", "crowson"])
def every(request, narrow_weights_folder):
    with pytest.MonkeyPatch.context() as patch, narrowed():
        patch.setenv("NST_WEIGHTS", str(narrow_weights_folder))
        return list(moments((CONTENT, STYLE), preset=request.param))


def test_every_term_stands_beside_its_line(every):
    *_, last = every
    (chart,), (table, *_) = last.charts, last.tables
    names = [row[0] for row in table.rows]
    assert names == [*chart.lines, "total"] and table.lines == (*chart.lines, "")
    for name, *_, now in table.rows[:-1]:
        assert chart.lines[name][-1] == (4, pytest.approx(float(now), rel=6e-3)), name
    assert float(table.rows[-1][-1]) == pytest.approx(math.fsum(line[-1][1] for line in chart.lines.values()), rel=6e-3)


def test_what_does_not_change_is_one_object(every):
    last = every[-1]
    for moment in every:
        assert [moment.tables[1] is last.tables[1], moment.tables[2] is last.tables[2]] == [True, True]
        assert moment.parts[0] is last.parts[0] and moment.parts[1] is last.parts[1]


def test_all_numbers_are_known_when_it_begins_to_paint(every):
    for moment in every[1:]:
        assert not any(letter in row[2] for row in moment.tables[0].rows for letter in ("ΣP²", "ΣA²", "D₀"))


def test_it_ends_with_the_painting_and_its_record(every):
    *before, last = every
    assert last.share == 1 and all(part.done for part in last.parts) and len(last.parts) == 3
    assert last.parts[2].record.losses.keys() == last.charts[0].lines.keys()
    assert [moment.share for moment in every] == sorted(moment.share for moment in every)
    assert not any(part.record for moment in before for part in moment.parts)


def test_the_papers_loss_stands_beside_any(every):
    table = every[-1].tables[1]
    assert [row[0] for row in table.rows][:2] == ["content conv4_2", "style conv1_1"]
    assert table.rows[1][1] == "β · w₁ · 1/(4N²M²) Σ(G − A)²"
    assert table.rows[1][2].startswith("1e3 · 0.2 · 1/(4·16²·")


def test_the_findings_add_up_to_the_whole(every):
    (found,) = every[-1].findings
    assert sum(map(int, re.findall(r"(\d+)%", found))) == pytest.approx(100, abs=2)


def test_what_is_wrong_is_found_before_the_first_moment(narrow_weights, pictures):
    with pytest.raises(ConfigError, match="choose one of"):
        moments(pictures, preset="nobody")
    with pytest.raises(ConfigError, match="at least 16"):
        moments((torch.rand(1, 3, 40, 200), pictures[1]))
    with pytest.raises(ImageError, match="no content picture"):
        formula.make(FigureMaterial(), formula.FIGURE.settings({}), CPU)


def test_nothing_stays_behind_when_it_is_left(narrow_weights, pictures, monkeypatch):
    closed = []
    close = formula.Run.close
    monkeypatch.setattr(formula.Run, "close", lambda run: (closed.append(run), close(run)))
    left = moments(pictures, steps=100)
    for _ in range(4):
        next(left)
        assert torch.is_grad_enabled()
    left.close()
    assert len(closed) == 1 and closed[0].last_frame.step < 100


def test_a_preset_that_reads_its_formula_otherwise_shows_both_with_their_numbers(narrow_weights, pictures):
    *before, last = moments(pictures, preset="chao")
    own, printed, paper, *_ = last.tables
    assert "Caffe" in own.title and "as printed" in printed.title and "Gatys" in paper.title
    assert own.rows[0][1] == "α · κ · Σ(F − P)²/(NM)" and printed.rows[0][1] == "α · ½ Σ(F − P)²"
    values = [float(row[-1]) for row in printed.rows]
    assert values[-1] == pytest.approx(sum(values[:-1]), rel=1e-2) and values[0] > 0
    assert not any(row[-1] for row in before[-1].tables[1].rows)
    assert PRESETS["chao_printed"].deviations in last.findings[1] and "content" in last.findings[1]


def test_the_paper_as_it_paints_stands_beside_itself_as_printed_once(narrow_weights, pictures):
    *_, last = moments(pictures, preset="gatys")
    assert [table.title.split(",")[0] for table in last.tables[:2]] == [
        "The loss of Gatys et al. 2016: the paper",
        "Gatys et al. 2016",
    ]
    assert len(last.tables) == 4
