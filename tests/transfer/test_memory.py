import pytest
import torch

from nst_core import images
from nst_core.devices import Compute
from nst_core.errors import DeviceError
from nst_core.features import strips
from nst_core.features.loading import load_network
from nst_core.features.strips import Strips
from nst_core.transfer import memory as module
from nst_core.transfer.columns import ColumnsObjective
from nst_core.transfer.config import SETTINGS, StyleTransferConfig
from nst_core.transfer.kept import restored
from nst_core.transfer.memory import (
    BYTES_PER_PIXEL,
    check_memory,
    held_between_steps,
    largest_size,
    needed_at_once,
    needed_in_strips,
    way_of,
)
from nst_core.transfer.presets import PRESETS
from nst_core.transfer.strips import StripwiseObjective
from nst_core.transfer.stylize import stylize

CPU = Compute(device="cpu", precision="fp32")
SQUARE = 2048, 2048


def small(**settings) -> StyleTransferConfig:
    return StyleTransferConfig(**{"content_layers": ("conv2_1",), "style_layers": ("conv1_1",), "size": 32} | settings)


@pytest.fixture
def free(monkeypatch):
    """Says how much memory is free."""
    return lambda count: monkeypatch.setattr(module, "free_memory", lambda device: count)


@pytest.mark.parametrize("backbone", SETTINGS["backbone"].choices)
@pytest.mark.parametrize("precision", BYTES_PER_PIXEL)
def test_a_size_beyond_the_memory_is_refused_and_the_one_proposed_is_not(free, precision, backbone):
    free(10**9)
    compute = Compute(device="cpu", precision=precision)

    def way(size):
        config = small(size=size, backbone=backbone)
        return way_of((size * 3 // 4, size), [(size * 3 // 4, size)], config, compute)

    with pytest.raises(DeviceError) as raised:
        way(16000)
    text = str(raised.value)
    assert "16000×12000" in text and "0.9 GB free" in text and "CPU" in text and "even in strips" in text
    proposed = int(text.split("at most ")[1].split()[0])
    assert 1000 < proposed < 8000
    assert way(proposed).config.optimizer == "adam"
    with pytest.raises(DeviceError):
        way(proposed + 32)


def test_the_first_way_that_fits_is_taken_and_said(free):
    config = small(size=2048)
    at_once = needed_at_once(SQUARE, SQUARE, config, CPU)
    free(at_once)
    assert way_of(SQUARE, [SQUARE], config, CPU).note == ""
    seen = []
    half = config.changed(history_precision="bf16")
    shorter = [half.changed(history=history) for history in (5, 3)]
    for leaner in (config, half, *shorter, config.changed(optimizer="adam")):
        needed = needed_in_strips(SQUARE, SQUARE, leaner, CPU)
        assert needed < at_once / 2
        free(needed)
        way = way_of(SQUARE, [SQUARE], config, CPU)
        assert way.config == leaner and way.note.startswith("painted in strips") and "at once" in way.note
        assert way.whole_pixels == int(2048**2 * needed / at_once)
        seen.append(way.note)
    assert "history" not in seen[0] and "with a history in bf16" in seen[1] and "by Adam" in seen[4]
    assert "history of 3 steps in bf16, not 10" in seen[3]


@pytest.mark.parametrize("deepest", ["conv1_1", "conv2_1", "conv4_2"])
@pytest.mark.parametrize("again", [False, True])
def test_what_is_counted_of_a_look_in_strips_is_what_it_holds(random_vgg, monkeypatch, deepest, again):
    """The maps that a look keeps, and those that come to be beside the picture's gradient, and one made again."""
    for where in (strips, module):
        monkeypatch.setattr(where, "MOST_KEPT", 0 if again else 2**28)
    image = torch.rand(1, 3, 64, 32)
    maps = Strips(random_vgg["lite"], [deepest]).up(image, lambda *seen: None, keep=True)
    kept = sum(each.nbytes for each in maps[1:])
    first = 64 * 32 * 32 // 4 * image.itemsize if len(maps) > 1 else 0  # bytes of the first pooling's output
    second = maps[2].nbytes if len(maps) > 2 else 0
    config = small(backbone="lite", content_layers=(deepest,), style_layers=(deepest,))
    counted = module._maps(config, 64 * 32, image.itemsize) * 64 * 32
    assert counted == max(kept, first + second if again else 0, first + image.nbytes)


def test_a_poster_is_painted_where_four_gigabytes_are_free(free):
    """4096×4096 pixels of `studio` by L-BFGS, beside what the program takes before it paints."""
    free(4 * 2**30 - 650 * 10**6)
    config = PRESETS["studio"].config.on("lite").changed(size=4096)
    for precision, history in (("fp32", 3), ("bf16", 5)):
        way = way_of((4096, 4096), [(3072, 4096)], config, Compute(device="cpu", precision=precision))
        assert (way.config.optimizer, way.config.history) == ("lbfgs", history)


def test_what_fits_no_shorter_history_than_asked_for_is_not_called_one(free):
    config = small(size=2048, history=4)
    half = config.changed(history_precision="bf16")
    free(needed_in_strips(SQUARE, SQUARE, half.changed(history=3), CPU))
    assert way_of(SQUARE, [SQUARE], config, CPU).config == half.changed(history=3)
    assert "in bf16;" not in way_of(SQUARE, [SQUARE], half, CPU).note  # which was asked for


def test_a_history_in_bf16_is_counted_as_half():
    own, bare = (held_between_steps(SQUARE, small(history=count)) for count in (10, 1))
    half = held_between_steps(SQUARE, small(history=10, history_precision="bf16"))
    assert own - half == 10 / 18 * (own - bare)


def test_a_long_history_takes_more():
    assert needed_at_once(SQUARE, SQUARE, small(history=100), CPU) > needed_at_once(SQUARE, SQUARE, small(), CPU) + 9e9


def test_a_style_picture_beyond_the_memory_is_refused_too(random_weights, free):
    free(64 * 64 * BYTES_PER_PIXEL["fp32"] * 2)
    square, panorama = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 4096)
    config = small(size=64, size_rule="shortest side")
    stylize(square, [square, square], config, compute=CPU)
    for styles in (panorama, [square, panorama]):
        with pytest.raises(DeviceError, match="in a 4096×64 style"):
            stylize(square, styles, config, compute=CPU)


def test_a_style_that_is_looked_at_larger_takes_more(random_weights, free):
    free(64 * 64 * BYTES_PER_PIXEL["fp32"] * 2)
    square = torch.rand(1, 3, 64, 64)
    stylize(square, square, small(size=64, style_scale=2.0), compute=CPU)
    with pytest.raises(DeviceError, match="in a 256×256 style"):
        stylize(square, square, small(size=64, style_scale=4.0), compute=CPU)


def test_a_tile_takes_more(random_weights, free):
    free(64 * 64 * BYTES_PER_PIXEL["fp32"] * 1.2)
    square = torch.rand(1, 3, 64, 64)
    stylize(square, square, small(size=64), compute=CPU)
    with pytest.raises(DeviceError, match="choose a size of at most 48"):
        stylize(square, square, small(size=64, wrap=True), compute=CPU)


def test_a_style_beyond_the_memory_is_refused_before_it_is_enlarged(random_weights, free, monkeypatch):
    free(10**6)
    enlarged = []
    monkeypatch.setattr(images, "resize", lambda image, size: enlarged.append(size))
    with pytest.raises(DeviceError):
        stylize(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 40, 40), small(size=64, style_scale=4.0), compute=CPU)
    assert not enlarged


def test_no_size_is_proposed_that_cannot_be_chosen(random_weights, pictures, free):
    free(1000)
    with pytest.raises(DeviceError) as raised:
        stylize(*pictures, small(), compute=CPU)
    assert "at most" not in str(raised.value) and "close other programs" in str(raised.value)


@pytest.mark.parametrize("precision", BYTES_PER_PIXEL)
def test_what_just_fits_at_once_is_let_through(free, precision):
    square, compute = (40, 50), Compute(device="cpu", precision=precision)
    needed = 40 * 50 * BYTES_PER_PIXEL[precision]
    free(needed)
    check_memory(square, square, small(), compute)
    free(needed - 1)
    with pytest.raises(DeviceError):
        check_memory(square, square, small(), compute)


def test_large_scales_are_painted_in_strips_small_ones_at_once_and_go_on_so(
    random_weights, pictures, free, monkeypatch, tmp_path
):
    """Wherever it goes on, however much memory there is then."""
    monkeypatch.setattr(module, "STRIP_NUMBERS", 1)
    monkeypatch.setattr(module, "KEPT_BYTES", 0)
    monkeypatch.setattr(strips, "STRIP_NUMBERS", 1)
    config = small(size=64, smallest_scale=32, steps=6, backbone="lite")
    size = 48, 64
    free(needed_in_strips(size, size, config, CPU) * 1.01)
    run = stylize(*pictures, config, compute=CPU)
    kinds, notes = [], []
    for frame in run:
        kinds.append(isinstance(run.painting.objective, StripwiseObjective))
        notes.append(frame.note)
        if frame.step == 4:
            run.keep(tmp_path)
    assert kinds == sorted(kinds) and set(kinds) == {False, True}
    assert notes[0].startswith("painted in strips") and not any(notes[1:])
    assert run.record().notes == (notes[0],) and run.record().config == config
    free(10**12)
    again = restored(tmp_path, compute=CPU)
    assert torch.equal([frame.image for frame in again][-1], run.newest.image)
    assert isinstance(run.painting.objective or again.painting.objective, StripwiseObjective)


@pytest.mark.parametrize("styles", [1, 3])
def test_by_columns_those_of_all_styles_are_counted(monkeypatch, styles):
    """Of a photo made of the styles in all turns, so that nearly each column of theirs is the nearest of one."""
    held: list[int] = []
    aim = ColumnsObjective._aim_at

    def noted(objective, units, *rest):
        held.append(2 * units.nbytes)  # beside those that they are made of
        aim(objective, units, *rest)

    monkeypatch.setattr(ColumnsObjective, "_aim_at", noted)
    chance = torch.Generator().manual_seed(3)
    pictures = [torch.rand(1, 3, 64, 64, generator=chance) for _ in range(styles)]
    content = torch.cat([torch.cat([torch.rot90(one, turn, (2, 3)) for turn in range(4)], 3) for one in pictures], 2)
    config = PRESETS["neighbours"].config.on("lite").changed(size=256)
    network, _ = load_network("lite", CPU)
    objective = ColumnsObjective(network, content, pictures, config)
    objective.begin(content, coarsest=True)
    for _ in objective.prepare():
        pass
    sizes = images.size_of(content), (64, 64)
    counted = needed_in_strips(*sizes, config, CPU, styles=styles) - needed_in_strips(*sizes, config, CPU, styles=0)
    counted -= (styles - 1) * pictures[0].nbytes  # which are kept, too
    assert held[0] <= counted <= 1.5 * held[0]
    whole = [needed_at_once(*sizes, config, CPU, styles=count) for count in (1, styles)]
    assert whole[1] - whole[0] == pytest.approx(counted * (1 - 1 / styles))


@pytest.mark.parametrize("changes", [{"averaging": 0.9}, {"color": "luminance"}])
def test_in_strips_canvases_of_averages_and_of_colours_are_counted(changes):
    config = PRESETS["studio"].config.on("lite").changed(size=2048, averaging=0, color="style")
    more = needed_in_strips(SQUARE, SQUARE, config.changed(**changes), CPU) - needed_in_strips(
        SQUARE, SQUARE, config, CPU
    )
    assert more >= 2 * 12 * SQUARE[0] * SQUARE[1]


def test_more_styles_by_columns_fit_at_smaller_sizes(free):
    config = PRESETS["neighbours"].config.on("vgg19").changed(size=4096)
    free(6 * 10**9)
    sizes = [largest_size((4096, 4096), (4096, 4096), config, CPU, styles=count) for count in (1, 4)]
    assert sizes[1] < sizes[0]
    for count, size in zip((1, 4), sizes, strict=True):
        assert way_of((size, size), [(size, size)] * count, config, CPU)
        with pytest.raises(DeviceError, match=f"at most {size}$"):
            way_of((4096, 4096), [(4096, 4096)] * count, config, CPU)
