"""A figure with its settings as the end of an address, and back."""

import random
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from nst_core.analysis.figure import Figure
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.options import Option
from nst_core.errors import ConfigError
from nst_core.ui.explain.links import LessonLink, as_example, read_link
from nst_core.ui.studio.links import EXAMPLES, FIGURE_KEY

OPTIONS = [(name, option.name) for name, figure in FIGURES.items() for option in figure.options]


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path) -> Path:
    """gradio's files go to a folder of this test's."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    return tmp_path / "gradio"


def option_of(figure: str, name: str) -> Option:
    return next(option for option in FIGURES[figure].options if option.name == name)


def any_value(option: Option, chance: random.Random) -> Any:
    """A single valid value of an option."""
    if option.kind is bool:
        return chance.random() < 0.5
    if option.choices:
        return chance.choice(option.choices)
    low, high = option.extent
    if option.kind is int:
        return chance.choice([int(low), int(high), chance.randint(int(low), int(high))])
    return chance.choice([low, high, chance.uniform(low, high), low * (high / low) ** chance.random() if low else 0.1])


def other_value(option: Option, chance: random.Random) -> Any:
    """A valid value that is not the default."""
    while True:
        several = [any_value(option, chance) for _ in range(chance.randint(1, 4))]
        value = option.parse(list(dict.fromkeys(several)) if option.several else several[0])
        if value != option.default:
            return value


def read(link: LessonLink) -> LessonLink:
    """What a browser makes of a link, read again."""
    address = link.query()
    assert address[0] == "?" and address.isascii() and not set(address) & set(" \"<>'")
    return read_link(dict(parse_qsl(address[1:], strict_parsing=True)))


def link_of(figure: Figure, **changes: Any) -> LessonLink:
    return LessonLink(figure=figure, settings=figure.settings({}) | changes)


# There and back


@pytest.mark.parametrize("name", FIGURES)
def test_defaults_need_no_words(name):
    link = link_of(FIGURES[name])
    assert link.query() == f"?figure={name}" and read(link) == link


@pytest.mark.parametrize("place", OPTIONS, ids="-".join)
def test_a_setting_that_was_changed_survives_and_only_it_is_named(place):
    option, chance = option_of(*place), random.Random(str(place))
    for _ in range(10):
        link = link_of(FIGURES[place[0]], **{option.name: other_value(option, chance)})
        assert [key for key, _ in parse_qsl(link.query()[1:])] == [FIGURE_KEY, option.name]
        again = read(link)
        assert again == link and type(again.settings[option.name]) is type(link.settings[option.name])


@pytest.mark.parametrize("name", FIGURES)
def test_settings_that_were_all_changed_survive(name):
    figure, chance = FIGURES[name], random.Random(name)
    for _ in range(10):
        link = link_of(figure, **{option.name: other_value(option, chance) for option in figure.options})
        assert read(link) == link


@pytest.mark.parametrize("name", ["grid", "sheet"])
def test_examples_are_named_and_come_as_files_of_gradios(name, cache):
    examples = {key: folder / sorted(path.name for path in folder.glob("*.jpg"))[0] for key, folder in EXAMPLES.items()}
    link = LessonLink(figure=FIGURES[name], settings=FIGURES[name].settings({}), pictures=examples)
    assert dict(parse_qsl(link.query()[1:])) == {FIGURE_KEY: name} | {key: path.stem for key, path in examples.items()}
    pictures = read(link).pictures
    assert pictures.keys() == examples.keys()
    for key, path in pictures.items():
        assert cache in path.parents and path.name == examples[key].name
        assert path.read_bytes() == examples[key].read_bytes()


def test_no_option_is_called_like_what_else_a_link_says():
    assert not {FIGURE_KEY, *EXAMPLES, "__theme"} & {option for _, option in OPTIONS}


def test_numbers_are_what_people_write():
    assert link_of(FIGURES["grid"], ratios=(1e-5, 0.5)).query() == "?figure=grid&ratios=1e-5%2C+0.5"
    assert link_of(FIGURES["gram"], above=False).query() == "?figure=gram&above=off"


# Other addresses


def test_an_address_without_a_figure_is_no_lesson():
    assert read_link({}) is None and read_link({"__theme": "dark", "size": "9999999", "content": "nobody"}) is None


@pytest.mark.parametrize("more", [{"__theme": "dark"}, {"utm_source": "a newsletter"}, {"x": "7"}, {"Size": "3"}])
def test_what_a_link_does_not_know_it_leaves(more):
    link = read_link({"figure": "grid", "size": "96"} | more)
    assert link == link_of(FIGURES["grid"], size=96)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"figure": "mona"}, "the link's figure is 'mona'; choose one of content, style, "),
        ({"figure": ""}, "the link's figure is ''"),
        ({"figure": "m" * 5000}, f"'{'m' * 36}"),
        ({"figure": "grid", "size": "large"}, "Size, pixels is 'large'; give a whole number from"),
        ({"figure": "grid", "ratios": ""}, "Ratios α/β has 0 values"),
        ({"figure": "grid", "backbone": "resnet"}, "Network is 'resnet'; choose one of"),
        ({"figure": "grid", "content": "nobody"}, "the link's content is 'nobody'; choose one of astronaut, "),
        ({"figure": "grid", "style": "chelsea_cat"}, "the link's style is 'chelsea_cat'; choose one of"),
        ({"figure": "grid", "content": "../styles/dawn_window"}, "choose one of"),
        ({"figure": "grid", "content": "chelsea_cat.jpg"}, "choose one of"),
        ({"figure": "grid", "content": ""}, "the link's content is ''"),
    ],
)
def test_a_link_that_leads_nowhere_says_what_is_wrong_with_it(query, message):
    with pytest.raises(ConfigError) as raised:
        read_link(query)
    assert message in str(raised.value) and len(str(raised.value)) < 300


# Examples


@pytest.mark.parametrize("key", EXAMPLES)
def test_a_copy_of_an_example_is_the_example(key, tmp_path):
    for example in EXAMPLES[key].glob("*.jpg"):
        (tmp_path / example.name).write_bytes(example.read_bytes())
        assert as_example(key, tmp_path / example.name) == as_example(key, example) == {key: example}


@pytest.mark.parametrize("key", EXAMPLES)
def test_a_picture_of_ones_own_is_no_example(key, tmp_path):
    example = next(EXAMPLES[key].glob("*.jpg"))
    named_alike = tmp_path / example.name
    named_alike.write_bytes(example.read_bytes()[:-1])
    other_name = tmp_path / "mine.jpg"
    other_name.write_bytes(example.read_bytes())
    other_kind = tmp_path / "photo.png"
    other_kind.write_bytes(example.read_bytes())
    for path in (None, named_alike, other_name, other_kind, tmp_path / "gone" / example.name):
        assert as_example(key, path) == {}


def test_a_photo_among_the_styles_is_no_example(tmp_path):
    photo = next(EXAMPLES["content"].glob("*.jpg"))
    assert as_example("style", photo) == {} and not (EXAMPLES["style"] / photo.name).exists()
