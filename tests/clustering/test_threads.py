"""Work is divided into parts that cover it once."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksuperpixel._clustering.threads import (
    ONE_THREAD,
    Threads,
    run_in_order,
    split_range,
    split_rows,
)


@given(st.integers(0, 100), st.integers(1, 20))
def test_parts_of_a_range_cover_it_once(total, n_parts):
    parts = split_range(total, n_parts)
    assert [i for start, stop in parts for i in range(start, stop)] == list(range(total))
    lengths = [stop - start for start, stop in parts]
    assert max(lengths) - min(lengths) <= 1
    assert len(parts) <= n_parts


@given(st.integers(1, 6), st.integers(1, 30), st.integers(1, 40))
def test_blocks_of_rows_cover_an_image_once(depth, height, n_parts):
    covered = np.zeros((depth, height), int)
    for z_start, z_stop, y_start, y_stop in split_rows((depth, height, 5), n_parts):
        covered[z_start:z_stop, y_start:y_stop] += 1
    assert (covered == 1).all()


def test_all_parts_are_run_before_it_goes_on():
    with ThreadPoolExecutor(3) as pool:
        for threads in (ONE_THREAD, Threads(pool, 3)):
            done = []
            threads.run(done.append, list(range(10)))
            assert sorted(done) == list(range(10))


def test_errors_of_a_part_come_out():
    def fail(part):
        raise ValueError(f"part {part}")

    with ThreadPoolExecutor(2) as pool:
        for threads in (ONE_THREAD, Threads(pool, 2)):
            with pytest.raises(ValueError, match="part"):
                threads.run(fail, [1, 2])


def test_results_are_in_order_whoever_is_first():
    def slow_at_first(number):
        time.sleep(0.01 * (5 - number))
        return number

    with ThreadPoolExecutor(3) as pool:
        assert list(run_in_order(pool, slow_at_first, range(6))) == [0, 1, 2, 3, 4, 5]
        assert list(run_in_order(pool, slow_at_first, [])) == []


def test_errors_come_out_and_no_call_begins_after_them():
    begun = []

    def fail_at_two(number):
        begun.append(number)
        time.sleep(0.01)
        if number == 2:
            raise KeyError("two")
        return number

    with ThreadPoolExecutor(2) as pool:
        results = run_in_order(pool, fail_at_two, range(100))
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(KeyError, match="two") as caught:
            next(results)
    assert "fail_at_two" in [entry.name for entry in caught.traceback]
    assert len(begun) < 20


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_ends_waiting():
    begun = []

    def press(number):
        begun.append(number)
        time.sleep(0.01)
        if number == 4:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), ThreadPoolExecutor(2) as pool:
        list(run_in_order(pool, press, range(1000)))
    assert len(begun) < 100
