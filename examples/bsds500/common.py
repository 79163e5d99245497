"""What the scripts of this folder share: data, methods, kept results, tables.

Whatever takes long (a fitted model, the scores of a method) is kept in a folder under a key of
all it depends on. A script that was stopped goes on where it was, and one that is run again
takes seconds.
"""

import argparse
import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from skimage.transform import resize

from sksuperpixel import (
    SLIC,
    ChannelUnion,
    LabelMaker,
    LabFeatures,
    TrainableSLIC,
    match_compactness,
)
from sksuperpixel.datasets import load_bsds500
from sksuperpixel.features import ScatteringFeatures
from sksuperpixel.metrics import superpixel_report
from sksuperpixel.networks import make_classification_net, make_distance_net

# Part of every key: to be raised when a change of the library changes results.
VERSION = 1
SHAPE = (256, 256)
SCORES = {
    "achievable_iou": "IoU",
    "boundary_recall": "Rec",
    "mean_distance_to_edge": "MDE",
    "undersegmentation_error": "UE",
    "compactness": "CO",
    "achievable_segmentation_accuracy": "ASA",
    "n_superpixels": "K",
}


def parse(description, output, folds=False, peers=False):
    """Read the arguments that all scripts have."""
    parser = argparse.ArgumentParser(description=description.strip().split("\n\n")[0])
    parser.add_argument("--data", required=True, help="folder of BSDS500")
    parser.add_argument("--limit", type=int, help="use at most so many images of each subset")
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path("bsds500_results"))
    parser.add_argument("--output", type=Path, default=Path("bsds500_results") / output)
    if folds:
        parser.add_argument("--folds", action="store_true", help="also on all images, by folds")
    if peers:
        parser.add_argument("--peers", type=Path, help="folder of published label maps")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    return arguments


def key_of(**parts):
    """Name what a result depends on."""
    text = json.dumps({"version": VERSION, **parts}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def kept(folder, name, parts, compute):
    """Read a table of results, or compute it and keep it."""
    path = folder / f"{name}-{key_of(**parts)}.csv"
    if not path.exists():
        start = perf_counter()
        table = compute()
        partial_path = path.with_suffix(".part")
        table.to_csv(partial_path, index=False)
        os.replace(partial_path, path)
        print(f"  {name}: {perf_counter() - start:.0f} s", flush=True)
    return pd.read_csv(path)


def shrink(image, segmentation):
    """Resize an image bilinearly and its segmentations to the nearest pixel."""
    small = np.round(255 * resize(image, SHAPE, order=1, anti_aliasing=False)).astype(np.uint8)
    nearest = [
        resize(each, SHAPE, order=0, anti_aliasing=False, preserve_range=True)
        for each in segmentation
    ]
    return small, np.stack(nearest).astype(np.int32)


@lru_cache
def load(root, subset, limit=None, small=True):
    """Load images, segmentations and names of a subset, at 256 x 256 or as they are."""
    data = load_bsds500(root, subset=subset)
    n_images = len(data.images) if limit is None else min(limit, len(data.images))
    pairs = [(data.images[i], data.segmentations[i]) for i in range(n_images)]
    if small:
        pairs = Parallel(n_jobs=2)(delayed(shrink)(*pair) for pair in pairs)
    images, segmentations = (list(each) for each in zip(*pairs, strict=True))
    return images, segmentations, list(data.image_ids[:n_images])


# Scattering of the finest scale, without the blurred image.
TEXTURE = ScatteringFeatures(
    J=1, max_order=1, channels="lightness", select=lambda each: each.order > 0
)
# Transformers by name, and the weights that SLIC's distance starts from with them.
FEATURES = {
    "lab": ([("lab", LabFeatures())], 3 * [1]),
    "scattering": (
        [("lab", LabFeatures(sigma=0.7)), ("texture", TEXTURE)],
        [1, 2, 2] + 8 * [16],
    ),
}
# Lightness goes up to 100, but scattering is of lightness in [0, 1].
FEATURE_WEIGHTS = {"texture": 100}

# The methods of Table I: which features, what is taught, and to what.
METHODS = {
    "SLIC": {"features": "lab"},
    "manual tuning": {"features": "scattering"},
    "classification, corrected, X = 3": {
        "features": "scattering",
        "network": "classification",
        "label_maker": {"strategy": "slic", "min_segments": 3},
        "n_candidates": 7,
    },
    "classification, weak, X = 6": {
        "features": "scattering",
        "network": "classification",
        "label_maker": {"strategy": "nearest", "min_segments": 6},
        "n_candidates": 7,
    },
    "one layer": {
        "features": "scattering",
        "network": 1,
        "label_maker": {"min_segments": 2, "targets": "set"},
        "n_candidates": 5,
    },
    "three layers": {
        "features": "scattering",
        "network": 3,
        "label_maker": {"min_segments": 2, "targets": "set"},
        "n_candidates": 5,
    },
}


@lru_cache(maxsize=2)
def extractor(name):
    """Build features by name; none of them learns from images."""
    parts, _ = FEATURES[name]
    weights = {part: FEATURE_WEIGHTS[part] for part, _ in parts if part in FEATURE_WEIGHTS}
    return ChannelUnion(parts, transformer_weights=weights).fit([np.zeros((*SHAPE, 3), np.uint8)])


def extract(name, images):
    """Compute features of images, by name."""
    return [np.asarray(each) for each in extractor(name).transform(images)]


def make_estimator(settings, n_jobs=1):
    """Build a method, not fitted, on features that are given."""
    _, weights = FEATURES[settings["features"]]
    weights = settings.get("weights", weights)
    if "network" not in settings:
        return SLIC(features="passthrough", channel_weights=weights, n_jobs=n_jobs)
    if settings["network"] == "classification":
        net = make_classification_net(settings["n_candidates"])
    else:
        net = make_distance_net(settings["network"], lr=0.01)
    return TrainableSLIC(
        features="passthrough",
        initial_weights=weights,
        n_candidates=settings["n_candidates"],
        label_maker=LabelMaker(**settings["label_maker"]),
        classifier=net,
        n_pixels_per_image=settings.get("n_pixels", 300),
        n_jobs=n_jobs,
        random_state=0,
    )


def fitted(settings, train, arguments):
    """Fit a method on (images, segmentations, names), or read the model from its file."""
    images, segmentations, names = train
    estimator = make_estimator(settings, arguments.n_jobs)
    if isinstance(estimator, SLIC):
        return estimator.fit(extract(settings["features"], images[:1]))
    path = arguments.cache / f"model-{key_of(settings=settings, train=names)}.safetensors"
    if not path.exists():
        start = perf_counter()
        estimator.fit(extract(settings["features"], images), segmentations).save(path)
        print(f"  fitted in {perf_counter() - start:.0f} s", flush=True)
    return TrainableSLIC.load(path).set_params(n_jobs=arguments.n_jobs)


def score(segmentations, superpixels, names, n_jobs):
    """Score each image, a row each."""
    rows = Parallel(n_jobs=n_jobs)(
        delayed(superpixel_report)([truth], [labels])
        for truth, labels in zip(segmentations, superpixels, strict=True)
    )
    table = pd.concat(rows, ignore_index=True)[list(SCORES)].rename(columns=SCORES)
    table.insert(0, "image", names)
    return table


def evaluate(settings, train, test, wanted, arguments):
    """Fit on some images, match the compactness on others, and score those image by image."""
    images, segmentations, names = test

    def compute():
        estimator = fitted(settings, train, arguments)
        features = extract(settings["features"], images)
        if wanted is not None and settings.get("network") != "classification":
            # No ground truth is looked at for this. A classification network knows distances of
            # the size it was trained on only: it is as compact as it came out.
            match_compactness(estimator, features[:: max(1, len(images) // 100)], wanted)
        table = score(segmentations, estimator.transform(features), names, arguments.n_jobs)
        table["parameter"] = estimator.compactness
        return table

    parts = {"settings": settings, "train": train[2], "test": names, "wanted": wanted}
    return kept(arguments.cache, "scores", parts, compute)
