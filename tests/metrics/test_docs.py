"""Shared parts of docstrings are filled in where a line names them."""

from inspect import getdoc

import pytest

from sksuperpixel import metrics
from sksuperpixel.metrics._docs import share_docs


def test_a_part_is_indented_as_its_line():
    @share_docs(meaning="The share of %(y_true)s.")
    def metric():
        """Return %(y_true)s.

        Returns
        -------
          %(scores)s
        """

    lines = metric.__doc__.splitlines()
    # Only a line of its own is replaced.
    assert lines[0] == "Return %(y_true)s."
    (first,) = (i for i, line in enumerate(lines) if "float, or ndarray" in line)
    underline = next(line for line in lines if "-------" in line)
    indent = " " * (len(underline) - len(underline.lstrip()))
    assert lines[first].startswith(f"{indent}  float, or ndarray")
    assert lines[first + 1] == f"{indent}      The share of %(y_true)s."


def test_an_unknown_part_is_an_error():
    with pytest.raises(KeyError, match="y_ture"):

        @share_docs()
        def metric():
            """%(y_ture)s"""


@pytest.mark.parametrize(
    "name", [name for name in metrics.__all__ if name not in ("SCORERS", "get_scorers")]
)
def test_docstrings_are_whole(name):
    text = getdoc(getattr(metrics, name))
    assert "%(" not in text
    for parameter in ("y_pred : array of int", "masks : array of bool"):
        assert parameter in text
    assert max(map(len, text.splitlines())) < 100
