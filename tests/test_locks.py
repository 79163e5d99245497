"""State of the process is right in a forked process, too."""

import os
import signal
import threading
import time
import warnings
from contextlib import contextmanager

import pytest

from sksuperpixel._locks import ProcessLock, held_while_forking, in_forked_processes

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked")


def succeeds_in_a_fork(check, timeout=20):
    """Tell whether a function returns True in a forked process, within some seconds."""
    with warnings.catch_warnings():
        # From Python 3.12 on, forking with several threads is a warning.
        warnings.simplefilter("ignore", DeprecationWarning)
        number = os.fork()
    if number == 0:
        signal.alarm(timeout)
        os._exit(0 if check() is True else 1)
    return os.waitpid(number, 0)[1] == 0


@contextmanager
def held_by_another_thread(lock):
    held, done = threading.Event(), threading.Event()

    def hold():
        with lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    yield
    done.set()
    thread.join()


def is_free(lock):
    """Tell whether another thread can take a lock."""
    taken = []

    def take():
        taken.append(lock.acquire(timeout=0.2))
        if taken == [True]:
            lock.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return taken == [True]


def test_a_lock_of_another_thread_is_free_in_a_fork():
    process_lock = ProcessLock()
    with held_by_another_thread(process_lock.lock):
        assert not is_free(process_lock.lock)
        assert succeeds_in_a_fork(lambda: is_free(process_lock.lock))
        assert not is_free(process_lock.lock)


def test_a_lock_of_the_thread_that_forks_stays_its_own():
    process_lock = ProcessLock()

    def check():
        held = not is_free(process_lock.lock)
        process_lock.lock.release()
        return held and is_free(process_lock.lock)

    with process_lock.lock:
        assert succeeds_in_a_fork(check)
        assert not is_free(process_lock.lock)
    assert is_free(process_lock.lock)
    assert succeeds_in_a_fork(lambda: is_free(process_lock.lock))


def test_a_fork_waits_for_a_lock():
    lock, log = threading.RLock(), []
    held_while_forking(lock)

    def hold():
        with lock:
            log.append("taken")
            time.sleep(0.2)
            log.append("given back")

    thread = threading.Thread(target=hold)
    thread.start()
    while not log:
        time.sleep(0.01)
    assert succeeds_in_a_fork(lambda: log == ["taken", "given back"] and is_free(lock))
    thread.join()
    assert is_free(lock)


def test_functions_are_called_in_forks_only():
    called = []
    in_forked_processes(lambda: called.append(1))
    assert succeeds_in_a_fork(lambda: called == [1])
    assert called == []


def test_a_fork_waits_while_numba_compiles():
    from numba import njit
    from numba.core.compiler_lock import global_compiler_lock

    import sksuperpixel  # noqa: F401

    held = threading.Event()

    def hold():
        with global_compiler_lock:
            held.set()
            time.sleep(0.2)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    assert succeeds_in_a_fork(lambda: njit(lambda x: x + 1)(1) == 2)
    thread.join()
