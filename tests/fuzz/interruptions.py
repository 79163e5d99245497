"""Interrupt the library in every way, and check that nothing is lost and nothing hangs.

    python tests/fuzz/interruptions.py
    python tests/fuzz/interruptions.py kills_of_fit:50 forks --seed 1

Each scenario is a function ``scenario(folder, times, seed)``. It does its work `times` times, in
processes that are forked from this one, returns counts, and raises `Defect` at the first thing
that goes wrong. All scenarios together take some minutes. The exit code is 1 if any fails.

- ``kills_of_save``: processes that save models are killed (SIGKILL).
- ``kills_of_fit``: processes that train with a checkpoint are killed, and the next one resumes.
- ``kills_of_cache``: processes that compute features with `memory` are killed.
- ``ctrl_c``: SIGINT during fit, transform and save.
- ``full_disk``: a limit on the size of files and, if the user may mount one, a full disk.
- ``savers``: two processes save to the same path while this one reads it.
- ``sharers``: two processes share a folder of cached features.
- ``forks``: processes are forked while another thread holds a lock, or torch's threads exist.

The scenarios need a Unix system.
"""

import argparse
import ctypes
import errno
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
import warnings
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

import joblib
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.harness import Defect

from sksuperpixel import SLIC, TrainableSLIC
from sksuperpixel.features import ENetFeatures, LabFeatures, LearnedFeatures, ScatteringFeatures
from sksuperpixel.features.scattering import filters

# How long a process may take before it counts as hanging.
TIMEOUT = 60


# Processes ------------------------------------------------------------------------------------


class Process:
    """A process that is forked to call a function."""

    def __init__(self, function, folder):
        self.report = Path(folder, f"error-{time.monotonic_ns()}")
        with warnings.catch_warnings():
            # From Python 3.12 on, forking with several threads is a warning.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.number = os.fork()
        if self.number == 0:
            self._work(function)

    def _work(self, function):
        try:
            function()
        except BaseException:
            self.report.write_text(traceback.format_exc())
            os._exit(1)
        os._exit(0)

    def kill(self):
        """Kill the process, and return whether it was still running."""
        os.kill(self.number, signal.SIGKILL)
        return self.wait() == -signal.SIGKILL

    def wait(self, timeout=TIMEOUT):
        """Wait until the process ends, and return its exit code. It must not hang or raise."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            number, status = os.waitpid(self.number, os.WNOHANG)
            if number:
                break
            time.sleep(0.002)
        else:
            os.kill(self.number, signal.SIGKILL)
            os.waitpid(self.number, 0)
            raise Defect("a process hangs")
        if self.report.exists():
            message = self.report.read_text()
            self.report.unlink()
            raise Defect(f"a process failed:\n{message}")
        return os.waitstatus_to_exitcode(status)


def endless(function):
    def repeat():
        while True:
            function()

    return repeat


def check(condition, message):
    if not condition:
        raise Defect(message)


def files_in(folder):
    return sorted(path.name for path in Path(folder).rglob("*") if path.is_file())


# Data and estimators --------------------------------------------------------------------------


@lru_cache
def pictures():
    """Make two images and their segmentations."""
    rng = np.random.default_rng(0)
    rows, columns = np.indices((48, 64))
    y = [(rows > cut).astype(int) + 2 * (columns > cut) for cut in (20, 28)]
    X = [(60 * each[..., None] + rng.integers(0, 60, (48, 64, 3))).astype(np.uint8) for each in y]
    return X, y


@lru_cache
def model(seed):
    X, y = pictures()
    return TrainableSLIC(superpixel_size=8, random_state=seed).fit(X, y)


@lru_cache
def content_of_model(seed):
    with tempfile.TemporaryDirectory() as folder:
        model(seed).save(Path(folder, "model"))
        return Path(folder, "model").read_bytes()


def learner(**params):
    settings = {"width": 4, "crop_size": 32, "superpixel_sizes": (4, 8), "random_state": 0}
    return LearnedFeatures(**{**settings, "batch_size": 1, "max_epochs": 6, **params})


def state_of(estimator):
    """Compute a hash of an estimator's parameters and fitted state."""
    state = dict(vars(estimator))
    for name, value in list(state.items()):
        if isinstance(value, torch.nn.Module):
            state[name] = [each.numpy() for each in value.state_dict().values()]
        elif name == "classifier_":
            state[name] = [each.numpy() for each in value.module_.state_dict().values()]
    return joblib.hash(state)


def equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


# Kills ----------------------------------------------------------------------------------------


def kills_of_save(folder, times, seed):
    """A file is complete, whenever the process that saves it is killed."""
    rng = np.random.default_rng(seed)
    path = folder / "model"
    contents = [content_of_model(0), content_of_model(1)]
    model(0).save(path)

    def save_both():
        model(1).save(path)
        model(0).save(path)

    for _ in range(times):
        process = Process(endless(save_both), folder)
        time.sleep(rng.uniform(0, 0.1))
        check(process.kill(), "the process ended by itself")
        check(path.read_bytes() in contents, "the file is damaged")
    # Only SIGKILL may leave a temporary file behind, which must not disturb the next save.
    left = [name for name in files_in(folder) if name != "model"]
    check(all(name.endswith(".part") for name in left), f"found the files {left}")
    model(1).save(path)
    check(path.read_bytes() == contents[1], "the last model was not saved")
    return {"kills": times, "files left behind": len(left)}


def kills_of_fit(folder, times, seed):
    """A training that was killed resumes, with the same result."""
    rng = np.random.default_rng(seed)
    X, y = pictures()
    start = time.monotonic()
    expected = state_of(learner().fit(X, y).set_params(checkpoint=None))
    duration = time.monotonic() - start
    path = folder / "checkpoint"
    counts = {"kills": 0, "resumed": 0, "trainings": 0}
    while counts["kills"] < times:
        for _ in range(3):
            counts["resumed"] += path.exists()
            process = Process(lambda: learner(checkpoint=path).fit(X, y), folder)
            time.sleep(rng.uniform(0, duration))
            counts["kills"] += process.kill()
        counts["resumed"] += path.exists()
        found = learner(checkpoint=path).fit(X, y).set_params(checkpoint=None)
        check(state_of(found) == expected, "the result differs")
        counts["trainings"] += 1
        path.unlink()
    return counts


def kills_of_cache(folder, times, seed):
    """Cached features are right, whenever a process that writes them is killed."""
    rng = np.random.default_rng(seed)
    X, _ = pictures()
    expected = [list(LabFeatures().fit_transform(X)), list(scattering().fit_transform(X))]

    def compute():
        memory = folder / "cache"
        return [
            list(LabFeatures(memory=memory).fit_transform(X)),
            list(scattering(memory=memory).fit_transform(X)),
        ]

    def compute_and_forget():
        compute()
        for path in (folder / "cache").rglob("output.pkl"):
            path.unlink()

    for _ in range(times):
        process = Process(endless(compute_and_forget), folder)
        time.sleep(rng.uniform(0, 0.3))
        check(process.kill(), "the process ended by itself")
        check(all(map(equal, compute(), expected)), "cached features differ")
    return {"kills": times}


def scattering(**params):
    return ScatteringFeatures(J=2, L=4, **params)


# Ctrl-C ---------------------------------------------------------------------------------------


def ctrl_c(folder, times, seed):
    """After Ctrl-C, everything is as before."""
    counts = {}
    for number, task in enumerate(TASKS[:times]):
        share = len(range(number, times, len(TASKS)))
        result = folder / "counts"
        rng = np.random.default_rng([seed, number])
        Process(lambda: interrupt(task, folder, share, rng, result), folder).wait(600)  # noqa: B023
        counts[task.__name__] = result.read_text()
        result.unlink()
    return counts


def interrupt(prepare, folder, times, rng, result):
    """Interrupt a task at random moments."""
    torch.set_num_threads(2)
    task, state, result_of = prepare(folder)
    torch.manual_seed(5)
    seeded = torch.get_rng_state()
    task()
    start = time.monotonic()
    task()
    duration = time.monotonic() - start
    expected, known, files = result_of(), {state()}, files_in(folder)
    n_interrupted = n_unfinished = 0
    while n_interrupted < times:
        caught = False
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        try:
            signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-4, duration))
            task()
            remaining, _ = signal.setitimer(signal.ITIMER_REAL, 0)
            check(remaining > 0, "Ctrl-C was swallowed")
        except KeyboardInterrupt:
            caught = True
        except ValueError as error:
            # Torch does this while safetensors reads a file.
            if "could not determine the shape of object type" not in str(error):
                raise
            caught = True
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        n_interrupted += caught
        n_unfinished += not caught
        check(torch.get_num_threads() == 2, f"{torch.get_num_threads()} threads of torch, not 2")
        check(torch.get_rng_state().equal(seeded), "torch's generator has another state")
        check(files_in(folder) == files, f"found the files {files_in(folder)}, expected {files}")
        check(state() in known, "the estimator is neither as before nor as fitted")
        check(equal(result_of(), expected), "the result differs")
        check(torch.get_num_threads() == 2, "another number of torch's threads after that")
    result.write_text(f"{n_interrupted} interrupted, {n_unfinished} finished before")


def fitting_features(folder):
    X, y = pictures()
    features = learner(checkpoint=folder / "checkpoint", max_epochs=2).fit(X, y)

    def task():
        with suppress(FileNotFoundError):
            (folder / "checkpoint").unlink()
        try:
            features.fit(X, y)
        finally:
            # Whether there is a checkpoint depends on the moment.
            (folder / "checkpoint").write_bytes(b"")
            (folder / "checkpoint").unlink()

    return task, lambda: state_of(features), lambda: features.transform(X)


def fitting_twice(folder):
    """Fit again, with other images: the state is the old or the new one, never a mixture."""
    X, y = pictures()
    grey = [image[..., :1] for image in X]
    slic = TrainableSLIC(superpixel_size=8, random_state=0)
    states = [state_of(slic.fit(images, y)) for images in (X, grey)]

    def task():
        slic.fit(X if slic.n_channels_in_ == 1 else grey, y)

    def state():
        return state_of(slic) in states

    def result():
        return slic.transform(X if slic.n_channels_in_ == 3 else grey) and [np.zeros(1)]

    return task, state, result


def transforming(folder):
    X, _ = pictures()
    slic = SLIC(superpixel_size=6, n_jobs=2).fit(X)
    return lambda: slic.transform(X * 10), lambda: state_of(slic), lambda: slic.transform(X)


def transforming_features(folder):
    X, _ = pictures()
    parts = [scattering().fit(X), learner(train=False).fit(X), ENetFeatures().fit(X)]

    def task():
        filters._build_filter_bank.cache_clear()
        for part in parts:
            list(part.transform(X * 3))

    def result():
        return [features for part in parts for features in part.transform(X)]

    return task, lambda: joblib.hash([sorted(vars(part)) for part in parts]), result


def saving(folder):
    path = folder / "model"
    contents = [content_of_model(0), content_of_model(1)]

    def task():
        model(1).save(path)
        model(0).save(path)

    def result():
        content = path.read_bytes()
        check(content in contents, "the file is damaged")
        return []

    return task, lambda: joblib.hash(sorted(vars(model(0)))), result


def loading(folder):
    path = folder / "model"
    model(0).save(path)
    X, _ = pictures()
    loaded = [TrainableSLIC.load(path)]

    def task():
        loaded[0] = TrainableSLIC.load(path)

    return task, lambda: state_of(loaded[0]), lambda: loaded[0].transform(X)


TASKS = [fitting_features, fitting_twice, transforming, transforming_features, saving, loading]


# Full disks -----------------------------------------------------------------------------------


def full_disk(folder, times, seed):
    """Writing to a full disk raises one OSError, and the old file stays."""
    X, y = pictures()
    rng = np.random.default_rng(seed)
    counts = {"limited": 0, "full": 0}
    path = folder / "file"
    features = learner(train=False, width=8).fit(X)
    writers = {
        "model": lambda: model(0).save(path),
        "weights": lambda: features.save_weights(path),
        "checkpoint": lambda: learner(checkpoint=path, max_epochs=1).fit(X, y),
    }

    def limited(write, most, is_new):
        # Python turns the signal into an error from the call that writes.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        expect_error(write, errno.EFBIG, path, is_new)

    for number in range(times):
        for name, write in writers.items():
            is_new = name == "checkpoint" or number % 2 == 0
            path.unlink(missing_ok=True)
            if not is_new:
                path.write_bytes(b"old")
            most = int(rng.integers(0, 2500))
            Process(lambda: limited(write, most, is_new), folder).wait()  # noqa: B023
            counts["limited"] += 1
    path.unlink(missing_ok=True)
    with small_disk(folder / "disk") as disk:
        if disk is None:
            return counts
        path = disk / "file"
        for number in range(times):
            for name, write in writers.items():
                is_new = name == "checkpoint" or number % 2 == 0
                fill(disk, path, is_new)
                expect_error(write, errno.ENOSPC, path, is_new, beside=["filling"])
                counts["full"] += 1
    return counts


def expect_error(write, number, path, is_new, beside=()):
    try:
        write()
    except OSError as error:
        check(error.errno == number, f"another error: {error!r}")
        check(str(path) in str(error), f"the error does not name the file: {error}")
    else:
        raise Defect("no error on a full disk")
    check(path.exists() != is_new, "the file has vanished or is new")
    check(is_new or path.read_bytes() == b"old", "the old file is lost")
    files = sorted([*beside, *([] if is_new else [path.name])])
    check(files_in(path.parent) == files, f"found the files {files_in(path.parent)}")


@contextmanager
def small_disk(folder):
    """Mount a disk of one megabyte in memory; return None if that is not possible."""
    folder.mkdir()
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"size=1m") != 0:
            yield None
            return
    except AttributeError:
        yield None
        return
    try:
        yield folder
    finally:
        libc.umount(os.fsencode(folder))


def fill(disk, path, is_new):
    """Fill a disk, so that files can be created but not written."""
    for each in disk.iterdir():
        each.unlink()
    if not is_new:
        path.write_bytes(b"old")
    status = os.statvfs(disk)
    with open(disk / "filling", "wb") as file:
        file.write(bytes(status.f_bsize * status.f_bavail))


# Races ----------------------------------------------------------------------------------------


def savers(folder, times, seed):
    """A reader sees one whole file or the other; `times` is in tenths of a second."""
    path = folder / "model"
    contents = [content_of_model(0), content_of_model(1)]
    model(0).save(path)
    processes = [
        Process(endless(lambda number=number: model(number).save(path)), folder)
        for number in range(2)
    ]
    n_reads, n_bad, seen = 0, 0, set()
    end = time.monotonic() + times / 10
    try:
        while time.monotonic() < end:
            content = path.read_bytes()
            n_reads += 1
            n_bad += content not in contents
            seen.add(content)
    finally:
        failed = [not process.kill() for process in processes]
    check(not any(failed), "a process ended by itself")
    check(n_bad == 0, f"{n_bad} of {n_reads} reads saw a part of a file")
    return {"reads": n_reads, "bad": n_bad, "contents": len(seen)}


def sharers(folder, times, seed):
    """Processes that share a cache get the right features."""
    X, _ = pictures()
    expected = [list(LabFeatures().fit_transform(X)), list(scattering().fit_transform(X))]

    def compute():
        memory = folder / "cache"
        found = [
            list(LabFeatures(memory=memory).fit_transform(X)),
            list(scattering(memory=memory).fit_transform(X)),
        ]
        check(all(map(equal, found, expected)), "cached features differ")

    for _ in range(times):
        processes = [Process(lambda: [compute() for _ in range(3)], folder) for _ in range(2)]
        for process in processes:
            process.wait()
        # The next ones begin with an empty cache.
        for path in sorted((folder / "cache").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    return {"rounds": times}


# Forks ----------------------------------------------------------------------------------------


def forks(folder, times, seed):
    """Processes that are forked while other threads work do not hang."""
    counts = {}
    for name, (hold, work) in FORKS.items():
        for _ in range(times):
            with hold():
                Process(lambda: work(folder), folder).wait(TIMEOUT)  # noqa: B023
        counts[name] = times
    return counts


@contextmanager
def other_thread(work):
    """Let another thread call a function until the block ends."""
    inside, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=work, args=(inside, done))
    thread.start()
    inside.wait()
    try:
        yield
    finally:
        done.set()
        thread.join()


def building_filters():
    """Another thread computes the filters of the scattering transform."""

    def work(inside, done):
        compute = filters.compute_filters

        def wait_and_compute(*arguments):
            inside.set()
            done.wait()
            return compute(*arguments)

        filters._build_filter_bank.cache_clear()
        filters.compute_filters = wait_and_compute
        try:
            scattering().fit_transform(pictures()[0])[0]
        finally:
            filters.compute_filters = compute

    return other_thread(work)


def training():
    """Another thread trains a network, so that it holds the lock of torch's generators."""

    def work(inside, done):
        X, y = pictures()

        class Images(list):
            def __getitem__(self, index):
                if torch.initial_seed() != before:
                    inside.set()
                    done.wait()
                return super().__getitem__(index)

        before = torch.initial_seed()
        learner(max_epochs=1).fit(Images(X), y)
        inside.set()

    return other_thread(work)


def transforming_in_a_thread():
    """Another thread is inside `one_torch_thread`."""
    from sksuperpixel._torch import one_torch_thread

    def work(inside, done):
        with one_torch_thread():
            inside.set()
            done.wait()

    return other_thread(work)


@contextmanager
def torch_threads():
    """Torch has started its own threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.ones(600, 600).exp().matmul(torch.ones(600, 600)).sum().item()
    try:
        yield
    finally:
        torch.set_num_threads(before)


def scatter(folder):
    filters.compute_filters = _compute_filters
    filters._build_filter_bank.cache_clear()
    scattering().fit_transform(pictures()[0])[0]


def train(folder):
    X, y = pictures()
    learner(max_epochs=1).fit(X, y)
    TrainableSLIC(superpixel_size=8, random_state=0).fit(X, y).transform(X)


def use_models(folder):
    X, _ = pictures()
    slic = TrainableSLIC.from_pretrained("bsds500")
    slic.save(folder / f"model-{os.getpid()}")
    slic.transform(X)
    ENetFeatures().fit_transform([np.tile(X[0], (4, 4, 1))])[0]
    LearnedFeatures(width=48, train=False).fit(X)
    (folder / f"model-{os.getpid()}").unlink()


def count_threads(folder):
    torch.set_num_threads(2)
    list(learner(train=False).fit_transform(pictures()[0]))
    check(torch.get_num_threads() == 2, "torch's number of threads was not restored")


_compute_filters = filters.compute_filters

FORKS = {
    "filters being built": (building_filters, scatter),
    "a training": (training, train),
    "a transform": (transforming_in_a_thread, count_threads),
    "torch's threads, then training": (torch_threads, train),
    "torch's threads, then models": (torch_threads, use_models),
}


# ----------------------------------------------------------------------------------------------


# How often each scenario does its work by default.
SCENARIOS = {
    kills_of_save: 20,
    kills_of_fit: 20,
    kills_of_cache: 20,
    ctrl_c: 120,
    full_disk: 6,
    savers: 50,
    sharers: 10,
    forks: 5,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = {scenario.__name__: scenario for scenario in SCENARIOS}
    parser.add_argument(
        "scenarios", nargs="*", metavar="SCENARIO[:TIMES]", help=f"some of {', '.join(names)}"
    )
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    # Made before the first process is forked, because all of them share it.
    content_of_model(0), content_of_model(1)
    failed = False
    for each in arguments.scenarios or names:
        name, _, times = each.partition(":")
        scenario = names[name]
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            try:
                times = int(times or SCENARIOS[scenario])
                found = scenario(Path(folder), times, arguments.seed)
            except Defect as defect:
                failed = True
                found = f"DEFECT: {defect}"
        print(f"{name} ({time.monotonic() - start:.0f} s): {found}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
