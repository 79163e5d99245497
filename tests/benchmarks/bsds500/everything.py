"""
The whole evaluation
====================

This script runs the scripts of this folder that compute results, one after the other, with the
same arguments. Cached results are read instead of computed. ``times.csv`` records how long each
script has taken, summed over all runs.

    python tests/benchmarks/bsds500/everything.py --data BSDS500 --peers peers
"""

import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pandas as pd
from results import PEERS, parse

SCRIPTS = (
    "table1.py",
    "weights.py",
    "table2.py",
    "mining.py",
    "images.py",
    "compactness.py",
    "grey.py",
    "overlays.py",
    "native.py",
    "ablation.py",
    "scales.py",
    "agreement.py",
    "beside.py",
)
# The scripts that compare with published label maps.
WITH_PEERS = ("native.py", "agreement.py", "beside.py")


def run(script, arguments):
    """Run a script in a process of its own."""
    command = [sys.executable, Path(__file__).with_name(script), *arguments]
    subprocess.run(command, check=True)


def main():
    """Run all scripts, and record how long each takes."""
    arguments = parse(__doc__, peers=PEERS)
    own = {"table1.py": ["--folds"]}
    if arguments.peers is not None:
        own |= {script: ["--peers", arguments.peers] for script in WITH_PEERS}
    path = arguments.results / "times.csv"
    seconds = pd.Series(0.0, SCRIPTS, name="seconds").rename_axis("script")
    if path.exists():
        seconds = seconds.add(pd.read_csv(path, index_col="script")["seconds"], fill_value=0)
    for script in SCRIPTS:
        start = perf_counter()
        print(f"== {script}", flush=True)
        run(script, [*arguments.shared, *own.get(script, [])])
        taken = perf_counter() - start
        print(f"== {script}: {taken:.0f} s", flush=True)
        seconds[script] += taken
        seconds.to_csv(path)
    print(f"== all scripts, over all runs: {seconds.sum() / 60:.1f} minutes")


if __name__ == "__main__":
    main()
