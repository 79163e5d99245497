"""The benchmark scripts run on tiny data sets in the layout of the real ones."""

import importlib
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from scipy.io import savemat

from sksuperpixel import TrainableSLIC
from sksuperpixel.datasets import make_texture_mosaics
from sksuperpixel.features import ENetFeatures
from sksuperpixel.networks import make_classification_net, make_distance_net

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "tests" / "benchmarks"
SHAPE = (72, 96)
N_ANNOTATORS = 5

# What each script writes.
OUTPUTS = {
    "table1": ["table1.csv", "table1_folds.csv"],
    "weights": ["weights.csv", "weights.png"],
    "table2": ["table2.csv"],
    "mining": ["mining.csv", "mining.png", "mined.png"],
    "images": ["images.csv", "images.png", "images_compactness.png"],
    "compactness": ["compactness.csv", "compactness.png"],
    "grey": ["grey.csv"],
    "overlays": ["overlays.png", "missed.png"],
    "native": ["native.csv", "native.png"],
    "ablation": ["ablation.csv"],
    "scales": ["scales.csv"],
    "agreement": ["agreement.csv", "people.csv"],
    "beside": ["beside.png", "beside_overlays.png"],
}
PLOTS = {".png"}
WITH_PEERS = ("native", "agreement", "beside")
# Smaller experiments than those of the scripts, which have the same course.
FASTER = {
    "data.SHAPE": (48, 64),
    "evaluation.TRIED_BY_HAND": [("scattering", 2, 8), ("scattering, sharp", 2, 8)],
    "methods.make_distance_net": partial(make_distance_net, max_epochs=1),
    "methods.make_classification_net": partial(make_classification_net, max_epochs=1),
}
FASTER_SCRIPTS = {
    "table1": {"table1.N_FOLDS": 2},
    "ablation": {"ablation.make_distance_net": partial(make_distance_net, max_epochs=1)},
    "scales": {"scales.SIZES": (8, 16)},
    "compactness": {"compactness.SWEPT": (5, 20)},
}


def save_truth(path, segmentations):
    annotators = np.empty((1, len(segmentations)), dtype=object)
    for k, segmentation in enumerate(segmentations):
        cell = np.zeros((1, 1), dtype=[("Segmentation", object)])
        cell[0, 0]["Segmentation"] = segmentation.astype(np.uint16)
        annotators[0, k] = cell
    savemat(path, {"groundTruth": annotators})


@pytest.fixture(scope="module")
def bsds500(tmp_path_factory):
    """Folder of a tiny BSDS500: mosaics, of which all annotators but one join segments."""
    root = tmp_path_factory.mktemp("BSDS500")
    rng = np.random.default_rng(0)
    for i, (subset, n_images) in enumerate({"train": 3, "val": 2, "test": 3}.items()):
        images, truths = (root / "data" / kind / subset for kind in ("images", "groundTruth"))
        images.mkdir(parents=True)
        truths.mkdir(parents=True)
        data = make_texture_mosaics(
            n_images, image_shape=SHAPE, n_segments=40, equalize=False, random_state=i
        )
        for j in range(n_images):
            Image.fromarray(data.images[j]).save(images / f"{i}{j}.jpg")
            joined = rng.integers(0, 2, (N_ANNOTATORS, 40))
            joined[0] = np.arange(40)
            save_truth(truths / f"{i}{j}.mat", 1 + joined[:, data.segmentations[j]])
    return root


@pytest.fixture(scope="module")
def peers(bsds500, tmp_path_factory):
    """Folder of label maps of published methods: squares."""
    root = tmp_path_factory.mktemp("peers")
    squares = np.kron(np.arange(6 * 8).reshape(6, 8), np.ones((12, 12), int)).astype(np.uint16)
    for method in ("ssn", "seal"):
        for number in (200, 600):
            folder = root / method / f"K{number}"
            folder.mkdir(parents=True)
            for path in (bsds500 / "data" / "images" / "test").glob("*.jpg"):
                Image.fromarray(squares).save(folder / f"{path.stem}.png")
    return root


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Folder of results that the scripts share, so that what is cached is computed once."""
    return tmp_path_factory.mktemp("results")


@pytest.fixture
def import_script(monkeypatch):
    """Function: import a script by its path in the folder of benchmarks."""
    monkeypatch.setenv("MPLBACKEND", "agg")

    def import_script(path):
        monkeypatch.syspath_prepend(BENCHMARKS / Path(path).parent)
        return importlib.import_module(Path(path).stem)

    yield import_script
    # Scripts import their neighbours as top-level modules. These must not stay.
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(BENCHMARKS)):
            del sys.modules[name]


@pytest.fixture
def run(monkeypatch, import_script):
    """Function: run a script in this process, which saves the time of starting another one."""
    torch = pytest.importorskip("torch")
    n_threads = torch.get_num_threads()
    # Threads cost more than they gain with images as small as these.
    torch.set_num_threads(1)

    def run(path, *arguments, changes=None):
        monkeypatch.syspath_prepend(BENCHMARKS / Path(path).parent)
        # A module is changed before others import from it.
        for name, value in (changes or {}).items():
            monkeypatch.setattr(name, value)
        monkeypatch.setattr(sys, "argv", [path, *(str(each) for each in arguments)])
        import_script(path).main()

    yield run
    torch.set_num_threads(n_threads)


@pytest.fixture
def run_bsds500(run, bsds500, results):
    """Function: run a script of the folder bsds500, and return the folder of its results."""

    def run_script(name, *arguments):
        if PLOTS.intersection(each.suffix for each in map(Path, OUTPUTS.get(name, []))):
            pytest.importorskip("matplotlib")
        folders = ["--data", bsds500, "--results", results, "--n-jobs", 1]
        run(
            f"bsds500/{name}.py",
            *folders,
            *arguments,
            changes=FASTER | FASTER_SCRIPTS.get(name, {}),
        )
        return results

    return run_script


@pytest.mark.parametrize("name", OUTPUTS)
def test_scripts_of_bsds500_write_their_results(name, run_bsds500, peers):
    options = {"table1": ["--folds"]} | {each: ["--peers", peers] for each in WITH_PEERS}
    folder = run_bsds500(name, *options.get(name, []))
    for output in OUTPUTS[name]:
        assert (folder / output).stat().st_size > 0
        if output.endswith(".csv"):
            table = pd.read_csv(folder / output, index_col=0)
            numbers = table.select_dtypes("number")
            if name == "weights":
                numbers = numbers[["weight", "share"]]  # colours have no scale and no angle
            assert np.isfinite(numbers).all(axis=None)


def test_methods_are_as_compact_as_slic_in_the_paper(run_bsds500):
    table = pd.read_csv(run_bsds500("grey") / "grey.csv")
    assert table["images"].tolist() == 4 * ["colour"] + 4 * ["grey"]
    # Such small images have few superpixels, whose compactness changes in jumps.
    assert table["CO"].between(0.324 - 0.02, 0.324 + 0.02).all()


def test_published_label_maps_are_scored(run_bsds500, peers):
    table = pd.read_csv(run_bsds500("native", "--peers", peers) / "native.csv", index_col=0)
    ssn = table.loc["SSN"]
    assert ssn["asked"].tolist() == [200, 600]
    # They are squares of 12 x 12 pixels, whatever the number asked for.
    assert ssn["K"].tolist() == [48, 48]
    assert_allclose(ssn["CO"], np.pi / 4)


def test_only_missing_results_are_computed(run_bsds500, capsys):
    folder = run_bsds500("table2")
    losses = sorted((folder / "cache").glob("loss-*.csv"))
    assert len(losses) == 12
    assert not list((folder / "cache").glob("*.part"))
    before = {path: path.read_bytes() for path in losses}
    table = (folder / "table2.csv").read_bytes()
    # As if the script had been stopped before it computed this one.
    losses[0].unlink()
    capsys.readouterr()
    run_bsds500("table2")
    assert capsys.readouterr().out.count("loss: ") == 1
    assert {path: path.read_bytes() for path in losses} == before
    assert (folder / "table2.csv").read_bytes() == table


def test_results_of_few_images_go_to_their_own_folder(monkeypatch, import_script, tmp_path):
    parse = import_script("bsds500/results.py").parse
    argv = ["script.py", "--data", "here", "--results", str(tmp_path / "kept"), "--limit", "6"]
    monkeypatch.setattr(sys, "argv", argv)
    arguments = parse("Title\n=====")
    assert arguments.results == tmp_path / "kept_6"
    assert arguments.cache.is_dir()
    assert not (tmp_path / "kept").exists()


def test_edges_are_counted_by_agreement(import_script):
    pytest.importorskip("torch")
    count_by_group = import_script("bsds500/agreement.py").count_by_group
    # All five people drew the left border, and only the first drew the right one.
    segmentations = np.zeros((5, 10, 40), int)
    segmentations[:, :, 10:] = 1
    segmentations[0, :, 30:] = 2
    superpixels = np.zeros((10, 40), int)
    superpixels[:, 12:] = 1
    drawn, found = count_by_group(segmentations, superpixels)
    assert_array_equal(drawn, [10, 0, 0, 0, 50])
    assert_array_equal(found, [0, 0, 0, 0, 50])


def test_everything_runs_each_script(run, bsds500, tmp_path, peers):
    calls = {}
    run(
        "bsds500/everything.py",
        *["--data", bsds500, "--results", tmp_path, "--limit", 2, "--peers", peers],
        changes={"everything.run": calls.__setitem__},
    )
    folder = BENCHMARKS / "bsds500"
    assert [each.removesuffix(".py") for each in calls] == list(OUTPUTS)
    assert all((folder / script).is_file() for script in calls)
    assert "--folds" in calls["table1.py"]
    assert "--limit" in calls["native.py"]
    assert "--peers" in calls["native.py"]
    times = pd.read_csv(tmp_path.with_name(f"{tmp_path.name}_2") / "times.csv")
    assert times["script"].tolist() == list(calls)


def test_the_page_is_up_to_date(run, tmp_path):
    docs = ROOT / "docs"
    run("bsds500/page.py", "--results", docs / "bsds500", "--docs", tmp_path)
    assert (tmp_path / "bsds500.md").read_text() == (docs / "bsds500.md").read_text()


def test_slic_is_scored_on_bsds500(run, bsds500, capsys):
    run("quality_bsds500.py", "--root", bsds500, "--n-jobs", 1)
    assert "First 3 test images" in capsys.readouterr().out


def test_speed_is_compared(run, bsds500, tmp_path, capsys):
    parts = ["--parts", "colours", "features", "network"]
    changes = {"speed.N_SEGMENTS": 30, "speed.LARGE": (64, 96)}
    options = ["--data", bsds500, "--rounds", 1, "--results", tmp_path]
    run("speed.py", *options, *parts, "threads", changes=changes)
    colours = pd.read_csv(tmp_path / "speed_colours.csv", index_col=0)
    assert colours.loc["scikit-image", "/ scikit-image"] == 1
    assert (colours["ms"] > 0).all()
    assert (pd.read_csv(tmp_path / "speed_features.csv")["channels"].unique() == [84, 246]).all()
    # The last row is a difference of two times, which may be negative here.
    assert pd.read_csv(tmp_path / "speed_network.csv")["three layers"].iloc[:-1].gt(0).all()
    assert len(pd.read_csv(tmp_path / "speed_threads.csv")) == 2


def test_curves_and_limits_of_speed_are_drawn(run, tmp_path, monkeypatch, import_script, capsys):
    pytest.importorskip("matplotlib")
    curves = import_script("speed_curves.py")

    def run_here(*case):
        np.save(tmp_path / "image.npy", curves.photograph(*case[:2]))
        return curves.measure(tmp_path / "image.npy", case[2])

    changes = {
        "speed_curves.SIZES": (0.005, 0.01),
        "speed_curves.NUMBERS": (20,),
        "speed_curves.LARGE": 5000,
        "speed_curves.CHANNELS": (1, 3),
        "speed_curves.SMALL": 5000,
        # In this process, to save time.
        "speed_curves.run": run_here,
    }
    run("speed_curves.py", "--results", tmp_path, changes=changes)
    table = pd.read_csv(tmp_path / "curves.csv")
    assert len(table) == 10
    assert table["seconds per megapixel"].gt(0).all()
    assert (tmp_path / "curves.png").stat().st_size > 0
    run(
        "speed_kernels.py",
        *("--megapixels", 0.01, "--results", tmp_path),
        changes={"speed_kernels.N_CALLS": 1},
    )
    table = pd.read_csv(tmp_path / "kernels.csv")
    assert len(table) == 11
    assert table["times the limit"].gt(0).all()


def save_pairs(images_folder, labels_folder, images, segmentations):
    images_folder.mkdir(parents=True)
    labels_folder.mkdir(parents=True)
    for i, (image, segmentation) in enumerate(zip(images, segmentations, strict=True)):
        Image.fromarray(image).save(images_folder / f"{i}.png")
        Image.fromarray(segmentation.astype(np.uint8)).save(labels_folder / f"{i}.png")


@pytest.fixture(scope="module")
def camvid(tmp_path_factory):
    """Folder of a tiny CamVid: mosaics of its first classes, with one segment of void."""
    root = tmp_path_factory.mktemp("camvid")
    for i, subset in enumerate(("train", "val")):
        data = make_texture_mosaics(2, image_shape=SHAPE, random_state=i)
        segmentations = np.where(data.segmentations == 5, 11, data.segmentations)
        save_pairs(root / subset, root / f"{subset}annot", data.images, segmentations)
    return root


def test_the_model_is_adapted(run, camvid, tmp_path):
    data = make_texture_mosaics(4, image_shape=SHAPE, random_state=0)
    nuclei = tmp_path / "nuclei"
    save_pairs(nuclei / "images", nuclei / "labels", data.images, data.segmentations)
    output = tmp_path / "others.csv"
    settings = {
        "nuclei": ({"superpixel_size": 8}, {"max_epochs": 1, "crop_size": 64}),
        "camvid": ({"superpixel_size": 8}, {"max_epochs": 1, "crop_size": 64, "ignore_label": 11}),
    }
    run(
        "adapt_model.py",
        *["--nuclei", nuclei, "--camvid", camvid, "--output", output],
        changes={"adapt_model.SETTINGS": settings},
    )
    table = pd.read_csv(output)
    assert table["method"].tolist() == 2 * [
        "SLIC",
        "bsds500",
        "bsds500, weights fitted",
        "bsds500, features fitted",
    ]
    # On such small street scenes, the model is more compact than SLIC at any setting.
    compactness = table.loc[table["images"] == "nuclei", "CO"]
    assert compactness.max() - compactness.min() < 0.02
    # Fitting has changed the model.
    assert (table.groupby("images")["MDE"].nunique() == 4).all()


def test_other_kinds_of_images_are_compared(run, tmp_path):
    data = make_texture_mosaics(4, image_shape=SHAPE, random_state=0)
    folder = tmp_path / "mosaics"
    save_pairs(folder / "images", folder / "labels", data.images, data.segmentations)
    output = tmp_path / "domains.csv"
    run("domains.py", folder, "--n-jobs", 1, "--output", output)
    table = pd.read_csv(output, index_col="method")
    assert table.index.tolist() == ["SLIC", "by hand", "one layer", "three layers"]
    assert table.loc["SLIC", "to SLIC"] == 1
    # Learning from two mosaics helps with the others.
    assert table.loc["three layers", "to SLIC"] < 0.96


def test_the_reference_is_measured(run, bsds500, tmp_path, import_script):
    output = tmp_path / "reference.csv"
    options = ["--data", bsds500, "--n-jobs", 1, "--output", output]
    changes = {"reference_compactness.SIZES": (8,), "reference_compactness.PARAMETERS": (1, 100)}
    run("reference_compactness.py", *options, changes=changes)
    (row,) = pd.read_csv(output, index_col="size").to_numpy()
    assert 0 < row[0] < row[1] < np.pi / 4


def test_a_model_is_learned(run, bsds500, tmp_path, capsys):
    output = tmp_path / "model.safetensors"
    options = ["--data", bsds500, "--output", output, "--epochs", 2, "--every", 2, "--limit", 2]
    run("shipped_weights/learn_bsds500.py", *options, changes={"learn_bsds500.N_SEGMENTS": 60})
    lines = [line for line in capsys.readouterr().out.splitlines() if "epoch" in line]
    assert ["'UE'" in line for line in lines] == [False, True]
    model = TrainableSLIC.load(output)
    image = np.zeros((64, 64, 3), np.uint8)
    assert model.transform([image])[0].shape == (64, 64)


def test_enet_is_trained(run, camvid, tmp_path, capsys):
    output = tmp_path / "enet.safetensors"
    options = ["--size", 48, 32, "--crop", 32, 32, "--batch", 2, "--epochs", 2]
    run(
        "shipped_weights/train_enet_camvid.py",
        *["--data", camvid, "--output", output, "--every", 2, *options],
    )
    lines = [line for line in capsys.readouterr().out.splitlines() if "epoch" in line]
    assert ["mean IoU" in line for line in lines] == [False, True]
    features = ENetFeatures(weights=output).fit([np.zeros((32, 48, 3), np.uint8)])
    assert features.transform([np.zeros((32, 48, 3), np.uint8)])[0].shape == (32, 48, 16)
