"""Compiling kernels for the first time is logged."""

import os
import subprocess
import sys

SCRIPT = """
import logging
import numpy as np
logging.basicConfig(level=logging.INFO, format="%(name)s %(levelname)s %(message)s")
from sksuperpixel._clustering.kernels import layout
layout.to_planes(np.zeros((2, 3)), np.zeros((3, 2), np.float32))
layout.largest_bits(np.zeros(3, np.int32))
"""


def test_the_first_process_says_once_that_it_compiles(tmp_path):
    said = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stderr
        for _ in range(2)
    ]
    assert said[0].startswith("sksuperpixel INFO Compiling kernels for this machine")
    assert said[0].count("Compiling") == 1
    assert said[1] == ""
