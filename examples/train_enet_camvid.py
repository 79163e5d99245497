"""
Train ENet on CamVid
====================

How good does a small network for semantic segmentation get in an hour on one core?

This made the weights that come with :class:`~sksuperpixel.features.ENetFeatures`. ENet learns
the 11 classes of CamVid from its training frames; the mean intersection over union on its
validation frames is printed after the epochs. Killed, it goes on from its checkpoint.
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from PIL import Image

from sksuperpixel.datasets import load_camvid
from sksuperpixel.features import ENetFeatures


def resized(images, size, how):
    """Pictures or label maps at a size (width, height), held in memory."""
    return [np.asarray(Image.fromarray(image).resize(size, how)) for image in images]


def intersections_over_unions(images, segmentations, scorer, n_classes=11):
    """Each class's intersection over union, its pixels counted over all images.

    Class scores are enlarged bilinearly to the size of the ground truth; void pixels count for
    nothing.
    """
    confusion = np.zeros((n_classes, n_classes), np.int64)
    for scores, segmentation in zip(scorer.transform(images), segmentations, strict=True):
        planes = torch.from_numpy(np.moveaxis(scores, -1, 0).copy())[None]
        planes = torch.nn.functional.interpolate(planes, segmentation.shape, mode="bilinear")
        predicted = planes[0].argmax(dim=0).numpy()
        known = segmentation < n_classes
        pairs = n_classes * segmentation[known] + predicted[known]
        confusion += np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)
    right = np.diag(confusion)
    return right / (confusion.sum(axis=0) + confusion.sum(axis=1) - right)


class Report:
    """Callback: prints the loss, and now and then the scores on validation images."""

    def __init__(self, images, segmentations, every):
        self.images = images
        self.segmentations = segmentations
        self.every = every
        self.start = perf_counter()

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
            fitted_estimator.layer = "fullconv"
            scores = intersections_over_unions(self.images, self.segmentations, fitted_estimator)
            line += f", mean IoU on val {100 * np.nanmean(scores):.1f} %"
        print(f"{line}, {(perf_counter() - self.start) / 60:.1f} min", flush=True)


def main():
    """Train, save the weights and print the scores of each class."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--data", type=Path, required=True, help="folder of CamVid")
    parser.add_argument("--output", type=Path, default=Path("enet_camvid.safetensors"))
    parser.add_argument("--epochs", type=int, default=45)
    parser.add_argument("--size", type=int, nargs=2, default=(240, 180), help="width, height")
    parser.add_argument("--crop", type=int, nargs=2, default=(208, 160), help="width, height")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--every", type=int, default=1, help="epochs between two validations")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    train, val = (load_camvid(arguments.data, subset) for subset in ("train", "val"))
    images = resized(train.images, arguments.size, Image.Resampling.BOX)
    segmentations = resized(train.segmentations, arguments.size, Image.Resampling.NEAREST)
    val_images = resized(val.images, arguments.size, Image.Resampling.BOX)
    val_segmentations = list(val.segmentations)

    network = ENetFeatures(
        weights=None,
        train=True,
        n_classes=len(train.target_names),
        ignore_label=train.ignore_label,
        max_epochs=arguments.epochs,
        batch_size=arguments.batch,
        crop_size=tuple(arguments.crop[::-1]),
        learning_rate=arguments.learning_rate,
        checkpoint=arguments.checkpoint,
        random_state=arguments.seed,
    )
    network.set_callbacks(Report(val_images, val_segmentations, arguments.every))
    network.fit(images, segmentations)
    network.save_weights(arguments.output)

    scorer = ENetFeatures("fullconv", weights=arguments.output).fit(images)
    for name, pictures in [(f"at {arguments.size}", val_images), ("at full size", val.images)]:
        scores = intersections_over_unions(pictures, val_segmentations, scorer)
        print(f"val images {name}: mean IoU {100 * scores.mean():.1f} %")
        for target, score in zip(train.target_names, scores, strict=True):
            print(f"  {target:12s} {100 * score:5.1f} %")


if __name__ == "__main__":
    main()
