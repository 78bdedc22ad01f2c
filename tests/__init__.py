"""Laws of the code, of the page and of what is said about both."""

import atexit
import os
import shutil
import tempfile

if "PYTEST_VERSION" in os.environ:  # what is uploaded and kept is this process's alone, as is what sweeps it
    os.environ["GRADIO_TEMP_DIR"] = tempfile.mkdtemp(prefix="nst-tests-")
    atexit.register(shutil.rmtree, os.environ["GRADIO_TEMP_DIR"], ignore_errors=True)

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the cores, as do programs that their tests start. Said before numpy and torch come, which ask once.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["GRADIO_SERVER_PORT"] = str(8000 + 100 * (os.getpid() % 200))  # where gradio looks for a free one
