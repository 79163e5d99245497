"""
From small superpixels to large ones
====================================

Is the pretrained model better than plain SLIC at any size?

Every second validation image at its own size, in superpixels of sizes from 8 to 32: of this size
(the plain, local way), and of as many as cells of this size fill an image (the better way). The
model is made as compact as SLIC is at each size.

    python examples/bsds500/scales.py --data BSDS500
"""

import numpy as np
import pandas as pd
from common import MODEL, TOLERANCES, kept, load, parse, sampled, score, show

from sksuperpixel import SLIC, TrainableSLIC, match_compactness
from sksuperpixel.features import LabFeatures
from sksuperpixel.metrics import compactness

SIZES = (8, 12, 16, 24, 32)
VERSION = 1


def main():
    """Score each size in both ways."""
    arguments = parse(__doc__)
    images, segmentations, names = (each[::2] for each in load(arguments, "val", small=False))
    sample = sampled(images, 10)
    rows = []

    def compute(params):
        slic = SLIC(features="passthrough", n_jobs=arguments.n_jobs, **params)
        colours = list(LabFeatures().fit(images).transform(images))
        superpixels = slic.fit(colours[:1]).transform(colours)
        wanted = compactness(None, [superpixels[i] for i in sample])
        tables = {"SLIC": superpixels}
        model = TrainableSLIC.from_pretrained("bsds500")
        features = [np.asarray(each) for each in model.features_.transform(images)]
        # The network is asked once only.
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
            parts = {"params": params, "model": MODEL, "val": names, "own version": VERSION}
            table = kept(arguments.cache, "scales", parts, lambda params=params: compute(params))
            means = table.drop(columns="image").groupby("method", sort=False).mean()
            for method, row in means.iterrows():
                rows.append({"method": method, "size": size, "by": way, **row})
    show(pd.DataFrame(rows).set_index("method"), arguments.results / "scales.csv")


if __name__ == "__main__":
    main()
