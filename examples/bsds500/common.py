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

from sksuperpixel import ChannelUnion, LabFeatures
from sksuperpixel.datasets import load_bsds500
from sksuperpixel.features import ENetFeatures, ScatteringFeatures

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


def parse(description, output):
    """Read the arguments that all scripts have."""
    parser = argparse.ArgumentParser(description=description.strip().split("\n\n")[0])
    parser.add_argument("--data", required=True, help="folder of BSDS500")
    parser.add_argument("--limit", type=int, help="use at most so many images of each subset")
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path("bsds500_results"))
    parser.add_argument("--output", type=Path, default=Path("bsds500_results") / output)
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
    """Images, segmentations and names of a subset, at 256 x 256 or as they are."""
    data = load_bsds500(root, subset=subset)
    n_images = len(data.images) if limit is None else min(limit, len(data.images))
    pairs = [(data.images[i], data.segmentations[i]) for i in range(n_images)]
    if small:
        pairs = Parallel(n_jobs=2)(delayed(shrink)(*pair) for pair in pairs)
    images, segmentations = (list(each) for each in zip(*pairs, strict=True))
    return images, segmentations, list(data.image_ids[:n_images])


def texture(J, max_order=1, channels="lightness"):
    """Scattering without the blurred image."""
    return ScatteringFeatures(
        J=J, max_order=max_order, channels=channels, select=lambda each: each.order > 0
    )


# Transformers by name, and the weights that SLIC's distance starts from with them.
FEATURES = {
    "lab": (lambda: [("lab", LabFeatures())], [1, 1, 1]),
    "smooth": (lambda: [("lab", LabFeatures(sigma=0.7))], [1, 2, 2]),
    "scattering": (
        lambda: [("lab", LabFeatures(sigma=0.7)), ("texture", texture(1))],
        [1, 2, 2] + 8 * [16],
    ),
    "enet": (
        lambda: [("lab", LabFeatures(sigma=0.7)), ("enet", ENetFeatures())],
        [1, 2, 2] + 16 * [1],
    ),
}
FEATURE_WEIGHTS = {"texture": 100, "enet": 10}


def extract(name, images):
    """Features of images by the name of their transformers."""
    if name == "lab":
        return [np.asarray(each) for each in LabFeatures().fit_transform(images)]
    parts, _ = FEATURES[name]
    parts = parts()
    weights = {part: FEATURE_WEIGHTS[part] for part, _ in parts if part in FEATURE_WEIGHTS}
    union = ChannelUnion(parts, transformer_weights=weights).fit(images)
    return [np.asarray(each) for each in union.transform(images)]
