"""The parts that the docstrings of the metrics have in common."""

import re
from textwrap import indent

_PARTS = {
    "y_true": """\
y_true : array of int, shape (H, W) or (A, H, W), or sequence of such arrays
    The segmentation of one image, or those of its A annotators. The shape for a volume is
    (D, H, W) or (A, D, H, W). If `y_pred` is a sequence, one such array per image. Masked
    pixels of NumPy masked arrays are left out.""",
    "y_true_optional": """\
y_true : array of int or sequence of such arrays, default=None
    Segmentations, with the shapes that `boundary_recall` takes. They matter only because
    their void and masked pixels are left out.""",
    "y_pred": """\
y_pred : array of int, shape (H, W), or sequence of such arrays
    The superpixels of one image, or of each image of a sequence. The shape for a volume is
    (D, H, W). A single array is always one image. Pixels with a negative label and masked
    pixels of NumPy masked arrays are left out.""",
    "ignore_label": """\
ignore_label : int, default=None
    The label of void pixels in `y_true`, which are left out. Different annotators may have
    different void pixels.""",
    "average": """\
average : {"mean", None}, default="mean"
    "mean" averages over annotators, then over images. None returns each annotator's score.""",
    "masks": """\
masks : array of bool, shape (H, W), or sequence of such arrays, default=None
    The pixels that count. Pixels outside are left out. One mask if `y_pred` is one image, or
    one mask (or None) per image if it is a sequence. The shape for a volume is (D, H, W).""",
    "scores": """\
float, or ndarray of float, shape (A,), or list of such arrays
    %(meaning)s
    With ``average=None``, an array with one score per annotator, or a list of such arrays if
    `y_pred` is a sequence.""",
    "errors": """\
ValueError
    If a parameter, a shape or the number of images is wrong, or if no pixel is left to score.
    The message contains the index of the image.
TypeError
    If labels are not integers.""",
}


def share_docs(**texts):
    """Make a decorator that fills in the shared parts of a function's docstring.

    A line of the docstring that consists of ``%(name)s`` is replaced by the part of that name,
    with the indentation of the line.

    Parameters
    ----------
    **texts : str
        Texts that replace ``%(name)s`` within a part, for this function.

    Returns
    -------
    callable
        The decorator. It returns the function itself, with another docstring.
    """

    def part(match):
        text = _PARTS[match["name"]]
        for name, value in texts.items():
            text = text.replace(f"%({name})s", value)
        return indent(text, match["indent"])

    def fill(function):
        if function.__doc__:  # ``python -OO`` strips docstrings
            function.__doc__ = re.sub(
                r"^(?P<indent> *)%\((?P<name>\w+)\)s$", part, function.__doc__, flags=re.MULTILINE
            )
        return function

    return fill
