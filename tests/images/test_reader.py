"""Images are decoded and checked once in each pass over them."""

import pickle

import numpy as np
import pytest

from sksuperpixel import SLIC, LabFeatures, LazySequence
from sksuperpixel._images.reader import ImageReader

IMAGE = np.arange(5 * 6 * 3, dtype=np.uint8).reshape(5, 6, 3)


class Decoder:
    """Images that are decoded when they are asked for, and a count of that."""

    def __init__(self, n_images=4):
        self.decoded = []
        self.images = LazySequence(self.decode, range(n_images))

    def decode(self, index):
        self.decoded.append(index)
        return np.roll(IMAGE, index, axis=1)


def test_fit_decodes_the_first_image_once():
    for estimator in (SLIC(3), SLIC(3, features=LabFeatures()), LabFeatures()):
        decoder = Decoder()
        estimator.fit(decoder.images)
        assert decoder.decoded == [0]


@pytest.mark.parametrize("n_jobs", [None, 2, 9])
def test_transform_decodes_each_image_once(n_jobs):
    decoder = Decoder()
    slic = SLIC(3, n_jobs=n_jobs).fit(decoder.images)
    decoder.decoded.clear()
    slic.transform(decoder.images, masks=[None, IMAGE[..., 0] > 10, None, None])
    assert sorted(decoder.decoded) == [0, 1, 2, 3]


def test_learning_decodes_each_image_once_per_pass():
    pytest.importorskip("torch")
    from sksuperpixel import LabelMaker, TrainableSLIC
    from sksuperpixel.networks import make_distance_net

    decoder = Decoder()
    segmentations = [IMAGE[..., 0] // 30] * 4
    for n_layers, n_passes in ((1, 1), (3, 2)):
        slic = TrainableSLIC(
            2,
            n_candidates=3,
            label_maker=LabelMaker(min_segments=1),
            classifier=make_distance_net(n_layers, max_epochs=1),
            random_state=0,
        )
        decoder.decoded.clear()
        slic.fit(decoder.images, segmentations)
        # Once for the sample in which compactness is measured, which is of all four images here,
        # and once for each pass. The first image is kept.
        assert sorted(decoder.decoded) == sorted([0] + (1 + n_passes) * [1, 2, 3])


def test_nothing_but_the_first_image_is_kept():
    decoder = Decoder()
    reader = ImageReader(decoder.images)
    for index in (1, 1, 0, 0):
        reader[index]
    assert decoder.decoded == [1, 1, 0, 0]
    assert reader.first is reader.first
    assert reader[0] is reader.first
    next(iter(reader.given()))
    next(iter(reader.filled()))
    assert decoder.decoded == [1, 1, 0, 0, 0]


def test_masked_arrays_are_images_with_masks():
    invalid = np.zeros((5, 6, 3), bool)
    invalid[0, 0, 1] = invalid[4] = True
    image = np.ma.masked_array(IMAGE, invalid)
    found = ImageReader([image])[0]
    np.testing.assert_array_equal(found.pixels, IMAGE)
    np.testing.assert_array_equal(found.mask, ~invalid.any(axis=-1))
    assert not isinstance(found.pixels, np.ma.MaskedArray)
    # Both masks count.
    mask = np.ones((5, 6), bool)
    mask[:, 5] = False
    both = ImageReader([image], masks=[mask])[0].mask
    np.testing.assert_array_equal(both, mask & ~invalid.any(axis=-1))
    # Nothing is masked.
    assert ImageReader([np.ma.masked_array(IMAGE)])[0].mask is None
    channels_first = np.ma.masked_array(np.moveaxis(IMAGE, -1, 0), np.moveaxis(invalid, -1, 0))
    np.testing.assert_array_equal(ImageReader([channels_first], 0)[0].mask, ~invalid.any(axis=-1))


def test_nothing_left_is_an_error():
    image = np.ma.masked_array(IMAGE, True)
    with pytest.raises(ValueError, match=r"^image 1: found a mask with no pixel inside"):
        ImageReader([IMAGE, image])[1]
    mask = np.zeros((5, 6), bool)
    mask[0] = True
    half = np.ma.masked_array(IMAGE, np.repeat(mask[..., np.newaxis], 3, axis=-1))
    with pytest.raises(ValueError, match=r"^image 0: found a mask with no pixel inside"):
        ImageReader([half], masks=[mask])[0]


@pytest.mark.parametrize(("shape", "axis"), [((5, 6, 3), -1), ((3, 5, 6), 0), ((5, 6), -1)])
def test_images_are_given_back_in_their_layout(shape, axis):
    image = np.random.default_rng(0).random(shape)
    reader = ImageReader([image], axis)
    np.testing.assert_array_equal(reader[0].as_given(), image)
    np.testing.assert_array_equal(reader.filled()[0], image)
    assert reader.given()[0] is image


def test_pictures_of_pillow():
    from PIL import Image

    palette = Image.fromarray(IMAGE).convert("P", palette=Image.Palette.ADAPTIVE)
    found = ImageReader([palette])[0].pixels
    np.testing.assert_array_equal(found, np.asarray(palette.convert("RGB")))


def test_segmentations():
    images = [IMAGE, IMAGE[:, :4]]
    reader = ImageReader(images)
    reader.check_segmentations([IMAGE[..., 0], np.stack([IMAGE[:, :4, 0]] * 2)])
    with pytest.raises(ValueError, match=r"^y: found 1 segmentations, expected one for each of"):
        reader.check_segmentations([IMAGE[..., 0]])
    with pytest.raises(ValueError, match=r"^image 1: found a segmentation of shape \(5, 6\)"):
        reader.check_segmentations([IMAGE[..., 0]] * 2)
    # Annotators and channels first, and volumes.
    ImageReader([np.zeros((3, 5, 6))], 0).check_segmentations([np.zeros((2, 5, 6), int)])
    volumes = ImageReader([np.zeros((4, 5, 6))], None)
    volumes.check_segmentations([np.zeros((4, 5, 6), int)])
    volumes.check_segmentations([np.zeros((2, 4, 5, 6), int)])
    with pytest.raises(ValueError, match=r"or \(A, 4, 5, 6\) for A annotators"):
        volumes.check_segmentations([np.zeros((5, 6), int)])


def test_lazy_pairs_are_not_all_computed():
    decoder = Decoder()
    ImageReader(decoder.images).check_segmentations([IMAGE[..., 0]] * 4)
    assert decoder.decoded == [0]
    segmentations = LazySequence(lambda i: decoder.decode(i)[..., 0], range(4))
    ImageReader([IMAGE] * 4).check_segmentations(segmentations)
    assert decoder.decoded == [0, 0]
    with pytest.raises(ValueError, match=r"^image 0: found a segmentation of shape"):
        ImageReader(decoder.images).check_segmentations([np.zeros((2, 2), int)] * 4)


def test_sequences_for_transformers_can_be_pickled():
    mask = IMAGE[..., 0] > 10
    reader = ImageReader([IMAGE], masks=[mask])
    for sequence in (reader.given(), reader.filled()):
        again = pickle.loads(pickle.dumps(sequence))
        np.testing.assert_array_equal(again[0], sequence[0])
