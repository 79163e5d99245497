"""Read TIFF files with all their channels."""

import io

import numpy as np

# A file may unpack to so much in any case. It is what Pillow's limit of pixels comes to.
_ALWAYS_ALLOWED = 2**28
# Deflate, the compression that shrinks most, turns at most so many equal bytes into one.
_MOST_SHRINKING = 1032


def read_tiff(path, *, as_image):
    """Read a TIFF file, except one that Pillow has to read.

    Parameters
    ----------
    path : Path
    as_image : bool
        Leave colours other than RGB to Pillow, which converts them.

    Returns
    -------
    ndarray of shape (H, W) or (H, W, C), or None
        None if Pillow has to read the file. Files of several pages have them on the first axis.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file claims to hold far more than its size allows.
    """
    import tifffile
    from tifffile import PHOTOMETRIC

    # Pillow converts these to RGB, because their values are neither grey levels nor RGB.
    converted = (
        PHOTOMETRIC.PALETTE,
        PHOTOMETRIC.SEPARATED,
        PHOTOMETRIC.YCBCR,
        PHOTOMETRIC.CIELAB,
    )
    # Some kinds of TIFF files name other files that are to be read, too. From bytes without a
    # folder, and without the metadata of OME, tifffile reads this file alone.
    content = path.read_bytes()
    most = max(_ALWAYS_ALLOWED, _MOST_SHRINKING * len(content))
    try:
        with tifffile.TiffFile(io.BytesIO(content), is_ome=False) as file:
            if as_image and file.pages.first.photometric in converted:
                return None
            series = file.series[0]
            shape, dtype, axes = series.shape, series.dtype, series.axes
            claimed = series.size * dtype.itemsize
            array = series.asarray() if claimed <= most else None
    except Exception:
        # Pillow can read some compressions for which tifffile needs another package. If the file
        # is damaged, Pillow cannot read it either, and says so.
        return None
    if array is None:
        raise ValueError(
            f"its header claims an array of shape {shape} and dtype {dtype}, {claimed} bytes, in "
            f"a file of {len(content)} bytes"
        )
    # Each channel may be stored as a plane of its own.
    return np.moveaxis(array, 0, -1) if array.ndim == 3 and axes[0] in "SC" else array
