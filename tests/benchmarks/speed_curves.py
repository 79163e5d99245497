"""
Time and memory against size
============================

How do the time per pixel and the memory change with the size of the image, with the number of
superpixels and with the number of channels?

Each case runs in a process of its own, on one thread, with compiled kernels. The image is one of
scikit-image's photographs, mirrored side by side until it has the size. Memory is what a call
needs at its peak besides its input, as a multiple of the input as float32.

    python tests/benchmarks/speed_curves.py --results docs/speed
"""

import argparse
import multiprocessing
import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from skimage.data import coffee

from sksuperpixel import SLIC

SIZES = (0.1, 0.4, 1, 4, 16, 64)  # megapixels
# Numbers of superpixels of an image of this number of pixels.
LARGE = 4_000_000
NUMBERS = (100, 1000, 10_000, 100_000)
# Numbers of channels of an image of this number of pixels.
SMALL = 400_000
CHANNELS = (1, 3, 8, 24, 84, 246)
# Medians are of so many calls, fewer for large images.
N_CALLS = 5


def photograph(n_pixels, n_channels):
    """Make an image: uint8 RGB, or float32 channels that are sums of noise and colours."""
    width = round(np.sqrt(1.5 * n_pixels))
    height = round(n_pixels / width)
    tile = coffee()
    pads = [(0, max(0, n - m)) for n, m in zip((height, width), tile.shape[:2], strict=True)]
    image = np.pad(tile, [*pads, (0, 0)], mode="symmetric")[:height, :width]
    if n_channels == 3:
        return image
    rng = np.random.default_rng(0)
    mixed = np.empty((*image.shape[:2], n_channels), np.float32)
    for channel in range(n_channels):
        mixed[..., channel] = image @ rng.random(3) + rng.normal(0, 5, image.shape[:2])
    return mixed


def peak():
    """Return the largest resident size of this process so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def measure(path, params):
    """Return seconds per megapixel, and memory as a multiple of the input as float32."""
    image = np.load(path)
    features = "lab" if image.shape[2] == 3 else "passthrough"
    few = {name: 50 if name == "n_segments" else value for name, value in params.items()}
    SLIC(**few, features=features).fit_transform([image[:100, :100]])
    slic = SLIC(**params, features=features).fit([image])
    before = peak()
    seconds = []
    for _ in range(N_CALLS if image[..., 0].size < 10**7 else 2):
        start = perf_counter()
        slic.transform([image])
        seconds.append(perf_counter() - start)
    per_pixel = np.median(seconds) / image[..., 0].size
    return 1e6 * per_pixel, (peak() - before) / (4 * image.size)


def run(n_pixels, n_channels, params):
    """Measure one case in a new process, which has needed no memory for making the image."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "image.npy"
        np.save(path, photograph(n_pixels, n_channels))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.apply(measure, (path, params))


def cases():
    """List what to measure: curve, method, value on the axis, arguments of `run`."""
    for size in SIZES:
        n_pixels = round(size * 1e6)
        yield "megapixels", "superpixel_size", size, (n_pixels, 3, {"superpixel_size": 16})
        yield "megapixels", "n_segments", size, (n_pixels, 3, {"n_segments": n_pixels // 256})
    for number in NUMBERS:
        step = np.sqrt(LARGE / number)
        yield "superpixels", "superpixel_size", number, (LARGE, 3, {"superpixel_size": step})
        yield "superpixels", "n_segments", number, (LARGE, 3, {"n_segments": number})
    for channels in CHANNELS:
        for name, value in (("superpixel_size", 16), ("n_segments", SMALL // 256)):
            yield "channels", name, channels, (SMALL, channels, {name: value})


def plot(table, path):
    """Draw time and memory against each axis."""
    figure, panels = plt.subplots(2, 3, figsize=(12, 6), layout="constrained")
    for (axis, curve), column in zip(table.groupby("axis", sort=False), panels.T, strict=True):
        for method, each in curve.groupby("method", sort=False):
            column[0].plot(each["value"], 1000 * each["seconds per megapixel"], "o-", label=method)
            column[1].plot(each["value"], each["memory"], "o-", label=method)
        column[0].set(ylabel="ms per megapixel", xscale="log", yscale="log")
        column[1].set(ylabel="memory / input as float32", xlabel=axis, xscale="log", ylim=0)
    panels[0, 0].legend()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main():
    """Measure all cases, print the table, write and plot it."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("speed_results"))
    results = parser.parse_args().results
    results.mkdir(parents=True, exist_ok=True)
    rows = []
    for axis, method, value, case in cases():
        seconds, memory = run(*case)
        rows.append((axis, method, value, seconds, memory))
        print(f"{axis} {value:g}, {method}: {1000 * seconds:.0f} ms, {memory:.1f}", flush=True)
    columns = ["axis", "method", "value", "seconds per megapixel", "memory"]
    table = pd.DataFrame(rows, columns=columns)
    table.to_csv(results / "curves.csv", index=False)
    plot(table, results / "curves.png")


if __name__ == "__main__":
    main()
