"""
What is still missed, and how far people agree
==============================================

Of 600 superpixels, which edges do they find: those that all annotators drew, or those that one
did? And how well would superpixels do that knew one person's segments exactly, by the others'?

The first 100 test images at their own size. An annotator's edge is said to be drawn by those
others, too, who have an edge within two pixels. Superpixels that know a person's segments are
SLIC's on CIELAB with these segments as further channels, so far apart that no superpixel leaves
one; they are scored by all other people, and so is the model, for comparison.

    python examples/bsds500/agreement.py --data BSDS500 --peers peers
"""

from pathlib import Path

import numpy as np
import pandas as pd
from common import MODEL, TOLERANCES, kept, load, parse, published, read_all, show, slic_at
from joblib import Parallel, delayed
from scipy.ndimage import maximum_filter
from skimage.segmentation import find_boundaries
from sksuperpixel._label_maker import edge_map

from sksuperpixel import SLIC, TrainableSLIC
from sksuperpixel.features import LabFeatures
from sksuperpixel.metrics import superpixel_report

VERSION = 1
NUMBER = 600
REACH = 2 * TOLERANCES["native"] + 1


def found_by_agreement(segmentations, superpixels):
    """Count edge pixels, and those found, by how many of the annotators drew them."""
    edges = np.stack([edge_map(each[np.newaxis]) > 0 for each in segmentations])
    drawn_near = np.stack([maximum_filter(each, REACH) for each in edges]).sum(axis=0)
    near = maximum_filter(find_boundaries(superpixels, mode="thick"), REACH)
    share = np.clip(np.ceil(5 * drawn_near / len(edges)), 1, 5).astype(int)
    counts = np.stack([np.bincount(share[each], minlength=6)[1:] for each in edges]).sum(axis=0)
    hits = np.stack([np.bincount(share[e & near], minlength=6)[1:] for e in edges]).sum(axis=0)
    return counts, hits


def knowing(image, segmentation):
    """Cut an image into superpixels that do not leave one person's segments."""
    lab = np.asarray(LabFeatures().fit([image]).transform([image])[0])
    _, segments = np.unique(segmentation, return_inverse=True)
    rng = np.random.default_rng(0)
    codes = rng.normal(0, 1, (segments.max() + 1, 8))
    codes *= 1000 / np.linalg.norm(codes, axis=1, keepdims=True)
    known = codes[segments.reshape(segmentation.shape)].astype(np.float32)
    slic = SLIC(features="passthrough", n_segments=NUMBER)
    return slic.fit_transform([np.concatenate([lab, known], axis=-1)])[0]


def by_the_others(image, segmentations, superpixels):
    """Score superpixels that know one person's segments by the others, and given ones alike."""
    rows = {"knowing one person": [], "model": []}
    for i in range(len(segmentations)):
        others = np.delete(segmentations, i, axis=0)
        for name, labels in (
            ("knowing one person", knowing(image, segmentations[i])),
            ("model", superpixels),
        ):
            rows[name].append(superpixel_report([others], [labels]))
    return {name: pd.concat(each).mean() for name, each in rows.items()}


def main():
    """Count and score."""
    peers = {"type": Path, "help": "folder of published label maps"}
    arguments = parse(__doc__, peers=peers)
    images, segmentations, names = (e[:100] for e in load(arguments, "test", small=False))
    model = TrainableSLIC.from_pretrained("bsds500").set_params(
        n_segments=NUMBER, n_jobs=arguments.n_jobs
    )
    ours = model.transform(images)
    methods = {"SLIC (ours)": slic_at(images, NUMBER, arguments), "pretrained (ours)": ours}
    for label, name in (("SSN", "ssn"), ("SEAL-ERS", "seal")):
        folders = published(arguments.peers and arguments.peers / name)
        if NUMBER in folders:
            methods[label] = read_all(folders[NUMBER], names)
    table = {}
    for name, superpixels in methods.items():
        pairs = zip(segmentations, superpixels, strict=True)
        counts, hits = np.sum([found_by_agreement(*each) for each in pairs], axis=0)
        table[name] = hits / counts
    table["share of all edges"] = counts / counts.sum()
    columns = [f"{20 * i} to {20 * (i + 1)} %" for i in range(5)]
    table = pd.DataFrame(table, index=columns).T
    show(table, arguments.results / "agreement.csv")

    def compute():
        rows = Parallel(arguments.n_jobs)(
            delayed(by_the_others)(*each)
            for each in zip(images, segmentations, ours, strict=True)
            if len(each[1]) > 1
        )
        means = {name: pd.concat([row[name] for row in rows], axis=1) for name in rows[0]}
        return pd.DataFrame({n: each.mean(axis=1) for n, each in means.items()}).T.reset_index()

    parts = {"test": names, "model": MODEL, "own version": VERSION}
    others = kept(arguments.cache, "people", parts, compute).set_index("index")
    show(others, arguments.results / "people.csv")


if __name__ == "__main__":
    main()
