"""Transformers of images into features, one array (H, W, M) an image."""

from sksuperpixel.features._channel_union import ChannelUnion, make_channel_union
from sksuperpixel.features._lab import LabFeatures

__all__ = ["ChannelUnion", "LabFeatures", "make_channel_union"]
