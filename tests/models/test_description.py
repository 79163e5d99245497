"""Descriptions in model files: what they may hold."""

import pytest
from sklearn.base import BaseEstimator

from sksuperpixel.models._description import (
    check_count,
    check_entries,
    params_for,
    parse_description,
)


class Part(BaseEstimator):
    def __init__(self, needed, sigma=1, memory=None, n_jobs=None):
        self.needed = needed
        self.sigma = sigma
        self.memory = memory
        self.n_jobs = n_jobs


def test_a_description_is_parsed():
    text = '{"a": [1, 2.5, null, true, "b"], "c": {"d": {}}}'
    assert parse_description(text) == {"a": [1, 2.5, None, True, "b"], "c": {"d": {}}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "found a list, expected a description"),
        ("null", "found a NoneType, expected a description"),
        ('{"a": Infinity}', "found Infinity, expected a number"),
        ('{"a": {"b": 1, "b": 1}}', "found the same name twice, expected each once"),
        ('{"a": ' * 41 + "1" + "}" * 41, "found a description nested more than 40 times"),
        ('{"a": ' * 50_000, "found a description nested more than 40 times"),
        ("{", "found a damaged description, expected JSON"),
        ("", "found a damaged description, expected JSON"),
        (" " * (2**21 + 1), "found a description of 2097153 characters, expected at most 2097152"),
    ],
)
def test_texts_that_are_none(text, message):
    with pytest.raises(ValueError, match=message) as error:
        parse_description(text)
    assert type(error.value) is ValueError


def test_entries():
    found = {"a": 1, "b": 2}
    assert check_entries(found, "ab", "part") is found
    assert check_entries(found, "a", "part", optional="bc") is found
    for wrong, message in (
        ({"a": 1}, "part: found no entry 'b', expected one"),
        ({**found, "c": 3}, "part: found an entry 'c', expected none of this name"),
        ([1, 2], r"part: found \[1, 2\], expected an object with entries"),
    ):
        with pytest.raises(ValueError, match=message):
            check_entries(wrong, "ab", "part")


def test_parameters_of_an_estimator():
    machine = {"memory": "/somewhere", "n_jobs": 99, "device": "cuda", "checkpoint": "there"}
    assert params_for(Part, {"needed": 1, **machine}, "part") == {"needed": 1}
    params = {"needed": 1, "sigma": 2}
    assert params_for(Part, params, "part") == params
    assert params_for(Part, {"sigma": 2}, "part", elsewhere=("needed",)) == {"sigma": 2}
    for wrong, message in (
        ({"sigma": 1}, "part: found no entry 'needed', expected one"),
        ({"needed": 1, "other": 1}, "part: found an entry 'other', expected none of this name"),
        (None, "part: found None, expected an object with entries"),
    ):
        with pytest.raises(ValueError, match=message):
            params_for(Part, wrong, "part")


@pytest.mark.parametrize("value", [True, 1.0, "1", None, [1], -1, 11, 10**400])
def test_counts(value):
    assert check_count(7, "n", 0, 10) == 7
    with pytest.raises(ValueError, match=r"^n: found .*, expected a whole number from 0 to 10$"):
        check_count(value, "n", 0, 10)
