"""TrainableSLIC: learning, equality with SLIC, determinism, files, errors."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from copy import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from skimage.data import astronaut, chelsea, coffee, rocket  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV, GroupKFold  # noqa: E402
from sklearn.pipeline import Pipeline  # noqa: E402
from skorch import NeuralNetClassifier  # noqa: E402
from skorch.callbacks import Callback, EarlyStopping  # noqa: E402
from sksuperpixel._clusters import (  # noqa: E402
    Threads,
    classifier_rows,
    find_candidates,
    start_clusters,
)
from sksuperpixel._network_clusters import NetworkDistance  # noqa: E402
from sksuperpixel._superpixel_transformer import image_grid  # noqa: E402

from sksuperpixel import SLIC, ChannelUnion, LabelMaker, LabFeatures, TrainableSLIC  # noqa: E402
from sksuperpixel.datasets import make_texture_mosaics  # noqa: E402
from sksuperpixel.features import (  # noqa: E402
    ENetFeatures,
    LearnedFeatures,
    ScatteringFeatures,
)
from sksuperpixel.metrics import SCORERS  # noqa: E402
from sksuperpixel.networks import (  # noqa: E402
    DistanceNetwork,
    SetLoss,
    make_classification_net,
    make_distance_net,
)

MOSAICS = make_texture_mosaics(n_images=6, image_shape=(64, 80), random_state=0)
IMAGES, SEGMENTATIONS = list(MOSAICS.images), list(MOSAICS.segmentations)


def learner(n_layers=1, **params):
    options = {
        "superpixel_size": 8,
        "classifier": make_distance_net(n_layers, max_epochs=4),
        "label_maker": LabelMaker(min_segments=2),
        "n_pixels_per_image": 200,
        "random_state": 0,
        **params,
    }
    return TrainableSLIC(**options)


@pytest.fixture(scope="module", params=[1, 3])
def fitted(request):
    return learner(request.param).fit(IMAGES, SEGMENTATIONS)


def planes_of(slic, index=0):
    return slic._planes(IMAGES, [None] * len(IMAGES))[index]


def test_rows_hold_features_distances_and_differences():
    values = np.array([[1.0, 2.0], [3.0, 5.0]], np.float32)
    means = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 4.0]], np.float32)
    candidates = np.array([[2, 0], [1, -1]], np.int32)
    distances = np.array([[0.5, 1.5], [2.0, np.inf]], np.float32)
    np.testing.assert_array_equal(
        classifier_rows(values, means, candidates, distances, np.zeros((2, 2, 0), np.float32)),
        [[1, 2, 0.5, 1.5, -1, -2, 1, 2], [3, 5, 2, np.inf, 2, 4, 0, 0]],
    )
    pairs = np.array([[[7], [8]], [[9], [0]]], np.float32)
    np.testing.assert_array_equal(
        classifier_rows(values, means, candidates, distances, pairs),
        [[1, 2, 0, 0.5, 1.5, -1, -2, 7, 1, 2, 8], [3, 5, 0, 2, np.inf, 2, 4, 9, 0, 0, 0]],
    )


def test_replicated_slic_is_slic():
    """A distance that learns SLIC's own choice goes on choosing as SLIC does."""
    pictures = [astronaut()[::2, ::2], coffee()[::2, ::2], chelsea()[::2, ::2]]
    nothing = [np.zeros(picture.shape[:2], int) for picture in pictures]
    learned = TrainableSLIC(
        classifier=make_distance_net(1),
        label_maker=LabelMaker(correct=False, mining=None),
        n_pixels_per_image=5000,
        random_state=0,
    ).fit(pictures, nothing)
    assert min(learned.classifier_.history[:, "valid_loss"]) < 0.02
    others = [astronaut()[50:250, 150:350], coffee()[100:300, 200:400], rocket()[:200, 200:400]]
    replicated, slic = (
        each.set_params(enforce_connectivity=False).fit_transform(others)
        for each in (learned.to_slic(), SLIC())
    )
    for ours, theirs in zip(replicated, slic, strict=True):
        assert (ours == theirs).mean() > 0.995


def test_top_down_equals_bottom_up_with_many_candidates(monkeypatch):
    # So compact that no pixel would choose a cluster beyond SLIC's window.
    slic = learner(1, n_candidates=40, compactness=80.0).fit(IMAGES, SEGMENTATIONS)
    options = {"compactness": 80.0, "max_iter": 5}
    for index in range(len(IMAGES)):
        image = planes_of(slic, index)
        grid = image_grid(image, 8)
        with monkeypatch.context() as patch:
            top_down, _ = slic._cluster(image, grid, **options)
            patch.setattr(TrainableSLIC, "_is_linear", lambda self: False)
            bottom_up, _ = slic._cluster(image, grid, **options)
        np.testing.assert_array_equal(top_down, bottom_up)
        assert (top_down != reference_grid(grid)).any()


def test_the_kernel_of_three_layers_equals_torch(monkeypatch):
    slic = learner(3, classifier=make_distance_net(3, max_epochs=8)).fit(IMAGES, SEGMENTATIONS)
    assert (slic.classifier_.module_.last.weight != 0).any()
    same = []
    options = {"compactness": 10.0, "max_iter": 1}
    for index in range(len(IMAGES)):
        image = planes_of(slic, index)
        grid = image_grid(image, 8)
        with monkeypatch.context() as patch:
            by_kernel, _ = slic._cluster(image, grid, **options)
            patch.setattr("sksuperpixel._network_clusters._kernel_layers", lambda module: None)
            by_torch, _ = slic._cluster(image, grid, **options)
        same.append((by_kernel == by_torch).mean())
    # The sums are the same but for the order of their terms.
    assert np.mean(same) > 0.9995


def reference_grid(grid):
    """Labels that ignore the features: the grid's own cells."""
    rows, columns = (np.arange(n) * cells // n for n, cells in zip((64, 80), (8, 10), strict=True))
    return (rows[:, np.newaxis] * 10 + columns)[np.newaxis]


@pytest.mark.parametrize("n_hidden", [1, 6, 16])
@pytest.mark.parametrize(("n_clusters", "n_candidates"), [(9, 1), (9, 5), (3, 5), (40, 7)])
@pytest.mark.parametrize("n_channels", [1, 3, 37])
@pytest.mark.parametrize(("n_layers", "n_pairs"), [(3, 0), (3, 2), (1, 1)])
def test_network_kernel_with_any_sizes(
    n_hidden, n_clusters, n_candidates, n_channels, n_layers, n_pairs
):
    rng = np.random.default_rng(0)
    features = rng.normal(0, 5, (n_channels, 1, 7, 9)).astype(np.float32)
    seeds = np.zeros((n_clusters, 3), np.int32)
    seeds[:, 1:] = rng.permutation(np.argwhere(np.ones((7, 9))))[:n_clusters]
    clusters = start_clusters(features, seeds)
    pixels = np.argwhere(np.ones((1, 7, 9), bool)).astype(np.int32)
    candidates, distances = find_candidates(pixels, clusters, n_candidates)
    n_features = n_channels + n_pairs
    network = DistanceNetwork(
        n_features,
        n_layers,
        n_hidden=n_hidden,
        initial_weights=rng.random(n_features),
        scales=1 + rng.random(1 + n_features),
    )
    if n_layers == 3:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            torch.nn.init.normal_(network.last.weight, std=3)
    values = features.reshape(n_channels, -1).T.copy()
    pairs = rng.normal(0, 9, (*candidates.shape, n_pairs)).astype(np.float32)
    rows = classifier_rows(values, clusters.means, candidates, distances, pairs)
    totals = network.distances(torch.from_numpy(rows)).detach().numpy()
    distance = NetworkDistance(features, None, network.arrays(), Threads(None, 2))
    nearest = distance.nearest(clusters.means, candidates, distances, pairs)
    chosen = nearest[:, np.newaxis] == candidates
    assert (chosen.sum(axis=1) == 1).all()
    np.testing.assert_allclose(totals[chosen], totals.min(axis=1), rtol=1e-5, atol=1e-4)


def test_to_slic_gives_the_same_superpixels(fitted):
    if fitted.classifier_.module_.n_layers == 3:
        with pytest.raises(ValueError, match="expected a DistanceNetwork of one layer"):
            fitted.to_slic()
        return
    for ours, theirs in zip(
        fitted.transform(IMAGES), fitted.to_slic().fit_transform(IMAGES), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_texture_is_learned():
    """Where colour misleads and another channel tells, learning finds the channel."""
    rng = np.random.default_rng(0)
    images, segmentations = [], []
    for _ in range(4):
        segmentation = np.zeros((48, 48), int)
        segmentation[:, rng.integers(18, 30) :] = 1
        segmentation[rng.integers(18, 30) :] += 2
        noise = rng.normal(0, 40, (48, 48, 1))
        images.append(np.dstack([noise, 5.0 * segmentation]).astype(np.float32))
        segmentations.append(segmentation)
    options = {"superpixel_size": 8, "features": "passthrough"}
    plain = SLIC(**options).fit(images)
    slic = learner(1, classifier=make_distance_net(1, max_epochs=40, learning_rate=0.1), **options)
    slic.fit(images, segmentations)
    noise_weight, signal_weight = slic.classifier_.module_.channel_weights
    assert signal_weight > 10 * noise_weight
    assert slic.score(images, segmentations) > plain.score(images, segmentations) + 0.02


@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_each_image_is_learned_from_at_a_compactness_of_its_own(monkeypatch, spread):
    drawn = []
    draw = TrainableSLIC._draw

    def record(self, image, segmentation, learned, n_iter, compactness, *others):
        drawn.append(compactness)
        return draw(self, image, segmentation, learned, n_iter, compactness, *others)

    monkeypatch.setattr(TrainableSLIC, "_draw", record)
    slic = learner(compactness=12.0, compactness_spread=spread).fit(IMAGES, SEGMENTATIONS)
    assert slic.compactness == 12
    assert min(drawn) >= 12 / spread
    assert max(drawn) <= 12 * spread
    assert len(set(drawn)) == (1 if spread == 1 else len(IMAGES))


@pytest.mark.parametrize("n_segments", [1, 7, 40])
def test_the_number_is_exact(fitted, n_segments):
    exact = copy(fitted).set_params(n_segments=n_segments)
    assert exact.transform(IMAGES[:1])[0].max() + 1 == n_segments


def test_a_model_file_keeps_what_changes_transform(fitted, tmp_path):
    slic = copy(fitted).set_params(n_segments=30, edge_channel=-1, refine_iter=2)
    images = [image / 255 for image in IMAGES]
    slic = clone(slic).set_params(features="passthrough", classifier__max_epochs=1)
    slic.fit(images, SEGMENTATIONS).save(tmp_path / "model")
    loaded = TrainableSLIC.load(tmp_path / "model")
    assert loaded.classifier_.max_epochs == loaded.classifier.max_epochs == 1
    expected = slic.transform(images)
    for other, same in ((loaded, True), (slic.set_params(edge_channel=None), False)):
        pairs = zip(other.transform(images), expected, strict=True)
        assert all((one == two).all() for one, two in pairs) == same


def test_files_of_version_1_are_not_refined(fitted, tmp_path):
    slic = copy(fitted).set_params(n_segments=30)
    slic.save(tmp_path / "new")
    content = (tmp_path / "new").read_bytes()
    old = content.replace(b'\\"version\\": 2', b'\\"version\\": 1')
    assert old != content
    (tmp_path / "old").write_bytes(old)
    found = TrainableSLIC.load(tmp_path / "old").transform(IMAGES[:1])[0]
    np.testing.assert_array_equal(found, slic.set_params(refine_iter=0).transform(IMAGES[:1])[0])


def test_other_features_than_learned_from_are_told(fitted):
    class Fewer:
        def transform(self, images):
            return [image[..., :2] for image in images]

    slic = copy(fitted)
    slic.features_ = Fewer()
    with pytest.raises(ValueError, match="image 0: found 2 features, expected 3"):
        slic.transform(IMAGES)


def test_without_epochs_one_image_will_do(monkeypatch):
    drawn = []
    draw = TrainableSLIC._draw
    monkeypatch.setattr(
        TrainableSLIC,
        "_draw",
        lambda self, image, *args: drawn.append(image.index) or draw(self, image, *args),
    )
    nothing = [np.zeros_like(each) for each in SEGMENTATIONS]
    for n_layers in (1, 3):
        slic = learner(n_layers, classifier=make_distance_net(n_layers, max_epochs=0))
        slic.fit(IMAGES, nothing)
        # It stays the distance that it starts as.
        if n_layers == 1:
            for one, other in zip(
                slic.transform(IMAGES), SLIC(8).fit_transform(IMAGES), strict=True
            ):
                np.testing.assert_array_equal(one, other)
        assert slic.n_features_ == 3
    assert drawn == [0, 0]


def test_an_edge_channel_that_is_not_there_is_told_by_fit():
    with pytest.raises(ValueError, match="edge_channel: found 3, expected one of 3 features"):
        learner(edge_channel=3).fit(IMAGES[:2], SEGMENTATIONS[:2])


def test_threads_order_and_files_do_not_matter(fitted, tmp_path):
    expected = fitted.transform(IMAGES)
    fitted.save(tmp_path / "model.safetensors")
    for other in (
        TrainableSLIC.load(tmp_path / "model.safetensors"),
        pickle.loads(pickle.dumps(fitted)),
        clone(fitted).set_params(n_jobs=2).fit(IMAGES, SEGMENTATIONS),
    ):
        for a, b in zip(other.transform(IMAGES[::-1])[::-1], expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_loaded_models_can_be_fitted_and_cloned(fitted, tmp_path):
    fitted.save(tmp_path / "model.safetensors")
    loaded = TrainableSLIC.load(tmp_path / "model.safetensors")
    assert loaded.superpixel_size == 8
    assert loaded.label_maker.min_segments == 2
    with pytest.raises(NotFittedError):
        clone(loaded).transform(IMAGES)


def test_masks_and_rounds():
    masks = [np.zeros((64, 80), bool) for _ in IMAGES]
    for mask in masks:
        mask[8:50, 10:60] = True
    slic = learner(3, n_rounds=2).fit(IMAGES, SEGMENTATIONS, masks=masks)
    labels = slic.transform(IMAGES[:1], masks=masks[:1])[0]
    assert ((labels >= 0) == masks[0]).all()


@pytest.mark.parametrize(
    "params",
    [
        {"classifier": make_classification_net(max_epochs=2)},
        {"label_maker": LabelMaker("nearest", min_segments=2)},
        {"label_maker": LabelMaker("edges", min_segments=2)},
        {"label_maker": LabelMaker(targets="set", min_segments=2)},
        {"label_maker": LabelMaker(mining="mistakes")},
        {"features": ChannelUnion([("lab", LabFeatures()), ("rgb", "passthrough")])},
        {"initial_weights": [1, 0.5, 0.5]},
    ],
)
def test_every_way_to_learn_gives_superpixels(params):
    slic = learner(3, **params).fit(IMAGES[:3], SEGMENTATIONS[:3])
    labels = slic.transform(IMAGES[3:4])[0]
    assert labels.shape == (64, 80)
    assert len(np.unique(labels)) == labels.max() + 1 > 20


def test_warm_start_goes_on_from_before():
    net = make_distance_net(1, max_epochs=1, learning_rate=1e-6)
    slic = learner(1, classifier=net, warm_start=True)
    slic.fit(IMAGES, SEGMENTATIONS)
    with torch.no_grad():
        slic.classifier_.module_.log_weights.fill_(2.0)
    slic.fit(IMAGES, SEGMENTATIONS)
    np.testing.assert_allclose(slic.classifier_.module_.channel_weights, np.exp(2.0), rtol=1e-3)


def test_warm_start_of_another_network_is_an_error():
    slic = learner(1, warm_start=True).fit(IMAGES[:2], SEGMENTATIONS[:2])
    before = slic.transform(IMAGES[:1])
    slic.set_params(classifier=make_distance_net(3))
    with pytest.raises(ValueError, match="warm_start: the network fitted before is of another"):
        slic.fit(IMAGES[:2], SEGMENTATIONS[:2])
    np.testing.assert_array_equal(slic.transform(IMAGES[:1])[0], before[0])


class UnevenFeatures(LabFeatures):
    """A transformer that gives the first image more features than others."""

    def _image_features(self, image, index):
        features = super()._image_features(image, index)
        return features if index == 0 else features[..., :2]


def test_other_numbers_of_features_are_an_error():
    with pytest.raises(ValueError, match="image 1: found 2 features, expected 3, as many as"):
        learner(features=UnevenFeatures()).fit(IMAGES[:2], SEGMENTATIONS[:2])


def test_global_random_state_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    learner(3).fit(IMAGES[:2], SEGMENTATIONS[:2])
    assert torch.equal(torch.get_rng_state(), before)


def test_pipeline_and_grid_search():
    pipeline = Pipeline(
        [
            ("features", ChannelUnion([("lab", LabFeatures())])),
            ("slic", learner(1, features="passthrough")),
        ]
    )
    search = GridSearchCV(
        pipeline,
        {
            "slic__label_maker__min_segments": [2, 3],
            "slic__n_candidates": [5],
            "slic__compactness": [5, 10],
        },
        scoring={name: SCORERS[name] for name in ("achievable_iou", "compactness")},
        refit="achievable_iou",
        cv=GroupKFold(2),
        n_jobs=2,
        error_score="raise",
    ).fit(IMAGES, SEGMENTATIONS, groups=[0, 0, 0, 1, 1, 1])
    assert search.best_estimator_.predict(IMAGES[:1])[0].shape == (64, 80)
    assert len(search.cv_results_["mean_test_compactness"]) == 4


def test_more_segments_than_candidates_is_an_error():
    slic = learner(label_maker=LabelMaker(min_segments=8))
    with pytest.raises(ValueError, match="min_segments=8, expected at most n_candidates=7"):
        slic.fit(IMAGES, SEGMENTATIONS)


def test_nothing_to_learn_from_is_an_error_that_leaves_all_as_it_was(fitted):
    one = [np.zeros((64, 80), int)] * 2
    slic = learner()
    with pytest.raises(
        ValueError, match=r"no pixel to learn from in 2 images .* X = min_segments=2"
    ):
        slic.fit(IMAGES[:2], one)
    assert not hasattr(slic, "classifier_")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y[:-1], "y: found 5 segmentations, expected one for each of the 6 images"),
        (
            lambda y: [*y[:-1], y[0][:-1]],
            r"y of image 5: found a segmentation of shape \(63, 80\)",
        ),
        (lambda y: [each.astype(float) for each in y], "y of image 0: found .* dtype float64"),
    ],
)
def test_bad_segmentations(change, message):
    with pytest.raises((ValueError, TypeError), match=message):
        learner().fit(IMAGES, change(SEGMENTATIONS))


def test_a_last_batch_of_one_pixel_does_no_harm():
    net = make_classification_net(max_epochs=1, batch_size=128)
    # Three images train: 129 pixels.
    slic = learner(classifier=net, n_pixels_per_image=43).fit(IMAGES[:4], SEGMENTATIONS[:4])
    assert slic.n_pixels_ == 4 * 43


def test_segmentations_of_lazy_images_are_checked():
    pipeline = Pipeline([("lab", LabFeatures()), ("slic", learner(features="passthrough"))])
    turned = [SEGMENTATIONS[0], SEGMENTATIONS[1].T]
    with pytest.raises(
        ValueError, match=r"y of image 1: found a segmentation of shape \(80, 64\)"
    ):
        pipeline.fit(IMAGES[:2], turned)
    with pytest.raises(ValueError, match=r"y of image 0: found a segmentation of shape \(0, 64"):
        learner().fit(IMAGES[:1], [SEGMENTATIONS[0][None][:0]])
    with pytest.raises(ValueError, match="y: found None, expected one segmentation for each"):
        learner().fit_transform(IMAGES[:1])


def test_fits_in_threads_are_those_in_turn():
    def weights(seed):
        slic = learner(3, random_state=seed, classifier=make_distance_net(3, max_epochs=2))
        state = slic.fit(IMAGES[:3], SEGMENTATIONS[:3]).classifier_.module_.state_dict()
        return torch.cat([each.ravel() for each in state.values()])

    before = torch.get_rng_state()
    in_turn = [weights(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(weights, range(4)))
    assert all(torch.equal(a, b) for a, b in zip(in_turn, at_once, strict=True))
    assert torch.equal(torch.get_rng_state(), before)


def test_no_weight_of_space_and_absent_candidates():
    small = [image[:16, :16] for image in IMAGES], [each[:16, :16] for each in SEGMENTATIONS]
    slic = learner(3, compactness=0, label_maker=LabelMaker(mining=None))
    slic.fit([*IMAGES[:2], *small[0]], [*SEGMENTATIONS[:2], *small[1]])
    assert np.isfinite(slic.classifier_.history[:, "train_loss"]).all()
    assert slic.transform(small[0][:1])[0].shape == (16, 16)


def test_criteria_that_do_not_fit_are_errors():
    net = NeuralNetClassifier(DistanceNetwork, module__n_features=1)
    with pytest.raises(ValueError, match="found the criterion NLLLoss, for which skorch takes"):
        learner(classifier=net).fit(IMAGES[:2], SEGMENTATIONS[:2])
    net = NeuralNetClassifier(
        DistanceNetwork, criterion=torch.nn.CrossEntropyLoss, module__n_features=1
    )
    maker = LabelMaker(min_segments=2, targets="set")
    with pytest.raises(ValueError, match="found the criterion CrossEntropyLoss, expected SetLoss"):
        learner(classifier=net, label_maker=maker).fit(IMAGES[:2], SEGMENTATIONS[:2])
    with pytest.raises(ValueError, match="n_candidates: found 64, expected at most 63"):
        learner(n_candidates=64, label_maker=maker).fit(IMAGES[:2], SEGMENTATIONS[:2])


@pytest.mark.parametrize("targets", ["slot", "set"])
@pytest.mark.parametrize("criterion", [{}, {"criterion__sets": True}])
def test_the_label_maker_tells_whether_targets_are_sets(targets, criterion):
    net = NeuralNetClassifier(
        DistanceNetwork, criterion=SetLoss, module__n_features=1, max_epochs=2, verbose=0
    ).set_params(**criterion, callbacks__valid_acc=None)
    maker = LabelMaker(min_segments=2, targets=targets)
    slic = learner(classifier=net, label_maker=maker).fit(IMAGES[:3], SEGMENTATIONS[:3])
    assert np.isfinite(slic.classifier_.history[:, "train_loss"]).all()


class Counter(Callback):
    """A user's own callback."""

    def on_epoch_end(self, net, **kwargs):
        net.module_.n_epochs_seen = getattr(net.module_, "n_epochs_seen", 0) + 1


class OwnDistance(DistanceNetwork):
    """A user's own network, that hands on what it is told."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


@pytest.mark.parametrize("images", [1, 3])
def test_a_users_own_net_keeps_its_callbacks_and_settings(images):
    net = NeuralNetClassifier(
        OwnDistance,
        criterion=torch.nn.CrossEntropyLoss,
        module__n_features=1,
        module__initial_weights=[5.0, 6.0, 7.0],
        lr=0.0,
        max_epochs=3,
        verbose=0,
        callbacks=[Counter, ("stop", EarlyStopping(patience=9))],
    )
    slic = learner(classifier=net).fit(IMAGES[:images], SEGMENTATIONS[:images])
    module = slic.classifier_.module_
    assert module.n_epochs_seen == 3
    assert module.n_features == 3
    np.testing.assert_allclose(module.channel_weights, [5, 6, 7], rtol=1e-5)


def test_no_validation_where_none_is_wanted():
    net = make_distance_net(1, max_epochs=3, train_split=None)
    slic = learner(classifier=net).fit(IMAGES[:3], SEGMENTATIONS[:3])
    assert len(slic.classifier_.history) == 3
    assert "valid_loss" not in slic.classifier_.history[0]


def test_training_that_diverges_is_an_error():
    with pytest.raises(ValueError, match="found numbers that are not finite after training"):
        learner(classifier=make_distance_net(1, learning_rate=1e4, max_epochs=3)).fit(
            IMAGES[:2], SEGMENTATIONS[:2]
        )


def test_fit_transform_learns_inside_masks_only():
    mask = np.zeros((64, 80), bool)
    mask[:, 20:] = True
    images = [np.where(mask[..., None], image / 255.0, np.nan) for image in IMAGES[:2]]
    slic = learner()
    labels = slic.fit_transform(images, SEGMENTATIONS[:2], masks=[mask, mask])
    assert ((labels[0] >= 0) == mask).all()


@pytest.mark.parametrize("channel_axis", [0, 3, -1, -4])
def test_volumes_with_channels_anywhere_come_back_from_a_file(channel_axis, tmp_path):
    volume = np.zeros((6, 24, 24, 2), np.float32)
    volume[:, :, 13:, 0] = 100
    segmentation = (volume[..., 0] > 0).astype(int)
    volume = np.moveaxis(volume, -1, channel_axis)
    slic = learner(1, channel_axis=channel_axis, features="passthrough")
    slic.fit([volume], [segmentation]).save(tmp_path / "model")
    loaded = TrainableSLIC.load(tmp_path / "model", device="cpu")
    np.testing.assert_array_equal(loaded.transform([volume])[0], slic.transform([volume])[0])


def test_a_loaded_model_can_be_trained_on(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = TrainableSLIC.load(tmp_path / "model").set_params(warm_start=True)
    loaded.set_params(classifier__max_epochs=1)
    loaded.fit(IMAGES[:3], SEGMENTATIONS[:3])
    n_layers = fitted.classifier_.module_.n_layers
    assert loaded.classifier_.module_.n_layers == n_layers


def test_what_json_does_not_know_is_saved_or_named(tmp_path):
    net = make_distance_net(3, n_hidden=np.int64(4), max_epochs=1)
    slic = learner(classifier=net, initial_weights=list(np.ones(3, np.float32)))
    slic.fit(IMAGES[:2], SEGMENTATIONS[:2]).save(tmp_path / "model")
    assert TrainableSLIC.load(tmp_path / "model").initial_weights == [1, 1, 1]
    features = ScatteringFeatures(J=1, L=4, select=lambda each: each.order == 1)
    slic = learner(1, features=features).fit(IMAGES[:2], SEGMENTATIONS[:2])
    with pytest.raises(ValueError, match="select: found a function, which a model file cannot"):
        slic.save(tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_bad_files(fitted, tmp_path):
    from safetensors.torch import load_file, save_file

    good = tmp_path / "good.safetensors"
    fitted.save(good)
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(good.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"bad\.safetensors: not a whole model file"):
        TrainableSLIC.load(bad)
    with pytest.raises(FileNotFoundError, match="no such file"):
        TrainableSLIC.load(tmp_path / "none")
    save_file(load_file(good), bad)
    with pytest.raises(ValueError, match="found format None, expected"):
        TrainableSLIC.load(bad)
    content = good.read_bytes()
    bad.write_bytes(content.replace(b'\\"version\\": 2', b'\\"version\\": 9'))
    with pytest.raises(ValueError, match="found version 9, expected at most 2"):
        TrainableSLIC.load(bad)
    bad.write_bytes(content.replace(b'\\"n_features\\": 3', b'\\"n_features\\": 4'))
    with pytest.raises(ValueError, match=r"tensor 'log_weights': found shape .* expected"):
        TrainableSLIC.load(bad)


@pytest.mark.parametrize(
    "features",
    [
        ScatteringFeatures(J=1, L=4, channels="lightness"),
        ENetFeatures(weights=None, random_state=3, device=torch.device("cpu")),
        LearnedFeatures(n_maps=2, width=4, train=False, random_state=0),
        LearnedFeatures(n_maps=2, width=4, max_epochs=1, crop_size=32, random_state=0),
        ENetFeatures(train=True, n_classes=20, max_epochs=1, crop_size=32, random_state=0),
        ChannelUnion(
            [("lab", LabFeatures()), ("rgb", "passthrough"), ("enet", ENetFeatures())],
            transformer_weights={"enet": 10},
        ),
    ],
    ids=lambda features: type(features).__name__,
)
def test_features_come_back_from_a_file(features, tmp_path):
    slic = learner(1, features=features).fit(IMAGES[:3], SEGMENTATIONS[:3])
    slic.save(tmp_path / "model")
    loaded = TrainableSLIC.load(tmp_path / "model")
    for ours, theirs in zip(loaded.transform(IMAGES), slic.transform(IMAGES), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert type(loaded.features) is type(slic.features)


def test_numbers_of_numpy_and_volumes_are_saved(tmp_path):
    volume = np.zeros((6, 24, 24), np.float32)
    volume[:, :, 13:] = 100
    slic = learner(
        1,
        channel_axis=None,
        features="passthrough",
        spacing=(2.0, 1.0, 1.0),
        label_maker=LabelMaker(min_segments=np.int64(2)),
    ).fit([volume], [(volume > 0).astype(int)])
    slic.save(tmp_path / "model")
    loaded = TrainableSLIC.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.transform([volume])[0], slic.transform([volume])[0])


class Halved(LabFeatures):
    """A user's own transformer."""


def test_features_that_a_file_cannot_hold(fitted, tmp_path):
    other = clone(fitted).set_params(features=Halved())
    other.fit(IMAGES[:2], SEGMENTATIONS[:2])
    with pytest.raises(ValueError, match="found a Halved, which a model file cannot hold"):
        other.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_mined_pixels_can_be_looked_at():
    slic = learner(1)
    mined = slic.mine(IMAGES[0], SEGMENTATIONS[0])
    assert not hasattr(slic, "features_")
    segmentation = SEGMENTATIONS[0]
    n_clusters = len(mined.centres)
    assert mined.clusters.shape == segmentation.shape
    assert mined.clusters.max() < n_clusters
    majority = np.array(
        [
            np.bincount(segmentation[mined.clusters == k]).argmax()
            if (mined.clusters == k).any()
            else -1
            for k in range(n_clusters)
        ]
    )
    # Each pixel is taught one candidate, of its own segment.
    assert (mined.targets.sum(axis=1) == 1).all()
    taught = mined.candidates[mined.targets]
    own = segmentation[tuple(mined.pixels.T)]
    np.testing.assert_array_equal(majority[taught], own)
    # And all pixels between two segments are there, if one of the candidates is right.
    expected = np.zeros(segmentation.shape, bool)
    for pixel in np.argwhere(segmentation >= 0):
        away = np.linalg.norm(mined.centres - pixel, axis=1)
        segments = majority[np.argsort(away, kind="stable")[:7]]
        right = segmentation[tuple(pixel)] in segments
        expected[tuple(pixel)] = right and len(np.unique(segments)) > 1
    found = np.zeros(segmentation.shape, bool)
    found[tuple(mined.pixels.T)] = True
    # Centres are known to float32: two of them may be as far as one another.
    assert (found != expected).mean() < 1e-3


def test_sets_are_mined_at_the_models_own_clusters(fitted):
    slic = copy(fitted).set_params(label_maker=LabelMaker(min_segments=2, targets="set"))
    mask = np.zeros((64, 80), bool)
    mask[:, 20:] = True
    mined = slic.mine(IMAGES[0], SEGMENTATIONS[0], mask, learned=True)
    assert mined.targets.any(axis=1).all()
    assert mined.targets.sum(axis=1).max() > 1
    assert (mined.pixels[:, 1] >= 20).all()
    with pytest.raises(NotFittedError):
        learner().mine(IMAGES[0], SEGMENTATIONS[0], learned=True)


def test_void_teaches_nothing():
    slic = learner(1, label_maker=LabelMaker(min_segments=2, ignore_label=9))
    half = SEGMENTATIONS[0].copy()
    half[:, 40:] = 9
    assert (slic.mine(IMAGES[0], half).pixels[:, 1] < 40).all()
    void = np.full((64, 80), 9)
    slic.fit(IMAGES[:2], [half, void])
    assert slic.n_pixels_ == 200
    with pytest.raises(ValueError, match="no pixel to learn from in 1 images"):
        learner(label_maker=LabelMaker(ignore_label=9)).fit(IMAGES[:1], [void])


def test_more_candidates_than_clusters_is_an_error_but_a_small_image_beside_others_is_not():
    small = IMAGES[0][:16, :16], SEGMENTATIONS[0][:16, :16]
    with pytest.raises(ValueError, match="n_candidates: found 7, expected at most 4, the most"):
        learner().fit([small[0]], [small[1]])
    slic = learner().fit([*IMAGES[:2], small[0]], [*SEGMENTATIONS[:2], small[1]])
    assert slic.transform([small[0]])[0].shape == (16, 16)


@pytest.mark.parametrize(
    ("classifier", "message"),
    [
        (LogisticRegression(), "found LogisticRegression, expected a skorch.NeuralNetClassifier"),
        (
            NeuralNetClassifier(DistanceNetwork(3)),
            "found an instance of DistanceNetwork as its module, expected the class",
        ),
    ],
)
def test_classifiers_that_are_none(classifier, message):
    slic = learner(classifier=classifier)
    with pytest.raises(TypeError, match=message):
        slic.fit(IMAGES[:2], SEGMENTATIONS[:2])
    assert not hasattr(slic, "classifier_")


def test_other_numbers_of_channels_are_an_error():
    with pytest.raises(ValueError, match=r"image 1: found .*1 channel.* expected 3"):
        learner(features="passthrough").fit([IMAGES[0], IMAGES[1][..., :1]], SEGMENTATIONS[:2])


def test_the_order_of_images_to_transform_and_their_company_do_not_matter(fitted):
    together = fitted.transform(IMAGES)
    order = [3, 0, 5, 1, 4, 2]
    for index, labels in zip(order, fitted.transform([IMAGES[i] for i in order]), strict=True):
        np.testing.assert_array_equal(labels, together[index])
    np.testing.assert_array_equal(fitted.transform(IMAGES[2:3])[0], together[2])
