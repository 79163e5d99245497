"""What both transformers with a network do: training, files, caches, callbacks, wrong input."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sksuperpixel import ChannelUnion, LabFeatures, LazySequence, TrainableSLIC

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from sksuperpixel.features import ENetFeatures, LearnedFeatures  # noqa: E402
from sksuperpixel.networks import make_distance_net  # noqa: E402


def enet(**params):
    settings = {
        "weights": None,
        "train": True,
        "max_epochs": 2,
        "batch_size": 3,
        "crop_size": 32,
        "learning_rate": 5e-3,
        "random_state": 0,
    }
    return ENetFeatures(**(settings | params))


def learned(**params):
    settings = {
        "n_maps": 4,
        "width": 4,
        "superpixel_sizes": (5, 8),
        "max_epochs": 2,
        "batch_size": 3,
        "crop_size": 32,
        "learning_rate": 1e-2,
        "random_state": 0,
    }
    return LearnedFeatures(**(settings | params))


both = pytest.mark.parametrize("make", [enet, learned])


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


# Training -----------------------------------------------------------------------------------


@both
def test_training_is_deterministic_and_keeps_torchs_generator(make, textures, same_weights):
    state = torch.random.get_rng_state()
    first = make().fit(*textures)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(3)
    lazy = (LazySequence(each.__getitem__, range(len(each))) for each in textures)
    assert same_weights(make().fit(*lazy), first)
    assert not same_weights(make(random_state=1).fit(*textures), first)
    assert first.losses_.shape == (2,)
    assert not first.network_.training


@both
def test_without_train_segmentations_are_ignored(make, textures, same_weights):
    transformer = make(train=False).fit(*textures)
    assert transformer.losses_.size == 0
    assert same_weights(transformer, make(train=False).fit(textures[0]))


@both
def test_ignored_pixels_teach_nothing(make, textures, same_weights):
    images, classes = textures
    void = np.zeros(classes[0].shape, bool)
    void[:, 20:35] = True
    first, second = (
        make(ignore_label=label).fit(images, [np.where(void, label, each) for each in classes])
        for label in (255, -7)
    )
    assert same_weights(first, second)
    assert not same_weights(first, make().fit(*textures))


@both
def test_images_without_labels_do_no_harm(make, textures):
    images, classes = textures
    some = [np.full_like(labels, 9) for labels in classes[:3]] + classes[3:]
    transformer = make(ignore_label=9, batch_size=2, max_epochs=3).fit(images, some)
    assert np.isfinite(transformer.losses_).any()
    assert np.isfinite(transformer.transform(images)[0]).all()


@both
def test_annotators_are_drawn(make, textures, same_weights):
    images, classes = textures
    turned = [labels[::-1] for labels in classes]
    one = make(max_epochs=1).fit(images, [labels[np.newaxis] for labels in classes])
    assert same_weights(one, make(max_epochs=1).fit(images, classes))
    # Annotators who agree teach what one does, but for the numbers that are drawn.
    several = [np.stack(pair) for pair in zip(classes, turned, strict=True)]
    drawn = make(max_epochs=1).fit(images, several)
    assert same_weights(drawn, make(max_epochs=1).fit(images, several))
    for first, second in ((classes, classes), (turned, turned)):
        agreeing = [np.stack(pair) for pair in zip(first, second, strict=True)]
        assert not same_weights(drawn, make(max_epochs=1).fit(images, agreeing))


def as_masks(images, mask):
    return images, [mask] * len(images)


def as_masked_arrays(images, mask):
    outside = np.repeat(~mask[..., np.newaxis], 3, axis=2)
    return [np.ma.MaskedArray(image, outside) for image in images], None


@both
@pytest.mark.parametrize(
    ("inside", "masked"),
    [
        ("alone", as_masks),
        ("alone", as_masked_arrays),
        ("union", as_masked_arrays),
        ("slic", as_masks),
    ],
)
def test_training_never_sees_outside_a_mask(make, masked, inside, textures, same_weights):
    images, classes = textures
    images = [image / np.float32(255) for image in images]
    mask = np.zeros(classes[0].shape, bool)
    mask[:40, 10:] = True
    # Outside, neither the image nor the labels need make sense.
    others = [np.where(mask[..., np.newaxis], image, np.float32(np.nan)) for image in images]
    renamed = [np.where(mask, labels, 77) for labels in classes]
    classes_known = {"n_classes": 3} if make is enet else {}

    def fit(images, labels, masks):
        transformer = make(max_epochs=1, **classes_known)
        if inside == "alone":
            return transformer.fit(images, labels, masks=masks)
        if inside == "union":
            union = ChannelUnion([("lab", LabFeatures()), ("maps", transformer)])
            return union.fit(images, labels, masks=masks).transformers_[1][1]
        net = make_distance_net(1, max_epochs=0)
        slic = TrainableSLIC(8, features=transformer, classifier=net, random_state=0)
        return slic.fit(images, labels, masks=masks).features_

    first, second = (
        fit(given, labels, masks)
        for (given, masks), labels in (
            (masked(images, mask), classes),
            (masked(others, mask), renamed),
        )
    )
    assert same_weights(first, second)
    assert not same_weights(first, fit(images, classes, None))


@both
def test_bad_masks_are_told_before_training(make, textures, monkeypatch):
    images, classes = textures
    monkeypatch.setattr(type(make()), "_train", None)
    for estimator in (make(), TrainableSLIC(8, features=make())):
        with pytest.raises(ValueError, match="masks: found 1, expected one mask"):
            estimator.fit(images, classes, masks=[None])


@both
def test_training_that_diverges_is_an_error(make, textures):
    transformer = make(learning_rate=1e9, max_epochs=4)
    with pytest.raises(ValueError, match=r"learning_rate: found 1000000000\.0"):
        transformer.fit(*textures)
    assert not hasattr(transformer, "network_")


@both
def test_inputs_are_not_changed(make, textures):
    images, classes = ([each.copy() for each in part] for part in textures)
    for each in images + classes:
        each.flags.writeable = False
    make(max_epochs=1, ignore_label=1).fit(images, classes)
    for each, before in zip(images + classes, textures[0] + textures[1], strict=True):
        np.testing.assert_array_equal(each, before)


# Callbacks and checkpoints --------------------------------------------------------------------


class KilledError(Exception):
    pass


class KillAfter:
    """Callback: ends the training after some epochs, by an error or as callbacks may."""

    def __init__(self, n_epochs, kill=True):
        self.n_epochs = n_epochs
        self.kill = kill
        self.seen = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, metadata=None, fitted_estimator=None):
        if context.task_name != "epoch":
            return False
        self.seen.append((metadata["epoch"], fitted_estimator.transform([noise(8, 8, 3)])[0]))
        if len(self.seen) == self.n_epochs and self.kill:
            raise KilledError
        return len(self.seen) == self.n_epochs


@both
def test_resuming_equals_not_stopping(make, textures, same_weights, tmp_path):
    path = tmp_path / "checkpoint"
    settings = {"max_epochs": 3, "checkpoint": path}
    expected = make(max_epochs=3).fit(*textures)

    def start(n_epochs):
        return make(**settings).set_callbacks(KillAfter(n_epochs))

    for _ in range(2):
        transformer = start(1)
        with pytest.raises(KilledError):
            transformer.fit(*textures)
        assert not hasattr(transformer, "network_")
    resumed = start(9).fit(*textures)
    assert [epoch for epoch, _ in resumed._skl_callbacks[0].seen] == [2]
    assert same_weights(resumed, expected)
    np.testing.assert_array_equal(resumed.losses_, expected.losses_)
    # Nothing is left to do.
    done = start(9).fit(*textures)
    assert done._skl_callbacks[0].seen == []
    assert same_weights(done, expected)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@both
def test_a_checkpoint_of_another_training_is_an_error(make, textures, tmp_path):
    settings = {"max_epochs": 1, "checkpoint": tmp_path / "checkpoint"}
    make(**settings).fit(*textures)
    wrong = [
        (
            {"max_epochs": 2},
            "found a checkpoint of a training with max_epochs=1, expected max_epochs=2",
        ),
        ({"random_state": 1}, "found a checkpoint of a training with seed="),
        ({"ignore_label": 0}, "found a checkpoint of a training with about="),
        ({"data_range": 300}, "found a checkpoint of a training with about="),
        ({"random_state": None}, "random_state: found None, expected an int with a checkpoint"),
    ]
    if make is learned:
        wrong += [
            ({name: 5}, "found a checkpoint of a training with about=")
            for name in ("compactness", "width")
        ]
    for params, message in wrong:
        with pytest.raises(ValueError, match=message):
            make(**(settings | params)).fit(*textures)
    # NumPy's numbers are numbers.
    make(**(settings | {"batch_size": np.int64(3)})).fit(*textures)
    with pytest.raises(
        FileNotFoundError, match="checkpoint: found no folder to write it to, expected one"
    ):
        make(checkpoint=tmp_path / "none" / "checkpoint").fit(*textures)


@both
def test_callbacks_can_end_the_training(make, textures):
    callback = KillAfter(2, kill=False)
    transformer = make(max_epochs=5).set_callbacks(callback).fit(*textures)
    assert [epoch for epoch, _ in callback.seen] == [0, 1]
    assert len(transformer.losses_) == 2
    # A callback gets the network of its epoch.
    first, last = (features for _, features in callback.seen)
    assert np.abs(last - first).max() > 0
    np.testing.assert_array_equal(transformer.transform([noise(8, 8, 3)])[0], last)


# Files, copies and caches ---------------------------------------------------------------------


@both
def test_weights_on_disk(make, same_weights, tmp_path):
    image = noise(20, 30, 3)
    transformer = make(train=False).fit([image])
    path = tmp_path / "weights.safetensors"
    transformer.save_weights(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    for weights in (path, str(path)):
        again = make(train=False, weights=weights, random_state=1).fit([image])
        assert same_weights(again, transformer)
        np.testing.assert_array_equal(
            again.transform([image])[0], transformer.transform([image])[0]
        )


@both
def test_training_starts_from_weights(make, textures, same_weights, tmp_path):
    path = tmp_path / "weights.safetensors"
    params = {"n_classes": 3} if make is enet else {}
    start = make(train=False, **params).fit(textures[0])
    start.save_weights(path)
    slow = {"learning_rate": 1e-9, "weight_decay": 0, "max_epochs": 1}
    tuned = make(weights=path, random_state=5, **slow, **params).fit(*textures)
    for name, tensor in start.network_.named_parameters():
        found = dict(tuned.network_.named_parameters())[name]
        torch.testing.assert_close(found, tensor, rtol=0, atol=1e-6)
    assert not same_weights(tuned, make(train=False, random_state=5, **params).fit(textures[0]))


@both
def test_missing_weights_are_told(make, tmp_path):
    with pytest.raises(FileNotFoundError, match="none: found no such file, expected"):
        make(train=False, weights=tmp_path / "none").fit([noise(8, 8, 3)])


@both
def test_pickles_compute_the_same(make, same_weights):
    image = noise(20, 30, 3)
    transformer = make(train=False).fit([image])
    again = pickle.loads(pickle.dumps(transformer))
    assert same_weights(again, transformer)
    np.testing.assert_array_equal(again.transform([image])[0], transformer.transform([image])[0])
    assert next(again.network_.parameters()).device.type == "cpu"
    assert not hasattr(clone(transformer), "network_")


@both
def test_memory_knows_the_weights(make, tmp_path):
    image = noise(20, 30, 3)
    cached, plain = make(train=False, memory=tmp_path), make(train=False)
    expected = plain.fit_transform([image])[0]
    for _ in range(2):
        np.testing.assert_array_equal(cached.fit_transform([image])[0], expected)
    other = cached.set_params(random_state=1).fit_transform([image])[0]
    assert np.abs(other - expected).max() > 0.01


# Wrong input ----------------------------------------------------------------------------------


@both
def test_not_fitted(make, tmp_path):
    for call in (
        lambda each: each.transform([noise(8, 8, 3)]),
        lambda each: each.save_weights(tmp_path / "w"),
        lambda each: each.get_feature_names_out(),
    ):
        with pytest.raises(NotFittedError):
            call(make())


@both
def test_wrong_data_in_lazy_sequences(make, textures):
    images, classes = textures
    lazy = LazySequence(lambda i: classes[i] * (1.0 if i == 1 else 1), range(len(classes)))
    with pytest.raises(TypeError, match="image 1: found a segmentation of dtype float64, exp"):
        make().fit(images, lazy)
    wrong = [*images[:4], images[4][..., :1], images[5]]
    lazy = LazySequence(wrong.__getitem__, range(len(wrong)))
    with pytest.raises(ValueError, match="image 4: found a grey image, expected 3 channels"):
        make().fit(lazy, classes)


@both
def test_volumes_are_stacks_of_images_but_not_to_train_on(make):
    volume = noise(3, 16, 24)
    transformer = make(train=False, channel_axis=None).fit([volume])
    planes = transformer.transform(list(volume))
    np.testing.assert_array_equal(transformer.transform([volume])[0], np.stack(list(planes)))
    with pytest.raises(ValueError, match="image 0: found a volume of shape"):
        make(channel_axis=None).fit([volume], [np.zeros(volume.shape, int)])
