"""
What each part of the model adds
================================

This script cuts every second validation image, at its own size, into 600 superpixels. It starts
with plain SLIC and adds one thing from row to row. All rows are equally compact. (The rows that
learn a distance take long, so their compactness is matched on every fifth of these images only.)

The last rows learn another distance on top of the learned features: weights of the features (one
layer), or three layers, which may also see what lies between a pixel and a cluster (the edges
that the straight line crosses, and how much the colours along it differ from the pixel's). One
row adds a second round of learning, at the model's own clusters instead of SLIC's. The final two
rows see only colours and the edge map. All learn from sets of right clusters.

The features are those of the pretrained model, which has not seen the validation images.

    python tests/benchmarks/bsds500/ablation.py --data BSDS500
"""

from functools import partial
from time import process_time

import numpy as np
from data import evenly_spaced, load
from evaluation import TOLERANCES, score
from results import MODEL_HASH, cached, mean_scores, parse, print_and_save

from sksuperpixel import SLIC, LabelMaker, PathFeature, TrainableSLIC, match_compactness
from sksuperpixel.features import LabFeatures, LearnedFeatures
from sksuperpixel.networks import make_distance_net

COMPACTNESS = 0.333
# Part of the cache keys; increase it when a change of the library changes these results.
VERSION = 2
# The edge map is the last channel.
EDGE = -1
# The row whose compactness the rows below it are matched to.
REFERENCE = "+ edges in merging"
BETWEEN = (PathFeature("sum", [EDGE]), PathFeature("deviation", [0, 1, 2]))
# The features, the estimator and its changed parameters of each row.
ROWS = {
    "SLIC": ("colour", SLIC, {"refine_iter": 0}),
    "+ refined borders": ("colour", SLIC, {}),
    "learned features": ("learned", SLIC, {"refine_iter": 0}),
    # The trailing spaces here and below keep the names apart.
    "+ refined borders ": ("learned", SLIC, {}),
    REFERENCE: ("learned", SLIC, {"edge_channel": EDGE}),
    "the same, not merged": ("learned", SLIC, {"oversegmentation": 1}),
    "+ one layer": ("learned", TrainableSLIC, {"n_layers": 1}),
    "+ three layers": ("learned", TrainableSLIC, {"n_layers": 3}),
    "+ what lies between": ("learned", TrainableSLIC, {"n_layers": 3, "pair_features": BETWEEN}),
    "+ a second round": (
        "learned",
        TrainableSLIC,
        {"n_layers": 3, "pair_features": BETWEEN, "n_rounds": 2},
    ),
    "colour, edges, three layers": ("colour, edges", TrainableSLIC, {"n_layers": 3}),
    "+ what lies between ": (
        "colour, edges",
        TrainableSLIC,
        {"n_layers": 3, "pair_features": BETWEEN},
    ),
}


def make_estimator(estimator_class, changes, n_jobs):
    """Make the estimator of a row."""
    shared = {"features": "passthrough", "n_segments": 600, "n_jobs": n_jobs}
    if estimator_class is SLIC:
        return SLIC(**shared, **changes)
    changes = {"edge_channel": EDGE, **changes}
    net = make_distance_net(changes.pop("n_layers"), learning_rate=0.01)
    return TrainableSLIC(
        compactness_spread=2,
        n_candidates=9,
        n_pixels_per_image=2000,
        classifier=net,
        label_maker=LabelMaker(min_segments=2, targets="set"),
        random_state=0,
        **shared,
        **changes,
    )


def all_features(images):
    """Compute the features of the images for all rows, by name."""
    transformer = LearnedFeatures(weights="bsds500", train=False, edges=True)
    learned = [np.asarray(each) for each in transformer.fit(images).transform(images)]
    colour = [np.asarray(each) for each in LabFeatures().fit(images).transform(images)]
    return {
        "colour": colour,
        "learned": learned,
        "colour, edges": [
            np.concatenate([lab, each[..., EDGE:]], axis=-1)
            for lab, each in zip(colour, learned, strict=True)
        ],
    }


def main():
    """Score row by row, print the table and write it."""
    arguments = parse(__doc__)
    train, val = (
        tuple(each[::2] for each in load(arguments, subset, small=False))
        for subset in ("train", "val")
    )
    train_features = all_features(train[0])
    val_features = all_features(val[0])
    scores = {}

    def compute(source, estimator_class, changes):
        model = make_estimator(estimator_class, dict(changes), arguments.n_jobs)
        features = val_features[source]
        if estimator_class is SLIC:
            model.fit(features[:1])
            match_compactness(model, features, COMPACTNESS, tol=0.001)
        else:
            model.fit(train_features[source], train[1])
            sample = evenly_spaced(val[0], 10)
            wanted = scores[REFERENCE]["CO"].iloc[sample].mean()
            match_compactness(model, [features[i] for i in sample], wanted)
        start = process_time()
        superpixels = model.transform(features)
        seconds = (process_time() - start) / len(superpixels)
        table = score(val[1], superpixels, val[2], arguments, TOLERANCES["native"])
        return table.assign(parameter=model.compactness, seconds=seconds)

    for name, row in ROWS.items():
        parts = {"row": name, "model": MODEL_HASH, "val": val[2], "own version": VERSION}
        table = cached(arguments.cache, "ablation", parts, partial(compute, *row))
        scores[name] = table
        print(name, mean_scores({name: table}).round(4).to_dict("records"), flush=True)
    print_and_save(mean_scores(scores), arguments.results / "ablation.csv")


if __name__ == "__main__":
    main()
