"""Every model file cut short at every multiple of 64 bytes: one ValueError that names the file.

    python tests/fuzz/truncations.py

Prints how many files were tried, and ends with an error at the first that is read.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz import models

STEP = 64


def try_all(content, path):
    """Load all truncations of a file, and return how many there were."""
    cuts = range(0, len(content), STEP)
    # From long to short, so that the file is written once.
    path.write_bytes(content)
    for cut in reversed(cuts):
        with open(path, "r+b") as file:
            file.truncate(cut)
        if models.load(path, cut) is not None:
            raise models.Defect(f"{cut} of {len(content)} bytes were read as a model")
    return len(cuts)


def main():
    with tempfile.TemporaryDirectory() as folder:
        files, folder = models.prepare(Path(folder))
        counts = [try_all(content, folder / "cut.safetensors") for content, _ in files]
    print(f"{sum(counts)} truncations of {len(counts)} files, all refused")


if __name__ == "__main__":
    main()
