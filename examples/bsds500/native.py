"""
Beyond the paper: at the images' own size, beside other methods
===============================================================

How do these superpixels compare with those of other programs, at the same number of them?

The first 100 test images at their own size, 200, 400, 600 and 900 superpixels asked for. Label
maps of published methods are read from --peers (METHOD/K<number>/IMAGE.png), where given;
scikit-image's slic, OpenCV's SLIC, LSC and SEEDS and fast-slic run where they can be imported.
Learned distances are fitted at 256 x 256 on training and validation images and cut the images
finer, then merge by the learned distance, as SLIC does by its own.

    python examples/bsds500/native.py --data BSDS500 --peers peers
"""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from common import METHODS, evaluate, extract, fitted, kept, load, parse, score
from joblib import Parallel, delayed
from PIL import Image
from skimage.segmentation import slic as skimage_slic

from sksuperpixel import SLIC

NUMBERS = (200, 400, 600, 900)
OURS = ("manual tuning", "one layer", "three layers")
PANELS = {
    "Rec": "boundary recall, 2 pixels",
    "UE": "undersegmentation error",
    "ASA": "achievable segmentation accuracy",
    "MDE": "mean distance to an edge (pixels)",
    "CO": "compactness",
}


def by_skimage(image, number):
    """Segment by scikit-image's slic."""
    return skimage_slic(image, n_segments=number, compactness=10, start_label=0)


def by_opencv(image, number, algorithm):
    """Segment by one of OpenCV's algorithms."""
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
    """Segment by fast-slic."""
    from fast_slic.avx2 import SlicAvx2

    labels = SlicAvx2(num_components=number, compactness=10).iterate(np.ascontiguousarray(image))
    return labels.astype(np.int32)


def others():
    """Name the programs that can be imported here."""
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


def read(folder, name):
    """Read one label map."""
    return np.asarray(Image.open(folder / f"{name}.png")).astype(np.int32)


def segmenters(known, test, arguments):
    """Name every method, with a function that segments all images into a number."""
    images, _, names = test

    def by_program(program, number):
        jobs = (delayed(program)(image, number) for image in images)
        return Parallel(n_jobs=arguments.n_jobs)(jobs)

    def by_slic(number):
        return SLIC(n_segments=number, n_jobs=arguments.n_jobs).fit_transform(images)

    def by_model(settings, parameter, number):
        estimator = fitted(settings, known, arguments)
        estimator.set_params(n_segments=number, compactness=parameter)
        return [estimator.transform(extract(settings["features"], [image]))[0] for image in images]

    def by_peer(folder, number):
        return [read(folder / f"K{number}", name) for name in names]

    found = {name: partial(by_program, program) for name, program in others().items()}
    if arguments.peers is not None:
        for folder in sorted(path for path in arguments.peers.iterdir() if path.is_dir()):
            found[folder.name] = partial(by_peer, folder)
    found["SLIC (ours)"] = by_slic
    small = load(arguments.data, "test", arguments.limit)
    wanted = evaluate(METHODS["SLIC"], known, small, None, arguments)["CO"].mean()
    for name in OURS:
        # As compact as SLIC at 256 x 256, found by the script of Table I.
        table = evaluate(METHODS[name], known, small, wanted, arguments)
        parameter = float(table["parameter"].iloc[0])
        found[f"{name} (ours)"] = partial(by_model, METHODS[name], parameter)
    return found


def plot(table, path):
    """Draw every score against the number of superpixels that came out."""
    figure, panels = plt.subplots(2, 3, figsize=(13, 7.5), layout="constrained")
    for panel, (column, label) in zip(panels.flat, PANELS.items(), strict=False):
        for name, rows in table.groupby("method", sort=False):
            style = {"linewidth": 2} if "ours" in name else {"linewidth": 1, "linestyle": "--"}
            panel.plot(rows["K"], rows[column], marker=".", label=name, **style)
        panel.set(xlabel="number of superpixels", ylabel=label)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    panels.flat[-1].legend(handles, labels, loc="center")
    panels.flat[-1].set_axis_off()
    figure.savefig(path, dpi=110)


def main():
    """Score what is not kept, print and draw."""
    arguments = parse(__doc__, "native.png", peers=True)
    train, val = (load(arguments.data, subset, arguments.limit) for subset in ("train", "val"))
    known = tuple(a + b for a, b in zip(train, val, strict=True))
    test = load(arguments.data, "test", min(arguments.limit or 100, 100), small=False)
    rows = []
    for name, segment in segmenters(known, test, arguments).items():
        print(name, flush=True)
        for number in NUMBERS:
            parts = {"method": name, "settings": METHODS.get(name.removesuffix(" (ours)"))}
            parts |= {"number": number, "test": test[2], "train": known[2]}

            def compute(segment=segment, number=number):
                return score(test[1], segment(number), test[2], arguments.n_jobs)

            try:
                scores = kept(arguments.cache, "native", parts, compute)
            except FileNotFoundError:
                continue  # no such number was published
            means = scores.drop(columns="image").mean()
            rows.append({"method": name, "asked": number, **means})
    table = pd.DataFrame(rows)
    print(table.round(4).to_string(index=False))
    table.to_csv(arguments.output.with_suffix(".csv"), index=False)
    plot(table, arguments.output)


if __name__ == "__main__":
    main()
