"""Run some cases of each generator with the tests."""

import mmap
from importlib import import_module

import numpy as np
import pytest
from fuzz import harness, models, parameters, truncations

pytest.importorskip("torch")
pytest.importorskip("kymatio")
# The number of cases of each generator.
N_CASES = {
    "models": 300,
    "parameters": 200,
    "estimators": 80,
    "metrics": 200,
    "metamorphic": 100,
    "checkpoints": 80,
}


@pytest.mark.parametrize("name", N_CASES)
@pytest.mark.filterwarnings("ignore")  # the harness decides about warnings
def test_generated_cases(name, tmp_path):
    generator = import_module(f"fuzz.{name}")
    shared = generator.prepare(tmp_path)
    results = [harness.run_one(generator, 7, number, shared) for number in range(N_CASES[name])]
    assert [(each.number, each.defect, each.where) for each in results if each.defect] == []
    # A generator whose cases are all refused would test little.
    assert sum("refused" not in each.outcome for each in results) >= N_CASES[name] / 20


def test_truncated_models(tmp_path):
    files, _ = models.prepare(tmp_path)
    shortest = min((content for content, _ in files), key=len)
    assert truncations.try_all(shortest, tmp_path / "cut") == -(-len(shortest) // 64)


class OneOfEach:
    """A generator with a case for each kind of defect, except those that end the process."""

    LIMIT_S, LIMIT_MB = 0.5, 100

    @staticmethod
    def case(rng, shared):
        way = shared[0]
        if way == "defect":
            raise harness.Defect("wrong")
        if way == "error":
            return {}["absent"]
        if way == "warning":
            import warnings

            warnings.warn("a warning", UserWarning, stacklevel=2)
        if way == "slow":
            sum(range(10**8))
        if way == "memory":
            # Mapped anew, because an array may get memory that the process already has.
            np.frombuffer(mmap.mmap(-1, 300 * 2**20), np.uint8)[:] = 1
        return "fine"


@pytest.mark.parametrize(
    ("way", "defect"),
    [
        ("fine", None),
        ("defect", "wrong"),
        ("error", "KeyError: 'absent'"),
        ("warning", "UserWarning: a warning"),
        ("slow", "took longer than 0.5 s"),
        ("memory", "needed more than 100 MB"),
    ],
)
def test_the_harness_finds_what_is_wrong(way, defect):
    if way == "memory" and harness.reset_peak() is None:
        pytest.skip("memory cannot be measured here")
    result = harness.run_one(OneOfEach, 0, 0, [way])
    assert result.defect == defect
    report = harness.Report("one", 0)
    report.add(result)
    assert len(report.defects) == (defect is not None)
    assert ("0 defects" in str(report)) == (defect is None)


@pytest.mark.parametrize("message", ["image 0: found nothing", "compactness: found 3", "max_it"])
def test_errors_must_name_a_parameter_that_was_set(message):
    changed = {"max_iter": 3, "features__J": 3, "channel_axis": 0}
    with pytest.raises(harness.Defect, match="does not name"):
        parameters.check_named(ValueError(message), changed, parameters.OTHER_WORDS)
    for right in ("max_iter: found 3", "J, L: found J=3", "image 0: found 2 channels, expected 3"):
        parameters.check_named(ValueError(right), changed, parameters.OTHER_WORDS)


def test_the_report_says_if_memory_was_not_measured(monkeypatch):
    report = harness.Report("one", 0)
    report.add(harness.run_one(OneOfEach, 0, 0, ["fine"]))
    assert ("most memory" in str(report)) == (harness.reset_peak() is not None)
    monkeypatch.setattr(harness, "reset_peak", lambda: None)
    report = harness.Report("one", 0)
    result = harness.run_one(OneOfEach, 0, 0, ["memory"])
    report.add(result)
    assert result.megabytes is None
    assert "memory was not measured" in str(report)
