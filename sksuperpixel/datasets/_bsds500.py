"""BSDS500: photographs, each segmented by several people."""

import os
from numbers import Integral, Real
from pathlib import Path

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from ._download import RemoteArchive, fetch_folder, get_data_home
from ._files import check_labels, damage_as_value_error
from ._matlab import read_ground_truth
from ._pairs import bunch_of_pairs, check_folder, check_subset, list_files, pair_files

_SUBSETS = ("train", "val", "test")

# The authors publish no hash. Several unrelated public projects recorded this one when they
# downloaded the file (of 70 763 455 bytes) from the same address, for instance
# github.com/SharoonSharif/conv3x3-engine-zynq (eval/README.md) and github.com/hasslelee/flipguard
# (scripts/verify_external_source_replay.py). The size is also in tensorpack's bsds500.py.
_ARCHIVE = RemoteArchive(
    url=(
        "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz"
    ),
    sha256="97e49d31764f3912f0c4122707d53062ac9e783ba0f095e447a4d53c1a41af8e",
    folder="BSR/BSDS500",
)

_DESCR = """\
BSDS500: the Berkeley segmentation data set
-------------------------------------------
Photographs of nature and people, 481 x 321 or 321 x 481 pixels: 200 for training, 100 for
validation and 200 for testing. Four to nine people segmented each photograph by hand, into as many
parts as they found meaningful [1]_.

Terms: non-commercial research and education.
Source: https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/resources.html

.. [1] P. Arbelaez, M. Maire, C. Fowlkes, J. Malik: Contour detection and hierarchical image
   segmentation. IEEE TPAMI 33(5), 2011.
"""


_GROUND_TRUTH = (
    "a ground truth of BSDS500: the variable groundTruth with one Segmentation per annotator"
)


def _read_annotators(path):
    """Read the segmentations of one .mat file, as an int32 array (A, H, W)."""
    with damage_as_value_error(path, _GROUND_TRUTH):
        content = Path(path).read_bytes()
    try:
        segmentations = read_ground_truth(content)
    except ValueError as error:
        raise ValueError(
            f"{path}: found a file that cannot be read ({error}), expected {_GROUND_TRUTH}"
        ) from error
    shapes = sorted({segmentation.shape for segmentation in segmentations})
    if len(shapes) > 1:
        raise ValueError(f"{path}: found segmentations of the shapes {shapes}, expected one shape")
    return np.stack([check_labels(each, path, "a Segmentation") for each in segmentations])


def load_bsds500(root, subset="train"):
    """Load BSDS500 from its folder.

    Parameters
    ----------
    root : str or path-like
        One of the folders ``BSR``, ``BSR/BSDS500`` and ``BSR/BSDS500/data`` of the unpacked
        archive, or the folder that contains ``BSR``.
    subset : {"train", "val", "test", "all"} or list of these, default="train"
        The images to load.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the following attributes. Images are in the order of the requested subsets, and
        sorted by file name within a subset.

        images : LazySequence of uint8 arrays (H, W, 3)
        segmentations : LazySequence of int32 arrays (A, H, W)
            One segmentation by each of A people, with the labels of the files: 1, 2, ...
        image_ids : list of str
            For instance ``"100007"``.
        subsets : array of str, shape (n_images,)
        ignore_label : None
            No pixel is void.
        filenames, segmentation_filenames : list of str
        DESCR : str

    Raises
    ------
    FileNotFoundError
        If a folder is missing or empty, or if an image has no ground truth.
    ValueError
        If `subset` is unknown. When a file is read: if the ground truth and the image differ in
        size, if its labels are no integers that fit into int32, or if the file is damaged.

    See Also
    --------
    fetch_bsds500 : Download the data set once, then load it.

    References
    ----------
    .. [1] P. Arbelaez, M. Maire, C. Fowlkes, J. Malik: Contour detection and hierarchical image
       segmentation. IEEE TPAMI 33(5), 2011.

    Examples
    --------
    >>> from sksuperpixel.datasets import load_bsds500
    >>> data = load_bsds500("BSR", subset="val")  # doctest: +SKIP
    >>> data.images[0].shape, data.segmentations[0].shape  # doctest: +SKIP
    ((321, 481, 3), (5, 321, 481))
    """
    layout = "BSDS500 with the folders images and groundTruth"
    root = check_folder(root, layout)
    candidates = [root / "BSR/BSDS500/data", root / "BSDS500/data", root / "data", root]
    home = next((path for path in candidates if (path / "images").is_dir()), None)
    if home is None:
        raise FileNotFoundError(
            f"{root}: found no folder images in it, nor in its BSR/BSDS500/data, BSDS500/data "
            f"or data, expected {layout}"
        )
    pairs, subsets = [], []
    for name in check_subset(subset, _SUBSETS):
        folder = check_folder(home / "images" / name, layout)
        images = list_files(folder, extensions=(".jpg",))
        labels = list_files(
            check_folder(home / "groundTruth" / name, layout), extensions=(".mat",)
        )
        if not images:
            raise FileNotFoundError(
                f"{folder}: found no .jpg files, expected the images of BSDS500"
            )
        pairs += pair_files(images, labels)
        subsets += [name] * len(images)
    return bunch_of_pairs(
        pairs, _read_annotators, subsets=np.array(subsets), ignore_label=None, DESCR=_DESCR
    )


@validate_params(
    {
        "data_home": [str, os.PathLike, None],
        "subset": "no_validation",  # check_subset does it, as in load_bsds500
        "download_if_missing": ["boolean"],
        "n_retries": [Interval(Integral, 0, None, closed="left")],
        "delay": [Interval(Real, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def fetch_bsds500(
    *, data_home=None, subset="train", download_if_missing=True, n_retries=3, delay=1.0
):
    """Load BSDS500, and download it first if it is not in the cache folder.

    The data set (70 MB) is downloaded only once. The archive is unpacked only if its SHA-256 is
    the expected one, and the archive itself is not kept.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The cache folder. If None, the folder named by the environment variable
        ``SKSUPERPIXEL_DATA``, or else ``sksuperpixel`` in the user's cache folder.
    subset : {"train", "val", "test", "all"} or list of these, default="train"
        The images to load. The download always contains all of them.
    download_if_missing : bool, default=True
        If False, raise an error instead of downloading.
    n_retries : int, default=3
        How many times to try again after a failed download.
    delay : float, default=1.0
        Seconds to wait before trying again.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        The same as the result of :func:`load_bsds500`.

    Raises
    ------
    FileNotFoundError
        If the data set is missing and `download_if_missing` is False.
    OSError
        If the download fails.
    ValueError
        If a parameter is invalid, or if the SHA-256 of the downloaded file is not the expected
        one.

    See Also
    --------
    load_bsds500 : Load the data set from a folder.

    References
    ----------
    .. [1] P. Arbelaez, M. Maire, C. Fowlkes, J. Malik: Contour detection and hierarchical image
       segmentation. IEEE TPAMI 33(5), 2011.

    Examples
    --------
    >>> from sksuperpixel.datasets import fetch_bsds500
    >>> data = fetch_bsds500(subset="test")  # doctest: +SKIP
    >>> len(data.images)  # doctest: +SKIP
    200
    """
    check_subset(subset, _SUBSETS)  # before the download
    root = get_data_home(data_home) / "BSDS500"
    if not root.is_dir():
        if not download_if_missing:
            raise FileNotFoundError(
                f"{root}: found no such folder, expected BSDS500, because download_if_missing is "
                "False"
            )
        fetch_folder(_ARCHIVE, root, n_retries=n_retries, delay=delay)
    return load_bsds500(root, subset)
