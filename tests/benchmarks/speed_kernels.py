"""
How far each kernel is from what the machine can do
====================================================

How long does each step take, and how long would it take if the machine only had to move its data,
or only to do its arithmetic?

The script times the kernels on one photograph, on one thread. It measures how fast the machine
copies memory, and how fast it multiplies and adds float32 numbers that are in its cache. "memory"
and "arithmetic" are the times that a step would take at these rates. The larger one is its limit.

    python tests/benchmarks/speed_kernels.py [--megapixels 0.15]
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from speed_curves import photograph

from sksuperpixel._clustering import assignment, merging, refinement
from sksuperpixel._clustering.connectivity import merge_small_regions
from sksuperpixel._clustering.grid import Grid
from sksuperpixel._clustering.kernels import assignment as kernels
from sksuperpixel._clustering.kernels.compilation import network_kernel
from sksuperpixel._clustering.regions import Regions
from sksuperpixel._clustering.runs import Runs
from sksuperpixel._clustering.threads import ONE_THREAD
from sksuperpixel.features import LabFeatures

SIZE, COMPACTNESS, N_CALLS = 16.0, 10.0, 30


def least(function, prepare=lambda: ()):
    """Return the least seconds of many calls; `prepare` makes the arguments of each."""
    seconds = []
    for _ in range(N_CALLS):
        arguments = prepare()
        start = perf_counter()
        function(*arguments)
        seconds.append(perf_counter() - start)
    return min(seconds)


@network_kernel
def _multiply_and_add(values, n_times):
    for _ in range(n_times):
        for i in range(len(values)):
            values[i] = values[i] * np.float32(0.999) + np.float32(0.001)


def machine():
    """Measure bytes per second of a copy, and float32 operations per second in the cache."""
    large = np.ones(2**26, np.float32)
    target = np.empty_like(large)
    copied = 2 * large.nbytes / least(lambda: np.copyto(target, large))
    small = np.ones(2048, np.float32)
    operations = 2 * len(small) * 10_000 / least(lambda: _multiply_and_add(small, 10_000))
    return copied, operations


def steps(image):
    """Run the steps of `SLIC` one by one.

    Yields
    ------
    name : str
    seconds : float
    n_bytes : float
        That have to be read and written at least once.
    n_operations : float
        Additions, multiplications and comparisons of numbers.
    """
    n = image.shape[0] * image.shape[1]
    lab = LabFeatures().fit([image])
    yield "CIELAB", least(lambda: lab.transform([image])[0]), 15 * n, 60 * n
    features = np.ascontiguousarray(np.moveaxis(lab.transform([image])[0], -1, 0)[:, np.newaxis])
    grid = Grid(features.shape[1:], SIZE)
    clusters = assignment.start_clusters(features, grid.seeds())
    half, count = grid.half_window, len(clusters)
    scale, gain = grid.scale(np.full(count, COMPACTNESS)), np.ones(count, np.float32)
    nearest, labels = (np.empty(features.shape[1:], kind) for kind in (np.float32, np.int32))
    arrays = features, clusters, half, scale, gain, nearest, labels, ONE_THREAD
    # Four windows reach a pixel; for each, 13 operations.
    yield "assign pixels", least(lambda: assignment._assign(*arrays)), 20 * n, 4 * 13 * n
    sums, stride = np.empty((count, 7), np.int64), np.float32(2.0**16)
    window = features, labels, clusters.seeds, clusters.offsets, half, stride, 0, count
    yield "sum clusters", least(lambda: kernels.sum_windows(*window, sums)), 16 * n, 4 * 9 * n
    means = assignment._Means(features, stride, ONE_THREAD)
    means.move(labels, labels, clusters, half)
    before = labels.copy()
    assignment._assign(*arrays)
    rows = 0, 1, 0, features.shape[2]
    changes = features, before, labels, stride, rows, sums
    changed = np.count_nonzero(before != labels)
    yield "sum changes", least(lambda: kernels.sum_changes(*changes)), 8 * n, n + 28 * changed
    labels, _ = assignment.cluster_pixels(features, grid, compactness=COMPACTNESS)
    yield "find runs", least(lambda: Runs.of(labels)), 4 * n, 2 * n
    runs = Runs.of(labels)
    n_runs = len(runs.values)
    seconds = least(lambda each: each.number_connected(), lambda: (Runs.of(labels),))
    yield "connect", seconds, 24 * n_runs, 6 * n_runs
    regions = Regions.of(labels, features)
    seconds = least(lambda: regions.runs.sums(features, len(regions)))
    yield "sum regions", seconds, 12 * n + 12 * n_runs, 3 * n + 9 * n_runs
    min_count = 0.25 * grid.cell_volume
    seconds = least(
        lambda each: merge_small_regions(each, min_count),
        lambda: (Regions.of(labels, features),),
    )
    merge_small_regions(regions, min_count)
    yield "merge small ones", seconds, 24 * n_runs, 20 * n_runs
    yield "write labels", least(regions.runs.label_map), 4 * n + 12 * n_runs, 0
    yield from steps_of_number(image, features)


def steps_of_number(image, features):
    """Run the steps that lead to an exact number, from six times as many regions to half."""
    n = features[0].size
    n_segments = round(n / SIZE**2)
    grid = Grid.with_cells(features.shape[1:], n / (6 * n_segments))
    labels, _ = assignment.cluster_pixels(features, grid, compactness=COMPACTNESS)

    def fine():
        regions = Regions.of(labels, features)
        merge_small_regions(regions, 0.25 * grid.cell_volume)
        return (regions,)

    def merge(regions):
        merging.merge_to_number(regions, 3 * n_segments, grid.scale(COMPACTNESS))

    def refine(regions):
        refinement.refine_borders(features, regions, grid, COMPACTNESS, 1)

    def merged():
        (regions,) = fine()
        merge(regions)
        return (regions,)

    (regions,) = fine()
    # Each merge has about six pairs of 40 operations with new costs.
    n_operations = 40 * (3 * len(regions) + 6 * (len(regions) - 3 * n_segments))
    yield "merge by cost", least(merge, fine), 120 * len(regions), n_operations
    (regions,) = merged()
    label_map = regions.runs.label_map()[0]
    at_border = label_map[1:] != label_map[:-1]
    n_border = 2 * (at_border.sum() + (label_map[:, 1:] != label_map[:, :-1]).sum())
    yield "refine borders once", least(refine, merged), 8 * n + 12 * n_border, 45 * n_border


def main():
    """Print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--megapixels", type=float, default=0.154)
    parser.add_argument("--results", type=Path)
    arguments = parser.parse_args()
    copied, operations = machine()
    print(f"copies {copied / 1e9:.1f} GB/s; {operations / 1e9:.1f} G operations/s")
    rows = []
    for name, seconds, n_bytes, n_operations in steps(photograph(arguments.megapixels * 1e6, 3)):
        memory, arithmetic = n_bytes / copied, n_operations / operations
        rows.append((name, 1e3 * seconds, 1e3 * memory, 1e3 * arithmetic))
    table = pd.DataFrame(rows, columns=["step", "ms", "memory", "arithmetic"])
    table["times the limit"] = table["ms"] / table[["memory", "arithmetic"]].max(axis=1)
    print(table.round(3).to_string(index=False))
    if arguments.results is not None:
        arguments.results.mkdir(parents=True, exist_ok=True)
        table.to_csv(arguments.results / "kernels.csv", index=False)


if __name__ == "__main__":
    main()
