"""Estimators with networks are printed on a screen, and shown as a diagram."""

import re

import pytest
import torch
from mosaics import IMAGES, SEGMENTATIONS, learner
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from skorch import NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import EarlyStopping

from sksuperpixel import SLIC, LabelMaker, LabFeatures, TrainableSLIC
from sksuperpixel.features import LearnedFeatures
from sksuperpixel.networks import (
    ClassificationNetwork,
    DistanceNetwork,
    make_classification_net,
    make_distance_net,
)


class OwnNetwork(torch.nn.Module):
    """Not of this library."""


NETS = {
    "distance": make_distance_net(1),
    "classification": make_classification_net(),
    "own": NeuralNetClassifier(
        OwnNetwork, criterion=torch.nn.CrossEntropyLoss, callbacks=[EarlyStopping()] * 9
    ),
    "instance": NeuralNetClassifier(torch.nn.Sequential(*[torch.nn.Linear(9, 9)] * 40)),
    "regressor": NeuralNetRegressor(DistanceNetwork, module__n_features=3),
    "initialised": make_distance_net(3).set_params(module__n_features=3).initialize(),
}


def fits_a_screen(text, width=100, height=20):
    lines = text.splitlines()
    return len(lines) <= height and max(map(len, lines)) <= width


@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
def test_networks_are_printed_short(net):
    slic = TrainableSLIC(
        classifier=net,
        features=LearnedFeatures(edges=True, width=8, superpixel_sizes=(3, 4)),
        label_maker=LabelMaker(min_segments=3),
        channel_weights=[1.0] * 5,
        random_state=0,
    )
    text = repr(slic)
    assert fits_a_screen(text), text
    # What was set is there, and the estimator can be told from the text.
    assert text.startswith("TrainableSLIC(")
    for part in ("LearnedFeatures(edges=True", "LabelMaker(min_segments=3)", "random_state=0"):
        assert part in text
    assert str(slic) == text
    # Nothing was changed by that.
    assert slic.classifier is net
    assert type(slic) is TrainableSLIC


def test_the_network_can_be_told_from_the_text():
    own = NeuralNetClassifier(OwnNetwork, lr=0.5, max_epochs=7, module__depth=3)
    text = re.sub(r"\s+", " ", repr(TrainableSLIC(classifier=own)))
    assert text == (
        "TrainableSLIC(classifier=NeuralNetClassifier(lr=0.5, max_epochs=7, module=OwnNetwork, "
        "module__depth=3))"
    )


def test_a_net_that_prints_in_its_own_way_does_so():
    class Named(NeuralNetClassifier):
        def __repr__(self):
            return "Named(...)"

    assert repr(TrainableSLIC(classifier=Named(OwnNetwork))) == (
        "TrainableSLIC(classifier=Named(...))"
    )


@pytest.mark.parametrize("value", [None, "net", object(), LogisticRegression(C=3), OwnNetwork])
def test_what_is_no_network_is_printed_as_it_is(value):
    text = repr(TrainableSLIC(classifier=value))
    assert text == f"TrainableSLIC(classifier={value!r})" if value else "TrainableSLIC()"


def test_shipped_models_fit_a_screen():
    text = repr(TrainableSLIC.from_pretrained("bsds500"))
    assert fits_a_screen(text), text
    assert "LearnedFeatures" in text
    assert "classifier=" in text


def test_fitted_estimators_are_printed_like_those_that_are_not():
    slic = learner(1)
    before = repr(slic)
    assert repr(slic.fit(IMAGES[:2], SEGMENTATIONS[:2])) == before


def visible(html):
    """Give what a browser shows, without the style sheet and the scripts."""
    html = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
def test_the_diagram_is_short_and_links_to_the_documentation(net):
    slic = TrainableSLIC(classifier=net, features=LabFeatures(sigma=3.0))
    html = slic._repr_html_()
    page = "https://sksuperpixel.readthedocs.io/stable/generated/sksuperpixel.TrainableSLIC.html"
    assert f'href="{page}"' in html
    text = visible(html)
    assert "Documentation for TrainableSLIC" in text
    assert "LabFeatures(sigma=3.0)" in text
    # Nothing of skorch's state: the parameters and their descriptions take nearly all.
    plain = visible(TrainableSLIC(features=LabFeatures(sigma=3.0))._repr_html_())
    assert len(text) < len(plain) + 1000
    assert "callbacks" not in text
    assert "iterator_train" not in text
    assert slic._repr_mimebundle_()["text/html"].count("<style>") == 1


def test_the_diagram_describes_parameters_and_tells_whether_it_is_fitted():
    slic = learner(1)
    assert "Not fitted" in visible(slic._repr_html_())
    text = visible(slic.fit(IMAGES[:2], SEGMENTATIONS[:2])._repr_html_())
    assert "Not fitted" not in text
    assert "Fitted" in text
    # Those of `SLIC` as well.
    assert "Step S of the grid, in pixels" in text
    assert "Decides which candidates are right" in text
    assert "n_pixels_" in text


def test_slic_links_to_the_documentation():
    page = "https://sksuperpixel.readthedocs.io/stable/generated/sksuperpixel.SLIC.html"
    assert f'href="{page}"' in SLIC()._repr_html_()


def test_pipelines_with_it_can_be_shown():
    net = make_distance_net(1).set_params(module=ClassificationNetwork)
    pipeline = Pipeline([("lab", LabFeatures()), ("slic", TrainableSLIC(classifier=net))])
    assert "TrainableSLIC" in visible(pipeline._repr_html_())
    assert len(repr(pipeline)) < 1500
