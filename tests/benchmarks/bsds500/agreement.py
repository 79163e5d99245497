"""
What is still missed, and how far people agree
==============================================

This script looks at 600 superpixels of each of the first 100 test images, at their own size. It
answers two questions. Which edges do the superpixels find: those that all annotators drew, or
those that only one drew? And how well would superpixels score against the other annotators if
they knew one annotator's segments exactly?

Another annotator counts as having drawn an edge pixel, too, if one of their own edges lies within
two pixels. The superpixels that know one annotator's segments come from SLIC on CIELAB with
these segments as additional channels, whose weight is so large that no superpixel crosses a
border. These superpixels and the pretrained model's are scored against all other annotators.

    python tests/benchmarks/bsds500/agreement.py --data BSDS500 --peers peers
"""

import numpy as np
import pandas as pd
from data import load, published_folders, read_label_maps
from evaluation import TOLERANCES
from joblib import Parallel, delayed
from methods import slic_superpixels
from results import MODEL_HASH, PEERS, cached, parse, print_and_save
from scipy.ndimage import maximum_filter
from skimage.segmentation import find_boundaries

from sksuperpixel import SLIC, TrainableSLIC
from sksuperpixel._label_maps.edges import edge_map
from sksuperpixel.features import LabFeatures
from sksuperpixel.metrics import superpixel_report

# Part of the cache keys; increase it when a change of the library changes these results.
VERSION = 1
N_SEGMENTS = 600
# The side of the square in which edges count as near.
REACH = 2 * TOLERANCES["native"] + 1
# Edge pixels are grouped by the share of annotators who drew them, in fifths.
N_GROUPS = 5


def count_by_group(segmentations, superpixels):
    """Count edge pixels, and those that the superpixels find, by how many annotators drew them."""
    edges = np.stack([edge_map(each[np.newaxis]) > 0 for each in segmentations])
    n_drawn = np.stack([maximum_filter(each, REACH) for each in edges]).sum(axis=0)
    groups = np.clip(np.ceil(N_GROUPS * n_drawn / len(edges)), 1, N_GROUPS).astype(int)
    near = maximum_filter(find_boundaries(superpixels, mode="thick"), REACH)

    def count(masks):
        return sum(np.bincount(groups[mask], minlength=N_GROUPS + 1)[1:] for mask in masks)

    return count(edges), count(edges & near)


def segment_knowing(image, segmentation):
    """Cut an image into superpixels that do not cross the borders of a segmentation."""
    lab = np.asarray(LabFeatures().fit([image]).transform([image])[0])
    _, segments = np.unique(segmentation, return_inverse=True)
    rng = np.random.default_rng(0)
    codes = rng.normal(0, 1, (segments.max() + 1, 8))
    codes *= 1000 / np.linalg.norm(codes, axis=1, keepdims=True)
    known = codes[segments.reshape(segmentation.shape)].astype(np.float32)
    slic = SLIC(features="passthrough", n_segments=N_SEGMENTS)
    return slic.fit_transform([np.concatenate([lab, known], axis=-1)])[0]


def score_by_the_others(image, segmentations, superpixels):
    """Leave out each annotator in turn, and average the scores against the others.

    The scores are those of superpixels that know the segments of the annotator left out, and
    those of the given superpixels.
    """
    rows = {"knowing one person": [], "model": []}
    for i in range(len(segmentations)):
        others = np.delete(segmentations, i, axis=0)
        for name, labels in (
            ("knowing one person", segment_knowing(image, segmentations[i])),
            ("model", superpixels),
        ):
            rows[name].append(superpixel_report([others], [labels]))
    return {name: pd.concat(each).mean() for name, each in rows.items()}


def main():
    """Make both tables, print and write them."""
    arguments = parse(__doc__, peers=PEERS)
    images, segmentations, names = (each[:100] for each in load(arguments, "test", small=False))
    model = TrainableSLIC.from_pretrained("bsds500").set_params(
        n_segments=N_SEGMENTS, n_jobs=arguments.n_jobs
    )
    ours = model.transform(images)
    methods = {
        "SLIC (ours)": slic_superpixels(images, N_SEGMENTS, arguments.n_jobs),
        "pretrained (ours)": ours,
    }
    for label, name in (("SSN", "ssn"), ("SEAL-ERS", "seal")):
        folders = published_folders(arguments.peers, name)
        if N_SEGMENTS in folders:
            methods[label] = read_label_maps(folders[N_SEGMENTS], names)
    table = {}
    for name, superpixels in methods.items():
        pairs = zip(segmentations, superpixels, strict=True)
        drawn, found = np.sum([count_by_group(*each) for each in pairs], axis=0)
        table[name] = found / drawn
    table["share of all edges"] = drawn / drawn.sum()
    columns = [f"{20 * i} to {20 * (i + 1)} %" for i in range(N_GROUPS)]
    table = pd.DataFrame(table, index=columns).T
    print_and_save(table, arguments.results / "agreement.csv")

    def compute():
        rows = Parallel(arguments.n_jobs)(
            delayed(score_by_the_others)(*each)
            for each in zip(images, segmentations, ours, strict=True)
            if len(each[1]) > 1
        )
        scores = {name: pd.concat([row[name] for row in rows], axis=1) for name in rows[0]}
        return pd.DataFrame({n: each.mean(axis=1) for n, each in scores.items()}).T.reset_index()

    parts = {"test": names, "model": MODEL_HASH, "own version": VERSION}
    others = cached(arguments.cache, "people", parts, compute).set_index("index")
    print_and_save(others, arguments.results / "people.csv")


if __name__ == "__main__":
    main()
