"""BSDS500: photographs with the segmentations of several people each."""

import numpy as np

from ._download import RemoteArchive, extract_archive, fetch_archive, get_data_home
from ._files import bunch_of_pairs, check_folder, check_subset, list_files, pair_files

_SUBSETS = ("train", "val", "test")

# The authors publish no hash. This one (of 70 763 455 bytes) is what several unrelated public
# projects recorded when they downloaded the file from the same address, for instance
# github.com/SharoonSharif/conv3x3-engine-zynq (eval/README.md) and github.com/hasslelee/flipguard
# (scripts/verify_external_source_replay.py); the size is also in tensorpack's bsds500.py.
_ARCHIVE = RemoteArchive(
    url=(
        "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz"
    ),
    filename="BSR_bsds500.tgz",
    sha256="97e49d31764f3912f0c4122707d53062ac9e783ba0f095e447a4d53c1a41af8e",
)

_DESCR = """\
BSDS500: the Berkeley segmentation data set
-------------------------------------------
Photographs of nature and people, 481 x 321 or 321 x 481 pixels: 200 to train, 100 to validate
and 200 to test. Four to nine people segmented each by hand, in as many parts as they found
meaningful [1]_.

Terms: non-commercial research and education.
Source: https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/resources.html

.. [1] P. Arbelaez, M. Maire, C. Fowlkes, J. Malik: Contour detection and hierarchical image
   segmentation. IEEE TPAMI 33(5), 2011.
"""


def _read_annotators(path):
    """Read the segmentations (A, H, W) of one .mat file."""
    from scipy.io import loadmat

    try:
        annotators = loadmat(path, variable_names=["groundTruth"])["groundTruth"].ravel()
        segmentations = [annotator["Segmentation"][0, 0] for annotator in annotators]
        return np.stack(segmentations).astype(np.int32)
    except FileNotFoundError:
        raise
    except Exception as error:  # loadmat raises whatever the damaged bytes lead to
        raise ValueError(
            f"{path} could not be read as a ground truth of BSDS500, expected the variable "
            f"groundTruth with a Segmentation of each annotator: {error!r}"
        ) from error


def load_bsds500(root, subset="train"):
    """Load BSDS500 from its folder.

    Parameters
    ----------
    root : str or path-like
        The folder ``BSR``, ``BSR/BSDS500`` or ``BSR/BSDS500/data`` of the archive as it unpacks,
        or the one that holds ``BSR``.
    subset : {"train", "val", "test", "all"} or list of these, default="train"

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        With the following attributes, sorted by subset as asked, then by file name:

        images : LazySequence of uint8 arrays (H, W, 3)
        segmentations : LazySequence of int32 arrays (A, H, W)
            A segmentation of each of the A people, labels as in the files: 1, 2, ...
        image_ids : list of str
            As in ``"100007"``.
        subsets : array of str, shape (n_images,)
        ignore_label : None
            There is no void.
        filenames, segmentation_filenames : list of str
        DESCR : str

    Raises
    ------
    FileNotFoundError
        If a folder is missing or empty, or if an image has no ground truth.
    ValueError
        If `subset` is unknown; and, when a file is read: if a ground truth has another size than
        its image, or if a file is damaged.

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
            f"{root} has no folder images, and none in BSR/BSDS500/data, BSDS500/data or data, "
            f"expected {layout}"
        )
    pairs, subsets = [], []
    for name in check_subset(subset, _SUBSETS):
        folder = check_folder(home / "images" / name, layout)
        images = list_files(folder, extensions=(".jpg",))
        labels = list_files(
            check_folder(home / "groundTruth" / name, layout), extensions=(".mat",)
        )
        if not images:
            raise FileNotFoundError(f"{folder} has no .jpg files, expected those of BSDS500")
        pairs += pair_files(images, labels)
        subsets += [name] * len(images)
    return bunch_of_pairs(
        pairs, _read_annotators, subsets=np.array(subsets), ignore_label=None, DESCR=_DESCR
    )


def fetch_bsds500(
    *, data_home=None, subset="train", download_if_missing=True, n_retries=3, delay=1.0
):
    """Download BSDS500 if it is not in the cache folder, and load it.

    70 MB are downloaded once. A download that was cut off is kept and continued, by this call
    or by the next one; the archive is unpacked only if its SHA-256 is right, and then deleted.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The cache folder. Default: the environment variable ``SKSUPERPIXEL_DATA``, or else
        ``sksuperpixel`` in the user's cache folder.
    subset : {"train", "val", "test", "all"} or list of these, default="train"
    download_if_missing : bool, default=True
        If False, a missing data set is an error.
    n_retries : int, default=3
        How often to try again after the connection failed.
    delay : float, default=1.0
        Seconds between the trials.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        As :func:`load_bsds500` gives it.

    Raises
    ------
    FileNotFoundError
        If the data set is missing and `download_if_missing` is False.
    OSError
        If the connection fails.
    ValueError
        If `subset` is unknown, or if the downloaded file has another SHA-256 than expected: it
        is deleted then, and the next call starts afresh.

    Notes
    -----
    Two processes that download into one folder at once spoil each other's part, which the
    SHA-256 shows: call this once before starting workers.

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
    check_subset(subset, _SUBSETS)
    folder = get_data_home(data_home)
    root = folder / "BSDS500"
    if not root.is_dir():
        if not download_if_missing:
            raise FileNotFoundError(f"BSDS500 is not in {root} and download_if_missing is False")
        archive = fetch_archive(_ARCHIVE, folder, n_retries=n_retries, delay=delay)
        extract_archive(archive, "BSR/BSDS500", root)
        archive.unlink(missing_ok=True)
    return load_bsds500(root, subset)
