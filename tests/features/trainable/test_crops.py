import numpy as np
import pytest

pytest.importorskip("torch")

from sksuperpixel.features.trainable.crops import draw_crop, interpolate


def test_interpolation():
    array = np.array([[0, 10, 40]], np.float32)
    positions = np.array([-1, 0, 0.5, 1.25, 2, 9])
    expected = [[0, 0, 5, 17.5, 40, 40]]
    np.testing.assert_allclose(interpolate(array, positions, 1), expected)
    np.testing.assert_allclose(interpolate(array.T, positions, 0), np.transpose(expected))
    assert interpolate(array[:, :1], positions, 1).tolist() == [[0] * 6]


def test_crops_keep_images_and_labels_together():
    # Labels that can be told from the image: its rows and columns.
    rows, columns = np.indices((40, 50))
    labels = 100 * rows + columns
    image = np.stack([rows, columns, rows], axis=-1).astype(np.float32)
    rng = np.random.default_rng(0)
    mirrored = 0
    for _ in range(50):
        part, target = draw_crop(image, labels, (24, 32), (0.5, 2.0), rng)
        assert part.shape == (3, 24, 32)
        assert target.shape == (24, 32)
        known = target >= 0
        assert known.mean() > 0.4
        assert np.abs(part[0][known] - target[known] // 100).max() <= 0.501
        assert np.abs(part[1][known] - target[known] % 100).max() <= 0.501
        mirrored += part[1, 0, 0] > part[1, 0, -1]
    assert 10 < mirrored < 40
