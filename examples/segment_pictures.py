"""
Segment pictures into superpixels
=================================

How much better do superpixels follow what is in an image, at the same number of them?

Real photographs that scikit-image ships have no ground truth: there, the share of the colours'
variance that superpixels explain tells how well they fit. Mosaics of real textures have an exact
one. Both are cut by scikit-image's ``slic`` first, then into exactly as many superpixels by
:class:`~sksuperpixel.SLIC` and by the pretrained model. That one learned what people take for
objects: it explains less of the colours' variance than SLIC, which looks at nothing else, and
finds the borders of textures better, though it has not seen a mosaic before.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from skimage import data
from skimage.io import imsave
from skimage.segmentation import mark_boundaries, slic
from skimage.transform import rescale

from sksuperpixel import SLIC, TrainableSLIC
from sksuperpixel.datasets import make_texture_mosaics
from sksuperpixel.metrics import superpixel_report

COMPACTNESS = 10


def segment_all_ways(images, n_segments):
    """Superpixels of scikit-image's slic, and of ours in exactly the same numbers."""
    theirs = [
        slic(image, n_segments=n_segments, compactness=COMPACTNESS, max_num_iter=5, start_label=0)
        for image in images
    ]
    numbers = [len(np.unique(labels)) for labels in theirs]
    plain = SLIC(compactness=COMPACTNESS).fit(images)
    learned = TrainableSLIC.from_pretrained("bsds500")
    ours = {
        name: [
            model.set_params(n_segments=number).transform([image])[0]
            for image, number in zip(images, numbers, strict=True)
        ]
        for name, model in (("SLIC", plain), ("pretrained", learned))
    }
    return {"scikit-image slic": theirs, **ours}


def report(images, superpixels, segmentations=None):
    """Mean scores of each method, one row a method."""
    rows = {
        method: superpixel_report(segmentations, labels, images=images).mean()
        for method, labels in superpixels.items()
    }
    return pd.DataFrame(rows).T.round(4)


def side_by_side(image, superpixels, zoom=2):
    """Draw the methods' superpixels beside each other, as yellow lines of one pixel."""
    large = rescale(image, zoom, order=1, channel_axis=-1)
    panels = [
        mark_boundaries(large, np.kron(labels, np.ones((zoom, zoom), int)), mode="inner")
        for labels in superpixels
    ]
    return np.hstack(panels)


def main():
    """Print both reports and save a picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--output", type=Path, default=Path("superpixels.png"))
    parser.add_argument("--n-segments", type=int, default=300)
    arguments = parser.parse_args()

    photographs = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]
    names = ["astronaut", "chelsea", "coffee", "rocket"]
    superpixels = segment_all_ways(photographs, arguments.n_segments)
    print(f"Photographs ({', '.join(names)}), mean:")
    print(report(photographs, superpixels).to_string(), end="\n\n")

    mosaics = make_texture_mosaics(n_images=20, image_shape=(192, 256), random_state=0)
    images, segmentations = list(mosaics.images), list(mosaics.segmentations)
    print("Mosaics of textures with exact ground truth, mean of 20:")
    found = segment_all_ways(images, arguments.n_segments)
    print(report(images, found, segmentations).T.to_string(), end="\n\n")

    chosen = names.index("chelsea")
    picture = side_by_side(
        photographs[chosen], [labels[chosen] for labels in superpixels.values()]
    )
    imsave(arguments.output, (255 * picture).astype(np.uint8), check_contrast=False)
    print(
        f"Saved {arguments.output}: {names[chosen]}, from left to right: {', '.join(superpixels)}"
    )


if __name__ == "__main__":
    main()
