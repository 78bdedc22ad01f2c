"""What every preset paints of real pictures, as real VGG-19 sees it: a painting in the style that shows the photo."""

from functools import cache

import pytest

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.devices import choose_compute
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.stylize import stylize
from tests.judge import Judge

SIZE = 144  # pixels
PRINTED_SIZE = 256  # at which what is printed of Tran & Nguyen hardly has any style, as on larger ones
STYLE = 0.45  # of the photo's own style error: most that a painting may have
CONTENT = 0.5  # of white noise's content error, at the layers that the preset looks at
CONTRAST = 0.5  # of the photo's or the style picture's, whichever has less: least

# Steps that are enough to tell; thousands are their own.
STEPS = {
    "studio": 60, "lab": 20, "gatys": 40, "luo": 60, "chao": 60, "tran_nguyen": 40, "cheng": 40, "from_scratch": 45,
    "neural_style": 60, "gatys_code": 20, "pytorch_tutorial": 15, "gordic": 30, "crowson": 60,
}  # fmt: skip

# Bounds of their own.
STYLES = {
    "from_scratch": 0.77,  # Adam at 1e-3 takes 10,000 steps, and is on its way
    "crowson": 0.6,  # so are 3,000 steps, of which these are a fiftieth
    "studio": 0.53,
    "gatys_code": 0.525,
    "gordic": 0.49,
    "luo": 0.47,
}
CONTENTS = {
    # From noise the style comes first and the photo after it: these are on their way.
    "gatys": 0.95, "chao": 0.68, "tran_nguyen": 0.65,
    # Its own pictures melt the photo: of neural-style-pt's of tuebingen, 0.58 and 0.45 are left after 300 steps.
    "neural_style": 1.3,
    # Weights that give most to the style, from a photo that stays in its place: Gatys' code, its twins, and our lab.
    "lab": 1.0, "gatys_code": 1.0, "gordic": 0.75, "luo": 0.6,
    "pytorch_tutorial": 0.55,
}  # fmt: skip

# On VGG-19, those whose weights hang on a scale: the others are the benchmarks'.
ON_VGG19 = {"gatys": 40, "chao": 40, "tran_nguyen": 40, "neural_style": 40, "gatys_code": 20}


def picture(folder: str, name: str):
    return images.load(ASSETS / folder / f"{name}.jpg")


@cache
def judge_of(layers: tuple[str, ...], size: int) -> tuple[Judge, float, float]:
    """A judge, the content error of noise and the style error of the photo."""
    judge = Judge(picture("photos", "china_temple"), picture("styles", "starlit_valley"), size, layers=layers)
    return judge, judge.noise(), judge.scores(judge.content_image)[1]


@pytest.mark.weights
@pytest.mark.parametrize(
    ("name", "backbone", "steps"),
    [
        *((name, "lite", steps) for name, steps in STEPS.items()),
        *((name, "vgg19", steps) for name, steps in ON_VGG19.items()),
    ],
)
def test_a_preset_paints_the_style_and_shows_the_photo(name, backbone, steps):
    config = PRESETS[name].config.on(backbone).changed(size=SIZE, size_rule="longest side", steps=steps)
    pictures = picture("photos", "china_temple"), picture("styles", "starlit_valley")
    first, *_, last = stylize(*pictures, config, compute=choose_compute())
    judge, noise, own = judge_of(PRESETS[name].config.on("vgg19").content_layers, SIZE)
    content, style = judge.scores(last.image)
    assert last.total < first.total
    assert style <= STYLES.get(name, STYLE) * own
    assert content <= CONTENTS.get(name, CONTENT) * noise
    assert judge.contrast(last.image) >= CONTRAST * min(1.0, judge.contrast(pictures[1]))


def test_every_preset_that_paints_is_looked_at():
    assert STEPS.keys() == {name for name in PRESETS if not name.endswith("_printed")}


@pytest.mark.weights
@pytest.mark.parametrize("name", ["gatys_printed", "tran_nguyen_printed"])
def test_the_formula_as_printed_gives_back_the_photo(name):
    """What the page says of it: content alone counts, and the style hardly."""
    config = PRESETS[name].config.on("lite").changed(size=PRINTED_SIZE, size_rule="longest side", steps=24)
    pictures = picture("photos", "china_temple"), picture("styles", "starlit_valley")
    *_, last = stylize(*pictures, config, compute=choose_compute())
    judge, noise, own = judge_of(config.on("vgg19").content_layers, PRINTED_SIZE)
    content, style = judge.scores(last.image)
    assert content < 0.42 * noise and style > STYLE * own
