"""`weights` on the command line."""

import pytest

from nst_core.__main__ import main
from nst_core.features import weights
from nst_core.transfer.config import CHOICES


@pytest.mark.parametrize("backbone", CHOICES["backbone"])
def test_weights_says_which_file_is_used(random_weights, capsys, backbone):
    assert main(["weights", "--backbone", backbone]) == 0
    out = capsys.readouterr().out
    assert str(random_weights / weights._file_name(backbone)) in out and "NST_WEIGHTS" in out


def test_weights_that_are_not_here_are_said_to_be_missing(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("NST_WEIGHTS", raising=False)
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    assert main(["weights"]) == 1
    err = capsys.readouterr().err
    assert "error: " in err and "--download" in err and "Traceback" not in err
