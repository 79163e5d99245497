"""The parts that docstrings of the metrics have in common, each written once."""

import re
from textwrap import indent

_PARTS = {
    "y_true": """\
y_true : array of int, shape (H, W) or (A, H, W), or sequence of such arrays
    The segmentation of one image, or those of its A annotators; for a volume (D, H, W) or
    (A, D, H, W). One per image if `y_pred` is a sequence. Masked pixels of a NumPy masked
    array are left out.""",
    "y_true_optional": """\
y_true : array of int or sequence of such arrays, default=None
    Segmentations, one per image, with the shapes that `boundary_recall` takes. Only their
    void and masked pixels matter, which are left out.""",
    "y_pred": """\
y_pred : array of int, shape (H, W), or sequence of such arrays
    The superpixels of one image, or of each image of a sequence; for a volume (D, H, W). One
    array is always one image. Pixels with a negative label and masked pixels of a NumPy masked
    array are left out.""",
    "ignore_label": """\
ignore_label : int, default=None
    The label of void pixels in `y_true`, which are left out. Annotators may disagree about
    which pixels are void.""",
    "average": """\
average : {"mean", None}, default="mean"
    "mean" averages over annotators, then over images. None keeps the annotators' scores.""",
    "masks": """\
masks : array of bool, shape (H, W), or sequence of such arrays, default=None
    The pixels that count; pixels outside are left out. One mask if `y_pred` is one image, one
    mask (or None) per image if it is a sequence; for a volume (D, H, W).""",
    "scores": """\
float, or ndarray of float, shape (A,), or list of such arrays
    %(meaning)s
    With ``average=None``, one array for one image, a list with one array per image of a
    sequence.""",
    "errors": """\
ValueError
    If a parameter, a shape or the number of images is wrong, or if no pixel is left to score.
    The message names the image by its index.
TypeError
    If labels are not integers.""",
}


def share_docs(**texts):
    """Make a decorator that fills in the shared parts of a function's docstring.

    A line of the docstring that is just ``%(name)s`` becomes the part of that name, indented
    as the line was.

    Parameters
    ----------
    **texts : str
        What this function's docstring says in place of ``%(name)s`` within a part.

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
        if function.__doc__:  # there is none if Python runs with -OO
            function.__doc__ = re.sub(
                r"^(?P<indent> *)%\((?P<name>\w+)\)s$", part, function.__doc__, flags=re.MULTILINE
            )
        return function

    return fill
