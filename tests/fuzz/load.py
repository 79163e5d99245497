"""Use many threads, images and processes: results, memory and threads must be as promised.

    python tests/fuzz/load.py

runs all scenarios and prints what they measured. Each is a function that raises `Defect` if
something is wrong; the tests run smaller versions of them.
"""

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.harness import Defect, growth_since, read_status, reset_peak

from sksuperpixel import SLIC, TrainableSLIC


class Stream:
    """Images that exist only while they are looked at."""

    def __init__(self, n_images, shape=(48, 64, 3)):
        self.n_images = n_images
        self.shape = shape

    def __len__(self):
        return self.n_images

    def __getitem__(self, index):
        if index >= self.n_images:
            raise IndexError(index)
        rng = np.random.default_rng(index)
        blocks = rng.integers(0, 256, (6, 8, 3))
        return np.kron(blocks, np.ones((8, 8, 1))).astype(np.uint8)


def share_an_estimator(estimator, n_threads=8, n_times=25):
    """Let several threads share an estimator, and compare with the results of one thread."""
    images = [Stream(n_times)[i] for i in range(n_times)]
    estimator = estimator.fit(images[:1]) if isinstance(estimator, SLIC) else estimator
    expected = estimator.transform(images)

    def work(number):
        order = np.random.default_rng(number).permutation(n_times)
        return all(np.array_equal(estimator.transform([images[i]])[0], expected[i]) for i in order)

    with ThreadPoolExecutor(n_threads) as pool:
        if not all(pool.map(work, range(n_threads))):
            raise Defect("another result in several threads")
    return n_threads * n_times


def stream(n_images=10_000, allowed_mb=30):
    """Cut many images with a pool of threads; only the results may add to the memory.

    Returns the growth in MB, or None if memory cannot be measured here.
    """
    images = Stream(n_images)
    slic = SLIC(8, n_jobs=2).fit(images)
    slic.transform(Stream(50))
    before = reset_peak()
    superpixels = slic.transform(images)
    grown = growth_since(before)
    if grown is None:
        return None
    grown -= sum(each.nbytes for each in superpixels) / 2**20
    if grown > allowed_mb:
        raise Defect(f"{n_images} images took {grown:.0f} MB besides their superpixels")
    return grown


def count_threads(estimator, images, n_jobs):
    """Count the threads that a transform starts, as the most that exist at any time."""
    # Threads of an earlier transform may still be ending.
    time.sleep(0.2)
    before, most, done = read_status("Threads"), [0], threading.Event()

    def watch():
        while not done.is_set():
            most[0] = max(most[0], read_status("Threads"))
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        estimator.set_params(n_jobs=n_jobs).transform(images)
    finally:
        done.set()
        watcher.join()
    return most[0] - before - 1  # without the watcher


def threads_of_transform(estimator, image, jobs=(1, 2, 4, 10**6)):
    """Check that a transform starts the threads asked for, but never many more than cores."""
    counts = {}
    for n_jobs in jobs:
        # Many images, and parts of one image.
        counts[n_jobs] = max(count_threads(estimator, [image] * n, n_jobs) for n in (60, 1))
        # The system may take its time to end a thread, so there can be one more.
        allowed = 1 + (0 if n_jobs == 1 else min(n_jobs, 4 * os.cpu_count()))
        if counts[n_jobs] > allowed:
            raise Defect(f"n_jobs={n_jobs}: {counts[n_jobs]} threads")
    return counts


def _threads_in_a_search(slic, image):
    return count_threads(slic, [image] * 60, -1)


def threads_of_processes(n_processes=2):
    """Check that one process of a grid search does not use all cores."""
    from joblib import Parallel, delayed, parallel_config

    image = np.tile(Stream(1)[0], (4, 4, 1))
    slic = SLIC(8).fit([image])
    with parallel_config("loky", n_jobs=n_processes):
        found = Parallel()(delayed(_threads_in_a_search)(slic, image) for _ in range(n_processes))
    if max(found) > 4 * os.cpu_count():
        raise Defect(f"{found} threads in {n_processes} processes")
    return found


def main():
    image = np.tile(Stream(1)[0], (6, 6, 1))
    pretrained = TrainableSLIC.from_pretrained().set_params(n_segments=20)
    print(f"shared SLIC: {share_an_estimator(SLIC(8))} transforms, all equal")
    print(f"shared pretrained model: {share_an_estimator(pretrained)} transforms, all equal")
    grown = stream()
    memory = "memory was not measured" if grown is None else f"{grown:.1f} MB"
    print(f"10,000 images, besides their superpixels: {memory}")
    print(f"threads by n_jobs, SLIC: {threads_of_transform(SLIC(8).fit([image]), image)}")
    print(f"threads by n_jobs, pretrained: {threads_of_transform(pretrained, image)}")
    print(f"threads with n_jobs=-1 in each of 2 processes: {threads_of_processes()}")


if __name__ == "__main__":
    main()
