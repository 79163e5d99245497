"""What SLIC promises about its superpixels."""

import threading
import zlib

import numpy as np
import pytest
import reference
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.callback import ProgressBar
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline

from sksuperpixel import SLIC, ChannelUnion, LabFeatures
from sksuperpixel.metrics import compactness

OPTIONS = {"features": "passthrough", "superpixel_size": 5.0, "compactness": 1.0}


def segment(image, mask=None, **params):
    """Superpixels of one image, features as they are."""
    slic = SLIC(**(OPTIONS | params)).fit([image])
    return slic.transform([image], masks=None if mask is None else [mask])[0]


def random_image(seed, shape, n_channels=3):
    rng = np.random.default_rng(seed)
    blurred = ndimage.gaussian_filter(rng.random((*shape, n_channels)), (2,) * len(shape) + (0,))
    return (blurred * 20).astype(np.float32)


def small_astronaut():
    return np.ascontiguousarray(skimage.data.astronaut()[::3, ::3][:160, :160])


def n_parts(inside):
    return ndimage.label(inside)[1]


def assert_superpixels(superpixels, shape, mask=None, connected=True):
    """Check labels 0 .. K - 1 in the order of first pixels, each of one part; -1 outside."""
    assert superpixels.dtype == np.int32
    assert superpixels.shape == shape
    inside = np.ones(shape, bool) if mask is None else mask
    assert (superpixels[~inside] == -1).all()
    labels, firsts = np.unique(superpixels[inside], return_index=True)
    assert labels.tolist() == list(range(len(labels)))
    if not connected:
        return
    assert (np.diff(firsts) > 0).all()
    for label, box in enumerate(ndimage.find_objects(superpixels + 1)):
        assert n_parts(superpixels[box] == label) == 1


@st.composite
def problems(draw):
    if draw(st.booleans()):
        shape = (draw(st.integers(1, 60)), draw(st.integers(1, 60)))
    else:
        shape = tuple(draw(st.integers(1, 14)) for _ in range(3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = rng.normal(size=(*shape, draw(st.integers(1, 9))))
    smoothness = draw(st.sampled_from([0, 0, 1, 4]))
    image = ndimage.gaussian_filter(image, (smoothness,) * len(shape) + (0,))
    image = image.astype(draw(st.sampled_from([np.float32, np.float64])))
    mask = None
    if draw(st.booleans()):
        mask = ndimage.gaussian_filter(rng.normal(size=shape), draw(st.sampled_from([0, 2])))
        mask = mask > np.quantile(mask, draw(st.sampled_from([0.05, 0.4, 0.8])))
        mask[tuple(rng.integers(0, shape))] = True
        image[~mask] = np.nan
    params = {
        "compactness": draw(st.sampled_from([0.01, 0.3, 5.0])),
        "max_iter": draw(st.integers(1, 4)),
        "adaptive_compactness": draw(st.booleans()),
    }
    if draw(st.booleans()):
        params["channel_weights"] = rng.random(image.shape[-1])
    if draw(st.booleans()):
        params["spacing"] = rng.choice([0.5, 1.0, 2.0, 7.0], len(shape)).tolist()
    return image, mask, params, rng


# What superpixels are -----------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(problems(), st.sampled_from([1, 2.5, 4, 9, 16, 200]), st.sampled_from([0, 0.25, 1]))
def test_superpixels_of_a_size_are_regions(problem, size, min_size_factor):
    image, mask, params, _ = problem
    params |= {"superpixel_size": size, "min_size_factor": min_size_factor}
    superpixels = segment(image, mask, **params)
    shape = image.shape[:-1]
    assert_superpixels(superpixels, shape, mask)
    # What is smaller than asked has no neighbour.
    spacing = np.array(params.get("spacing", [1.0] * len(shape)))
    cell = reference.cell_volume(shape, size, spacing / spacing.min())
    parts, _ = ndimage.label(superpixels >= 0)
    for label, n in enumerate(np.bincount(superpixels[superpixels >= 0])):
        if n < min_size_factor * cell * (1 - 1e-9):
            inside = superpixels == label
            np.testing.assert_array_equal(inside, parts == parts[inside][0])


@settings(max_examples=80, deadline=None)
@given(problems(), st.floats(0, 1), st.sampled_from([1.5, 5.5, 20]))
def test_superpixels_of_a_number_are_as_many_regions(problem, share, oversegmentation):
    image, mask, params, _ = problem
    shape = image.shape[:-1]
    inside = np.ones(shape, bool) if mask is None else mask
    parts, n_pixels = n_parts(inside), np.count_nonzero(inside)
    n_segments = round(parts + share**4 * (n_pixels - parts))
    params |= {"n_segments": n_segments, "oversegmentation": oversegmentation}
    superpixels = segment(image, mask, **params)
    assert_superpixels(superpixels, shape, mask)
    assert superpixels.max() == n_segments - 1


@settings(max_examples=30, deadline=None)
@given(problems(), st.sampled_from([1, 3, 8]))
def test_without_connectivity_labels_have_no_gaps(problem, size):
    image, mask, params, _ = problem
    params |= {"superpixel_size": size, "enforce_connectivity": False}
    superpixels = segment(image, mask, **params)
    assert_superpixels(superpixels, image.shape[:-1], mask, connected=False)


def test_without_connectivity_superpixels_are_the_clusters():
    # In black and white noise, a cluster is what is black nearby, or what is white.
    image = 10.0 * (np.random.default_rng(0).random((8, 16, 1)) < 0.5)
    loose = segment(image, superpixel_size=8, compactness=0.1, enforce_connectivity=False)
    assert loose.max() == 1
    assert n_parts(loose == 0) > 1
    assert segment(image, superpixel_size=8, compactness=0.1).max() > 1


def test_superpixels_follow_an_edge_exactly():
    rows, columns = np.indices((61, 83))
    for second in (
        columns >= 30,
        rows >= 25,
        rows > columns - 10,
        (rows - 30) ** 2 + (columns - 40) ** 2 < 400,
    ):
        image = np.where(second[..., np.newaxis], [250, 240, 20], [20, 40, 200]).astype(np.uint8)
        for params in (
            {},
            {"superpixel_size": 7},
            {"n_segments": 2},
            {"n_segments": 30},
            {"compactness": 30.0},
            {"adaptive_compactness": True},
        ):
            superpixels = SLIC(**params).fit_transform([image])[0]
            on_both_sides = np.intersect1d(superpixels[second], superpixels[~second])
            assert on_both_sides.size == 0, params
    assert superpixels.max() > 10


def test_superpixels_of_a_flat_image_are_the_grid():
    superpixels = segment(np.ones((26, 39, 1)), superpixel_size=13)
    np.testing.assert_array_equal(
        superpixels, np.arange(6).reshape(2, 3).repeat(13, 0).repeat(13, 1)
    )


@pytest.mark.parametrize("size", [29.5, 100, 1e6])
def test_one_superpixel_where_the_size_is_the_image_s(size):
    image = random_image(0, (20, 19))
    assert not segment(image, superpixel_size=size, compactness=10.0).any()
    assert not segment(random_image(0, (5, 6, 7)), superpixel_size=size).any()


def test_a_size_of_one_pixel():
    image = random_image(0, (9, 11))
    np.testing.assert_array_equal(segment(image, superpixel_size=1), np.arange(99).reshape(9, 11))


def test_more_compactness_gives_more_compact_superpixels():
    image = small_astronaut()
    values = [
        compactness(SLIC(compactness=c, superpixel_size=10).fit_transform([image])[0])
        for c in (1.0, 10.0, 40.0)
    ]
    assert values[0] < values[1] - 0.05 < values[2] - 0.1


# The number of superpixels ------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 12), (12, 1), (2, 2), (7, 9), (16, 16), (3, 31), (3, 4, 5), (1, 6, 7)]
)
@pytest.mark.parametrize("seed", [0, None])
def test_every_number_of_superpixels(shape, seed):
    # Without a seed there is nothing to tell pixels apart but their places.
    image = np.zeros((*shape, 1)) if seed is None else random_image(seed, shape)
    n_pixels = int(np.prod(shape))
    for n_segments in range(1, n_pixels + 1):
        superpixels = segment(image, n_segments=n_segments)
        assert_superpixels(superpixels, shape)
        assert superpixels.max() + 1 == n_segments


def test_numbers_of_superpixels_of_a_picture():
    image = small_astronaut()
    sampled = np.random.default_rng(0).integers(1, 2001, 12).tolist()
    for n_segments in [1, 2, 3, 5, 10, 100, 1000, 2000, *sampled]:
        superpixels = SLIC(n_segments=n_segments).fit_transform([image])[0]
        assert_superpixels(superpixels, (160, 160))
        assert superpixels.max() + 1 == n_segments


def test_number_is_of_each_image():
    images = [random_image(0, (20, 30)), random_image(1, (41, 13))]
    found = SLIC(**(OPTIONS | {"n_segments": 17})).fit_transform(images)
    assert [superpixels.max() + 1 for superpixels in found] == [17, 17]


def test_more_superpixels_than_pixels():
    slic = SLIC(**(OPTIONS | {"n_segments": 13}))
    images = [random_image(0, (4, 4)), random_image(0, (4, 3))]
    slic.fit(images)
    message = "image 1: found 12 pixels, expected at least n_segments=13"
    with pytest.raises(ValueError, match=f"{message}$"):
        slic.transform(images)
    mask = np.ones((4, 4), bool)
    mask[0] = False
    with pytest.raises(
        ValueError, match="image 0: found 12 pixels in its mask, expected at least n_segments=13"
    ):
        slic.transform(images[:1], masks=[mask])


def test_oversegmentation_of_one_gives_about_the_number():
    image = random_image(0, (60, 60))
    found = segment(image, n_segments=50, oversegmentation=1)
    assert_superpixels(found, (60, 60))
    size = (60 * 60 / 50) ** 0.5
    np.testing.assert_array_equal(found, segment(image, superpixel_size=size))
    assert 25 <= found.max() + 1 <= 75


# Masks --------------------------------------------------------------------------------------


def masked_problem():
    image = random_image(3, (30, 42))
    mask = np.zeros((30, 42), bool)
    mask[2:12, 3:20] = mask[15:28, 5:9] = mask[5:25, 25:40] = True
    return image, mask


@pytest.mark.parametrize("params", [{}, {"n_segments": 20}, {"enforce_connectivity": False}])
def test_nothing_outside_a_mask_matters(params):
    image, mask = masked_problem()
    expected = segment(image, mask, **params)
    assert (expected[mask] >= 0).all()
    assert (expected[~mask] == -1).all()
    for outside in (0, 1e30, np.nan, np.inf, -np.inf):
        other = np.where(mask[..., np.newaxis], image, np.float32(outside))
        np.testing.assert_array_equal(segment(other, mask, **params), expected)
    whole = (image * 10).astype(np.uint8)
    expected = segment(whole, mask, **params)
    whole[~mask] = 255 - whole[~mask]
    np.testing.assert_array_equal(segment(whole, mask, **params), expected)


def test_nothing_outside_a_mask_matters_for_lab():
    mask = masked_problem()[1]
    image = np.random.default_rng(0).random((30, 42, 3))
    expected = SLIC().fit([image]).transform([image], masks=[mask])
    image[~mask] = np.nan
    np.testing.assert_array_equal(SLIC().fit([image]).transform([image], [mask]), expected)


def test_a_mask_of_everything_is_none():
    image, _ = masked_problem()
    everything = np.ones(image.shape[:-1], bool)
    np.testing.assert_array_equal(segment(image, everything), segment(image))
    np.testing.assert_array_equal(
        segment(image, everything, n_segments=20), segment(image, n_segments=20)
    )


def test_masks_of_some_images_of_a_batch():
    image, mask = masked_problem()
    slic = SLIC(**OPTIONS)
    found = slic.fit_transform([image, image, image], masks=[None, mask, mask.astype(np.uint8)])
    np.testing.assert_array_equal(found[0], segment(image))
    np.testing.assert_array_equal(found[1], segment(image, mask))
    np.testing.assert_array_equal(found[2], found[1])
    stacked = slic.predict(np.stack([image] * 5), masks=np.stack([mask] * 5))
    np.testing.assert_array_equal(stacked[4], found[1])


def test_fewer_superpixels_than_parts_of_a_mask():
    image, mask = masked_problem()
    slic = SLIC(**(OPTIONS | {"n_segments": 2})).fit([image])
    message = "image 1: found a mask of 3 parts that do not touch, expected at most n_segments=2"
    with pytest.raises(ValueError, match=message):
        slic.transform([image, image], masks=[None, mask])
    # As many as there are parts are the parts.
    found = segment(image, mask, n_segments=3)
    np.testing.assert_array_equal(found, ndimage.label(mask)[0] - 1)


def test_a_mask_of_one_pixel():
    image, _ = masked_problem()
    mask = np.zeros(image.shape[:-1], bool)
    mask[7, 11] = True
    for params in ({}, {"n_segments": 1}, {"enforce_connectivity": False}):
        found = segment(image, mask, **params)
        assert found[7, 11] == 0
        assert np.count_nonzero(found == -1) == found.size - 1


def test_masks_are_not_changed():
    image, mask = masked_problem()
    before = mask.copy()
    mask.flags.writeable = False
    segment(image, mask)
    np.testing.assert_array_equal(mask, before)


# Weights, spacing, axes ---------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"n_segments": 11}])
def test_a_weight_of_zero_ignores_a_channel(params):
    image = random_image(0, (25, 31), 4)
    ignored = segment(image, channel_weights=[1, 0, 1, 1], **params)
    np.testing.assert_array_equal(ignored, segment(image[..., [0, 2, 3]], **params))
    assert not np.array_equal(ignored, segment(image, **params))


@pytest.mark.parametrize("params", [{}, {"n_segments": 11}, {"adaptive_compactness": True}])
def test_weights_are_of_squared_differences(params):
    image = random_image(0, (25, 31))
    weights = np.array([0.3, 1.0, 17.0])
    scaled = image * np.sqrt(weights).astype(np.float32)
    expected = segment(scaled, **params)
    for given_as in (weights, weights.tolist(), tuple(weights), weights.astype(np.float32)):
        found = segment(image, channel_weights=given_as, **params)
        np.testing.assert_array_equal(found, expected)
    ones = segment(image, channel_weights=[1, 1, 1], **params)
    np.testing.assert_array_equal(ones, segment(image, **params))


def test_weights_of_all_channels_and_compactness_go_together():
    image = random_image(0, (25, 31))
    np.testing.assert_array_equal(
        segment(image, channel_weights=[16, 16, 16], compactness=4.0),
        segment(image, compactness=1.0),
    )


@pytest.mark.parametrize("params", [{}, {"n_segments": 11}])
def test_only_proportions_of_spacing_matter(params):
    image = random_image(0, (25, 31))
    np.testing.assert_array_equal(
        segment(image, spacing=(3, 3), **params), segment(image, **params)
    )
    np.testing.assert_array_equal(
        segment(image, spacing=np.array([0.5, 1.5]), **params),
        segment(image, spacing=[2, 6], **params),
    )


@pytest.mark.parametrize(
    ("spacing", "cell"),
    [((1, 1), (15, 15)), ((3, 1), (5, 15)), ((1, 5), (15, 3)), ((0.75, 0.25), (5, 15))],
)
@pytest.mark.parametrize("params", [{"superpixel_size": 15}, {"oversegmentation": 1}])
def test_spacing_makes_cells_cubes_in_space(spacing, cell, params):
    n_cells = (60 // cell[0]) * (60 // cell[1])
    if "oversegmentation" in params:
        params = params | {"n_segments": n_cells}
    found = segment(np.zeros((60, 60, 1)), spacing=spacing, **params)
    grid = np.arange(n_cells).reshape(60 // cell[0], 60 // cell[1])
    np.testing.assert_array_equal(found, grid.repeat(cell[0], 0).repeat(cell[1], 1))


def test_spacing_elongates_merged_superpixels():
    image = np.random.default_rng(0).random((64, 64, 1)) * 0.1
    found = segment(image, n_segments=20, spacing=(4, 1))
    boxes = ndimage.find_objects(found + 1)
    heights, widths = np.mean([[s.stop - s.start for s in box] for box in boxes], axis=0)
    assert widths > 2.5 * heights


def test_spacing_of_a_volume():
    found = segment(np.zeros((6, 18, 18, 1)), spacing=(3, 1, 1), superpixel_size=9)
    grid = np.arange(8).reshape(2, 2, 2)
    np.testing.assert_array_equal(found, grid.repeat(3, 0).repeat(9, 1).repeat(9, 2))


@pytest.mark.parametrize("params", [{}, {"n_segments": 15}])
def test_a_volume_of_one_plane_is_an_image(params):
    image = random_image(0, (25, 31))
    volume = segment(image[np.newaxis], **params)
    assert volume.shape == (1, 25, 31)
    np.testing.assert_array_equal(volume[0], segment(image, **params))


def test_axes_of_a_volume_are_alike():
    """A flat volume is a flat image whichever way it lies."""
    plane = random_image(0, (25, 31), 1)
    for axis in range(3):
        volume = np.expand_dims(plane, axis)
        lying = segment(np.ascontiguousarray(volume), n_segments=12)
        assert lying.shape == volume.shape[:-1]
        assert lying.max() == 11
    superpixels = segment(np.zeros((16, 16, 16, 1)), superpixel_size=8)
    for order in [(1, 0, 2), (2, 1, 0), (0, 2, 1)]:
        turned = reference.by_first_pixel(superpixels.transpose(order))
        np.testing.assert_array_equal(turned, superpixels)


@pytest.mark.parametrize("features", ["lab", "passthrough"])
@pytest.mark.parametrize("shape", [(25, 31), (4, 9, 12)])
def test_channel_axes_agree(features, shape):
    image = random_image(0, shape) / 20
    expected = SLIC(features=features, compactness=1, superpixel_size=6).fit_transform([image])[0]
    for axis in (0, 1, -2, len(shape)):
        moved = np.moveaxis(image, -1, axis)
        slic = SLIC(features=features, compactness=1, superpixel_size=6, channel_axis=axis)
        np.testing.assert_array_equal(slic.fit_transform([moved])[0], expected)


@pytest.mark.parametrize("features", ["lab", "passthrough"])
@pytest.mark.parametrize("shape", [(25, 31), (4, 9, 12)])
def test_grey_images_with_and_without_channel_agree(features, shape):
    image = random_image(0, shape, 1) / 20
    params = {"features": features, "compactness": 1, "superpixel_size": 6}
    expected = SLIC(**params).fit_transform([image])[0]
    found = SLIC(channel_axis=None, **params).fit_transform([image[..., 0]])[0]
    np.testing.assert_array_equal(found, expected)
    assert expected.max() > 2
    if len(shape) == 2:
        found = SLIC(**params).fit_transform([image[..., 0]])[0]
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "dtype",
    ["uint8", "int16", "int64", "uint32", "float16", "float64", "longdouble", ">u2", ">f4"],
)
def test_dtypes_agree(dtype):
    image = random_image(0, (20, 30)).round()
    np.testing.assert_array_equal(segment(image.astype(dtype)), segment(image))


def test_float64_beyond_float32():
    image = random_image(0, (8, 8)).astype(np.float64)
    image[2, 3, 1] = 1e300
    with pytest.raises(
        ValueError, match=r"image 0: found NaN or infinity at 1 pixels, the first at \(2, 3\)"
    ):
        segment(image)


def test_adaptive_compactness_is_compact_in_texture():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(64, 64, 3)) / 20
    image[:, 32:] *= 400
    scores = {}
    for adaptive in (False, True):
        found = segment(image, adaptive_compactness=adaptive, superpixel_size=8)
        assert_superpixels(found, (64, 64))
        scores[adaptive] = [compactness(half) for half in (found[:, :32], found[:, 32:])]
    assert scores[True][1] > scores[False][1] + 0.1
    assert scores[True][0] > 0.5


def test_adaptive_compactness_starts_somewhere():
    slic = SLIC(adaptive_compactness=True, compactness=0)
    with pytest.raises(ValueError, match="compactness: found 0, expected more than 0"):
        slic.fit([small_astronaut()])


# Features -----------------------------------------------------------------------------------


class Squares(TransformerMixin, BaseEstimator):
    """A user's own features, computed at once, of a class that knows nothing of ours."""

    def __init__(self, power=2):
        self.power = power

    def fit(self, X, y=None):
        self.given_y_ = y is not None
        return self

    def transform(self, X):
        return [np.asarray(image, dtype=float) ** self.power for image in X]


class Broken(Squares):
    def __init__(self, kind="shape"):
        self.kind = kind

    def transform(self, X):
        return [self.broken(image) if image.max() > 100 else image for image in X]

    def broken(self, image):
        image = np.array(image, dtype=float)
        if self.kind == "shape":
            return image[:-1]
        if self.kind == "no channels":
            return image[..., 0]
        image[3, 4, 0] = np.nan
        return image


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_own_features(n_jobs):
    images = [random_image(i, (20, 20 + i)) for i in range(3)]
    params = OPTIONS | {"features": Squares(), "compactness": 3.0, "n_jobs": n_jobs}
    slic = SLIC(**params).fit(images, [np.zeros(i.shape[:-1], int) for i in images])
    assert slic.features_.given_y_
    assert not hasattr(slic.features, "given_y_")
    for found, image in zip(slic.transform(images), images, strict=True):
        squared = image.astype(float) ** 2
        np.testing.assert_array_equal(found, segment(squared, compactness=3.0))
    mask = images[0][..., 0] > np.median(images[0][..., 0])
    np.testing.assert_array_equal(
        slic.transform(images[:1], masks=[mask])[0],
        segment(images[0].astype(float) ** 2, mask, compactness=3.0),
    )


def test_own_features_see_images_as_given():
    images = [np.moveaxis(random_image(i, (20, 23)), -1, 0) for i in range(2)]
    slic = SLIC(**(OPTIONS | {"features": ChannelsLast(), "channel_axis": 0}))
    expected = [segment(np.moveaxis(image, 0, -1)) for image in images]
    for found, right in zip(slic.fit_transform(images), expected, strict=True):
        np.testing.assert_array_equal(found, right)
    grey = SLIC(**(OPTIONS | {"features": AddChannel(), "channel_axis": None}))
    found = grey.fit_transform([images[0][0]])[0]
    np.testing.assert_array_equal(found, segment(images[0][0]))


class ChannelsLast(Squares):
    def transform(self, X):
        assert all(image.shape[0] == 3 for image in X)
        return [np.moveaxis(image, 0, -1) for image in X]


class AddChannel(Squares):
    def transform(self, X):
        return [image.reshape(*image.shape, 1) for image in X]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("shape", r"image 1: found features of shape \(5, 8, 3\), expected \(6, 8, C\)"),
        ("no channels", r"image 1: found features of shape \(6, 8\), expected \(6, 8, C\)"),
        (
            "nan",
            r"image 1: found NaN or infinity in the features at 1 pixels, the first at",
        ),
    ],
)
def test_wrong_features(kind, message):
    images = [random_image(i, (6, 8)) + 200 * i for i in range(2)]
    slic = SLIC(features=Broken(kind)).fit(images)
    with pytest.raises(ValueError, match=message):
        slic.transform(images)


def test_nan_features_outside_a_mask():
    images = [random_image(i, (6, 8)) + 200 * i for i in range(2)]
    mask = np.ones((6, 8), bool)
    mask[3, 4] = False
    found = SLIC(features=Broken("nan")).fit(images).transform(images, masks=[None, mask])
    assert_superpixels(found[1], (6, 8), mask)


def test_weights_are_of_the_features():
    image = small_astronaut()
    slic = SLIC(features=ChannelUnion([("lab", LabFeatures()), ("rgb", "passthrough")]))
    only_lab = slic.set_params(channel_weights=[1, 1, 1, 0, 0, 0]).fit_transform([image])[0]
    np.testing.assert_array_equal(only_lab, SLIC().fit_transform([image])[0])
    slic.set_params(channel_weights=[1, 1, 1])
    with pytest.raises(ValueError, match=r"channel_weights: found shape \(3,\), expected \(6,\)"):
        slic.fit_transform([image])


def test_features_run_once_an_image():
    asked = []

    class Counting(Squares):
        def transform(self, X):
            asked.extend(image.shape[1] for image in X)
            return super().transform(X)

    images = [random_image(i, (12, 12 + i)) for i in range(4)]
    slic = SLIC(features=Counting()).fit(images)
    assert asked == []
    slic.transform(images)
    assert asked == [12, 13, 14, 15]


def test_lab_by_name_by_object_and_by_pipeline():
    images = [small_astronaut(), small_astronaut()[:80, ::-1]]
    for params in ({}, {"n_segments": 40}):
        expected = SLIC(**params).fit_transform(images)
        for same in (
            SLIC(features=LabFeatures(), **params),
            SLIC(features=ChannelUnion([("lab", LabFeatures())]), **params),
            Pipeline([("lab", LabFeatures()), ("slic", SLIC(features="passthrough", **params))]),
        ):
            for found, right in zip(same.fit_transform(images), expected, strict=True):
                np.testing.assert_array_equal(found, right)


# The rest of scikit-learn -------------------------------------------------------------------


def scenes(n=4):
    """Two-coloured images whose edge lies elsewhere in each."""
    rng = np.random.default_rng(0)
    images, segmentations = [], []
    for i in range(n):
        rows, columns = np.indices((30 + i, 36))
        segmentation = (rows * (i + 1) > columns * 2).astype(int)
        image = 0.4 + 0.05 * segmentation[..., np.newaxis] + rng.normal(0, 0.02, (30 + i, 36, 3))
        images.append(np.clip(image, 0, 1))
        segmentations.append(np.stack([segmentation, segmentation]) if i == 1 else segmentation)
    return images, segmentations


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_grid_search(n_jobs):
    images, segmentations = scenes()
    search = GridSearchCV(
        SLIC(superpixel_size=12),
        {"compactness": [1.0, 10.0, 1000.0], "n_segments": [None, 9]},
        cv=2,
        n_jobs=n_jobs,
        error_score="raise",
    )
    search.fit(images, segmentations)
    scores = search.cv_results_["mean_test_score"]
    assert scores.min() > 0.5
    # Squares cross edges.
    assert search.best_params_["compactness"] < 1000
    assert scores.max() > scores.min() + 0.02
    assert search.score(images, segmentations) > 0.9
    found = search.predict(images[:1])[0]
    np.testing.assert_array_equal(found, search.best_estimator_.transform(images[:1])[0])


def test_grid_search_over_features_in_a_pipeline():
    images, segmentations = scenes()
    union = ChannelUnion([("lab", LabFeatures()), ("rgb", "passthrough")])
    pipeline = make_pipeline(union, SLIC(n_segments=9, features="passthrough"))
    search = GridSearchCV(
        pipeline,
        {"channelunion__transformer_weights": [{"lab": 1e-6, "rgb": 1e-6}, {"rgb": 0.0}]},
        cv=2,
        error_score="raise",
    )
    search.fit(images, segmentations)
    assert search.best_params_["channelunion__transformer_weights"] == {"rgb": 0.0}


def test_cross_validation_uses_score():
    images, segmentations = scenes()
    scores = cross_val_score(
        SLIC(superpixel_size=6), images, segmentations, cv=4, error_score="raise"
    )
    expected = [
        SLIC(superpixel_size=6).fit([image]).score([image], [segmentation])
        for image, segmentation in zip(images, segmentations, strict=True)
    ]
    assert scores.tolist() == expected


class Recorder:
    """A callback that writes down what it is told."""

    def __init__(self, wait=None):
        self.events = []
        self.wait = wait

    def setup(self, estimator, context):
        self.events.append(("setup", None, None))

    def teardown(self, estimator, context):
        self.events.append(("teardown", None, None))

    def on_fit_task_begin(self, estimator, context, **data):
        self.events.append(("begin", context.task_name, context.task_id))
        if self.wait and context.task_name == "image":
            self.wait()

    def on_fit_task_end(self, estimator, context, **data):
        self.events.append(("end", context.task_name, context.task_id))


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_callbacks_hear_of_each_image(n_jobs):
    images = [random_image(i, (12, 12)) for i in range(3)]
    recorder = Recorder()
    slic = SLIC(**OPTIONS, n_jobs=n_jobs).set_callbacks(recorder).fit(images)
    assert recorder.events == []
    found = slic.transform(images)
    of_images = [(event, "image", i) for i in range(3) for event in ("begin", "end")]
    assert recorder.events == [
        ("setup", None, None),
        ("begin", "transform", 0),
        *of_images,
        ("end", "transform", 0),
        ("teardown", None, None),
    ]
    for superpixels, image in zip(found, images, strict=True):
        np.testing.assert_array_equal(superpixels, segment(image))


def test_callbacks_are_torn_down_after_an_error():
    images = [random_image(i, (12, 12)) for i in range(3)]
    images[1][0, 0] = np.nan
    recorder = Recorder()
    slic = SLIC(**OPTIONS).set_callbacks(recorder).fit(images)
    for _ in range(2):
        with pytest.raises(ValueError, match="image 1: found NaN"):
            slic.transform(images)
        assert [event for event, _, _ in recorder.events].count("end") == 1
        assert recorder.events[-1][0] == "teardown"
        recorder.events.clear()


def test_threads_can_share_an_estimator():
    images = [random_image(i, (12, 12)) for i in range(3)]
    within, go_on, found = threading.Event(), threading.Event(), []

    def wait():
        # The first of the threads stays inside while the other does all its work.
        if not within.is_set():
            within.set()
            assert go_on.wait(30)

    recorder = Recorder(wait)
    slic = SLIC(**OPTIONS).set_callbacks(recorder).fit(images)
    first = threading.Thread(target=lambda: found.append(slic.transform(images)))
    first.start()
    assert within.wait(30)
    found.append(slic.transform(images[:1]))
    go_on.set()
    first.join(30)
    assert [len(superpixels) for superpixels in found] == [1, 3]
    np.testing.assert_array_equal(found[0][0], found[1][0])
    names = [event for event, _, _ in recorder.events]
    assert names.count("setup") == names.count("teardown") == 2


def test_progress_bar(capsys):
    pytest.importorskip("rich")
    images = [random_image(i, (12, 12)) for i in range(3)]
    slic = SLIC(**OPTIONS).set_callbacks(ProgressBar()).fit(images)
    found = slic.transform(images)
    assert len(found) == 3
    written = capsys.readouterr().out
    assert "SLIC" in written
    assert "transform" in written
    assert "100%" in written


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_progress_bar_of_a_search(n_jobs, capsys):
    pytest.importorskip("rich")
    images, segmentations = scenes(2)
    search = GridSearchCV(SLIC(), {"compactness": [1.0]}, cv=2, n_jobs=n_jobs, error_score="raise")
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(images, segmentations)
    assert "GridSearchCV" in capsys.readouterr().out
    assert search.score(images, segmentations) > 0.9


def test_not_fitted():
    with pytest.raises(NotFittedError):
        SLIC().transform([small_astronaut()], masks=[None])


def test_weak_edges_are_merged_first():
    # Two walls of equal contrast; the edge map knows of the second one only.
    image = np.zeros((20, 30, 2), np.float32)
    image[:, 10:20, 0], image[:, 20:, 0] = 1, 2
    image[:, 19:21, 1] = 0.9
    params = {"n_segments": 2, "compactness": 0.1, "channel_weights": [1, 0]}
    found = segment(image, edge_channel=-1, **params)
    np.testing.assert_array_equal(found == found[0, 0], np.indices((20, 30))[1] < 20)


@pytest.mark.parametrize(
    ("channel", "value", "match"),
    [
        (2, 0.5, "edge_channel: found 2, expected one of 2 features"),
        (-3, 0.5, "edge_channel: found -3, expected one of 2 features"),
        (1, 1.5, r"image 0: found edges from 0 to 1.5, expected them in \[0, 1\]"),
    ],
)
def test_bad_edges_are_named(channel, value, match):
    image = np.zeros((8, 8, 2), np.float32)
    image[4:, :, 1] = value
    with pytest.raises(ValueError, match=match):
        segment(image, n_segments=3, edge_channel=channel)


# Features and masks ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_features_do_not_see_what_lies_outside_a_mask(dtype):
    class Blurred(LabFeatures):
        def _image_features(self, image):
            lab = super()._image_features(image)
            return np.ascontiguousarray(ndimage.uniform_filter(lab, (9, 9, 1)))

    image = random_image(3, (40, 40)) / 20
    image = (image * (255 if dtype == np.uint8 else 1)).astype(dtype)
    mask = np.zeros((40, 40), bool)
    mask[5:30, 8:33] = True
    other = image.copy()
    other[~mask] = other.max()
    slic = SLIC(6, features=Blurred()).fit([image])
    first, second = (slic.transform([each], masks=[mask])[0] for each in (image, other))
    np.testing.assert_array_equal(first, second)


# Checksums of the labels of pictures that scikit-image brings. They hold what SLIC gave when
# they were written down, to notice changes that no other test does; all arithmetic before a
# label is float32 (or float64 sums) in a fixed order, so they hardly depend on the machine.
# Regenerate them when the algorithm, or a default, changes on purpose: run this file with
# Python and paste what it prints.
GOLDEN = {
    ("astronaut", None): (1073, 4129552128),
    ("astronaut", 200): (200, 1144384774),
    ("coffee", None): (1003, 1498097461),
    ("coffee", 200): (200, 3035396405),
    ("camera", None): (1047, 2338814348),
    ("camera", 200): (200, 2874486384),
}


def golden_labels(picture, params):
    image = getattr(skimage.data, picture)()
    return SLIC(**params).fit_transform([image])[0]


GOLDEN_RUNS = [
    (picture, params)
    for picture in ("astronaut", "coffee", "camera")
    for params in ({}, {"n_segments": 200})
]


def summary(superpixels):
    return superpixels.max().item() + 1, zlib.crc32(superpixels.astype("<i4").tobytes())


@pytest.mark.parametrize(("picture", "params"), GOLDEN_RUNS)
def test_golden_labels(picture, params):
    superpixels = golden_labels(picture, params)
    assert_superpixels(superpixels, superpixels.shape)
    assert summary(superpixels) == GOLDEN[picture, params.get("n_segments")]


if __name__ == "__main__":
    for picture, params in GOLDEN_RUNS:
        key = picture, params.get("n_segments")
        print(f"    {key!r}: {summary(golden_labels(picture, params))!r},".replace("'", '"'))
