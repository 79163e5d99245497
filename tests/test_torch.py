"""Torch's threads, its generators, and what is said where it is missing."""

import gc
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from test_locks import succeeds_in_a_fork

from sksuperpixel._torch import one_torch_thread, require, seeded_torch

forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked")


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


def test_a_thread_that_is_not_the_first_one_has_one_thread_of_torch_too():
    inside, done = threading.Event(), threading.Event()

    def work():
        with one_torch_thread():
            inside.set()
            done.wait()

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    with one_torch_thread():
        assert torch.get_num_threads() == 1
    done.set()
    thread.join()
    # This thread left first, so it gets its number back when it leaves the next time.
    with one_torch_thread():
        pass
    assert torch.get_num_threads() == 3


def test_a_use_that_was_interrupted_on_its_way_out_does_not_count(monkeypatch):
    use = one_torch_thread()
    use.__enter__()
    # As if Ctrl-C came before anything was done.
    monkeypatch.setattr("sksuperpixel._torch._entering", None)
    with pytest.raises(AttributeError):
        use.__exit__(None, None, None)
    monkeypatch.undo()
    del use
    gc.collect()
    with one_torch_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


@forking
def test_torch_has_one_thread_in_forked_processes():
    torch.ones(300, 300).exp().matmul(torch.ones(300, 300)).sum()

    def check():
        # With more threads, these would wait forever for threads that there are not.
        product = torch.ones(300, 300).exp().matmul(torch.ones(300, 300))
        weights = torch.ones(8, 8, 3, 3, requires_grad=True)
        torch.nn.functional.conv2d(torch.ones(1, 8, 256, 256), weights).sum().backward()
        return product.isfinite().all().item() and torch.get_num_threads() == 1

    check()
    torch.set_num_threads(3)
    assert succeeds_in_a_fork(check)
    assert torch.get_num_threads() == 3


@forking
def test_uses_by_other_threads_do_not_count_in_a_fork():
    inside, done = threading.Event(), threading.Event()

    def work():
        with one_torch_thread(), seeded_torch(0):
            inside.set()
            done.wait()

    def check():
        torch.set_num_threads(2)
        with one_torch_thread(), seeded_torch(0):
            in_between = torch.get_num_threads()
        return in_between == 1 and torch.get_num_threads() == 2

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    assert succeeds_in_a_fork(check)
    with one_torch_thread():
        assert succeeds_in_a_fork(check) is False  # this thread is inside
    done.set()
    thread.join()


@forking
def test_forking_does_not_load_torch(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch")
    assert succeeds_in_a_fork(lambda: "torch" not in sys.modules)


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
