"""Fit the methods, match their compactness and score them; every step is cached."""

from time import perf_counter

import numpy as np
import pandas as pd
from data import concatenate, evenly_spaced, load
from joblib import Parallel, delayed
from methods import METHODS, extract, make_estimator
from results import cached, key_of

from sksuperpixel import TrainableSLIC, match_compactness
from sksuperpixel.metrics import superpixel_report

# All methods are compared at the compactness of the paper's SLIC.
COMPACTNESS = 0.324
# An edge counts as found if a superpixel edge lies within this many pixels. At 256 x 256, the
# 3 x 3 square comes closest to the paper's recall; at full size, 2 pixels are usual.
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
# The settings that the manual tuning tries: features, weight of a and b, weight of each
# scattering map.
TRIED_BY_HAND = [
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


def model_path(settings, names, arguments):
    """Return the path where a method fitted on the images of these names is cached."""
    return arguments.cache / f"model-{key_of(settings=settings, train=names)}.safetensors"


def fit_and_save(settings, train, path):
    """Fit a learned method and save it."""
    start = perf_counter()
    images, segmentations, _ = train
    make_estimator(settings).fit(extract(settings, images), segmentations).save(path)
    print(f"  fitted in {perf_counter() - start:.0f} s", flush=True)


def fit_missing(pairs, arguments):
    """Fit those of the (settings, training set) pairs that are not cached, in parallel."""
    missing = {}
    for settings, train in pairs:
        path = model_path(settings, train[2], arguments)
        if "network" in settings and not path.exists():
            missing[path] = settings, train
    Parallel(n_jobs=arguments.n_jobs)(
        delayed(fit_and_save)(*pair, path) for path, pair in missing.items()
    )


def fitted_model(settings, train, arguments):
    """Return a method fitted on a data set, from the cache where possible."""
    if "network" not in settings:
        return make_estimator(settings, arguments.n_jobs).fit(extract(settings, train[0][:1]))
    fit_missing([(settings, train)], arguments)
    model = TrainableSLIC.load(model_path(settings, train[2], arguments))
    return model.set_params(n_jobs=arguments.n_jobs)


def matched_model(settings, train, test, arguments):
    """Return a fitted method with its compactness matched on the test images, and their features.

    SLIC is matched to ``COMPACTNESS``, and every other method to SLIC. The ground truth of the
    test images is not used.
    """
    model = fitted_model(settings, train, arguments)
    features = extract(settings, test[0])
    slic = METHODS["SLIC"] | {name: settings[name] for name in ("grey",) if name in settings}
    if settings == slic:
        match_compactness(model, [np.asarray(each) for each in features], COMPACTNESS, tol=0.001)
    elif settings.get("matched", True):
        # A classification network takes more than a second per image.
        n_max = 25 if settings.get("network") == "classification" else 100
        sample = evenly_spaced(features, n_max)
        # SLIC's compactness on the same images is the target.
        wanted = evaluate(slic, train, test, arguments)["CO"].iloc[sample].mean()
        match_compactness(model, [np.asarray(features[i]) for i in sample], wanted)
    return model, features


def model_of_scores(settings, train, table, arguments):
    """Return the fitted method with the compactness it had when a table of scores was made."""
    value = float(table["parameter"].iloc[0])
    return fitted_model(settings, train, arguments).set_params(compactness=value)


def score(segmentations, superpixels, names, arguments, tolerance=TOLERANCES["small"]):
    """Score the superpixels of every image, one row per image."""
    rows = Parallel(n_jobs=arguments.n_jobs)(
        delayed(superpixel_report)([truth], [labels], tolerance=tolerance)
        for truth, labels in zip(segmentations, superpixels, strict=True)
    )
    table = pd.concat(rows, ignore_index=True)[list(SCORES)].rename(columns=SCORES)
    table.insert(0, "image", names)
    return table


def evaluate(settings, train, test, arguments):
    """Fit a method on one data set, match its compactness on another, and score that one."""
    _, segmentations, names = test

    def compute():
        model, features = matched_model(settings, train, test, arguments)
        table = score(segmentations, model.transform(features), names, arguments)
        return table.assign(parameter=model.compactness)

    parts = {"settings": settings, "train": train[2], "test": names, "wanted": COMPACTNESS}
    return cached(arguments.cache, "scores", parts, compute)


def tune_by_hand(data, arguments):
    """Return the settings of ``TRIED_BY_HAND`` with the lowest undersegmentation error."""
    tried = []
    for features, colour, texture in TRIED_BY_HAND:
        settings = {"features": features, "weights": [1, colour, colour] + 8 * [texture]}
        tried.append((evaluate(settings, data, data, arguments)["UE"].mean(), settings))
    _, settings = min(tried, key=lambda each: each[0])
    print(f"By hand: {settings}", flush=True)
    return settings


def load_all(arguments):
    """Load training and validation images as one data set, and test images; complete the methods.

    The manual tuning is the best of ten settings on training and validation images.
    """
    train, val, test = (load(arguments, subset) for subset in ("train", "val", "test"))
    known = concatenate(train, val)
    return known, test, {**METHODS, "manual tuning": tune_by_hand(known, arguments)}
