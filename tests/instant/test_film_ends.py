"""Whether a film's end is there, of containers that say of no length."""

import pytest

from nst_core.instant import video
from nst_core.instant.film_ends import lacks_end
from tests.instant.films import seen, write
from tests.instant.test_film import noise

# Name -> muxer, codec, sound.
FILMS = {
    "a.ogv": ("ogv", "libvpx", "libopus"),
    "b.ogv": ("ogv", "libvpx", None),
    "a.ts": ("mpegts", "mpeg2video", "mp2"),
    "a.m2ts": ("mpegts", "libx264", "ac3"),
    "a.mpg": ("mpeg", "mpeg1video", "mp2"),
    "a.vob": ("vob", "mpeg2video", "ac3"),
}


@pytest.mark.parametrize("name", FILMS)
def test_a_cut_film_without_a_length_says_that_it_is_damaged_and_a_whole_one_says_nothing(tmp_path, name):
    container, codec, sound = FILMS[name]
    options = {"mpegts_m2ts_mode": "1"} if name == "a.m2ts" else {}
    source = write(
        tmp_path / name,
        noise(12),
        codec,
        container=container,
        sound=sound,
        bit_rate=2_000_000,
        container_options=options,
    )
    whole, output = source.read_bytes(), tmp_path / "o.mp4"
    assert seen(source, output)[1] == []
    known = {"ogv": "ogg", "mpg": "mpeg", "vob": "mpeg"}.get(name[2:], "mpegts")
    assert not lacks_end(source, known)
    source.write_bytes(whole[:-9])
    assert lacks_end(source, known)
    for share in (0.5, 0.8):
        source.write_bytes(whole[: round(len(whole) * share) // 64 * 64 + 1])  # within a packet
        assert seen(source, output)[1] == [video.DAMAGED]


def test_an_ogv_that_is_cut_between_two_pages_lacks_its_end(tmp_path):
    source = write(tmp_path / "a.ogv", noise(12), "libvpx", container="ogv")
    whole = source.read_bytes()
    assert not lacks_end(source, "ogg")
    source.write_bytes(whole[: whole.rindex(b"OggS")])
    assert lacks_end(source, "ogg")


def test_what_is_shorter_than_any_packet_is_left_to_others(tmp_path):
    (tmp_path / "a.ts").write_bytes(b"\x47" * 9)
    for container, lacks in (("mpegts", False), ("mpeg", False), ("ogg", True)):
        assert lacks_end(tmp_path / "a.ts", container) is lacks
