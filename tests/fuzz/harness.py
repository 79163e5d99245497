"""Run generated cases, each under limits of time and memory, and report what was wrong.

A generator is a module of this folder. It has

- ``LIMIT_S`` and ``LIMIT_MB``: how long one case may take, and how much memory it may need beyond
  what the process has already;
- ``prepare(folder)``, which makes what all cases share and returns it;
- ``case(rng, shared)``, which makes one random case, runs it, and returns the outcome in one or
  two words. It raises `Defect` if the library did something wrong. Any other exception or warning
  also counts as a defect.

A case depends only on the seed and on its number, so it can be repeated on its own.
"""

import collections
import json
import multiprocessing
import resource
import tempfile
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np

# The address space that a case may use in addition to what its process has at the start. The limit
# keeps a defect from taking the whole machine down.
_ADDRESS_SPACE = 12 * 2**30


class Defect(AssertionError):  # noqa: N818
    """Something that the library should not have done."""


@dataclass
class Result:
    """The result of one case. `megabytes` is None if memory was not measured."""

    number: int
    outcome: str
    seconds: float = 0.0
    megabytes: float | None = None
    defect: str | None = None
    where: str = ""


@dataclass
class Report:
    """The results of a generator. `largest_mb` is None if memory was not measured."""

    generator: str
    seed: int
    n_cases: int = 0
    outcomes: dict = field(default_factory=dict)
    slowest_s: float = 0.0
    largest_mb: float | None = None
    defects: list = field(default_factory=list)

    def add(self, result):
        """Count one case."""
        self.n_cases += 1
        self.outcomes[result.outcome] = self.outcomes.get(result.outcome, 0) + 1
        self.slowest_s = max(self.slowest_s, result.seconds)
        if result.megabytes is not None:
            self.largest_mb = max(self.largest_mb or 0.0, result.megabytes)
        if result.defect is not None:
            self.defects.append(asdict(result))

    def __str__(self):
        memory = "memory was not measured"
        if self.largest_mb is not None:
            memory = f"most memory {self.largest_mb:.0f} MB"
        lines = [
            f"{self.generator}: {self.n_cases} cases (seed {self.seed}), {len(self.defects)} "
            f"defects; slowest {self.slowest_s:.2f} s, {memory}"
        ]
        lines += [f"    {count:6d}  {outcome}" for outcome, count in sorted(self.outcomes.items())]
        kinds = collections.Counter(each["defect"].split("\n")[0][:150] for each in self.defects)
        first = {}
        for each in self.defects:
            first.setdefault(each["defect"].split("\n")[0][:150], each["number"])
        lines += [
            f"    defect {count:4d} x  {kind} (for example case {first[kind]})"
            for kind, count in kinds.most_common(40)
        ]
        return "\n".join(lines)

    def write(self, path):
        """Write the report as JSON."""
        Path(path).write_text(
            json.dumps({**vars(self), "outcomes": dict(self.outcomes)}, indent=1)
        )


def run_one(generator, seed, number, shared):
    """Run one case in this process, and return its result."""
    rng = np.random.default_rng([seed, number])
    before = reset_peak()
    # The processor time of this process, because other processes may keep the machine busy.
    start = time.process_time()
    defect, where = None, ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            outcome = generator.case(rng, shared)
    except Defect as error:
        outcome, defect = "defect", str(error)
    except Exception as error:
        outcome = f"defect: {type(error).__name__}"
        defect = f"{type(error).__name__}: {error}"
        where = traceback.format_exc(limit=-3)
    seconds = time.process_time() - start
    megabytes = growth_since(before)
    if defect is None and seconds > generator.LIMIT_S:
        outcome, defect = "defect: too slow", f"took longer than {generator.LIMIT_S} s"
    if defect is None and megabytes is not None and megabytes > generator.LIMIT_MB:
        outcome, defect = "defect: memory", f"needed more than {generator.LIMIT_MB} MB"
    return Result(number, outcome, seconds, megabytes, defect, where)


def run(name, n_cases, seed=0, n_workers=1, first=0):
    """Run cases in separate processes. A process is ended if a case takes far too long.

    Parameters
    ----------
    name : str
        Name of the generator's module.
    n_cases, seed, n_workers : int
    first : int, default=0
        Number of the first case.

    Returns
    -------
    Report
    """
    report = Report(name, seed)
    numbers = range(first, first + n_cases)
    parts = [numbers[i::n_workers] for i in range(n_workers)]
    with ThreadPoolExecutor(n_workers) as pool:
        for results in pool.map(lambda part: list(_supervise(name, seed, part)), parts):
            for result in results:
                report.add(result)
    return report


def _supervise(name, seed, numbers):
    """Yield the result of each case. Start a new process whenever one had to be ended."""
    waiting = collections.deque(numbers)
    while waiting:
        # Each process has its own folder, because one that had to be ended leaves files behind.
        with tempfile.TemporaryDirectory() as folder:
            yield from _until_one_fails(name, seed, waiting, folder)


def _until_one_fails(name, seed, waiting, folder):
    """Run cases in a new process until none is left or the process had to be ended."""
    limit = 3 * import_module(f"fuzz.{name}").LIMIT_S + 10
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, name, seed, folder))
    process.start()
    theirs.close()
    try:
        while waiting:
            # The first answer says that the process is ready.
            if not ours.poll(600):
                raise RuntimeError(f"{name}: the process did not get ready")
            ours.recv()
            number, start = waiting.popleft(), time.perf_counter()
            ours.send(number)
            try:
                if not ours.poll(limit):
                    seconds = time.perf_counter() - start
                    yield Result(number, "defect: hangs", seconds, defect="hangs")
                    return
                yield ours.recv()
            except EOFError:
                process.join()
                defect = f"crash: exit code {process.exitcode}"
                yield Result(number, "defect: crash", defect=defect)
                return
    finally:
        process.kill()
        process.join()


def _work(connection, name, seed, folder):
    """Run the cases whose numbers arrive on a connection."""
    generator = import_module(f"fuzz.{name}")
    shared = generator.prepare(Path(folder))
    resource.setrlimit(resource.RLIMIT_AS, (read_status("VmSize") * 1024 + _ADDRESS_SPACE,) * 2)
    while True:
        connection.send("ready")
        connection.send(run_one(generator, seed, connection.recv(), shared))


def read_status(name):
    """Read a number from the process's own status; 0 where there is none. Sizes are in kB."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name + ":")), 0)


def reset_peak():
    """Begin to measure how much memory the process needs.

    Returns
    -------
    float or None
        What it needs now, in MB; None where the system cannot measure it.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return read_status("VmRSS") / 1024 or None


def growth_since(before):
    """Return by how many MB the memory of the process has grown at most since `reset_peak`.

    Parameters
    ----------
    before : float or None
        What `reset_peak` returned.

    Returns
    -------
    float or None
        None where the system cannot measure it.
    """
    return None if before is None else read_status("VmHWM") / 1024 - before
