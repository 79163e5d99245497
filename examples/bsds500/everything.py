"""
The whole evaluation
====================

Runs every script of this folder, one after the other, with the same arguments, and then writes
the page. What was computed before is read from the cache.

    python examples/bsds500/everything.py --data BSDS500 --peers peers
"""

import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pandas as pd
from common import parse

SCRIPTS = (
    "table1.py",
    "table2.py",
    "mining.py",
    "images.py",
    "compactness.py",
    "grey.py",
    "overlays.py",
    "native.py",
)


def main():
    """Run all, and tell how long each took."""
    arguments = parse(__doc__, peers={"help": "folder of published label maps"})
    shared = ["--data", arguments.data, "--results", arguments.results]
    shared += ["--n-jobs", str(arguments.n_jobs)]
    if arguments.limit is not None:
        shared += ["--limit", str(arguments.limit)]
    own = {"table1.py": ["--folds"]}
    if arguments.peers is not None:
        own["native.py"] = ["--peers", arguments.peers]
    seconds = {}
    for script in SCRIPTS:
        start = perf_counter()
        print(f"== {script}", flush=True)
        path = Path(__file__).with_name(script)
        subprocess.run([sys.executable, path, *shared, *own.get(script, [])], check=True)
        seconds[script] = perf_counter() - start
        print(f"== {script}: {seconds[script]:.0f} s", flush=True)
    times = pd.Series(seconds, name="seconds").rename_axis("script")
    print(f"== all: {times.sum() / 60:.1f} minutes")
    times.to_csv(arguments.results / "times.csv")


if __name__ == "__main__":
    main()
