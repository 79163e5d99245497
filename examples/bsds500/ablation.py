"""
What each part of the model adds
================================

600 superpixels of every second validation image at its own size, all equally compact: of SLIC as
it is, and with one thing more from row to row. (The last rows, which take long, are made as
compact as the fifth on every fifth of these images.)

The last rows learn another distance on top of the learned features: their weights (one layer),
or three layers that also see what lies between a pixel and a cluster (edges crossed on the
straight line, and how unlike the pixel the colours on it are), at SLIC's clusters and, in a
second round, at their own; and such layers on colours and the edge map alone. All take sets of
right clusters as targets.

The features are those of the model that comes with the library, which has not seen validation
images.

    python examples/bsds500/ablation.py --data BSDS500
"""

from functools import partial
from time import process_time

import numpy as np
from common import MODEL, TOLERANCES, kept, load, means, parse, sampled, score, show

from sksuperpixel import SLIC, LabelMaker, PathFeature, TrainableSLIC, match_compactness
from sksuperpixel.features import LabFeatures, LearnedFeatures
from sksuperpixel.networks import make_distance_net

COMPACTNESS = 0.333
# To be raised when a change of the library changes the results.
VERSION = 2
EDGE = -1
REFERENCE = "+ edges in merging"
BETWEEN = (PathFeature("sum", [EDGE]), PathFeature("deviation", [0, 1, 2]))
# Features, what to make of them, and what to change of it.
ROWS = {
    "SLIC": ("colour", SLIC, {"refine_iter": 0}),
    "+ refined borders": ("colour", SLIC, {}),
    "learned features": ("learned", SLIC, {"refine_iter": 0}),
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


def build(kind, changes, n_jobs):
    """Build the estimator of a row."""
    shared = {"features": "passthrough", "n_segments": 600, "n_jobs": n_jobs}
    if kind is SLIC:
        return SLIC(**shared, **changes)
    changes = {"edge_channel": EDGE, **changes}
    net = make_distance_net(changes.pop("n_layers"), lr=0.01)
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


def features_of(images):
    """Compute all kinds of features of some images."""
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
    """Score row by row, print and keep."""
    arguments = parse(__doc__)
    train, val = (
        tuple(each[::2] for each in load(arguments, subset, small=False))
        for subset in ("train", "val")
    )
    learned_from = features_of(train[0])
    features = features_of(val[0])
    scores = {}

    def compute(source, kind, changes):
        model = build(kind, dict(changes), arguments.n_jobs)
        if kind is SLIC:
            model.fit(features[source][:1])
            match_compactness(model, features[source], COMPACTNESS, tol=0.001)
        else:
            model.fit(learned_from[source], train[1])
            sample = sampled(val[0], 10)
            wanted = scores[REFERENCE]["CO"].iloc[sample].mean()
            match_compactness(model, [features[source][i] for i in sample], wanted)
        start = process_time()
        superpixels = model.transform(features[source])
        seconds = (process_time() - start) / len(superpixels)
        table = score(val[1], superpixels, val[2], arguments, TOLERANCES["native"])
        return table.assign(parameter=model.compactness, seconds=seconds)

    for name, settings in ROWS.items():
        parts = {"row": name, "model": MODEL, "val": val[2], "own version": VERSION}
        table = kept(arguments.cache, "ablation", parts, partial(compute, *settings))
        scores[name] = table
        print(name, means({name: table}).round(4).to_dict("records"), flush=True)
    show(means(scores), arguments.results / "ablation.csv")


if __name__ == "__main__":
    main()
