"""What the function `slic` promises: scikit-image's way to call it, and exact numbers."""

import inspect
import re
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import skimage.color
import skimage.data
import skimage.measure
import skimage.segmentation
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import parallel_backend
from scipy import ndimage

from sksuperpixel import SLIC, LabFeatures, _slic_function, slic
from sksuperpixel.metrics import achievable_segmentation_accuracy, compactness


def grey_image(seed, shape):
    values = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), 2)
    return (values - values.min()) / (np.ptp(values) or 1)


def colour_image(seed, shape):
    return np.stack([grey_image((seed, channel), shape) for channel in range(3)], axis=-1)


def assert_superpixels(superpixels, n_segments, start_label=1, mask=None):
    """Check the labels and that each superpixel is one connected region."""
    inside = np.ones(superpixels.shape, bool) if mask is None else mask
    labels, firsts = np.unique(superpixels[inside], return_index=True)
    assert labels.tolist() == list(range(start_label, start_label + n_segments))
    assert (np.diff(firsts) > 0).all()
    assert (superpixels[~inside] == start_label - 1).all()
    for label in labels:
        assert ndimage.label(superpixels == label)[1] == 1


# The way to call it --------------------------------------------------------------------------


def test_signature_is_that_of_scikit_image():
    ours = inspect.signature(slic)
    theirs = inspect.signature(skimage.segmentation.slic)
    assert [(p.name, p.kind, p.default) for p in ours.parameters.values()] == [
        (p.name, p.kind, p.default) for p in theirs.parameters.values()
    ]


def test_result_is_like_that_of_scikit_image():
    image = skimage.data.astronaut()[:64, :80]
    ours, theirs = slic(image), skimage.segmentation.slic(image)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    assert ours.min() == theirs.min() == 1


def test_image_is_not_changed():
    image, mask = grey_image(0, (20, 20)), np.ones((20, 20), bool)
    image_before, mask_before = image.copy(), mask.copy()
    hidden = np.ma.masked_array(image, image > 0.5)
    slic(hidden, 5, sigma=1, mask=mask, channel_axis=None)
    np.testing.assert_array_equal(image, image_before)
    np.testing.assert_array_equal(mask, mask_before)


def test_no_torch_and_no_scikit_image_is_loaded():
    code = (
        "import sys, numpy, sksuperpixel\n"
        "sksuperpixel.slic(numpy.random.rand(16, 16, 3), 8, sigma=1)\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    command = [sys.executable, "-c", code]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "sksuperpixel" in out
    assert {"torch", "skimage", "skorch", "kymatio"} & set(out) == set()


# The number of superpixels -------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 1000),
    st.lists(st.integers(1, 20), min_size=2, max_size=3),
    st.integers(1, 60),
    st.sampled_from([0.001, 0.1, 1.0, 100.0]),
    st.booleans(),
    st.sampled_from([0, 1]),
    st.sampled_from([None, 0.3, 0.7, 0.95]),
)
def test_number_is_exact(seed, shape, n_segments, weight, slic_zero, start_label, share):
    image = grey_image(seed, shape)
    mask = None
    n_parts, n_pixels = 1, image.size
    if share is not None:
        mask = np.random.default_rng(seed).random(shape) < share
        mask[seed % shape[0], seed % shape[1]] = True
        n_parts, n_pixels = ndimage.label(mask)[1], np.count_nonzero(mask)
    superpixels = slic(
        image,
        n_segments,
        weight,
        slic_zero=slic_zero,
        start_label=start_label,
        mask=mask,
        channel_axis=None,
    )
    expected = min(max(n_segments, n_parts), n_pixels)
    assert_superpixels(superpixels, expected, start_label, mask)


@pytest.mark.parametrize("n_segments", [1, 2, 7, 100, 1000])
def test_number_is_exact_in_colour(n_segments):
    image = skimage.data.astronaut()[100:228, 100:260]
    assert_superpixels(slic(image, n_segments), n_segments)


@pytest.mark.parametrize("n_segments", [1, 7, 60])
def test_number_is_exact_in_volumes(n_segments):
    assert_superpixels(slic(colour_image(1, (9, 14, 15)), n_segments), n_segments)


def test_number_is_rounded_if_not_whole():
    image = grey_image(2, (30, 30))
    for n_segments in (40.4, np.float32(39.6), np.int64(40)):
        assert slic(image, n_segments, 0.1, channel_axis=None).max() == 40


@pytest.mark.parametrize("n_segments", [30, 31, 1000])
@pytest.mark.parametrize("enforce_connectivity", [True, False])
def test_no_more_superpixels_than_pixels(n_segments, enforce_connectivity):
    options = {"enforce_connectivity": enforce_connectivity, "channel_axis": None}
    superpixels = slic(grey_image(3, (5, 6)), n_segments, **options)
    np.testing.assert_array_equal(superpixels, np.arange(1, 31).reshape(5, 6))


def test_no_more_superpixels_than_pixels_of_the_mask():
    mask = np.random.default_rng(4).random((8, 9)) < 0.5
    superpixels = slic(grey_image(4, mask.shape), 72, mask=mask, channel_axis=None)
    assert superpixels[mask].tolist() == list(range(1, np.count_nonzero(mask) + 1))
    assert (superpixels[~mask] == 0).all()


def test_each_part_of_a_mask_is_a_superpixel():
    mask = np.zeros((40, 40), bool)
    mask[2:10, 3:9] = mask[2:10, 20:30] = mask[20:35, 5:35] = True
    # Parts that meet at a corner only do not touch.
    mask[10:12, 9:12] = True
    superpixels = slic(grey_image(5, mask.shape), 2, 0.1, mask=mask, channel_axis=None)
    assert_superpixels(superpixels, 4, mask=mask)


def test_number_is_about_right_without_connectivity():
    image = grey_image(6, (64, 64))
    superpixels = slic(image, 60, 0.05, enforce_connectivity=False, channel_axis=None)
    assert 50 <= len(np.unique(superpixels)) <= 70
    assert superpixels.min() == 1
    assert any(ndimage.label(superpixels == k)[1] > 1 for k in np.unique(superpixels))


# Images --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", [bool, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint64, "f2", "f4", ">f8"]
)
def test_dtypes_and_ranges_make_no_difference(dtype):
    levels = np.round(7 * grey_image(7, (32, 32)))
    if dtype is bool:
        levels = levels > 3
    expected = slic(levels.astype(float), 30, 0.2, channel_axis=None)
    assert_superpixels(expected, 30)
    image = (levels * 8).astype(dtype)
    np.testing.assert_array_equal(slic(image, 30, 0.2, channel_axis=None), expected)


@pytest.mark.parametrize(("scale", "offset"), [(1e-30, 0), (1e30, 0), (1, 1e8), (-1, 0)])
def test_scale_and_offset_make_no_difference(scale, offset):
    image = np.round(colour_image(8, (32, 32)) * 64)
    expected = slic(image if scale > 0 else 64 - image, 30)
    np.testing.assert_array_equal(slic(scale * image + offset, 30), expected)


def test_constant_image_is_cut_into_a_grid():
    # Pixels as near to the next cell belong to the one before.
    rows, columns = np.array([0] * 11 + [1] * 9), np.array([0] * 11 + [1] * 10 + [2] * 9)
    superpixels = slic(np.full((20, 30), 3.0), 6, channel_axis=None)
    np.testing.assert_array_equal(superpixels, 1 + 3 * rows[:, np.newaxis] + columns)


def test_lists_are_images():
    image = grey_image(9, (12, 12))
    expected = slic(image, 9, 0.1, channel_axis=None)
    np.testing.assert_array_equal(slic(image.tolist(), 9, 0.1, channel_axis=None), expected)


@pytest.mark.parametrize("axis", [0, 1, -3])
def test_channels_on_another_axis(axis):
    image = colour_image(10, (20, 24))
    expected = slic(image, 12)
    moved = np.moveaxis(image, -1, axis)
    np.testing.assert_array_equal(slic(moved, 12, channel_axis=axis), expected)


def test_volumes_of_one_plane_are_images():
    image = colour_image(11, (20, 24))
    np.testing.assert_array_equal(slic(image[np.newaxis], 12)[0], slic(image, 12))


def test_threads_make_no_difference():
    image = skimage.data.astronaut()[:100, :100]
    with parallel_backend("threading", n_jobs=2):
        superpixels = slic(image, 50)
    np.testing.assert_array_equal(superpixels, slic(image, 50))


# Colours -------------------------------------------------------------------------------------


@pytest.fixture
def features_of(monkeypatch):
    """Function: arguments of slic -> the features that the estimator is given."""
    seen = []

    class Spy(SLIC):
        def fit(self, X, y=None):
            seen.append(X[0].copy())
            return super().fit(X, y)

    def features(*args, **kwargs):
        slic(*args, **kwargs)
        return seen[-1]

    monkeypatch.setattr(_slic_function, "SLIC", Spy)
    return features


def rescaled(image):
    return (image - image.min()) / np.ptp(image)


def test_colours_are_those_of_scikit_image(features_of):
    image = 100 + 900 * colour_image(12, (20, 24))
    expected = skimage.color.rgb2lab(rescaled(image))
    np.testing.assert_allclose(features_of(image), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("n_channels", "convert2lab", "converted"),
    [(3, None, True), (3, True, True), (3, False, False), (4, None, False), (4, False, False)],
)
def test_convert2lab(features_of, n_channels, convert2lab, converted):
    image = np.random.default_rng(13).random((12, 12, n_channels))
    features = features_of(image, 10, convert2lab=convert2lab)
    expected = skimage.color.rgb2lab(rescaled(image)) if converted else rescaled(image)
    np.testing.assert_allclose(features, expected, atol=1e-3)


def test_grey_images_are_never_converted(features_of):
    volume = np.random.default_rng(14).random((12, 12, 3))
    features = features_of(volume, 10, channel_axis=None, convert2lab=True)
    np.testing.assert_allclose(features[..., 0], rescaled(volume), atol=1e-6)


@pytest.mark.parametrize(
    ("sigma", "spacing", "expected"),
    [
        (1.5, None, (1.5, 1.5)),
        (1.5, [1, 3], (1.5, 0.5)),
        ([0.5, 2], None, (0.5, 2)),
        ([0.5, 2], [1, 3], (0.5, 2)),
        ((0, 0), None, (0, 0)),
        (np.float32(1), np.array([2, 2]), (0.5, 0.5)),
    ],
)
def test_sigma(features_of, sigma, spacing, expected):
    image = colour_image(15, (20, 24))
    lab = skimage.color.rgb2lab(rescaled(image))
    features = features_of(image, sigma=sigma, spacing=spacing)
    smooth = ndimage.gaussian_filter(lab, (*expected, 0))
    np.testing.assert_allclose(features, smooth, atol=2e-3)


def test_sigma_of_volumes(features_of):
    volume = grey_image(16, (6, 10, 12))
    features = features_of(volume, sigma=[0, 1, 2], channel_axis=None)
    np.testing.assert_allclose(
        features[..., 0], ndimage.gaussian_filter(volume, (0, 1, 2)), atol=1e-5
    )


@pytest.mark.parametrize("name", ["sigma", "spacing"])
def test_first_of_three_numbers_is_ignored_in_an_image(name):
    image = grey_image(17, (20, 24))
    with pytest.warns(FutureWarning, match=f"{name} number of elements must be 2") as warned:
        superpixels = slic(image, 12, 0.1, channel_axis=None, **{name: [9, 1, 2]})
    assert warned[0].filename == __file__
    expected = slic(image, 12, 0.1, channel_axis=None, **{name: [1, 2]})
    np.testing.assert_array_equal(superpixels, expected)


# What is the same as with the estimator ------------------------------------------------------


@pytest.mark.parametrize(
    "params", [{}, {"compactness": 3, "slic_zero": True}, {"spacing": [1, 1]}]
)
def test_superpixels_are_those_of_the_estimator(params):
    image = skimage.data.astronaut()[:120, 100:240]
    image = (image - image.min()) / np.ptp(image)
    estimator = SLIC(
        n_segments=150,
        compactness=params.get("compactness", 10),
        adaptive_compactness="slic_zero" in params,
        max_iter=10,
        min_size_factor=0.5,
    )
    expected = estimator.fit_transform([image])[0] + 1
    np.testing.assert_array_equal(slic(image, 150, **params), expected)


def test_clusters_are_those_of_the_estimator():
    image = skimage.data.camera()[::4, ::4]
    superpixels = slic(
        image, 80, 0.05, 3, enforce_connectivity=False, start_label=0, channel_axis=None
    )
    estimator = SLIC(
        n_segments=80,
        compactness=0.05,
        max_iter=3,
        enforce_connectivity=False,
        features="passthrough",
        channel_axis=None,
    )
    image = (image - image.min()) / np.float64(np.ptp(image))
    np.testing.assert_array_equal(superpixels, estimator.fit_transform([image])[0])


# What compactness means ----------------------------------------------------------------------


@pytest.mark.parametrize("weight", [20, 60])
def test_clusters_are_those_of_scikit_image(weight):
    """They agree best where compactness is the same in both."""
    image = skimage.data.astronaut()[:256, :256]
    options = {"n_segments": 256, "enforce_connectivity": False, "start_label": 0}
    theirs = skimage.segmentation.slic(image, compactness=weight, **options)
    agreement = {
        factor: np.mean(slic(image, compactness=factor * weight, **options) == theirs)
        for factor in (0.5, 1, 2)
    }
    assert theirs.max() == 255
    assert max(agreement, key=agreement.get) == 1
    assert agreement[1] > 0.75


@pytest.mark.parametrize("weight", [10, 40, 100, 1000])
def test_superpixels_are_as_compact_as_those_of_scikit_image(weight):
    image = skimage.data.astronaut()[:256, :256]
    theirs = skimage.segmentation.slic(image, 200, weight)
    ours = slic(image, len(np.unique(theirs)), weight)
    expected = compactness([theirs])
    assert compactness([ours]) == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize("factor", [0.1, 7])
def test_spacing_weighs_distances_in_space(factor):
    image = skimage.data.astronaut()[:100, :120]
    superpixels = slic(image, 60, 20 / factor, spacing=[factor, factor])
    np.testing.assert_array_equal(superpixels, slic(image, 60, 20))


@pytest.mark.parametrize("spacing", [[1, 3], [4, 2]])
def test_unequal_spacing_keeps_the_mean_weight(spacing):
    """SLIC has its unit from the finest axis, and a cell's size from all of them."""
    image = np.round(grey_image(18, (60, 50)), 2)
    superpixels = slic(image, 60, 0.1, spacing=spacing, channel_axis=None)
    estimator = SLIC(
        n_segments=60,
        compactness=0.1 * np.sqrt(spacing[0] * spacing[1]),
        max_iter=10,
        min_size_factor=0.5,
        spacing=spacing,
        features="passthrough",
    )
    np.testing.assert_array_equal(superpixels, estimator.fit_transform([image])[0] + 1)


def test_spacing_decides_where_it_is_very_unequal():
    image = np.array([[1, 1, 1, 0, 0], [1, 1, 0, 0, 0]]) + 0.01 * grey_image(31, (2, 5))
    options = {"n_segments": 2, "compactness": 1, "channel_axis": None}
    rows = np.repeat([[1], [2]], 5, axis=1)
    np.testing.assert_array_equal(slic(image, spacing=[500, 1], **options), rows)
    columns = [[1, 1, 1, 2, 2], [1, 1, 2, 2, 2]]
    np.testing.assert_array_equal(slic(image, **options), columns)


def test_few_segments_follow_straight_borders():
    """Six times as many regions are too few to start from."""
    image = np.zeros((24, 27))
    image[:9, 15:] = 0.33
    image[9:, :11] = 0.67
    image[9:, 11:] = 1
    segmentation = np.unique(image, return_inverse=True)[1].reshape(image.shape)
    noisy = image + 0.003 * np.random.default_rng(19).normal(size=image.shape)
    ours = slic(noisy, 4, 1, channel_axis=None)
    assert achievable_segmentation_accuracy([segmentation], [ours - 1]) == 1
    plain = SLIC(n_segments=4, compactness=1, features="passthrough").fit_transform([noisy])
    assert achievable_segmentation_accuracy([segmentation], plain) < 0.99


# Masks ---------------------------------------------------------------------------------------


def disc(shape, radius):
    centre = [n // 2 for n in shape]
    return sum((x - c) ** 2 for x, c in zip(np.indices(shape), centre, strict=True)) < radius**2


@pytest.mark.parametrize("outside", [-1e9, np.nan, np.inf])
@pytest.mark.parametrize("shape", [(40, 40), (12, 20, 20)])
def test_what_lies_outside_the_mask_makes_no_difference(outside, shape):
    image, mask = colour_image(20, shape), disc(shape, 9)
    expected = slic(image, 20, sigma=1, mask=mask)
    assert_superpixels(expected, 20, mask=mask)
    image[~mask] = outside
    np.testing.assert_array_equal(slic(image, 20, sigma=1, mask=mask), expected)


def test_how_much_lies_outside_the_mask_makes_no_difference():
    image, mask = colour_image(21, (40, 40)), disc((40, 40), 15)
    padded = np.pad(image, ((7, 13), (20, 1), (0, 0)))
    superpixels = slic(padded, 20, sigma=1, mask=np.pad(mask, ((7, 13), (20, 1))))
    expected = slic(image, 20, sigma=1, mask=mask)
    np.testing.assert_array_equal(superpixels[7:47, 20:60], expected)


def test_smoothing_sees_no_edge_at_the_mask():
    """A uniform disc on black stays uniform, so that its superpixels are as without smoothing."""
    mask = disc((60, 60), 25)
    image = 0.5 * mask + 0.001 * np.random.default_rng(22).random((60, 60))
    features = _slic_function._features(image[..., np.newaxis], mask, False, (3, 3))
    assert features[mask].std() < rescaled(image[mask]).std()
    assert features[mask].min() > 0.3


def test_masks_of_other_types_and_masked_arrays():
    image, mask = grey_image(23, (30, 30)), disc((30, 30), 12)
    expected = slic(image, 15, 0.1, mask=mask, channel_axis=None)
    for other in (mask.astype(int), 255.0 * mask, mask.tolist()):
        superpixels = slic(image, 15, 0.1, mask=other, channel_axis=None)
        np.testing.assert_array_equal(superpixels, expected)
    hidden = np.ma.masked_array(np.where(mask, image, -9999), ~mask)
    np.testing.assert_array_equal(slic(hidden, 15, 0.1, channel_axis=None), expected)
    half = mask & (np.arange(30) < 15)
    expected = slic(image, 15, 0.1, mask=half, channel_axis=None)
    superpixels = slic(
        hidden, 15, 0.1, mask=np.tile(np.arange(30) < 15, (30, 1)), channel_axis=None
    )
    np.testing.assert_array_equal(superpixels, expected)


def test_one_masked_channel_hides_a_pixel():
    image = np.moveaxis(colour_image(24, (20, 20)), -1, 0)
    hidden = np.zeros(image.shape, bool)
    hidden[1, 5:9, 5:9] = True
    superpixels = slic(np.ma.masked_array(image, hidden), 10, channel_axis=0)
    mask = ~hidden[1]
    assert_superpixels(superpixels, 10, mask=mask)


def test_a_mask_of_all_pixels_is_no_mask():
    image = colour_image(25, (30, 30))
    superpixels = slic(image, 20, sigma=1, mask=np.ones((30, 30)))
    np.testing.assert_array_equal(superpixels, slic(image, 20, sigma=1))


# Labels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("enforce_connectivity", [True, False])
def test_start_label(enforce_connectivity):
    image, mask = grey_image(26, (30, 30)), disc((30, 30), 12)
    options = {"mask": mask, "channel_axis": None, "enforce_connectivity": enforce_connectivity}
    from_one = slic(image, 15, 0.1, **options)
    from_zero = slic(image, 15, 0.1, start_label=0, **options)
    assert (from_one[~mask] == 0).all()
    assert (from_zero[~mask] == -1).all()
    np.testing.assert_array_equal(from_zero + 1, from_one)


def test_regionprops_sees_all_superpixels():
    image, mask = grey_image(27, (40, 40)), disc((40, 40), 17)
    superpixels = slic(image, 25, 0.1, mask=mask, channel_axis=None)
    regions = skimage.measure.regionprops(superpixels, intensity_image=image)
    assert len(regions) == 25
    assert sum(region.area for region in regions) == np.count_nonzero(mask)


# Parameters ----------------------------------------------------------------------------------


def test_max_num_iter_is_the_number_of_iterations():
    image = skimage.data.astronaut()[:100, :100]
    options = {"n_segments": 50, "enforce_connectivity": False}
    results = [slic(image, max_num_iter=n, **options) for n in (1, 2, 10)]
    estimator = SLIC(n_segments=50, max_iter=2, enforce_connectivity=False)
    image = (image - image.min()) / np.float64(np.ptp(image))
    np.testing.assert_array_equal(results[1], estimator.fit_transform([image])[0] + 1)
    assert (results[0] != results[1]).any()
    assert (results[1] != results[2]).any()


def test_size_factors():
    image = skimage.data.camera()[::4, ::4]
    expected = slic(image, 60, 0.1, channel_axis=None)
    for max_size_factor in (0.8, 10):
        superpixels = slic(image, 60, 0.1, max_size_factor=max_size_factor, channel_axis=None)
        np.testing.assert_array_equal(superpixels, expected)
    none = slic(image, 60, 0.1, min_size_factor=0, channel_axis=None)
    assert (none != expected).any()
    whole, more = (slic(image, 60, 0.1, min_size_factor=f, channel_axis=None) for f in (1, 2))
    np.testing.assert_array_equal(whole, more)


GREY = np.random.default_rng(28).random((12, 14))
COLOUR = np.random.default_rng(29).random((12, 14, 3))


def with_value(value):
    image = COLOUR.copy()
    image[3, 5, 1] = value
    return image


@pytest.mark.parametrize(
    ("image", "params", "error", "message"),
    [
        (GREY, {}, ValueError, "shape .12, 14.*channel_axis=-1 indicates multichannel"),
        (GREY, {"channel_axis": 0}, ValueError, "channel_axis=0 indicates multichannel"),
        (COLOUR, {"channel_axis": 3}, ValueError, "channels on axis 3"),
        (GREY[0], {"channel_axis": None}, ValueError, r"found shape \(14,\)"),
        (COLOUR[np.newaxis], {"channel_axis": None}, ValueError, "expected .H, W. or"),
        (COLOUR[np.newaxis, np.newaxis], {}, ValueError, "expected .H, W., or .H, W, C."),
        (COLOUR[:0], {}, ValueError, "no pixel"),
        (COLOUR + 1j, {}, TypeError, "complex128, expected real numbers"),
        (np.full((4, 4), "a"), {"channel_axis": None}, TypeError, "expected real numbers"),
        (with_value(np.nan), {}, ValueError, r"NaN or infinity at 1 pixels.*\(3, 5\)"),
        (with_value(np.inf), {}, ValueError, "NaN or infinity"),
        (with_value(-np.inf), {"n_segments": 1000}, ValueError, "NaN or infinity"),
        (with_value(np.nan), {"mask": np.ones((12, 14))}, ValueError, "NaN or infinity"),
        (COLOUR, {"mask": np.ones((14, 12))}, ValueError, "a mask of shape .14, 12."),
        (COLOUR, {"mask": np.ones((12, 14, 3))}, ValueError, "found a mask of shape"),
        (COLOUR, {"mask": np.ones((12, 14)), "channel_axis": None}, ValueError, "a mask of"),
        (COLOUR, {"mask": np.zeros((12, 14))}, ValueError, "a mask with no pixel inside"),
        (COLOUR[..., :2], {"convert2lab": True}, ValueError, "2 channels, expected the 3 of RGB"),
        (
            COLOUR,
            {"start_label": 2},
            ValueError,
            "start_label: found 2, expected a whole .* 0 to 1",
        ),
        (COLOUR, {"start_label": -1}, ValueError, "start_label: found -1"),
        (COLOUR, {"n_segments": 0}, ValueError, "n_segments: found 0"),
        (COLOUR, {"n_segments": None}, ValueError, "n_segments: found None"),
        (COLOUR, {"compactness": -1}, ValueError, "compactness: found -1"),
        (COLOUR, {"compactness": np.nan}, ValueError, "compactness: found nan"),
        (COLOUR, {"compactness": 0, "slic_zero": True}, ValueError, "with slic_zero"),
        (COLOUR, {"max_num_iter": 0}, ValueError, "max_num_iter: found 0.*from 1 to 10000"),
        (COLOUR, {"max_num_iter": 2.5}, ValueError, "max_num_iter: found 2.5.*whole"),
        (COLOUR, {"min_size_factor": -0.1}, ValueError, "min_size_factor: found -0.1"),
        (COLOUR, {"sigma": -1}, ValueError, "sigma: found"),
        (COLOUR, {"sigma": [1]}, ValueError, "sigma: found .1.0,. pixels, expected 2"),
        (COLOUR, {"sigma": None}, ValueError, "sigma: found None"),
        (COLOUR, {"sigma": "12"}, ValueError, "sigma: found '12'"),
        (COLOUR, {"sigma": [1, 1j]}, ValueError, "sigma: found .1, 1j."),
        (COLOUR, {"sigma": [[1], [1, 2]]}, ValueError, "sigma: found ..1., .1, 2.., expected"),
        (
            COLOUR,
            {"sigma": 1, "spacing": [5e-324] * 2, "compactness": 0},
            ValueError,
            "sigma: found .inf, inf. pixels",
        ),
        (COLOUR, {"sigma": [1, -1]}, ValueError, "sigma: found"),
        (COLOUR, {"sigma": np.inf}, ValueError, "sigma: found"),
        (COLOUR, {"spacing": 2}, TypeError, "spacing: found 2"),
        (COLOUR, {"spacing": np.array(2.0)}, TypeError, "spacing: found array"),
        (COLOUR, {"spacing": [[1], [1, 2]]}, ValueError, "spacing: found ..1., .1, 2.., expected"),
        (COLOUR, {"spacing": [1, 1j]}, ValueError, "spacing: found .1, 1j., expected"),
        (COLOUR, {"spacing": [1, 1e7], "n_segments": 999}, ValueError, "spacing: found .*largest"),
        (COLOUR, {"spacing": [1]}, ValueError, "spacing: found"),
        (COLOUR, {"spacing": [1, 0]}, ValueError, "spacing: found .*positive numbers"),
        (COLOUR, {"spacing": [1, np.nan]}, ValueError, "spacing: found"),
        (COLOUR[np.newaxis], {"spacing": [1, 1]}, ValueError, "spacing: found .*expected 3"),
        (COLOUR[np.newaxis], {"sigma": [1, 1]}, ValueError, "sigma: found .*expected 3"),
    ],
)
def test_bad_arguments(image, params, error, message):
    with pytest.raises(error, match=message) as raised:
        slic(image, **params)
    assert "image 0" not in str(raised.value)


@pytest.mark.parametrize("name", ["convert2lab", "enforce_connectivity", "slic_zero"])
def test_flags(name):
    image = colour_image(41, (24, 24))
    results = [slic(image, 9, **{name: flag}) for flag in (False, True)]
    assert (results[0] != results[1]).any()
    for number, kinds in enumerate(((np.bool_(0), 0, np.int8(0)), (np.bool_(1), 1, np.array(1)))):
        for flag in (*kinds, np.array(bool(number))):
            np.testing.assert_array_equal(slic(image, 9, **{name: flag}), results[number])
    for flag in (7, -1, 1.0, "yes", [True], np.array(7), np.array([True])):
        with pytest.raises(ValueError, match=f"{name}: found .*expected True"):
            slic(image, 9, **{name: flag})


def test_only_convert2lab_may_be_none():
    for name in ("enforce_connectivity", "slic_zero"):
        with pytest.raises(ValueError, match=f"{name}: found None, expected True or False$"):
            slic(COLOUR, **{name: None})
    np.testing.assert_array_equal(slic(COLOUR, convert2lab=np.array(None)), slic(COLOUR))


@pytest.mark.parametrize(
    ("name", "value", "same"),
    [
        ("start_label", 0.0, 0),
        ("start_label", np.float32(1), 1),
        ("start_label", np.array(0), 0),
        ("start_label", np.array(1.0), 1),
        ("max_num_iter", 3.0, 3),
        ("max_num_iter", np.array(3.0), 3),
        ("min_size_factor", np.inf, 1),
        ("min_size_factor", np.array(1), 1),
        ("compactness", Fraction(1, 2), 0.5),
        ("channel_axis", np.array(-1), -1),
        ("sigma", np.array(1), 1),
        ("spacing", range(1, 3), (1, 2)),
    ],
)
def test_other_types_of_numbers(name, value, same):
    image = colour_image(42, (24, 24))
    found, expected = slic(image, 9, **{name: value}), slic(image, 9, **{name: same})
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start_label", 0.5),
        ("start_label", np.nan),
        ("start_label", None),
        ("max_num_iter", np.inf),
        ("max_num_iter", np.array([3])),
        ("n_segments", 10**400),
        pytest.param("n_segments", 10**5000, id="huge"),
        ("n_segments", 1j),
        ("compactness", np.array("10")),
        ("channel_axis", -1.0),
        ("channel_axis", np.array([-1])),
        ("channel_axis", "last"),
    ],
)
def test_wrong_numbers(name, value):
    with pytest.raises(ValueError, match=f"^{name}: found ") as raised:
        slic(COLOUR, **{name: value})
    assert len(str(raised.value)) < 180


@pytest.mark.parametrize(
    ("name", "of_estimator"),
    [
        ("n_segments", "n_segments"),
        ("compactness", "compactness"),
        ("max_num_iter", "max_iter"),
    ],
)
def test_limits_are_those_of_the_estimator(name, of_estimator):
    most = SLIC._parameter_constraints[of_estimator][0].right
    # All pixels are superpixels, so that it takes no time.
    slic(COLOUR, **{"n_segments": 1000, name: most})
    with pytest.raises(ValueError, match=rf"^{name}: found .* to {re.escape(str(most))}$"):
        slic(COLOUR, **{name: 2 * most})


@pytest.mark.parametrize(
    ("weight", "spacing"),
    [
        (1e20, (1e20, 1e20)),
        (10, (1e300, 1e300)),
        (10, (1e308, 1e308)),
        (10, (1e-170, 1e-170)),
        (10, (5e-324, 5e-324)),
        (1e-18, (1e-2, 1e-2)),
        (1e-200, (1e-200, 1e-200)),
    ],
)
@pytest.mark.parametrize("n_segments", [9, 1000])
def test_compactness_times_spacing(weight, spacing, n_segments):
    with pytest.raises(ValueError, match=r"^compactness, spacing: found .* from 1e-19 to 1e"):
        slic(COLOUR, n_segments, weight, spacing=spacing)


@pytest.mark.parametrize("size", [1e-170, 1e-15, 1e15, 1e170])
def test_spacing_without_compactness(size):
    found = slic(COLOUR, 9, 0, spacing=(size, 2 * size))
    np.testing.assert_array_equal(found, slic(COLOUR, 9, 0, spacing=(1, 2)))


def test_products_of_sizes_beyond_floats():
    assert _slic_function._weight_of_space(1e-190, (1e200,) * 3) == pytest.approx(1e10)
    assert _slic_function._weight_of_space(1e190, (1e-200, 1e-200, 8e-200)) == pytest.approx(2e-10)


def test_compactness_zero_is_colour_alone():
    image = colour_image(30, (30, 30))
    assert_superpixels(slic(image, 25, 0), 25)
    features = LabFeatures().fit_transform([rescaled(image)])
    estimator = SLIC(
        n_segments=60, compactness=0, max_iter=10, min_size_factor=0.5, features="passthrough"
    )
    superpixels = estimator.fit(features).transform(features, masks=[np.ones((30, 30), bool)])[0]
    np.testing.assert_array_equal(slic(image, 60, 0), superpixels + 1)


def test_numbers_may_be_arrays_without_axes():
    image = grey_image(40, (24, 24))
    found = slic(image, np.array(9), np.array(0.1), channel_axis=None)
    np.testing.assert_array_equal(found, slic(image, 9, 0.1, channel_axis=None))
