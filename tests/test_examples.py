"""The evaluation on BSDS500: what was computed is kept, and read the next time."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

SCRIPTS = Path(__file__).parents[1] / "examples" / "bsds500"


def run(script, data, results):
    command = [sys.executable, SCRIPTS / script, "--data", data, "--results", results]
    command += ["--limit", "6", "--n-jobs", "1"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def bsds500(shared_data):
    pytest.importorskip("torch")
    return shared_data("BSDS500")


def test_results_are_kept(bsds500, tmp_path):
    printed = run("table2.py", bsds500, tmp_path / "kept")
    # Next to the results of all images, not among them.
    folder = tmp_path / "kept_6"
    assert not (tmp_path / "kept").exists()
    table = pd.read_csv(folder / "table2.csv", index_col=0)
    assert (table[["scattering", "ENet", "pixels"]] > 0).all(axis=None)
    losses = sorted((folder / "cache").glob("loss-*.csv"))
    assert len(losses) == 12
    assert not list((folder / "cache").glob("*.part"))
    # One of them is missing: as if the script had been stopped.
    before = {path: path.read_bytes() for path in losses}
    losses[0].unlink()
    again = run("table2.py", bsds500, tmp_path / "kept")
    assert printed.count("loss: ") == 12
    assert again.count("loss: ") == 1
    assert {path: path.read_bytes() for path in losses} == before
    pd.testing.assert_frame_equal(pd.read_csv(folder / "table2.csv", index_col=0), table)


def test_methods_are_as_compact_as_slic(bsds500, tmp_path):
    run("grey.py", bsds500, tmp_path / "kept")
    table = pd.read_csv(tmp_path / "kept_6" / "grey.csv", index_col=["images", "method"])
    assert table["CO"].between(0.324 - 0.01, 0.324 + 0.01).all()
    assert list(table.index.levels[0]) == ["colour", "grey"]


def test_what_is_missed_is_counted_by_agreement(bsds500, tmp_path):
    run("agreement.py", bsds500, tmp_path / "kept")
    found = pd.read_csv(tmp_path / "kept_6" / "agreement.csv", index_col=0)
    assert found.loc["share of all edges"].sum() == pytest.approx(1)
    # What all people drew is found most.
    rows = found.drop(index="share of all edges")
    assert (rows.iloc[:, -1] == rows.max(axis=1)).all()
    people = pd.read_csv(tmp_path / "kept_6" / "people.csv", index_col=0)
    assert people["n_superpixels"].tolist() == [600, 600]


def test_the_model_is_adapted(shared_data, tmp_path):
    pytest.importorskip("torch")
    script = SCRIPTS.parent / "adapt_model.py"
    command = [sys.executable, script, "--nuclei", shared_data("nuclei"), "--limit", "3"]
    subprocess.run([*command, "--output", tmp_path / "others.csv"], check=True)
    table = pd.read_csv(tmp_path / "others.csv")
    assert table["method"].tolist() == ["SLIC", "bsds500", "bsds500, fitted"]
    assert table["CO"].max() - table["CO"].min() < 0.005
