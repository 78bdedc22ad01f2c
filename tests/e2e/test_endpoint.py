"""The endpoints /stylize and /instant as programs use them, through gradio's own client."""

import time
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from nst_core.transfer.record import read_record

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def client(app_url, tmp_path_factory):
    client = Client(app_url, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))
    yield client
    client.close()


def submit(client: Client, files: tuple[Path, Path], **settings):
    return client.submit(handle_file(files[0]), handle_file(files[1]), api_name="/stylize", **settings)


def kind_of(path: str) -> str:
    with Image.open(path) as picture:
        return picture.format


def test_a_client_sees_the_picture_grow_and_gets_a_png_with_its_record(client, picture_files):
    began = time.monotonic()
    pictures = list(submit(client, picture_files, preset="gatys", steps=60, size=96, init="content", seed=7))
    seconds = time.monotonic() - began
    assert len(pictures) >= 2
    assert all(isinstance(path, str) for path in pictures)
    assert len(pictures) <= 2 * seconds + 1
    assert {kind_of(path) for path in pictures[:-1]} == {"JPEG"}
    assert kind_of(pictures[-1]) == "PNG"
    record = read_record(pictures[-1])
    assert (record.steps, record.config.seed, record.config.pooling) == (60, 7, "average")
    assert record.config.start == "content"


def test_settings_left_out_are_the_presets(client, picture_files):
    result = submit(client, picture_files, preset="crowson", steps=1, size=48).result()
    config = read_record(result).config
    assert (config.optimizer, config.content_weight, config.steps) == ("adam", 0.015, 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 1e9}, "size is 1000000000; give a whole number from 16 to 16384 pixels"),
        ({"size": -5}, "size is -5; give a whole number"),
        ({"size": 100.5}, "size is 100.5; give a whole number"),
        ({"steps": 1e12}, "steps is 1000000000000; give a whole number from 1 to"),
        ({"steps": 0}, "steps is 0; give a whole number from 1 to"),
        ({"alpha": -1}, "content_weight is -1; give a number from 0"),
        ({"alpha": 0, "beta": 0}, "α and β are both 0"),
        ({"preset": "rembrandt"}, "preset is 'rembrandt'; choose one of studio, lab"),
        ({"backbone": "resnet"}, "backbone is 'resnet'; choose one of vgg19, vgg16"),
        ({"style_layers": "conv9_9"}, "layer is 'conv9_9'; VGG-19 Lite has conv1_1"),
        ({"init": "image"}, "start is 'image', but there is no such picture"),
        ({"optimizer": "sgd"}, "optimizer is 'sgd'; choose one of lbfgs, adam"),
    ],
)
def test_bad_settings_are_refused_with_what_to_do(client, picture_files, settings, message):
    with pytest.raises(AppError) as caught:
        submit(client, picture_files, **{"steps": 1, "size": 48, **settings}).result()
    assert message in str(caught.value)


def test_a_file_that_is_no_picture_is_refused(client, picture_files, tmp_path):
    letter = tmp_path / "letter.jpg"
    letter.write_text("no picture")
    with pytest.raises(AppError, match=r"letter\.jpg cannot be read as a picture"):
        submit(client, (letter, picture_files[1]), steps=1).result()


def test_a_cancelled_job_frees_the_device(client, picture_files):
    job = submit(client, picture_files, steps=100_000, size=48)
    while not job.outputs():
        time.sleep(0.05)
    job.cancel()
    assert submit(client, picture_files, steps=1, size=48).result()


def test_only_the_endpoints_are_public(client):
    for_agents = {"/stylize_tool", "/presets_tool", "/presets_words", "/instant_tool", "/styles_tool", "/styles_words"}
    assert {*client.view_api(return_format="dict")["named_endpoints"]} - for_agents == {"/stylize", "/instant"}


def test_a_client_gets_a_picture_in_one_pass(client, picture_files):
    path = client.predict(handle_file(picture_files[0]), "starry_night", size=64, api_name="/instant")
    with Image.open(path) as picture:
        assert picture.format == "PNG" and max(picture.size) == 64
