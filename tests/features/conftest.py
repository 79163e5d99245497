import numpy as np
import pytest

from sksuperpixel.datasets import make_texture_mosaics


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Networks as small as in these tests are slower on several threads."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def textures():
    """Images, and segmentations whose labels are classes: the texture and tint of a pixel."""
    names = ["brick", "grass", "gravel"]
    data = make_texture_mosaics(
        6, image_shape=(48, 64), n_segments=3, sources=names, equalize=False, random_state=0
    )
    classes = [
        np.array([names.index(name) for name in sources])[labels]
        for labels, sources in zip(data.segmentations, data.sources, strict=True)
    ]
    tints = np.array([[1, 0.4, 0.4], [0.4, 1, 0.4], [0.4, 0.4, 1]])
    images = [
        (image * tints[labels]).astype(np.uint8)
        for image, labels in zip(data.images, classes, strict=True)
    ]
    return images, classes


@pytest.fixture(scope="session")
def mosaics():
    """Images of grey textures, and segmentations with several segments."""
    data = make_texture_mosaics(n_images=6, image_shape=(64, 72), random_state=0)
    return list(data.images), list(data.segmentations)


@pytest.fixture(scope="session")
def same_weights():
    """Function: whether the networks of two transformers have the same weights."""
    torch = pytest.importorskip("torch")

    def same(first, second):
        first, second = first.network_.state_dict(), second.network_.state_dict()
        assert first.keys() == second.keys()
        # Files do not hold the counters of batch norm, which are integers.
        names = [name for name, tensor in first.items() if tensor.is_floating_point()]
        return all(torch.equal(first[name], second[name]) for name in names)

    return same
