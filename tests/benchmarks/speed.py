"""
How fast superpixels are
========================

How long does one image take, beside other implementations, and what does more than one thread or
a larger image change?

All implementations run in one process, on one thread unless said otherwise, after a first call to
warm up. They turn the first test images of BSDS500 (uint8 RGB, 481 x 321 pixels) or their features
into connected superpixels, in 5 iterations. Every round times each implementation once. A ratio
is the median of the ratios within rounds, and then the median over the images, so that a machine
that slows down affects all implementations alike.

OpenCV and fast-slic (its AVX2 class, built from its repository) are timed where they are
installed.

    python tests/benchmarks/speed.py --data BSDS500 [--parts colours features network threads]
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from skimage.segmentation import slic
from skimage.transform import resize
from threadpoolctl import threadpool_limits

from sksuperpixel import SLIC, TrainableSLIC
from sksuperpixel._clustering.kernels.network import _inner_products
from sksuperpixel.datasets import load_bsds500
from sksuperpixel.features import ScatteringFeatures, features_of_name
from sksuperpixel.networks import make_distance_net

N_IMAGES = 12
SIZE = 16
N_SEGMENTS = 600
LARGE = (3328, 4992)  # 16 megapixels
# The other times are given as multiples of the first of these that is installed.
UNITS = ("fast-slic", "scikit-image")


def time_rounds(functions, argument, n_rounds):
    """Measure the seconds of each function in each round, after one call to warm up."""
    for function in functions.values():
        function(argument)
    seconds = {name: [] for name in functions}
    for _ in range(n_rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function(argument)
            seconds[name].append(time.perf_counter() - start)
    return pd.DataFrame(seconds)


def compare(functions, arguments, n_rounds):
    """Time functions of one argument.

    Returns
    -------
    DataFrame
        Milliseconds, and the time as a multiple of others' times, one row per function.
    """
    rounds = [time_rounds(functions, argument, n_rounds) for argument in arguments]
    table = pd.DataFrame({"ms": 1000 * pd.DataFrame([each.median() for each in rounds]).median()})
    for unit in UNITS:
        if unit in functions:
            ratios = [each.div(each[unit], axis=0).median() for each in rounds]
            table[f"/ {unit}"] = pd.DataFrame(ratios).median()
    return table


def transform(estimator):
    """Return the estimator as a function of one image."""
    return lambda image: estimator.transform([image])[0]


def fast_slic():
    """Return fast-slic as functions of one image, by name."""
    try:
        from fast_slic.avx2 import SlicAvx2
    except ImportError:
        return {}

    def run(image, **params):
        # An object keeps its assignments between calls, so each call needs a new one.
        engine = SlicAvx2(num_components=N_SEGMENTS, compactness=10, num_threads=1, **params)
        return engine.iterate(image, max_iter=5)

    return {
        "fast-slic": run,
        "fast-slic, every row": lambda image: run(image, subsample_stride=1),
    }


def opencv():
    """Return OpenCV's algorithms as functions of one image, by name."""
    try:
        import cv2
    except ImportError:
        return {}
    cv2.setNumThreads(1)

    def run(image, create):
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
        engine = create(lab)
        engine.iterate(5)
        engine.enforceLabelConnectivity(25)
        return engine.getLabels()

    def seeds(image):
        height, width = image.shape[:2]
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
        engine = cv2.ximgproc.createSuperpixelSEEDS(width, height, 3, N_SEGMENTS, 4)
        engine.iterate(lab, 5)
        return engine.getLabels()

    module = cv2.ximgproc
    return {
        "OpenCV SLIC": lambda image: run(
            image, lambda lab: module.createSuperpixelSLIC(lab, module.SLIC, SIZE, 10.0)
        ),
        "OpenCV LSC": lambda image: run(
            image, lambda lab: module.createSuperpixelLSC(lab, SIZE, 0.075)
        ),
        "OpenCV SEEDS": seeds,
    }


def scikit_image(image):
    """Cut an RGB image with scikit-image."""
    return slic(image, n_segments=N_SEGMENTS, compactness=10, max_num_iter=5)


def colours(data, n_rounds):
    """Compare implementations on RGB images."""
    images = data.images[:N_IMAGES]
    functions = {
        "SLIC(superpixel_size=16)": transform(SLIC(superpixel_size=SIZE).fit(images[:1])),
        "SLIC(n_segments=600)": transform(SLIC(n_segments=N_SEGMENTS).fit(images[:1])),
        **fast_slic(),
        **opencv(),
        "scikit-image": scikit_image,
    }
    return compare(functions, images, n_rounds)


def stacks_of_features(data):
    """Compute colour and scattering maps: 84 channels (of lightness) or 246 (of all channels)."""
    images = data.images[:N_IMAGES]
    colour = features_of_name("lab").fit_transform(images)
    for channels in ("lightness", "all"):
        maps = ScatteringFeatures(channels=channels).fit(images[:1]).transform(images)
        stacks = [np.dstack(pair).astype(np.float32) for pair in zip(colour, maps, strict=True)]
        yield stacks[0].shape[-1], stacks


def features(data, n_rounds):
    """Compare plain SLIC and scikit-image's on many channels."""

    def scikit_image(stack):
        return slic(
            stack, n_segments=N_SEGMENTS, compactness=10, max_num_iter=5, convert2lab=False
        )

    tables = {}
    for n_channels, stacks in stacks_of_features(data):
        ours = SLIC(superpixel_size=SIZE, features="passthrough").fit(stacks[:1])
        functions = {"SLIC(superpixel_size=16)": transform(ours), "scikit-image": scikit_image}
        tables[n_channels] = compare(functions, stacks, max(1, n_rounds // 6))
    return pd.concat(tables, names=["channels", ""])


def rate_of_products(multiply, n_operations, n_rounds):
    """Return the billions of additions and multiplications a second of a matrix product."""
    seconds = []
    for _ in range(n_rounds + 1):
        start = time.perf_counter()
        multiply()
        seconds.append(time.perf_counter() - start)
    return n_operations / min(seconds[1:]) / 1e9


def network(data, n_rounds):
    """Time three layers on 246 channels, and compare with the rate of matrix products."""
    *_, (n_channels, stacks) = stacks_of_features(data)
    net = make_distance_net(3)
    model = TrainableSLIC(features="passthrough", classifier=net, random_state=0)
    model.fit(stacks[:4], data.segmentations[:4])
    layers = model.classifier_.module_.arrays()
    n_used, n_hidden = n_channels, len(layers["last"])
    n_pixels, n_candidates = stacks[0][..., 0].size, model.n_candidates
    n_operations = 2 * n_pixels * n_candidates * n_used * n_hidden * model.max_iter
    square = np.ones((2048, 2048), np.float32)
    with threadpool_limits(1):
        best = rate_of_products(lambda: square @ square, 2 * 2048**3, n_rounds)
    rows = np.ones((32 * n_candidates, 32 * -(-n_used // 32)), np.float32)
    weights = np.ones((4 * -(-n_hidden // 4), rows.shape[1]), np.float32)
    out = np.empty((len(weights), len(rows)), np.float32)
    ours = rate_of_products(
        lambda: [_inner_products(weights, rows, len(rows), out) for _ in range(1000)],
        2000 * weights.size * len(rows),
        n_rounds,
    )
    whole = compare({"three layers": transform(model)}, stacks, max(1, n_rounds // 6))["ms"]
    products = 1000 * n_operations / ours / 1e9
    return pd.Series(
        {
            "GFLOP/s of a large product (NumPy)": best,
            "GFLOP/s of the kernel's products": ours,
            "GFLOP of the products of one image": n_operations / 1e9,
            "ms of the products at the kernel's rate": products,
            "ms of one image": whole.iloc[0],
            "everything else, in units of the products": whole.iloc[0] / products - 1,
        }
    ).to_frame("three layers")


def threads(data, n_rounds):
    """Compare two threads with one on a large image."""
    enlarged = resize(data.images[0], LARGE, order=1)
    image = np.round(255 * enlarged).astype(np.uint8)
    tables = {}
    for params in ({"superpixel_size": SIZE}, {"n_segments": LARGE[0] * LARGE[1] // SIZE**2}):
        functions = {
            f"{n_jobs} threads": transform(SLIC(**params, n_jobs=n_jobs).fit([image]))
            for n_jobs in (2, 1)
        }
        table = time_rounds(functions, image, max(3, n_rounds // 6))
        tables[next(iter(params))] = {
            "ms, 1 thread": 1000 * table["1 threads"].median(),
            "times as fast with 2": (table["1 threads"] / table["2 threads"]).median(),
        }
    return pd.DataFrame(tables).T


PARTS = {each.__name__: each for each in (colours, features, network, threads)}


def main():
    """Time all parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of BSDS500")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--results", type=Path, help="folder to write the tables to, as CSV")
    arguments = parser.parse_args()
    data = load_bsds500(arguments.data, subset="test")
    for part in arguments.parts:
        table = PARTS[part](data, arguments.rounds)
        print(f"== {part}: {PARTS[part].__doc__.splitlines()[0]}")
        print(table.round(2).to_string(), flush=True)
        if arguments.results is not None:
            arguments.results.mkdir(parents=True, exist_ok=True)
            table.to_csv(arguments.results / f"speed_{part}.csv")


if __name__ == "__main__":
    main()
