"""What every estimator promises, as scikit-learn's own checks do for tables.

A new estimator joins by one line in ESTIMATORS, a new promise by one function in CHECKS.
"""

import copy
import importlib.util
import inspect
import pickle
import re
import warnings

import joblib
import numpy as np
import pytest
from scipy import ndimage
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

import sksuperpixel
from sksuperpixel import (
    SLIC,
    ChannelUnion,
    LabFeatures,
    LazySequence,
    features,
    make_channel_union,
)


def union(**params):
    return ChannelUnion([("lab", LabFeatures()), ("rgb", "passthrough")], **params)


# Name -> how to make one, given an empty folder.
ESTIMATORS = {
    "lab": lambda folder: LabFeatures(),
    "lab-memory": lambda folder: LabFeatures(memory=folder),
    "lab-channels-first": lambda folder: LabFeatures(channel_axis=0),
    "lab-grey": lambda folder: LabFeatures(channel_axis=None),
    "union": lambda folder: union(),
    "union-weights": lambda folder: union(transformer_weights={"rgb": 0.5}),
    "union-memory": lambda folder: ChannelUnion([("lab", LabFeatures(memory=folder))]),
    "union-of-unions": lambda folder: ChannelUnion([("inner", union()), ("rgb", "passthrough")]),
    "union-made": lambda folder: make_channel_union(LabFeatures(), "passthrough", LabFeatures()),
    "slic": lambda folder: SLIC(superpixel_size=6),
    "slic-number": lambda folder: SLIC(n_segments=9),
    "slic-threads": lambda folder: SLIC(superpixel_size=6, n_jobs=2),
    "slic-passthrough": lambda folder: SLIC(superpixel_size=6, features="passthrough"),
    "slic-channels-first": lambda folder: SLIC(n_segments=9, channel_axis=0),
    "slic-grey": lambda folder: SLIC(n_segments=9, channel_axis=None),
    "slic-weights": lambda folder: SLIC(superpixel_size=6, channel_weights=[1.0, 2.0, 0.5]),
    "slic-spacing": lambda folder: SLIC(n_segments=9, spacing=[2.0, 1.0]),
    "slic-union": lambda folder: SLIC(superpixel_size=6, features=union()),
    "slic-lab-memory": lambda folder: SLIC(n_segments=9, features=LabFeatures(memory=folder)),
    "slic-adaptive": lambda folder: SLIC(superpixel_size=6, adaptive_compactness=True),
    "slic-loose": lambda folder: SLIC(superpixel_size=6, enforce_connectivity=False),
}

# Some need more than the rest of the package.
if importlib.util.find_spec("torch") and importlib.util.find_spec("kymatio"):
    ESTIMATORS |= {
        "scattering": lambda folder: features.ScatteringFeatures(J=1, L=2),
        "scattering-memory": lambda folder: features.ScatteringFeatures(
            J=1,
            L=2,
            select=["R_order0", "G_order0", "R_order1_j0_theta0"],
            channel_axis=0,
            memory=folder,
        ),
        "slic-scattering": lambda folder: SLIC(
            superpixel_size=6, features=features.ScatteringFeatures(J=1, L=2)
        ),
    }
if importlib.util.find_spec("torch"):
    import torch

    # More of them make small work slow where others work, too.
    torch.set_num_threads(1)
    ESTIMATORS |= {
        "enet": lambda folder: features.ENetFeatures(
            "bottleneck1.0", weights=None, random_state=0, memory=folder
        ),
        "learned": lambda folder: features.LearnedFeatures(
            2, width=2, max_epochs=1, crop_size=16, superpixel_sizes=(4, 6), random_state=0
        ),
    }
if importlib.util.find_spec("torch") and importlib.util.find_spec("skorch"):
    from sksuperpixel.networks import make_distance_net

    ESTIMATORS |= {
        "trainable": lambda folder: sksuperpixel.TrainableSLIC(
            superpixel_size=6,
            n_candidates=5,
            classifier=make_distance_net(1, max_epochs=2),
            n_pixels_per_image=50,
            random_state=0,
        ),
    }

SHAPES = [(24, 31), (31, 24), (13, 40), (24, 31), (20, 20)]


def make_data(channel_axis, shapes=SHAPES):
    """Blurred noise with all its colours in use, and segmentations by its brightness."""
    rng = np.random.default_rng(0)
    images, segmentations = [], []
    for shape in shapes:
        image = ndimage.gaussian_filter(rng.random((*shape, 3)), (3, 3, 0))
        image = (255 * (image - image.min()) / np.ptp(image)).astype(np.uint8)
        segmentations.append((image[..., 0] // 86).astype(np.int32))
        if channel_axis is None:
            images.append(np.ascontiguousarray(image[..., 0]))
        else:
            images.append(np.ascontiguousarray(np.moveaxis(image, -1, channel_axis)))
    return images, segmentations


def assert_same(results, expected):
    assert len(results) == len(expected)
    for result, right in zip(results, expected, strict=True):
        assert result.dtype == right.dtype
        np.testing.assert_array_equal(result, right)


def is_fitted(estimator):
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def own_params(estimator):
    """Give parameters, those of parts too, but of a network only itself: the rest is skorch's."""
    params = estimator.get_params()
    return {name: params[name] for name in params if not name.startswith("classifier__")}


def written(params):
    return {
        name: type(value) if name == "classifier" else repr(value)
        for name, value in params.items()
    }


def segments(estimator):
    """Whether the estimator gives superpixels, not features."""
    return hasattr(estimator, "predict")


# The checks: each takes an estimator that is not fitted, images, and segmentations ---------


def check_clone_is_equal_and_unfitted(estimator, images, segmentations):
    estimator.fit(images, segmentations)
    copied = clone(estimator)
    assert not is_fitted(copied)
    assert written(own_params(copied)) == written(own_params(estimator))
    assert not [name for name in vars(copied) if name.endswith("_")]
    assert_same(copied.fit(images, segmentations).transform(images), estimator.transform(images))


def check_get_params_and_set_params(estimator, images, segmentations):
    params = own_params(estimator)
    assert estimator.set_params(**params) is estimator
    assert own_params(estimator) == params
    for name in params:
        copied = clone(estimator)
        sentinel = object()
        assert copied.set_params(**{name: sentinel}) is copied
        assert copied.get_params(deep=False).get(name) is sentinel or (
            # It belongs to a part of it.
            name not in inspect.signature(type(estimator)).parameters
            and copied.get_params(deep=True)[name] is sentinel
        ), name
    with pytest.raises(ValueError, match="Invalid parameter 'no_such_thing'"):
        estimator.set_params(no_such_thing=1)


def check_init_only_stores(estimator, images, segmentations):
    names = list(inspect.signature(type(estimator)).parameters)
    values = {name: object() for name in names}
    stored = vars(type(estimator)(**values))
    assert stored.keys() == values.keys()
    assert all(stored[name] is values[name] for name in names)


def check_fit_keeps_parameters(estimator, images, segmentations):
    before = own_params(estimator)
    as_written = written(before)
    estimator.fit(images, segmentations)
    list(estimator.transform(images))
    after = own_params(estimator)
    assert all(after[name] is before[name] for name in before)
    assert written(after) == as_written
    # Nor are the transformers in them fitted.
    assert not any(is_fitted(value) for value in after.values() if hasattr(value, "fit"))


def check_every_parameter_is_checked(estimator, images, segmentations):
    for name in inspect.signature(type(estimator)).parameters:
        wrong = clone(estimator).set_params(**{name: object()})
        with pytest.raises(
            (ValueError, TypeError), match=rf"The '{name}' parameter of |^{name}: "
        ):
            wrong.fit(images, segmentations)
        assert not is_fitted(wrong)


def check_everything_is_documented(estimator, images, segmentations):
    text = inspect.getdoc(type(estimator))
    estimator.fit(images, segmentations)
    for section, names in {
        "Parameters": inspect.signature(type(estimator)).parameters,
        "Attributes": [n for n in vars(estimator) if n.endswith("_") and n[0] != "_"],
    }.items():
        body = re.search(rf"\n{section}\n-+\n(.*?)(\n\n\S+( \S+)?\n-+\n|$)", text, re.DOTALL)
        documented = re.findall(r"^(\w+) : ", body.group(1), re.MULTILINE)
        assert sorted(documented) == sorted(names), section


def check_inputs_are_not_changed(estimator, images, segmentations):
    kept_images, kept_segmentations = copy.deepcopy((images, segmentations))
    estimator.fit(images, segmentations)
    list(estimator.transform(images))
    assert_same(images, kept_images)
    assert_same(segmentations, kept_segmentations)


def check_read_only_inputs(estimator, images, segmentations):
    expected = clone(estimator).fit(images, segmentations).transform(images)
    for array in (*images, *segmentations):
        array.flags.writeable = False
    assert_same(estimator.fit(images, segmentations).transform(images), expected)


def check_layout_in_memory_does_not_matter(estimator, images, segmentations):
    expected = clone(estimator).fit(images, segmentations).transform(images)
    shuffled = [np.asfortranarray(image) for image in images]
    shuffled[1] = np.repeat(np.repeat(images[1], 2, axis=-1), 2, axis=-2)[..., ::2, ::2]
    assert not any(image.flags.c_contiguous for image in shuffled)
    assert_same(estimator.fit(shuffled, segmentations).transform(shuffled), expected)


def check_not_fitted_error(estimator, images, segmentations):
    with pytest.raises(NotFittedError):
        estimator.transform(images)
    if segments(estimator):
        with pytest.raises(NotFittedError):
            estimator.predict(images)
        with pytest.raises(NotFittedError):
            estimator.score(images, segmentations)


def check_fit_returns_self_and_learns_channels(estimator, images, segmentations):
    assert not hasattr(estimator, "n_channels_in_")
    before = set(vars(estimator))
    assert estimator.fit(images, segmentations) is estimator
    assert is_fitted(estimator)
    list(estimator.transform(images))
    # What is learned ends in an underscore, what is private starts with one.
    learned = set(vars(estimator)) - before
    assert all(name.startswith("_") or name.endswith("_") for name in learned), learned
    assert estimator.n_channels_in_ == (1 if estimator.channel_axis is None else 3)


def check_results_fit_the_images(estimator, images, segmentations):
    results = estimator.fit(images, segmentations).transform(images)
    assert isinstance(results, list if segments(estimator) else LazySequence)
    assert len(results) == len(images)
    for result, shape in zip(results, SHAPES, strict=True):
        if segments(estimator):
            assert result.dtype == np.int32
            assert result.shape == shape
            assert np.unique(result).tolist() == list(range(result.max() + 1))
            assert result.max() > 2
        else:
            assert result.dtype == np.float32
            assert result.shape[:-1] == shape
            assert result.shape[-1] == len(estimator.get_feature_names_out())
            assert np.ptp(result) > 0


def check_kinds_of_sequences(estimator, images, segmentations):
    images, segmentations = make_data(estimator.channel_axis, [(12, 15)] * 5)
    expected = estimator.fit(images, segmentations).transform(images)
    objects = np.empty(len(images), object)
    objects[:] = images
    for kind in (
        tuple(images),
        np.stack(images),
        objects,
        LazySequence(images.__getitem__, range(len(images))),
    ):
        with warnings.catch_warnings():
            # One array of grey images could be a volume, too.
            warnings.filterwarnings("ignore", "images: found one array of shape", UserWarning)
            again = clone(estimator).fit(kind, tuple(segmentations))
            assert_same(again.transform(kind), expected)
    assert_same(estimator.fit(images, np.stack(segmentations)).transform(images), expected)


def check_lists_of_numbers_are_images(estimator, images, segmentations):
    # Python's whole numbers become int64, of which CIELAB cannot know the largest.
    images = [image / 255 for image in images]
    expected = estimator.fit(images, segmentations).transform(images)
    assert_same(estimator.transform([image.tolist() for image in images]), expected)


def check_fitting_again(estimator, images, segmentations):
    expected = clone(estimator).fit(images, segmentations).transform(images)
    estimator.fit(images[::-1][:2], segmentations[::-1][:2])
    list(estimator.transform(images[:1]))
    estimator.fit(images, segmentations)
    estimator.fit(images, segmentations)
    assert_same(estimator.transform(images), expected)


def check_same_result_whatever_ran_before(estimator, images, segmentations):
    np.random.seed(0)  # noqa: NPY002
    results = []
    for _ in range(2):
        state = np.random.get_state()[1].copy()  # noqa: NPY002
        fitted = clone(estimator).fit(images, segmentations)
        results += [list(fitted.transform(images)), list(fitted.transform(images))]
        np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
        np.random.seed(1)  # noqa: NPY002
    for again in results[1:]:
        assert_same(again, results[0])


def check_each_image_on_its_own(estimator, images, segmentations):
    expected = list(estimator.fit(images, segmentations).transform(images))
    order = [3, 0, 4, 2, 1]
    permuted = estimator.transform([images[i] for i in order])
    assert_same(permuted, [expected[i] for i in order])
    alone = [estimator.transform([image])[0] for image in images]
    assert_same(alone, expected)


def check_fit_transform(estimator, images, segmentations):
    expected = clone(estimator).fit(images, segmentations).transform(images)
    assert_same(clone(estimator).fit_transform(images, segmentations), expected)
    if segments(estimator):
        assert_same(estimator.fit(images, segmentations).predict(images), expected)


def check_copies_on_disk(estimator, images, segmentations, folder):
    pickle.loads(pickle.dumps(estimator))
    expected = list(estimator.fit(images, segmentations).transform(images))
    assert_same(pickle.loads(pickle.dumps(estimator)).transform(images), expected)
    assert_same(copy.deepcopy(estimator).transform(images), expected)
    joblib.dump(estimator, folder / "estimator.joblib")
    assert_same(joblib.load(folder / "estimator.joblib").transform(images), expected)
    assert_same(pickle.loads(pickle.dumps(estimator.transform(images))), expected)


def check_wrong_number_of_channels(estimator, images, segmentations):
    if estimator.channel_axis is None:
        wrong = np.zeros((5, 5, 5, 3), np.uint8)
        message = r"image 1: found shape \(5, 5, 5, 3\), expected \(H, W\) or \(D, H, W\)"
    else:
        wrong = np.moveaxis(np.zeros((5, 6, 7), np.uint8), -1, estimator.channel_axis)
        message = "image 1: found 7 channels, expected 3"
    estimator.fit(images, segmentations)
    with pytest.raises(ValueError, match=message):
        list(estimator.transform([images[0], wrong]))


def check_failed_fit_leaves_nothing(estimator, images, segmentations):
    fitted = clone(estimator).fit(images, segmentations)
    expected = list(fitted.transform(images))
    state = vars(fitted).copy()
    for wrong, error in [
        ([], ValueError),
        ("images", TypeError),
        (None, TypeError),
        ((image for image in images), TypeError),
        (images[0][..., 0] if images[0].ndim == 3 else images[0], ValueError),
        ([np.zeros((0, 4, 3)[: images[0].ndim], np.uint8)], ValueError),
        ([image.astype(str) for image in images], TypeError),
        ([np.zeros((1,) * 5)], ValueError),
    ]:
        with pytest.raises(error, match="image"):
            estimator.fit(wrong, segmentations)
        assert not is_fitted(estimator)
        assert not [name for name in vars(estimator) if name.endswith("_")]
        with pytest.raises(error, match="image"):
            fitted.fit(wrong, segmentations)
        assert vars(fitted) == state
    assert_same(fitted.transform(images), expected)
    assert_same(estimator.fit(images, segmentations).transform(images), expected)


def check_can_be_shown(estimator, images, segmentations):
    for _ in range(2):
        assert repr(estimator).startswith(type(estimator).__name__ + "(")
        assert type(estimator).__name__ in estimator._repr_html_()
        assert len(repr(estimator)) < 1000
        estimator.fit(images, segmentations)


def check_tags(estimator, images, segmentations):
    tags = get_tags(estimator)
    assert tags.input_tags.three_d_array
    assert not tags.input_tags.two_d_array
    assert not tags.input_tags.sparse
    assert tags.transformer_tags is not None
    assert tags.requires_fit
    assert tags.no_validation
    assert not tags.non_deterministic


def check_output_stays_arrays(estimator, images, segmentations):
    expected = clone(estimator).fit_transform(images, segmentations)
    with config_context(transform_output="pandas"):
        results = estimator.fit(images, segmentations).transform(images)
        assert type(results) is type(expected)
        assert_same(results, expected)
        assert_same(estimator.fit_transform(images, segmentations), expected)


def check_n_jobs(estimator, images, segmentations):
    expected = clone(estimator).set_params(n_jobs=1).fit_transform(images, segmentations)
    for n_jobs in (2, 3, -1, None):
        threaded = clone(estimator).set_params(n_jobs=n_jobs)
        assert_same(threaded.fit_transform(images, segmentations), expected)
        # Fewer images than threads share the threads within an image.
        assert_same(threaded.transform(images[:1]), expected[:1])


def check_score(estimator, images, segmentations):
    estimator.fit(images, segmentations)
    score = estimator.score(images, segmentations)
    assert isinstance(score, float)
    # Two of three segments a superpixel is the worst there can be.
    assert 1 / 3 < score < 1
    flat = [np.zeros_like(segmentation) for segmentation in segmentations]
    assert estimator.score(images, flat) == 1


def make_masks():
    """One mask per image: with a hole, with a straight border, and none."""
    masks = [np.ones(shape, bool) for shape in SHAPES]
    masks[0][5:15, 8:20] = False
    masks[1][:, 15:] = False
    masks[2] = None
    return masks


def channels_last(image, channel_axis):
    return image[..., np.newaxis] if channel_axis is None else np.moveaxis(image, channel_axis, -1)


def hidden_outside(images, masks, channel_axis, fill):
    """Change what is outside the masks."""
    changed = []
    for image, mask in zip(images, masks, strict=True):
        image = image.copy()
        if mask is not None:
            channels_last(image, channel_axis)[~mask] = fill
        changed.append(image)
    return changed


def assert_same_inside(results, expected, masks):
    for result, right, mask in zip(results, expected, masks, strict=True):
        inside = slice(None) if mask is None else mask
        np.testing.assert_array_equal(result[inside], right[inside])


def check_nothing_outside_masks_matters(estimator, images, segmentations):
    masks = make_masks()
    expected = clone(estimator).fit_transform(images, segmentations, masks=masks)
    for fill in (0, 255):
        changed = hidden_outside(images, masks, estimator.channel_axis, fill)
        found = clone(estimator).fit(changed, segmentations, masks=masks)
        assert_same_inside(found.transform(changed, masks=masks), expected, masks)
    as_floats = [image / 255 for image in images]
    expected = clone(estimator).fit_transform(as_floats, segmentations, masks=masks)
    changed = hidden_outside(as_floats, masks, estimator.channel_axis, np.nan)
    found = clone(estimator).fit(changed, segmentations, masks=masks)
    assert_same_inside(found.transform(changed, masks=masks), expected, masks)


def check_masked_arrays_are_images_with_masks(estimator, images, segmentations):
    masks = make_masks()
    expected = clone(estimator).fit_transform(images, segmentations, masks=masks)
    masked = []
    for image, mask in zip(images, masks, strict=True):
        hidden = np.zeros(image.shape, bool)
        if mask is not None:
            channels_last(hidden, estimator.channel_axis)[~mask] = True
        masked.append(np.ma.masked_array(image, hidden))
    found = estimator.fit_transform(masked, segmentations)
    assert_same_inside(found, expected, masks)
    for result, mask in zip(found, masks, strict=True):
        # Features hand masks on to whatever comes next.
        is_masked = mask is not None and not mask.all() and not segments(estimator)
        assert isinstance(result, np.ma.MaskedArray) == is_masked


def check_masks_of_everything_are_none(estimator, images, segmentations):
    everything = [np.ones(shape, bool) for shape in SHAPES]
    found = clone(estimator).fit_transform(images, segmentations, masks=everything)
    assert_same(found, estimator.fit_transform(images, segmentations))


def check_masks_of_superpixels(estimator, images, segmentations):
    masks = make_masks()
    estimator.fit(images, segmentations, masks=masks)
    predicted = estimator.predict(images, masks=masks)
    assert predicted.dtype == object
    for label_map, mask in zip(predicted, masks, strict=True):
        outside = label_map < 0
        np.testing.assert_array_equal(outside, np.zeros_like(outside) if mask is None else ~mask)
    score = estimator.score(images, segmentations, masks=masks)
    assert 1 / 3 < score <= 1
    estimator.set_params(start_label=1)
    assert estimator.score(images, segmentations, masks=masks) == score


CHECKS = [
    check_clone_is_equal_and_unfitted,
    check_get_params_and_set_params,
    check_init_only_stores,
    check_fit_keeps_parameters,
    check_every_parameter_is_checked,
    check_everything_is_documented,
    check_inputs_are_not_changed,
    check_read_only_inputs,
    check_layout_in_memory_does_not_matter,
    check_not_fitted_error,
    check_fit_returns_self_and_learns_channels,
    check_results_fit_the_images,
    check_kinds_of_sequences,
    check_lists_of_numbers_are_images,
    check_fitting_again,
    check_same_result_whatever_ran_before,
    check_each_image_on_its_own,
    check_fit_transform,
    check_copies_on_disk,
    check_wrong_number_of_channels,
    check_failed_fit_leaves_nothing,
    check_can_be_shown,
    check_tags,
    check_output_stays_arrays,
    check_nothing_outside_masks_matters,
    check_masked_arrays_are_images_with_masks,
]
CHECKS_WITH_N_JOBS = [check_n_jobs]
CHECKS_OF_FEATURES = [check_masks_of_everything_are_none]
CHECKS_OF_SUPERPIXELS = [check_score, check_masks_of_superpixels]


def cases():
    for name, make in ESTIMATORS.items():
        example = make(None)
        checks = (
            CHECKS
            + CHECKS_WITH_N_JOBS * ("n_jobs" in example.get_params(deep=False))
            + (CHECKS_OF_SUPERPIXELS if segments(example) else CHECKS_OF_FEATURES)
        )
        for check in checks:
            yield pytest.param(make, check, id=f"{name}-{check.__name__.removeprefix('check_')}")


@pytest.mark.parametrize(("make", "check"), list(cases()))
def test_contract(make, check, tmp_path):
    estimator = make(str(tmp_path))
    options = {"folder": tmp_path} if "folder" in inspect.signature(check).parameters else {}
    check(estimator, *make_data(estimator.channel_axis), **options)


def test_every_public_estimator_is_checked():
    public = set()
    for module in (sksuperpixel, features):
        for name in module.__all__:
            try:
                thing = getattr(module, name)
            except ImportError:  # of what is not installed
                continue
            if inspect.isclass(thing) and hasattr(thing, "fit"):
                public.add(thing)
    assert public == {type(make(None)) for make in ESTIMATORS.values()}
