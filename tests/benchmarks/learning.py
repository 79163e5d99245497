"""Score learned distances on nuclei, and measure the time and memory of a fit.

With --nuclei, learned distances are compared with SLIC at equal compactness, on a folder with
`images` and `labels` of nuclei. They are fitted on a random half of the images and tested on the
other half, with size 8; the compactness is matched on images of the first half. All settings were
chosen on images that are not scored here. This takes about twenty minutes. (The scripts in
`tests/benchmarks/bsds500` do the same for BSDS500.)

With --bounded, a pipeline with 246 channels is fitted on the 200 training images of BSDS500 at
their own size. The script prints the time and peak memory of this fit, and the time of a
transform.

    python tests/benchmarks/learning.py --nuclei nuclei
    python tests/benchmarks/learning.py --bounded BSDS500
"""

import argparse
import resource
from functools import partial
from time import perf_counter

import numpy as np
import pandas as pd
from quality_bsds500 import COLUMNS
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline

from sksuperpixel import (
    SLIC,
    ChannelUnion,
    LabelMaker,
    LabFeatures,
    LazySequence,
    TrainableSLIC,
    match_compactness,
)
from sksuperpixel.datasets import load_bsds500, load_image_folder
from sksuperpixel.features import ScatteringFeatures
from sksuperpixel.metrics import compactness, superpixel_report
from sksuperpixel.networks import make_distance_net


def scores(segmentations, superpixels):
    """Compute the mean scores of superpixels, under their short names."""
    return superpixel_report(segmentations, superpixels).mean()[list(COLUMNS)].rename(COLUMNS)


def compare(models, features, slic, tuning, test, segmentations):
    """Match the models' compactness to SLIC's on tuning images, and score all on test images."""
    wanted = compactness(slic.transform(tuning))
    table = {"SLIC": scores(segmentations, slic.transform(test))}
    tuning_features, test_features = (
        [np.asarray(each) for each in features.transform(images)] for images in (tuning, test)
    )
    for name, model in models.items():
        match_compactness(model, tuning_features, wanted)
        table[name] = scores(segmentations, model.transform(test_features))
        print(f"{name}: compactness {model.compactness:.2f}", flush=True)
    table = pd.DataFrame(table).T
    print(table.round(4).to_string())
    print("Change from SLIC in per cent (for CO, the difference):")
    change = 100 * (table / table.loc["SLIC"] - 1)
    change["CO"] = table["CO"] - table.loc["SLIC", "CO"]
    print(change.iloc[1:].round(3).to_string(), flush=True)


class Normalised(TransformerMixin, BaseEstimator):
    """Lightness relative to the range of its image, so that exposure does not matter."""

    def fit(self, X, y=None):
        """Fit the conversion to CIELAB."""
        self.lab_ = LabFeatures().fit(X)
        return self

    def transform(self, X):
        """Return one channel per image, as a lazy sequence."""
        return LazySequence(partial(self._at, self.lab_.transform(X)), range(len(X)))

    def _at(self, lab, index):
        lightness = lab[index][..., :1]
        low, high = np.percentile(lightness, [1, 99.5])
        share = np.clip((lightness - low) / (high - low + 1e-3), 0, 1.5)
        return (20 * share**0.7).astype(np.float32)


def nuclei(root, n_jobs):
    """Compare learned distances with SLIC on nuclei."""
    data = load_image_folder(f"{root}/images", f"{root}/labels")
    halves = train_test_split(np.arange(len(data.images)), test_size=0.5, random_state=0)
    (train, truth), (test, test_truth) = (
        (
            [np.asarray(data.images[i])[..., :3] for i in half],
            [np.asarray(data.segmentations[i]) for i in half],
        )
        for half in halves
    )
    features = ChannelUnion([("lab", LabFeatures()), ("normalised", Normalised())]).fit(train)
    train_features = [np.asarray(each) for each in features.transform(train)]
    models = {}
    for n_layers, name in ((1, "one layer"), (3, "three layers")):
        model = TrainableSLIC(
            8,
            features="passthrough",
            channel_weights=[0, 0, 0, 1],
            label_maker=LabelMaker(mining=None),
            classifier=make_distance_net(n_layers, learning_rate=0.01),
            n_jobs=n_jobs,
            random_state=0,
        ).fit(train_features, truth)
        models[name] = model
    compare(models, features, SLIC(8, n_jobs=n_jobs).fit(train), train[:40], test, test_truth)


def bounded(root, n_jobs):
    """Fit a pipeline with 246 channels on full-size images, and print time and memory."""
    data = load_bsds500(root, subset="train")
    pipeline = Pipeline(
        [
            (
                "features",
                ChannelUnion(
                    [("lab", LabFeatures()), ("texture", ScatteringFeatures())],
                    transformer_weights={"texture": 100},
                ),
            ),
            (
                "slic",
                TrainableSLIC(
                    features="passthrough",
                    channel_weights=3 * [1] + 243 * [0],
                    label_maker=LabelMaker(min_segments=2, targets="set"),
                    n_jobs=n_jobs,
                    random_state=0,
                ),
            ),
        ]
    )
    start = perf_counter()
    pipeline.fit(data.images, data.segmentations)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(f"fit on {len(data.images)} images: {perf_counter() - start:.0f} s, peak {peak:.2f} GB")
    image = data.images[:1]
    for name, step in (("features", pipeline[0]), ("superpixels", pipeline[1])):
        step.transform(image)[0]
        times = []
        for _ in range(3):
            start = perf_counter()
            result = [step.transform(image)[0]]
            times.append(perf_counter() - start)
        print(f"{name} of one image: {min(times):.2f} s")
        image = result


def main():
    """Run the benchmarks whose data are given."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--nuclei", metavar="FOLDER", help="folder of images and labels")
    parser.add_argument("--bounded", metavar="FOLDER", help="folder of BSDS500")
    parser.add_argument("--n-jobs", type=int, default=2)
    arguments = parser.parse_args()
    for run in (nuclei, bounded):
        root = getattr(arguments, run.__name__)
        if root is not None:
            run(root, arguments.n_jobs)


if __name__ == "__main__":
    main()
