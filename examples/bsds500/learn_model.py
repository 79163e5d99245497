"""
Learn a model of BSDS500
========================

How much better do superpixels get when SLIC compares what a network learned to look at?

This made the model that comes with the library. A small network
(:class:`~sksuperpixel.features.LearnedFeatures`) learns from the training images, through the
choice of clusters by its features' distance; now and then, every fifth validation image is cut
into 600 superpixels, as compact as those of plain SLIC, and scored. All is saved as one file.
Killed, it goes on from its checkpoint.

    python examples/bsds500/learn_model.py --data BSDS500
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from common import SCORES

from sksuperpixel import SLIC, TrainableSLIC, match_compactness
from sksuperpixel.datasets import load_bsds500
from sksuperpixel.features import LearnedFeatures
from sksuperpixel.metrics import superpixel_report
from sksuperpixel.networks import make_distance_net


def mean_scores(segmentations, superpixels):
    """Mean scores of superpixels, by the names of the tables."""
    means = superpixel_report(segmentations, superpixels).mean()
    return means[list(SCORES)].rename(SCORES)


class Report:
    """Callback: prints the loss, and now and then the scores on validation images."""

    def __init__(self, images, segmentations, every):
        self.images = images
        self.segmentations = segmentations
        self.every = every
        self.start = perf_counter()
        superpixels = SLIC(n_segments=600).fit_transform(images)
        scores = mean_scores(segmentations, superpixels)
        self.wanted = scores["CO"]
        print(f"SLIC: {scores.round(4).to_dict()}", flush=True)

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
            scores = mean_scores(self.segmentations, slic.transform(features))
            line += f", {scores.round(4).to_dict()}, compactness {slic.compactness:.2f}"
        print(f"{line}, {(perf_counter() - self.start) / 60:.1f} min", flush=True)


def model_of(weights, images, segmentations, compactness):
    """Make a model that chooses clusters by the distance that its features were learned with."""
    return TrainableSLIC(
        compactness=compactness,
        features=LearnedFeatures(weights=weights, train=False, edges=True),
        edge_channel=-1,
        classifier=make_distance_net(1, max_epochs=0),
        random_state=0,
    ).fit(images, segmentations)


def main():
    """Train and save the model."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n")[1])
    parser.add_argument("--data", required=True, help="folder of BSDS500")
    parser.add_argument("--output", type=Path, default=Path("bsds500.safetensors"))
    parser.add_argument("--epochs", type=int, default=220)
    parser.add_argument("--weights", help="where to start: a file, or bsds500")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--compactness", type=float, default=6.0, help="of the model")
    parser.add_argument("--precision", default="bfloat16", help="float32 or bfloat16")
    parser.add_argument("--limit", type=int, help="use at most so many images")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--every", type=int, default=15, help="epochs between two validations")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    train, val = (load_bsds500(arguments.data, subset) for subset in ("train", "val"))
    part = slice(0, arguments.limit)
    images, segmentations = list(train.images[part]), list(train.segmentations[part])
    features = LearnedFeatures(
        weights=arguments.weights,
        max_epochs=arguments.epochs,
        learning_rate=arguments.learning_rate,
        precision=arguments.precision,
        checkpoint=arguments.checkpoint,
        random_state=arguments.seed,
    )
    fifth = slice(0, arguments.limit, 5)
    report = Report(list(val.images[fifth]), list(val.segmentations[fifth]), arguments.every)
    features.set_callbacks(report)
    features.fit(images, segmentations)
    weights = arguments.output.with_suffix(".weights.safetensors")
    features.save_weights(weights)
    model = model_of(weights, images[:2], segmentations[:2], arguments.compactness)
    # Whoever fits the model goes on from here, carefully.
    model.features.set_params(weights="bsds500", train=True, max_epochs=30, learning_rate=1e-3)
    model.save(arguments.output)
    superpixels = model.set_params(n_segments=600).transform(report.images)
    print(f"model: {mean_scores(report.segmentations, superpixels).round(4).to_dict()}")


if __name__ == "__main__":
    main()
