"""
Train ENet on CamVid
====================

How good does a small network for semantic segmentation get in an hour on one core?

This script made the weights that come with :class:`~sksuperpixel.features.ENetFeatures`. ENet
learns the 11 classes of CamVid from its training frames. The mean intersection over union on the
validation frames is printed after each epoch. With ``--checkpoint``, a run that was interrupted
continues from its last checkpoint.

    python tests/benchmarks/shipped_weights/train_enet_camvid.py --data camvid
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch
from epoch_report import EpochReport
from PIL import Image

from sksuperpixel.datasets import load_camvid
from sksuperpixel.features import ENetFeatures


def resize_all(images, size, resampling):
    """Resize pictures or label maps to a size (width, height), in memory."""
    return [np.asarray(Image.fromarray(image).resize(size, resampling)) for image in images]


def intersections_over_unions(images, segmentations, scorer, n_classes=11):
    """Compute the intersection over union of each class, from the pixels of all images.

    Class scores are enlarged bilinearly to the size of the ground truth. Void pixels are ignored.
    A class that is neither present nor predicted has NaN.
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
    with np.errstate(invalid="ignore"):
        return right / (confusion.sum(axis=0) + confusion.sum(axis=1) - right)


def validate(network, images, segmentations):
    """Return the mean score of a network in training as text."""
    network.layer = "fullconv"
    scores = intersections_over_unions(images, segmentations, network)
    return f"mean IoU on val {100 * np.nanmean(scores):.1f} %"


def main():
    """Train, save the weights and print the score of each class."""
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
    images = resize_all(train.images, arguments.size, Image.Resampling.BOX)
    segmentations = resize_all(train.segmentations, arguments.size, Image.Resampling.NEAREST)
    val_images = resize_all(val.images, arguments.size, Image.Resampling.BOX)
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
    on_val = partial(validate, images=val_images, segmentations=val_segmentations)
    network.set_callbacks(EpochReport(on_val, arguments.every))
    network.fit(images, segmentations)
    network.save_weights(arguments.output)

    scorer = ENetFeatures("fullconv", weights=arguments.output).fit(images)
    for name, pictures in [(f"at {arguments.size}", val_images), ("at full size", val.images)]:
        scores = intersections_over_unions(pictures, val_segmentations, scorer)
        print(f"val images {name}: mean IoU {100 * np.nanmean(scores):.1f} %")
        for target, score in zip(train.target_names, scores, strict=True):
            print(f"  {target:12s} {100 * score:5.1f} %")


if __name__ == "__main__":
    main()
