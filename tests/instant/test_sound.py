"""Sound keeps its time: a short tone is heard when its frame is shown, whatever the sound is kept in."""

from fractions import Fraction

import av
import numpy as np
import pytest

from nst_core.instant.sound import EvenSound
from tests.instant.films import RATE, SOUND_RATE, click_times, decoded, frame_of, seen, write

COUNT, FLASH = 30, 0.48  # frames; seconds after the first one
MOST = 0.005  # seconds


def flashing(kind: str = "yuv420p", rate: int = RATE) -> list[av.VideoFrame]:
    """Dark frames, of which the one at FLASH is white."""
    levels = [255 if index == round(FLASH * rate) else 16 for index in range(COUNT)]
    return [frame_of(np.full((48, 64, 3), level, np.uint8), kind) for level in levels]


def lag(path) -> float:
    """How much later than the flash the tone is, in seconds."""
    flash = max(decoded(path), key=lambda frame: frame.to_ndarray(format="gray").mean())
    (click,) = click_times(path)
    return click - flash.time


def sound_of(path) -> str:
    with av.open(str(path)) as container:
        return container.streams.audio[0].codec_context.codec.canonical_name


ENCODED = {  # name -> muxer, video codec, sound codec, hertz, channels
    "a.asf": ("asf", "wmv2", "wmav2", 48000, "mono"),
    "a.wmv": ("asf", "wmv2", "wmav1", 44100, "stereo"),
    "a.webm": ("webm", "libvpx", "vorbis", 48000, "stereo"),
    "a.mpg": ("mpeg", "mpeg2video", "mp2", 48000, "mono"),
    "a.ts": ("mpegts", "libx264", "mp2", 44100, "stereo"),
    "a.avi": ("avi", "mpeg4", "adpcm_ms", 22050, "mono"),
    "b.avi": ("avi", "mpeg4", "pcm_mulaw", 8000, "mono"),
    "a.mov": ("mov", "libx264", "pcm_s24be", 48000, "stereo"),
    "b.mov": ("mov", "libx264", "adpcm_ima_qt", 44100, "mono"),
    "a.3gp": ("3gp", "mpeg4", "libopencore_amrnb", 8000, "mono"),
    "a.flv": ("flv", "flv", "nellymoser", 44100, "mono"),
    "a.mkv": ("matroska", "ffv1", "wavpack", 37800, "mono"),  # a rate that AAC has not
}
COPIED = {
    "a.webm": ("webm", "libvpx", "libopus", 48000, "mono"),
    "a.mkv": ("matroska", "ffv1", "libopus", 48000, "stereo"),
    "b.mkv": ("matroska", "ffv1", "aac", 44100, "mono"),
    "c.mkv": ("matroska", "ffv1", "libmp3lame", 44100, "mono"),
    "a.ts": ("mpegts", "libx264", "aac", 48000, "mono"),
    "a.mts": ("mpegts", "libx264", "ac3", 48000, "stereo"),
    "a.vob": ("vob", "mpeg2video", "ac3", 48000, "stereo"),
    "a.mov": ("mov", "libx264", "alac", 44100, "stereo"),
    "a.flv": ("flv", "flv", "libmp3lame", 44100, "mono"),
}


def film(path, container, codec, sound, rate, layout, **settings):
    given = {"b": "64k"} if sound.startswith("wma") else {"strict": "-2"} if sound == "vorbis" else {}
    return write(
        path,
        flashing(),
        codec,
        container=container,
        sound=sound,
        sound_rate=rate,
        layout=layout,
        clicks=[FLASH],
        sound_options=given,
        **settings,
    )


@pytest.mark.parametrize("name", ENCODED)
def test_sound_that_is_encoded_anew_keeps_its_time_and_begins_with_the_film(tmp_path, name):
    source = film(tmp_path / name, *ENCODED[name])
    seen(source, tmp_path / "o.mp4")
    assert sound_of(tmp_path / "o.mp4") == "aac"
    assert lag(tmp_path / "o.mp4") == pytest.approx(lag(source), abs=MOST)
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert next(container.decode(audio=0)).pts == 0  # no reader has to know of a late beginning


@pytest.mark.parametrize("name", COPIED)
def test_sound_that_is_copied_keeps_its_time(tmp_path, name):
    source = film(tmp_path / name, *COPIED[name])
    seen(source, tmp_path / "o.mp4")
    assert sound_of(tmp_path / "o.mp4") == sound_of(source)
    assert lag(tmp_path / "o.mp4") == pytest.approx(lag(source), abs=MOST)


def test_what_a_decoder_holds_back_is_heard_too(tmp_path):
    source = film(tmp_path / "a.asf", *ENCODED["a.asf"])
    seen(source, tmp_path / "o.mp4")
    lengths = []
    for path in (source, tmp_path / "o.mp4"):
        with av.open(str(path)) as container:
            frames = list(container.decode(audio=0))
        lengths.append(float(frames[0].pts * frames[0].time_base) + sum(frame.samples for frame in frames) / SOUND_RATE)
    assert lengths[1] >= lengths[0] - 0.005


@pytest.mark.parametrize("sound", ["pcm_s16le", "flac"])
def test_sound_that_begins_late_is_as_late(tmp_path, sound):
    source = film(tmp_path / "late.mkv", "matroska", "ffv1", sound, SOUND_RATE, "mono", sound_from=0.2)
    seen(source, tmp_path / "o.mp4")
    assert lag(tmp_path / "o.mp4") == pytest.approx(lag(source), abs=MOST)


@pytest.mark.parametrize("sound", ["pcm_s16le", "flac"])
def test_after_a_hole_sound_is_where_it_was(tmp_path, sound):
    source = film(tmp_path / "whole.mkv", "matroska", "ffv1", sound, SOUND_RATE, "mono")
    with av.open(str(source)) as before, av.open(str(tmp_path / "hole.mkv"), "w") as after:
        streams = {each.index: after.add_stream_from_template(each) for each in before.streams}
        for packet in before.demux():
            missing = packet.stream.type == "audio" and packet.pts is not None and 0.1 < packet.pts / 1000 < 0.3
            if packet.dts is not None and not missing:
                packet.stream = streams[packet.stream.index]
                after.mux(packet)
    seen(tmp_path / "hole.mkv", tmp_path / "o.mp4")
    assert lag(tmp_path / "o.mp4") == pytest.approx(lag(source), abs=MOST)


def test_copied_sound_whose_times_are_rounded_loses_nothing(tmp_path):
    """As some programs write fragments: of every two packets, both are said to begin with the second."""
    source = film(tmp_path / "a.mkv", "matroska", "ffv1", "aac", SOUND_RATE, "mono")
    with av.open(str(source)) as before, av.open(str(tmp_path / "b.mkv"), "w") as after:
        streams = {each.index: after.add_stream_from_template(each) for each in before.streams}
        packets = [packet for packet in before.demux() if packet.dts is not None]
        heard = [packet for packet in packets if packet.stream.type == "audio"]
        for first, second in zip(heard[4:20:2], heard[5:20:2], strict=False):
            first.pts = first.dts = second.pts
        for packet in packets:
            packet.stream = streams[packet.stream.index]
            after.mux(packet)
    seen(tmp_path / "b.mkv", tmp_path / "o.mp4")
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert sum(packet.size > 0 for packet in container.demux(audio=0)) == len(heard)
    assert lag(tmp_path / "o.mp4") == pytest.approx(lag(source), abs=0.025)


def tone(begin: int, samples: int, level: int, layout: str = "mono", rate: int = SOUND_RATE) -> av.AudioFrame:
    """A piece of sound of one level, from `begin` milliseconds on."""
    channels = 1 if layout == "mono" else 2
    frame = av.AudioFrame.from_ndarray(np.full((1, samples * channels), level, np.int16), "s16", layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, 1000)
    return frame


def evened(*pieces: av.AudioFrame) -> np.ndarray:
    even = EvenSound(SOUND_RATE, "mono")
    made = [frame for piece in pieces for frame in even.put(piece)]
    made += even.flush()
    places = np.cumsum([0, *(frame.samples for frame in made)])
    assert np.abs(np.subtract([frame.pts for frame in made], places[:-1])).max() <= 1
    return np.concatenate([frame.to_ndarray()[0] for frame in made])


def test_what_is_missing_is_silent_and_what_comes_twice_is_left_out():
    wave = evened(tone(50, 4800, 8000), tone(250, 4800, 16000), tone(300, 4800, 16000))
    loud = (wave.reshape(-1, 48) * 32768).round(-2).mean(axis=1)  # by millisecond
    for first, last, level in ((0, 50, 0), (50, 150, 8000), (150, 250, 0), (250, 400, 16000)):
        assert np.abs(loud[first + 1 : last - 1] - level).max() < 200
    assert len(loud) == 400


def test_rounded_times_leave_sound_as_it_is():
    wave = evened(*(tone(time, 1024, 8000) for time in (0, 21, 43, 64, 85, 107, 128)))
    assert len(wave) == 7 * 1024 and np.abs(wave - wave[0]).max() < 1e-4


def test_sound_that_changes_its_kind_on_the_way_goes_on():
    wave = evened(tone(0, 4800, 8000), tone(100, 4410, 8000, "stereo", 44100), tone(200, 4800, 8000))
    assert abs(len(wave) - 3 * 4800) < 100
    assert np.median(np.abs(wave)) > 0.2


def test_nothing_is_made_up_where_the_clock_jumps():
    even, made = EvenSound(SOUND_RATE, "mono"), []
    for begin in (0, 1_000_000, 20):
        made += even.put(tone(begin, 4800, 8000))
    made += even.flush()
    assert sum(frame.samples for frame in made) == 3 * 4800
    assert [frame.pts for frame in made] == [0, 48_000_000, 48_004_800]
