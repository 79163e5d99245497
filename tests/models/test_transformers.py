"""Transformers in model files."""

import numpy as np
import pytest
import torch
from mosaics import IMAGES, SEGMENTATIONS, learner

from sksuperpixel import ChannelUnion, LabFeatures, TrainableSLIC
from sksuperpixel._images.reader import ImageReader
from sksuperpixel._images.transformer import fit_copy
from sksuperpixel.features import ENetFeatures, LearnedFeatures, ScatteringFeatures
from sksuperpixel.models._transformers import TransformerReader, describe_transformer

BLANK = np.zeros((8, 8, 3), np.uint8)


def union_of_unions():
    inner = ChannelUnion(
        [("enet", ENetFeatures(weights=None, random_state=0)), ("lab", LabFeatures(sigma=1.0))]
    )
    return ChannelUnion(
        [
            ("learned", LearnedFeatures(n_maps=2, width=4, train=False, random_state=0)),
            ("inner", inner),
            ("rgb", "passthrough"),
        ],
        transformer_weights={"inner": 10.0},
    )


TRANSFORMERS = {
    "lab": LabFeatures(sigma=1.5, data_range=(0, 300)),
    "scattering": ScatteringFeatures(J=1, L=4, channels="lightness"),
    "enet": ENetFeatures(weights=None, random_state=3, device=torch.device("cpu")),
    "enet-trained": ENetFeatures(
        "bottleneck1.0",
        weights=None,
        train=True,
        n_classes=20,
        max_epochs=1,
        crop_size=32,
        random_state=0,
    ),
    "learned": LearnedFeatures(n_maps=2, width=4, train=False, random_state=0),
    "learned-trained": LearnedFeatures(
        n_maps=2, width=4, max_epochs=1, crop_size=32, random_state=0, edges=True, mirror=True
    ),
    "union": ChannelUnion(
        [("lab", LabFeatures()), ("rgb", "passthrough"), ("enet", ENetFeatures())],
        transformer_weights={"enet": 10},
    ),
    "union-of-unions": union_of_unions(),
}


def restored(description, tensors):
    return TransformerReader(tensors, BLANK, -1).restore(description, "features.")


def fit(transformer):
    return fit_copy(transformer, ImageReader(IMAGES[:2]), SEGMENTATIONS[:2])


@pytest.mark.parametrize("transformer", TRANSFORMERS.values(), ids=TRANSFORMERS)
def test_transformers_come_back(transformer):
    fitted = fit(transformer)
    description, tensors = describe_transformer(transformer, fitted, "features.")
    given, again = restored(description, tensors)
    assert type(given) is type(transformer)
    for one, other in zip(again.transform(IMAGES), fitted.transform(IMAGES), strict=True):
        np.testing.assert_array_equal(one, other)
    # What is given comes back as well, and is not fitted.
    assert not [name for name in vars(given) if name.endswith("_")]
    plain = {
        name: value
        for name, value in given.get_params().items()
        if not hasattr(value, "get_params") and name.rpartition("__")[2] != "device"
    }
    for name, value in plain.items():
        before = transformer.get_params()[name]
        if name == "transformers" or name.endswith("__transformers"):
            assert [each for each, _ in value] == [each for each, _ in before]
        elif isinstance(before, tuple):
            assert value == list(before)
        else:
            assert value == before, name


@pytest.mark.parametrize("name", ["learned-trained", "union"])
def test_whole_models_with_transformers_come_back(name, tmp_path):
    slic = learner(1, features=TRANSFORMERS[name]).fit(IMAGES[:3], SEGMENTATIONS[:3])
    slic.save(tmp_path / "model")
    loaded = TrainableSLIC.load(tmp_path / "model")
    for ours, theirs in zip(loaded.transform(IMAGES), slic.transform(IMAGES), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert type(loaded.features) is type(slic.features)


def test_names_stay_names():
    assert describe_transformer("lab", fit(LabFeatures()), "features.") == ("lab", {})
    assert describe_transformer("passthrough", None, "features.") == ("passthrough", {})
    assert restored("passthrough", {}) == ("passthrough", None)
    given, fitted = restored("lab", {})
    assert given == "lab"
    np.testing.assert_array_equal(
        fitted.transform(IMAGES[:1])[0], fit(LabFeatures()).transform(IMAGES[:1])[0]
    )


def test_each_part_of_a_union_has_its_own_tensors():
    union = union_of_unions()
    _, tensors = describe_transformer(union, fit(union), "features.")
    prefixes = {".".join(name.split(".")[:3]) for name in tensors}
    assert {each for each in prefixes if "enet" in each} == {"features.inner.enet"}
    assert all(each.startswith(("features.learned.", "features.inner.enet")) for each in prefixes)


def test_networks_are_filled_whatever_their_training_started_from(tmp_path):
    """The weights of a file are not read again: it may be gone, or another one."""
    start = fit(LearnedFeatures(n_maps=2, width=4, train=False, random_state=0))
    start.save_weights(tmp_path / "weights")
    features = LearnedFeatures(weights=tmp_path / "weights", train=False)
    fitted = fit(features)
    description, tensors = describe_transformer(features, fitted, "features.")
    (tmp_path / "weights").unlink()
    assert str(tmp_path) not in str(description)
    given, again = restored(description, tensors)
    assert given.weights is None
    assert again.weights is None
    np.testing.assert_array_equal(again.transform(IMAGES[:1])[0], fitted.transform(IMAGES[:1])[0])


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("maps.bias", None, "found nothing, expected float32"),
        ("more", torch.zeros(1), r"found float32 of shape \(1,\), expected nothing"),
        ("maps.bias", torch.zeros(7), r"found float32 of shape \(7,\), expected float32 of shape"),
        ("maps.bias", torch.full((2,), torch.nan), "found NaN or infinity"),
    ],
)
def test_tensors_that_do_not_fit_are_named(name, tensor, message):
    features = TRANSFORMERS["learned"]
    description, tensors = describe_transformer(features, fit(features), "features.")
    tensors = {**tensors, f"features.{name}": tensor}
    tensors = {key: each for key, each in tensors.items() if each is not None}
    with pytest.raises(ValueError, match=f"^tensor 'features.{name}': {message}"):
        restored(description, tensors)


@pytest.mark.parametrize("name", ["Pipeline", "make_channel_union", "__class__"])
def test_transformers_that_are_not_known(name):
    with pytest.raises(ValueError, match=f"^found features '{name}', expected one of"):
        restored({"name": name, "params": {}}, {})
    with pytest.raises(ValueError, match=f"^found features '{name}', expected one of"):
        restored(
            {
                "name": "ChannelUnion",
                "params": {"transformers": [["part", {"name": name, "params": {}}]]},
            },
            {},
        )


class Halved(LabFeatures):
    """Of a user."""


Namesake = type("LabFeatures", (LabFeatures,), {"__module__": "elsewhere"})


@pytest.mark.parametrize("part", [Halved(), Namesake()])
def test_transformers_of_the_user_cannot_be_described(part):
    name = type(part).__name__
    with pytest.raises(ValueError, match=f"features: found a {name}, which a model file cannot"):
        describe_transformer(part, fit(part), "features.")
    union = ChannelUnion([("rgb", "passthrough"), ("own", part)])
    with pytest.raises(ValueError, match=f"features: found a {name}, which a model file cannot"):
        describe_transformer(union, fit(union), "features.")
