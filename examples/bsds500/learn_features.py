"""
Learn features on BSDS500
=========================

How much better do superpixels get when SLIC compares what a network learned to look at?

This made the weights that come with :class:`~sksuperpixel.features.LearnedFeatures`. A small
network learns from the 200 training images; now and then, every fifth validation image is cut
into 600 superpixels, as compact as those of plain SLIC, and scored. Killed, it goes on from its
checkpoint.

    python examples/bsds500/learn_features.py --data BSDS500
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from common import SCORES

from sksuperpixel import SLIC, match_compactness
from sksuperpixel.datasets import load_bsds500
from sksuperpixel.features import LearnedFeatures
from sksuperpixel.metrics import superpixel_report


class Report:
    """Callback: prints the loss, and now and then the scores on validation images."""

    def __init__(self, images, segmentations, every):
        self.images = images
        self.segmentations = segmentations
        self.every = every
        self.start = perf_counter()
        slic = SLIC(n_segments=600)
        superpixels = slic.fit_transform(images)
        self.wanted = self.scores(superpixels)["CO"]
        print(f"SLIC: {self.scores(superpixels).round(4).to_dict()}", flush=True)

    def scores(self, superpixels):
        """Mean scores of superpixels."""
        means = superpixel_report(self.segmentations, superpixels).mean()
        return means[list(SCORES)].rename(SCORES)

    def setup(self, estimator, context):
        """Do nothing."""

    def teardown(self, estimator, context):
        """Do nothing."""

    def on_fit_task_begin(self, estimator, context):
        """Do nothing."""

    def on_fit_task_end(self, estimator, context, *, metadata=None, fitted_estimator=None):
        """Print one epoch's line."""
        if context.task_name != "epoch":
            return
        epoch = metadata["epoch"] + 1
        line = f"epoch {epoch}: loss {metadata['loss']:.4f}"
        if epoch % self.every == 0 or epoch == estimator.max_epochs:
            features = [np.asarray(each) for each in fitted_estimator.transform(self.images)]
            slic = SLIC(features="passthrough", n_segments=600).fit(features)
            match_compactness(slic, features, self.wanted)
            line += f", {self.scores(slic.transform(features)).round(4).to_dict()}"
            line += f", compactness {slic.compactness:.2f}"
        print(f"{line}, {(perf_counter() - self.start) / 60:.1f} min", flush=True)


def main():
    """Train and save the weights."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n")[1])
    parser.add_argument("--data", required=True, help="folder of BSDS500")
    parser.add_argument("--output", type=Path, default=Path("maps_bsds500.safetensors"))
    parser.add_argument("--epochs", type=int, default=90)
    parser.add_argument("--weights", help="where to start: a file, or bsds500")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--limit", type=int, help="use at most so many images")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--every", type=int, default=15, help="epochs between two validations")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    train, val = (load_bsds500(arguments.data, subset) for subset in ("train", "val"))
    part = slice(0, arguments.limit)
    fifth = slice(0, arguments.limit, 5)
    features = LearnedFeatures(
        weights=arguments.weights,
        max_epochs=arguments.epochs,
        learning_rate=arguments.learning_rate,
        checkpoint=arguments.checkpoint,
        random_state=arguments.seed,
    )
    report = Report(list(val.images[fifth]), list(val.segmentations[fifth]), arguments.every)
    features.set_callbacks(report)
    features.fit(list(train.images[part]), list(train.segmentations[part]))
    features.save_weights(arguments.output)


if __name__ == "__main__":
    main()
