"""Parameters in JSON."""

import json
from pathlib import Path

import numpy as np
import pytest

from sksuperpixel.models._parameters import to_json, without_local


def test_parameters_become_what_json_can_hold():
    params = {
        "number": np.float32(0.5),
        "count": np.int64(3),
        "flag": np.bool_(True),
        "array": np.arange(4).reshape(2, 2),
        "pair": (1, (2.0, None)),
        "range": range(2),
        "path": Path("a") / "b",
        "generator": np.random.RandomState(0),
        "weights": {"lab": np.float64(2)},
        "text": "text",
    }
    expected = {
        "number": 0.5,
        "count": 3,
        "flag": True,
        "array": [[0, 1], [2, 3]],
        "pair": [1, [2.0, None]],
        "range": [0, 1],
        "path": str(Path("a") / "b"),
        "generator": None,
        "weights": {"lab": 2.0},
        "text": "text",
    }
    assert to_json(params) == expected
    assert json.loads(json.dumps(to_json(params))) == expected


def test_parameters_of_the_machine_are_left_out():
    local = {"memory": print, "checkpoint": "b", "device": "cuda", "n_jobs": 3}
    assert to_json({**local, "sigma": 1}) == {"sigma": 1}
    assert without_local({**local, "sigma": 1}) == {"sigma": 1}


@pytest.mark.parametrize("function", [len, lambda each: each, str])
def test_functions_are_named(function):
    with pytest.raises(ValueError, match=r"^select: found a function, which a model file cannot"):
        to_json({"sigma": 1, "select": function})
