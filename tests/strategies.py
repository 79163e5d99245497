"""What several test files draw with hypothesis."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def problems(draw, largest=60, channels=9):
    """Random features with many ties: eighths, so that sums are exact in any order."""
    if draw(st.booleans()):
        shape = (1, draw(st.integers(1, largest)), draw(st.integers(1, largest)))
    else:
        side = st.integers(1, max(2, round((largest**2) ** (1 / 3))))
        shape = (draw(side), draw(side), draw(side))
    n_channels = draw(st.integers(1, channels))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    span = draw(st.sampled_from([2, 20, 800]))
    features = (rng.integers(0, span, (n_channels, *shape)) / 8).astype(np.float32)
    mask = None
    if draw(st.booleans()):
        mask = rng.random(shape) < draw(st.sampled_from([0.3, 0.7, 0.95]))
        mask[tuple(rng.integers(0, shape))] = True
    spacing = draw(st.sampled_from([(1.0, 1.0, 1.0), (1.0, 1.0, 2.0), (2.5, 1.0, 1.0)]))
    return features, mask, spacing, rng


def random_labels(rng, shape, n_labels, mask):
    """Labels of single pixels, negative outside the mask."""
    labels = rng.integers(0, n_labels, shape).astype(np.int32)
    if mask is not None:
        labels[~mask] = -1
    return labels
