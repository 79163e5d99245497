"""
Learn the model of BSDS500
==========================

How much better do superpixels get when SLIC compares features that a network has learned?

This script made the model that comes with the library. A small network
(:class:`~sksuperpixel.features.LearnedFeatures`) learns from the training images: its features are
trained through the assignment of pixels to clusters by their distance. Every few epochs, every
fifth validation image is cut into 600 superpixels, as compact as those of plain SLIC, and scored.
The model is saved as one file. With ``--checkpoint``, a run that was interrupted continues from
its last checkpoint.

    python tests/benchmarks/shipped_weights/learn_bsds500.py --data BSDS500
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from epoch_report import EpochReport

from sksuperpixel import SLIC, TrainableSLIC, match_compactness
from sksuperpixel.datasets import load_bsds500
from sksuperpixel.features import LearnedFeatures
from sksuperpixel.metrics import superpixel_report
from sksuperpixel.networks import make_distance_net

N_SEGMENTS = 600
SCORES = {
    "achievable_iou": "IoU",
    "boundary_recall": "Rec",
    "mean_distance_to_edge": "MDE",
    "undersegmentation_error": "UE",
    "compactness": "CO",
    "achievable_segmentation_accuracy": "ASA",
    "n_superpixels": "K",
}


def mean_scores(segmentations, superpixels):
    """Compute the mean scores of superpixels, under their short names."""
    means = superpixel_report(segmentations, superpixels).mean()
    return means[list(SCORES)].rename(SCORES)


class Validation:
    """Score SLIC on learned features, at the compactness of plain SLIC."""

    def __init__(self, images, segmentations):
        self.images = images
        self.segmentations = segmentations
        superpixels = SLIC(n_segments=N_SEGMENTS).fit_transform(images)
        scores = mean_scores(segmentations, superpixels)
        self.compactness = scores["CO"]
        print(f"SLIC: {scores.round(4).to_dict()}", flush=True)

    def __call__(self, learned_features):
        """Return the scores as text."""
        features = [np.asarray(each) for each in learned_features.transform(self.images)]
        slic = SLIC(features="passthrough", n_segments=N_SEGMENTS).fit(features)
        match_compactness(slic, features, self.compactness)
        scores = mean_scores(self.segmentations, slic.transform(features))
        return f"{scores.round(4).to_dict()}, compactness {slic.compactness:.2f}"


def make_model(weights, images, segmentations, compactness):
    """Make a model that assigns pixels by the distance with which its features were learned."""
    return TrainableSLIC(
        compactness=compactness,
        features=LearnedFeatures(weights=weights, train=False, edges=True),
        edge_channel=-1,
        classifier=make_distance_net(1, max_epochs=0),
        random_state=0,
    ).fit(images, segmentations)


def main():
    """Train, validate and save the model."""
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n")[1])
    parser.add_argument("--data", required=True, help="folder of BSDS500")
    parser.add_argument("--output", type=Path, default=Path("bsds500.safetensors"))
    parser.add_argument("--epochs", type=int, default=220)
    parser.add_argument("--weights", help='initial weights: a file, or "bsds500"')
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--compactness", type=float, default=6.0, help="of the saved model")
    parser.add_argument("--precision", default="bfloat16", help="float32 or bfloat16")
    parser.add_argument("--limit", type=int, help="maximum number of images per subset")
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
    validation = Validation(list(val.images[fifth]), list(val.segmentations[fifth]))
    features.set_callbacks(EpochReport(validation, arguments.every))
    features.fit(images, segmentations)
    weights = arguments.output.with_suffix(".weights.safetensors")
    features.save_weights(weights)
    model = make_model(weights, images[:2], segmentations[:2], arguments.compactness)
    # When a user fits the saved model, training continues from these weights at a lower rate.
    model.features.set_params(weights="bsds500", train=True, max_epochs=30, learning_rate=1e-3)
    model.save(arguments.output)
    superpixels = model.set_params(n_segments=N_SEGMENTS).transform(validation.images)
    print(f"model: {mean_scores(validation.segmentations, superpixels).round(4).to_dict()}")


if __name__ == "__main__":
    main()
