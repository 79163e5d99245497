"""
Learn superpixels from segmentations
====================================

Can superpixels learn to follow borders that colour does not show?

In these mosaics of real textures, all segments have nearly the same mean colour. SLIC compares
colours and misses many borders. A scattering transform describes texture, and
:class:`~sksuperpixel.TrainableSLIC` learns from the segmentations of mosaics which of its channels
matter, and how much. Nothing is set by hand. We compare all methods on other mosaics, made from
unseen parts of the textures, with equally compact superpixels.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from skimage.io import imsave
from skimage.segmentation import mark_boundaries

from sksuperpixel import SLIC, TrainableSLIC, match_compactness
from sksuperpixel.datasets import make_texture_mosaics
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
    models = {"SLIC": SLIC(n_jobs=-1)}
    for n_layers, name in ((1, "learned, one layer"), (3, "learned, three layers")):
        models[name] = TrainableSLIC(
            features="scattering",
            classifier=make_distance_net(n_layers),
            n_jobs=-1,
            random_state=0,
        )
    for name, model in models.items():
        start = time.perf_counter()
        model.fit(train.images, train.segmentations)
        print(f"{name}: fitted in {time.perf_counter() - start:.0f} s", flush=True)
    # All are made as compact as the last. This uses no ground truth, so it may use test images.
    wanted = compactness(model.transform(test.images))
    for model in models.values():
        match_compactness(model, test.images, wanted)
    superpixels = {name: model.transform(test.images) for name, model in models.items()}

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
