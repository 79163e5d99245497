"""Transformers of images into features, one array (H, W, M) an image."""

from sksuperpixel.features._channel_union import ChannelUnion, make_channel_union
from sksuperpixel.features._lab import LabFeatures

__all__ = [
    "ChannelUnion",
    "ENetFeatures",
    "LabFeatures",
    "LearnedFeatures",
    "ScatteringFeatures",
    "make_channel_union",
]


def __getattr__(name):
    # Imported when asked for: torch takes seconds to import, and not everyone has it.
    if name == "ENetFeatures":
        from sksuperpixel.features._enet import ENetFeatures

        return ENetFeatures
    if name == "LearnedFeatures":
        from sksuperpixel.features._learned import LearnedFeatures

        return LearnedFeatures
    if name == "ScatteringFeatures":
        from sksuperpixel.features._scattering import ScatteringFeatures

        return ScatteringFeatures
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
