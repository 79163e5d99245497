"""Black and white mean the same in all transformers, whatever numbers stand for them."""

import numpy as np
import pytest
from sklearn.base import clone

from sksuperpixel.features import LabFeatures, ScatteringFeatures

torch = pytest.importorskip("torch")
pytest.importorskip("kymatio")
pytest.importorskip("safetensors")

from sksuperpixel.features import ENetFeatures, LearnedFeatures  # noqa: E402

COLOURED = {
    "lab": LabFeatures(),
    "lightness": ScatteringFeatures(J=1, L=2, channels="lightness"),
    "enet": ENetFeatures("bottleneck1.0"),
    "learned": LearnedFeatures(n_maps=2, width=4, train=False, random_state=0),
}
TRANSFORMERS = COLOURED | {"scattering": ScatteringFeatures(J=1, L=2)}
every = pytest.mark.parametrize("transformer", TRANSFORMERS.values(), ids=TRANSFORMERS)
coloured = pytest.mark.parametrize("transformer", COLOURED.values(), ids=COLOURED)

CODES = np.random.default_rng(0).integers(0, 256, (20, 26, 3), dtype=np.uint8)
# The same picture in 12 bits: 255 becomes 4095.
TWELVE = (CODES.astype(np.uint16) << 4) | (CODES >> 4)
UNIT = TWELVE / 4095


def features(transformer, image, **params):
    return clone(transformer).set_params(**params).fit_transform([image])[0]


@every
def test_twelve_bits_equal_eight(transformer):
    expected = features(transformer, CODES)
    found = features(transformer, TWELVE, data_range=4095)
    assert found.dtype == np.float32
    # 8 bits round to 1 / 510 of the range.
    scale = np.abs(expected).max(axis=(0, 1))
    assert (np.abs(found - expected).max(axis=(0, 1)) < 0.01 * scale + 1e-6).all()
    # Without the range, they are almost black.
    with pytest.warns(UserWarning, match="image 0: found uint16 values up to 4095"):
        dark = features(transformer, TWELVE)
    assert (np.abs(dark - expected).max(axis=(0, 1)) > 0.05 * scale).any()


@every
@pytest.mark.parametrize(
    ("image", "data_range"),
    [
        (TWELVE, 4095),
        (TWELVE.astype(np.int64), (0, 4095)),
        (TWELVE.astype(np.int16) - 1024, (-1024, 3071)),
        (TWELVE.astype(np.int16) - 1024, [-1024, 3071.0]),
        (TWELVE.astype(np.float32), np.float64(4095)),
        (UNIT, (0, 1)),
        (UNIT, 1),
    ],
)
def test_whatever_the_numbers_features_are_the_same(transformer, image, data_range):
    np.testing.assert_allclose(
        features(transformer, image, data_range=data_range),
        features(transformer, UNIT),
        rtol=1e-5,
        atol=1e-4,
    )


@every
def test_the_range_of_a_type_may_be_named(transformer):
    expected = features(transformer, CODES)
    np.testing.assert_array_equal(features(transformer, CODES, data_range=255), expected)
    np.testing.assert_array_equal(features(transformer, CODES, data_range=(0, 255)), expected)
    sixteen = CODES.astype(np.uint16) * 257
    np.testing.assert_array_equal(
        features(transformer, sixteen, data_range=65535), features(transformer, sixteen)
    )


@every
def test_integers_without_a_range_are_an_error(transformer):
    for dtype in (np.int16, np.int64):
        with pytest.raises(ValueError, match=f"image 0: found dtype {np.dtype(dtype)}, expected"):
            features(transformer, TWELVE.astype(dtype))


@coloured
def test_floats_a_rounding_outside_are_clipped(transformer):
    image = UNIT.astype(np.float32)
    image[0, 0], image[-1, -1] = 1, 0
    outside = image.copy()
    outside[0, 0], outside[-1, -1] = 1 + 5e-7, -5e-7
    np.testing.assert_array_equal(features(transformer, outside), features(transformer, image))
    scaled = [each * np.float32(100) for each in (image, outside)]
    found, expected = (features(transformer, each, data_range=100) for each in scaled)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


@coloured
@pytest.mark.parametrize(
    ("value", "data_range", "message"),
    [
        (1.00050001, None, r"image 0: found values from \S+ to 1\.00050001, expected floats in"),
        (-0.0003, None, r"image 0: found values from -0\.0003 to \S+, expected floats in \[0, 1"),
        (1.5, (0, 1.25), r"image 0: found values from \S+ to 1\.5, expected .*=\(0, 1\.25\)"),
    ],
)
def test_values_outside_are_an_error_with_enough_digits(transformer, value, data_range, message):
    image = UNIT.copy()
    image[3, 4, 1] = value
    with pytest.raises(ValueError, match=message):
        features(transformer, image, data_range=data_range)


def test_scattering_takes_any_floats():
    image = UNIT * 7 - 3
    scattering = TRANSFORMERS["scattering"]
    expected = features(scattering, UNIT)
    # The average follows the offset; wavelets do not see it.
    np.testing.assert_allclose(
        features(scattering, image)[..., 1:3], 7 * expected[..., 1:3], atol=1e-5
    )
    np.testing.assert_allclose(
        features(scattering, image, data_range=(-3, 4)), expected, atol=1e-5
    )


@every
@pytest.mark.parametrize("data_range", [0, -1, (1, 1), (3, 2), (0, np.inf), (0, 1, 2), np.nan])
def test_wrong_ranges_are_told_in_fit(transformer, data_range):
    transformer = clone(transformer).set_params(data_range=data_range)
    with pytest.raises(ValueError, match="data_range: found"):
        transformer.fit([CODES])
    with pytest.raises(ValueError, match="'data_range' parameter of"):
        transformer.set_params(data_range="white").fit([CODES])


@pytest.mark.parametrize("kind", [ENetFeatures, LearnedFeatures])
def test_training_sees_the_range(kind, textures, same_weights):
    images, classes = textures
    params = {"weights": None, "max_epochs": 1, "crop_size": 32, "random_state": 0, "train": True}
    if kind is LearnedFeatures:
        params |= {"width": 4, "superpixel_sizes": (5, 8)}
    twelve = [image.astype(np.uint16) * 16 for image in images]
    with_range = kind(**params, data_range=4080).fit(twelve, classes)
    floats = kind(**params).fit([image / 4080 for image in twelve], classes)
    assert same_weights(with_range, floats)
