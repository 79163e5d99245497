"""TrainableSLIC: what is learned, equality with SLIC, determinism, errors."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from copy import copy

import numpy as np
import pytest
import torch
from mosaics import IMAGES, SEGMENTATIONS, learner
from skimage.data import astronaut, chelsea, coffee, rocket
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline

from sksuperpixel import SLIC, ChannelUnion, LabelMaker, LabFeatures, TrainableSLIC
from sksuperpixel._images.reader import ImageReader
from sksuperpixel._learning.calibration import reference_compactness
from sksuperpixel._learning.rounds import Teacher
from sksuperpixel.datasets import make_texture_mosaics
from sksuperpixel.metrics import SCORERS, compactness, n_superpixels, undersegmentation_error
from sksuperpixel.networks import make_classification_net, make_distance_net


@pytest.fixture(scope="module", params=[1, 3])
def fitted(request):
    return learner(request.param).fit(IMAGES, SEGMENTATIONS)


@pytest.fixture
def teachers(monkeypatch):
    """Give the list of the teachers that drew pixels so far."""
    drawn = []
    draw = Teacher.draw

    def record(self, *args):
        drawn.append(self)
        return draw(self, *args)

    monkeypatch.setattr(Teacher, "draw", record)
    return drawn


def assert_same(results, expected):
    for one, other in zip(results, expected, strict=True):
        np.testing.assert_array_equal(one, other)


# What is learned ---------------------------------------------------------------------------


def test_replicated_slic_is_slic():
    """A distance that learns the choice of SLIC's distance has the same weights."""
    pictures = [astronaut()[::2, ::2], coffee()[::2, ::2], chelsea()[::2, ::2]]
    nothing = [np.zeros(picture.shape[:2], int) for picture in pictures]
    weights = np.array([1.0, 0.5, 2.0])
    learned = TrainableSLIC(
        classifier=make_distance_net(1),
        channel_weights=weights,
        label_maker=LabelMaker(correct=False, mining=None),
        n_pixels_per_image=5000,
        random_state=0,
    ).fit(pictures, nothing)
    ratios = learned.classifier_.module_.channel_weights / weights
    # The penalty that makes weights sparse changes them somewhat.
    np.testing.assert_allclose(ratios, ratios.mean(), rtol=0.25)
    others = [astronaut()[50:250, 150:350], coffee()[100:300, 200:400], rocket()[:200, 200:400]]
    replicated, slic = (
        each.set_params(enforce_connectivity=False).fit_transform(others)
        for each in (learned.to_slic(), SLIC(channel_weights=ratios.mean() * weights))
    )
    for ours, theirs in zip(replicated, slic, strict=True):
        assert (ours == theirs).mean() > 0.95


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
    net = make_distance_net(1, max_epochs=40).set_params(lr=0.1)
    slic = learner(1, classifier=net, **options)
    slic.fit(images, segmentations)
    noise_weight, signal_weight = slic.classifier_.module_.channel_weights
    assert signal_weight > 10 * noise_weight
    assert slic.score(images, segmentations) > plain.score(images, segmentations) + 0.02


@pytest.mark.parametrize("features", ["lab", "scattering"])
@pytest.mark.parametrize("n_layers", [1, 3])
def test_what_was_learned_helps_on_other_images(n_layers, features):
    others = make_texture_mosaics(n_images=6, image_shape=(64, 80), random_state=1)
    slic = TrainableSLIC(
        8, features=features, classifier=make_distance_net(n_layers), random_state=0
    )
    learned = slic.fit(IMAGES, SEGMENTATIONS).transform(others.images)
    plain = SLIC(8).fit_transform(others.images)
    errors = [undersegmentation_error(others.segmentations, each) for each in (learned, plain)]
    assert errors[0] < 0.9 * errors[1]
    # It is not because they are smaller or less compact.
    assert compactness(learned) > compactness(plain)
    assert n_superpixels(learned) <= n_superpixels(plain)


def test_learned_superpixels_are_as_compact_as_slics_on_photographs():
    for n_layers in (1, 3):
        slic = learner(n_layers, compactness=15.0).fit(IMAGES, SEGMENTATIONS)
        wanted = reference_compactness(8, 15) * np.pi / 4
        assert compactness(slic.transform(IMAGES)) == pytest.approx(wanted, abs=0.05)


def test_with_a_number_distances_learn_from_superpixels_of_a_size_in_between(teachers):
    drawn = []
    slic = learner(1, n_segments=12).fit(IMAGES[:2], SEGMENTATIONS[:2])
    for teacher in list(teachers):
        image = slic._planes(ImageReader(IMAGES[:1], -1, None)[0])
        truth = SEGMENTATIONS[0][np.newaxis, np.newaxis]
        drawn.append(len(teacher.draw(image, truth, np.random.RandomState(0))[2]))
    # Six times as many are cut first, and twelve are left.
    assert all(abs(each - 12 * np.sqrt(6)) < 8 for each in drawn)
    # Without merging, there is nothing in between.
    plain = learner(1, n_segments=12, oversegmentation=1).fit(IMAGES[:2], SEGMENTATIONS[:2])
    assert plain.transform(IMAGES[:1])[0].max() + 1 <= 20


@pytest.mark.parametrize(
    "params",
    [
        {"classifier": make_classification_net(max_epochs=2)},
        {"label_maker": LabelMaker("nearest", min_segments=2)},
        {"label_maker": LabelMaker("edges", min_segments=2)},
        {"label_maker": LabelMaker(targets="set", min_segments=2)},
        {"label_maker": LabelMaker(mining="mistakes")},
        {"features": ChannelUnion([("lab", LabFeatures()), ("rgb", "passthrough")])},
        {"channel_weights": [1, 0.5, 0.5]},
        {"n_pixels_per_image": None},
    ],
)
def test_every_way_to_learn_gives_superpixels(params):
    plain = learner(3).fit(IMAGES[:3], SEGMENTATIONS[:3])
    slic = learner(3, **params).fit(IMAGES[:3], SEGMENTATIONS[:3])
    label_maps = slic.transform(IMAGES)
    for labels in label_maps:
        assert labels.shape == (64, 80)
        assert len(np.unique(labels)) == labels.max() + 1 > 20
    # Two distances may agree about an image, but not about all of them.
    pairs = zip(label_maps, plain.transform(IMAGES), strict=True)
    assert any((labels != others).any() for labels, others in pairs)


def test_without_epochs_one_image_will_do(teachers):
    nothing = [np.zeros_like(each) for each in SEGMENTATIONS]
    for n_layers in (1, 3):
        slic = learner(n_layers, classifier=make_distance_net(n_layers, max_epochs=0))
        slic.fit(IMAGES, nothing)
        # It stays the distance that it starts as.
        if n_layers == 1:
            assert_same(slic.transform(IMAGES), SLIC(8).fit_transform(IMAGES))
        assert slic.n_features_ == 3
    assert len(teachers) == 2


# How it is learned -------------------------------------------------------------------------


@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_each_image_is_learned_from_at_a_compactness_of_its_own(teachers, spread):
    slic = learner(compactness=12.0, compactness_spread=spread).fit(IMAGES, SEGMENTATIONS)
    assert slic.compactness == 12
    assert len(teachers) == len(IMAGES)
    drawn = [teacher.settings.compactness for teacher in teachers]
    assert min(drawn) >= 12 / spread
    assert max(drawn) <= 12 * spread
    assert len(set(drawn)) == (1 if spread == 1 else len(IMAGES))


def test_the_first_pass_learns_weights_from_even_ones(teachers):
    slic = learner(3).fit(IMAGES[:2], SEGMENTATIONS[:2])
    weights, network = teachers[0], teachers[2]
    assert len(teachers) == 2 * 2
    assert weights.label_maker.targets == "share"
    assert network.label_maker.targets == "slot"
    assert not np.allclose(weights.start.weights, network.start.weights, rtol=0.05)
    # More pixels are drawn for weights.
    assert weights.n_pixels == 3 * network.n_pixels == 600
    # Then the network keeps them, up to what makes superpixels as compact as wanted.
    ratios = slic.classifier_.module_.channel_weights / network.start.weights
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-4)


def test_weights_that_are_given_are_where_learning_starts(teachers):
    weights = [1.0, 2.0, 0.0]
    slic = learner(3, channel_weights=weights).fit(IMAGES[:2], SEGMENTATIONS[:2])
    assert len(teachers) == 2
    np.testing.assert_array_equal(teachers[0].start.weights, weights)
    found = slic.classifier_.module_.channel_weights
    assert found[2] == 0
    assert found[1] / found[0] != pytest.approx(2, abs=1e-4)


def test_later_rounds_learn_at_the_clusters_of_the_model_so_far(teachers):
    slic = learner(3, n_rounds=3).fit(IMAGES[:2], SEGMENTATIONS[:2])
    assert len(teachers) == 4 * 2
    first, second, third = teachers[2::2]
    assert first.distance is first.start
    for later in (second, third):
        assert later.distance is not later.start
        np.testing.assert_array_equal(later.start.weights, first.start.weights)
    # Each round has another model, and the last one is not the first.
    models = [each.distance.network._layers for each in (second, third)]
    assert (models[0]["last"] != models[1]["last"]).any()
    once = learner(3).fit(IMAGES[:2], SEGMENTATIONS[:2])
    last = [each.classifier_.module_.last.weight for each in (slic, once)]
    assert not last[0].equal(last[1])


def test_rounds_draw_other_pixels_each_time(monkeypatch):
    drawn = []
    draw = Teacher.draw

    def record(self, *args):
        result = draw(self, *args)
        drawn.append(result[0].positions)
        return result

    monkeypatch.setattr(Teacher, "draw", record)
    learner(n_rounds=2, n_pixels_per_image=20).fit(IMAGES[:2], SEGMENTATIONS[:2])
    one, other = ({tuple(each) for each in drawn[i]} for i in (0, 2))
    assert one != other


def test_warm_start_goes_on_from_before(teachers):
    net = make_distance_net(3, max_epochs=1).set_params(lr=1e-6)
    slic = learner(3, classifier=net, warm_start=True).fit(IMAGES, SEGMENTATIONS)
    with torch.no_grad():
        slic.classifier_.module_.hidden[0].bias.fill_(2.0)
    teachers.clear()
    slic.fit(IMAGES, SEGMENTATIONS)
    # The weights are known, so they are not learned again.
    assert len(teachers) == len(IMAGES)
    ratios = slic.classifier_.module_.channel_weights / teachers[0].start.weights
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-4)
    torch.testing.assert_close(
        slic.classifier_.module_.hidden[0].bias, torch.full((32,), 2.0), rtol=1e-3, atol=0
    )
    slic.set_params(warm_start=False).fit(IMAGES, SEGMENTATIONS)
    assert slic.classifier_.module_.hidden[0].bias.abs().max() < 1


def test_warm_start_of_one_layer_learns_from_the_clusters_of_the_one_before(teachers):
    slic = learner(1, warm_start=True).fit(IMAGES, SEGMENTATIONS)
    before = slic.classifier_.module_.channel_weights
    teachers.clear()
    slic.fit(IMAGES, SEGMENTATIONS)
    ratios = teachers[0].start.weights / before
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-4)
    assert not np.array_equal(slic.classifier_.module_.channel_weights, before)


def test_warm_start_of_another_network_is_an_error():
    slic = learner(1, warm_start=True).fit(IMAGES[:2], SEGMENTATIONS[:2])
    before = slic.transform(IMAGES[:1])
    slic.set_params(classifier=make_distance_net(3))
    with pytest.raises(ValueError, match="warm_start: found a network of another kind or size"):
        slic.fit(IMAGES[:2], SEGMENTATIONS[:2])
    assert_same(slic.transform(IMAGES[:1]), before)
    slic = learner(3, warm_start=True).fit(IMAGES[:2], SEGMENTATIONS[:2])
    slic.set_params(features="passthrough")
    grey = [np.dstack([image, image]) for image in IMAGES[:2]]
    with pytest.raises(ValueError, match="warm_start: found a network of another kind or size"):
        slic.fit(grey, SEGMENTATIONS[:2])


# What comes out ----------------------------------------------------------------------------


def test_to_slic_gives_the_same_superpixels(fitted):
    if fitted.classifier_.module_.n_layers == 3:
        with pytest.raises(ValueError, match="expected a DistanceNetwork of one layer"):
            fitted.to_slic()
        return
    slic = fitted.to_slic()
    assert_same(slic.transform(IMAGES), fitted.transform(IMAGES))
    assert_same(clone(slic).fit_transform(IMAGES), fitted.transform(IMAGES))
    shared = slic.get_params().keys() & fitted.get_params().keys()
    for name in shared - {"channel_weights"}:
        assert getattr(slic, name) == getattr(fitted, name)


@pytest.mark.parametrize("n_segments", [1, 7, 40])
def test_the_number_is_exact(fitted, n_segments):
    exact = copy(fitted).set_params(n_segments=n_segments)
    assert exact.transform(IMAGES[:1])[0].max() + 1 == n_segments


@pytest.mark.parametrize("start_label", [0, 1, 5])
def test_labels_start_where_they_are_asked_to(fitted, start_label):
    mask = np.zeros((64, 80), bool)
    mask[:, 20:] = True
    plain = fitted.transform(IMAGES[:1], masks=[mask])[0]
    slic = copy(fitted).set_params(start_label=start_label)
    labels = slic.transform(IMAGES[:1], masks=[mask])[0]
    np.testing.assert_array_equal(labels, plain + start_label)
    assert labels.dtype == np.int32
    assert (labels[~mask] == start_label - 1).all()
    assert labels[mask].min() == start_label
    # The score does not depend on it.
    score = slic.score(IMAGES[:1], SEGMENTATIONS[:1], masks=[mask])
    assert score == fitted.score(IMAGES[:1], SEGMENTATIONS[:1], masks=[mask])
    assert slic.start_label == start_label


def test_predict_gives_an_array_of_label_maps(fitted):
    for images in (IMAGES[:2], [IMAGES[0], IMAGES[1][:40]], IMAGES[:1]):
        predicted = fitted.predict(images)
        assert predicted.shape == (len(images),)
        assert predicted.dtype == object
        assert_same(predicted, fitted.transform(images))


def test_threads_and_copies_do_not_matter(fitted):
    expected = fitted.transform(IMAGES)
    assert_same(pickle.loads(pickle.dumps(fitted)).transform(IMAGES[::-1])[::-1], expected)
    threaded = clone(fitted).set_params(n_jobs=2).fit(IMAGES, SEGMENTATIONS)
    assert_same(threaded.transform(IMAGES), expected)


def test_the_order_of_images_to_transform_and_their_company_do_not_matter(fitted):
    together = fitted.transform(IMAGES)
    order = [3, 0, 5, 1, 4, 2]
    assert_same(fitted.transform([IMAGES[i] for i in order]), [together[i] for i in order])
    assert_same(fitted.transform(IMAGES[2:3]), together[2:3])


def test_global_random_state_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    learner(3).fit(IMAGES[:2], SEGMENTATIONS[:2])
    assert torch.equal(torch.get_rng_state(), before)


def test_fits_in_threads_are_those_in_turn():
    def weights(seed):
        slic = learner(3, random_state=seed, classifier=make_distance_net(3, max_epochs=2))
        state = slic.fit(IMAGES[:3], SEGMENTATIONS[:3]).classifier_.module_.state_dict()
        return torch.cat([each.ravel() for each in state.values()])

    in_turn = [weights(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(weights, range(4)))
    assert all(torch.equal(a, b) for a, b in zip(in_turn, at_once, strict=True))
    assert not torch.equal(in_turn[0], in_turn[1])


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
    assert len(set(search.cv_results_["mean_test_compactness"])) == 4


# Void, small images and errors -------------------------------------------------------------


def test_void_teaches_nothing():
    slic = learner(3, label_maker=LabelMaker(ignore_label=9))
    half = SEGMENTATIONS[0].copy()
    half[:, 40:] = 9
    assert (slic.mine(IMAGES[0], half).pixels[:, 1] < 40).all()
    void = np.full((64, 80), 9)
    slic.fit(IMAGES[:2], [half, void])
    # All pixels come from the first image: twice the mean of both.
    assert slic.n_pixels_ == 400
    with pytest.raises(ValueError, match="no pixel to learn from in 1 images"):
        learner(label_maker=LabelMaker(ignore_label=9)).fit(IMAGES[:1], [void])


@pytest.mark.parametrize("features", ["lab", "scattering"])
@pytest.mark.parametrize(
    "net", [make_distance_net(1), make_distance_net(3), make_classification_net()]
)
def test_where_space_does_not_count_features_are_learned(net, features):
    net = clone(net).set_params(max_epochs=2)
    slic = learner(classifier=net, features=features, compactness=0)
    label_maps = slic.fit(IMAGES[:3], SEGMENTATIONS[:3]).transform(IMAGES[3:])
    weights = slic.classifier_.module_.channel_weights
    assert np.isfinite(weights).all()
    assert weights.any()
    assert all(labels.max() > 20 for labels in label_maps)


@pytest.mark.parametrize("n_layers", [1, 3])
def test_no_weight_of_space_and_absent_candidates(n_layers):
    small = [image[:16, :16] for image in IMAGES], [each[:16, :16] for each in SEGMENTATIONS]
    slic = learner(n_layers, compactness=0, label_maker=LabelMaker(mining=None))
    slic.fit([*IMAGES[:2], *small[0]], [*SEGMENTATIONS[:2], *small[1]])
    if n_layers == 3:
        assert np.isfinite(slic.classifier_.history[:, "train_loss"]).all()
    assert slic.transform(small[0][:1])[0].shape == (16, 16)


def test_more_candidates_than_clusters_is_an_error_but_a_small_image_beside_others_is_not():
    small = IMAGES[0][:16, :16], SEGMENTATIONS[0][:16, :16]
    with pytest.raises(ValueError, match="n_candidates: found 7, expected at most 4, the largest"):
        learner().fit([small[0]], [small[1]])
    slic = learner().fit([*IMAGES[:2], small[0]], [*SEGMENTATIONS[:2], small[1]])
    assert slic.transform([small[0]])[0].shape == (16, 16)


def test_nothing_to_learn_from_is_an_error_that_leaves_all_as_it_was(fitted):
    one = [np.zeros((64, 80), int)] * 2
    message = r"no pixel to learn from in 2 images .* min_segments=2 \(X\)"
    slic = learner()
    with pytest.raises(ValueError, match=message):
        slic.fit(IMAGES[:2], one)
    assert not [name for name in vars(slic) if name.endswith("_")]
    again = copy(fitted)
    with pytest.raises(ValueError, match=message):
        again.fit(IMAGES[:2], one)
    assert vars(again) == vars(fitted)


class UnevenFeatures(LabFeatures):
    """A transformer that gives dark images fewer features than others."""

    def _image_features(self, image):
        features = super()._image_features(image)
        return features[..., :2] if image.max() < 100 else features


def test_other_numbers_of_features_are_an_error(fitted):
    images = [IMAGES[0], IMAGES[1] // 3]
    with pytest.raises(ValueError, match="image 1: found 2 features, expected 3 as in image 0"):
        learner(features=UnevenFeatures()).fit(images, SEGMENTATIONS[:2])
    slic = copy(fitted)
    slic.features_ = UnevenFeatures().fit(images)
    with pytest.raises(ValueError, match="image 1: found 2 features, expected 3, as in the imag"):
        slic.transform(images)


def test_models_of_features_by_name(tmp_path):
    slic = learner(1, features="scattering").fit(IMAGES[:3], SEGMENTATIONS[:3])
    assert slic.n_features_ == 93
    expected = slic.transform(IMAGES)
    slic.save(tmp_path / "model")
    assert_same(TrainableSLIC.load(tmp_path / "model").transform(IMAGES), expected)
    plain = slic.to_slic()
    assert_same(plain.transform(IMAGES), expected)
    assert_same(clone(plain).fit_transform(IMAGES), expected)


@pytest.mark.parametrize("max_epochs", [0, 2])
def test_weights_of_other_features_are_told_by_fit(max_epochs):
    net = make_distance_net(1, max_epochs=max_epochs)
    with pytest.raises(ValueError, match="channel_weights"):
        learner(channel_weights=[1, 2], classifier=net).fit(IMAGES[:2], SEGMENTATIONS[:2])


def test_an_edge_channel_that_is_not_there_is_told_by_fit():
    with pytest.raises(ValueError, match="edge_channel: found 3, expected one of 3 features"):
        learner(edge_channel=3).fit(IMAGES[:2], SEGMENTATIONS[:2])


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"label_maker": LabelMaker(min_segments=8)}, ValueError, "at most n_candidates=7"),
        ({"pair_features": ["crossed"]}, TypeError, r"pair_features\[0\]: found 'crossed'"),
        ({"classifier": LabelMaker}, ValueError, "'classifier' parameter of TrainableSLIC"),
        ({"channel_weights": [1, 2]}, ValueError, r"channel_weights: found shape \(2,\), expect"),
        (
            {"features": "scattering", "channel_weights": [1, 2, 3]},
            ValueError,
            r"channel_weights: found shape \(3,\), expected \(93,\)",
        ),
        ({"features": "texture"}, ValueError, "'features' parameter of TrainableSLIC"),
        (
            {
                "classifier": make_distance_net().set_params(criterion=torch.nn.CrossEntropyLoss),
                "label_maker": LabelMaker(targets="share"),
            },
            ValueError,
            "found the criterion CrossEntropyLoss, expected SetLoss .* targets='share'",
        ),
        ({"spacing": [1, 2, 3]}, ValueError, r"spacing: found \[1, 2, 3\], expected 2 positive"),
    ],
)
def test_bad_parameters_leave_nothing(params, error, message):
    slic = learner(**params)
    with pytest.raises(error, match=message):
        slic.fit(IMAGES[:2], SEGMENTATIONS[:2])
    assert not [name for name in vars(slic) if name.endswith("_")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y[:-1], "^y: found 5 segmentations, expected one for each of the 6 images"),
        (lambda y: None, "^y: found None, expected one segmentation for each image"),
        (
            lambda y: [*y[:-1], y[0][:-1]],
            r"^image 5: found a segmentation of shape \(63, 80\), expected \(64, 80\)",
        ),
        (
            lambda y: [y[0][None][:0], *y[1:]],
            r"^image 0: found a segmentation of shape \(0, 64, 80\)",
        ),
        (
            lambda y: [each.astype(float) for each in y],
            "^image 0: found a segmentation of dtype float64, expected integers",
        ),
    ],
)
def test_bad_segmentations(change, message):
    with pytest.raises((ValueError, TypeError), match=message):
        learner().fit(IMAGES, change(SEGMENTATIONS))


def test_segmentations_of_lazy_images_are_checked():
    pipeline = Pipeline([("lab", LabFeatures()), ("slic", learner(features="passthrough"))])
    turned = [SEGMENTATIONS[0], SEGMENTATIONS[1].T]
    with pytest.raises(ValueError, match=r"^image 1: found a segmentation of shape \(80, 64\)"):
        pipeline.fit(IMAGES[:2], turned)


def test_other_numbers_of_channels_are_an_error():
    with pytest.raises(ValueError, match=r"^image 1: found a grey image, expected 3 channels"):
        learner(features="passthrough").fit([IMAGES[0], IMAGES[1][..., :1]], SEGMENTATIONS[:2])
