"""Masks count in all transformers alike: what is outside is never seen, and makes no edge."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import make_pipeline

from sksuperpixel.features import ChannelUnion, LabFeatures, ScatteringFeatures

torch = pytest.importorskip("torch")
pytest.importorskip("kymatio")
pytest.importorskip("safetensors")

from sksuperpixel.features import ENetFeatures, LearnedFeatures  # noqa: E402


class Blur(TransformerMixin, BaseEstimator):
    """A user's transformer, which looks around a pixel and knows nothing of masks."""

    def fit(self, X, y=None):
        self.mean_ = np.mean([image.mean() for image in X])
        return self

    def transform(self, X):
        return [gaussian_filter(image, (3, 3, 0)) - self.mean_ for image in X]


TRANSFORMERS = {
    "lab": LabFeatures(sigma=3),
    "scattering": ScatteringFeatures(L=4, data_range=255),
    "lightness": ScatteringFeatures(L=4, channels="lightness", data_range=255),
    "enet": ENetFeatures("bottleneck1.0", data_range=255),
    "learned": LearnedFeatures(n_maps=2, width=4, train=False, random_state=0, data_range=255),
    "union": ChannelUnion(
        [
            ("lab", LabFeatures(sigma=2, data_range=255)),
            ("own", Blur()),
            ("both", make_pipeline(Blur(), Blur())),
            ("rgb", "passthrough"),
        ]
    ),
}
TRANSFORMERS["lab"].set_params(data_range=255)
every = pytest.mark.parametrize("transformer", TRANSFORMERS.values(), ids=TRANSFORMERS)

SHAPE = (44, 52)
ROWS, COLUMNS = np.indices(SHAPE)
DISC = np.hypot(ROWS - 21, COLUMNS - 25) < 15
MASKS = [DISC, None, (COLUMNS > 10) & ~((ROWS - 20) ** 2 + (COLUMNS - 30) ** 2 < 40)]


def noise(seed):
    return np.random.default_rng(seed).uniform(0, 255, (*SHAPE, 3)).astype(np.float32)


IMAGES = [noise(i) for i in range(3)]


def changed_outside(value):
    """The images, with something else outside their masks."""
    return [
        image if mask is None else np.where(mask[..., np.newaxis], image, np.float32(value))
        for image, mask in zip(IMAGES, MASKS, strict=True)
    ]


def masked_arrays(images, one_channel=False):
    """Images as masked arrays; a pixel is invalid if any of its channels is."""
    arrays = []
    for image, mask in zip(images, MASKS, strict=True):
        invalid = np.zeros(image.shape, bool)
        if mask is not None:
            invalid[~mask, 0 if one_channel else slice(None)] = True
        arrays.append(np.ma.MaskedArray(image, invalid))
    return arrays


@every
@pytest.mark.parametrize("outside", [0, np.nan])
def test_nothing_outside_a_mask_changes_features_inside(transformer, outside):
    expected = clone(transformer).fit_transform(IMAGES, masks=MASKS)
    other = changed_outside(outside)
    for found in (
        clone(transformer).fit_transform(other, masks=MASKS),
        clone(transformer).fit(other, masks=MASKS).transform(other, masks=MASKS),
        clone(transformer).fit(IMAGES, masks=MASKS).transform(other, masks=MASKS),
    ):
        for one, right, mask in zip(found, expected, MASKS, strict=True):
            inside = slice(None) if mask is None else mask
            np.testing.assert_array_equal(one[inside], right[inside])


@every
@pytest.mark.parametrize("one_channel", [False, True])
def test_masked_arrays_are_images_with_masks(transformer, one_channel):
    expected = clone(transformer).fit_transform(IMAGES, masks=MASKS)
    arrays = masked_arrays(changed_outside(-9999), one_channel)
    found = clone(transformer).fit_transform(arrays)
    for one, right, mask in zip(found, expected, MASKS, strict=True):
        np.testing.assert_array_equal(np.ma.getdata(one), right)
        # The mask goes on to the next step of a pipeline.
        hidden = False if mask is None else ~mask[..., np.newaxis]
        assert (np.ma.getmaskarray(one) == hidden).all()


@every
def test_a_mask_and_a_masked_array_count_both(transformer):
    half = COLUMNS < 30
    arrays = masked_arrays(changed_outside(-9999))
    masks = [half] * 3
    found = clone(transformer).fit_transform(arrays, masks=masks)
    both = [half if mask is None else half & mask for mask in MASKS]
    expected = clone(transformer).fit_transform(IMAGES, masks=both)
    for one, right in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, right)


@every
def test_a_mask_makes_no_edge(transformer):
    """A flat disc on black has the features of a flat image, as far as its rim."""
    flat = np.full((*SHAPE, 3), 200, np.float32)
    disc = np.where(DISC[..., np.newaxis], flat, np.float32(0))
    fitted = clone(transformer).fit([flat])
    expected = fitted.transform([flat])[0]
    np.testing.assert_array_equal(fitted.transform([disc], masks=[DISC])[0], expected)
    # Without the mask, there is an edge.
    assert np.abs(fitted.transform([disc])[0] - expected)[DISC].max() > 0.01


@every
def test_features_near_a_mask_see_its_mirror_image(transformer):
    image = IMAGES[0]
    mask = COLUMNS < 30
    continued = np.concatenate([image[:, :30], image[:, 29:7:-1]], axis=1)
    fitted = clone(transformer).fit([image])
    np.testing.assert_array_equal(
        fitted.transform([image], masks=[mask])[0], fitted.transform([continued])[0]
    )


@every
def test_masks_of_the_whole_image_change_nothing(transformer):
    fitted = clone(transformer).fit(IMAGES)
    whole = [np.ones(SHAPE, bool), None, np.ones(SHAPE, np.uint8)]
    for one, right in zip(
        fitted.transform(IMAGES, masks=whole), fitted.transform(IMAGES), strict=True
    ):
        np.testing.assert_array_equal(one, right)


@every
@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ([None], "masks: found 1, expected one mask"),
        ([np.zeros(SHAPE, bool), None, None], "image 0: found a mask with no pixel inside"),
        ([np.ones((3, 3), bool), None, None], r"image 0: found a mask of shape \(3, 3\), exp"),
        ([np.full(SHAPE, 0.5), None, None], "image 0: found a mask of dtype float64, expected"),
    ],
)
def test_wrong_masks(transformer, masks, message):
    with pytest.raises(ValueError, match=message):
        clone(transformer).fit(IMAGES, masks=masks)
    fitted = clone(transformer).fit(IMAGES)
    with pytest.raises(ValueError, match=message):
        fitted.transform(IMAGES, masks=masks)[0]


def test_wrong_values_inside_a_mask_are_still_an_error():
    bad = [image.copy() for image in IMAGES]
    bad[2][30, 40] = np.nan
    assert MASKS[2][30, 40]
    features = LabFeatures(data_range=255).fit_transform(bad, masks=MASKS)
    features[1]
    with pytest.raises(ValueError, match="image 2: found NaN or infinity at 1 pixels inside its"):
        features[2]


def test_volumes_continue_in_three_dimensions():
    volume = np.random.default_rng(0).integers(0, 256, (5, 12, 14), dtype=np.uint8)
    mask = np.zeros(volume.shape, bool)
    mask[:3] = True
    continued = np.concatenate([volume[:3], volume[[2, 1]]])
    fitted = LabFeatures(sigma=2, channel_axis=None).fit([volume])
    np.testing.assert_array_equal(
        fitted.transform([volume], masks=[mask])[0], fitted.transform([continued])[0]
    )
