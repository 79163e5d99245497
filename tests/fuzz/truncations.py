"""Cut model files short at every multiple of 64 bytes; each must give one ValueError.

    python tests/fuzz/truncations.py

prints how many files were tried, and stops with an error at the first one that can be read.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz import models

STEP = 64


def try_all(content, path):
    """Load every truncation of a file, and return how many there were."""
    cuts = range(0, len(content), STEP)
    # From long to short, so that the file needs to be written only once.
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
