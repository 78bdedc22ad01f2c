"""Downloads the weights of VGG-16, VGG-19 and its classifier: from where, checked, into which file."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from huggingface_hub import hf_hub_url
from huggingface_hub.utils import build_hf_headers
from safetensors import SafetensorError
from safetensors.torch import save

from nst_core.errors import DownloadError
from nst_core.features.checkpoint import (
    CLASSIFIER,
    Flaw,
    check_shapes,
    download_size,
    expected_shapes,
    read,
    title_of,
)
from nst_core.features.remote import REPORT_SECONDS, DownloadProgress, Meter, fetch_file, fetch_tensors, watch
from nst_core.files import put_in_place


@dataclass(frozen=True)
class Publication:
    """The addresses at which torchvision's weights of a backbone are published."""

    repository: str  # on the Hugging Face Hub, torchvision's tensors in model.safetensors
    revision: str  # pinned: what is behind it never changes
    torchvision_url: str  # the file's name ends in the first digits of its sha256
    torchvision_bytes: int  # about

    @property
    def torchvision_file(self) -> str:
        """The name of torchvision's file."""
        return Path(urlsplit(self.torchvision_url).path).name


PUBLISHED = {
    "vgg19": Publication(
        repository="timm/vgg19.tv_in1k",
        revision="128d4708565b3a414bcbb9bbad440b2fe37b9f18",
        torchvision_url="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
        torchvision_bytes=575_000_000,
    ),
    "vgg16": Publication(
        repository="timm/vgg16.tv_in1k",
        revision="3394518cba29aee1ea82a49d971be90d2dd1dab7",
        torchvision_url="https://download.pytorch.org/models/vgg16-397923af.pth",
        torchvision_bytes=554_000_000,
    ),
}


def download_to(target: Path, backbone: str) -> Iterator[DownloadProgress]:
    """Fetch a backbone's convolutions, or the classifier, into a file, and tell how far it is.

    Args:
        target: a safetensors file, of the classifier torchvision's own. If a sound one is there, it stays.
        backbone: of PUBLISHED, or CLASSIFIER.

    Raises:
        DownloadError: no place to keep them, or no source has them; what each one said.
    """
    size = download_size(backbone)
    try:
        _check_room(target.parent, size)
    except Flaw as flaw:
        raise DownloadError(f"{title_of(backbone)} was not downloaded: {flaw}") from flaw
    # Not bound to a thread: a web page may take each value of a generator on another one.
    lock = FileLock(target.parent / f".{backbone}.lock", thread_local=False)
    try:
        while not _acquired(lock):
            yield DownloadProgress(0, size, "", f"waiting for another download of {title_of(backbone)}")
            time.sleep(REPORT_SECONDS)
        if _is_sound(target, backbone):
            yield DownloadProgress(size, size, "", "already here")
        else:
            yield from _fetch(target, backbone)
    finally:
        lock.release()


def _fetch(target: Path, backbone: str) -> Iterator[DownloadProgress]:
    """Try the sources in turn; the first that gives sound weights is enough."""
    for left_over in target.parent.glob(f".{backbone}-*"):  # by a process that was killed: nobody else has the lock
        shutil.rmtree(left_over, ignore_errors=True)
    failures: list[str] = []
    for url, source in _sources(backbone):
        server = urlsplit(url).netloc
        meter = Meter(server, download_size(backbone), f"asking ({failures[-1]})" if failures else "asking")
        try:
            yield from _fetch_from(source, url, target, backbone, meter)
        except (Flaw, OSError, SafetensorError) as error:
            failures.append(f"{server}: {getattr(error, 'strerror', None) or error}")
        else:
            yield DownloadProgress(meter.total, meter.total, server, "done")
            return
    raise DownloadError(
        f"{title_of(backbone)} could not be downloaded. {'; '.join(failures)}. Try again later, or fetch {url} "
        f"in another way and set NST_WEIGHTS to that file"
    )


def _fetch_from(source: Callable, url: str, target: Path, backbone: str, meter: Meter) -> Iterator[DownloadProgress]:
    """Write aside, check, and only then put it in place."""
    with tempfile.TemporaryDirectory(prefix=f".{backbone}-", dir=target.parent, ignore_cleanup_errors=True) as folder:
        path = Path(folder) / target.name

        def job(meter: Meter) -> None:
            source(url, path, backbone, meter)
            meter.no_more_bytes("checking")
            read(path, backbone)

        yield from watch(job, meter)
        put_in_place(path, target)


def _sources(backbone: str) -> list[tuple[str, Callable]]:
    """(address, what fetches from there), in order."""
    if backbone == CLASSIFIER:  # on the Hub, it has other names and shapes
        return [(PUBLISHED["vgg19"].torchvision_url, _whole)]
    return [(_hub_url(backbone), _from_hub), (PUBLISHED[backbone].torchvision_url, _from_torchvision)]


def _hub_url(backbone: str) -> str:
    published = PUBLISHED[backbone]
    # huggingface_hub itself reads HF_ENDPOINT only once, when it is imported.
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or None
    return hf_hub_url(published.repository, "model.safetensors", revision=published.revision, endpoint=endpoint)


def _from_hub(url: str, path: Path, backbone: str, meter: Meter) -> None:
    """Fetch only the convolutions, out of a file with the classifier: 80 MB of VGG-19's 575."""

    def choose(shapes: dict[str, tuple]) -> list[str]:
        check_shapes(shapes, backbone)
        return list(expected_shapes(backbone))

    metadata = {"source": url, "revision": PUBLISHED[backbone].revision}
    fetch_tensors(url, build_hf_headers(), choose, path, metadata, meter)


def _from_torchvision(url: str, path: Path, backbone: str, meter: Meter) -> None:
    """Fetch torchvision's own file, known by its hash, and keep its convolutions."""
    _check_room(path.parent, PUBLISHED[backbone].torchvision_bytes + download_size(backbone))
    whole = path.with_suffix(".pth")
    sha256 = _whole(url, whole, backbone, meter)
    meter.no_more_bytes("checking")
    path.write_bytes(save(read(whole, backbone), {"source": url, "revision": sha256}))


def _whole(url: str, path: Path, backbone: str, meter: Meter) -> str:
    """Fetch torchvision's own file as it is; the digits of its hash, which its name ends in."""
    sha256 = Path(urlsplit(url).path).stem.rpartition("-")[2]
    fetch_file(url, path, sha256, meter)
    return sha256


def _check_room(folder: Path, needed: int) -> None:
    """Raise Flaw unless that many bytes can be written there; makes the folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        raise Flaw(f"{folder} cannot be written to ({error.strerror}); set NST_CACHE to a folder that can") from error
    if free < needed:
        raise Flaw(
            f"{needed / 1e6:.0f} MB are needed in {folder}, which has {free / 1e6:.0f} MB free; "
            "make room or set NST_CACHE to another folder"
        )


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _is_sound(path: Path, backbone: str) -> bool:
    try:
        return path.is_file() and bool(read(path, backbone))
    except Flaw:
        return False
