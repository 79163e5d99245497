"""What all transformers of images into features share."""

import shutil

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin

from sksuperpixel import SLIC, ChannelUnion, LabFeatures, LazySequence
from sksuperpixel._images.reader import ImageReader
from sksuperpixel._images.transformer import ImageTransformerMixin, features_of, fit_copy

IMAGES = [
    np.random.default_rng(i).integers(0, 256, (6, 5 + i, 3), dtype=np.uint8) for i in range(4)
]


class Brightness(ImageTransformerMixin, BaseEstimator):
    """Mean of the channels, counting its computations."""

    computed = []  # noqa: RUF012

    def __init__(self, *, gain=1.0, device=None, n_jobs=None, channel_axis=-1, memory=None):
        self.gain = gain
        self.device = device
        self.n_jobs = n_jobs
        self.channel_axis = channel_axis
        self.memory = memory

    def fit(self, X, y=None, masks=None):
        super().fit(X, y, masks)
        self.offset_ = 0.0 if y is None else float(np.mean(y[0]))
        return self

    def _image_features(self, image):
        # The images here have widths of their own.
        self.computed.append(image.shape[1] - 5)
        mean = image.mean(axis=-1, keepdims=True)
        return (self.gain * mean + self.offset_).astype(np.float32)

    def get_feature_names_out(self, input_features=None):
        return np.array(["brightness"], dtype=object)


@pytest.fixture
def computed():
    Brightness.computed.clear()
    return Brightness.computed


def test_transform_computes_nothing(computed):
    features = Brightness().fit(IMAGES).transform(IMAGES)
    assert computed == []
    assert features[2].shape == (6, 7, 1)
    assert features[1:][0].shape == (6, 6, 1)
    assert computed == [2, 1]
    features[2]
    assert computed == [2, 1, 2]


def test_transform_of_a_lazy_sequence_reads_one_image(computed):
    read = []

    def read_image(i):
        read.append(i)
        return IMAGES[i]

    images = LazySequence(read_image, range(4))
    transformer = Brightness().fit(images)
    assert read == [0]
    features = transformer.transform(images)
    assert read == [0]
    features[3]
    assert read == [0, 3]


@pytest.mark.parametrize("kind", ["string", "path", "joblib"])
def test_memory(kind, tmp_path, computed):
    memory = {
        "string": str(tmp_path),
        "path": tmp_path,
        "joblib": joblib.Memory(tmp_path, verbose=0),
    }[kind]
    expected = list(Brightness(gain=3.0).fit_transform(IMAGES))
    assert computed == [0, 1, 2, 3]
    computed.clear()
    transformer = Brightness(gain=3.0, memory=memory)
    for _ in range(2):
        for found, right in zip(transformer.fit_transform(IMAGES), expected, strict=True):
            assert found.dtype == np.float32
            np.testing.assert_array_equal(found, right)
    assert computed == [0, 1, 2, 3]


def test_memory_knows_images_wherever_they_are(tmp_path, computed):
    transformer = Brightness(memory=str(tmp_path)).fit(IMAGES)
    transformer.transform(IMAGES)[1]
    np.testing.assert_array_equal(
        transformer.transform(IMAGES[::-1])[2], Brightness().fit_transform(IMAGES)[1]
    )
    assert computed == [1, 1]
    changed = [image.copy() for image in IMAGES]
    changed[1][0, 0, 0] ^= 1
    transformer.transform(changed)[1]
    assert computed == [1, 1, 1]


def test_memory_knows_parameters(tmp_path, computed):
    def first(y=None, **params):
        return Brightness(memory=str(tmp_path), **params).fit(IMAGES, y).transform(IMAGES)[0]

    plain = first()
    assert computed == [0]
    # What does not change features is not looked at.
    np.testing.assert_array_equal(first(device="cpu", n_jobs=2), plain)
    assert computed == [0]
    np.testing.assert_array_equal(first(gain=2.0), 2 * plain)
    assert computed == [0, 0]
    # What was learned is.
    np.testing.assert_allclose(first(y=[np.ones((6, 5))]), plain + 1, rtol=1e-6)
    assert computed == [0, 0, 0]
    first()
    first(gain=2.0)
    assert computed == [0, 0, 0]


def test_memory_tells_classes_apart(tmp_path, computed):
    class Darkness(Brightness):
        def _image_features(self, image):
            return -super()._image_features(image)

    bright = Brightness(memory=str(tmp_path)).fit_transform(IMAGES)[0]
    np.testing.assert_array_equal(Darkness(memory=str(tmp_path)).fit_transform(IMAGES)[0], -bright)


def test_memory_through_slic(tmp_path, computed):
    for compactness in (1.0, 10.0, 100.0):
        slic = SLIC(features=Brightness(memory=str(tmp_path)), compactness=compactness, n_jobs=2)
        slic.fit_transform(IMAGES)
    assert sorted(computed) == [0, 1, 2, 3]


def test_lab_is_computed_once(tmp_path, monkeypatch):
    calls = []
    compute = LabFeatures._image_features

    def counting(self, image):
        calls.append(image.shape[1] - 5)
        return compute(self, image)

    monkeypatch.setattr(LabFeatures, "_image_features", counting)
    union = ChannelUnion([("lab", LabFeatures(memory=str(tmp_path)))])
    for _ in range(2):
        list(union.fit_transform(IMAGES))
    assert calls == [0, 1, 2, 3]
    # Another layout of the same colours is another image.
    LabFeatures(memory=str(tmp_path), channel_axis=0).fit_transform(
        [np.moveaxis(IMAGES[0], -1, 0)]
    )[0]
    assert calls == [0, 1, 2, 3, 0]


def entry_of(folder):
    (entry,) = folder.rglob("output.pkl")
    return entry


def overwrite(content):
    return lambda folder: entry_of(folder).write_bytes(content)


DAMAGE = {
    "empty": overwrite(b""),
    "garbage": overwrite(bytes(range(256))),
    "cut": lambda folder: entry_of(folder).write_bytes(entry_of(folder).read_bytes()[:-20]),
    "other": lambda folder: joblib.dump(IMAGES[0].astype(np.float32), entry_of(folder)),
    "text": lambda folder: joblib.dump(("text", "text"), entry_of(folder)),
    "no entry": lambda folder: shutil.rmtree(entry_of(folder).parent),
    "no file": lambda folder: entry_of(folder).unlink(),
    "no folder": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.filterwarnings("ignore:image 0. found damaged features in the cache:UserWarning")
def test_damaged_caches_are_repaired(damage, tmp_path, computed):
    expected = Brightness().fit_transform(IMAGES)[0]
    features = Brightness(memory=tmp_path / "cache").fit_transform(IMAGES)
    features[0]
    damage(tmp_path / "cache")
    computed.clear()
    for _ in range(3):
        np.testing.assert_array_equal(features[0], expected)
    # The first time, they were computed again, and perhaps the second time to cache them.
    assert 1 <= len(computed) <= 2


@pytest.mark.filterwarnings("ignore:image 0. found damaged features in the cache:UserWarning")
def test_no_changed_byte_changes_cached_features(tmp_path):
    expected = Brightness().fit_transform(IMAGES)[0]
    features = Brightness(memory=tmp_path).fit_transform(IMAGES)
    features[0]
    entry = entry_of(tmp_path)
    whole = entry.read_bytes()
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        entry.parent.mkdir(exist_ok=True)
        entry.write_bytes(changed)
        np.testing.assert_array_equal(features[0], expected)


def test_changed_features_in_a_cache_are_a_warning(tmp_path):
    features = Brightness(memory=tmp_path).fit_transform(IMAGES)
    features[0]
    joblib.dump((IMAGES[0].astype(np.float32), 5), entry_of(tmp_path))
    with pytest.warns(UserWarning, match="image 0: found damaged features in the cache; they "):
        features[0]


def test_a_cache_that_is_not_a_folder_is_an_error(tmp_path):
    path = tmp_path / "cache"
    path.write_bytes(b"")
    with pytest.raises(OSError, match="cache"):
        Brightness(memory=path).fit_transform(IMAGES)[0]


def test_other_memories_can_be_given():
    class Keeping:
        """A memory in the sense of scikit-learn, which gives whatever it wants."""

        given = ()

        def cache(self, function, ignore=None):
            return lambda *arguments: self.given or function(*arguments)

    memory = Keeping()
    expected = Brightness().fit_transform(IMAGES)[0]
    features = Brightness(memory=memory).fit_transform(IMAGES)
    np.testing.assert_array_equal(features[0], expected)
    memory.given = (expected + 1, 0)
    with pytest.warns(UserWarning, match="found damaged features"):
        np.testing.assert_array_equal(features[0], expected)


def test_output_cannot_be_set_to_tables():
    assert not hasattr(Brightness(), "set_output")
    assert not hasattr(LabFeatures(), "set_output")
    assert not hasattr(ChannelUnion([]), "set_output")


# With estimators ----------------------------------------------------------------------------


class Recorder(TransformerMixin, BaseEstimator):
    """A user's own transformer, which knows nothing of masks and keeps what it is given."""

    seen = []  # noqa: RUF012

    def fit(self, X, y=None):
        self.seen.append([np.array(image) for image in X])
        return self

    def transform(self, X):
        self.seen.append([np.array(image) for image in X])
        return [np.asarray(image, np.float32) for image in X]


@pytest.fixture
def seen():
    Recorder.seen.clear()
    return Recorder.seen


def masked_left(image):
    mask = np.ones(image.shape[:2], bool)
    mask[:, :2] = False
    return mask


def test_transformers_without_masks_get_continued_images(seen):
    images = [image.copy() for image in IMAGES]
    masks = [masked_left(image) for image in images]
    reader = ImageReader(images, masks=masks)
    fitted = fit_copy(Recorder(), reader, None)
    features_of(fitted, reader[1])
    assert len(seen[0]) == 4
    assert len(seen[1]) == 1
    for image, given in ((images[0], seen[0][0]), (images[1], seen[1][0])):
        np.testing.assert_array_equal(given[:, 2:], image[:, 2:])
        np.testing.assert_array_equal(given[:, :2], image[:, 3:1:-1])


@pytest.mark.parametrize("channel_axis", [0, 1, -1])
def test_transformers_get_images_in_the_users_layout(seen, channel_axis):
    images = [np.moveaxis(image, -1, channel_axis) for image in IMAGES]
    reader = ImageReader(images, channel_axis)
    fit_copy(Recorder(), reader, None)
    for given, image in zip(seen[0], images, strict=True):
        np.testing.assert_array_equal(given, image)


def test_masks_reach_transformers_that_take_them(computed):
    image = IMAGES[0].astype(float)
    mask = masked_left(image)
    other = image.copy()
    other[~mask] = np.nan
    transformer = Brightness().fit([image], masks=[mask])
    first = transformer.transform([image], masks=[mask])[0]
    second = transformer.transform([other], masks=[mask])[0]
    third = transformer.fit_transform([np.ma.masked_invalid(other)])[0]
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, third)
    np.testing.assert_array_equal(first[:, :2], first[:, 3:1:-1])
    with pytest.raises(ValueError, match=r"^image 0: found NaN or infinity at 12 pixels"):
        transformer.transform([other])[0]
