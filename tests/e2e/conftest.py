"""Which of the browser's tests come last. Fixtures and functions stand in `visitors`."""

QUICK = ("test_live", "test_placer", "test_augment_area", "test_channel", "test_endpoint", "test_drops")


def pytest_configure(config):
    """Who only hands tests to workers needs no page, nor gradio, for which they all would wait."""
    if config.getoption("dist", "no") == "no":
        config.pluginmanager.import_plugin("tests.e2e.visitors")


def pytest_collection_modifyitems(items):
    """Files that are soon done come last, so that workers, to whom whole files are given, end together."""
    items.sort(key=lambda item: item.path.stem in QUICK and 1 + QUICK.index(item.path.stem))
