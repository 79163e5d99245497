"""Images as users of other tools have them: each gives what its owner expects, or an error."""

import numpy as np
import pytest
import skimage.data
from scipy import ndimage
from skimage import graph
from skimage.measure import regionprops
from sklearn.pipeline import make_pipeline

from sksuperpixel import SLIC, ChannelUnion, LabFeatures, TrainableSLIC, slic
from sksuperpixel.features import LearnedFeatures, ScatteringFeatures
from sksuperpixel.metrics import explained_variation


def count(superpixels):
    return superpixels.max() + 1


# Masks and features that look around ---------------------------------------------------------


def bright_disc():
    """A disc of radius 55, uniform but for noise, on black, and the mask of the disc."""
    rows, columns = np.indices((128, 128)) - 63.5
    mask = rows**2 + columns**2 <= 55**2
    noise = np.random.default_rng(0).normal(200, 4, (128, 128, 3))
    return np.where(mask[..., np.newaxis], noise, 0).clip(0, 255).astype(np.uint8), mask


def n_slivers(superpixels):
    """Count superpixels that are nowhere thicker than four pixels."""
    inside = superpixels >= 0
    total = 0
    for label in range(superpixels.max() + 1):
        # The border of the mask does not make a superpixel thin.
        grown = (superpixels == label) | ~inside
        depth = ndimage.distance_transform_edt(np.pad(grown, 1, constant_values=True))[1:-1, 1:-1]
        total += depth[superpixels == label].max() <= 2
    return total


def learned():
    pytest.importorskip("torch")
    return LearnedFeatures(weights="bsds500", train=False, edges=True)


def scattering():
    pytest.importorskip("torch")
    return ChannelUnion(
        [("lab", LabFeatures()), ("texture", ScatteringFeatures(channels="lightness"))],
        transformer_weights={"texture": 100},
    )


@pytest.mark.parametrize(
    "make_features", [LabFeatures, lambda: LabFeatures(sigma=3), scattering, learned]
)
def test_the_rim_of_a_mask_is_no_edge(make_features):
    image, mask = bright_disc()
    slic = SLIC(n_segments=40, features=make_features())
    superpixels = slic.fit_transform([image], masks=[mask])[0]
    assert count(superpixels) == 40
    assert n_slivers(superpixels) <= 1


def test_the_pretrained_model_sees_no_edge_at_the_rim_of_a_mask():
    pytest.importorskip("torch")
    image, mask = bright_disc()
    model = TrainableSLIC.from_pretrained().set_params(n_segments=40)
    assert n_slivers(model.transform([image], masks=[mask])[0]) <= 1


# Thin stacks and strips ----------------------------------------------------------------------


@pytest.mark.parametrize("spacing", [(1, 1, 1), (2, 1, 1)])
def test_stacks_of_copies_have_the_superpixels_of_one(spacing):
    image = skimage.data.astronaut()[::2, ::2]
    one = count(SLIC(16).fit_transform([image])[0])
    for depth in (1, 2, 3, 4, 8, 16):
        stack = np.stack([image] * depth)
        found = count(SLIC(16, spacing=spacing).fit_transform([stack])[0])
        # Thicker than a step, there are several layers of them.
        n_layers = max(1, round(depth * spacing[0] / 16))
        assert found == pytest.approx(one * n_layers, rel=0.05), depth


@pytest.mark.parametrize(
    ("shape", "spacing", "n_cells"),
    [
        ((4, 48, 48), (10, 1, 1), 4 * 12 * 12),
        ((4, 48, 48), (1, 10, 10), 48 * 48),
        ((40, 60), (10, 1), 40 * 15),
    ],
)
def test_axes_of_pixels_longer_than_a_superpixel(shape, spacing, n_cells):
    noise = np.random.default_rng(0).random(shape)
    slic = SLIC(4, channel_axis=None, features="passthrough", spacing=spacing, min_size_factor=0)
    flat = slic.fit_transform([np.zeros(shape)])[0]
    assert count(flat) == n_cells
    everything = slic.transform([np.zeros(shape)], masks=[np.ones(shape, bool)])[0]
    assert count(everything) == n_cells
    # A cell counts the pixels that there are, so that single ones are small.
    slic.set_params(min_size_factor=1)
    sizes = np.bincount(slic.fit_transform([noise])[0].ravel())
    assert sizes.min() >= np.prod([max(4 / step, 1) for step in spacing]) / 16


def test_a_strip_has_superpixels():
    strip = skimage.data.astronaut()[100:103].repeat(4, axis=1)[:, :1600]
    assert count(SLIC(16).fit_transform([strip])[0]) == pytest.approx(100, abs=3)
    assert count(SLIC(16).fit_transform([strip.transpose(1, 0, 2)])[0]) == pytest.approx(
        100, abs=3
    )


@pytest.mark.parametrize("shape", [(2, 60, 60), (60, 3, 60), (1, 3, 400), (2, 2, 400)])
def test_numbers_of_thin_volumes_are_exact(shape):
    volume = ndimage.gaussian_filter(np.random.default_rng(0).random(shape), 1) * 100
    slic = SLIC(n_segments=30, channel_axis=None, features="passthrough")
    superpixels = slic.fit_transform([volume])[0]
    assert count(superpixels) == 30
    sizes = np.bincount(superpixels.ravel())
    assert sizes.min() > 1


# Ranges of numbers ---------------------------------------------------------------------------


def test_twelve_bits_in_sixteen():
    image = skimage.data.astronaut()[::2, ::2]
    scores = {}
    for name, pixels, data_range in (
        ("uint8", image, None),
        ("uint16", image.astype(np.uint16) * 257, None),
        ("12 bits", image.astype(np.uint16) * 16, 255 * 16),
        ("signed", image.astype(np.int16) - 1000, (-1000, -745)),
    ):
        slic = SLIC(n_segments=100, features=LabFeatures(data_range=data_range))
        scores[name] = explained_variation(image, slic.fit_transform([pixels])[0])
    assert all(score == pytest.approx(scores["uint8"], abs=0.002) for score in scores.values())


def test_a_range_that_is_plainly_not_used_is_told():
    image = skimage.data.astronaut()[:40, :40].astype(np.uint16) * 16
    with pytest.warns(
        UserWarning, match=r"image 0: found uint16 values up to \d+.*data_range=4095"
    ):
        SLIC().fit_transform([image])


def test_floats_a_rounding_above_one():
    image = skimage.data.astronaut()[:60, :60] / 255
    image[10:30, 10:30] = 1
    filtered = ndimage.uniform_filter(image, (5, 5, 1))
    above = np.where(filtered > 0.999, np.nextafter(1, 2), filtered)
    assert above.max() > 1
    expected = SLIC(8).fit_transform([np.minimum(above, 1)])[0]
    np.testing.assert_array_equal(SLIC(8).fit_transform([above])[0], expected)
    with pytest.raises(ValueError, match=r"image 0: found values from \S+ to 1\.001, expected"):
        SLIC(8).fit_transform([np.where(filtered > 0.999, 1.001, filtered)])


@pytest.mark.parametrize("offset", [1e8, -1e10])
@pytest.mark.parametrize("kind", ["passthrough", "union", "scattering"])
def test_structure_on_a_large_offset_is_seen(offset, kind):
    image = ndimage.gaussian_filter(np.random.default_rng(0).random((60, 60)), 3) * 100
    features = kind
    if kind == "union":
        features = ChannelUnion([("raw", "passthrough")], channel_axis=None)
    if kind == "scattering":
        pytest.importorskip("torch")
        features = ScatteringFeatures(J=1, max_order=1, channel_axis=None)
    options = {"channel_axis": None, "features": features, "n_segments": 30}
    one, other = (
        explained_variation(image, SLIC(**options).fit_transform([each])[0])
        for each in (image, image + offset)
    )
    assert one > 0.7
    assert other == pytest.approx(one, abs=0.01)


# What does not count -------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"n_segments": 12}, {"channel_weights": [1, 1, 1]}])
def test_masked_arrays_are_images_with_masks(params):
    image = skimage.data.astronaut()[:60, :80].astype(np.int32)
    mask = np.ones((60, 80), bool)
    mask[20:40, 30:] = False
    filled = np.where(mask[..., np.newaxis], image, -9999)
    slic = SLIC(10, features="passthrough", **params)
    expected = slic.fit([image]).transform([image], masks=[mask])[0]
    found = slic.fit_transform([np.ma.masked_equal(filled, -9999)])[0]
    np.testing.assert_array_equal(found, expected)
    assert (found[~mask] == -1).all()


def test_masked_arrays_keep_their_masks_in_a_pipeline():
    image = skimage.data.astronaut()[:60, :80] / 255
    mask = np.ones((60, 80), bool)
    mask[:, :30] = False
    masked = np.ma.masked_array(image, np.repeat(~mask[..., np.newaxis], 3, axis=-1))
    expected = SLIC(8).fit([masked]).transform([masked])[0]
    for features in (LabFeatures(), ChannelUnion([("lab", LabFeatures())])):
        pipeline = make_pipeline(features, SLIC(8, features="passthrough"))
        np.testing.assert_array_equal(pipeline.fit([masked]).transform([masked])[0], expected)


def test_a_dead_band_of_weight_zero():
    image = skimage.data.astronaut()[:60, :60].astype(np.float32)
    dead = image.copy()
    dead[..., 1] = np.nan
    slic = SLIC(8, features="passthrough", channel_weights=[1, 0, 2])
    np.testing.assert_array_equal(slic.fit_transform([dead])[0], slic.fit_transform([image])[0])
    union = ChannelUnion([("lab", LabFeatures()), ("raw", Dead())], transformer_weights={"raw": 0})
    found = SLIC(8, features=union).fit_transform([image / 255])[0]
    np.testing.assert_array_equal(found, SLIC(8).fit_transform([image / 255])[0])
    # A channel that counts is looked at.
    with pytest.raises(ValueError, match="image 0: found NaN or infinity at 3600 pixels"):
        slic.set_params(channel_weights=[1, 1e-9, 2]).fit_transform([dead])
    with pytest.raises(ValueError, match="image 0: found edges from nan to nan"):
        slic.set_params(channel_weights=[1, 0, 2], edge_channel=1, n_segments=9).fit_transform(
            [dead]
        )


class Dead(LabFeatures):
    """Features of a detector that does not work."""

    def _image_features(self, image):
        return np.full((*image.shape[:-1], 1), np.nan, np.float32)


def test_weights_of_zero_alone_leave_the_grid():
    image = np.full((32, 32, 1), np.nan)
    slic = SLIC(8, features="passthrough", channel_weights=[0])
    superpixels = slic.fit_transform([image])[0]
    np.testing.assert_array_equal(
        superpixels, SLIC(8, features="passthrough").fit_transform([np.zeros((32, 32, 1))])[0]
    )


# Other libraries -----------------------------------------------------------------------------


def test_palette_pictures_are_pictures():
    from PIL import Image

    image = skimage.data.astronaut()[:64, :64]
    palette = Image.fromarray(image).convert("P", palette=Image.Palette.ADAPTIVE)
    expected = SLIC(8).fit_transform([np.asarray(palette.convert("RGB"))])[0]
    np.testing.assert_array_equal(SLIC(8).fit_transform([palette])[0], expected)
    np.testing.assert_array_equal(slic(palette, 20), slic(palette.convert("RGB"), 20))
    with pytest.raises(ValueError, match="image 0: found a picture of 3 channels, expected a gre"):
        SLIC(8, channel_axis=None).fit_transform([palette])
    with pytest.raises(ValueError, match="found a picture of 3 channels, expected a grey one"):
        slic(palette, 20, channel_axis=None)


def test_a_bare_tensor_is_told():
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"found one array of shape \(512, 512, 3\), which looks"):
        SLIC().fit_transform(torch.zeros(512, 512, 3))


def test_labels_from_one_are_what_scikit_image_expects():
    image = skimage.data.astronaut()[:90, :90]
    mask = np.ones((90, 90), bool)
    mask[:, 60:] = False
    for masks in (None, [mask]):
        from_zero = SLIC(n_segments=20).fit_transform([image], masks=masks)[0]
        slic = SLIC(n_segments=20, start_label=1)
        from_one = slic.fit_transform([image], masks=masks)[0]
        assert from_one.dtype == np.int32
        np.testing.assert_array_equal(from_one, from_zero + 1)
        # regionprops leaves out the label 0, and with it what is outside the mask.
        assert len(regionprops(from_one)) == 20
        assert len(regionprops(from_zero)) == 19
    # No region of 0 joins others.
    rag = graph.rag_mean_color(image, from_one)
    cut = graph.cut_threshold(from_one, rag, 20)
    assert cut.shape == (90, 90)
    # Scores do not depend on the first label.
    truth = [(np.indices((90, 90))[1] // 25)]
    assert slic.score([image], truth, masks=[mask]) == SLIC(n_segments=20).fit([image]).score(
        [image], truth, masks=[mask]
    )
