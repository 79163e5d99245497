"""Settings are an estimator's parameters, and stay as they are."""

from dataclasses import FrozenInstanceError

import pytest

from sksuperpixel import SLIC, TrainableSLIC
from sksuperpixel._clustering.settings import Settings


def test_settings_are_the_parameters():
    slic = SLIC(n_segments=7, compactness=3.0, adaptive_compactness=True, refine_iter=2)
    settings = Settings.of(slic)
    params = slic.get_params()
    assert vars(settings) == {name: params[name] for name in vars(settings)}
    # What an estimator does not have is off.
    assert not Settings.of(TrainableSLIC()).adaptive_compactness
    assert Settings.of(TrainableSLIC()).enforce_connectivity


def test_settings_do_not_change():
    with pytest.raises(FrozenInstanceError):
        Settings.of(SLIC()).compactness = 1


@pytest.mark.parametrize(
    ("params", "merges"),
    [({}, False), ({"n_segments": 9}, True), ({"n_segments": 9, "oversegmentation": 1}, False)],
)
def test_regions_are_merged_to_a_number_only_if_asked(params, merges):
    assert Settings.of(SLIC(**params)).merges_to_number == merges
