"""What a user does wrong gets an error that says what, where, and what was expected."""

import importlib.util

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError

from sksuperpixel import SLIC, ChannelUnion, LabelMaker, LabFeatures, TrainableSLIC, features

IMAGE = np.random.default_rng(0).integers(0, 256, (12, 15, 3), dtype=np.uint8)
OTHER = np.random.default_rng(1).integers(0, 256, (10, 9, 3), dtype=np.uint8)


def with_value(value, dtype=float):
    image = (IMAGE / 255).astype(dtype)
    image[4, 7, 1] = value
    return image


SEGMENTATIONS = [IMAGE[..., 0] // 100, OTHER[..., 0] // 100]

ESTIMATORS = {
    "slic": SLIC(),
    "passthrough": SLIC(n_segments=4, features="passthrough"),
    "slic-union": SLIC(features=ChannelUnion([("lab", LabFeatures())])),
    "lab": LabFeatures(),
    "union": ChannelUnion([("lab", LabFeatures()), ("rgb", "passthrough")]),
}
if importlib.util.find_spec("torch"):
    ESTIMATORS |= {
        "enet": features.ENetFeatures(),
        "learned": features.LearnedFeatures(weights="bsds500", train=False),
        "trainable": TrainableSLIC(
            superpixel_size=4,
            n_candidates=3,
            label_maker=LabelMaker(min_segments=1),
            n_pixels_per_image=20,
            random_state=0,
        ),
    }
if importlib.util.find_spec("torch") and importlib.util.find_spec("kymatio"):
    ESTIMATORS["scattering"] = features.ScatteringFeatures(J=1, L=2)

estimators = pytest.mark.parametrize(
    "estimator", [pytest.param(each, id=name) for name, each in ESTIMATORS.items()]
)


def fit(estimator, images):
    """Fit a copy, with segmentations if it learns from them."""
    if not isinstance(estimator, TrainableSLIC):
        return clone(estimator).fit(images)
    n_images = len(images) if hasattr(images, "__len__") else 1
    return clone(estimator).fit(images, SEGMENTATIONS[:1] * n_images)


# Images that are none -----------------------------------------------------------------------


@estimators
@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        ([], ValueError, "images: found an empty sequence, expected at least one image"),
        (np.zeros((0, 4, 4, 3)), ValueError, "images: found an empty sequence"),
        (
            IMAGE,
            ValueError,
            r"images: found one array of shape \(12, 15, 3\), which looks like a single image; "
            r"expected a sequence of images, for instance \[image\]",
        ),
        (
            IMAGE[..., :1],
            ValueError,
            r"one array of shape \(12, 15, 1\), which looks like a single",
        ),
        (IMAGE[..., [0, 1, 2, 2]], ValueError, r"one array of shape \(12, 15, 4\), which looks"),
        (IMAGE[..., 0], ValueError, r"found one array of shape \(12, 15\), which looks like"),
        (IMAGE[0, 0], ValueError, r"found one array of shape \(3,\), which looks like"),
        ("picture.png", TypeError, "images: found str, expected a sequence of images"),
        (b"picture.png", TypeError, "images: found bytes, expected a sequence of images"),
        ({"a": IMAGE}, TypeError, "images: found dict, expected a sequence of images"),
        ({1, 2}, TypeError, "images: found set, expected a sequence of images"),
        (None, TypeError, "images: found NoneType, expected a sequence of images"),
        (7, TypeError, "images: found int, expected a sequence of images"),
        ((i for i in [IMAGE]), TypeError, "images: found generator, expected a sequence"),
        (["a.png", "b.png"], TypeError, "image 0: found an array of dtype <U5, expected real"),
        ([IMAGE.astype(str)], TypeError, "image 0: found an array of dtype <U.*, expected real"),
        ([IMAGE.astype(object)], TypeError, "image 0: found an array of dtype object, expected"),
        ([None], TypeError, "image 0: found an array of dtype object, expected real numbers"),
        ([IMAGE * 1j], TypeError, "image 0: found an array of dtype complex128, expected real"),
        ([[[1, 2], [3]]], ValueError, "image 0: found nested lists of unequal lengths"),
        ([np.zeros((0, 5, 3))], ValueError, r"image 0: found shape \(0, 5, 3\), which has no p"),
        ([np.zeros((5, 0, 3))], ValueError, r"image 0: found shape \(5, 0, 3\), which has no p"),
        ([np.zeros((5, 5, 0))], ValueError, r"image 0: found shape \(5, 5, 0\), which has no p"),
        ([np.zeros((0, 5))], ValueError, r"image 0: found shape \(0, 5\), which has no pixel"),
        ([1.0, 2.0], ValueError, r"image 0: found shape \(\), expected \(H, W\), or \(H, W, C\)"),
        ([[1, 2], [3, 4]], ValueError, r"image 0: found shape \(2,\), expected \(H, W\), or"),
        ([np.zeros((2,) * 5)], ValueError, r"image 0: found shape \(2, 2, 2, 2, 2\), expected"),
    ],
)
def test_images(estimator, images, error, message):
    with pytest.raises(error, match=message):
        fit(estimator, images)


@estimators
@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.zeros((0, 5, 3)), ValueError, r"image 1: found shape \(0, 5, 3\), which has no pixel"),
        (np.zeros((2,) * 5), ValueError, r"image 1: found shape \(2, 2, 2, 2, 2\), expected"),
        (
            OTHER[..., :2],
            ValueError,
            "image 1: found 2 channels, expected 3, as in the",
        ),
        (
            OTHER[..., 0],
            ValueError,
            "image 1: found a grey image, expected 3 channels",
        ),
        (OTHER * 1j, TypeError, "image 1: found an array of dtype complex128, expected real"),
        ([[1, 2], [3]], ValueError, "image 1: found nested lists of unequal lengths"),
        ("b.png", TypeError, "image 1: found an array of dtype <U5"),
        (None, TypeError, "image 1: found an array of dtype object"),
    ],
)
def test_a_later_image_is_named(estimator, image, error, message):
    fitted = fit(estimator, [IMAGE])
    with pytest.raises(error, match=message):
        list(fitted.transform([IMAGE, image]))
    assert len(list(fitted.transform([IMAGE]))) == 1


@estimators
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_nan_and_infinity(estimator, value, dtype):
    images = [with_value(0.5, dtype), with_value(value, dtype)]
    fitted = fit(estimator, images[:1])
    message = r"image 1: found NaN or infinity at 1 pixels, the first at \(4, 7\); expected finite"
    with pytest.raises(ValueError, match=message):
        list(fitted.transform(images))


def test_infinities_that_cancel_are_found():
    image = with_value(np.inf)
    image[0, 0, 0] = -np.inf
    with pytest.raises(ValueError, match=r"image 0: .* at 2 pixels, the first at \(0, 0\)"):
        SLIC(features="passthrough").fit_transform([image])


def test_large_numbers_are_finite():
    # Their sum overflows, though none of them is infinite.
    image = np.full((6, 6, 1), np.float32(3e38))
    assert not SLIC(features="passthrough").fit_transform([image])[0].any()


# Colours ------------------------------------------------------------------------------------


colours = pytest.mark.parametrize(
    "estimator",
    [SLIC(), LabFeatures(), ChannelUnion([("lab", LabFeatures())])],
    ids=["slic", "lab", "union"],
)


@colours
@pytest.mark.parametrize(
    ("image", "message"),
    [
        (IMAGE.astype(float), r"found values from 0 to 255, expected floats in \[0, 1\]"),
        (with_value(1.01, np.float32), r"found values from 0 to 1.00999999, expected floats in"),
        (with_value(-0.01), r"found values from -0.01 to 1, expected floats in \[0, 1\]"),
        (IMAGE.astype(np.int32), "found dtype int32, expected uint8, uint16 or floats in"),
        (IMAGE.astype(np.uint32), "found dtype uint32, expected uint8, uint16 or floats in"),
        (IMAGE > 128, "found dtype bool, expected uint8, uint16 or floats in"),
    ],
)
def test_values_that_are_no_colours(estimator, image, message):
    good = IMAGE / 255
    fitted = clone(estimator).fit([good])
    with pytest.raises(ValueError, match="image 1: " + message):
        list(fitted.transform([good, image]))


@colours
@pytest.mark.parametrize("n_channels", [2, 4, 5])
def test_channels_that_are_no_colours(estimator, n_channels):
    message = rf"image 0: found {n_channels} channels, expected 1 \(grey\) or 3 \(RGB\)"
    with pytest.raises(ValueError, match=message):
        estimator.fit([np.zeros((4, 4, n_channels), np.uint8)])
    with pytest.raises(NotFittedError):
        estimator.transform([IMAGE])


# Masks --------------------------------------------------------------------------------------

INSIDE = np.ones(IMAGE.shape[:-1], bool)


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ([None], "masks: found 1, expected one mask .or None. for each of the 2 images"),
        ([], "masks: found 0, expected one mask"),
        (INSIDE, "masks: found 12, expected one mask"),
        (True, "masks: found bool, expected one mask"),
        ((m for m in [INSIDE]), "masks: found generator, expected one mask"),
        (
            [None, INSIDE],
            r"image 1: found a mask of shape \(12, 15\), expected the image's, \(10, 9",
        ),
        ([IMAGE > 0, None], r"image 0: found a mask of shape \(12, 15, 3\), expected the image's"),
        ([INSIDE.T, None], r"image 0: found a mask of shape \(15, 12\), expected the image's"),
        ([INSIDE.astype(float), None], "image 0: found a mask of dtype float64, expected bool"),
        ([INSIDE * 255, None], "image 0: found a mask of dtype int64, expected bool, integers"),
        ([INSIDE.astype(str), None], "image 0: found a mask of dtype <U"),
        (
            [~INSIDE, None],
            "image 0: found a mask with no pixel inside, expected at",
        ),
    ],
)
def test_masks(masks, message):
    slic = SLIC().fit([IMAGE, OTHER])
    with pytest.raises(ValueError, match=message):
        slic.transform([IMAGE, OTHER], masks=masks)
    with pytest.raises(ValueError, match=message):
        slic.predict([IMAGE, OTHER], masks=masks)
    with pytest.raises(ValueError, match=message):
        SLIC().fit_transform([IMAGE, OTHER], masks=masks)


@pytest.mark.parametrize("features", ["lab", "passthrough"])
def test_nan_inside_a_mask(features):
    images = [IMAGE / 255, with_value(np.nan)]
    inside = INSIDE.copy()
    inside[:4] = False
    message = r"image 1: found NaN or infinity at 1 pixels inside its mask, the first at \(4, 7\)"
    slic = SLIC(features=features).fit(images)
    with pytest.raises(ValueError, match=message):
        slic.transform(images, masks=[None, inside])
    inside[4, 7] = False
    assert slic.transform(images, masks=[None, inside])[1][4, 7] == -1


# Segmentations ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["fit", "score", "fit_transform"])
@pytest.mark.parametrize(
    ("segmentations", "error", "message"),
    [
        (
            SEGMENTATIONS[:1],
            ValueError,
            "y: found 1 segmentations, expected one for each of the 2",
        ),
        (SEGMENTATIONS * 2, ValueError, "y: found 4 segmentations, expected one for each of the"),
        (3, ValueError, "y: found int, expected one for each of the 2 images"),
        (
            SEGMENTATIONS[::-1],
            ValueError,
            r"image 0: found a segmentation of shape \(10, 9\), expected \(12, 15\) like the "
            r"image, or \(A, 12, 15\) for A annotators",
        ),
        (
            [SEGMENTATIONS[0], IMAGE],
            ValueError,
            r"image 1: found a segmentation of shape \(1",
        ),
        ([IMAGE, OTHER], ValueError, r"image 0: found a segmentation of shape \(12, 15, 3\)"),
        ([None, None], ValueError, r"image 0: found a segmentation of shape \(\)"),
        ([1, 2], ValueError, r"image 0: found a segmentation of shape \(\)"),
        (
            [SEGMENTATIONS[0], SEGMENTATIONS[1] * 1.0],
            TypeError,
            "image 1: found a segmentation of dtype float64, expected integers",
        ),
        ([s.astype(str) for s in SEGMENTATIONS], TypeError, "image 0: found a segmentation"),
        (
            [s[np.newaxis, np.newaxis] for s in SEGMENTATIONS],
            ValueError,
            r"image 0: found a segmentation of shape \(1, 1, 12, 15\), expected",
        ),
    ],
)
def test_segmentations(method, segmentations, error, message):
    slic = SLIC() if method == "fit" else SLIC().fit([IMAGE, OTHER])
    with pytest.raises(error, match=message):
        getattr(slic, method)([IMAGE, OTHER], segmentations)
    if method == "fit":
        with pytest.raises(NotFittedError):
            slic.transform([IMAGE])


def test_score_needs_segmentations():
    with pytest.raises(ValueError, match="y: found NoneType, expected one for each of the 1"):
        SLIC().fit([IMAGE]).score([IMAGE], None)


# Parameters ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (
            {"superpixel_size": 0.9},
            ValueError,
            r"'superpixel_size' parameter .* \[1.0, 2147483647.0\]",
        ),
        ({"superpixel_size": -4}, ValueError, "'superpixel_size' parameter"),
        ({"superpixel_size": np.nan}, ValueError, "'superpixel_size' parameter"),
        ({"superpixel_size": np.inf}, ValueError, "'superpixel_size' parameter"),
        ({"superpixel_size": "16"}, ValueError, "'superpixel_size' parameter"),
        ({"superpixel_size": (8, 8)}, ValueError, "'superpixel_size' parameter"),
        ({"n_segments": 0}, ValueError, r"'n_segments' parameter .* \[1, 2147483647\] or None"),
        ({"n_segments": -1}, ValueError, "'n_segments' parameter"),
        ({"n_segments": 2.5}, ValueError, "'n_segments' parameter"),
        ({"n_segments": 100.0}, ValueError, "'n_segments' parameter"),
        (
            {"compactness": -0.1},
            ValueError,
            r"'compactness' parameter .* \[0.0, 1e\+37\]",
        ),
        ({"compactness": np.nan}, ValueError, "'compactness' parameter"),
        ({"compactness": None}, ValueError, "'compactness' parameter"),
        ({"max_iter": 0}, ValueError, "'max_iter' parameter"),
        ({"max_iter": 2.0}, ValueError, "'max_iter' parameter"),
        ({"features": "rgb"}, ValueError, "'features' parameter .* Got 'rgb' instead"),
        ({"features": None}, ValueError, "'features' parameter"),
        ({"features": BaseEstimator()}, ValueError, "'features' parameter"),
        ({"features": LabFeatures}, TypeError, "Cannot clone .* instance .* instead of a class"),
        ({"channel_axis": 1.0}, ValueError, "'channel_axis' parameter"),
        ({"channel_axis": "last"}, ValueError, "'channel_axis' parameter"),
        ({"channel_axis": 4}, ValueError, "channel_axis: found 4, expected an axis of images"),
        ({"channel_axis": -5}, ValueError, "channel_axis: found -5, expected an axis of images"),
        (
            {"channel_axis": 3},
            ValueError,
            r"image 0: found shape .*, expected .* axis 3",
        ),
        ({"min_size_factor": 1.1}, ValueError, "'min_size_factor' parameter"),
        ({"min_size_factor": -0.1}, ValueError, "'min_size_factor' parameter"),
        ({"oversegmentation": 0.9}, ValueError, "'oversegmentation' parameter"),
        ({"refine_iter": -1}, ValueError, "'refine_iter' parameter"),
        ({"edge_channel": 0.5}, ValueError, "'edge_channel' parameter"),
        ({"edge_channel": 3}, ValueError, "edge_channel: found 3, expected one of 3 features"),
        ({"start_label": -1}, ValueError, "'start_label' parameter"),
        ({"start_label": 2**31}, ValueError, "'start_label' parameter"),
        ({"enforce_connectivity": "no"}, ValueError, "'enforce_connectivity' parameter"),
        ({"adaptive_compactness": 1}, ValueError, "'adaptive_compactness' parameter"),
        ({"n_jobs": 1.5}, ValueError, "'n_jobs' parameter"),
        ({"spacing": 2.0}, ValueError, "'spacing' parameter"),
        ({"spacing": "ab"}, ValueError, "'spacing' parameter"),
        ({"spacing": (1, 0)}, ValueError, r"spacing: found \(1, 0\), expected 2 positive numbers"),
        ({"spacing": (1, -1)}, ValueError, r"spacing: found \(1, -1\), expected 2 positive"),
        ({"spacing": (1, np.nan)}, ValueError, r"spacing: found \(1, nan\), expected 2 positive"),
        ({"spacing": (1, np.inf)}, ValueError, r"spacing: found \(1, inf\), expected 2 positive"),
        ({"spacing": ("a", 1)}, ValueError, r"spacing: found \('a', 1\), expected 2 positive"),
        ({"spacing": (1,)}, ValueError, r"spacing: found \(1,\), expected 2 positive numbers"),
        ({"spacing": (1, 1, 1)}, ValueError, r"spacing: found \(1, 1, 1\), expected 2 positive"),
        ({"channel_weights": 1.0}, ValueError, "'channel_weights' parameter"),
        (
            {"channel_weights": [1, 1]},
            ValueError,
            r"channel_weights: found shape \(2,\), expected",
        ),
        ({"channel_weights": np.ones((3, 1))}, ValueError, r"channel_weights: found shape \(3, 1"),
        ({"channel_weights": [1, -1, 1]}, ValueError, "channel_weights: found -1.0 at index 1"),
        ({"channel_weights": [1, 1, np.nan]}, ValueError, "channel_weights: found nan at index 2"),
        ({"channel_weights": [1, np.inf, 1]}, ValueError, "channel_weights: found inf at index 1"),
        ({"channel_weights": ["a"] * 3}, ValueError, r"channel_weights: found \['a', 'a', 'a'\]"),
        ({"channel_weights": [None] * 3}, ValueError, "channel_weights: found "),
    ],
)
def test_parameters(params, error, message):
    slic = SLIC(**params)
    with pytest.raises(error, match=message):
        slic.fit([IMAGE])
    with pytest.raises(NotFittedError):
        slic.transform([IMAGE])
    fitted = SLIC().fit([IMAGE]).set_params(**params)
    before = fitted.features_
    with pytest.raises(error, match=message):
        fitted.fit([OTHER])
    assert fitted.features_ is before
    if "features" in params:
        return  # What was fitted stays in use.
    # Set after `fit`, they are checked before every use.
    fitted.set_params(**params)
    for use in (fitted.transform, fitted.predict, lambda X: fitted.score(X, SEGMENTATIONS[:1])):
        with pytest.raises(error, match=message):
            use([IMAGE])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("n_segments", [0, -1, 2**31, 3.0]),
        ("max_iter", [0, 10_001]),
        ("oversegmentation", [0, np.nan, np.inf, 1e7]),
        ("compactness", [-1, np.nan, np.inf, 1e38, np.float16("inf"), np.float16("nan")]),
        ("superpixel_size", [0.5, np.nan, np.inf]),
        ("refine_iter", [-1, 10_001]),
        ("n_jobs", [np.nan, "all"]),
        ("spacing", [(1, 1e7), (1e-300, 1), (1, 10**400)]),
        ("channel_weights", [[1e31, 1, 1], [10**400, 1, 1]]),
        ("edge_channel", [3, -4, 0.5]),
        ("start_label", [-1, 0.5]),
        ("channel_axis", [9, "last"]),
    ],
)
@pytest.mark.parametrize("estimator", ["slic", "trainable"])
def test_parameters_that_are_set_after_fit(estimator, name, values):
    if estimator not in ESTIMATORS:
        pytest.skip("needs torch")
    fitted = fit(ESTIMATORS[estimator], [IMAGE])
    if name == "edge_channel":
        fitted.set_params(n_segments=4)
    for value in values:
        fitted.set_params(**{name: value})
        with pytest.raises(ValueError, match=name):
            fitted.transform([IMAGE])


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        ("lab", {"sigma": -1}),
        ("lab", {"sigma": np.inf}),
        ("lab", {"data_range": (0, 10**400)}),
        ("union", {"transformer_weights": {"lab": np.nan}}),
        ("union", {"transformer_weights": {"lab": 1e39}}),
        ("union", {"transformer_weights": {"other": 1}}),
        ("enet", {"layer": "last"}),
        ("enet", {"device": "nowhere"}),
        ("learned", {"edges": "yes"}),
        ("learned", {"data_range": (1, 1)}),
        ("scattering", {"device": "nowhere"}),
    ],
)
def test_parameters_of_features_that_are_set_after_fit(estimator, params):
    if estimator not in ESTIMATORS:
        pytest.skip("needs torch")
    fitted = fit(ESTIMATORS[estimator], [IMAGE]).set_params(**params)
    (name,) = params
    with pytest.raises(ValueError, match=name):
        fitted.transform([IMAGE])
    if name == "layer":
        with pytest.raises(ValueError, match=name):
            fitted.get_feature_names_out()


def test_more_threads_than_the_machine_has():
    slic = SLIC(4).fit([IMAGE])
    expected = slic.transform([IMAGE])[0]
    np.testing.assert_array_equal(slic.set_params(n_jobs=10**9).transform([IMAGE])[0], expected)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"J": 11}, "'J' parameter"),
        ({"L": 129}, "'L' parameter"),
        ({"J": 8, "L": 8}, "J, L: found J=8 and L=8, whose filters would need .* GiB"),
        ({"J": 4, "L": 128}, "J, L: found J=4 and L=128"),
    ],
)
def test_scattering_that_is_too_large(params, message):
    if "scattering" not in ESTIMATORS:
        pytest.skip("needs torch and kymatio")
    scattering = features.ScatteringFeatures(**params)
    with pytest.raises(ValueError, match=message):
        scattering.fit([IMAGE])


def test_unknown_parameters():
    with pytest.raises(TypeError, match="unexpected keyword argument 'n_superpixels'"):
        SLIC(n_superpixels=100)
    with pytest.raises(TypeError, match="positional"):
        SLIC(16, 100)


def test_n_jobs_of_nothing():
    with pytest.raises(ValueError, match="n_jobs == 0"):
        SLIC(n_jobs=0).fit_transform([IMAGE])


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (LabFeatures(channel_axis="last"), "'channel_axis' parameter of LabFeatures"),
        (LabFeatures(channel_axis=9), "channel_axis: found 9, expected an axis of images"),
        (LabFeatures(memory=3), "'memory' parameter of LabFeatures"),
        (
            ChannelUnion([("lab", LabFeatures())], channel_axis=0.0),
            "'channel_axis' parameter of Ch",
        ),
    ],
)
def test_parameters_of_transformers(estimator, message):
    with pytest.raises(ValueError, match=message):
        estimator.fit([IMAGE])
    with pytest.raises(NotFittedError):
        estimator.transform([IMAGE])


def test_no_half_fitted_union_after_a_part_fails():
    rgba = np.zeros((4, 4, 4), np.uint8)
    union = ChannelUnion([("rgb", "passthrough"), ("lab", LabFeatures())])
    with pytest.raises(ValueError, match="image 0: found 4 channels"):
        union.fit([rgba])
    with pytest.raises(NotFittedError):
        union.transform([rgba])
    expected = union.fit([IMAGE]).transform([IMAGE])[0]
    with pytest.raises(ValueError, match="image 0: found 4 channels"):
        union.fit([rgba])
    np.testing.assert_array_equal(union.transform([IMAGE])[0], expected)
    slic = SLIC(features=union).fit([IMAGE])
    before = slic.features_
    with pytest.raises(ValueError, match="image 0: found 4 channels"):
        slic.fit([rgba])
    assert slic.features_ is before
    assert slic.n_channels_in_ == 3
