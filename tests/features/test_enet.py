import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sksuperpixel import SLIC, LazySequence
from sksuperpixel.datasets import make_texture_mosaics

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

from sksuperpixel.features import ENetFeatures  # noqa: E402
from sksuperpixel.features._enet_network import (  # noqa: E402
    BLOCKS,
    LAYERS,
    Bottleneck,
    ENet,
    class_weights,
)
from sksuperpixel.features._network_training import draw_crop, interpolate  # noqa: E402

N_MAPS = {"initial": 16, "fullconv": 11} | {name: n_maps for name, _, n_maps, _ in BLOCKS}


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def enet(image, layer="initial", **params):
    return ENetFeatures(layer, **params).fit_transform([image])[0]


def random_enet(**params):
    return ENetFeatures(**{"weights": None, "random_state": 0} | params)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Networks this small only wait for each other on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def textures():
    """Mosaics whose labels are classes: which texture a pixel is of, and its tint."""
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


def trained(data, **params):
    settings = {
        "weights": None,
        "train": True,
        "max_epochs": 2,
        "batch_size": 3,
        "crop_size": 32,
        "learning_rate": 5e-3,
        "random_state": 0,
    }
    return ENetFeatures(**(settings | params)).fit(*data)


def assert_same_weights(first, second):
    first, second = first.network_.state_dict(), second.network_.state_dict()
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def same_weights(first, second):
    pairs = zip(first.network_.parameters(), second.network_.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


# The network --------------------------------------------------------------------------------


def test_number_of_parameters():
    # The paper says 0.37 million, for the 12 classes of its CamVid or the 19 of Cityscapes.
    for n_classes in (12, 19):
        n_parameters = sum(p.numel() for p in ENet(n_classes).parameters())
        assert 0.36e6 < n_parameters < 0.375e6


def test_layers_are_those_of_the_paper():
    # Table 1, for an image of 512 x 512; here an eighth of that.
    shapes = {"initial": (16, 32), "fullconv": (7, 64)}
    for section, n_blocks, n_maps, size in [
        (1, range(5), 64, 16),
        (2, range(9), 128, 8),
        (3, range(1, 9), 128, 8),
        (4, range(3), 64, 16),
        (5, range(2), 16, 32),
    ]:
        shapes |= {f"bottleneck{section}.{i}": (n_maps, size) for i in n_blocks}
    assert sorted(shapes) == sorted(LAYERS)
    network = ENet(7).eval()
    with torch.no_grad():
        for layer in LAYERS:
            n_maps, size = shapes[layer]
            assert network(torch.rand(2, 3, 64, 64), layer).shape == (2, n_maps, size, size)


def test_kernels_are_those_of_the_paper():
    blocks = ENet(7).blocks
    for section in (2, 3):
        for i, dilation in [(1, 1), (2, 2), (4, 4), (5, 1), (6, 8), (8, 16)]:
            convolution = blocks[f"bottleneck{section}_{i}"].branch[3]
            assert convolution.dilation == (dilation, dilation)
            assert convolution.kernel_size == (3, 3)
        for i in (3, 7):
            branch = blocks[f"bottleneck{section}_{i}"].branch
            assert [branch[3].kernel_size, branch[4].kernel_size] == [(5, 1), (1, 5)]
    shares = {name: block.branch[-1].p for name, block in blocks.items()}
    assert {share for name, share in shares.items() if "k1" in name} == {0.01}
    assert {share for name, share in shares.items() if "k1" not in name} == {0.1}


def test_unpooling_puts_maxima_back():
    down = Bottleneck(8, 16, "down", None, 0.0).eval()
    up = Bottleneck(16, 8, "up", None, 0.0).eval()
    with torch.no_grad():
        # Branches that add nothing, and a way past them that keeps the first maps.
        for block in (down, up):
            block.branch[-2].weight.zero_()
            block.activation.weight.fill_(1)
        up.skip[0].weight.copy_(torch.eye(8, 16)[..., None, None])
        x = torch.rand(1, 8, 6, 10)
        pooled, positions = down(x)
        back, _ = up(pooled, positions)
    assert pooled.shape == (1, 16, 3, 5)
    assert (pooled[:, 8:] == 0).all()
    blocks = x.reshape(1, 8, 3, 2, 5, 2)
    largest = (blocks == blocks.amax(dim=(3, 5), keepdim=True)).reshape(x.shape)
    np.testing.assert_allclose(back, torch.where(largest, x, 0), rtol=1e-4)


# Features -----------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", LAYERS)
def test_shapes_of_all_layers(layer):
    estimator = random_enet(layer=layer).fit([noise(29, 38, 3)])
    features = estimator.transform([noise(29, 38, 3)])[0]
    assert features.dtype == np.float32
    assert features.shape == (29, 38, N_MAPS[layer])
    assert np.isfinite(features).all()
    names = estimator.get_feature_names_out()
    assert names[0] == f"{layer}_0"
    assert len(set(names)) == N_MAPS[layer]


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (2, 3), (7, 8), (8, 7), (16, 24), (33, 31)])
def test_any_size(shape):
    image = noise(*shape, 3)
    for layer in ("initial", "bottleneck2.0", "fullconv"):
        features = enet(image, layer)
        assert features.shape == (*shape, N_MAPS[layer])
        assert np.isfinite(features).all()


def test_kinds_of_images():
    image = noise(20, 26, 3)
    expected = enet(image)
    np.testing.assert_allclose(enet(image / 255), expected, atol=1e-5)
    np.testing.assert_allclose(enet(image.astype(np.uint16) * 257), expected, atol=1e-5)
    moved = enet(np.moveaxis(image, -1, 0), channel_axis=0)
    np.testing.assert_array_equal(moved, expected)
    grey = image[..., 0]
    expected = enet(np.repeat(grey[..., np.newaxis], 3, axis=-1))
    np.testing.assert_array_equal(enet(grey), expected)
    np.testing.assert_array_equal(enet(grey, channel_axis=None), expected)
    volume = enet(np.stack([grey, grey[::-1]]), channel_axis=None)
    assert volume.shape == (2, 20, 26, 16)
    np.testing.assert_array_equal(volume[0], expected)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (noise(9, 9, 4), "image 0: found 4 channels, expected 1 .grey. or 3"),
        (noise(9, 9, 3).astype(int), "image 0: found dtype int64"),
        (noise(9, 9, 3) * 1.0, r"image 0: found float64 values in \[.*expected floats in \[0, 1"),
        (np.full((9, 9, 3), np.nan), "image 0: found NaN"),
    ],
)
def test_bad_images(image, message):
    with pytest.raises(ValueError, match=message):
        enet(image)


def test_maps_lie_where_they_belong():
    # Convolutions that pass the pixel in their middle on, so that maps are the image.
    estimator = random_enet().fit([noise(8, 8, 3)])
    with torch.no_grad():
        weight = estimator.network_.initial.convolution.weight.zero_()
        weight[:, 0, 1, 1] = 1
        estimator.network_.initial.finish[1].weight.fill_(1)
    ramp = np.linspace(0, 1, 41)
    inside = slice(2, -2)
    for axis in (0, 1):
        for values in (ramp, ramp[::-1]):
            image = np.broadcast_to(np.expand_dims(values, [1 - axis, 2]), (41, 41, 3))
            features = estimator.transform([image])[0]
            maps = np.moveaxis(features, axis, 0)[inside] * 0.25 + 0.5
            expected = values[inside, np.newaxis]
            np.testing.assert_allclose(maps[:, 20, :13], np.tile(expected, 13), atol=1e-4)
            # The largest of two pixels is half a step above the middle of both.
            pooled = np.tile(expected + (ramp[1] - ramp[0]) / 2, 3)
            np.testing.assert_allclose(maps[:, 20, 13:], pooled, atol=1e-4)


def edge_position(features, axis):
    """Where the features change along an axis: the mean, weighted by how much they do."""
    change = np.abs(np.diff(features, axis=axis)).sum(axis=-1)
    change = change.sum(axis=1 - axis)
    return (change * (np.arange(len(change)) + 0.5)).sum() / change.sum()


@pytest.mark.parametrize("axis", [0, 1])
def test_step_edge_stays_in_place(axis):
    estimator = ENetFeatures().fit([noise(8, 8, 3)])
    errors = []
    for position in (20, 21, 22, 23):
        image = np.zeros((45, 45, 3))
        np.moveaxis(image, axis, 0)[position:] = 1
        for turned in (image, 1 - image):
            features = estimator.transform([turned])[0]
            errors.append(edge_position(features, axis) - (position - 0.5))
    assert np.abs(errors).max() < 0.75
    assert abs(np.mean(errors)) < 0.25


def test_no_edges_at_the_border():
    features = enet(np.full((21, 30, 3), 0.3))
    assert np.ptp(features, axis=(0, 1)).max() < 1e-5


def test_locality():
    # The initial block sees a pixel's neighbours only, so tiles of even origin fit together.
    image = noise(40, 60, 3)
    whole, tile = enet(image), enet(image[10:, 20:])
    np.testing.assert_allclose(tile[4:, 4:], whole[14:, 24:], atol=1e-5)


def test_threads_do_not_matter():
    images = [noise(60, 80, 3, seed=i) for i in range(2)]
    before = torch.get_num_threads()
    results = []
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            estimator = ENetFeatures("bottleneck2.1").fit(images)
            results.append(estimator.transform(images)[1])
    finally:
        torch.set_num_threads(before)
    np.testing.assert_allclose(results[1], results[0], atol=1e-4)
    slic = SLIC(superpixel_size=8, features=ENetFeatures(), compactness=2.0)
    expected = slic.fit_transform(images)
    threaded = clone(slic).set_params(n_jobs=2).fit_transform(images)
    np.testing.assert_array_equal(threaded, expected)


def test_memory(tmp_path):
    image = noise(20, 30, 3)
    estimator = ENetFeatures(memory=tmp_path).fit([image])
    first = estimator.transform([image])[0]
    np.testing.assert_array_equal(first, enet(image))
    np.testing.assert_array_equal(estimator.transform([image])[0], first)
    # Other weights are not taken for these.
    other = enet(image, weights=None, random_state=0, memory=tmp_path)
    assert np.abs(other - first).max() > 0.01


def test_in_a_pipeline(textures):
    images, classes = textures
    pipeline = make_pipeline(ENetFeatures(), SLIC(superpixel_size=8, features="passthrough"))
    superpixels = pipeline.fit(images, classes).transform(images)
    assert superpixels[0].shape == images[0].shape[:2]
    # It was given y, but not asked to train.
    assert len(pipeline[0].losses_) == 0


def test_pickle():
    image = noise(20, 30, 3)
    estimator = random_enet().fit([image])
    again = pickle.loads(pickle.dumps(estimator))
    assert_same_weights(again, estimator)
    np.testing.assert_array_equal(again.transform([image])[0], estimator.transform([image])[0])
    assert next(again.network_.parameters()).device.type == "cpu"


def test_not_fitted(tmp_path):
    for call in (
        lambda e: e.transform([noise(8, 8, 3)]),
        lambda e: e.save_weights(tmp_path / "w"),
        lambda e: e.get_feature_names_out(),
    ):
        with pytest.raises(NotFittedError):
            call(ENetFeatures())


def test_torch_is_imported_late():
    code = (
        "import sys, sksuperpixel, sksuperpixel.features as features\n"
        "assert 'torch' not in sys.modules\n"
        "assert 'ENetFeatures' in features.__all__\n"
        "assert not hasattr(features, 'NoSuchFeatures')\n"
        "features.ENetFeatures\n"
        "assert 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("missing", ["torch", "safetensors"])
def test_what_is_missing_is_said(missing):
    code = (
        "import sys, sksuperpixel.features\n"
        f"sys.modules[{missing!r}] = None\n"
        "try:\n"
        "    sksuperpixel.features.ENetFeatures\n"
        "except ImportError as error:\n"
        "    assert 'pip install torch safetensors' in str(error)\n"
        "else:\n"
        "    raise AssertionError"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Weights ------------------------------------------------------------------------------------


def test_shipped_weights():
    estimator = ENetFeatures().fit([noise(8, 8, 3)])
    assert estimator.n_classes_ == 11
    again = ENetFeatures(random_state=1).fit([noise(8, 8, 3)])
    assert_same_weights(again, estimator)


def test_random_weights():
    first, again, other = (random_enet(random_state=i).fit([noise(8, 8, 3)]) for i in (0, 0, 1))
    assert_same_weights(again, first)
    assert not same_weights(other, first)
    assert random_enet(n_classes=5).fit([noise(8, 8, 3)]).n_classes_ == 5


def test_weights_on_disk(tmp_path):
    image = noise(20, 30, 3)
    estimator = random_enet(layer="fullconv", n_classes=4).fit([image])
    path = tmp_path / "enet.safetensors"
    estimator.save_weights(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    for weights in (path, str(path)):
        again = ENetFeatures("fullconv", weights=weights).fit([image])
        assert again.n_classes_ == 4
        assert_same_weights(again, estimator)
        np.testing.assert_array_equal(again.transform([image])[0], estimator.transform([image])[0])
    assert path.stat().st_size < 1.6e6


def test_bad_weights(tmp_path):
    path = tmp_path / "enet.safetensors"

    def check(message, error=ValueError, **params):
        with pytest.raises(error, match=message):
            ENetFeatures(weights=path, **params).fit([noise(8, 8, 3)])

    check("weights: found no file", FileNotFoundError)
    random_enet().fit([noise(8, 8, 3)]).save_weights(path)
    whole = path.read_bytes()
    for content in (whole[:-100], whole[:1000], b"", b"not a network" * 10):
        path.write_bytes(content)
        check(f"weights: {path} could not be read as a safetensors file")
    path.write_bytes(whole)
    check("n_classes: found 5, but the weights have 11", n_classes=5)

    right = safetensors_torch.load_file(path)
    name = "blocks.bottleneck1_0.branch.0.weight"
    shape = r"float32 of shape \(16, 16, 2, 2\)"
    for tensor, found in [
        (torch.zeros(16, 3, 2, 2), r"float32 of shape \(16, 3, 2, 2\)"),
        (right[name].half(), r"float16 of shape \(16, 16, 2, 2\)"),
        (None, "nothing"),
    ]:
        wrong = right | {name: tensor}
        if tensor is None:
            del wrong[name]
        safetensors_torch.save_file(wrong, path)
        check(f"tensor {name}: found {found}, expected {shape}")
    safetensors_torch.save_file(right | {"more": torch.zeros(2)}, path)
    check(r"tensor more: found float32 of shape \(2,\), expected nothing")
    safetensors_torch.save_file(right | {name: right[name] * np.inf}, path)
    check(f"tensor {name}: found NaN or infinity")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"layer": "first"}, "layer: found 'first', expected one of initial, bottleneck1.0, "),
        ({"device": "abacus"}, "device: found 'abacus'"),
        ({"crop_size": 30}, "crop_size: found 30, expected a multiple of 8"),
        ({"crop_size": (32, 32, 32)}, "crop_size: found"),
        ({"crop_size": ("a", 32)}, "crop_size: found"),
        ({"scale_range": (2, 1)}, "scale_range: found"),
        ({"scale_range": (0, 1)}, "scale_range: found"),
        ({"scale_range": (1, 1, 1)}, "scale_range: found"),
        ({"train": True}, "y: found None"),
    ],
)
def test_bad_parameters(params, message):
    estimator = ENetFeatures(**params)
    with pytest.raises(ValueError, match=message):
        estimator.fit([noise(8, 8, 3)])
    assert not hasattr(estimator, "n_channels_in_")


# Training -----------------------------------------------------------------------------------


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


def test_weights_of_classes():
    # The paper bounds them by 1 and 50.
    rare, common = class_weights(np.array([0, 10**9]))
    assert rare == pytest.approx(50, rel=0.02)
    assert common == pytest.approx(1.42, rel=0.01)


def test_training_lowers_the_loss_and_learns(textures):
    estimator = trained(
        textures, max_epochs=15, layer="fullconv", batch_size=2, learning_rate=2e-2
    )
    assert estimator.losses_.shape == (15,)
    assert estimator.losses_[-3:].mean() < 0.75 * estimator.losses_[:3].mean()
    assert estimator.n_classes_ == 3
    assert not estimator.network_.training
    images, classes = textures
    right = [
        (scores.argmax(axis=-1) == labels).mean()
        for scores, labels in zip(estimator.transform(images), classes, strict=True)
    ]
    assert np.mean(right) > 0.6


def test_training_is_deterministic_and_keeps_torchs_generator(textures):
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    first = trained(textures)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(3)
    lazy = tuple(LazySequence(each.__getitem__, range(len(each))) for each in textures)
    assert_same_weights(trained(lazy), first)
    assert not same_weights(trained(textures, random_state=1), first)


def test_ignored_pixels_teach_nothing(textures):
    images, classes = textures
    void = np.zeros(classes[0].shape, bool)
    void[:, 20:35] = True
    masked = [np.where(void, 255, labels) for labels in classes]
    first = trained((images, masked), ignore_label=255)
    assert first.n_classes_ == 3
    # Whatever the label's number
    other = [np.where(void, -7, labels) for labels in classes]
    assert_same_weights(trained((images, other), ignore_label=-7), first)
    assert not same_weights(trained(textures), first)


def test_ignored_pixels_have_no_gradient(textures):
    scores = torch.randn(1, 3, 4, 4, requires_grad=True)
    labels = torch.randint(0, 3, (1, 4, 4))
    labels[:, :2] = -1
    torch.nn.functional.cross_entropy(scores, labels, ignore_index=-1).backward()
    assert (scores.grad[:, :, :2] == 0).all()
    assert (scores.grad[:, :, 2:] != 0).all()
    # An image without labels takes part, and harms nothing.
    images, classes = textures
    without = [np.full_like(labels, 9) for labels in classes[:3]] + classes[3:]
    estimator = trained((images, without), ignore_label=9, batch_size=2)
    assert np.isfinite(estimator.losses_).all()


def test_annotators(textures):
    images, classes = textures
    one = [labels[np.newaxis] for labels in classes]
    several = [np.stack([labels, (labels + 1) % 3]) for labels in classes]
    assert trained((images, one)).n_classes_ == 3
    first, again = trained((images, several)), trained((images, several))
    assert_same_weights(first, again)


def test_fine_tuning(textures, tmp_path):
    start = random_enet(n_classes=7).fit(textures[0])
    path = tmp_path / "enet.safetensors"
    start.save_weights(path)
    settings = {"weights": path, "learning_rate": 1e-9, "max_epochs": 1, "weight_decay": 0}
    tuned = trained(textures, **settings)
    assert tuned.n_classes_ == 3
    first, second = (e.network_.initial.convolution.weight for e in (start, tuned))
    np.testing.assert_allclose(second.detach(), first.detach(), atol=1e-6)
    kept = trained(textures, **settings, n_classes=7)
    first, second = (e.network_.fullconv.weight for e in (start, kept))
    np.testing.assert_allclose(second.detach(), first.detach(), atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: [labels - 1 for labels in y], "y of image 0: found the label -1"),
        (lambda y: [*y[:2], y[2] + 4, *y[3:]], "y of image 2: found the label [456], expected 0"),
        (lambda y: [*y[:2], y[2][1:], *y[3:]], "y of image 2: found a segmentation of shape"),
        (lambda y: y[:2], "y: found 2 segmentations"),
        (lambda y: [np.full_like(labels, 255) for labels in y], "y: found no labelled pixel"),
    ],
)
def test_bad_segmentations(textures, change, message):
    images, classes = textures
    with pytest.raises(ValueError, match=message):
        trained((images, change(classes)), n_classes=3, ignore_label=255)


def test_what_is_outside_a_mask_is_not_learned_from(textures):
    images, classes = textures
    mask = np.zeros(classes[0].shape, bool)
    mask[:40, 10:] = True
    masks = [mask] * len(images)
    # Labels that are no class do not matter there.
    other = [np.where(mask[..., None], image, 7).astype(np.uint8) for image in images]
    renamed = [np.where(mask, each, -5) for each in classes]
    settings = {"weights": None, "train": True, "max_epochs": 1, "crop_size": 32}
    first, second, all_of_it = (
        ENetFeatures(**settings, random_state=0).fit(*data)
        for data in ((images, classes, masks), (other, renamed, masks), (images, classes))
    )
    assert_same_weights(first, second)
    assert not same_weights(first, all_of_it)


def test_bad_data_in_lazy_sequences(textures, tmp_path):
    images, classes = textures
    lazy = LazySequence(lambda i: classes[i] * (1.0 if i == 1 else 1), range(len(classes)))
    with pytest.raises(TypeError, match="y of image 1: found a segmentation of dtype float64"):
        trained((images, lazy))
    wrong = [*images[:4], images[4][..., :2], images[5]]
    with pytest.raises(ValueError, match="image 4: found 2 channels, expected 3"):
        trained((wrong, classes))
    with pytest.raises(FileNotFoundError, match="checkpoint: found no folder to write"):
        trained(textures, checkpoint=tmp_path / "none" / "enet")


class KilledError(Exception):
    pass


class KillAfter:
    """Callback: ends the training after some epochs, by an error or as callbacks may."""

    def __init__(self, n_epochs, kill=True):
        self.n_epochs = n_epochs
        self.kill = kill
        self.seen = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, metadata=None, fitted_estimator=None):
        if context.task_name != "epoch":
            return False
        self.seen.append((metadata["epoch"], fitted_estimator.transform([noise(8, 8, 3)])[0]))
        if len(self.seen) == self.n_epochs and self.kill:
            raise KilledError
        return len(self.seen) == self.n_epochs


def test_resuming_equals_not_stopping(textures, tmp_path):
    path = tmp_path / "enet.checkpoint"
    settings = {"max_epochs": 4, "checkpoint": path}
    expected = trained(textures, max_epochs=4)

    def start(n_epochs):
        estimator = clone(expected).set_params(**settings)
        return estimator.set_callbacks(KillAfter(n_epochs))

    for n_epochs in (1, 2):
        estimator = start(n_epochs)
        with pytest.raises(KilledError):
            estimator.fit(*textures)
        assert not hasattr(estimator, "network_")
    resumed = start(9).fit(*textures)
    assert [epoch for epoch, _ in resumed._skl_callbacks[0].seen] == [3]
    assert_same_weights(resumed, expected)
    np.testing.assert_array_equal(resumed.losses_, expected.losses_)
    # From where it ended there is nothing left to do.
    done = start(9).fit(*textures)
    assert done._skl_callbacks[0].seen == []
    assert_same_weights(done, expected)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]

    for params, message in [
        ({"max_epochs": 5}, "is of a training with max_epochs=4, expected max_epochs=5"),
        ({"random_state": 1}, "is of a training with seed="),
        ({"random_state": None}, "random_state: found None, expected an int with a checkpoint"),
    ]:
        with pytest.raises(ValueError, match=message):
            trained(textures, **(settings | params))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"checkpoint: .* could not be read"):
        trained(textures, **settings)


def test_callbacks(textures):
    callback = KillAfter(2, kill=False)
    estimator = ENetFeatures(
        weights=None, train=True, max_epochs=5, crop_size=16, batch_size=3, random_state=0
    )
    estimator.set_callbacks(callback).fit(*textures)
    assert [epoch for epoch, _ in callback.seen] == [0, 1]
    assert len(estimator.losses_) == 2
    # What a callback is given is the network of its epoch.
    first, last = (features for _, features in callback.seen)
    assert np.abs(last - first).max() > 0
    np.testing.assert_array_equal(estimator.transform([noise(8, 8, 3)])[0], last)


def test_inputs_are_not_changed(textures):
    images, classes = ([each.copy() for each in part] for part in textures)
    for each in images + classes:
        each.flags.writeable = False
    trained((images, classes), max_epochs=1, ignore_label=1)
    for each, before in zip(images + classes, textures[0] + textures[1], strict=True):
        np.testing.assert_array_equal(each, before)
