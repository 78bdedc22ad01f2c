"""Components by name: what is read is named, what is shown stands in its place."""

import gradio as gr
import pytest

from nst_core.ui.page.form import Form

SKIP = gr.skip()


@pytest.fixture
def form() -> Form:
    with gr.Blocks():
        return Form({name: gr.Textbox(label=name) for name in ("size", "steps", "status")})


def test_values_come_by_name_after_what_goes_before(form):
    taken = form.given_to(lambda session, shown: (session, shown))
    assert taken("mine", 512, 300, "Ready.") == ("mine", {"size": 512, "steps": 300, "status": "Ready."})


def test_values_too_many_or_too_few_are_a_mistake_of_the_programs(form):
    for values in ((1, 2), (1, 2, 3, 4)):
        with pytest.raises(ValueError):
            form.read(values)


def test_what_is_not_named_stays_as_it_is(form):
    assert form.filled_by(lambda: {"status": "Done.", "size": 9})() == [9, SKIP, "Done."]
    assert form.filled_by(lambda: {})() == [SKIP] * 3
    assert form.filled_by(lambda: {"size": None})() == [None, SKIP, SKIP]


def test_an_update_of_nothing_is_a_mistake_of_the_programs(form):
    with pytest.raises(KeyError, match="no colour"):
        form.updates({"colour": "red", "size": 9})


def test_a_part_has_its_own_order_and_names_are_unique(form):
    part = form.only("status", "size")
    assert part.updates({"size": 9}) == [SKIP, 9] and list(part) == [form["status"], form["size"]]
    joined = part | {"other": form["steps"]}
    assert joined.read((1, 2, 3)) == {"status": 1, "size": 2, "other": 3}
    with pytest.raises(ValueError, match="has size already"):
        form | {"size": form["steps"]}


def test_gradio_sees_the_handlers_own_parameters(form):
    def clicked(event: gr.EventData) -> dict:
        return {"size": event._data}

    arguments, *_ = gr.helpers.special_args(form.filled_by(clicked), [], event_data=gr.EventData(None, 7))
    assert form.filled_by(clicked)(*arguments) == [7, SKIP, SKIP]
