"""Images with ground truth: generated, loaded from folders, or downloaded."""

from ._bsds500 import fetch_bsds500, load_bsds500
from ._camvid import load_camvid
from ._cityscapes import load_cityscapes
from ._folder import load_image_folder
from ._texture_mosaics import make_texture_mosaics
from ._voc import load_voc

__all__ = [
    "fetch_bsds500",
    "load_bsds500",
    "load_camvid",
    "load_cityscapes",
    "load_image_folder",
    "load_voc",
    "make_texture_mosaics",
]
