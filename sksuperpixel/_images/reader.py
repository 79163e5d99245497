"""How estimators read images: each is decoded and checked once per pass."""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from sksuperpixel._images.errors import about_image
from sksuperpixel._images.images import check_image, check_images
from sksuperpixel._images.lazy_sequence import LazySequence
from sksuperpixel._images.masks import check_mask, check_masks, fill_outside
from sksuperpixel._images.pictures import is_picture, picture_in_layout
from sksuperpixel._images.segmentations import check_number_of_segmentations, check_segmentation


class CheckedImage(NamedTuple):
    """One image that has been checked.

    Attributes
    ----------
    pixels : ndarray of shape (H, W, C) or (D, H, W, C)
    mask : ndarray of shape (H, W) or (D, H, W), bool, or None
        Where the image counts; None for everywhere.
    channel_axis : int or None
        Which axis held the channels when the image was given; None if there was none.
    is_masked_array : bool, default=False
        Whether it was given as a NumPy masked array.
    """

    pixels: np.ndarray
    mask: np.ndarray | None
    channel_axis: int | None
    is_masked_array: bool = False

    @property
    def shape(self):
        """(H, W) or (D, H, W)."""
        return self.pixels.shape[:-1]

    @property
    def n_channels(self):
        """C."""
        return self.pixels.shape[-1]

    def filled(self):
        """Fill the image outside its mask; the result has no mask."""
        return CheckedImage(fill_outside(self.pixels, self.mask), None, self.channel_axis)

    def as_given(self):
        """Return the pixels in the layout in which the image was given."""
        if self.channel_axis is None:
            return self.pixels[..., 0]
        return np.moveaxis(self.pixels, -1, self.channel_axis)

    def masked_alike(self, features):
        """Give features as a masked array if the image was one, so that its mask goes on."""
        if not self.is_masked_array or self.mask is None:
            return features
        hidden = np.broadcast_to(~self.mask[..., np.newaxis], features.shape)
        return np.ma.masked_array(features, hidden)


def read_image(image, mask=None, channel_axis=-1, n_channels=None):
    """Check one image and its mask.

    Parameters
    ----------
    image : array-like, NumPy masked array, or picture of PIL
    mask : array-like of bool, default=None
        A masked array has a mask of its own. A pixel is inside only if it is inside both.
    channel_axis : int or None, default=-1
    n_channels : int, default=None
        How many channels the image must have.

    Returns
    -------
    CheckedImage

    Raises
    ------
    TypeError
        If the image is not an array of real numbers.
    ValueError
        If its shape, its number of channels or its mask is not as expected.
    """
    if is_picture(image):
        image = picture_in_layout(image, channel_axis)
    pixels = check_image(image, channel_axis, n_channels)
    mask = check_mask(mask, pixels.shape[:-1])
    is_masked_array = isinstance(image, np.ma.MaskedArray)
    if is_masked_array:
        invalid = check_image(np.ma.getmaskarray(image), channel_axis).any(axis=-1)
        if invalid.any():
            mask = check_mask(~invalid if mask is None else mask & ~invalid, invalid.shape)
    without_axis = channel_axis is None or np.ndim(image) == 2
    return CheckedImage(pixels, mask, None if without_axis else channel_axis, is_masked_array)


class ImageReader:
    """Reads and checks the images of a sequence, each when it is asked for.

    Parameters
    ----------
    images : sequence of ndarray, or array of shape (n, H, W[, C])
        NumPy masked arrays are images with masks; pictures of PIL are images, too.
    channel_axis : int or None, default=-1
    masks : sequence of ndarray, bool, or None, default=None
    n_channels : int, default=None
        How many channels each image must have.
    """

    def __init__(self, images, channel_axis=-1, masks=None, n_channels=None):
        self.images = check_images(images, channel_axis)
        self.masks = check_masks(masks, len(images))
        self.channel_axis = channel_axis
        self.n_channels = n_channels

    def __len__(self):
        return len(self.images)

    @cached_property
    def _first_given(self):
        return self.images[0]

    @cached_property
    def first(self):
        """The first image, which is kept because ``fit`` looks at it several times."""
        with about_image(0):
            return self._checked(self._first_given, self.masks[0])

    def __getitem__(self, index):
        if index == 0 and "first" in vars(self):
            return self.first
        with about_image(index):
            return self._checked(self._given(index), self.masks[index])

    def _given(self, index):
        """Return one image as it was given. If the sequence is lazy, this decodes it."""
        kept = index == 0 and "_first_given" in vars(self)
        return self._first_given if kept else self.images[index]

    def _checked(self, image, mask):
        return read_image(image, mask, self.channel_axis, self.n_channels)

    def given(self):
        """Return the images as they were given, each decoded when it is asked for.

        Returns
        -------
        LazySequence
        """
        return LazySequence(self._given, range(len(self)))

    def filled(self):
        """Return the images in the user's layout, filled outside their masks.

        Returns
        -------
        LazySequence of ndarray
        """
        return LazySequence(self._filled, range(len(self)))

    def _filled(self, index):
        return self[index].filled().as_given()

    def check_segmentations(self, segmentations):
        """Check that there is one segmentation per image, of the image's shape.

        If one of the sequences is lazy, only the first pair is checked, to save time.

        Parameters
        ----------
        segmentations : sequence of ndarray of shape (H, W) or (A, H, W)

        Raises
        ------
        ValueError
            If the number of segmentations or a shape is wrong.
        TypeError
            If a segmentation does not hold integers.
        """
        check_number_of_segmentations(segmentations, len(self))
        in_memory = (list, tuple, np.ndarray)
        lazy = not (isinstance(self.images, in_memory) and isinstance(segmentations, in_memory))
        for index in range(1 if lazy else len(self)):
            image = self.first if index == 0 else self[index]
            with about_image(index):
                check_segmentation(segmentations[index], image.shape)
