"""
Learn superpixels from segmentations
====================================

Can superpixels learn to follow borders that colour does not show?

In these mosaics of real textures, all segments have nearly the same mean colour. SLIC compares
colours and misses many borders. A scattering transform describes texture, and
:class:`~sksuperpixel.TrainableSLIC` learns from the segmentations of mosaics which of its channels
matter, and how much. We compare all methods on other mosaics, made from unseen parts of the
textures, with equally compact superpixels.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from skimage.io import imsave
from skimage.segmentation import mark_boundaries

from sksuperpixel import (
    SLIC,
    ChannelUnion,
    LabelMaker,
    LabFeatures,
    TrainableSLIC,
    match_compactness,
)
from sksuperpixel.datasets import make_texture_mosaics
from sksuperpixel.features import ScatteringFeatures
from sksuperpixel.metrics import compactness, superpixel_report
from sksuperpixel.networks import make_distance_net

COLUMNS = [
    "undersegmentation_error",
    "achievable_iou",
    "boundary_recall",
    "mean_distance_to_edge",
    "compactness",
    "n_superpixels",
]


def learn(n_layers, features, segmentations, n_lab=3):
    """Fit a learned distance that starts from SLIC's: weight 1 for colour, 0 for the rest."""
    channel_weights = np.zeros(features[0].shape[-1])
    channel_weights[:n_lab] = 1
    return TrainableSLIC(
        features="passthrough",
        channel_weights=channel_weights,
        label_maker=LabelMaker(min_segments=2, targets="set"),
        classifier=make_distance_net(n_layers),
        random_state=0,
    ).fit(features, segmentations)


def outlined(image, labels, zoom=3):
    """Enlarge an image, and draw thin lines around its superpixels."""
    large = np.kron(image, np.ones((zoom, zoom, 1), np.uint8))
    # scikit-image takes the label 0 for background, which has no boundary inside.
    zoomed = np.kron(labels + 1, np.ones((zoom, zoom), int))
    return mark_boundaries(large, zoomed, mode="inner")


def main():
    """Learn from mosaics, score all methods on others, and save a picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--output", type=Path, default=Path("learned_superpixels.png"))
    parser.add_argument("--n-train", type=int, default=40)
    parser.add_argument("--n-test", type=int, default=20)
    arguments = parser.parse_args()

    train = make_texture_mosaics(arguments.n_train, split="train", random_state=0)
    test = make_texture_mosaics(arguments.n_test, split="test", random_state=1)
    start = time.perf_counter()
    extract = ChannelUnion(
        [("lab", LabFeatures()), ("texture", ScatteringFeatures(channels="lightness"))],
        transformer_weights={"texture": 100},  # like CIELAB, whose lightness goes up to 100
    ).fit(train.images)
    train_features, test_features = (
        list(extract.transform(each.images)) for each in (train, test)
    )
    print(f"Features: {time.perf_counter() - start:.0f} s", flush=True)

    slic = SLIC().fit(train.images)
    superpixels = {"SLIC": slic.transform(test.images)}
    wanted = compactness(superpixels["SLIC"])
    for n_layers, name in ((1, "learned, one layer"), (3, "learned, three layers")):
        start = time.perf_counter()
        model = learn(n_layers, train_features, train.segmentations)
        # Matching uses no ground truth, so it may use the test images.
        match_compactness(model, test_features, wanted)
        superpixels[name] = model.transform(test_features)
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)

    table = {
        name: superpixel_report(test.segmentations, labels)[COLUMNS].mean()
        for name, labels in superpixels.items()
    }
    print(pd.DataFrame(table).T.round(4).to_string(), end="\n\n")

    rows = [
        np.hstack([outlined(test.images[i], each[i]) for each in superpixels.values()])
        for i in range(3)
    ]
    picture = np.vstack(rows)
    imsave(arguments.output, (255 * picture).astype(np.uint8), check_contrast=False)
    print(f"Saved {arguments.output}: three mosaics, from left to right: {', '.join(superpixels)}")


if __name__ == "__main__":
    main()
