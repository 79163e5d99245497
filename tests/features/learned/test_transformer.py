import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sksuperpixel import SLIC, TrainableSLIC
from sksuperpixel.datasets import make_texture_mosaics
from sksuperpixel.metrics import undersegmentation_error

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from sksuperpixel.features import LabFeatures, LearnedFeatures  # noqa: E402
from sksuperpixel.networks import make_distance_net  # noqa: E402


def learner(**params):
    settings = {
        "n_maps": 4,
        "width": 4,
        "max_epochs": 2,
        "batch_size": 3,
        "crop_size": 48,
        "learning_rate": 1e-2,
        "random_state": 0,
    }
    return LearnedFeatures(**(settings | params))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (17, 30), (64, 40)])
def test_maps_have_the_images_size(shape):
    features = learner(train=False).fit_transform([noise(*shape, 3)])[0]
    assert features.shape == (*shape, 7)
    assert features.dtype == np.float32
    assert features.flags.writeable


def test_colours_come_first():
    image = noise(20, 30, 3)
    transformer = learner(train=False).fit([image])
    lab = LabFeatures().fit_transform([image])[0]
    np.testing.assert_allclose(transformer.transform([image])[0][..., :3], lab, rtol=1e-5)
    names = transformer.get_feature_names_out().tolist()
    assert names == ["L", "a", "b", "learned_0", "learned_1", "learned_2", "learned_3"]


def test_grey_is_a_colour():
    grey = noise(16, 24)
    coloured = learner(train=False).fit_transform([np.repeat(grey[..., None], 3, axis=2)])
    found = learner(train=False).fit_transform([grey])
    np.testing.assert_allclose(found[0], coloured[0], atol=1e-4)


def test_no_edges_at_the_border():
    # Of a flat image every pixel has the same features, also where reflections begin.
    flat = np.full((40, 56, 3), 90, np.uint8)
    features = learner(train=False, width=8).fit_transform([flat])[0]
    centre = features[20, 28]
    assert np.abs(features[4:-4, 4:-4] - centre).max() < 0.2


def test_superpixels_get_better():
    data = make_texture_mosaics(n_images=14, image_shape=(96, 96), random_state=0)
    images, segmentations = list(data.images), list(data.segmentations)
    transformer = learner(
        n_maps=6, width=6, max_epochs=12, batch_size=2, crop_size=96, superpixel_sizes=(6, 12)
    ).fit(images[:10], segmentations[:10])
    assert transformer.losses_.shape == (12,)
    assert transformer.losses_[-3:].mean() < 0.9 * transformer.losses_[:3].mean()
    ours = SLIC(features="passthrough", n_segments=60).fit_transform(
        transformer.transform(images[10:])
    )
    plain = SLIC(n_segments=60).fit_transform(images[10:])
    errors = [undersegmentation_error(segmentations[10:], each) for each in (ours, plain)]
    assert errors[0] < 0.9 * errors[1]


def test_edges_are_learned(textures):
    images, classes = textures
    transformer = learner(max_epochs=15, batch_size=2, edges=True)
    transformer.fit(images[:4], classes[:4])
    found = np.stack([features[..., -1] for features in transformer.transform(images[4:])])
    expected = np.stack([np.diff(labels, axis=1) != 0 for labels in classes[4:]])
    found = found[:, :, 1:]
    assert found[expected].mean() > 1.3 * found[~expected].mean()


def test_numbers_of_segments_do_not_matter(mosaics, same_weights):
    images, segmentations = mosaics
    first = learner().fit(images, segmentations)
    renamed = [-3 - 7 * each for each in segmentations]
    assert same_weights(learner().fit(images, renamed), first)


def test_a_file_tells_the_size_of_the_network(mosaics, tmp_path, same_weights):
    first = learner(train=False).fit(mosaics[0])
    path = tmp_path / "maps.safetensors"
    first.save_weights(path)
    again = LearnedFeatures(n_maps=9, width=3, weights=path, train=False).fit(mosaics[0])
    assert same_weights(again, first)
    tuned = learner(n_maps=9, weights=path, max_epochs=1).fit(*mosaics)
    assert (tuned.network_.n_maps, tuned.network_.width) == (4, 4)
    assert not same_weights(tuned, first)


def test_shipped_weights_tell_more_than_colour():
    from skimage.data import astronaut

    transformer = LearnedFeatures(weights="bsds500", train=False).fit([astronaut()])
    assert transformer.network_.n_maps == 12
    features = transformer.transform([astronaut()])[0]
    assert np.isfinite(features).all()
    # Neither is negligible beside the other.
    spread = features.std(axis=(0, 1))
    assert spread[3:].max() > 1
    assert spread[:3].max() > 1


def test_edges_are_the_last_feature(mosaics, tmp_path):
    images, segmentations = mosaics
    first = learner().fit(images, segmentations)
    path = tmp_path / "weights.safetensors"
    first.save_weights(path)
    plain = LearnedFeatures(weights=path, train=False, memory=tmp_path).fit(images)
    both = clone(plain).set_params(edges=True).fit(images)
    for each, with_edges in zip(plain.transform(images), both.transform(images), strict=True):
        np.testing.assert_array_equal(with_edges[..., :-1], each)
        assert 0 <= with_edges[..., -1].min() <= with_edges[..., -1].max() <= 1
    assert both.get_feature_names_out()[-1] == "edge"
    assert len(both.get_feature_names_out()) == 1 + len(plain.get_feature_names_out())


def test_features_of_mirrored_images_are_mirrored(mosaics):
    images, _ = mosaics
    transformer = learner(train=False, mirror=True, edges=True).fit(images)
    mirrored = transformer.transform([image[:, ::-1] for image in images])
    for one, other in zip(transformer.transform(images), mirrored, strict=True):
        np.testing.assert_allclose(one, other[:, ::-1], rtol=1e-4, atol=1e-3)
    plain = learner(train=False, edges=True).fit(images)
    assert np.abs(plain.transform(images)[0] - transformer.transform(images)[0]).max() > 0.01


def test_half_precision_and_no_jitter(mosaics, same_weights):
    for params in ({"precision": "bfloat16"}, {"colour_jitter": 0.0}):
        first = learner(**params).fit(*mosaics)
        assert np.isfinite(first.losses_).all()
        assert first.transform(mosaics[0])[0].dtype == np.float32
        assert not same_weights(first, learner().fit(*mosaics))


def test_weights_come_from_a_model(mosaics, tmp_path, same_weights):
    images, segmentations = mosaics
    model = TrainableSLIC(
        8,
        features=learner(max_epochs=1),
        classifier=make_distance_net(1, max_epochs=0),
        random_state=0,
    ).fit(images, segmentations)
    model.save(tmp_path / "model.safetensors")
    again = LearnedFeatures(weights=tmp_path / "model.safetensors", train=False).fit(images)
    assert same_weights(again, model.features_)
    # Nothing was learned on top: the distance is the one that the features were learned with.
    np.testing.assert_array_equal(model.classifier_.module_.channel_weights, 1)
    slic = SLIC(8, features=again).fit(images)
    for ours, theirs in zip(model.transform(images), slic.transform(images), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_in_a_pipeline(mosaics):
    images, segmentations = mosaics
    pipeline = make_pipeline(
        learner(max_epochs=1), SLIC(superpixel_size=8, features="passthrough")
    )
    superpixels = pipeline.fit(images, segmentations).transform(images)
    assert superpixels[0].shape == segmentations[0].shape
    inside = SLIC(superpixel_size=8, features=clone(pipeline[0])).fit(images, segmentations)
    for ours, theirs in zip(inside.transform(images), superpixels, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_threads_do_not_matter():
    images = [noise(40, 50, 3, seed=i) for i in range(3)]
    slic = SLIC(superpixel_size=8, features=learner(train=False))
    expected = slic.fit_transform(images)
    for ours, theirs in zip(
        clone(slic).set_params(n_jobs=2).fit_transform(images), expected, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"superpixel_sizes": (0.5, 8)}, "superpixel_sizes: found .* expected two numbers of at"),
        ({"superpixel_sizes": (9, 8)}, "superpixel_sizes: found"),
        ({"superpixel_sizes": 9}, "superpixel_sizes"),
        ({"crop_size": 30}, "crop_size: found 30, expected a multiple of 8"),
        ({"scale_range": (2, 1)}, "scale_range: found"),
        ({"device": "abacus"}, "device: found 'abacus'"),
        ({"precision": "float16"}, "'precision' parameter"),
        ({"colour_jitter": 1.0}, "'colour_jitter' parameter"),
        ({"edges": 1}, "'edges' parameter"),
        ({"mirror": "yes"}, "'mirror' parameter"),
        ({}, "y: found None, expected segmentations with train=True"),
    ],
)
def test_bad_parameters(params, message):
    transformer = learner(**params)
    with pytest.raises(ValueError, match=message):
        transformer.fit([noise(24, 24, 3)])
    assert not hasattr(transformer, "network_")


def test_nothing_to_learn_from():
    images = [noise(48, 48, 3, seed=i) for i in range(2)]
    with pytest.raises(ValueError, match="y: found no pixel to learn from"):
        learner().fit(images, [np.zeros((48, 48), int)] * 2)


def test_epochs_that_teach_nothing_do_no_harm():
    # A small part of the image is worth learning from: most crops miss it.
    segmentation = np.zeros((160, 160), int)
    segmentation[:70, :70] = 1
    transformer = learner(crop_size=32, max_epochs=9, superpixel_sizes=(4, 6), scale_range=(1, 1))
    transformer.fit([noise(160, 160, 3)], [segmentation])
    assert np.isnan(transformer.losses_).any()
    assert np.isfinite(transformer.losses_).any()
    assert np.isfinite(transformer.transform([noise(20, 20, 3)])[0]).all()


def test_few_pixels_and_no_compactness_will_do(mosaics):
    transformer = learner(n_pixels_per_image=20, compactness=0, max_epochs=1).fit(*mosaics)
    assert np.isfinite(transformer.losses_).all()
