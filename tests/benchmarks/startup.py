"""Time the import and the first calls of SLIC, in two processes.

The first process compiles the kernels, and the second finds them compiled.

    python tests/benchmarks/startup.py
"""

import os
import subprocess
import sys
import tempfile

SCRIPT = """
import time
start = time.perf_counter()
import sklearn, numba
before = time.perf_counter()
import sksuperpixel
imported = time.perf_counter()
from skimage.data import coffee
image = coffee()
called = time.perf_counter()
sksuperpixel.SLIC().fit_transform([image])
done = time.perf_counter()
sksuperpixel.SLIC(n_segments=600).fit_transform([image])
exact = time.perf_counter()
print(f"import {imported - before:.2f} s after scikit-learn and numba ({before - start:.2f} s); "
      f"first call {done - called:.2f} s, first with n_segments {exact - done:.2f} s")
"""


def main():
    """Run the script in two processes that share a new cache of compiled kernels."""
    with tempfile.TemporaryDirectory() as cache:
        for name in ("new machine", "later process"):
            done = subprocess.run(
                [sys.executable, "-c", SCRIPT],
                env={**os.environ, "NUMBA_CACHE_DIR": cache},
                capture_output=True,
                text=True,
                check=True,
            )
            print(f"{name:14}{done.stdout}", end="")


if __name__ == "__main__":
    main()
