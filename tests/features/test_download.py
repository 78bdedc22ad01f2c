import dataclasses
import errno
import hashlib
import io
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import save

from nst_core.errors import ConfigError, DownloadError
from nst_core.features import checkpoint, download, remote, weights
from tests import weights_server as manners
from tests.weights_server import WeightsServer

REVISION = "0" * 40
HUB = f"/someone/vgg19/resolve/{REVISION}/model.safetensors"


def state_of(backbone="vgg19", **changes):
    """Random weights of a backbone, with a classifier far larger than them, as published files have."""
    torch.manual_seed(0)
    state = {name: torch.randn(shape) for name, shape in checkpoint.expected_shapes(backbone).items()}
    return state | {"head.weight": torch.randn(100, 100)} | changes


def as_pth(state):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A computer without weights, small networks, and a server that stands for both sources."""
    monkeypatch.setitem(checkpoint.ARCHITECTURES, "vgg19", (4, "M", 8, 16))
    monkeypatch.delenv("NST_WEIGHTS", raising=False)
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(remote, "PAUSE_SECONDS", 0.01)
    with WeightsServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        whole = as_pth(state_of())
        server.torchvision = f"/models/vgg19-{hashlib.sha256(whole).hexdigest()[:8]}.pth"
        server.files = {HUB: save(state_of()), server.torchvision: whole}
        published = download.Publication("someone/vgg19", REVISION, server.url + server.torchvision, 100_000)
        monkeypatch.setitem(download.PUBLISHED, "vgg19", published)
        yield server


@pytest.fixture
def impatience(monkeypatch):
    """For tests of silence alone: on a busy computer, others may take longer."""
    monkeypatch.setattr(remote, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(remote, "STALL_SECONDS", 0.5)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def files_in(folder: Path) -> list[str]:
    """All but the lock, which is empty and may stay."""
    return sorted(path.name for path in folder.rglob("*") if path.name != ".vgg19.lock")


def fetch() -> list[weights.DownloadProgress]:
    return list(weights.download("vgg19"))


def assert_it_is_there_and_alone(cache, expected=None):
    found = weights.find("vgg19")
    assert files_in(cache) == ["vgg19_features.safetensors"] == [found.path.name]
    for name, tensor in weights.load(found).items():
        torch.testing.assert_close(tensor, (expected or state_of())[name].float(), rtol=0, atol=0)


def refusal() -> str:
    with pytest.raises(DownloadError) as caught:
        fetch()
    return str(caught.value)


# What is published


def test_publications_agree_with_torchvision():
    assert download.PUBLISHED.keys() == checkpoint.ARCHITECTURES.keys() - checkpoint.TEACHERS.keys()
    for backbone, published in download.PUBLISHED.items():
        theirs = getattr(torchvision.models, f"{backbone.upper()}_Weights").IMAGENET1K_V1
        assert published.torchvision_url == theirs.url
        assert published.torchvision_bytes == pytest.approx(theirs.meta["_file_size"] * 2**20, rel=0.01)


# All goes well


def test_a_download_is_found_and_holds_what_was_published(server, cache):
    assert weights.find("vgg19") is None
    fetch()
    assert weights.find("vgg19").origin == "cache"
    assert_it_is_there_and_alone(cache)


def test_only_the_bytes_of_the_convolutions_are_fetched(server):
    fetch()
    header = 8 + int.from_bytes(server.files[HUB][:8], "little")
    assert server.sent == {HUB: header + weights.download_size("vgg19")}
    assert len(server.requests) == 3  # length, header, and the convolutions in one part
    assert all(headers["accept-encoding"] == "identity" for _, headers in server.requests)  # as parts are counted


def test_convolutions_that_lie_apart_are_fetched_apart(server, cache):
    server.files[HUB] = save(state_of(**{"features.0.extra": torch.ones(9999), "features.3.x": torch.ones(9999)}))
    fetch()
    header = 8 + int.from_bytes(server.files[HUB][:8], "little")
    assert server.sent[HUB] == header + weights.download_size("vgg19")
    assert_it_is_there_and_alone(cache)


def test_half_precision_on_the_server_is_fetched_as_it_is(server, cache):
    halves = {name: tensor.half() for name, tensor in state_of().items()}
    server.files[HUB] = save(halves)
    assert fetch()[-1].total_bytes == weights.download_size("vgg19") // 2
    assert_it_is_there_and_alone(cache, halves)


def test_the_file_says_where_it_came_from(server):
    fetch()
    with safe_open(weights.find("vgg19").path, framework="pt") as file:
        assert file.metadata() == {"source": server.url + HUB, "revision": REVISION}


def test_progress_rises_to_the_end(server):
    steps = fetch()
    size = weights.download_size("vgg19")
    server_name = server.url.removeprefix("http://")
    assert steps[0] == weights.DownloadProgress(0, size, server_name, "asking")
    assert steps[-1] == weights.DownloadProgress(size, size, server_name, "done")
    assert [step.done_bytes for step in steps] == sorted(step.done_bytes for step in steps)
    with pytest.raises(dataclasses.FrozenInstanceError):
        steps[0].note = "changed"


def test_progress_comes_five_times_a_second_while_nothing_moves(server):
    server.manners[HUB] = manners.pausing
    steps = weights.download("vgg19")
    next(step for step in steps if step.done_bytes)
    begun = time.monotonic()
    half_way = [next(steps).done_bytes for _ in range(2)]
    assert time.monotonic() - begun < 0.4
    assert 0 < half_way[0] == half_way[1] < weights.download_size("vgg19")
    server.go_on.set()
    list(steps)


def test_each_step_may_be_taken_on_another_thread(server, cache):
    server.manners[HUB] = manners.pausing
    steps, taken = weights.download("vgg19"), []
    while len(taken) < 500 and (not taken or taken[-1] is not None):
        thread = threading.Thread(target=lambda: taken.append(next(steps, None)))
        thread.start()
        thread.join()
        if taken[-1] and taken[-1].done_bytes:
            server.go_on.set()
    assert_it_is_there_and_alone(cache)
    fetch()  # the lock was given back


def test_the_token_is_for_the_hub_alone(server, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    server.manners[HUB] = manners.missing
    fetch()
    tokens = {path: headers.get("authorization") for path, headers in server.requests}
    assert tokens == {HUB: "Bearer hf_secret", server.torchvision: None}


def test_what_is_there_and_sound_is_not_fetched_again(server):
    fetch()
    server.requests.clear()
    assert fetch()[-1].note == "already here"
    assert not server.requests


def test_what_is_there_and_damaged_is_replaced(server, cache):
    cache.mkdir()
    (cache / "vgg19_features.safetensors").write_bytes(b"damaged")
    fetch()
    assert_it_is_there_and_alone(cache)


def test_mistakes_of_the_caller_show_at_the_call_and_not_at_the_first_step(server):
    with pytest.raises(ConfigError):
        weights.download("vgg11")


# The first source fails: the second one serves

FAILURES = {
    "no such file": (manners.missing, None, "answered 404"),
    "a broken server": (manners.with_status(503), None, "answered 503"),
    "no parts of files": (manners.whole, None, "cannot send a part of a file"),
    "a web page": (manners.web_page, None, "a web page instead of the file"),
    "silence": (manners.silent, None, "no answer"),
    "cuts": (manners.cut, None, "the connection was cut"),
    "another format": (manners.in_parts, lambda: as_pth(state_of()), "is not a safetensors file"),
    "a header that is a list": (manners.in_parts, lambda: b"\2" + bytes(7) + b"[]", "is not a safetensors file"),
    "a header of numbers": (manners.in_parts, lambda: b"\7" + bytes(7) + b'{"a":1}', "is not a safetensors file"),
    "a short file": (manners.in_parts, lambda: b"\2", "sent other bytes than those asked for"),
    "other names": (manners.in_parts, lambda: save({"a": torch.ones(9)}), r"features\.0\.weight is missing"),
    "other shapes": (
        manners.in_parts,
        lambda: save(state_of(**{"features.3.weight": torch.ones(8, 4, 1, 1)})),
        "8×4×1×1, not 8×4×3×3",
    ),
    "NaN": (manners.in_parts, lambda: save(state_of(**{"features.3.bias": torch.full((8,), torch.nan)})), "holds NaN"),
}


@pytest.fixture(params=FAILURES)
def failing_hub(request, server):
    manner, contents, words = FAILURES[request.param]
    server.manners[HUB] = manner
    if contents:
        server.files[HUB] = contents()
    if manner is manners.silent:
        request.getfixturevalue("impatience")
    return words


def test_torchvisions_own_file_serves_when_the_hub_fails(failing_hub, server, cache):
    steps = fetch()
    assert server.requests[-1][0] == server.torchvision
    assert steps[-1].total_bytes == len(server.files[server.torchvision])
    assert_it_is_there_and_alone(cache)


def test_when_both_fail_both_reasons_are_said_and_nothing_is_left(failing_hub, server, cache):
    server.files[server.torchvision] += b"tampered with"
    with pytest.raises(DownloadError, match=failing_hub + r".*; .*: sent another file \(sha256 "):
        fetch()
    assert files_in(cache) == []
    assert weights.find("vgg19") is None


def test_a_server_without_parts_still_serves_torchvisions_file(server, cache):
    server.manners = {HUB: manners.missing, server.torchvision: manners.whole}
    fetch()
    assert_it_is_there_and_alone(cache)


@pytest.mark.parametrize("manner, words", [(manners.web_page, "a web page"), (manners.silent, "no answer for")])
def test_the_second_source_is_watched_like_the_first(manner, words, server, impatience):
    server.manners = {HUB: manners.missing, server.torchvision: manner}
    assert words in refusal()


def test_a_refusal_says_what_to_do(server):
    server.manners = {HUB: manners.missing, server.torchvision: manners.missing}
    message = refusal()
    assert message.startswith("VGG-19 could not be downloaded. ")
    assert f"fetch {server.url}{server.torchvision} in another way and set NST_WEIGHTS to that file" in message


# Connections


def test_a_cut_connection_goes_on_where_it_was_cut(server, cache):
    server.manners[HUB] = manners.first(manners.in_parts, manners.in_parts, manners.cut)
    fetch()
    header = 8 + int.from_bytes(server.files[HUB][:8], "little")
    assert server.sent == {HUB: header + weights.download_size("vgg19")}
    assert_it_is_there_and_alone(cache)


def test_a_cut_of_the_whole_file_goes_on_where_it_was_cut(server, cache):
    server.manners = {HUB: manners.missing, server.torchvision: manners.first(manners.cut)}
    fetch()
    assert server.sent[server.torchvision] == len(server.files[server.torchvision])
    assert_it_is_there_and_alone(cache)


def test_a_cut_connection_leaves_nothing_behind(server, cache):
    server.manners = {HUB: manners.cut, server.torchvision: manners.cut}
    assert refusal().count("the connection was cut") == 2
    assert files_in(cache) == []


def test_a_passing_fault_of_the_server_is_asked_again(server):
    server.manners[HUB] = manners.first(manners.with_status(503), manners.with_status(429))
    fetch()
    assert server.torchvision not in server.sent


def test_a_connection_that_stalls_is_made_anew(server, cache, impatience):
    server.manners[HUB] = manners.first(manners.in_parts, manners.in_parts, manners.pausing)
    fetch()
    assert server.torchvision not in server.sent
    assert_it_is_there_and_alone(cache)


def test_a_stall_without_end_is_given_up(server, cache, impatience):
    stalling = manners.first(manners.in_parts, manners.in_parts, manners.pausing, *[manners.silent] * 9)
    server.manners = {HUB: stalling, server.torchvision: manners.missing}
    assert "no answer for 0.5 s" in refusal()
    assert files_in(cache) == []


def closed_port(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("HF_ENDPOINT", url)
    published = dataclasses.replace(download.PUBLISHED["vgg19"], torchvision_url=url + "/vgg19-00000000.pth")
    monkeypatch.setitem(download.PUBLISHED, "vgg19", published)


def test_without_a_network_it_says_so(server, monkeypatch):
    closed_port(monkeypatch)
    assert refusal().count(": no connection") == 2


def test_without_an_answer_to_anything_it_ends_in_time(server, monkeypatch, impatience):
    """Also when the computer cannot even find the servers' addresses, which no time-out of a connection covers."""
    never = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: never.wait(5) and [])
    begun = time.monotonic()
    assert refusal().count("no answer") == 2
    assert time.monotonic() - begun < 2 * remote.ANSWER_SECONDS + 1
    never.set()


def test_the_real_limits_end_two_silent_sources_within_ten_seconds():
    assert 2 * (remote.ANSWER_SECONDS + 2 * remote.REPORT_SECONDS) < 9


def test_offline_mode_asks_nobody(server, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert refusal().count("HF_HUB_OFFLINE") == 2
    assert not server.requests


# The disk


def test_a_folder_that_cannot_be_written_to_is_said_before_anything_is_fetched(server, tmp_path, monkeypatch):
    (tmp_path / "file").touch()  # nothing can be put below a file, not even by root
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("NST_CACHE", str(folder))
        message = refusal()
        assert f"{folder} cannot be written to" in message
        assert "set NST_CACHE to a folder" in message
    assert not server.requests


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder here that is closed to root as well")
def test_a_folder_that_exists_and_takes_no_files_is_said_too(server, monkeypatch):
    monkeypatch.setenv("NST_CACHE", "/proc")
    assert "/proc cannot be written to" in refusal()
    assert not server.requests


def disk_with(free, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))


def test_a_full_disk_is_said_before_anything_is_fetched(server, cache, monkeypatch):
    disk_with(weights.download_size("vgg19") - 1, monkeypatch)
    assert f"needed in {cache}, which has 0 MB free; make room or set NST_CACHE" in refusal()
    assert not server.requests


def test_a_disk_too_small_for_torchvisions_file_is_said_before_it_is_fetched(server, monkeypatch):
    server.manners[HUB] = manners.missing
    disk_with(weights.download_size("vgg19"), monkeypatch)
    assert "set NST_CACHE" in refusal()
    assert server.torchvision not in server.sent


def test_a_disk_that_fills_up_leaves_nothing_behind(server, cache, monkeypatch):
    def write(whole, path, *args):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, "_from_hub", write)
    monkeypatch.setattr(download, "_from_torchvision", write)
    assert refusal().count("No space left on device") == 2
    assert files_in(cache) == []


def test_what_a_killed_download_left_is_cleared_away(server, cache):
    (cache / ".vgg19-killed").mkdir(parents=True)
    (cache / ".vgg19-killed/vgg19_features.pth").write_bytes(b"half")
    fetch()
    assert_it_is_there_and_alone(cache)


# Stopping, and two at once


@pytest.mark.parametrize("source", ["hub", "torchvision"])
def test_a_download_closed_half_way_leaves_nothing_behind(source, server, cache):
    path = HUB if source == "hub" else server.torchvision
    server.manners = {HUB: manners.missing, path: manners.pausing}
    steps = weights.download("vgg19")
    next(step for step in steps if step.done_bytes)
    assert len(files_in(cache)) == 2  # the folder and the file aside
    steps.close()
    assert files_in(cache) == []
    server.go_on.set()
    server.manners.clear()
    fetch()
    assert_it_is_there_and_alone(cache)


def test_a_closed_download_stops_asking(server):
    server.manners = {HUB: manners.silent}
    steps = weights.download("vgg19")
    next(step for step in steps if server.requests)
    (thread,) = (thread for thread in threading.enumerate() if thread.name.startswith("download "))
    steps.close()
    server.go_on.set()
    thread.join(5)
    assert not thread.is_alive()
    assert len(server.requests) == 1


def test_of_two_downloads_one_waits_and_uses_the_others_file(server, cache):
    server.manners[HUB] = manners.pausing
    first, second = weights.download("vgg19"), weights.download("vgg19")
    next(step for step in first if step.done_bytes)
    assert next(second) == weights.DownloadProgress(
        0, weights.download_size("vgg19"), "", "waiting for another download of VGG-19"
    )
    results: dict[str, list] = {}
    threads = [
        threading.Thread(target=lambda name=name, steps=steps: results.update({name: list(steps)}))
        for name, steps in (("first", first), ("second", second))
    ]
    for thread in threads:
        thread.start()
    server.go_on.set()
    for thread in threads:
        thread.join(10)
    assert results["first"][-1].note == "done"
    assert results["second"][-1].note == "already here"
    assert len(server.requests) == 3
    assert_it_is_there_and_alone(cache)


def test_a_waiting_download_takes_over_when_the_other_one_stops(server, cache):
    server.manners[HUB] = manners.first(manners.in_parts, manners.in_parts, manners.pausing)
    first, second = weights.download("vgg19"), weights.download("vgg19")
    next(step for step in first if step.done_bytes)
    next(second)
    first.close()
    assert list(second)[-1].note == "done"
    assert_it_is_there_and_alone(cache)


def test_a_waiting_download_may_be_closed_without_harm_to_the_other(server, cache):
    server.manners[HUB] = manners.pausing
    first, second, third = (weights.download("vgg19") for _ in range(3))
    next(step for step in first if step.done_bytes)
    next(second)
    second.close()
    assert next(third).note.startswith("waiting")
    server.go_on.set()
    assert list(first)[-1].note == "done"
    third.close()


def test_a_download_waits_for_another_process(server, cache):
    cache.mkdir()
    hold = (
        "import filelock, sys; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); "
        "print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", hold, cache / ".vgg19.lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        process.stdout.readline()
        steps = weights.download("vgg19")
        assert next(steps).note.startswith("waiting")
        process.stdin.close()
        process.wait(10)
    assert list(steps)[-1].note == "done"
