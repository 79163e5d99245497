"""Transformers of images into features: one array of shape (H, W, M) per image."""

from importlib import import_module

from sksuperpixel._torch import require
from sksuperpixel.features._channel_union import ChannelUnion, make_channel_union
from sksuperpixel.features._lab import LabFeatures
from sksuperpixel.features._names import features_of_name
from sksuperpixel.features.scattering.transformer import ScatteringFeatures

__all__ = [
    "ChannelUnion",
    "ENetFeatures",
    "LabFeatures",
    "LearnedFeatures",
    "ScatteringFeatures",
    "features_of_name",
    "make_channel_union",
]

# Imported only when asked for, because they import torch, which takes seconds or is missing.
_WITH_NETWORK = {
    "ENetFeatures": "sksuperpixel.features.enet.transformer",
    "LearnedFeatures": "sksuperpixel.features.learned.transformer",
}


def __dir__():
    return __all__


def __getattr__(name):
    if name not in _WITH_NETWORK:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require(name, "torch", "safetensors")
    return getattr(import_module(_WITH_NETWORK[name]), name)
