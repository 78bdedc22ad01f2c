"""Films of every container and kind, alike in what is seen of them."""

import gc
import io
import shutil
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from nst_core.errors import ImageError
from nst_core.instant import film, film_stream, video
from tests.instant.films import HEIGHT, RATE, WIDTH, decoded, difference, frame_of, ramp, seen, write
from tests.test_images import TURNS, quarters

COUNT = 10
HIDDEN = (255, 0, 254)  # what is stored where a film is transparent


def moving(index: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A ramp with a bar that grows, (H, W, 3) uint8."""
    pixels = ramp(height, width)
    pixels[height // 3 : height // 2, : (index + 1) * width // COUNT] = (230, 220, 40)
    return pixels


def cut_out(index: int) -> np.ndarray:
    """A green square that moves, opaque, before a hidden colour, (H, W, 4) uint8."""
    pixels = np.full((HEIGHT, WIDTH, 4), (*HIDDEN, 0), np.uint8)
    pixels[12:36, 8 + 2 * index : 32 + 2 * index] = (20, 140, 40, 255)
    return pixels


CONTAINERS = {  # name -> muxer, video codec, pixel format, sound codec, sound's rate, how far its pictures may be off
    "a.mts": ("mpegts", "libx264", "yuv420p", "ac3", 48000, 7),
    "a.m2ts": ("mpegts", "libx264", "yuv420p", "ac3", 48000, 7),
    "a.ts": ("mpegts", "mpeg2video", "yuv420p", "mp2", 48000, 7),
    "a.mpg": ("mpeg", "mpeg1video", "yuv420p", "mp2", 48000, 7),
    "a.vob": ("vob", "mpeg2video", "yuv420p", "ac3", 48000, 7),
    "a.3gp": ("3gp", "mpeg4", "yuv420p", "aac", 48000, 9),
    "a.wmv": ("asf", "wmv2", "yuv420p", "wmav2", 44100, 9),
    "a.asf": ("asf", "msmpeg4", "yuv420p", "libmp3lame", 44100, 9),
    "a.flv": ("flv", "flv", "yuv420p", "libmp3lame", 44100, 9),
    "a.ogv": ("ogv", "libvpx", "yuv420p", "libopus", 48000, 7),
    "a.avi": ("avi", "mjpeg", "yuvj420p", "pcm_s16le", 48000, 7),
    "a.mov": ("mov", "libx265", "yuv420p10le", "pcm_s24le", 48000, 7),
    "a.webm": ("webm", "libsvtav1", "yuv420p10le", "libopus", 48000, 7),
    "a.mkv": ("matroska", "ffv1", "yuv444p", "flac", 48000, 2),
    "a.mxf": ("mxf", "mpeg2video", "yuv422p", "pcm_s16le", 48000, 7),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_film_of_any_container_is_painted_whole_and_without_a_note(tmp_path, name):
    container, codec, kind, sound, sound_rate, most = CONTAINERS[name]
    size = (64, 64) if codec == "libsvtav1" else (HEIGHT, WIDTH)  # which takes no smaller one
    pictures = [moving(index, *size) for index in range(COUNT)]
    matrix, full = (5, True) if kind == "yuvj420p" else (6, False)
    source = write(
        tmp_path / name,
        [frame_of(each, kind, matrix, full) for each in pictures],
        codec,
        container=container,
        sound=sound,
        sound_rate=sound_rate,
        bit_rate=4_000_000,
        color_range=2 if full else 1,
        layout="stereo" if name in ("a.ogv", "a.webm") else "mono",
        sound_options={"b": "64k"},
    )
    found, notes = seen(source, tmp_path / "o.mp4")
    assert len(found) == COUNT and not notes
    for index in (0, 4, COUNT - 1):
        assert difference(found[index], pictures[index]) < most
    times = [frame.time for frame in decoded(tmp_path / "o.mp4")]
    assert np.diff(times) == pytest.approx([1 / RATE] * (COUNT - 1), abs=0.0011)
    with av.open(str(tmp_path / "o.mp4")) as painted:
        assert painted.streams.audio[0].codec_context.name in ("aac", "ac3", "mp3", "mp3float", "opus", "flac")


def test_a_film_of_a_tape_is_read(tmp_path):
    pictures = [moving(index, 576, 720) for index in range(2)]
    frames = [frame_of(each, "yuv420p", 6) for each in pictures]
    found, notes = seen(write(tmp_path / "a.dv", frames, "dvvideo", container="dv"), tmp_path / "o.mp4")
    assert found[0].shape == (576, 768, 3) and len(found) == 2 and not notes  # of the shape 4:3
    assert difference(found[1][:, ::16], moving(1, 576, 768)[:, ::16]) < 8


# Transparency


@pytest.mark.parametrize(
    "name, codec, kind",
    [
        ("a.webm", "libvpx", "yuva420p"),
        ("a.webm", "libvpx-vp9", "yuva420p"),
        ("a.mov", "prores_ks", "yuva444p10le"),
        ("a.mov", "qtrle", "argb"),
        ("a.mov", "png", "rgba"),
        ("a.mkv", "ffv1", "yuva420p"),
        ("a.mkv", "ffv1", "bgra"),
        ("a.avi", "utvideo", "gbrap"),
    ],
)
def test_what_is_transparent_is_white_and_its_hidden_colour_nowhere(tmp_path, name, codec, kind):
    metadata, matrix = ({"alpha_mode": "1"}, 1) if name == "a.webm" else ({}, 6)
    frames = [frame_of(cut_out(index), kind, matrix) for index in range(4)]
    options = {"alpha_bits": "16"} if codec == "prores_ks" else {"auto-alt-ref": "0"} if metadata else {}
    settings = {"colorspace": 1, "color_range": 1} if metadata else {}
    source = write(tmp_path / name, frames, codec, options=options, metadata=metadata, bit_rate=4_000_000, **settings)
    for size in (None, 32):
        found, notes = seen(source, tmp_path / "o.mp4", size=size)
        assert len(found) == 4 and not notes
        small = found[1][:: WIDTH // (size or WIDTH)]
        assert difference(small[1], np.full_like(small[1], 255)) < 2
        middle = found[1][found[1].shape[0] // 2, found[1].shape[1] * 22 // WIDTH]
        assert np.abs(middle - (20, 140, 40)).max() < 9
        magenta = found[1][..., 0] + found[1][..., 2] - 2 * found[1][..., 1]
        assert magenta.max() < (30 if name == "a.webm" else 12)  # of the encoder's loss


def test_what_is_half_transparent_is_half_white(tmp_path):
    pixels = np.full((HEIGHT, WIDTH, 4), (200, 0, 100, 128), np.uint8)
    found, _ = seen(write(tmp_path / "a.mkv", [frame_of(pixels, "bgra")] * 2, "ffv1"), tmp_path / "o.mp4")
    assert np.abs(found[0] - (227, 127, 177)).max() <= 2


def test_the_idle_byte_of_plain_rgb_is_no_transparency(tmp_path):
    pixels = np.dstack([ramp(), np.zeros((HEIGHT, WIDTH), np.uint8)])
    found, _ = seen(write(tmp_path / "a.avi", [frame_of(pixels, "bgra")] * 2, "rawvideo"), tmp_path / "o.mp4")
    assert difference(found[0], ramp()) < 1


def test_transparency_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(film_stream, "ALPHA_DECODERS", {"vp9": "absent"})
    frames = [frame_of(cut_out(index), "yuva420p", 6) for index in range(2)]
    source = write(tmp_path / "a.webm", frames, "libvpx-vp9", metadata={"alpha_mode": "1"})
    assert seen(source, tmp_path / "o.mp4")[1] == [film_stream.ALPHA_LOST]


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp", "a.avif"])
def test_animated_pictures_are_films_over_white(tmp_path, name):
    pictures = [Image.fromarray(cut_out(index)) for index in range(4)]
    lengths = [100, 200, 100, 300]
    settings = {"disposal": 2} if name == "a.gif" else {"lossless": True, "quality": 100}
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], duration=lengths, **settings)
    found, notes = seen(tmp_path / name, tmp_path / "o.mp4")
    assert len(found) == 4 and not notes
    for index, picture in enumerate(found):
        wanted = np.where(cut_out(index)[..., 3:] > 0, cut_out(index)[..., :3], 255)
        assert difference(picture, wanted) < (2 if name == "a.avif" else 1)
    frames = decoded(tmp_path / "o.mp4")
    assert [round(frame.time, 3) for frame in frames] == [0, 0.1, 0.3, 0.4]
    assert float(frames[-1].duration * frames[-1].time_base) == pytest.approx(0.3)


@pytest.mark.parametrize("name", ["b.gif", "b.webp", "b.png"])
@pytest.mark.parametrize("came, last", [("a.gif", 20), ("a.gif", 200_000), ("a.mkv", 40)])
def test_a_name_that_asks_for_an_animated_picture_gets_one(tmp_path, name, came, last):
    pictures = [np.roll(moving(index), index, axis=2) for index in range(4)]  # each of other colours
    times = [0, 100, 300, 400]
    if came == "a.gif":
        first, *others = [Image.fromarray(each) for each in pictures]
        first.save(tmp_path / came, save_all=True, append_images=others, duration=[100, 200, 100, last])
    else:
        write(tmp_path / came, [frame_of(each, "yuv444p") for each in pictures], "ffv1", times=times, colorspace=1)
    found, notes = seen(tmp_path / came, tmp_path / name)
    assert not notes
    with Image.open(tmp_path / name) as painted:
        assert painted.n_frames == 4 and painted.info["loop"] == 0
        begin = 0
        for index in range(4):
            painted.seek(index)
            painted.load()
            assert begin == times[index] and difference(np.asarray(painted.convert("RGB")), found[index]) < 8
            begin += painted.info["duration"]
        assert came != "a.gif" or painted.info["duration"] == last


@pytest.mark.parametrize("ending", ["gif", "png", "webp", "avif"])
def test_an_animation_keeps_the_pace_that_browsers_show(tmp_path, ending):
    """What says less than 11 milliseconds is shown for 100."""
    first, *others = [Image.fromarray(np.roll(moving(index), index, axis=2)) for index in range(4)]
    first.save(tmp_path / f"a.{ending}", save_all=True, append_images=others, duration=[0, 10, 50, 1000])
    found, notes = seen(tmp_path / f"a.{ending}", tmp_path / "o.mp4")
    assert len(found) == 4 and not notes
    assert [round(frame.time, 3) for frame in decoded(tmp_path / "o.mp4")] == [0, 0.1, 0.2, 0.25]


def test_frames_too_fast_for_a_browser_are_left_out_of_a_gif(tmp_path):
    source = write(tmp_path / "a.mkv", [frame_of(moving(0), "yuv444p")] * 10, "ffv1", times=range(0, 100, 10))
    found, _ = seen(source, tmp_path / "b.gif")
    with Image.open(tmp_path / "b.gif") as painted:
        assert len(found) == 10 and painted.n_frames == 5 and painted.info["duration"] == 20


def test_an_animated_picture_holds_no_sound_and_says_so(tmp_path):
    source = write(tmp_path / "a.mkv", [frame_of(moving(0), "yuv420p")] * 4, "ffv1", sound="flac")
    assert seen(source, tmp_path / "o.gif")[1] == ["a GIF holds no sound; the video is painted without its own"]


# Memory


@pytest.mark.parametrize("how", ["fields", "high range", "transparent"])
def test_memory_does_not_grow_with_length_whatever_is_done_to_frames(tmp_path, how):
    """Nothing waits for the garbage collector either, which does not know how large a frame is."""
    settings = {"high range": {"color_trc": 18}, "fields": {"field_order": 2}, "transparent": {}}[how]
    kind = {"high range": "yuv420p10le", "fields": "yuv420p", "transparent": "bgra"}[how]
    pixels = cut_out(1) if how == "transparent" else moving(1)
    source = write(tmp_path / "a.mkv", [frame_of(pixels, kind)] * 40, "ffv1", **settings)
    alive = []
    gc.collect()
    gc.disable()
    try:
        for progress in video.paint_video(source, tmp_path / "o.mp4", lambda image: image):
            if progress.frame % 10 == 5:
                alive.append(sum(type(each) is av.VideoFrame for each in gc.get_objects()))
    finally:
        gc.enable()
    assert len(alive) == 4 and max(alive) <= 8


# Streams


def test_of_several_films_in_a_file_the_main_one_is_painted_and_that_is_told(tmp_path):
    with av.open(str(tmp_path / "two.mkv"), "w") as container:
        sizes = (24, 32), (HEIGHT, WIDTH)
        streams = [
            container.add_stream("ffv1", rate=RATE, height=height, width=width, pix_fmt="yuv420p")
            for height, width in sizes
        ]
        for stream, main in zip(streams, (0, av.stream.Disposition.default), strict=True):
            stream.disposition = main
        for index in range(4):
            for stream, size in zip(streams, sizes, strict=True):
                frame = frame_of(moving(index, *size), "yuv420p", 6)
                frame.pts, frame.time_base = index, Fraction(1, RATE)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    found, notes = seen(tmp_path / "two.mkv", tmp_path / "o.mp4")
    assert found[0].shape == (HEIGHT, WIDTH, 3) and len(found) == 4
    assert notes == [film_stream.SEVERAL.format(2)]


def test_the_cover_of_a_film_is_not_painted_nor_counted(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        cover = container.add_stream("mjpeg", rate=1, width=128, height=128, pix_fmt="yuvj420p")
        cover.disposition = av.stream.Disposition.attached_pic
        stream = container.add_stream("libx264", rate=RATE, height=HEIGHT, width=WIDTH, pix_fmt="yuv420p")
        container.mux(cover.encode(frame_of(ramp(128, 128), "yuvj420p", 5, full=True)))
        container.mux(cover.encode(None))
        for index in range(4):
            frame = frame_of(moving(index), "yuv420p", 6)
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    found, notes = seen(tmp_path / "a.mp4", tmp_path / "o.mp4")
    assert found[0].shape == (HEIGHT, WIDTH, 3) and len(found) == 4 and not notes


@pytest.mark.parametrize("transfer, notes", [(1, []), (16, [film.HIGH_RANGE])])
def test_colours_are_the_containers_where_frames_do_not_tell(tmp_path, transfer, notes):
    """As ProRes of some programs: by its size alone, it would be taken for BT.601."""
    frames = [frame_of(ramp(), "yuv422p10le", 1)] * 2
    settings = {"colorspace": 1, "color_primaries": 1, "color_trc": transfer}
    source = write(tmp_path / "a.mov", frames, "prores_ks", container_options={"movflags": "write_colr"}, **settings)
    content = bytearray(source.read_bytes())
    place = content.find(b"icpf")
    while place >= 0:
        content[place + 18 : place + 21] = b"\2\2\2"
        place = content.find(b"icpf", place + 1)
    source.write_bytes(content)
    found, told = seen(source, tmp_path / "o.mp4")
    assert told == notes and (difference(found[0], ramp()) < 2.5) == (transfer == 1)


# Cut and damaged


def cut(path, share: float):
    """The first part of a file, under the same name."""
    content = path.read_bytes()
    path.write_bytes(content[: round(len(content) * share)])
    return path


def noise(count: int) -> list[av.VideoFrame]:
    """Frames of about the same size in the file."""
    random = np.random.default_rng(0)
    return [frame_of(random.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8), "yuv420p") for _ in range(count)]


@pytest.mark.parametrize("sound", [None, "libmp3lame"])
@pytest.mark.parametrize(
    "name, codec, container",
    [
        ("a.mkv", "libx264", None),
        ("a.webm", "libvpx", None),
        ("a.mp4", "libx264", "faststart"),
        ("a.avi", "mpeg4", None),
        ("a.flv", "libx264", None),
        ("a.wmv", "wmv2", "asf"),
    ],
)
def test_a_film_that_ends_early_is_painted_to_there_and_says_how_much_is_missing(
    tmp_path, name, codec, container, sound
):
    if name == "a.webm" and sound:
        sound = "libopus"
    settings = {"container": container if container != "faststart" else None, "sound": sound, "sound_rate": 44100}
    settings |= {"sound_rate": 48000} if sound == "libopus" else {}
    source = write(tmp_path / name, noise(40), codec, bit_rate=2_000_000, **settings)
    if container == "faststart":
        shutil.move(source, tmp_path / "plain.mp4")
        with av.open(str(tmp_path / "plain.mp4")) as before:
            options = {"movflags": "+faststart"}
            with av.open(str(source), "w", container_options=options) as after:
                streams = {each.index: after.add_stream_from_template(each) for each in before.streams}
                for packet in before.demux():
                    if packet.dts is not None:
                        packet.stream = streams[packet.stream.index]
                        after.mux(packet)
    whole, notes = seen(source, tmp_path / "o.mp4")
    assert len(whole) == 40 and not notes
    found, notes = seen(cut(source, 0.6), tmp_path / "o.mp4")
    assert 10 < len(found) < 36 and difference(found[5], whole[5]) < 0.5
    told = [
        sentence.format(len(found), count)
        for sentence in (video.ENDS_EARLY, video.PARTS_LEFT)
        for count in range(38, 43)
    ]
    told += [video.DAMAGED] if name == "a.wmv" else []  # of one that is cut, ffmpeg believes no length
    assert set(notes) & set(told) and set(notes) <= {*told, video.DAMAGED}


def test_a_film_in_fragments_that_is_cut_says_so(tmp_path):
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    source = write(tmp_path / "a.mp4", noise(40), "libx264", container_options=options, gop_size=5)
    whole, notes = seen(source, tmp_path / "o.mp4")
    assert len(whole) == 40 and not notes
    found, notes = seen(cut(source, 0.6), tmp_path / "o.mp4")
    assert 10 < len(found) < 36 and notes[0] == video.DAMAGED


@pytest.mark.parametrize("share", [0.995, 0.9, 0.6, 0.3])
def test_a_film_without_its_index_is_refused_with_the_reason(tmp_path, share):
    """As a camera leaves it whose battery is empty."""
    source = cut(write(tmp_path / "a.mp4", noise(20), "libx264"), share)
    with pytest.raises(ImageError, match="a.mp4 cannot be read as a video: its end, which says where its pictures are"):
        video.paint_video(source, tmp_path / "o.mp4", lambda image: image)


def test_a_film_whose_boxes_are_longer_than_any_disk_is_refused(tmp_path):
    box = struct.pack(">I4sQ", 1, b"mdat", 2**64 - 1)
    (tmp_path / "a.mp4").write_bytes(struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + box + bytes(40))
    with pytest.raises(ImageError, match="its end, which says where its pictures are, is missing"):
        video.paint_video(tmp_path / "a.mp4", tmp_path / "o.mp4", lambda image: image)


def test_a_film_of_a_codec_that_nobody_knows_is_refused_with_a_remedy(tmp_path):
    path = write(tmp_path / "a.mp4", noise(3), "libx264")
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz9").replace(b"avcC", b"zzzC"))
    with pytest.raises(ImageError, match=r"a\.mp4 is packed in a way \(a codec\) that cannot be read here; save it as"):
        video.paint_video(path, tmp_path / "o.mp4", lambda image: image)


def of_jpegs(path, orientation: int):
    """A film of JPEGs as some cameras make them, each with EXIF of its own."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(TURNS[orientation](quarters(48, 80))))
    buffer = io.BytesIO()
    stored.save(buffer, "JPEG", quality=95, exif=exif.tobytes())
    with av.open(str(path), "w") as target:
        stream = target.add_stream("mjpeg", rate=RATE, width=stored.width, height=stored.height, pix_fmt="yuvj420p")
        for index in range(3):
            packet = av.Packet(buffer.getvalue())
            packet.stream, packet.is_keyframe = stream, True
            packet.pts = packet.dts = index
            packet.time_base = Fraction(1, RATE)
            target.mux(packet)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_film_of_jpegs_with_exif_is_read_upright(tmp_path, orientation):
    frames, notes = seen(of_jpegs(tmp_path / "a.avi", orientation), tmp_path / "o.mp4")
    assert len(frames) == 3 and not notes
    assert frames[0].shape == (48, 80, 3) and difference(frames[0], quarters(48, 80)) < 6


def test_sound_or_pictures_that_are_merely_shorter_are_no_damage(tmp_path):
    for pictures in (4, 40):
        with av.open(str(tmp_path / "a.mkv"), "w") as container:
            stream = container.add_stream("ffv1", rate=RATE, height=HEIGHT, width=WIDTH, pix_fmt="yuv420p")
            audio = container.add_stream("flac", rate=48000, layout="mono")
            for index in range(pictures):
                frame = frame_of(moving(0), "yuv420p", 6)
                frame.pts, frame.time_base = index, Fraction(1, RATE)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
            for first in range(0, 48000, 4800):
                piece = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), "s16", "mono")
                piece.sample_rate, piece.pts, piece.time_base = 48000, first, Fraction(1, 48000)
                container.mux(audio.encode(piece))
            container.mux(audio.encode(None))
        found, notes = seen(tmp_path / "a.mkv", tmp_path / "o.mp4")
        assert len(found) == pictures and not notes


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_a_broadcast_with_holes_says_that_parts_are_damaged(tmp_path, codec):
    source = write(tmp_path / "a.ts", noise(40), codec, container="mpegts", bit_rate=2_000_000)
    content = bytearray(source.read_bytes())
    for place in (0.3, 0.6):
        begin = round(len(content) * place) // 188 * 188
        content[begin : begin + 188 * 6] = b""
    source.write_bytes(content)
    found, notes = seen(source, tmp_path / "o.mp4")
    assert 30 < len(found) <= 40 and notes == [video.DAMAGED]


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_an_animated_picture_that_is_cut_says_so(tmp_path, name):
    random = np.random.default_rng(0)
    pictures = [Image.fromarray(random.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)) for _ in range(6)]
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], duration=100)
    found, notes = seen(cut(tmp_path / name, 0.7), tmp_path / "o.mp4")
    assert 3 <= len(found) < 6 and notes[0] == video.DAMAGED


def test_subtitles_that_outlast_the_pictures_are_no_damage(tmp_path):
    frames = write(tmp_path / "a.mkv", [frame_of(moving(0), "yuv420p")] * 5, "ffv1")
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:09,000\nspoken\n", encoding="utf-8")
    with (
        av.open(str(frames)) as pictures,
        av.open(str(tmp_path / "a.srt"), format="srt") as text,
        av.open(str(tmp_path / "b.mkv"), "w") as both,
    ):
        streams = [both.add_stream_from_template(each.streams[0]) for each in (pictures, text)]
        for stream, source in zip(streams, (pictures, text), strict=True):
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = stream
                    both.mux(packet)
    found, notes = seen(tmp_path / "b.mkv", tmp_path / "o.mp4")
    assert len(found) == 5 and not notes


def test_packets_that_say_that_nothing_changes_are_no_damage_and_last(tmp_path, monkeypatch):
    """As Ogg has them of a still scene; no muxer here writes any."""
    read = film_stream.FilmStream._packets

    def with_empty_ones(self):
        for index, packet in enumerate(read(self)):
            if index in (2, 3, 6, 7):
                empty = av.Packet(0)
                empty.pts, empty.dts, empty.time_base = packet.pts, packet.dts, packet.time_base
                packet = empty
            yield packet

    monkeypatch.setattr(film_stream.FilmStream, "_packets", with_empty_ones)
    frames = [frame_of(moving(index), "yuvj420p", full=True) for index in range(8)]
    found, notes = seen(write(tmp_path / "a.mkv", frames, "mjpeg"), tmp_path / "o.mp4")
    assert len(found) == 5 and not notes  # the last one is held by another
    assert [round(frame.time * RATE) for frame in decoded(tmp_path / "o.mp4")] == [0, 1, 4, 5, 7]
    assert difference(found[4], found[3]) == 0


def test_times_below_zero_are_times_as_any(tmp_path):
    """Of a broadcast whose clock has come round meanwhile, and of films that are cut out of others."""
    source = write(tmp_path / "a.ts", noise(5), "mpeg2video", container="mpegts")
    with av.open(str(source)) as before, av.open(str(tmp_path / "b.ts"), "w") as after:
        stream = after.add_stream_from_template(before.streams.video[0])
        for index, packet in enumerate(before.demux(video=0)):
            if packet.dts is not None:
                packet.pts = packet.dts = 2**33 - 9 * 3600 + 3600 * index
                packet.stream = stream
                after.mux(packet)
    found, notes = seen(tmp_path / "b.ts", tmp_path / "o.mp4")
    assert len(found) == 5 and not notes
    assert [round(frame.time * RATE) for frame in decoded(tmp_path / "o.mp4")] == [0, 1, 2, 3, 4]
