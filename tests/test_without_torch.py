"""Without torch, skorch and kymatio: what needs no network works, the rest says what it needs.

The code runs in a process of its own, in which these packages cannot be imported.
"""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import sksuperpixel

MISSING = ("torch", "skorch", "kymatio")

PRELUDE = f"""
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {MISSING}:
            raise ImportError("No module named " + name)

sys.meta_path.insert(0, Blocked())

import numpy as np
from sksuperpixel.datasets import make_texture_mosaics

mosaics = make_texture_mosaics(n_images=4, image_shape=(48, 56), random_state=0)
images, segmentations = mosaics.images, mosaics.segmentations
"""


def run(code, prelude=PRELUDE):
    """Run code after the prelude, and give what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", prelude + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(sksuperpixel.__file__).parents[1],
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_packages_are_missing_there():
    found = run(
        """
        for name in ("torch", "torch.nn", "skorch", "kymatio.scattering2d"):
            try:
                __import__(name)
            except ImportError as error:
                print(error)
        """
    )
    assert found.splitlines() == [
        "No module named torch",
        "No module named torch",
        "No module named skorch",
        "No module named kymatio",
    ]


def test_superpixels_without_networks():
    found = run(
        """
        import pickle
        import sksuperpixel
        from sklearn.base import clone
        from sklearn.model_selection import GridSearchCV
        from sklearn.pipeline import Pipeline
        from sksuperpixel import SLIC, ChannelUnion, LabFeatures, match_compactness

        union = ChannelUnion([("lab", LabFeatures(sigma=1.0)), ("rgb", "passthrough")])
        mask = np.indices((48, 56))[1] > 9
        for params in ({}, {"n_segments": 20}, {"features": union}, {"n_jobs": 2}):
            slic = SLIC(8, **params).fit(images, segmentations)
            slic = pickle.loads(pickle.dumps(slic))
            assert slic.transform(images)[0].shape == (48, 56)
            assert 0.5 < slic.score(images, segmentations) <= 1
            labels = slic.predict(images, masks=[mask] * 4)[0]
            assert ((labels >= 0) == mask).all()
            repr(clone(slic)), slic._repr_html_()

        search = GridSearchCV(SLIC(8), {"compactness": [2, 20]}, cv=2, error_score="raise")
        search.fit(images, segmentations)
        assert search.best_params_["compactness"] in (2, 20)

        pipeline = Pipeline([("lab", LabFeatures()), ("slic", SLIC(8, features="passthrough"))])
        assert len(pipeline.fit_transform(images)) == 4
        print(match_compactness(SLIC(8).fit(images), images, 0.45, tol=0.02))
        if "slic" in sksuperpixel.__all__:
            assert sksuperpixel.slic(images[0], n_segments=20).max() == 20
        """
    )
    assert float(found) == pytest.approx(0.45, abs=0.02)


def test_metrics_and_data_sets_without_networks():
    found = run(
        """
        from sksuperpixel import SLIC, datasets, metrics

        predicted = SLIC(8).fit_transform(images)
        report = metrics.superpixel_report(segmentations, predicted, images=images)
        print(len(report.columns) > 5, np.isfinite(report.to_numpy(float)).all())
        for name in datasets.__all__:
            assert callable(getattr(datasets, name))
        for name in metrics.__all__:
            getattr(metrics, name)
        scorers = metrics.get_scorers()
        slic = SLIC(8).fit(images)
        for name, scorer in metrics.SCORERS.items():
            assert np.isfinite(scorer(slic, images, segmentations)), name
        """
    )
    assert found == "True True\n"


def test_what_learning_needs_without_networks():
    found = run(
        """
        from sksuperpixel import LabelMaker, PathFeature, TrainableSLIC

        slic = TrainableSLIC(8, label_maker=LabelMaker(min_segments=2), random_state=0)
        mined = slic.mine(images[0], segmentations[0])
        assert len(mined.pixels) > 0
        assert mined.targets.any(axis=1).all()
        line = PathFeature("sum")(np.ones((1, 1, 3, 8)), [[0, 1, 1]], [[[0, 1, 4]]])
        print(line.tolist())
        repr(slic), slic._repr_html_()
        """
    )
    assert found == "[[4.0]]\n"


NEED_NETWORKS = {
    "TrainableSLIC().fit(images, segmentations)": "TrainableSLIC needs torch and skorch",
    "TrainableSLIC.load('model')": "TrainableSLIC needs torch and skorch",
    "TrainableSLIC.from_pretrained('bsds500')": "TrainableSLIC needs torch and skorch",
    "features.ScatteringFeatures().fit(images)": "ScatteringFeatures needs torch and kymatio",
    "features.LearnedFeatures().fit(images)": "LearnedFeatures needs torch",
    "features.ENetFeatures().fit(images)": "ENetFeatures needs torch",
    "from sksuperpixel.networks import make_distance_net": "sksuperpixel.networks needs torch",
}


def test_what_needs_networks_says_what_to_install():
    found = run(
        f"""
        from sksuperpixel import TrainableSLIC, features

        for code in {list(NEED_NETWORKS)}:
            try:
                exec(code)
            except ImportError as error:
                print(error)
            else:
                print("no error")
        """
    )
    for message, start in zip(found.splitlines(), NEED_NETWORKS.values(), strict=True):
        assert message.startswith(start)
        # In one and the same form.
        match = re.search(
            r"needs (.*), but (\w+) cannot be imported: pip install ([\w ]+)$", message
        )
        assert match, message
        assert match[3].split() == match[1].split(" and ")
        assert match[2] in match[3].split()


def test_importing_the_library_imports_none_of_them():
    found = run(
        f"""
        import sys
        import sksuperpixel
        from sksuperpixel import *
        import sksuperpixel.datasets, sksuperpixel.features, sksuperpixel.metrics
        print([name for name in {MISSING} if name in sys.modules])
        """,
        prelude="",
    )
    assert found == "[]\n"
