"""One more style for a network that there is: only its own scales and shifts are learned."""

import itertools

import pytest
import torch

from nst_core import images
from nst_core.errors import ConfigError, ImageError, OutputError, WeightsError
from nst_core.instant.lesson import Lesson, add_style
from nst_core.instant.network import gather, same_convolutions
from nst_core.instant.perceptual import TrainingRecipe
from nst_core.instant.styles import StyleFile, load_styles, save_styles
from nst_core.transfer.steering import Steering
from tests.instant.test_painter import CPU, network_of

QUICK = TrainingRecipe(steps=20, batch=2, crop=64, style_size=64)
BRIEF = TrainingRecipe(steps=2, batch=1, crop=64, style_size=64)
pytestmark = pytest.mark.usefixtures("small_thumbnails")


@pytest.fixture
def base():
    return network_of("waves", "stars")


@pytest.fixture
def style():
    return images.resize(torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(3)), (80, 80))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("photographs")
    for number in range(3):
        image = torch.rand(1, 3, 9, 10, generator=torch.Generator().manual_seed(number))
        images.save_png(images.resize(image, (72, 80)), made / f"{number}.png")
    (made / "broken.png").write_text("Dear reader")
    return made


def test_a_lesson_changes_nothing_but_the_new_styles_scales_and_shifts(narrow_weights, base, style, folder):
    before = {name: value.clone() for name, value in base.state_dict().items()}
    lesson = Lesson("rain", style, base, folder, BRIEF, CPU)
    told = list(lesson.steps())
    assert any("skipped broken.png" in progress.text for progress in told)
    learned = lesson.learned().network
    assert learned.styles == ("rain", "photo") and same_convolutions(learned, base)
    assert all(torch.equal(value, before[name]) for name, value in base.state_dict().items())
    begun = gather([(base, "waves"), (base, "photo")])
    for (name, value), old in zip(learned.state_dict().items(), begun.state_dict().values(), strict=True):
        if ".norm." in name:
            assert torch.equal(value[1], old[1]) and not torch.allclose(value[0], old[0])


def test_a_lesson_lowers_the_style_loss(narrow_weights, base, style, folder):
    recipe = TrainingRecipe(steps=20, batch=2, crop=64, style_size=64, step_size=3e-3)
    told = [
        progress.losses["style"]
        for progress in Lesson("rain", style, base, folder, recipe, CPU).steps()
        if progress.losses
    ]
    assert told[-1] < 0.8 * told[0]


@pytest.mark.parametrize("own", ["waves", "stars"])
def test_a_lesson_begins_as_the_style_that_paints_nearest(random_weights, base, folder, own):
    photo = images.load(folder / "0.png")
    with torch.no_grad():
        style = base(photo, base.shares_of({own: 1.0}))
    recipe = TrainingRecipe(steps=2, batch=4, crop=64, style_size=80, content_weight=0.0, shade_share=0.0)
    lesson = Lesson("rain", style, base, folder, recipe, CPU)
    steps = lesson.steps()
    assert f"begins as {own}" in [progress.text for progress in itertools.islice(steps, 5)]
    begun, wanted = lesson.trainer.painter.state_dict(), gather([(base, own), (base, "photo")]).state_dict()
    assert all(torch.equal(value, wanted[name]) for name, value in begun.items())


def test_a_lesson_that_is_stopped_has_learned_what_it_has(narrow_weights, base, style, folder):
    steering = Steering()
    lesson = Lesson("rain", style, base, folder, QUICK, CPU)
    for _ in lesson.steps(steering):
        steering.stop.set()
    assert lesson.learned().header["steps"] == str(lesson.trainer.step) != "20"


def test_an_added_style_stands_in_the_file_beside_the_others(narrow_weights, base, style, folder, tmp_path):
    path = tmp_path / "styles.safetensors"
    save_styles(StyleFile(base, {"waves": b"\xff\xd8\xffsmall"}, {"images": "some"}), path)
    before = load_styles(path).network
    told = list(add_style("rain", style, path, folder, BRIEF, CPU))
    assert told[-1].text == f"wrote {path}"
    after = load_styles(path)
    assert after.network.styles == ("waves", "stars", "rain", "photo") and same_convolutions(after.network, before)
    assert after.thumbnails.keys() == {"waves", "rain"} and after.header["images"] == "some"
    picture = torch.rand(1, 3, 24, 24)
    with torch.no_grad():
        one, other = (made(picture, made.shares_of({"stars": 1.0})) for made in (before, after.network))
    torch.testing.assert_close(one, other)


def test_a_style_learned_again_goes_on_from_itself_and_keeps_its_place(narrow_weights, base, style, folder, tmp_path):
    path = tmp_path / "styles.safetensors"
    save_styles(StyleFile(base, {"stars": b"\xff\xd8\xffsmall"}), path)
    before = load_styles(path).network
    faint = TrainingRecipe(steps=1, batch=1, crop=64, style_size=64, step_size=1e-6)
    list(add_style("waves", style, path, folder, faint, CPU, again=True))
    after = load_styles(path)
    assert after.network.styles == ("waves", "stars", "photo") and after.thumbnails.keys() == {"waves", "stars"}
    assert "style waves" in after.header
    for (name, value), old in zip(after.network.state_dict().items(), before.state_dict().values(), strict=True):
        torch.testing.assert_close(value, old, atol=2e-3, rtol=0)
        if ".norm." in name:
            assert torch.equal(value[1:], old[1:])
    list(add_style("waves", style, path, folder, BRIEF, CPU, again=True))
    assert not torch.allclose(load_styles(path).network.last.norm.shift[0], before.last.norm.shift[0], atol=2e-3)
    with pytest.raises(ConfigError, match="no style 'rain' to learn again; have waves, stars"):
        Lesson("rain", style, base, folder, BRIEF, CPU, again=True)


def test_two_lessons_at_a_time_both_add_their_style(narrow_weights, base, style, folder, tmp_path):
    path = tmp_path / "styles.safetensors"
    save_styles(StyleFile(base, {}, {"images": "some"}), path)
    first, second = (add_style(name, style, path, folder, BRIEF, CPU) for name in ("rain", "snow"))
    next(first), next(second)  # both have read the file
    list(first), list(second)
    after = load_styles(path)
    assert after.network.styles == ("waves", "stars", "rain", "snow", "photo")
    assert {"images", "style rain", "style snow"} <= after.header.keys()
    assert {"rain", "snow"} <= after.thumbnails.keys()
    assert [each.name for each in tmp_path.iterdir() if not each.name.endswith(".lock")] == [path.name]


CHANGES = {
    "a style of that name": lambda base, path: save_styles(StyleFile(network_of("waves", "rain")), path),
    "another network": lambda base, path: save_styles(StyleFile(network_of("waves", "stars", seed=1)), path),
    "gone": lambda base, path: path.unlink(),
    "damaged": lambda base, path: path.write_bytes(b"Dear reader"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_style_that_its_file_has_no_place_for_any_more_is_kept_beside_it(
    narrow_weights, base, style, folder, tmp_path, change
):
    path, taken = tmp_path / "styles.safetensors", tmp_path / "styles-rain.safetensors"
    save_styles(StyleFile(base), path)
    taken.write_bytes(b"of somebody")
    learning = add_style("rain", style, path, folder, BRIEF, CPU)
    next(learning)
    CHANGES[change](base, path)
    there = path.read_bytes() if path.exists() else None
    with pytest.raises(OutputError, match=r"cannot be added to it \(.+\); the style is kept in styles-rain-2.safeten"):
        list(learning)
    assert (path.read_bytes() if path.exists() else None) == there and taken.read_bytes() == b"of somebody"
    assert load_styles(tmp_path / "styles-rain-2.safetensors").network.styles == ("rain", "photo")


@pytest.mark.parametrize("name", ["", "  ", "waves", "photo"])
def test_a_style_needs_a_name_of_its_own(narrow_weights, base, style, folder, name):
    with pytest.raises(ConfigError, match="not empty and not taken"):
        Lesson(name, style, base, folder, QUICK, CPU)


def test_a_lesson_needs_photographs_and_a_file(narrow_weights, base, style, tmp_path):
    with pytest.raises(ImageError, match="at least 2 are needed"):
        Lesson("rain", style, base, tmp_path, QUICK, CPU)
    with pytest.raises(WeightsError, match="there is no file"):
        list(add_style("rain", style, tmp_path / "none.safetensors", None, QUICK, CPU))


def test_without_a_folder_the_programs_own_photographs_serve(narrow_weights, base, style):
    assert "6 pictures of photos" in Lesson("rain", style, base, None, QUICK, CPU).photographs.summary
