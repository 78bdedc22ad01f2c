"""On a real cluster of three nodes, all on this computer: the same as here, and a lost node is got over."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from nst_core import images
from nst_core.analysis.figure import FigureMaterial
from nst_core.analysis.figures.begin import RemoteFigure, begin_figure
from nst_core.analysis.figures.catalogue import FIGURES
from nst_core.devices import choose_compute
from nst_core.engine.begin import begin
from nst_core.engine.cluster import machines
from nst_core.engine.worker import Material
from nst_core.errors import ConfigError
from nst_core.instant import pieces
from nst_core.instant.easel import Turn
from nst_core.instant.lesson import Lesson
from nst_core.instant.nearby import Nearby
from nst_core.instant.painter import Painter
from nst_core.instant.palette import Strokes, plain_recipe
from nst_core.instant.perceptual import TrainingRecipe
from nst_core.instant.pieces import as_image
from nst_core.instant.video import paint_video
from nst_core.instant.video_by_many import paint_video_by_many
from nst_core.transfer.steering import Steering
from tests.instant.test_cuts import pan
from tests.instant.test_painter import CPU, network_of
from tests.instant.test_video import film
from tests.machines import ray_nodes
from tests.runs import LADDER, small

pytest.importorskip("ray", reason="paints on many machines; nst_core/engine/requirements-ray.txt")
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def kill(random_weights_folder) -> Iterator[Callable[[str], None]]:
    """A cluster of three nodes, and what kills one."""
    threads = str(torch.get_num_threads())
    with ray_nodes(2, NST_WEIGHTS=str(random_weights_folder), OMP_NUM_THREADS=threads) as killing:
        yield killing


def test_a_film_in_pieces_and_a_picture_in_one_pass_are_the_same(kill, tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "LONGEST_APART", 12)
    monkeypatch.setenv("NST_DEVICE", "cpu")
    painter = Painter([network_of("waves", "stars")], CPU)
    recipe = plain_recipe(painter, Strokes({"waves": 1.0}))
    source, paint, cluster = film(tmp_path / "source.mp4", pan(0, 24), sound=None), recipe(), machines()
    here = [images.to_bytes(one.image) for one in paint_video(source, tmp_path / "here.mp4", paint) if one.frame]
    film_of_many = paint_video_by_many(source, tmp_path / "there.mp4", recipe, machines=cluster)
    there = {one.frame: images.to_bytes(one.image) for one in film_of_many if one.frame}
    assert len(here) == 24 and all(map(np.array_equal, here, there.values()))

    worker, image = Nearby(cluster), as_image(here[0])
    assert worker.found(60)
    answer = worker.picture(recipe, image).result(60)
    assert torch.equal(torch.tensor(answer.image), painter.paint(image, {"waves": 1.0}))
    answer = worker.frame(recipe, image, Turn("a", 1)).answer.result(60)
    assert np.array_equal(answer.image, images.to_bytes(painter.paint(image, {"waves": 1.0})))


def test_paintings_are_the_same_steered_stopped_and_outlive_a_node(kill, pictures):
    material = Material(pictures[0], [pictures[1]])
    config, steering = small(**LADDER), Steering()
    here = material.begun(config)
    list(here)
    run = begin(material, config, steering)
    assert [frame.step for frame in run][-1] == LADDER["steps"]
    assert torch.equal(run.result, here.result) and run.record().losses == here.record().losses

    with pytest.raises(ConfigError, match="start is 'image'"):
        begin(material, config.changed(start="image"))

    run.more(10_000)
    next(run)
    steering.wanted = config.changed(style_weight=3.0)
    frames = (frame for frame in run if run.config.style_weight == 3.0)
    before = next(frames).step
    kill(run._machine.place.node)
    assert "was lost" in next(frame.note for frame in frames if frame.note) and run.newest.step > before
    steering.stop.set()
    last = [frame.step for frame in run][-1:] or [run.newest.step]
    assert last == [run.newest.step] and run.record().stopped and run.state().facts["frame"]["step"] == last[0]


def test_a_figure_and_a_training_are_the_same(kill, pictures):
    figure = FIGURES["content"]
    settings = figure.settings({"layers": "conv1_2", "size": 32, "steps": 3})
    material = FigureMaterial(contents=pictures[:1], content_names=("a",))
    *_, here = figure.make(material, settings, choose_compute())
    making = begin_figure(figure, material, settings)
    *_, there = making
    assert isinstance(making, RemoteFigure) and there.charts == told_alike(here.charts)
    assert all(torch.equal(one.image, other.image) for one, other in zip(there.parts, here.parts, strict=True))

    recipe = TrainingRecipe(steps=2, batch=1, crop=64, style_size=64)
    lessons = [
        Lesson("rain", pictures[1], network_of("waves"), None, recipe, where)
        for where in (choose_compute(), machines())
    ]
    shown = [[progress.losses for progress in lesson.steps() if progress.losses] for lesson in lessons]
    one, other = (lesson.learned().network.state_dict() for lesson in lessons)
    assert shown[0] == shown[1] and len(shown[0]) == 1 and all(torch.equal(one[name], other[name]) for name in one)


def told_alike(charts):
    """Charts whose points are tuples, as they come from elsewhere."""
    return tuple(
        replace(chart, lines={name: tuple(map(tuple, points)) for name, points in chart.lines.items()})
        for chart in charts
    )
