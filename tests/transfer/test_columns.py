"""Columns of features: the style's nearest are found where they are, and a painting comes to be as they are."""

import pytest
import torch
from torch.nn import functional as F

from nst_core import images
from nst_core.assets import ASSETS
from nst_core.features.loading import load_network
from nst_core.features.vgg import channels_of
from nst_core.transfer import columns, hypercolumns, pieces
from nst_core.transfer.columns import TURNS, ColumnsObjective
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.stylize import stylize
from tests.runs import CPU, LADDER, left_half, small

TILE, ACROSS = 48, 3  # pixels of a tile's side, tiles of a picture's
CONFIG = PRESETS["neighbours"].config.on("lite")


def photo(name: str = "coffee", size: int = TILE * ACROSS) -> torch.Tensor:
    return images.cover(images.load(ASSETS / "photos" / f"{name}.jpg"), (size, size))


def objective(content, styles, config=CONFIG, regions=(), canvas=None) -> ColumnsObjective:
    """Ready, at a first scale that begins with the content, or at a later one that begins with a canvas."""
    made = ColumnsObjective(load_network("lite", CPU)[0], content, styles, config, regions)
    made.begin(content if canvas is None else canvas, coarsest=canvas is None)
    for _ in made.prepare():
        pass
    return made


def shuffled(image: torch.Tensor, order: list[int]) -> torch.Tensor:
    """The tiles of an image in another order: at place n the tile order[n]."""
    tiles = [tile for row in image.split(TILE, 2) for tile in row.split(TILE, 3)]
    rows = [torch.cat([tiles[order[ACROSS * row + column]] for column in range(ACROSS)], 3) for row in range(ACROSS)]
    return torch.cat(rows, 2)


def test_of_a_style_of_shuffled_tiles_of_the_photo_these_tiles_are_found():
    order = [4, 7, 2, 8, 0, 5, 1, 3, 6]
    content = photo()
    found = objective(content, [shuffled(content, order)]).places
    side, width = TILE // 4, TILE * ACROSS // 4  # in columns
    place = torch.arange(width * width).view(width, width)
    inside = torch.zeros(side, side, dtype=torch.bool)
    inside[4:-4, 4:-4] = True  # where the network sees no other tile, or little of it
    right = total = 0
    for number, tile in enumerate(order):
        (row, column), (of_row, of_column) = divmod(number, ACROSS), divmod(tile, ACROSS)
        there = place[row * side :, column * side :][:side, :side][inside]
        here = place[of_row * side :, of_column * side :][:side, :side][inside]
        right += ((found[here, 0] == 0) & (found[here, 1] == there)).sum().item()
        total += len(here)
    assert right > 0.95 * total


@pytest.mark.parametrize("turn", range(TURNS))
def test_a_style_that_is_the_photo_turned_is_found_turned_back(turn):
    content = photo(size=64)
    made = objective(content, [torch.rot90(content, -turn, (2, 3))])
    assert (made.places[:, 0] == turn).all() and (made.places[:, 1] == torch.arange(16 * 16)).all()
    losses = made(content)
    assert sum(losses.values()) < 1e-5


def test_the_terms_are_together_the_mean_cosine_distance_of_columns():
    content, style, painted = photo(size=66)[..., :50], photo("dahlia", 64), photo("rocket", 66)[..., :50]
    made = objective(content, [style])
    network = load_network("lite", CPU)[0]

    def columns(image):
        size = -(-image.shape[2] // 4), -(-image.shape[3] // 4)
        seen = network(image, CONFIG.style_layers)
        parts = []
        for layer, features in seen.items():
            part = features / channels_of("lite", layer)
            for _ in range(3 - int(layer[4])):
                part = F.avg_pool2d(part, 2, ceil_mode=True)  # of an odd number the last counts as a whole: see below
            if layer[4] == "4":
                part = F.interpolate(part, scale_factor=2, mode="bilinear")[..., : size[0], : size[1]]
            parts.append(part)
        return torch.cat(parts, 1)[0].flatten(1).T

    offered = torch.stack([columns(torch.rot90(style, turn, (2, 3))) for turn in range(TURNS)])
    goals = offered[made.places[:, 0], made.places[:, 1]]
    ours = made(painted)
    expected = (1 - F.cosine_similarity(columns(painted), goals, dim=1)).mean()
    assert set(ours) == {f"style {layer}" for layer in CONFIG.style_layers} and len(goals) == 17 * 13
    assert sum(ours.values()).item() == pytest.approx(expected.item(), rel=2e-3)


def test_more_content_looks_nearer_to_the_photo_and_less_nearer_to_the_painting():
    content, style, canvas = photo(size=64), photo("dahlia", 64), photo("rocket", 64)
    of_photo, of_canvas = objective(content, [style]).places, objective(canvas, [style]).places
    shares = []
    for weight in (0.0, 1.0, 3.0, 100.0):
        made = objective(content, [style], CONFIG.changed(content_weight=weight), canvas=canvas)
        shares.append((made.places == of_photo).all(1).float().mean().item())
    assert shares == sorted(shares) and shares[-1] > 0.9 > 0.5 > shares[0]
    assert not torch.equal(of_photo, of_canvas)


def test_steered_weights_look_up_other_goals_and_back_the_same():
    content, style, canvas = photo(size=64), photo("dahlia", 64), photo("rocket", 64)
    made = objective(content, [style], canvas=canvas)
    before = made.places.clone()
    made.steer(CONFIG.changed(content_weight=0.1))
    made(canvas)
    assert not torch.equal(made.places, before)
    made.steer(CONFIG)
    made(canvas)
    assert torch.equal(made.places, before)
    made.steer(CONFIG.changed(style_layers=("conv1_1", "conv4_1")))
    assert set(made(canvas)) == {"style conv1_1", "style conv4_1"}


def test_masks_let_each_place_have_its_own_style_and_none_outside():
    content = photo(size=64)
    styles = [photo("dahlia", 64), photo("rocket", 64)]
    left = images.resize(left_half().expand(1, 3, 30, 40), (64, 64))[:, :1]
    made = objective(content, styles, regions=[left, 1 - left])
    numbers = (made.places[:, 0] // TURNS).view(16, 16)
    assert (numbers[:, :7] == 0).all() and (numbers[:, 9:] == 1).all()
    alone = objective(content, styles[:1], regions=[left])
    assert not alone.counted[:, 9:].any() and alone.counted.sum().item() == pytest.approx(1)


def test_styles_together_offer_all_their_columns_and_less_of_one_with_a_smaller_share():
    content, other = photo(size=64), photo("dahlia", 64)

    def from_the_photo(*blend: float) -> float:
        made = objective(content, [other, content], CONFIG.changed(blend=blend))
        return (made.places[:, 0] // TURNS == 1).float().mean().item()

    assert from_the_photo(1.0, 1.0) == from_the_photo(1.0, 2.0) == 1
    assert 1 > from_the_photo(4.0, 1.0) > from_the_photo(16.0, 1.0) > from_the_photo(1.0, 0.0) == 0


def test_of_a_large_style_an_even_part_of_the_columns_is_offered(monkeypatch):
    monkeypatch.setattr(hypercolumns, "MOST_OFFERED", 40)
    content = photo(size=64)  # of 256 columns
    made = objective(content, [content])
    assert len(made.offered(0, 1, 1.0)) == 40
    same = made.places[torch.arange(40) * 256 // 40]
    assert (same[:, 0] == 0).all() and (same[:, 1] == torch.arange(40)).all()


def test_a_painting_goes_by_columns_and_then_layer_by_layer(narrow_weights, pictures):
    config = small(**LADDER | {"steps": 10}, column_share=0.7, style_loss="nearest neighbours", content_layers=())
    frames = list(stylize(*pictures, config, compute=CPU))
    scales = [frame.scale for frame in frames]
    assert scales[0] == (1, 4) and scales[-1] == (4, 4) and sum(one == (4, 4) for one in scales) == 3
    assert frames[-1].image.shape == frames[-4].image.shape
    for number in range(1, 5):
        of_scale = [frame.total for frame in frames if frame.scale[0] == number]
        assert of_scale[-1] < of_scale[0] or number == 1


BY_COLUMNS = {**LADDER, "steps": 9, "column_share": 0.7, "style_loss": "nearest neighbours", "content_layers": ()}


def test_a_stop_during_a_search_is_heard_and_the_run_goes_on_as_if_there_had_been_none(
    narrow_weights, pictures, monkeypatch, tmp_path
):
    monkeypatch.setattr(pieces, "PART", 16)
    expected = [frame.pixels for frame in stylize(*pictures, small(**BY_COLUMNS), compute=CPU)]
    run = stylize(*pictures, small(**BY_COLUMNS), compute=CPU)
    found, shares, stopped = [], [], 0

    def stop(share: float) -> None:
        shares.append(share)
        if len(shares) % 7 == 0 and run.last_frame and stopped < 6:
            run.steering.stop.set()

    run.tell = stop
    while len(found) < len(expected):
        found += [frame.pixels for frame in run]
        if run.steering.stop.is_set():
            stopped += 1
            if stopped % 2:
                run.rest(tmp_path)  # a search that was not finished begins again
            run.more(run.remaining)
    assert stopped > 2 and all(0 <= share <= 1 for share in shares)
    assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def test_a_stop_before_the_first_frame_shows_the_start_after_a_part_of_the_search(
    narrow_weights, pictures, monkeypatch
):
    monkeypatch.setattr(pieces, "PART", 16)
    config = small(**BY_COLUMNS | {"smallest_scale": 0, "steps": 4})
    whole, hurried = [], []
    run = stylize(*pictures, config, compute=CPU)
    run.tell = whole.append
    expected = next(run)
    run = stylize(*pictures, config, compute=CPU)
    run.tell = hurried.append
    run.steering.stop.set()
    while run.prepare() is not None:  # as a device does
        pass
    assert [frame.step for frame in run] == [0]
    assert torch.equal(run.newest.pixels, expected.pixels) and len(hurried) <= 3 < len(whole) / 4
    run.more(1)
    run.tell = whole.append
    before = len(whole)
    assert next(run).step == 1 and len(whole) > before  # what was left out is looked up now


@pytest.mark.parametrize("rests", [False, True])
def test_what_was_steered_before_a_stop_is_minded_when_the_run_goes_on(narrow_weights, pictures, tmp_path, rests):
    expected, found = [], []
    for path, stops in ((expected, False), (found, True)):
        run = stylize(*pictures, small(**BY_COLUMNS), compute=CPU)
        for _ in range(2):
            next(run)
        run.steering.wanted = run.config.changed(style_weight=100 * run.config.style_weight)
        run.prepare()  # it is looked for by these
        if stops:
            run.steering.stop.set()
            assert not [*run]
            if rests:
                run.rest(tmp_path)
            run.more(run.remaining)
        path += [frame.pixels for frame in run]
    assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def test_a_run_that_is_stopped_between_two_scales_can_rest(narrow_weights, pictures, tmp_path):
    run = stylize(*pictures, small(**LADDER), compute=CPU)
    whole = [frame.pixels for frame in stylize(*pictures, small(**LADDER), compute=CPU)]
    found = []
    while run.last_frame is None or run.last_frame.scale[0] == 1:
        run.prepare()
        if run.painting.is_between and run.last_frame:
            run.steering.stop.set()
        found.append(next(run).pixels)
    assert run.steering.stop.is_set()
    run.rest(tmp_path)
    run.more(run.remaining)
    found += [frame.pixels for frame in run]
    assert all(torch.equal(*pair) for pair in zip(found, whole, strict=True))


def test_a_part_of_a_search_is_all_that_a_step_of_the_device_does(narrow_weights, pictures, monkeypatch):
    monkeypatch.setattr(pieces, "PART", 16)
    run = stylize(*pictures, small(**BY_COLUMNS), compute=CPU)
    shares = [*iter(run.prepare, None)]
    assert len(shares) > 8 and run.last_frame is None
    told: list[float] = []
    run.tell = told.append
    assert next(run).step == 0 and not told and run.prepare() is None
    assert run.seconds > 0


def test_in_few_dimensions_nearly_the_same_columns_are_found(monkeypatch):
    content, style = photo(size=96), photo("dahlia", 96)
    exact = objective(content, [style])
    monkeypatch.setattr(columns, "EXACT_PAIRS", 0)
    found = objective(content, [style])
    assert (found.places == exact.places).all(1).float().mean() > 0.5
    terms, best = sum(found(content).values()).item(), sum(exact(content).values()).item()
    assert terms == pytest.approx(best, rel=0.02)
