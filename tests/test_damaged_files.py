"""Damaged files of every kind that the program reads give a result or a sentence; thousands of them: see benchmarks."""

import warnings

import pytest

from nst_core.features.checkpoint import ARCHITECTURES
from nst_core.images import PictureWarning
from nst_core.pictures.opening import known_formats
from tests.benchmarks.mutate import readers, samples, worker

COUNT = 10  # of a format


@pytest.mark.parametrize("name", samples.FORMATS)
def test_a_whole_file_is_opened_and_a_damaged_one_gives_a_result_or_a_sentence(name, tmp_path, monkeypatch, capfd):
    if {"heic": "HEIF", "avif": "AVIF"}.get(name, "JPEG") not in known_formats():
        pytest.skip("it is not read here")
    monkeypatch.setitem(ARCHITECTURES, "vgg16", samples.SMALL_VGG)
    monkeypatch.setenv("NST_WEIGHTS", "")
    warnings.simplefilter("ignore", PictureWarning)
    ending, refused = samples.FORMATS[name][1], []
    files = [(whole, "whole") for whole in samples.samples(name)[::3]]
    for number, (data, words) in enumerate([*files, *(worker.file_of(name, 3, index) for index in range(COUNT))]):
        path = tmp_path / f"{number}{ending}"
        path.write_bytes(data)
        try:
            if not readers.read(name, path, tmp_path / "room"):
                refused.append(words)
        except Exception as error:
            pytest.fail(f"{number}, {words}: {error!r}")
    assert refused and "whole" not in refused
    assert capfd.readouterr().err == ""
