"""Superpixels that speak scikit-learn."""

from sksuperpixel._images.lazy_sequence import LazySequence
from sksuperpixel._learning.label_maker import LabelMaker
from sksuperpixel._learning.path_feature import PathFeature
from sksuperpixel._match_compactness import match_compactness
from sksuperpixel._slic import SLIC
from sksuperpixel._slic_function import slic
from sksuperpixel._trainable_slic import TrainableSLIC
from sksuperpixel.features import ChannelUnion, LabFeatures, make_channel_union

__version__ = "0.1.0"

__all__ = [
    "SLIC",
    "ChannelUnion",
    "LabFeatures",
    "LabelMaker",
    "LazySequence",
    "PathFeature",
    "TrainableSLIC",
    "make_channel_union",
    "match_compactness",
    "slic",
]
