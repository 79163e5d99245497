"""A lazy sequence computes what is asked for, and nothing else."""

import pickle

import joblib
import numpy as np
import pytest
from sklearn.model_selection import KFold, cross_validate, train_test_split
from sklearn.utils import _safe_indexing, shuffle
from sklearn.utils.validation import _num_samples, indexable

from sksuperpixel import SLIC, LazySequence

IMAGES = [
    np.random.default_rng(i).integers(0, 256, (6, 5 + i, 3), dtype=np.uint8) for i in range(4)
]


def square(x):
    return x * x


class Counted:
    """Squares that say which were computed."""

    def __init__(self):
        self.calls = []

    def __call__(self, x):
        self.calls.append(x)
        return x * x


@pytest.fixture
def counted():
    return Counted()


@pytest.fixture
def squares(counted):
    return LazySequence(counted, range(10))


# LazySequence -------------------------------------------------------------------------------


def test_items(squares, counted):
    assert len(squares) == 10
    assert squares.shape == (10,)
    assert squares[3] == 9
    assert squares[-1] == 81
    assert squares[-10] == 0
    assert squares[np.int64(4)] == 16
    assert squares[np.array(5)] == 25
    assert counted.calls == [3, 9, 0, 4, 5]
    assert repr(squares) == "LazySequence of 10 items"
    assert counted.calls == [3, 9, 0, 4, 5]


def test_nothing_is_kept(squares, counted):
    assert squares[3] == squares[3] == 9
    assert counted.calls == [3, 3]


@pytest.mark.parametrize("index", [10, -11, 1000])
def test_past_the_ends(squares, counted, index):
    with pytest.raises(IndexError):
        squares[index]
    with pytest.raises(IndexError):
        squares[::-1][index]
    with pytest.raises(IndexError):
        squares[np.arange(10)][index]
    with pytest.raises(IndexError):
        squares[[0, index]]
    assert counted.calls == []


@pytest.mark.parametrize(
    ("index", "error"),
    [
        (1.0, TypeError),
        ("a", TypeError),
        (None, TypeError),
        ((1, 2, 3), None),
        ([0.5], IndexError),
        (np.zeros((2, 2), int), TypeError),
    ],
)
def test_what_is_no_index(squares, index, error):
    if error is None:
        # Three places, not three axes
        assert list(squares[index]) == [1, 4, 9]
        return
    with pytest.raises(error):
        squares[index]


@pytest.mark.parametrize("length", [9, 11])
def test_boolean_index_of_another_length(squares, length):
    message = f"boolean index has {length} entries, the sequence has 10"
    with pytest.raises(IndexError, match=message):
        squares[[True] * length]


@pytest.mark.parametrize(
    "index",
    [
        slice(None),
        slice(2, 5),
        slice(None, None, -1),
        slice(-3, None),
        slice(1, 100, 4),
        slice(5, 2),
        [1, 2],
        [-1, 0, 0],
        [],
        np.array([7, 3]),
        np.array([7, 3], np.uint8),
        np.array([], int),
        np.arange(10) % 3 == 0,
        np.zeros(10, bool),
        [True, False] * 5,
        range(3, 6),
        (4, 2),
    ],
    ids=repr,
)
def test_subsets(squares, counted, index):
    subset = squares[index]
    assert isinstance(subset, LazySequence)
    assert counted.calls == []
    positions = (
        index if isinstance(index, slice) else np.asarray(index, dtype=None if len(index) else int)
    )
    expected = np.arange(10)[positions] ** 2
    assert len(subset) == len(expected)
    assert subset.shape == expected.shape
    assert list(subset) == expected.tolist()
    assert len(counted.calls) == len(expected)


def test_subsets_of_subsets(squares, counted):
    subset = squares[2:9][::-1][[0, 2, 4, -1]][np.array([True, False, True, True])]
    assert counted.calls == []
    assert list(subset) == [64, 16, 4]
    assert counted.calls == [8, 4, 2]
    assert list(squares) == [i * i for i in range(10)]


def test_subsets_share_their_items():
    items = [object(), object()]
    subset = LazySequence(square, items)[[1, 0]]
    assert subset.items is items


def test_iteration(squares, counted):
    iterator = iter(squares)
    assert next(iterator) == 0
    assert next(iterator) == 1
    assert counted.calls == [0, 1]
    assert list(reversed(squares))[:2] == [81, 64]
    assert 49 in squares
    assert squares.index(49) == 7
    assert list(zip(squares, range(3), strict=False))[2] == (4, 2)


def test_lazy_of_lazy(squares, counted):
    fourth = LazySequence(square, squares[1:])
    assert len(fourth) == 9
    assert counted.calls == []
    assert fourth[-1] == 81**2
    assert counted.calls == [9]


def test_stacks():
    sequence = LazySequence(np.ones, [(2, 3)] * 4)
    for stacked in (np.stack(sequence), np.asarray(sequence)):
        assert stacked.shape == (4, 2, 3)


def test_empty():
    nothing = LazySequence(square, [])
    assert len(nothing) == 0
    assert not nothing
    assert list(nothing) == []


@pytest.mark.parametrize("order", [slice(None), slice(2, 4), [3, 1]])
def test_pickles(order, tmp_path):
    sequence = LazySequence(square, [1, 2, 3, 4])[order]
    expected = list(sequence)
    assert list(pickle.loads(pickle.dumps(sequence))) == expected
    joblib.dump(sequence, tmp_path / "sequence")
    assert list(joblib.load(tmp_path / "sequence")) == expected


# scikit-learn's ways of indexing ------------------------------------------------------------


def test_scikit_learn_indexes_lazily(squares, counted):
    assert _num_samples(squares) == 10
    (checked,) = indexable(squares)
    assert checked is squares
    for index in ([1, 3], np.array([1, 3]), np.arange(10) % 2 == 1, slice(1, 4)):
        subset = _safe_indexing(squares, index)
        assert isinstance(subset, LazySequence)
        assert subset[0] == 1
    assert counted.calls == [1] * 4


def test_train_test_split(squares, counted):
    train, test, y_train, y_test = train_test_split(
        squares, list(range(10)), test_size=3, random_state=0
    )
    assert isinstance(train, LazySequence)
    assert isinstance(test, LazySequence)
    assert counted.calls == []
    assert list(train) == [y * y for y in y_train]
    assert list(test) == [y * y for y in y_test]
    assert isinstance(shuffle(squares, random_state=0), LazySequence)
    assert len(counted.calls) == 10


def test_k_fold(squares, counted):
    folds = list(KFold(5).split(squares, squares))
    assert counted.calls == []
    assert list(squares[folds[1][1]]) == [4, 9]


def test_cross_validation_is_lazy():
    computed = []

    def read(i):
        computed.append(i)
        return IMAGES[i]

    images = LazySequence(read, range(4))
    segmentations = LazySequence(lambda i: IMAGES[i][..., 0] // 100, range(4))
    result = cross_validate(
        SLIC(superpixel_size=3), images, segmentations, cv=2, error_score="raise"
    )
    assert (result["test_score"] > 0.3).all()
    # Checks look at the first image of each part of a fold; the others are read once, to be
    # segmented.
    assert computed.count(1) == computed.count(3) == 1
    assert len(computed) <= 12
