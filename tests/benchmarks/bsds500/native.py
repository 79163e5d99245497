"""
Beyond the paper: at full size, beside other methods
====================================================

How do these superpixels compare with those of other programs, at the same number of superpixels?

This script cuts the first 100 test images (for which label maps of other methods were published),
at their own size, into 200, 400, 600 and 900 superpixels. An edge counts as found if a superpixel
edge lies within two pixels, as is usual at this size. The label maps of published methods are read
from --peers, if given. scikit-image's slic, OpenCV's SLIC, LSC and SEEDS, and fast-slic run with
compactness 10 where they are installed.

The learned distances are fitted on training and validation images at their own size, for 600
superpixels and with nothing set by hand. Like SLIC, they cut the images finer first and then merge
superpixels by the same distance. Their compactness is matched to SLIC's with 600 superpixels. The
pretrained model is scored without any matching.

    python tests/benchmarks/bsds500/native.py --data BSDS500 --peers peers
"""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from data import concatenate, evenly_spaced, load, published_folders, read_label_maps
from evaluation import (
    TOLERANCES,
    fit_missing,
    fitted_model,
    load_all,
    model_of_scores,
    score,
)
from joblib import Parallel, delayed
from methods import extract, slic_superpixels
from results import MODEL_HASH, PEERS, cached, parse, print_and_save
from skimage.segmentation import slic as skimage_slic

from sksuperpixel import TrainableSLIC, match_compactness
from sksuperpixel.metrics import compactness

NUMBERS = (200, 400, 600, 900)
# The number for which distances are learned and compactness is matched.
N_LEARNED = 600
PUBLISHED = {"lnsnet": "LNSNet", "seal": "SEAL-ERS", "ssn": "SSN"}
OURS = ("manual tuning", "one layer", "three layers")
PRETRAINED = "pretrained (ours)"
# Part of the cache keys; increase it when a change of the library changes these results.
VERSION = 3
# The library's default, which the other scripts of this folder change.
AT_NUMBER = {"min_size_factor": 0.25}
# Colours that matplotlib does not use for the other methods.
OUR_COLOURS = ("black", "navy", "gold", "lime", "fuchsia")
PANELS = {
    "Rec": "boundary recall, 2 pixels",
    "UE": "undersegmentation error",
    "ASA": "achievable segmentation accuracy",
    "MDE": "mean distance to an edge (pixels)",
    "CO": "compactness",
}


def by_skimage(image, number):
    """Segment an image with scikit-image's slic."""
    return skimage_slic(image, n_segments=number, compactness=10, start_label=0)


def by_opencv(image, number, algorithm):
    """Segment an image with one of OpenCV's algorithms."""
    import cv2

    lab = cv2.cvtColor(np.ascontiguousarray(image[..., ::-1]), cv2.COLOR_BGR2LAB)
    size = round(np.sqrt(image.shape[0] * image.shape[1] / number))
    if algorithm == "SEEDS":
        height, width = image.shape[:2]
        result = cv2.ximgproc.createSuperpixelSEEDS(width, height, 3, number, 4)
        result.iterate(lab, 10)
        return result.getLabels()
    if algorithm == "LSC":
        result = cv2.ximgproc.createSuperpixelLSC(lab, size)
    else:
        result = cv2.ximgproc.createSuperpixelSLIC(lab, cv2.ximgproc.SLIC, size, 10.0)
    result.iterate(10)
    result.enforceLabelConnectivity(25)
    return result.getLabels()


def by_fast_slic(image, number):
    """Segment an image with fast-slic."""
    from fast_slic.avx2 import SlicAvx2

    labels = SlicAvx2(num_components=number, compactness=10).iterate(np.ascontiguousarray(image))
    return labels.astype(np.int32)


def other_programs():
    """Return functions of an image and a number for those programs that are installed."""
    found = {"scikit-image": by_skimage}
    try:
        from cv2 import ximgproc  # noqa: F401
    except ImportError:
        pass
    else:
        for name in ("SLIC", "LSC", "SEEDS"):
            found[f"OpenCV {name}"] = partial(by_opencv, algorithm=name)
    try:
        import fast_slic.avx2  # noqa: F401
    except ImportError:
        pass
    else:
        found["fast-slic"] = by_fast_slic
    return found


def native_parameter(settings, known, test, arguments):
    """Find the parameter that makes a method as compact as SLIC at 600 superpixels."""

    def compute():
        sample = [test[0][i] for i in evenly_spaced(test[0], 20)]
        model = fitted_model(settings, known, arguments)
        model.set_params(**AT_NUMBER, n_segments=N_LEARNED)
        wanted = compactness(slic_superpixels(sample, N_LEARNED, arguments.n_jobs))
        match_compactness(model, [np.asarray(each) for each in extract(settings, sample)], wanted)
        return pd.DataFrame({"parameter": [model.compactness]})

    parts = {"settings": settings, "train": known[2], "test": test[2], "own version": VERSION}
    return cached(arguments.cache, "parameter", parts, compute)


def segmenters(methods, known, test, arguments):
    """Return functions that segment all images, by method and number of superpixels."""
    images, _, names = test

    def by_program(program, number):
        return Parallel(arguments.n_jobs)(delayed(program)(image, number) for image in images)

    def by_model(settings, number):
        table = native_parameter(settings, known, test, arguments)
        model = model_of_scores(settings, known, table, arguments)
        return model.set_params(**AT_NUMBER, n_segments=number).transform(
            extract(settings, images)
        )

    def by_pretrained(number):
        model = TrainableSLIC.from_pretrained("bsds500")
        model.set_params(n_segments=number, n_jobs=arguments.n_jobs)
        return model.transform(images)

    found = {}
    for name, program in other_programs().items():
        found[name] = {number: partial(by_program, program, number) for number in NUMBERS}
    for name, label in PUBLISHED.items():
        folders = published_folders(arguments.peers, name)
        found[label] = {
            number: partial(read_label_maps, folder, names) for number, folder in folders.items()
        }
    found["SLIC (ours)"] = {
        number: partial(slic_superpixels, images, number, arguments.n_jobs) for number in NUMBERS
    }
    fit_missing([(methods[name], known) for name in OURS], arguments)
    for name in OURS:
        found[f"{name} (ours)"] = {
            number: partial(by_model, methods[name], number) for number in NUMBERS
        }
    found[PRETRAINED] = {number: partial(by_pretrained, number) for number in NUMBERS}
    return found


def plot(table, path):
    """Draw every score against the actual number of superpixels."""
    names = list(dict.fromkeys(table["method"]))
    ours = dict(zip([name for name in names if "ours" in name], OUR_COLOURS, strict=False))
    figure, panels = plt.subplots(2, 3, figsize=(13, 7.5), layout="constrained")
    for panel, (column, label) in zip(panels.flat, PANELS.items(), strict=False):
        for name, rows in table.groupby("method", sort=False):
            style = {"linewidth": 1, "linestyle": "--"}
            if name in ours:
                style = {"linewidth": 2, "color": ours[name]}
            panel.plot(rows["K"], rows[column], marker=".", label=name, **style)
        panel.set(xlabel="number of superpixels", ylabel=label)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    panels.flat[-1].legend(handles, labels, loc="center")
    panels.flat[-1].set_axis_off()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main():
    """Score every method, print the table, write and plot it."""
    arguments = parse(__doc__, peers=PEERS)
    _, _, methods = load_all(arguments)
    methods = {name: methods[name] | {"n_segments": N_LEARNED} for name in OURS}
    known = concatenate(*(load(arguments, subset, small=False) for subset in ("train", "val")))
    test = tuple(each[:100] for each in load(arguments, "test", small=False))
    rows = []
    for name, by_number in segmenters(methods, known, test, arguments).items():
        print(name, flush=True)
        settings = methods.get(name.removesuffix(" (ours)")) if "ours" in name else None
        for number, segment in by_number.items():
            parts = {"method": name, "settings": settings, "number": number}
            parts |= {"test": test[2], "train": known[2]}
            if "ours" in name:
                parts["own version"] = VERSION
            if name == PRETRAINED:
                parts["model"] = MODEL_HASH

            def compute(segment=segment):
                return score(test[1], segment(), test[2], arguments, TOLERANCES["native"])

            scores = cached(arguments.cache, "native", parts, compute)
            means = scores.drop(columns="image").mean()
            rows.append({"method": name, "asked": number, **means})
    table = pd.DataFrame(rows).set_index("method")
    print_and_save(table, arguments.results / "native.csv")
    plot(table.reset_index(), arguments.results / "native.png")


if __name__ == "__main__":
    main()
