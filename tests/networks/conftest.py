import numpy as np
import pytest


@pytest.fixture
def make_rows():
    """Function: gives n rows of input as a tensor, and the distances and differences in them."""
    torch = pytest.importorskip("torch")

    def make(n, n_features, n_candidates, seed=0):
        rng = np.random.default_rng(seed)
        features = rng.normal(size=(n, n_features))
        distances = rng.uniform(0, 10, (n, n_candidates))
        differences = rng.normal(0, 5, (n, n_candidates, n_features))
        flat = np.hstack([features, distances, differences.reshape(n, -1)]).astype(np.float32)
        return torch.tensor(flat), distances, differences

    return make
