import numpy as np
import pytest

torch = pytest.importorskip("torch")
frontend = pytest.importorskip("kymatio.scattering2d.frontend.torch_frontend")

from sksuperpixel.features import ScatteringFeatures  # noqa: E402
from sksuperpixel.features.scattering import transform  # noqa: E402

BLURRED = {"select": ["grey_order0"]}


def scatter(image, **params):
    return ScatteringFeatures(**params).fit_transform([image])[0]


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def grating(shape, angle, wavelength):
    """Waves of which `angle` is the direction of greatest change."""
    rows, columns = np.indices(shape)
    angle = np.deg2rad(angle)
    along = columns * np.cos(angle) + rows * np.sin(angle)
    return 0.5 + 0.5 * np.cos(2 * np.pi * along / wavelength)


@pytest.mark.parametrize("upsample", ["bilinear", "nearest"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (3, 2), (33, 50)])
def test_constant_image(shape, upsample):
    found = scatter(np.full(shape, 0.7), upsample=upsample)
    assert found.shape == (*shape, 81)
    np.testing.assert_allclose(found[..., 0], 0.7, atol=1e-3)
    np.testing.assert_allclose(found[..., 1:], 0, atol=1e-5)


@pytest.mark.parametrize(("J", "L"), [(2, 8), (1, 3), (3, 5)])
def test_equals_kymatio(J, L):
    step = 2**J
    image = np.random.default_rng(0).random((96, 128)).astype(np.float32)
    direct = frontend.ScatteringTorch2D(J, image.shape, L=L)(torch.from_numpy(image)).numpy()
    # kymatio's values are of the pixels 0, 2^J, ...; ours of those half a step on, so that
    # an image that starts half a step earlier has the same.
    edged = np.pad(image, [(step // 2, 0)] * 2)
    found = scatter(edged, J=J, L=L)[step // 2 :: step, step // 2 :: step]
    inner = slice(40 // step, -40 // step)
    np.testing.assert_allclose(
        found[:, inner][inner], np.moveaxis(direct, 0, -1)[:, inner][inner], atol=3e-5
    )


@pytest.mark.parametrize("J", [1, 2, 3])
@pytest.mark.parametrize("upsample", ["bilinear", "nearest"])
@pytest.mark.parametrize("axis", [0, 1])
def test_edges_stay_where_they_are(J, upsample, axis):
    """The middle of a step's blurred edge, and the peak of its gradient, are at the step."""
    step = 2**J
    # bilinear: exact but for the interpolation's corners; nearest: within its half pixel, and
    # the half pixel that steps of even numbers bring
    tolerance = 0.35 if upsample == "bilinear" else 1.0
    for edge in range(36, 36 + step):
        image = np.zeros((80, 80))
        image[:, edge:] = 1
        features = scatter(image if axis else image.T, J=J, L=4, max_order=1, upsample=upsample)
        profile = (features if axis else features.swapaxes(0, 1))[40]
        table = ScatteringFeatures(J=J, L=4, max_order=1).fit([image]).feature_table()
        map_ = table.query(f"j1 == {J - 1} and angle1 == {90 * (1 - axis)}").index[0]
        x = np.arange(80)
        # Blurring keeps the area under a step, so the area shows where the step is. The edge
        # lies between two pixels, hence the half pixel below.
        middle = 80 - profile[:, 0].sum() / profile[-10, 0]
        assert abs(middle - edge) <= tolerance
        centre = (profile[:, map_] * x).sum() / profile[:, map_].sum()
        assert abs(centre - (edge - 0.5)) <= tolerance + 0.15


@pytest.mark.parametrize("J", [1, 2, 3])
def test_bilinear_is_not_shifted_on_average(J):
    """Over all places an edge can have in a block, there is no shift, in either direction."""
    step = 2**J
    middles = []
    for edge in range(36, 36 + step):
        image = np.zeros((8, 80))
        image[:, edge:] = 1
        blurred = scatter(image, J=J, L=2, **BLURRED)[4, :, 0]
        middles.append(80 - blurred.sum() / blurred[-10] - edge)
    assert abs(np.mean(middles)) < 1e-3


def test_mirrored_images():
    image = grating((40, 44), 30, 60) * np.linspace(0, 1, 44)
    found = scatter(image[:, ::-1], **BLURRED)[:, ::-1]
    # At borders, mirroring makes corners, which are not interpolated well.
    inner = slice(4, -4)
    expected = scatter(image, **BLURRED)
    np.testing.assert_allclose(found[inner, inner], expected[inner, inner], atol=0.015)
    # A shift of a pixel would be much more.
    shifted = np.abs(expected[:, 2:] - expected[:, :-2]).max()
    assert shifted > 0.05


@pytest.mark.parametrize("upsample", ["bilinear", "nearest"])
@pytest.mark.parametrize("J", [1, 2, 3])
def test_shifted_images(J, upsample):
    step = 2**J
    image = noise((90 + step, 90 + 2 * step))
    params = {"J": J, "L": 4, "upsample": upsample}
    whole = scatter(image, **params)
    part = scatter(image[step:, 2 * step :], **params)
    inner = slice(36, -36)
    np.testing.assert_allclose(
        part[inner, inner], whole[step:, 2 * step :][inner, inner], atol=3e-5
    )


def test_nearest_takes_blocks():
    image = noise((14, 18))
    found = scatter(image, upsample="nearest")
    for rows in range(0, 14, 4):
        for columns in range(0, 18, 4):
            block = found[rows : rows + 4, columns : columns + 4]
            np.testing.assert_array_equal(block, np.broadcast_to(block[0, 0], block.shape))
    # and its value is that of the pixel that bilinear leaves as it is
    fine = scatter(image)
    np.testing.assert_allclose(found[::4, ::4][:3, :4], fine[2::4, 2::4], rtol=1e-6)


def test_bilinear_is_linear_between_values():
    found = scatter(noise((21, 30)))
    for start in (2, 6, 10):
        ends = found[start], found[start + 4]
        for i in range(5):
            expected = ((4 - i) * ends[0] + i * ends[1]) / 4
            np.testing.assert_allclose(found[start + i], expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (3, 3), (1, 70), (5, 4), (31, 65)])
@pytest.mark.parametrize("J", [1, 2, 4])
def test_any_size(shape, J):
    image = noise(shape)
    for upsample in ("bilinear", "nearest"):
        found = scatter(image, J=J, L=2, upsample=upsample)
        assert found.shape == (*shape, 1 + 2 * J + 2 * J * (J - 1))
        assert np.isfinite(found).all()
        assert 0 <= found[..., 0].min() <= found[..., 0].max() <= 1.001
        assert found[..., 1:].min() > -0.02


def test_borders_are_mirrored():
    image = noise((50, 47))
    mirrored = np.pad(image, [(24, 30), (28, 40)], mode="symmetric")
    np.testing.assert_allclose(scatter(image), scatter(mirrored)[24:74, 28:75], atol=3e-5)


def test_opposite_borders_do_not_touch():
    image = np.zeros((40, 64))
    expected = scatter(image)
    # 64 pixels and two halos are more than one length of window, 24 and two halos are one.
    for n in (24, 64):
        part = image[:, :n].copy()
        part[:, -1] = 1
        np.testing.assert_allclose(scatter(part)[:, :2], expected[:, :2], atol=3e-5)


def test_far_away_does_not_matter():
    image = noise((96, 100))
    extended = noise((170, 151), seed=1)
    extended[:96, :100] = image
    np.testing.assert_allclose(scatter(image)[:72, :76], scatter(extended)[:72, :76], atol=3e-5)


@pytest.mark.parametrize("shape", [(700, 40), (35, 1300)])
def test_windows_of_large_images(shape, monkeypatch):
    image = noise(shape)
    keep = {"L": 4, "upsample": "nearest"}
    cut = scatter(image, **keep)
    monkeypatch.setattr(transform, "_LONGEST", 2048)
    np.testing.assert_allclose(cut, scatter(image, **keep), atol=3e-5)
    # Seams would be seen in a flat image.
    monkeypatch.undo()
    flat = scatter(np.full(shape, 0.5), **keep)
    np.testing.assert_allclose(flat, np.broadcast_to(flat[0, 0], flat.shape), atol=1e-6)


def test_windows_are_few_and_cover_the_axis():
    for J, L in [(1, 8), (2, 8), (3, 8), (5, 8), (2, 16)]:
        halo = transform.halo_of_filters(J, L)
        step = 2**J
        assert halo % step == 0
        lengths = set()
        for size in range(1, 3000, 7):
            n_values, n_windows, each, length = transform.windows_of_axis(size, J, halo)
            assert (n_values - 2) * step + step // 2 >= size - 1
            assert (n_values - 2) * step + step // 2 - step < size - 1 or n_values == 2
            assert n_windows * each >= n_values > (n_windows - 1) * each
            assert length % 64 == 0
            assert length >= (each - 1) * step + 1 + 2 * halo
            lengths.add(length)
        assert max(lengths) <= max(640, 4 * halo + 64)
        assert len(lengths) <= max(10, halo // 8)
