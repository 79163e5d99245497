"""
Images of other kinds, with nothing set by hand
===============================================

Do learned distances help with images that are not photographs, such as those of X-rays, ultrasound
or steel?

Each kind of images is a folder with ``images`` and ``labels``. The methods learn from a random
half of the images, at most forty of them, and are scored on the rest, at most forty. On these, all
methods, including SLIC, are made as compact as SLIC is on photographs. The learned distances start
from nothing. The weights set by hand are those for photographs: they weigh smoothed colour and
eight maps of fine texture.

    python tests/benchmarks/domains.py domains/crack_forest domains/seismic_f3 nuclei
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from sksuperpixel import SLIC, ChannelUnion, LabFeatures, TrainableSLIC, match_compactness
from sksuperpixel.datasets import load_image_folder
from sksuperpixel.features import ScatteringFeatures, features_of_name
from sksuperpixel.metrics import superpixel_report
from sksuperpixel.networks import make_distance_net

SCORES = {
    "undersegmentation_error": "UE",
    "boundary_recall": "Rec",
    "mean_distance_to_edge": "MDE",
    "compactness": "CO",
    "n_superpixels": "K",
}
# The size of superpixels, where 16 pixels are too many for the objects.
SIZES = {"nuclei": 8, "mri_brats2d": 8}
MOST_IMAGES = 40
# The compactness of all methods.
COMPACTNESS = 0.34
TOLERANCE = 2


def load(folder, limit):
    """Load the images to learn from and those to score.

    Returns
    -------
    train, test : tuples of (images, segmentations)
    """
    data = load_image_folder(folder / "images", folder / "labels")
    parts = []
    for index in train_test_split(np.arange(len(data.images)), test_size=0.5, random_state=0):
        index = index[: limit or MOST_IMAGES]
        images = [to_8_bits(np.asarray(data.images[i])) for i in index]
        parts.append((images, [np.asarray(data.segmentations[i]) for i in index]))
    return parts


def to_8_bits(image):
    """Leave out any opacity, and scale images of 16 bits by their largest value.

    Magnetic resonance has no units, and its largest possible value is unknown.
    """
    image = image[..., :3] if image.ndim == 3 else image
    if image.dtype != np.uint16:
        return image
    return np.round(255.0 * image / max(image.max(), 1)).astype(np.uint8)


def features_by_hand():
    """Make the features that were weighed by hand: smoothed colour and the finest texture."""
    texture = ScatteringFeatures(
        J=1, max_order=1, channels="lightness", select=lambda each: each.order > 0
    )
    return ChannelUnion(
        [("lab", LabFeatures(sigma=0.7)), ("texture", texture)],
        transformer_weights={"texture": 100},
    )


def methods(size, n_jobs):
    """Make the transformers and estimators to compare, by name."""
    shared = {"superpixel_size": size, "features": "passthrough", "n_jobs": n_jobs}
    by_hand = SLIC(channel_weights=[1, 4, 4] + 8 * [16], **shared)
    learned = {
        name: (
            features_of_name("scattering"),
            TrainableSLIC(classifier=make_distance_net(n_layers), random_state=0, **shared),
        )
        for name, n_layers in (("one layer", 1), ("three layers", 3))
    }
    return {
        "SLIC": (LabFeatures(), SLIC(**shared)),
        "by hand": (features_by_hand(), by_hand),
        **learned,
    }


def compare(name, train, test, n_jobs):
    """Score all methods on one kind of images."""
    rows, wanted = {}, COMPACTNESS
    for method, (features, model) in methods(SIZES.get(name, 16), n_jobs).items():
        start = perf_counter()
        features.fit(train[0])
        model.fit(features.transform(train[0]), train[1])
        seconds = perf_counter() - start
        # Features are computed once, not again for every compactness that is tried.
        images = [np.asarray(each) for each in features.transform(test[0])]
        reached = match_compactness(model, images, wanted)
        if method == "SLIC":  # the first one; all others are made as compact
            wanted = reached
        report = superpixel_report(test[1], model.transform(images), tolerance=TOLERANCE)
        rows[method] = report.mean()[list(SCORES)].rename(SCORES)
        rows[method]["seconds"] = seconds
    table = pd.DataFrame(rows).T
    table.insert(1, "to SLIC", table["UE"] / table.loc["SLIC", "UE"])
    return table


def main():
    """Compare the methods on the folders that are given."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", help="folders of images and labels")
    parser.add_argument("--limit", type=int, help="maximum number of images to fit and to score")
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--output", type=Path, help="CSV file to write")
    arguments = parser.parse_args()
    tables = {}
    for folder in arguments.folders:
        table = compare(folder.name, *load(folder, arguments.limit), arguments.n_jobs)
        tables[folder.name] = table
        print(f"{folder.name}\n{table.round(4).to_string()}", flush=True)
    table = pd.concat(tables, names=["images", "method"])
    ratios = table["to SLIC"].unstack()[list(table.index.unique("method"))]
    print(f"UE, as a fraction of SLIC's\n{ratios.round(3).to_string()}")
    print(f"mean\n{ratios.mean().round(3).to_string()}")
    if arguments.output is not None:
        table.to_csv(arguments.output)


if __name__ == "__main__":
    main()
