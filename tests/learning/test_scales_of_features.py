"""Whatever the scales of features, the same is learned, on any number of threads."""

import numpy as np
import pytest
from mosaics import IMAGES, SEGMENTATIONS, learner
from scipy.ndimage import gaussian_filter

from sksuperpixel import SLIC
from sksuperpixel.features import LabFeatures
from sksuperpixel.metrics import achievable_segmentation_accuracy, undersegmentation_error


def make_features():
    """Colour, the amount of texture at two scales and two directions, and noise, per pixel."""
    found = []
    rng = np.random.default_rng(0)
    for colours in LabFeatures(sigma=0.7).fit_transform(IMAGES):
        lightness = colours[..., 0].astype(np.float64)
        textures = [
            gaussian_filter(np.abs(gaussian_filter(lightness, sigma, order=order)), 2)
            for sigma in (1, 2)
            for order in ((0, 1), (1, 0))
        ]
        found.append(np.dstack([colours, *textures, rng.normal(size=lightness.shape)]))
    return found


FEATURES = make_features()
N_FEATURES = FEATURES[0].shape[-1]


def draw_scales(seed):
    return 10 ** np.random.default_rng(seed).uniform(-3, 3, N_FEATURES)


def fit(n_layers, scales=1.0, **params):
    """Learn from scaled features, and segment them."""
    images = [each * scales for each in FEATURES]
    slic = learner(n_layers, features="passthrough", **params).fit(images, SEGMENTATIONS)
    return slic, slic.transform(images)


@pytest.fixture(scope="module", params=[1, 3])
def unscaled(request):
    """Number of layers, estimator and label maps."""
    return request.param, *fit(request.param)


def agreement(label_maps, others):
    """Fraction of pixels of which both label maps make the same superpixels.

    Superpixels are matched by their overlaps, because one more of them changes all numbers that
    follow.
    """
    ways = (label_maps, others), (others, label_maps)
    return min(float(achievable_segmentation_accuracy(*way)) for way in ways)


# With seeds 2 and 7, rounding moves pixels to other superpixels, and other pixels are drawn.
@pytest.mark.parametrize("seed", [0, 1, 2, 7])
def test_scales_do_not_matter(seed, unscaled):
    n_layers, slic, label_maps = unscaled
    scales = draw_scales(seed)
    scaled_slic, scaled = fit(n_layers, scales)
    weights = slic.classifier_.module_.channel_weights
    of_scaled = scaled_slic.classifier_.module_.channel_weights * scales**2
    errors = [float(undersegmentation_error(SEGMENTATIONS, each)) for each in (scaled, label_maps)]
    assert errors[0] == pytest.approx(errors[1], rel=0.02)
    if n_layers == 1:
        assert agreement(scaled, label_maps) > 0.98
    # The same features are left out.
    np.testing.assert_array_equal(of_scaled > 0, weights > 0)
    assert 0 < np.count_nonzero(weights) < N_FEATURES
    np.testing.assert_allclose(of_scaled, weights, rtol=0.1)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_the_scale_of_a_single_feature_does_not_matter(scale):
    images = [each[..., 1:2] for each in FEATURES]
    scaled = [each * scale for each in images]
    label_maps = [
        learner(features="passthrough").fit(each, SEGMENTATIONS).transform(each)
        for each in (images, scaled)
    ]
    assert agreement(*label_maps) > 0.98


def test_scales_matter_to_a_distance_that_is_not_learned():
    # So the tests above can fail.
    slic = SLIC(8, features="passthrough")
    images = [each * draw_scales(0) for each in FEATURES]
    label_maps = [slic.fit_transform(each) for each in (images, FEATURES)]
    assert agreement(*label_maps) < 0.8


@pytest.mark.parametrize("n_jobs", [2, 3, -1])
def test_threads_do_not_matter(n_jobs, unscaled):
    n_layers, slic, label_maps = unscaled
    other, found = fit(n_layers, n_jobs=n_jobs)
    state = slic.classifier_.module_.state_dict()
    for name, value in other.classifier_.module_.state_dict().items():
        assert value.equal(state[name])
    for labels, expected in zip(found, label_maps, strict=True):
        np.testing.assert_array_equal(labels, expected)
