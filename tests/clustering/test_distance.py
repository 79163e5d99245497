"""The distance's weights are those of squared differences, and channels of weight 0 go."""

import numpy as np
import pytest

from sksuperpixel._clustering.distance import NetworkDistance, WeightedDistance
from sksuperpixel._clustering.grid import Grid
from sksuperpixel._clustering.planes import Planes
from sksuperpixel._clustering.settings import Settings

FEATURES = np.random.default_rng(0).random((3, 1, 12, 14), np.float32)


def test_no_weights_leave_the_features_as_they_are():
    assert WeightedDistance().weigh(FEATURES) is FEATURES


@pytest.mark.parametrize("weights", [[1.0, 4.0, 0.25], [2.0, 0.0, 3.0], [0.0, 0.0, 1.0]])
def test_plain_differences_of_weighed_features_are_weighted(weights):
    weighed = WeightedDistance(np.array(weights)).weigh(FEATURES)
    assert weighed.dtype == np.float32
    assert len(weighed) == np.count_nonzero(weights)

    def squared(values):
        return (values[:, 0, 3, 4] - values[:, 0, 9, 1]) ** 2

    np.testing.assert_allclose(
        squared(weighed).sum(), np.dot(weights, squared(FEATURES)), rtol=1e-5
    )


def test_weights_of_zero_alone_leave_nothing_to_compare():
    nan = np.full_like(FEATURES, np.nan)
    weighed = WeightedDistance(np.zeros(3)).weigh(nan)
    assert weighed.shape == (1, *FEATURES.shape[1:])
    assert not weighed.any()


class FirstCandidate:
    """A network that always takes the candidate nearest in space, and keeps what it saw."""

    def on_image(self, features, pixels, threads):
        self.features = features
        return lambda means, candidates, distances, pairs: candidates[:, 0]


def test_a_network_sees_the_features_as_they_are():
    network = FirstCandidate()
    distance = NetworkDistance(network, n_candidates=3, weights=np.array([0.0, 1.0, 1.0]))
    settings = Settings(
        superpixel_size=5,
        n_segments=None,
        compactness=1.0,
        max_iter=2,
        min_size_factor=0.25,
        oversegmentation=6.0,
        edge_channel=None,
        refine_iter=0,
    )
    image = Planes(FEATURES)
    grid = Grid(image.shape, 5.0)
    labels, clusters = distance.cluster(image.weighted_by(distance), grid, settings)
    assert network.features is FEATURES
    # Nearest in space: the cells of the grid.
    assert len(clusters) == np.prod(grid.n_cells)
    assert np.unique(labels).tolist() == list(range(len(clusters)))
