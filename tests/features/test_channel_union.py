import copy

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import NotFittedError

from sksuperpixel import ChannelUnion, LabFeatures, LazySequence, make_channel_union

IMAGES = [
    np.random.default_rng(i).integers(0, 256, (5 + i, 7, 3), dtype=np.uint8) for i in range(3)
]


class Powers(TransformerMixin, BaseEstimator):
    """A user's features, all computed at once."""

    def __init__(self, powers=(1, 2), dtype="float64"):
        self.powers = powers
        self.dtype = dtype

    def fit(self, X, y=None):
        self.y_ = y
        return self

    def transform(self, X):
        return [
            np.stack([image[..., 0].astype(self.dtype) ** p for p in self.powers], axis=-1)
            for image in X
        ]

    def get_feature_names_out(self, input_features=None):
        return [f"red^{p}" for p in self.powers]


def test_order_of_channels():
    lab = LabFeatures().fit_transform(IMAGES)
    parts = {
        "lab": (LabFeatures(), [*lab]),
        "own": (Powers(), Powers().transform(IMAGES)),
        "rgb": ("passthrough", IMAGES),
    }
    for order in (["lab", "own", "rgb"], ["rgb", "lab"], ["own"], ["rgb", "own", "lab"]):
        union = ChannelUnion([(name, parts[name][0]) for name in order])
        features = union.fit_transform(IMAGES)
        assert isinstance(features, LazySequence)
        assert len(features) == 3
        for i, found in enumerate(features):
            expected = np.concatenate([parts[name][1][i] for name in order], axis=-1)
            assert found.dtype == np.float32
            np.testing.assert_array_equal(found, expected.astype(np.float32))
            assert found.shape[-1] == len(union.get_feature_names_out())


def test_weights_multiply():
    transformers = [("lab", LabFeatures()), ("own", Powers()), ("rgb", "passthrough")]
    plain = ChannelUnion(transformers).fit_transform(IMAGES)[1]
    union = ChannelUnion(transformers, transformer_weights={"own": 0.5, "rgb": 3})
    found = union.fit_transform(IMAGES)[1]
    factors = np.array([1, 1, 1, 0.5, 0.5, 3, 3, 3], np.float32)
    np.testing.assert_array_equal(found, plain * factors)
    union.set_params(transformer_weights={"lab": 0, "own": 1, "rgb": 1})
    np.testing.assert_array_equal(
        union.fit_transform(IMAGES)[1], plain * np.array([0] * 3 + [1] * 5)
    )


@pytest.mark.parametrize("dtype", [bool, "uint8", "int64", "float16", "float32", "float64"])
def test_dtypes(dtype):
    union = ChannelUnion([("a", Powers((1,), dtype)), ("b", "passthrough")])
    image = (IMAGES[0] / 16).astype(int).astype(dtype)
    found = union.fit_transform([image])[0]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[..., 0], image[..., 0].astype(np.float32))
    np.testing.assert_array_equal(found[..., 1:], image.astype(np.float32))


def test_volumes_and_grey():
    volume = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    union = ChannelUnion([("lab", LabFeatures()), ("rgb", "passthrough")])
    found = union.fit_transform([volume])[0]
    assert found.shape == (3, 4, 5, 6)
    np.testing.assert_array_equal(found[1], union.transform([volume[1]])[0])
    found = union.fit_transform([IMAGES[0][..., 0]])[0]
    assert found.shape == (5, 7, 4)
    np.testing.assert_array_equal(found[..., 3], IMAGES[0][..., 0])
    assert union.get_feature_names_out().tolist() == ["lab__L", "lab__a", "lab__b", "rgb__0"]
    bare = ChannelUnion(
        [("lab", LabFeatures(channel_axis=None)), ("grey", "passthrough")], channel_axis=None
    )
    np.testing.assert_array_equal(bare.fit_transform([IMAGES[0][..., 0]])[0], found)


def test_channels_first():
    moved = [np.moveaxis(image, -1, 0) for image in IMAGES]
    expected = ChannelUnion([("lab", LabFeatures()), ("rgb", "passthrough")]).fit_transform(IMAGES)
    union = ChannelUnion(
        [("lab", LabFeatures(channel_axis=0)), ("rgb", "passthrough")], channel_axis=0
    )
    for found, right in zip(union.fit_transform(moved), expected, strict=True):
        np.testing.assert_array_equal(found, right)


def test_transformers_are_cloned_and_get_y():
    own = Powers()
    segmentations = [image[..., 0] for image in IMAGES]
    union = ChannelUnion([("own", own), ("rgb", "passthrough")]).fit(IMAGES, segmentations)
    assert not hasattr(own, "y_")
    assert union.transformers[0][1] is own
    assert union.transformers_[0][1].y_ is segmentations
    assert union.transformers_[1] == ("rgb", "passthrough")


def test_names():
    union = ChannelUnion([("own", Powers((1, 3))), ("rgb", "passthrough")])
    with pytest.raises(NotFittedError):
        union.get_feature_names_out()
    outer = ChannelUnion([("inner", union), ("lab", LabFeatures())]).fit(IMAGES)
    names = outer.get_feature_names_out()
    assert isinstance(names, np.ndarray)
    assert names.dtype == object
    assert names.tolist() == [
        "inner__own__red^1",
        "inner__own__red^3",
        "inner__rgb__0",
        "inner__rgb__1",
        "inner__rgb__2",
        "lab__L",
        "lab__a",
        "lab__b",
    ]


def test_union_of_unions_is_flat():
    inner = ChannelUnion(
        [("own", Powers()), ("rgb", "passthrough")], transformer_weights={"own": 2}
    )
    outer = ChannelUnion(
        [("inner", inner), ("lab", LabFeatures())], transformer_weights={"inner": 3}
    )
    flat = ChannelUnion(
        [("own", Powers()), ("rgb", "passthrough"), ("lab", LabFeatures())],
        transformer_weights={"own": 6, "rgb": 3},
    )
    np.testing.assert_array_equal(outer.fit_transform(IMAGES)[2], flat.fit_transform(IMAGES)[2])


def test_parameters_of_parts():
    inner = ChannelUnion([("own", Powers()), ("rgb", "passthrough")])
    union = ChannelUnion([("inner", inner), ("lab", LabFeatures())])
    params = union.get_params()
    assert params["inner__own__powers"] == (1, 2)
    assert params["lab__memory"] is None
    assert params["inner"] is inner
    assert set(union.get_params(deep=False)) == {
        "transformers",
        "transformer_weights",
        "channel_axis",
    }
    assert union.set_params(inner__own__powers=(5,), lab__memory="folder") is union
    assert inner.get_params()["own__powers"] == (5,)
    assert union.transformers[1][1].memory == "folder"
    # A part's own name replaces it.
    union.set_params(lab="passthrough", inner__own=Powers((7,)))
    assert [name for name, _ in union.transformers] == ["inner", "lab"]
    assert union.transformers[1][1] == "passthrough"
    assert union.fit(IMAGES).get_feature_names_out().tolist() == [
        "inner__own__red^7",
        "inner__rgb__0",
        "inner__rgb__1",
        "inner__rgb__2",
        "lab__0",
        "lab__1",
        "lab__2",
    ]
    with pytest.raises(ValueError, match="Invalid parameter 'nothing'"):
        union.set_params(nothing=Powers())
    with pytest.raises(ValueError, match="Invalid parameter 'nothing'"):
        union.set_params(inner__nothing=Powers())
    assert repr(clone(union)) == repr(union)


def test_a_change_after_fit_waits_for_the_next():
    union = ChannelUnion([("own", Powers((1,)))]).fit(IMAGES)
    before = union.transform(IMAGES)[0].copy()
    union.set_params(own__powers=(2,))
    np.testing.assert_array_equal(union.transform(IMAGES)[0], before)
    np.testing.assert_array_equal(union.fit_transform(IMAGES)[0], before**2)


def test_memory_of_a_part(tmp_path):
    union = ChannelUnion([("lab", LabFeatures(memory=str(tmp_path))), ("rgb", "passthrough")])
    expected = ChannelUnion([("lab", LabFeatures()), ("rgb", "passthrough")]).fit_transform(IMAGES)
    for _ in range(2):
        for found, right in zip(union.fit_transform(IMAGES), expected, strict=True):
            np.testing.assert_array_equal(found, right)
    assert any(tmp_path.rglob("*.pkl"))


def test_make_channel_union():
    parts = [LabFeatures(), Powers(), LabFeatures(channel_axis=0), "passthrough"]
    union = make_channel_union(*parts, transformer_weights={"powers": 2}, channel_axis=0)
    names = ["labfeatures-1", "powers", "labfeatures-2", "passthrough"]
    assert union.transformers == list(zip(names, parts, strict=True))
    assert union.transformer_weights == {"powers": 2}
    assert union.channel_axis == 0
    union = make_channel_union("passthrough", "passthrough")
    assert [name for name, _ in union.transformers] == ["passthrough-1", "passthrough-2"]
    with pytest.raises(ValueError, match="transformers: found an empty list"):
        make_channel_union().fit(IMAGES)
    with pytest.raises(TypeError, match="unexpected keyword argument 'weights'"):
        make_channel_union(LabFeatures(), weights={})


@pytest.mark.parametrize(
    ("transformers", "error", "message"),
    [
        ([], ValueError, "transformers: found an empty list, expected at least one"),
        (None, ValueError, "'transformers' parameter of ChannelUnion must be"),
        ("lab", ValueError, "'transformers' parameter of ChannelUnion must be"),
        (LabFeatures(), ValueError, "'transformers' parameter of ChannelUnion must be"),
        (
            [LabFeatures()],
            ValueError,
            r"transformers: found LabFeatures\(\), expected pairs of a name and a transformer",
        ),
        (["ab"], ValueError, "transformers: found 'ab', expected pairs of a name and a transf"),
        ([("a", "b", "c")], ValueError, r"transformers: found \('a', 'b', 'c'\), expected pairs"),
        ([("a", Powers()), ("a", LabFeatures())], ValueError, "Names provided are not unique"),
        ([("a__b", Powers())], ValueError, "names must not contain __"),
        ([("channel_axis", Powers())], ValueError, "names conflict with constructor arguments"),
        ([("a", "drop")], ValueError, "found 'drop' for 'a', expected a transformer or 'passth"),
        ([("a", 3)], ValueError, "found 3 for 'a', expected a transformer or 'passthrough'"),
        ([(3, Powers())], ValueError, "transformers: found the name 3, expected text"),
        ([("a", LabFeatures)], ValueError, "found <class .*LabFeatures'> for 'a', expected a tra"),
    ],
)
def test_wrong_transformers(transformers, error, message):
    union = ChannelUnion(transformers)
    with pytest.raises(error, match=message):
        union.fit(IMAGES)
    with pytest.raises(NotFittedError):
        union.transform(IMAGES)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"b": 1}, r"transformer_weights: found \['b'\], expected names among \['a'\]"),
        ({"a": 1, "c": 1, "b": 2}, r"transformer_weights: found \['b', 'c'\], expected names"),
        ([1], "'transformer_weights' parameter of ChannelUnion must be"),
    ],
)
def test_wrong_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        ChannelUnion([("a", LabFeatures())], transformer_weights=weights).fit(IMAGES)


class OneRowLess(Powers):
    def transform(self, X):
        return [features[1:] for features in super().transform(X)]


class NoChannels(Powers):
    def transform(self, X):
        return [features[..., 0] for features in super().transform(X)]


@pytest.mark.parametrize(("kind", "shape"), [(OneRowLess, (5, 7, 2)), (NoChannels, (6, 7))])
def test_a_part_of_another_shape(kind, shape):
    union = ChannelUnion([("rgb", "passthrough"), ("own", kind())]).fit(IMAGES)
    features = union.transform(IMAGES)
    message = f"image 1: found features of transformer 'own' of shape {shape}, expected (6, 7, C)"
    with pytest.raises(ValueError, match="image 1: found features of transformer") as error:
        features[1]
    assert str(error.value) == message


def test_parts_see_one_image_at_a_time():
    """A lazy part stays lazy."""
    images = [IMAGES[0], np.full((4, 4, 3), np.nan)]
    features = ChannelUnion([("lab", LabFeatures())]).fit(images).transform(images)
    assert features[0].shape == (5, 7, 3)
    with pytest.raises(ValueError, match="image 1: found NaN"):
        features[1]


def test_copies():
    union = ChannelUnion([("lab", LabFeatures()), ("rgb", "passthrough")]).fit(IMAGES)
    copied = copy.deepcopy(union)
    copied.set_params(lab="passthrough")
    assert isinstance(union.transformers[0][1], LabFeatures)


class Nothing(Powers):
    def transform(self, X):
        return [np.full((*image.shape[:2], 2), np.nan) for image in X]


def test_features_of_weight_zero_are_not_looked_at():
    union = ChannelUnion(
        [("nan", Nothing()), ("rgb", "passthrough")], transformer_weights={"nan": 0}
    )
    found = union.fit_transform(IMAGES)[0]
    assert (found[..., :2] == 0).all()
    np.testing.assert_array_equal(found[..., 2:], IMAGES[0])
