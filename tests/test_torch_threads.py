"""Torch runs on one thread inside, and on as many as before outside."""

from concurrent.futures import ThreadPoolExecutor

import pytest

torch = pytest.importorskip("torch")

from sksuperpixel._torch import one_torch_thread  # noqa: E402


@pytest.fixture(autouse=True)
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_one_inside_and_as_before_outside():
    with one_torch_thread():
        assert torch.get_num_threads() == 1
        with one_torch_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_errors_restore_it():
    with pytest.raises(KeyError), one_torch_thread():
        raise KeyError
    assert torch.get_num_threads() == 3


def test_threads_do_not_restore_each_others():
    def work(_):
        with one_torch_thread():
            torch.ones(10).sum()
            return torch.get_num_threads()

    with one_torch_thread(), ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(40))) == {1}
    assert torch.get_num_threads() == 3
