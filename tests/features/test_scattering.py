import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sksuperpixel import SLIC, ChannelUnion, LabFeatures, LazySequence
from sksuperpixel.features import ScatteringFeatures

torch = pytest.importorskip("torch")
pytest.importorskip("kymatio")
frontend = pytest.importorskip("kymatio.scattering2d.frontend.torch_frontend")

from sksuperpixel.features import _scattering  # noqa: E402


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Other work on the machine makes torch's threads wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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


# Maps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "n_maps"),
    [
        ({}, 81),
        ({"max_order": 1}, 17),
        ({"J": 1}, 9),
        ({"J": 3}, 217),
        ({"J": 3, "L": 4, "max_order": 1}, 13),
        ({"L": 6}, 49),
        ({"L": 1, "J": 3}, 7),
        ({"L": 3}, 16),
    ],
)
def test_number_of_maps(params, n_maps):
    image = noise((20, 27))
    transformer = ScatteringFeatures(**params).fit([image])
    features = transformer.transform([image])
    assert isinstance(features, LazySequence)
    assert features[0].shape == (20, 27, n_maps)
    assert features[0].dtype == np.float32
    assert np.isfinite(features[0]).all()
    assert len(transformer.get_feature_names_out()) == len(transformer.feature_table()) == n_maps
    # Planar memory
    assert features[0].transpose(2, 0, 1).flags.c_contiguous


@pytest.mark.parametrize("n_channels", [1, 2, 3, 4])
def test_channels_one_after_another(n_channels):
    image = noise((16, 21, n_channels))
    transformer = ScatteringFeatures(J=1).fit([image])
    found = transformer.transform([image])[0]
    parts = [scatter(image[..., i], J=1) for i in range(n_channels)]
    np.testing.assert_array_equal(found, np.concatenate(parts, axis=-1))
    names = {1: ["grey"], 3: ["R", "G", "B"]}.get(n_channels, ["c0", "c1", "c2", "c3"])
    names = names[:n_channels]
    assert transformer.get_feature_names_out()[::9].tolist() == [f"{n}_order0" for n in names]


def test_channel_axis():
    image = noise((16, 21, 3))
    expected = scatter(image, J=1)
    np.testing.assert_array_equal(
        scatter(np.moveaxis(image, -1, 0), J=1, channel_axis=0), expected
    )
    np.testing.assert_array_equal(
        scatter(image[..., 1], J=1, channel_axis=None), expected[..., 9:18]
    )


@pytest.mark.parametrize("upsample", ["bilinear", "nearest"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (3, 2), (33, 50)])
def test_constant_image(shape, upsample):
    found = scatter(np.full(shape, 0.7), upsample=upsample)
    assert found.shape == (*shape, 81)
    np.testing.assert_allclose(found[..., 0], 0.7, atol=1e-3)
    np.testing.assert_allclose(found[..., 1:], 0, atol=1e-5)


@pytest.mark.parametrize(("J", "L"), [(2, 8), (3, 4), (1, 3), (3, 5)])
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


@pytest.mark.parametrize(("J", "L"), [(1, 8), (2, 8), (3, 8), (2, 3), (2, 16)])
def test_filters_equal_kymatios(J, L):
    from kymatio.scattering2d.filter_bank import filter_bank

    shape = (64, 128) if J < 3 else (64, 64)
    expected = filter_bank(*shape, J, L)
    found = _scattering._filters(*shape, J, L)
    assert len(found["psi"]) == len(expected["psi"]) == J * L
    pairs = list(zip(found["psi"], expected["psi"], strict=True))
    for ours, theirs in [*pairs, (found["phi"], expected["phi"])]:
        assert ours.keys() == theirs.keys()
        assert ours["j"] == theirs["j"]
        assert ours.get("theta") == theirs.get("theta")
        for level, right in zip(ours["levels"], theirs["levels"], strict=True):
            assert level.dtype == np.float32
            np.testing.assert_allclose(level, right, atol=1e-6)


def test_order_of_maps_is_kymatios():
    transform = frontend.ScatteringTorch2D(3, (8, 8), L=3, out_type="list")
    expected = transform(torch.zeros(8, 8))
    table = ScatteringFeatures(J=3, L=3).fit([noise((8, 8))]).feature_table()
    assert len(table) == len(expected)
    for row, each in zip(table.itertuples(), expected, strict=True):
        assert row.order == len(each["j"])
        assert (row.j1, row.j2)[: row.order] == each["j"]
        assert (row.theta1, row.theta2)[: row.order] == each["theta"]


@pytest.mark.parametrize("j", [0, 1])
@pytest.mark.parametrize("L", [4, 5, 8])
def test_gratings_find_their_maps(j, L):
    keep = {"max_order": 1, "select": lambda m: m.order == 1}
    table = ScatteringFeatures(L=L, **keep).fit([noise((5, 5))]).feature_table()
    np.testing.assert_allclose(np.diff(sorted(table["angle1"].unique())), 180 / L)
    for angle in table["angle1"].unique():
        image = grating((60, 60), angle, 8 / 3 * 2**j)
        mean = scatter(image, L=L, **keep)[20:40, 20:40].mean(axis=(0, 1))
        best = table.iloc[mean.argmax()]
        assert (best["j1"], best["angle1"]) == (j, angle)


def test_second_order_finds_the_envelope():
    """Fine vertical stripes whose contrast changes slowly along columns."""
    rows = np.indices((80, 80))[0]
    stripes = grating((80, 80), 0, 8 / 3) - 0.5
    image = 0.5 + 0.5 * stripes * (1 + np.cos(2 * np.pi * rows / (8 / 3 * 4)))
    transformer = ScatteringFeatures(J=3, L=4, select=lambda m: m.order == 2).fit([image])
    mean = transformer.transform([image])[0][30:50, 30:50].mean(axis=(0, 1))
    best = transformer.feature_table().iloc[mean.argmax()]
    assert (best["j1"], best["angle1"]) == (0, 0)
    assert (best["j2"], best["angle2"]) == (2, 90)


def test_names_and_table():
    transformer = ScatteringFeatures().fit([noise((5, 6, 3))])
    names = transformer.get_feature_names_out()
    assert names.dtype == object
    assert len(set(names)) == 243
    assert names[[0, 1, 16, 17, 80]].tolist() == [
        "R_order0",
        "R_order1_j0_theta0",
        "R_order1_j1_theta7",
        "R_order2_j0_theta0_j1_theta0",
        "R_order2_j0_theta7_j1_theta7",
    ]
    table = transformer.feature_table()
    assert table.columns.tolist() == [
        *("name", "channel", "order"),
        *("j1", "theta1", "angle1", "j2", "theta2", "angle2"),
    ]
    assert table["name"].tolist() == names.tolist()
    assert table["order"].value_counts().to_dict() == {2: 192, 1: 48, 0: 3}
    assert table["channel"].unique().tolist() == ["R", "G", "B"]
    assert table.loc[0, "j1":].isna().all()
    # kymatio's fourth angle is that of stripes along rows.
    assert table["angle1"][4] == 90
    assert table["theta1"].dtype == table["j2"].dtype == "Int64"


# Places -------------------------------------------------------------------------------------


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
        # A blurred step's area tells where it is; the edge is between two pixels.
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
        blurred = scatter(image, J=J, select=[0])[4, :, 0]
        middles.append(80 - blurred.sum() / blurred[-10] - edge)
    assert abs(np.mean(middles)) < 1e-3


def test_mirrored_images():
    image = grating((40, 44), 30, 60) * np.linspace(0, 1, 44)
    keep = {"select": [0]}
    found = scatter(image[:, ::-1], **keep)[:, ::-1]
    # At borders, mirroring makes corners, which are not interpolated well.
    inner = slice(4, -4)
    expected = scatter(image, **keep)
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


# Borders and sizes --------------------------------------------------------------------------


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
    monkeypatch.setattr(_scattering, "_LONGEST", 2048)
    np.testing.assert_allclose(cut, scatter(image, **keep), atol=3e-5)
    # Seams would be seen in a flat image.
    monkeypatch.undo()
    flat = scatter(np.full(shape, 0.5), **keep)
    np.testing.assert_allclose(flat, np.broadcast_to(flat[0, 0], flat.shape), atol=1e-6)


def test_windows_are_few_and_cover_the_axis():
    for J, L in [(1, 8), (2, 8), (3, 8), (5, 8), (2, 16)]:
        halo = _scattering._halo(J, L)
        step = 2**J
        assert halo % step == 0
        lengths = set()
        for size in range(1, 3000, 7):
            n_values, n_windows, each, length = _scattering._windows(size, J, halo)
            assert (n_values - 2) * step + step // 2 >= size - 1
            assert (n_values - 2) * step + step // 2 - step < size - 1 or n_values == 2
            assert n_windows * each >= n_values > (n_windows - 1) * each
            assert length % 64 == 0
            assert length >= (each - 1) * step + 1 + 2 * halo
            lengths.add(length)
        assert max(lengths) <= max(640, 4 * halo + 64)
        assert len(lengths) <= max(10, halo // 8)


def test_several_sizes_in_one_call():
    images = [noise((20, 31, 3)), noise((90, 30, 3), 1), noise((20, 31, 3), 2)]
    features = ScatteringFeatures(J=1).fit_transform(images)
    for found, image in zip(features, images, strict=True):
        np.testing.assert_array_equal(found, scatter(image, J=1))


# Values -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [bool, "uint8", "uint16", "uint32", "float64", "float16"])
def test_dtypes(dtype):
    dtype = np.dtype(dtype)
    image = np.random.default_rng(0).random((30, 31, 3))
    if dtype.kind == "u":
        image = (image * np.iinfo(dtype).max).astype(dtype)
        scaled = image / np.iinfo(dtype).max
    else:
        image = (image > 0.5) if dtype.kind == "b" else image.astype(dtype)
        scaled = image
    found = scatter(image, J=1)
    np.testing.assert_array_equal(found, scatter(scaled.astype(np.float32), J=1))
    assert 0.2 < found[..., 0].mean() < 0.8


def test_homogeneous():
    image = np.random.default_rng(0).normal(size=(30, 31))
    np.testing.assert_allclose(scatter(-8 * image)[..., 1:], 8 * scatter(image)[..., 1:])


def test_read_only_and_strided_images():
    image = noise((60, 62, 3))
    image.setflags(write=False)
    view = image[::2, ::-1]
    np.testing.assert_array_equal(scatter(view, J=1), scatter(view.copy(), J=1))


def test_lightness():
    image = noise((30, 25, 3))
    transformer = ScatteringFeatures(channels="lightness", J=1).fit([image])
    found = transformer.transform([image])[0]
    lab = LabFeatures().fit_transform([image])[0]
    np.testing.assert_array_equal(found, scatter(lab[..., 0] / np.float32(100), J=1))
    assert transformer.get_feature_names_out()[:2].tolist() == ["L_order0", "L_order1_j0_theta0"]
    moved = ScatteringFeatures(channels="lightness", J=1, channel_axis=0)
    np.testing.assert_array_equal(moved.fit_transform([np.moveaxis(image, -1, 0)])[0], found)
    assert scatter(image[..., 0], J=1, channels="lightness").shape == (30, 25, 9)


# select -------------------------------------------------------------------------------------


def test_select():
    image = noise((20, 23, 3))
    every = ScatteringFeatures().fit([image])
    names = every.get_feature_names_out()
    features = every.transform([image])[0]
    chosen = [100, 3, 0, 242, 162, 161]
    mask = np.zeros(243, bool)
    mask[chosen] = True
    for select, expected in [
        (chosen, chosen),
        (np.array(chosen, np.uint8), chosen),
        (tuple(names[chosen].tolist()), chosen),
        (names[chosen], chosen),
        (mask, sorted(chosen)),
        (mask.tolist(), sorted(chosen)),
        (lambda m: m.name in names[chosen], sorted(chosen)),
        (lambda m: m.channel == "G" and m.order == 1, list(range(82, 98))),
        (lambda m: m.order == 0, [0, 81, 162]),
        (lambda m: m.order == 2 and m.angle1 == 90 and m.angle2 == 90, [17 + 27, 125, 206]),
        (["B_order0"], [162]),
    ]:
        transformer = ScatteringFeatures(select=select).fit([image])
        found = transformer.transform([image])[0]
        assert transformer.get_feature_names_out().tolist() == names[expected].tolist()
        assert transformer.feature_table()["name"].tolist() == names[expected].tolist()
        np.testing.assert_array_equal(found, features[..., expected])


def test_order_two_is_left_out_where_nobody_wants_it():
    image = noise((40, 40))
    both, one = scatter(image), scatter(image, max_order=1)
    np.testing.assert_array_equal(both[..., :17], one)


@pytest.mark.parametrize(
    ("select", "message"),
    [
        ([], "select: found no map, expected at least one of the 81"),
        (lambda m: False, "select: found no map, expected at least one of the 81"),
        ([False] * 81, "select: found no map"),
        ([True] * 80, "select: found a mask of 80 entries, expected 81"),
        ([0, 81], "select: found index 81, expected 0 to 80, for there are 81 maps"),
        ([-1], "select: found index -1, expected 0 to 80"),
        ([3, 4, 3], "select: found 'grey_order1_j0_theta2' twice, expected each map once"),
        (["grey_order0", "R_order0"], "select: found 'R_order0', expected names of maps, from"),
        ("grey_order0", "'select' parameter of ScatteringFeatures must be"),
        ([1.0], r"select: found \[1.0\], expected names, indices or a mask"),
        ([[1, 2]], r"select: found \[\[1, 2\]\], expected names, indices"),
        ([[1, 2], [3]], r"select: found \[\[1, 2\], \[3\]\], expected names, indices"),
        ([None], "select: found None, expected names of maps"),
        (3, "'select' parameter of ScatteringFeatures must be"),
    ],
)
def test_wrong_select(select, message):
    transformer = ScatteringFeatures(select=select)
    with pytest.raises(ValueError, match=message):
        transformer.fit([noise((9, 9))])
    with pytest.raises(NotFittedError):
        transformer.transform([noise((9, 9))])


# Errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"J": 0}, "'J' parameter of ScatteringFeatures must be"),
        ({"J": 2.0}, "'J' parameter of ScatteringFeatures must be"),
        ({"L": 0}, "'L' parameter of ScatteringFeatures must be"),
        ({"max_order": 3}, "'max_order' parameter of ScatteringFeatures must be"),
        ({"max_order": 0}, "'max_order' parameter of ScatteringFeatures must be"),
        ({"channels": "R"}, "'channels' parameter of ScatteringFeatures must be"),
        ({"upsample": "cubic"}, "'upsample' parameter of ScatteringFeatures must be"),
        ({"memory": 3}, "'memory' parameter of ScatteringFeatures must be"),
        ({"device": "abacus"}, "device: found 'abacus', expected a device of torch"),
        ({"device": None}, "device: found None, expected a device of torch"),
        ({"device": "cuda:99"}, "device: found 'cuda:99', expected one that torch can use"),
    ],
)
def test_wrong_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        ScatteringFeatures(**params).fit([noise((9, 9))])


def test_wrong_images():
    good = noise((9, 9, 3))
    transformer = ScatteringFeatures(J=1).fit([good])
    for image, error, message in [
        (noise((9, 9, 3, 3)), ValueError, r"image 1: found a volume of shape \(9, 9, 3, 3\)"),
        (good.astype(int), ValueError, "image 1: found dtype int64, expected bool, unsigned int"),
        (good * np.nan, ValueError, "image 1: found NaN or infinity at 81 pixels"),
        (good * 1e20, ValueError, "image 1: found values up to .*e.22, expected at most 1e.15"),
        (good[..., :2], ValueError, "image 1: found 2 channels, expected 3"),
        (good[0, 0], ValueError, r"image 1: found shape \(3,\)"),
    ]:
        features = transformer.transform([good, image])
        features[0]
        with pytest.raises(error, match=message):
            features[1]
    with pytest.raises(ValueError, match="image 0: found a volume"):
        ScatteringFeatures().fit([noise((9, 9, 3, 3))])
    with pytest.raises(ValueError, match=r"image 0: found 4 channels, expected 1 .* CIELAB"):
        ScatteringFeatures(channels="lightness").fit([noise((9, 9, 4))])
    with pytest.raises(ValueError, match="looks like a single image"):
        ScatteringFeatures().fit(good)
    with pytest.raises(NotFittedError):
        ScatteringFeatures().feature_table()
    with pytest.raises(NotFittedError):
        ScatteringFeatures().get_feature_names_out()


@pytest.mark.parametrize("missing", ["torch", "kymatio.scattering2d.backend.torch_backend"])
def test_without_what_it_needs(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match="needs torch and kymatio: pip install torch kymatio"):
        ScatteringFeatures().fit([noise((9, 9))])


# State --------------------------------------------------------------------------------------


def test_new_parameters_wait_for_fit_and_then_count():
    image = noise((24, 25))
    transformer = ScatteringFeatures(J=2, L=4).fit([image])
    before = transformer.transform([image])[0]
    transformer.set_params(J=3, L=8, upsample="nearest", select=[0], channels="lightness")
    np.testing.assert_array_equal(transformer.transform([image])[0], before)
    assert len(transformer.get_feature_names_out()) == 25
    found = transformer.fit_transform([image])[0]
    expected = scatter(image, J=3, upsample="nearest", select=[0], channels="lightness")
    np.testing.assert_array_equal(found, expected)
    # Same shape of window, other filters
    maps = scatter(image, J=2, L=8)[..., 1:5], scatter(image, J=2, L=4)[..., 1:5]
    assert np.abs(maps[0] - maps[1]).max() > 0.01


def test_pickles_are_small_and_the_same():
    image = noise((100, 90, 3))
    transformer = ScatteringFeatures().fit([image])
    expected = transformer.transform([image])[0]
    data = pickle.dumps(transformer)
    assert len(data) < 5000
    _scattering._build_filter_bank.cache_clear()
    np.testing.assert_array_equal(pickle.loads(data).transform([image])[0], expected)


def test_clone():
    select = ["grey_order0"]
    transformer = ScatteringFeatures(J=3, select=select, device=torch.device("cpu"))
    image = noise((9, 9))
    copied = clone(transformer.fit([image]))
    assert repr(copied) == repr(transformer)
    with pytest.raises(NotFittedError):
        copied.transform([image])
    np.testing.assert_array_equal(
        copied.fit_transform([image])[0], transformer.transform([image])[0]
    )


def test_filters_are_built_once(monkeypatch):
    calls = []
    build = _scattering._filters
    monkeypatch.setattr(_scattering, "_filters", lambda *a: calls.append(a) or build(*a))
    _scattering._build_filter_bank.cache_clear()
    images = [noise((20 + i, 30)) for i in range(8)]
    features = ScatteringFeatures(J=2, L=4).fit_transform(images)
    expected = list(features)
    assert calls == [(64, 128, 2, 4)] or len(calls) == 1
    _scattering._build_filter_bank.cache_clear()
    calls.clear()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(features.__getitem__, range(8)))
    assert len(calls) == 1
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    # Orders share filters.
    scatter(images[0], J=2, L=4, max_order=1)
    assert len(calls) == 1
    assert _scattering._build_filter_bank.cache_info().maxsize <= 16


def test_threads_of_torch_change_nothing():
    image = noise((120, 97))
    expected = scatter(image)
    try:
        torch.set_num_threads(2)
        np.testing.assert_array_equal(scatter(image), expected)
    finally:
        torch.set_num_threads(1)


def test_state_of_torch_changes_nothing():
    image = noise((20, 21))
    expected = scatter(image)
    random_state = torch.get_rng_state()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.enable_grad():
            found = scatter(image)
    finally:
        torch.set_default_dtype(torch.float32)
    np.testing.assert_array_equal(found, expected)
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.is_grad_enabled()


def test_memory(tmp_path, monkeypatch):
    calls = []
    compute = _scattering._scatter
    monkeypatch.setattr(_scattering, "_scatter", lambda *a: calls.append(a) or compute(*a))
    images = [noise((20, 21)), noise((9, 10), 1)]

    def cached(**params):
        return list(ScatteringFeatures(memory=tmp_path, L=4, **params).fit_transform(images))

    expected = list(ScatteringFeatures(L=4).fit_transform(images))
    calls.clear()
    for params in ({}, {}, {"device": torch.device("cpu")}, {"select": range(25)}):
        for found, right in zip(cached(**params), expected, strict=True):
            np.testing.assert_array_equal(found, right)
    assert len(calls) == 2
    first = cached(select=lambda m: m.order < 2)
    np.testing.assert_array_equal(first[0], expected[0][..., :9])
    assert len(calls) == 4
    # the same maps
    cached(select=list(range(9)))
    assert len(calls) == 4
    for params in ({"upsample": "nearest"}, {"J": 1}, {"channels": "lightness"}, {"select": [1]}):
        cached(**params)
    assert len(calls) == 12
    # What was set after fitting does not get into the cache.
    transformer = ScatteringFeatures(memory=tmp_path, L=4).fit(images)
    transformer.set_params(upsample="nearest", J=1)
    np.testing.assert_array_equal(transformer.transform(images)[0], expected[0])
    assert len(calls) == 12


def test_in_slic():
    half = np.where(np.arange(48) < 23, grating((48, 48), 0, 4), grating((48, 48), 90, 4))
    union = ChannelUnion(
        [("lab", LabFeatures()), ("scattering", ScatteringFeatures(max_order=1))],
        transformer_weights={"lab": 0, "scattering": 300},
    )
    slic = SLIC(superpixel_size=12, features=union, compactness=5)
    images = [half, half.T.copy()]
    superpixels = slic.fit_transform(images)
    # Superpixels keep to their texture, which has the same mean on both sides.
    across = [np.unique(part[16:32]) for part in (superpixels[0][:, :20], superpixels[0][:, 26:])]
    assert not np.intersect1d(*across).size
    for one, other in zip(
        pickle.loads(pickle.dumps(slic)).transform(images), superpixels, strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_in_a_fresh_process():
    """Torch comes when it is needed, and nothing warns."""
    code = (
        "import sys\n"
        "import numpy as np\n"
        "import sksuperpixel, sksuperpixel.features\n"
        "assert 'ScatteringFeatures' in sksuperpixel.features.__all__\n"
        "scattering = sksuperpixel.features.ScatteringFeatures(J=1)\n"
        "print(sorted({'torch', 'kymatio'} & set(sys.modules)))\n"
        "print(scattering.fit_transform([np.eye(9)])[0].shape)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.stdout.splitlines(), done.stderr) == (["[]", "(9, 9, 9)"], "")


def test_cuda():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    image = noise((50, 60, 3))
    np.testing.assert_allclose(scatter(image, device="cuda"), scatter(image), atol=1e-5)
