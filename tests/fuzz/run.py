"""Run generators of random cases, and print and write what they found.

    python tests/fuzz/run.py models --cases 5000 --seed 0 --report models.json
    python tests/fuzz/run.py all --cases 20000

The exit code is 1 if there was any defect. See docs/reliability.md for the figures of the last
run, and the module `harness` for what a generator is.
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz import harness

# The share of the cases that each generator gets when all of them are run.
SHARES = {
    "models": 5,
    "parameters": 4,
    "estimators": 3,
    "metrics": 2,
    "metamorphic": 2,
    "readers": 3,
    "checkpoints": 1,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("generator", choices=[*SHARES, "all"])
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--report", type=Path, help="a file, or a folder for several generators")
    parser.add_argument(
        "--case", type=int, help="run this case alone, in this process, and show its traceback"
    )
    arguments = parser.parse_args()
    if arguments.case is not None:
        return run_alone(arguments.generator, arguments.seed, arguments.case)
    names = list(SHARES) if arguments.generator == "all" else [arguments.generator]
    total = sum(SHARES[name] for name in names)
    failed = False
    for name in names:
        n_cases = -(-arguments.cases * SHARES[name] // total)
        report = harness.run(
            name, n_cases, arguments.seed, arguments.workers, first=arguments.first
        )
        print(report, flush=True)
        failed |= bool(report.defects)
        if arguments.report is not None:
            path = arguments.report
            report.write(path / f"{name}.json" if path.is_dir() else path)
    return int(failed)


def run_alone(name, seed, number):
    import tempfile

    import numpy as np

    generator = import_module(f"fuzz.{name}")
    with tempfile.TemporaryDirectory() as folder:
        shared = generator.prepare(Path(folder))
        print(generator.case(np.random.default_rng([seed, number]), shared))
    return 0


if __name__ == "__main__":
    sys.exit(main())
