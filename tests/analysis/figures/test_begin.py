"""A figure that is made elsewhere is the one that is made here, whatever happens to the machines."""

import re
from dataclasses import replace

import pytest
import torch

from nst_core.analysis.figure import FigureMaterial, Moment
from nst_core.analysis.figures import begin as beginning
from nst_core.analysis.figures import classify
from nst_core.analysis.figures.begin import RemoteFigure, begin_figure
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.analysis.painting import side_by_side
from nst_core.analysis.poster.description import describe
from nst_core.devices import Compute
from nst_core.engine import errands
from nst_core.engine.device_thread import Account
from nst_core.engine.devices import DEVICES
from nst_core.engine.remote_run import MOST_LOST
from nst_core.errors import ConfigError, DeviceError, ImageError, NSTError, WeightsError
from nst_core.features.checkpoint import CLASSIFIER
from tests.analysis.figures.test_classify import STAYS, Scripted
from tests.machines import Room, StandIn

CPU = Compute(device="cpu", precision="fp32")
FEW = {
    "size": 32,
    "steps": 3,
    "sets": ("A", "A-B"),
    "ratios": (1e-3, 1e-2),
    "every": 2,
    "starts": ("content", "noise"),
    "optimizers": ("lbfgs",),
    "maps": 2,
    "pairs": 1,
    "layers": ("conv1_2", "conv2_1"),
    "layer": "conv2_1",
}
SECONDS = re.compile(r"(\d+(\.\d+)? to )?\d+(\.\d+)? s(econds)?\b")


@pytest.fixture(autouse=True)
def every_moment(figure_weights, monkeypatch):
    """Moments as often as steps come, each of which is sent; a classifier that says always the same."""
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setenv("NST_PRECISION", "fp32")
    monkeypatch.setattr(errands, "NEWS_SECONDS", 0)
    monkeypatch.setattr(errands, "MOST_BYTES", float("inf"))
    monkeypatch.setattr(side_by_side, "MOMENT_SECONDS", 0)
    monkeypatch.setattr(classify, "require", lambda: None)
    monkeypatch.setattr(classify, "load_classifier", lambda compute: Scripted(*STAYS))
    monkeypatch.setattr(beginning, "networks_here", lambda *names: errands.networks_here(*names[:1]))


@pytest.fixture
def room(monkeypatch) -> Room:
    made = Room()
    monkeypatch.setattr(beginning, "machines", lambda: made)
    return made


@pytest.fixture
def material() -> FigureMaterial:
    generator = torch.Generator().manual_seed(3)
    contents = tuple(torch.rand(1, 3, 30, 40, generator=generator) for _ in range(2))
    styles = tuple(torch.rand(1, 3, 40, 36, generator=generator) for _ in range(2))
    cutout = torch.cat([torch.full((1, 3, 20, 30), 0.5), torch.zeros(1, 1, 20, 30)], 1)
    cutout[:, 3, :, :10] = 1
    return FigureMaterial(
        contents=contents, styles=styles, content_names=("a", "b"), style_names=("c", "d"), cutout=cutout
    )


def settings_of(name: str, **changes) -> dict:
    figure = FIGURES[name]
    own = {option.name for option in figure.options}
    layers = {} if name in ("content", "gram") else {"layers": None, "layer": None}
    few = {key: value for key, value in (FEW | layers | changes).items() if key in own and value is not None}
    return figure.settings(few)


def told(name: str, settings: dict, moment: Moment) -> dict:
    """All of a figure but its pictures, without what a clock or a machine's name says."""
    charts = tuple(chart for chart in moment.charts if chart.x != "seconds")
    parts = tuple(
        replace(part, record=replace(part.record, seconds=0, device="")) if part.record else part
        for part in moment.parts
    )
    plain = describe(FIGURES[name], settings, replace(moment, charts=charts, parts=parts))
    return {"text": SECONDS.sub("s", repr(plain)), "share": moment.share, "moment": SECONDS.sub("s", moment.text)}


def pictures_of(moment: Moment) -> dict:
    return {(part.row, part.column): part.image.cpu() for part in moment.parts}


def same_pictures(one: Moment, other: Moment) -> bool:
    ours, theirs = pictures_of(one), pictures_of(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[place], theirs[place]) for place in ours)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_made_elsewhere_is_the_one_made_here(name, material, room):
    settings = settings_of(name)
    *_, here = FIGURES[name].make(material, settings, CPU)
    moments = list(begin_figure(FIGURES[name], material, settings))
    there = moments[-1]
    assert same_pictures(there, here) and told(name, settings, there) == told(name, settings, here)
    records = [part.record for part in there.parts if part.record]
    assert all("CPU" in record.device and " on machine" in record.device for record in records)
    assert len(moments) > 2 and room.chosen == room.left == 1


def test_a_picture_that_did_not_change_is_the_very_same_and_is_sent_once(material, room, monkeypatch):
    sent, packed = [], errands.packed
    monkeypatch.setattr(errands, "packed", lambda state: (sent.extend(state.tensors), packed(state))[1])
    moments = list(begin_figure(FIGURES["content"], material, settings_of("content")))
    first, last = (next(part.image for part in moment.parts if part.label == "the picture") for moment in moments[-2:])
    assert first is last and len(sent) == len(set(sent)) < sum(len(moment.parts) for moment in moments)


def test_what_is_wrong_is_found_as_it_begins_in_the_same_words(material, room):
    with pytest.raises(ConfigError, match="layer is 'conv9_1'"):
        begin_figure(FIGURES["gram"], material, settings_of("gram", layer="conv9_1"))
    with pytest.raises(ImageError, match="there is no content picture"):
        begin_figure(FIGURES["content"], FigureMaterial(), settings_of("content"))
    assert room.chosen == room.left == 2 and room.calls == ["host", "ask"] * 2


def test_other_weights_there_are_refused(material, room, monkeypatch):
    monkeypatch.setattr(beginning, "networks_here", lambda *names: dict.fromkeys(names, "another"))
    with pytest.raises(WeightsError, match="put the same file on all machines"):
        begin_figure(FIGURES["content"], material, settings_of("content"))


def test_the_classifier_s_file_must_be_the_same_too(material, room, monkeypatch):
    asked = []
    monkeypatch.setattr(beginning, "networks_here", lambda *names: asked.append(names) or {})
    begin_figure(FIGURES["classify"], material, settings_of("classify"))
    begin_figure(FIGURES["gram"], material, settings_of("gram", backbone="vgg19"))
    assert asked == [("lite", CLASSIFIER), ("vgg19",)]


@pytest.mark.parametrize("number", [1, 2, 3, 5, 8])
def test_whenever_its_machine_is_lost_it_is_made_again_while_what_was_there_stays(number, material, room):
    settings = settings_of("content")
    *_, here = FIGURES["content"].make(material, settings, CPU)
    room.fails = lambda call, method: call == number
    moments = list(begin_figure(FIGURES["content"], material, settings))
    shares = [moment.share for moment in moments]
    assert same_pictures(moments[-1], here) and shares == sorted(shares) and shares[-1] == 1
    lost = [note for note in moments[-1].notes if "was lost" in note]
    assert len(lost) == (number > 3)  # order, begin, advance …
    assert room.chosen == room.left == 2


def test_where_every_machine_is_lost_it_ends_in_words(material, room):
    figure = begin_figure(FIGURES["content"], material, settings_of("content"))
    next(figure)
    room.fails = lambda call, method: True
    with pytest.raises(DeviceError, match=f"{MOST_LOST} machines were lost"):
        next(figure)
    with pytest.raises(DeviceError, match=f"{MOST_LOST} machines were lost"):
        begin_figure(FIGURES["content"], material, settings_of("content"))
    assert room.chosen == room.left


def test_what_ends_it_there_comes_after_what_was_made(material, room, monkeypatch):
    def make(*_):
        yield Moment(("",), ("",), (), share=0.5)
        raise ZeroDivisionError

    monkeypatch.setitem(FIGURES, "content", replace(FIGURES["content"], make=make))
    figure = begin_figure(FIGURES["content"], material, settings_of("content"))
    assert next(figure).share == 0.5
    with pytest.raises(NSTError, match="went wrong"):
        next(figure)
    assert room.chosen == room.left and next(figure, None) is None


def test_closed_it_is_forgotten_there_and_no_device_waits_for_it(material, room, monkeypatch):
    closed = []

    def make(*_):
        try:
            while True:
                yield Moment((), (), ())
        finally:
            closed.append(1)

    monkeypatch.setitem(FIGURES, "content", replace(FIGURES["content"], make=make))
    figure = begin_figure(FIGURES["content"], material, settings_of("content"))
    assert isinstance(figure, RemoteFigure)
    account, before = Account(), room.calls.copy()
    with DEVICES.own_job(account):
        DEVICES.next_of(figure)
    assert room.calls == [*before, "ask"] and account.seconds > 0
    monkeypatch.setattr(StandIn, "start", called_at_once(StandIn.start))
    figure.close()
    assert closed == [1] and room.left == 1


def called_at_once(start):
    def started(machine, *given):
        answer = start(machine, *given)()
        return lambda: answer

    return started
