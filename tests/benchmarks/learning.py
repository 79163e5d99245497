"""
Time and memory of learning
===========================

How long does it take to learn from images of usual size, and how much memory?

This script fits ``TrainableSLIC(features="scattering")``, with its defaults, to the 200 training
images of BSDS500 at their own size. It prints the time, the peak memory before and after, and the
time of segmenting one of the images.

    python tests/benchmarks/learning.py --data BSDS500
"""

import argparse
import resource
from time import perf_counter

from sksuperpixel import TrainableSLIC
from sksuperpixel.datasets import load_bsds500
from sksuperpixel.networks import make_distance_net


def peak_memory():
    """Return the largest memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def measure(n_layers, data, n_jobs):
    """Fit and use a model, and print what it takes."""
    model = TrainableSLIC(
        features="scattering",
        classifier=make_distance_net(n_layers),
        n_jobs=n_jobs,
        random_state=0,
    )
    before, start = peak_memory(), perf_counter()
    model.fit(data.images, data.segmentations)
    seconds = perf_counter() - start
    print(
        f"{n_layers} layers: fitted to {len(data.images)} images in {seconds:.0f} s, peak "
        f"{peak_memory():.2f} GB, before {before:.2f} GB",
        flush=True,
    )
    times = []
    for _ in range(4):  # the first one may compile kernels
        start = perf_counter()
        model.transform(data.images[:1])
        times.append(perf_counter() - start)
    print(f"one image: {min(times):.2f} s", flush=True)


def main():
    """Measure one or three layers. Each needs a process of its own, because of the peak."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of BSDS500")
    parser.add_argument("--layers", type=int, choices=(1, 3), default=3)
    parser.add_argument("--n-jobs", type=int, default=2)
    arguments = parser.parse_args()
    measure(arguments.layers, load_bsds500(arguments.data, subset="train"), arguments.n_jobs)


if __name__ == "__main__":
    main()
