"""The classifier is fetched when its button is pressed, and only then."""

import gradio as gr
import pytest

from nst_core.errors import DownloadError
from nst_core.features import weights
from nst_core.features.checkpoint import CLASSIFIER
from nst_core.features.weights import DownloadProgress
from nst_core.ui.page.classifier_button import classifier_button, fetch_classifier, offer_classifier
from tests.classifier_file import save_known
from tests.ui.instant.test_picture import props
from tests.ui.shown import untitled

WHOLE = 548 * 2**20  # bytes


@pytest.fixture
def toasts(monkeypatch):
    """What the page would show as toasts."""
    shown = []
    monkeypatch.setattr(gr, "Warning", lambda text, **_: shown.append(untitled(text)))
    return shown


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A computer without weights."""
    monkeypatch.delenv("NST_WEIGHTS", raising=False)
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path


@pytest.fixture(autouse=True)
def fetched(monkeypatch, home):
    """Which networks were asked for, of a server that is quick to send them."""
    asked = []

    def download(network):
        asked.append(network)
        yield DownloadProgress(0, WHOLE, "a server", "asking")
        yield DownloadProgress(WHOLE // 2, WHOLE, "a server", "")
        save_known(home / "cache" / "vgg19-dcbb9e9d.pth")

    monkeypatch.setattr(weights, "download", download)
    return asked


def shown() -> list[bool]:
    """Whether note and button are to be seen."""
    return [props(update)["visible"] for update in offer_classifier()]


def test_the_button_is_shown_while_the_classifier_is_missing_and_fetches_nothing_unless_pressed(fetched):
    with gr.Blocks() as page:
        button = classifier_button(gr.HTML())
    assert button.value == "Download the classifier (548 MB)"
    note = next(block for block in page.blocks.values() if block.elem_id == "classifier-note")
    assert "Nothing is\nfetched unless you press" in note.value
    assert (note.visible, button.visible) == (False, False)  # until it is known, when a page is opened
    assert shown() == [True, True] and fetched == []


def test_when_the_classifier_is_here_there_is_no_button(home):
    save_known(home / "cache" / "vgg19-dcbb9e9d.pth")
    assert shown() == [False, False]


def test_a_press_fetches_the_classifier_and_tells_how_far_it_is(fetched, toasts):
    first, second, last = fetch_classifier()
    assert "Fetching VGG-19&#x27;s classifier: 0 of 548 MB, once" in first[0] and 'value="0.0000"' in first[0]
    assert "274 of 548 MB" in second[0] and 'value="0.5000"' in second[0] and "a server" in second[0]
    assert [props(view[1])["interactive"] for view in (first, second)] == [False, False]
    assert "The classifier is here" in last[0]
    assert fetched == [CLASSIFIER] and toasts == [] and shown() == [False, False]


def test_a_classifier_that_came_meanwhile_is_not_fetched_again(home, fetched):
    save_known(home / "cache" / "vgg19-dcbb9e9d.pth")
    assert ["The classifier is here" in line for line, _ in fetch_classifier()] == [True] and fetched == []


def test_a_download_that_fails_is_named_and_can_be_tried_again(monkeypatch, toasts):
    def download(network):
        yield DownloadProgress(0, WHOLE, "a server", "asking")
        raise DownloadError("VGG-19's classifier could not be downloaded. Try again later")

    monkeypatch.setattr(weights, "download", download)
    *_, (line, button) = fetch_classifier()
    assert 'class="status problem"' in line and "could not be downloaded" in line
    assert props(button)["interactive"] is True
    assert toasts == ["VGG-19's classifier could not be downloaded. Try again later"] and shown() == [True, True]


def test_weights_that_are_named_wrongly_leave_the_button_which_says_so(home, monkeypatch, toasts):
    monkeypatch.setenv("NST_WEIGHTS", str(home / "nowhere"))
    assert shown() == [True, True]
    ((line, button),) = fetch_classifier()
    assert "which does not exist" in line and 'class="status problem"' in line and len(toasts) == 1


def test_a_page_that_is_left_ends_its_download(monkeypatch):
    ended = []

    def download(network):
        try:
            yield DownloadProgress(0, WHOLE, "a server", "asking")
            yield DownloadProgress(1, WHOLE, "a server", "")
        finally:
            ended.append(network)

    monkeypatch.setattr(weights, "download", download)
    fetching = fetch_classifier()
    next(fetching)
    fetching.close()
    assert ended == [CLASSIFIER]
