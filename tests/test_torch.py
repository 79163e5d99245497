"""Torch's threads, its generators, and what is said where it is missing."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from sksuperpixel._torch import one_torch_thread, require, seeded_torch


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


def test_seeded_inside_and_as_before_outside():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    drawn = []
    for seed in (1, 1, 2):
        with seeded_torch(seed):
            drawn.append(torch.rand(4))
    assert drawn[0].equal(drawn[1])
    assert not drawn[0].equal(drawn[2])
    assert torch.get_rng_state().equal(before)


def test_errors_restore_the_generator():
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="size"), seeded_torch(1):
        torch.rand(3).add_(torch.rand(2))
    assert torch.get_rng_state().equal(before)


def test_threads_do_not_draw_from_each_others_generators():
    def draw(seed):
        with seeded_torch(seed):
            parts = []
            for _ in range(20):
                parts.append(torch.rand(3))
                time.sleep(0.001)  # lets other threads work
            return torch.cat(parts)

    in_turn = [draw(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(draw, range(4)))
    assert all(one.equal(other) for one, other in zip(in_turn, at_once, strict=True))


def test_require_names_what_to_install():
    require("This test", "torch", "numpy")
    with pytest.raises(ImportError) as caught:
        require("This test", "torch", "no_such_package")
    assert str(caught.value) == (
        "This test needs torch and no_such_package, but no_such_package cannot be imported: "
        "pip install torch no_such_package"
    )
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)
