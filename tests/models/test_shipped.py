"""Models that come with the library."""

import pickle

import numpy as np
import pytest
from skimage.data import astronaut, cat
from sklearn.model_selection import GridSearchCV

from sksuperpixel import SLIC, TrainableSLIC
from sksuperpixel.models._shipped import SHIPPED

SIZES = (8, 16, 32)


@pytest.fixture(scope="module")
def model():
    return TrainableSLIC.from_pretrained("bsds500")


@pytest.mark.parametrize("size", SIZES)
def test_superpixels_of_any_size(size):
    image = cat()[:200, :240]
    found = TrainableSLIC.from_pretrained().set_params(superpixel_size=size).transform([image])[0]
    assert found.shape == (200, 240)
    expected = 200 * 240 / size**2
    assert 0.4 * expected < found.max() + 1 < 1.6 * expected
    exact = TrainableSLIC.from_pretrained().set_params(n_segments=round(expected))
    assert exact.transform([image])[0].max() + 1 == round(expected)


def test_it_is_slic_of_its_features(model):
    image = astronaut()[::2, ::2]
    slic = model.to_slic()
    exact = {"n_segments": 200}
    ours = TrainableSLIC.from_pretrained().set_params(**exact).transform([image])[0]
    np.testing.assert_array_equal(ours, slic.set_params(**exact).transform([image])[0])
    assert (ours != SLIC(**exact).fit_transform([image])[0]).any()


def test_grey_images_are_an_error_that_says_so(model):
    with pytest.raises(ValueError, match=r"image 0: found a grey image, expected 3 channels"):
        model.transform([astronaut()[..., 0]])


def test_unknown_names_are_told():
    with pytest.raises(ValueError, match=r"found 'bsds', expected one of \['bsds500'\]"):
        TrainableSLIC.from_pretrained("bsds")


IMAGE = astronaut()[:96, :96]
SEGMENTATION = np.indices((96, 96))[1] // 20


def test_fit_learns_weights_of_the_features(model):
    tuned = TrainableSLIC.from_pretrained().set_params(superpixel_size=8, random_state=0)
    tuned.fit([IMAGE] * 2, [SEGMENTATION] * 2)
    before, after = (each.features_.network_.state_dict() for each in (model, tuned))
    assert all(before[name].equal(after[name]) for name in before)
    weights = tuned.classifier_.module_.channel_weights
    assert weights.max() > weights.min()
    for one, other in zip(
        tuned.transform([IMAGE]), tuned.to_slic().transform([IMAGE]), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    # So does each fit of a search.
    search = GridSearchCV(
        TrainableSLIC.from_pretrained().set_params(superpixel_size=8),
        {"compactness": [5, 10]},
        cv=2,
        error_score="raise",
    ).fit([IMAGE] * 4, [SEGMENTATION] * 4)
    after = search.best_estimator_.features_.network_.state_dict()
    assert all(before[name].equal(after[name]) for name in before)


def test_fit_goes_on_training_the_features(model):
    params = {"superpixel_size": 8, "features__max_epochs": 1, "features__crop_size": 96}
    tuned = TrainableSLIC.from_pretrained(train_features=True).set_params(**params)
    tuned.fit([IMAGE] * 2, [SEGMENTATION] * 2)
    before, after = (each.features_.network_.state_dict() for each in (model, tuned))
    assert all(before[name].shape == after[name].shape for name in before)
    moved = [
        float((before[name] - after[name]).abs().max()) for name in before if "weight" in name
    ]
    assert 0 < max(moved) < 0.1
    np.testing.assert_array_equal(tuned.classifier_.module_.channel_weights, 1)
    again = pickle.loads(pickle.dumps(tuned))
    for one, other in zip(tuned.transform([IMAGE]), again.transform([IMAGE]), strict=True):
        np.testing.assert_array_equal(one, other)


def test_each_model_has_a_card():
    assert SHIPPED
    for path in SHIPPED.values():
        card = path.with_suffix(".md").read_text()
        assert "Licence of the data" in card
        network = TrainableSLIC.load(path).features_.network_
        assert f"MapsNetwork(n_maps={network.n_maps}, width={network.width})" in card
        assert path.stat().st_size < 4e6
