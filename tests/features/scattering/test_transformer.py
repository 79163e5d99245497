import pickle
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sksuperpixel import SLIC, ChannelUnion, LabFeatures, LazySequence
from sksuperpixel.features import ScatteringFeatures

torch = pytest.importorskip("torch")
pytest.importorskip("kymatio")

from sksuperpixel.features.scattering import filters  # noqa: E402
from sksuperpixel.features.scattering import transformer as module  # noqa: E402


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


@pytest.mark.parametrize("params", [{}, {"max_order": 1}, {"J": 3, "L": 4}, {"J": 1, "L": 1}])
def test_layout_of_features(params):
    image = noise((20, 27))
    transformer = ScatteringFeatures(**params).fit([image])
    features = transformer.transform([image])
    assert isinstance(features, LazySequence)
    n_maps = len(transformer.get_feature_names_out())
    assert len(transformer.feature_table()) == n_maps
    assert features[0].shape == (20, 27, n_maps)
    assert features[0].dtype == np.float32
    assert np.isfinite(features[0]).all()
    # Channel after channel in memory
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


def test_several_sizes_in_one_call():
    images = [noise((20, 31, 3)), noise((90, 30, 3), 1), noise((20, 31, 3), 2)]
    features = ScatteringFeatures(J=1).fit_transform(images)
    for found, image in zip(features, images, strict=True):
        np.testing.assert_array_equal(found, scatter(image, J=1))


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


def test_select():
    image = noise((20, 23, 3))
    every = ScatteringFeatures().fit([image])
    names = every.get_feature_names_out()
    features = every.transform([image])[0]
    for select, expected in [
        (names[[100, 3, 0, 242, 162, 161]], [100, 3, 0, 242, 162, 161]),
        (["B_order0"], [162]),
        (lambda m: m.channel == "G" and m.order == 1, list(range(82, 98))),
    ]:
        transformer = ScatteringFeatures(select=select).fit([image])
        found = transformer.transform([image])[0]
        assert transformer.get_feature_names_out().tolist() == names[expected].tolist()
        assert transformer.feature_table()["name"].tolist() == names[expected].tolist()
        np.testing.assert_array_equal(found, features[..., expected])


def test_order_two_is_left_out_if_it_is_not_wanted():
    image = noise((40, 40))
    both, one = scatter(image), scatter(image, max_order=1)
    np.testing.assert_array_equal(both[..., :17], one)


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
        ({"select": 3}, "'select' parameter of ScatteringFeatures must be"),
        ({"select": "grey_order0"}, "'select' parameter of ScatteringFeatures must be"),
        ({"select": ["grey"]}, "select: found 'grey', expected names of maps"),
        ({"data_range": (1, 0)}, r"data_range: found \(1, 0\), expected"),
        ({"device": "cuda:99"}, "device: found 'cuda:99', expected one that torch can use"),
    ],
)
def test_wrong_parameters(params, message):
    transformer = ScatteringFeatures(**params)
    with pytest.raises(ValueError, match=message):
        transformer.fit([noise((9, 9))])
    with pytest.raises(NotFittedError):
        transformer.transform([noise((9, 9))])


@pytest.mark.parametrize(("J", "L"), [(7, 8), (9, 1), (2, 128)])
def test_largest_filters(J, L):
    """These pairs are in the docstring."""
    ScatteringFeatures(J=J, L=L).fit([noise((9, 9, 3))])
    with pytest.raises(ValueError, match=f"J, L: found J={J + 1} and L={L}, whose filters would"):
        ScatteringFeatures(J=J + 1, L=L).fit([noise((9, 9, 3))])


def test_most_maps():
    image = noise((4, 4, 7))
    ScatteringFeatures(J=2, L=128).fit([image[..., :6]])
    with pytest.raises(ValueError, match="J, L: found J=2 and L=128, with which the image has"):
        ScatteringFeatures(J=2, L=128).fit([image])


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
    with pytest.raises(ValueError, match=r"image 0: found 4 channels, expected 1 .grey. or 3"):
        ScatteringFeatures(channels="lightness").fit([noise((9, 9, 4))])
    with pytest.raises(ValueError, match="looks like a single image"):
        ScatteringFeatures().fit(good)
    with pytest.raises(NotFittedError):
        ScatteringFeatures().feature_table()
    with pytest.raises(NotFittedError):
        ScatteringFeatures().get_feature_names_out()


@pytest.mark.parametrize("missing", ["torch", "kymatio"])
def test_without_what_it_needs(missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    message = (
        f"ScatteringFeatures needs torch and kymatio, but {missing} cannot be imported: pip "
        "install torch kymatio"
    )
    with pytest.raises(ImportError, match=message):
        ScatteringFeatures().fit([noise((9, 9))])


def test_new_parameters_wait_for_fit_and_then_count():
    image = noise((24, 25))
    transformer = ScatteringFeatures(J=2, L=4).fit([image])
    before = transformer.transform([image])[0]
    others = {"J": 3, "upsample": "nearest", "select": ["L_order0"], "channels": "lightness"}
    transformer.set_params(L=8, data_range=100, **others)
    np.testing.assert_array_equal(transformer.transform([image])[0], before)
    assert len(transformer.get_feature_names_out()) == 25
    found = transformer.set_params(data_range=None).fit_transform([image])[0]
    expected = scatter(image, **others)
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
    filters._build_filter_bank.cache_clear()
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
    compute = module.scatter
    monkeypatch.setattr(module, "scatter", lambda *a: calls.append(a) or compute(*a))
    images = [noise((20, 21)), noise((9, 10), 1)]

    def cached(**params):
        return list(ScatteringFeatures(memory=tmp_path, L=4, **params).fit_transform(images))

    expected = list(ScatteringFeatures(L=4).fit_transform(images))
    calls.clear()
    names = ScatteringFeatures(L=4).fit(images).get_feature_names_out()
    for params in ({}, {}, {"device": torch.device("cpu")}, {"select": names}):
        for found, right in zip(cached(**params), expected, strict=True):
            np.testing.assert_array_equal(found, right)
    assert len(calls) == 2
    first = cached(select=lambda m: m.order < 2)
    np.testing.assert_array_equal(first[0], expected[0][..., :9])
    assert len(calls) == 4
    # the same maps
    cached(select=names[:9].tolist())
    assert len(calls) == 4
    for params in (
        {"upsample": "nearest"},
        {"J": 1},
        {"channels": "lightness"},
        {"select": names[1:2]},
    ):
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


def test_cuda():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    image = noise((50, 60, 3))
    np.testing.assert_allclose(scatter(image, device="cuda"), scatter(image), atol=1e-5)
