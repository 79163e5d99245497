from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("kymatio")

from sksuperpixel.features import ScatteringFeatures  # noqa: E402
from sksuperpixel.features.scattering import filters  # noqa: E402


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def scatter(image, **params):
    return ScatteringFeatures(**params).fit_transform([image])[0]


@pytest.mark.parametrize(("J", "L"), [(1, 3), (2, 8), (3, 4), (2, 16)])
def test_filters_equal_kymatios(J, L):
    from kymatio.scattering2d.filter_bank import filter_bank

    shape = (64, 128) if L < 16 else (64, 64)
    expected = filter_bank(*shape, J, L)
    found = filters.compute_filters(*shape, J, L)
    assert len(found["psi"]) == len(expected["psi"]) == J * L
    pairs = list(zip(found["psi"], expected["psi"], strict=True))
    for ours, theirs in [*pairs, (found["phi"], expected["phi"])]:
        assert ours.keys() == theirs.keys()
        assert ours["j"] == theirs["j"]
        assert ours.get("theta") == theirs.get("theta")
        for level, right in zip(ours["levels"], theirs["levels"], strict=True):
            assert level.dtype == np.float32
            np.testing.assert_allclose(level, right, atol=1e-6)


def test_filters_are_built_once(monkeypatch):
    calls = []
    build = filters.compute_filters
    monkeypatch.setattr(filters, "compute_filters", lambda *a: calls.append(a) or build(*a))
    filters._build_filter_bank.cache_clear()
    images = [noise((20 + i, 30)) for i in range(8)]
    features = ScatteringFeatures(J=2, L=4).fit_transform(images)
    expected = list(features)
    assert calls == [(64, 128, 2, 4)]
    filters._build_filter_bank.cache_clear()
    calls.clear()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(features.__getitem__, range(8)))
    assert len(calls) == 1
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    # Orders share filters.
    scatter(images[0], J=2, L=4, max_order=1)
    assert len(calls) == 1
    assert filters._build_filter_bank.cache_info().maxsize <= 16
