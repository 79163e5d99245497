"""Model files: what comes back, what never does, and what is refused."""

import json
import time
from copy import copy

import numpy as np
import pytest
import torch
from mosaics import IMAGES, SEGMENTATIONS, learner
from safetensors import safe_open
from safetensors.torch import load, save_file
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sksuperpixel import ChannelUnion, LabelMaker, LabFeatures, PathFeature, TrainableSLIC
from sksuperpixel.features import ENetFeatures, LearnedFeatures
from sksuperpixel.models._files import FORMAT, VERSION
from sksuperpixel.networks import DistanceNetwork, make_classification_net, make_distance_net


@pytest.fixture(scope="module", params=[1, 3])
def fitted(request):
    return learner(request.param).fit(IMAGES[:3], SEGMENTATIONS[:3])


@pytest.fixture
def saved(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    return tmp_path / "model"


def description_of(path):
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["sksuperpixel"])


def tensors_in(path):
    """Read a model file's tensors into memory, so that the file may be written again.

    The tensors of `load_file` may be the file's own bytes.
    """
    return load(path.read_bytes())


def rewrite(path, description=None, tensors=None):
    """Write a model file again, with another description or other tensors."""
    description = description_of(path) if description is None else description
    tensors = tensors_in(path) if tensors is None else tensors
    if not isinstance(description, str):
        description = json.dumps(description)
    save_file(tensors, path, metadata={"sksuperpixel": description})


def assert_same(one, other, images=IMAGES):
    for a, b in zip(one.transform(images), other.transform(images), strict=True):
        np.testing.assert_array_equal(a, b)


# What comes back ---------------------------------------------------------------------------


def test_models_come_back(fitted, saved):
    loaded = TrainableSLIC.load(saved)
    assert_same(loaded, fitted)
    assert isinstance(loaded, TrainableSLIC)
    for name in ("n_channels_in_", "n_features_", "n_pixels_", "pair_features_"):
        assert getattr(loaded, name) == getattr(fitted, name)
    assert loaded.label_maker.get_params() == fitted.label_maker.get_params()
    given, found = fitted.get_params(deep=False), loaded.get_params(deep=False)
    for name in given.keys() - {"label_maker", "classifier"}:
        assert found[name] == given[name], name
    for net in (loaded.classifier, loaded.classifier_):
        assert net.max_epochs == 4
        assert net.get_params()["module__n_layers"] == fitted.classifier_.module_.n_layers


def test_a_class_of_the_user_comes_back_as_such(saved):
    class Own(TrainableSLIC):
        pass

    assert type(Own.load(saved)) is Own


def test_classification_networks_and_default_label_makers_come_back(tmp_path):
    net = make_classification_net(max_epochs=1)
    slic = learner(classifier=net, label_maker=None, n_candidates=5)
    slic.fit(IMAGES[:2], SEGMENTATIONS[:2]).save(tmp_path / "model")
    loaded = TrainableSLIC.load(tmp_path / "model")
    assert loaded.label_maker is None
    assert_same(loaded, slic)


def test_parameters_that_change_the_superpixels_come_back(fitted, tmp_path):
    images = [image / 255 for image in IMAGES]
    slic = clone(fitted).set_params(
        features="passthrough", n_segments=30, edge_channel=-1, refine_iter=2, start_label=1
    )
    slic.fit(images[:3], SEGMENTATIONS[:3]).save(tmp_path / "model")
    assert_same(TrainableSLIC.load(tmp_path / "model"), slic, images)
    other = copy(slic).set_params(edge_channel=None)
    assert (other.transform(images[:1])[0] != slic.transform(images[:1])[0]).any()


def test_pair_features_come_back(tmp_path):
    slic = learner(pair_features=[PathFeature("max", (1,)), PathFeature("variation")])
    slic.fit(IMAGES[:2], SEGMENTATIONS[:2])
    # Those that the network knows, not those that were set since.
    slic.set_params(pair_features=()).save(tmp_path / "model")
    loaded = TrainableSLIC.load(tmp_path / "model")
    assert loaded.pair_features[0].get_params() == {"statistic": "max", "channels": [1]}
    assert loaded.n_features_ == 3
    assert_same(loaded, slic)


@pytest.mark.parametrize("channel_axis", [0, 3, -1, -4])
def test_volumes_with_channels_anywhere(channel_axis, tmp_path):
    volume = np.zeros((6, 24, 24, 2), np.float32)
    volume[:, :, 13:, 0] = 100
    segmentation = (volume[..., 0] > 0).astype(int)
    volume = np.moveaxis(volume, -1, channel_axis)
    slic = learner(1, channel_axis=channel_axis, features="passthrough")
    slic.fit([volume], [segmentation]).save(tmp_path / "model")
    assert_same(TrainableSLIC.load(tmp_path / "model"), slic, [volume])


def test_volumes_without_channels_and_numbers_of_numpy(tmp_path):
    volume = np.zeros((6, 24, 24), np.float32)
    volume[:, :, 13:] = 100
    slic = learner(
        1,
        channel_axis=None,
        features="passthrough",
        spacing=(2.0, 1.0, 1.0),
        channel_weights=np.ones(1, np.float32),
        classifier=make_distance_net(3, n_hidden=np.int64(4), max_epochs=1),
        label_maker=LabelMaker(min_segments=np.int64(2)),
        random_state=np.random.RandomState(0),
    ).fit([volume], [(volume > 0).astype(int)])
    slic.save(tmp_path / "model")
    loaded = TrainableSLIC.load(tmp_path / "model")
    assert loaded.channel_weights == [1]
    assert loaded.random_state is None
    assert_same(loaded, slic, [volume])


def test_loaded_models_can_be_cloned_and_fitted(fitted, saved):
    loaded = TrainableSLIC.load(saved)
    with pytest.raises(NotFittedError):
        clone(loaded).transform(IMAGES)
    # From the start, this is the training of the model that was saved.
    again = clone(loaded).fit(IMAGES[:3], SEGMENTATIONS[:3])
    assert_same(again, fitted)
    # From where it is, it is another one.
    before = loaded.classifier_.module_.state_dict()
    loaded.set_params(warm_start=True, classifier__max_epochs=1)
    loaded.fit(IMAGES[3:], SEGMENTATIONS[3:])
    after = loaded.classifier_.module_.state_dict()
    assert any(not before[name].equal(after[name]) for name in before)
    if fitted.classifier_.module_.n_layers == 3:
        assert len(loaded.classifier_.history) == 1
        assert (after["hidden.0.weight"] - before["hidden.0.weight"]).abs().max() < 0.2
    assert loaded.classifier_.module_.n_layers == fitted.classifier_.module_.n_layers


# What depends on the machine ---------------------------------------------------------------


def test_parameters_of_the_machine_are_not_written(tmp_path):
    features = ChannelUnion(
        [("lab", LabFeatures(memory=str(tmp_path / "cache"))), ("rgb", "passthrough")]
    )
    slic = learner(features=features, n_jobs=2, device="cpu")
    slic.fit(IMAGES[:2], SEGMENTATIONS[:2]).save(tmp_path / "model")
    text = json.dumps(description_of(tmp_path / "model"))
    for name in ("memory", "checkpoint", "device", "n_jobs", str(tmp_path)):
        assert name not in text
    loaded = TrainableSLIC.load(tmp_path / "model")
    assert loaded.n_jobs is None
    assert_same(loaded, slic)


def test_parameters_of_the_machine_are_not_believed(tmp_path):
    """Whatever a file says, at any depth: a cache folder could hold a pickle that runs code."""
    enet = ENetFeatures("bottleneck1.0", weights=None, random_state=0)
    inner = ChannelUnion([("enet", enet), ("lab", LabFeatures())])
    slic = learner(features=ChannelUnion([("inner", inner), ("rgb", "passthrough")]))
    path = tmp_path / "model"
    slic.fit(IMAGES[:2], SEGMENTATIONS[:2]).save(path)
    evil = {
        "memory": str(tmp_path / "cache"),
        "checkpoint": str(tmp_path / "checkpoint"),
        "device": "meta",
        "n_jobs": 64,
    }

    def poison(part):
        if isinstance(part, dict):
            for each in part.values():
                poison(each)
            if "params" in part and "format" not in part and "name" in part:
                part["params"].update(evil)
        elif isinstance(part, list):
            for each in part:
                poison(each)

    description = description_of(path)
    poison(description["params"])
    description["params"].update(evil)
    # The model, two unions and two parts.
    assert json.dumps(description).count('"meta"') == 5
    rewrite(path, description)
    loaded = TrainableSLIC.load(path)
    assert (loaded.n_jobs, loaded.device) == (None, "cpu")
    assert loaded.classifier_.device == loaded.classifier.device == "cpu"
    for features in (loaded.features, loaded.features_):
        params = features.get_params()
        assert params["inner__enet__device"] == "cpu"
        for name, value in params.items():
            if name.rpartition("__")[2] in ("memory", "checkpoint"):
                assert value is None, name
    assert_same(loaded, slic)
    assert list(tmp_path.iterdir()) == [path]


def test_the_device_is_the_one_that_is_asked_for(tmp_path):
    features = ENetFeatures("bottleneck1.0", weights=None, random_state=0)
    slic = learner(features=features).fit(IMAGES[:2], SEGMENTATIONS[:2])
    slic.save(tmp_path / "model")
    loaded = TrainableSLIC.load(tmp_path / "model", device="cpu:0")
    devices = (
        loaded.device,
        loaded.features.device,
        loaded.features_.device,
        loaded.classifier_.device,
    )
    assert devices == ("cpu:0",) * 4


# What is refused ---------------------------------------------------------------------------


def test_files_that_are_not_there_or_cut_short(saved):
    with pytest.raises(FileNotFoundError, match="none: found no such file"):
        TrainableSLIC.load(saved.with_name("none"))
    content = saved.read_bytes()
    for n_bytes in (0, 100, len(content) - 20):
        saved.write_bytes(content[:n_bytes])
        with pytest.raises(ValueError, match="model: found a file that is damaged or cut short"):
            TrainableSLIC.load(saved)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"version": VERSION + 1}, f"format '{FORMAT}' of version {VERSION + 1}"),
        ({"version": None}, f"format '{FORMAT}' of version None"),
        ({"format": "other"}, f"format 'other' of version {VERSION}"),
    ],
)
def test_other_versions_and_formats(saved, change, found):
    rewrite(saved, {**description_of(saved), **change})
    expected = f"model: found {found}, expected '{FORMAT}' of version {VERSION}"
    with pytest.raises(ValueError, match=expected):
        TrainableSLIC.load(saved)


def test_files_without_a_whole_description(saved):
    rewrite(saved, json.dumps(description_of(saved))[:-5])
    with pytest.raises(ValueError, match="model: found a damaged description, expected JSON"):
        TrainableSLIC.load(saved)
    save_file(tensors_in(saved), saved)
    with pytest.raises(ValueError, match="model: found format None of version None, expected"):
        TrainableSLIC.load(saved)


def without(description, name):
    return {key: value for key, value in description.items() if key != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: [], "found a list, expected a description"),
        (lambda d: without(d, "network"), "description: found no entry 'network', expected one"),
        (lambda d: {**d, "more": 1}, "description: found an entry 'more', expected none of this"),
        (
            lambda d: {**d, "params": {**d["params"], "foo": 1}},
            "params: found an entry 'foo', expected none of this name",
        ),
        (
            lambda d: {**d, "params": without(d["params"], "features")},
            "params: found no entry 'features', expected one",
        ),
        (
            lambda d: {**d, "params": {**d["params"], "features": None}},
            "features: found None, expected an object with entries",
        ),
        (
            lambda d: {**d, "label_maker": {"foo": 1}},
            "label_maker: found an entry 'foo', expected",
        ),
        (
            lambda d: {**d, "label_maker": "x" * 99},
            "label_maker: found 'x+ [.]{3} x+', exp",
        ),
        (lambda d: {**d, "learned": {}}, "learned: found no entry 'n_channels_in_', expected one"),
    ],
)
def test_descriptions_that_are_not_of_a_model(saved, change, message):
    rewrite(saved, json.dumps(change(description_of(saved))))
    with pytest.raises(ValueError, match=f"model: {message}"):
        TrainableSLIC.load(saved)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("network.params.n_features", 10**8, "network: n_features: found 100000000, expected a w"),
        ("network.params.n_hidden", 10**8, "network: n_hidden: found 100000000, expected a whole"),
        ("network.params.n_hidden", True, "network: n_hidden: found True, expected a whole numb"),
        ("network.params.n_layers", 2, "(n_layers: found 2|n_hidden: found 32), expected"),
        ("network.params.n_layers", [3], r"network: n_layers: found \[3\], expected a whole num"),
        ("params.superpixel_size", None, "The 'superpixel_size' parameter of TrainableSLIC must"),
        ("params.compactness", -1, "The 'compactness' parameter of TrainableSLIC must be"),
        ("params.spacing", "ab", "The 'spacing' parameter of TrainableSLIC must be"),
        ("params.channel_axis", 7, "channel_axis: found 7, expected a whole number from -4 to 3"),
        ("params.channel_weights", [1, 1], r"channel_weights: found shape \(2,\), expected"),
        ("params.edge_channel", 9, "edge_channel: found 9, expected one of 3 features"),
        ("params.pair_features", {}, r"pair_features: found \{\}, expected a list"),
        ("params.features", "passthrough", "found 1 features and 0 pair features, expected 3"),
        ("params.features", "Lab", "features: found 'Lab', expected an object with entries"),
        ("label_maker.strategy", "?", "The 'strategy' parameter of LabelMaker must be"),
        ("training.max_epochs", -1, "max_epochs: found -1, expected a whole number from 0 to"),
        ("learned.n_channels_in_", 10**9, "n_channels_in_: found 1000000000, expected a whole"),
        ("learned.n_channels_in_", 2, "found 2 channels, expected 1 .grey. or 3 .RGB."),
        ("learned.n_pixels_", 0.5, "n_pixels_: found 0.5, expected a whole number from 0 to"),
    ],
)
def test_entries_out_of_range_are_named(saved, place, value, message):
    description = description_of(saved)
    *parents, name = place.split(".")
    part = description
    for each in parents:
        part = part[each]
    part[name] = value
    if place == "params.features" and value == "passthrough":
        description["learned"]["n_channels_in_"] = 1
    rewrite(saved, description)
    with pytest.raises(ValueError, match=f"model: .*{message}") as error:
        TrainableSLIC.load(saved)
    assert type(error.value) is ValueError


def test_a_parameter_newer_than_the_file_keeps_its_default(saved):
    description = description_of(saved)
    del description["params"]["start_label"]
    rewrite(saved, description)
    assert TrainableSLIC.load(saved).start_label == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": NaN}', "damaged description, expected JSON: found NaN, expected a number"),
        ('{"format": 1, "format": 2}', "found the same name twice, expected each once"),
        ("[" * 42 + "]" * 42, "nested more than 40 times"),
        ("[" * 100_000, "nested more than 40 times"),
        (
            " " * 2**21 + "{}",
            "description of 2097154 characters, expected at most",
        ),
        ("1" * 5000, "damaged description, expected JSON"),
        ("{}", "format None of version None, expected"),
    ],
)
def test_texts_that_are_no_description(saved, text, message):
    rewrite(saved, text)
    with pytest.raises(ValueError, match=f"model: found .*{message}"):
        TrainableSLIC.load(saved)


@pytest.mark.parametrize("features", [LabFeatures(), LabFeatures(sigma=1), "lab", "passthrough"])
def test_features_are_those_that_were_fitted_whatever_was_set_since(features, tmp_path):
    model = learner(features=features).fit(IMAGES, SEGMENTATIONS)
    expected = model.transform(IMAGES)
    for changed in (LabFeatures(sigma=3), "passthrough", "lab"):
        model.set_params(features=changed).save(tmp_path / "model")
        for found, right in zip(
            TrainableSLIC.load(tmp_path / "model").transform(IMAGES), expected, strict=True
        ):
            np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("network.log_weights", None, r"found nothing, expected float32 of shape \(3,\)"),
        ("network.more", torch.zeros(2), r"found float32 of shape \(2,\), expected nothing"),
        ("more", torch.zeros(2), r"found float32 of shape \(2,\), expected nothing"),
        ("features.more", torch.zeros(2), r"found float32 of shape \(2,\), expected nothing"),
        (
            "network.scales",
            torch.zeros(5),
            r"found float32 of shape \(5,\), expected float32 of shape \(4,\)",
        ),
        (
            "network.scales",
            torch.zeros(4, dtype=torch.float16),
            r"found float16 of shape \(4,\), expected float32 of shape \(4,\)",
        ),
        ("network.log_temperature", torch.tensor(torch.nan), "found NaN or infinity, expected"),
    ],
)
def test_tensors_that_do_not_fit_are_named(saved, name, tensor, message):
    tensors = {**tensors_in(saved), name: tensor}
    rewrite(saved, tensors={key: each for key, each in tensors.items() if each is not None})
    with pytest.raises(ValueError, match=f"model: tensor '{name}': {message}"):
        TrainableSLIC.load(saved)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("network.log_weights", 100.0, "network: found channel_weights that are not finite"),
        ("network.scales", 0.0, "network: found inverse_scales that are not finite"),
        (
            "network.scales",
            1e30,
            r"network: found scales from .* to 1e\+30, expected positive ones",
        ),
        ("network.scales", -1.0, "network: found scales from -1 to .*, expected positive ones"),
    ],
)
def test_numbers_that_make_no_distance(saved, name, value, message):
    tensors = load(saved.read_bytes())
    tensors[name][0] = value
    rewrite(saved, tensors=tensors)
    with pytest.raises(ValueError, match=f"model: {message}"):
        TrainableSLIC.load(saved)


def test_tensors_that_do_not_fit_their_description(saved):
    description = description_of(saved)
    description["network"]["params"]["n_features"] = 4
    rewrite(saved, description)
    with pytest.raises(ValueError, match=r"tensor 'network\.\w+(\.\w+)*': found .* expected"):
        TrainableSLIC.load(saved)


def test_networks_that_are_not_known(saved):
    description = description_of(saved)
    description["network"]["name"] = "make_net_of"
    rewrite(saved, description)
    with pytest.raises(ValueError, match="model: found network 'make_net_of', expected one of"):
        TrainableSLIC.load(saved)


def repeated(description, way):
    """Let a description name many parts."""
    params = description["params"]
    if way == "pair features":
        params["pair_features"] = [{}] * 300_000
        return
    part, n_parts = {"name": "LabFeatures", "params": {}}, 20_000
    if way == "scattering":
        part, n_parts = {"name": "ScatteringFeatures", "params": {"J": 4, "L": 24}}, 300
    parts = [[str(number), part] for number in range(n_parts)]
    params["features"] = {"name": "ChannelUnion", "params": {"transformers": parts}}


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("pair features", "pair_features: found .*, expected a list of at most 3"),
        ("scattering", "found 11 transformers with 106.* scattering maps so far, expected at mos"),
        ("lab", "found 65 transformers with 0 scattering maps so far, expected at most 64"),
    ],
)
def test_many_parts_are_refused_soon(saved, way, message):
    description = description_of(saved)
    repeated(description, way)
    rewrite(saved, description)
    start = time.process_time()
    with pytest.raises(ValueError, match=f"model: .*{message}"):
        TrainableSLIC.load(saved)
    assert time.process_time() - start < 2


def test_many_or_large_tensors_are_refused_soon(saved):
    tensors = load(saved.read_bytes())
    empty = {f"network.{number}": torch.zeros(0) for number in range(20_000)}
    rewrite(saved, tensors=tensors | empty)
    start = time.process_time()
    with pytest.raises(ValueError, match=f"found {len(tensors) + 20_000} tensors, expected at mo"):
        TrainableSLIC.load(saved)
    n = 10**7
    description = description_of(saved)
    description["network"]["params"]["n_features"] = n
    rewrite(saved, description, tensors | {"network.large": torch.zeros(n, dtype=torch.uint8)})
    with pytest.raises(ValueError, match=f"n_features: found {n}, expected a whole number from 1"):
        TrainableSLIC.load(saved)
    assert time.process_time() - start < 2


# What cannot be written --------------------------------------------------------------------


class OwnFeature(PathFeature):
    """Of a user."""


class OwnNetwork(DistanceNetwork):
    """Of a user."""


class Halved(LabFeatures):
    """Of a user."""


OwnNamesake = type("PathFeature", (PathFeature,), {})
OwnNetworkNamesake = type("DistanceNetwork", (DistanceNetwork,), {})


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"pair_features": [PathFeature(), OwnFeature()]},
            r"pair_features\[1\]: found OwnFeature\(\), which a model file cannot hold",
        ),
        ({"pair_features": [OwnNamesake()]}, r"pair_features\[0\]: found PathFeature\(\), which"),
        (
            {"pair_features": [lambda f, p, e: e[..., 0]]},
            r"pair_features\[0\]: found <function",
        ),
        ({"features": Halved()}, "features: found a Halved, which a model file cannot hold"),
        (
            {"classifier": make_distance_net(1, max_epochs=1).set_params(module=OwnNetwork)},
            "classifier: found a network <class .*OwnNetwork'>, which a model file cannot hold",
        ),
        (
            {
                "classifier": make_distance_net(1, max_epochs=1).set_params(
                    module=OwnNetworkNamesake
                )
            },
            "classifier: found a network <class .*DistanceNetwork'>, which a model file cannot",
        ),
    ],
)
def test_parts_of_the_user_cannot_be_written(params, message, tmp_path):
    slic = learner(**params).fit(IMAGES[:2], SEGMENTATIONS[:2])
    path = tmp_path / "model"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match=message):
        slic.save(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"compactness": -1}, "The 'compactness' parameter of TrainableSLIC must be"),
        ({"compactness": np.nan}, "found NaN, expected a number"),
        ({"channel_weights": [1, 2]}, r"channel_weights: found shape \(2,\), expected"),
        ({"edge_channel": 99}, "edge_channel: found 99, expected one of 3 features"),
        ({"channel_axis": 7}, "channel_axis: found 7, expected a whole number from -4 to 3"),
        ({"channel_axis": None}, "n_channels_in_ of images without an axis of channels: found 3"),
        ({"label_maker": LabelMaker(strategy="bad")}, "The 'strategy' parameter of LabelMaker"),
    ],
)
def test_what_could_not_be_loaded_is_not_written(fitted, tmp_path, params, message):
    path = tmp_path / "model"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match=message):
        copy(fitted).set_params(**params).save(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


class Fixed(TrainableSLIC):
    """A subclass with fewer parameters."""

    def __init__(self, superpixel_size=16):
        super().__init__(superpixel_size)


def test_classes_without_parameters_of_the_file(fitted, saved):
    message = "Fixed: found no parameter 'channel_axis', expected all those of TrainableSLIC"
    with pytest.raises(ValueError, match=message):
        Fixed.load(saved)
    model = Fixed()
    vars(model).update(vars(fitted))
    with pytest.raises(ValueError, match=message):
        model.save(saved)


def test_parts_whose_names_begin_alike(tmp_path):
    parts = [
        (name, LearnedFeatures(2, width=2, train=False, random_state=seed))
        for seed, name in enumerate(["a", "a.b", "a%2Eb"])
    ]
    slic = learner(1, features=ChannelUnion(parts)).fit(IMAGES[:2], SEGMENTATIONS[:2])
    slic.save(tmp_path / "model")
    assert_same(TrainableSLIC.load(tmp_path / "model"), slic)


def test_models_that_are_not_fitted_cannot_be_written(tmp_path):
    with pytest.raises(NotFittedError):
        learner().save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_model_is_written_as_a_whole_or_not_at_all(fitted, saved, monkeypatch):
    content = saved.read_bytes()

    def fail(*args):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail)
        with pytest.raises(OSError, match="no space left"):
            clone(fitted).set_params(n_rounds=2).fit(IMAGES[:2], SEGMENTATIONS[:2]).save(saved)
    assert saved.read_bytes() == content
    assert list(saved.parent.iterdir()) == [saved]
