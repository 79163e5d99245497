import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

torch = pytest.importorskip("torch")

from sksuperpixel._torch import one_torch_thread, require, seeded_torch  # noqa: E402


@pytest.fixture(autouse=True)
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_one_thread_inside_and_as_many_as_before_outside():
    with one_torch_thread():
        assert torch.get_num_threads() == 1
        with one_torch_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_errors_restore_the_threads():
    with pytest.raises(KeyError), one_torch_thread():
        raise KeyError
    assert torch.get_num_threads() == 3


def test_threads_do_not_restore_what_others_need():
    def work(_):
        with one_torch_thread():
            torch.ones(10).sum()
            return torch.get_num_threads()

    with one_torch_thread(), ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(40))) == {1}
    assert torch.get_num_threads() == 3


def test_seeds_inside_and_the_same_state_outside():
    state = torch.random.get_rng_state()
    numbers = []
    for _ in range(2):
        with seeded_torch(5):
            numbers.append(torch.rand(3))
        torch.rand(1)
    assert torch.equal(*numbers)
    torch.random.set_rng_state(state)
    with pytest.raises(KeyError), seeded_torch(1):
        raise KeyError
    assert torch.equal(torch.random.get_rng_state(), state)


def test_what_is_missing_is_said(monkeypatch):
    require("Thinking", "torch", "json")
    monkeypatch.setitem(sys.modules, "json", None)
    message = "Thinking needs torch and json, but json cannot be imported: pip install torch json"
    with pytest.raises(ImportError) as error:
        require("Thinking", "torch", "json")
    assert str(error.value) == message


def test_networks_say_what_they_need():
    # Blocked once the rest is imported: SciPy looks for torch, too.
    code = "import sys, sksuperpixel\nsys.modules['torch'] = None\nimport sksuperpixel.networks"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode != 0
    expected = "ImportError: sksuperpixel.networks needs torch and skorch, but torch cannot"
    assert expected in done.stderr
