"""Which styles there are: of this program, of files, of both."""

import pytest
import torch

from nst_core.errors import ConfigError, WeightsError
from nst_core.instant import catalogue as module
from nst_core.instant.catalogue import Catalogue, open_styles
from nst_core.instant.network import gather, same_convolutions
from nst_core.instant.styles import StyleFile, load_styles, save_styles
from tests.instant.test_painter import CPU, network_of


@pytest.fixture
def waves() -> StyleFile:
    return StyleFile(network_of("waves", "stars"), {"waves": b"\xff\xd8\xffsmall"})


def test_styles_of_one_network_are_blended_whichever_file_they_are_from(waves):
    relative = gather([(waves.network, "stars"), (waves.network, "photo")], names=["sky", "photo"])
    catalogue = Catalogue()
    catalogue.add(waves, "a.safetensors")
    assert catalogue.add(StyleFile(relative, {"sky": b"blue"}), "b.safetensors") == ["sky"]
    assert len(catalogue.networks) == 1 and list(catalogue.styles) == ["waves", "stars", "sky"]
    assert (catalogue.styles["sky"].origin, catalogue.styles["sky"].thumbnail) == ("b.safetensors", b"blue")
    painter, image = catalogue.painter(CPU), torch.rand(1, 3, 24, 24)
    torch.testing.assert_close(painter.paint(image, {"sky": 1.0}), painter.paint(image, {"stars": 1.0}))
    painter.paint(image, {"sky": 1.0, "waves": 1.0})


def test_styles_of_another_network_stand_beside(waves):
    catalogue = Catalogue()
    catalogue.add(waves, "a.safetensors")
    catalogue.add(StyleFile(network_of("rain", seed=1)), "b.safetensors")
    assert len(catalogue.networks) == 2 and catalogue.styles["rain"].thumbnail is None
    assert catalogue.painter(CPU).styles == ("waves", "stars", "rain")


def test_a_name_that_is_taken_is_refused_and_changes_nothing(waves):
    catalogue = Catalogue()
    catalogue.add(waves, "a.safetensors")
    with pytest.raises(ConfigError, match="there is a style 'stars' already"):
        catalogue.add(StyleFile(network_of("rain", "stars", seed=1)), "b.safetensors")
    assert list(catalogue.styles) == ["waves", "stars"] and len(catalogue.networks) == 1


def test_a_copy_grows_alone(waves):
    catalogue = Catalogue()
    catalogue.add(waves, "a.safetensors")
    catalogue.copy().add(StyleFile(network_of("rain", seed=1)), "b.safetensors")
    assert "rain" not in catalogue.styles and len(catalogue.networks) == 1


def test_an_extracted_style_can_be_written_and_added_again(waves, tmp_path):
    catalogue = Catalogue()
    catalogue.add(waves, "a.safetensors")
    save_styles(catalogue.extract("waves"), tmp_path / "one.safetensors")
    back = load_styles(tmp_path / "one.safetensors")
    assert back.network.styles == ("waves", "photo") and back.thumbnails == {"waves": b"\xff\xd8\xffsmall"}
    with pytest.raises(ConfigError, match="no style 'rain'; choose of waves, stars"):
        catalogue.extract("rain")


def test_styles_are_those_of_a_file_or_of_this_program(waves, tmp_path, monkeypatch):
    path = tmp_path / "mine.safetensors"
    save_styles(waves, path)
    assert {style.origin for style in open_styles(path).styles.values()} == {"mine.safetensors"}
    monkeypatch.setattr(module, "BUNDLED", tmp_path)
    assert {style.origin for style in open_styles().styles.values()} == {module.BUNDLED_ORIGIN}
    path.unlink()
    with pytest.raises(WeightsError, match="there are no styles in"):
        open_styles()
    with pytest.raises(WeightsError, match="there is no file"):
        open_styles(path)


def test_equal_convolutions_survive_a_file(waves, tmp_path):
    save_styles(waves, tmp_path / "a.safetensors")
    first = load_styles(tmp_path / "a.safetensors")
    save_styles(StyleFile(gather([(first.network, "stars"), (first.network, "photo")])), tmp_path / "b.safetensors")
    assert same_convolutions(first.network, load_styles(tmp_path / "b.safetensors").network)


def test_a_catalogue_takes_in_no_more_networks_than_memory_holds(waves, monkeypatch):
    monkeypatch.setattr(module, "MOST_NETWORKS", 1)
    catalogue = Catalogue()
    catalogue.add(waves, "a.safetensors")
    catalogue.add(StyleFile(gather([(waves.network, "photo")], names=["sky"]), {}), "b.safetensors")
    with pytest.raises(ConfigError, match="there are styles of 1 networks already"):
        catalogue.add(StyleFile(network_of("rain", seed=1)), "c.safetensors")
    assert list(catalogue.styles) == ["waves", "stars", "sky"] and len(catalogue.networks) == 1
