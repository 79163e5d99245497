"""
The whole evaluation
====================

Runs every script of this folder that computes something, one after the other, with the same
arguments. What was computed before is read from what was kept. ``times.csv`` adds up how long
each has taken, over all runs.

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
    "ablation.py",
    "scales.py",
    "agreement.py",
    "beside.py",
)
# Those that look at published label maps.
WITH_PEERS = ("native.py", "agreement.py", "beside.py")


def main():
    """Run all, and tell how long each took."""
    arguments = parse(__doc__, peers={"help": "folder of published label maps"})
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
        command = [sys.executable, Path(__file__).with_name(script), *arguments.shared]
        subprocess.run([*command, *own.get(script, [])], check=True)
        taken = perf_counter() - start
        print(f"== {script}: {taken:.0f} s", flush=True)
        seconds[script] += taken
        seconds.to_csv(path)
    print(f"== all, in all runs: {seconds.sum() / 60:.1f} minutes")


if __name__ == "__main__":
    main()
