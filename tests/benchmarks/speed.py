"""Time SLIC beside other implementations.

All implementations run in one process, on one thread and after a first call to warm up. They turn
uint8 RGB (or float32 features) of 481 x 321 pixels into about 600 connected superpixels, in 5
iterations. Every round times each implementation once. The ratio printed is the median of the
ratios within rounds, so that a machine that slows down affects all implementations alike.

OpenCV and fast-slic (its AVX2 class, built from its repository) are timed where they are
installed.

    python tests/benchmarks/speed.py [--rounds 30]
"""

import argparse
import time
from statistics import median

import numpy as np
from skimage.data import coffee
from skimage.segmentation import slic
from skimage.transform import resize

from sksuperpixel import SLIC, TrainableSLIC

SHAPE = (321, 481)
SIZE = 16


def rgb_competitors(image):
    """Return implementations that segment an RGB image, by name."""
    number = round(SHAPE[0] / SIZE) * round(SHAPE[1] / SIZE)
    ours = SLIC(superpixel_size=SIZE).fit([image])
    exact = SLIC(n_segments=number).fit([image])
    unrefined = SLIC(n_segments=number, refine_iter=0).fit([image])
    learned = TrainableSLIC.from_pretrained("bsds500").set_params(n_segments=number)
    found = {
        "sksuperpixel": lambda: ours.transform([image]),
        "sksuperpixel, n_segments": lambda: exact.transform([image]),
        "the same, refine_iter=0": lambda: unrefined.transform([image]),
        "sksuperpixel, pretrained": lambda: learned.transform([image]),
        "scikit-image": lambda: slic(image, n_segments=number, compactness=10, max_num_iter=5),
    }
    try:
        import cv2
    except ImportError:
        pass
    else:
        cv2.setNumThreads(1)

        def opencv():
            lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
            engine = cv2.ximgproc.createSuperpixelSLIC(lab, cv2.ximgproc.SLIC, SIZE, 10.0)
            engine.iterate(5)
            engine.enforceLabelConnectivity(25)
            return engine.getLabels()

        found["OpenCV"] = opencv
    try:
        from fast_slic.avx2 import SlicAvx2
    except ImportError:
        pass
    else:
        # An object keeps its assignments between calls, so each call needs a new one.
        found["fast-slic"] = lambda: SlicAvx2(
            num_components=number, compactness=10, num_threads=1
        ).iterate(image, max_iter=5)
    return found


def feature_competitors(features):
    """Return implementations that segment an array of features, by name."""
    ours = SLIC(superpixel_size=SIZE, features="passthrough").fit([features])
    return {
        "sksuperpixel": lambda: ours.transform([features]),
        "scikit-image": lambda: slic(
            features, n_segments=600, compactness=10, max_num_iter=5, convert2lab=False
        ),
    }


def time_rounds(functions, n_rounds):
    """Measure the seconds of each function in each round, after one call to warm up."""
    for function in functions.values():
        function()
    seconds = {name: [] for name in functions}
    for _ in range(n_rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def print_table(title, functions, n_rounds):
    """Print the median milliseconds, and how many times as fast as scikit-image this is."""
    seconds = time_rounds(functions, n_rounds)
    print(title)
    for name, each in seconds.items():
        ratio = median(a / b for a, b in zip(seconds["scikit-image"], each, strict=True))
        print(f"  {name:26} {1000 * median(each):8.2f} ms   {ratio:6.2f} times as fast")


def main():
    """Time all implementations on RGB and on features."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    n_rounds = parser.parse_args().rounds
    image = (255 * resize(coffee(), SHAPE, anti_aliasing=True)).astype(np.uint8)
    print_table(f"RGB {SHAPE[1]} x {SHAPE[0]}, one thread", rgb_competitors(image), n_rounds)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(*SHAPE, 84)).astype(np.float32)
    features[..., :3] = image
    print_table("84 channels", feature_competitors(features), max(3, n_rounds // 6))


if __name__ == "__main__":
    main()
