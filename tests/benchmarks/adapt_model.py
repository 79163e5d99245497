"""
Adapt the pretrained model to images of another kind
====================================================

Does a model of photographs help with other images, and how much does it gain from ground truth
of these images?

This script compares plain SLIC, the pretrained model, and the same model after ``fit`` on images
of the kind at hand, at two speeds: ``fit`` either learns the weights of the features or goes on
training the features. All are equally compact, and are scored on images that ``fit`` has not seen:

- nuclei under microscopes (a folder with ``images`` and ``labels``), superpixels of size 8: the
  model is fitted on a random half of the images and scored on every third image of the rest;
- street scenes (CamVid in SegNet's version), 600 superpixels: the model is fitted on the training
  frames and scored on the validation frames.

    python tests/benchmarks/adapt_model.py --nuclei nuclei --camvid camvid

With ``--only-weights``, features are not trained, which takes most of the time.
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split

from sksuperpixel import SLIC, LabelMaker, TrainableSLIC, match_compactness
from sksuperpixel.datasets import load_camvid, load_image_folder
from sksuperpixel.metrics import compactness, superpixel_report

SCORES = {
    "undersegmentation_error": "UE",
    "achievable_segmentation_accuracy": "ASA",
    "boundary_recall": "Rec",
    "mean_distance_to_edge": "MDE",
    "compactness": "CO",
    "n_superpixels": "K",
}
# The superpixels of each kind of images, and how to train on it: the crops are no larger than the
# images, and the sizes to train at lie around the size wanted.
SETTINGS = {
    "nuclei": (
        {"superpixel_size": 8},
        {"superpixel_sizes": (4, 12), "crop_size": 128, "max_epochs": 30},
    ),
    "camvid": ({"n_segments": 600}, {"ignore_label": 11, "max_epochs": 9}),
}


def load_nuclei(folder, limit):
    """Load nuclei.

    Returns
    -------
    train, test : tuples of (images, segmentations)
    ignore_label : None
    """
    data = load_image_folder(folder / "images", folder / "labels")
    train, test = train_test_split(np.arange(len(data.images)), test_size=0.5, random_state=0)
    parts = []
    for index in (train[:limit], test[::3][:limit]):
        images = [np.asarray(data.images[i])[..., :3] for i in index]
        parts.append((images, [np.asarray(data.segmentations[i]) for i in index]))
    return *parts, None


def load_streets(folder, limit):
    """Load street scenes.

    Returns
    -------
    train, test : tuples of (images, segmentations)
    ignore_label : int
    """
    parts = []
    for subset in ("train", "val"):
        data = load_camvid(folder, subset)
        parts.append((list(data.images[:limit]), list(data.segmentations[:limit])))
    return *parts, 11


def segment(model, images, wanted=None):
    """Segment images with a model, after matching its compactness on the same images if wanted."""
    features = [np.asarray(each) for each in model.features_.transform(images)]
    # The features are computed once, not again for every compactness that is tried.
    slic = model.to_slic() if isinstance(model, TrainableSLIC) else model
    slic = slic.set_params(features="passthrough").fit(features)
    if wanted is not None:
        match_compactness(slic, features, wanted, tol=0.002)
    return slic.transform(features)


def score(segmentations, superpixels, ignore_label):
    """Compute the mean scores of superpixels, under their short names."""
    report = superpixel_report(segmentations, superpixels, ignore_label=ignore_label)
    return report.mean()[list(SCORES)].rename(SCORES)


def pretrained(size, train_features=False):
    """Load the pretrained model, for superpixels of a size."""
    model = TrainableSLIC.from_pretrained("bsds500", train_features=train_features)
    return model.set_params(**size)


def compare(name, train, test, ignore_label, precision, only_weights=False):
    """Score plain SLIC, the pretrained model, and this model fitted at one or both speeds."""
    size, training = SETTINGS[name]
    images, segmentations = test
    found = {"SLIC": segment(SLIC(**size).fit(train[0][:1]), images)}
    wanted = compactness(found["SLIC"])
    found["bsds500"] = segment(pretrained(size), images, wanted)
    label_maker = LabelMaker(ignore_label=ignore_label)
    training = {"precision": precision, **training}
    training = {f"features__{key}": value for key, value in training.items()}
    speeds = [
        ("weights fitted", False, {"label_maker": label_maker}),
        ("features fitted", True, {**training, "features__random_state": 0}),
    ]
    for label, train_features, params in speeds[: 1 if only_weights else 2]:
        model = pretrained(size, train_features).set_params(random_state=0, **params)
        start = perf_counter()
        model.fit(*train)
        print(f"{name}, {label}: {perf_counter() - start:.0f} s", flush=True)
        found[f"bsds500, {label}"] = segment(model, images, wanted)
    rows = {label: score(segmentations, each, ignore_label) for label, each in found.items()}
    return pd.DataFrame(rows).T


def main():
    """Compare the methods on the data sets that are given."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n")[1])
    parser.add_argument("--nuclei", type=Path, help="folder of images and labels")
    parser.add_argument("--camvid", type=Path, help="folder of CamVid")
    parser.add_argument("--limit", type=int, help="maximum number of images to fit and to score")
    parser.add_argument("--only-weights", action="store_true", help="do not train features")
    parser.add_argument("--precision", default="bfloat16", help="float32 or bfloat16")
    parser.add_argument("--output", type=Path, help="CSV file to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    tables = {}
    for name, load in (("nuclei", load_nuclei), ("camvid", load_streets)):
        folder = getattr(arguments, name)
        if folder is not None:
            parts = load(folder, arguments.limit)
            tables[name] = compare(name, *parts, arguments.precision, arguments.only_weights)
            print(f"{name}\n{tables[name].round(4).to_string()}", flush=True)
    if arguments.output is not None:
        pd.concat(tables, names=["images", "method"]).to_csv(arguments.output)


if __name__ == "__main__":
    main()
