"""
Search the parameters of learned superpixels
============================================

How hard should the pixels to learn from be, and among how many clusters should a pixel choose?

Three parameters of :class:`~sksuperpixel.TrainableSLIC` matter most:

- X (``label_maker__min_segments``): the network learns from a pixel only if its candidate
  clusters lie in at least X segments;
- Q (``n_candidates``): the number of candidate clusters of each pixel;
- the compactness (``compactness``).

``GridSearchCV`` tries all combinations. Each fold holds out one scene, which has its own
combination of textures. The scattering features of each image are computed once and cached in a
folder.

This example needs matplotlib (``pip install matplotlib``).
"""

import argparse
import tempfile
import time
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline

from sksuperpixel import ChannelUnion, LabelMaker, LabFeatures, TrainableSLIC
from sksuperpixel.datasets import make_texture_mosaics
from sksuperpixel.features import ScatteringFeatures
from sksuperpixel.metrics import SCORERS
from sksuperpixel.networks import make_distance_net

TEXTURES = ("brick", "grass", "gravel", "immunohistochemistry")
METRICS = ("neg_undersegmentation_error", "boundary_recall", "compactness")


def make_scenes(n_images):
    """Make mosaics of four scenes; the groups are the numbers of the scenes.

    Each scene has a different choice of three of the four textures.
    """
    images, segmentations, groups = [], [], []
    for scene, sources in enumerate(combinations(TEXTURES, 3)):
        data = make_texture_mosaics(
            n_images, image_shape=(96, 96), sources=list(sources), random_state=scene
        )
        images += list(data.images)
        segmentations += list(data.segmentations)
        groups += [scene] * n_images
    return images, segmentations, groups


def make_pipeline(folder):
    """Chain features of colour and texture with a learned distance."""
    features = ChannelUnion(
        [
            ("lab", LabFeatures()),
            ("texture", ScatteringFeatures(channels="lightness", max_order=1, memory=folder)),
        ]
    )
    slic = TrainableSLIC(
        superpixel_size=12,
        features="passthrough",
        label_maker=LabelMaker(),
        classifier=make_distance_net(n_layers=3, max_epochs=10),
        n_pixels_per_image=500,
        random_state=0,
    )
    return Pipeline([("features", features), ("slic", slic)])


def plot(results, path):
    """Draw the error against the compactness of the superpixels, one line per X and Q."""
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for (x, q), line in results.groupby(["X", "Q"]):
        style = {"marker": "o" if x == 2 else "s", "linestyle": "-" if x == 2 else "--"}
        axes.plot(line["CO"], line["UE"], color=f"C{q // 4}", label=f"X = {x}, Q = {q}", **style)
        for _, point in line.iterrows():
            place = (point["CO"], point["UE"])
            axes.annotate(f"{point['compactness']:g}", place, (4, 4), textcoords="offset points")
    axes.set(
        xlabel="compactness of superpixels (CO)",
        ylabel="undersegmentation error (UE)",
        title="Scenes held out; the numbers are the parameter compactness",
    )
    axes.legend()
    figure.savefig(path, dpi=120)


def main():
    """Search, print the table and save the plot."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--output", type=Path, default=Path("parameters.png"))
    parser.add_argument("--n-images", type=int, default=4, help="mosaics per scene")
    parser.add_argument("--n-jobs", type=int, default=2)
    arguments = parser.parse_args()

    images, segmentations, groups = make_scenes(arguments.n_images)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        search = GridSearchCV(
            make_pipeline(folder),
            {
                "slic__label_maker__min_segments": [2, 3],
                "slic__n_candidates": [5, 9],
                "slic__compactness": [3, 10, 30],
            },
            scoring={name: SCORERS[name] for name in METRICS},
            refit="neg_undersegmentation_error",
            cv=GroupKFold(4),
            n_jobs=arguments.n_jobs,
            error_score="raise",
        ).fit(images, segmentations, groups=groups)
    found = search.cv_results_
    results = pd.DataFrame(
        {
            "X": np.asarray(found["param_slic__label_maker__min_segments"], int),
            "Q": np.asarray(found["param_slic__n_candidates"], int),
            "compactness": np.asarray(found["param_slic__compactness"], float),
            "UE": -found["mean_test_neg_undersegmentation_error"],
            "recall": found["mean_test_boundary_recall"],
            "CO": found["mean_test_compactness"],
        }
    )
    print(results.sort_values("UE").round(4).to_string(index=False))
    print(f"{len(results)} settings x 4 folds: {time.perf_counter() - start:.0f} s")
    print("Best:", search.best_params_)
    plot(results, arguments.output)
    print(f"Saved {arguments.output}")


if __name__ == "__main__":
    main()
