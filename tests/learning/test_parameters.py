"""Parameters of learning that depend on one another."""

import pytest

from sksuperpixel import LabelMaker, PathFeature
from sksuperpixel._learning.parameters import check_label_maker, check_pair_features


def test_label_makers_that_fit():
    assert check_label_maker(None, 7).get_params() == LabelMaker().get_params()
    for maker, n_candidates in (
        (LabelMaker(min_segments=7), 7),
        (LabelMaker(mining=None, min_segments=8), 7),
        (LabelMaker(targets="set"), 100),
        (LabelMaker(), 64),
    ):
        assert check_label_maker(maker, n_candidates) is maker


@pytest.mark.parametrize(
    ("maker", "n_candidates", "message"),
    [
        (LabelMaker(min_segments=8), 7, "min_segments=8, expected at most n_candidates=7"),
        (None, 1, "label_maker: found min_segments=2, expected at most n_candidates=1"),
        (LabelMaker(strategy="best"), 7, "The 'strategy' parameter of LabelMaker"),
        (LabelMaker(min_segments=0), 7, "The 'min_segments' parameter of LabelMaker"),
    ],
)
def test_label_makers_that_do_not_fit(maker, n_candidates, message):
    with pytest.raises(ValueError, match=message):
        check_label_maker(maker, n_candidates)


def test_pair_features_can_be_called():
    check_pair_features(())
    check_pair_features([PathFeature(), len])
    with pytest.raises(TypeError, match=r"^pair_features\[1\]: found 'crossed', expected a func"):
        check_pair_features([PathFeature(), "crossed"])
