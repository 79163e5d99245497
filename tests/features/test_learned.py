"""Learned features: the loss against a slow reference, learning, files, and bad input."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sksuperpixel import SLIC, ChannelUnion, LazySequence, TrainableSLIC
from sksuperpixel.datasets import make_texture_mosaics
from sksuperpixel.metrics import undersegmentation_error

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

from sksuperpixel.features import LabFeatures, LearnedFeatures  # noqa: E402
from sksuperpixel.features._maps_network import (  # noqa: E402
    ClusterLoss,
    MapsNetwork,
    _edge_loss,
    new_maps_network,
)
from sksuperpixel.networks import make_distance_net  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Networks this small only wait for each other on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def mosaics():
    data = make_texture_mosaics(n_images=6, image_shape=(64, 72), random_state=0)
    return list(data.images), list(data.segmentations)


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


def same_weights(first, second):
    first, second = first.network_.state_dict(), second.network_.state_dict()
    # Files do not hold batch norm's counters.
    names = [name for name, tensor in first.items() if tensor.is_floating_point()]
    return all(torch.equal(first[name], second[name]) for name in names)


# The network --------------------------------------------------------------------------------


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


def test_volumes_are_stacks_and_grey_is_a_colour():
    volume = noise(3, 16, 24)
    transformer = learner(train=False, channel_axis=None).fit([volume])
    planes = transformer.transform(list(volume))
    np.testing.assert_array_equal(transformer.transform([volume])[0], np.stack(list(planes)))
    coloured = learner(train=False).fit_transform([np.repeat(volume[0][..., None], 3, axis=2)])
    np.testing.assert_allclose(planes[0], coloured[0], atol=1e-4)


def test_no_edges_at_the_border():
    # Of a flat image every pixel has the same features, also where reflections begin.
    flat = np.full((40, 56, 3), 90, np.uint8)
    features = learner(train=False, width=8).fit_transform([flat])[0]
    centre = features[20, 28]
    assert np.abs(features[4:-4, 4:-4] - centre).max() < 0.2


# The loss -----------------------------------------------------------------------------------


def slow_loss(features, segmentation, loss, size, found, temperature):
    """The loss of an image, by loops over all there is, in float64."""
    labels, pixels = found[0].reshape(segmentation.shape), found[1]
    compactness = loss.compactness
    positions = np.argwhere(np.ones(segmentation.shape, bool)).reshape(*segmentation.shape, 2)
    clusters = [k for k in range(labels.max() + 1) if (labels == k).any()]
    centres = {k: positions[labels == k].mean(axis=0) for k in clusters}
    means = {k: features[:, labels == k].mean(axis=1) for k in clusters}
    total = 0.0
    for pixel in pixels:
        row, column = divmod(int(pixel), segmentation.shape[1])
        away = {k: np.hypot(*(centres[k] - (row, column))) for k in clusters}
        nearest = sorted(clusters, key=lambda k: away[k])[: loss.n_candidates]
        logits = np.array(
            [
                -(
                    ((features[:, row, column] - means[k]) ** 2).sum()
                    + (compactness / size * away[k]) ** 2
                )
                / temperature
                for k in nearest
            ]
        )
        chances = np.exp(logits - logits.max())
        chances /= chances.sum()
        valid = segmentation >= 0
        shares = np.array(
            [
                (segmentation[(labels == k) & valid] == segmentation[row, column]).sum()
                / max(1, ((labels == k) & valid).sum())
                for k in nearest
            ]
        )
        total -= np.log(chances @ np.maximum(shares, 1e-3))
    return total / len(pixels)


@pytest.mark.parametrize("void", [False, True])
def test_loss_equals_a_slow_reference(void):
    rng = np.random.default_rng(0)
    segmentation = np.zeros((24, 30), np.int64)
    segmentation[:, 13:] = 1
    segmentation[11:, 20:] = 2
    if void:
        segmentation[:5] = -1
    features = rng.normal(0, 2, (4, 24, 30)).astype(np.float32)
    features[0] += 6 * segmentation
    loss = ClusterLoss((6.0, 6.0), 10.0, 5, 400, "float32")
    tensor = torch.from_numpy(features).requires_grad_()
    # The same random numbers: what is drawn, then what it is computed from.
    value = loss._of_image(tensor, segmentation, torch.tensor(15.0), np.random.default_rng(1))
    draws = np.random.default_rng(1)
    draws.uniform()
    found = loss._teaching_pixels(tensor, segmentation, 6.0, draws)
    assert (segmentation.ravel()[found[1]] >= 0).all()
    expected = slow_loss(features.astype(np.float64), segmentation, loss, 6.0, found, 15.0)
    assert value.item() == pytest.approx(found[-1] * expected, rel=1e-4)
    value.backward()
    # Not only the pixels that teach: all pixels of their clusters, too.
    taught = np.zeros(segmentation.size, bool)
    taught[found[1]] = True
    assert (tensor.grad.abs().sum(0).numpy().ravel()[~taught] > 0).any()


def test_taught_pixels_have_several_segments_around_them():
    segmentation = np.zeros((40, 60), np.int64)
    segmentation[:, 30:] = 1
    loss = ClusterLoss((8.0, 8.0), 10.0, 9, 10**6, "float32")
    features = torch.zeros(1, 40, 60)
    found = loss._teaching_pixels(features, segmentation, 8.0, np.random.default_rng(0))
    columns = found[1] % 60
    # Flat features: clusters are the grid's cells, and nine of them reach 12 pixels.
    assert 12 <= 30 - columns.min() <= 20
    assert found[-1] == pytest.approx(len(found[1]) / segmentation.size)
    one_segment = np.zeros((40, 60), np.int64)
    assert loss._teaching_pixels(features, one_segment, 8.0, np.random.default_rng(0)) is None


def test_edge_loss_equals_reference():
    rng = np.random.default_rng(0)
    labels = rng.integers(-1, 3, (2, 7, 9)).repeat(2, axis=2)
    logits = rng.normal(0, 2, labels.shape)
    losses = []
    for pixel in np.ndindex(labels.shape):
        if labels[pixel] < 0:
            continue
        image, row, column = pixel
        beside = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        around = [labels[image, r, c] for r, c in beside if 0 <= r < 7 and 0 <= c < 18]
        edge = any(each not in (-1, labels[pixel]) for each in around)
        probability = 1 / (1 + np.exp(-logits[pixel]))
        losses.append(-np.log(probability if edge else 1 - probability))
    found = _edge_loss(torch.from_numpy(logits), torch.from_numpy(labels))
    assert found.item() == pytest.approx(np.mean(losses), rel=1e-6)


# Learning -----------------------------------------------------------------------------------


def test_superpixels_get_better():
    data = make_texture_mosaics(n_images=14, image_shape=(96, 96), random_state=0)
    train, test = slice(0, 10), slice(10, 14)
    images, segmentations = list(data.images), list(data.segmentations)
    transformer = learner(
        n_maps=6, width=6, max_epochs=12, batch_size=2, crop_size=96, superpixel_sizes=(6, 12)
    ).fit(images[train], segmentations[train])
    assert transformer.losses_.shape == (12,)
    assert transformer.losses_[-3:].mean() < 0.9 * transformer.losses_[:3].mean()
    options = {"n_segments": 60}
    ours = SLIC(features="passthrough", **options).fit_transform(
        transformer.transform(images[test])
    )
    plain = SLIC(**options).fit_transform(images[test])
    errors = [undersegmentation_error(segmentations[test], each) for each in (ours, plain)]
    assert errors[0] < 0.9 * errors[1]


def test_training_is_deterministic_and_keeps_torchs_generator(mosaics):
    state = torch.random.get_rng_state()
    first = learner().fit(*mosaics)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(3)
    assert same_weights(learner().fit(*mosaics), first)
    assert not same_weights(learner(random_state=1).fit(*mosaics), first)


def test_ignored_pixels_teach_nothing(mosaics):
    images, segmentations = mosaics
    void = np.zeros(segmentations[0].shape, bool)
    void[:, 20:35] = True
    first = learner(ignore_label=255).fit(
        images, [np.where(void, 255, each) for each in segmentations]
    )
    other = learner(ignore_label=77).fit(
        images, [np.where(void, 77, each) for each in segmentations]
    )
    assert same_weights(first, other)
    assert not same_weights(learner().fit(*mosaics), first)


def test_two_threads_give_the_same_each_time(mosaics):
    images, segmentations = mosaics
    torch.set_num_threads(2)
    try:
        # Enough pixels and candidates for torch to share them among threads.
        params = {"crop_size": 64, "n_pixels": 6000, "superpixel_sizes": (4, 5), "batch_size": 6}
        fits = [learner(**params).fit(images, segmentations) for _ in range(4)]
    finally:
        torch.set_num_threads(1)
    assert all(same_weights(each, fits[0]) for each in fits[1:])


def test_numbers_of_segments_do_not_matter(mosaics):
    images, segmentations = mosaics
    first = learner().fit(images, segmentations)
    renamed = [-3 - 7 * each for each in segmentations]
    assert same_weights(learner().fit(images, renamed), first)


def test_annotators_are_drawn(mosaics):
    images, segmentations = mosaics
    twice = [np.stack([each, each]) for each in segmentations]
    assert np.isfinite(learner().fit(images, twice).losses_).all()


def test_a_checkpoint_goes_on_as_if_it_had_not_stopped(mosaics, tmp_path):
    path = tmp_path / "learned.checkpoint"
    expected = learner(max_epochs=3).fit(*mosaics)

    class Stop:
        def __init__(self):
            self.seen = 0

        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context, **others):
            pass

        def on_fit_task_end(self, estimator, context, **others):
            if context.task_name != "epoch":
                return False
            raise KeyboardInterrupt

        def teardown(self, estimator, context):
            pass

    stopped = learner(max_epochs=3, checkpoint=path).set_callbacks(Stop())
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(*mosaics)
    resumed = learner(max_epochs=3, checkpoint=path).fit(*mosaics)
    assert same_weights(resumed, expected)
    np.testing.assert_array_equal(resumed.losses_, expected.losses_)
    with pytest.raises(ValueError, match="is of a training with about="):
        learner(max_epochs=3, checkpoint=path, compactness=5.0).fit(*mosaics)
    with pytest.raises(ValueError, match="is of a training with about="):
        learner(max_epochs=3, checkpoint=path, ignore_label=0).fit(*mosaics)
    again = learner(max_epochs=3, checkpoint=path, n_maps=np.int64(4)).fit(*mosaics)
    assert same_weights(again, expected)


def test_weights_come_back_from_a_file(mosaics, tmp_path):
    images, segmentations = mosaics
    first = learner().fit(images, segmentations)
    path = tmp_path / "maps.safetensors"
    first.save_weights(path)
    again = LearnedFeatures(weights=path, train=False).fit(images)
    assert same_weights(again, first)
    assert again.losses_.size == 0
    for ours, theirs in zip(again.transform(images), first.transform(images), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    # Trained on from there.
    tuned = learner(weights=path, max_epochs=1).fit(images, segmentations)
    assert tuned.network_.n_maps == 4
    assert not same_weights(tuned, first)
    pickled = pickle.loads(pickle.dumps(first))
    assert same_weights(pickled, first)


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


@pytest.mark.parametrize("union", [False, True])
def test_what_is_outside_a_mask_is_not_learned_from(mosaics, union):
    images, segmentations = mosaics
    images = [image.astype(np.float32) / 255 for image in images]
    mask = np.zeros(segmentations[0].shape, bool)
    mask[8:60, 4:50] = True
    others = [np.where(mask[..., None], image, np.float32(np.nan)) for image in images]
    renamed = [np.where(mask, each, 99) for each in segmentations]
    features = learner()
    if union:
        features = ChannelUnion([("lab", LabFeatures()), ("learned", features)])
    nets = []
    for some, truths, masks in (
        (images, segmentations, [mask] * len(images)),
        (others, renamed, [mask] * len(images)),
        (images, segmentations, None),
    ):
        slic = TrainableSLIC(
            8, features=features, classifier=make_distance_net(1, max_epochs=1), random_state=0
        ).fit(some, truths, masks=masks)
        nets.append(slic.features_.transformers_[1][1] if union else slic.features_)
    assert same_weights(nets[0], nets[1])
    assert not same_weights(nets[0], nets[2])


def test_bad_masks_are_told_before_training(mosaics, monkeypatch):
    images, segmentations = mosaics
    monkeypatch.setattr(LearnedFeatures, "_train", None)
    slic = TrainableSLIC(8, features=learner())
    with pytest.raises(ValueError, match="masks"):
        slic.fit(images, segmentations, masks=[None])


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


def test_edges_are_learned():
    data = make_texture_mosaics(n_images=14, image_shape=(96, 96), random_state=0)
    images, segmentations = list(data.images), list(data.segmentations)
    transformer = learner(
        n_maps=4, width=6, max_epochs=40, batch_size=2, crop_size=96, edges=True
    ).fit(images[:10], segmentations[:10])
    found, expected = [], []
    for features, segmentation in zip(
        transformer.transform(images[10:]), segmentations[10:], strict=True
    ):
        found.append(features[..., -1])
        expected.append(segmentation != np.roll(segmentation, 1, axis=1))
    found, expected = np.stack(found)[:, :, 1:], np.stack(expected)[:, :, 1:]
    assert found[expected].mean() > 1.3 * found[~expected].mean()


def test_half_precision_and_no_jitter(mosaics):
    for params in ({"precision": "bfloat16"}, {"colour_jitter": 0.0}):
        first = learner(**params).fit(*mosaics)
        assert np.isfinite(first.losses_).all()
        assert first.transform(mosaics[0])[0].dtype == np.float32
        assert not same_weights(first, learner().fit(*mosaics))


def test_weights_come_from_a_model(mosaics, tmp_path):
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


# What is not as expected --------------------------------------------------------------------


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
        ({}, "y: found None, expected segmentations, for train=True"),
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
    transformer = learner(n_pixels=20, compactness=0, max_epochs=1).fit(*mosaics)
    assert np.isfinite(transformer.losses_).all()


def test_training_that_diverges_is_an_error(mosaics):
    transformer = learner(learning_rate=1e9)
    with pytest.raises(ValueError, match=r"learning_rate: found 1000000000\.0"):
        transformer.fit(*mosaics)
    assert not hasattr(transformer, "network_")


def test_segmentations_of_lazy_images_are_checked(mosaics):
    images, segmentations = mosaics
    lazy = LazySequence(lambda each: each + 0.5, segmentations)
    with pytest.raises(TypeError, match=r"y of image \d: found a segmentation of dtype float64"):
        learner().fit(images, lazy)


def test_bad_images_and_files(tmp_path):
    with pytest.raises(ValueError, match="image 0: found 2 channels, expected 1"):
        learner(train=False).fit([noise(8, 8, 2)])
    transformer = learner(train=False).fit([noise(8, 8, 3)])
    bad = np.full((8, 8, 3), np.nan)
    with pytest.raises(ValueError, match="image 1: found"):
        transformer.transform([noise(8, 8, 3), bad])[1]
    path = tmp_path / "maps.safetensors"
    with pytest.raises(FileNotFoundError, match="found no file"):
        learner(weights=path).fit([noise(8, 8, 3)], [np.zeros((8, 8), int)])
    tensors = dict(new_maps_network(3, 4, 0).state_dict())
    del tensors["maps.bias"]
    safetensors_torch.save_file(
        {k: v.contiguous() for k, v in tensors.items() if v.is_floating_point()}, path
    )
    with pytest.raises(ValueError, match=r"tensor maps.bias: found nothing, expected float32"):
        learner(weights=path, train=False).fit([noise(8, 8, 3)])


def test_not_fitted(tmp_path):
    for call in (
        lambda each: each.transform([noise(8, 8, 3)]),
        lambda each: each.save_weights(tmp_path / "w"),
        lambda each: each.get_feature_names_out(),
    ):
        with pytest.raises(NotFittedError):
            call(LearnedFeatures())


def test_torch_is_imported_late():
    code = (
        "import sys, sksuperpixel.features as features\n"
        "sys.modules['safetensors'] = None\n"
        "assert 'torch' not in sys.modules\n"
        "try:\n"
        "    features.LearnedFeatures\n"
        "except ImportError as error:\n"
        "    assert 'LearnedFeatures needs torch and safetensors' in str(error)\n"
        "else:\n"
        "    raise AssertionError"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_networks_of_any_size():
    for n_maps, width in ((1, 2), (5, 3), (12, 16)):
        network = MapsNetwork(n_maps, width).eval()
        features, edges = network(torch.zeros(1, 3, 16, 24))
        assert features.shape == (1, 3 + n_maps, 16, 24)
        assert edges.shape == (1, 16, 24)
