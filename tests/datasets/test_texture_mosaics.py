import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage

from sksuperpixel.datasets import _texture_mosaics, make_texture_mosaics


def _neighbours(labels):
    pairs = np.concatenate(
        [
            np.stack([labels[1:].ravel(), labels[:-1].ravel()], axis=1),
            np.stack([labels[:, 1:].ravel(), labels[:, :-1].ravel()], axis=1),
        ]
    )
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def test_shapes_types_and_ids():
    data = make_texture_mosaics(4, image_shape=(60, 90), n_segments=5, random_state=0)
    assert data.images.shape == (4, 60, 90, 3)
    assert data.images.dtype == np.uint8
    assert data.segmentations.shape == (4, 60, 90)
    assert data.segmentations.dtype == np.int32
    assert data.ignore_label is None
    for labels, sources in zip(data.segmentations, data.sources, strict=True):
        assert_array_equal(np.unique(labels), np.arange(5))
        assert len(sources) == 5
    assert "4 images of 60 x 90 pixels" in data.DESCR


def test_borders_wobble():
    straight = make_texture_mosaics(5, wobble=0, random_state=2)
    wobbling = make_texture_mosaics(5, wobble=0.15, random_state=2)

    def border_length(data):
        labels = data.segmentations
        return (labels[:, 1:] != labels[:, :-1]).sum() + (
            labels[:, :, 1:] != labels[:, :, :-1]
        ).sum()

    assert border_length(wobbling) > 1.1 * border_length(straight)


@pytest.mark.parametrize("sources", ["textures", "photographs", "all"])
def test_neighbours_have_different_sources(sources):
    data = make_texture_mosaics(6, n_segments=8, sources=sources, random_state=3)
    for labels, names in zip(data.segmentations, data.sources, strict=True):
        for one, other in _neighbours(labels):
            assert names[one] != names[other]


def test_n_textures_limits_the_sources_of_an_image():
    data = make_texture_mosaics(8, n_textures=3, sources="all", random_state=4)
    assert all(len(set(names)) <= 3 for names in data.sources)
    assert len(set().union(*data.sources)) > 3


def test_random_state():
    one = make_texture_mosaics(3, random_state=5)
    again = make_texture_mosaics(3, random_state=np.random.RandomState(5))
    more = make_texture_mosaics(4, random_state=5)
    other = make_texture_mosaics(3, random_state=6)
    assert_array_equal(one.images, again.images)
    assert_array_equal(one.segmentations, again.segmentations)
    assert_array_equal(one.images, more.images[:3])
    assert (one.images != other.images).any()
    assert (one.segmentations != other.segmentations).any()


def _mean_gaps(data):
    """Distances of the mean colours of neighbours, in grey levels."""
    gaps = []
    for image, labels in zip(data.images, data.segmentations, strict=True):
        means = np.array([image[labels == k].mean(axis=0) for k in range(labels.max() + 1)])
        gaps += [np.abs(means[a] - means[b]).max() for a, b in _neighbours(labels)]
    return np.array(gaps)


def test_equalize_matches_means_and_contrast():
    equal = make_texture_mosaics(10, jitter=0, random_state=7)
    own = make_texture_mosaics(10, equalize=False, jitter=0, random_state=7)
    # clipping and the blurred borders leave a little
    assert np.median(_mean_gaps(equal)) < 2
    assert np.median(_mean_gaps(own)) > 10
    for image, labels in zip(equal.images, equal.segmentations, strict=True):
        grey = image.mean(axis=2)
        contrasts = [grey[labels == k].std() for k in range(labels.max() + 1)]
        assert max(contrasts) < 1.5 * min(contrasts)


def test_jitter_moves_the_means():
    still, moved = (make_texture_mosaics(6, jitter=j, random_state=8) for j in (0, 0.1))
    assert np.median(_mean_gaps(moved)) > 5 * np.median(_mean_gaps(still))


def test_texture_tells_segments_apart_where_colour_cannot():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    data = make_texture_mosaics(8, random_state=9)
    colour_scores, texture_scores = [], []
    for image, labels in zip(data.images, data.segmentations, strict=True):
        y = labels.ravel()
        colour = image.reshape(-1, 3)
        grey = image.mean(axis=2)
        energies = [
            ndimage.gaussian_filter((grey - ndimage.gaussian_filter(grey, scale)) ** 2, 6)
            for scale in (1, 2, 4)
        ]
        energies += [
            ndimage.gaussian_filter(ndimage.sobel(grey, axis=axis) ** 2, 6) for axis in (0, 1)
        ]
        texture = np.log1p(np.stack(energies, axis=-1)).reshape(y.size, -1)
        colour_scores.append(LinearDiscriminantAnalysis().fit(colour, y).score(colour, y))
        texture_scores.append(LinearDiscriminantAnalysis().fit(texture, y).score(texture, y))
    assert np.mean(colour_scores) < 0.7
    assert np.mean(texture_scores) > np.mean(colour_scores) + 0.08


@pytest.mark.parametrize("name", _texture_mosaics._SOURCES["all"])
def test_sources_are_read_without_download(name, monkeypatch):
    import pooch

    def no_download(*args, **kwargs):
        raise AssertionError(f"{name} would be downloaded")

    monkeypatch.setattr(pooch.Pooch, "fetch", no_download)
    whole, train, test = (
        _texture_mosaics._load_source(name, split) for split in ("all", "train", "test")
    )
    assert whole.dtype == np.uint8
    assert whole.shape[2] == 3
    assert_array_equal(np.concatenate([train, test], axis=1), whole)
    assert abs(train.shape[1] - test.shape[1]) <= 1


def test_split_takes_crops_from_one_half(monkeypatch):
    left_black = np.zeros((100, 200, 3), dtype=np.uint8)
    left_black[:, 100:] = np.random.RandomState(0).randint(200, 256, size=(100, 100, 3))
    monkeypatch.setattr("skimage.data.brick", lambda: left_black)
    options = {
        "sources": ["brick"],
        "n_segments": 1,
        "equalize": False,
        "jitter": 0,
        "image_shape": (150, 150),  # larger than a half: continued by its mirror image
        "scale_range": (1, 1),
        "random_state": 0,
    }
    assert make_texture_mosaics(5, split="train", **options).images.max() == 0
    assert make_texture_mosaics(5, split="test", **options).images.min() > 150


def test_list_of_sources():
    data = make_texture_mosaics(3, sources=["brick", "coins", "moon", "retina"], random_state=0)
    assert set().union(*data.sources) <= {"brick", "coins", "moon", "retina"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_images": 0}, "'n_images' parameter"),
        ({"sources": "stones"}, "'sources' parameter"),
        (
            {"sources": ["brick", "stones"]},
            "sources: found .*stones.*, expected .*list of different names from",
        ),
        ({"sources": []}, "list of different names"),
        ({"sources": ["brick", "brick"]}, "list of different names"),
        ({"split": "half"}, "'split' parameter"),
        ({"image_shape": (128,)}, "image_shape: found .*, expected two integers of at least 8"),
        ({"image_shape": (128, 4)}, "image_shape: found .*, expected two integers of at least 8"),
        ({"image_shape": (64.0, 64.0)}, "image_shape: found .*, expected two integers"),
        ({"scale_range": (2, 1)}, r"scale_range: found .*, expected \(low, high\)"),
        ({"scale_range": (0, 1)}, "scale_range: found .*, expected two numbers of at least 0.1"),
        ({"n_textures": 1}, "no mosaic of 6 segments from 1 pictures"),
        ({"image_shape": (8, 8), "n_segments": 65}, "no mosaic of 65 segments"),
    ],
)
def test_errors(params, message):
    with pytest.raises(ValueError, match=message):
        make_texture_mosaics(**params)
