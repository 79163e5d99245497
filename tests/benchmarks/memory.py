"""Measure the peak memory of SLIC relative to its input, on large images and volumes.

The result is the memory that SLIC needs in addition to its input, divided by the size of the
input as float32. Each case runs in a process of its own, and the kernels are compiled before the
measurement starts.

    python tests/benchmarks/memory.py
"""

import multiprocessing
import resource
import sys

import numpy as np

from sksuperpixel import SLIC

CASES = {
    "uint8 RGB 3000 x 3000": ((3000, 3000, 3), np.uint8, {}),
    "uint8 RGB 3000 x 3000, n_segments": ((3000, 3000, 3), np.uint8, {"n_segments": 20000}),
    "84 float32 channels 600 x 900": ((600, 900, 84), np.float32, {"features": "passthrough"}),
    "1 float32 channel 100 x 300 x 300": (
        (100, 300, 300),
        np.float32,
        {"features": "passthrough", "channel_axis": None},
    ),
}


def pictures(shape, dtype):
    """Make an image of blocks of 8 x 8 pixels with some noise, like the areas of real images."""
    rng = np.random.default_rng(0)
    spatial = shape[:-1] if shape[-1] < 100 else shape
    coarse = rng.random([-(-n // 8) for n in spatial] + list(shape[len(spatial) :]))
    for axis in range(len(spatial)):
        coarse = np.repeat(coarse, 8, axis=axis)
    image = coarse[tuple(slice(n) for n in shape)] * 200
    image += rng.normal(0, 5, shape)
    return np.clip(image, 0, 255).astype(dtype)


def peak():
    """Return the largest resident size of this process so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def measure(shape, dtype, params, results):
    """Measure one case, and put the ratio into a queue."""
    small = pictures((16, 64, 64) if len(shape) == 3 and shape[-1] > 100 else shape, dtype)
    warm = small if small.shape != shape else small[:64, :64]
    image = pictures(shape, dtype)
    estimator = SLIC(**params)
    SLIC(**{**params, "n_segments": 20 if "n_segments" in params else None}).fit_transform([warm])
    del small, warm
    # Making the image took more memory than the image itself takes. Occupy the difference, so
    # that the peak rises as soon as SLIC needs memory.
    before = peak()
    filler = np.ones((before - resident()) // 8)
    estimator.fit_transform([image])
    results.put((peak() - before) / (4 * image.size))
    del filler


def resident():
    """Return the present resident size of this process, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def main():
    """Measure every case, and print one line per case."""
    context = multiprocessing.get_context("spawn")
    for name, (shape, dtype, params) in CASES.items():
        results = context.Queue()
        process = context.Process(target=measure, args=(shape, dtype, params, results))
        process.start()
        ratio = results.get()
        process.join()
        print(f"{name:36} peak {ratio:5.2f} times the float32 input")


if __name__ == "__main__":
    main()
