"""Path features: their numbers, and learning with them and with other pair features."""

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sksuperpixel import SLIC, LabelMaker, PathFeature, TrainableSLIC
from sksuperpixel.metrics import undersegmentation_error
from sksuperpixel.networks import make_classification_net, make_distance_net

PIXEL = st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 6))


@settings(max_examples=100, deadline=None)
@given(
    arrays(np.float32, (2, 3, 6, 7), elements=st.sampled_from([-0.25, 0.0, 0.5, 1.0])),
    PIXEL,
    PIXEL,
)
def test_statistics_equal_reference(features, start, end):
    line = list(reference.line_pixels(start, end))
    assert line[-1] == end
    values = np.array([features[(slice(None), *pixel)] for pixel in line], np.float64)
    expected = {
        "sum": values.sum(),
        "max": values.sum(axis=1).max(),
        "variation": np.linalg.norm(np.diff(values, axis=0), axis=1).sum(),
        "deviation": np.sqrt(((values - values[0]) ** 2).sum(axis=1).mean()),
    }
    ends = np.array([[end, (-1, -1, -1)]])
    for statistic, value in expected.items():
        found = PathFeature(statistic)(features, np.array([start]), ends)
        np.testing.assert_allclose(found[0, 0], value, rtol=1e-5, atol=1e-6)
        assert np.isinf(found[0, 1])


def test_channels_are_chosen():
    features = np.arange(3, dtype=np.float32).reshape(3, 1, 1, 1) * np.ones((1, 1, 2, 2), "f")
    pixels, ends = np.array([[0, 0, 0]]), np.array([[[0, 0, 1]]])
    for channels, expected in (([-1], 4), ([0, 1], 2), (None, 6)):
        assert PathFeature("sum", channels)(features, pixels, ends) == expected
    for channels in ([3], [-4], [0.5], [], [[0]], "edge", [1, 1], [2, -1]):
        with pytest.raises(ValueError, match="channels"):
            PathFeature("sum", channels)(features, pixels, ends)
    with pytest.raises(ValueError, match="statistic"):
        PathFeature("median")(features, pixels, ends)


def walls(seed, n_images=4, size=64):
    """Images of one grey, with walls of it that only an edge channel shows."""
    rng = np.random.default_rng(seed)
    images, segmentations = [], []
    for _ in range(n_images):
        rows, columns = (np.sort(rng.choice(np.arange(6, size - 6), 3, False)) for _ in range(2))
        down, right = np.indices((size, size))
        segmentation = np.searchsorted(rows, down) * 4 + np.searchsorted(columns, right)
        edges = np.zeros((size, size))
        edges[:-1] = segmentation[:-1] != segmentation[1:]
        edges[:, :-1] += segmentation[:, :-1] != segmentation[:, 1:]
        # Colours are alike everywhere, but for noise.
        grey = rng.normal(0, 2, (size, size))
        images.append(np.stack([grey, 0.01 * edges], axis=-1).astype(np.float32))
        segmentations.append(segmentation)
    return images, segmentations


@pytest.mark.parametrize("n_layers", [1, 3])
def test_what_lies_between_is_learned(n_layers):
    images, segmentations = walls(0)
    others, expected = walls(1)
    errors = {}
    for crossed in ((), (PathFeature("sum", [1]),)):
        learned = TrainableSLIC(
            8,
            features="passthrough",
            pair_features=crossed,
            # The distance of a pixel and a cluster leaves out the edge channel.
            channel_weights=[1, 0],
            classifier=make_distance_net(n_layers),
            random_state=0,
        ).fit(images, segmentations)
        assert learned.n_features_ == 2
        errors[len(crossed)] = undersegmentation_error(expected, learned.transform(others))
    by_hand = SLIC(8, features="passthrough").fit_transform(others)
    assert errors[1] < 0.7 * min(errors[0], undersegmentation_error(expected, by_hand))


def test_a_classification_network_sees_them():
    slic, images = fitted([PathFeature("sum", [1])], make_classification_net(max_epochs=2))
    weights = slic.classifier_.module_.reduce_differences[0].weight
    assert weights.shape[1] == 3
    assert slic.transform(images[:1])[0].shape == images[0].shape[:2]


def distance_to_ends(features, pixels, ends):
    """Give what a network knows already: for tests of the signature."""
    assert features.ndim == 4
    assert pixels.shape == (len(ends), 3)
    return np.abs(ends - pixels[:, np.newaxis]).sum(axis=-1)


def fitted(pair_features, net=None, **params):
    images, segmentations = walls(2, 3)
    return TrainableSLIC(
        8,
        features="passthrough",
        pair_features=pair_features,
        classifier=net or make_distance_net(1, max_epochs=2),
        label_maker=LabelMaker(min_segments=2),
        random_state=0,
        **params,
    ).fit(images, segmentations), images


def test_any_function_will_do():
    slic, images = fitted([distance_to_ends, PathFeature("max", [-1])], n_jobs=2)
    assert slic.classifier_.module_.n_features == 4
    found = slic.transform(images)
    for one, other in zip(found, slic.set_params(n_jobs=1).transform(images), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="no pair_features"):
        slic.to_slic()


def test_what_was_learned_with_stays():
    slic, images = fitted([PathFeature("sum", [1])])
    expected = slic.transform(images)
    for pairs in ((), [PathFeature("max"), PathFeature("sum")]):
        for one, other in zip(
            slic.set_params(pair_features=pairs).transform(images), expected, strict=True
        ):
            np.testing.assert_array_equal(one, other)


def test_lines_stay_in_the_image():
    features = np.ones((1, 1, 4, 4), np.float32)
    assert np.isinf(PathFeature()(features, [[0, 0, 0]], [[[0, -1, 0]]]))
    for pixels, ends in (
        ([[0, 0, 0]], [[[0, 9, 0]]]),
        ([[0, 4, 0]], [[[0, 0, 0]]]),
        ([[0, -1, 0]], [[[0, 0, 0]]]),
    ):
        with pytest.raises(ValueError, match="outside an image of shape"):
            PathFeature()(features, pixels, ends)
    with pytest.raises(ValueError, match="found features of shape"):
        PathFeature()(features[0], [[0, 0, 0]], [[[0, 0, 0]]])


def test_weights_to_start_from():
    pairs = [PathFeature("sum", [1])]
    weights = {}
    for name, params in (
        ("of the estimator", {"channel_weights": [0.25, 4.0]}),
        ("of the net", {"net": make_distance_net(1, module__channel_weights=[0.25, 4.0])}),
        ("of both", {"net": make_distance_net(1, module__channel_weights=[0.25, 4.0, 7.0])}),
    ):
        net = params.pop("net", make_distance_net(1)).set_params(max_epochs=0)
        slic, _ = fitted(pairs, net, **params)
        weights[name] = slic.classifier_.module_.channel_weights
        np.testing.assert_allclose(weights[name][:2], [0.25, 4.0])
    assert min(each[2] for each in weights.values()) > 0
    assert weights["of both"][2] == pytest.approx(7)


@pytest.mark.parametrize("outside", [0, 1e30, np.nan])
def test_the_way_outside_a_mask_does_not_count(outside):
    """Lines to a cluster's centre may cross what is outside, which may be anything."""
    images, segmentations = walls(2, 3)
    mask = np.ones(images[0].shape[:2], bool)
    mask[::5, :40] = False
    changed = [np.where(mask[..., None], each, np.float32(outside)) for each in images]
    results = []
    for each in (images, changed):
        slic = TrainableSLIC(
            8,
            features="passthrough",
            pair_features=[PathFeature("variation")],
            classifier=make_distance_net(1, max_epochs=2),
            label_maker=LabelMaker(min_segments=2),
            random_state=0,
        ).fit(each, segmentations, masks=[mask] * 3)
        results.append(slic.transform(each, masks=[mask] * 3))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one >= 0, mask)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_bad_functions_are_named_with_the_image(number):
    with pytest.raises(ValueError, match=r"image 0: pair_features\[1\]: found NaN or infinity"):
        fitted([PathFeature(), lambda f, p, e: np.full(e.shape[:2], number)])
