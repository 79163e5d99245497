"""Score SLIC on BSDS500, beside other implementations.

The first 100 test images are segmented at their own size, with scikit-image's slic, and with
OpenCV and fast-slic where they are installed. Scores are averaged over annotators, then over
images. The scripts in `tests/benchmarks/bsds500` evaluate all methods of the library.

    python tests/benchmarks/quality_bsds500.py --root BSDS500
"""

import argparse
from functools import partial

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from skimage.segmentation import slic

from sksuperpixel import SLIC
from sksuperpixel.datasets import load_bsds500
from sksuperpixel.metrics import superpixel_report

COLUMNS = {
    "n_superpixels": "K",
    "boundary_recall": "recall",
    "mean_distance_to_edge": "MDE",
    "undersegmentation_error": "UE",
    "achievable_segmentation_accuracy": "ASA",
    "achievable_iou": "IoU",
    "compactness": "CO",
}


def ours(image, **params):
    """Segment an image with our SLIC."""
    return SLIC(**params).fit_transform([image])[0]


def methods():
    """Return the methods by name, as functions from an image to superpixels."""
    found = {
        "scikit-image slic": partial(slic, n_segments=600, compactness=10, start_label=0),
        "SLIC(superpixel_size=16)": partial(ours, superpixel_size=16),
        "SLIC(n_segments=570)": partial(ours, n_segments=570),
        "SLIC(n_segments=600)": partial(ours, n_segments=600),
    }
    try:
        import cv2  # noqa: F401
    except ImportError:
        pass
    else:
        found["OpenCV SLIC"] = opencv
    try:
        import fast_slic.avx2  # noqa: F401
    except ImportError:
        pass
    else:
        found["fast-slic"] = fast_slic_avx2
    return found


def opencv(image):
    """Segment an image with OpenCV's SLIC."""
    import cv2

    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    engine = cv2.ximgproc.createSuperpixelSLIC(lab, cv2.ximgproc.SLIC, 16, 10.0)
    engine.iterate(5)
    engine.enforceLabelConnectivity(25)
    return engine.getLabels()


def fast_slic_avx2(image):
    """Segment an image with fast-slic."""
    from fast_slic.avx2 import SlicAvx2

    engine = SlicAvx2(num_components=600, compactness=10, num_threads=1)
    return engine.iterate(image, max_iter=5).astype(np.int32)


def score(data, index, method):
    """Score the superpixels of one image."""
    image, segmentation = data.images[index], data.segmentations[index]
    report = superpixel_report([segmentation], [method(image)])
    return report[list(COLUMNS)].rename(columns=COLUMNS).iloc[0]


def mean_scores(data, n_images, method, n_jobs):
    """Score a method on the first images, and average."""
    rows = Parallel(n_jobs=n_jobs)(delayed(score)(data, i, method) for i in range(n_images))
    return pd.DataFrame(rows).mean()


def main():
    """Score every method and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--root", required=True, help="folder of BSDS500")
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--limit", type=int, default=None, help="maximum number of images")
    arguments = parser.parse_args()

    test = load_bsds500(arguments.root, "test")
    n_images = min(100, arguments.limit or 100, len(test.images))
    table = {
        name: mean_scores(test, n_images, method, arguments.n_jobs)
        for name, method in methods().items()
    }
    print(f"First {n_images} test images, at their own size")
    print(pd.DataFrame(table).T.round(4).to_string())


if __name__ == "__main__":
    main()
