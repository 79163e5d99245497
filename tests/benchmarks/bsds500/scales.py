"""
From small superpixels to large ones
====================================

Is the pretrained model better than plain SLIC at every size?

This script cuts every second validation image, at its own size, into superpixels of sizes from 8
to 32. It does so in two ways: by `superpixel_size`, and by `n_segments`, with as many superpixels
as squares of that size fill an average image. The model's compactness is matched to SLIC's at each
size.

    python tests/benchmarks/bsds500/scales.py --data BSDS500
"""

import numpy as np
import pandas as pd
from data import evenly_spaced, load
from evaluation import TOLERANCES, score
from results import MODEL_HASH, cached, parse, print_and_save

from sksuperpixel import SLIC, TrainableSLIC, match_compactness
from sksuperpixel.features import LabFeatures
from sksuperpixel.metrics import compactness

SIZES = (8, 12, 16, 24, 32)
# Part of the cache keys; increase it when a change of the library changes these results.
VERSION = 1


def main():
    """Score both methods at each size, print the table and write it."""
    arguments = parse(__doc__)
    images, segmentations, names = (each[::2] for each in load(arguments, "val", small=False))
    sample = evenly_spaced(images, 10)
    rows = []

    def compute(params):
        slic = SLIC(features="passthrough", n_jobs=arguments.n_jobs, **params)
        colours = list(LabFeatures().fit(images).transform(images))
        superpixels = slic.fit(colours[:1]).transform(colours)
        wanted = compactness([superpixels[i] for i in sample])
        tables = {"SLIC": superpixels}
        model = TrainableSLIC.from_pretrained("bsds500")
        features = [np.asarray(each) for each in model.features_.transform(images)]
        # The features are computed once, not again for every compactness that is tried.
        model = model.to_slic().set_params(
            features="passthrough", n_jobs=arguments.n_jobs, **params
        )
        match_compactness(model.fit(features[:1]), [features[i] for i in sample], wanted)
        tables["pretrained"] = model.transform(features)
        return pd.concat(
            score(segmentations, each, names, arguments, TOLERANCES["native"]).assign(method=name)
            for name, each in tables.items()
        )

    for size in SIZES:
        number = round(np.mean([each.shape[0] * each.shape[1] for each in images]) / size**2)
        for way, params in (
            ("size", {"superpixel_size": size}),
            ("number", {"n_segments": number}),
        ):
            parts = {"params": params, "model": MODEL_HASH, "val": names, "own version": VERSION}
            table = cached(arguments.cache, "scales", parts, lambda params=params: compute(params))
            means = table.drop(columns="image").groupby("method", sort=False).mean()
            for method, row in means.iterrows():
                rows.append({"method": method, "size": size, "by": way, **row})
    print_and_save(pd.DataFrame(rows).set_index("method"), arguments.results / "scales.csv")


if __name__ == "__main__":
    main()
