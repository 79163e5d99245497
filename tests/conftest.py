import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# On a busy machine, an example may take longer than the deadline although nothing is wrong.
settings.register_profile("without_deadline", deadline=None)
settings.load_profile("without_deadline")


@pytest.fixture
def heeds_ctrl_c():
    """Let Ctrl-C raise KeyboardInterrupt, even if the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def shared_data():
    """Function: name of a real data set -> its folder; skips the test where it is absent."""
    default = Path(__file__).parents[2] / "shared" / "data"
    root = Path(os.environ.get("SKSUPERPIXEL_TEST_DATA", default))

    def folder(name):
        if not (root / name).is_dir():
            pytest.skip(f"no real data in {root / name}")
        return root / name

    return folder
