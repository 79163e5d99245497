import subprocess
import sys

import pytest

import sksuperpixel.features as features


def run(code):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )


def test_names():
    pytest.importorskip("torch")
    for name in features.__all__:
        assert getattr(features, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'NoSuchFeatures'"):
        features.NoSuchFeatures  # noqa: B018


def test_torch_comes_when_it_is_needed_and_nothing_warns():
    code = (
        "import sys\n"
        "import numpy as np\n"
        "import sksuperpixel.features as features\n"
        "scattering = features.ScatteringFeatures(J=1)\n"
        "print(sorted({'torch', 'kymatio'} & set(sys.modules)))\n"
        "print(scattering.fit_transform([np.eye(9)])[0].shape)\n"
        "features.ENetFeatures, features.LearnedFeatures\n"
    )
    done = run(code)
    assert (done.stdout.splitlines(), done.stderr) == (["[]", "(9, 9, 9)"], "")


def test_what_is_missing_is_said():
    code = (
        "import sys\n"
        "import sksuperpixel.features as features\n"
        # Blocked only now: SciPy looks for torch, too.
        "sys.modules['torch'] = None\n"
        "for name in ('ENetFeatures', 'LearnedFeatures'):\n"
        "    try:\n"
        "        getattr(features, name)\n"
        "    except ImportError as error:\n"
        "        print(error)\n"
    )
    expected = [
        f"{name} needs torch and safetensors, but torch cannot be imported: pip install "
        "torch safetensors"
        for name in ("ENetFeatures", "LearnedFeatures")
    ]
    assert run(code).stdout.splitlines() == expected
