"""What the scripts of this folder share: data, methods, kept results, scores.

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
from joblib import Memory, Parallel, delayed
from PIL import Image
from skimage.color import rgb2gray
from skimage.transform import resize

import sksuperpixel
from sksuperpixel import (
    SLIC,
    ChannelUnion,
    LabelMaker,
    LabFeatures,
    TrainableSLIC,
    match_compactness,
)
from sksuperpixel.datasets import load_bsds500
from sksuperpixel.features import ENetFeatures, ScatteringFeatures
from sksuperpixel.metrics import superpixel_report
from sksuperpixel.networks import make_classification_net, make_distance_net

# Part of every key: to be raised when a change of the library or of this module changes results,
# for a key has the settings of a method, but not what they stand for.
VERSION = 2
SHAPE = (256, 256)
# How compact the superpixels of every method are to be: as the paper's SLIC.
COMPACTNESS = 0.324
# Regions smaller than this share of a grid cell join a neighbour: as many superpixels are left,
# in the mean, as the grid has cells.
MIN_SIZE_FACTOR = 0.35
# Borders count as found within this many pixels: the square of 3 x 3 comes nearest to the paper,
# and 2 is what is usual at full size.
TOLERANCES = {"small": 1, "native": 2}
SCORES = {
    "achievable_iou": "IoU",
    "boundary_recall": "Rec",
    "mean_distance_to_edge": "MDE",
    "undersegmentation_error": "UE",
    "compactness": "CO",
    "achievable_segmentation_accuracy": "ASA",
    "n_superpixels": "K",
}


# The pretrained model, for the keys of what is kept.
MODEL = hashlib.sha256(
    (Path(sksuperpixel.__file__).parent / "models" / "bsds500.safetensors").read_bytes()
).hexdigest()


def parse(description, **switches):
    """Read the arguments that all scripts have, and the settings of `switches`."""
    parser = argparse.ArgumentParser(description=description.strip().split("\n\n")[0])
    parser.add_argument("--data", required=True, help="folder of BSDS500")
    parser.add_argument("--results", type=Path, default=Path("bsds500_results"))
    limit_help = "use at most so many images of each subset; results go to a folder beside"
    parser.add_argument("--limit", type=int, help=limit_help)
    parser.add_argument("--n-jobs", type=int, default=2)
    for name, settings in switches.items():
        parser.add_argument(f"--{name}", **settings)
    arguments = parser.parse_args()
    # For a script that runs others.
    arguments.shared = ["--data", arguments.data, "--results", arguments.results]
    arguments.shared += ["--n-jobs", str(arguments.n_jobs)]
    if arguments.limit is not None:
        arguments.shared += ["--limit", str(arguments.limit)]
        name = f"{arguments.results.name}_{arguments.limit}"
        arguments.results = arguments.results.with_name(name)
    arguments.cache = arguments.results / "cache"
    arguments.cache.mkdir(parents=True, exist_ok=True)
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
    return small, np.stack(nearest).astype(np.int16)


def load_pairs(root, subset, limit, small, n_jobs, version=VERSION):
    """Load the images and segmentations of a subset, at 256 x 256 or as they are, and names."""
    data = load_bsds500(root, subset=subset)
    pairs = list(zip(data.images[:limit], data.segmentations[:limit], strict=True))
    if small:
        pairs = Parallel(n_jobs=n_jobs)(delayed(shrink)(*pair) for pair in pairs)
    images, segmentations = (list(each) for each in zip(*pairs, strict=True))
    return images, segmentations, list(data.image_ids[:limit])


@lru_cache
def memory(folder):
    """Keep what functions give in a folder."""
    return Memory(folder, verbose=0)


def load(arguments, subset, small=True):
    """Load (images, segmentations, names) of a subset; small ones are kept."""
    read = memory(arguments.cache).cache(load_pairs, ignore=["n_jobs"]) if small else load_pairs
    return read(arguments.data, subset, arguments.limit, small, arguments.n_jobs)


def both(first, second):
    """Put two subsets together."""
    return tuple(a + b for a, b in zip(first, second, strict=True))


def part(data, index):
    """Take some of the images of a data set."""
    return tuple([each[i] for i in index] for each in data)


# Scattering of the finest scale, without the blurred image.
TEXTURE = ScatteringFeatures(
    J=1, max_order=1, channels="lightness", select=lambda each: each.order > 0
)
# Transformers by name, and the weights that SLIC's distance starts from with them.
FEATURES = {
    "lab": ([("lab", LabFeatures())], 3 * [1]),
    "scattering": (
        [("lab", LabFeatures(sigma=0.7)), ("texture", TEXTURE)],
        [1, 4, 4] + 8 * [16],
    ),
    # For the manual tuning: colour that is smoothed less.
    "scattering, sharp": (
        [("lab", LabFeatures(sigma=0.5)), ("texture", TEXTURE)],
        [1, 4, 4] + 8 * [16],
    ),
    # Those of Table II. Labels are those of SLIC on colour: what else there is weighs nothing.
    "all scattering": (
        [("lab", LabFeatures()), ("texture", ScatteringFeatures(channels="lightness"))],
        3 * [1] + 81 * [0],
    ),
    "ENet": ([("lab", LabFeatures()), ("enet", ENetFeatures())], 3 * [1] + 16 * [0]),
}
# Lightness goes up to 100, but scattering is of lightness in [0, 1], and so are ENet's maps.
FEATURE_WEIGHTS = {"texture": 100, "enet": 10}

_NETWORK = {"features": "scattering", "n_candidates": 7, "n_pixels": 600, "spread": 2.0}
# The methods of Table I: which features, what is taught, and to what.
METHODS = {
    "SLIC": {"features": "lab"},
    "manual tuning": {"features": "scattering"},
    "classification, corrected, X = 3": {
        **_NETWORK,
        "network": "classification",
        "label_maker": {"strategy": "slic", "min_segments": 3},
    },
    # Taught the nearest in space, it is as compact as it comes out, whatever it is told.
    "classification, weak, X = 6": {
        **_NETWORK,
        "network": "classification",
        "label_maker": {"strategy": "nearest", "min_segments": 6},
        "matched": False,
    },
    "one layer": {
        **_NETWORK,
        "network": 1,
        "label_maker": {"strategy": "slic", "min_segments": 2},
        "n_candidates": 5,
        "spread": 1.0,
    },
    "three layers": {
        **_NETWORK,
        "network": 3,
        "label_maker": {"strategy": "slic", "min_segments": 2},
        "n_pixels": 1000,
    },
}


@lru_cache(maxsize=4)
def extractor(name, is_grey):
    """Build features by name; none of them learns from images."""
    parts, _ = FEATURES[name]
    weights = {part: FEATURE_WEIGHTS[part] for part, _ in parts if part in FEATURE_WEIGHTS}
    blank = np.zeros(SHAPE if is_grey else (*SHAPE, 3), np.uint8)
    return ChannelUnion(parts, transformer_weights=weights).fit([blank])


def extract(settings, images):
    """Give the features that a method compares pixels by, computed when asked for."""
    is_grey = settings.get("grey", False)
    if is_grey:
        images = [np.round(255 * rgb2gray(each)).astype(np.uint8) for each in images]
    return extractor(settings["features"], is_grey).transform(images)


def make_estimator(settings, n_jobs=1):
    """Build a method, not fitted, on features that are given."""
    _, weights = FEATURES[settings["features"]]
    weights = settings.get("weights", weights)
    shared = {
        "features": "passthrough",
        "min_size_factor": MIN_SIZE_FACTOR,
        "n_jobs": n_jobs,
    }
    if "network" not in settings:
        return SLIC(channel_weights=weights, **shared)
    if settings["network"] == "classification":
        net = make_classification_net(settings["n_candidates"])
    else:
        net = make_distance_net(settings["network"], lr=0.01)
    return TrainableSLIC(
        initial_weights=weights,
        n_candidates=settings["n_candidates"],
        label_maker=LabelMaker(**settings["label_maker"]),
        classifier=net,
        n_pixels_per_image=settings["n_pixels"],
        compactness_spread=settings["spread"],
        random_state=0,
        **shared,
    )


def model_path(settings, names, arguments):
    """Tell where a method fitted on images of these names is kept."""
    return arguments.cache / f"model-{key_of(settings=settings, train=names)}.safetensors"


def fit_and_keep(settings, train, path):
    """Fit a learned method on (images, segmentations, names) and write its file."""
    start = perf_counter()
    images, segmentations, _ = train
    make_estimator(settings).fit(extract(settings, images), segmentations).save(path)
    print(f"  fitted in {perf_counter() - start:.0f} s", flush=True)


def fit_missing(pairs, arguments):
    """Fit those methods of (settings, train) that are not kept, side by side."""
    missing = {}
    for settings, train in pairs:
        path = model_path(settings, train[2], arguments)
        if "network" in settings and not path.exists():
            missing[path] = settings, train
    Parallel(n_jobs=arguments.n_jobs)(
        delayed(fit_and_keep)(*pair, path) for path, pair in missing.items()
    )


def fitted(settings, train, arguments):
    """Give a method fitted on (images, segmentations, names), from its file if there is one."""
    if "network" not in settings:
        return make_estimator(settings, arguments.n_jobs).fit(extract(settings, train[0][:1]))
    fit_missing([(settings, train)], arguments)
    model = TrainableSLIC.load(model_path(settings, train[2], arguments))
    return model.set_params(n_jobs=arguments.n_jobs)


def sampled(images, most):
    """Take at most so many images, at equal steps."""
    return range(0, len(images), -(-len(images) // most))


def as_compact(settings, train, test, arguments):
    """Give a fitted method whose superpixels of other images are as compact as they should be.

    No ground truth of these images is looked at.
    """
    model = fitted(settings, train, arguments)
    features = extract(settings, test[0])
    slic = METHODS["SLIC"] | {name: settings[name] for name in ("grey",) if name in settings}
    if settings == slic:
        match_compactness(model, [np.asarray(each) for each in features], COMPACTNESS, tol=0.001)
    elif settings.get("matched", True):
        # A classification network takes more than a second an image.
        sample = sampled(features, 25 if settings.get("network") == "classification" else 100)
        # As compact as SLIC is on the very images that are looked at.
        wanted = evaluate(slic, train, test, arguments)["CO"].iloc[sample].mean()
        match_compactness(model, [np.asarray(features[i]) for i in sample], wanted)
    return model, features


def again(settings, train, table, arguments):
    """Give a fitted method as compact as it was when it got a table of scores."""
    value = float(table["parameter"].iloc[0])
    return fitted(settings, train, arguments).set_params(compactness=value)


def score(segmentations, superpixels, names, arguments, tolerance=TOLERANCES["small"]):
    """Score each image, a row each."""
    rows = Parallel(n_jobs=arguments.n_jobs)(
        delayed(superpixel_report)([truth], [labels], tolerance=tolerance)
        for truth, labels in zip(segmentations, superpixels, strict=True)
    )
    table = pd.concat(rows, ignore_index=True)[list(SCORES)].rename(columns=SCORES)
    table.insert(0, "image", names)
    return table


def evaluate(settings, train, test, arguments):
    """Fit on some images, match the compactness on others, and score those image by image."""
    _, segmentations, names = test

    def compute():
        model, features = as_compact(settings, train, test, arguments)
        table = score(segmentations, model.transform(features), names, arguments)
        return table.assign(parameter=model.compactness)

    parts = {"settings": settings, "train": train[2], "test": names, "wanted": COMPACTNESS}
    return kept(arguments.cache, "scores", parts, compute)


# What to try by hand: features, and the weights of a and b and of the scattering maps.
BY_HAND = [
    ("scattering", 2, 0),
    ("scattering", 1, 16),
    ("scattering", 2, 8),
    ("scattering", 2, 16),
    ("scattering", 4, 16),
    ("scattering, sharp", 2, 4),
    ("scattering, sharp", 2, 8),
    ("scattering, sharp", 3, 8),
    ("scattering, sharp", 4, 16),
    ("scattering, sharp", 6, 24),
]


def pick_by_hand(tuning, arguments):
    """Find the features and weights of the least undersegmentation error."""
    tried = []
    for features, colour, texture in BY_HAND:
        settings = {"features": features, "weights": [1, colour, colour] + 8 * [texture]}
        tried.append((evaluate(settings, tuning, tuning, arguments)["UE"].mean(), settings))
    _, settings = min(tried, key=lambda each: each[0])
    print(f"By hand: {settings}", flush=True)
    return settings


def load_all(arguments):
    """Load training and validation images together, and test images; name all methods.

    The manual tuning is the best of some settings on the former.
    """
    train, val, test = (load(arguments, subset) for subset in ("train", "val", "test"))
    known = both(train, val)
    return known, test, {**METHODS, "manual tuning": pick_by_hand(known, arguments)}


def read(folder, name):
    """Read one label map."""
    return np.asarray(Image.open(folder / f"{name}.png")).astype(np.int32)


def read_all(folder, names):
    """Read the label maps of all images."""
    return [read(folder, name) for name in names]


def published(folder):
    """Map the numbers asked for to the folders of a published method's label maps."""
    if folder is None or not folder.is_dir():
        return {}
    folders = sorted(folder.glob("K*"), key=lambda each: int(each.name[1:]))
    return {int(each.name[1:]): each for each in folders}


def slic_at(images, number, arguments):
    """Segment by our own SLIC."""
    return SLIC(n_segments=number, n_jobs=arguments.n_jobs).fit_transform(images)


def means(tables):
    """Mean scores of methods, a row each."""
    rows = {name: table.drop(columns="image").mean() for name, table in tables.items()}
    return pd.DataFrame(rows).T


def show(table, path, label="method"):
    """Print a table and write it."""
    print(table.round(4).to_string(), flush=True)
    table.to_csv(path, index_label=label)
