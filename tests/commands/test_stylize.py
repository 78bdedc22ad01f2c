"""`stylize` on the command line: what it writes, what it refuses, what it keeps when it ends early."""

import dataclasses
import json
import os
import signal
import time

import pytest
import torch
from PIL import Image

from nst_core import images
from nst_core.__main__ import _parser, main
from nst_core.commands.stylize import config_of
from nst_core.devices import Compute
from nst_core.engine import begin
from nst_core.features import weights
from nst_core.pictures import save
from nst_core.transfer import painting as run_module
from nst_core.transfer.optimize import Stage
from nst_core.transfer.presets import DEFAULT_PRESET, PLAIN_PRESET, PRESETS
from nst_core.transfer.record import RunRecord, read_record
from nst_core.transfer.stylize import stylize as paint
from tests.machines import Room

QUICK = ["--size", "32", "--steps", "3", "--style-layers", "conv1_1", "conv2_1", "--content-layers", "conv2_1"]


@pytest.fixture
def folder(tmp_path, random_weights, pictures, monkeypatch):
    """A folder with two pictures, random weights, and the CPU to paint on."""
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setenv("NST_PRECISION", "fp32")
    monkeypatch.chdir(tmp_path)
    for name, picture in zip(("content", "style"), pictures, strict=True):
        images.save_png(picture, tmp_path / f"{name}.png")
    return tmp_path


def stylize(*options: str, output: str = "out.png", content: str = "content.png", style: str = "style.png") -> int:
    return main(["stylize", content, style, "-o", output, *QUICK, *options])


def refused(capsys, *options: str, **names: str) -> str:
    """The one line on standard error with which a command is refused."""
    assert stylize(*options, **names) == 1
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("error: ") and "Traceback" not in err
    return line


# Painting


def test_on_a_cluster_the_painting_is_the_same(folder, monkeypatch, capsys):
    assert stylize() == 0
    monkeypatch.setattr(begin, "machines", Room)
    assert stylize(output="there.png") == 0
    assert torch.equal(images.load("there.png"), images.load("out.png")) and "the cluster" in capsys.readouterr().err
    assert read_record("there.png").device.endswith("on machine 1")


def test_a_painting_is_a_png_that_remembers_how_it_was_made(folder, capsys):
    assert stylize() == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "3/3" in err and "CPU" in err
    with Image.open(folder / "out.png") as picture:
        assert picture.format == "PNG" and picture.size == (32, 24)
    record = read_record(folder / "out.png")
    assert (record.steps, record.stopped) == (3, False)
    expected = (
        PRESETS[DEFAULT_PRESET]
        .config.on("lite")
        .changed(size=32, steps=3, style_layers=("conv1_1", "conv2_1"), content_layers=("conv2_1",))
    )
    assert record.config == expected


def test_the_record_is_printed_as_json_and_is_the_pictures(folder, capsys):
    assert stylize("--json") == 0
    out = capsys.readouterr().out
    assert json.loads(out) == read_record(folder / "out.png").to_dict() | json.loads(out)
    assert RunRecord.from_json(out) == read_record(folder / "out.png")


def test_painting_again_overwrites(folder):
    (folder / "out.png").write_bytes(b"old")
    assert stylize() == 0
    assert read_record(folder / "out.png").steps == 3


def test_a_record_paints_the_same_picture_again(folder):
    assert stylize("--init", "noise", "--seed", "4") == 0
    record, first = read_record(folder / "out.png"), images.load(folder / "out.png")
    run = paint(images.load(folder / "content.png"), images.load(folder / "style.png"), record.config)
    *_, last = run
    torch.testing.assert_close(last.image.clamp(0, 1), first, atol=0.5 / 255 + 1e-6, rtol=0)


def test_a_painting_can_be_a_jpeg_that_remembers_how_it_was_made(folder):
    for name in ("out.png", "out.JPEG"):
        assert stylize(output=name) == 0
    record, again = read_record(folder / "out.png"), read_record(folder / "out.JPEG")
    assert (again.config, again.losses, again.weights_sha256) == (record.config, record.losses, record.weights_sha256)
    with Image.open(folder / "out.JPEG") as picture:
        assert picture.format == "JPEG"
    torch.testing.assert_close(images.load(folder / "out.JPEG"), images.load(folder / "out.png"), atol=0.15, rtol=0)


def test_a_painting_can_be_a_tiff_for_print(folder):
    for name in ("out.png", "out.tif"):
        assert stylize("--dpi", "300", output=name) == 0
        with Image.open(folder / name) as picture:
            assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.02)
    assert read_record(folder / "out.tif").config == read_record(folder / "out.png").config
    torch.testing.assert_close(images.load(folder / "out.tif"), images.load(folder / "out.png"), atol=0.004, rtol=0)


def test_a_result_is_gone_on_from_at_twice_its_size(folder):
    assert stylize() == 0
    assert main(["stylize", "content.png", "style.png", "-o", "large.png", "--twice", "out.png"]) == 0
    small, large = read_record(folder / "out.png"), read_record(folder / "large.png")
    assert large.content_size == tuple(2 * side for side in small.content_size)
    assert large.config.start == "image" and large.config.smallest_scale == 0
    run = paint(
        images.load(folder / "content.png"),
        images.load(folder / "style.png"),
        large.config,
        start_image=images.load(folder / "out.png"),
    )
    *_, last = run
    torch.testing.assert_close(last.image.clamp(0, 1), images.load(folder / "large.png"), atol=0.5 / 255 + 1e-6, rtol=0)


@pytest.mark.parametrize("dpi", ["0", "nan", "many", "1e9"])
def test_a_print_that_is_none_is_refused(folder, capsys, dpi):
    with pytest.raises(SystemExit):
        stylize("--dpi", dpi)
    assert "such as 300" in capsys.readouterr().err


# Option -> (what is typed, the setting, its value).
OPTIONS = {
    "backbone": (["--backbone", "vgg16"], "backbone", "vgg16"),
    "size": (["--size", "40"], "size", 40),
    "steps": (["--steps", "2"], "steps", 2),
    "alpha": (["--alpha", "2.5"], "content_weight", 2.5),
    "beta": (["--beta", "1e4"], "style_weight", 1e4),
    "optimizer": (["--optimizer", "adam"], "optimizer", "adam"),
    "init": (["--init", "noise"], "start", "noise"),
    "style layers": (["--style-layers", "conv1_2", "conv3_1"], "style_layers", ("conv1_2", "conv3_1")),
    "content layers": (["--content-layers", "conv3_1"], "content_layers", ("conv3_1",)),
    "tv": (["--tv", "0.25"], "tv_weight", 0.25),
    "seed": (["--seed", "9"], "seed", 9),
    "style loss": (["--style-loss", "moments"], "style_loss", "moments"),
    "style scale": (["--style-scale", "1.5"], "style_scale", 1.5),
    "smallest scale": (["--smallest-scale", "0"], "smallest_scale", 0),
    "color": (["--color", "content"], "color", "content"),
    "more styles": (["--more-styles", "content.png", "--blend", "1", "3"], "blend", (1.0, 3.0)),
    "mask": (["--mask", "mask.png", "--mask-softness", "0.1"], "mask_softness", 0.1),
    "keep unpainted": (["--mask", "mask.png", "--keep-unpainted"], "keep_unpainted", True),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_sets_what_it_is_called(folder, name):
    typed, setting, value = OPTIONS[name]
    Image.new("L", (64, 48), 255).save("mask.png")
    assert stylize(*typed) == 0
    config = read_record(folder / "out.png").config
    assert getattr(config, setting) == value
    assert getattr(PRESETS[DEFAULT_PRESET].config, setting) != value


def test_several_styles_and_a_mask_change_the_picture(folder):
    half = Image.new("L", (64, 48), 0)
    half.paste(255, (0, 0, 32, 48))
    half.save("mask.png")
    painted = {}
    for name, typed in {
        "plain": [],
        "two": ["--more-styles", "content.png"],
        "mask": ["--mask", "mask.png", "--keep-unpainted"],
    }.items():
        assert stylize("--alpha", "0", *typed, output=f"{name}-out.png") == 0
        painted[name] = images.load(folder / f"{name}-out.png")
    assert (painted["plain"] - painted["two"]).abs().mean() > 1e-3
    content = images.fit(images.load(folder / "content.png"), 32)
    kept = (painted["mask"] - content)[..., 20:].abs()
    assert kept.max() <= 2 / 255 < (painted["mask"] - content)[..., :12].abs().max()


def test_of_an_animation_the_first_frame_is_used_and_it_is_said(folder, capsys):
    frames = [Image.new("RGB", (64, 48), color) for color in ("red", "blue")]
    frames[0].save("moving.gif", save_all=True, append_images=frames[1:])
    assert stylize("--steps", "1", content="moving.gif") == 0
    err = capsys.readouterr().err
    assert "moving.gif is an animation; its first frame is used" in err and "style.png is an" not in err


def test_a_timelapse_is_an_animation(folder, capsys):
    assert stylize("--preset", PLAIN_PRESET, "--timelapse", "run.webp") == 0
    with Image.open(folder / "run.webp") as animation:
        assert animation.n_frames > 1 and animation.size == (32, 24)
    capsys.readouterr()
    assert "name a .webp or .mp4 file" in refused(capsys, "--timelapse", "run.gif")


def test_another_optimizer_brings_its_step_size(folder):
    assert stylize("--optimizer", "adam") == 0
    assert read_record(folder / "out.png").config.step_size == pytest.approx(0.02)


CPU = Compute(device="cpu", precision="fp32")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_can_be_asked_for(name):
    options = _parser().parse_args(["stylize", "a", "b", "-o", "c.png", "--preset", name])
    assert config_of(options, CPU) == PRESETS[name].config.on("lite")
    options.backbone = PRESETS[name].config.backbone
    assert config_of(options, CPU) == PRESETS[name].config


def test_a_picture_of_ones_own_can_be_the_start(folder):
    images.save_png(torch.full((1, 3, 24, 32), 0.3), folder / "start.png")
    assert stylize("--init", "start.png", "--steps", "1", "--content-layers", "conv1_1") == 0
    assert read_record(folder / "out.png").config.start == "image"
    painted, content = images.load(folder / "out.png"), images.fit(images.load(folder / "content.png"), 32)
    assert (painted - 0.3).abs().mean() < (painted - content).abs().mean()


# What is refused


def test_what_is_no_picture_is_refused_by_name(folder, capsys):
    (folder / "text.jpg").write_text("no picture")
    assert "text.jpg cannot be read" in refused(capsys, content="text.jpg")
    assert "text.jpg cannot be read" in refused(capsys, style="text.jpg")
    assert "gone.png does not exist" in refused(capsys, content="gone.png")
    assert "gone.png does not exist" in refused(capsys, style="gone.png")
    assert "gone.png does not exist" in refused(capsys, "--init", "gone.png")
    assert not (folder / "out.png").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--size", "8"], ["size is 8", "from 16 to 16384 pixels"]),
        (["--size", "20000"], ["size is 20000"]),
        (["--steps", "0"], ["steps is 0", "from 1"]),
        (["--beta", "-1"], ["style_weight is -1", "from 0"]),
        (["--alpha", "nan"], ["content_weight is nan"]),
        (["--alpha", "0", "--beta", "0"], ["nothing to paint"]),
        (["--seed", "-3"], ["seed is -3"]),
        (["--style-layers", "conv9_9"], ["'conv9_9'", "conv1_1", "conv5_1"]),
        (["--content-layers", "relu4_2"], ["'relu4_2'"]),
        (["--backbone", "vgg16", "--style-layers", "conv3_4"], ["'conv3_4'", "VGG-16"]),
        (["--init", "image"], ["start is 'image'"]),
        (["--tv", "inf"], ["tv_weight is inf"]),
    ],
    ids=lambda value: " ".join(value) if value[0].startswith("--") else None,
)
def test_a_bad_value_is_refused_in_one_line(folder, capsys, options, words):
    line = refused(capsys, *options)
    assert all(word in line for word in words), line
    assert not (folder / "out.png").exists()


def test_a_whole_number_beyond_all_floats_is_refused_in_one_line(folder, capsys):
    assert "seed is" in refused(capsys, "--seed", "1" + "0" * 400)


def test_an_output_that_cannot_be_written_is_refused_before_painting(folder, capsys):
    assert "'out.gif'; name a .png or .jpg or .jpeg or .tif or .tiff file" in refused(capsys, output="out.gif")
    assert "nowhere does not exist" in refused(capsys, output="nowhere/out.png")
    (folder / "taken.png").mkdir()
    assert "taken.png" in refused(capsys, output="taken.png")


def test_a_disk_that_takes_no_more_is_said_in_one_line(folder, capsys, full_disk):
    assert stylize() == 1
    err = capsys.readouterr().err
    said = "error: out.png could not be written: the disk is full; make room, or write elsewhere"
    assert "Traceback" not in err and err.splitlines()[-1] == said


def test_a_timelapse_that_cannot_be_written_is_refused_before_painting(folder, capsys):
    assert "nowhere does not exist" in refused(capsys, "--timelapse", "nowhere/run.webp")
    (folder / "taken.webp").mkdir()
    assert "taken.webp is a folder" in refused(capsys, "--timelapse", "taken.webp")


@pytest.mark.parametrize("way", ["itself", "another spelling", "a link", "a hard link"])
@pytest.mark.parametrize("kind", ["content", "style", "further style", "mask", "start"])
def test_nothing_is_painted_over_what_it_is_painted_from(folder, capsys, kind, way):
    given = {
        "content": ([], "content.png"),
        "style": ([], "style.png"),
        "further style": (["--more-styles", "other.png"], "other.png"),
        "mask": (["--mask", "other.png"], "other.png"),
        "start": (["--init", "other.png"], "other.png"),
    }
    options, source = given[kind]
    images.save_png(torch.ones(1, 3, 24, 32), folder / "other.png")
    before = (folder / source).read_bytes()
    output = {"itself": source, "another spelling": f"../{folder.name}/{source}"}.get(way, "link.png")
    if way == "a link":
        (folder / output).symlink_to(source)
    if way == "a hard link":
        (folder / output).hardlink_to(folder / source)
    assert "is painted from and would be overwritten; write elsewhere" in refused(capsys, *options, output=output)
    assert (folder / source).read_bytes() == before


def test_no_timelapse_goes_over_what_is_painted(folder, capsys):
    Image.new("RGB", (64, 48)).save("content.webp")
    line = refused(capsys, "--timelapse", "content.webp", content="content.webp")
    assert "content.webp is painted from" in line


def test_a_picture_is_kept_though_its_timelapse_is_not(folder, capsys, monkeypatch):
    monkeypatch.setattr("nst_core.transfer.timelapse.Timelapse._decoded", lambda _: (_ for _ in ()).throw(MemoryError))
    assert stylize("--timelapse", "run.webp") == 1
    assert "more memory than there is; choose a smaller size" in capsys.readouterr().err.splitlines()[-1]
    assert read_record(folder / "out.png").steps == 3 and not (folder / "run.webp").exists()


def test_weights_that_are_nowhere_are_refused(folder, capsys, monkeypatch):
    monkeypatch.setenv("NST_WEIGHTS", str(folder / "nowhere"))
    assert "nowhere" in refused(capsys)


# Ending early


def interrupting(after: int, error: BaseException):
    """A step of the optimiser's, which fails after some frames."""
    plain = Stage.next

    def cut_off(stage, changed=False):
        if stage.made is not None and stage.begun_at + stage.made == after:
            raise error
        return plain(stage, changed)

    return cut_off


def test_an_interrupt_keeps_what_is_painted_so_far(folder, capsys, monkeypatch):
    monkeypatch.setattr(Stage, "next", interrupting(2, KeyboardInterrupt()))
    assert stylize("--steps", "50", "--json") == 130
    record = read_record(folder / "out.png")
    assert (record.steps, record.stopped) == (2, True)
    out, err = capsys.readouterr()
    assert RunRecord.from_json(out) == record
    assert "Traceback" not in err


def test_a_second_signal_while_saving_waits_until_all_is_saved(folder, capsys, monkeypatch):
    plain = images.to_pil

    def to_pil(image):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0)  # where Python looks for signals
        return plain(image)

    def cut_off(stage, changed=False):
        if stage.made == 1:  # this step is made to its end
            monkeypatch.setattr(save, "to_pil", to_pil)
            os.kill(os.getpid(), signal.SIGHUP)
        return step(stage, changed)

    step = Stage.next
    monkeypatch.setattr(Stage, "next", cut_off)
    assert stylize("--timelapse", "run.webp", "--json") == 143
    record = read_record(folder / "out.png")
    assert (record.steps, record.stopped) == (2, True)
    assert RunRecord.from_json(capsys.readouterr().out) == record
    with Image.open(folder / "run.webp") as animation:
        assert animation.n_frames > 1


def test_an_interrupt_before_the_first_frame_writes_nothing(folder, monkeypatch):
    monkeypatch.setattr(run_module, "load_network", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    assert stylize() == 130
    assert not (folder / "out.png").exists()


NO_MORE = {
    "torch's": (torch.OutOfMemoryError("no more"), "ran out of memory"),
    "the CPU's": (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "ran out of memory"),
    "Python's": (MemoryError(), "this takes more memory than there is"),
}


@pytest.mark.parametrize("kind", NO_MORE)
def test_a_run_without_memory_keeps_what_is_painted_so_far(folder, capsys, monkeypatch, kind):
    error, words = NO_MORE[kind]
    monkeypatch.setattr(Stage, "next", interrupting(1, error))
    assert stylize("--steps", "50") == 1
    assert read_record(folder / "out.png").steps == 1
    err = capsys.readouterr().err
    line = err.splitlines()[-1]
    assert line.startswith("error: ") and words in line and "choose a smaller size" in line and "Traceback" not in err


def test_a_note_is_shown_and_kept(folder, capsys, monkeypatch):
    plain = Stage.next

    def noting(stage, changed=False):
        frame = plain(stage, changed)
        return frame and dataclasses.replace(frame, note="went back" if frame.step == 2 else "")

    monkeypatch.setattr(Stage, "next", noting)
    assert stylize() == 0
    assert "went back" in capsys.readouterr().err
    assert read_record(folder / "out.png").notes == ("went back",)


def test_without_weights_or_network_a_picture_is_painted_on_lite(folder, monkeypatch):
    for name in ("NST_CACHE", "TORCH_HOME"):
        monkeypatch.setenv(name, str(folder / "empty"))
    monkeypatch.delenv("NST_WEIGHTS")
    monkeypatch.setenv("NST_DEVICE", "cpu")
    monkeypatch.setattr(weights, "download", lambda backbone: pytest.fail("went for a download"))
    assert stylize("--steps", "1") == 0
    record = read_record(folder / "out.png")
    assert (record.config.backbone, record.weights_origin) == ("lite", "this program")
