"""Measure the peak memory of SLIC and of networks, on large images and volumes.

For SLIC, the result is the memory that it needs in addition to its input, divided by the size of
the input as float32. For networks, it is the memory in addition to the image and the result, in
bytes per pixel. Each case runs in a process of its own, and the kernels are compiled before the
measurement starts.

    python tests/benchmarks/memory.py
"""

import multiprocessing
import resource
import sys

import numpy as np

from sksuperpixel import SLIC, TrainableSLIC
from sksuperpixel.features import ENetFeatures, LearnedFeatures

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

NETWORKS = {
    "LearnedFeatures": (LearnedFeatures, {"weights": "bsds500", "train": False}),
    "LearnedFeatures, mirror": (
        LearnedFeatures,
        {"weights": "bsds500", "train": False, "mirror": True},
    ),
    "ENetFeatures": (ENetFeatures, {}),
    "TrainableSLIC, bsds500": (TrainableSLIC.from_pretrained, {"name": "bsds500"}),
}
SHAPES = [(1000, 1000), (3000, 3000), (3000, 4000)]


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
    filler = np.ones(max(before - resident(), 0) // 8)
    estimator.fit_transform([image])
    results.put((peak() - before) / (4 * image.size))
    del filler


def measure_network(make, params, shape, results):
    """Measure the transform of one image, and put bytes per pixel into a queue."""
    image = pictures((*shape, 3), np.uint8)
    small = image[:64, :64].copy()
    transformer = make(**params)
    if not hasattr(transformer, "n_channels_in_"):
        transformer.fit([small])
    transformer.transform([small])[0]
    before = peak()
    filler = np.ones(max(before - resident(), 0) // 8)
    result = transformer.transform([image])[0]
    results.put((peak() - before - result.nbytes) / np.prod(shape))
    del filler


def resident():
    """Return the present resident size of this process, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def in_a_process(function, *arguments):
    """Call a function in a new process, and return what it puts into a queue."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    process = context.Process(target=function, args=(*arguments, results))
    process.start()
    result = results.get()
    process.join()
    return result


def main():
    """Measure every case, and print one line per case."""
    for name, case in CASES.items():
        ratio = in_a_process(measure, *case)
        print(f"{name:36} peak {ratio:5.2f} times the float32 input")
    for name, case in NETWORKS.items():
        for shape in SHAPES:
            n_bytes = in_a_process(measure_network, *case, shape)
            print(f"{name:24} {shape[0]} x {shape[1]} {n_bytes:5.0f} bytes per pixel")


if __name__ == "__main__":
    main()
